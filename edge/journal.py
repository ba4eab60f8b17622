"""The journal: every decision as one JSON line, each carrying the hash of the line before.

**What is written is written.** :meth:`Journal.append` returns when the line has been handed to the disk by
fdatasync(2), and the station takes the next item only then. So a power cut costs at most the one line that was being
written; that item's reject stands, because the gate forgets every cancellation when the power goes. The system call
promises no more than the disk does: a card that says "written" too early may lose more, and :func:`verify` then finds
the chain whole, only shorter. A line that was cut in half is taken off at the next start, and a ``repair`` record says
so and keeps its text.

Every line begins ``{"v": 1, "kind": ...``. The kinds: ``start`` (version, settings, model), ``item``, ``repair``,
``stop`` (counters). ``sequence`` is the item's number, in the other kinds that of the last item before. ``previous`` is
the SHA-256 of the line before without its line end, 64 zeros in the first. The chain shows that a line was changed,
removed or put in; whoever can rewrite the whole file can rewrite the chain with it.
"""

import contextlib
import ctypes
import fcntl
import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from edge.clock import Clock
from edge.errors import InputError, JournalError
from edge.files import append_whole, sync_folder

HEAD = b'{"v": 1, "kind": '
"""How every line begins; a file that begins otherwise is somebody else's and is not touched."""
FIRST = "0" * 64
LONGEST_LINE = 1 << 20
"""Bytes; no record comes near it, so the last line of a sound journal lies within the last so many bytes."""
TORN_TEXT_KEPT = 400


@dataclass(frozen=True)
class Verified:
    """What :func:`verify` saw."""

    records: int
    items: int


