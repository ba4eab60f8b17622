"""The p-chart as an SVG: where its points and limits lie in pixels of the drawing."""

from collections.abc import Sequence
from dataclasses import dataclass

from edge.review.statistics import Chart, Point
from edge.review.web.rendering import clock_time, local_time, percent, weekday

WIDTH, HEIGHT = 720, 220
LEFT, RIGHT, TOP, BOTTOM = 64, 26, 12, 30
DAY_MS = 86_400_000
LABELS = 6
"""Most times of day below the chart."""


@dataclass(frozen=True)
class Dot:
    """A point of the chart: its centre, and what it says."""

    x: float
    y: float
    out: bool
    words: str


@dataclass(frozen=True)
class Drawing:
    """The chart in pixels; *lines*: points of a polyline for the shares and the two limits."""

    width: int
    height: int
    left: int
    right: int
    bottom: int
    dots: tuple[Dot, ...]
    shares: str
    upper: str
    lower: str
    mean_y: float
    mean: str
    ticks: tuple[tuple[float, str], ...]
    times: tuple[tuple[float, str], ...]


def drawing_of(chart: Chart) -> Drawing | None:
    """Lay out a chart; None where no interval has an item."""
    points = [point for point in chart.points if point.items]
    if not points or chart.mean is None:
        return None
    most = max(max(point.share, min(point.upper, 2 * point.share + 0.02)) for point in points)
    top = _nice(max(most, chart.mean, 0.01))
    span = WIDTH - LEFT - RIGHT
    first, last = points[0].begin_ms, points[-1].begin_ms

    def x_of(ms: int) -> float:
        share = 0.5 if last == first else (ms - first) / (last - first)
        return round(LEFT + span * share, 1)

    def y_of(share: float) -> float:
        height = HEIGHT - TOP - BOTTOM
        return round(TOP + height * (1 - min(share, top) / top), 1)

    def line(values: Sequence[float]) -> str:
        pairs = zip(points, values, strict=True)
        return " ".join(f"{x_of(point.begin_ms)},{y_of(value)}" for point, value in pairs)

    dots = tuple(
        Dot(x_of(point.begin_ms), y_of(point.share), point.out, _words(point)) for point in points
    )
    step = max(1, -(-len(points) // LABELS))
    return Drawing(
        WIDTH,
        HEIGHT,
        LEFT,
        WIDTH - RIGHT,
        HEIGHT - BOTTOM,
        dots,
        line([point.share for point in points]),
        line([point.upper for point in points]),
        line([point.lower for point in points]),
        y_of(chart.mean),
        percent(chart.mean),
        tuple((y_of(top * part / 4), percent(top * part / 4, 1)) for part in range(5)),
        tuple((x_of(p.begin_ms), _moment(p.begin_ms, last - first)) for p in points[::step]),
    )


def _moment(ms: int, span_ms: int) -> str:
    """Return a time of day, with the day where the chart has several."""
    day = f"{weekday(ms)} " if span_ms >= DAY_MS else ""
    return day + clock_time(ms)[:5]


def _words(point: Point) -> str:
    outside = "; outside its control limits" if point.out else ""
    return (
        f"{local_time(point.begin_ms)}: {point.rejects} of {point.items} rejected, "
        f"{percent(point.share)}{outside}"
    )


def _nice(share: float) -> float:
    """Return the next share of 1, 2, 4, 6 or 10 times a power of ten; at most 1."""
    power = 0.001
    while power * 10 < share:
        power *= 10
    return min(1.0, next(power * step for step in (1, 2, 4, 6, 10.001) if power * step >= share))
