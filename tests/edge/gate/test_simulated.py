import json
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.clock import MonotonicClock, SimulatedClock
from edge.errors import ConfigError, JournalError
from edge.gate.history import Pulse, Transition, pulses, read_transitions
from edge.gate.rejects import OVERDUE_KEPT, RejectQueue
from edge.gate.simulated import SimulatedGate
from edge.sections.gate import GateSettings
from tests.programs import eventually

MS = 1_000_000
SETTINGS = GateSettings(reject_delay_ms=100, pulse_ms=20)


def history(gate: SimulatedGate) -> list[tuple[int, float, int | None]]:
    """Every edge as (level, moment in ms, item)."""
    assert {edge.line for edge in gate.transitions} <= {"reject"}
    return [(edge.level, edge.t_ns / MS, edge.sequence) for edge in gate.transitions]


def test_without_an_answer_the_item_is_rejected_when_it_is_due() -> None:
    """Silence is a reject: low, one pulse of the set width, low."""
    clock = SimulatedClock()
    with SimulatedGate(SETTINGS, clock) as gate:
        gate.expect(1, 5 * MS)
        clock.sleep_until(1000 * MS)
    assert history(gate) == [(0, 0, None), (1, 105, 1), (0, 125, 1)]


def test_a_pass_in_time_cancels_and_the_line_never_moves() -> None:
    """The only thing an answer can do."""
    clock = SimulatedClock()
    with SimulatedGate(SETTINGS, clock) as gate:
        gate.expect(1, 0)
        clock.sleep_until(99 * MS)
        assert gate.answer(1, cancel=True) == "cancelled"
        clock.sleep_until(1000 * MS)
    assert history(gate) == [(0, 0, None)]


def test_a_reject_in_time_changes_nothing() -> None:
    """The pulse comes when the item is due, not when the answer comes."""
    clock = SimulatedClock()
    with SimulatedGate(SETTINGS, clock) as gate:
        gate.expect(1, 0)
        assert gate.answer(1, cancel=False) == "kept"
    assert history(gate) == [(0, 0, None), (1, 100, 1), (0, 120, 1)]


@pytest.mark.parametrize("late_ms", [100, 110, 500])
def test_a_pass_at_the_due_moment_or_later_is_late_and_the_item_rejected(late_ms: int) -> None:
    """Also during the pulse and long after it."""
    clock = SimulatedClock()
    with SimulatedGate(SETTINGS, clock) as gate:
        gate.expect(1, 0)
        clock.sleep_until(late_ms * MS)
        assert gate.answer(1, cancel=True) == "late"
        assert gate.answer(1, cancel=True) == "unknown"
    assert history(gate) == [(0, 0, None), (1, 100, 1), (0, 120, 1)]


def test_a_pass_at_the_due_moment_is_late_even_if_the_gate_has_not_moved_yet() -> None:
    """The eye's thread may be a little quicker than the gate's; the pulse still comes."""
    queue = RejectQueue(100, 20)
    queue.expect(1, 0)
    queue.expect(2, 1)
    assert queue.answer(1, cancel=True, now_ns=100) == "late"
    assert queue.answer(2, cancel=True, now_ns=100) == "cancelled"
    assert queue.step(100) == [(1, 1)]
    assert queue.step(200) == [(0, 1)]


def test_an_answer_for_an_item_nobody_announced_is_unknown() -> None:
    """So is a second answer: an item is decided once."""
    clock = SimulatedClock()
    with SimulatedGate(SETTINGS, clock) as gate:
        assert gate.answer(7, cancel=True) == "unknown"
        gate.expect(1, 0)
        assert gate.answer(1, cancel=False) == "kept"
        assert gate.answer(1, cancel=True) == "unknown"
    assert history(gate) == [(0, 0, None), (1, 100, 1), (0, 120, 1)]


def test_a_cancellation_can_be_withdrawn_until_the_item_is_due() -> None:
    """For a pass that could not be written down."""
    clock = SimulatedClock()
    with SimulatedGate(SETTINGS, clock) as gate:
        gate.expect(1, 0)
        gate.answer(1, cancel=True)
        gate.settle(1, written=False)
        gate.settle(99, written=False)
    assert history(gate) == [(0, 0, None), (1, 100, 1), (0, 120, 1)]


def test_an_item_that_passed_before_it_was_withdrawn_is_an_incident() -> None:
    """Its record says FAULT; only the incident tells that it went by."""
    clock = SimulatedClock()
    with SimulatedGate(SETTINGS, clock) as gate:
        gate.expect(1, 0)
        gate.answer(1, cancel=True)
        clock.sleep_until(150 * MS)
        gate.settle(1, written=False)
        (told,) = gate.incidents()
    assert (told.what, told.tag) == ("passed", 1)
    assert history(gate) == [(0, 0, None)]


