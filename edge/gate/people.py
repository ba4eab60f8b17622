"""The people behind the gate, who look by eye while it is in shadow: what they took out."""

from edge.config import Config
from edge.gate.inputs.taken import REASONS, TakenItems, taken_window
from edge.gate.transit import Transit
from edge.wiring import TAKEN, is_shadow, wired


class People:
    """Follows each item to the photo-eye ``[lines] taken``, and has told what became of it.

    It does nothing without that input, and out of shadow, where what the gate throws never comes
    there.

    Synchronization: one thread.
    """

    def __init__(self, config: Config, transit: Transit) -> None:
        watches = is_shadow(config) and TAKEN in wired(config.lines)
        shadow = config.shadow
        self._transit, self._sweeps = transit, 0
        self._items = (
            TakenItems(taken_window(shadow), sees_taken=shadow.taken_sees == "taken")
            if watches
            else None
        )

    def next_ns(self) -> int | None:
        """Return when :meth:`check` has something to tell; None when nothing is ahead."""
        return self._items.next_ns() if self._items is not None else None

    def expect(self, tag: int, t_ns: int) -> None:
        """Follow an item from its trigger on."""
        if self._items is not None:
            doubtful = self._transit.queue.covers(t_ns)
            self._items.expect(tag, t_ns, self._transit.encoder.position, doubtful=doubtful)

    def see(self, t_ns: int) -> None:
        """Take an edge of the photo-eye behind the people."""
        if self._items is not None:
            self._items.see(t_ns, self._transit.encoder.position)
            self._transit.counters.taken_unexpected = self._items.unexpected

    def doubt(self) -> None:
        """Take all that is under way for unclear."""
        if self._items is not None:
            self._items.doubt()

    def check(self, now_ns: int) -> None:
        """Have told what became of the items whose windows are over.

        Whatever was swept since the last call was in doubt, and so is all that is under way.
        """
        if self._items is None:
            return
        if self._sweeps != self._transit.queue.sweeps:
            self._sweeps = self._transit.queue.sweeps
            self._items.doubt()
        for tag, fate in self._items.settled(now_ns, self._transit.encoder.position):
            self._transit.incidents.add(fate, tag, now_ns, REASONS[fate])
