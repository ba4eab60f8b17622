"""Follow a chained log: take each new whole line once, in order, and say where the chain breaks.

A file is known by its first line and its inode, so it is the same one after it was rotated. Lines
that were taken already are not read again, unless the last of them is not in its place any more:
then the file was cut, replaced or written over, and is read anew from its beginning. So is a full
file whose inode was changed, which a program that writes into it cannot hide.
"""

import hashlib
import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from edge.record.journal_file import (
    FIRST,
    LONGEST_LINE,
    file_number,
    lines_of,
    open_plain,
    parse_record,
    rotated_files,
)
from edge.review.places import LogFile, previous_of

BATCH = 1000
"""Lines taken in one transaction, so that a page waits for some 50 ms at most."""
ROTATED = re.compile(r"-(\d{6,})-\d{9,}\.")
CHANGED = "was cut, replaced or written over since it was indexed; it was read anew"


@dataclass(frozen=True)
class Line:
    """A whole line of a log, without its line end, and where it lies.

    *record*: None when it is no whole record.
    """

    file: int
    offset: int
    content: bytes
    sha256: bytes
    record: dict[str, Any] | None

    @property
    def length(self) -> int:
        """Bytes, without the line end."""
        return len(self.content)


Taker = Callable[[Line], None]
Complain = Callable[[str, int], None]


@dataclass
class _File:
    """A file of the log and how far it was taken: bytes, lines, and the last line."""

    number: int
    path: Path
    done: int = 0
    line: int = 0
    last_offset: int = 0
    last_length: int = 0
    last: bytes = b""
    changed: int = 0
    """When its inode was last changed, as the file system says it, nanoseconds."""


