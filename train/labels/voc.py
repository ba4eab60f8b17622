"""Read Pascal VOC XML, as labelImg, Roboflow, CVAT and Label Studio write it."""

import dataclasses
import math
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

from edge.decision import Box
from edge.errors import InputError
from edge.vision.picture_folders import find_files
from train.labels.documents import read_numbers, read_xml
from train.labels.ground_truth import Given, GivenBox, other_name
from train.labels.picture_index import PictureIndex

CORNERS = ("xmin", "ymin", "xmax", "ymax")
FLAGS = {"": False, "0": False, "false": False, "no": False, "1": True, "true": True, "yes": True}


def given_in_voc(labels: Path, pictures: PictureIndex, classes: Sequence[str]) -> Iterator[Given]:
    """Read the annotations in *labels* and below. Raises InputError that names what is wrong.

    Classes are those of the objects; when there is just one, and one of *classes*, they are taken
    for the same.
    """
    found = [_read(path, labels, pictures) for path in find_files(labels, ".xml")]
    named = {box.label for given in found for box in given.boxes}
    known = {unicodedata.normalize("NFC", name): name for name in classes}
    other = other_name(named, classes)
    for given in found:
        yield dataclasses.replace(
            given,
            named=other,
            boxes=tuple(
                dataclasses.replace(
                    box,
                    label=classes[0]
                    if len(named) == len(classes) == 1
                    else known.get(box.label, box.label),
                )
                for box in given.boxes
            ),
        )


def _read(path: Path, labels: Path, pictures: PictureIndex) -> Given:
    root = read_xml(path)
    if root.tag != "annotation":
        raise InputError(
            f"{path}: must hold a Pascal VOC annotation, not {root.tag[:60]}; name another folder"
        )
    name = (root.findtext("filename") or "").strip()
    if name:
        _check_name(path, name)
    boxes = tuple(
        _box(f"{path} object {number}", entry)
        for number, entry in enumerate(root.iter("object"), start=1)
    )
    return Given(str(path), _picture(path, name, labels, pictures), _stated(path, root), boxes)


def _check_name(path: Path, name: str) -> None:
    """Check that the annotation is of the picture whose name its file has. Raises InputError.

    Files that were renamed or copied keep the old name inside, which may be that of another
    picture: the boxes of one would be taught on the other.
    """
    inside = unicodedata.normalize("NFC", name.replace("\\", "/").rpartition("/")[2])
    called = unicodedata.normalize("NFC", path.stem)
    if called not in (inside, inside.rpartition(".")[0]):
        raise InputError(
            f"{path}: says that it is of {name[:100]}, but is called {path.name}; name the file "
            "after its picture, or correct <filename>"
        )


def _picture(path: Path, name: str, labels: Path, pictures: PictureIndex) -> Path:
    """Return the picture of an annotation: its name, in the folder of the annotation's own."""
    folders = path.relative_to(labels).parts[:-1]
    stem = path.stem
    if name:
        last = name.replace("\\", "/").rpartition("/")[2]
        pictures.parts_of(name, str(path))  # refuses what leads elsewhere
        if pictures.has_name(last):
            inner = () if "/" in name.replace("\\", "/") else folders
            return pictures.by_name("/".join((*inner, name)), str(path))
        stem = last.rpartition(".")[0] if path.stem != last else last
    return pictures.by_stem((*folders, stem), str(path))


def _stated(path: Path, root: ET.Element) -> tuple[int, int] | None:
    """Return the width and height that the file gives, None without them. Raises InputError."""
    words = [root.findtext(f"size/{side}") or "0" for side in ("width", "height")]
    width, height = read_numbers(str(path), words)
    if not width or not height:
        return None
    if not (math.isfinite(width + height) and width == int(width) and height == int(height)):
        raise InputError(
            f"{path}: width and height must be whole numbers, not {' '.join(words)[:60]}; "
            "correct the label"
        )
    return int(width), int(height)


def _box(where: str, entry: ET.Element) -> GivenBox:
    """Return one object.

    VOC counts pixels from 1 and names the last one inside; half-open corners count from 0 and name
    the first one outside.
    """
    name = unicodedata.normalize("NFC", (entry.findtext("name") or "").strip())
    corners = [entry.findtext(f"bndbox/{corner}") for corner in CORNERS]
    if not name or None in corners:
        raise InputError(
            f"{where}: must have a name and a bndbox with {', '.join(CORNERS)}; correct it"
        )
    x0, y0, x1, y1 = read_numbers(where, [corner or "" for corner in corners])
    if not (x0 < x1 and y0 < y1):
        raise InputError(
            f"{where}: the box {' '.join(f'{side:g}' for side in (x0, y0, x1, y1))} must have "
            "width and height above 0; correct the label"
        )
    flag = (entry.findtext("difficult") or "").strip().lower()
    if flag not in FLAGS:
        raise InputError(f"{where}: difficult must be 0 or 1, not {flag[:40]!r}; correct the label")
    # Shares, which are refused by whoever checks the box, shall still look like shares there.
    first = 0.0 if max(x1, y1) <= 1 else 1.0
    return GivenBox(name, Box(x0 - first, y0 - first, x1, y1), FLAGS[flag])
