"""The belt's motion as its encoder tells it: what was seen before, and whether it stood still.

Pure, no clock.
"""

from collections import deque

PLACES_KEPT = 10_000
"""Places of items that are kept: as many as may be between the eye and the gate."""
SAME_COUNTS = 3
"""Counts within which an item is read again where it was read before."""


class SeenPlaces:
    """Tells an item that a belt which ran back brings to the photo-eye again, by its place.

    For an encoder of two tracks: there a position is a place on the belt, and what was never at the
    photo-eye is further than the belt has ever run.
    """

    def __init__(self, position: int = 0) -> None:
        self._furthest = self._position = position
        self._back = False
        self._places: deque[int] = deque(maxlen=PLACES_KEPT)

    def move_to(self, position: int) -> None:
        """Follow the belt."""
        if position != self._position:
            self._back = position < self._position
        self._position, self._furthest = position, max(self._furthest, position)

    def enter(self) -> None:
        """Note an item whose front is at the photo-eye now."""
        self._places.append(self._position)

    @property
    def behind(self) -> bool:
        """Whether the belt runs back, and not by a count on the spot."""
        return self._back and self._position + 1 < self._furthest

    def again(self, longest: int) -> bool:
        """Return whether what covers the photo-eye now is an item that was seen before.

        While the belt runs back that is the item's end, at most *longest* counts behind its place.
        What somebody has put where nothing was is new; and so is all that comes while an encoder
        shivers on the spot, or counts back because its tracks are exchanged.
        """
        if self._position + 1 >= self._furthest:
            return False
        most = longest + SAME_COUNTS if self._back else SAME_COUNTS
        return any(-SAME_COUNTS <= self._position - place <= most for place in self._places)

    def forget(self) -> None:
        """Forget all places: edges were lost, or somebody had his hands on the belt."""
        self._places.clear()
        self._furthest = self._position


class Standstill:
    """Tells whether the belt has stood still, by the counts that do not come.

    *limit_ns*: from how long on; 0 for never. It may be replaced at any time.
    """

    def __init__(self, limit_ns: int, now_ns: int) -> None:
        self.limit_ns = limit_ns
        self._counted_ns = now_ns

    def stands(self, now_ns: int) -> bool:
        """Return whether it stands still now."""
        return self.limit_ns > 0 and now_ns - self._counted_ns >= self.limit_ns

    def next_ns(self) -> int | None:
        """Return when it will have stood still for long enough; None for never."""
        return self._counted_ns + self.limit_ns if self.limit_ns > 0 else None

    def count(self, t_ns: int) -> bool:
        """Take a count; return whether the belt has stood still before it."""
        stood = self.stands(t_ns)
        self._counted_ns = t_ns
        return stood
