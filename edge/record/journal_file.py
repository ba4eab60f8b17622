"""The journal's files: rotation, the writer's lock, crash recovery, and appends that roll back.

The file being written has the name in the settings, say ``journal.jsonl``. When it is full it is
rotated: it keeps its lines and is renamed ``journal-000001-000000001.jsonl``, by its number among
the files and the first item that it may hold. Both only ever grow, so the names alone put the files
in order, whatever the wall clock says. No file is ever removed.
"""

import contextlib
import fcntl
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from edge.errors import JournalError
from edge.files import append_synced, open_ours, sync_folder, why_not_ours
from edge.record.schema import is_record, parse_object

HEAD = b'{"v": 1, "kind": '
"""The beginning of every line; a file that begins otherwise is no journal and is not touched."""
LONGEST_LINE = 1 << 20
"""Bytes; no record comes near it, so the last line of a sound journal lies within the last so many
bytes."""
END_BYTES = 2 * LONGEST_LINE
"""Bytes at a file's end in which its last record is looked for, also behind a torn line."""
FIRST = "0" * 64
"""The hash of the line before in the very first line."""
OPEN = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC


class JournalFile:
    """The file that is being written; only one process has it open.

    Synchronization: one thread at a time; the advisory lock of flock(2) keeps other processes out.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.last_line = b""
        """The last line when it was opened, without its line end; empty in a new journal."""
        self._descriptor = -1
        self._size = 0
        self._kept = 0  # how much of it is on the disk for sure: what a power cut leaves
        self._renamed = False

    def open(self) -> bytes:
        """Open and lock it; cut off and return a torn end. Raises JournalError, OSError."""
        if why := why_not_ours(self.path):
            raise JournalError(
                f"{self.path}: must be a plain file ({why}); name another [journal] file"
            )
        self._descriptor = open_ours(self.path, OPEN, 0o640)
        try:
            self._claim()
            sync_folder(self.path.absolute().parent)
            removed = self._recover()
            self._kept = self._size
        except BaseException:
            self.close()
            raise
        return removed

    def close(self) -> None:
        """Close it, which releases the lock."""
        os.close(self._descriptor)

    def first_line(self) -> bytes:
        """Return its first line without the line end; empty in an empty file."""
        return os.pread(self._descriptor, LONGEST_LINE, 0).split(b"\n", 1)[0]

    def add(self, lines: bytes, sync: bool) -> None:
        """Append whole lines; with *sync* all lines appended so far are on the disk on return.

        Raises OSError, and then all that was appended since the last sync is rolled back, and has
        to be appended again: after an fdatasync(2) that failed nobody can say which of it is there
        (Rebello et al., "Can Applications Recover from fsync Failures?", 2020).
        """
        self._check_ours()
        try:
            if sync:
                self._size = self._kept = append_synced(self._descriptor, lines, self._size)
            else:
                _write(self._descriptor, lines)
                self._size += len(lines)
        except OSError:
            self._size = self._kept
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, self._size)
            raise

    def rotate(self, rotated: Path) -> None:
        """Rename the file to *rotated* and begin the next one.

        Raises OSError, after which it may be called again and goes on where it failed.
        """
        if not self._renamed:
            self.add(b"", sync=True)
            if rotated.exists():
                raise OSError(0, f"{rotated.name} is there already; move it away")
            self.path.rename(rotated)
            self._renamed = True
        sync_folder(self.path.absolute().parent)
        descriptor = os.open(self.path, OPEN | os.O_EXCL, 0o640)
        try:
            # The old file stays locked until the new one is: another writer finds one of them
            # taken at any moment.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            sync_folder(self.path.absolute().parent)
        except OSError:
            self.path.unlink(missing_ok=True)
            os.close(descriptor)
            raise
        os.close(self._descriptor)
        self._descriptor, self._size, self._kept, self._renamed = descriptor, 0, 0, False

    def _check_ours(self) -> None:
        """Check that the name still leads to our file; cut off what a rollback had to leave."""
        size = os.fstat(self._descriptor).st_size
        if size < self._size or not leads_to(self.path, self._descriptor):
            raise OSError(0, "another program moved, removed or cut it; restart the service")
        if size > self._size:
            os.ftruncate(self._descriptor, self._size)

    def _claim(self) -> None:
        """Lock the file, and check that it is a journal or empty. Raises JournalError."""
        if not (_lock(self._descriptor) and all(map(is_free, rotated_files(self.path)[-1:]))):
            raise JournalError(
                f"{self.path}: is being written by another stampgate-edge; stop that one "
                "or name another [journal] file"
            )
        beginning = os.pread(self._descriptor, len(HEAD), 0)
        # Some file systems leave zeros where the first line of a new file should have been.
        if beginning != HEAD[: len(beginning)] and beginning.strip(b"\0"):
            raise JournalError(
                f"{self.path}: is not a stampgate journal; move it away "
                "or name another [journal] file"
            )

    def _recover(self) -> bytes:
        """Cut off what follows the last whole record, and return it."""
        end = read_end(self._descriptor)
        good = end.up_to_last_record(self.path)
        torn = end.content[len(good) :]
        self._size = end.start + len(good)
        if torn:
            os.ftruncate(self._descriptor, self._size)
            os.fsync(self._descriptor)
        if good and not good.endswith(b"\n"):
            self._size = append_synced(self._descriptor, b"\n", self._size)
        self.last_line = good.splitlines()[-1] if good else _last_line_of(rotated_files(self.path))
        return torn


@dataclass(frozen=True)
class JournalEnd:
    """The last bytes of a journal file: *content*, from the offset *start* in the file on."""

    start: int
    content: bytes

    def up_to_last_record(self, path: Path) -> bytes:
        """Return *content* up to its last whole record, with the line end; empty without one.

        Raises JournalError, about *path*, when a long file holds no whole record there.
        """
        for line, end in self._lines():
            if parse_record(line) is not None:
                return self.content[:end]
        if self.start > 0:
            raise JournalError(
                f"{path}: must end with records, not with garbage; move it away, a new one begins"
            )
        return b""

    def records(self) -> Iterator[dict[str, Any]]:
        """Yield the whole records in *content*, newest first; torn lines are left out."""
        for line, _ in self._lines():
            if (record := parse_record(line)) is not None:
                yield record

    def _lines(self) -> Iterator[tuple[bytes, int]]:
        """Yield each line, last first, without its line end, and the offset after it."""
        end = len(self.content)
        while end > 0:
            begin = self.content.rfind(b"\n", 0, end - 1) + 1
            yield self.content[begin:end].rstrip(b"\n"), end
            end = begin


def read_end(descriptor: int, most: int = END_BYTES) -> JournalEnd:
    """Read the last *most* bytes of an open journal file. Raises OSError."""
    start = max(0, os.fstat(descriptor).st_size - most)
    return JournalEnd(start, os.pread(descriptor, most, start))


def last_records(path: Path, most: int = END_BYTES) -> Iterator[dict[str, Any]]:
    """Yield the whole records in the last *most* bytes of one file of a journal, newest first.

    None come from a file that is not there. Raises OSError.
    """
    if path.is_file():
        with path.open("rb") as file:
            end = read_end(file.fileno(), most)
        yield from end.records()


def last_item(journal: Path) -> dict[str, Any] | None:
    """Return the last item record of a journal, also behind a torn end.

    None when there is none at the end of its last two files. Raises OSError.
    """
    for path in (journal, *rotated_files(journal)[-1:]):
        for record in last_records(path):
            if record["kind"] == "item":
                return record
    return None


def rotated_files(path: Path) -> list[Path]:
    """Return the full files of the journal *path*, oldest first."""
    pattern = re.compile(re.escape(path.stem) + r"-(\d{6,})-\d{9,}" + re.escape(path.suffix))
    numbers = {
        file: int(found[1])
        for file in path.parent.glob("*")
        if (found := pattern.fullmatch(file.name))
    }
    return sorted(numbers, key=numbers.__getitem__)


def rotated_name(path: Path, number: int, first_item: int) -> Path:
    """Return the name of a full file of the journal *path*.

    >>> rotated_name(Path("journal.jsonl"), 3, 200_001).name
    'journal-000003-000200001.jsonl'
    """
    return path.with_name(f"{path.stem}-{number:06}-{first_item:09}{path.suffix}")


def file_number(rotated: Path) -> int:
    """Return the number of a full file among the files of its journal."""
    return int(rotated.stem.rsplit("-", 2)[1])


def journal_lines(path: Path) -> Iterator[tuple[Path, int, bytes]]:
    """Yield each line of a journal, oldest first, with its file and its number there, from 1.

    *path*: the file being written, or a single full one. A line that is being written at this
    moment is left out. Raises OSError when there is no such journal.
    """
    with contextlib.ExitStack() as stack:
        # Opened before the others are listed: if it is rotated meanwhile, it is found again under
        # its new name.
        there = path.exists() or not rotated_files(path)
        active = stack.enter_context(open_plain(path)) if there else None
        for rotated in rotated_files(path):
            if active is None or not leads_to(rotated, active.fileno()):
                with open_plain(rotated) as file:
                    for number, line in enumerate(lines_of(file), 1):
                        yield rotated, number, line
        if active is not None:
            for number, line in enumerate(lines_of(active), 1):
                if line.endswith(b"\n") or is_free(path):
                    yield path, number, line


def parse_record(line: bytes) -> dict[str, Any] | None:
    """Parse one line into its record; None when it is no whole record."""
    if not line.startswith(HEAD) or len(line) > LONGEST_LINE:
        return None
    record = parse_object(line)
    return record if record is not None and is_record(record) else None


def open_plain(path: Path) -> BinaryIO:
    """Open a file of a journal for reading.

    Raises JournalError for what is no plain file: a FIFO would be waited for until somebody writes.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    raise JournalError(
        f"{path}: must be a plain file, not a folder, a FIFO or a device; it was put in the "
        "place of a journal's file: find that one"
    )


def lines_of(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of an open file, from its present position on.

    Of a line longer than any record only the beginning, without a line end: what somebody put there
    must not fill the memory.
    """
    while line := file.readline(LONGEST_LINE + 1):
        yield line
        while not line.endswith(b"\n") and (line := file.readline(LONGEST_LINE)):
            pass


def _last_line_of(files: list[Path]) -> bytes:
    """Return the last line of the last of *files*, without its line end; empty without files."""
    if not files:
        return b""
    with open_plain(files[-1]) as file:
        end = read_end(file.fileno())
    good = end.up_to_last_record(files[-1])
    if not good or good != end.content:
        raise JournalError(
            f"{files[-1]}: must end with a whole record; move it away with the files before it"
        )
    return good.splitlines()[-1]


def leads_to(path: Path, descriptor: int) -> bool:
    """Tell whether *path* is the name of the open file."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def is_free(path: Path) -> bool:
    """Tell whether no process has the file locked for writing.

    The question takes a shared lock and gives it back at once.
    """
    with open_plain(path) as file:
        return _lock(file.fileno(), fcntl.LOCK_SH)


def _lock(descriptor: int, how: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _write(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]
