"""Confirmation of rejects: a rejected item must show at the sensor of the reject bin in time."""

from collections import deque


class Confirmations:
    """Rejected items that must still show at the bin, first in, first out. Pure, no clock."""

    def __init__(self, limit_ns: int) -> None:
        self.missing = 0
        """Rejected items that never came to the bin."""
        self.unexpected = 0
        """Items at the bin that had not been rejected."""
        self.limit_ns = limit_ns
        """Longest time from the reject to the bin; may be replaced at any time."""
        self._awaited: deque[int] = deque()

    def expect(self, now_ns: int) -> None:
        """Await an item that is rejected now."""
        self._awaited.append(now_ns)

    def confirm(self) -> None:
        """Take the oldest awaited item off: one has come to the bin."""
        if self._awaited:
            self._awaited.popleft()
        else:
            self.unexpected += 1

    def next_ns(self) -> int | None:
        """Return when the first awaited item counts as missing; None when none is awaited."""
        return self._awaited[0] + self.limit_ns if self._awaited else None

    def overdue(self, now_ns: int) -> int:
        """Take off the items that should have come by now; return and count their number."""
        count = 0
        while self._awaited and self._awaited[0] + self.limit_ns <= now_ns:
            self._awaited.popleft()
            count += 1
        self.missing += count
        return count

    def clear(self) -> None:
        """Await nothing that was rejected until now."""
        self._awaited.clear()