class Journal:
    """Appends records to a file that only it writes.

    *wall*: gives the wall-clock time; it is recorded and never relied on.

    Synchronization: one thread; another process that opens the same file is refused.
    """

    def __init__(self, path: Path, clock: Clock, wall: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.path = path
        self.next_sequence = 1
        """The number of the next item; it goes on from the last one in the file."""
        self._clock, self._wall = clock, wall
        self._boot_id = boot_id()
        self._previous = FIRST
        self._size = 0
        self._file = -1

    def __enter__(self) -> Self:
        with self._trouble("opened"):
            self._file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            with self._trouble("opened"):
                self._claim()
                sync_folder(self.path.absolute().parent)
                removed = self._recover()
            if removed:
                self._tell_repair(removed)
        except BaseException:
            os.close(self._file)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._file)

    def append(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Write one record; returns when it is on the disk.

        *fields*: what the kind adds to the common fields. Raises JournalError, and then nothing of the record is left
        in the file.
        """
        record = {
            "v": 1,
            "kind": kind,
            "sequence": self.next_sequence if kind == "item" else self.next_sequence - 1,
            "boot_id": self._boot_id,
            "monotonic_ns": self._clock.now_ns(),
            "wall_time": self._wall().isoformat(timespec="milliseconds"),
            "clock_synced": clock_synced(),
            **fields,
            "previous": self._previous,
        }
        line = json.dumps(record, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
        with self._trouble("written"):
            self._size = append_whole(self._file, line + b"\n", self._size)
        self._note(line)

    def _note(self, line: bytes) -> None:
        """Take the hash and the item number up from the last line."""
        self._previous = hashlib.sha256(line).hexdigest()
        self.next_sequence = int(json.loads(line)["sequence"]) + 1

    def _claim(self) -> None:
        """Make sure that the file is a journal, or empty, and nobody else's."""
        if not stat.S_ISREG(os.fstat(self._file).st_mode):
            raise JournalError(f"{self.path}: must be a plain file; name another [journal] file")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise JournalError(
                f"{self.path}: is being written by another stampgate-edge; stop that one or name another [journal] file"
            ) from None
        beginning = os.pread(self._file, len(HEAD), 0)
        if beginning != HEAD[: len(beginning)]:
            raise JournalError(f"{self.path}: is not a stampgate journal; move it away or name another [journal] file")

    def _recover(self) -> bytes:
        """Find the end of the last whole line, take off what comes after, and return that."""
        size = os.fstat(self._file).st_size
        start = max(0, size - 2 * LONGEST_LINE)
        tail = os.pread(self._file, 2 * LONGEST_LINE, start)
        end = _end_of_last_record(tail)
        if start > 0 and end == 0:
            raise JournalError(f"{self.path}: must end with records, not with garbage; move it away, a new one begins")
        self._size = start + end
        if end < len(tail):
            os.ftruncate(self._file, self._size)
            os.fsync(self._file)
        good = tail[:end]
        if good:
            self._note(good.splitlines()[-1])
        if good and not good.endswith(b"\n"):
            self._size = append_whole(self._file, b"\n", self._size)
        return tail[end:]

    def _tell_repair(self, removed: bytes) -> None:
        self.append(
            "repair",
            {
                "removed_bytes": len(removed),
                "removed_sha256": hashlib.sha256(removed).hexdigest(),
                "removed_text": removed[:TORN_TEXT_KEPT].decode("utf-8", "backslashreplace"),
            },
        )

    @contextlib.contextmanager
    def _trouble(self, what: str) -> Iterator[None]:
        try:
            yield
        except JournalError:
            raise
        except OSError as error:
            raise JournalError(
                f"{self.path}: the journal cannot be {what} ({error.strerror}); make room or permission there, or name "
                "another [journal] file"
            ) from None


def verify(path: Path) -> Verified:
    """Check a journal from its first line to its last: whole, chained, items numbered without a gap, counters right.

    Raises InputError that names the first line amiss.
    """
    previous, last, records, items = FIRST, 0, 0, 0
    counted = {"pass": 0, "reject": 0, "fault": 0}
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                record = _checked(line, previous, last, f"{path}: line {number}")
                previous, last, records = hashlib.sha256(line.rstrip(b"\n")).hexdigest(), record["sequence"], number
                if record["kind"] == "item":
                    items += 1
                    counted[record["verdict"]] += 1
                elif record["kind"] == "start":
                    counted = dict.fromkeys(counted, 0)
                elif record["kind"] == "stop":
                    _check_counters(record["counters"], counted, f"{path}: line {number}")
    except OSError as error:
        raise InputError(str(error) if isinstance(error, InputError) else f"{path}: {error.strerror}") from None
    return Verified(records, items)


def _checked(line: bytes, previous: str, last: int, where: str) -> dict[str, Any]:
    record = _record(line.rstrip(b"\n"))
    if record is None or not line.endswith(b"\n"):
        raise InputError(f"{where} must be a whole record; it was cut or written over")
    if record["previous"] != previous:
        raise InputError(f"{where} must carry the hash of the line before; one was changed, or one between is missing")
    expected = last + 1 if record["kind"] == "item" else last
    if record["sequence"] != expected:
        raise InputError(f"{where} must have the sequence {expected}, not {record['sequence']}; an item is missing")
    return record


def _check_counters(said: Mapping[str, int], counted: Mapping[str, int], where: str) -> None:
    seen = {"triggers": sum(counted.values()), **counted}
    if {name: said.get(name) for name in seen} != seen:
        raise InputError(f"{where} must count {seen}, not {dict(said)}; items are missing or were added")


def _record(line: bytes) -> dict[str, Any] | None:
    """Parse one line; None when it is no whole record."""
    if not line.startswith(HEAD):
        return None
    try:
        record: dict[str, Any] = json.loads(line)
    except (ValueError, RecursionError):
        return None
    whole = isinstance(record.get("sequence"), int) and isinstance(record.get("previous"), str)
    right = {
        "item": record.get("verdict") in ("pass", "reject", "fault"),
        "stop": isinstance(record.get("counters"), dict),
    }
    return record if whole and right.get(str(record["kind"]), True) else None


def _end_of_last_record(tail: bytes) -> int:
    """Where the last whole record in *tail* ends, its line end included if it is there; 0 when there is none."""
    end = len(tail)
    while end > 0:
        begin = tail.rfind(b"\n", 0, end - 1) + 1
        if _record(tail[begin:end].rstrip(b"\n")) is not None:
            return end
        end = begin
    return 0


def read_records(path: Path) -> list[dict[str, Any]]:
    """Read all records of a sound journal."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def boot_id() -> str:
    """The kernel's name for this run of the machine: monotonic moments of two boots cannot be compared."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def clock_synced() -> bool | None:
    """Whether the kernel's wall clock is disciplined (NTP, PTP), from adjtimex(2); None when it will not say."""
    time_error, buffer = 5, ctypes.create_string_buffer(512)  # struct timex, all zero: read, change nothing
    state = int(ctypes.CDLL(None).adjtimex(buffer))
    return None if state < 0 else state != time_error
