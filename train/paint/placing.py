"""Geometric augmentation: size, rotation, perspective warp, bend; the bounding box follows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.decision import Box
from train.config import SynthSettings
from train.paint.contrast import Trace
from train.paint.cutouts import PAD, Cutout, Pixels
from train.paint.random_draws import between, clipped_normal, happens, ratio_between

STEEPEST = math.radians(78.0)
"""Farthest round a bottle that a mark reaches, from the line that faces the camera, in radians."""
FINE_PX = 100.0
"""Longest marks, in canvas pixels, that are painted twice as large and averaged down, so that print
stays crisp."""
OVERLAP = 0.02
"""Share of the smaller box that two cut-outs may share."""
TRIES = 3
"""How often a free place is looked for before a cut-out is left out."""

# Ranges of the draws, least and greatest, and chances, 0..1; the settings hold the others.
CUT_INSIDE = 0.3
"""Share of the width and height of a cut-out that stays inside a frame that cuts it."""
LARGEST = 0.85
"""Greatest longer side of a cut-out, as a share of the canvas's, beside ``size_max``."""
UPRIGHT_SHARE = 0.7
"""Chance that a bottle stands; the others lie."""
BEND_SPAN = (0.25, 1.0)
"""Part of the bottle that a cut-out covers, as a share of ``curve_deg``."""
BEND_TURN = (-0.6, 0.6)
"""How far round the bottle its middle lies, as a share of the farthest that it can."""
BEND_SAG = (-0.35, 0.35)
"""Sine of the camera's angle along the bottle's axis."""
SQUEEZE_SHARE = 0.6
"""Chance of foreshortening."""
LEAN_SHARE = 0.7
"""Chance of perspective."""
TURN_DEVIATION = 0.45
"""Standard deviation of the rotation, as a share of ``rotation_deg``."""
LEVEL_SHARE = 0.8
"""Least size of the stored level that is warped, as a share of the size it gets."""

Points = NDArray[np.float64]
"""(n, 2) float64, x and y, pixel-edge coordinates."""
Grid = NDArray[np.float32]
"""One coordinate of many points, any shape."""
Matrix = NDArray[np.float64]
"""A (3, 3) homography."""


@dataclass(frozen=True)
class Conditions:
    """How a painted mark is shown, by the painter's own draws.

    *size*: longer side of its box as a share of the network input's side; *turn_deg*: rotation from
    upright, 0..180; *blur_px*: softness of the picture, in network pixels; *stops*: exposure, above
    0 is brighter; *uneven*: whether shadow, gradient or glare lies on the picture; *visible*: share
    of the mark that can be seen, 0..1.
    """

    size: float
    turn_deg: float
    blur_px: float
    stops: float
    uneven: bool
    visible: float


@dataclass(frozen=True)
class Placed:
    """A cut-out on the canvas.

    *box*: bounding box in canvas pixels; *visible*: share of it that can be seen, 0..1; *least_px*:
    least longer side in network pixels at which it is what it is said to be; *trace*: what it
    changed on the canvas, None where its contrast is not measured; *turn_deg*: rotation from
    upright, 0..180; *ignored*: neither right nor wrong to find; *parts*: what counts in its place,
    None where it counts itself.
    """

    kind: int | None
    box: Box
    visible: float
    least_px: float = 0.0
    trace: Trace | None = field(default=None, compare=False)
    turn_deg: float = 0.0
    ignored: bool = False
    parts: "tuple[Placed, ...] | None" = None


