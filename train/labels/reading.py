"""Read the ground truth of real photographs from COCO JSON, YOLO text or Pascal VOC XML."""

import dataclasses
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import yaml

from edge.decision import Box
from edge.errors import InputError
from edge.vision.picture_files import SUFFIXES
from train.labels.coco import labels_in, read_json
from train.photographs import upright_size

OUTSIDE_PX = 2.0
"""Pixels. A box that reaches this far outside its picture is clipped: labelling programs round
differently."""
CLASS_FILES = ("data.yaml", "data.yml", "classes.txt")
"""Files in which YOLO programs keep the names of the classes."""


@dataclass(frozen=True)
class RealBox:
    """One labelled box.

    *label*, *kind*: class name and index; *box*: in pixels of the upright photograph; *ignore*: it
    does not count.
    """

    label: str
    kind: int
    box: Box
    ignore: bool


@dataclass(frozen=True)
class Labelled:
    """A real photograph and its ground truth.

    *size*: width and height in pixels when upright; *boxes*: all marks on it, perhaps none.
    """

    path: Path
    size: tuple[int, int]
    boxes: tuple[RealBox, ...]


@dataclass(frozen=True)
class Raw:
    """The labels of one picture as they stand in the label file, unchecked.

    *where*: how messages begin; *stated*: width and height, if the file gives them; *boxes*: class
    name, box in pixels (in shares of the picture when *shares*), and whether it is to be ignored.
    """

    where: str
    path: Path
    stated: tuple[int, int] | None
    boxes: tuple[tuple[str, Box, bool], ...]
    shares: bool = False


def read_real(labels: Path, images: Path, classes: Sequence[str]) -> tuple[Labelled, ...]:
    """Read the labels of the photographs in *images*; classes are matched with *classes* by name.

    *labels*: a COCO ``.json``; a YOLO ``data.yaml`` with its ``labels`` folder beside it; or a
    folder of YOLO ``.txt`` (with ``data.yaml`` or ``classes.txt`` in it or above it) or of Pascal
    VOC ``.xml``. Only photographs that the labels name are taken; one with no box in its label
    shows no mark. When labels and *classes* have just one class each, they are taken for the same.
    Raises InputError, in one line.
    """
    if not images.is_dir():
        raise InputError(
            f"--real-images {images}: no such folder; name the folder of the labelled photographs"
        )
    found = list(_raw(labels, images, classes))
    if not found:
        raise InputError(
            f"--real {labels}: labels no photograph; name a file or folder with labels"
        )
    twice = {raw.path for raw in found if sum(other.path == raw.path for other in found) > 1}
    if twice:
        raise InputError(
            f"--real {labels}: {min(twice).name} is labelled twice; keep one of its labels"
        )
    return tuple(_checked(raw, classes) for raw in found)


def _raw(labels: Path, images: Path, classes: Sequence[str]) -> Iterator[Raw]:
    """Detect the layout of the labels and read them. Raises InputError."""
    if labels.is_dir():
        if any(labels.rglob("*.xml")):
            return _voc(labels, images, classes)
        return _yolo(labels, images, _class_file(labels), classes)
    if not labels.is_file():
        raise InputError(
            f"--real {labels}: no such file or folder; name the labels of the real photographs"
        )
    if labels.suffix.lower() == ".json":
        return _coco(labels, images, classes)
    if labels.suffix.lower() in (".yaml", ".yml"):
        return _yolo(labels.parent / "labels", images, labels, classes)
    raise InputError(
        f"--real {labels}: must be a COCO .json, a YOLO data.yaml, or a folder of YOLO .txt or "
        f"Pascal VOC .xml files, not {labels.suffix or 'a file without an ending'}; "
        "name one of those"
    )


def _coco(path: Path, images: Path, classes: Sequence[str]) -> Iterator[Raw]:
    raw = read_json(path)
    labels = labels_in(raw, path, images, tuple(classes))
    for entry in raw["images"]:
        name = entry["file_name"]
        size = (entry.get("width"), entry.get("height"))
        if any(length is not None and not isinstance(length, int) for length in size):
            raise InputError(
                f"{path}: {name}: width and height must be whole numbers, not {size}; "
                "correct the file"
            )
        boxes = tuple(
            (label.label, label.box, label.ignore) for label in labels.of(int(entry["id"]))
        )
        yield Raw(f"{path}: {name}", images / name, size if all(size) else None, boxes)


