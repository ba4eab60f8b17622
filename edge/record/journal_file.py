"""The journal's files: rotation, crash recovery, appends that roll back, and a file taken away.

The file being written has the name in the settings, say ``journal.jsonl``. When it is full it is
rotated: it keeps its lines and is renamed ``journal-000001-000000001.jsonl``, by its number among
the files and the first item that it may hold. Both only ever grow, so the names alone put the files
in order, whatever the wall clock says. No file is ever removed.

A file that another program renames, removes, replaces or cuts while it is written is *taken away*
(:meth:`JournalFile.taken_away`). A new one carries the chain on (:meth:`JournalFile.begin_anew`).
What lies in its place by then is renamed, and the records of a removed file are saved under its
numbered name, as long as the open file still has them.
"""

import contextlib
import errno
import hashlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from edge.errors import JournalError
from edge.files import (
    append_synced,
    give_to_owner,
    make_folders,
    open_ours,
    sync_folder,
    why_not_ours,
)
from edge.record.journal_lock import WriterLock, is_free
from edge.record.schema import is_record, parse_object

HEAD = b'{"v": 1, "kind": '
"""The beginning of every line; a file that begins otherwise is no journal and is not touched."""
CHALLENGE = HEAD + b'"challenge", '
"""The beginning of a record of the challenge test; in a text each quote has a backslash before."""
LONGEST_LINE = 1 << 20
"""Bytes; no record comes near it, so the last line of a sound journal lies within the last so many
bytes."""
END_BYTES = 2 * LONGEST_LINE
"""Bytes at a file's end in which its last record is looked for, also behind a torn line."""
END_COMPARED = 64
"""Bytes at the end of our lines that must still be there when the next line comes: its hash."""
FIRST = "0" * 64
"""The hash of the line before in the very first line."""
NO_SUCH_FILE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
OPEN = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC


class TakenAwayError(OSError):
    """Another program has renamed, removed, replaced or cut the file that is being written."""


