"""Parts of a design: rooms on the canvas, and lines, motifs, cells and bars that fill them."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from train.drawing.canvas import Canvas, Colour
from train.drawing.lettering import Face, letters, line_of
from train.drawing.motifs import motif


@dataclass(frozen=True)
class Hand:
    """The three random generators that draw a mark."""

    style: np.random.Generator
    words: np.random.Generator
    motifs: np.random.Generator

    def chance(self, share: float) -> bool:
        """Return whether the style does something that *share* of all styles do."""
        return bool(self.style.random() < share)


@dataclass(frozen=True)
class Room:
    """A rectangle to draw in: its middle and half its width and height, in units."""

    x: float
    y: float
    w: float
    h: float

    def part(self, top: float, bottom: float) -> "Room":
        """Return the rows from *top* to *bottom*, 0..1."""
        return Room(self.x, self.y + self.h * (top + bottom - 1), self.w, self.h * (bottom - top))

    def columns(self, left: float, right: float) -> "Room":
        """Return the columns from *left* to *right*, 0..1."""
        return Room(self.x + self.w * (left + right - 1), self.y, self.w * (right - left), self.h)


def write(canvas: Canvas, text: str, face: Face, room: Room, colour: Colour | None) -> None:
    """Write one line as large as the room allows; a long one is first narrowed by up to 40 %."""
    tile = line_of(text, face, canvas.px(1.5 * room.h))
    across, down = canvas.px(2 * room.w) / tile.width, canvas.px(2 * room.h) / tile.height
    grow_x = min(across, down * 1.25)
    grow_y = min(down, grow_x / 0.6)
    size = max(1, round(tile.width * grow_x)), max(1, round(tile.height * grow_y))
    canvas.place(tile.resize(size, Image.Resampling.BILINEAR), (room.x, room.y), colour)


def write_round(
    canvas: Canvas,
    text: str,
    face: Face,
    radius: float,
    height: float,
    below: bool,
    colour: Colour | None,
) -> None:
    """Write along a circle about the canvas's middle, above or below it, from left to right.

    *radius*: to the middle of the capitals; a line that would run further than 150 degrees is
    narrowed.
    """
    tiles = letters(text.upper(), face, canvas.px(height))
    gap = canvas.px(height * (0.1 + face.spacing))
    natural = sum(tile.width + gap for tile in tiles) - gap
    squeeze = min(1.0, math.radians(150) * radius * canvas.scale / max(1, natural))
    way = -1 if below else 1
    along = -natural * squeeze / 2
    for tile in tiles:
        wide = tile.width * squeeze
        angle = (along + wide / 2) / (radius * canvas.scale)
        narrow = tile.resize((max(1, round(wide)), tile.height), Image.Resampling.BILINEAR)
        # A capital's middle lies at 0.65 of its height in a tile 1.5 high: the tile's own middle is
        # a tenth lower.
        out = radius - way * 0.1 * height
        at = out * math.sin(angle), -way * out * math.cos(angle)
        canvas.place(narrow, at, colour, way * math.degrees(angle))
        along += wide + gap * squeeze


def draw_motif(canvas: Canvas, hand: Hand, room: Room, colour: Colour | None) -> None:
    """Draw a motif in the middle of a room."""
    canvas.place(motif(hand.motifs, canvas.px(2 * min(room.w, room.h))), (room.x, room.y), colour)


def draw_cells(canvas: Canvas, cells: NDArray[np.bool_], room: Room, colour: Colour | None) -> None:
    """Draw a grid of square cells, (rows, columns) of truth values, as large as the room allows."""
    rows, columns = cells.shape
    cell = max(1, min(canvas.px(2 * room.w) // columns, canvas.px(2 * room.h) // rows))
    tile = Image.fromarray(np.where(cells, 255, 0).astype(np.uint8))
    large = tile.resize((columns * cell, rows * cell), Image.Resampling.NEAREST)
    canvas.place(large, (room.x, room.y), colour)


def bar(canvas: Canvas, room: Room, colour: Colour | None) -> None:
    """Fill a room."""
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * [room.w, room.h] + [room.x, room.y]
    canvas.polygon(corners, colour)
