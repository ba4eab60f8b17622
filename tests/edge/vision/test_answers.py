"""Scores and boxes that are no answer, in either look."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.errors import AnswerError
from edge.vision.answers import Floats
from edge.vision.contract import TwoLookPlan
from edge.vision.two_looks import find

ONE_LOOK = TwoLookPlan(
    ("dot", "square"), 64, 64, second_side=0, second_px=1, second_from=0.2, second_weight=1.0
)
TWO_LOOKS = TwoLookPlan(
    ("dot", "square"), 64, 64, second_side=64, second_px=24, second_from=0.2, second_weight=1.0
)
WIDE = np.zeros((48, 64, 3), np.uint8)
"""A frame with a row of cells as a bar above and below."""
GOOD_SIDES = (1.5, 1.5, 1.5, 1.5)
Answer = Callable[[Floats, Floats], None]
"""Changes heat, (classes, rows, columns), and sides, (4, rows, columns), of one look."""


def scripted(*looks: Answer) -> Callable[[NDArray[np.uint8]], tuple[Floats, Floats]]:
    """A network that finds a dot in the middle of each look, and then spoils it as told."""
    script = list(looks)

    def network(pictures: NDArray[np.uint8]) -> tuple[Floats, Floats]:
        number, height, width, _ = pictures.shape
        heat = np.zeros((number, 2, height // 8, width // 8), np.float32)
        heat[:, 0, height // 16, width // 16] = 0.9
        sides = np.full((number, 4, height // 8, width // 8), 1.5, np.float32)
        if script:
            script.pop(0)(heat[0], sides[0])
        return heat, sides

    return network


def sound(heat: Floats, sides: Floats) -> None:
    """Leave the answer as it is."""


def score(value: float, where: tuple[int, int, int] = (0, 4, 4)) -> Answer:
    """Put a score into a cell."""

    def change(heat: Floats, sides: Floats) -> None:
        heat[where] = value

    return change


def box(*corners: float, row: int = 4, column: int = 4, hit: float = 0.9) -> Answer:
    """Put a hit with these four sides into a cell."""

    def change(heat: Floats, sides: Floats) -> None:
        heat[0] = 0
        heat[0, row, column] = hit
        sides[:, row, column] = corners

    return change


def everywhere(value: float) -> Answer:
    """Put one score into every cell."""

    def change(heat: Floats, sides: Floats) -> None:
        heat[:] = value

    return change


NO_SCORES = {
    "nan": score(math.nan),
    "nan beside": score(math.nan, (0, 4, 5)),
    "nan of another class": score(math.nan, (1, 0, 0)),
    "nan everywhere": everywhere(math.nan),
    "inf": score(math.inf),
    "-inf": score(-math.inf, (0, 7, 7)),
    "-inf everywhere": everywhere(-math.inf),
    "above one": score(1.0001),
    "five": everywhere(5.0),
    "below zero": score(-0.0001, (1, 2, 2)),
}
NO_BOXES = {
    "nan": (box(math.nan, 1, 1, 1), "a box that is not a number"),
    "inf": (box(1, 1, math.inf, 1), "a box that is not a number"),
    "-inf": (box(1, -math.inf, 1, 1), "a box that is not a number"),
    "huge": (box(3e38, 3e38, 3e38, 3e38), "a box larger than what it looks at"),
    "wide": (box(1, 1, 17, 1), "a box larger than what it looks at"),
    "inverted": (box(-2, -2, -2, -2), "an inverted or empty box"),
    "inverted one way": (box(1, -2, 1, 1), "an inverted or empty box"),
    "empty": (box(0, 0, 0, 0), "an inverted or empty box"),
    "empty one way": (box(1, 0, 1, 0), "an inverted or empty box"),
    "outside": (box(100, 1, -90, 1), "an inverted or empty box"),
}


@pytest.mark.parametrize("look", ["first", "second"])
@pytest.mark.parametrize("kind", NO_SCORES)
def test_a_score_that_is_none_is_no_answer(kind: str, look: str) -> None:
    """Anywhere in the heat map, whatever else is found."""
    looks = [NO_SCORES[kind]] if look == "first" else [sound, NO_SCORES[kind]]
    with pytest.raises(AnswerError, match=f"the model's {look} look gave no answer but a score"):
        find(scripted(*looks), WIDE, TWO_LOOKS, 0.5, 0.5)


@pytest.mark.parametrize("plan", [ONE_LOOK, TWO_LOOKS])
@pytest.mark.parametrize("kind", NO_BOXES)
def test_a_box_of_the_first_look_that_cannot_be_is_no_answer(kind: str, plan: TwoLookPlan) -> None:
    """With a second look from the score on that brings one."""
    spoil, why = NO_BOXES[kind]
    with pytest.raises(AnswerError, match=f"first look gave no answer but {why}"):
        find(scripted(spoil), WIDE, plan, 0.5, 0.5)


@pytest.mark.parametrize("kind", NO_BOXES)
def test_a_box_of_the_second_look_that_cannot_be_is_no_answer(kind: str) -> None:
    """Where both looks together would count."""
    spoil, why = NO_BOXES[kind]
    with pytest.raises(AnswerError, match=f"second look gave no answer but {why}"):
        find(scripted(sound, spoil), WIDE, TWO_LOOKS, 0.5, 0.5)


@pytest.mark.parametrize("plan", [ONE_LOOK, TWO_LOOKS])
@pytest.mark.parametrize(("row", "column"), [(0, 0), (0, 4), (7, 7)])
def test_a_hit_in_the_bars_is_no_answer(plan: TwoLookPlan, row: int, column: int) -> None:
    """There is nothing to be seen, even if the box reaches into the picture."""
    spoil = box(*GOOD_SIDES, row=row, column=column)
    with pytest.raises(AnswerError, match="first look gave no answer but a mark in the bars"):
        find(scripted(spoil), WIDE, plan, 0.5, 0.5)


def test_a_hit_of_the_second_look_beyond_the_frame_is_no_answer() -> None:
    """The mark is found at the frame's right edge; beyond it the second look sees grey."""
    edge, beyond = box(*GOOD_SIDES, column=7), box(*GOOD_SIDES, column=5)
    with pytest.raises(AnswerError, match="second look gave no answer but a mark in the bars"):
        find(scripted(edge, beyond), WIDE, TWO_LOOKS, 0.5, 0.5)


