import dataclasses

import numpy as np
import pytest

from edge.camera import Capture
from edge.camera.turning import turned, turned_capture
from edge.sections.camera import CameraSettings
from tests.tiny_model import paint

FRAME = paint({"dot": [(0, 0)], "square": [(32, 8)]}, width=40, height=16)


@pytest.mark.parametrize(
    ("rotate", "flip", "size", "dot", "square"),
    [
        (0, "none", (16, 40), (0, 0), (8, 32)),
        (90, "none", (40, 16), (0, 8), (32, 0)),
        (180, "none", (16, 40), (8, 32), (0, 0)),
        (270, "none", (40, 16), (32, 0), (0, 8)),
        (0, "left-right", (16, 40), (0, 32), (8, 0)),
        (0, "top-bottom", (16, 40), (8, 0), (0, 32)),
        (90, "left-right", (40, 16), (0, 0), (32, 8)),
    ],
)
def test_a_picture_is_turned_clockwise_and_then_mirrored(
    rotate: int, flip: str, size: tuple[int, int], dot: tuple[int, int], square: tuple[int, int]
) -> None:
    """Row and column of each mark's corner after it; the pixels lie in memory in their order."""
    picture = turned(FRAME, rotate, flip)
    assert picture.shape == (*size, 3)
    assert picture.flags.c_contiguous
    for (row, column), colour in ((dot, (255, 0, 255)), (square, (0, 255, 255))):
        assert (picture[row : row + 8, column : column + 8] == colour).all()


def test_a_picture_that_stays_as_it_is_costs_no_copy() -> None:
    """Nor does its capture."""
    capture = Capture(FRAME, 5, 1, "camera 1", 7)
    assert turned_capture(capture, CameraSettings()) is capture
    turned_one = turned_capture(capture, CameraSettings(rotate=180))
    assert dataclasses.replace(turned_one, picture=FRAME) == capture
    assert np.array_equal(turned(turned_one.picture, 180, "none"), FRAME)
