"""Geometry of characters: their true size when turned, and the direction of their line.

Boxes are upright however the print lies, so that a turned character's box is larger than it is.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from edge.reading.text import Character

NEIGHBOURS = 4
"""Nearest characters that tell the direction of the line at a character."""
LETTER = 0.5
"""Least longer side of a letter's box, as a share of the usual one; below it is punctuation."""
DIAGONAL_DEG = 12
"""Within this of a diagonal the sides of a box say only how large width and height are together."""
WIDTH_SHARE = 0.4
"""Share of a character's width in width and height together, where the box cannot say."""
LEAST_SHARE = 0.15
"""Least share of either that is believed."""


@dataclass(frozen=True)
class Glyph:
    """A character on its line.

    *x*, *y*: its centre, in pixels; *turn*: direction of the line there, radians clockwise from the
    x axis; *width*, *height*: its size along and across that direction, in pixels.
    """

    character: Character
    x: float
    y: float
    turn: float
    width: float
    height: float

    def ahead(self, other: "Glyph", turn: float | None = None) -> tuple[float, float]:
        """Return how far *other*'s centre lies along and below this line, or along *turn*."""
        turn = self.turn if turn is None else turn
        dx, dy = other.x - self.x, other.y - self.y
        cos, sin = math.cos(turn), math.sin(turn)
        return dx * cos + dy * sin, dy * cos - dx * sin


def glyphs_of(characters: Sequence[Character], upright_deg: float = 0.0) -> list[Glyph]:
    """Return the characters with the direction of their line and their size in it.

    *characters*: at least one; *upright_deg*: direction in which lines are read, as far as known,
    degrees clockwise from the x axis; of the two directions of a line the one nearer to it is
    taken. Punctuation lies off the middle of its line, so it takes the direction of the nearest
    letter.
    """
    centres = [_centre(character) for character in characters]
    sides = [max(character.box.width, character.box.height) for character in characters]
    usual = median(side for side in sides if side >= max(sides) / 3)
    letters = [index for index, side in enumerate(sides) if side >= LETTER * usual]
    turns = _turns([centres[index] for index in letters], math.radians(upright_deg))
    glyphs = []
    for character, (x, y) in zip(characters, centres, strict=True):
        apart = [math.hypot(centres[at][0] - x, centres[at][1] - y) for at in letters]
        turn = turns[apart.index(min(apart))]
        width, height = _true_size(character.box.width, character.box.height, turn)
        glyphs.append(Glyph(character, x, y, turn, width, height))
    return glyphs


def _turns(centres: Sequence[tuple[float, float]], upright: float) -> list[float]:
    """Return the direction of the line at each of some letters' centres, radians."""
    nearest = [_nearest(index, centres) for index in range(len(centres))]
    overall = _mean([_folded(v, upright) for near in nearest for v in near[:2]], upright)
    turns = []
    for near in nearest:
        own = [_folded(vector, overall) for vector in near]
        along = [v for v in own if abs(_turned_by(math.atan2(v[1], v[0]), overall)) < math.pi / 4]
        turns.append(_mean(along, overall))
    return turns


def height_of(glyphs: Sequence[Glyph]) -> float:
    """Return the usual height of a character, in pixels: the median, punctuation left out."""
    tallest = max(glyph.height for glyph in glyphs)
    return median(glyph.height for glyph in glyphs if glyph.height >= tallest / 3)


def _centre(character: Character) -> tuple[float, float]:
    box = character.box
    return (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2


def _nearest(index: int, centres: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the vectors to the nearest other centres, the nearest first."""
    x, y = centres[index]
    vectors = [(cx - x, cy - y) for at, (cx, cy) in enumerate(centres) if at != index]
    return sorted(vectors, key=lambda vector: math.hypot(*vector))[:NEIGHBOURS]


def _folded(vector: tuple[float, float], turn: float) -> tuple[float, float]:
    """Return the vector, or its opposite, whichever lies within 90 degrees of *turn*."""
    x, y = vector
    return (x, y) if x * math.cos(turn) + y * math.sin(turn) >= 0 else (-x, -y)


def _mean(vectors: Sequence[tuple[float, float]], otherwise: float) -> float:
    """Return the mean direction of vectors, near ones counting more; *otherwise* without any.

    The mean is of the doubled angles, as of lines without a direction; then the one nearer to
    *otherwise* is taken.
    """
    cos = sin = 0.0
    for x, y in vectors:
        if (length := math.hypot(x, y)) > 0:
            angle = 2 * math.atan2(y, x)
            cos, sin = cos + math.cos(angle) / length**2, sin + math.sin(angle) / length**2
    if math.hypot(cos, sin) < 1e-12:
        return otherwise
    mean = math.atan2(sin, cos) / 2
    return mean + math.pi if math.cos(mean - otherwise) < -1e-9 else mean


def _turned_by(angle: float, from_angle: float) -> float:
    """Return the difference of two directions, -pi..pi.

    >>> round(_turned_by(3.0, -3.0), 3)
    -0.283
    """
    return math.remainder(angle - from_angle, 2 * math.pi)


def _true_size(width: float, height: float, turn: float) -> tuple[float, float]:
    """Return the width and height of a rectangle whose upright box is *width* by *height*.

    It lies turned by *turn*, radians: its box has the sides w |cos| + h |sin| and w |sin| + h
    |cos|, which is solved for w and h.

    >>> [round(side, 6) for side in _true_size(20.0, 10.0, math.pi / 2)]
    [10.0, 20.0]
    """
    cos, sin = abs(math.cos(turn)), abs(math.sin(turn))
    both = (width + height) / (cos + sin)
    if abs(math.degrees(math.atan2(sin, cos)) - 45) < DIAGONAL_DEG:
        return WIDTH_SHARE * both, (1 - WIDTH_SHARE) * both
    own = (width * cos - height * sin) / (cos * cos - sin * sin)
    own = min(max(own, LEAST_SHARE * both), (1 - LEAST_SHARE) * both)
    return own, both - own
