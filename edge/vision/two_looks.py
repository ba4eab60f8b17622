"""The way of one frame, from pixels to findings: a look at the whole, then a second look at each
likely place.

::

    frame → prepare → network → likely marks → zoom at each → network → findings

In the whole frame a mark may be thirty pixels wide, and much that is printed looks like it. The
second look shows the same network each likely mark cut out of the camera's own pixels and enlarged
or shrunk to one size, the size at which it tells best. A look at the whole and a closer one where
it pays is the old idea of attention in steps; with one detector for both steps it is e.g. Gao et
al., *Dynamic Zoom-in Network* (2018). What it is worth here is measured in
``docs/decisions/0005-second-look.md``.

The network is given as a function, so that training, its threshold and the box find marks by the
same code.
"""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from edge.decision import Box, Finding
from edge.vision.contract import STRIDE, TwoLookPlan
from edge.vision.preprocess import Frame, Letterbox, prepare, zoom

DUPLICATE_IOU = 0.5
"""Two boxes of one class that overlap more than this are the same mark seen twice; the better score
stays."""
MAX_CANDIDATES = 100
"""Peaks looked at per picture; a busy picture has a handful, noise may have thousands."""
MAX_SECOND = 16
"""Most places that are looked at a second time in one frame, the likeliest, so that no picture
takes for ever."""
CENTRE_CELLS = 2
"""How far from the middle of a second look its mark's centre may lie, in cells; the first look said
where it is."""
SURE = 1e-6
"""Scores nearer than this to 0 or 1 count as this near when two looks are put together."""

Floats = NDArray[np.float32]
Network = Callable[[NDArray[np.uint8]], tuple[Floats, Floats]]
"""A network: pictures, (n, height, width, 3) uint8 RGB, to heat, (n, classes, rows, columns) in
0..1, and sides, (n, 4, rows, columns), left, top, right, bottom in strides from each cell's centre.
"""


def find(network: Network, frame: Frame, plan: TwoLookPlan, least: float) -> tuple[Finding, ...]:
    """Findings of at least the score *least*, best first, in the frame's own pixels.

    *frame*: (height, width, 3) uint8, RGB, of any size.
    """
    picture, fit = prepare(frame, plan.width, plan.height)
    heat, sides = network(picture[None])
    likely = decode(
        heat[0], sides[0], plan.classes, plan.second_from if plan.second_side else least
    )
    likely = [Finding(f.label, f.score, fit.to_camera(f.box)) for f in likely]
    if not plan.second_side or not likely:
        return tuple(likely)
    found = look_again(network, frame, plan, likely[:MAX_SECOND])
    return tuple(f for f in thin(sorted(found, key=lambda f: -f.score)) if f.score >= least)


def look_again(
    network: Network, frame: Frame, plan: TwoLookPlan, likely: Sequence[Finding]
) -> list[Finding]:
    """Judge each likely mark by a look at it alone: its box anew, its score that of both looks
    together.

    One whose second look is no number is left out: a mark nobody can judge is none.
    """
    views = [zoom(frame, mark.box, plan.second_side, plan.second_px) for mark in likely]
    heat, sides = network(np.stack([picture for picture, _ in views]))
    again = [
        _centre(heat[i, plan.classes.index(mark.label)], sides[i], views[i][1])
        for i, mark in enumerate(likely)
    ]
    return [
        Finding(mark.label, together(mark.score, score, plan.second_weight), box)
        for mark, (score, box) in zip(likely, again, strict=True)
        if np.isfinite((score, *box.corners())).all()
    ]


def _centre(heat: Floats, sides: Floats, fit: Letterbox) -> tuple[float, Box]:
    """The best score near the middle of a second look at one class, and its box in camera pixels."""
    rows, columns = heat.shape
    top, left = max(0, rows // 2 - CENTRE_CELLS), max(0, columns // 2 - CENTRE_CELLS)
    middle = heat[top : rows - top, left : columns - left]
    row, column = np.unravel_index(int(middle.argmax()), middle.shape)
    return float(middle[row, column]), fit.to_camera(
        _box(sides, int(row) + top, int(column) + left)
    )


def together(first: float, second: float, weight: float) -> float:
    """Put the scores of two looks together, 0..1: the mean of their logits, the second counting
    *weight* times.

    >>> round(together(0.5, 0.9, 1.0), 3)
    0.75
    """
    first_logit, second_logit = (
        np.log(p) - np.log1p(-p) for p in np.clip((first, second), SURE, 1 - SURE)
    )
    return float(1 / (1 + np.exp(-(first_logit + weight * second_logit) / (1 + weight))))


def decode(heat: Floats, sides: Floats, classes: Sequence[str], min_score: float) -> list[Finding]:
    """Read findings off the dense answer to one picture, best first, in network pixels.

    *heat*: (classes, rows, columns), 0..1; *sides*: (4, rows, columns), left, top, right, bottom in
    strides from the cell's centre. A cell counts when no neighbour of its class scores higher: Zhou
    et al., Objects as Points (2019), section 3.1. Boxes that still overlap are thinned greedily by
    IoU.
    """
    kinds, rows, columns = np.nonzero((heat >= min_score) & (heat >= _neighbourhood_maximum(heat)))
    scores = heat[kinds, rows, columns]
    best = np.argsort(-scores, kind="stable")[:MAX_CANDIDATES]
    cells = zip(kinds[best], rows[best], columns[best], strict=True)
    return thin(
        Finding(classes[kind], float(heat[kind, row, column]), _box(sides, row, column))
        for kind, row, column in cells
        if np.isfinite(sides[:, row, column]).all()
    )


def thin(findings: Iterable[Finding], most: float = DUPLICATE_IOU) -> list[Finding]:
    """Leave out each finding that overlaps a better one of its class by more than the IoU *most*;
    best come first.
    """
    kept: list[Finding] = []
    for finding in findings:
        if all(
            other.label != finding.label or other.box.iou(finding.box) <= most for other in kept
        ):
            kept.append(finding)
    return kept


def _box(sides: Floats, row: int, column: int) -> Box:
    """The box that the cell speaks of, in network pixels."""
    left, top, right, bottom = (float(side) * STRIDE for side in sides[:, row, column])
    x, y = (float(column) + 0.5) * STRIDE, (float(row) + 0.5) * STRIDE
    return Box(x - left, y - top, x + right, y + bottom)


def _neighbourhood_maximum(heat: Floats) -> Floats:
    """Greatest value in the 3 x 3 cells around each cell; same shape as *heat*."""
    _, rows, columns = heat.shape
    padded = np.pad(heat, ((0, 0), (1, 1), (1, 1)), constant_values=-1.0)
    windows = [padded[:, y : y + rows, x : x + columns] for y in range(3) for x in range(3)]
    return np.asarray(np.maximum.reduce(windows), np.float32)
