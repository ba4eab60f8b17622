"""The photo-eye's beam: what covers it is one item, several, or a jam. Pure, no clock.

An item covers the beam for about its own length. What covers it for longer than the greatest length
of one is several that touch, or one askew: nobody can judge that by one picture. From a second
length on it is a jam.
"""

from edge.config import Config
from edge.wiring import longest_item

Place = int
"""A moment in nanoseconds, or a count of the encoder, as in :mod:`edge.gate.rejects`."""


def longest_blocked(config: Config) -> int:
    """Return the greatest length of one item at the photo-eye, in places.

    >>> longest_blocked(Config())
    250000000
    """
    unit = 1 if config.gate.reject_delay_counts > 0 else 1_000_000
    return round(longest_item(config) * unit)


def off_delay(config: Config) -> tuple[int, bool]:
    """Return the off-delay, and whether it is in encoder counts rather than nanoseconds.

    >>> off_delay(Config())
    (0, False)
    """
    if config.trigger.off_delay_counts > 0:
        return config.trigger.off_delay_counts, True
    return round(config.trigger.off_delay_ms * 1e6), False


class Beam:
    """Follows the photo-eye's beam from place to place.

    *longest*: the greatest length of one item, in places; *off_delay*: a beam that is clear for
    less still belongs to what covered it, in nanoseconds, or in places where *off_in_places*. They
    may be replaced at any time.
    """

    def __init__(self, longest: int, off_delay: int, *, off_in_places: bool = False) -> None:
        self.longest, self.off_delay, self.off_in_places = longest, off_delay, off_in_places
        self.blocked = False
        self.lengths = 0
        """Whole lengths by which that is longer than one item: 1 is several items, 2 a jam."""
        self.swept: Place = 0
        """To where it is rejected as longer than one item; its beginning while it is not."""
        self._since: Place = 0
        self._cleared: tuple[Place, int] | None = None

    @property
    def jammed(self) -> bool:
        """Whether the beam is blocked, and has been for a second length."""
        return self.blocked and self.lengths > 1

    def cover(self, place: Place, t_ns: int) -> bool:
        """Take the beam's break; return whether an item begins there, or one goes on."""
        joined = not self.blocked and self._cleared is not None and self._within(place, t_ns)
        self.blocked = True
        if not joined:
            self._since = self.swept = place
            self.lengths = 0
        return not joined

    def _within(self, place: Place, t_ns: int) -> bool:
        """Return whether it was clear for less than the off-delay; a belt may have run back."""
        assert self._cleared is not None
        cleared_at, cleared_ns = self._cleared
        clear = abs(place - cleared_at) if self.off_in_places else t_ns - cleared_ns
        return clear < self.off_delay

    def uncover(self, place: Place, t_ns: int) -> None:
        """Take the end of the break; after lost edges it is the end of nothing known."""
        self._cleared = (place, t_ns) if self.blocked else None
        self.blocked = False

    def forget(self) -> None:
        """Take the beam for clear, and what comes next for an item: edges were lost."""
        self.blocked, self._cleared, self.lengths = False, None, 0

    def grow(self, place: Place) -> bool:
        """Return whether what covers the beam has grown by a whole length more since last asked.

        Then all from :attr:`swept` to *place* is to be rejected.
        """
        if not self.blocked:
            return False
        lengths = max(0, place - self._since - 1) // self.longest
        grown, self.lengths = lengths > self.lengths, max(lengths, self.lengths)
        return grown

    def next_place(self) -> Place | None:
        """Return the place from which :meth:`grow` is true again; None while the beam is clear."""
        return self._since + (self.lengths + 1) * self.longest + 1 if self.blocked else None
