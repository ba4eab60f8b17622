"""What people took out, by a photo-eye: the truth about items that the box only watches.

A *place* is a moment in monotonic nanoseconds, or a count of the encoder, as in
:mod:`edge.gate.rejects`.
"""

from collections import deque
from dataclasses import dataclass
from typing import Literal

from edge.gate.inputs.confirmations import Window
from edge.sections.shadow import ShadowSettings

Fate = Literal["taken", "left", "unclear"]
"""What became of an item: people took it out, it left the production line, or nobody can tell."""
REASONS: dict[Fate, str] = {
    "taken": "people took it out, by the photo-eye [lines] taken",
    "left": "it left the production line, by the photo-eye [lines] taken",
    "unclear": "what became of it is not clear at the photo-eye [lines] taken",
}

UNSEEN_KEPT = 10_000
"""Items without an edge behind them; of more the oldest are unclear."""


def taken_window(settings: ShadowSettings) -> Window:
    """Return the window that ``[shadow]`` asks for, from the item's trigger on."""
    apart_ns = round(settings.taken_apart_ms * 1e6)
    if settings.taken_counts > 0:
        return Window(settings.taken_earliest_counts, settings.taken_counts, True, apart_ns)
    earliest_ns, latest_ns = settings.taken_earliest_ms * 1e6, settings.taken_ms * 1e6
    return Window(round(earliest_ns), round(latest_ns), apart_ns=apart_ns)


@dataclass
class _Followed:
    tag: int
    place: int
    """Where it was at its trigger."""
    seen: int = 0
    doubtful: bool = False


class TakenItems:
    """Items that are followed to a photo-eye behind the people. Pure, no clock.

    *sees_taken*: whether it sees the items that people took out, else those that they left on the
    belt. An edge that lies in the windows of several items is for none of them: all are unclear, as
    is one that is seen twice, and whatever was under way when places were in doubt. An item that is
    not seen is told of once a later edge has come: a photo-eye that is dead, or the kernel that has
    lost an edge, would tell of it what is not so.

    Synchronization: one thread.
    """

    def __init__(self, window: Window, *, sees_taken: bool) -> None:
        self.unexpected = 0
        """Edges in the window of no item."""
        self._window, self._sees_taken = window, sees_taken
        self._followed: deque[_Followed] = deque()
        self._unseen: deque[_Followed] = deque()
        """Those whose windows are over without an edge since."""
        self._last_place: int | None = None
        self._last_ns: int | None = None

    def expect(self, tag: int, t_ns: int, position: int, *, doubtful: bool = False) -> None:
        """Follow an item from its trigger at *t_ns* on; *doubtful*: its place is not known."""
        self._followed.append(_Followed(tag, self._place(t_ns, position), doubtful=doubtful))

    def see(self, t_ns: int, position: int) -> None:
        """Take an edge of the photo-eye."""
        self._last_place = self._place(t_ns, position)
        again = self._last_ns is not None and t_ns - self._last_ns < self._window.apart_ns
        self._last_ns = t_ns
        if again:
            return
        place, window = self._last_place, self._window
        found = [
            item for item in self._followed if window.earliest <= place - item.place < window.latest
        ]
        for item in found:
            item.seen += 1
            item.doubtful |= len(found) > 1 or item.seen > 1
        self.unexpected += not found

    def doubt(self) -> None:
        """Take everything that is under way for unclear: nobody knows where it is."""
        for item in (*self._followed, *self._unseen):
            item.doubtful = True

    def next_ns(self) -> int | None:
        """Return when the first item's window ends; None when no moment is ahead."""
        if self._window.by_counts or not self._followed:
            return None
        return self._followed[0].place + self._window.latest

    def settled(self, now_ns: int, position: int) -> list[tuple[int, Fate]]:
        """Take off the items whose windows are over; return their tags and what became of them."""
        place, fates = self._place(now_ns, position), list[tuple[int, Fate]]()
        while self._followed and self._followed[0].place + self._window.latest <= place:
            item = self._followed.popleft()
            if item.seen or item.doubtful:
                fates.append((item.tag, self._fate(item)))
            else:
                self._unseen.append(item)
        while self._unseen and self._is_proven(self._unseen[0]):
            item = self._unseen.popleft()
            fates.append((item.tag, self._fate(item)))
        return fates

    def _is_proven(self, item: _Followed) -> bool:
        """Return whether it is told what became of an item that was not seen in its window."""
        if len(self._unseen) > UNSEEN_KEPT:
            item.doubtful = True
        over = item.place + self._window.latest
        return item.doubtful or (self._last_place is not None and self._last_place >= over)

    def _fate(self, item: _Followed) -> Fate:
        if item.doubtful:
            return "unclear"
        return "taken" if bool(item.seen) == self._sees_taken else "left"

    def _place(self, t_ns: int, position: int) -> int:
        return position if self._window.by_counts else t_ns
