"""What a network's answer must be before anything is decided by it, in either look.

A score lies in 0..1, and so does every cell's, as a heat map with one cell that is not a number is
of a network that does not compute as it must. A mark's box has its cell inside it, some pixels, and
a size that the look can show; the mark lies in the frame, not in the bars beside it. Whatever
breaks that is no answer: the item is a FAULT that names it, neither a PASS nor a REJECT.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.decision import Box
from edge.errors import AnswerError
from edge.vision.contract import STRIDE
from edge.vision.preprocess import Letterbox

MOST_VIEWS = 2.0
"""Longest side of a mark's box, as a multiple of the look's: in it nothing larger can be seen."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Hit:
    """A peak of the heat map: a mark's centre in one cell of a look, by the network.

    *look*: which look it is, for messages; *score*: 0..1; *row*, *column*: of the cell; *sides*:
    left, top, right, bottom, in strides from the cell's centre; *fit*: the look's mapping.
    """

    look: str
    score: float
    row: int
    column: int
    sides: tuple[float, float, float, float]
    fit: Letterbox

    @property
    def box(self) -> Box:
        """The mark's box in network pixels."""
        return box_of(self.sides, self.row, self.column)

    def trouble(self, width: int, height: int) -> str:
        """Return why this cannot be a mark in a look of (*width*, *height*) network pixels.

        Empty when it can.
        """
        if not all(map(math.isfinite, self.sides)):
            return "a box that is not a number"
        if min(self.sides) <= 0:
            return "an inverted or empty box"
        box = self.box
        if box.width > MOST_VIEWS * width or box.height > MOST_VIEWS * height:
            return "a box larger than what it looks at"
        x, y = self.column * STRIDE, self.row * STRIDE
        frame = self.fit.to_network(Box(0, 0, self.fit.width, self.fit.height))
        if not frame.intersection(Box(x, y, x + STRIDE, y + STRIDE)):
            return "a mark in the bars beside the picture"
        if not self.fit.to_camera(box).area:
            return "a box outside the picture"
        return ""

    def can_be(self, width: int, height: int, *, strict: bool) -> bool:
        """Tell whether this can be a mark; arguments as in :meth:`trouble`.

        Raises AnswerError where it cannot and *strict* is true.
        """
        trouble = self.trouble(width, height)
        if trouble and strict:
            sides = " ".join(f"{side:.3g}" for side in self.sides)
            raise AnswerError(
                f"the model's {self.look} look gave no answer but {trouble}: score "
                f"{self.score:.3f}, row {self.row}, column {self.column}, sides {sides}; "
                "restart the service, and export the model again if it stays so"
            )
        return not trouble


def box_of(sides: tuple[float, float, float, float], row: int, column: int) -> Box:
    """Return the box that a cell predicts, in network pixels; *sides*: as of :class:`Hit`."""
    left, top, right, bottom = (side * STRIDE for side in sides)
    x, y = (column + 0.5) * STRIDE, (row + 0.5) * STRIDE
    return Box(x - left, y - top, x + right, y + bottom)


def check_scores(heat: Floats, look: str) -> None:
    """Raise AnswerError unless every score of a heat map, of any shape, is in 0..1."""
    lowest, highest = float(heat.min()), float(heat.max())
    if not (lowest >= 0.0 and highest <= 1.0):  # not-a-number is the one as well as the other
        wrong = highest if not highest <= 1.0 else lowest
        raise AnswerError(
            f"the model's {look} look gave no answer but a score of {wrong:g}, must be in 0..1; "
            "restart the service, and export the model again if it stays so"
        )
