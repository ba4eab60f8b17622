"""Targets of the network and its losses: penalty-reduced focal loss and GIoU loss.

Targets follow Liu et al., *Training-Time-Friendly Network* (TTFNet, 2020): an elliptic Gaussian
around each centre, and every cell inside it learns the box, weighted by the Gaussian; it learns in
fewer steps than one cell a mark. That each cell near a centre is one of its centres follows Ge et
al., *YOLOX* (2021), section 2. The heat loss is the penalty-reduced focal loss of *Objects as
Points*; the box loss is Rezatofighi et al., *GIoU* (2019).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from edge.decision import Box
from edge.vision.contract import STRIDE

GAUSSIAN_SHARE = 0.54
"""Half-axes of the Gaussian's ellipse as a share of the box's half-sides (TTFNet, section 3.3)."""
CENTRE_REACH = 0.75
"""A cell is a centre of a mark when the mark's own centre is at most so far from the cell's, in
cells, each way: one cell where it lies in the middle of it, up to four where it lies between them.
With the nearest cell alone, of two cells that see the same one is right and the other wrong, and
both learn to doubt: a mark got 0.36 between four cells that got 0.79 in the middle of one."""
INSIDE = 0.9
"""How far from its middle a mark's centres lie at most, as a share of its half-side: a cell beyond
its side could not say where that is."""


@dataclass(frozen=True)
class Target:
    """The target of one picture, on the grid of cells.

    *heat*: (classes, rows, columns) float32, 0..1, exactly 1 at the centres of each mark, one to
    four cells; *care*: (rows, columns) float32, 0 where the heat has no loss, at a mark's centres
    the share of each; *sides*: (4, rows, columns) float32, distances
    from the cell's centre to the box's left, top, right and bottom, in strides; *weight*: (rows,
    columns) float32, the weight of each cell's box loss, its sum being about the number of marks.
    """

    heat: NDArray[np.float32]
    care: NDArray[np.float32]
    sides: NDArray[np.float32]
    weight: NDArray[np.float32]


def encode(
    marks: Sequence[tuple[int, Box]], ignored: Sequence[Box], classes: int, rows: int, columns: int
) -> Target:
    """Return the target of one picture.

    *marks*: class index and bounding box in network pixels; *ignored*: boxes of marks too small,
    hidden or cut to count; *classes*: how many there are; *rows*, *columns*: of the grid of cells.
    """
    target = Target(
        np.zeros((classes, rows, columns), np.float32),
        np.ones((rows, columns), np.float32),
        np.zeros((4, rows, columns), np.float32),
        np.zeros((rows, columns), np.float32),
    )
    for box in ignored:
        x0, y0, x1, y1 = (side / STRIDE for side in box.corners())
        target.care[max(0, int(y0)) : int(np.ceil(y1)), max(0, int(x0)) : int(np.ceil(x1))] = 0.0
    # Larger marks first: where two Gaussians overlap, the smaller mark, which has fewer cells,
    # keeps them.
    for kind, box in sorted(marks, key=lambda mark: -mark[1].area):
        _draw_mark(target, kind, box)
    return target


def _draw_mark(target: Target, kind: int, box: Box) -> None:
    _, rows, columns = target.heat.shape
    across = _Axis.of((box.x0 + box.x1) / 2, box.width, columns)
    down = _Axis.of((box.y0 + box.y1) / 2, box.height, rows)
    ys, xs = down.cells, across.cells
    y, x = np.arange(rows)[ys, None], np.arange(columns)[None, xs]
    gauss = down.gauss[:, None] * across.gauss[None, :]
    np.maximum(target.heat[kind, ys, xs], gauss, out=target.heat[kind, ys, xs])
    target.care[down.centres, across.centres] = 1.0 / (down.count * across.count)
    # Cells outside the box (a mark cut by the frame) cannot have positive distances, so they learn
    # no box.
    centre_x, centre_y = (x + 0.5) * STRIDE, (y + 0.5) * STRIDE
    distances = centre_x - box.x0, centre_y - box.y0, box.x1 - centre_x, box.y1 - centre_y
    sides = np.stack(np.broadcast_arrays(*distances))
    inside = (sides > 0).all(0)
    target.sides[:, ys, xs] = np.where(inside, sides / STRIDE, target.sides[:, ys, xs])
    target.weight[ys, xs] = np.where(inside, gauss / gauss.sum(), target.weight[ys, xs])


@dataclass(frozen=True)
class _Axis:
    """The cells of one axis that a mark has: *cells*, with their Gaussian, 1 at the *centres*."""

    cells: slice
    gauss: NDArray[np.float32]
    centres: slice
    count: int

    @classmethod
    def of(cls, middle: float, length: float, size: int) -> "_Axis":
        """Make those of a mark of *length* pixels around *middle*, on a grid of *size* cells."""
        place = min(max(middle / STRIDE - 0.5, 0.0), size - 1.0)  # 0 in the middle of the first
        reach = min(CENTRE_REACH, max(0.5, INSIDE * length / STRIDE / 2))
        first, last = math.ceil(place - reach), math.floor(place + reach)
        centres = slice(max(0, first), min(size, last + 1))
        radius = int(length / STRIDE / 2 * GAUSSIAN_SHARE)
        nearest = round(place)
        cells = slice(
            max(0, min(nearest - radius, centres.start)),
            min(size, max(nearest + radius + 1, centres.stop)),
        )
        sigma = (2 * radius + 1) / 6
        at = np.arange(cells.start, cells.stop, dtype=np.float32)
        gauss = np.exp(-((at - place) ** 2) / (2 * sigma**2)).astype(np.float32)
        gauss[centres.start - cells.start : centres.stop - cells.start] = 1.0
        return cls(cells, gauss, centres, centres.stop - centres.start)


def heat_loss(logits: Tensor, heat: Tensor, care: Tensor) -> Tensor:
    """Return the penalty-reduced focal loss, summed over the batch and divided by its marks.

    The centres of a mark count as one by their shares, *care*. The divisor is at least 1. *logits*,
    *heat*: (n, classes, rows, columns); *care*: (n, rows, columns).
    """
    centre = heat == 1.0
    at_centre = logits[centre]
    share = care.unsqueeze(1).expand_as(heat)[centre]
    positives = -functional.logsigmoid(at_centre) * torch.sigmoid(-at_centre) ** 2 * share
    # At a centre 1 - heat is 0, so the negatives need no mask.
    weight = torch.sub(1.0, heat).square_().square_().mul_(care.unsqueeze(1))
    negatives: Tensor = _NegativeLoss.apply(logits, weight)  # type: ignore[no-untyped-call]
    return (positives.sum() + negatives) / share.sum().clamp(min=1.0)


class _NegativeLoss(torch.autograd.Function):
    """The focal loss summed over cells without a centre: weight * -log(1 - p) * p**2.

    Written out with its derivative, p**2 * (p + 2 * (1 - p) * -log(1 - p)), because it runs over
    every cell of every class: with the hundreds of classes of :mod:`train.learn.starter`, a chain
    of ready-made functions takes as long as the network.
    """

    @staticmethod
    def forward(ctx: Any, logits: Tensor, weight: Tensor) -> Tensor:
        """Return the sum, and save its derivative."""
        score = torch.sigmoid(logits)
        surprise = functional.softplus(logits)
        weighted = (score * score).mul_(weight)
        total = torch.dot(weighted.flatten(), surprise.flatten())
        slope = torch.rsub(score, 1.0).mul_(surprise).mul_(2.0).add_(score).mul_(weighted)
        ctx.save_for_backward(slope)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        """Return the derivative times the gradient of the sum."""
        (slope,) = ctx.saved_tensors
        return slope * gradients[0], None


def sides_loss(predicted: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Return the GIoU loss of boxes around the same cell centre, averaged by *weight*.

    *predicted*, *target*: (n, 4, rows, columns), in strides; *weight*: (n, rows, columns).
    """
    chosen = weight > 0
    if not bool(chosen.any()):
        return predicted.sum() * 0.0
    p, w = (sides.permute(0, 2, 3, 1)[chosen] for sides in (predicted, target))
    share = weight[chosen]
    inner, outer = torch.minimum(p, w), torch.maximum(p, w)
    shared = (inner[:, 0] + inner[:, 2]) * (inner[:, 1] + inner[:, 3])
    hull = (outer[:, 0] + outer[:, 2]) * (outer[:, 1] + outer[:, 3])
    area_p = (p[:, 0] + p[:, 2]) * (p[:, 1] + p[:, 3])
    area_w = (w[:, 0] + w[:, 2]) * (w[:, 1] + w[:, 3])
    union = area_p + area_w - shared
    giou = shared / union - (hull - union) / hull
    return ((1 - giou) * share).sum() / share.sum()
