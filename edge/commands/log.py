"""``stampgate-edge log``: the journal for people, or as CSV for a spreadsheet."""

import argparse
import csv
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, BinaryIO

from edge.commands import add_journal, journal_of
from edge.errors import InputError, JournalError
from edge.printing import csv_cell, json_text, print_error, print_line, printable
from edge.record.journal_file import (
    LONGEST_LINE,
    leads_to,
    lines_of,
    open_plain,
    parse_record,
    rotated_files,
)
from edge.record.times import Moment, Now, Times, present, wall_ns
from edge.record.verify import reading

HIDDEN = (
    "v", "kind", "sequence", "boot_id", "monotonic_ns", "wall_time", "clock_synced", "previous",
    "trigger_ns", "evidence_sha256", "seal", "state",
)  # fmt: skip
"""Fields of a record that the lines for people leave out, or show in words of their own."""
COLUMNS = (
    "sequence", "wall_time", "clock_synced", "verdict", "reason", "gate", "ms", "picture",
    "evidence", "findings", "label", "score", "x0", "y0", "x1", "y1",
    "time", "time_source", "not_before", "not_after",
    "code", "near_label", "near_score", "near_x0", "near_y0", "near_x1", "near_y1", "service",
)  # fmt: skip
"""Heading of the CSV."""
UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
POLL_S = 0.2
LINE_SHOWN = 60
"""Bytes of a line that is no record, in the message about it."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Record = Mapping[str, Any]
Wanted = Callable[[Record], bool]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command and its options."""
    parser.description = (
        "Show what happened, one line each, in the journal's order. A ~ before the time says that "
        "the clock was not synchronised, a = that the time was repaired from a synchronised moment "
        "of the same boot. What may be from the time asked for is shown."
    )
    add_journal(parser)
    parser.add_argument(
        "--since",
        type=read_point,
        metavar="WHEN",
        default=ANY,
        help="from an item on (123), so long ago on (90s, 15m, 2h, 3d), or a moment on "
        "(2026-01-31T14:00, local time)",
    )
    parser.add_argument(
        "--until",
        type=read_point,
        metavar="WHEN",
        default=ANY,
        help="up to an item, so long ago, or a moment, written as for --since",
    )
    parser.add_argument(
        "--verdict",
        action="append",
        choices=("pass", "reject", "fault"),
        help="only such items; may be repeated",
    )
    parser.add_argument(
        "--all", action="store_true", help="show the lines about the box's health, too"
    )
    parser.add_argument(
        "-f", "--follow", action="store_true", help="go on with what comes, until Ctrl-C"
    )
    parser.add_argument("--csv", action="store_true", help="items only, as CSV with a heading")


def run(arguments: argparse.Namespace) -> int:
    """Print the records asked for. Raises InputError when there is no such journal."""
    wanted = _wanted(arguments)
    chosen = ((record, times) for record, times in _timed(arguments) if wanted(record))
    if arguments.csv:
        write = csv.writer(sys.stdout).writerow
        write(COLUMNS)
        for record, times in chosen:
            write(csv_row(record, times.of(record)))
            sys.stdout.flush()
    else:
        _print_text(chosen, arguments.follow)
    return 0


def _print_text(chosen: Iterable[tuple[Record, Times]], follow: bool) -> None:
    """Print records for people; before those whose time is not known, how far it is known."""
    said = ""
    for record, times in chosen:
        moment = times.of(record)
        boot = str(record.get("boot_id"))
        if boot != said and moment.source == "unsynchronised" and (words := _bounds(moment)):
            said = boot
            print_line(f"~ -- clock not synchronised in what follows: {words}; the order is right")
        print_line(text_line(record, moment), flush=follow)


def _bounds(moment: Moment) -> str:
    """Return in words between which times a record was written; empty without any bound."""
    if moment.exact_ns is not None:
        return ""
    words = [
        f"{word} {_local_ns(limit)[:-4]}"
        for word, limit in (("after", moment.earliest_ns), ("before", moment.latest_ns))
        if limit is not None
    ]
    return " and ".join(words)


def text_line(record: Record, moment: Moment | None = None) -> str:
    """Return one record for people, on one line; *moment*: what is known of its time."""
    doubtful = "~" if record.get("clock_synced") is False else " "
    when = f"{doubtful}{_local(str(record.get('wall_time', '')))}"
    if moment is not None and moment.source == "repaired" and moment.exact_ns is not None:
        when = f"={_local_ns(moment.exact_ns)}"
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


