"""What the gate makes of its inputs: lost edges, touching items, a jam; as whole histories."""

import dataclasses
from typing import Any

import pytest

from edge.config import Config
from edge.gate.lines import WireEvent
from edge.gate.lines.simulated import SimulatedLines
from edge.gate.loss_handling import (
    EDGE_LOST,
    EDGE_LOST_POSITION,
    EDGE_LOST_STRETCH,
    EDGE_MISSING,
    WHY_ENCODER,
)
from edge.gate.messages import Answer, Answered, Beat, Incident, ItemSeen, Missed, Recorded, Settle
from edge.gate.photo_eye import BLOCKED_AT_START, WHY_TOUCHING
from edge.gate.transit import PASSED_BY
from tests.edge.gate.keeper_bench import MS, SWEEP, Bench, belt, settings

REACHED_LATE = "an item was reached later than a pulse is long: look at it"
BLOCKED = "the photo-eye is blocked"
ENCODER = {"encoder_a": "A"}
Script = list[tuple[Any, ...]]


def eye_settings(wires: dict[str, Any] | None = None, **trigger: Any) -> Config:
    """A gate 100 ms from its photo-eye; what covers that for more than 40 ms is several items."""
    config = settings(wires=wires, eye_silent_ms=10_000.0)
    changed = dataclasses.replace(config.trigger, **{"blocked_ms": 40.0, **trigger})
    return dataclasses.replace(config, trigger=changed)


def counts_settings(wires: dict[str, Any] = ENCODER, **trigger: Any) -> Config:
    """A gate 100 counts from its photo-eye; several items are more than 40 counts long."""
    config = settings(
        wires=wires, reject_delay_counts=100, eye_silent_ms=10_000.0, standstill_ms=0.0
    )
    changed = dataclasses.replace(config.trigger, **{"blocked_counts": 40, **trigger})
    return dataclasses.replace(config, trigger=changed)


def breaks(*stretches: tuple[float, float]) -> Script:
    """The photo-eye covered from one moment to another, each in ms."""
    return [
        edge for begin, end in stretches for edge in ((begin, "trigger", 1), (end, "trigger", 0))
    ]


def turning(begin_ms: int, counts: int, ms: int = 2) -> Script:
    """An encoder of one track that turns by *counts*, one each *ms*, beginning with a rise."""
    return [
        edge
        for n in range(counts)
        for edge in (
            (begin_ms + n * ms, "encoder_a", 1),
            (begin_ms + n * ms + ms / 2, "encoder_a", 0),
        )
    ]


def passes(bench: Bench, to_ms: float) -> list[Any]:
    """Let pass and settle every item up to a moment; return what the gate says beside that."""
    said: list[Any] = []
    while True:
        heard = bench.heard()
        for message in heard:
            if isinstance(message, ItemSeen):
                bench.keeper.handle(Answer(message.tag, True))
            if isinstance(message, ItemSeen | Missed):
                bench.keeper.handle(Settle(message.tag))
            if isinstance(message, Incident):
                bench.keeper.handle(Recorded(message.number))
        bench.keeper.act()
        said += [message for message in heard if not isinstance(message, ItemSeen | Answered)]
        if bench.clock.now_ns() >= to_ms * MS and not bench.keeper.outbox:
            return said
        bench.clock.sleep_until(min(bench.clock.now_ns() + MS, round(to_ms * MS)))


def several(tag: int, fate: str = "rejected") -> str:
    """The reason of what was longer than one item, by time."""
    return (
        f"several items: the photo-eye was blocked by item {tag} of the gate, which is {fate}; "
        "one blocks it for 40 ms at most"
    )


