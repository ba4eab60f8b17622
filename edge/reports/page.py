"""The report of a shift as one HTML file that asks for nothing: styles, chart and pictures inside.

Its policy (Content Security Policy, level 3) allows its own style by the style's sum, and pictures
that are in it; no script, no request. All texts from outside are escaped.
"""

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import Any

from edge.printing import printable
from edge.record.schema import VERDICTS
from edge.reports.evidence import Evidence
from edge.reports.lines import SETTLED, best_score, item_words, ns_text
from edge.reports.p_chart import p_chart, svg
from edge.reports.points import Record
from edge.reports.shift_figures import GROUPS, ShiftFigures
from edge.reports.summary import by_time, percentiles

STYLE = """
:root{color-scheme:light}
body{font:15px/1.45 system-ui,sans-serif;margin:0 auto;max-width:960px;padding:16px;color:#1a1a1a}
h1{font-size:22px;margin:0 0 4px}h2{font-size:17px;margin:26px 0 8px;border-bottom:1px solid #ccc}
p{margin:6px 0;overflow-wrap:anywhere}
.sub{color:#555}.bad{color:#b3261e;font-weight:600}.good{color:#1b7f3b}
.tiles{display:flex;flex-wrap:wrap;gap:8px;margin:12px 0}
.tile{border:1px solid #ccc;border-radius:6px;padding:8px 12px;flex:1 1 120px}
.tile b{display:block;font-size:21px}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:14px}
th,td{text-align:left;padding:3px 8px;border-bottom:1px solid #e2e2e2;vertical-align:top}
td.n,th.n{text-align:right;white-space:nowrap}td.t{white-space:nowrap}
td{overflow-wrap:anywhere}
.chart{width:100%;height:auto;display:block}
.items{display:grid;grid-template-columns:repeat(auto-fill,minmax(210px,1fr));gap:12px}
figure{margin:0;border:1px solid #ccc;border-radius:6px;overflow:hidden;break-inside:avoid}
figure svg{width:100%;height:auto;display:block;background:#eee}
figcaption{padding:6px 8px;font-size:13px;overflow-wrap:anywhere}
.none{background:#f0f0f0;color:#555;padding:28px 10px;text-align:center;font-size:13px}
footer{margin-top:28px;color:#555;font-size:12px;overflow-wrap:anywhere}
@media screen and (max-width:520px){.chart{min-width:560px}table{font-size:13px}
th,td{padding:3px 4px}}
tr{break-inside:avoid}h2{break-after:avoid}
@page{size:A4;margin:14mm}
@media print{body{max-width:none;padding:0;font-size:11px}table{font-size:10.5px}
.items{grid-template-columns:repeat(3,1fr)}.tile b{font-size:16px}}
"""
FOUND, NEAR, GAPS = "#328cff", "#969696", "#202020"
"""Colours of the boxes, as in :mod:`edge.vision.legend`; the last lies between the dashes."""
MOST_REASONS = 40
"""Reasons that are listed."""


def report_page(figures: ShiftFigures, pictures: Iterable[tuple[Record, str, Evidence]]) -> str:
    """Return the report. *pictures*: an item's record, its local time in words, its picture."""
    title = f"Shift {figures.shift.name}"
    sum_of_style = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{sum_of_style}'; img-src data:"
    policy += "; base-uri 'none'; form-action 'none'"
    body = [
        *_head(figures),
        *_chart(figures),
        *_hours(figures),
        *_reasons(figures),
        *_items(figures, pictures),
        *_events(figures),
        *_chain(figures),
    ]
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{_text(title)}</title><style>{STYLE}</style></head><body>",
            *body,
            "</body></html>",
            "",
        ]
    )


