"""What the gate does about lost edges: rejects all that they may hide, and has it written down."""

from collections.abc import Callable

from edge.gate.inputs.lost_edges import EdgeWatch, Loss
from edge.gate.lines import Lines, WireEvent
from edge.gate.photo_eye import WHY_EDGES, PhotoEye
from edge.gate.transit import Transit
from edge.wiring import ENCODER_A, ENCODER_B, TRIGGER

EDGE_LOST = "its edge was lost: all that passed the photo-eye meanwhile is rejected"
EDGE_MISSING = "edges of an input were lost"
EDGE_LOST_STRETCH = "edges were lost: all that passed the photo-eye meanwhile is rejected"
EDGE_LOST_POSITION = (
    "edges were lost, and so the belt's position: all that was under way is rejected"
)
WHY_ENCODER = "edges of the encoder were lost while it was under way"


class LossHandler:
    """Finds what each input has lost, and rejects what that may hide.

    *owe*: has an item written down that nobody saw come.

    Synchronization: one thread.
    """

    def __init__(
        self, transit: Transit, photo_eye: PhotoEye, lines: Lines, owe: Callable[[int, str], None]
    ) -> None:
        self._transit, self._photo_eye, self._lines, self._owe = transit, photo_eye, lines, owe
        self._told_at: int | None = None
        self._lost_until: int | None = None
        self.begin()

    def begin(self) -> None:
        """Begin to watch here and now."""
        now_ns = self._transit.clock.now_ns()
        self._watch = EdgeWatch(self._transit.place(now_ns), now_ns)

    def correct(self, line: str, level: int) -> None:
        """Take the level of a line as it was read at the start."""
        self._watch.correct(line, level)

    def find(self, event: WireEvent) -> Loss | None:
        """Return what was lost before an event, None for nothing; call it for each, in order."""
        return self._watch.feed(event, self._transit.place(event.t_ns))

    def handle(self, event: WireEvent, loss: Loss) -> None:
        """Reject at once what lost edges may hide, and have it written down."""
        transit = self._transit
        transit.counters.lost_edges += loss.edges
        transit.latched.setdefault(EDGE_MISSING, False)
        here, triggers = transit.place(event.t_ns), self._photo_eye.triggers
        photo_eye = event.line == TRIGGER and triggers
        if transit.by_counts and (loss.shared or event.line in (ENCODER_A, ENCODER_B)):
            self._lose_position(here, loss, event.t_ns)
        elif (loss.shared and triggers) or (photo_eye and not loss.known):
            self._lose_stretch(here, loss, event.t_ns)
        if loss.shared:
            transit.encoder.correct(self._lines.level(ENCODER_B))
        if photo_eye:
            self._photo_eye.doubt()
            for _ in range(loss.rises):
                self._owe(event.t_ns, EDGE_LOST)
        elif loss.shared and triggers:
            self._photo_eye.reread(loss.since, loss.since_ns)

    def handle_lost_fall(self, place: int) -> None:
        """Handle a beam that is clear although no edge said so, like any other loss."""
        self._watch.correct(TRIGGER, 0)
        self._transit.counters.lost_edges += 1
        self._transit.latched.setdefault(EDGE_MISSING, False)
        self._photo_eye.sweep_lost_end(place)
        self._transit.incidents.add("lost", 0, self._transit.clock.now_ns(), EDGE_LOST_STRETCH)

    def _lose_position(self, here: int, loss: Loss, t_ns: int) -> None:
        """Sweep all that is under way: nobody knows any more what is where.

        The counts that were added for lost edges may be too many: then things come later.
        """
        transit, delay = self._transit, self._transit.settings.reject_delay_counts
        transit.seen.forget()
        transit.queue.withdraw_all(WHY_ENCODER)
        first = min(here - delay, loss.since) if loss.shared or loss.known else here - delay
        transit.sweep(first, here + loss.edges // 2 + 1, WHY_ENCODER)
        if self._lost_until is None or here > self._lost_until:
            transit.incidents.add("lost", 0, t_ns, EDGE_LOST_POSITION)
        self._lost_until = here + delay

    def _lose_stretch(self, here: int, loss: Loss, t_ns: int) -> None:
        """Sweep what passed the photo-eye since the last good event.

        One edge of it alone is of an item that is still there, or has just left; a buffer that ran
        over may hide any. Of several losses before its next edge the first is told.
        """
        rejected_to = self._photo_eye.rejected_to
        since = loss.since if rejected_to is None else rejected_to
        first = min(since, here)
        if not loss.shared:
            first = max(first, self._transit.at_gate())
        self._transit.sweep(first, max(since, here), WHY_EDGES)
        if not loss.rises and self._told_at != self._photo_eye.edges:
            self._transit.incidents.add("lost", 0, t_ns, EDGE_LOST_STRETCH)
        self._told_at = self._photo_eye.edges
