"""Confirmation of rejects: a rejected item must show at the sensor of the reject bin in time.

A *place* is a moment in monotonic nanoseconds, or a count of the encoder, as in
:mod:`edge.gate.rejects`.
"""

from collections import deque
from dataclasses import dataclass
from typing import Literal

from edge.sections.gate import GateSettings

Sighting = Literal["confirmed", "swept", "again", "unexpected"]
"""What an edge of the bin's sensor is taken for: a rejected item, one of a stretch on which all was
rejected, the item before once more, or one that had not been rejected."""


@dataclass(frozen=True)
class Window:
    """When a rejected item may show at the bin, from its reject on.

    *earliest*, *latest*: nanoseconds, or encoder counts when *by_counts*; the latest is out of it.
    *apart_ns*: edges closer than this after the one before are the same item once more.
    """

    earliest: int
    latest: int
    by_counts: bool = False
    apart_ns: int = 0


def window_of(settings: GateSettings) -> Window:
    """Return the window that ``[gate]`` asks for."""
    apart_ns = round(settings.confirm_apart_ms * 1e6)
    if settings.confirm_counts > 0:
        return Window(settings.confirm_earliest_counts, settings.confirm_counts, True, apart_ns)
    earliest_ns, latest_ns = settings.confirm_earliest_ms * 1e6, settings.confirm_ms * 1e6
    return Window(round(earliest_ns), round(latest_ns), apart_ns=apart_ns)


@dataclass(frozen=True)
class _Awaited:
    tag: int
    place: int
    """Where it was rejected."""


class Confirmations:
    """Rejected items that must still show at the bin, first in, first out. Pure, no clock.

    Each is confirmed by one edge within its own window, and an edge confirms one item. An item seen
    twice, a stray edge, or a good item in the bin so confirms no other whose window it misses.
    Where windows are longer than rejects are apart, an edge may be for either, and only a missing
    one is found: keep them short.

    *window*: may be replaced at any time by one in the same unit.
    """

    def __init__(self, window: Window) -> None:
        self.missing = 0
        """Rejected items that never came to the bin."""
        self.unexpected = 0
        """Items at the bin that had not been rejected."""
        self.again = 0
        """Edges that were the item before once more."""
        self.window = window
        self._awaited: deque[_Awaited] = deque()
        self._swept: int | None = None
        self._last_ns: int | None = None

    def expect(self, tag: int, now_ns: int, position: int) -> None:
        """Await an item that is rejected now."""
        self._awaited.append(_Awaited(tag, self._place(now_ns, position)))

    def sweep(self, now_ns: int, position: int) -> None:
        """Note that everything is rejected now: items may come that nobody knows."""
        self._swept = self._place(now_ns, position)

    def confirm(self, t_ns: int, position: int) -> Sighting:
        """Take an edge of the bin's sensor for the oldest item in whose window it lies."""
        again = self._last_ns is not None and t_ns - self._last_ns < self.window.apart_ns
        self._last_ns = t_ns
        if again:
            self.again += 1
            return "again"
        place = self._place(t_ns, position)
        for awaited in self._awaited:
            if self.window.earliest <= place - awaited.place < self.window.latest:
                self._awaited.remove(awaited)
                return "confirmed"
        if self._swept is not None and place - self._swept < self.window.latest:
            return "swept"
        self.unexpected += 1
        return "unexpected"

    def next_ns(self) -> int | None:
        """Return when the first awaited item may count as missing; None when no moment is ahead."""
        if self.window.by_counts or not self._awaited:
            return None
        return self._awaited[0].place + self.window.latest

    def overdue(self, now_ns: int, position: int) -> list[int]:
        """Take off the items that should have come by now, count them, and return their tags."""
        place, tags = self._place(now_ns, position), []
        while self._awaited and self._awaited[0].place + self.window.latest <= place:
            tags.append(self._awaited.popleft().tag)
        self.missing += len(tags)
        return tags

    def clear(self) -> None:
        """Await nothing that was rejected until now; what of it still comes is expected."""
        if self._awaited:
            self._swept = self._awaited[-1].place
        self._awaited.clear()

    def _place(self, t_ns: int, position: int) -> int:
        return position if self.window.by_counts else t_ns
