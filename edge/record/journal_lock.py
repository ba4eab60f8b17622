"""The writer's lock of a journal: a file of its own, so that no reader is in its way.

A shared lock on the journal itself (``flock -s``, a backup) is then nobody's business, and the
writer keeps its claim when the journal is renamed or removed under it.
"""

import fcntl
import os
import time
from pathlib import Path

from edge.errors import InputError
from edge.files import open_ours

PATIENCE_S = 1.0
"""How long another may hold the lock before it counts as a writer: a reader that asks holds it for
microseconds."""
POLL_S = 0.02


def lock_path(journal: Path) -> Path:
    """Return the lock file of a journal.

    >>> lock_path(Path("log/journal.jsonl")).as_posix()
    'log/.journal.jsonl.lock'
    """
    return journal.with_name(f".{journal.name}.lock")


class WriterLock:
    """Held by the one process that writes the journal at *journal*.

    Synchronization: the advisory lock of flock(2), which ends with the process.
    """

    def __init__(self, journal: Path) -> None:
        self._path = lock_path(journal)
        self._descriptor = -1

    def take(self) -> bool:
        """Take the lock; False when another process keeps it. Raises OSError."""
        self._descriptor = open_ours(self._path, os.O_RDWR | os.O_CREAT, 0o640)
        deadline_s = time.monotonic() + PATIENCE_S
        while not _lock(self._descriptor, fcntl.LOCK_EX):
            if time.monotonic() > deadline_s:
                self.release()
                return False
            time.sleep(POLL_S)
        return True

    def release(self) -> None:
        """Give the lock back, if it is held."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def is_free(journal: Path) -> bool:
    """Tell whether no process writes the journal.

    The question takes a shared lock and gives it back at once. Raises OSError.
    """
    try:
        descriptor = os.open(lock_path(journal), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return True
    try:
        return _lock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def is_written(journal: Path) -> bool:
    """Tell whether a service writes this journal, and so has the camera.

    Raises InputError when it may not be read.
    """
    try:
        return journal.exists() and not is_free(journal)
    except PermissionError:
        raise InputError(
            f"{journal}: may not be read, so nobody knows whether the service runs; use sudo"
        ) from None


def _lock(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