def _class_file(labels: Path) -> Path:
    for folder in (labels, labels.parent):
        for name in CLASS_FILES:
            if (folder / name).is_file():
                return folder / name
    raise InputError(
        f"--real {labels}: YOLO text needs its class names, in data.yaml or classes.txt in it "
        "or above it; put one there"
    )


def _yolo(labels: Path, images: Path, class_file: Path, classes: Sequence[str]) -> Iterator[Raw]:
    names, pictures = _yolo_names(class_file), _by_stem(images)
    if len(names) == len(classes) == 1:
        names = list(classes)
    for path in sorted(set(labels.rglob("*.txt")) - {class_file}):
        boxes = tuple(
            _yolo_box(f"{path} line {number}", line.split(), names, class_file)
            for number, line in enumerate(_text(path).splitlines(), start=1)
            if line.strip()
        )
        picture = _picture_of(path.relative_to(labels), pictures, path, images)
        yield Raw(str(path), picture, None, boxes, shares=True)


def _yolo_names(path: Path) -> list[str]:
    """Read class names by index, from ``data.yaml`` or a line each. Raises InputError."""
    if path.suffix == ".txt":
        return [line.strip() for line in _text(path).splitlines() if line.strip()]
    try:
        raw = yaml.safe_load(_text(path))
    except yaml.YAMLError as error:
        raise InputError(
            f"{path}: cannot be read as YAML ({' '.join(str(error).split())}); correct it"
        ) from None
    names = raw.get("names") if isinstance(raw, dict) else None
    if isinstance(names, dict) and sorted(names) == list(range(len(names))):
        names = [names[index] for index in range(len(names))]
    listed = isinstance(names, list) and all(isinstance(name, str | int) for name in names)
    if not listed or not names:
        raise InputError(
            f"{path}: names must list the classes, from number 0 on, not {names!r}; correct it"
        )
    return [str(name) for name in names]


def _yolo_box(
    where: str, words: list[str], names: Sequence[str], class_file: Path
) -> tuple[str, Box, bool]:
    if len(words) != 5:
        raise InputError(
            f"{where}: must hold 5 numbers (class, centre x, y, width, height), "
            f"not {len(words)}; correct it"
        )
    x, y, width, height = _numbers(where, words[1:])
    if not words[0].isdecimal() or int(words[0]) >= len(names):
        raise InputError(
            f"{where}: class {words[0]} must be 0 to {len(names) - 1}, as in {class_file}; "
            "correct one of them"
        )
    box = Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    return names[int(words[0])], box, False


def _voc(labels: Path, images: Path, classes: Sequence[str]) -> Iterator[Raw]:
    found = list(_voc_files(labels, images))
    if len({name for raw in found for name, _, _ in raw.boxes}) == len(classes) == 1:
        found = [
            dataclasses.replace(
                raw, boxes=tuple((classes[0], box, ignore) for _, box, ignore in raw.boxes)
            )
            for raw in found
        ]
    return iter(found)


def _voc_files(labels: Path, images: Path) -> Iterator[Raw]:
    pictures = _by_stem(images)
    for path in sorted(labels.rglob("*.xml")):
        root = _xml(path)
        name = (root.findtext("filename") or "").strip()
        picture = images / name if name and (images / name).is_file() else None
        boxes = tuple(
            _voc_box(f"{path} object {n}", entry)
            for n, entry in enumerate(root.iter("object"), start=1)
        )
        sides = [root.findtext(f"size/{side}") or "0" for side in ("width", "height")]
        width, height = _numbers(str(path), sides)
        stated = (int(width), int(height)) if width and height else None
        picture = picture or _picture_of(path.relative_to(labels), pictures, path, images)
        yield Raw(str(path), picture, stated, boxes)


def _xml(path: Path) -> ET.Element:
    text = _text(path)
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise InputError(
            f"{path}: must be plain Pascal VOC XML, without DOCTYPE or ENTITY; save it anew"
        )
    try:
        root = ET.fromstring(text)  # noqa: S314 - entities, which could expand, are refused above
    except ET.ParseError as error:
        raise InputError(f"{path}: cannot be read as XML ({error}); save it anew") from None
    if root.tag != "annotation":
        raise InputError(
            f"{path}: must hold a Pascal VOC annotation, not {root.tag}; name another folder"
        )
    return root


