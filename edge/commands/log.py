"""``stampgate-edge log``: the journal for people, as counts, or as CSV for a spreadsheet."""

import argparse
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator

from edge.commands import add_journal, journal_of
from edge.errors import UsageError
from edge.printing import print_line
from edge.record.times import Moment, Times
from edge.reports.lines import COLUMNS_WIDE, ns_text, short_lines, text_line, whole_item
from edge.reports.points import ANY, Point, Record, read_point
from edge.reports.reading import Span, naming, timed
from edge.reports.summary import Counts, summary_lines
from edge.reports.table import COLUMNS, TableWriter, csv_row
from edge.reports.zone import Zone

VERDICTS = ("pass", "reject", "fault")

Timed = tuple[Record, Times]
Wanted = Callable[[Record, Moment], bool]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command and its options."""
    parser.description = (
        "Show what happened, in the journal's order: time, number, verdict, best score, reason. A "
        "~ before the time says that the clock was not synchronised, a = that the time was "
        "repaired from a synchronised moment of the same boot. What may be from the time asked for "
        "is shown. Times are local, with their offset to UTC."
    )
    add_journal(parser)
    add_span(parser)
    _add_filters(parser)
    _add_forms(parser)


def _add_filters(parser: argparse.ArgumentParser) -> None:
    """Add what chooses records."""
    parser.add_argument(
        "--verdict",
        action="extend",
        type=_verdicts,
        metavar="VERDICT",
        help="only items of that verdict: pass, reject, fault, or several parted by commas; may be "
        "repeated",
    )
    parser.add_argument(
        "--grep",
        type=_pattern,
        metavar="PATTERN",
        help="only lines of --wide in which the regular expression is found; capitals count when "
        "it has any",
    )
    parser.add_argument(
        "--all", action="store_true", help="show the lines about the box's health, too"
    )
    parser.add_argument(
        "-f", "--follow", action="store_true", help="go on with what comes, until Ctrl-C"
    )


def _add_forms(parser: argparse.ArgumentParser) -> None:
    """Add the forms in which they are shown."""
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument("--wide", action="store_true", help="all of a record, on one line")
    forms.add_argument(
        "--item", type=_number, metavar="N", help="one item whole, and what was said of it since"
    )
    forms.add_argument(
        "--summary",
        action="store_true",
        help="counts alone: by hour, verdict, reason and class, and how late answers were",
    )
    forms.add_argument("--csv", action="store_true", help="items only, as CSV with a heading")
    parser.add_argument(
        "--decimal-comma",
        action="store_true",
        help="CSV for a spreadsheet whose decimal sign is the comma: cells parted by semicolons",
    )


def add_span(parser: argparse.ArgumentParser) -> None:
    """Add ``--since``, ``--until`` and ``--zone``."""
    parser.add_argument(
        "--since",
        type=read_point,
        metavar="WHEN",
        default=ANY,
        help="from an item on (123), so long ago on (90s, 15m, 2h, 3d), a day or time of day on "
        "(today, yesterday, 06:00, yesterdayT22:00), or a moment on (2026-01-31T14:00)",
    )
    parser.add_argument(
        "--until",
        type=read_point,
        metavar="WHEN",
        default=ANY,
        help="up to then, written as for --since; a time of day is the first one after --since",
    )
    parser.add_argument(
        "--zone",
        type=read_zone,
        metavar="NAME",
        default=Zone(),
        help="time zone of the times given and shown, such as Europe/Berlin (default: this "
        "machine's)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the records asked for. Raises InputError when there is no such journal."""
    _check(arguments)
    zone = arguments.zone
    if arguments.item is not None:
        return _show_item(arguments)
    records = _chosen(arguments)
    if arguments.csv:
        table = TableWriter(sys.stdout, comma=arguments.decimal_comma)
        table.begin(COLUMNS)
        for record, times in records:
            table.row(csv_row(record, times.of(record), zone))
    elif arguments.summary:
        counts = Counts(zone)
        for record, times in records:
            counts.take(record, times.of(record))
        for line in summary_lines(counts, _width()):
            print_line(line)
    else:
        _print_lines(records, arguments)
    return 0


def span_of(arguments: argparse.Namespace, *, follow: bool = False) -> Span:
    """Return the span that the arguments of :func:`add_span` name."""
    span = Span(follow=follow)
    since: Point = arguments.since.resolved(arguments.zone, span.now)
    until: Point = arguments.until.resolved(arguments.zone, span.now, since)
    return Span(since, until, follow, span.now)


