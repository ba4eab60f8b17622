"""Lines of the log: one record whole on one line, or what people ask for within 80 columns."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from edge.printing import json_text, printable
from edge.record.times import Moment, wall_ns
from edge.reports.points import Record
from edge.reports.zone import HERE, Zone, shown

HIDDEN = (
    "v", "kind", "sequence", "boot_id", "monotonic_ns", "wall_time", "clock_synced", "previous",
    "trigger_ns", "evidence_sha256", "seal", "state",
)  # fmt: skip
"""Fields of a record that the lines for people leave out, or show in words of their own."""
COLUMNS_WIDE = 80
"""Columns of a terminal, where nobody says how many it has."""
LEAST_ROOM = 20
"""Columns that a text has at least, however narrow the terminal is."""
SETTLED = ("", "cancelled", "kept")
"""What became of an answer at the gate as its verdict says; every other word is shown."""


def text_line(record: Record, moment: Moment | None = None, zone: Zone = HERE) -> str:
    """Return one record whole for people, on one line; *moment*: what is known of its time."""
    when = time_text(record, moment, zone, "milliseconds")
    rest = {
        name: value
        for name, value in record.items()
        if name not in (*HIDDEN, "verdict", "reason", "findings", "near_miss")
    }
    if record["kind"] == "item":
        marks = [f"{f.get('label')} {f.get('score')}" for f in record.get("findings", ())]
        if near := record.get("near_miss"):
            box = " ".join(f"{corner:g}" for corner in near.get("box", ()))
            marks.append(f"near miss {near.get('label')} {near.get('score')} at {box}")
        found = ", ".join(marks)
        said = f"#{record['sequence']} {record['verdict'].upper()} {record.get('reason', '')}"
        return printable(f"{when} {said}{f' [{found}]' if found else ''}  {_pairs(rest)}".rstrip())
    reason = f" {record['reason']}" if "reason" in record else ""
    return printable(f"{when} -- {record['kind']}{reason}  {_pairs(rest)}".rstrip())


def short_lines(
    record: Record, moment: Moment | None = None, zone: Zone = HERE, width: int = COLUMNS_WIDE
) -> list[str]:
    """Return one record within *width* columns: time, number, verdict, best score, reason.

    A reason that does not fit goes on below itself; nothing of it is cut off.
    """
    when = time_text(record, moment, zone)
    if record["kind"] == "item":
        score = best_score(record)
        said = f"{record['verdict'].upper():<6} {'' if score is None else f'{score:.3f}':>5}"
        head, text = f"{when} #{record['sequence']:<7} {said} ", item_words(record)
    else:
        head, text = f"{when} -- ", f"{record['kind']} {event_words(record)}"
    indent = min(columns_of(head), max(0, width - LEAST_ROOM))
    first, *more = wrapped(printable(text), max(LEAST_ROOM, width - indent))
    return [(head + first).rstrip(), *(" " * indent + line for line in more)]


def whole_item(record: Record, moment: Moment, zone: Zone = HERE) -> list[str]:
    """Return all fields of one item, a line each."""
    said = f"#{record['sequence']} {record['verdict'].upper()} {record.get('reason', '')}"
    lines = [f"{time_text(record, moment, zone, 'milliseconds')} {said}".rstrip()]
    for name, value in record.items():
        if name == "frames":
            lines += [f"  frame {number}: {_pairs(one)}" for number, one in enumerate(value, 1)]
        elif name == "findings":
            lines += [f"  finding: {_pairs(finding)}" for finding in value]
        elif name not in ("v", "kind", "verdict", "reason"):
            lines.append(f"  {name}: {value if isinstance(value, str) else json_text(value)}")
    return [printable(line) for line in lines]


def time_text(
    record: Record, moment: Moment | None, zone: Zone = HERE, timespec: str = "seconds"
) -> str:
    """Return a record's local time with its offset, behind a sign that says how it is known.

    ``~``: the clock was not synchronised; ``=``: repaired.
    """
    doubtful = "~" if record.get("clock_synced") is False else " "
    if moment is not None and moment.source == "repaired" and moment.exact_ns is not None:
        return f"={ns_text(moment.exact_ns, zone, timespec)}"
    said, time_ns = str(record.get("wall_time", "")), wall_ns(record)
    return f"{doubtful}{ns_text(time_ns, zone, timespec) if time_ns else printable(said)}"


def ns_text(time_ns: int, zone: Zone = HERE, timespec: str = "seconds") -> str:
    """Return a time, nanoseconds UTC, as local time with its offset."""
    moment = zone.local(time_ns)
    return f"{time_ns} ns" if moment is None else shown(moment, timespec)


def best_score(record: Record) -> float | None:
    """Return the score of an item's best finding, or of its near miss; None without either."""
    scores = [f["score"] for f in record.get("findings", ()) if "score" in f]
    near = (record.get("near_miss") or {}).get("score")
    return max(scores) if scores else near


