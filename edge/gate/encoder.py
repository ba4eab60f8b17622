"""The belt's incremental encoder: from edges of one or two tracks to a position in counts."""

from edge.gate.lines import WireEvent
from edge.gate.lost_edges import missing_edges, missing_rises
from edge.wiring import ENCODER_A


class Encoder:
    """Decodes an incremental encoder into counts; pure, no clock.

    One track counts forward only. With a second (quadrature), a rise of A while B is low is one
    count forward, and a fall of A while B is low one count back: a belt that shivers on the spot
    counts up and down and stays where it is.

    Each track's levels alternate, and of two tracks one changes at a time. An edge that is the same
    as the one before on its track is an impossible step: the edge between was lost.
    """

    def __init__(self, *, two_tracks: bool, b: int = 0) -> None:
        self.position = 0
        """Counts since the start; negative when the belt ran back further than it had come."""
        self.lost = 0
        """Edges that were not delivered; since the first the position is an estimate."""
        self.two_tracks = two_tracks
        self._b, self._direction = b, 1
        self._levels: dict[str, int] = {}

    def feed(self, event: WireEvent) -> None:
        """Take one edge of a track.

        Lost rises of A are counted on as they went before.
        """
        missing = missing_edges(self._levels.get(event.line), event)
        self._levels[event.line] = event.level
        self.lost += missing
        if event.line != ENCODER_A:
            self._b = event.level
            return
        self.position += self._direction * missing_rises(missing, event.level)
        if self.two_tracks and self._b == 0:
            self._direction = 1 if event.level else -1
            self.position += self._direction
        elif not self.two_tracks and event.level:
            self.position += 1

    def correct(self, b: int) -> None:
        """Take the level of B as it was read, after edges of any line were lost."""
        self._b = b