def _head(figures: ShiftFigures) -> Iterator[str]:
    shift, counts, zone = figures.shift, figures.counts, figures.zone
    service = str(figures.setup.get("service", ""))
    yield f"<h1>Shift {_text(shift.name)}{f': {_text(service)}' if service else ''}</h1>"
    begin, end = ns_text(shift.begin_ns, zone), ns_text(shift.end_ns, zone)
    runs = f", still running: up to {ns_text(figures.now_ns, zone)}" if figures.still_runs else ""
    yield f'<p class="sub">{_text(begin)} to {_text(end)}{_text(runs)}</p>'
    if not counts.items:
        yield "<p><b>No items.</b> Nothing came by, or the box did not run: see below.</p>"
    items = counts.items
    tiles = [("items", f"{items}", "")] + [
        (verdict, f"{counts.verdicts[verdict]}", _share(counts.verdicts[verdict], items))
        for verdict in VERDICTS
    ]
    late = sum(number for word, number in counts.gate.items() if word not in SETTLED)
    tiles += [("too late at the gate", f"{late}", "rejected" if late else "")]
    if counts.latencies:
        p50, p99, worst = percentiles(counts.latencies)
        tiles.append(("answer, p99", f"{p99:.0f} ms", f"p50 {p50:.0f}, worst {worst:.0f}"))
    yield '<div class="tiles">'
    for name, number, more in tiles:
        yield f'<div class="tile">{_text(name)}<b>{number}</b><span class="sub">{more}</span></div>'
    yield "</div>"
    if counts.lost:
        yield f'<p class="bad">{counts.lost} items more are counted and not described.</p>'
    if figures.uncertain:
        yield (
            f"<p>{figures.uncertain} records may be of this shift or not: the clock was not "
            "synchronised. They are counted.</p>"
        )
    if figures.setup.get("mode") == "shadow":
        yield '<p class="bad">Shadow mode: nothing was thrown.</p>'


def _chart(figures: ShiftFigures) -> Iterator[str]:
    yield "<h2>Share that did not pass (p-chart)</h2>"
    chart = p_chart(figures)
    if chart is None:
        yield "<p>Too few items for a chart.</p>"
        return
    yield f'<div class="wide">{svg(chart, figures.zone)}</div>'
    yield f'<p class="{"bad" if chart.out else "sub"}">{_text(chart.words)}</p>'


def _hours(figures: ShiftFigures) -> Iterator[str]:
    if not figures.counts.items:
        return
    rows = [
        [_hour(when), sum(counted.values()), *(counted[v] for v in VERDICTS), _not_passed(counted)]
        for when, counted in by_time(figures.counts.hours).items()
    ]
    yield "<h2>By hour</h2>"
    yield _table(["hour", "items", *VERDICTS, "not passed"], rows, numbers=range(1, 6), times=(0,))


def _reasons(figures: ShiftFigures) -> Iterator[str]:
    counts = figures.counts
    if not counts.items:
        return
    rows = [
        [number, _share(number, counts.items), verdict, reason]
        for (verdict, reason), number in counts.reasons.most_common(MOST_REASONS)
    ]
    yield "<h2>Reasons</h2>"
    yield _table(["items", "share", "verdict", "reason"], rows, numbers=range(2))
    if more := len(counts.reasons) - 40:
        yield f"<p>{more} reasons more.</p>" if more > 0 else ""
    found = [[label, number, counts.near[label]] for label, number in counts.classes.most_common()]
    found += [
        [label, 0, n] for label, n in counts.near.most_common() if label not in counts.classes
    ]
    if found:
        yield "<h2>Classes</h2>"
        yield _table(["class", "items with it", "near misses"], found, numbers=range(1, 3))


def _items(
    figures: ShiftFigures, pictures: Iterable[tuple[Record, str, Evidence]]
) -> Iterator[str]:
    refused = figures.counts.verdicts["reject"] + figures.counts.verdicts["fault"]
    if not refused:
        return
    yield f"<h2>Items that did not pass ({refused})</h2>"
    if figures.more_rejected:
        yield (
            f"<p>The {len(figures.rejected)} nearest to the threshold; {figures.more_rejected} "
            "more stand in the log.</p>"
        )
    yield (
        '<p class="sub">Blue: what was found; dashed: the near miss. A picture is shown only as it '
        "was when it was recorded.</p>"
    )
    yield '<div class="items">'
    for record, when, picture in pictures:
        yield _figure(record, when, picture)
    yield "</div>"


def _figure(record: Record, when: str, picture: Evidence) -> str:
    score = best_score(record)
    best = "nothing seen" if score is None else f"best score {score:.3f}"
    caption = (
        f"<b>#{record['sequence']} {record['verdict'].upper()}</b> {_text(when)}<br>"
        f"{_text(item_words(record))}<br>{best}"
    )
    if not picture.jpeg:
        shown = f'<div class="none">{_text(picture.words)}</div>'
        return f"<figure>{shown}<figcaption>{caption}</figcaption></figure>"
    data = base64.b64encode(picture.jpeg).decode()
    size = f"{picture.width} {picture.height}"
    boxes = "".join(_boxes(record, picture))
    return (
        f'<figure><svg viewBox="0 0 {size}" role="img" aria-label="item {record["sequence"]}">'
        f'<image href="data:image/jpeg;base64,{data}" width="{picture.width}" '
        f'height="{picture.height}"/>{boxes}</svg><figcaption>{caption}<br>'
        f'<span class="sub">{_text(record.get("evidence", ""))}: {_text(picture.words)}</span>'
        "</figcaption></figure>"
    )