def test_items_that_touch_are_all_rejected_and_recorded() -> None:
    """The first had been let pass when the beam was blocked for too long: it is thrown, too.

    REJECT is high from the first edge to the last, and a pulse more; the next item passes.
    """
    bench = Bench(eye_settings(), breaks((1200, 1270), (1400, 1430)))
    bench.connect()
    said = passes(bench, 2000)
    assert bench.history() == [*SWEEP, (1300, 1, 1), (1390, 0, None)]
    late = 1240 * MS + 1
    assert said == [Missed(2, late, several(1)), Incident(1, "thrown", 1, 1300 * MS, WHY_TOUCHING)]
    counters = bench.keeper.counters
    assert (counters.triggers, counters.touching, counters.lost_edges) == (3, 1, 0)
    assert bench.keeper.trouble == ""


@pytest.mark.parametrize(("long_ms", "touching"), [(40, 0), (41, 1)])
def test_an_item_of_exactly_the_greatest_length_is_one(long_ms: int, touching: int) -> None:
    """The bound belongs to the one item."""
    bench = Bench(eye_settings(), breaks((1200, 1200 + long_ms)))
    bench.connect()
    passes(bench, 2000)
    assert bench.keeper.counters.touching == touching
    assert len(bench.history()) == len(SWEEP) + 2 * touching


def test_without_a_setting_half_the_reject_delay_is_the_greatest_length() -> None:
    """So a jam is found on every line."""
    bench = Bench(settings(eye_silent_ms=10_000.0), breaks((1200, 1250), (1400, 1451)))
    bench.connect()
    said = passes(bench, 2000)
    assert [one.tag for one in said if isinstance(one, Missed)] == [3]
    assert bench.history() == [*SWEEP, (1500, 1, 2), (1571, 0, None)]


def test_from_a_second_length_on_it_is_a_jam_until_the_beam_is_clear() -> None:
    """READY rests in between; one record, however long it lasts."""
    bench = Bench(eye_settings(), breaks((1200, 3000)))
    bench.connect()
    said = passes(bench, 1280)
    assert bench.keeper.trouble == ""
    said += passes(bench, 1281)
    assert bench.keeper.trouble == BLOCKED
    assert bench.history("ready")[-1][1] == 0
    said += passes(bench, 2999)
    assert (bench.keeper.trouble, bench.history("ready")[-1][0] < 1282) == (BLOCKED, True)
    said += passes(bench, 3200)
    assert (bench.keeper.trouble, bench.history("ready")[-1][0] > 3000) == ("", True)
    assert bench.history() == [*SWEEP, (1300, 1, 1), (3120, 0, None)]
    assert [type(one) for one in said] == [Missed, Incident]


def test_a_jam_while_no_eye_is_there_is_owed_to_the_next() -> None:
    """The first item and the rest, each as one record."""
    bench = Bench(eye_settings(), breaks((1200, 1300)))
    bench.run_to(2000)
    bench.connect()
    said = passes(bench, 2010)
    assert [one.tag for one in said] == [1, 2]
    assert said[1].why == several(1)


def test_where_the_pulse_accepts_nothing_of_what_touches_gets_one() -> None:
    """The item before it and the one after it do."""
    config = eye_settings()
    config = dataclasses.replace(config, gate=dataclasses.replace(config.gate, pulse="accepts"))
    bench = Bench(config, breaks((1150, 1160), (1200, 1290), (1400, 1410)))
    bench.connect()
    passes(bench, 2000)
    assert bench.history() == [(1250, 1, 1), (1270, 0, 1), (1500, 1, 4), (1520, 0, 4)]


def test_by_counts_a_belt_that_stops_with_an_item_before_the_photo_eye_is_no_jam() -> None:
    """Its length is counted on the belt: 30 counts, a second's rest, 10 more."""
    script = [*turning(1010, 150), *turning(2310, 150), *breaks((1250.5, 2331.5))]
    bench = Bench(counts_settings(), script)
    bench.connect()
    passes(bench, 3000)
    assert (bench.keeper.counters.touching, bench.keeper.trouble) == (0, "")
    assert [tag for _, level, tag in bench.history() if level] == [None]