def test_what_is_not_settled_when_the_process_ends_by_an_error_is_rejected() -> None:
    """Its record may still wait in memory."""
    clock = SimulatedClock()

    def end_by_an_error() -> None:
        with SimulatedGate(SETTINGS, clock) as gate:
            gates.append(gate)
            for sequence in (1, 2):
                gate.expect(sequence, 0)
                gate.answer(sequence, cancel=True)
            gate.settle(1, written=True)
            raise ZeroDivisionError

    gates: list[SimulatedGate] = []
    with pytest.raises(ZeroDivisionError):
        end_by_an_error()
    assert history(gates[0]) == [(0, 0, None), (1, 100, 2), (0, 120, 2)]


def test_overlapping_and_touching_pulses_are_one() -> None:
    """Items 1 and 2 overlap, item 3 comes at the very end of that pulse, item 4 stands alone."""
    clock = SimulatedClock()
    with SimulatedGate(SETTINGS, clock) as gate:
        for sequence, t_ms in ((1, 0), (2, 10), (3, 30), (4, 60)):
            gate.expect(sequence, t_ms * MS)
    assert history(gate) == [(0, 0, None), (1, 100, 1), (0, 150, 3), (1, 160, 4), (0, 180, 4)]
    assert pulses(gate.transitions) == [Pulse(1, 100 * MS, 150 * MS), Pulse(4, 160 * MS, 180 * MS)]


def test_items_under_way_still_arrive_when_the_gate_is_closed() -> None:
    """Leaving the with block waits for them, even when an error leaves it; then the line is low."""
    clock = SimulatedClock()
    gate = SimulatedGate(SETTINGS, clock)

    def fail() -> None:
        with gate:
            gate.expect(1, 0)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert history(gate) == [(0, 0, None), (1, 100, 1), (0, 120, 1)]


def test_a_sequence_cannot_be_announced_twice() -> None:
    """That would be a mistake of ours, and it must show."""
    queue = RejectQueue(100, 20)
    queue.expect(1, 0)
    with pytest.raises(ValueError, match="already at the gate"):
        queue.expect(1, 5)


def test_a_pulse_that_begins_late_is_still_of_full_width() -> None:
    """The thread was held up for 7 ms; the flap must move all the way all the same."""
    queue = RejectQueue(100, 20)
    queue.expect(1, 0)
    assert queue.step(107) == [(1, 1)]
    assert queue.next_ns() == 127
    assert queue.step(127) == [(0, 1)]
    assert queue.next_ns() is None


def test_a_rise_that_took_its_time_does_not_shorten_the_pulse() -> None:
    """The width counts from when the line was high.

    Here the processor was taken away while the line was raised.
    """

    class SlowToRise(SimulatedClock):
        reads = 0

        def now_ns(self) -> int:
            self.reads += 1
            if self.reads == slow_read:
                self._now_ns += 7 * MS
            return super().now_ns()

    clock, slow_read = SlowToRise(), 0
    with SimulatedGate(SETTINGS, clock) as gate:
        gate.expect(1, 0)
        slow_read = (
            clock.reads + 2
        )  # the first is the moment at which the gate acts, the second the edge's own
        clock.sleep_until(1000 * MS)
    assert history(gate) == [(0, 0, None), (1, 107, 1), (0, 127, 1)]


def test_unanswered_items_do_not_fill_the_memory() -> None:
    """After so many the oldest is forgotten: its answer is then unknown, no longer late."""
    queue = RejectQueue(1, 1)
    for sequence in range(OVERDUE_KEPT + 1):
        queue.expect(sequence, sequence * 10)
        queue.step(sequence * 10 + 5)
    assert queue.answer(0, cancel=True, now_ns=10**9) == "unknown"
    assert queue.answer(1, cancel=True, now_ns=10**9) == "late"


items = st.lists(st.tuples(st.integers(0, 60), st.booleans(), st.integers(0, 150)), max_size=12)


