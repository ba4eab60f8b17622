"""The gate's decisions in simulated time, as whole histories of outputs and messages."""

import dataclasses
import random
from itertools import pairwise

import pytest

from edge.gate import keeper
from edge.gate.keeper import BEHIND, EYE_LOST, EYE_LOST_PASSED, NO_EYE, WHY_EYE, WHY_RESET
from edge.gate.loss_handling import EDGE_LOST, EDGE_MISSING
from edge.gate.messages import (
    VERSION,
    Answer,
    Answered,
    Beat,
    Beaten,
    Expect,
    Expected,
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
from edge.gate.transit import PASSED_BY
from edge.gate.unsettled import KEPT
from tests.edge.gate.keeper_bench import MS, SWEEP, Bench, items, pass_all, settings, spaced


def test_restart_rejects_what_is_in_transit() -> None:
    """All that may have been triggered before the gate began: high for one delay and one pulse."""
    bench = Bench(settings())
    bench.run_to(3000)
    assert bench.history() == SWEEP


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


def test_a_reset_ends_no_trouble_that_was_not_shown_before_it() -> None:
    """The gate was held up: it hears of the item and of the button together, much too late."""
    bench = Bench(settings(wires={"reset": "BUTTON"}), [*items(1200), (1350, "reset", 1)])
    bench.connect()
    bench.run_to(1250)
    bench.hold_up_to(1400)
    assert bench.keeper.trouble == "an item was reached later than a pulse is long: look at it"


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


def test_an_eye_that_holds_the_line_lets_ready_rest_from_its_first_word_on() -> None:
    """No beat comes between hello and the hold; the next eye says its own."""
    bench = Bench(settings())
    bench.keeper.accept_eye(Hello(VERSION, "photo-eye", hold="a challenge test is due"))
    bench.run_to(1500)
    assert "a challenge test is due" in bench.keeper.trouble
    assert not [e for e in bench.lines.record.transitions if e.line == "ready" and e.level]
    bench.say(Beat(""))
    bench.run_to(1600)
    assert [e for e in bench.lines.record.transitions if e.line == "ready" and e.level]
    bench.say(Beat("", "items are in quarantine"))
    bench.run_to(1700)
    rested = [e.level for e in bench.lines.record.transitions if e.line == "ready"]
    assert rested[-1] == 0
    bench.keeper.eye_lost()
    bench.keeper.accept_eye(Hello(VERSION, "photo-eye"))
    assert "quarantine" not in bench.keeper.trouble
