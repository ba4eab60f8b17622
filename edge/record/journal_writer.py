"""Group commit for the journal: a thread brings its lines onto the disk, in order.

Lines it could not write yet wait in a bounded buffer in memory, and are tried again every
:data:`RETRY_S` seconds, so that a disk in trouble never stops the belt.
"""

import dataclasses
import errno
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice, takewhile
from pathlib import Path

from edge.errors import JournalError
from edge.record.high_water import HighWater, Mark
from edge.record.journal_file import JournalFile, TakenAwayError
from edge.record.seal import Seal, Sealed
from edge.sections.records import JournalSettings

RETRY_S = 0.5
"""Time between two attempts on a disk that fails, seconds."""
CLOSING_S = 10.0
"""Time limit for writing the lines that wait at the end, seconds; systemd grants more."""
RECENT = 16
"""Last lines that a file which was cut or removed is told in the next one."""
RECENT_KEPT = 4000
"""Characters of each."""
FULL = (errno.ENOSPC, errno.EDQUOT)

MakeRoom = Callable[[Path], bool]
"""Frees space on the disk that holds the path; True when it did."""


@dataclass(frozen=True)
class Line:
    """One line on its way to the disk, its line end included.

    *at_once*: it must be on the disk before the next item. *mark*: what is known of the journal
    when the line is there. *rotated*: the final name of the file before, when this line begins a
    new one; *taken*: that file was taken away by another program. *sealed*: what its seal leaves;
    None without one.
    """

    content: bytes
    at_once: bool
    mark: Mark
    rotated: Path | None = None
    taken: bool = False
    sealed: Sealed | None = None


@dataclass(frozen=True)
class Outage:
    """A time in which nothing could be written: why, how long, and how many lines waited."""

    reason: str
    lasted_s: float
    lines: int


