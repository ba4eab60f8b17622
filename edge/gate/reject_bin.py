"""The reject bin: each rejected item must come there in time, and no other may."""

from edge.config import Config
from edge.gate.inputs.confirmations import Confirmations, window_of
from edge.gate.transit import Transit
from edge.sections.gate import GateSettings
from edge.wiring import is_shadow

NOT_IN_THE_BIN = "a rejected item did not come to the bin"
NOT_REJECTED = "an item came to the bin that was not rejected"


class RejectBin:
    """Compares what is rejected with what the bin's sensor sees; does nothing where there is none.

    In shadow nothing is thrown, so nothing is awaited: what comes to the bin people put there.

    Synchronization: one thread.
    """

    def __init__(self, config: Config, transit: Transit) -> None:
        self._transit = transit
        self._confirmations = (
            Confirmations(window_of(config.gate))
            if config.lines.confirm and not is_shadow(config)
            else None
        )

    def adopt(self, settings: GateSettings) -> None:
        """Apply changed settings."""
        if self._confirmations is not None:
            self._confirmations.window = window_of(settings)

    def next_ns(self) -> int | None:
        """Return when :meth:`check` has something to look at; None when nothing is ahead."""
        return self._confirmations.next_ns() if self._confirmations is not None else None

    def expect(self, tag: int, now_ns: int) -> None:
        """Await an item that is rejected now."""
        if self._confirmations is not None:
            self._confirmations.expect(tag, now_ns, self._transit.encoder.position)

    def sweep(self, t_ns: int) -> None:
        """Note that everything is rejected: items may come that nobody knows."""
        if self._confirmations is not None:
            self._confirmations.sweep(t_ns, self._transit.encoder.position)

    def clear(self) -> None:
        """Await nothing that was rejected until now."""
        if self._confirmations is not None:
            self._confirmations.clear()

    def confirm(self, t_ns: int) -> None:
        """Take an edge of the bin's sensor; an item that nobody had rejected is trouble."""
        if self._confirmations is None:
            return
        transit, counters = self._transit, self._transit.counters
        if transit.queue.sweeping(t_ns):
            self.sweep(t_ns)
        sighting = self._confirmations.confirm(t_ns, transit.encoder.position)
        counters.confirmed += sighting == "confirmed"
        if sighting == "unexpected":
            transit.latched[NOT_REJECTED] = True
            transit.incidents.add("unexpected", 0, t_ns, NOT_REJECTED)
        counters.unexpected = self._confirmations.unexpected
        counters.seen_again = self._confirmations.again

    def check(self, now_ns: int) -> None:
        """Latch a trouble for rejected items that should have come by now."""
        if self._confirmations is None:
            return
        for tag in self._confirmations.overdue(now_ns, self._transit.encoder.position):
            self._transit.latched[NOT_IN_THE_BIN] = True
            self._transit.incidents.add("unconfirmed", tag, now_ns, NOT_IN_THE_BIN)
        self._transit.counters.unconfirmed = self._confirmations.missing
