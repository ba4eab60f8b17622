"""The belt's incremental encoder: from edges of one or two tracks to a position in counts."""

from edge.gate.lines import WireEvent
from edge.wiring import ENCODER_A


class Encoder:
    """Decodes an incremental encoder into counts; pure, no clock.

    One track counts forward only. With a second (quadrature), a rise of A while B is low is one
    count forward, and a fall of A while B is low one count back: a belt that shivers on the spot
    counts up and down and stays where it is.
    """

    def __init__(self, *, two_tracks: bool, b: int = 0) -> None:
        self.position = 0
        """Counts since the start; negative when the belt ran back further than it had come."""
        self.lost = 0
        """Edges that were not delivered; since the first the position is an estimate."""
        self.two_tracks = two_tracks
        self._b, self._direction = b, 1

    def feed(self, event: WireEvent) -> None:
        """Take one edge of a track.

        Lost edges of A are counted on as they went before: two are a count, one with a single
        track.
        """
        self.lost += event.lost
        if event.line != ENCODER_A:
            self._b = event.level
            return
        lost_counts = (event.lost + 1) // 2
        self.position += self._direction * lost_counts
        if self.two_tracks and self._b == 0:
            self._direction = 1 if event.level else -1
            self.position += self._direction
        elif not self.two_tracks and event.level:
            self.position += 1
