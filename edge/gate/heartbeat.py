"""The READY output: a heartbeat that tells the wiring of the production line that it may run."""

MAY_REST = 3
"""Times ``ready_ms`` without an edge from which on the relay may drop; it is set to four times."""


class Ready:
    """A square wave while all is well, low else: a level may get stuck, a wave cannot.

    Behind the output sits a relay that holds only while edges keep coming (a retriggerable
    monostable, a charge pump). Pure, no clock.
    """

    def __init__(self, half_ns: int) -> None:
        self._half_ns = half_ns
        self._level = 0
        self._next_ns: int | None = None

    def next_ns(self) -> int | None:
        """Return when the level changes next; None while it is low."""
        return self._next_ns

    def rested(self, now_ns: int) -> bool:
        """Return whether it has not changed for so long that the relay may have dropped.

        Then this process was held up, and the belt may have stopped meanwhile.
        """
        resting_ns = (MAY_REST - 1) * self._half_ns
        return self._next_ns is not None and now_ns >= self._next_ns + resting_ns

    def act(self, now_ns: int, *, live: bool) -> int:
        """Return the level that the output takes now."""
        if not live:
            self._level, self._next_ns = 0, None
        elif self._next_ns is None or now_ns >= self._next_ns:
            self._level = 1 - self._level
            # After a delay the wave goes on from now: a burst of edges to catch up would be none.
            self._next_ns = now_ns + self._half_ns
        return self._level
