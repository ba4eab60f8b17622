"""Writing a file whole or not at all, and adding to one alike."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from edge.errors import InputError, StampgateError


@contextlib.contextmanager
def whole_or_nothing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside *path*, which takes that name only when the block ends well.

    Whoever looks sees the old file or the new one, never half of one: what was written is
    synchronised, renamed, then the folder is synchronised. POSIX promises that rename() is all or
    nothing, and only fsync() that it survives a power cut. Raises InputError when it cannot be
    done; whatever ends the block early, nothing is left over.
    """
    import tempfile  # noqa: PLC0415 - with what it imports it takes a megabyte, and the eye writes no such file

    temporary: Path | None = None
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(descriptor)
        temporary = Path(name)
        yield temporary
        with temporary.open("rb+") as file:
            os.fchmod(file.fileno(), 0o644)
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except StampgateError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            f"{path}: cannot be written ({reason}); make room or permission there, or name another place"
        ) from None
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes) -> None:
    """Put *content* under *path*, whole or not at all. Raises InputError."""
    with whole_or_nothing(path) as temporary:
        temporary.write_bytes(content)


def append_whole(descriptor: int, content: bytes, size: int) -> int:
    """Add *content* to an open file of *size* bytes; returns its new size when all of it is on the
    disk.

    *descriptor*: open with ``O_APPEND``. fdatasync(2) keeps the data and the file's length; its
    times may wait. Raises OSError when it cannot be done, and takes back what was written of it.
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
    """Make the names in *folder* survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make *folder* and those above it where they are missing. Raises InputError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be made a folder ({error.strerror}); name another place"
        ) from None
