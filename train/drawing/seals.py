"""Made-up seals: a plain shape in a few colours, with words and signs on it.

Simpler than the marks of :mod:`train.drawing.designs`, and quick: products carry them, and they are
among the look-alikes of any mark.
"""

import functools
import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from train.drawing.canvas import Colour, Point, print_about
from train.drawing.colours import difference, legible_on
from train.drawing.lettering import typeface
from train.drawing.outlines import FULL_TURN, HEXAGON, at_angles, star_polygon
from train.drawing.random_choice import pick
from train.drawing.words import some_word

WHITE: Colour = (246, 244, 238)
BLACK: Colour = (24, 24, 28)
CLEAR = (0, 0, 0, 0)
CONTRAST = 150
"""Sum of the channels' differences above which one colour can be read on another."""

OPEN_INSIDE, INNER_LINES = 0.35, 0.6
"""Shares of seals that are open inside, and that have a line inside their rim."""
NO_WORDS, WORDS_ROUND, SIGN_FOR_LINE = 0.08, 0.4, 0.2
"""Shares of seals without words and with words round the edge, and of lines that are a sign."""

# Ranges, as shares of the seal's size.
RIM_INSIDE = (0.84, 0.94)
"""Where the rim ends and inner lines begin."""
RING_GAP, RING_LINE = (0.03, 0.22), (0.03, 0.12)
"""Width of a line inside the rim: of one round an open inside, and of one on a filled shape."""
TEXT_ROOM = (0.45, 0.62)
"""Height and width of the block of words."""
ROUND_SIZE, ROUND_RADIUS = (0.09, 0.14), (0.36, 0.43)
"""Size of letters along the edge, and the radius of the circle through their middles."""


