"""The reject queue by itself: places, polarity, gaps, stretches.

Its behaviour in time stands in test_simulated.py.
"""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.gate import rejects
from edge.gate.rejects import RejectQueue


def run(queue: RejectQueue, *moments: int) -> list[tuple[int, int, int | None]]:
    """Step at each moment; every change as (moment, level, item)."""
    return [(now, level, item) for now in moments for level, item in queue.step(now)]


def turn(queue: RejectQueue, *positions: int) -> list[tuple[int, int, int | None]]:
    """Move the belt to each position, a moment apart; every change as (position, level, item)."""
    changes = []
    for position in positions:
        queue.move_to(position)
        changes += [(position, level, item) for level, item in queue.step(0)]
    return changes


def test_an_encoder_that_stops_holds_the_item_until_the_belt_has_carried_it() -> None:
    """No moment is due while the belt stands, and an answer after an hour is still in time."""
    queue = RejectQueue(100, 20, by_counts=True)
    queue.move_to(1000)
    queue.expect(1, 0)
    queue.expect(2, 0)
    assert turn(queue, 1050, 1099) == []
    assert queue.next_ns() is None
    assert queue.answer(2, cancel=True, now_ns=3600 * 10**9) == "cancelled"
    assert turn(queue, 1100) == [(1100, 1, 1)]
    assert queue.next_ns() == 20
    assert queue.step(20) == [(0, 1)]


def test_encoder_stop_and_reverse_never_makes_an_item_due_twice() -> None:
    """Carried to the gate, back over the photo-eye, and there again: one pulse.

    The item behind it has its own.
    """
    queue = RejectQueue(100, 20, by_counts=True)
    queue.expect(1, 0)
    queue.move_to(10)
    queue.expect(2, 0)
    assert turn(queue, 60, 20, 99, 100, 50, -30, 105) == [(100, 1, 1)]
    assert queue.step(20) == [(0, 1)]
    assert turn(queue, 109, 60, 110, 200) == [(110, 1, 2)]
    assert (queue.rejected, queue.ahead) == (2, 0)


def test_an_answer_when_the_belt_has_brought_the_item_is_late_whatever_the_time() -> None:
    """By counts the place decides, not the moment."""
    queue = RejectQueue(100, 20, by_counts=True)
    queue.expect(1, 0)
    queue.move_to(100)
    assert queue.answer(1, cancel=True, now_ns=1) == "late"
    assert queue.step(1) == [(1, 1)]


@given(st.lists(st.integers(-30, 40), max_size=60))
def test_a_belt_that_moves_as_it_likes_brings_each_item_to_the_gate_once(steps: list[int]) -> None:
    """Items every 25 counts of progress.

    At the end the belt runs on: as many are rejected as came.
    """
    queue, position, furthest, items = RejectQueue(100, 1, by_counts=True), 0, 0, 0
    for step in steps:
        position += step
        queue.move_to(position)
        if position >= furthest + 25:
            furthest, items = position, items + 1
            queue.expect(items, 0)
        queue.step(0)
    queue.move_to(furthest + 100)
    queue.step(0)
    assert (queue.rejected, queue.ahead) == (items, 0)


def test_pulses_closer_than_the_gap_are_one() -> None:
    """Ends at 120; the next begins at 125: held.

    The one at 160 is 15 after the end at 145: a pulse of its own.
    """
    queue = RejectQueue(100, 20, gap_ns=10)
    for item, moment in ((1, 0), (2, 25), (3, 60)):
        queue.expect(item, moment)
    assert run(queue, *range(90, 200)) == [(100, 1, 1), (145, 0, 2), (160, 1, 3), (180, 0, 3)]


def test_an_item_that_passes_does_not_bridge_a_gap() -> None:
    """Only a pulse that will come is waited for.

    One cancelled while it was waited for ends the wait.
    """
    queue = RejectQueue(100, 20, gap_ns=10)
    for item, moment in ((1, 0), (2, 25), (3, 400), (4, 428)):
        queue.expect(item, moment)
    queue.answer(2, cancel=True, now_ns=50)
    assert run(queue, *range(90, 140)) == [(100, 1, 1), (120, 0, 1)]
    assert run(queue, *range(490, 525)) == [(500, 1, 3)]
    queue.answer(4, cancel=True, now_ns=525)
    assert run(queue, *range(525, 540)) == [(528, 0, 3)]


def test_where_the_pulse_accepts_silence_rejects() -> None:
    """No answer, a reject, a late pass: no pulse. A pass in time: one."""
    queue = RejectQueue(100, 20, accepts=True)
    for item in range(4):
        queue.expect(item, item * 50)
    queue.answer(1, cancel=False, now_ns=60)
    queue.answer(2, cancel=True, now_ns=110)
    assert run(queue, *range(90, 250)) == [(200, 1, 2), (220, 0, 2)]
    assert queue.answer(3, cancel=True, now_ns=250) == "late"
    assert run(queue, *range(250, 300)) == []
    assert queue.rejected == 3


