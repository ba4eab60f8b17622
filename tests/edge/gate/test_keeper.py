"""The gate's decisions in simulated time, as whole histories of outputs and messages."""

import dataclasses
import random
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest

from edge.clock import SimulatedClock
from edge.config import Config, GateSettings, LinesSettings, TriggerSettings
from edge.gate import keeper
from edge.gate.belt_stops import STOOD_STILL, WHY_READY, WHY_STOOD
from edge.gate.keeper import (
    BEHIND,
    EYE_LOST,
    EYE_LOST_PASSED,
    NO_EYE,
    WHY_CLOSE,
    WHY_EYE,
    WHY_RESET,
    Keeper,
)
from edge.gate.lines import WireEvent
from edge.gate.lines.simulated import SimulatedLines
from edge.gate.loss_handling import EDGE_LOST, EDGE_MISSING
from edge.gate.messages import (
    VERSION,
    Answer,
    Answered,
    Beat,
    Beaten,
    Expect,
    Expected,
    FromGate,
    Hello,
    Incident,
    ItemSeen,
    Missed,
    Recorded,
    Refused,
    Settle,
    Welcome,
    Withdraw,
)
from edge.gate.photo_eye import COUNTS_BACK
from edge.gate.reject_bin import NOT_IN_THE_BIN, NOT_REJECTED
from edge.gate.rejects import UNDER_A_PULSE
from edge.gate.transit import PASSED_BY
from edge.gate.unsettled import KEPT

MS = 1_000_000
BEGIN_MS = 1000
"""The gate begins then; what it sweeps of the time before is over at 1120."""
SWEEP = [(1000, 1, None), (1120, 0, None)]


def settings(kind: str = "photo-eye", wires: dict[str, Any] | None = None, **gate: Any) -> Config:
    """100 ms to the gate, pulses of 20.

    The belt runs on although READY rests, unless a test says that it stops: so a test sees when
    its items are due, and no stretch that is thrown as READY begins.
    """
    trigger = TriggerSettings(kind=kind, interval_ms=100)
    usual = {"reject_delay_ms": 100.0, "pulse_ms": 20.0, "ready_stops_belt": False}
    gate_settings = GateSettings(driver="process", **{**usual, **gate})
    return Config(
        trigger=trigger,
        gate=gate_settings,
        lines=LinesSettings(**{"trigger": "EYE", **(wires or {})}),
    )


class Bench:
    """A gate with simulated lines in simulated time, and an eye's mouth and ear."""

    def __init__(
        self,
        config: Config,
        script: Iterable[tuple[Any, ...]] = (),
        *,
        exact: bool = False,
        **levels: int,
    ) -> None:
        """*script*: input edges as (ms, line, level), with lost ones behind them.

        Photo-eye and bin's sensor are clear again 2 ms after a rise, unless the script is *exact*.
        *levels*: of the inputs at the start.
        """
        self.clock = SimulatedClock(BEGIN_MS * MS)
        edges = script if exact else with_falls(script)
        events = [WireEvent(line, level, round(ms * MS), *lost) for ms, line, level, *lost in edges]
        self.lines = SimulatedLines(self.clock, script=events, levels=levels)
        self.lines.__enter__()
        self.keeper = Keeper(config, self.lines, self.clock)
        self.kind = config.trigger.kind
        self.timer = self.clock.start_timer(self.keeper)
        self.keeper.begin()

    def run_to(self, ms: float) -> list[FromGate]:
        """Let time pass; what the gate has said meanwhile."""
        self.clock.sleep_until(round(ms * MS))
        return self.heard()

    def hold_up_to(self, ms: float) -> None:
        """Let time pass while the gate's process is held up, and does nothing."""
        self.timer.stop()
        self.clock.sleep_until(round(ms * MS))
        self.timer = self.clock.start_timer(self.keeper)
        self.keeper.act()

    def heard(self) -> list[FromGate]:
        """Return the messages that the gate has sent."""
        said = list(self.keeper.outbox)
        self.keeper.outbox.clear()
        return said

    def connect(self) -> Welcome | Refused:
        """Be the eye."""
        reply = self.keeper.accept_eye(Hello(VERSION, self.kind))
        self.keeper.act()
        return reply

    def say(self, message: Any) -> list[FromGate]:
        """Say something as the eye, and hear the reply."""
        self.keeper.handle(message)
        self.keeper.act()
        return self.heard()

    def leave(self) -> None:
        """Be killed."""
        self.keeper.eye_lost()
        self.keeper.act()

    def history(self, line: str = "reject") -> list[tuple[float, int, int | None]]:
        """Every edge of a line since it was taken, as (ms, level, tag)."""
        return [
            (e.t_ns / MS, e.level, e.sequence)
            for e in self.lines.record.transitions
            if e.line == line
        ][1:]


