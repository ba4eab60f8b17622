"""Contrast of a painted mark as the camera shows it: whether a person could see it there.

A white word on white paper, or a faded one on fruit, is no example of the mark: to call it one
would teach to see marks where nothing is. What a mark changed on the canvas is kept when it is
pasted, and looked for in the finished picture, after light, lens, sensor and JPEG.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.vision.preprocess import Frame

CHANGED = 6.0
"""Grey levels by which a pixel must have changed to belong to what is measured."""
LEAST_PIXELS = 12
"""Fewest such pixels for a measurement."""


class Trace(NamedTuple):
    """What a cut-out changed on the canvas.

    *corner*: x and y of its upper left pixel; *below*: (height, width, 3) uint8, RGB, the canvas
    before it was pasted; *change*: float32, the canvas after it less that before.
    """

    corner: tuple[int, int]
    below: Frame
    change: NDArray[np.float32]


def trace_of(below: Frame, after: Frame, corner: tuple[int, int]) -> Trace:
    """Keep what changed on the canvas at *corner*; the two are (height, width, 3) uint8, RGB."""
    return Trace(corner, below, after.astype(np.float32) - below)


def contrast_of(trace: Trace, frame: Frame) -> float:
    """Return the contrast, in grey levels, that a mark kept in the camera's picture.

    The picture around the mark is explained as what lay below, times a gain, plus what the mark
    changed, times another (least squares, an offset for each channel): the second gain says how
    much of the change light, lens and sensor left. Times the root mean square of the change, it is
    the contrast. *frame*: the finished picture, of the canvas's size, (height, width, 3) uint8.
    """
    x, y = trace.corner
    height, width = trace.change.shape[:2]
    changed = np.abs(trace.change).max(axis=2) > CHANGED
    if int(changed.sum()) < LEAST_PIXELS:
        return 0.0
    seen = frame[y : y + height, x : x + width].astype(np.float32)
    seen, below, change = (
        part - part.mean(axis=(0, 1))
        for part in (seen, trace.below.astype(np.float32), trace.change)
    )
    bb, bc, cc = (
        float((p * q).sum()) for p, q in ((below, below), (below, change), (change, change))
    )
    bs, cs = float((below * seen).sum()), float((change * seen).sum())
    bb += 0.01 * cc + 1.0  # a plain ground says nothing about its own gain
    whole = bb * cc - bc * bc
    gain = (bb * cs - bc * bs) / whole if whole > 1e-3 * bb * cc else cs / max(cc, 1e-6)
    strength = float(np.sqrt((trace.change[changed] ** 2).mean()))
    return max(0.0, min(gain, 2.0)) * strength
