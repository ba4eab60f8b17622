import errno
import os
from pathlib import Path

import pytest

from edge.errors import InputError
from edge.files import make_folder, write_atomic


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
