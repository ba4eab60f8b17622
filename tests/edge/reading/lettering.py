"""Lines of text as a perfect localizer would find them: boxes of real letters' shapes, at any turn.

The letters are those of Pillow's own font, so that an I is narrow and a W is wide.
"""

import math
import random
from dataclasses import dataclass

from PIL import ImageFont

from edge.decision import Box, Finding
from edge.reading.labels import label_of

EM = 100
FONT = ImageFont.load_default(EM)


@dataclass(frozen=True)
class Lettering:
    """How a text is set.

    *turn_deg*: of the whole; *bend_deg*: by how much the direction changes from the first character
    to the last; *size*: the em in pixels; *tracking*: space added to each letter, in ems; *space*:
    width of a space in ems; *pitch*: equal steps, in ems, 0 for the font's own; *noise*: error of
    each side of a box, standard deviation in ems.
    """

    turn_deg: float = 0.0
    bend_deg: float = 0.0
    size: float = 40.0
    tracking: float = 0.03
    space: float = 0.33
    pitch: float = 0.0
    leading: float = 1.4
    noise: float = 0.01


def findings_of(text: str, how: Lettering, seed: int = 0) -> list[Finding]:
    """Return one finding for each letter of *text*, lines one under the other, shuffled."""
    draw = random.Random(seed)
    found = []
    for number, line in enumerate(text.split("\n")):
        found += _line(line, how, number * how.leading, draw)
    draw.shuffle(found)
    return found


def _line(text: str, how: Lettering, down: float, draw: random.Random) -> list[Finding]:
    places, x = [], 0.0
    for letter in text:
        left, top, right, bottom = (side / EM for side in FONT.getbbox(letter))
        advance = how.pitch or FONT.getlength(letter) / EM + how.tracking
        if letter == " ":
            x += how.pitch or how.space
            continue
        shift = (how.pitch - (right - left)) / 2 - left if how.pitch else 0.0
        places.append((letter, x + left + shift, top, x + right + shift, bottom))
        x += advance
    return [_finding(place, how, down, x, draw) for place in places]


def _finding(
    place: tuple[str, float, float, float, float],
    how: Lettering,
    down: float,
    length: float,
    draw: random.Random,
) -> Finding:
    """Put one letter on its arc, and return its upright box with noise."""
    letter, x0, top, x1, bottom = place
    corners = []
    turn, bend = math.radians(how.turn_deg), math.radians(how.bend_deg)
    for x, y in ((x0, top), (x1, top), (x1, bottom), (x0, bottom)):
        # The middle of the letter is on the arc; the letter itself is not bent.
        middle = (x0 + x1) / 2
        angle = turn + bend * (middle / length - 0.5)
        ax, ay = _on_arc(middle, length, bend)
        px, py = (
            ax * math.cos(turn) - ay * math.sin(turn),
            ax * math.sin(turn) + ay * math.cos(turn),
        )
        dx, dy = x - middle, y - 0.7 + down
        corners.append(
            (
                px + dx * math.cos(angle) - dy * math.sin(angle),
                py + dx * math.sin(angle) + dy * math.cos(angle),
            )
        )
    sides = [
        (side + draw.gauss(0, how.noise)) * how.size + 500
        for side in (
            min(x for x, _ in corners),
            min(y for _, y in corners),
            max(x for x, _ in corners),
            max(y for _, y in corners),
        )
    ]
    return Finding(label_of(letter), draw.uniform(0.6, 0.99), Box(*sides))


def _on_arc(x: float, length: float, bend: float) -> tuple[float, float]:
    """Return the point at *x* along an arc that bends by *bend* radians over *length*."""
    if abs(bend) < 1e-6:
        return x, 0.0
    radius = length / bend
    angle = bend * (x / length - 0.5)
    return radius * math.sin(angle) + length / 2, radius * (1 - math.cos(angle))
