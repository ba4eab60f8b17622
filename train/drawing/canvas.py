"""A canvas to draw a mark on: units instead of pixels, clean edges, transparent where nothing was
drawn.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

LONG_SIDE = 320
"""Longer side of a finished mark, in pixels."""
OVERSAMPLE = 3
"""Drawn this many times larger, then averaged down."""
UNITS = 200.0
"""Longer side of a canvas, in drawing units."""

Colour = tuple[int, int, int]
Points = NDArray[np.float64]


class Canvas:
    """A transparent sheet; (0, 0) is its middle, x right, y down, and its longer side is `UNITS`
    long.

    A colour of None rubs out: what was drawn before becomes transparent there.
    """

    def __init__(self, aspect: float = 1.0) -> None:
        """Make an empty canvas; *aspect*: its width over its height."""
        side = LONG_SIDE * OVERSAMPLE
        self.scale = side / UNITS
        self.half = (UNITS / 2 * min(1.0, aspect), UNITS / 2 * min(1.0, 1 / aspect))
        size = round(2 * self.half[0] * self.scale), round(2 * self.half[1] * self.scale)
        # Colours are kept multiplied by their alpha, so that averaging down leaves no dark fringe.
        self.image = Image.new("RGBA", size, (0, 0, 0, 0))
        self.pen = ImageDraw.Draw(self.image)

    def polygon(self, points: Points, colour: Colour | None) -> None:
        """Fill a polygon, (n, 2) in units."""
        self.pen.polygon(self._pixels(points), fill=_ink(colour))

    def line(self, points: Points, width: float, colour: Colour | None) -> None:
        """Draw a line with round joints and round ends, (n, 2) and *width* in units."""
        pixels, reach = self._pixels(points), width * self.scale / 2
        self.pen.line(pixels, fill=_ink(colour), width=max(1, round(2 * reach)), joint="curve")
        for x, y in (pixels[0], pixels[-1]):
            self.pen.ellipse((x - reach, y - reach, x + reach, y + reach), fill=_ink(colour))

    def oval(
        self, middle: tuple[float, float], reach: tuple[float, float], colour: Colour | None
    ) -> None:
        """Fill an oval of half-axes *reach*, in units."""
        (x0, y0), (x1, y1) = self._pixels(
            np.array([np.subtract(middle, reach), np.add(middle, reach)])
        )
        self.pen.ellipse((x0, y0, x1, y1), fill=_ink(colour))

    def place(
        self,
        tile: Image.Image,
        middle: tuple[float, float],
        colour: Colour | None,
        turn_deg: float = 0.0,
    ) -> None:
        """Print a mask (L, in the canvas's own pixels) around *middle*, turned clockwise."""
        if turn_deg:
            tile = tile.rotate(-turn_deg, Image.Resampling.BILINEAR, expand=True)
        x, y = self._pixels(np.array([middle]))[0]
        at = round(x - tile.width / 2), round(y - tile.height / 2)
        self.image.paste(_ink(colour), (*at, at[0] + tile.width, at[1] + tile.height), tile)

    def px(self, units: float) -> int:
        """A length in whole pixels, at least one."""
        return max(1, round(units * self.scale))

    def finished(self) -> Image.Image:
        """The drawing averaged down: RGBA, its longer side at most `LONG_SIDE`, not yet cropped."""
        # Channel by channel: asked to reduce RGBA, Pillow would multiply by alpha once more.
        small = Image.merge("RGBA", [channel.reduce(OVERSAMPLE) for channel in self.image.split()])
        return Image.frombytes("RGBa", small.size, small.tobytes()).convert("RGBA")

    def _pixels(self, points: Points) -> Sequence[tuple[float, float]]:
        moved = (np.asarray(points, np.float64) + self.half) * self.scale
        return [(x, y) for x, y in moved.tolist()]


def _ink(colour: Colour | None) -> tuple[int, int, int, int]:
    return (0, 0, 0, 0) if colour is None else (*colour, 255)
