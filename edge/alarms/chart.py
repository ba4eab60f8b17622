"""The p-chart of a share over the last items, with limits by the exact binomial distribution.

A p-chart (Shewhart; Montgomery, "Introduction to Statistical Quality Control", 7.2) sounds when the
share of nonconforming items leaves its control limits. With few of them the usual three standard
deviations are far off: at a rate of 0.5 % and 200 items they would sound once in 60 windows. Here
the limits are chosen by the **run length**: how many items come between two false alarms.

The window slides by one item. At rate p, of independent items, the count in a window of m reaches
c, coming from c - 1, exactly when the newest item is one of those counted, the one that leaves is
none, and c - 1 of the m - 1 between them are; so per item it begins with the probability

    p (1 - p) binomial(c - 1; m - 1, p)

and the mean run length between two such beginnings is one over that, exactly. An alarm that has
not ended does not begin again, so false alarms are no more frequent than this.
"""

import math
from collections import deque

from edge.rates.bounds import upper_bound


def onset_rate(count: int, others: int, rate: float) -> float:
    """Return how often, per item, a window's count comes to an end of *count* of *others*.

    *others*: the window's items but one; *rate*: of the items counted, above 0 and below 1.

    >>> round(onset_rate(0, 1, 0.5), 3)
    0.125
    """
    if not 0.0 < rate < 1.0 or not 0 <= count <= others:
        return 0.0
    log = math.lgamma(others + 1) - math.lgamma(count + 1) - math.lgamma(others - count + 1)
    log += (count + 1) * math.log(rate) + (others - count + 1) * math.log1p(-rate)
    return math.exp(log)


def upper_limit(window: int, rate: float, run_length: float) -> int | None:
    """Return the least count of a *window* that sounds at a *rate*; None when no count does.

    *run_length*: items between two false alarms, on average and at least.

    >>> upper_limit(200, 0.005, 10_000_000)
    9
    """
    counts = range(math.floor(window * rate) + 1, window + 1)
    return next((c for c in counts if onset_rate(c - 1, window - 1, rate) * run_length <= 1), None)


def lower_limit(window: int, rate: float, run_length: float) -> int | None:
    """Return the greatest count of a full *window* that is too low; None where even 0 is not.

    >>> lower_limit(200, 0.005, 10_000_000), lower_limit(1000, 0.05, 10_000_000)
    (None, 21)
    """
    found = None
    for count in range(math.floor(window * rate)):
        if onset_rate(count, window - 1, rate) * run_length > 1:
            break
        found = count
    return found


class Chart:
    """A share of the last *window* items against its control limits.

    It sounds when the count reaches a limit, and ends when the count is half-way back to what is
    expected (hysteresis). The upper limit counts before the window is full, the lower one does not.

    Synchronization: one thread.
    """

    def __init__(self, window: int, run_length: float) -> None:
        """*run_length*: items between two false alarms of one limit."""
        self.window, self._run_length = window, run_length
        self._events: deque[bool] = deque(maxlen=window)
        self.count = 0
        self.upper: int | None = None
        self.lower: int | None = None
        self._ends = (0.0, 0.0)  # at or below the first a high count ends, at or above the other
        self.state = ""
        """``high`` or ``low`` while it sounds; empty else."""

    @property
    def items(self) -> int:
        """Items in the window now."""
        return len(self._events)

    def agree(self, least: float, most: float) -> None:
        """Set limits for a rate that lies between *least* and *most*, which may be the same."""
        self.upper = upper_limit(self.window, most, self._run_length)
        self.lower = lower_limit(self.window, least, self._run_length)
        self._ends = (
            ((self.upper or 0) + self.window * most) / 2,
            ((self.lower or 0) + self.window * least) / 2,
        )
        self._look()

    def note(self, event: bool) -> None:
        """Take note of the next item: whether it is one of those counted."""
        if self.items == self.window:
            self.count -= self._events[0]
        self._events.append(event)
        self.count += event
        self._look()

    def _look(self) -> None:
        if self.upper is not None and self.count >= self.upper:
            self.state = "high"
        elif self.lower is not None and self.items == self.window and self.count <= self.lower:
            self.state = "low"
        elif (self.state == "high" and self.count <= self._ends[0]) or (
            self.state == "low" and self.count >= self._ends[1]
        ):
            self.state = ""


def rate_bounds(events: int, items: int) -> tuple[float, float]:
    """Return between which rates the true one lies, each side with 95 % confidence.

    Source: Clopper and Pearson (1934), see :mod:`edge.rates.bounds`.
    """
    return 1.0 - upper_bound(items - events, items), upper_bound(events, items)