@dataclass(frozen=True)
class Bend:
    """The bend of a cut-out round a bottle or can; lengths in its own pixels, angles in radians.

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
        """Map points of the flat cut-out to where they are seen."""
        x, y = points[:, 0], points[:, 1]
        across, along = (x, y) if self.upright else (y, x)
        angle = self.turn + (across - self.middle) / self.radius
        seen = self.middle + self.radius * (np.sin(angle) - math.sin(self.turn))
        sunk = along + self.sag * self.radius * (math.cos(self.turn) - np.cos(angle))
        return np.column_stack((seen, sunk) if self.upright else (sunk, seen))

    def back(self, x: Grid, y: Grid) -> tuple[Grid, Grid]:
        """Map what is seen at *x* and *y* to points of the flat cut-out.

        Beside the bottle, these lie beside the cut-out.
        """
        seen, sunk = (x, y) if self.upright else (y, x)
        sine = (seen - self.middle) / self.radius + math.sin(self.turn)
        angle = np.arcsin(sine.clip(-1.0, 1.0))
        across = self.middle + self.radius * (angle - self.turn)
        along = sunk - self.sag * self.radius * (math.cos(self.turn) - np.cos(angle))
        return (across, along) if self.upright else (along, across)


@dataclass(frozen=True)
class Pose:
    """The transformation of a cut-out to the canvas.

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
    """Draw a free place for a cut-out, or none.

    *canvas*: its width and height; *frame_px*: how many canvas pixels the whole frame's side has;
    *scale*: canvas pixels per network pixel; *placed*: what lies there already.
    """
    corners = random_corners(rng, s, cutout, size_range(s, cutout, canvas, frame_px, scale))
    matrix = homography(corners_of(cutout.width, cutout.height), corners)
    bend = random_bend(rng, s, cutout) if happens(rng, s.curve_share) else None
    box = bounds(project(matrix, cutout.hull if bend is None else bend.onto(cutout.outline)))
    # Some are cut by the frame; the others lie inside.
    inside = CUT_INSIDE if happens(rng, s.cut_share) else 1.0
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


def inside_box(part: Box, pose: Pose) -> Box:
    """Return the bounding box, on the canvas, of a part of a cut-out that lies so."""
    corners = corners_of(part.width, part.height) + np.array([part.x0, part.y0])
    return bounds(project(pose.matrix, corners if pose.bend is None else pose.bend.onto(corners)))


def _middle(rng: np.random.Generator, side: float, length: float) -> float:
    """Draw where the middle of something of that length lies on a side, in pixels."""
    return length / 2 + rng.random() * (side - length) if length < side else side / 2


def size_range(
    s: SynthSettings, cutout: Cutout, canvas: tuple[int, int], frame_px: float, scale: float
) -> tuple[float, float]:
    """Return the least and greatest longer side of a cut-out, in canvas pixels."""
    largest = min(s.size_max * frame_px, LARGEST * max(canvas))
    least = s.size_min * frame_px
    if cutout.kind is None:
        # A look-alike is shown only where it can be told from a mark: too small, it would punish
        # the right answer.
        least = max(least, s.legible_px * scale, cutout.least_px * scale)
    return min(least, largest), largest


def random_bend(rng: np.random.Generator, s: SynthSettings, cutout: Cutout) -> Bend:
    """Draw a bottle for a cut-out to lie round, most often standing."""
    upright = happens(rng, UPRIGHT_SHARE)
    length = cutout.width if upright else cutout.height
    span = math.radians(between(rng, *BEND_SPAN) * s.curve_deg)
    turn = between(rng, *BEND_TURN) * max(0.0, STEEPEST - span / 2)
    return Bend(upright, length / span, length / 2, turn, between(rng, *BEND_SAG))


def random_corners(
    rng: np.random.Generator, s: SynthSettings, cutout: Cutout, sizes: tuple[float, float]
) -> Points:
    """Draw a cut-out's corners about the origin: size, rotation, foreshortening, perspective.

    *sizes*: least and greatest longer side, in canvas pixels. Returns (4, 2), canvas pixels.
    """
    length = ratio_between(rng, *sizes) / max(cutout.width, cutout.height)
    squeeze = s.squeeze if happens(rng, SQUEEZE_SHARE) else 0.0
    width = cutout.width * length * (1 - squeeze * rng.random())
    height = cutout.height * length * (1 - squeeze * rng.random())
    lean = s.perspective * rng.random() if happens(rng, LEAN_SHARE) else 0.0
    turn = math.radians(clipped_normal(rng, TURN_DEVIATION) * s.rotation_deg)
    if happens(rng, s.turned_share):
        turn = rng.random() * 2 * math.pi
    sine, cosine = math.sin(turn), math.cos(turn)
    corners = []
    for u, v in ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)):
        x, y = (u + between(rng, -lean, lean)) * width, (v + between(rng, -lean, lean)) * height
        corners.append((cosine * x - sine * y, sine * x + cosine * y))
    return np.array(corners)


def corners_of(width: float, height: float) -> Points:
    """Return the corners of a picture of that size: (4, 2), clockwise from the top left."""
    return np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64)


