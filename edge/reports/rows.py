"""A report of a shift as rows of figures, for a spreadsheet: each with its part, name and value."""

from collections.abc import Iterator
from typing import Any

from edge.printing import csv_cell
from edge.record.schema import VERDICTS
from edge.reports.lines import best_score, item_words
from edge.reports.shift_figures import ShiftFigures
from edge.reports.summary import by_time, percentiles
from edge.reports.table import utc_text
from edge.reports.zone import offset_of

HEADING = ("part", "local_time", "offset", "name", "value", "share", "text")
"""Heading of the table; *share*: of the items of the shift, 0 to 1."""


def report_rows(figures: ShiftFigures) -> Iterator[list[Any]]:
    """Yield the rows of a report, without the heading."""
    for row in _rows(figures):
        yield [csv_cell(row.get(name)) for name in HEADING]


def _rows(figures: ShiftFigures) -> Iterator[dict[str, Any]]:
    counts, items = figures.counts, figures.counts.items
    yield {"part": "shift", "name": "begin", **_when(figures, figures.shift.begin_ns)}
    running = "the shift still runs" if figures.still_runs else ""
    yield {"part": "shift", "name": "end", "text": running, **_when(figures, figures.shift.end_ns)}
    yield {"part": "items", "name": "all", "value": items}
    for verdict in VERDICTS:
        number = counts.verdicts[verdict]
        share = round(number / items, 6) if items else None
        yield {"part": "items", "name": verdict, "value": number, "share": share}
    for name, number in (("lost", counts.lost), ("time uncertain", figures.uncertain)):
        yield {"part": "items", "name": name, "value": number}
    for hour, counted in by_time(counts.hours).items():
        for verdict in VERDICTS:
            yield {"part": "hour", "name": verdict, "value": counted[verdict], "text": hour}
    for (verdict, reason), number in counts.reasons.most_common():
        yield {"part": "reason", "name": verdict, "value": number, "text": reason}
    for part, counter in (
        ("class", counts.classes),
        ("near miss", counts.near),
        ("gate", counts.gate),
    ):
        for name, number in counter.most_common():
            yield {"part": part, "name": name, "value": number}
    if counts.latencies:
        for name, ms in zip(("p50", "p99", "worst"), percentiles(counts.latencies), strict=True):
            yield {"part": "answer, ms", "name": name, "value": round(ms, 3)}
    yield from _listed(figures)


def _listed(figures: ShiftFigures) -> Iterator[dict[str, Any]]:
    for record, moment in figures.rejected:
        yield {
            "part": "not passed",
            "name": record["verdict"],
            "value": record["sequence"],
            "share": best_score(record),
            "text": item_words(record),
            **_when(figures, moment.exact_ns),
        }
    if figures.more_rejected:
        yield {"part": "not passed", "name": "not listed", "value": figures.more_rejected}
    for group, events in figures.events.items():
        for event in events:
            about = {"part": group, "name": event.kind, "text": event.words}
            yield {**about, **_when(figures, event.time_ns)}
        if more := figures.more_events[group]:
            yield {"part": group, "name": "not listed", "value": more}
    model = figures.setup.get("model") or {}
    yield {"part": "model", "name": str(model.get("file", "")), "text": model.get("sha256")}
    yield {"part": "settings", "name": "sha256", "text": figures.setup.get("settings_sha256")}
    state = "broken" if figures.chain.broken else "whole"
    yield {"part": "chain", "name": state, "text": figures.chain.words}


def _when(figures: ShiftFigures, time_ns: int | None) -> dict[str, Any]:
    """Return a time as spreadsheets read it."""
    local = figures.zone.local(time_ns) if time_ns is not None else None
    if local is None:
        return {"local_time": utc_text(time_ns)}
    day = local.replace(tzinfo=None).isoformat(" ", "seconds")
    return {"local_time": day, "offset": offset_of(local)}