def csv_row(record: Record, moment: Moment | None = None) -> list[Any]:
    """Return one item as the values of :data:`COLUMNS`; *moment*: what is known of its time.

    Label, score and box (camera pixels) are those of the best finding, and of the near miss.
    """
    findings, near = record.get("findings", []), record.get("near_miss") or {}
    best = findings[0] if findings else {}
    values = {
        **record,
        "findings": len(findings),
        "label": best.get("label"),
        "score": best.get("score"),
        "near_label": near.get("label"),
        "near_score": near.get("score"),
    }
    values |= dict(zip(("x0", "y0", "x1", "y1"), best.get("box", ()), strict=False))
    names = ("near_x0", "near_y0", "near_x1", "near_y1")
    values |= dict(zip(names, near.get("box", ()), strict=False))
    if moment is not None:
        values |= {
            "time": _utc(moment.exact_ns),
            "time_source": moment.source,
            "not_before": _utc(moment.earliest_ns),
            "not_after": _utc(moment.latest_ns),
        }
    return [csv_cell(values.get(column)) for column in COLUMNS]


def _pairs(fields: Record) -> str:
    texts = {
        name: value if isinstance(value, str) else json_text(value)
        for name, value in fields.items()
    }
    return " ".join(f"{name}={text}" for name, text in texts.items() if text not in ("", "null"))


def _local(wall_time: str) -> str:
    try:
        return datetime.fromisoformat(wall_time).astimezone().strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    except (ValueError, OverflowError):
        return wall_time


def _local_ns(time_ns: int) -> str:
    return _local(_utc(time_ns) or "")