class JournalFile:
    """The file that is being written; only one process has it open.

    Synchronization: one thread at a time; :class:`WriterLock` keeps other processes out.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.last_line = b""
        """The last line when it was opened, without its line end; empty in a new journal."""
        self._lock = WriterLock(path)
        self._descriptor = -1
        self._size = 0
        self._kept = 0  # how much of it is on the disk for sure: what a power cut leaves
        self._renamed = False
        self._rolled_back = False  # a rollback may have left something behind our size
        self._end = b""  # of the last line that was written
        self._owner = (0, 0)

    def open(self) -> bytes:
        """Open and lock it; cut off and return a torn end. Raises JournalError, OSError."""
        if why := why_not_ours(self.path):
            raise JournalError(
                f"{self.path}: must be a plain file ({why}); name another [journal] file"
            )
        if not self._lock.take():
            raise JournalError(
                f"{self.path}: is being written by another stampgate-edge; stop that one "
                "or name another [journal] file"
            )
        try:
            self._descriptor = open_ours(self.path, OPEN, 0o640)
            self._check_journal()
            sync_folder(self.path.absolute().parent)
            removed = self._recover()
            if self._size:  # what a killed process left to the kernel
                os.fdatasync(self._descriptor)
            self._kept, self._owner = self._size, _owner(self._descriptor)
        except BaseException:
            self.close()
            raise
        return removed

    def close(self) -> None:
        """Close it and release the lock."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        self._lock.release()

    def first_line(self) -> bytes:
        """Return its first line without the line end; empty in an empty file."""
        return os.pread(self._descriptor, LONGEST_LINE, 0).split(b"\n", 1)[0]

    def holds(self, sha256: str) -> bool:
        """Tell whether the line of that hash is among the last ones of the file or the one before.

        The file must be as :meth:`open` found it. Raises OSError.
        """
        ends = [read_end(self._descriptor).content]
        for rotated in rotated_files(self.path)[-1:]:
            with open_plain(rotated) as file:
                ends.append(read_end(file.fileno()).content)
        return any(
            hashlib.sha256(line).hexdigest() == sha256
            for end in ends
            for line in reversed(end.splitlines())
        )

    def taken_away(self) -> str:
        """Return what another program has done to the file, in words; empty when nothing.

        Call it while no line is being written. Raises OSError when nobody can tell.
        """
        status, end = os.fstat(self._descriptor), len(self._end)
        what = ""
        if status.st_nlink == 0:
            what = "was removed"
        elif not leads_to(self.path, self._descriptor):
            what = "was replaced" if os.path.lexists(self.path) else "was renamed"
        elif status.st_size < self._size:
            what = f"was cut from {self._size} bytes to {status.st_size}"
        elif os.pread(self._descriptor, end, self._size - end) != self._end:
            what = "was written over"
        elif _owner(self._descriptor) != self._owner:
            what = "was given another owner or other permissions"
        return what and f"{what} by another program"

    def cut_foreign(self) -> bytes:
        """Cut off and return what another program has written behind our lines; empty for nothing.

        Call it while no line is being written. Raises OSError.
        """
        size = os.fstat(self._descriptor).st_size
        if size <= self._size or self._rolled_back or self.taken_away():
            return b""
        foreign = os.pread(self._descriptor, END_BYTES, self._size)
        os.ftruncate(self._descriptor, self._size)
        return foreign

    def add(self, lines: bytes, sync: bool, *, taken: bool = False) -> None:
        """Append whole lines; with *sync* all lines appended so far are on the disk on return.

        *taken*: to a file that was taken away, in which these are the last lines. Raises OSError,
        and then all that was appended since the last sync is rolled back, and has to be appended
        again: after an fdatasync(2) that failed nobody can say which of it is there (Rebello et
        al., "Can Applications Recover from fsync Failures?", 2020).
        """
        if taken:
            self._size = self._kept = os.fstat(self._descriptor).st_size
        else:
            self._check_ours()
        try:
            if sync:
                self._size = self._kept = append_synced(self._descriptor, lines, self._size)
            else:
                _write(self._descriptor, lines)
                self._size += len(lines)
            self._end = lines[-END_COMPARED:] or self._end
        except BaseException:
            self._size, self._rolled_back, self._end = self._kept, True, b""
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, self._size)
            raise

    def finish(self, *, taken: bool) -> None:
        """Bring all lines onto the disk before the next file begins.

        *taken*: the file was taken away. Raises OSError.
        """
        if not self._renamed:
            self.add(b"", sync=True, taken=taken)

    def rotate(self, rotated: Path) -> None:
        """Rename the file, which is finished, to *rotated* and begin the next one.

        Raises OSError, after which it may be called again and goes on where it failed.
        """
        if not self._renamed:
            self._rename(rotated)
        self._begin_next()

    def begin_anew(self, rotated: Path) -> None:
        """Begin the next file after this one was taken away.

        What of it is left at its name is renamed to *rotated*; whatever else lies there is renamed,
        too. Raises OSError, after which it may be called again.
        """
        make_folders(self.path.absolute().parent)
        if not self._renamed:
            if os.fstat(self._descriptor).st_nlink == 0:
                self._save_removed(rotated)
            if leads_to(self.path, self._descriptor):
                if self._is_empty():
                    self._size, self._kept, self._end = 0, 0, b""
                    return
                self._rename(rotated if self._begins_well() else _unused(self.path))
            elif os.path.lexists(self.path):
                self.path.rename(_unused(self.path))
            self._renamed = True
        self._begin_next()

    def _is_empty(self) -> bool:
        return os.fstat(self._descriptor).st_size == 0

    def _begins_well(self) -> bool:
        """Tell whether the file begins as a journal does; some file systems leave zeros there."""
        beginning = os.pread(self._descriptor, len(HEAD), 0)
        return beginning == HEAD[: len(beginning)] or not beginning.strip(b"\0")

    def _rename(self, rotated: Path) -> None:
        if rotated.exists():
            raise OSError(0, f"{rotated.name} is there already; move it away")
        self.path.rename(rotated)
        self._renamed = True

    def _begin_next(self) -> None:
        sync_folder(self.path.absolute().parent)
        descriptor = os.open(self.path, OPEN | os.O_EXCL, 0o640)
        give_to_owner(descriptor, self.path.absolute().parent)
        try:
            sync_folder(self.path.absolute().parent)
        except OSError:
            self.path.unlink(missing_ok=True)
            os.close(descriptor)
            raise
        os.close(self._descriptor)
        self._descriptor, self._size, self._kept, self._renamed = descriptor, 0, 0, False
        self._rolled_back, self._end, self._owner = False, b"", _owner(descriptor)

    def _save_removed(self, rotated: Path) -> None:
        """Save the records of a file without a name; where that cannot be done they are lost."""
        if rotated.exists():
            return
        saved = rotated.with_name(f".{rotated.name}.saving")
        with contextlib.suppress(OSError), saved.open("wb") as copy:
            offset = 0
            while part := os.pread(self._descriptor, 1 << 20, offset):
                copy.write(part)
                offset += len(part)
            copy.flush()
            os.fsync(copy.fileno())
            saved.rename(rotated)
        saved.unlink(missing_ok=True)

    def _check_ours(self) -> None:
        """Check that the file is still ours; cut off what a rollback had to leave."""
        taken = self.taken_away()
        if not taken and os.fstat(self._descriptor).st_size > self._size:
            if self._rolled_back:
                os.ftruncate(self._descriptor, self._size)
            else:
                taken = "was written into by another program"
        if taken:
            raise TakenAwayError(0, taken)
        self._rolled_back = False

    def _check_journal(self) -> None:
        """Check that the file is a journal or empty. Raises JournalError."""
        if not self._begins_well():
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


