"""The items of a journal as rows of a table, for a spreadsheet or a program (RFC 4180).

A file begins with a byte-order mark, by which Excel knows UTF-8, into a pipe goes none. Local times
are dates to Excel and LibreOffice, and their offset has a column of its own, for a date has none
there. Where the decimal sign is a comma, the cells are parted by semicolons.
"""

import csv
import io
import os
import stat
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, TextIO

from edge.printing import csv_cell
from edge.record.times import Moment
from edge.reports.points import Record
from edge.reports.zone import EPOCH, HERE, Zone, offset_of

COLUMNS = (
    "sequence", "local_time", "offset", "wall_time", "clock_synced", "verdict", "reason", "gate",
    "ms", "picture", "evidence", "findings", "label", "score", "x0", "y0", "x1", "y1",
    "time", "time_source", "not_before", "not_after",
    "code", "near_label", "near_score", "near_x0", "near_y0", "near_x1", "near_y1", "service",
)  # fmt: skip
"""Heading of the table."""
BYTE_ORDER_MARK = "\ufeff"


def csv_row(record: Record, moment: Moment | None = None, zone: Zone = HERE) -> list[Any]:
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
    values |= {"local_time": None, "offset": None}
    if moment is not None:
        values |= {
            "time": utc_text(moment.exact_ns),
            "time_source": moment.source,
            "not_before": utc_text(moment.earliest_ns),
            "not_after": utc_text(moment.latest_ns),
            **_local(moment.exact_ns, zone),
        }
    return [csv_cell(values.get(column)) for column in COLUMNS]


def _local(time_ns: int | None, zone: Zone) -> dict[str, str]:
    """Return a time as spreadsheets read it, whole seconds, and its offset."""
    moment = zone.local(time_ns) if time_ns is not None else None
    if moment is None or moment.year < 1900:  # before it no spreadsheet has a date
        return {}
    return {
        "local_time": moment.replace(tzinfo=None).isoformat(" ", "seconds"),
        "offset": offset_of(moment),
    }


def utc_text(time_ns: int | None) -> str | None:
    """Return a time as the journal writes it, in UTC."""
    if time_ns is None:
        return None
    try:
        moment = EPOCH + timedelta(microseconds=time_ns // 1000)
    except OverflowError:  # of no calendar: somebody made it up
        return f"{time_ns} ns"
    return moment.isoformat(timespec="milliseconds")


class TableWriter:
    """Writes rows as CSV to *file*; *comma*: for a spreadsheet whose decimal sign is the comma."""

    def __init__(self, file: TextIO, *, comma: bool = False) -> None:
        self._file, self._comma = file, comma
        self._write: Callable[[Iterable[Any]], Any] = csv.writer(
            file, delimiter=";" if comma else ","
        ).writerow

    def begin(self, heading: Iterable[str]) -> None:
        """Write the heading; into a file behind a byte-order mark."""
        if isinstance(self._file, io.TextIOWrapper):
            self._file.reconfigure(encoding="utf-8")
        if _is_file(self._file):
            self._file.write(BYTE_ORDER_MARK)
        self.row(heading)

    def row(self, values: Iterable[Any]) -> None:
        """Write one row."""
        self._write(map(self._cell, values))
        self._file.flush()

    def _cell(self, value: Any) -> Any:
        if self._comma and isinstance(value, float):
            return str(value).replace(".", ",")
        return value


def _is_file(file: TextIO) -> bool:
    """Tell whether what is written goes into a file, at its beginning."""
    try:
        status = os.fstat(file.fileno())
    except (OSError, ValueError):  # no descriptor: a buffer in memory
        return False
    return stat.S_ISREG(status.st_mode) and os.lseek(file.fileno(), 0, os.SEEK_CUR) == 0
