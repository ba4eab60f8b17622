"""Find the pictures of a folder: whatever their ending, in sub-folders and behind links alike.

A file is a picture by its ending or by its first bytes, so that neither ``.JPE`` nor a name without
an ending is overlooked, and so that a damaged ``.jpg`` is found and reported. What is left out is
listed with its reason.
"""

import errno
import os
import re
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from edge.errors import InputError

ENDINGS = frozenset(
    (
        *(".jpg", ".jpeg", ".jpe", ".jif", ".jfif", ".jfi", ".pjpeg", ".pjp", ".mpo"),
        *(".png", ".apng", ".webp", ".bmp", ".dib", ".tif", ".tiff", ".gif"),
        *(".avif", ".heic", ".heif", ".hif", ".jp2", ".jxl"),
    )
)
"""Endings, in lower case, of files that are taken for pictures without a look into them.

Not all of them can be decoded here (HEIC cannot): those are reported by whoever reads them.
"""
SIGNATURE = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|RIFF....WEBP|BM....\0{4}|II\*\0|MM\0\*|GIF8"
    rb"|....ftyp(?:avif|hei[cx]|mif1)",
    re.DOTALL,
)
"""How a file begins that is a picture without a known ending: JPEG, PNG, WebP, BMP, TIFF, GIF, AVIF
and HEIC."""
SYSTEM_FOLDERS = frozenset({"__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information"})
"""Folders of an operating system or a file server: copies, thumbnails, waste."""
HIDDEN, NO_PICTURE, NO_FILE = "hidden", "no picture", "no regular file"
NOWHERE, AGAIN, UNREADABLE = "a link to nothing", "a second way to the same", "cannot be read"
SHOWN = 3
"""Names that a message gives of those left out for one reason."""


@dataclass(frozen=True)
class PictureFolder:
    """The pictures of a folder.

    *pictures*: their paths, sorted; *left_out*: path and reason of all else, folders among them.
    """

    folder: Path
    pictures: tuple[Path, ...]
    left_out: tuple[tuple[Path, str], ...]

    @property
    def unread(self) -> tuple[Path, ...]:
        """What may hold pictures and could not be looked at."""
        return tuple(path for path, reason in self.left_out if reason.startswith(UNREADABLE))

    def describe_left_out(self) -> str:
        """Return in one line what was left out and why, with some names; empty when nothing was.

        >>> here = Path("a")
        >>> PictureFolder(here, (), ((here / "b.txt", NO_PICTURE),)).describe_left_out()
        'a: holds 0 pictures; left out: 1 no picture (b.txt)'
        """
        by_reason: dict[str, list[str]] = {}
        for path, reason in self.left_out:
            by_reason.setdefault(reason, []).append(str(path.relative_to(self.folder)))
        parts = [
            f"{len(names)} {reason} ({', '.join(names[:SHOWN])}{', ...' * (len(names) > SHOWN)})"
            for reason, names in sorted(by_reason.items())
        ]
        said = f"{self.folder}: holds {len(self.pictures)} pictures; left out: " + ", ".join(parts)
        return said if parts else ""


def find_pictures(folder: Path, also: Collection[str] = ()) -> PictureFolder:
    """Find the pictures in *folder* and below, behind links too, each file once.

    *also*: further endings, in lower case, that are taken. Raises InputError when the folder cannot
    be read.
    """
    search = _searched(folder, ENDINGS | set(also), look_inside=True)
    return PictureFolder(folder, tuple(sorted(search.found)), tuple(sorted(search.left_out)))


def find_files(folder: Path, ending: str) -> tuple[Path, ...]:
    """Find the files with that *ending*, in lower case, as :func:`find_pictures` finds pictures.

    Raises InputError when the folder, or one below it, cannot be read.
    """
    search = _searched(folder, (ending,), look_inside=False)
    for path, reason in search.left_out:
        if reason.startswith(UNREADABLE):
            raise InputError(f"{path}: {reason}; check its permissions")
    return tuple(sorted(search.found))


def _searched(folder: Path, endings: Collection[str], look_inside: bool) -> "_Search":
    search = _Search(endings, look_inside)
    try:
        search.enter(folder)
    except OSError as error:
        raise InputError(
            f"{folder}: must be a folder of pictures ({error.strerror}); name another"
        ) from None
    search.walk()
    return search


@dataclass
class _Search:
    """One search; what is no link comes first, so that a link is the second way and not the first.

    *endings*: those that are taken; *look_inside*: whether others are looked into for a picture.
    The rest fills while it searches.
    """

    endings: Collection[str]
    look_inside: bool
    found: list[Path] = field(default_factory=list)
    left_out: list[tuple[Path, str]] = field(default_factory=list)
    _folders: list[Path] = field(default_factory=list)
    _links: list[Path] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)
    """Real paths of the folders and files found: inode numbers are not unique on every share."""

    def enter(self, folder: Path) -> None:
        """Note what is in a folder; raises OSError when it cannot be listed."""
        self._seen.add(os.path.realpath(folder))
        for path in _inside(folder):
            if path.name.startswith(".") or path.name in SYSTEM_FOLDERS:
                self.left_out.append((path, HIDDEN))
            elif path.is_symlink():
                self._links.append(path)
            else:
                self._note(path)

    def walk(self) -> None:
        """Look into all that was noted, until nothing is left."""
        while self._folders or self._links:
            if self._folders:
                self._enter_or_leave(self._folders.pop())
            else:
                self._follow(self._links.pop(0))

    def _enter_or_leave(self, folder: Path) -> None:
        try:
            self.enter(folder)
        except OSError as error:
            self.left_out.append((folder, f"{UNREADABLE}: {error.strerror}"))

    def _follow(self, link: Path) -> None:
        if os.path.realpath(link) in self._seen:
            self.left_out.append((link, AGAIN))
        else:
            self._note(link)

    def _note(self, path: Path) -> None:
        """Take a file, or a folder to look into later; *path* is not followed a second time."""
        try:
            mode = path.stat().st_mode
        except OSError as error:
            lost = error.errno in (errno.ENOENT, errno.ELOOP)
            reason = NOWHERE if lost else f"{UNREADABLE}: {error.strerror}"
            self.left_out.append((path, reason))
            return
        if stat.S_ISDIR(mode):
            self._seen.add(os.path.realpath(path))
            self._folders.append(path)
        elif not stat.S_ISREG(mode):
            self.left_out.append((path, NO_FILE))
        else:
            self._take(path)

    def _take(self, path: Path) -> None:
        self._seen.add(os.path.realpath(path))
        try:
            wanted = path.suffix.lower() in self.endings or (
                self.look_inside and _has_signature(path)
            )
        except OSError as error:
            self.left_out.append((path, f"{UNREADABLE}: {error.strerror}"))
            return
        if wanted:
            self.found.append(path)
        else:
            self.left_out.append((path, NO_PICTURE))


def _inside(folder: Path) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        yield from sorted(folder / entry.name for entry in entries)


def _has_signature(path: Path) -> bool:
    """Return whether the file begins as a picture does. Raises OSError."""
    with path.open("rb") as file:
        head = file.read(16)
    return SIGNATURE.match(head) is not None
