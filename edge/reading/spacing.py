"""Words by spacing: where the space between two characters is one between words.

**The rule.** Two neighbours on a line are of different words when the space between their boxes is
wider than the line's usual space by more than :data:`WORD_GAP` of the line's usual width of a
character, or wider than :data:`WIDE_GAP` of that width in any case. The usual space is the lower
quartile of the line's spaces, the usual width the median of its characters', punctuation left out.
Where the characters stand in equal steps, as of a typewriter or an ink-jet printer, an ``I`` has
much space round it, and the distance of the centres tells instead: a word ends where it is two
steps or more.
"""

import itertools
from collections.abc import Sequence
from statistics import median

from edge.reading.geometry import Glyph

WORD_GAP = 0.4
WIDE_GAP = 1.0
USUAL_GAP = 0.15
"""Usual space in widths of a character, where a line has fewer than three to tell it."""
STEP_ERROR = 0.12
"""Equal steps: distances of centres from whole numbers of the usual one, at most."""
FEWEST_STEPS = 4
NARROW = 0.6
"""A line in equal steps holds a character narrower than this share of the usual width, or else its
spaces tell as well."""


def parted(line: Sequence[Glyph]) -> list[list[Glyph]]:
    """Return the words of a line, each in reading order; *line*: at least one glyph."""
    pairs = list(itertools.pairwise(line))
    steps = [one.ahead(other, _between(one, other))[0] for one, other in pairs]
    width = _usual_width(line)
    gaps = [
        step - (one.width + other.width) / 2
        for step, (one, other) in zip(steps, pairs, strict=True)
    ]
    pitch = _pitch(steps, line, width)
    if pitch:
        ends = [round(step / pitch) >= 2 for step in steps]
    else:
        usual = sorted(gaps)[len(gaps) // 4] if len(gaps) >= 3 else USUAL_GAP * width
        most = min(max(usual, 0.0) + WORD_GAP * width, max(WIDE_GAP * width, usual))
        ends = [gap > most for gap in gaps]
    words = [[line[0]]]
    for glyph, ended in zip(line[1:], ends, strict=True):
        if ended:
            words.append([])
        words[-1].append(glyph)
    return words


def _between(one: Glyph, other: Glyph) -> float:
    return (one.turn + other.turn) / 2 if abs(one.turn - other.turn) < 1.6 else one.turn


def _usual_width(line: Sequence[Glyph]) -> float:
    """Return the median width of the characters that are no punctuation, in pixels."""
    tallest = max(glyph.height for glyph in line)
    return median(glyph.width for glyph in line if glyph.height >= tallest / 3)


def _pitch(steps: Sequence[float], line: Sequence[Glyph], width: float) -> float:
    """Return the usual distance of two centres where all are whole numbers of it, else 0."""
    narrow = any(glyph.width < NARROW * width for glyph in line)
    if len(steps) < FEWEST_STEPS or not narrow:
        return 0.0
    pitch = sorted(steps)[len(steps) // 4]
    if pitch <= 0:
        return 0.0
    whole = [abs(step / pitch - round(step / pitch)) <= STEP_ERROR * step / pitch for step in steps]
    return pitch if all(whole) else 0.0
