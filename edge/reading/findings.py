"""The reader of findings: a localizer's characters become lines of words."""

import math
from collections.abc import Iterable, Sequence

from edge.decision import Finding
from edge.reading.geometry import Glyph, glyphs_of
from edge.reading.lines import chain, turn_of
from edge.reading.places import characters_of
from edge.reading.spacing import parted
from edge.reading.text import Character, Line, Reading, Word


def read_findings(
    findings: Iterable[Finding], least: float = 0.0, upright_deg: float = 0.0
) -> Reading:
    """Read characters' findings.

    *findings*: in any order; classes that are no character are left out; *least*: the score, 0..1,
    from which a finding is a character of its own, and below which it can be an alternative only;
    *upright_deg*: direction in which lines are read, as far as known, degrees clockwise from the x
    axis: a line is read in that of its two directions which is nearer.

    >>> from edge.decision import Box
    >>> print(read_findings([
    ...     Finding("8", 0.9, Box(22, 10, 32, 26)), Finding("B", 0.4, Box(22, 10, 32, 26)),
    ...     Finding("A", 0.9, Box(10, 10, 20, 26)), Finding("1", 0.8, Box(60, 10, 65, 26)),
    ... ]).text)
    A8 1
    """
    return read_characters(characters_of(findings, least), upright_deg)


def read_characters(characters: Sequence[Character], upright_deg: float = 0.0) -> Reading:
    """Read characters, one a place, in any order; *upright_deg*: as of :func:`read_findings`."""
    if not characters:
        return Reading()
    lines = chain(glyphs_of(characters, upright_deg))
    return Reading(tuple(_line(line) for line in lines))


def _line(glyphs: list[Glyph]) -> Line:
    words = tuple(Word(tuple(glyph.character for glyph in word)) for word in parted(glyphs))
    return Line(words, math.degrees(turn_of(glyphs)))