class Follower:
    """Takes the lines of the log *path*, named *log* in the index *connection*.

    *take*: is given each line once; *complain*: what does not fit, with the item before.

    Synchronization: the caller's lock; another process takes its turn by SQLite's.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        log: str,
        path: Path,
        take: Taker,
        complain: Complain,
    ) -> None:
        self._connection, self._log, self.path = connection, log, path
        self._take, self._complain = take, complain
        self._item = 0

    def step(self, most: int = BATCH) -> int:
        """Take at most *most* new lines, in the caller's transaction; return how many."""
        taken, full = 0, rotated_files(self.path)
        for path in (*full, self.path):
            if taken >= most:
                break
            try:
                with open_plain(path) as opened:
                    if path == self.path and rotated_files(self.path) != full:
                        break  # it was rotated meanwhile; what it was comes first, next time
                    taken += self._step_in(opened, path, most - taken)
            except FileNotFoundError:
                continue
        return taken

    def paths(self) -> list[Path]:
        """Return the files of the log, oldest first."""
        return [*rotated_files(self.path), self.path]

    def behind(self) -> int:
        """Return how many bytes were not taken yet."""
        sizes = 0
        for path in self.paths():
            try:
                sizes += path.stat().st_size
            except OSError:
                continue
        row = self._connection.execute(
            "SELECT SUM(done) FROM files WHERE log = ?", (self._log,)
        ).fetchone()
        return max(0, sizes - int(row[0] or 0))

    def files(self) -> dict[int, LogFile]:
        """Return the files by their numbers, each with what its neighbours in the chain carry."""
        rows = self._connection.execute(
            "SELECT id, name, carried, last FROM files WHERE log = ?", (self._log,)
        ).fetchall()
        by_place = {self._place(row[1]): row for row in rows}  # the last of a name
        found = {}
        for number, name, _, _ in rows:
            place = self._place(name)
            before, after = by_place.get(place - 1), by_place.get(place + 1)
            found[number] = LogFile(
                self.path.with_name(name), before and before[3], after and after[2]
            )
        return found

    def _place(self, name: str) -> int:
        """Return the place of a file among the others, by its name: its number, or the last."""
        found = ROTATED.search(name)
        if found is not None and name != self.path.name:
            return int(found[1])
        return max(map(file_number, rotated_files(self.path)), default=0) + 1

    def _step_in(self, opened: BinaryIO, path: Path, most: int) -> int:
        status = os.fstat(opened.fileno())
        file = self._known(path, status)
        if file is not None and file.done == status.st_size:
            if path == self.path or file.changed == status.st_ctime_ns:
                return 0
            file = _File(file.number, path)  # a full file that somebody has touched
        head = opened.readline(LONGEST_LINE)
        if not head.endswith(b"\n"):
            return 0  # empty, or its first line is being written
        if file is None or file.line:
            file = self._identified(path, status, head[:-1], file)
        file.changed = status.st_ctime_ns
        if file.last and not _is_in_place(opened.fileno(), file):
            self._complain(f"{path.name} {CHANGED}", self._item)
            file = _File(file.number, path, changed=status.st_ctime_ns)
        opened.seek(file.done)
        return self._take_lines(lines_of(opened), file, most)

    def _take_lines(self, lines: Iterator[bytes], file: _File, most: int) -> int:
        taken = 0
        before = file.last or self._end_before(file)
        for line in lines:
            if not line.endswith(b"\n"):
                if len(line) <= LONGEST_LINE:
                    break  # torn, or being written
                self._complain(f"{file.path.name}: a line is longer than any record", self._item)
            content = line.removesuffix(b"\n")
            sha256 = hashlib.sha256(content).digest()
            record = parse_record(content)
            file.line += 1
            self._look(file, content, record, before)
            self._take(Line(file.number, file.done, content, sha256, record))
            if record is not None:
                self._item = int(record["sequence"])
            file.last_offset, file.last_length, file.last = file.done, len(content), sha256
            before = sha256
            file.done += len(line)
            taken += 1
            if taken >= most:
                break
        self._save(file)
        return taken

    def _look(
        self, file: _File, content: bytes, record: dict[str, Any] | None, before: bytes | None
    ) -> None:
        """Complain of a line that is no record, or does not carry the hash of the line before."""
        where = f"{file.path.name}: line {file.line}"
        if record is None:
            self._complain(f"{where} is no whole record; it was cut or written over", self._item)
            return
        if before is not None and previous_of(content) != before:
            what = "one was altered, removed, put in or put in another order"
            self._complain(
                f"{where} does not carry the hash of the line before; {what}", self._item
            )

    def _end_before(self, file: _File) -> bytes | None:
        """Return the hash that the first line must carry; None when nobody can tell."""
        found = self.files()[file.number].before
        if found is not None or rotated_files(self.path)[:1] not in ([], [file.path]):
            return found
        return _first(file.path)

    def _known(self, path: Path, status: os.stat_result) -> _File | None:
        return self._select(
            "log = ? AND name = ? AND device = ? AND inode = ?",
            (self._log, path.name, status.st_dev, status.st_ino),
            path,
        )

    def _identified(
        self, path: Path, status: os.stat_result, first: bytes, known: _File | None
    ) -> _File:
        """Return the file with that first line, by a name that it may have been given since."""
        head, carried = hashlib.sha256(first).digest(), previous_of(first)
        same = self._select("log = ? AND head = ?", (self._log, head), path)
        if same is None:
            if known is not None:
                self._complain(f"{path.name} {CHANGED}", self._item)
            cursor = self._connection.execute(
                "INSERT INTO files (log, name, head, carried, device, inode, done, line,"
                " last_offset, last_length) VALUES (?, ?, ?, ?, ?, ?, 0, 0, 0, 0)",
                (self._log, path.name, head, carried, status.st_dev, status.st_ino),
            )
            return _File(int(cursor.lastrowid or 0), path)
        self._connection.execute(
            "UPDATE files SET name = ?, device = ?, inode = ? WHERE id = ?",
            (path.name, status.st_dev, status.st_ino, same.number),
        )
        return same

    def _select(self, where: str, values: tuple[Any, ...], path: Path) -> _File | None:
        row = self._connection.execute(
            "SELECT id, changed, done, line, last_offset, last_length, last FROM files"  # noqa: S608
            f" WHERE {where}",
            values,
        ).fetchone()
        if row is None:
            return None
        number, changed, done, line, last_offset, last_length, last = row
        return _File(
            number, path, done, line, last_offset, last_length, bytes(last or b""), changed or 0
        )

    def _save(self, file: _File) -> None:
        self._connection.execute(
            "UPDATE files SET changed = ?, done = ?, line = ?, last_offset = ?, last_length = ?,"
            " last = ? WHERE id = ?",
            (
                file.changed,
                file.done,
                file.line,
                file.last_offset,
                file.last_length,
                file.last,
                file.number,
            ),
        )


def _first(path: Path) -> bytes | None:
    """Return what the very first line of a log carries; None where it goes on from another file."""
    with open_plain(path) as file:
        record = parse_record(file.readline(LONGEST_LINE).rstrip(b"\n"))
    return None if record is None or record["kind"] == "continued" else bytes.fromhex(FIRST)


def _is_in_place(descriptor: int, file: _File) -> bool:
    line = os.pread(descriptor, file.last_length + 1, file.last_offset)
    return line.endswith(b"\n") and hashlib.sha256(line[:-1]).digest() == file.last
