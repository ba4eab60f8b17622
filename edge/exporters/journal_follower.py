"""Follow a journal: each record once, in order, over rotations and restarts, without a lock.

A :class:`Cursor` is a place behind one record. It names the file by the hash of its first line,
which stays when the file is renamed (rotated), and carries the hash of the record itself, by which
the place is proven before anything is read on. So a cursor never skips a record that is there:

- a file that was rotated is found again under its new name;
- lines that the writer took back (:meth:`edge.record.journal_file.JournalFile.add`) are waited for,
  and where others came in their place, the last :data:`TAKEN_BACK` items are read once more;
- where the file is gone (archived), the records behind the cursor's item follow;
- another journal is read from its beginning.

Only whole lines are taken. The files are opened for reading, and the writer's lock is not asked.
"""

import contextlib
import hashlib
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Literal, NamedTuple, Self

from edge.errors import JournalError
from edge.record.journal_file import (
    FIRST,
    LONGEST_LINE,
    leads_to,
    open_plain,
    parse_record,
    rotated_files,
)

TAKEN_BACK = 1000
"""Most records that an fdatasync(2) that fails can take back: the bound of ``[journal]
group_items``."""
PIECE = 1 << 16
"""Bytes that are read at once."""
PATIENCE_S = 60.0
"""How long lines that were taken back are waited for, seconds."""
Record = Mapping[str, Any]


@dataclass(frozen=True)
class Cursor:
    """A place in a journal, behind one of its records; the beginning where nothing is said.

    *file*: SHA-256 of the first line of the file that it is in; *offset*: where the record ends
    there, *length*: how long its line is, bytes; *sha256*: that of the line without its end;
    *sequence*: the number of the last item up to it.
    """

    file: str = ""
    offset: int = 0
    length: int = 0
    sha256: str = FIRST
    sequence: int = 0

    def as_object(self) -> dict[str, Any]:
        """Return it as JSON knows it."""
        return asdict(self)

    @classmethod
    def from_object(cls, value: Any) -> "Cursor":
        """Return what :meth:`as_object` gave. Raises ValueError for anything else."""
        if not isinstance(value, dict) or set(value) != set(asdict(cls())):
            raise ValueError("no cursor")
        types = {name: type(default) for name, default in asdict(cls()).items()}
        if not all(type(value[name]) is kind for name, kind in types.items()):
            raise ValueError("no cursor")
        if min(value["offset"], value["length"], value["sequence"]) < 0:
            raise ValueError("no cursor")
        return cls(**value)


class Entry(NamedTuple):
    """One record, the place behind it, and whether its chain to the record before is broken."""

    record: Record
    cursor: Cursor
    broken: bool


Lost = Literal["", "taken back", "gone", "another journal"]
"""Why the place of a cursor was not found."""


