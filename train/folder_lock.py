"""The lock of an output folder: one program at a time writes there.

It is an advisory lock, flock(2), on a file ``.lock`` in the folder. The kernel releases it when its
process ends, however that ends, so a lock that is left over keeps nobody out. Who holds it is
written into the file, for the message that refuses the second one.

A network share may have no such locks. There a program on the same machine is still refused, by the
process named in the file; of other machines nothing is known, and a line says so.
"""

import contextlib
import errno
import fcntl
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edge.clock import boot_id
from edge.errors import InputError
from edge.files import make_folder, open_ours
from edge.printing import print_line
from edge.record.status import process_name

NAME = ".lock"
NO_LOCKS = frozenset(
    {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL, errno.EBADF}
)
"""Errors of flock(2) on a file system that has no locks."""


class FolderLock:
    """A lock that is held, or that a share could not give."""

    def __init__(self, folder: Path, descriptor: int) -> None:
        self._folder, self._descriptor = folder, descriptor

    def check(self) -> None:
        """Check that the folder is still the one that was locked. Raises InputError.

        It was removed or moved, say, and another program has begun in a new one of its name.
        """
        held = os.fstat(self._descriptor)
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat((self._folder / NAME).stat(), held):
                return
        raise InputError(
            f"{self._folder}: is another folder than at the start, or gone; put it back, and move "
            "what is in its place"
        )


@contextlib.contextmanager
def locked_folder(folder: Path, program: str) -> Iterator[FolderLock]:
    """Hold the lock of *folder*, which is made if it is missing.

    *program*: who writes there, for the message to others, such as ``stampgate train``. Raises
    InputError when another program writes there, or the folder cannot be written.
    """
    made = not folder.exists()
    make_folder(folder)
    descriptor = _open_locked(folder, program)
    lock = FolderLock(folder, descriptor)
    try:
        _write(descriptor, _this_process(program))
        try:
            yield lock
        finally:
            _write(descriptor, {})
            if made:
                _remove_if_empty(folder, lock)
    finally:
        os.close(descriptor)


def _open_locked(folder: Path, program: str) -> int:
    """Open the lock's file and lock it. Raises InputError."""
    path = folder / NAME
    try:
        descriptor = open_ours(path, os.O_RDWR | os.O_CREAT)
        try:
            if not _lock(descriptor, folder):
                raise InputError(_refusal(folder, _holder(descriptor), program))
        except BaseException:
            os.close(descriptor)
            raise
    except InputError:
        raise
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written ({error.strerror}); make room or permission there, or name "
            "another folder"
        ) from None
    return descriptor


def _remove_if_empty(folder: Path, lock: FolderLock) -> None:
    """Remove a folder that was made for nothing: it holds the lock's file alone."""
    with contextlib.suppress(OSError):  # InputError, too: it is another folder
        lock.check()
        if [path.name for path in folder.iterdir()] == [NAME]:
            (folder / NAME).unlink()
            folder.rmdir()


def _lock(descriptor: int, folder: Path) -> bool:
    """Lock the open file, and tell whether nobody else holds it."""
    reason = ask_for_lock(descriptor)
    if reason is None:
        return False
    if reason and _lives(_holder(descriptor)):
        return False
    if reason:
        print_line(f"stampgate: {folder}: {no_locks(reason)}", file=sys.stderr)
    return True


def ask_for_lock(descriptor: int) -> str | None:
    """Lock an open file and return an empty text; None when another process holds it.

    Where the file system has no locks the text says why. Raises OSError for anything else.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return None
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        return error.strerror or str(error)
    return ""


def no_locks(reason: str) -> str:
    """Return the words on a file system without locks."""
    return (
        f"this file system has no locks ({reason}); see to it that no other machine writes there "
        "at the same time"
    )


def _this_process(program: str) -> dict[str, Any]:
    return {"program": program, "boot_id": boot_id(), "process": process_name(os.getpid())}


def _holder(descriptor: int) -> dict[str, Any]:
    """Return who is named in the lock's file; empty when nobody is."""
    try:
        content = json.loads(os.pread(descriptor, 4096, 0) or b"{}")
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _lives(holder: dict[str, Any]) -> bool:
    """Tell whether the process named is another one of this machine that still runs."""
    process = holder.get("process")
    if holder.get("boot_id") != boot_id() or not isinstance(process, list) or not process:
        return False
    return process[0] != os.getpid() and process_name(int(process[0])) == process


def _refusal(folder: Path, holder: dict[str, Any], program: str) -> str:
    process = holder.get("process")
    number = f" (process {process[0]})" if isinstance(process, list) and process else ""
    return (
        f"{folder}: another '{holder.get('program', program)}' is writing there{number}; wait for "
        "it to end, or name another folder"
    )


def _write(descriptor: int, holder: dict[str, Any]) -> None:
    """Write who holds the lock; a full disk keeps nobody from working."""
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(holder).encode() if holder else b"", 0)