def _utc(time_ns: int | None) -> str | None:
    """Return a time as the journal writes it, in UTC."""
    if time_ns is None:
        return None
    try:
        moment = EPOCH + timedelta(microseconds=time_ns // 1000)
    except OverflowError:  # of no calendar: somebody made it up
        return f"{time_ns} ns"
    return moment.isoformat(timespec="milliseconds")


def _wanted(arguments: argparse.Namespace) -> Wanted:
    verdicts = arguments.verdict or (["pass", "reject", "fault"] if arguments.csv else [])

    def wanted(record: Record) -> bool:
        if verdicts:
            return bool(record["kind"] == "item" and record["verdict"] in verdicts)
        return bool(arguments.all or record["kind"] != "health")

    return wanted


@dataclass(frozen=True)
class Point:
    """A point in a journal, as an option names it: an item's number, an age, or a time."""

    sequence: int | None = None
    age_ns: int | None = None
    time_ns: int | None = None

    def may_be_after(self, record: Record, times: Times) -> bool:
        """Tell whether *record* may be of this point or later; only certainty leaves it out."""
        if self.sequence is not None:
            return bool(record["sequence"] >= self.sequence)
        if self.age_ns is not None:
            return times.age_ns(record)[0] <= self.age_ns
        if self.time_ns is None:
            return True
        latest_ns = times.of(record).latest_ns
        return latest_ns is None or latest_ns >= self.time_ns

    def may_be_before(self, record: Record, times: Times) -> bool:
        """Tell whether *record* may be of this point or earlier."""
        if self.sequence is not None:
            return bool(record["sequence"] <= self.sequence)
        if self.age_ns is not None:
            most = times.age_ns(record)[1]
            return most is None or most >= self.age_ns
        if self.time_ns is None:
            return True
        earliest_ns = times.of(record).earliest_ns
        return earliest_ns is None or earliest_ns <= self.time_ns

    def is_surely_after(self, record: Record, now: Now) -> bool:
        """Tell whether this point is after *record*, and so after all that the journal has before.

        That takes a record whose time is beyond doubt.
        """
        if self.sequence is not None:
            return bool(record["sequence"] < self.sequence)
        if self.age_ns is not None and record.get("boot_id") == now.boot_id:
            return bool(now.monotonic_ns - record["monotonic_ns"] > self.age_ns)
        if record.get("clock_synced") is not True or (self.age_ns is not None and not now.synced):
            return False
        limit = now.wall_ns - self.age_ns if self.age_ns is not None else self.time_ns
        return limit is not None and wall_ns(record) < limit


ANY = Point()
"""No limit."""


def read_point(text: str) -> Point:
    """Read what ``--since`` or ``--until`` names. Raises ArgumentTypeError."""
    if text.isdigit():
        return Point(sequence=int(text))
    if found := re.fullmatch(r"(\d+)([smhd])", text):
        return Point(age_ns=int(found[1]) * UNITS_S[found[2]] * 1_000_000_000)
    try:
        moment = datetime.fromisoformat(text).astimezone()
    except ValueError:
        raise argparse.ArgumentTypeError(
            "must be an item's number, a time such as 15m or 2h, or a moment such as "
            f"2026-01-31T14:00, not {text!r}"
        ) from None
    return Point(time_ns=round(moment.timestamp() * 1_000_000) * 1000)


def _timed(arguments: argparse.Namespace) -> Iterator[tuple[Record, Times]]:
    """Yield the records between ``--since`` and ``--until``, in order, with the times of all.

    With ``--follow`` those to come as well. Raises InputError when there is no such journal.
    """
    path, since, until = journal_of(arguments), arguments.since, arguments.until
    try:
        # Opened before the others are listed: rotated meanwhile, it is no longer one of them.
        active = open_plain(path)
    except JournalError as error:
        raise InputError(str(error)) from None
    except OSError as error:
        raise InputError(
            f"{path}: {error.strerror}; name a journal, or the settings with --config"
        ) from None
    with active:
        rotated = [file for file in rotated_files(path) if not leads_to(file, active.fileno())]
        files, said = _recent(rotated, since, present()), Unreadable()
        times = Times(chain(*map(_parsed, files), _records_in(active, path)))
        active.seek(0)
        shown = (_parsed(file, said) for file in files)
        for record in chain(*shown, _active(active, path, arguments.follow, said)):
            times.take(record)
            if since.may_be_after(record, times) and until.may_be_before(record, times):
                yield record, times


def _recent(rotated: list[Path], since: Point, now: Now) -> list[Path]:
    """Return the last of the full files, from that on in which *since* surely lies."""
    start = len(rotated)
    while start > 0 and since != ANY:
        start -= 1
        if any(since.is_surely_after(record, now) for record in _parsed(rotated[start])):
            return rotated[start:]
    return rotated


class Unreadable:
    """Says on standard error, once a file, that lines of a journal are not shown."""

    def __init__(self) -> None:
        self._files: set[Path] = set()

    def note(self, path: Path, line: bytes, number: int) -> None:
        """Take note of a line that is no record."""
        if path in self._files:
            return
        self._files.add(path)
        what = line[:LINE_SHOWN].decode("utf-8", "backslashreplace").rstrip("\n")
        where = f"{path}: line {number}" if number else f"{path}: a line"
        print_error(
            "stampgate-edge",
            f"{where} is no whole record and is not shown: {what!r}; 'stampgate-edge verify-log' "
            "checks all of them",
        )


def _parsed(path: Path, said: Unreadable | None = None) -> Iterator[Record]:
    """Yield the whole records of a full file. Raises InputError when it is no plain file."""
    with reading(path), open_plain(path) as file:
        yield from _records_in(file, path, said)


def _records_in(file: BinaryIO, path: Path, said: Unreadable | None = None) -> Iterator[Record]:
    """Yield the whole records of an open file, from its present position on."""
    for number, line in enumerate(lines_of(file), 1):
        if (record := parse_record(line.rstrip(b"\n"))) is not None:
            yield record
        elif said is not None:
            said.note(path, line, number)


def _active(file: BinaryIO, path: Path, follow: bool, said: Unreadable) -> Iterator[Record]:
    """Yield the records of the open file being written; with *follow*, go on as it grows.

    It goes on in the next file when this one is rotated. *path*: the journal. Raises OSError.
    """
    try:
        while True:
            place = file.tell()
            line = file.readline(LONGEST_LINE)
            if line.endswith(b"\n") or len(line) == LONGEST_LINE:
                if (record := parse_record(line.rstrip(b"\n"))) is not None:
                    yield record
                else:
                    said.note(path, line, 0)
                continue
            file.seek(place)
            if not line and (following := _next_file(path, file.fileno())) is not None:
                file.close()
                file = open_plain(following)
            elif follow:
                time.sleep(POLL_S)
            else:
                return
    finally:
        file.close()


def _next_file(path: Path, descriptor: int) -> Path | None:
    """Return the file after the open one, when that is full and has another name by now."""
    names = [*rotated_files(path), path]
    following = {before: after for before, after in pairwise(names) if leads_to(before, descriptor)}
    return next((after for after in following.values() if after.exists()), None)