def _voc_box(where: str, entry: ET.Element) -> tuple[str, Box, bool]:
    """Return class name, box and whether to ignore it, of one object.

    VOC counts pixels from 1 and names the last one inside; half-open corners count from 0 and name
    the first one outside.
    """
    name = (entry.findtext("name") or "").strip()
    corners = [entry.findtext(f"bndbox/{corner}") for corner in _VOC_CORNERS]
    if not name or None in corners:
        raise InputError(
            f"{where}: must have a name and a bndbox with {', '.join(_VOC_CORNERS)}; correct it"
        )
    x0, y0, x1, y1 = _numbers(where, [corner or "" for corner in corners])
    difficult = (entry.findtext("difficult") or "0").strip() not in ("0", "")
    return name, Box(x0 - 1, y0 - 1, x1, y1), difficult


_VOC_CORNERS = ("xmin", "ymin", "xmax", "ymax")


def _by_stem(images: Path) -> dict[str, list[Path]]:
    """Return the pictures below *images* by their path without suffix."""
    found: dict[str, list[Path]] = {}
    for path in sorted(images.rglob("*")):
        if path.suffix.lower() in SUFFIXES:
            found.setdefault(str(path.relative_to(images).with_suffix("")), []).append(path)
    return found


def _picture_of(label: Path, pictures: dict[str, list[Path]], where: Path, images: Path) -> Path:
    stem = str(label.with_suffix(""))
    candidates = pictures.get(stem, [])
    if len(candidates) != 1:
        what = "no picture" if not candidates else f"{len(candidates)} pictures"
        raise InputError(
            f"{where}: there must be one picture named {stem} in {images}, not {what}; "
            "correct --real-images"
        )
    return candidates[0]


def _checked(raw: Raw, classes: Sequence[str]) -> Labelled:
    """Check one picture's labels against its file and the classes. Raises InputError."""
    size = _upright_size(raw.path, raw.where)
    if raw.stated and raw.stated != size:
        raise InputError(
            f"{raw.where}: says {raw.stated[0]} x {raw.stated[1]} pixels, but the picture has "
            f"{size[0]} x {size[1]} when upright; label the picture as it is seen"
        )
    boxes = []
    for label, box, ignore in raw.boxes:
        pixels = _scaled(box, *size) if raw.shares else box
        kind, inside = _kind(label, classes, raw.where), _inside(pixels, size, raw.where)
        boxes.append(RealBox(label, kind, inside, ignore))
    return Labelled(raw.path, size, tuple(boxes))


def _upright_size(path: Path, where: str) -> tuple[int, int]:
    if not path.is_file():
        raise InputError(f"{where}: names {path.name}, which is not there; correct --real-images")
    try:
        return upright_size(path)
    except InputError as error:
        text = str(error).removeprefix(f"{path.parent}/")
        raise InputError(f"{where}: {text}") from None


def _kind(label: str, classes: Sequence[str], where: str) -> int:
    if label not in classes:
        raise InputError(
            f"{where}: class {label!r} is none of the marks' ({', '.join(classes)}); "
            "rename one of them"
        )
    return list(classes).index(label)


def _inside(box: Box, size: tuple[int, int], where: str) -> Box:
    inside = box.clipped(*size)
    if not all(math.isfinite(side) for side in box.corners()) or box.width <= 0 or box.height <= 0:
        raise InputError(
            f"{where}: the box {_text_of(box)} must have width and height above 0; "
            "correct the label"
        )
    clipped = max(abs(a - b) for a, b in zip(box.corners(), inside.corners(), strict=True))
    if clipped > OUTSIDE_PX or inside.area <= 0:
        raise InputError(
            f"{where}: the box {_text_of(box)} must lie inside the picture of "
            f"{size[0]} x {size[1]}; correct the label"
        )
    return inside


def _text_of(box: Box) -> str:
    return "[" + " ".join(f"{corner:g}" for corner in box.corners()) + "]"


def _numbers(where: str, words: Sequence[str]) -> list[float]:
    try:
        return [float(word) for word in words]
    except ValueError:
        raise InputError(
            f"{where}: must hold numbers, not {' '.join(words)!r}; correct the label"
        ) from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as text ({error}); save it anew") from None


def _scaled(box: Box, scale_x: float, scale_y: float) -> Box:
    return Box(box.x0 * scale_x, box.y0 * scale_y, box.x1 * scale_x, box.y1 * scale_y)
