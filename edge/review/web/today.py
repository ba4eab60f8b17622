"""The first page: what a shift has brought, as counts, a chart, reasons, trouble and a film."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.responses import JSONResponse, Response

from edge.record.status import is_running, read_status
from edge.review.filters import Filter
from edge.review.web.charts import drawing_of
from edge.review.web.desk import Desk
from edge.review.web.guard import RefusedRequestError
from edge.review.web.shots import shot_of
from edge.review.web.visit import Visit

SPANS = {
    "today": "today",
    "yesterday": "yesterday",
    "8h": "last 8 hours",
    "24h": "last 24 hours",
    "7d": "last 7 days",
}
FILM = 12
EVENTS = 12


@dataclass(frozen=True)
class Span:
    """A stretch of time: milliseconds since 1970 (UTC), half-open, and its name."""

    name: str
    words: str
    since_ms: int
    until_ms: int


def span_of(name: str) -> Span:
    """Return a stretch of time by its name; days are this box's. Raises RefusedRequestError."""
    if name not in SPANS:
        raise RefusedRequestError(400, "form", f"span must be one of {', '.join(SPANS)}")
    now = datetime.now().astimezone()
    until = now + timedelta(seconds=1)
    if name in ("today", "yesterday"):
        begin = _midnight(now)
        if name == "yesterday":
            begin, until = _midnight(begin - timedelta(hours=12)), begin
    else:
        begin = now - {"8h": timedelta(hours=8), "24h": timedelta(days=1)}.get(
            name, timedelta(days=7)
        )
    return Span(name, SPANS[name], _ms(begin), _ms(until))


def today(visit: Visit) -> Response:
    """Show a stretch of time."""
    desk, span = visit.desk, span_of(visit.query.get("span", "today"))
    index = desk.store.index
    rows = index.last_items(FILM)
    film = []
    for row in rows:
        shown = index.item(row.item)
        film.append((row, shot_of(desk.store, shown) if shown else None))
    return visit.page(
        "today.html",
        span=span,
        spans=SPANS,
        counts=index.counts(span.since_ms, span.until_ms),
        chart=drawing_of(index.chart(span.since_ms, span.until_ms, minutes_of(span))),
        minutes=minutes_of(span),
        events=index.events(span.since_ms, span.until_ms, limit=EVENTS),
        bound=desk.store.bound(),
        film=film,
        newest=rows[0].item if rows else 0,
        now=standing(desk),
    )


def count_new(visit: Visit) -> Response:
    """Say how many items came after one, for the line that says so; nothing on the page moves."""
    after = visit.number("after") or 0
    fields = {name: text for name, text in visit.query.items() if name != "after"}
    return JSONResponse({"new": visit.desk.store.index.count_newer(Filter.of(fields), after)})


def minutes_of(span: Span) -> int:
    """Return how many minutes a point of the chart takes."""
    hours = (span.until_ms - span.since_ms) / 3_600_000
    return 15 if hours <= 26 else 120


def standing(desk: Desk) -> dict[str, Any]:
    """Return how the service stands now: whether it runs, and what is wrong."""
    path = desk.config.journal.status
    try:
        status = read_status(desk.config.path(path)) if path else None
    except OSError as error:
        return {"words": f"the status cannot be read ({error.strerror})", "trouble": ""}
    if status is None:
        return {"words": "the service has written no status", "trouble": ""}
    words = "the service runs" if is_running(status) else "the service does not run"
    return {"words": words, "trouble": str(status.get("trouble") or "")}


def _midnight(moment: datetime) -> datetime:
    """Return the beginning of a day; days on which the clock is changed are right, too."""
    return datetime(moment.year, moment.month, moment.day).astimezone()


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