def test_by_counts_what_is_longer_than_one_item_is_rejected_whole() -> None:
    """Forty-one counts are too many; REJECT is high while the belt brings all of it."""
    bench = Bench(counts_settings(), [*turning(1010, 500), *breaks((1250.5, 1334.5))])
    bench.connect()
    (missed, thrown) = passes(bench, 2500)
    assert missed.why == (
        "several items: the photo-eye was blocked by item 1 of the gate, which is rejected; "
        "one blocks it for 40 counts at most"
    )
    assert thrown.what == "thrown"
    assert bench.history()[2:] == [(1450, 1, 1), (1534 + 20, 0, None)]


def test_a_beam_blocked_at_the_start_rejects_all_until_it_is_clear() -> None:
    """Nobody saw when that began: one record, and a jam after one length more."""
    script = [(1500, "trigger", 0), *breaks((1700, 1710))]
    bench = Bench(eye_settings(), script, trigger=1)
    bench.connect()
    said = passes(bench, 1039)
    assert said == [Missed(1, 1000 * MS, BLOCKED_AT_START)]
    assert bench.keeper.trouble == ""
    said += passes(bench, 1041)
    assert bench.keeper.trouble == BLOCKED
    passes(bench, 2500)
    assert bench.keeper.trouble == ""
    assert bench.history() == [(1000, 1, None), (1620, 0, None)]


def test_breaks_within_the_off_delay_are_one_item() -> None:
    """A bottle shows its two edges, a box its holes: one trigger, one picture, one reject."""
    script = breaks((1200, 1205), (1215, 1218), (1229, 1235), (1260, 1263))
    bench = Bench(eye_settings(off_delay_ms=12.0), script)
    bench.connect()
    assert bench.run_to(1250) == [ItemSeen(1, 1200 * MS)]
    assert bench.run_to(1270) == [ItemSeen(2, 1260 * MS)]
    assert (bench.keeper.counters.triggers, bench.keeper.counters.joined) == (2, 2)


