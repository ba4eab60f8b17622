import dataclasses
import doctest
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import edge.vision.two_looks
from edge.decision import Box, Finding
from edge.errors import AnswerError
from edge.vision.answers import Floats
from edge.vision.contract import TwoLookPlan
from edge.vision.localizer import Localizer
from edge.vision.two_looks import MAX_SECOND, Network, find, look_again, non_maximum_suppression
from tests.tiny_model import paint, two_classes, write_tiny_model

PLAN = TwoLookPlan(
    ("dot", "square"), 64, 64, second_side=48, second_px=24, second_from=0.2, second_weight=1.0
)


def test_the_examples_in_the_docstrings_are_true() -> None:
    """They are the first thing a reader tries."""
    assert doctest.testmod(edge.vision.two_looks).failed == 0


class Recorded:
    """A network that records the shapes it was shown, and gives each look a score in its middle."""

    def __init__(self, first: float, second: float, side: float = 1.5) -> None:
        self.scores, self.side, self.shown = (first, second), side, list[tuple[int, ...]]()

    def __call__(self, pictures: NDArray[np.uint8]) -> tuple[Floats, Floats]:
        """The first call is the look at the whole; every later one is a second look."""
        score = self.scores[min(len(self.shown), 1)]
        self.shown.append(pictures.shape)
        number, rows, columns = len(pictures), pictures.shape[1] // 8, pictures.shape[2] // 8
        heat = np.zeros((number, 2, rows, columns), np.float32)
        heat[:, 0, rows // 2, columns // 2] = score
        return heat, np.full((number, 4, rows, columns), self.side, np.float32)


def test_a_likely_mark_is_looked_at_again_and_both_looks_count() -> None:
    """One look at the whole, one at the place; the score is the mean of the logits."""
    network = Recorded(0.5, 0.9)
    (found,) = find(network, np.zeros((64, 64, 3), np.uint8), PLAN, 0.1)
    assert network.shown == [(1, 64, 64, 3), (1, 48, 48, 3)]
    assert found.label == "dot"
    assert found.score == pytest.approx(0.75)


def test_a_second_look_can_take_a_mark_away_that_the_first_was_sure_of() -> None:
    """That is what it is for: 0.9 and then 0.01 make 0.23."""
    assert find(Recorded(0.9, 0.01), np.zeros((64, 64, 3), np.uint8), PLAN, 0.3) == ()


def test_what_is_not_likely_is_not_looked_at_again() -> None:
    """Below second_from there is no second look and no finding, however low *least* is."""
    network = Recorded(0.19, 0.99)
    assert find(network, np.zeros((64, 64, 3), np.uint8), PLAN, 0.01) == ()
    assert len(network.shown) == 1


def test_without_second_looks_the_first_one_decides() -> None:
    """As models are read whose contract says second_side 0."""
    network = Recorded(0.5, 0.0)
    plan = dataclasses.replace(PLAN, second_side=0)
    assert [f.score for f in find(network, np.zeros((64, 64, 3), np.uint8), plan, 0.4)] == [0.5]
    assert find(network, np.zeros((64, 64, 3), np.uint8), plan, 0.6) == ()
    assert len(network.shown) == 2


@pytest.mark.parametrize("second", [float("nan"), float("inf")])
def test_a_second_look_that_is_no_number_is_no_answer(second: float) -> None:
    """In training too: a network that gives such scores is broken."""
    with pytest.raises(AnswerError, match="second look gave no answer but a score of"):
        find(Recorded(0.9, second), np.zeros((64, 64, 3), np.uint8), PLAN, 0.01)


def test_a_box_that_is_no_number_is_no_mark() -> None:
    """The same when the second look's score is fine and its box is not."""
    likely = [Finding("dot", 0.9, Box(20, 20, 44, 44))]
    network = Recorded(0.9, 0.9, side=float("nan"))
    assert look_again(network, np.zeros((64, 64, 3), np.uint8), PLAN, likely) == []


def test_no_more_places_are_looked_at_again_than_the_most() -> None:
    """A picture full of likely marks costs a bounded time."""
    shown: list[int] = []

    def everywhere(pictures: NDArray[np.uint8]) -> tuple[Floats, Floats]:
        shown.append(len(pictures))
        number, rows, columns = len(pictures), pictures.shape[1] // 8, pictures.shape[2] // 8
        return np.full((number, 2, rows, columns), 0.9, np.float32), np.full(
            (number, 4, rows, columns), 0.5, np.float32
        )

    found = find(everywhere, np.zeros((64, 64, 3), np.uint8), PLAN, 0.1)
    assert shown == [1, MAX_SECOND]
    assert 0 < len(found) <= MAX_SECOND


def test_real_marks_are_found_by_two_looks_in_camera_pixels(tmp_path: Path) -> None:
    """Through onnxruntime; in a frame of five times the network's size.

    The second look sees the camera's own pixels. The tiny model's boxes are 24 network pixels wide:
    120 of the camera's by the first look, and as the second look shows those 120 as 48, 60 by the
    second.
    """
    contract = dataclasses.replace(
        two_classes(),
        second_side=64,
        second_px=48,
        second_from=0.2,
        second_weight=1.0,
        threshold=0.5,
    )
    localizer = Localizer(write_tiny_model(tmp_path / "m.onnx", contract))
    frame = paint({"dot": [(80, 120)], "square": [(200, 240)]}, width=320, height=320, side=40)
    findings = sorted(localizer.find(frame), key=lambda f: f.label)
    assert [f.label for f in findings] == ["dot", "square"]
    for found, centre in zip(findings, ((100, 140), (220, 260)), strict=True):
        assert found.score > 0.9
        middle = ((found.box.x0 + found.box.x1) / 2, (found.box.y0 + found.box.y1) / 2)
        assert middle == pytest.approx(centre, abs=20)
        assert (found.box.width, found.box.height) == pytest.approx((60, 60), abs=1)


@pytest.mark.parametrize("offset", [0, 4])
def test_a_second_look_reads_its_answer_where_it_put_the_mark(offset: int) -> None:
    """The network answers in one cell of the second look: two cells off counts, three do not."""
    plan = dataclasses.replace(PLAN, second_side=112, second_px=56, second_offset=offset)
    middle = 7 if offset else 6.5
    frame = np.zeros((64, 64, 3), np.uint8)

    def answering(row: int) -> Network:
        def network(pictures: NDArray[np.uint8]) -> tuple[Floats, Floats]:
            cells = pictures.shape[1] // 8
            heat = np.full((len(pictures), 2, cells, cells), 0.01, np.float32)
            heat[:, 0, 4, 4] = 0.9 if cells == 8 else 0.01
            if cells == 14:
                heat[:, 0, row, 7] = 0.8
            return heat, np.ones((len(pictures), 4, cells, cells), np.float32)

        return network

    for row in range(14):
        found = [f for f in find(answering(row), frame, plan, 0.5) if f.label == "dot"]
        assert bool(found) == (abs(row - middle) <= 2), row


def test_a_print_too_coarse_to_tell_in_the_whole_is_told_in_the_second_look(tmp_path: Path) -> None:
    """Half of the patch is another colour, too fine for the first look: 0.47, then sure."""
    contract = dataclasses.replace(
        two_classes(0.6), second_side=64, second_px=64, second_from=0.1, second_weight=2.0
    )
    localizer = Localizer(write_tiny_model(tmp_path / "m.onnx", contract))
    once = dataclasses.replace(contract, second_side=0, second_px=1)
    frame = paint({"dot": [(256, 256)]}, width=512, height=512, side=44)
    assert Localizer(write_tiny_model(tmp_path / "once.onnx", once)).find(frame) == ()
    assert [f.label for f in localizer.find(frame)] == ["dot"]


def test_thinning_keeps_the_better_of_two_of_one_class_and_both_of_two() -> None:
    """Best come first."""
    box, near, far = Box(0, 0, 10, 10), Box(1, 0, 11, 10), Box(20, 0, 30, 10)
    findings = [
        Finding("dot", 0.9, box),
        Finding("dot", 0.8, near),
        Finding("square", 0.7, near),
        Finding("dot", 0.6, far),
    ]
    assert non_maximum_suppression(findings) == [findings[0], findings[2], findings[3]]
