"""The region: the part of the picture that is looked at, a polygon in camera pixels."""

import math
from dataclasses import dataclass
from itertools import pairwise

from edge.deciding.codes import CUT_OFF
from edge.decision import Finding
from edge.errors import UsageError

MOST_CORNERS = 32
LEAST_SIDE = 16
"""Shortest side of the rectangle around a region, in pixels."""

Point = tuple[float, float]


@dataclass(frozen=True)
class Region:
    """A polygon in camera pixels, x to the right, y down, in the picture as it was turned.

    Raises UsageError for corners that make none.
    """

    corners: tuple[Point, ...]

    def __post_init__(self) -> None:
        if not 3 <= len(self.corners) <= MOST_CORNERS:
            raise UsageError(
                f"region must have 3 to {MOST_CORNERS} corners, not {len(self.corners)}"
            )
        left, top, right, bottom = self.bounds
        if right - left < LEAST_SIDE or bottom - top < LEAST_SIDE:
            raise UsageError(
                f"region must be at least {LEAST_SIDE} pixels wide and high, not "
                f"{right - left} x {bottom - top}"
            )
        if self._crosses():
            raise UsageError("region must have sides that do not cross or touch: another order")

    @property
    def bounds(self) -> tuple[int, int, int, int]:
        """The rectangle around it in whole pixels: left, top, right, bottom, half-open."""
        xs, ys = ([point[axis] for point in self.corners] for axis in (0, 1))
        return math.floor(min(xs)), math.floor(min(ys)), math.ceil(max(xs)), math.ceil(max(ys))

    @property
    def is_rectangle(self) -> bool:
        """Whether it is the whole of :attr:`bounds`, so that nothing in it is left out."""
        left, top, right, bottom = self.bounds
        around = {(left, top), (right, top), (right, bottom), (left, bottom)}
        return len(self.corners) == 4 and set(self.corners) == around

    def contains(self, x: float, y: float) -> bool:
        """Tell whether a point is inside, by the number of sides to its right.

        >>> wedge = Region(((0, 0), (40, 0), (0, 40)))
        >>> wedge.contains(10, 10), wedge.contains(30, 30)
        (True, False)
        """
        inside = False
        for (x0, y0), (x1, y1) in self._sides():
            if (y0 > y) != (y1 > y) and x < x0 + (y - y0) * (x1 - x0) / (y1 - y0):
                inside = not inside
        return inside

    def beyond(self, width: int, height: int) -> str:
        """Return why it does not fit into a picture of that size, empty when it does."""
        left, top, right, bottom = self.bounds
        if left >= 0 and top >= 0 and right <= width and bottom <= height:
            return ""
        return (
            f"the region must lie in the picture of {width} x {height}, not reach {right} {bottom}"
        )

    def refuse(self, finding: Finding, size: tuple[int, int] | None) -> tuple[str, str] | None:
        """Return code and words when the region cuts a mark off, else None.

        What lies half outside may be the neighbour's. *size*: the whole picture's, (width, height),
        whose own border cuts nothing off that is outside the region; None where it is not known.

        >>> from edge.decision import Box
        >>> left = Region(((0, 0), (40, 0), (40, 80), (0, 80)))
        >>> left.refuse(Finding("seal", 0.9, Box(20, 20, 40, 40)), (80, 80))
        ('cut-off', 'is cut off by the border of the region')
        """
        left, top, right, bottom = self.bounds
        width, height = size or (right + 1, bottom + 1)
        box = finding.box
        cut = (
            (left > 0 and box.x0 <= left)
            or (top > 0 and box.y0 <= top)
            or (right < width and box.x1 >= right)
            or (bottom < height and box.y1 >= bottom)
        )
        return (CUT_OFF, "is cut off by the border of the region") if cut else None

    def _sides(self) -> tuple[tuple[Point, Point], ...]:
        return tuple(pairwise((*self.corners, self.corners[0])))

    def _crosses(self) -> bool:
        """Tell whether two sides that do not follow one another meet, or a side has no length."""
        sides = self._sides()
        if any(begin == end for begin, end in sides) or len(set(self.corners)) < len(self.corners):
            return True
        last = len(sides) - 1
        return any(
            _meet(sides[i], sides[j])
            for i in range(len(sides))
            for j in range(i + 2, len(sides))
            if not (i == 0 and j == last)
        )


def _meet(one: tuple[Point, Point], other: tuple[Point, Point]) -> bool:
    """Tell whether two sides have a point in common: each one's ends on both sides of the other."""
    turns = [
        _turn(*one, other[0]),
        _turn(*one, other[1]),
        _turn(*other, one[0]),
        _turn(*other, one[1]),
    ]
    if not any(turns):  # on one straight line: they meet where their rectangles do
        return all(
            max(min(a[axis] for a in one), min(b[axis] for b in other))
            <= min(max(a[axis] for a in one), max(b[axis] for b in other))
            for axis in (0, 1)
        )
    return turns[0] * turns[1] <= 0 and turns[2] * turns[3] <= 0


def _turn(begin: Point, end: Point, point: Point) -> float:
    """Return on which side of a line a point is: positive, negative, or 0 on it."""
    return (end[0] - begin[0]) * (point[1] - begin[1]) - (end[1] - begin[1]) * (point[0] - begin[0])
