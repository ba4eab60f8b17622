"""Cut-outs: pictures with transparency, kept as image pyramids so that small ones are clean."""

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edge.vision.preprocess import Frame
from train.marks.insides import Inside
from train.marks.making import OPAQUE, UNKNOWN, Making

Pixels = NDArray[np.uint8]
"""A picture with transparency: (height, width, 4) uint8, RGBA, not premultiplied."""

LEVEL_STEP = math.sqrt(2.0)
"""Ratio of the sizes of neighbouring levels; a level is never shrunk by more than this when it is
sampled."""
PAD = 6
"""Transparent pixels around each level, so that sampling beside the edge finds neither ink nor a
foreign colour."""
FAINT = 16
"""Alpha, 0..255, below which a pixel's own colour cannot be trusted and is taken from its
neighbours."""


@dataclass(frozen=True)
class Level:
    """A level of the pyramid: *pixels* with a transparent margin of :data:`PAD`, and its scales."""

    pixels: Pixels
    scale_x: float
    scale_y: float

    def to_cutout(self) -> NDArray[np.float64]:
        """Return the (3, 3) matrix from this level's pixel indices to the cut-out's coordinates.

        These count from the pixels' edges.
        """
        x, y = 1.0 / self.scale_x, 1.0 / self.scale_y
        return np.array([[x, 0.0, (0.5 - PAD) * x], [0.0, y, (0.5 - PAD) * y], [0.0, 0.0, 1.0]])

    def unpadded(self) -> Pixels:
        """Return the pixels without the margin."""
        return self.pixels[PAD:-PAD, PAD:-PAD]


@dataclass(frozen=True, eq=False)
class Cutout:
    """Something to paste.

    *image*: RGBA; *outline*: (n, 2) points on its extent, x and y, pixel-edge coordinates; *kind*:
    class index, None for a look-alike; *filled*: whether its transparent pixels, too, have a colour
    that fits; *making*: how the print is made; *least_px*: of a look-alike, least longer side in
    pixels of the network's input at which it can be told from the mark; *insides*: the parts of it
    that count in its place, None where it counts itself. Synchronization: levels are made as they
    are asked for, so one thread each.
    """

    image: Image.Image
    outline: NDArray[np.float64]
    kind: int | None
    filled: bool = False
    making: Making = UNKNOWN
    least_px: float = 0.0
    insides: tuple[Inside, ...] | None = None
    _levels: dict[int, Level] = field(default_factory=dict, repr=False)

    @property
    def width(self) -> int:
        """Width in its own pixels."""
        return self.image.width

    @property
    def height(self) -> int:
        """Height in its own pixels."""
        return self.image.height

    @cached_property
    def pixels(self) -> Pixels:
        """The picture at its own size, transparent pixels coloured like their neighbours."""
        pixels = np.asarray(self.image.convert("RGBA"), np.uint8)
        return pixels if self.filled else _spread_colours(pixels)

    @cached_property
    def hull(self) -> NDArray[np.float64]:
        """The corners of the outline's convex hull, (n, 2): a homography's extremes lie on them."""
        corners = cv2.convexHull(self.outline.astype(np.float32))
        return np.asarray(corners[:, 0, :], np.float64)

    @cached_property
    def mean_colour(self) -> tuple[int, int, int]:
        """The mean colour of what is opaque: red, green, blue, 0..255."""
        opaque = np.asarray(self.pixels[..., 3] >= OPAQUE, np.uint8)
        red, green, blue = cv2.mean(self.pixels, opaque)[:3]
        return round(red), round(green), round(blue)

    def level(self, long_side: float) -> Level:
        """Return the smallest level with a longer side of *long_side* pixels, or the largest."""
        shrink = max(self.width, self.height) / max(long_side, 4.0)
        number = max(0, math.floor(math.log(shrink, LEVEL_STEP)))
        if number not in self._levels:
            self._levels[number] = self._make_level(number)
        return self._levels[number]

    def _make_level(self, number: int) -> Level:
        sides = (self.width, self.height)
        width, height = (max(2, round(side * LEVEL_STEP**-number)) for side in sides)
        small: NDArray[Any] = self.pixels
        if number:
            small = cv2.resize(self.pixels, (width, height), interpolation=cv2.INTER_AREA)
        padded = cv2.copyMakeBorder(small, PAD, PAD, PAD, PAD, cv2.BORDER_REPLICATE)
        for margin in (padded[:PAD], padded[-PAD:], padded[:, :PAD], padded[:, -PAD:]):
            margin[..., 3] = 0
        return Level(np.asarray(padded, np.uint8), width / self.width, height / self.height)


def _spread_colours(rgba: Pixels) -> Pixels:
    """Colour what is transparent like the ink near it.

    Else shrinking and warping would make a dark or white seam.
    """
    ink = np.ascontiguousarray(rgba)
    premultiplied = cv2.multiply(ink[..., :3], cv2.merge([ink[..., 3]] * 3), scale=1 / 255)
    ink = np.dstack([premultiplied, ink[..., 3]])
    spread = rgba.copy()
    empty = rgba[..., 3] < FAINT
    coarse = cv2.resize(ink, (24, 24), interpolation=cv2.INTER_AREA)
    size = (rgba.shape[1], rgba.shape[0])
    whole = np.array(cv2.mean(ink))
    # From far to near, so that the nearest ink has the last word.
    spread[empty, :3] = (whole[:3] * (255 / max(whole[3], 1e-6))).clip(0, 255)
    for near in (
        cv2.resize(cv2.blur(coarse, (7, 7)), size),
        cv2.resize(cv2.blur(coarse, (3, 3)), size),
        cv2.blur(ink, (5, 5)),
    ):
        found = empty & (near[..., 3] > 12)
        colours = near[found].astype(np.float32)
        spread[found, :3] = (colours[:, :3] * (255 / colours[:, 3:])).clip(0, 255)
    return spread


def with_alpha(rgb: Frame, alpha: NDArray[np.uint8]) -> Pixels:
    """Join colours and an alpha channel of one size: (height, width, 4) uint8, RGBA."""
    joined = cv2.cvtColor(rgb, cv2.COLOR_RGB2RGBA)
    cv2.insertChannel(alpha, joined, 3)
    return np.asarray(joined, np.uint8)


def resized(pixels: Frame, size: tuple[int, int]) -> Frame:
    """Resize a picture to (width, height), in pixels, quickly and without aliasing."""
    while pixels.shape[1] >= 2 * size[0] and pixels.shape[0] >= 2 * size[1]:
        # Halving is averaged several times faster than any other shrinking.
        height, width = pixels.shape[0] // 2, pixels.shape[1] // 2
        cut = pixels[: 2 * height, : 2 * width]
        half = cv2.resize(cut, (width, height), interpolation=cv2.INTER_AREA)
        pixels = np.asarray(half, np.uint8)
    way = cv2.INTER_AREA if pixels.shape[1] > 1.6 * size[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, size, interpolation=way), np.uint8)
