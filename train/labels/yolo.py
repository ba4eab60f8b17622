"""Read YOLO text, as Ultralytics, Roboflow, CVAT, Label Studio and labelImg write it.

A line is a class number and a box (centre x, y, width, height) or a polygon (x, y, x, y, ...), all
in shares of the picture. The layouts differ in where the class names stand and where the labels lie
beside the pictures; see :func:`given_in_yolo`.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

from edge.decision import Box
from edge.errors import InputError
from edge.vision.picture_folders import find_files
from train.labels.documents import read_numbers, read_text, read_yaml
from train.labels.ground_truth import Given, GivenBox, other_name
from train.labels.masks import box_of_polygon
from train.labels.picture_index import PictureIndex

CLASS_FILES = (
    "data.yaml", "data.yml", "dataset.yaml", "classes.txt", "obj.names", "_darknet.labels",
)  # fmt: skip
"""Files in which YOLO programs keep the names of the classes."""
NO_LABELS = frozenset(
    (
        *("classes", "_classes", "labelmap", "notes", "predefined_classes", "requirements"),
        *("train", "val", "valid", "validation", "test", "train2017", "val2017"),
        *("readme", "readme.roboflow", "readme.dataset", "license"),
    )
)
"""Names of text files that programs put beside labels, in lower case without their ending."""
HIGHEST = 3
"""Folders above the labels in which the class names are looked for: ``labels/train`` has two."""
MOST_OUTSIDE = 1.5
"""Shares beyond which numbers are taken for pixels."""


def given_in_yolo(
    labels: Path, pictures: PictureIndex, class_file: Path | None, classes: Sequence[str]
) -> Iterator[Given]:
    """Read the label files that belong to the pictures. Raises InputError that names what is wrong.

    *labels*: a folder with label files in it or below; *class_file*: None to look for one there or
    above. Where the pictures lie in a folder ``images`` whose sister ``labels`` is in *labels*,
    only that sister is read: Roboflow has a pair for training, validation and test each.
    """
    class_file = class_file or find_class_file(labels)
    names, has_points = read_names(class_file)
    known = {unicodedata.normalize("NFC", name): name for name in classes}
    names = [known.get(name, name) for name in names]
    named = other_name(names, classes)
    if len(names) == len(classes) == 1:
        names = list(classes)
    base, files = _beside_pictures(labels, pictures)
    for path in files:
        lines = [
            _box(f"{path} line {number}", line.split(), names, class_file, has_points)
            for number, line in enumerate(read_text(path).splitlines(), start=1)
            if line.strip()
        ]
        label = (*path.relative_to(base).parts[:-1], path.stem)
        # The same line twice is what labelling programs leave of a double click.
        boxes = tuple(dict.fromkeys(lines))
        picture = pictures.by_stem(label, str(path))
        yield Given(str(path), picture, None, boxes, shares=True, named=named)


def _beside_pictures(labels: Path, pictures: PictureIndex) -> tuple[Path, list[Path]]:
    """Return the label files that belong to the pictures, and the folder they lie in."""
    sister = _sister(pictures.found.folder)
    if sister and sister.is_relative_to(labels.absolute()):
        return sister, text_labels(sister, pictures)
    found = text_labels(labels, pictures)
    if sister and not found:  # a data.yaml may lie elsewhere and name the place
        return sister, text_labels(sister, pictures)
    return labels, found


def text_labels(folder: Path, pictures: PictureIndex) -> list[Path]:
    """Return the label files of a folder and below, sorted; without those that hold no labels.

    Where there are folders ``labels``, those alone are read. Raises InputError when it cannot be
    read.
    """
    found = [path for path in find_files(folder, ".txt") if not _is_no_label(path, pictures)]
    inside = [
        p for p in found if "labels" in {part.lower() for part in p.relative_to(folder).parts}
    ]
    return inside or found


def find_class_file(labels: Path) -> Path:
    """Return the file of class names in the folder of labels, or above it.

    Raises InputError when there is none, or when two of one folder name the classes differently.
    """
    folder = labels.absolute()
    for above in (folder, *folder.parents[: HIGHEST - 1]):
        there = [above / name for name in CLASS_FILES if (above / name).is_file()]
        if there:
            _check_agreement(there)
            return there[0]
    below = [folder / "labels" / name for name in CLASS_FILES]
    for path in below:
        if path.is_file():
            return path
    raise InputError(
        f"{labels}: YOLO text needs its class names, in data.yaml, classes.txt or obj.names "
        "in it or above it; put one there"
    )


def _check_agreement(files: Sequence[Path]) -> None:
    names = [read_names(path)[0] for path in files]
    for path, other in zip(files[1:], names[1:], strict=True):
        if other != names[0]:
            raise InputError(
                f"{path}: names other classes than {files[0].name} beside it, so nobody can tell "
                "which numbers are meant; remove one of them"
            )


def read_names(path: Path) -> tuple[list[str], bool]:
    """Read class names by number, and whether lines have key points after their box.

    *path*: YAML with ``names``, or a text with a name a line. Raises InputError.
    """
    if path.suffix.lower() not in (".yaml", ".yml"):
        return [_nfc(line.strip()) for line in read_text(path).splitlines() if line.strip()], False
    raw = read_yaml(path)
    names = raw.get("names")
    if isinstance(names, dict) and sorted(names) == sorted(map(str, range(len(names)))):
        names = [names[str(number)] for number in range(len(names))]
    listed = isinstance(names, list) and all(isinstance(name, str) and name for name in names)
    if not listed or not names:
        raise InputError(
            f"{path}: names must list the classes, from number 0 on, not {names!r:.200}; correct it"
        )
    count = raw.get("nc")
    if count is not None and count != str(len(names)):
        raise InputError(
            f"{path}: says nc: {count!r:.20}, but names {len(names)} classes; correct one of them"
        )
    return [_nfc(name.strip()) for name in names], "kpt_shape" in raw


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _sister(images: Path) -> Path | None:
    """Return the folder of labels beside a folder of pictures, if there is one.

    That is Ultralytics' rule: the last ``images`` of a picture's path becomes ``labels``.
    """
    parts = images.absolute().parts
    places = [at for at, part in enumerate(parts) if part.lower() == "images"]
    if not places:
        return None
    sisters = (
        Path(*parts[: places[-1]], name, *parts[places[-1] + 1 :]) for name in ("labels", "Labels")
    )
    return next((sister for sister in sisters if sister.is_dir()), None)


def _is_no_label(path: Path, pictures: PictureIndex) -> bool:
    """Return whether a text is one of those that programs put beside labels."""
    return path.stem.lower() in NO_LABELS and not pictures.has_stem(path.stem)


def _box(
    where: str, words: list[str], names: Sequence[str], class_file: Path, has_points: bool
) -> GivenBox:
    numbers = read_numbers(where, words[1:])
    track = len(numbers) == 5 and words[5].isdecimal()
    if len(numbers) == 4 or track or (has_points and len(numbers) > 4):
        x, y, width, height = numbers = numbers[:4]
        box = Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    elif len(numbers) >= 6 and len(numbers) % 2 == 0:
        try:
            box = box_of_polygon(numbers)
        except ValueError as error:
            raise InputError(f"{where}: {error}; correct the label") from None
    else:
        raise InputError(
            f"{where}: must hold 5 numbers (class, centre x, y, width, height) or a class and a "
            f"polygon, not {len(words)} numbers; correct it"
        )
    if any(abs(number) > MOST_OUTSIDE for number in numbers):
        raise InputError(
            f"{where}: must be shares of the picture, 0 to 1, not pixels; the box must lie inside "
            "the picture; export it as YOLO anew"
        )
    return GivenBox(names[_class_number(where, words[0], names, class_file)], box)


def _class_number(where: str, word: str, names: Sequence[str], class_file: Path) -> int:
    number = word.removesuffix(".0")
    digits = number.lstrip("0") or "0"
    plain = number.isascii() and number.isdecimal() and len(digits) < 7
    if not plain or int(digits) >= len(names):
        raise InputError(
            f"{where}: class {word[:40]} must be 0 to {len(names) - 1}, as in {class_file}; "
            "correct one of them"
        )
    return int(digits)
