import errno
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.errors import InputError
from edge.files import (
    check_ours,
    give_to_owner,
    make_folder,
    open_ours,
    read_bounded,
    remove_socket,
    write_atomic,
)


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    """Readable by others, and nothing else is left in the folder."""
    path = tmp_path / "f"
    write_atomic(path, b"old")
    write_atomic(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o644
    assert list(tmp_path.iterdir()) == [path]


def test_on_a_full_disk_the_old_file_stays_and_nothing_is_left_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full when the content is to be kept."""
    path = tmp_path / "f"
    write_atomic(path, b"old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(
        InputError, match=r"f: cannot be written \(No space left on device\); make room"
    ):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_system_without_modes_keeps_the_file_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A memory stick with exFAT and some shares refuse to change a file's mode."""

    def refused(*_: int) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "fchmod", refused)
    write_atomic(tmp_path / "f", b"new")
    assert (tmp_path / "f").read_bytes() == b"new"


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """One line, no traceback."""
    with pytest.raises(InputError, match="no/f: cannot be written"):
        write_atomic(tmp_path / "no" / "f", b"x")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="file: cannot be made a folder"):
        make_folder(tmp_path / "file")


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


NOT_OURS: dict[str, tuple[Callable[[Path], object], str]] = {
    "folder": (Path.mkdir, "Is a directory"),
    "FIFO": (os.mkfifo, "a FIFO, not a file"),
    "socket": (_socket, "a socket, not a file"),
    "link to a device": (lambda path: path.symlink_to("/dev/full"), "a link, not a file"),
    "link to another's file": (lambda path: path.symlink_to(__file__), "a link, not a file"),
    "link to nothing": (lambda path: path.symlink_to("nothing"), "a link, not a file"),
    "link to itself": (lambda path: path.symlink_to(path), "a link, not a file"),
}
WAYS: dict[str, Callable[[Path], object]] = {
    "replaced": lambda path: write_atomic(path, b"new"),
    "appended to": lambda path: open_ours(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT),
}


@pytest.mark.parametrize("kind", NOT_OURS)
@pytest.mark.parametrize("way", WAYS)
def test_what_is_no_file_of_ours_is_not_written(tmp_path: Path, kind: str, way: str) -> None:
    """A FIFO would hang the writer, a link lead anywhere; whatever is there stays as it was."""
    make, why = NOT_OURS[kind]
    path = tmp_path / "f"
    make(path)
    before = path.lstat()
    with pytest.raises(InputError, match=rf"f: cannot be written \({why}\); name another place"):
        WAYS[way](path)
    assert path.lstat() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("path", ["/dev/null", "/dev/full", "/proc/self/mem/x", "a" * 300, "a\0b"])
def test_a_place_where_nothing_of_ours_can_be_is_refused(path: str) -> None:
    """Devices themselves, and names that no file can have."""
    with pytest.raises(InputError, match=r"cannot be written \([^)]+\); name another place"):
        check_ours(Path(path))


def test_a_file_that_we_may_not_write_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a folder of ours a rename would do it all the same."""
    (tmp_path / "f").write_bytes(b"another's")
    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    with pytest.raises(InputError, match="a file that is not ours to write"):
        write_atomic(tmp_path / "f", b"new")
    assert (tmp_path / "f").read_bytes() == b"another's"


def test_a_file_is_read_up_to_its_bound(tmp_path: Path) -> None:
    """One byte more is one too many."""
    (tmp_path / "f").write_bytes(b"12345")
    assert read_bounded(tmp_path / "f", 5) == b"12345"
    with pytest.raises(OSError, match="longer than 4 bytes"):
        read_bounded(tmp_path / "f", 4)


def test_only_a_socket_is_removed_as_one(tmp_path: Path) -> None:
    """Whatever else has its name stays; nothing there is nothing to do."""
    _socket(tmp_path / "socket")
    for _ in range(2):
        remove_socket(tmp_path / "socket")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OSError, match="something lies there"):
        remove_socket(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files for others")
def test_what_root_makes_belongs_to_the_owner_of_its_folder(tmp_path: Path) -> None:
    """His service goes on with it; what was there, or has a second name, is nobody's to give."""
    os.chown(tmp_path, 1234, 1235)
    write_atomic(tmp_path / "replaced", b"new")
    os.close(open_ours(tmp_path / "opened", os.O_WRONLY | os.O_CREAT))
    make_folder(tmp_path / "a" / "b")
    for made in ("replaced", "opened", "a", "a/b"):
        found = (tmp_path / made).stat()
        assert (found.st_uid, found.st_gid) == (1234, 1235), made
    (tmp_path / "full").write_text("root's")
    (tmp_path / "named twice").touch()
    (tmp_path / "second name").hardlink_to(tmp_path / "named twice")
    for kept in ("full", "named twice"):
        os.close(open_ours(tmp_path / kept, os.O_WRONLY))
        assert (tmp_path / kept).stat().st_uid == 0


def test_nobody_else_gives_files_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel would not let him; it is not tried."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(os, "fchown", None)
    with (tmp_path / "f").open("wb") as file:
        give_to_owner(file.fileno(), tmp_path)
    make_folder(tmp_path / "a")
