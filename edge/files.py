"""Atomic file replacement, and appends that are rolled back on failure."""

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from edge.errors import GateError, InputError, StampgateError

NO_ROOM = frozenset((errno.ENOSPC, errno.EDQUOT, errno.ENOMEM, errno.EMFILE, errno.ENFILE))
"""Errors of a file or socket that are over when somebody makes room: no setting is wrong."""


def raise_if_no_room(error: OSError, path: Path, what: str) -> None:
    """Raise GateError when there was no room for *what* at *path*; the next start may have it."""
    if error.errno in NO_ROOM:
        raise GateError(
            f"{path}: no room for {what} ({error.strerror}); "
            "make room there, the service starts again"
        ) from None


@contextlib.contextmanager
def atomic_replace(path: Path) -> Iterator[Path]:
    """Atomic replace: give a temporary path that is renamed to *path* when the block ends well.

    A reader sees the old file or the new one, never half of one: the temporary file beside *path*
    is synchronised, renamed, then the folder is synchronised. POSIX promises that rename() is
    atomic, and only fsync() that it survives a power cut. Raises InputError when it cannot be done;
    however the block ends, no temporary file is left over.
    """
    # tempfile and its imports take a megabyte, and the eye writes no such file.
    import tempfile  # noqa: PLC0415

    temporary: Path | None = None
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(descriptor)
        temporary = Path(name)
        yield temporary
        with temporary.open("rb+") as file:
            with contextlib.suppress(OSError):  # exFAT and some shares have no modes of a file
                os.fchmod(file.fileno(), 0o644)
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except StampgateError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        cure = "make room or permission there, or name another place"
        raise InputError(f"{path}: cannot be written ({reason}); {cure}") from None
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def write_atomic(path: Path, content: bytes) -> None:
    """Replace the file *path* atomically by one with *content*. Raises InputError."""
    with atomic_replace(path) as temporary:
        temporary.write_bytes(content)


def append_synced(descriptor: int, content: bytes, size: int) -> int:
    """Append *content* to an open file of *size* bytes and synchronise it; return its new size.

    *descriptor*: open with ``O_APPEND``. fdatasync(2) keeps the data and the file's length; its
    times may wait. Raises OSError when it cannot be done, after cutting the file back to *size*.
    """
    left = content
    try:
        while left:
            left = left[os.write(descriptor, left) :]
        os.fdatasync(descriptor)
    except OSError:
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, size)
        raise
    return size + len(content)


def sync_folder(folder: Path) -> None:
    """Synchronise a folder's entries, so that new names in it survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Create *folder* and missing folders above it. Raises InputError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be made a folder ({error.strerror}); name another place"
        ) from None