class JournalFollower:
    """Reads on behind a cursor.

    *path*: the journal, that is the file being written; it may not be there yet.

    Synchronization: one thread.
    """

    def __init__(self, path: Path, cursor: Cursor | None = None) -> None:
        self._path, self.cursor = path, cursor or Cursor()
        self._file: BinaryIO | None = None
        self._skip_up_to = -1
        self._short_since_s: float | None = None
        self.damaged = 0
        """Lines passed over that are no record."""
        self.lost: Lost = ""
        """How the place was last lost; the reader of this clears it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file that is open; the next read opens it again."""
        if self._file is not None:
            self._file.close()
            self._file = None

    @property
    def behind_bytes(self) -> int:
        """Bytes of the journal behind the cursor."""
        files, ahead = self._files(), 0
        for path in reversed(files):
            with contextlib.suppress(OSError):
                size = path.stat().st_size
                if self._file is not None and leads_to(path, self._file.fileno()):
                    return ahead + max(0, size - self.cursor.offset)
                ahead += size
        return ahead

    def read(self, most: int) -> list[Entry]:
        """Return the next *most* records at most; fewer, or none, where the journal ends so far.

        Raises JournalError where a file of the journal is no plain file, OSError where it may not
        be read.
        """
        entries: list[Entry] = []
        if self._file is None and not self._find():
            return entries
        if not self._is_proven():
            return entries
        for line in self._lines():
            if (entry := self._take(line)) is not None:
                entries.append(entry)
                if len(entries) >= most:
                    break
        return entries

    def _lines(self) -> Iterator[bytes]:
        """Yield whole lines from the cursor on, into the files that follow."""
        while self._file is not None:
            descriptor = self._file.fileno()
            piece = os.pread(descriptor, PIECE, self.cursor.offset)
            if len(piece) == PIECE and b"\n" not in piece:
                piece = os.pread(descriptor, LONGEST_LINE + 1, self.cursor.offset)
            *lines, rest = piece.split(b"\n")
            yield from lines
            if lines:
                continue
            if len(rest) > LONGEST_LINE:  # somebody else's: its end will be a line of its own
                self._move(rest, len(rest), self.cursor.sequence)
                self.damaged += 1
                continue
            if leads_to(self._path, descriptor):
                return
            # It was rotated. A line may have come between the end that was met and that moment.
            if b"\n" not in os.pread(descriptor, PIECE, self.cursor.offset) and not self._go_on():
                return

    def _take(self, line: bytes) -> Entry | None:
        """Move the cursor behind *line*; return its record, None where it is none or was read."""
        record, before = parse_record(line), self.cursor
        sequence = before.sequence if record is None else record["sequence"]
        self._move(line, len(line) + 1, sequence)
        if record is None:
            self.damaged += 1
            return None
        if sequence <= self._skip_up_to:
            return None
        self._skip_up_to = -1
        begins = before.offset == 0 and before.sha256 == FIRST
        broken = not begins and record["previous"] != before.sha256
        return Entry(record, self.cursor, broken)

    def _move(self, line: bytes, length: int, sequence: int) -> None:
        """Move the cursor behind a *line* of *length* bytes, its end included."""
        before, sha256 = self.cursor, hashlib.sha256(line).hexdigest()
        first = before.file if before.offset else sha256
        self.cursor = Cursor(first, before.offset + length, length, sha256, sequence)

    def _is_proven(self) -> bool:
        """Tell whether the open file holds the cursor's record at its place.

        Where other lines took its place, the place is found anew.
        """
        assert self._file is not None
        cursor, descriptor = self.cursor, self._file.fileno()
        if cursor.offset == 0 or _holds(descriptor, cursor):
            self._short_since_s = None
            return True
        if self._may_come_again(descriptor):
            return False
        self.close()
        return self._find()

    def _may_come_again(self, descriptor: int) -> bool:
        """Tell whether the file is shorter than it was, and the same lines may still come."""
        short = os.fstat(descriptor).st_size < self.cursor.offset
        if not short or not leads_to(self._path, descriptor):
            return False
        now_s = time.monotonic()
        self._short_since_s = now_s if self._short_since_s is None else self._short_since_s
        return now_s - self._short_since_s < PATIENCE_S

    def _go_on(self) -> bool:
        """Open the file behind the open one, at its beginning; False when it is not there yet."""
        assert self._file is not None
        files = self._files()
        here = [leads_to(path, self._file.fileno()) for path in files]
        if not any(here):  # renamed or removed by another program
            self.close()
            return self._find()
        following = files[here.index(True) + 1 :][:1]
        if not following:
            return False
        return self._open(following[0], Cursor("", 0, 0, self.cursor.sha256, self.cursor.sequence))

    def _open(self, path: Path, cursor: Cursor) -> bool:
        try:
            file = open_plain(path)
        except FileNotFoundError:  # rotated at this moment
            return False
        self.close()
        self._file, self.cursor = file, cursor
        return True

    def _find(self) -> bool:
        """Open the file of the cursor at its place, or the one that follows; False for none yet."""
        cursor, files = self.cursor, self._files()
        if cursor == Cursor():
            return bool(files) and self._open(files[0], cursor)
        firsts = [(path, _first_line(path)) for path in files]
        for path, first in reversed(firsts):
            if hashlib.sha256(first).hexdigest() == cursor.file:
                return self._open_at(path)
        for path, first in reversed(firsts):
            if (record := parse_record(first)) is not None and record["previous"] == cursor.sha256:
                return self._open(path, Cursor("", 0, 0, cursor.sha256, cursor.sequence))
        if not any(first for _, first in firsts):
            return False
        return self._find_by_number([(path, first) for path, first in firsts if first])

    def _open_at(self, path: Path) -> bool:
        """Open the cursor's file, and begin before the place where its record was taken back."""
        cursor = self.cursor
        if not self._open(path, cursor):
            return False
        assert self._file is not None
        if cursor.offset == 0 or _holds(self._file.fileno(), cursor):
            return True
        if self._may_come_again(self._file.fileno()):
            return False
        self.lost = "taken back"
        self.cursor = Cursor("", 0, 0, FIRST, 0)
        self._skip_up_to = max(-1, cursor.sequence - TAKEN_BACK)
        return True

    def _find_by_number(self, firsts: list[tuple[Path, bytes]]) -> bool:
        """Begin with the record behind the cursor's item, or with all of another journal."""
        records = [(path, parse_record(first)) for path, first in firsts]
        oldest = records[0][1]
        if oldest is None or oldest["previous"] == FIRST:
            self.lost = "another journal"
            return self._open(records[0][0], Cursor())
        before = [p for p, r in records if r is not None and r["sequence"] <= self.cursor.sequence]
        self.lost = "gone"
        sequence = self.cursor.sequence
        opened = self._open((before or [records[0][0]])[-1], Cursor("", 0, 0, FIRST, sequence))
        self._skip_up_to = sequence
        return opened

    def _files(self) -> list[Path]:
        """Return the journal's files, oldest first."""
        return [*rotated_files(self._path), *([self._path] if self._path.exists() else [])]


def _holds(descriptor: int, cursor: Cursor) -> bool:
    """Tell whether an open file holds the cursor's line at its place."""
    line = os.pread(descriptor, cursor.length, cursor.offset - cursor.length)
    return hashlib.sha256(line.removesuffix(b"\n")).hexdigest() == cursor.sha256


def _first_line(path: Path) -> bytes:
    """Return the first whole line of a file without its end; empty where it has none."""
    try:
        with open_plain(path) as file:
            line = file.readline(LONGEST_LINE + 1)
    except FileNotFoundError:
        return b""
    except JournalError:
        return b""
    return line.rstrip(b"\n") if line.endswith(b"\n") else b""
