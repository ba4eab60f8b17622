"""Lines of print with the box of every character: words in one size, and prices in their layouts.

A price is printed as shops do: its whole part large, its fraction raised and small, lowered and
small, or as large as the rest, with or without a point or a comma between.
"""

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from edge.decision import Box
from train.drawing.random_choice import pick, pick_weighted
from train.shelf.typefaces import typeface

LAYOUTS = (("raised", 0.6), ("level", 0.25), ("lowered", 0.15))
"""Layouts of a price and how often each is printed."""
DIGITS_BEFORE = ((1, 0.17), (2, 0.5), (3, 0.28), (4, 0.05))
"""Digits before the separator, and how often."""
RAISED, LOWERED = (0.38, 0.68), (0.5, 0.75)
"""Height of a small fraction, as a share of the height of the whole part."""
SEPARATED = 0.25
"""Share of small fractions that have a point or a comma before them all the same."""
UNDERLINED = 0.1
"""Share of raised fractions with a line below."""


@dataclass(frozen=True)
class Print:
    """Something printed in one colour.

    *mask*: (height, width) uint8, how much ink, cropped to it; *characters*: each that is not a
    space with its box, in pixels of the mask, from left to right.
    """

    mask: NDArray[np.uint8]
    characters: tuple[tuple[str, Box], ...]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, in pixels."""
        return self.mask.shape[1], self.mask.shape[0]


@dataclass(frozen=True)
class Hand:
    """How words are set.

    *font*: file; *stroke*: thickening, *spacing*: between characters, both as shares of the size;
    *stretch*: width over natural width.
    """

    font: str
    stroke: float = 0.0
    spacing: float = 0.0
    stretch: float = 1.0


def some_hand(rng: np.random.Generator, fonts: tuple[str, ...], bold: float = 0.0) -> Hand:
    """Draw a way to set words; *bold*: greatest thickening, as a share of the size."""
    stroke = rng.uniform(0.0, bold) if bold and rng.random() < 0.5 else 0.0
    spacing = pick((0.0, 0.0, 0.0, 0.03, 0.06, -0.02), rng)
    return Hand(pick(fonts, rng), stroke, spacing, rng.uniform(0.8, 1.2))


def line(words: str, hand: Hand, height: int) -> Print:
    """Print words; a digit is about *height* pixels high."""
    font = typeface(hand.font, max(6, round(height / 0.72)))
    stroke = round(hand.stroke * height)
    pad = height + 2 * stroke
    width = font.getlength(words) + len(words) * (hand.spacing * height + stroke)
    tile = Image.new("L", (max(1, round(width)) + 2 * pad, 3 * pad))
    pen, x, boxes = ImageDraw.Draw(tile), float(pad), list[tuple[str, Box]]()
    for letter in words:
        at = round(x), 2 * pad
        pen.text(at, letter, 255, font, anchor="ls", stroke_width=stroke)
        if ink := ink_box(font, letter, stroke):
            boxes.append((letter, moved(ink, *at)))
        x += font.getlength(letter) + hand.spacing * height + stroke
    whole = max(1, round(tile.width * hand.stretch)), tile.height
    mask = np.asarray(tile.resize(whole, Image.Resampling.BILINEAR), np.uint8)
    share = whole[0] / tile.width
    return cropped(mask, [(one, _scaled(box, share)) for one, box in boxes])


@functools.lru_cache(maxsize=4096)
def ink_box(font: ImageFont.FreeTypeFont, letter: str, stroke: int) -> Box | None:
    """Return what a letter covers from where it is set, in pixels; None for a space.

    Pillow's own box takes in the room before the letter.
    """
    wide, tall = round(2 * font.size) + 2 * stroke, round(1.5 * font.size) + 2 * stroke
    tile = Image.new("L", (2 * wide, 2 * tall))
    pen = ImageDraw.Draw(tile)
    pen.text((wide // 2, tall), letter, 255, font, anchor="ls", stroke_width=stroke)
    found = tile.getbbox()
    return moved(Box(*found), -(wide // 2), -tall) if found else None


def _scaled(box: Box, x: float) -> Box:
    return Box(box.x0 * x, box.y0, box.x1 * x, box.y1)


def moved(box: Box, x: float, y: float) -> Box:
    """Return a box moved by so many pixels."""
    return Box(box.x0 + x, box.y0 + y, box.x1 + x, box.y1 + y)


def cropped(mask: NDArray[np.uint8], boxes: list[tuple[str, Box]]) -> Print:
    """Crop a print to its ink; a mask without any becomes one empty pixel."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return Print(np.zeros((1, 1), np.uint8), ())
    x, y = int(columns[0]), int(rows[0])
    inside = mask[y : int(rows[-1]) + 1, x : int(columns[-1]) + 1]
    return Print(inside, tuple((one, moved(box, -x, -y)) for one, box in boxes))


def some_amount(rng: np.random.Generator) -> tuple[str, str]:
    """Draw the digits before and after the separator of a price."""
    before = pick_weighted(DIGITS_BEFORE, rng)
    first = str(int(rng.integers(1, 10))) if before > 1 else str(int(rng.integers(0, 10)))
    whole = first + "".join(map(str, rng.integers(0, 10, before - 1)))
    return whole, "".join(map(str, rng.integers(0, 10, 2)))


def price(rng: np.random.Generator, hand: Hand, height: int) -> Print:
    """Print a price; the digits of its whole part are about *height* pixels high."""
    whole, fraction = some_amount(rng)
    layout = pick_weighted(LAYOUTS, rng)
    mark = pick((".", ","), rng)
    if layout == "level":
        return line(f"{whole}{mark}{fraction}", hand, height)
    share = rng.uniform(*(RAISED if layout == "raised" else LOWERED))
    if rng.random() < SEPARATED or layout == "lowered":
        whole += mark
    large, small = line(whole, hand, height), line(fraction, hand, max(6, round(share * height)))
    return _joined(rng, large, small, height, layout == "raised")


def _joined(
    rng: np.random.Generator, large: Print, small: Print, height: int, raised: bool
) -> Print:
    """Set a small fraction beside the whole part: raised to its head, or on its foot."""
    digits = [box for one, box in large.characters if one.isdigit()]
    head, foot = min(box.y0 for box in digits), max(box.y1 for box in digits)
    gap = round(rng.uniform(0.02, 0.16) * height)
    lift = round(rng.normal(0.0, 0.03) * height) if raised else 0
    y = round(head) + lift if raised else round(foot) - small.size[1]
    x, top = large.size[0] + gap, max(0, -y)
    below = max(large.size[1], y + small.size[1] + height // 4)
    mask = np.zeros((below + top, x + small.size[0]), np.uint8)
    mask[top : top + large.size[1], : large.size[0]] = large.mask
    mask[top + y : top + y + small.size[1], x:] = small.mask
    if raised and rng.random() < UNDERLINED:
        under = top + y + small.size[1] + round(0.05 * height)
        mask[under : under + max(1, height // 16), x:] = 255
    boxes = [(one, moved(box, 0, top)) for one, box in large.characters]
    return cropped(mask, boxes + [(one, moved(box, x, y + top)) for one, box in small.characters])
