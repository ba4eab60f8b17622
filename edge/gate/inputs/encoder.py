"""The belt's incremental encoder: from edges of one or two tracks to a position in counts."""

from edge.gate.lines import WireEvent
from edge.wiring import ENCODER_A


class Encoder:
    """Decodes an incremental encoder into counts; pure, no clock.

    One track counts forward only. With a second (quadrature), a rise of A while B is low is one
    count forward, and a fall of A while B is low one count back: a belt that shivers on the spot
    counts up and down and stays where it is. Which edges are missing
    :class:`edge.gate.inputs.lost_edges.EdgeWatch` tells.
    """

    def __init__(self, *, two_tracks: bool, b: int = 0) -> None:
        self.position = 0
        """Counts since the start; negative when the belt ran back further than it had come.

        After lost edges it is an estimate.
        """
        self.two_tracks = two_tracks
        self._b, self._direction = b, 1

    def feed(self, event: WireEvent, lost_rises: int = 0) -> None:
        """Take one edge of a track.

        *lost_rises*: rises of that track that were lost before it; of A they are counted on as it
        went before.
        """
        if event.line != ENCODER_A:
            self._b = event.level
            return
        self.position += self._direction * lost_rises
        if self.two_tracks and self._b == 0:
            self._direction = 1 if event.level else -1
            self.position += self._direction
        elif not self.two_tracks and event.level:
            self.position += 1

    def correct(self, b: int) -> None:
        """Take the level of B as it was read, after edges of any line were lost."""
        self._b = b
