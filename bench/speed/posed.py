"""A localizer of random weights that always finds the same: what comes after the graph costs time.

Random weights answer anything; in use a picture has a few likely marks, each of which gets a second
look. So the graph is run, and its answer replaced.
"""

import numpy as np
from numpy.typing import NDArray

from edge.vision.answers import Floats
from edge.vision.contract import STRIDE
from edge.vision.localizer import Localizer, Stopper

LIKELY = 2
"""Marks that a first look finds likely: trained models found two or three in a photograph."""
SIDE_PX = 60.0
"""Side of each, network pixels."""


class Posed(Localizer):
    """Runs the graph on what it is given, and answers that there are :data:`LIKELY` marks."""

    def infer(
        self, pictures: NDArray[np.uint8], stopper: Stopper | None = None
    ) -> tuple[Floats, Floats]:
        """Return an answer of the same shape as the graph's."""
        heat, sides = super().infer(pictures, stopper)
        return marks_in(heat.shape), np.full_like(sides, SIDE_PX / STRIDE / 2)


def marks_in(shape: tuple[int, ...]) -> Floats:
    """Return heat with :data:`LIKELY` marks beside one another in the middle of each picture."""
    heat = np.zeros(shape, np.float32)
    rows, columns = shape[2:]
    step = round(2 * SIDE_PX / STRIDE)
    for place in range(LIKELY):
        column = columns // 2 + (place - LIKELY // 2) * step
        if 0 <= column < columns:
            heat[:, :, rows // 2, column] = 0.9
    return heat
