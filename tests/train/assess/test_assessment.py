"""The assessment: its counts, its words, and when a model is ready."""

import dataclasses

from edge.decision import Box
from train.assess.assessment import Assessment, assess, suspects_line, table_lines
from train.assess.choice import choose
from train.assess.scores import Scored, Trial
from train.config import FitSettings

GOOD = Trial(
    marks=(0.9,) * 97 + (0.3,) * 3,
    real_marks=(),
    lookalikes=(0.2,) * 99 + (0.95,),
    photographs=tuple(Scored(f"shop/{n}.jpg", 0.1) for n in range(652)),
)


def _assessment(trial: Trial, painted: bool = False) -> Assessment:
    return assess(trial, choose(trial, FitSettings()), painted)


def test_a_good_model_is_ready_in_plain_words() -> None:
    """With every count that the sentence rests on."""
    told = _assessment(GOOD)
    assert told.ready
    assert told.words() == (
        "finds 97 of 100 painted marks at threshold 0.900, which lets 0 of 652 of your "
        "photographs without it and 1 of 100 pictures of look-alikes through: ready to be tried"
    )


def test_a_model_that_misses_its_marks_is_not_ready() -> None:
    """And the sentence says what to do."""
    bad = dataclasses.replace(GOOD, marks=(0.9,) * 31 + (0.05,) * 69)
    told = _assessment(bad)
    assert not told.ready
    assert "finds 31 of 100 painted marks" in told.words()
    assert "not ready; train longer" in told.words()


def test_a_model_that_takes_look_alikes_or_has_no_good_threshold_is_not_ready() -> None:
    """Each is one reason."""
    alike = dataclasses.replace(GOOD, lookalikes=(0.92,) * 100, marks=(0.9,) * 100)
    assert not _assessment(alike).ready
    sure = Trial((0.99,) * 100, (), (0.1,) * 100, (Scored("a.jpg", 0.99),))
    assert not _assessment(sure).ready


def test_photographs_that_may_bear_the_mark_are_named() -> None:
    """They hold the threshold up, so nothing else helps; best first, and no painted frame."""
    box = Box(1.0, 2.0, 3.0, 4.0)
    stamped = (Scored("shop/x\n.jpg", 0.92, box), Scored("shop/y.jpg", 0.95, box))
    trial = dataclasses.replace(GOOD, photographs=GOOD.photographs + stamped)
    told = _assessment(trial)
    assert not told.ready
    assert [one.path for one in told.suspects] == ["shop/y.jpg", "shop/x\n.jpg"]
    assert "y.jpg (0.95), x\\u000a.jpg (0.92)" in suspects_line(told)
    assert "may bear the mark" in told.words()
    assert suspects_line(_assessment(trial, painted=True)) == ""
    knows_nothing = dataclasses.replace(trial, marks=(0.4,) * 100)
    assert suspects_line(_assessment(knows_nothing)) == ""


def test_the_trade_is_a_table_in_which_the_chosen_threshold_is_marked() -> None:
    """Rising thresholds, falling counts."""
    told = _assessment(GOOD)
    assert [row.threshold for row in told.table] == sorted(row.threshold for row in told.table)
    assert [row.marks.hits for row in told.table] == sorted(
        (row.marks.hits for row in told.table), reverse=True
    )
    (line,) = (line for line in table_lines(told) if line.endswith("<"))
    assert line.split()[0] == f"{told.chosen.threshold:.3f}"


def test_it_comes_back_from_a_checkpoint_as_it_was() -> None:
    """All of it, suspects with their boxes too."""
    near = dataclasses.replace(GOOD, photographs=(Scored("a.jpg", 0.93, Box(1.0, 2.0, 3.0, 4.0)),))
    for told in (_assessment(GOOD), _assessment(near)):
        assert Assessment.from_json(told.to_json()) == told


def test_marks_of_labelled_photographs_are_told_beside_the_painted_ones() -> None:
    """Where there are any."""
    told = _assessment(dataclasses.replace(GOOD, real_marks=(0.95, 0.1)))
    assert "100 of 100 painted marks and 1 of 2 labelled ones" in told.words()