def _boxes(record: Record, picture: Evidence) -> Iterator[str]:
    line = max(2, picture.width // 160)
    if near := record.get("near_miss"):
        yield _box(near, GAPS, line, "")
        yield _box(near, NEAR, line, f' stroke-dasharray="{4 * line} {4 * line}"')
    for finding in record.get("findings", ()):
        yield _box(finding, FOUND, line, "")


def _box(finding: Record, colour: str, line: int, dash: str) -> str:
    box: Sequence[float] = finding.get("box") or (0.0, 0.0, 0.0, 0.0)
    (x0, x1), (y0, y1) = sorted((box[0], box[2])), sorted((box[1], box[3]))
    return (
        f'<rect x="{x0:g}" y="{y0:g}" width="{x1 - x0:g}" height="{y1 - y0:g}" fill="none" '
        f'stroke="{colour}" stroke-width="{line}"{dash}/>'
    )


def _events(figures: ShiftFigures) -> Iterator[str]:
    setup = figures.setup
    model = setup.get("model") or {}
    for group in GROUPS:
        events = figures.events.get(group, [])
        in_force = group == "Starts, stops, settings and model" and setup
        if not events and not in_force:
            continue
        yield f"<h2>{group}</h2>"
        if in_force:
            yield (
                f"<p>At the end of the shift: model {_text(model.get('file', 'not known'))} "
                f"<span class='sub'>{_text(model.get('sha256', ''))}</span>, settings "
                f"<span class='sub'>{_text(setup.get('settings_sha256', 'not known'))}</span></p>"
            )
        rows = [
            [ns_text(e.time_ns, figures.zone) if e.time_ns is not None else "not known",
             e.kind, e.words]
            for e in events
        ]  # fmt: skip
        if rows:
            yield _table(["time", "record", "what"], rows, times=(0,))
        if more := figures.more_events[group]:
            yield f"<p>{more} more stand in the log.</p>"


def _chain(figures: ShiftFigures) -> Iterator[str]:
    chain = figures.chain
    yield "<h2>Journal</h2>"
    yield f'<p class="{"bad" if chain.broken else "good"}">{_text(chain.words)}.</p>'
    seal = (
        "The records are sealed; 'stampgate-edge verify-log --seal-key' proves them by the key "
        "that is kept elsewhere."
        if chain.sealed
        else "The journal was not sealed."
    )
    yield (
        f"<p>Checked: that each record carries the hash of the one before. {_text(seal)} The whole "
        "journal is checked by 'stampgate-edge verify-log'.</p>"
    )
    yield f"<footer>Written {_text(ns_text(figures.now_ns, figures.zone))}.</footer>"


def _table(
    heading: list[str],
    rows: Iterable[list[Any]],
    numbers: Iterable[int] = (),
    times: Iterable[int] = (),
) -> str:
    classes = {**dict.fromkeys(numbers, ' class="n"'), **dict.fromkeys(times, ' class="t"')}

    def cells(tag: str, values: list[Any]) -> str:
        return "".join(
            f"<{tag}{classes.get(number, '')}>{_text(value)}</{tag}>"
            for number, value in enumerate(values)
        )

    lines = "\n".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f'<div class="wide"><table><tr>{cells("th", heading)}</tr>\n{lines}</table></div>'


def _share(number: int, items: int) -> str:
    return f"{number / items:.2%}" if items else ""


def _hour(when: str) -> str:
    """Return an hour of the counts without its day, which the heading says, as ``06:00+01:00``."""
    day, *rest = when.split(" UTC")
    return f"{day.split(' ')[-1]}{rest[0]}" if rest else when


def _not_passed(counted: Any) -> str:
    items = sum(counted.values())
    return _share(items - counted["pass"], items)


def _text(value: object) -> str:
    """Return a text for the page: printable, and nothing in it is markup."""
    return escape(printable(value))