def test_where_the_pulse_accepts_a_bad_item_ends_the_good_ones_pulse() -> None:
    """A merged pulse would carry it through; two good ones merge."""
    queue = RejectQueue(100, 20, accepts=True)
    for item, moment in ((1, 0), (2, 10), (3, 25), (4, 40)):
        queue.expect(item, moment)
    for item in (1, 2, 4):
        queue.answer(item, cancel=True, now_ns=50)
    assert run(queue, *range(90, 200)) == [(100, 1, 1), (125, 0, 3), (140, 1, 4), (160, 0, 4)]


def test_where_the_pulse_accepts_one_that_comes_too_late_is_left_out() -> None:
    """The gate was held up for more than a pulse: it would open for another item."""
    queue = RejectQueue(100, 20, accepts=True)
    queue.expect(1, 0)
    queue.answer(1, cancel=True, now_ns=5)
    assert run(queue, 121) == []
    assert queue.take_lateness_ns() == 21
    assert queue.take_lateness_ns() == 0


@pytest.mark.parametrize("by_counts", [False, True])
def test_a_stretch_is_thrown_off_from_its_first_place_to_its_last(by_counts: bool) -> None:
    """High for as long as anything of it can be at the gate, and one pulse more.

    What is in it is part of it.
    """
    queue = RejectQueue(100, 20, by_counts=by_counts)
    queue.sweep(0, 50)
    if by_counts:
        assert turn(queue, 99, 100, 149, 120, 150) == [(100, 1, None)]
        assert queue.next_ns() == 20
        assert queue.step(20) == [(0, None)]
    else:
        queue.expect(1, 30)
        assert run(queue, *range(90, 200)) == [(100, 1, None), (170, 0, 1)]
    assert queue.idle


def test_where_the_pulse_accepts_nothing_of_a_stretch_gets_one() -> None:
    """No answer changes that; the item after it passes."""
    queue = RejectQueue(100, 20, accepts=True)
    queue.sweep(0, 50)
    for item, moment in ((1, 30), (2, 51)):
        queue.expect(item, moment)
        queue.answer(item, cancel=True, now_ns=60)
    assert run(queue, *range(90, 200)) == [(151, 1, 2), (171, 0, 2)]


def test_what_was_withdrawn_can_not_be_cancelled_again() -> None:
    """After a reset nobody knows which item is which; an answer on its way must not undo that."""
    queue = RejectQueue(100, 20)
    queue.expect(1, 0)
    queue.expect(2, 1)
    queue.answer(1, cancel=True, now_ns=5)
    queue.withdraw_all()
    assert queue.answer(2, cancel=True, now_ns=6) == "kept"
    assert queue.answer(2, cancel=True, now_ns=6) == "unknown"
    assert run(queue, *range(90, 140)) == [(100, 1, 1), (121, 0, 2)]


def test_3_items_in_flight_under_random_inference_delay_keep_their_order() -> None:
    """Answers come in any order, up to five items later.

    Each is for its own item, and rejects come out in order.
    """
    random.seed(4)
    queue = RejectQueue(300, 20)
    passes = {item: random.random() < 0.5 for item in range(200)}
    events = [(item * 100, 0, item) for item in passes]
    events += [(item * 100 + random.randrange(1, 299), 1, item) for item in passes]
    changes = []
    for moment, is_answer, item in sorted(events):
        changes += run(queue, *range(max(0, moment - 100), moment))
        if is_answer:
            assert queue.answer(item, cancel=passes[item], now_ns=moment) in ("cancelled", "kept")
        else:
            queue.expect(item, moment)
            assert queue.ahead <= 4
    changes += run(queue, *range(events[-1][0], 21_000))
    assert [(now, item) for now, level, item in changes if level] == [
        (item * 100 + 300, item) for item in passes if not passes[item]
    ]


def test_the_next_item_due_is_found_at_once_among_ten_thousand(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Items that all come due together, half of them answered, cost no look at each other one.

    Counted, not timed: how often the place of any of them is looked at.
    """
    many, looks = 10_000, 0

    def counted(entry: rejects.Entry) -> tuple[int, bool]:
        nonlocal looks
        looks += 1
        return place_of(entry)

    place_of = rejects._place_of
    monkeypatch.setattr(rejects, "_place_of", counted)
    queue = RejectQueue(100, 10)
    for sequence in range(many):
        queue.expect(sequence, 0)
        if sequence % 2:
            assert queue.answer(sequence, cancel=True, now_ns=50) == "cancelled"
        assert queue.next_ns() == 100
    assert queue.step(100) == [(1, 0)]
    assert len(queue.take_arrivals()) == many
    assert looks <= 10 * many


@given(st.lists(st.tuples(st.integers(0, 40), st.sampled_from("eaw")), max_size=40))
def test_the_heap_finds_what_a_search_through_all_entries_finds(
    deeds: list[tuple[int, str]],
) -> None:
    """Whatever is entered, answered and withdrawn."""
    queue = RejectQueue(5, 3)
    for number, (value, deed) in enumerate(deeds):
        if deed == "e":
            queue.expect(number, value)
        elif deed == "a":
            queue.answer(value, cancel=True, now_ns=0)
        else:
            queue.withdraw(value)
        wanted = min(queue._ahead.values(), key=rejects._place_of, default=None)
        found = queue._first()
        assert (found is None) == (wanted is None)
        if found is not None and wanted is not None:
            assert rejects._place_of(found) == rejects._place_of(wanted)
