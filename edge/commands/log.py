"""``stampgate-edge log``: the journal for people, or as CSV for a spreadsheet."""

import argparse
import csv
import json
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from edge.clock import boot_id
from edge.commands import add_journal, journal_of
from edge.errors import InputError
from edge.record.journal_file import leads_to, parse_record, rotated_files

HIDDEN = (
    "v", "kind", "sequence", "boot_id", "monotonic_ns", "wall_time", "clock_synced", "previous",
    "trigger_ns", "evidence_sha256",
)  # fmt: skip
"""Fields of a record that the lines for people leave out, or show in words of their own."""
COLUMNS = (
    "sequence", "wall_time", "clock_synced", "verdict", "reason", "gate", "ms", "picture",
    "evidence", "findings", "label", "score", "x0", "y0", "x1", "y1",
)  # fmt: skip
"""Heading of the CSV."""
UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
POLL_S = 0.2

Record = Mapping[str, Any]
Wanted = Callable[[Record], bool]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command and its options."""
    parser.description = (
        "Show what happened, one line each, oldest first. A ~ before the time says that the clock "
        "was not synchronised."
    )
    add_journal(parser)
    parser.add_argument(
        "--since",
        type=_since,
        metavar="WHEN",
        default=lambda _: True,
        help="from an item on (123), so long ago on (90s, 15m, 2h, 3d), or a moment on "
        "(2026-01-31T14:00, local time)",
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
    chosen = filter(wanted, _records(journal_of(arguments), arguments.since, arguments.follow))
    if arguments.csv:
        write = csv.writer(sys.stdout).writerow
        write(COLUMNS)
        for record in chosen:
            write(csv_row(record))
            sys.stdout.flush()
    else:
        for record in chosen:
            print(text_line(record), flush=arguments.follow)
    return 0


def text_line(record: Record) -> str:
    """Return one record for people, on one line."""
    doubtful = "~" if record.get("clock_synced") is False else " "
    when = f"{doubtful}{_local(str(record.get('wall_time', '')))}"
    rest = {
        name: value
        for name, value in record.items()
        if name not in (*HIDDEN, "verdict", "reason", "findings")
    }
    if record["kind"] == "item":
        found = ", ".join(f"{f.get('label')} {f.get('score')}" for f in record.get("findings", ()))
        said = f"#{record['sequence']} {record['verdict'].upper()} {record.get('reason', '')}"
        return _printable(f"{when} {said}{f' [{found}]' if found else ''}  {_pairs(rest)}".rstrip())
    reason = f" {record['reason']}" if "reason" in record else ""
    return _printable(f"{when} -- {record['kind']}{reason}  {_pairs(rest)}".rstrip())


def csv_row(record: Record) -> list[Any]:
    """Return one item as the values of :data:`COLUMNS`.

    Label, score and box (camera pixels) are those of the best finding.
    """
    findings = record.get("findings", [])
    best = findings[0] if findings else {}
    values = {
        **record,
        "findings": len(findings),
        "label": best.get("label"),
        "score": best.get("score"),
    }
    values |= dict(zip(("x0", "y0", "x1", "y1"), best.get("box", ()), strict=False))
    return [_cell(values.get(column)) for column in COLUMNS]


def _cell(value: Any) -> Any:
    """Keep a spreadsheet from taking a text for a formula: OWASP, "CSV Injection"."""
    return (
        f"'{value}"
        if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r"))
        else value
    )


def _pairs(fields: Record) -> str:
    texts = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in fields.items()
    }
    return " ".join(f"{name}={text}" for name, text in texts.items() if text not in ("", "null"))


def _printable(text: str) -> str:
    """Replace what is not printable: a file's name must not send commands to the terminal."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


def _local(wall_time: str) -> str:
    try:
        return datetime.fromisoformat(wall_time).astimezone().strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    except ValueError:
        return wall_time


def _wanted(arguments: argparse.Namespace) -> Wanted:
    verdicts = arguments.verdict or (["pass", "reject", "fault"] if arguments.csv else [])

    def wanted(record: Record) -> bool:
        if verdicts:
            return bool(record["kind"] == "item" and record["verdict"] in verdicts)
        return bool(arguments.all or record["kind"] != "health")

    return wanted


def _since(text: str) -> Wanted:
    """Return the filter of records that ``--since`` asks for."""
    if text.isdigit():
        return lambda record: bool(record["sequence"] >= int(text))
    if found := re.fullmatch(r"(\d+)([smhd])", text):
        return _younger_than(int(found[1]) * UNITS_S[found[2]])
    try:
        moment = datetime.fromisoformat(text).astimezone()
    except ValueError:
        raise argparse.ArgumentTypeError(
            "must be an item's number, a time such as 15m or 2h, or a moment such as "
            f"2026-01-31T14:00, not {text!r}"
        ) from None
    return lambda record: _wall_time(record) >= moment


def _younger_than(seconds: int) -> Wanted:
    """Return a filter of records written within the last *seconds*.

    Records of this boot are judged by the monotonic clock, which nobody can set; older ones by the
    wall clock.
    """
    boot, now_ns = boot_id(), time.monotonic_ns()
    moment = datetime.now(UTC) - timedelta(seconds=seconds)

    def younger(record: Record) -> bool:
        if record["boot_id"] == boot:
            return bool(now_ns - record["monotonic_ns"] <= seconds * 1_000_000_000)
        return _wall_time(record) >= moment

    return younger


def _wall_time(record: Record) -> datetime:
    return datetime.fromisoformat(record["wall_time"])


def _records(path: Path, since: Wanted, follow: bool) -> Iterator[Record]:
    """Yield the records that *since* wants, oldest first; with *follow*, those to come as well.

    Raises InputError when there is no such journal.
    """
    for rotated in _recent(rotated_files(path), since):
        yield from filter(since, _parsed(rotated))
    try:
        yield from filter(since, _active(path, follow))
    except OSError as error:
        raise InputError(
            f"{path}: {error.strerror}; name a journal, or the settings with --config"
        ) from None


def _recent(turned: list[Path], since: Wanted) -> list[Path]:
    """Return the last of the full files, back to the newest that holds nothing wanted."""
    start = len(turned)
    while start > 0 and any(map(since, _parsed(turned[start - 1]))):
        start -= 1
    return turned[start:]


def _parsed(path: Path) -> Iterator[Record]:
    with path.open("rb") as file:
        yield from (
            record for line in file if (record := parse_record(line.rstrip(b"\n"))) is not None
        )


def _active(path: Path, follow: bool) -> Iterator[Record]:
    """Yield the records of the file being written; with *follow*, go on as it grows and rotates.

    Raises OSError.
    """
    file = path.open("rb")
    try:
        while True:
            place = file.tell()
            line = file.readline()
            if line.endswith(b"\n"):
                if (record := parse_record(line.rstrip(b"\n"))) is not None:
                    yield record
                continue
            file.seek(place)
            if not line and (following := _next_file(path, file.fileno())) is not None:
                file.close()
                file = following.open("rb")
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