def _check(arguments: argparse.Namespace) -> None:
    """Refuse options that contradict one another. Raises UsageError."""
    if arguments.follow and (arguments.summary or arguments.item is not None):
        form = "--summary" if arguments.summary else "--item"
        raise UsageError(f"--follow has no end, and {form} needs one; leave one of them out")
    if arguments.decimal_comma and not arguments.csv:
        raise UsageError("--decimal-comma is for --csv; give that, too")


def _chosen(arguments: argparse.Namespace) -> Iterator[Timed]:
    """Yield the records asked for, with the times of all."""
    wanted = _wanted(arguments)
    for record, times in timed(journal_of(arguments), span_of(arguments, follow=arguments.follow)):
        if wanted(record, times.of(record)):
            yield record, times


def _show_item(arguments: argparse.Namespace) -> int:
    """Print one item whole, and the records that name it. Raises UsageError where it is none."""
    number, zone, path = arguments.item, arguments.zone, journal_of(arguments)
    here = Span(Point(sequence=number), Point(sequence=number))
    lines = [
        line
        for record, times in timed(path, here)
        if record["kind"] == "item"
        for line in whole_item(record, times.of(record), zone)
    ]
    if not lines:
        raise UsageError(
            f"the journal has no item {number}; 'stampgate-edge log' shows which it has, and "
            "'verify-log' whether any are missing"
        )
    for line in (*lines, *(text_line(record, None, zone) for record in naming(path, number))):
        print_line(line)
    return 0


def _print_lines(chosen: Iterable[Timed], arguments: argparse.Namespace) -> None:
    """Print records for people; before those whose time is not known, how far it is known."""
    said, zone, width = "", arguments.zone, _width()
    for record, times in chosen:
        moment = times.of(record)
        boot = str(record.get("boot_id"))
        if boot != said and moment.source == "unsynchronised" and (words := _bounds(moment, zone)):
            said = boot
            print_line(f"~ -- clock not synchronised in what follows: {words}; the order is right")
        if arguments.wide:
            print_line(text_line(record, moment, zone), flush=arguments.follow)
            continue
        for line in short_lines(record, moment, zone, width):
            print_line(line, flush=arguments.follow)


def _bounds(moment: Moment, zone: Zone) -> str:
    """Return in words between which times a record was written; empty without any bound."""
    if moment.exact_ns is not None:
        return ""
    words = [
        f"{word} {ns_text(limit, zone)}"
        for word, limit in (("after", moment.earliest_ns), ("before", moment.latest_ns))
        if limit is not None
    ]
    return " and ".join(words)


def _width() -> int:
    """Return the columns of the terminal; 80 where the output goes elsewhere."""
    if not sys.stdout.isatty():
        return COLUMNS_WIDE
    return shutil.get_terminal_size((COLUMNS_WIDE, 24)).columns


def _wanted(arguments: argparse.Namespace) -> Wanted:
    verdicts = arguments.verdict or (VERDICTS if arguments.csv else ())
    pattern: re.Pattern[str] | None = arguments.grep

    def wanted(record: Record, moment: Moment) -> bool:
        if verdicts:
            chosen = record["kind"] == "item" and record["verdict"] in verdicts
        else:
            chosen = arguments.all or record["kind"] != "health"
        if not chosen or pattern is None:
            return bool(chosen)
        return pattern.search(text_line(record, moment, arguments.zone)) is not None

    return wanted


def _verdicts(text: str) -> list[str]:
    """Read verdicts, parted by commas."""
    found = [word.strip().lower() for word in text.split(",")]
    if not set(found) <= set(VERDICTS):
        raise argparse.ArgumentTypeError(f"must be {', '.join(VERDICTS)}, not {text!r}")
    return found


def _pattern(text: str) -> re.Pattern[str]:
    """Read a regular expression; small letters alone find capitals, too."""
    try:
        return re.compile(text, re.IGNORECASE if text == text.lower() else 0)
    except (re.error, RecursionError, OverflowError) as error:
        raise argparse.ArgumentTypeError(
            f"must be a regular expression, not {text!r} ({error}); put a backslash before a sign "
            "that is meant as itself"
        ) from None


def _number(text: str) -> int:
    """Read an item's number."""
    if not re.fullmatch(r"#?\d{1,18}", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"must be an item's number, not {text!r}")
    return int(text.removeprefix("#"))


def read_zone(text: str) -> Zone:
    """Read a time zone's name. Raises ArgumentTypeError."""
    try:
        return Zone(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be a time zone such as Europe/Berlin or UTC, not {text!r}"
        ) from None
