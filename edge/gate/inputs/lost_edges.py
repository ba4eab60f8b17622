"""Lost edges: where the numbers or the levels of an input do not add up.

The kernel loses edges in two ways. Its buffer is shared by all inputs, and runs over while the gate
is held up: then numbers are left out, on one line and over all. And an edge that came and went
before the kernel looked is never numbered: then two equal edges of a line follow one another. Pure,
no clock.
"""

from dataclasses import dataclass

from edge.gate.lines import BOTH_EDGES, WireEvent
from edge.wiring import INPUTS


def missing_edges(before: int | None, event: WireEvent) -> int:
    """Return how many edges of its line are missing before *event*, at least.

    Levels alternate, so a number of lost edges that does not fit is one short. *before*: the line's
    level after the edge before, None when it is not known.

    >>> missing_edges(1, WireEvent("encoder_a", 1, 0)), missing_edges(1, WireEvent("trigger", 0, 0))
    (1, 0)
    """
    if before is None:
        return event.lost
    return event.lost + int((before + event.lost + 1) % 2 != event.level)


def missing_rises(missing: int, level: int) -> int:
    """Return how many of *missing* edges before one to *level* were rises: the last was another.

    >>> missing_rises(1, 1), missing_rises(1, 0), missing_rises(4, 1)
    (0, 1, 2)
    """
    return (missing + 1 - level) // 2


@dataclass(frozen=True)
class Loss:
    """Edges that were not delivered before an event.

    *edges*: how many of its line, *rises*: how many of these were rises, both at least; 0 when only
    other lines have lost some. *since*, *since_ns*: place and moment of the last event before which
    nothing was lost. *shared*: any line may have lost edges. *known*: the loss was told of before,
    by another line.
    """

    edges: int
    rises: int
    since: int
    since_ns: int
    shared: bool
    known: bool = False


class EdgeWatch:
    """Finds the edges that each input has lost, from its numbers and levels.

    Nobody else keeps the levels of the inputs. *place*: a moment in nanoseconds or a count of the
    encoder, as in :mod:`edge.gate.rejects`; where the watch begins, at *now_ns*.
    """

    def __init__(self, place: int, now_ns: int) -> None:
        self._levels: dict[str, int] = {}
        self._places = dict.fromkeys(INPUTS, (place, now_ns))
        self._last = (place, now_ns)
        self._untold: set[str] = set()

    def feed(self, event: WireEvent, place: int) -> Loss | None:
        """Take an event at its place; return what was lost before it, None for nothing.

        What each line has lost in a shared loss stands in its own next number.
        """
        line = event.line
        missing = missing_edges(self._levels.get(line), event)
        known = line in self._untold and not event.overflow
        shared = bool(event.lost or event.overflow) and not known
        since = self._last if event.overflow else self._places[line]
        if shared:
            self._untold = set(INPUTS)
        self._untold.discard(line)
        if line in BOTH_EDGES:
            self._levels[line] = event.level
        self._places[line] = self._last = (place, event.t_ns)
        if not missing and not event.overflow:
            return None
        return Loss(missing, missing_rises(missing, event.level), *since, shared, known)

    def correct(self, line: str, level: int) -> None:
        """Take the level of a line as it was read: at the start, or when an edge must be lost."""
        self._levels[line] = level
