"""A belt that stands still, or starts after READY had stopped it: what is under way is in doubt."""

from edge.config import Config
from edge.gate.inputs.motion import Standstill
from edge.gate.transit import Transit
from edge.sections.gate import GateSettings

STOOD_STILL = "the belt stood still with items under way, and the delay is a time"
ITEMS_COME = "the encoder stands still while items come"
WHY_READY = "READY had stopped the belt, and nobody can tell where things are"
WHY_STOOD = "the belt stood still, and nobody can tell where things are"


class BeltStops:
    """Rejects what is under way when the belt runs again and its places are in doubt.

    An encoder tells of a standstill, READY of its own.

    Synchronization: one thread.
    """

    def __init__(self, config: Config, transit: Transit) -> None:
        self.unplaced_until_ns = 0
        """Until then nobody knows when a thrown item comes to the bin."""
        self._transit, self._settings = transit, config.gate
        self._item_at: int | None = None
        self._wired = bool(config.lines.encoder_a)
        self._standstill = Standstill(
            round(config.gate.standstill_ms * 1e6), transit.clock.now_ns()
        )

    def adopt(self, settings: GateSettings) -> None:
        """Apply changed settings."""
        self._settings = settings
        self._standstill.limit_ns = round(settings.standstill_ms * 1e6)

    def begin(self, now_ns: int) -> None:
        """Begin to watch now."""
        self._standstill.count(now_ns)

    def next_ns(self) -> int | None:
        """Return when :meth:`check` has something to look at; None when nothing is ahead."""
        return self._standstill.next_ns() if self._must_move() else None

    def check(self, now_ns: int) -> None:
        """Stop the production line when the belt stands still and its items are timed."""
        if self._must_move() and self._standstill.stands(now_ns):
            self._transit.latched[STOOD_STILL] = True
            self._transit.incidents.add("stood still", 0, now_ns, STOOD_STILL)

    def _must_move(self) -> bool:
        """Return whether the belt must not stand still now: items are under way by time."""
        timed = self._wired and not self._transit.by_counts
        return timed and STOOD_STILL not in self._transit.latched and self._transit.queue.ahead > 0

    def check_item(self) -> None:
        """Stop the production line when the belt has not moved by counts since the last item.

        With one of its two tracks broken an encoder counts up and down by one.
        """
        if not self._transit.by_counts or self._item_at is None:
            return
        moved = abs(self._transit.encoder.position - self._item_at)
        if moved <= int(self._transit.encoder.two_tracks):
            self._transit.latched[ITEMS_COME] = True

    def note_item(self) -> None:
        """Note where the belt is as an item comes."""
        self._item_at = self._transit.encoder.position

    def move(self, t_ns: int, *, blocked: bool) -> None:
        """Reject all that is under way when the belt moves again, where its places are in doubt.

        They are where the delay is a time, and where one track cannot tell whether the belt has run
        back: then what is there comes up to twice as far, as it is counted both ways. *blocked*:
        whether something covers the photo-eye.
        """
        transit, stood = self._transit, self._standstill.count(t_ns)
        if not stood or (transit.by_counts and transit.encoder.two_tracks):
            return
        here, now_ns = transit.encoder.position, transit.clock.now_ns()
        if transit.by_counts and not (
            blocked or transit.queue.sweeping(now_ns) or not transit.queue.idle
        ):
            return
        transit.queue.sweep_all(now_ns, WHY_STOOD)
        if transit.by_counts:
            transit.queue.sweep(here, here + self._settings.reject_delay_counts, WHY_STOOD)
            transit.incidents.add("swept", 0, t_ns, WHY_STOOD)

    def start(self, now_ns: int, *, told: bool) -> None:
        """Reject all that is under way when READY begins, and until the belt runs at its speed.

        By counts the belt itself tells where things are. By time what stood on it comes later than
        reckoned, and so does what comes to the photo-eye while it is slow. *told*: whether an
        incident says so.
        """
        transit, settings = self._transit, self._settings
        if transit.by_counts or not settings.ready_stops_belt:
            return
        start_ns = now_ns + round(settings.belt_start_ms * 1e6)
        transit.queue.withdraw_all(WHY_READY)
        transit.queue.sweep(transit.at_gate(), start_ns, WHY_READY)
        self.unplaced_until_ns = start_ns + round(settings.reject_delay_ms * 1e6)
        if told:
            transit.incidents.add("swept", 0, now_ns, WHY_READY)