def item_words(record: Record) -> str:
    """Return why an item has its verdict, and what the gate made of it where that is another."""
    gate = str(record.get("gate", ""))
    told = f" [gate: {gate}, so it was rejected]" if gate not in SETTLED else ""
    return f"{record.get('reason', '')}{told}"


def event_words(record: Record) -> str:
    """Return in short words what a record that is no item's says."""
    reason = str(record.get("reason", ""))
    told = TOLD.get(str(record["kind"]))
    if told is not None:
        words = told(record)
    else:
        rest = {name: value for name, value in record.items() if name not in HIDDEN}
        words = "" if reason else _pairs(rest)
    return ": ".join(part for part in (words, reason) if part)


def columns_of(text: str) -> int:
    """Return how many columns of a terminal a text takes: CJK letters two, combining marks none.

    >>> columns_of("a"), columns_of("印章")
    (1, 4)
    """
    if text.isascii():
        return len(text)
    from unicodedata import category, east_asian_width  # noqa: PLC0415 - rarely needed

    wide = (2 if east_asian_width(letter) in "WF" else 1 for letter in text)
    none = (category(letter) in ("Mn", "Me") for letter in text)
    return sum(0 if mark else columns for columns, mark in zip(wide, none, strict=True))


def wrapped(text: str, room: int) -> list[str]:
    """Return a text in lines of at most *room* columns; a word that is longer is parted."""
    lines, line = [], ""
    for word in text.split():
        while columns_of(f"{line} {word}" if line else word) > room:
            if line:
                lines.append(line)
                line = ""
                continue
            fits = _fitting(word, room)
            lines.append(word[:fits])
            word = word[fits:]  # noqa: PLW2901 - the rest of it
        line = f"{line} {word}" if line else word
    return [*lines, line] if line or not lines else lines


def _fitting(word: str, room: int) -> int:
    """Return how many letters of a word fit, at least one."""
    return next((count for count in range(len(word), 1, -1) if columns_of(word[:count]) <= room), 1)


def _started(record: Record) -> str:
    model = record.get("model") or {}
    sha256 = f" {str(model.get('sha256'))[:12]}" if model.get("sha256") else ""
    return f"version {record.get('version', '?')}, model {model.get('file', '?')}{sha256}"


def _settings(record: Record) -> str:
    changed = record.get("changed")
    return ", ".join(map(_change, changed.items())) if isinstance(changed, dict) else ""


def _of_item(record: Record) -> str:
    """Return what an incident or a truth says, and of which item."""
    said = str(record.get("what", record.get("truth", "")))
    return said if record.get("item") is None else f"{said} item {record['item']}"


def _change(change: tuple[str, Any]) -> str:
    """Return a changed setting in words."""
    name, value = change
    if isinstance(value, list) and len(value) == 2:
        return f"{name} from {json_text(value[0])} to {json_text(value[1])}"
    return f"{name} {json_text(value)}"


def _counts(counters: Mapping[str, Any]) -> str:
    """Return counters in words, those at zero left out but for the verdicts."""
    shown_always = ("triggers", "pass", "reject", "fault")
    return ", ".join(
        f"{name} {number}" for name, number in counters.items() if number or name in shown_always
    )


def _health(record: Record) -> str:
    """Return the figures of a health record that people ask for."""
    wanted = {"temperature_c": "temperature", "p99_ms": "p99 ms", "trouble": "trouble"}
    return ", ".join(
        f"{words} {record[name]}" for name, words in wanted.items() if record.get(name)
    )


def _pairs(fields: Record) -> str:
    return " ".join(_pair_texts(fields))


def _pair_texts(fields: Record) -> Iterator[str]:
    for name, value in fields.items():
        text = value if isinstance(value, str) else json_text(value)
        if text not in ("", "null"):
            yield f"{name}={text}"


TOLD: dict[str, Callable[[Record], str]] = {
    "start": _started,
    "settings": _settings,
    "stop": lambda record: _counts(record.get("counters", {})),
    "incident": _of_item,
    "truth": _of_item,
    "challenge": lambda record: str(record.get("what", "")),
    "release": lambda record: f"{record.get('what', '')} {record.get('release', '')}",
    "health": _health,
    "continued": lambda record: f"after {record.get('after', '')}",
}
"""What a record of a kind says beside its reason."""
