"""Where a cut-out lies on the picture: size, turn, foreshortening, the bend of a bottle, and the
box that results.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.decision import Box
from train.config import SynthSettings
from train.paint.cutouts import PAD, Cutout, Pixels
from train.paint.random_draws import bell, between, happens, ratio_between

STEEPEST = math.radians(78.0)
"""Farthest round a bottle that a mark reaches, from the line that faces the camera, in radians."""
FINE_PX = 100.0
"""Marks up to this long, in canvas pixels, are painted twice as large and averaged down, so that
print stays crisp."""
OVERLAP = 0.02
"""Share of the smaller box that two cut-outs may share."""
TRIES = 3
"""How often a free place is looked for before a cut-out is left out."""

Points = NDArray[np.float64]
"""(n, 2) float64, x and y, pixel-edge coordinates."""
Grid = NDArray[np.float32]
"""One coordinate of many points, any shape."""
Matrix = NDArray[np.float64]
"""A (3, 3) homography."""


@dataclass(frozen=True)
class Placed:
    """A cut-out on the canvas: its *box* in canvas pixels and the share of it that can be seen,
    0..1.
    """

    kind: int | None
    box: Box
    visible: float


@dataclass(frozen=True)
class Bend:
    """How a cut-out lies round a bottle or can; lengths in its own pixels, angles in radians.

    *upright*: whether the bottle's axis runs along y, else along x; *radius*: of the bottle;
    *middle*: of the cut-out, across the axis; *turn*: how far round the bottle that middle is;
    *sag*: how far the camera looks along the axis, as the sine of that angle: it makes straight
    lines round the bottle sag.
    """

    upright: bool
    radius: float
    middle: float
    turn: float
    sag: float

    def onto(self, points: Points) -> Points:
        """Where points of the flat cut-out are seen."""
        across, along = (
            (points[:, 0], points[:, 1]) if self.upright else (points[:, 1], points[:, 0])
        )
        angle = self.turn + (across - self.middle) / self.radius
        seen = self.middle + self.radius * (np.sin(angle) - math.sin(self.turn))
        sunk = along + self.sag * self.radius * (math.cos(self.turn) - np.cos(angle))
        return np.column_stack((seen, sunk) if self.upright else (sunk, seen))

    def back(self, x: Grid, y: Grid) -> tuple[Grid, Grid]:
        """Which points of the flat cut-out are seen at *x* and *y*; beside the bottle, points
        beside the cut-out.
        """
        seen, sunk = (x, y) if self.upright else (y, x)
        angle = np.arcsin(
            ((seen - self.middle) / self.radius + math.sin(self.turn)).clip(-1.0, 1.0)
        )
        across = self.middle + self.radius * (angle - self.turn)
        along = sunk - self.sag * self.radius * (math.cos(self.turn) - np.cos(angle))
        return (across, along) if self.upright else (along, across)


@dataclass(frozen=True)
class Pose:
    """How a cut-out gets onto the canvas.

    *matrix*: from its pixels, or from those of the bent cut-out where there is a *bend*, to the
    canvas's; *box*: all it covers there.
    """

    matrix: Matrix
    box: Box
    bend: Bend | None = None


@dataclass(frozen=True)
class Rect:
    """Whole pixels of the canvas, half-open."""

    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def width(self) -> int:
        """Width in pixels."""
        return self.x1 - self.x0

    @property
    def height(self) -> int:
        """Height in pixels."""
        return self.y1 - self.y0


def place(
    rng: np.random.Generator,
    s: SynthSettings,
    cutout: Cutout,
    canvas: tuple[int, int],
    frame_px: float,
    scale: float,
    placed: Sequence[Placed],
) -> Pose | None:
    """Find a free place for a cut-out, or none.

    *canvas*: its width and height; *frame_px*: how many canvas pixels the whole frame's side has;
    *scale*: canvas pixels per network pixel; *placed*: what lies there already.
    """
    corners = random_corners(rng, s, cutout, size_range(s, cutout, canvas, frame_px, scale))
    matrix = homography(corners_of(cutout.width, cutout.height), corners)
    bend = random_bend(rng, s, cutout) if happens(rng, s.curve_share) else None
    box = bounds(project(matrix, cutout.hull if bend is None else bend.onto(cutout.outline)))
    # Some are cut by the frame; the others lie inside.
    inside = 0.3 if happens(rng, s.cut_share) else 1.0
    for _ in range(TRIES):
        x, y = (
            _middle(rng, side, length * inside)
            for side, length in zip(canvas, (box.width, box.height), strict=True)
        )
        dx, dy = x - (box.x0 + box.x1) / 2, y - (box.y0 + box.y1) / 2
        moved = Box(box.x0 + dx, box.y0 + dy, box.x1 + dx, box.y1 + dy)
        if all(moved.intersection(p.box) <= OVERLAP * min(moved.area, p.box.area) for p in placed):
            return Pose(shift(dx, dy) @ matrix, moved, bend)
    return None


def _middle(rng: np.random.Generator, side: float, length: float) -> float:
    """Where the middle of something of that length may lie on a side, in pixels."""
    return length / 2 + rng.random() * (side - length) if length < side else side / 2


def size_range(
    s: SynthSettings, cutout: Cutout, canvas: tuple[int, int], frame_px: float, scale: float
) -> tuple[float, float]:
    """Least and greatest longer side of a cut-out, in canvas pixels."""
    largest = min(s.size_max * frame_px, 0.85 * max(canvas))
    # A look-alike is shown only where it can be told from a mark: too small, it would punish the
    # right answer.
    least = (
        s.size_min * frame_px
        if cutout.kind is not None
        else max(s.size_min * frame_px, s.legible_px * scale)
    )
    return min(least, largest), largest


def random_bend(rng: np.random.Generator, s: SynthSettings, cutout: Cutout) -> Bend:
    """A bottle for a cut-out to lie round, most often standing."""
    upright = happens(rng, 0.7)
    length = cutout.width if upright else cutout.height
    span = math.radians(between(rng, 0.25, 1.0) * s.curve_deg)
    turn = between(rng, -0.6, 0.6) * max(0.0, STEEPEST - span / 2)
    return Bend(upright, length / span, length / 2, turn, between(rng, -0.35, 0.35))


def random_corners(
    rng: np.random.Generator, s: SynthSettings, cutout: Cutout, sizes: tuple[float, float]
) -> Points:
    """A cut-out's corners about the origin, (4, 2), in canvas pixels: random size, turn, squeeze
    and perspective.

    *sizes*: least and greatest longer side.
    """
    length = ratio_between(rng, *sizes) / max(cutout.width, cutout.height)
    squeeze = s.squeeze if happens(rng, 0.6) else 0.0
    width = cutout.width * length * (1 - squeeze * rng.random())
    height = cutout.height * length * (1 - squeeze * rng.random())
    lean = s.perspective * rng.random() if happens(rng, 0.7) else 0.0
    turn = math.radians(bell(rng, 0.45) * s.rotation_deg)
    sine, cosine = math.sin(turn), math.cos(turn)
    corners = []
    for u, v in ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)):
        x, y = (u + between(rng, -lean, lean)) * width, (v + between(rng, -lean, lean)) * height
        corners.append((cosine * x - sine * y, sine * x + cosine * y))
    return np.array(corners)


def corners_of(width: float, height: float) -> Points:
    """Corners of a picture of that size: (4, 2), clockwise from the top left."""
    return np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64)


def homography(source: Points, target: Points) -> Matrix:
    """The matrix that maps four source points onto four target points, (4, 2) each, to a thousandth
    of a pixel.

    Source: Hartley and Zisserman, *Multiple View Geometry*, section 4.1, with the last entry fixed
    at 1.
    """
    matrix = cv2.getPerspectiveTransform(source.astype(np.float32), target.astype(np.float32))
    return np.asarray(matrix, np.float64)


def shift(x: float, y: float) -> Matrix:
    """The matrix that moves points by so many pixels."""
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def project(matrix: Matrix, points: Points) -> Points:
    """Map points through a homography."""
    mapped = points @ matrix[:, :2].T + matrix[:, 2]
    return np.asarray(mapped[:, :2] / mapped[:, 2:], np.float64)


def bounds(points: Points) -> Box:
    """The least box that holds all the points."""
    (x0, y0), (x1, y1) = points.min(0).tolist(), points.max(0).tolist()
    return Box(x0, y0, x1, y1)


def spanning(box: Box, moved: tuple[float, float]) -> Box:
    """The least box that holds one and the same moved by so many pixels."""
    x, y = moved
    return Box(
        box.x0 + min(x, 0.0), box.y0 + min(y, 0.0), box.x1 + max(x, 0.0), box.y1 + max(y, 0.0)
    )


def cover(box: Box, canvas: tuple[int, int], margin: int = 1) -> Rect:
    """The whole pixels of the canvas that a box touches, and *margin* more each way."""
    return Rect(
        max(0, math.floor(box.x0) - margin),
        max(0, math.floor(box.y0) - margin),
        min(canvas[0], math.ceil(box.x1) + margin),
        min(canvas[1], math.ceil(box.y1) + margin),
    )


def warp(cutout: Cutout, pose: Pose, rect: Rect) -> Pixels:
    """Paint a cut-out as it lies on the part *rect* of the canvas; returns that layer."""
    long_side = max(pose.box.width, pose.box.height)
    fine = 2 if long_side <= FINE_PX else 1
    level = cutout.level(long_side * fine * 0.8)
    size = (rect.width * fine, rect.height * fine)
    # Indices count from a pixel's middle, coordinates from its edge.
    onto = np.array(
        [[fine, 0.0, -fine * rect.x0 - 0.5], [0.0, fine, -fine * rect.y0 - 0.5], [0.0, 0.0, 1.0]]
    )
    onto = onto @ pose.matrix
    if pose.bend is None:
        layer = cv2.warpPerspective(
            level.pixels, onto @ level.to_cutout(), size, flags=cv2.INTER_LINEAR
        )
    else:
        x, y = _seen_through(np.linalg.inv(onto), size)
        x, y = pose.bend.back(x, y)
        level_x, level_y = x * level.scale_x + (PAD - 0.5), y * level.scale_y + (PAD - 0.5)
        layer = cv2.remap(
            level.pixels, level_x.astype(np.float32), level_y.astype(np.float32), cv2.INTER_LINEAR
        )
    if fine > 1:
        layer = cv2.resize(layer, (rect.width, rect.height), interpolation=cv2.INTER_AREA)
    return np.asarray(layer, np.uint8)


def _seen_through(back: Matrix, size: tuple[int, int]) -> tuple[Grid, Grid]:
    """Where a homography takes each pixel of a layer of that width and height: x and y, (height,
    width) each.
    """
    columns, rows = (
        np.arange(size[0], dtype=np.float32),
        np.arange(size[1], dtype=np.float32)[:, None],
    )
    x, y, weight = (row[0] * columns + (row[1] * rows + row[2]) for row in back.astype(np.float32))
    return x / weight, y / weight
