import contextlib
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.gate.history import Transition, pulses, read_transitions
from edge.record.verify import read_records, verify
from tests.gate_rig import edge_process
from tests.programs import PATIENCE_S, Program
from tests.replay.record import CASES, expected, outcome, prepare_case, replay

MS = 1_000_000


class Systemd:
    """The other end of NOTIFY_SOCKET: a real datagram socket."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self.heard: list[str] = []

    def hear(self, word: str, times: int = 1) -> None:
        """Listen until *word* was heard that often."""
        self._socket.settimeout(PATIENCE_S)
        while sum(word in message for message in self.heard) < times:
            self.heard.append(self._socket.recv(4096).decode())

    def drain(self) -> list[str]:
        """All that was heard, the rest included."""
        self._socket.setblocking(False)
        try:
            while True:
                self.heard.append(self._socket.recv(4096).decode())
        except BlockingIOError:
            return self.heard

    def close(self) -> None:
        """Listen no longer."""
        self._socket.close()


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    """A supervisor to report to."""
    systemd = Systemd(tmp_path / "notify")
    yield systemd
    systemd.close()


Start = Callable[[Path], Program]


@pytest.fixture
def start(systemd: Systemd) -> Iterator[Start]:
    """Start the real service as systemd would; what still runs at the end is killed."""
    with contextlib.ExitStack() as started:
        yield lambda config: started.enter_context(edge_process("run", config, systemd.path))


def untimed(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The journal records without moments and durations."""
    times = ("monotonic_ns", "trigger_ns", "ms")
    return [
        {key: value for key, value in line["journal"].items() if key not in times} for line in lines
    ]


@pytest.mark.parametrize("case", CASES)
def test_a_recorded_line_is_judged_as_it_was(case: str, tmp_path: Path) -> None:
    """In simulated time: every journal line and every edge of the reject line, whole and exact."""
    assert replay(case, tmp_path) == expected(case)


def test_the_real_service_judges_a_recorded_line_as_it_was(
    tmp_path: Path, systemd: Systemd, start: Start
) -> None:
    """The same in real time, as a process of its own: the journal exact, no pulse too soon.

    That none is late either is proven in simulated time, above, and on the board.
    """
    config = prepare_case("mixed", tmp_path / "box")
    process = start(config)
    systemd.hear("STOPPING=1")
    done = process.ended()
    assert (done.returncode, done.stderr) == (0, "")
    assert untimed(outcome(config.parent)) == untimed(expected("mixed"))
    records = read_records(config.parent / "journal.jsonl")
    rejected = {
        r["sequence"]: r["trigger_ns"]
        for r in records
        if r["kind"] == "item" and r["verdict"] != "pass"
    }
    seen = pulses(read_transitions(config.parent / "edges.jsonl"))
    assert [pulse.sequence for pulse in seen] == list(rejected)
    for pulse in seen:
        assert pulse.sequence is not None
        assert pulse.start_ns - rejected[pulse.sequence] >= 400 * MS
        assert pulse.end_ns - pulse.start_ns >= 60 * MS
    heard = systemd.drain()
    assert heard[0].startswith("READY=1\n")
    assert sum(message.startswith("WATCHDOG=1\n") for message in heard) >= len(records) - 2
    assert heard[-1].startswith("STOPPING=1\n")


def endless(folder: Path) -> Path:
    """The mixed case, shown again and again, ten pictures a second."""
    config = prepare_case("mixed", folder)
    text = config.read_text().replace(
        "pictures_per_second = 4.0", "pictures_per_second = 10.0\nloop = true"
    )
    config.write_text(text)
    return config


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_service_and_loses_no_line(
    tmp_path: Path, systemd: Systemd, start: Start, number: signal.Signals
) -> None:
    """READY, WATCHDOG, STOPPING; a stop record; counters that add up.

    Every reject has had its pulse; exit 0.
    """
    config = endless(tmp_path / "box")
    process = start(config)
    systemd.hear("READY=1")
    systemd.hear("WATCHDOG=1", times=8)
    process.send(number)
    systemd.hear("STOPPING=1")
    done = process.ended()
    assert (done.returncode, done.stderr) == (0, "")
    heard = systemd.drain()
    assert heard[-1] == f"STOPPING=1\nSTATUS={number.name}"
    records = read_records(config.parent / "journal.jsonl")
    verdicts = [r["verdict"] for r in records if r["kind"] == "item"]
    counters = records[-1]["counters"]
    assert (records[-1]["kind"], records[-1]["reason"]) == ("stop", number.name)
    assert (
        counters["triggers"]
        == len(verdicts)
        == counters["pass"] + counters["reject"] + counters["fault"]
    )
    assert len(verdicts) >= 8
    assert [r["sequence"] for r in records if r["kind"] == "item"] == list(
        range(1, len(verdicts) + 1)
    )
    assert verify(config.parent / "journal.jsonl").items == len(verdicts)
    edges = read_transitions(config.parent / "edges.jsonl")
    assert edges[-1].level == 0
    assert each_has_its_pulse(edges, records)


def each_has_its_pulse(edges: list[Transition], records: list[dict[str, Any]]) -> bool:
    """Whether the line was high when each item that did not pass was due, or rose for it late.

    A pulse that comes late may be for several, and has the number of the first of them.
    """
    for record in records:
        if record["kind"] == "item" and record["verdict"] != "pass":
            due_ns = record["trigger_ns"] + 400 * MS
            pulse = next((pulse for pulse in pulses(edges) if pulse.end_ns >= due_ns), None)
            if pulse is None or pulse.sequence is None or pulse.sequence > record["sequence"]:
                return False
    return True


def test_kill_9_costs_at_most_the_line_in_writing(
    tmp_path: Path, systemd: Systemd, start: Start
) -> None:
    """Killed in the middle and started again, the service goes on with the numbers.

    The chain holds, and no record that was on the disk is gone.
    """
    config = endless(tmp_path / "box")
    process = start(config)
    systemd.hear("WATCHDOG=1", times=5)
    process.kill()
    before = verify(config.parent / "journal.jsonl").items
    assert before >= 5
    systemd.drain()
    said = systemd.heard.copy()
    process = start(config)
    systemd.hear("WATCHDOG=1", times=sum("WATCHDOG=1" in message for message in said) + 3)
    process.send(signal.SIGTERM)
    assert process.ended().returncode == 0
    assert verify(config.parent / "journal.jsonl").items >= before + 3


def test_a_second_service_on_the_same_journal_is_refused(
    tmp_path: Path, systemd: Systemd, start: Start
) -> None:
    """Exit 74, one line; the first goes on."""
    config = endless(tmp_path / "box")
    first = start(config)
    systemd.hear("READY=1")
    second = start(config)
    done = second.ended()
    assert done.returncode == 74
    assert "is being written by another stampgate-edge" in done.stderr
    assert done.stderr.count("\n") == 1
    first.send(signal.SIGTERM)
    assert first.ended().returncode == 0
