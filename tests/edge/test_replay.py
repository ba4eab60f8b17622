import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.gate.history import pulses, read_transitions
from edge.record.verify import read_records, verify
from tests.paths import ROOT
from tests.replay.record import CASES, expected, outcome, prepare_case, replay

MS = 1_000_000
TOLERANCE_MS = 250
"""Most that a pulse may begin, or last, later than planned in real time on a machine that has other
work, too."""


class Systemd:
    """The other end of NOTIFY_SOCKET: a real datagram socket."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self.heard: list[str] = []

    def hear(self, word: str, times: int = 1) -> None:
        """Listen until *word* was heard that often; a minute of silence is an error."""
        self._socket.settimeout(60)
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


Start = Callable[[Path], "subprocess.Popen[str]"]


@pytest.fixture
def start(systemd: Systemd) -> Iterator[Start]:
    """Starts the real service as systemd would; what still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def go(config: Path) -> "subprocess.Popen[str]":
        environment = {
            **os.environ,
            "NOTIFY_SOCKET": str(systemd.path),
            "WATCHDOG_USEC": "10000000",
        }
        environment.pop("WATCHDOG_PID", None)
        command = [sys.executable, "-m", "edge", "run", "--config", str(config)]
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield go
    for process in started:
        process.kill()
        process.communicate()


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
    """The same in real time, as a process of its own.

    The journal is exact, each pulse within the tolerance.
    """
    config = prepare_case("mixed", tmp_path / "box")
    process = start(config)
    systemd.hear("STOPPING=1")
    _, complaint = process.communicate(timeout=60)
    assert (process.returncode, complaint) == (0, "")
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
        assert 400 <= (pulse.start_ns - rejected[pulse.sequence]) / MS < 400 + TOLERANCE_MS
        assert 60 <= (pulse.end_ns - pulse.start_ns) / MS < 60 + TOLERANCE_MS
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
    process.send_signal(number)
    systemd.hear("STOPPING=1")
    _, complaint = process.communicate(timeout=60)
    assert (process.returncode, complaint) == (0, "")
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
    assert highs_cover(edges, records)


def highs_cover(edges: list[Any], records: list[dict[str, Any]]) -> bool:
    """Return for each reject and fault whether its pulse came when the item was due.

    That is: the line was high then, or rose within the tolerance.
    """
    spans = [(p.start_ns, p.end_ns) for p in pulses(edges)]
    due = [
        r["trigger_ns"] + 400 * MS
        for r in records
        if r["kind"] == "item" and r["verdict"] != "pass"
    ]
    return all(any(start - TOLERANCE_MS * MS <= t <= end for start, end in spans) for t in due)


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
    process.communicate(timeout=60)
    before = verify(config.parent / "journal.jsonl").items
    assert before >= 5
    systemd.drain()
    said = systemd.heard.copy()
    process = start(config)
    systemd.hear("WATCHDOG=1", times=sum("WATCHDOG=1" in message for message in said) + 3)
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert verify(config.parent / "journal.jsonl").items >= before + 3


def test_a_second_service_on_the_same_journal_is_refused(
    tmp_path: Path, systemd: Systemd, start: Start
) -> None:
    """Exit 74, one line; the first goes on."""
    config = endless(tmp_path / "box")
    first = start(config)
    systemd.hear("READY=1")
    second = start(config)
    _, complaint = second.communicate(timeout=60)
    assert second.returncode == 74
    assert "is being written by another stampgate-edge" in complaint
    assert complaint.count("\n") == 1
    first.terminate()
    first.communicate(timeout=60)
    assert first.returncode == 0