def last_challenge(journal: Path) -> dict[str, Any] | None:
    """Return the state of the challenge test by the last record of it; None when there is none.

    Each file begins with that of the files before, so the last two files with anything in them are
    enough. Raises OSError.
    """
    for path in (journal, *rotated_files(journal)[-1:]):
        if not path.is_file():
            continue
        with path.open("rb") as file:
            if (state := _last_challenge_in(file.fileno())) is not None:
                return state
            if (first := parse_record(file.readline(LONGEST_LINE).rstrip(b"\n"))) is not None:
                state = first.get("challenge") if first["kind"] == "continued" else None
                return state if isinstance(state, dict) else None
    return None


def _last_challenge_in(descriptor: int) -> dict[str, Any] | None:
    """Return the state that the last whole ``challenge`` record of an open file holds.

    From its end on, a piece at a time: such a record may be a day old, of 100,000 items.
    """
    end = os.fstat(descriptor).st_size
    while end > 0:
        start = max(0, end - LONGEST_LINE)
        content = os.pread(descriptor, end - start + len(CHALLENGE), start)
        found = content.rfind(CHALLENGE)
        while found >= 0:
            line = os.pread(descriptor, LONGEST_LINE, start + found).split(b"\n", 1)[0]
            if (record := parse_record(line)) is not None:
                return dict(record["state"])
            found = content.rfind(CHALLENGE, 0, found)
        end = start
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


def journal_records(path: Path) -> Iterator[dict[str, Any]]:
    """Yield each record of a journal, oldest first; a line that is none is left out.

    *path*: as :func:`journal_lines` takes it. Raises OSError when there is no such journal.
    """
    for _, _, line in journal_lines(path):
        if (record := parse_record(line.rstrip(b"\n"))) is not None:
            yield record


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


def _owner(descriptor: int) -> tuple[int, int]:
    """Return what says who may write an open file: its owner, and the owner's permissions."""
    status = os.fstat(descriptor)
    return status.st_uid, status.st_mode & stat.S_IRWXU


def _unused(path: Path) -> Path:
    """Return a name beside *path* for what lies there in its place."""
    number = 1
    while os.path.lexists(aside := path.with_name(f"{path.name}.aside-{number}")):
        number += 1
    return aside


def leads_to(path: Path, descriptor: int) -> bool:
    """Tell whether *path* is the name of the open file."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except OSError as error:
        if error.errno in NO_SUCH_FILE:
            return False
        raise


def _write(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]
