"""Reports as files: written whole or not at all, after each shift, so many of them kept.

Nothing is lost with a report that is removed: the journal is never removed, and any shift can be
reported on again from it.
"""

import csv
import io
import re
from pathlib import Path

from edge.files import write_atomic
from edge.process.running_hours import Hours
from edge.reports.evidence import evidence_of
from edge.reports.lines import time_text
from edge.reports.page import report_page
from edge.reports.rows import HEADING, report_rows
from edge.reports.shift import Shift, ended_since
from edge.reports.shift_figures import ShiftFigures
from edge.reports.table import BYTE_ORDER_MARK
from edge.reports.zone import Zone

SUFFIXES = (".html", ".csv")
NAME = re.compile(r"report-\d{4}-\d\d-\d\d-\d{4}-\d{4}\.html")
"""Names of the reports that are removed when there are too many; no other file is."""
OVERDUE_NS = 2 * 86_400 * 10**9
"""How long after its end a shift is reported on, if the box was off then: two days."""


def write_report(figures: ShiftFigures, path: Path, evidence: Path | None) -> None:
    """Write a report as its suffix says, HTML or CSV, atomically. Raises InputError.

    *evidence*: the folder of the pictures; None for none.
    """
    if path.suffix == ".csv":
        buffer = io.StringIO()
        table = csv.writer(buffer)
        table.writerow(HEADING)
        table.writerows(report_rows(figures))
        write_atomic(path, (BYTE_ORDER_MARK + buffer.getvalue()).encode())
        return
    pictures = (
        (record, time_text(record, moment, figures.zone).strip(), evidence_of(record, evidence))
        for record, moment in figures.rejected
    )
    write_atomic(path, report_page(figures, pictures).encode("utf-8", "backslashreplace"))


def due(folder: Path, shifts: list[Hours], zone: Zone, now_ns: int) -> list[tuple[Shift, Path]]:
    """Return the shifts that have ended and have no report in *folder*, and its path."""
    ended = ended_since(shifts, zone, now_ns - OVERDUE_NS, now_ns)
    found = {folder / f"{shift.file_stem}.html": shift for shift in ended}
    return [(shift, path) for path, shift in found.items() if not path.exists()]


def keep_newest(folder: Path, keep: int) -> int:
    """Remove the reports of the oldest shifts but for *keep*; return how many were removed."""
    names = sorted(path.name for path in folder.iterdir() if NAME.fullmatch(path.name))
    going = names[: max(0, len(names) - keep)]
    for name in going:
        (folder / name).unlink(missing_ok=True)
    return len(going)
