"""Read the records of a journal from one point to another, with their times, one by one.

A journal may hold millions of records in hundreds of files. What surely lies before the first point
is not read: the place to begin is looked for from the journal's end back, a few records a file, by
bisection. Reading ends with the first record that surely lies behind the last point. What is read
is read twice: first for the clocks, by which the times of the records are repaired, then for the
records, none of which is kept.
"""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, BinaryIO

from edge.errors import InputError, JournalError
from edge.printing import print_error
from edge.record.journal_file import (
    LONGEST_LINE,
    journal_lines,
    last_records,
    leads_to,
    lines_of,
    open_plain,
    parse_record,
    rotated_files,
)
from edge.record.times import Now, Times, present
from edge.record.verify import reading
from edge.reports.points import ANY, Point, Record

POLL_S = 0.2
LINE_SHOWN = 60
"""Bytes of a line that is no record, in the message about it."""
NEAR = 1 << 16
"""Bytes within which the place to begin is found."""
STAMP = re.compile(
    rb'\{"v": 1, "kind": "[a-z_-]+", "sequence": (\d+), "boot_id": "([0-9a-f-]+)", '
    rb'"monotonic_ns": (\d+), "wall_time": "([^"\\]+)", "clock_synced": (true|false|null)'
)
"""How every line of the journal begins; a line that begins otherwise is parsed whole."""
SETUP = tuple(b'{"v": 1, "kind": "%s", ' % kind for kind in (b"start", b"settings", b"continued"))
"""How the lines begin that say which settings and model are in force."""
FLAGS = {b"true": True, b"false": False, b"null": None}


Seen = Callable[[bytes, Record | None], None]
"""Is given each line that is read, without its line end, and its record."""


class Unreadable:
    """Parses lines, and says on standard error, once a file, that some of them are not shown."""

    def __init__(self, seen: Seen | None = None) -> None:
        self._files: set[Path] = set()
        self._seen = seen

    def parsed(self, path: Path, line: bytes, number: int) -> Record | None:
        """Return the record of a line; *number*: in its file, 0 where it is not known."""
        line = line.rstrip(b"\n")
        record = parse_record(line)
        if self._seen is not None:
            self._seen(line, record)
        if record is None:
            self._note(path, line, number)
        return record

    def _note(self, path: Path, line: bytes, number: int) -> None:
        """Say once of each file that a line of it is no record."""
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


@dataclass(frozen=True)
class Span:
    """From which point to which records are wanted, and whether those to come are, too."""

    since: Point = ANY
    until: Point = ANY
    follow: bool = False
    now: Now = field(default_factory=present)

    def may_hold(self, record: Record, times: Times) -> bool:
        """Tell whether a record may be of this span."""
        since, until = self.since, self.until
        return since.may_be_after(record, times) and until.may_be_before(record, times)


@dataclass(frozen=True)
class _Place:
    """Where reading begins: in which file, at which byte; and records before it, for their times.

    *file*: the place in the list of full files, whose length stands for the one being written.
    """

    file: int = 0
    offset: int = 0
    before: tuple[Record, ...] = ()


def timed(path: Path, span: Span, seen: Seen | None = None) -> Iterator[tuple[Record, Times]]:
    """Yield the records of a span, in order, with the times of all.

    *path*: the file being written, or a single full one. *seen*: is given each line that is read,
    of the span and next to it, without its line end, and its record, None where it is none. Raises
    InputError when there is no such journal.
    """
    with _opened(path) as active:
        rotated = [file for file in rotated_files(path) if not leads_to(file, active.fileno())]
        place = _begin(rotated, active, span)
        times = Times(chain(place.before, _clocks(rotated, active, place, span)), span.now)
        said = Unreadable(seen)
        files = rotated[place.file :]
        offsets = [place.offset] + [0] * len(files)
        active.seek(offsets[len(files)])
        shown = (_parsed(file, said, offset) for file, offset in zip(files, offsets, strict=False))
        for record in chain(*shown, _active(active, path, said, follow=span.follow)):
            times.take(record)
            if span.may_hold(record, times):
                yield record, times
            if span.until.is_surely_before(record, span.now):
                return


def in_force(path: Path, span: Span) -> Record:
    """Return the fields of the start record that is in force where a span begins.

    With what settings records since have changed; empty where the journal says nothing of it.
    Raises InputError.
    """
    with _opened(path) as active:
        rotated = [file for file in rotated_files(path) if not leads_to(file, active.fileno())]
        place = _begin(rotated, active, span)
        if place.file >= len(rotated):
            return _setup_before(active, place.offset, span)
        with reading(path), open_plain(rotated[place.file]) as file:
            return _setup_before(file, place.offset, span)


def _setup_before(file: BinaryIO, place: int, span: Span) -> Record:
    """Return the fields of the start record in force in a file where a span begins.

    *place*: the offset of a record of the file that surely is before the span, near to its begin.
    """
    setup: Record = {}
    file.seek(0)
    while (here := file.tell()) <= place + 2 * NEAR and (line := file.readline(LONGEST_LINE)):
        record = parse_record(line.rstrip(b"\n")) if line.startswith(SETUP) else None
        if record is None:
            continue
        if here > place and not span.since.is_surely_after(record, span.now):
            break
        setup = setup_after(setup, record)
    return setup


