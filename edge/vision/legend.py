"""Legend of the boxes on every picture that the program draws: one colour, one meaning.

Where the truth is known, a mark has a box where it truly is, and each finding one of its own. What
lies below the threshold is dashed and thin, with its score. The box, which does not know the truth,
draws what counts as found, and the near miss as what does not count, dashed.
"""

import textwrap
from collections.abc import Iterator
from typing import Literal

from PIL import ImageDraw

from edge.decision import Box
from edge.printing import printable

Meaning = Literal["mark", "missed", "found", "false", "ignored"]
Subject = Literal["stamped", "unstamped", "look-alike", "other", "limit"]
LEGEND: dict[Meaning, tuple[tuple[int, int, int], str]] = {
    "mark": ((40, 220, 80), "a mark, where it is"),
    "missed": ((255, 40, 40), "a mark that was missed"),
    "found": ((50, 140, 255), "found, and right"),
    "false": ((255, 150, 0), "found where no mark is"),
    "ignored": ((150, 150, 150), "does not count: too small, soft or hidden"),
}
"""Colour and words of each kind of box; findings below the threshold are dashed."""
SUBJECTS: dict[Subject, str] = {
    "stamped": "#1b7f3b",
    "unstamped": "#b3261e",
    "look-alike": "#c77700",
    "other": "#1f5fa8",
    "limit": "#222222",
}
"""Colours of curves and words: green is what bears the mark, red what does not, orange what is like
it; black is a limit, such as the threshold."""
DASH_PX = 5
"""Length of a dash, and of the gap after it, in pixels; three times the line where that is more."""
LARGE_PX = 12
"""Shorter side, in pixels, of a box from which on its line is two pixels wide."""
LETTER_PX = 6.2
"""Width of a letter of the built-in font at its small size, on average, in pixels."""


def colour_of(meaning: Meaning) -> tuple[int, int, int]:
    """Return the colour of a kind of box, red, green, blue."""
    return LEGEND[meaning][0]


def draw_box(
    draw: ImageDraw.ImageDraw,
    box: Box,
    meaning: Meaning,
    score: float | None = None,
    below: bool = False,
) -> None:
    """Draw a box on a picture, with its score in it where it has one.

    *below*: whether it lies below the threshold: dashed and thin. The box may be inverted.
    """
    x0, y0, x1, y1 = upright(box)
    wide = 2 if min(x1 - x0, y1 - y0) > LARGE_PX and not below else 1
    draw_outline(draw, box, meaning, wide, below)
    if score is not None:
        draw.text((x0 + 3, y0 + 1), f"{score:.2f}", fill=colour_of(meaning))


def draw_outline(
    draw: ImageDraw.ImageDraw, box: Box, meaning: Meaning, wide: int, below: bool = False
) -> None:
    """Draw a box's outline on a picture, *wide* pixels wide; *below*: dashed."""
    x0, y0, x1, y1 = upright(box)
    colour = colour_of(meaning)
    if not below:
        draw.rectangle((x0, y0, x1, y1), outline=colour, width=wide)
        return
    for line in _dashes(x0, y0, x1, y1, max(DASH_PX, 3 * wide)):
        draw.line(line, fill=colour, width=wide)


def upright(box: Box) -> tuple[float, float, float, float]:
    """Return a box's corners in the order that Pillow insists on: left, top, right, bottom.

    A badly trained model may put a right side left of a left one.
    """
    return (min(box.x0, box.x1), min(box.y0, box.y1), max(box.x0, box.x1), max(box.y0, box.y1))


def _dashes(x0: float, y0: float, x1: float, y1: float, dash: int) -> Iterator[tuple[float, ...]]:
    """Yield the dashes of a rectangle as lines, *dash* pixels long."""
    for begin in range(round(x0), round(x1) + 1, 2 * dash):
        end = min(begin + dash, x1)
        yield begin, y0, end, y0
        yield begin, y1, end, y1
    for begin in range(round(y0), round(y1) + 1, 2 * dash):
        end = min(begin + dash, y1)
        yield x0, begin, x0, end
        yield x1, begin, x1, end


def drawable(text: str) -> str:
    """Return a text with a question mark for each letter that Pillow's built-in font lacks."""
    return printable(text).encode("latin-1", "replace").decode("latin-1")


def caption_lines(text: str, width: int) -> list[str]:
    """Return a caption, whole, in lines that fit a picture of that width in the small font."""
    most = max(8, int(width / LETTER_PX))
    lines = textwrap.wrap(drawable(text), most, break_long_words=True, break_on_hyphens=False)
    return lines or [""]
