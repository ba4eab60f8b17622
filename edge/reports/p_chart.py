"""The p-chart of a shift as SVG: the share of items that did not pass, between its control limits.

It shows what the box's alarm sees (:mod:`edge.alarms.chart`): the share of the last ``[alarms]
window_items`` items, item by item, with limits by the exact binomial distribution at the run length
that is agreed. The normal rate is the agreed one, else that which the alarms have learnt, else that
of the shift itself.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from edge.alarms.chart import Chart, rate_bounds
from edge.reports.shift_figures import ShiftFigures
from edge.reports.zone import Zone

WIDE, HIGH = 760, 260
LEFT, RIGHT, TOP, BELOW = 52, 76, 14, 32
POINTS = 240
"""Points of the curve; each is the highest, or lowest, share of the items that it stands for."""
ALARMS = 3.0
"""Limits that share what run length is agreed, as in :mod:`edge.alarms.line_alarms`."""
FEWEST = 20
"""Items from which on a shift has a chart."""
LABELS = 7
"""Times below the chart, at most."""


@dataclass(frozen=True)
class Point:
    """The share at an item: its place among the items, its moment, and on which side it is out."""

    item: int
    time_ns: int | None
    share: float
    out: str


@dataclass(frozen=True)
class PChart:
    """The curve and its limits as shares; *window*: the items that each share is of."""

    points: tuple[Point, ...]
    items: int
    window: int
    rate: float
    source: str
    upper: float | None
    lower: float | None

    @property
    def out(self) -> bool:
        """Whether the share left the limits."""
        return any(point.out for point in self.points)

    @property
    def words(self) -> str:
        """What the chart shows, in a sentence."""
        limits = [
            f"{word} limit {limit:.2%}"
            for word, limit in (("upper", self.upper), ("lower", self.lower))
            if limit is not None
        ]
        left = "The share left the limits." if self.out else "The share stayed within the limits."
        return (
            f"Share of the last {self.window} items that did not pass; normal rate "
            f"{self.rate:.2%}, {self.source}; {', '.join(limits) or 'no limit'}. {left}"
        )


def p_chart(figures: ShiftFigures) -> PChart | None:
    """Return the chart of a shift; None where it has too few items that an eye saw."""
    items, alarms = figures.not_passed, figures.alarms
    if len(items) < FEWEST:
        return None
    window = min(alarms.window_items, len(items))
    least, most, rate, source = _rates(figures)
    chart = Chart(window, ALARMS * alarms.run_length_items)
    if 0.0 < rate < 1.0:
        chart.agree(least, most)
    points = list[Point]()
    for number, (time_ns, event) in enumerate(items, 1):
        chart.note(event)
        if chart.items == window:
            points.append(Point(number, time_ns, chart.count / window, chart.state))
    upper, lower = chart.upper, chart.lower
    return PChart(
        tuple(_thinned(points)),
        len(items),
        window,
        rate,
        source,
        None if upper is None else upper / window,
        None if lower is None else lower / window,
    )


def _rates(figures: ShiftFigures) -> tuple[float, float, float, str]:
    """Return between which rates the normal one lies, itself, and where it is from."""
    if agreed := figures.alarms.reject_rate:
        return agreed, agreed, agreed, "agreed in [alarms] reject_rate"
    if figures.learnt is not None:
        events, items = figures.learnt
        return *rate_bounds(events, items), events / items, f"learnt from {items} items"
    own = sum(event for _, event in figures.not_passed) / len(figures.not_passed)
    return own, own, own, "that of this shift itself"


def _thinned(points: Sequence[Point]) -> Iterator[Point]:
    """Yield at most :data:`POINTS` points: of each stretch the one that is farthest out."""
    step = max(1, -(-len(points) // POINTS))
    for start in range(0, len(points), step):
        stretch = points[start : start + step]
        yield max(stretch, key=lambda point: (bool(point.out), point.share))


def svg(chart: PChart, zone: Zone) -> str:
    """Return the chart as an SVG element, without a style of its own."""
    top = max(0.01, *(point.share for point in chart.points), chart.upper or 0.0) * 1.1
    inside = _Inside(chart.items, top)
    begin = (
        f'<svg class="chart" viewBox="0 0 {WIDE} {HIGH}" role="img" '
        f'aria-label="{escape(chart.words)}" font-size="12" font-family="sans-serif">'
    )
    parts = [
        begin,
        *_axes(inside, chart, zone),
        *_limits(inside, chart),
        _curve(inside, chart.points),
        *(
            f'<circle cx="{inside.x(point.item):.1f}" cy="{inside.y(point.share):.1f}" r="3.5" '
            'fill="#b3261e"/>'
            for point in chart.points
            if point.out
        ),
        "</svg>",
    ]
    return "".join(parts)


@dataclass(frozen=True)
class _Inside:
    """Maps items and shares into the chart's frame."""

    items: int
    top: float

    def x(self, item: int) -> float:
        return LEFT + (WIDE - LEFT - RIGHT) * item / max(1, self.items)

    def y(self, share: float) -> float:
        return HIGH - BELOW - (HIGH - BELOW - TOP) * share / self.top


def _axes(inside: _Inside, chart: PChart, zone: Zone) -> Iterator[str]:
    base = inside.y(0.0)
    yield (
        f'<path d="M{LEFT} {TOP}V{base:.1f}H{WIDE - RIGHT}" fill="none" stroke="#444" '
        'stroke-width="1"/>'
    )
    digits = 0 if inside.top >= 0.1 else 1
    for part in range(5):
        share = inside.top * part / 4
        y = inside.y(share)
        yield (
            f'<path d="M{LEFT} {y:.1f}H{WIDE - RIGHT}" stroke="#ddd" stroke-width="0.7"/>'
            f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{share:.{digits}%}</text>'
        )
    for item, label in _labels(chart, zone):
        x = inside.x(item)
        yield (
            f'<path d="M{x:.1f} {base:.1f}v5" stroke="#444"/>'
            f'<text x="{x:.1f}" y="{base + 19:.1f}" text-anchor="middle">{label}</text>'
        )


def _labels(chart: PChart, zone: Zone) -> Iterator[tuple[int, str]]:
    """Yield places on the axis and the local time there, or the number of items so far."""
    step = max(1, len(chart.points) // LABELS)
    for point in chart.points[step // 2 :: step]:
        local = zone.local(point.time_ns) if point.time_ns is not None else None
        yield point.item, f"{local:%H:%M}" if local is not None else f"{point.item}"


def _limits(inside: _Inside, chart: PChart) -> Iterator[str]:
    lines = (("upper limit", chart.upper), ("normal", chart.rate), ("lower limit", chart.lower))
    for name, share in lines:
        if share is None:
            continue
        y, dash = inside.y(share), "2 4" if name == "normal" else "7 4"
        colour = "#1f5fa8" if name == "normal" else "#b3261e"
        yield (
            f'<path d="M{LEFT} {y:.1f}H{WIDE - RIGHT}" stroke="{colour}" stroke-width="1.2" '
            f'stroke-dasharray="{dash}"/>'
            f'<text x="{WIDE - RIGHT + 5}" y="{y + 4:.1f}" fill="{colour}">'
            f"{name}</text>"
        )


def _curve(inside: _Inside, points: Sequence[Point]) -> str:
    places = " ".join(f"{inside.x(p.item):.1f},{inside.y(p.share):.1f}" for p in points)
    return f'<polyline points="{places}" fill="none" stroke="#222" stroke-width="1.6"/>'
