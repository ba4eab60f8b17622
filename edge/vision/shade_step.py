"""Find the step in shade that a lost or changed byte leaves in a JPEG that decodes all the same.

The mean of each block (its DC coefficient) is coded as the difference from that of the block before
(ITU-T T.81, F.1.2.1). Where the codes come out again after some damage, everything from there to
the end, or to the next restart marker, is lighter, darker or tinted. So a step runs along one row
of blocks: above the blocks from the damage on, and above those before it one row lower. A step of
that form, sharp to the pixel, is found by averages; a real edge that is straight, level and exactly
between two rows is one step over the whole width, and does not count.
"""

from typing import cast

import numpy as np
from numpy.typing import NDArray

from edge.vision.preprocess import Frame

LEAST_BLOCKS = 60
"""Blocks side by side below which chance makes such steps; 960 pixels at 4:2:2."""
LEAST_SHARE = 0.08
"""Share of the width that each part of the step must have."""
MOST_LEVELS = 16.0
"""What one block counts at most: a strong edge in a few must not look like a weak one in all."""
EVERY = 4
"""Every fourth column is enough, in half of the time."""

Means = NDArray[np.float32]


def shade_step(frame: Frame, block: tuple[int, int]) -> float:
    """Return the height of the clearest step of this form, in grey levels; 0 where there is none.

    *frame*: (height, width, 3) uint8, as decoded; *block*: width and height in pixels of a unit of
    its code (MCU, T.81, A.2). The height is that of the lower of its two parts, less the steps
    beside them. At most 16; of the greatest of the three channels.
    """
    width, height = block
    across, down = frame.shape[1] // width, frame.shape[0] // height
    if across < LEAST_BLOCKS or down < 3:
        return 0.0
    steps = _steps(frame[: down * height, : across * width], across, down)
    sums = np.cumsum(steps, axis=1)
    before, whole = sums[:, :-1], sums[:, -1:]
    number = np.arange(1, across, dtype=np.float32)[None, :, None]
    left, right = before / number, (whole - before) / (across - number)
    upper, lower = right[:-1], left[1:]
    beside = np.maximum(np.abs(left[:-1]), np.abs(right[1:]))
    height_of = np.minimum(np.abs(upper), np.abs(lower)) - beside
    edge = max(1, round(across * LEAST_SHARE))
    clear = np.where(upper * lower > 0, height_of, 0.0)[:, edge:-edge]
    return max(0.0, float(clear.max()))


def _steps(frame: Frame, across: int, down: int) -> Means:
    """Return by how much each block's upper edge is off from the block above: (rows, blocks, 3).

    The slope on both sides is taken off, so that a blurred edge is no step.
    """
    rows = frame.reshape(down, frame.shape[0] // down, frame.shape[1], 3)[:, :, ::EVERY]
    above, below = rows[:-1, -1].astype(np.int16), rows[1:, 0].astype(np.int16)
    slope = (above - rows[:-1, -2] + rows[1:, 1] - below) // 2
    steps = (below - above - slope).reshape(down - 1, across, -1, 3)
    means = steps.sum(axis=2, dtype=np.int32) / np.float32(steps.shape[2])
    return cast(Means, means.clip(-MOST_LEVELS, MOST_LEVELS).astype(np.float32))
