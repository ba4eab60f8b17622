"""READY, the live signal, and the confirmation of rejects: what tells the line's own wiring that it
may run.
"""

from collections import deque


class Ready:
    """A square wave while all is well, low else: a level may get stuck, a wave cannot.

    Pure, no clock.

    Behind the output sits a relay that holds only while edges keep coming (a retriggerable
    monostable, a charge pump).
    """

    def __init__(self, half_ns: int) -> None:
        self._half_ns = half_ns
        self._level = 0
        self._next_ns: int | None = None

    def next_ns(self) -> int | None:
        """When the level changes next; None while it rests."""
        return self._next_ns

    def act(self, now_ns: int, *, live: bool) -> int:
        """Return the level that the output takes now."""
        if not live:
            self._level, self._next_ns = 0, None
        elif self._next_ns is None or now_ns >= self._next_ns:
            self._level = 1 - self._level
            # After a hold-up the beat goes on from now: a burst of edges to catch up would be no
            # beat.
            self._next_ns = now_ns + self._half_ns
        return self._level


class Confirmations:
    """Rejected items that must show at the bin. Pure, no clock."""

    def __init__(self, limit_ns: int) -> None:
        self.missing = 0
        """Rejected items that never came to the bin."""
        self.unexpected = 0
        """Items at the bin that nobody had rejected."""
        self.limit_ns = limit_ns
        """How long a rejected item may take; may be replaced at any time."""
        self._awaited: deque[int] = deque()

    def expect(self, now_ns: int) -> None:
        """Note that an item was thrown off."""
        self._awaited.append(now_ns)

    def seen(self) -> None:
        """Note that an item has come to the bin."""
        if self._awaited:
            self._awaited.popleft()
        else:
            self.unexpected += 1

    def next_ns(self) -> int | None:
        """When the first awaited item is missing."""
        return self._awaited[0] + self.limit_ns if self._awaited else None

    def overdue(self, now_ns: int) -> int:
        """Take off and count the items that should have come by now."""
        count = 0
        while self._awaited and self._awaited[0] + self.limit_ns <= now_ns:
            self._awaited.popleft()
            count += 1
        self.missing += count
        return count

    def clear(self) -> None:
        """Await nothing that was thrown off until now."""
        self._awaited.clear()
