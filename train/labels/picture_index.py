"""Find the picture that a label means, among those of a folder."""

import re
import unicodedata
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from edge.errors import InputError
from edge.vision.picture_folders import PictureFolder, find_pictures

Parts = tuple[str, ...]
"""The parts of a path below a folder."""
ROOTED = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/")
"""How a path begins that has a drive of Windows or is a URL."""
LAYOUT_FOLDERS = frozenset({"images", "labels", "jpegimages", "annotations"})
"""Folders in which programs keep pictures and labels apart; they tell no two pictures apart."""


class PictureIndex:
    """The pictures of a folder, to be found by the paths and names that labels give.

    Names are compared in Unicode's composed form (NFC): macOS writes an umlaut as two characters.
    """

    def __init__(self, folder: Path) -> None:
        """Index *folder*, sub-folders and links alike. Raises InputError."""
        self.found: PictureFolder = find_pictures(folder)
        self._by_name: dict[str, list[tuple[Parts, Path]]] = {}
        self._by_stem: dict[str, list[tuple[Parts, Path]]] = {}
        self._above = tuple(_nfc(part) for part in folder.absolute().parts)
        for path in self.found.pictures:
            parts = tuple(_nfc(part) for part in path.relative_to(folder).parts)
            self._by_name.setdefault(parts[-1], []).append((parts, path))
            stem = _nfc(path.stem)
            self._by_stem.setdefault(stem, []).append(((*parts[:-1], stem), path))

    def by_name(self, name: str, where: str) -> Path:
        """Return the picture with the path *name*, as a label file gives it, below the folder.

        It may be given from a folder above, as Label Studio does (``images/a.jpg``), or with
        folders that were lost when pictures were put into one; but one picture alone may be meant.
        *where*: how messages begin. Raises InputError.
        """
        wanted = self.parts_of(name, where)
        return self._one(self._by_name.get(wanted[-1], []), wanted, where)

    def by_stem(self, label: Parts, where: str) -> Path:
        """Return the picture of the label file *label*, its path below its folder without ending.

        They have one name, and folders of one name but for those of the layout, such as ``images``
        and ``labels``. Raises InputError.
        """
        wanted = tuple(_nfc(part) for part in label)
        return self._one(self._by_stem.get(wanted[-1], []), wanted, where)

    def has_name(self, name: str) -> bool:
        """Return whether a picture has that name, in whatever folder."""
        return _nfc(name) in self._by_name

    def has_stem(self, stem: str) -> bool:
        """Return whether a picture has that name without its ending."""
        return _nfc(stem) in self._by_stem

    def parts_of(self, name: str, where: str) -> Parts:
        r"""Return the parts of a path in a label file; a backslash separates too.

        Raises InputError when it does not lead below the folder.
        """
        text = _nfc(name) if _nfc(name) in self._by_name else _nfc(name).replace("\\", "/")
        parts = PurePosixPath(text).parts
        absolute = text.startswith("/") or ROOTED.match(text) is not None
        if absolute or ".." in parts:
            raise InputError(
                f"{where}: names its picture {name[:200]}, which must be a path below "
                f"{self.found.folder}, neither absolute nor with ..; write the name alone"
            )
        if not parts or "\0" in text:
            raise InputError(f"{where}: must name a picture, not {name[:200]!r}; correct it")
        return parts

    def _one(self, known: list[tuple[Parts, Path]], wanted: Parts, where: str) -> Path:
        """Return the one picture that is meant; the nearest kind of likeness decides."""
        alike: tuple[Callable[[Parts], bool], ...] = (
            lambda parts: parts == wanted,
            lambda parts: _told_apart(parts) == _told_apart(wanted),
            lambda parts: _ends_with((*self._above, *parts), wanted),
            lambda parts: (
                _ends_with(_told_apart(parts), _told_apart(wanted))
                or _ends_with(_told_apart(wanted), _told_apart(parts))
            ),
        )
        for is_alike in alike:
            candidates = [path for parts, path in known if is_alike(parts)]
            if len(candidates) == 1:
                return candidates[0]
            if candidates:
                break
        else:
            candidates = []
        name, folder = "/".join(wanted)[:200], self.found.folder
        if not candidates:
            raise InputError(
                f"{where}: names {name}, which is no picture in {folder}; "
                "correct the folder of pictures, or the label"
            )
        several = " and ".join(str(path.relative_to(folder)) for path in candidates[:2])
        raise InputError(
            f"{where}: there must be one picture named {name} in {folder}, not "
            f"{len(candidates)} pictures ({several}); rename one with its label, or name a "
            "folder with one of them"
        )


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _told_apart(parts: Parts) -> Parts:
    return (*(part for part in parts[:-1] if part.lower() not in LAYOUT_FOLDERS), parts[-1])


def _ends_with(whole: Parts, end: Parts) -> bool:
    return len(end) <= len(whole) and whole[len(whole) - len(end) :] == end