def test_a_box_that_misses_the_frame_is_no_answer() -> None:
    """The cell reaches into the frame, and its box does not: the frame begins at 10."""
    frame, spoil = np.zeros((44, 64, 3), np.uint8), box(0.1, 0.1, 0.1, 0.1, row=1)
    assert len(find(scripted(box(1, 1, 1, 1, row=1)), frame, ONE_LOOK, 0.5, 0.5)) == 1
    frame = np.zeros((36, 64, 3), np.uint8)
    with pytest.raises(AnswerError, match="a box outside the picture"):
        find(scripted(spoil), frame, ONE_LOOK, 0.5, 0.5)


@pytest.mark.parametrize("plan", [ONE_LOOK, TWO_LOOKS])
def test_a_mark_at_the_edge_and_one_as_large_as_the_frame_are_answers(plan: TwoLookPlan) -> None:
    """Boxes that reach over the edge are cut there, as before."""
    for good in (box(*GOOD_SIDES, row=1, column=0), box(4.4, 4.4, 4.4, 4.4)):
        assert len(find(scripted(good), WIDE, plan, 0.5, 0.5)) == 1


def test_a_weak_hit_that_cannot_be_is_left_out_where_it_would_not_count() -> None:
    """As evaluation asks for: the box would not have seen it."""
    weak = box(-1, -1, -1, -1, hit=0.3)
    assert find(scripted(weak), WIDE, ONE_LOOK, 0.01, 0.5) == ()
    assert find(scripted(sound, box(-1, 1, 1, 1, hit=0.01)), WIDE, TWO_LOOKS, 0.01, 0.6) == ()


def test_a_weak_hit_that_cannot_be_is_no_answer_where_it_brings_a_second_look() -> None:
    """What would be cut out there is not known."""
    with pytest.raises(AnswerError, match="an inverted or empty box"):
        find(scripted(box(-1, -1, -1, -1, hit=0.3)), WIDE, TWO_LOOKS, 0.5, 0.5)


def test_in_training_hits_that_cannot_be_are_left_out() -> None:
    """A network that has learnt little gives many."""
    assert find(scripted(box(-1, -1, -1, -1)), WIDE, TWO_LOOKS, 0.01) == ()