def with_falls(script: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The same edges; photo-eye and bin's sensor, if they never fall, do so 2 ms after a rise."""
    edges = list(script)
    falling = {line for _, line, level, *_ in edges if not level}
    falls = [
        (ms + 2, line, 0)
        for ms, line, *_ in edges
        if line in ("trigger", "confirm") and line not in falling
    ]
    return sorted([*edges, *falls], key=lambda edge: edge[0])


def items(*moments: int) -> list[tuple[int, str, int]]:
    """Edges of the photo-eye."""
    return [(ms, "trigger", 1) for ms in moments]


def test_restart_rejects_what_is_in_transit() -> None:
    """All that may have been triggered before the gate began: high for one delay and one pulse."""
    bench = Bench(settings())
    bench.run_to(3000)
    assert bench.history() == SWEEP


def test_restart_by_counts_rejects_until_the_belt_has_emptied() -> None:
    """The belt stands for a second in the middle.

    What it carried at the start is rejected to the last count.
    """
    turns = [(1000 + n * 10 + (1000 if n > 5 else 0), "encoder_a", n % 2) for n in range(1, 24)]
    bench = Bench(
        settings(wires={"encoder_a": "A"}, reject_delay_counts=10, standstill_ms=0.0), turns
    )
    bench.run_to(5000)
    assert bench.history() == [(1000, 1, None), (2190 + 20, 0, None)]


def test_where_the_pulse_accepts_a_restart_gives_no_pulse() -> None:
    """Silence throws off; an item that came after the start and was found good gets its pulse."""
    bench = Bench(settings(pulse="accepts"), items(1010))
    bench.connect()
    bench.run_to(1020)
    bench.say(Answer(1, True))
    bench.run_to(3000)
    assert bench.history() == [(1110, 1, 1), (1130, 0, 1)]


def test_an_item_goes_the_whole_way() -> None:
    """Seen, answered, settled; the pass gives no pulse, the reject one, at its moment."""
    bench = Bench(settings(), items(1200, 1300))
    assert isinstance(bench.connect(), Welcome)
    assert bench.run_to(1250) == [ItemSeen(1, 1200 * MS)]
    assert bench.say(Answer(1, True)) == [Answered(1, "cancelled")]
    assert bench.say(Settle(1)) == []
    assert bench.run_to(1310) == [ItemSeen(2, 1300 * MS)]
    assert bench.say(Answer(2, False)) == [Answered(2, "kept")]
    assert bench.say(Settle(2)) == []
    bench.run_to(3000)
    assert bench.history() == [*SWEEP, (1400, 1, 2), (1420, 0, 2)]
    assert (
        bench.keeper.counters.triggers,
        bench.keeper.counters.thrown,
        bench.keeper.unsettled,
    ) == (
        2,
        1,
        0,
    )


def test_answer_after_due_is_late_and_the_item_rejected() -> None:
    """The code says so, the counter too."""
    bench = Bench(settings(), items(1200))
    bench.connect()
    bench.run_to(1300)
    assert bench.say(Answer(1, True)) == [Answered(1, "late")]
    bench.run_to(3000)
    assert bench.history() == [*SWEEP, (1300, 1, 1), (1320, 0, 1)]
    assert bench.keeper.counters.late == 1


def test_answer_for_an_unknown_tag_is_counted_and_does_nothing() -> None:
    """Nobody's tag, a second answer, one that is settled already."""
    bench = Bench(settings(), items(1200))
    bench.connect()
    bench.run_to(1210)
    assert bench.say(Answer(7, True)) == [Answered(7, "unknown")]
    assert bench.say(Answer(1, False)) == [Answered(1, "kept")]
    assert bench.say(Answer(1, True)) == [Answered(1, "unknown")]
    bench.say(Settle(1))
    assert bench.say(Answer(1, True)) == [Answered(1, "unknown")]
    bench.say(Settle(99))
    bench.say(Withdraw(99))
    bench.run_to(3000)
    assert bench.history() == [*SWEEP, (1300, 1, 1), (1320, 0, 1)]
    assert bench.keeper.counters.unknown == 3


def test_trigger_while_busy_is_counted_and_the_item_entered() -> None:
    """The second comes before the first has its answer; both are told, both have their own fate."""
    bench = Bench(settings(), items(1200, 1230))
    bench.connect()
    assert bench.run_to(1240) == [ItemSeen(1, 1200 * MS), ItemSeen(2, 1230 * MS)]
    bench.say(Answer(2, True))
    bench.run_to(3000)
    assert bench.history() == [*SWEEP, (1300, 1, 1), (1320, 0, 1)]
    assert (bench.keeper.counters.triggers, bench.keeper.counters.busy) == (2, 1)


CLOSE = (
    "too close: 30 ms after item 1 of the gate, which is rejected, too; "
    "must be at least spacing_ms, 50"
)


def spaced(config: Config, spacing_ms: float = 50.0) -> Config:
    """The same with a least distance between items."""
    return dataclasses.replace(
        config, trigger=dataclasses.replace(config.trigger, spacing_ms=spacing_ms)
    )


def test_items_too_close_to_be_told_apart_are_both_rejected_and_counted() -> None:
    """The first was let pass already, the second is told as one that nobody can judge.

    A third in its time passes.
    """
    bench = Bench(spaced(settings()), items(1200, 1230, 1280))
    bench.connect()
    bench.run_to(1210)
    assert bench.say(Answer(1, True)) == [Answered(1, "cancelled")]
    assert bench.run_to(1240) == [Missed(2, 1230 * MS, CLOSE)]
    assert bench.say(Answer(2, True)) == [Answered(2, "kept")]
    assert bench.run_to(1285) == [ItemSeen(3, 1280 * MS)]
    assert bench.say(Answer(3, True)) == [Answered(3, "cancelled")]
    bench.run_to(3000)
    assert bench.history() == [*SWEEP, (1300, 1, 1), (1320, 0, 1), (1330, 1, 2), (1350, 0, 2)]
    assert (
        bench.keeper.counters.triggers,
        bench.keeper.counters.close,
        bench.keeper.counters.unknown,
    ) == (3, 1, 0)


def test_an_answer_after_the_second_came_too_close_cannot_let_the_first_pass() -> None:
    """It says that its reject stands, so the journal says reject, too."""
    bench = Bench(spaced(settings()), items(1200, 1230))
    bench.connect()
    bench.run_to(1240)
    assert bench.say(Answer(1, True)) == [Answered(1, "kept")]
    bench.run_to(3000)
    assert [tag for _, level, tag in bench.history() if level] == [None, 1, 2]


def test_a_crowd_of_items_is_rejected_whole() -> None:
    """Each too close to the one before, over more than the spacing.

    With no eye they say why, too.
    """
    bench = Bench(spaced(settings()), items(1200, 1230, 1260, 1290))
    bench.run_to(3000)
    assert (
        bench.keeper.counters.triggers,
        bench.keeper.counters.close,
        bench.keeper.counters.missed,
    ) == (4, 3, 1)
    assert bench.history() == [*SWEEP, (1300, 1, 1), (1320, 0, 1), *[(ms, level, tag) for tag, at in
        ((2, 1330), (3, 1360), (4, 1390)) for ms, level in ((at, 1), (at + 20, 0))]]  # fmt: skip
    bench.connect()
    assert bench.heard() == [Missed(1, 1200 * MS, NO_EYE)]
    (missed,) = bench.say(Settle(1))
    assert missed == Missed(2, 1230 * MS, CLOSE)


@pytest.mark.parametrize(("spacing_ms", "close"), [(0.0, 0), (30.0, 0), (30.1, 1)])
def test_items_exactly_the_spacing_apart_are_told_apart(spacing_ms: float, close: int) -> None:
    """The bound belongs to the good side; 0 switches it off."""
    bench = Bench(spaced(settings(), spacing_ms), items(1200, 1230))
    bench.run_to(1500)
    assert bench.keeper.counters.close == close


def test_an_item_that_is_past_the_gate_is_told_as_such() -> None:
    """A fast belt may have brought the first to the gate when the second comes."""
    turns = [(1000 + n, "encoder_a", n % 2) for n in range(1, 300)]
    config = spaced(settings(wires={"encoder_a": "A"}, reject_delay_counts=10))
    bench = Bench(config, sorted([*turns, *items(1150, 1180)]))
    bench.connect()
    heard = bench.run_to(1190)
    assert heard[0] == ItemSeen(1, 1150 * MS)
    assert isinstance(heard[1], Missed)
    assert "after item 1 of the gate, which is past the gate already" in heard[1].why


def test_changed_settings_count_from_the_next_edge_on_and_items_under_way_keep_their_moments() -> (
    None
):
    """Pulses of 20 ms become 60 while item 2 is under way.

    The photo-eye's spacing counts from then, too.
    """
    config = settings(wires={"confirm": "BIN-EYE"}, confirm_ms=10_000.0)
    bench = Bench(config, items(1200, 1320, 1500, 1530))
    bench.run_to(1350)
    longer = dataclasses.replace(config.gate, pulse_ms=60.0, confirm_ms=500.0)
    bench.keeper.adopt(spaced(dataclasses.replace(config, gate=longer)))
    bench.run_to(1990)
    assert bench.history() == [
        *[*SWEEP, (1300, 1, 1), (1320, 0, 1), (1420, 1, 2), (1480, 0, 2)],
        *[(1600, 1, 3), (1690, 0, 4)],
    ]
    assert bench.keeper.counters.close == 1
    assert (
        bench.keeper.counters.unconfirmed == 2
    )  # items 1 and 2: half a second is over, ten would not be


def stopped(start_ms: float = 0.0, wires: dict[str, Any] | None = None, **gate: Any) -> Config:
    """A belt that stops while READY rests, and then needs *start_ms* to run at its speed."""
    usual = {"ready_stops_belt": True, "belt_start_ms": start_ms, "eye_silent_ms": 50.0}
    return settings(wires=wires, **{**usual, **gate})


@pytest.mark.parametrize("wires", [{}, {"encoder_a": "A"}], ids=["no encoder", "an encoder"])
def test_a_belt_that_ready_had_stopped_is_rejected_whole_when_it_runs_again(
    wires: dict[str, Any],
) -> None:
    """The pulse for item 1 comes while the belt stands, so item 1 comes after it.

    Nobody can tell when: all that comes within one delay is thrown, what was let pass as well. An
    encoder changes nothing: a stop may be too short for it to count as a standstill.
    """
    bench = Bench(stopped(wires=wires), items(1200, 1240, 1600))
    bench.connect()
    for ms in range(1040, 1241, 40):
        bench.run_to(ms)
        bench.say(Beat(""))
    bench.run_to(1242)
    bench.say(Answer(2, True))
    bench.run_to(1400)  # the eye says nothing: READY rests from 1292 on, and the belt stands
    assert bench.history("ready")[-1][1] == 0
    assert bench.history()[2:] == [(1300, 1, 1), (1320, 0, 1)]
    said = bench.say(Beat(""))
    said += bench.run_to(1590)
    assert bench.history()[4:] == [(1400, 1, None), (1520, 0, None)]
    told = [heard for heard in said if isinstance(heard, Incident)]
    assert [(incident.what, incident.why) for incident in told] == [("swept", WHY_READY)]


@pytest.mark.parametrize("held_ms", [60, 90])
def test_a_gate_that_was_held_up_takes_its_belt_for_one_that_has_stood(held_ms: int) -> None:
    """READY's relay holds for four times 25 ms; from three times on it may have dropped.

    The gate itself did not see READY rest. Item 1 was on the belt meanwhile.
    """
    bench = Bench(stopped(eye_silent_ms=10_000.0), items(1215))
    bench.connect()
    bench.run_to(1210)  # the stretch of the start is over; READY's last edge was at 1200
    edges = len(bench.history())
    bench.hold_up_to(1200 + held_ms)
    said = bench.run_to(1500)
    told = [heard.why for heard in said if isinstance(heard, Incident)]
    if held_ms < 75:
        assert (bench.history()[edges:], told) == ([(1315, 1, 1), (1335, 0, 1)], [])
    else:
        thrown_ms = [(t_ms, level) for t_ms, level, _ in bench.history()[edges:]]
        assert (thrown_ms, told) == ([(1290, 1), (1410, 0)], [WHY_READY])


def test_what_comes_while_the_belt_is_not_at_its_speed_yet_is_rejected_too() -> None:
    """The line's control waits for a few beats, and a motor needs time.

    The belt runs at its speed 300 ms after READY's first beat, at 1600: item 1, which came before,
    is later than reckoned, by how much nobody knows. Item 2 is as reckoned.
    """
    config = stopped(300.0, eye_silent_ms=10_000.0)
    bench = Bench(config, items(1550, 1650))
    bench.run_to(1300)
    bench.connect()
    for ms, tag in ((1552, 1), (1652, 2)):
        bench.run_to(ms)
        bench.say(Answer(tag, True))
    bench.run_to(2000)
    assert bench.history() == [*SWEEP, (1300, 1, None), (1720, 0, None)]
    assert bench.keeper.counters.thrown == 1


def test_the_bin_awaits_nothing_by_its_moment_from_a_belt_that_starts() -> None:
    """Item 1 is thrown, but nobody can tell when, so it is not missing; item 2 is."""
    config = stopped(300.0, {"confirm": "BIN"}, confirm_ms=50.0, eye_silent_ms=10_000.0)
    bench = Bench(config, items(1350, 1750))
    bench.run_to(1300)
    bench.connect()
    bench.run_to(1890)
    assert bench.keeper.counters.unconfirmed == 0
    bench.run_to(1910)
    assert bench.keeper.counters.unconfirmed == 1


@pytest.mark.parametrize(
    "gate",
    [{"ready_stops_belt": False}, {"reject_delay_counts": 5}],
    ids=["a belt that runs on", "a belt that tells its position"],
)
def test_a_belt_that_ready_does_not_stop_or_that_tells_where_it_is_goes_on(
    gate: dict[str, Any],
) -> None:
    """There nothing comes later than reckoned, and nothing more is thrown."""
    wires = {"encoder_a": "A"} if "reject_delay_counts" in gate else {}
    bench = Bench(stopped(wires=wires, **gate), [])
    bench.connect()
    bench.run_to(1400)
    before = bench.history()
    bench.say(Beat(""))
    bench.run_to(1590)
    assert bench.history() == before


def test_the_first_ready_rejects_what_stood_on_the_belt_while_the_eye_loaded() -> None:
    """After a power cut the gate's own first sweep is over before the eye is there."""
    bench = Bench(stopped(), [])
    bench.run_to(1500)
    assert bench.history() == SWEEP
    bench.connect()
    bench.run_to(1700)
    assert bench.history() == [*SWEEP, (1500, 1, None), (1620, 0, None)]


def test_a_belt_is_taken_for_one_that_ready_stops_unless_somebody_says_otherwise() -> None:
    """Who knows of no such setting has the belt that could let an item pass."""
    assert GateSettings().ready_stops_belt
    assert GateSettings().belt_start_ms == 1000.0


def test_overlapping_pulses_merge() -> None:
    """Two items 15 ms apart, pulses of 20."""
    bench = Bench(settings(), items(1200, 1215))
    bench.run_to(3000)
    assert bench.history() == [*SWEEP, (1300, 1, 1), (1335, 0, 2)]


def test_items_that_pass_while_no_eye_is_there_are_rejected_and_told_to_the_next() -> None:
    """One at a time, each when the one before is written down.

    An item at the photo-eye is not kept waiting.
    """
    bench = Bench(settings(), items(1200, 1300, 1500))
    bench.run_to(1450)
    bench.connect()
    assert bench.heard() == [Missed(1, 1200 * MS, NO_EYE)]
    assert bench.run_to(1501) == [ItemSeen(3, 1500 * MS)]
    assert bench.say(Answer(1, False)) == [Answered(1, "kept")]
    assert bench.say(Settle(1)) == [Missed(2, 1300 * MS, NO_EYE)]
    assert bench.say(Answer(2, True)) == [Answered(2, "kept")]
    bench.say(Settle(2))
    bench.say(Answer(3, True))
    bench.run_to(3000)
    assert [(ms, tag) for ms, level, tag in bench.history() if level] == [
        (1000, None),
        (1300, 1),
        (1400, 2),
    ]
    assert (bench.keeper.counters.missed, bench.keeper.unsettled) == (2, 1)


def test_of_too_many_missed_items_the_number_is_exact() -> None:
    """Remembered one by one up to a bound.

    Every one is told, and the eye settles as many as there were.
    """
    many = KEPT + 50
    bench = Bench(settings(), items(*range(2000, 2000 + 10 * many, 10)))
    bench.run_to(2000 + 10 * many + 200)
    assert bench.keeper.counters.triggers == many
    bench.connect()
    told: list[Missed] = []
    for _ in range(many):
        (missed,) = bench.heard()
        assert isinstance(missed, Missed)
        told.append(missed)
        bench.keeper.handle(Settle(missed.tag))
    assert bench.heard() == []
    assert len({missed.tag for missed in told}) == many
    assert [missed.t_ns for missed in told[:KEPT]] == [(2000 + 10 * n) * MS for n in range(KEPT)]
    assert {(missed.t_ns, missed.why) for missed in told[KEPT:]} == {
        (
            (2000 + 10 * (many - 1)) * MS,
            "nobody judged it; it was one of many, its moment is that of the last",
        )
    }
    assert bench.keeper.unsettled == 0


def test_eye_killed_drops_ready_at_once_and_rejects_what_it_had_not_settled() -> None:
    """1: passed, settled. 2: passed, not written down, still ahead. 3: no answer.

    All but the first are rejected.
    """
    bench = Bench(settings(reject_delay_ms=200.0), items(1400, 1450, 1500))
    bench.connect()
    bench.run_to(1501)
    for message in (Answer(1, True), Settle(1), Answer(2, True)):
        bench.say(message)
    bench.run_to(1510)
    bench.leave()
    assert bench.history("ready")[-1][1] == 0
    assert bench.history("fault")[-1] == (1510, 1, None)
    quiet = len(bench.history("ready"))
    bench.run_to(3000)
    assert len(bench.history("ready")) == quiet
    assert [(ms, tag) for ms, level, tag in bench.history() if level] == [
        (1000, None),
        (1650, 2),
        (1700, 3),
    ]
    bench.connect()
    assert bench.heard() == [
        Missed(2, 1450 * MS, EYE_LOST),
        Incident(1, "thrown", 2, 1650 * MS, WHY_EYE),  # its record may have been written
    ]
    assert bench.say(Settle(2)) == [Missed(3, 1500 * MS, EYE_LOST)]


def test_a_pass_that_was_never_written_down_is_told_as_such() -> None:
    """It is past the gate when the eye dies: too late to reject, and the journal must know."""
    bench = Bench(settings(), items(1200))
    bench.connect()
    bench.run_to(1210)
    bench.say(Answer(1, True))
    bench.run_to(1310)
    bench.leave()
    bench.connect()
    assert bench.heard() == [Missed(1, 1200 * MS, EYE_LOST_PASSED)]


def test_an_eye_killed_while_it_was_told_of_missed_items_loses_none() -> None:
    """The next one hears them again, with their own reasons."""
    bench = Bench(settings(), items(1200, 1300))
    bench.run_to(1400)
    for _ in range(3):
        bench.connect()
        assert bench.heard() == [Missed(1, 1200 * MS, NO_EYE)]
        bench.leave()
    assert bench.keeper.unsettled == 2


def test_ready_is_a_square_wave_only_while_the_eye_speaks() -> None:
    """Every 25 ms; silent for 300 ms after the last word at 1150; back with the next word."""
    bench = Bench(settings(eye_silent_ms=300.0, ready_ms=25.0))
    bench.connect()
    bench.run_to(1150)
    assert isinstance(bench.say(Beat(""))[0], Beaten)
    bench.run_to(2000)
    wave = bench.history("ready")
    assert [ms for ms, _, _ in wave] == list(range(1000, 1450, 25))
    assert wave[-1][1] == 0
    assert bench.keeper.trouble == "the eye says nothing"
    assert bench.history("fault") == [(1000, 0, None), (1450, 1, None)]
    bench.say(Beat(""))
    bench.run_to(2100)
    assert [ms for ms, _, _ in bench.history("ready")[len(wave) :]] == [
        2000,
        2025,
        2050,
        2075,
        2100,
    ]


def test_what_the_eye_complains_of_shows_on_fault_and_ready_goes_on() -> None:
    """A full disk: decisions go on, somebody must look."""
    bench = Bench(settings())
    bench.connect()
    (beaten,) = bench.say(Beat("the disk is full"))
    assert isinstance(beaten, Beaten)
    assert beaten.trouble == "the disk is full"
    bench.run_to(1200)
    bench.say(Beat(""))
    bench.run_to(1300)
    assert [(ms, level) for ms, level, _ in bench.history("fault")] == [
        (1000, 0),
        (1000, 1),
        (1200, 0),
    ]
    assert {later[0] - earlier[0] for earlier, later in pairwise(bench.history("ready"))} == {25}


def test_lost_edges_reject_everything_between_the_items_on_both_sides() -> None:
    """Two items of which only the number is known are owed to the journal and rejected.

    The first of them may have passed the gate before the gate knew: the line stops.
    """
    bench = Bench(settings(), [(1200, "trigger", 1), (1400, "trigger", 1, 4), (1600, "trigger", 1)])
    bench.connect()
    bench.run_to(1201)
    bench.say(Answer(1, True))
    bench.say(Settle(1))
    heard = bench.run_to(1401)
    assert heard == [Missed(2, 1400 * MS, EDGE_LOST), ItemSeen(4, 1400 * MS)]
    assert bench.keeper.trouble == f"{PASSED_BY}; {EDGE_MISSING}"
    assert bench.say(Settle(2)) == [Missed(3, 1400 * MS, EDGE_LOST)]
    bench.run_to(3000)
    assert bench.history() == [*SWEEP, (1400, 1, None), (1520, 0, 4), (1700, 1, 5), (1720, 0, 5)]
    assert (bench.keeper.counters.triggers, bench.keeper.counters.lost_edges) == (5, 4)


def test_lost_edges_of_the_encoder_reject_all_that_is_under_way() -> None:
    """Nobody knows any more what is where; an answer on its way cannot undo it.

    REJECT rises at once and stays until the belt has brought all of it, with the counts added for
    lost edges on top: they may be too many.
    """
    turns = [(1000 + n * 2, "encoder_a", n % 2) for n in range(1, 60)]
    later = [
        (1300, "encoder_a", 1, 4),
        *((1300 + n * 2, "encoder_a", 1 - n % 2) for n in range(1, 60)),
    ]
    config = settings(wires={"encoder_a": "A"}, reject_delay_counts=10)
    script = [
        *[*turns, (1150, "trigger", 1), (1160, "encoder_a", 0), (1161, "encoder_a", 1)],
        *[(1162, "encoder_a", 0), *later],
    ]
    bench = Bench(config, script)
    bench.connect()
    bench.run_to(1155)
    assert bench.say(Answer(1, True)) == [Answered(1, "cancelled")]
    bench.run_to(3000)
    last_ms = 1300 + (10 + 4 // 2 + 1) * 4
    assert bench.history()[2:] == [(1300, 1, None), (last_ms + 20, 0, 1)]
    assert bench.keeper.counters.lost_edges == 4


def test_items_at_an_encoder_that_stands_still_stop_the_line() -> None:
    """Its wire is broken: nothing would ever come due.

    READY rests, until somebody presses reset.
    """
    wires = {"encoder_a": "A", "reset": "BUTTON"}
    bench = Bench(
        settings(wires=wires, reject_delay_counts=10), [*items(1200, 1300), (1400, "reset", 1)]
    )
    bench.connect()
    bench.run_to(1299)
    assert bench.keeper.trouble == ""
    bench.run_to(1399)
    assert bench.keeper.trouble == "the encoder stands still while items come"
    assert bench.history("ready")[-1][:2] == (1275, 0)
    bench.run_to(1450)
    assert bench.keeper.trouble == ""
    assert bench.history("ready")[-1][0] > 1400


def belt(begin_ms: int, *legs: int) -> list[tuple[int, str, int]]:
    """Make the edges of an encoder of two tracks, one count each 10 ms.

    A positive leg turns it forward, a negative one back.
    """
    quarters = {
        1: (("a", 1), ("b", 1), ("a", 0), ("b", 0)),
        -1: (("b", 1), ("a", 1), ("b", 0), ("a", 0)),
    }
    turns = [turn for leg in legs for turn in [1 if leg > 0 else -1] * abs(leg)]
    return [
        (begin_ms + count * 10 + quarter * 2, f"encoder_{track}", level)
        for count, turn in enumerate(turns)
        for quarter, (track, level) in enumerate(quarters[turn])
    ]


def test_encoder_stop_and_reverse_rejects_the_item_when_the_belt_has_brought_it() -> None:
    """Ten counts to the gate: five forward, a second's rest, three back, then on.

    The answer cancels nothing.
    """
    wires = {"encoder_a": "A", "encoder_b": "B"}
    script = [
        *belt(1010, *[1] * 15),
        (1200, "trigger", 1),
        *belt(1210, 5),
        *belt(2500, -3),
        *belt(2600, 12),
    ]
    bench = Bench(settings(wires=wires, reject_delay_counts=10), script)
    bench.connect()
    bench.run_to(1500)
    assert bench.say(Answer(1, False)) == [Answered(1, "kept")]
    bench.run_to(5000)
    tenth_ms = 2600 + (10 - 5 + 3 - 1) * 10  # the count that makes ten, after five and three back
    assert [(ms, level) for ms, level, tag in bench.history() if tag == 1] == [
        (tenth_ms, 1),
        (tenth_ms + 20, 0),
    ]


def test_a_reject_that_is_not_confirmed_stops_the_line() -> None:
    """Item 1 comes to the bin, item 2 does not within 150 ms.

    After the reset button what was under way is thrown, too, and may come.
    """
    wires = {"confirm": "BIN-EYE", "reset": "BUTTON"}
    script = [*items(1200, 1400), (1350, "confirm", 1), (1700, "reset", 1), (1710, "confirm", 1)]
    bench = Bench(settings(wires=wires, confirm_ms=150.0), script)
    bench.connect()
    bench.run_to(1649)
    assert bench.keeper.trouble == ""
    bench.run_to(1660)
    assert bench.keeper.trouble == "a rejected item did not come to the bin"
    assert bench.history("fault")[-1] == (1650, 1, None)
    bench.run_to(1720)
    assert bench.keeper.trouble == ""
    assert (bench.keeper.counters.unconfirmed, bench.keeper.counters.unexpected) == (1, 0)


def test_a_full_bin_stops_the_line_while_it_is_full() -> None:
    """No button needed."""
    bench = Bench(
        settings(wires={"bin_full": "FULL"}), [(1200, "bin_full", 1), (1300, "bin_full", 0)]
    )
    bench.connect()
    bench.run_to(1250)
    assert bench.keeper.trouble == "the bin is full"
    bench.run_to(1400)
    assert [(ms, level) for ms, level, _ in bench.history("fault")] == [
        (1000, 0),
        (1200, 1),
        (1300, 0),
    ]
    assert not {ms for ms, _, _ in bench.history("ready")} & set(range(1201, 1300))


def test_reset_rejects_whatever_is_between_photo_eye_and_gate() -> None:
    """Somebody had his hands in there: what was found good may be another item now, or elsewhere.

    So all of that stretch is thrown, and the record of the item that was let pass is put right.
    """
    bench = Bench(settings(wires={"reset": "BUTTON"}), [*items(1200), (1250, "reset", 1)])
    bench.connect()
    bench.run_to(1210)
    bench.say(Answer(1, True))
    assert bench.run_to(3000) == [Incident(1, "thrown", 1, 1300 * MS, WHY_RESET)]
    assert bench.history() == [*SWEEP, (1250, 1, None), (1370, 0, 1)]
    assert (bench.keeper.counters.thrown, bench.keeper.counters.thrown_passes) == (1, 1)


def test_the_gates_own_beat_needs_no_eye() -> None:
    """[trigger] kind interval: an item each 100 ms, rejected and owed as long as nobody answers."""
    bench = Bench(settings("interval"))
    bench.run_to(1250)
    bench.connect()
    assert bench.heard() == [Missed(1, 1000 * MS, NO_EYE)]
    assert bench.run_to(1301) == [ItemSeen(4, 1300 * MS)]
    assert [tag for _, level, tag in bench.history() if level] == [None, 2, 3]


def test_the_eye_announces_items_when_every_frame_is_one() -> None:
    """Their moment may lie in the past, never in the future.

    With another trigger the word is out of place.
    """
    bench = Bench(settings("every-frame"))
    bench.connect()
    bench.run_to(1200)
    assert bench.say(Expect(1190 * MS)) == [Expected(1)]
    assert bench.say(Expect(9999 * MS)) == [Expected(2)]
    bench.say(Answer(1, True))
    bench.run_to(3000)
    assert bench.history() == [*SWEEP, (1300, 1, 2), (1320, 0, 2)]
    other = Bench(settings())
    other.connect()
    with pytest.raises(ValueError, match="announces no items while"):
        other.say(Expect(0))


def test_a_second_eye_another_version_and_other_settings_are_refused() -> None:
    """Each with a reason; counted."""
    bench = Bench(settings())
    assert bench.keeper.accept_eye(Hello(1, "photo-eye")) == Refused(
        f"the gate speaks version {VERSION}, not 1; install one stampgate for both"
    )
    assert bench.keeper.accept_eye(Hello(VERSION, "interval")) == Refused(
        "[trigger] kind is 'photo-eye' at the gate, not 'interval'; restart both"
    )
    bench.connect()
    assert bench.connect() == Refused("another eye is connected; stop one of them")
    with pytest.raises(ValueError, match="said hello already"):
        bench.say(Hello(VERSION, "photo-eye"))
    assert bench.keeper.counters.refused == 3


def test_stopping_lets_what_is_under_way_arrive() -> None:
    """READY rests at once, answers still count, item 2 is rejected at its moment.

    Then there is nothing to wait for.
    """
    bench = Bench(settings(), items(1200, 1210))
    bench.connect()
    bench.run_to(1220)
    bench.keeper.stop()
    bench.keeper.act()
    assert bench.keeper.trouble == "the gate is stopping"
    bench.say(Answer(1, True))
    done = []
    for ms in (1220, 1329, 1330):
        bench.run_to(ms)
        done.append(bench.keeper.done)
    assert done == [False, False, True]
    assert bench.history() == [*SWEEP, (1310, 1, 2), (1330, 0, 2)]
    assert bench.history("ready")[-1][:2] in ((1200, 0), (1220, 0))


def test_3_items_in_flight_under_random_inference_delay_keep_their_order() -> None:
    """Up to three are between eye and gate, and the answers take 5 to 290 ms.

    The pulses are those of the bad ones.
    """
    random.seed(1)
    moments = list(range(2000, 12000, 100))
    good = {tag: random.random() < 0.6 for tag in range(1, len(moments) + 1)}
    bench = Bench(settings(reject_delay_ms=300.0, eye_silent_ms=10_000.0), items(*moments))
    bench.connect()
    answers = sorted((ms + random.randrange(5, 290), tag) for tag, ms in enumerate(moments, 1))
    for ms, tag in answers:
        bench.run_to(ms)
        assert bench.say(Answer(tag, good[tag])) == [
            Answered(tag, "cancelled" if good[tag] else "kept")
        ]
        bench.say(Settle(tag))
    bench.run_to(15_000)
    assert [(ms, tag) for ms, level, tag in bench.history() if level][1:] == [
        (ms + 300, tag) for tag, ms in enumerate(moments, 1) if not good[tag]
    ]
    assert (bench.keeper.counters.triggers, bench.keeper.unsettled) == (100, 0)


def pass_all(bench: Bench, good: set[int], until_ms: int) -> list[Incident]:
    """Be an eye that answers at once, lets the *good* tags pass, and writes incidents down."""
    incidents = []
    begin_ms = bench.clock.now_ns() // MS
    for ms in range(begin_ms, until_ms, 5):
        heard = [*bench.run_to(ms), *bench.say(Beat(""))]
        while heard:
            message = heard.pop(0)
            if isinstance(message, ItemSeen):
                heard += bench.say(Answer(message.tag, message.tag in good))
                heard += bench.say(Settle(message.tag))
            elif isinstance(message, Incident):
                incidents.append(message)
                heard += bench.say(Recorded(message.number))
    return incidents


CONFIRMED = {"confirm": "BIN-EYE"}


@pytest.mark.parametrize(
    ("sightings", "counts", "incidents"),
    [
        ((1560, 1660), (0, 0, 0), []),
        ((1560,), (1, 0, 0), [("unconfirmed", 2)]),
        ((1560, 1605), (1, 1, 0), [("unexpected", 0), ("unconfirmed", 2)]),
        ((1560, 1601), (1, 1, 0), [("unexpected", 0), ("unconfirmed", 2)]),
        ((1560, 1567), (1, 0, 1), [("unconfirmed", 2)]),
        ((1510, 1560, 1660), (0, 1, 0), [("unexpected", 0)]),
        ((1560, 1660, 1680), (0, 1, 0), [("unexpected", 0)]),
        ((1720, 1730), (1, 1, 0), [("unconfirmed", 1), ("unexpected", 0)]),
        ((), (2, 0, 0), [("unconfirmed", 1), ("unconfirmed", 2)]),
    ],
)
def test_an_edge_at_the_bin_confirms_one_item_in_its_own_window_and_no_other(
    sightings: tuple[int, ...], counts: tuple[int, int, int], incidents: list[tuple[str, int]]
) -> None:
    """Two items are thrown at 1500 and 1600 and take 20 to 200 ms to the bin.

    One that shows twice, within 10 ms or later, a stray edge, and one too early or too late.
    """
    script = sorted([*items(1400, 1500), *((ms, "confirm", 1) for ms in sightings)])
    config = settings(wires=CONFIRMED, confirm_ms=200.0, confirm_apart_ms=10.0)
    bench = Bench(config, script)
    bench.connect()
    told = pass_all(bench, set(), 2200)
    assert [(incident.what, incident.tag) for incident in told] == incidents
    counters = bench.keeper.counters
    assert (counters.unconfirmed, counters.unexpected, counters.seen_again) == counts
    words = {"unconfirmed": NOT_IN_THE_BIN, "unexpected": NOT_REJECTED}
    assert set(filter(None, bench.keeper.trouble.split("; "))) == {words[w] for w, _ in incidents}
    assert bool(bench.history("ready")[-1][0] < 2100) == bool(incidents)


def test_what_may_come_of_a_stretch_is_not_unexpected() -> None:
    """A gate that starts throws what it does not know: its items come to the bin, too."""
    script: list[tuple[Any, ...]] = [(ms, "confirm", 1) for ms in (1030, 1110, 1310, 1400)]
    bench = Bench(settings(wires=CONFIRMED, confirm_ms=200.0), script)
    bench.connect()
    pass_all(bench, set(), 1380)
    assert (bench.keeper.counters.unexpected, bench.keeper.trouble) == (0, "")
    pass_all(bench, set(), 1450)
    assert (bench.keeper.counters.unexpected, bench.keeper.trouble) == (1, NOT_REJECTED)


def test_a_confirmation_by_counts_waits_for_a_belt_that_stands_still() -> None:
    """The bin is 5 to 9 counts behind the gate, which is 10 behind the eye."""
    wires = {"encoder_a": "A", "encoder_b": "B", **CONFIRMED}
    script = [*belt(1010, 20), (1211, "trigger", 1), *belt(1215, 13), *belt(4000, 10)]
    for ms, what in ((4020, "confirmed"), (4060, "missing")):
        bench = Bench(
            settings(
                wires=wires, reject_delay_counts=10, confirm_counts=9, confirm_earliest_counts=5
            ),
            sorted([*script, (ms, "confirm", 1)]),
        )
        bench.connect()
        pass_all(bench, set(), 3990)
        assert bench.keeper.trouble == ""
        pass_all(bench, set(), 5000)
        assert bench.keeper.counters.unconfirmed == (what == "missing")


@pytest.mark.parametrize(
    ("gate", "moments", "good", "thrown"),
    [
        ({"pulse_ms": 20.0}, (1500, 1560), {2}, []),
        ({"pulse_ms": 60.0}, (1500, 1560), {2}, []),
        ({"pulse_ms": 150.0}, (1500, 1560), {2}, [(2, 1660)]),
        ({"merge_gap_ms": 50.0}, (1500, 1530, 1560), {2}, [(2, 1630)]),
        ({"merge_gap_ms": 10.0}, (1500, 1530, 1560), {2}, []),
        ({"pulse": "accepts", "pulse_ms": 150.0}, (1500, 1560), {2}, []),
    ],
)
def test_what_is_thrown_under_the_pulse_for_a_neighbour_is_recorded_as_thrown(
    gate: dict[str, Any], moments: tuple[int, ...], good: set[int], thrown: list[tuple[int, int]]
) -> None:
    """Its own record says PASS; an incident and the counters say what became of it.

    The sensor at the bin sees it come with the others, and that is expected.
    """
    bins = [(ms + 200, "confirm", 1) for tag, ms in enumerate(moments, 1)
            if tag not in good or tag in dict(thrown)]  # fmt: skip
    bench = Bench(settings(wires=CONFIRMED, **gate), sorted([*items(*moments), *bins]))
    bench.connect()
    told = pass_all(bench, good, 3500)
    assert [(i.what, i.tag, i.t_ns // MS, i.why) for i in told] == [
        ("thrown", tag, ms, UNDER_A_PULSE) for tag, ms in thrown
    ]
    assert bench.keeper.counters.thrown == len(bins)
    assert bench.keeper.counters.thrown_passes == len(thrown)
    assert bench.keeper.trouble == ""


def test_a_pass_that_is_rejected_after_all_is_recorded_as_thrown() -> None:
    """Its record was written before the next item came too close."""
    bench = Bench(spaced(settings()), items(1200, 1230))
    bench.connect()
    told = pass_all(bench, {1, 2}, 2000)
    assert told == [Incident(1, "thrown", 1, 1300 * MS, WHY_CLOSE)]


def test_a_pulse_that_is_ended_late_throws_what_came_meanwhile() -> None:
    """The gate is held up from 1310 to 1345: the pulse should end at 1320, and item 2 come after.

    Really the line stays high, so item 2 is thrown.
    """
    bench = Bench(settings(), items(1200, 1230))
    bench.connect()
    pass_all(bench, {2}, 1310)
    bench.hold_up_to(1345)
    told = pass_all(bench, {2}, 2000)
    assert bench.history() == [*SWEEP, (1300, 1, 1), (1345, 0, 1)]
    assert [(incident.what, incident.tag) for incident in told] == [("thrown", 2)]


def test_a_gate_held_up_by_counts_says_that_an_item_was_reached_late() -> None:
    """The belt is at the item's place at 1310; the gate hears of it at 1400."""
    wires = {"encoder_a": "A", "encoder_b": "B"}
    script = [*belt(1010, 20), (1211, "trigger", 1), *belt(1220, 30)]
    bench = Bench(settings(wires=wires, reject_delay_counts=10), script)
    bench.connect()
    bench.run_to(1300)
    bench.hold_up_to(1400)
    assert bench.keeper.trouble == "an item was reached later than a pulse is long: look at it"


def test_an_incident_is_reported_until_it_is_written_down() -> None:
    """One at a time; an eye that dies leaves it to the next."""
    bench = Bench(spaced(settings()), items(1200, 1230, 1400, 1430))
    bench.connect()
    heard = []
    for ms in range(1205, 1700, 5):
        for message in bench.run_to(ms):
            heard.append(message)
            if isinstance(message, ItemSeen | Missed):
                bench.say(Answer(message.tag, True))
                bench.say(Settle(message.tag))
        bench.say(Beat(""))
    assert [m.tag for m in heard if isinstance(m, Incident)] == [1]
    assert [incident.tag for incident in bench.keeper.unrecorded] == [1, 3]
    bench.leave()
    bench.connect()
    first, *_ = (message for message in bench.heard() if isinstance(message, Incident))
    assert (first.number, first.tag) == (1, 1)
    (second,) = bench.say(Recorded(1))
    assert isinstance(second, Incident)
    assert (second.number, second.tag) == (2, 3)
    assert bench.say(Recorded(2)) == []
    assert bench.say(Recorded(2)) == []
    assert bench.keeper.unrecorded == []


TWO_TRACKS = {"encoder_a": "A", "encoder_b": "B"}


def test_an_item_that_a_belt_brings_back_over_the_photo_eye_is_the_same_item() -> None:
    """Seen at count 20; the belt runs on by 8, back by 12, and on: its end and front come again.

    It is judged once and thrown at its place; the next item, never seen before, is a new one.
    """
    script = [
        *[*belt(1010, 20), (1215, "trigger", 1), (1236, "trigger", 0), *belt(1220, 8)],
        *[*belt(2500, -12), (2565, "trigger", 1), (2587, "trigger", 0)],
        *[*belt(2700, 24), (2745, "trigger", 1), (2766, "trigger", 0), (2905, "trigger", 1)],
    ]
    bench = Bench(settings(wires=TWO_TRACKS, reject_delay_counts=10), sorted(script))
    bench.connect()
    seen = [m for m in bench.run_to(5000) if isinstance(m, ItemSeen)]
    assert [(m.tag, m.t_ns // MS) for m in seen] == [(1, 1215), (2, 2905)]
    assert (bench.keeper.counters.triggers, bench.keeper.counters.reread) == (2, 2)
    assert [tag for _, level, tag in bench.history() if level and tag] == [1]


@pytest.mark.parametrize(("standstill_ms", "thrown"), [(1000.0, [1]), (0.0, [])])
def test_one_track_cannot_tell_whether_a_belt_that_stood_has_run_back(
    standstill_ms: float, thrown: list[int]
) -> None:
    """An item is let pass four counts before the gate; the belt stands for a second, and moves.

    All is thrown for twice the distance, and the journal is told; not where the belt cannot run
    back, which the settings say.
    """
    turns = [(1010 + n * 10, "encoder_a", 1 - n % 2) for n in range(24)]
    after = [(2600 + n * 10, "encoder_a", 1 - n % 2) for n in range(60)]
    config = settings(
        wires={"encoder_a": "A"},
        reject_delay_counts=10,
        standstill_ms=standstill_ms,
        eye_silent_ms=10_000.0,
    )
    bench = Bench(config, sorted([*turns, (1125, "trigger", 1), (1135, "trigger", 0), *after]))
    bench.connect()
    told = pass_all(bench, {1}, 4000)
    assert [incident.tag for incident in told if incident.what == "thrown"] == thrown
    assert [i.why for i in told if i.what == "swept"] == [WHY_STOOD] * len(thrown)
    high = [(ms, level) for ms, level, _ in bench.history() if ms > 1500]
    assert high == ([(2600, 1), (3000 + 20, 0)] if thrown else [])


def test_a_belt_that_stands_with_timed_items_under_way_stops_the_line_where_an_encoder_tells() -> (
    None
):
    """The delay is a time: REJECT comes while the item stands before the gate.

    When the belt moves again, all that is on it is thrown; a belt without items may stand.
    """
    turns = [(1010 + n * 10, "encoder_a", 1 - n % 2) for n in range(24)]
    after = [(4000 + n * 10, "encoder_a", 1 - n % 2) for n in range(100)]
    item = [(1230, "trigger", 1), (1235, "trigger", 0)]
    config = settings(
        wires={"encoder_a": "A"}, reject_delay_ms=1500.0, standstill_ms=500.0, eye_silent_ms=9000.0
    )
    for script, stands in (([], False), (item, True)):
        bench = Bench(config, sorted([*turns, *script, *after]))
        bench.connect()
        told = pass_all(bench, {1}, 3500)
        assert bench.keeper.trouble == (STOOD_STILL if stands else "")
        assert [incident.what for incident in told] == ["stood still"] * stands
        pass_all(bench, set(), 7000)
        high = [(ms, level) for ms, level, _ in bench.history() if ms > 3500]
        assert high == [(4000, 1), (4000 + 1500 + 20, 0)]


def test_a_reset_ends_no_trouble_that_was_not_shown_before_it() -> None:
    """The gate was held up: it hears of the item and of the button together, much too late."""
    bench = Bench(settings(wires={"reset": "BUTTON"}), [*items(1200), (1350, "reset", 1)])
    bench.connect()
    bench.run_to(1250)
    bench.hold_up_to(1400)
    assert bench.keeper.trouble == "an item was reached later than a pulse is long: look at it"


def test_what_a_belt_carried_past_while_the_buffer_ran_over_stops_the_line() -> None:
    """By counts, held up for longer than a pulse: the position is lost, and what passed unseen."""
    script = [*belt(1010, 20), (1400, "encoder_a", 1, 40, 40)]
    bench = Bench(settings(wires=TWO_TRACKS, reject_delay_counts=10), script)
    bench.connect()
    bench.run_to(1300)
    bench.hold_up_to(1450)
    assert PASSED_BY in bench.keeper.trouble
    assert bench.history("ready")[-1][1] == 0


def test_by_counts_an_item_after_the_end_of_a_pulse_passes() -> None:
    """The stretch of the start ends with the count at which the item comes, a pulse later."""
    script = [*belt(1010, 8), (1091, "trigger", 1), (1093, "trigger", 0), *belt(1100, 40)]
    bench = Bench(settings(wires=TWO_TRACKS, reject_delay_counts=10), sorted(script))
    bench.connect()
    told = pass_all(bench, {1}, 2000)
    assert bench.history() == [(1000, 1, None), (1130, 0, None)]
    assert told == []


def test_one_track_throws_all_again_after_a_second_standstill() -> None:
    """The belt runs back by eight counts between two standstills; REJECT stays for both.

    The item has come by its counts, and is really ten counts before the gate.
    """
    turns = [(1010 + n * 10, "encoder_a", 1 - n % 2) for n in range(24)]
    back = [(2600 + n * 10, "encoder_a", 1 - n % 2) for n in range(16)]
    after = [(4000 + n * 10, "encoder_a", 1 - n % 2) for n in range(120)]
    item = [(1215, "trigger", 1), (1225, "trigger", 0)]
    config = settings(wires={"encoder_a": "A"}, reject_delay_counts=10, eye_silent_ms=9000.0)
    bench = Bench(config, sorted([*turns, *item, *back, *after]))
    bench.connect()
    pass_all(bench, set(), 6000)
    high = [(ms, level) for ms, level, _ in bench.history() if ms > 2000]
    assert high == [(2600, 1), (4000 + 400 + 20, 0)]


def test_a_reset_while_the_belt_stands_is_not_late() -> None:
    """By counts the belt was at its place three seconds ago; what is thrown now is thrown now."""
    wires = {**TWO_TRACKS, "reset": "BUTTON"}
    script = [*belt(1010, 20), (4000, "reset", 1)]
    bench = Bench(settings(wires=wires, reject_delay_counts=10, eye_silent_ms=9000.0), script)
    bench.connect()
    bench.run_to(4100)
    assert bench.keeper.trouble == ""
    assert bench.history()[-1] == (4000, 1, None)


def test_an_encoder_whose_tracks_are_exchanged_stops_the_line() -> None:
    """It counts back while items come: no item would ever be due. Each is entered and told of."""
    script = [*belt(1010, -60), (1211, "trigger", 1), (1231, "trigger", 0), (1451, "trigger", 1)]
    bench = Bench(settings(wires=TWO_TRACKS, reject_delay_counts=10), sorted(script))
    bench.connect()
    seen = [m.tag for m in bench.run_to(1700) if isinstance(m, ItemSeen)]
    assert seen == [1, 2]
    assert COUNTS_BACK in bench.keeper.trouble
    assert bench.history("ready")[-1][1] == 0


def test_an_eye_that_settles_nothing_is_told_of_no_more_items(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What comes beyond is rejected and kept for later, like what came without an eye."""
    monkeypatch.setattr(keeper, "REPORTED_AT_MOST", 20)
    script = [(2000 + 10 * number, "trigger", 1) for number in range(23)]
    bench = Bench(settings(), script)
    bench.connect()
    seen = [message for message in bench.run_to(20_000) if isinstance(message, ItemSeen)]
    assert len(seen) == 20
    assert (bench.keeper.unsettled, bench.keeper.counters.missed) == (23, 3)
    bench.keeper.handle(Settle(seen[0].tag))
    told = [message for message in bench.heard() if isinstance(message, Missed)]
    assert [(message.tag, message.why) for message in told] == [(21, BEHIND)]