@pytest.mark.parametrize(("ms", "seen"), [(2, [1200, 1260]), (20, [1200, 1800])])
def test_by_counts_a_hole_is_as_long_as_it_is_at_any_speed(ms: int, seen: list[int]) -> None:
    """A hole of 5 counts belongs to the item, a gap of 12 does not, fast or slow.

    No time could say that here: the gap is shorter when the belt is fast than the hole when it is
    slow, and two items would be one.
    """
    holes = breaks(*((1200 + a * ms, 1200 + b * ms) for a, b in ((0, 8), (13, 18), (30, 40))))
    script = sorted([*turning(1001, 2000 // ms, ms), *holes], key=lambda edge: edge[0])
    bench = Bench(counts_settings(off_delay_counts=6), script)
    bench.connect()
    told = bench.run_to(3000)
    assert [one.t_ns / MS for one in told if isinstance(one, ItemSeen)] == seen
    assert bench.keeper.counters.joined == 1


def test_a_beam_that_chatters_for_longer_than_one_item_is_several() -> None:
    """Its length is that from the first break to the last."""
    script = breaks(*((1200 + n * 10, 1205 + n * 10) for n in range(6)))
    bench = Bench(eye_settings(off_delay_ms=12.0), script)
    bench.connect()
    said = passes(bench, 2000)
    assert [type(one) for one in said] == [Missed, Incident]
    assert bench.history() == [*SWEEP, (1300, 1, 1), (1255 + 120, 0, None)]


def test_the_greatest_length_may_be_changed_while_it_runs() -> None:
    """From the next look at the beam on."""
    bench = Bench(eye_settings(), breaks((1200, 1230)))
    bench.connect()
    bench.keeper.adopt(eye_settings(blocked_ms=20.0))
    passes(bench, 2000)
    assert bench.keeper.counters.touching == 1


# Lost edges of the photo-eye


def test_two_rises_of_the_photo_eye_hide_a_lost_edge() -> None:
    """All from the first to the second is rejected: another item may have come in between."""
    script = [(1200, "trigger", 1), (1230, "trigger", 1), (1240, "trigger", 0)]
    bench = Bench(eye_settings(), script, exact=True)
    bench.connect()
    said = passes(bench, 2000)
    assert bench.history() == [*SWEEP, (1300, 1, 1), (1350, 0, None)]
    assert said[0] == Incident(1, "lost", 0, 1230 * MS, EDGE_LOST_STRETCH)
    assert (bench.keeper.counters.lost_edges, bench.keeper.trouble) == (1, EDGE_MISSING)


def test_two_falls_of_the_photo_eye_hide_an_item() -> None:
    """It is owed to the journal, and all since the fall before is rejected."""
    script = [(1200, "trigger", 1), (1210, "trigger", 0), (1250, "trigger", 0)]
    bench = Bench(eye_settings(), script, exact=True)
    bench.connect()
    said = passes(bench, 2000)
    assert bench.history() == [*SWEEP, (1310, 1, None), (1370, 0, None)]
    assert said == [Missed(2, 1250 * MS, EDGE_LOST)]
    assert (bench.keeper.counters.triggers, bench.keeper.counters.lost_edges) == (2, 1)


def test_a_beam_that_is_clear_although_no_edge_said_so_is_a_lost_edge(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The level is read before anything is called a jam.

    The line goes on: waiting for a beam to clear that is clear would last for ever.
    """
    bench = Bench(eye_settings(), [(1200, "trigger", 1)], exact=True)
    monkeypatch.setattr(bench.lines, "level", lambda _: 0)
    bench.connect()
    said = passes(bench, 2000)
    assert [(round(ms), level) for ms, level, _ in bench.history()[2:]] == [(1300, 1), (1361, 0)]
    assert (said[0].what, said[0].why) == ("lost", EDGE_LOST_STRETCH)
    assert (bench.keeper.counters.touching, bench.keeper.trouble) == (0, EDGE_MISSING)
    assert bench.history("ready")[-1][0] > 1900


def test_an_edge_that_is_on_its_way_while_the_level_is_read_is_not_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The beam is clear a moment before the edge that says so can be read."""
    bench = Bench(eye_settings(), breaks((1200, 1240.5)), exact=True)
    monkeypatch.setattr(bench.lines, "level", lambda _: 0)
    bench.connect()
    passes(bench, 2000)
    assert (bench.keeper.counters.touching, bench.keeper.counters.lost_edges) == (1, 0)


def test_the_very_first_edge_may_be_the_lost_one() -> None:
    """The photo-eye was clear at the start, so its fall is not the first edge."""
    bench = Bench(eye_settings(), [(1200, "trigger", 0)], exact=True)
    bench.connect()
    assert passes(bench, 1900) == [Missed(1, 1200 * MS, EDGE_LOST)]
    assert [level for _, level, _ in bench.history()[2:]] == [1, 0]


def test_edges_that_come_while_the_gate_begins_are_not_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each may come before, or just after, the level is read that it changes."""
    for early, late in ((0, 0), (1, 0), (2, 0), (0, 1), (0, 2), (1, 1)):
        edges = [WireEvent("trigger", 1, 999 * MS), WireEvent("trigger", 0, 1000 * MS)]
        reads = iter([edges[:early], edges[early : early + late]])
        levels = iter([edges[early + late - 1].level if early + late else 0])
        with monkeypatch.context() as patch:
            patch.setattr(SimulatedLines, "read", lambda _, reads=reads: next(reads, []))
            patch.setattr(
                SimulatedLines,
                "level",
                lambda _, line, levels=levels: next(levels, 0) if line == "trigger" else 0,
            )
            bench = Bench(eye_settings(), exact=True)
        assert bench.keeper.counters.lost_edges == 0, (early, late)
        assert bench.keeper.counters.triggers == int(early + late > 0), (early, late)


def test_the_reset_button_ends_what_is_said_of_lost_edges() -> None:
    """It is a warning; the line runs."""
    script = [*breaks((1200, 1210)), (1250, "trigger", 0), (1400, "reset", 1)]
    bench = Bench(eye_settings(wires={"reset": "BUTTON"}), script, exact=True)
    bench.connect()
    passes(bench, 1399)
    assert (bench.keeper.trouble, bench.history("ready")[-1][0] > 1370) == (EDGE_MISSING, True)
    passes(bench, 1401)
    assert bench.keeper.trouble == ""


# The kernel's buffer, which all inputs share


def test_a_loss_told_by_one_line_sweeps_the_stretch_of_all_at_once() -> None:
    """The bin's sensor tells of it 60 ms before the next item; that tells how many were lost.

    Rejected is what passed since the last edge of any line; the record says so at once.
    """
    script = [
        *breaks((1200, 1210)),
        *[(1220, "bin_full", 1), (1225, "bin_full", 0), (1240, "bin_full", 1, 0, 6)],
        *[(1245, "bin_full", 0), (1300, "trigger", 1, 4), (1310, "trigger", 0)],
    ]
    bench = Bench(eye_settings(wires={"bin_full": "FULL"}), script, exact=True)
    bench.connect()
    said = passes(bench, 1241)
    assert said == [Incident(1, "lost", 0, 1240 * MS, EDGE_LOST_STRETCH)]
    said = passes(bench, 2000)
    assert said == [Missed(tag, 1300 * MS, EDGE_LOST) for tag in (2, 3)]
    assert bench.history() == [*SWEEP, (1325, 1, None), (1360, 0, None)]
    assert bench.keeper.counters.lost_edges == 4


def test_a_loss_while_an_item_covers_the_photo_eye_rejects_it() -> None:
    """Nobody knows whether it is still the same; when the beam is clear all goes on."""
    script = [
        *[(1190, "bin_full", 1), (1200, "trigger", 1), (1210, "bin_full", 0, 0, 6)],
        *[(1220, "trigger", 0), *breaks((1300, 1310))],
    ]
    bench = Bench(eye_settings(wires={"bin_full": "FULL"}), script, exact=True)
    bench.connect()
    passes(bench, 2000)
    assert bench.history() == [*SWEEP, (1300, 1, 1), (1330, 0, None)]


def test_after_a_loss_the_levels_are_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bin is full and the photo-eye is covered, though no edge has said so."""
    script = [(1200, "confirm", 1), (1210, "confirm", 0, 0, 6)]
    wires = {"bin_full": "FULL", "confirm": "BIN"}
    config = eye_settings(wires=wires)
    bench = Bench(config, script, exact=True)
    bench.connect()
    bench.keeper.handle(Beat(""))
    passes(bench, 1205)
    monkeypatch.setattr(bench.lines, "level", lambda line: int(line in ("bin_full", "trigger")))
    passes(bench, 1211)
    assert "the bin is full" in bench.keeper.trouble
    assert BLOCKED not in bench.keeper.trouble
    said = passes(bench, 1300)
    assert BLOCKED in bench.keeper.trouble
    (missed,) = (one for one in said if isinstance(one, Missed))
    assert missed.why == (
        "several items: the photo-eye was blocked; one blocks it for 40 ms at most"
    )


def test_what_was_lost_so_long_ago_that_it_may_have_passed_stops_the_line() -> None:
    """Without an encoder only the next item tells of a buffer that ran over."""
    bench = Bench(eye_settings(), [*breaks((1200, 1210)), (1400, "trigger", 1, 2)], exact=True)
    bench.connect()
    passes(bench, 1405)
    assert bench.keeper.trouble == f"{PASSED_BY}; {EDGE_MISSING}"
    assert bench.history("ready")[-1][1] == 0


def test_an_item_that_leaves_after_a_loss_joins_nothing_that_comes_later() -> None:
    """Its end is the end of nothing known, so the off-delay does not run from there."""
    script = [
        *[(1190, "reset", 1), (1200, "trigger", 1), (1205, "trigger", 0, 0, 6)],
        *breaks((1215, 1220)),
    ]
    config = eye_settings(wires={"reset": "BUTTON"}, off_delay_ms=30.0)
    bench = Bench(config, script, exact=True)
    bench.connect()
    passes(bench, 2000)
    assert (bench.keeper.counters.triggers, bench.keeper.counters.joined) == (2, 0)
    assert bench.keeper.trouble == EDGE_MISSING


def test_a_gate_held_up_while_items_touch_stops_the_line() -> None:
    """It finds out when the first of them has passed the gate."""
    bench = Bench(eye_settings(), breaks((1200, 1290)))
    bench.connect()
    passes(bench, 1230)
    bench.hold_up_to(1350)
    assert PASSED_BY in bench.keeper.trouble
    assert bench.history("ready")[-1][1] == 0


@pytest.mark.parametrize(("good", "stops"), [(False, True), (True, False)])
def test_a_rejected_item_that_is_reached_late_stops_the_line(good: bool, stops: bool) -> None:
    """It may have passed: somebody must look for it. One that passes would have passed anyway."""
    bench = Bench(eye_settings(), breaks((1200, 1210)))
    bench.connect()
    bench.run_to(1205)
    bench.say(Answer(1, good))
    bench.run_to(1290)
    bench.hold_up_to(1330)
    assert bench.keeper.trouble == (REACHED_LATE if stops else "")
    assert bench.history("ready")[-1][1] == int(not stops)


def test_a_stretch_that_is_reached_late_stops_the_line() -> None:
    """What lies on it nobody knows."""
    script = [(1200, "trigger", 1), (1205, "trigger", 0), (1230, "trigger", 0)]
    bench = Bench(eye_settings(), script, exact=True)
    bench.connect()
    passes(bench, 1290)
    bench.hold_up_to(1400)
    assert REACHED_LATE in bench.keeper.trouble


def test_one_edge_of_a_photo_eye_with_nothing_on_its_way_stops_no_line() -> None:
    """Its item has just left, however long ago the one before did."""
    bench = Bench(eye_settings(), [*breaks((1200, 1210)), (1500, "trigger", 0)], exact=True)
    bench.connect()
    passes(bench, 2000)
    assert bench.keeper.trouble == EDGE_MISSING


# Lost edges of the encoder


def without(script: Script, every: int, level: int) -> Script:
    """The same encoder, of whose edges to one level each so many-th was never latched."""
    found, number = [], 0
    for edge in script:
        number += edge[2] == level
        if edge[2] != level or number % every:
            found.append(edge)
    return found


@pytest.mark.parametrize("level", [0, 1])
def test_an_encoder_edge_that_was_never_latched_rejects_all_that_is_under_way(level: int) -> None:
    """Equal edges running: where an item is nobody knows, so REJECT is high until all has gone."""
    lost_ms = 1400 + level
    turns = [edge for edge in turning(1010, 600) if edge[0] != lost_ms]
    bench = Bench(counts_settings(), [*turns, *breaks((1300.5, 1310.5), (1500.5, 1510.5))])
    bench.connect()
    said = passes(bench, 2200)
    told_ms = lost_ms + 1
    first, thrown = said
    assert (first.what, first.why, first.t_ns) == ("lost", EDGE_LOST_POSITION, told_ms * MS)
    assert (thrown.what, thrown.tag, thrown.why) == ("thrown", 1, WHY_ENCODER)
    rise, fall = bench.history()[2:]
    assert (rise[0], rise[1]) == (told_ms, 1)
    assert 1602 <= fall[0] <= 1630
    assert (bench.keeper.counters.lost_edges, bench.keeper.trouble) == (1, EDGE_MISSING)


def test_an_encoder_that_loses_edges_again_and_again_lets_nothing_pass() -> None:
    """Each tenth rise is missing. REJECT stays high, and one record says why, not a hundred."""
    items = [(1400.5 + 80 * n, 1405.5 + 80 * n) for n in range(6)]
    script = [*without(turning(1010, 800), 10, 1), *breaks(*items)]
    bench = Bench(counts_settings(), script)
    bench.connect()
    said = passes(bench, 2400)
    assert [one.what for one in said].count("lost") == 1
    assert [one.tag for one in said if one.what == "thrown"] == [1, 2, 3, 4, 5, 6]
    assert bench.history() == SWEEP[:1]


def test_a_belt_that_ran_further_than_the_gate_while_edges_were_lost_stops_the_line() -> None:
    """What came in the gap may have come and gone: 150 counts, where 100 lead to the gate."""
    turns = [edge for edge in turning(1010, 600) if not 1300 <= edge[0] < 1600]
    turns = [(*edge, 300) if edge[0] == 1600 else edge for edge in turns]
    bench = Bench(counts_settings(), turns, exact=True)
    bench.connect()
    passes(bench, 1650)
    assert PASSED_BY in bench.keeper.trouble


def test_two_tracks_whose_step_is_impossible_have_lost_an_edge() -> None:
    """A rise of B is missing: everything under way is rejected."""
    wires = {"encoder_a": "A", "encoder_b": "B"}
    turns = belt(1010, 60)
    lost = [edge for edge in turns if edge[0] != 1312]
    for script, lost_edges in ((turns, 0), (lost, 1)):
        config = settings(wires=wires, reject_delay_counts=10, eye_silent_ms=10_000.0)
        bench = Bench(config, [*script, *breaks((1281, 1285))])
        bench.connect()
        said = passes(bench, 1900)
        assert bench.keeper.counters.lost_edges == lost_edges
        assert [one.what for one in said] == ["lost", "thrown"][: 2 * lost_edges]


def test_with_one_track_broken_the_encoder_stands_still() -> None:
    """A without B counts up and down by one: that is no belt that moves."""
    turns = [edge for edge in belt(1010, 60) if edge[1] == "encoder_a"]
    bench = Bench(
        settings(wires={"encoder_a": "A", "encoder_b": "B"}, reject_delay_counts=10),
        [*turns, *breaks((1201, 1203), (1305, 1307))],
    )
    bench.connect()
    passes(bench, 1400)
    assert bench.keeper.trouble == "the encoder stands still while items come"


def test_counts_lost_in_the_shared_buffer_sweep_what_was_under_way_and_what_passed_meanwhile() -> (
    None
):
    """Item 2 came and went in the gap. The next edge of the encoder tells, not the next item."""
    turns = [edge for edge in turning(1010, 600) if not 1300 <= edge[0] < 1400]
    turns = [(*edge, 100) if edge[0] == 1400 else edge for edge in turns]
    script = [*turns, *breaks((1280.5, 1285.5)), (1700.5, "trigger", 1, 2), (1705.5, "trigger", 0)]
    bench = Bench(counts_settings(), script, exact=True)
    bench.connect()
    said = passes(bench, 1690)
    assert [(one.what, one.t_ns) for one in said[:1]] == [("lost", 1400 * MS)]
    assert passes(bench, 2200) == [Missed(2, round(1700.5 * MS), EDGE_LOST)]
    rise, fall = bench.history()[2:]
    assert rise[:2] == (1400, 1)
    assert fall[0] >= 1400 + 200


def test_a_lost_encoder_edge_rejects_nothing_where_the_delay_is_a_time() -> None:
    """It is counted and said; no item's moment hangs on it."""
    turns = [edge for edge in turning(1010, 300) if edge[0] != 1311]
    bench = Bench(eye_settings(wires=ENCODER), [*turns, *breaks((1280, 1290))])
    bench.connect()
    assert passes(bench, 1900) == []
    assert bench.history() == SWEEP
    assert (bench.keeper.counters.lost_edges, bench.keeper.trouble) == (1, EDGE_MISSING)


def test_equal_edges_of_the_bins_sensor_are_said_and_reject_nothing() -> None:
    """A confirmation may be missing then, and that stops the line by itself."""
    script = [(1210, "confirm", 0), *breaks((1280, 1290))]
    bench = Bench(eye_settings(wires={"confirm": "BIN"}), script, exact=True)
    bench.connect()
    passes(bench, 1900)
    assert bench.history() == SWEEP
    assert (bench.keeper.counters.lost_edges, bench.keeper.trouble) == (1, EDGE_MISSING)
