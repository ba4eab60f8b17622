"""Files read whole within bounds, replaced atomically, and appends that are rolled back.

What is read or written is a regular file and nothing else: a FIFO would hang the reader, a device
act on what it is sent, and a link lead to a file of somebody else's. What root makes belongs to the
owner of the folder in which it lies, whose service must be able to go on with it.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from edge.errors import GateError, InputError, StampgateError

NO_ROOM = frozenset((errno.ENOSPC, errno.EDQUOT, errno.ENOMEM, errno.EMFILE, errno.ENFILE))
"""Errors of a file or socket that are over when somebody makes room: no setting is wrong."""


_KINDS = {
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFLNK: "a link",
}


def open_regular(path: Path, most: int) -> BinaryIO:
    """Open the regular file *path* of at most *most* bytes to read.

    Its kind is looked at before it is opened: opening some devices does something, and opening a
    FIFO waits for a writer. Raises OSError, also for what is no file, is longer, or has a name that
    no file can have.
    """
    try:
        _refuse_other_kinds(os.stat(path).st_mode)  # noqa: PTH116 - Path.stat hides no error either
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except ValueError:
        raise OSError(errno.EINVAL, "no file can have such a name") from None
    try:
        found = os.fstat(descriptor)
        _refuse_other_kinds(found.st_mode)
        if found.st_size > most:
            raise OSError(errno.EFBIG, f"longer than {most} bytes")
    except OSError:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "rb")


def read_bounded(path: Path, most: int) -> bytes:
    """Read the regular file *path* of at most *most* bytes, as :func:`open_regular` opens it."""
    with open_regular(path, most) as file:
        content = file.read(most + 1)
    if len(content) > most:  # it grows, or does not tell its length, as in /proc
        raise OSError(errno.EFBIG, f"longer than {most} bytes")
    return content


def check_ours(path: Path) -> None:
    """Check that *path* may be written: nothing is there yet, or a regular file that we may write.

    The one rule for every file that we write. A link is refused too, for what it leads to may be
    anybody's: name the file itself. Raises InputError.
    """
    if why := why_not_ours(path):
        raise InputError(f"{path}: cannot be written ({why}); name another place")


def why_not_ours(path: Path) -> str:
    """Return why *path* may not be written, by the rule of :func:`check_ours`; empty if it may."""
    try:
        _refuse_other_kinds(path.lstat().st_mode)
    except FileNotFoundError:
        return ""
    except OSError as error:
        return error.strerror or str(error)
    except ValueError:
        return "no file can have such a name"
    return "" if os.access(path, os.W_OK) else "a file that is not ours to write"


def open_ours(path: Path, flags: int, mode: int = 0o644, owned_as: Path | None = None) -> int:
    """Open the file *path* to write, after :func:`check_ours`; return its descriptor.

    *owned_as*: the folder whose owner has it when root makes it; that in which it lies when None.
    Raises InputError when it is not ours, and OSError when it cannot be opened.
    """
    check_ours(path)
    more = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    descriptor = os.open(path, flags | more, mode)
    try:
        _refuse_other_kinds(os.fstat(descriptor).st_mode)
    except OSError:
        os.close(descriptor)
        raise
    give_to_owner(descriptor, owned_as or path.absolute().parent)
    return descriptor


def give_to_owner(descriptor: int, folder: Path) -> None:
    """Give a new file that root has made to the owner of *folder*; whoever else makes it keeps it.

    New is one that is root's, empty and has no second name: nothing of anybody's is given away.
    """
    if os.geteuid() != 0:
        return
    with contextlib.suppress(OSError):  # exFAT and some shares know no owners
        found, owner = os.fstat(descriptor), folder.stat()
        new = stat.S_ISREG(found.st_mode) and found.st_size == 0 and found.st_nlink == 1
        if new and found.st_uid == 0:
            os.fchown(descriptor, owner.st_uid, owner.st_gid)


def remove_socket(path: Path) -> None:
    """Remove the socket *path*, which a killed process has left, if it is there.

    Raises OSError when something else is there, which stays.
    """
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise OSError(errno.EEXIST, "something lies there that is no socket")
    except FileNotFoundError:
        return
    path.unlink(missing_ok=True)


def _refuse_other_kinds(mode: int) -> None:
    """Raise OSError when *mode* is not that of a regular file."""
    if stat.S_ISDIR(mode):
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(mode):
        kind = _KINDS.get(stat.S_IFMT(mode), "something else")
        raise OSError(errno.EINVAL, f"{kind}, not a file")


def raise_if_no_room(error: OSError, path: Path, what: str) -> None:
    """Raise GateError when there was no room for *what* at *path*; the next start may have it."""
    if error.errno in NO_ROOM:
        raise GateError(
            f"{path}: no room for {what} ({error.strerror}); "
            "make room there, the service starts again"
        ) from None


@contextlib.contextmanager
def atomic_replace(path: Path, mode: int = 0o644) -> Iterator[Path]:
    """Atomic replace: give a temporary path that is renamed to *path* when the block ends well.

    A reader sees the old file or the new one, never half of one: the temporary file beside *path*
    is synchronised, renamed, then the folder is synchronised. POSIX promises that rename() is
    atomic, and only fsync() that it survives a power cut. Raises InputError when it cannot be done
    or *path* is not ours to write (:func:`check_ours`); however the block ends, no temporary file
    is left over. *mode*: the file's permissions.
    """
    # tempfile and its imports take a megabyte, and the eye writes no such file.
    import tempfile  # noqa: PLC0415

    check_ours(path)
    temporary: Path | None = None
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        give_to_owner(descriptor, path.absolute().parent)
        os.close(descriptor)
        temporary = Path(name)
        yield temporary
        with temporary.open("rb+") as file:
            with contextlib.suppress(OSError):  # exFAT and some shares have no modes of a file
                os.fchmod(file.fileno(), mode)
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
        make_folders(folder)
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be made a folder ({error.strerror}); name another place"
        ) from None


def make_folders(folder: Path) -> None:
    """Create *folder* and missing folders above it, which belong to the owner of the one there.

    Raises OSError.
    """
    missing = []
    for above in (folder, *folder.parents):
        if above.exists():
            break
        missing.append(above)
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0:
        return
    for made in reversed(missing):
        with contextlib.suppress(OSError):
            owner = made.absolute().parent.stat()
            # Not by its name: in somebody's folder it may be another thing by now.
            descriptor = os.open(made, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                os.fchown(descriptor, owner.st_uid, owner.st_gid)
            finally:
                os.close(descriptor)