def setup_after(setup: Record, record: Record) -> Record:
    """Return the fields of the start record in force once *record* is there."""
    if record["kind"] == "continued":
        return record.get("start") or {}
    if record["kind"] == "settings":
        return {name: record.get(name, value) for name, value in setup.items()}
    return record if record["kind"] == "start" else setup


def naming(path: Path, item: int) -> Iterator[Record]:
    """Yield the records of a journal that name an item and are not its own, such as incidents.

    All files are looked through, for it may be named after a restart, but few lines parsed.
    """
    words = b'"item": %d' % item
    with reading(path):
        for _, _, line in journal_lines(path):
            record = parse_record(line.rstrip(b"\n")) if words in line else None
            if record is not None and record["kind"] != "item" and record.get("item") == item:
                yield record


def _opened(path: Path) -> BinaryIO:
    """Open the journal, before its full files are listed: it may be rotated meanwhile."""
    try:
        return open_plain(path)
    except JournalError as error:
        raise InputError(str(error)) from None
    except OSError as error:
        raise InputError(
            f"{path}: {error.strerror}; name a journal, or the settings with --config"
        ) from None


def _clocks(
    rotated: list[Path], active: BinaryIO, place: _Place, span: Span
) -> Iterator[dict[str, Any]]:
    """Yield what the clocks showed at each record from *place* on, to the end of the span."""
    for number, file in enumerate([*rotated, None]):
        if number < place.file:
            continue
        start = place.offset if number == place.file else 0
        for stamp in _stamps(file, active, start):
            yield stamp
            if span.until.is_surely_before(stamp, span.now):
                return


def _stamps(path: Path | None, active: BinaryIO, start: int) -> Iterator[dict[str, Any]]:
    """Yield what the clocks showed in one file; None: the one being written."""
    if path is None:
        active.seek(start)
        yield from filter(None, map(stamp_of, lines_of(active)))
        return
    with reading(path), open_plain(path) as file:
        file.seek(start)
        yield from filter(None, map(stamp_of, lines_of(file)))


def stamp_of(line: bytes) -> dict[str, Any] | None:
    """Return number, boot and clocks of a record without parsing its whole line, where it can be.

    None for a line that is no whole record.
    """
    if not line.endswith(b"}\n") or (found := STAMP.match(line)) is None:
        return parse_record(line.rstrip(b"\n"))
    sequence, boot, monotonic, wall, synced = found.groups()
    return {
        "sequence": int(sequence),
        "boot_id": boot.decode(),
        "monotonic_ns": int(monotonic),
        "wall_time": wall.decode("utf-8", "replace"),
        "clock_synced": FLAGS[synced],
    }


def _begin(rotated: list[Path], active: BinaryIO, span: Span) -> _Place:
    """Return where reading begins: at the last record found that surely is before the span."""
    if span.since == ANY:
        return _Place()
    number = len(rotated)
    found = _last_before(active, span)
    while found is None and number > 0:
        number -= 1
        with reading(rotated[number]), open_plain(rotated[number]) as file:
            found = _last_before(file, span)
    if found is None:
        return _Place()
    before = [record for file in rotated[:number] for record in _ends(file)]
    here = rotated[number] if number < len(rotated) else None
    return _Place(number, found, (*before, *(_first(here) if here else _first_of(active))))


def _last_before(file: BinaryIO, span: Span) -> int | None:
    """Return the offset of a record of a file that surely is before the span, near to its begin.

    None where no record that was looked at is.
    """
    low, high = 0, file.seek(0, 2)
    found = 0 if _is_before(file, 0, span) else None
    while high - low > NEAR:
        middle = (low + high) // 2
        file.seek(middle)
        file.readline(LONGEST_LINE)
        start = file.tell()
        if start < high and _is_before(file, start, span):
            found = low = start
        else:
            high = middle
    return found


def _is_before(file: BinaryIO, start: int, span: Span) -> bool:
    """Tell whether the record at an offset of a file surely is before the span."""
    file.seek(start)
    record = parse_record(file.readline(LONGEST_LINE).rstrip(b"\n"))
    return record is not None and span.since.is_surely_after(record, span.now)


def _ends(path: Path) -> list[Record]:
    """Return the first and the last record of a full file."""
    with reading(path):
        last = next(last_records(path), None)
        return [*_first(path), *([last] if last is not None else [])]


def _first(path: Path) -> list[Record]:
    with reading(path), open_plain(path) as file:
        return _first_of(file)


def _first_of(file: BinaryIO) -> list[Record]:
    file.seek(0)
    record = parse_record(file.readline(LONGEST_LINE).rstrip(b"\n"))
    return [record] if record is not None else []


def _parsed(path: Path, said: Unreadable, start: int) -> Iterator[Record]:
    """Yield the whole records of a full file. Raises InputError when it is no plain file."""
    with reading(path), open_plain(path) as file:
        file.seek(start)
        for number, line in enumerate(lines_of(file), 1):
            if (record := said.parsed(path, line, number if not start else 0)) is not None:
                yield record


def _active(file: BinaryIO, path: Path, said: Unreadable, *, follow: bool) -> Iterator[Record]:
    """Yield the records of the open file being written; with *follow*, go on as it grows.

    It goes on in the next file when this one is rotated. *path*: the journal. Raises OSError.
    """
    try:
        while True:
            place = file.tell()
            line = file.readline(LONGEST_LINE)
            if line.endswith(b"\n") or len(line) == LONGEST_LINE:
                if (record := said.parsed(path, line, 0)) is not None:
                    yield record
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
