"""A supersampled RGBA canvas in drawing units, and printing masks on any picture."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

LONG_SIDE = 320
"""Longer side of a finished mark, in pixels."""
OVERSAMPLE = 3
"""Supersampling: drawn this many times larger, then averaged down."""
UNITS = 200.0
"""Longer side of a canvas, in drawing units."""

Colour = tuple[int, int, int]
"""Red, green, blue, 0..255 each."""
Point = tuple[float, float]
"""x, y: x right, y down."""
Points = NDArray[np.float64]
"""(n, 2) float64: x, y of each point."""


class Canvas:
    """A transparent canvas: (0, 0) is its middle, x right, y down, its longer side `UNITS` long.

    A colour of None erases: what was drawn before becomes transparent there.
    """

    def __init__(self, aspect: float = 1.0, oversample: int = OVERSAMPLE) -> None:
        """Make an empty canvas; *aspect*: its width over its height."""
        side = LONG_SIDE * oversample
        self.oversample = oversample
        self.scale = side / UNITS
        self.half = (UNITS / 2 * min(1.0, aspect), UNITS / 2 * min(1.0, 1 / aspect))
        size = round(2 * self.half[0] * self.scale), round(2 * self.half[1] * self.scale)
        # Premultiplied alpha, so that averaging down leaves no dark fringe.
        self.image = Image.new("RGBA", size, (0, 0, 0, 0))
        self.pen = ImageDraw.Draw(self.image)

    def polygon(self, points: Points, colour: Colour | None) -> None:
        """Fill a polygon, (n, 2) in units."""
        self.pen.polygon(self._pixels(points), fill=_ink(colour))

    def line(
        self, points: Points, width: float, colour: Colour | None, discs: bool = False
    ) -> None:
        """Draw a line with round joints and ends, (n, 2) and *width* in units.

        *discs*: round the joints by a disc at each point instead of Pillow's own way.
        """
        pixels, reach = self._pixels(points), width * self.scale / 2
        joint = None if discs else "curve"
        self.pen.line(pixels, fill=_ink(colour), width=max(1, round(2 * reach)), joint=joint)
        for x, y in pixels if discs else (pixels[0], pixels[-1]):
            self.pen.ellipse((x - reach, y - reach, x + reach, y + reach), fill=_ink(colour))

    def oval(self, middle: Point, reach: Point, colour: Colour | None) -> None:
        """Fill an oval of half-axes *reach*, in units."""
        self.pen.ellipse(self._box(middle, reach), fill=_ink(colour))

    def ring(self, radius: float, width: float, colour: Colour) -> None:
        """Draw a circle about the middle; *radius*: to the middle of its line, in units."""
        reach, line_px = radius + width / 2, round(width * self.scale)
        self.pen.ellipse(self._box((0, 0), (reach, reach)), outline=_ink(colour), width=line_px)

    def place(
        self, mask: Image.Image, middle: Point, colour: Colour | None, turn_deg: float = 0.0
    ) -> None:
        """Print a mask (L, in the canvas's own pixels) about *middle*, turned clockwise."""
        if turn_deg:
            mask = mask.rotate(-turn_deg, Image.Resampling.BILINEAR, expand=True)
        print_about(self.image, mask, self._pixels(np.array([middle]))[0], _ink(colour))

    def px(self, units: float) -> int:
        """Return a length in whole pixels, at least one."""
        return max(1, round(units * self.scale))

    def finished(self) -> Image.Image:
        """Return the drawing averaged down, not cropped: RGBA, longer side at most `LONG_SIDE`."""
        # Channel by channel: asked to reduce RGBA, Pillow would multiply by alpha once more.
        channels = [channel.reduce(self.oversample) for channel in self.image.split()]
        small = Image.merge("RGBA", channels)
        return Image.frombytes("RGBa", small.size, small.tobytes()).convert("RGBA")

    def _box(self, middle: Point, reach: Point) -> tuple[float, float, float, float]:
        ends = np.array([np.subtract(middle, reach), np.add(middle, reach)])
        (x0, y0), (x1, y1) = self._pixels(ends)
        return x0, y0, x1, y1

    def _pixels(self, points: Points) -> Sequence[Point]:
        moved = (np.asarray(points, np.float64) + self.half) * self.scale
        return [(x, y) for x, y in moved.tolist()]


def _ink(colour: Colour | None) -> tuple[int, int, int, int]:
    return (0, 0, 0, 0) if colour is None else (*colour, 255)


def print_mask(
    picture: Image.Image, mask: Image.Image, at: tuple[int, int], ink: tuple[int, ...]
) -> None:
    """Paste one colour through a mask (L) whose upper left corner lies *at* a pixel."""
    picture.paste(ink, (*at, at[0] + mask.width, at[1] + mask.height), mask)


def print_about(
    picture: Image.Image,
    mask: Image.Image,
    middle: Point,
    ink: tuple[int, ...],
    whole: Callable[[float], int] = round,
) -> None:
    """Paste one colour through a mask (L) about a point; *whole*: rounds its corner to pixels."""
    at = whole(middle[0] - mask.width / 2), whole(middle[1] - mask.height / 2)
    print_mask(picture, mask, at, ink)
