"""A fake disk that fails or hangs on demand, in front of the real one, and helpers for journals."""

import contextlib
import errno
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from edge.clock import SimulatedClock
from edge.record import journal_writer
from edge.record.journal import Journal
from edge.record.journal_writer import MakeRoom
from edge.record.verify import read_records
from edge.sections.records import JournalSettings
from tests.programs import PATIENCE_S, eventually

NOON = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)
PATIENT_MS = PATIENCE_S * 1000
"""Longer than any real sync takes, so that a busy machine does not count as a slow disk."""


class Disk:
    """Stands in for os.write, os.fdatasync and os.ftruncate on journal files.

    *error*: errno with which every write and cut fails, 0 for none; *released*: while it is clear a
    sync hangs; *calls*: writes and syncs in order; *waited_ms*: time that the oldest line waited
    for each sync.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.error = 0
        self.released = threading.Event()
        self.released.set()
        self.calls: list[str] = []
        self.waited_ms: list[float] = []
        self._first_s: float | None = None
        self._kept: dict[int, bytes] = {}
        self._write, self._sync, self._cut = os.write, os.fdatasync, os.ftruncate
        monkeypatch.setattr(os, "write", self.write)
        monkeypatch.setattr(os, "fdatasync", self.fdatasync)
        monkeypatch.setattr(os, "ftruncate", self.ftruncate)
        monkeypatch.setattr(journal_writer, "RETRY_S", 0.01)

    def write(self, descriptor: int, content: bytes) -> int:
        if not _is_journal(descriptor):
            return self._write(descriptor, content)
        if self.error:
            # A disk that fills up takes the first half of the line.
            half = len(content) // 2 if self.error == errno.ENOSPC else 0
            if half > 100:
                return self._write(descriptor, content[:half])
            raise OSError(self.error, os.strerror(self.error))
        written = self._write(descriptor, content)
        self._first_s = self._first_s or time.monotonic()
        self.calls.append(f"write {len(content.splitlines())}")
        return written

    def fdatasync(self, descriptor: int) -> None:
        if _is_journal(descriptor):
            if self._first_s is not None:
                self.waited_ms.append((time.monotonic() - self._first_s) * 1000)
                self._first_s = None
            self.calls.append("sync")
            assert self.released.wait(PATIENT_MS / 1000)
        self._sync(descriptor)
        self._kept[os.fstat(descriptor).st_ino] = os.pread(descriptor, 1 << 24, 0)

    def ftruncate(self, descriptor: int, size: int) -> None:
        if self.error == errno.EROFS and _is_journal(descriptor):
            raise OSError(self.error, os.strerror(self.error))
        self._cut(descriptor, size)

    def after_power_cut(self, folder: Path, to: Path) -> Path:
        """Copy to the folder *to* what a power cut leaves: of each file the synchronised part."""
        to.mkdir()
        for path in folder.glob("journal*"):
            (to / path.name).write_bytes(self._kept.get(path.stat().st_ino, b""))
        return to / "journal.jsonl"


def _is_journal(descriptor: int) -> bool:
    try:
        return Path(f"/proc/self/fd/{descriptor}").readlink().name.startswith("journal")
    except OSError:
        return False


@contextlib.contextmanager
def small_file_system(folder: Path, size: str = "1m") -> Iterator[Path]:
    """Mount a real file system of *size*; skip the test where that cannot be done."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("a small file system can be mounted by root alone, and not in every container")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def settings(**changes: Any) -> JournalSettings:
    """Make the journal's settings with patience, and with *changes*."""
    return JournalSettings(**{"patience_ms": PATIENT_MS, **changes})


def journal(
    path: Path,
    wall: Callable[[], datetime] = lambda: NOON,
    clock: SimulatedClock | None = None,
    make_room: MakeRoom | None = None,
    **changes: Any,
) -> Journal:
    """Make a patient journal on a simulated clock, at noon, with *changes* to its settings."""
    return Journal(path, clock or SimulatedClock(42), wall, settings(**changes), make_room)


def item(verdict: str = "pass", **fields: Any) -> Mapping[str, Any]:
    """Make the fields of an item's record."""
    return {"verdict": verdict, "reason": "for a test", **fields}


def shape(path: Path) -> list[tuple[str, int]]:
    """Return a journal as (kind or verdict, sequence), record by record."""
    return [(r.get("verdict", r["kind"]), r["sequence"]) for r in read_records(path)]


def until(true: Callable[[], bool]) -> None:
    """Poll until *true*; a test that waits in vain fails."""
    eventually(true)
