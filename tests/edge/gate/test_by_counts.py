"""The gate by counts of an encoder: where the belt is, and when nobody knows it."""

from edge.gate.messages import Answer, Answered, ItemSeen
from edge.gate.photo_eye import COUNTS_BACK
from edge.gate.transit import PASSED_BY
from tests.edge.gate.keeper_bench import MS, TWO_TRACKS, Bench, belt, items, pass_all, settings


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


def test_a_gate_held_up_by_counts_says_that_an_item_was_reached_late() -> None:
    """The belt is at the item's place at 1310; the gate hears of it at 1400."""
    wires = {"encoder_a": "A", "encoder_b": "B"}
    script = [*belt(1010, 20), (1211, "trigger", 1), *belt(1220, 30)]
    bench = Bench(settings(wires=wires, reject_delay_counts=10), script)
    bench.connect()
    bench.run_to(1300)
    bench.hold_up_to(1400)
    assert bench.keeper.trouble == "an item was reached later than a pulse is long: look at it"


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