@given(items)
def test_the_line_is_high_exactly_while_a_rejected_item_is_at_the_gate(
    plan: list[tuple[int, bool, int]],
) -> None:
    """Against an oracle: the union of one interval for each item that was not cancelled in time.

    *plan*: for each item the time since the one before, whether it passes, and how long the eye
    takes, in ms.
    """
    clock, now = SimulatedClock(), 0
    todo: list[tuple[int, int, int, bool]] = []
    rejected: list[int] = []
    for sequence, (gap, passes, thinking) in enumerate(plan):
        now += gap
        todo += [(now, 0, sequence, passes), (now + thinking, 1, sequence, passes)]
        if not (passes and thinking < 100):
            rejected.append(now + 100)
    with SimulatedGate(SETTINGS, clock) as gate:
        for moment, is_answer, sequence, passes in sorted(todo):
            clock.sleep_until(moment * MS)
            if is_answer:
                gate.answer(sequence, cancel=passes)
            else:
                gate.expect(sequence, moment * MS)
    expected: list[tuple[float, float]] = []
    for due in rejected:
        if expected and due <= expected[-1][1]:
            expected[-1] = (expected[-1][0], due + 20)
        else:
            expected.append((due, due + 20))
    assert [(p.start_ns / MS, p.end_ns / MS) for p in pulses(gate.transitions)] == expected
    assert gate.transitions[0].level == 0
    assert gate.transitions[-1].level == 0


def test_every_edge_is_recorded_as_a_json_line(tmp_path: Path) -> None:
    """The record adds to what is there, and reads back as it was."""
    path = tmp_path / "edges.jsonl"
    for _ in range(2):
        clock = SimulatedClock()
        with SimulatedGate(SETTINGS, clock, path) as gate:
            gate.expect(1, 0)
    expected = [
        Transition("reject", 0, 0, None),
        Transition("reject", 1, 100 * MS, 1),
        Transition("reject", 0, 120 * MS, 1),
    ]
    assert read_transitions(path) == expected * 2
    assert json.loads(path.read_text().splitlines()[1]) == {
        "line": "reject",
        "level": 1,
        "t_ns": 100 * MS,
        "sequence": 1,
    }


def test_a_record_that_cannot_be_written_is_a_wrong_setting(tmp_path: Path) -> None:
    """Said at the start, before any item."""
    with (
        pytest.raises(ConfigError, match=r"\[gate\] record must be a file that can be written"),
        SimulatedGate(SETTINGS, SimulatedClock(), tmp_path / "no" / "edges.jsonl"),
    ):
        pass


def test_a_full_disk_does_not_stop_the_gate_but_the_station_hears_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The record fails at the pulse's first edge.

    The pulse is whole all the same, and the next item is refused.
    """
    clock = SimulatedClock()
    gate = SimulatedGate(SETTINGS, clock)

    def work() -> None:
        with gate:
            gate.expect(1, 0)
            full = Path("/dev/full").open("a", encoding="utf-8")  # noqa: SIM115 - closed by it
            monkeypatch.setattr(gate._record, "_file", full)
            clock.sleep_until(200 * MS)
            gate.expect(2, 200 * MS)

    with pytest.raises(
        JournalError, match=r"the gate's record cannot be written \(No space left on device\)"
    ):
        work()
    assert history(gate) == [(0, 0, None), (1, 100, 1), (0, 120, 1), (1, 300, 2), (0, 320, 2)]


def test_a_record_that_is_a_device_is_refused_at_the_start() -> None:
    """Before any item."""
    with (
        pytest.raises(ConfigError, match="/dev/full: cannot be written \\(a device, not a file\\)"),
        SimulatedGate(SETTINGS, SimulatedClock(), Path("/dev/full")),
    ):
        pass


def test_the_pulse_comes_while_the_eye_is_busy_and_not_too_soon() -> None:
    """On the real clock: this thread asks the gate for nothing while the due moment passes.

    That the pulse is not late either is proven in simulated time.
    """
    clock, threads = MonotonicClock(), threading.active_count()
    with SimulatedGate(GateSettings(reject_delay_ms=50, pulse_ms=30), clock) as gate:
        begin = clock.now_ns()
        gate.expect(1, begin)
        eventually(lambda: len(gate.transitions) == 3)
        assert gate.answer(1, cancel=True) == "late"
    (pulse,) = pulses(gate.transitions)
    assert pulse.start_ns - begin >= 50 * MS
    assert pulse.end_ns - pulse.start_ns >= 30 * MS
    assert threading.active_count() == threads


def test_the_station_hears_of_it_when_the_gate_no_longer_keeps_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A timing thread that died silently would let everything pass."""
    gate = SimulatedGate(GateSettings(reject_delay_ms=1, pulse_ms=1), MonotonicClock())

    def die() -> None:
        raise OSError("the chip is gone")

    monkeypatch.setattr(gate, "act", die)

    def work() -> None:
        with gate:
            gate.expect(1, time.monotonic_ns())
            eventually(gate.check)

    with pytest.raises(RuntimeError, match="the chip is gone"):
        work()
