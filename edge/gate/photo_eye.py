"""The photo-eye: items by its edges, and what covers its beam for longer than one item."""

from collections.abc import Callable

from edge.config import Config
from edge.gate.inputs.beam import Beam, longest_blocked, off_delay
from edge.gate.lines import Lines, WireEvent
from edge.gate.transit import Transit
from edge.wiring import TRIGGER

BLOCKED_AT_START = (
    "the photo-eye was blocked when the gate began: until it is clear all is rejected"
)
COUNTS_BACK = "new items come while the encoder counts back"
WHY_EDGES = "edges of the photo-eye were lost beside it"
WHY_TOUCHING = "the photo-eye was blocked by it for longer than by one item"
REREAD_NS = 1_000_000
"""How long the photo-eye must read as clear until the edge that would say so counts as lost."""


class PhotoEye:
    """Enters an item for each front at the photo-eye, and rejects what is longer than one item.

    *enter*: enters an item by its moment, and returns its tag; *owe*: has an item written down that
    nobody saw come.

    Synchronization: one thread.
    """

    def __init__(
        self,
        config: Config,
        transit: Transit,
        lines: Lines,
        enter: Callable[[int], int],
        owe: Callable[[int, str], None],
    ) -> None:
        self.triggers = config.trigger.kind == "photo-eye"
        """Whether its edges are the items; else it is no input of the gate."""
        self.edges = 0
        """Edges that were handled."""
        self._transit, self._lines, self._enter, self._owe = transit, lines, enter, owe
        off, in_places = off_delay(config)
        self._beam = Beam(longest_blocked(config), off, off_in_places=in_places)
        self._item = 0
        self._clear_ns: int | None = None

    def adopt(self, config: Config) -> None:
        """Apply changed settings from the next edge on."""
        self._beam.longest = longest_blocked(config)
        self._beam.off_delay, self._beam.off_in_places = off_delay(config)

    @property
    def blocked(self) -> bool:
        """Whether something covers the beam."""
        return self._beam.blocked

    @property
    def jammed(self) -> bool:
        """Whether something has covered the beam for a second length."""
        return self._beam.jammed

    @property
    def rejected_to(self) -> int | None:
        """The place to which what covers the beam is rejected as several items; None for one."""
        return self._beam.swept if self._beam.blocked and self._beam.lengths else None

    def handle(self, event: WireEvent) -> None:
        """Handle an edge: an item begins or goes on, or the beam is clear."""
        self.edges, self._clear_ns = self.edges + 1, None
        place = self._transit.place(event.t_ns)
        self._grow(place)
        if not event.level:
            self._sweep(place)
            self._beam.uncover(place, event.t_ns)
        elif self._beam.cover(place, event.t_ns):
            self._handle_front(event.t_ns)
        else:
            self._transit.counters.joined += 1

    def _handle_front(self, t_ns: int) -> None:
        """Enter the item whose front is at the photo-eye, unless it was there before."""
        transit = self._transit
        if transit.by_counts and transit.encoder.two_tracks:
            if transit.seen.again(self._beam.longest):
                transit.counters.reread += 1
                self._item = 0
                return
            if transit.seen.behind:
                transit.latched[COUNTS_BACK] = True
        self._item = self._enter(t_ns)
        transit.seen.enter()

    # Longer than one item

    def begin_blocked(self, now_ns: int) -> None:
        """Reject what covers the photo-eye at the start, of which nobody saw the beginning."""
        if not self.triggers or self._beam.blocked:
            return
        place = self._transit.place(now_ns)
        self._beam.cover(place - self._beam.longest - 1, now_ns)
        self._beam.grow(place)
        self._sweep(place)
        self._owe(now_ns, BLOCKED_AT_START)

    def check(self, place: int) -> bool:
        """Look at what covers the photo-eye, whenever it has grown by a length.

        Return whether the beam is clear for so long that the edge which says so must be lost.
        """
        due = self._beam.next_place()
        if due is None or place < due:
            return False
        now_ns = self._transit.clock.now_ns()
        if self._lines.level(TRIGGER):
            self._clear_ns = None
            self._grow(place)
        elif self._clear_ns is None:
            self._clear_ns = now_ns  # the edge that says so may be on its way
        return self._clear_ns is not None and now_ns - self._clear_ns >= REREAD_NS

    def next_ns(self) -> int | None:
        """Return when :meth:`check` has something to look at; None when nothing is ahead."""
        if self._clear_ns is not None:
            return self._clear_ns + REREAD_NS
        return None if self._transit.by_counts else self._beam.next_place()

    def _grow(self, place: int) -> None:
        """Reject what covers the photo-eye for longer than one item; record it once."""
        several = self._beam.lengths > 0
        if not self._beam.grow(place):
            return
        if not several:
            self._reject_touching()
        self._sweep(place)

    def _reject_touching(self) -> None:
        """Reject several items of which only the first has a trigger."""
        queue, item, longest = self._transit.queue, self._item, self._beam.longest
        self._transit.counters.touching += 1
        queue.withdraw(item, WHY_TOUCHING)
        fate = "rejected" if queue.under_way(item) else "past the gate already"
        first = f" by item {item} of the gate, which is {fate}" if item else ""
        limit = f"{longest} counts" if self._transit.by_counts else f"{longest / 1e6:g} ms"
        why = f"several items: the photo-eye was blocked{first}; one blocks it for {limit} at most"
        self._owe(self._transit.clock.now_ns(), why)

    def _sweep(self, place: int) -> None:
        """Reject what covers the photo-eye up to *place*, when it is longer than one item."""
        if self._beam.blocked and self._beam.lengths and place > self._beam.swept:
            self._transit.sweep(self._beam.swept, place, WHY_TOUCHING)
            self._beam.swept = place

    # After lost edges

    def doubt(self) -> None:
        """Reject the item at the photo-eye, whose end nobody saw; what comes next is another."""
        if self._beam.blocked:
            self._transit.queue.withdraw(self._item, WHY_EDGES)
        self._beam.forget()
        self._clear_ns = None

    def reread(self, since: int, since_ns: int) -> None:
        """Read the beam again after edges of any line were lost.

        *since*, *since_ns*: place and moment from which on it may be covered.
        """
        blocked = self._beam.blocked
        if blocked:
            self._transit.queue.withdraw(self._item, WHY_EDGES)
        if not self._lines.level(TRIGGER):
            self._beam.forget()
        elif not blocked:
            self._beam.forget()
            self._beam.cover(since, since_ns)
            self._item = 0

    def sweep_lost_end(self, place: int) -> None:
        """Reject all since the beam was last known to be covered, whose end is at *place*."""
        self._transit.sweep(self._beam.swept, place, WHY_EDGES)
        self.doubt()
