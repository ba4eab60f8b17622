"""Belts that READY stops, or that stand still: what is thrown, as whole histories."""

from typing import Any

import pytest

from edge.config import Config
from edge.gate.belt_stops import STOOD_STILL, WHY_READY, WHY_STOOD
from edge.gate.messages import Answer, Beat, Incident
from edge.sections.gate import GateSettings
from tests.edge.gate.keeper_bench import SWEEP, Bench, items, pass_all, settings


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
