"""A raised small fraction: the two digits behind a price, set small and high, without a point."""

import math
from collections.abc import Sequence
from statistics import median

from edge.decision import Box
from edge.reading.geometry import Glyph, glyphs_of
from edge.reading.text import Character, Line, Word

SMALLER = 0.8
"""Greatest height of a raised digit, as a share of the whole digits'."""
RAISED = 0.15
"""How much higher than the whole digits' its lower edge lies, at least, in their heights."""
DIGITS = 2


def with_raised_fraction(line: Line) -> Line:
    """Return the line, with a point put before a raised fraction, and the fraction joined.

    A fraction is two digits, smaller than the digits before them and raised, whatever follows. A
    line without one is returned as it is.
    """
    characters = line.characters
    glyphs = glyphs_of(characters, line.turn_deg)
    for start in range(1, len(characters) - DIGITS + 1):
        if _is_fraction(glyphs, start):
            return _joined(line, start)
    return line


def _is_fraction(glyphs: Sequence[Glyph], start: int) -> bool:
    """Tell whether the two glyphs at *start* are a raised fraction, and no third one."""
    raised = glyphs[start : start + DIGITS]
    begin = start
    while begin > 0 and glyphs[begin - 1].character.text.isdigit():
        begin -= 1
    whole = glyphs[begin:start]
    if not whole or not all(glyph.character.text.isdigit() for glyph in raised):
        return False
    height = median(glyph.height for glyph in whole)
    if any(glyph.height < SMALLER * height for glyph in whole):
        return False
    # The raised digits are level with one another; the way up to them is not.
    level = math.atan2(raised[1].y - raised[0].y, raised[1].x - raised[0].x)
    more = glyphs[start + DIGITS : start + DIGITS + 1]
    if any(_is_raised(glyph, whole[-1], height, level) and _is_digit(glyph) for glyph in more):
        return False
    return all(_is_raised(glyph, whole[-1], height, level) for glyph in raised)


def _is_digit(glyph: Glyph) -> bool:
    return glyph.character.text.isdigit()


def _is_raised(glyph: Glyph, whole: Glyph, height: float, level: float) -> bool:
    _, below = whole.ahead(glyph, level)
    lifted = whole.height / 2 - (below + glyph.height / 2)
    return glyph.height <= SMALLER * height and lifted >= RAISED * height


def _joined(line: Line, start: int) -> Line:
    """Return the line with whole digits, point and fraction as one word."""
    places = [(c, number == 0) for word in line.words for number, c in enumerate(word.characters)]
    whole, raised = places[:start], [(c, False) for c, _ in places[start : start + DIGITS]]
    point = _point(whole[-1][0], raised[0][0])
    rest = [(c, begins or at == 0) for at, (c, begins) in enumerate(places[start + DIGITS :])]
    words: list[list[Character]] = []
    for character, begins in (*whole, (point, False), *raised, *rest):
        if begins:
            words.append([])
        words[-1].append(character)
    return Line(tuple(Word(tuple(word)) for word in words), line.turn_deg)


def _point(before: Character, after: Character) -> Character:
    """Return a point between two characters, as sure as the less sure of both."""
    x, y = ((a + b) / 2 for a, b in zip(_middle(before.box), _middle(after.box), strict=True))
    half = math.sqrt(min(before.box.area, after.box.area)) / 10
    score = min(before.score, after.score)
    return Character(".", score, Box(x - half, y - half, x + half, y + half))


def _middle(box: Box) -> tuple[float, float]:
    return (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
