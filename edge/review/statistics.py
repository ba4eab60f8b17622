"""Counts of a shift, and the p-chart of its rejects, from the index's counts of minutes."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

TAIL = 0.00135
"""Of each limit: what three standard deviations leave out of a normal distribution."""
MINUTE_MS = 60_000


@dataclass(frozen=True)
class Counts:
    """Counts of the items of a span of time, by verdict, reason's code, class and judgement."""

    items: int = 0
    passed: int = 0
    rejected: int = 0
    faults: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    """Of rejects and faults, the most frequent first."""
    labels: dict[str, int] = field(default_factory=dict)
    judged: dict[str, int] = field(default_factory=dict)

    @property
    def reject_share(self) -> float | None:
        """The share of items that did not pass, 0..1; None of none."""
        return (self.rejected + self.faults) / self.items if self.items else None


@dataclass(frozen=True)
class Point:
    """One span of a p-chart: its items, those that did not pass, and the control limits, 0..1.

    *out*: whether the share lies outside of them.
    """

    begin_ms: int
    items: int
    rejects: int
    lower: float
    upper: float
    out: bool

    @property
    def share(self) -> float:
        """The share of items that did not pass, 0..1."""
        return self.rejects / self.items


@dataclass(frozen=True)
class Chart:
    """A p-chart: spans of equal length with items in them, and the mean share, None of no item."""

    points: tuple[Point, ...]
    mean: float | None
    minutes: int


Row = tuple[int, str, str, int]
"""A verdict's number, code and class, and how many items."""
Span = tuple[int, int, int]
"""Of a p-chart: its number, its items, and how many of them did not pass."""


def counts_of(rows: Iterable[Row], judged: dict[str, int]) -> Counts:
    """Add counts up by verdict, code and class."""
    verdicts: Counter[int] = Counter()
    reasons: Counter[str] = Counter()
    labels: Counter[str] = Counter()
    for verdict, code, label, number in rows:
        verdicts[verdict] += number
        labels[label] += number
        if verdict:
            reasons[code] += number
    return Counts(
        verdicts.total(), verdicts[0], verdicts[1], verdicts[2],
        dict(reasons.most_common()), dict(labels.most_common()), judged,
    )  # fmt: skip


def chart_of(spans: Iterable[Span], since_ms: int, minutes: int) -> Chart:
    """Make a p-chart of *spans* of *minutes*, number 0 beginning at *since_ms*.

    Limits are those of the exact binomial distribution of each span's own number of items at the
    mean share of all (Shewhart; Montgomery, "Introduction to Statistical Quality Control", 7.2).
    """
    counted = sorted(spans)
    total = sum(items for _, items, _ in counted)
    if not total:
        return Chart((), None, minutes)
    first, mean = since_ms // MINUTE_MS, sum(rejects for *_, rejects in counted) / total
    points = []
    for span, items, rejects in counted:
        least, most = limits(items, mean)
        begin = (first + span * minutes) * MINUTE_MS
        out = not least <= rejects <= most
        points.append(Point(begin, items, rejects, least / items, most / items, out))
    return Chart(tuple(points), mean, minutes)


def limits(items: int, rate: float) -> tuple[int, int]:
    """Return the least and the most counts of *items* within the control limits at a *rate*.

    Beyond either the exact binomial distribution has at most :data:`TAIL`.

    >>> limits(100, 0.05), limits(10, 0.0), limits(10, 1.0)
    ((0, 13), (0, 0), (10, 10))
    """
    if not 0.0 < rate < 1.0:
        return (0, 0) if rate <= 0.0 else (items, items)
    odds = math.log(rate) - math.log1p(-rate)
    log = items * math.log1p(-rate)  # of the chance of none
    below, least, count = 0.0, 0, 0
    while below + math.exp(log) <= TAIL:
        below += math.exp(log)
        log += math.log(items - count) - math.log(count + 1) + odds
        count += 1
    least = count
    while count < items and 1.0 - (below := below + math.exp(log)) > TAIL:
        log += math.log(items - count) - math.log(count + 1) + odds
        count += 1
    return least, count
