import json
import socket
from pathlib import Path

import pytest

from edge.clock import SimulatedClock
from edge.errors import ConfigError
from edge.gate.history import Transition, read_transitions
from edge.gate.lines import WireEvent, simulated
from edge.gate.lines.simulated import SimulatedLines

MS = 1_000_000


def say(path: Path, *datagrams: str) -> None:
    """Send edges as another program would."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        for datagram in datagrams:
            sender.sendto(datagram.encode(), str(path))


def test_outputs_are_safe_before_between_and_after_and_recorded(tmp_path: Path) -> None:
    """REJECT and READY low, FAULT high at both ends; a level it has already is no edge."""
    clock, path = SimulatedClock(), tmp_path / "edges.jsonl"
    with SimulatedLines(clock, path) as lines:
        clock.sleep_until(5 * MS)
        lines.set("reject", 1, 7)
        lines.set("reject", 1, 8)
        lines.set("fault", 0)
        clock.sleep_until(9 * MS)
    assert read_transitions(path) == [
        Transition("reject", 0, 0, None),
        Transition("ready", 0, 0, None),
        Transition("fault", 1, 0, None),
        Transition("reject", 1, 5 * MS, 7),
        Transition("fault", 0, 5 * MS, None),
        Transition("reject", 0, 9 * MS, None),
        Transition("fault", 1, 9 * MS, None),
    ]


def test_a_script_is_played_in_the_order_of_its_moments() -> None:
    """Nothing before its time; the level stays."""
    clock = SimulatedClock()
    script = [
        WireEvent("bin_full", 1, 30),
        WireEvent("trigger", 1, 10),
        WireEvent("trigger", 0, 20, lost=2),
    ]
    with SimulatedLines(clock, script=script) as lines:
        assert (lines.next_ns(), lines.read()) == (10, [])
        clock.sleep_until(20)
        assert lines.read() == [WireEvent("trigger", 1, 10), WireEvent("trigger", 0, 20, lost=2)]
        assert (lines.next_ns(), lines.level("bin_full")) == (30, 0)
        clock.sleep_until(30)
        lines.read()
        assert (lines.next_ns(), lines.level("bin_full")) == (None, 1)


def test_any_program_can_move_the_inputs(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """By datagrams on a real socket; what is no edge is told on stderr and does nothing."""
    clock, path = SimulatedClock(40), tmp_path / "lines.sock"
    with SimulatedLines(clock, inputs=path) as lines:
        assert len(lines.filenos()) == 1
        say(
            path,
            json.dumps({"line": "trigger", "level": 1}),
            json.dumps({"line": "encoder_a", "level": 0, "lost": 3}),
            json.dumps({"line": "trigger", "level": 0, "overflow": 2}),
        )
        assert lines.read() == [
            WireEvent("trigger", 1, 40),
            WireEvent("encoder_a", 0, 40, lost=3),
            WireEvent("trigger", 0, 40, overflow=2),
        ]
        say(
            path,
            "trigger",
            '{"line": "reject", "level": 1}',
            '{"line": "trigger", "level": 2}',
            '{"line": []}',
        )
        say(path, '{"line": "trigger", "level": 1, "lost": -1}', "[]")
        say(path, '{"line": "trigger", "level": 1, "overflow": true}', "[" * 4000, "9" * 4400)
        assert lines.read() == []
        assert capfd.readouterr().err.count("[lines] inputs: ") == 9
    assert not path.exists()


def test_a_flood_of_edges_is_read_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So the gate looks at what is due in between; none is lost."""
    monkeypatch.setattr(simulated, "READ_AT_ONCE", 3)
    path, edges = tmp_path / "lines.sock", [(number + 1) % 2 for number in range(8)]
    with SimulatedLines(SimulatedClock(40), inputs=path) as lines:
        say(path, *(json.dumps({"line": "trigger", "level": level}) for level in edges))
        read = [[event.level for event in lines.read()] for _ in range(4)]
    assert read == [edges[:3], edges[3:6], edges[6:], []]


def test_an_input_socket_that_cannot_be_made_is_a_wrong_setting(tmp_path: Path) -> None:
    """Said at the start; what a killed gate left there is replaced."""
    with (
        pytest.raises(ConfigError, match=r"\[lines\] inputs must be where a socket can be made"),
        SimulatedLines(SimulatedClock(), inputs=tmp_path / "no" / "lines.sock"),
    ):
        pass
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as left:
        left.bind(str(tmp_path / "lines.sock"))
    with SimulatedLines(SimulatedClock(), inputs=tmp_path / "lines.sock") as lines:
        assert lines.read() == []


def test_a_record_on_a_full_disk_is_refused_at_the_start() -> None:
    """Before any item."""
    with (
        pytest.raises(ConfigError, match="/dev/full: cannot be written \\(a device, not a file\\)"),
        SimulatedLines(SimulatedClock(), Path("/dev/full")),
    ):
        pass


def test_a_record_that_fills_the_disk_is_told_once_and_the_gate_goes_on(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The edges are remembered all the same."""
    with SimulatedLines(SimulatedClock()) as lines:
        full = Path("/dev/full").open("a", encoding="utf-8")  # noqa: SIM115 - the record closes it
        monkeypatch.setattr(lines.record, "_file", full)
        for level in (1, 0, 1):
            lines.set("reject", level)
        assert [edge.level for edge in lines.record.transitions if edge.line == "reject"] == [
            0,
            1,
            0,
            1,
        ]
    assert (
        capfd.readouterr().err.count(
            "the gate's record cannot be written (No space left on device)"
        )
        == 1
    )
