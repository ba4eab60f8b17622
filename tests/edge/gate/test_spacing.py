"""Items too close to be told apart: what the gate makes of them, as whole histories."""

import pytest

from edge.gate.keeper import NO_EYE, WHY_CLOSE
from edge.gate.messages import Answer, Answered, Incident, ItemSeen, Missed, Settle
from tests.edge.gate.keeper_bench import MS, SWEEP, Bench, items, pass_all, settings, spaced

CLOSE = (
    "too close: 30 ms after item 1 of the gate, which is rejected, too; "
    "must be at least spacing_ms, 50"
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


def test_a_pass_that_is_rejected_after_all_is_recorded_as_thrown() -> None:
    """Its record was written before the next item came too close."""
    bench = Bench(spaced(settings()), items(1200, 1230))
    bench.connect()
    told = pass_all(bench, {1, 2}, 2000)
    assert told == [Incident(1, "thrown", 1, 1300 * MS, WHY_CLOSE)]