def homography(source: Points, target: Points) -> Matrix:
    """Find the homography of four source points onto four target points, (4, 2) each.

    It is exact to a thousandth of a pixel.

    Source: Hartley and Zisserman, *Multiple View Geometry*, section 4.1, with the last entry fixed
    at 1.
    """
    matrix = cv2.getPerspectiveTransform(source.astype(np.float32), target.astype(np.float32))
    return np.asarray(matrix, np.float64)


def shift(x: float, y: float) -> Matrix:
    """Return the matrix that moves points by so many pixels."""
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def rotation_deg(matrix: Matrix, x: float, y: float) -> float:
    """Return by how many degrees a homography turns what lies at *x* and *y*: 0..180.

    >>> rotation_deg(np.array([[0.0, -2.0, 5.0], [2.0, 0.0, 5.0], [0.0, 0.0, 1.0]]), 3.0, 4.0)
    90.0
    """
    before, after = project(matrix, np.array([(x, y), (x + 1e-3, y)]))
    return abs(math.degrees(math.atan2(after[1] - before[1], after[0] - before[0])))


def project(matrix: Matrix, points: Points) -> Points:
    """Map points through a homography."""
    mapped = points @ matrix[:, :2].T + matrix[:, 2]
    return np.asarray(mapped[:, :2] / mapped[:, 2:], np.float64)


def bounds(points: Points) -> Box:
    """Return the bounding box of points."""
    (x0, y0), (x1, y1) = points.min(0).tolist(), points.max(0).tolist()
    return Box(x0, y0, x1, y1)


def spanning(box: Box, moved: tuple[float, float]) -> Box:
    """Return the bounding box of a box and of the same one moved by so many pixels."""
    x, y = moved
    least, greatest = (min(x, 0.0), min(y, 0.0)), (max(x, 0.0), max(y, 0.0))
    return Box(box.x0 + least[0], box.y0 + least[1], box.x1 + greatest[0], box.y1 + greatest[1])


def cover(box: Box, canvas: tuple[int, int], margin: int = 1) -> Rect:
    """Return the whole pixels of the canvas that a box touches, and *margin* more each way."""
    return Rect(
        max(0, math.floor(box.x0) - margin),
        max(0, math.floor(box.y0) - margin),
        min(canvas[0], math.ceil(box.x1) + margin),
        min(canvas[1], math.ceil(box.y1) + margin),
    )


def warp(cutout: Cutout, pose: Pose, rect: Rect) -> Pixels:
    """Warp a cut-out into its pose; returns the layer over the part *rect* of the canvas."""
    long_side = max(pose.box.width, pose.box.height)
    fine = 2 if long_side <= FINE_PX else 1
    level = cutout.level(long_side * fine * LEVEL_SHARE)
    size = (rect.width * fine, rect.height * fine)
    # Indices count from a pixel's middle, coordinates from its edge.
    onto = np.array(
        [[fine, 0.0, -fine * rect.x0 - 0.5], [0.0, fine, -fine * rect.y0 - 0.5], [0.0, 0.0, 1.0]]
    )
    onto = onto @ pose.matrix
    if pose.bend is None:
        matrix = onto @ level.to_cutout()
        layer = cv2.warpPerspective(level.pixels, matrix, size, flags=cv2.INTER_LINEAR)
    else:
        x, y = _seen_through(np.linalg.inv(onto), size)
        x, y = pose.bend.back(x, y)
        level_x = (x * level.scale_x + (PAD - 0.5)).astype(np.float32)
        level_y = (y * level.scale_y + (PAD - 0.5)).astype(np.float32)
        layer = cv2.remap(level.pixels, level_x, level_y, cv2.INTER_LINEAR)
    if fine > 1:
        layer = cv2.resize(layer, (rect.width, rect.height), interpolation=cv2.INTER_AREA)
    return np.asarray(layer, np.uint8)


def _seen_through(back: Matrix, size: tuple[int, int]) -> tuple[Grid, Grid]:
    """Map each pixel of a layer of that width and height: x and y, (height, width) float32 each."""
    columns = np.arange(size[0], dtype=np.float32)
    rows = np.arange(size[1], dtype=np.float32)[:, None]
    x, y, weight = (row[0] * columns + (row[1] * rows + row[2]) for row in back.astype(np.float32))
    return x / weight, y / weight
