"""Judge the golden pictures again while no item comes, one an idle tick."""

from edge.clock import Clock
from edge.errors import ModelError
from edge.vision.localizer import Localizer


class IdleProof:
    """Proves at each idle hour that the model still judges as it did at the start.

    A memory cell that flips, or a processor too hot, is not seen in any file. One picture a tick,
    so that an item which comes meanwhile waits for one at most.

    Synchronization: one thread, that of the localizer.
    """

    def __init__(self, localizer: Localizer, clock: Clock, every_s: float) -> None:
        """*every_s*: time from one proof to the next; the start was the first."""
        self._localizer, self._clock, self._every_ns = localizer, clock, round(every_s * 1e9)
        self._proven_ns = clock.now_ns()
        self._next = 0

    def step(self) -> None:
        """Judge one golden picture when a proof is due. Raises ModelError when it is wrong."""
        since_ns = self._clock.now_ns() - self._proven_ns
        if since_ns < self._every_ns:
            return
        pictures = self._localizer.golden.pictures
        try:
            self._localizer.prove(pictures[self._next])
        except ModelError as error:
            raise ModelError(
                f"{error}; what passed in the last {since_ns / 6e10:.0f} minutes, since it was "
                "proven, is in doubt"
            ) from None
        self._next = (self._next + 1) % len(pictures)
        if self._next == 0:
            self._proven_ns = self._clock.now_ns()