class JournalWriter:
    """Takes lines with :meth:`add`; a daemon thread writes them in groups.

    Synchronization: one thread calls it; the file belongs to the daemon thread while this is open.
    """

    def __init__(
        self,
        file: JournalFile,
        settings: JournalSettings,
        seal: Seal,
        make_room: MakeRoom | None = None,
        high_water: HighWater | None = None,
    ) -> None:
        self.settings = settings
        """Its policy; may be replaced between two lines."""
        self.added = 0
        """How many lines were handed over, ever."""
        self.synced = 0
        """How many of them are on the disk: the first so many."""
        self._file, self._make_room, self._high_water = file, make_room, high_water
        self._condition = threading.Condition()
        self._lines: deque[Line] = deque()  # not known to be on the disk
        self._bytes = 0
        self._written = 0  # how many of _lines the kernel has, so that they outlive this process
        self._unsynced_since_s = 0.0
        self._error, self._failed_s, self._retry_s = "", 0.0, 0.0
        self._outage: Outage | None = None
        self._taken = ""  # what another program did to the file, once the writing thread saw it
        self._seal = seal
        self._mark: Mark | None = None
        self._recent: deque[Line] = deque(maxlen=RECENT)
        self._slow = self._flushing = self._closing = self._closed_in_vain = False
        self._failure: BaseException | None = None
        self._slowest_s = 0.0
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    @property
    def trouble(self) -> str:
        """Why lines wait in memory; empty when all is well."""
        with self._condition:
            if self._error:
                why = f"the journal cannot be written ({self._error})"
                return f"{self._file.path}: {why}; {self._waiting()}"
            return f"{self._file.path}: the disk is slow; {self._waiting()}" if self._slow else ""

    def has_room(self, size: int, share: float = 1.0) -> bool:
        """Tell whether *size* bytes more fit into that *share*, 0..1, of the buffer.

        One line always does.
        """
        with self._condition:
            return not self._lines or self._bytes + size <= self.settings.memory_kb * 1024 * share

    def add(self, line: Line, told: Outage | None = None) -> None:
        """Hand a line over, whole or, when anything is raised, not at all.

        *told*: the outage that the line tells of, which is forgotten with it. Raises JournalError
        when the writing thread has died.
        """
        with self._condition:
            self._raise_if_dead()
            self._condition.notify_all()  # the thread goes on when the lock is released
            size = len(line.content)
            self._recent.append(line)
            self._lines.append(line)
            # No call from here on: whatever is raised, all of this is done or none of it.
            self._bytes += size
            self.added += 1
            if line.taken:  # try at once
                self._taken, self._retry_s = "", 0.0
            if self._outage is told:
                self._outage = None

    def wait(self) -> None:
        """Return when the last line is durable by the policy, or when patience ends.

        In the latter case it waits in memory. Raises JournalError when the writing thread has died.
        """
        with self._condition:
            mine, at_once = self.added, not self._lines or self._lines[-1].at_once
            self._wait(lambda: self._is_safe(mine, at_once))

    def flush(self) -> None:
        """Bring all lines onto the disk, as far as patience reaches. Raises JournalError."""
        with self._condition:
            self._flushing = True
            self._condition.notify_all()
            try:
                self._wait(lambda: not self._lines)
            finally:
                self._flushing = False

    def taken_away(self) -> str:
        """Return what another program has done to the file, in words; empty when nothing.

        Of a file that is being written this moment nothing is said. Raises OSError when nobody can
        tell.
        """
        with self._condition:
            if self._taken or len(self._lines) > self._written or self._error:
                return self._taken
            return self._file.taken_away()

    def cut_foreign(self) -> bytes:
        """Cut off and return what another program has written behind our lines.

        Raises OSError.
        """
        with self._condition:
            if len(self._lines) > self._written or self._error:
                return b""
            return self._file.cut_foreign()

    def recent(self) -> list[str]:
        """Return the last lines as text, the oldest first."""
        with self._condition:
            return [line.content.decode().rstrip("\n")[:RECENT_KEPT] for line in self._recent]

    @property
    def outage(self) -> Outage | None:
        """The outage that has ended and that no line has told of yet, if any."""
        with self._condition:
            return self._outage

    def take_state(self) -> dict[str, float]:
        """Return the lines that wait, their KiB, and the slowest sync since the last call in ms."""
        with self._condition:
            slowest_s, self._slowest_s = self._slowest_s, 0.0
            return {
                "waiting_lines": len(self._lines),
                "waiting_kb": round(self._bytes / 1024, 1),
                "slowest_sync_ms": round(slowest_s * 1000, 3),
            }

    def close(self) -> None:
        """Write the lines that wait and end the thread. Raises JournalError for lines left over."""
        with self._condition:
            self._closing = True
            self._condition.notify_all()
        self._thread.join(CLOSING_S)
        with self._condition:
            if self._lines or self._failure is not None:
                reason = self._error or self._failure or "the disk is slow"
                raise JournalError(
                    f"{self._file.path}: the journal cannot be written ({reason}); "
                    f"lost now, {self._waiting()}; make room or permission there, "
                    "or name another [journal] file"
                )

    def _wait(self, done: Callable[[], bool]) -> None:
        if not (self._error or self._slow):
            self._slow = not self._condition.wait_for(
                lambda: done() or self._given_up(), self.settings.patience_ms / 1000
            )
        self._raise_if_dead()

    def _raise_if_dead(self) -> None:
        if self._failure is not None:
            raise JournalError(
                f"{self._file.path}: the writing thread has died ({self._failure!r})"
            )

    def _waiting(self) -> str:
        return f"records waiting in memory: {len(self._lines)}"

    def _is_safe(self, number: int, at_once: bool) -> bool:
        return number <= self.synced + (0 if at_once else self._written)

    def _given_up(self) -> bool:
        return bool(self._error) or self._failure is not None

    # What follows runs in the writing thread.

    def _run(self) -> None:
        try:
            while self._wait_for_work():
                self._work()
                self._note_mark()
        except BaseException as failure:  # noqa: BLE001 - put() reports it, which ends the service
            with self._condition:
                self._failure = failure
                self._condition.notify_all()

    def _wait_for_work(self) -> bool:
        """Wait until there is work; False when the thread shall end."""
        with self._condition:
            while not self._closing:
                wait_s = self._wait_s()
                if wait_s is not None and wait_s <= 0:
                    return True
                self._condition.wait(wait_s)
            return bool(self._lines) and not self._closed_in_vain

    def _wait_s(self) -> float | None:
        """Return the seconds until there is work; None when only a new line brings some."""
        if self._error:
            return self._retry_s - time.monotonic()
        if len(self._lines) > self._written:
            return 0.0
        if not self._lines:
            return self._seal.wait_s()
        if self._flushing:
            return 0.0
        return self._unsynced_since_s + self.settings.group_ms / 1000 - time.monotonic()

    def _work(self) -> None:
        """Write the lines that go into one file, and sync them when it is time."""
        if not (self._lines or self._error):  # only the seal's files wait for the disk
            return
        with self._condition:
            batch = self._batch()
            taken = self._is_of_taken(batch)
            sync = taken or self._is_sync_due(batch)
        began_s = time.monotonic()
        try:
            self._write(batch, sync, taken)
        except OSError as error:
            with self._condition:
                if not isinstance(error, TakenAwayError):
                    self._written = 0  # all lines not on the disk were rolled back
            if not (error.errno in FULL and self._has_made_room()):
                self._note_failure(error)
        else:  # what is raised from here on must not have the lines written twice
            if sync:
                self._keep_seal(len(batch))
            self._note_success(len(batch), sync, time.monotonic() - began_s)

    def _has_made_room(self) -> bool:
        return self._make_room is not None and self._make_room(self._file.path)

    def _batch(self) -> list[Line]:
        """Return the lines not written yet, up to the next one that begins a file."""
        fresh = list(islice(self._lines, self._written, None))
        return fresh[:1] + list(takewhile(lambda line: line.rotated is None, fresh[1:]))

    def _is_of_taken(self, batch: list[Line]) -> bool:
        """Tell whether *batch* belongs into a file that was taken away, behind its last lines."""
        begins = next((line for line in self._lines if line.rotated is not None), None)
        return begins is not None and begins.taken and begins not in batch

    def _is_sync_due(self, batch: list[Line]) -> bool:
        waiting_s = time.monotonic() - self._unsynced_since_s if self._written else 0.0
        return (
            self._closing
            or self._flushing
            or not batch
            or any(line.at_once for line in batch)
            or self._written + len(batch) >= self.settings.group_items
            or waiting_s * 1000 >= self.settings.group_ms
        )

    def _write(self, batch: list[Line], sync: bool, taken: bool) -> None:
        if batch and batch[0].rotated is not None:
            self._file.finish(taken=batch[0].taken)
            with self._condition:
                self._drop_synced(self._written)
            begin = self._file.begin_anew if batch[0].taken else self._file.rotate
            begin(batch[0].rotated)
            with self._condition:
                # The file has begun: should the line not fit, the next attempt must not begin
                # another one.
                self._lines[0] = dataclasses.replace(batch[0], rotated=None, taken=False)
        self._file.add(b"".join(line.content for line in batch), sync, taken=taken)

    def _note_success(self, lines: int, sync: bool, took_s: float) -> None:
        with self._condition:
            if not self._written:
                self._unsynced_since_s = time.monotonic()
            self._written += lines
            if sync:
                self._drop_synced(self._written)
                self._slowest_s = max(self._slowest_s, took_s)
            if self._error:
                self._outage = Outage(self._error, time.monotonic() - self._failed_s, lines)
                self._error = ""
            self._slow = self._slow and len(self._lines) > self._written
            self._condition.notify_all()

    def _drop_synced(self, lines: int) -> None:
        for _ in range(lines):
            line = self._lines.popleft()
            self._bytes -= len(line.content)
            self._mark = line.mark
        self.synced += lines
        self._written = 0

    def _keep_seal(self, lines: int) -> None:
        """Replace the seal's key by that behind the lines now on the disk, *lines* of them new.

        It is gone before anybody hears that they are there.
        """
        with self._condition:
            on_disk = islice(self._lines, self._written + lines)
            sealed = [line.sealed for line in on_disk if line.sealed is not None]
        if sealed:
            self._seal.keep(sealed[-1])

    def _note_mark(self) -> None:
        """Note how far the journal is on the disk; not under the lock, for a disk may be slow."""
        self._seal.sync()
        mark, self._mark = self._mark, None
        if mark is not None and self._high_water is not None:
            self._high_water.note(mark)

    def _note_failure(self, error: OSError) -> None:
        with self._condition:
            if not self._error:
                self._failed_s = time.monotonic()
            self._error = error.strerror or str(error)
            self._taken = self._error if isinstance(error, TakenAwayError) else ""
            self._retry_s = time.monotonic() + RETRY_S
            self._closed_in_vain = self._closing
            self._condition.notify_all()