def paint_seal(colours: Sequence[Colour], side: int, rng: np.random.Generator) -> Image.Image:
    """Return a made-up seal *side* pixels wide, RGBA, of a ground colour and inks."""
    ground = colours[0]
    large = side * 2  # supersampled: painted twice as large, then averaged down
    size = large, round(large * pick((1.0, 1.0, 1.0, 0.8, 0.66, 0.5), rng))
    seal = Image.new("RGBA", size, (*ground, 0))
    shape = pick(SHAPES, rng)
    open_inside = rng.random() < OPEN_INSIDE
    ink = ground if open_inside else contrasting(ground, colours[1:], rng)
    _fill_shape(seal, shape, 1.0, ground)
    _draw_inner_lines(seal, shape, ground, None if open_inside else ink, rng)
    letter_seal(seal, ink, rng)
    return seal.resize((max(1, size[0] // 2), max(1, size[1] // 2)), Image.Resampling.BOX)


def contrasting(ground: Colour, colours: Sequence[Colour], rng: np.random.Generator) -> Colour:
    """Return one of the colours that can be read on the ground, or black or white if none can."""
    apart = [colour for colour in colours if difference(colour, ground) > CONTRAST]
    return pick(apart, rng) if apart else legible_on(ground, WHITE, BLACK, 383)


# --- shapes -----------------------------------------------------------------------------------

_AROUND = np.linspace(0, FULL_TURN, 145)[:-1]
_OUTLINES = {
    "hexagon": np.array(HEXAGON),
    "cogged": at_angles(0.96 + 0.04 * np.cos(18 * _AROUND), _AROUND),
}
SHAPES = ("oval", "oval", "oval", "square", "rounded", "hexagon", "cogged")


def _fill_shape(seal: Image.Image, shape: str, scale: float, colour: Colour | None) -> None:
    """Fill a shape in the middle of the seal, *scale* of its size; a colour of None erases."""
    (w, h), fill, pen = seal.size, colour or CLEAR, ImageDraw.Draw(seal)
    left, top = w * (1 - scale) / 2, h * (1 - scale) / 2
    box = (left, top, w * (1 + scale) / 2 - 1, h * (1 + scale) / 2 - 1)
    if shape == "oval":
        pen.ellipse(box, fill=fill)
    elif shape == "square":
        pen.rectangle(box, fill=fill)
    elif shape == "rounded":
        pen.rounded_rectangle(box, min(w, h) * scale * 0.2, fill=fill)
    else:
        corners = (1 + scale * _OUTLINES[shape]) * [w / 2, h / 2]
        pen.polygon([(x, y) for x, y in corners.tolist()], fill=fill)


def _draw_inner_lines(
    seal: Image.Image, shape: str, ground: Colour, line: Colour | None, rng: np.random.Generator
) -> None:
    """Draw lines inside a filled shape; with no line colour, gaps and an open inside."""
    outer = float(rng.uniform(*RIM_INSIDE))
    if line is None:
        _fill_shape(seal, shape, outer, None)
        if rng.random() < INNER_LINES:
            _fill_shape(seal, shape, outer - 0.06, ground)
            _fill_shape(seal, shape, outer - 0.06 - float(rng.uniform(*RING_GAP)), None)
    elif rng.random() < INNER_LINES:
        _fill_shape(seal, shape, outer, line)
        _fill_shape(seal, shape, outer - float(rng.uniform(*RING_LINE)), ground)


# --- words and signs --------------------------------------------------------------------------


def letter_seal(seal: Image.Image, ink: Colour, rng: np.random.Generator) -> None:
    """Print up to three lines of words or signs, at times words round the edge, or nothing."""
    if rng.random() < NO_WORDS:
        return
    if rng.random() < WORDS_ROUND and seal.width < 1.3 * seal.height:
        _letter_round(seal, ink, rng)
    lines = int(rng.integers(1, 4))
    room = float(rng.uniform(*TEXT_ROOM))
    each = seal.height * room / lines
    top = seal.height * (1 - room) / 2
    for i in range(lines):
        middle = seal.width / 2, top + each * (i + 0.5)
        if rng.random() < SIGN_FOR_LINE:
            _draw_sign(seal, middle, each * 0.42, ink, rng)
        else:
            print_word(seal, some_word(rng), middle, (seal.width * room, each * 0.9), ink)


def print_word(
    picture: Image.Image, word: str, middle: Point, room: tuple[float, float], ink: Colour
) -> None:
    """Print a word about its middle, as large as *room* (width, height) allows, in pixels."""
    wide = max(1.0, typeface(32).getlength(word))
    size = max(6, int(min(32 * room[0] / wide, room[1])))
    thick, pen = size // 24, ImageDraw.Draw(picture)
    pen.text(middle, word, ink, typeface(size), anchor="mm", stroke_width=thick, stroke_fill=ink)


def _letter_round(seal: Image.Image, ink: Colour, rng: np.random.Generator) -> None:
    """Print words along the edge of a seal, each letter turned to stand on the circle."""
    words = " ".join(some_word(rng) for _ in range(int(rng.integers(1, 4))))[:22]
    size = max(6, int(seal.height * rng.uniform(*ROUND_SIZE)))
    radius = float(rng.uniform(*ROUND_RADIUS))
    first = rng.uniform(-180, 180)
    step = max(11.0, 0.75 * size / (seal.height * radius) * 180 / math.pi)
    for i, letter in enumerate(words):
        angle = first + step * i
        turned = _glyph(letter, size).rotate(-angle - 90, Image.Resampling.BILINEAR)
        x = seal.width * (0.5 + radius * math.cos(math.radians(angle)))
        y = seal.height * (0.5 + radius * math.sin(math.radians(angle)))
        print_about(seal, turned, (x, y), (*ink, 255), whole=int)


@functools.lru_cache(maxsize=1024)
def _glyph(letter: str, size: int) -> Image.Image:
    """Return one letter as a mask (L) with room to turn in."""
    glyph, thick = Image.new("L", (size * 2, size * 2)), size // 24
    pen = ImageDraw.Draw(glyph)
    pen.text((size, size), letter, 255, typeface(size), anchor="mm", stroke_width=thick)
    return glyph


def _draw_sign(
    seal: Image.Image, middle: Point, reach: float, ink: Colour, rng: np.random.Generator
) -> None:
    """Draw a star, a tick, a drop, a bar or a ring."""
    x, y = middle
    width, pen = max(1, int(reach / 4)), ImageDraw.Draw(seal)
    sign = int(rng.integers(5))
    if sign == 0:
        pen.polygon(star_polygon(middle, reach, 5, inner=0.42, first_deg=126), fill=ink)
    elif sign == 1:
        elbow = x - reach / 3, y + reach * 0.7
        pen.line([(x - reach, y), elbow, (x + reach, y - reach)], ink, width, "curve")
    elif sign == 2:
        pen.ellipse((x - reach * 0.7, y - reach * 0.5, x + reach * 0.7, y + reach), fill=ink)
    elif sign == 3:
        pen.rectangle((x - reach * 1.6, y - width, x + reach * 1.6, y + width), fill=ink)
    else:
        pen.ellipse((x - reach, y - reach, x + reach, y + reach), outline=ink, width=width)
