"""The normal rate of a chart, agreed in the settings or learnt from the line's first items."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from edge.alarms.chart import rate_bounds

MOST_LEARNT = 0.2
"""Greatest share that is learnt as normal: a line that begins with more has something wrong."""


@dataclass(frozen=True)
class Baseline:
    """What was counted in the first phase of *wanted* items, when the charts learn the normal rate.

    *refused*: a phase before had too great a share, and this one is another.
    """

    events: int = 0
    items: int = 0
    refused: bool = False

    def after(self, event: bool, wanted: int) -> "Baseline":
        """Return this after one item more; a phase that is complete stays as it is."""
        if self.items >= wanted:
            return self
        events, items = self.events + event, self.items + 1
        if items >= wanted and events > MOST_LEARNT * items:
            return Baseline(refused=True)
        return replace(self, events=events, items=items, refused=self.refused and items < wanted)

    def rates(self, agreed: float, wanted: int) -> tuple[float, float] | None:
        """Return between which rates the normal one lies; None while it is not known.

        *agreed*: that of the settings, which counts alone; 0 for none.
        """
        if agreed:
            return agreed, agreed
        if not wanted or self.items < wanted:
            return None
        return rate_bounds(self.events, self.items)

    def as_list(self) -> list[int]:
        """Return it as the journal holds it."""
        return [self.events, self.items, int(self.refused)]


def baseline_of(value: Any) -> Baseline | None:
    """Return the baseline that a record of the journal holds; None where it holds none."""
    if not isinstance(value, Sequence) or len(value) != 3:
        return None
    if not all(isinstance(number, int) and number >= 0 for number in value):
        return None
    events, items, refused = value
    return Baseline(events, items, bool(refused)) if events <= items else None
