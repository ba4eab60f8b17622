"""A disk that loses what was not synchronised, and a power that is cut at any call of a file.

Everything below one folder counts. A power cut leaves, of each folder, the names that it had when
it was last synchronised, and of each file the content of that moment; or the names as they were,
because the disk wrote those on its own, and the files empty where they were not synchronised.
"""

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

CALLS = ("open", "write", "fsync", "fdatasync", "mkdir", "rename", "replace", "unlink", "rmdir")
"""Calls of :mod:`os` before which the power may be cut: what changes a disk goes through one."""


class PowerCutError(BaseException):
    """The power went; nothing that follows in the program is run."""


class LossyDisk:
    """Counts the calls on the folder *root*, cuts the power before one, and tells what is left.

    *cut_at*: the number of the call before which it is cut; None counts only.
    """

    def __init__(self, root: Path, cut_at: int | None = None) -> None:
        self.root, self.cut_at = root.absolute(), cut_at
        self.calls = 0
        self.dead = False
        self._files: dict[int, bytes] = {}
        self._folders: dict[int, dict[str, int]] = {}
        self._open, self._held = os.open, list[int]()
        self._note_all()

    def close(self) -> None:
        """Let go of the files; until then no inode is given to a second one."""
        for descriptor in self._held:
            os.close(descriptor)

    @contextlib.contextmanager
    def cutting(self, patch: pytest.MonkeyPatch) -> Iterator[None]:
        """Stand in for the calls while the block runs."""
        with patch.context() as within:
            for name in CALLS:
                within.setattr(os, name, self._wrapped(name, getattr(os, name)))
            yield

    def lost(self, to: Path) -> Path:
        """Copy to *to* what is left at worst: nothing that was not synchronised."""
        self._restore(self.root, to, names_synced=True)
        return to

    def named(self, to: Path) -> Path:
        """Copy to *to* what is left when names reached the disk and contents did not."""
        self._restore(self.root, to, names_synced=False)
        return to

    def killed(self, to: Path) -> Path:
        """Copy to *to* what a killed process leaves: everything that it has done."""
        shutil.copytree(self.root, to)
        return to

    def _wrapped(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*arguments: Any, **named: Any) -> Any:
            if self.dead:
                raise PowerCutError
            self.calls += 1
            if self.calls == self.cut_at:
                self.dead = True
                raise PowerCutError
            result = call(*arguments, **named)
            if name in ("fsync", "fdatasync"):
                self._note(arguments[0])
            return result

        return wrapper

    def _note_all(self) -> None:
        """Take all that is there for synchronised."""
        for folder, _, files in os.walk(self.root):
            self._folders[Path(folder).stat().st_ino] = self._names(Path(folder))
            for name in files:
                path = Path(folder) / name
                self._files[path.stat().st_ino] = path.read_bytes()
                self._held.append(self._open(path, os.O_RDONLY))

    def _note(self, descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        found = os.fstat(descriptor)
        if path.is_dir():
            self._folders[found.st_ino] = self._names(path)
        else:
            self._files[found.st_ino] = path.read_bytes()
            self._held.append(self._open(path, os.O_RDONLY))

    @staticmethod
    def _names(folder: Path) -> dict[str, int]:
        return {entry.name: entry.inode() for entry in os.scandir(folder)}

    def _restore(self, folder: Path, to: Path, *, names_synced: bool) -> None:
        """Write what is left of *folder* to *to*."""
        everything = {
            path.stat().st_ino: path for path in [self.root, *self.root.rglob("*")] if path.exists()
        }
        self._write(folder.stat().st_ino, to, everything, names_synced=names_synced)

    def _write(self, inode: int, to: Path, known: dict[int, Path], *, names_synced: bool) -> None:
        path = known.get(inode)
        is_folder = path.is_dir() if path is not None else inode in self._folders
        if not is_folder:
            to.write_bytes(self._files.get(inode, b""))
            return
        to.mkdir()
        names = self._folders.get(inode, {})
        if path is not None and not names_synced:
            names = self._names(path)
        for name, of_file in names.items():
            self._write(of_file, to / name, known, names_synced=names_synced)
