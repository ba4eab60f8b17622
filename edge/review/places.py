"""Where a record's line lies on the disk, and whether it still lies there as it was written.

The index keeps file, offset, length and SHA-256 of each item's line. Whenever an item is given out,
its line is read again and compared, and so are its neighbours in the hash chain: the line before
must have the hash that this one carries, and the line after must carry this one's.
"""

import contextlib
import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from edge.errors import StampgateError
from edge.record.journal_file import FIRST, HEAD, LONGEST_LINE, open_plain, parse_record

State = Literal["whole", "altered", "removed", "reordered", "unlinked", "unreadable"]
PIECE = 4096
CHUNK = 1 << 20
PREVIOUS = re.compile(rb'"previous": "([0-9a-f]{64})"(?:, "seal": "[^"\\]*")?\}$')


@dataclass(frozen=True)
class Check:
    """What the disk says of a record at this moment; *words*: what is amiss, empty when whole.

    *whole*: the line is as it was indexed, and its neighbours in the chain fit. *reordered*: it is
    as it was, behind a later one or before an earlier one. *unlinked*: a neighbour does not fit.
    """

    state: State = "whole"
    words: str = ""


@dataclass(frozen=True)
class Place:
    """Where the line of an item lies, without its line end, and its SHA-256."""

    item: int
    file: int
    offset: int
    length: int
    sha256: bytes


@dataclass(frozen=True)
class LogFile:
    """A file of a log, as the index knows it.

    *before*: the hash of the last line of the file before, None when that is not here; *after*: the
    ``previous`` of the first line of the file after, None when there is none.
    """

    path: Path
    before: bytes | None = None
    after: bytes | None = None


@dataclass
class Checker:
    """Reads lines of records again and compares them; files stay open until it is closed.

    *files*: by their numbers in the index. Synchronization: one thread.
    """

    files: Mapping[int, LogFile]
    _open: dict[int, int] = field(default_factory=dict)
    _shifts: dict[int, int] = field(default_factory=dict)
    """By the file: how far the last line that had moved lay from its place."""

    def close(self) -> None:
        """Close the files."""
        for descriptor in self._open.values():
            os.close(descriptor)
        self._open.clear()

    def read(self, place: Place) -> tuple[dict[str, Any] | None, Check]:
        """Return the record of an item as the disk has it now, and what is to be said of it."""
        try:
            return self._read(place)
        except FileNotFoundError:
            name = self.files[place.file].path.name
            return None, Check("removed", f"its file {name} is gone")
        except (OSError, StampgateError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            return None, Check("unreadable", f"its line cannot be read: {why}")

    def _read(self, place: Place) -> tuple[dict[str, Any] | None, Check]:
        descriptor = self._descriptor(place.file)
        line = os.pread(descriptor, place.length, place.offset)
        offset = place.offset
        if hashlib.sha256(line).digest() != place.sha256:
            found = self._elsewhere(descriptor, place)
            if found is None:
                return self._altered(descriptor, place)
            offset = found
            line = os.pread(descriptor, place.length, offset)
            self._shifts[place.file] = offset - place.offset
        return parse_record(line), self._neighbours(descriptor, place, offset, line)

    def _elsewhere(self, descriptor: int, place: Place) -> int | None:
        """Return where in its file the line lies now; None when it is nowhere."""
        guess = place.offset + self._shifts.get(place.file, 0)
        for offset in (guess, *_occurrences(descriptor, place.item)):
            if offset >= 0 and _sha256(descriptor, offset, place.length) == place.sha256:
                return offset
        return None

    def _altered(self, descriptor: int, place: Place) -> tuple[dict[str, Any] | None, Check]:
        for offset in _occurrences(descriptor, place.item):
            line = os.pread(descriptor, LONGEST_LINE, offset).split(b"\n", 1)[0]
            if (record := parse_record(line)) is not None:
                said = "its line is another than when it was indexed: it was altered since"
                return record, Check("altered", said)
        return None, Check("removed", "its line is no more in its file: it was removed or cut off")

    def _neighbours(self, descriptor: int, place: Place, offset: int, line: bytes) -> Check:
        """Return what is to be said of a line at *offset* by the lines beside it."""
        file = self.files[place.file]
        line_before = _line_before(descriptor, offset) if offset else b""
        line_after = _line_after(descriptor, offset + len(line) + 1)
        before = hashlib.sha256(line_before).digest() if offset else file.before
        carried = _previous(line_after) if line_after else file.after
        linked = before is None or _previous(line) == before
        if linked and (carried is None or carried == hashlib.sha256(line).digest()):
            return Check()
        if _number(line_before, 0) > place.item or _number(line_after, place.item) < place.item:
            return Check("reordered", "it is as it was, and stands in another order than before")
        where = "after" if linked else "before"
        what = "altered, removed or put in"
        return Check(
            "unlinked", f"it is as it was, and the line {where} it does not fit: one was {what}"
        )

    def _descriptor(self, number: int) -> int:
        if number not in self._open:
            with open_plain(self.files[number].path) as file:
                self._open[number] = os.dup(file.fileno())
        return self._open[number]


@contextlib.contextmanager
def checking(files: Mapping[int, LogFile]) -> Iterator[Checker]:
    """Give a :class:`Checker` that is closed at the end."""
    checker = Checker(files)
    try:
        yield checker
    finally:
        checker.close()


def previous_of(line: bytes) -> bytes:
    """Return the hash that a line carries of the line before; that of the first for none.

    >>> previous_of(b'{"v": 1}') == bytes(32)
    True
    """
    return _previous(line) or bytes.fromhex(FIRST)


def _previous(line: bytes) -> bytes | None:
    found = PREVIOUS.search(line)
    return bytes.fromhex(found[1].decode()) if found else None


def _number(line: bytes, otherwise: int) -> int:
    """Return the number of the item of a line, or of the last one before it."""
    record = parse_record(line)
    return otherwise if record is None else int(record["sequence"])


def _sha256(descriptor: int, offset: int, length: int) -> bytes:
    return hashlib.sha256(os.pread(descriptor, length, offset)).digest()


def _line_before(descriptor: int, offset: int) -> bytes:
    """Return the line that ends before *offset*, without its line end."""
    content, start = b"", offset
    while start > 0 and offset - start < LONGEST_LINE:
        begin = max(0, start - PIECE)
        content = os.pread(descriptor, start - begin, begin) + content
        start = begin
        if b"\n" in content[:-1]:
            break
    return content.removesuffix(b"\n").rsplit(b"\n", 1)[-1]


def _line_after(descriptor: int, offset: int) -> bytes:
    """Return the whole line that begins at *offset*, without its line end; empty for none."""
    content = b""
    while len(content) < LONGEST_LINE and b"\n" not in content:
        piece = os.pread(descriptor, PIECE, offset + len(content))
        if not piece:
            return b""
        content += piece
    return content.split(b"\n", 1)[0]


def _occurrences(descriptor: int, item: int) -> Iterator[int]:
    """Yield where in an open file a line begins as that of item number *item* does."""
    wanted = HEAD + b'"item", "sequence": %d, ' % item
    offset, kept = 0, b""
    while piece := os.pread(descriptor, CHUNK, offset):
        content, begin = kept + piece, offset - len(kept)
        found = content.find(wanted)
        while found >= 0:
            at = begin + found
            if at == 0 or os.pread(descriptor, 1, at - 1) == b"\n":
                yield at
            found = content.find(wanted, found + 1)
        kept = content[-len(wanted) + 1 :]
        offset += len(piece)
