"""Lines: characters chained by what follows what, in any direction, straight or slightly curved."""

import math
from collections.abc import Sequence

from edge.reading.geometry import Glyph, height_of

LONGEST_GAP = 3.0
"""Longest gap inside a line, in characters' heights; beyond it another line begins."""
OVERLAP, HANG = 0.4, 0.12
"""Least share of the lower character's height that lies beside its neighbour, on one line: a raised
fraction does, the line below does not; and by how much of the usual height a comma may hang
lower."""


def chain(glyphs: Sequence[Glyph]) -> list[list[Glyph]]:
    """Return the glyphs as lines, each in reading order, from top to bottom.

    Each character chooses the one that follows it, and each the one before it; two that choose one
    another are joined. *glyphs*: at least one.
    """
    usual = height_of(glyphs)
    after: dict[int, int] = {}
    before: dict[int, int] = {}
    costs = {
        (i, j): cost
        for i, one in enumerate(glyphs)
        for j, other in enumerate(glyphs)
        if i != j and (cost := _cost(one, other, usual)) is not None
    }
    for (i, j), _ in sorted(costs.items(), key=lambda item: item[1]):
        if i not in after and j not in before:
            after[i], before[j] = j, i
    lines = [_follow(start, after) for start in range(len(glyphs)) if start not in before]
    return _ordered([[glyphs[index] for index in line] for line in lines])


def _cost(one: Glyph, other: Glyph, usual: float) -> float | None:
    """Return the distance at which *other* follows *one*, in pixels; None where it cannot."""
    turn = one.turn + math.remainder(other.turn - one.turn, 2 * math.pi) / 2
    along, below = one.ahead(other, turn)
    gap = along - (one.width + other.width) / 2
    if along <= 0 or gap > LONGEST_GAP * usual or along < abs(below) / 2:
        return None
    top = max(-one.height / 2, below - other.height / 2)
    bottom = min(one.height / 2, below + other.height / 2)
    if bottom - top + HANG * usual < OVERLAP * min(one.height, other.height):
        return None
    return along + abs(below)


def _follow(start: int, after: dict[int, int]) -> list[int]:
    line = [start]
    while line[-1] in after:
        line.append(after[line[-1]])
    return line


def _ordered(lines: list[list[Glyph]]) -> list[list[Glyph]]:
    """Return the lines from top to bottom, as seen with the longest of them level."""
    longest = max(lines, key=len)
    turn = turn_of(longest)
    origin = longest[0]

    def place(line: list[Glyph]) -> tuple[float, float]:
        spots = [origin.ahead(glyph, turn) for glyph in line]
        return sum(below for _, below in spots) / len(spots), spots[0][0]

    rows: list[list[tuple[float, float, list[Glyph]]]] = []
    for below, along, line in sorted(((*place(line), line) for line in lines), key=lambda p: p[:2]):
        tallest = max(glyph.height for glyph in line)
        if rows and below - rows[-1][0][0] < tallest / 2:
            rows[-1].append((below, along, line))
        else:
            rows.append([(below, along, line)])
    return [line for row in rows for _, _, line in sorted(row, key=lambda place: place[1])]


def turn_of(line: Sequence[Glyph]) -> float:
    """Return the direction of a line, radians, from its first character to its last."""
    first, last = line[0], line[-1]
    if len(line) == 1:
        return first.turn
    return math.atan2(last.y - first.y, last.x - first.x)
