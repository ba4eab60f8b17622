"""Read the ground truth of real photographs: the one reader, for training and for evaluation.

COCO JSON, YOLO text and Pascal VOC XML are told apart by what is named; each has a module of its
own. What a label says is checked here against its picture and the classes, whatever it came from.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from edge.decision import Box
from edge.errors import InputError
from edge.vision.picture_folders import find_files
from train.labels.coco import given_in_coco
from train.labels.ground_truth import Given, GivenBox, Labelled, Labels, RealBox, labels_of
from train.labels.picture_index import PictureIndex
from train.labels.voc import given_in_voc
from train.labels.yolo import CLASS_FILES, given_in_yolo, text_labels
from train.photographs import check_whole, read_header

OUTSIDE_PX = 2.0
"""Pixels. A box that reaches this far outside its picture is clipped: labelling programs round
differently."""
LEAST_CORNERS = 5
"""Boxes from which on it is no chance that the numbers of all would be corners as well."""
SHOWN = 3
"""Pictures that a remark names."""


@dataclass(frozen=True)
class ReadLabels:
    """What a set of labels holds.

    *labelled*: photographs with their boxes; *remarks*: what cannot be known from the files, or was
    left out, a line each; *unread*: pictures that cannot be read, and why.
    """

    labelled: tuple[Labelled, ...]
    remarks: tuple[str, ...] = ()
    unread: tuple[tuple[Path, str], ...] = ()


def read_real(
    labels: Path, images: Path, classes: Sequence[str], say: Callable[[str], None] | None = None
) -> tuple[Labelled, ...]:
    """Read the labels of the photographs in *images* to train on, and see that each is whole.

    *say*: is given each of the remarks. Raises InputError, in one line, as :func:`read_labels`
    does, and also for a photograph that is cut off or damaged: it would be missed in the midst of
    the training.
    """
    read = read_labels(labels, images, classes, ("--real", "--real-images"))
    if read.unread:
        raise InputError(read.unread[0][1])
    with ThreadPoolExecutor(thread_name_prefix="whole") as pool:
        for _ in pool.map(check_whole, [labelled.path for labelled in read.labelled]):
            pass
    if say:
        for remark in read.remarks:
            say(remark)
    return read.labelled


def read_ground_truth(
    labels: Path, images: Path, classes: Sequence[str]
) -> tuple[Labels, ReadLabels]:
    """Read the labels of the photographs in *images* to judge a model on.

    Raises InputError as :func:`read_labels` does.
    """
    read = read_labels(labels, images, classes, ("--coco", "--images"))
    return labels_of(read.labelled), read


def read_labels(
    labels: Path, images: Path, classes: Sequence[str], options: tuple[str, str]
) -> ReadLabels:
    """Read the labels of the photographs in *images*; classes are matched with *classes* by name.

    *labels*: a COCO ``.json``; a YOLO ``data.yaml`` with its labels beside it or below; or a folder
    of YOLO ``.txt`` (with its class names in it or above it), of Pascal VOC ``.xml`` or of one COCO
    ``.json``. *options*: what the command calls both. Only photographs that the labels name are
    taken; one with no box in its label shows no mark. When labels and *classes* have just one class
    each, they are taken for the same. Raises InputError, in one line.
    """
    if not images.is_dir():
        raise InputError(
            f"{options[1]} {images}: no such folder; name the folder of the labelled photographs"
        )
    pictures = PictureIndex(images)
    given = list(_given(labels, pictures, classes, options[0]))
    if not given:
        raise InputError(
            f"{options[0]} {labels}: labels no photograph; name a file or folder with labels"
        )
    _check_each_once(labels, given, options[0])
    return _checked_all(given, pictures, classes)


def _given(
    labels: Path, pictures: PictureIndex, classes: Sequence[str], option: str
) -> Iterator[Given]:
    """Detect the layout of the labels and read them. Raises InputError."""
    if labels.is_dir():
        return _given_in_folder(labels, pictures, classes, option)
    if not labels.is_file():
        raise InputError(
            f"{option} {labels}: no such file or folder; name the labels of the real photographs"
        )
    ending = labels.suffix.lower()
    if ending == ".json":
        return given_in_coco(labels, pictures, classes)
    if ending in (".yaml", ".yml") or labels.name in CLASS_FILES:
        return given_in_yolo(labels.parent, pictures, labels, classes)
    if ending == ".data":  # of CVAT and Darknet, beside obj.names
        return given_in_yolo(labels.parent, pictures, None, classes)
    raise InputError(
        f"{option} {labels}: must be a COCO .json, a YOLO data.yaml, or a folder of YOLO .txt or "
        f"Pascal VOC .xml files, not {ending or 'a file without an ending'}; "
        "name one of those"
    )


def _given_in_folder(
    labels: Path, pictures: PictureIndex, classes: Sequence[str], option: str
) -> Iterator[Given]:
    annotations, texts = find_files(labels, ".xml"), text_labels(labels, pictures)
    if annotations and texts:
        raise InputError(
            f"{option} {labels}: holds Pascal VOC ({annotations[0].name}) and YOLO text "
            f"({texts[0].name}), of which one is older; name a folder with one of them"
        )
    if annotations:
        return given_in_voc(labels, pictures, classes)
    files = find_files(labels, ".json")
    if texts or not files:
        return given_in_yolo(labels, pictures, None, classes)
    if len(files) > 1:
        raise InputError(
            f"{option} {labels}: holds {len(files)} .json files ({files[0].name}, "
            f"{files[1].name}); name one of them"
        )
    return given_in_coco(files[0], pictures, classes)


def _check_each_once(labels: Path, given: Sequence[Given], option: str) -> None:
    """Check that no picture has two labels. Raises InputError."""
    seen: dict[Path, Given] = {}
    for one in given:
        if one.path in seen:
            where = {str(other.where) for other in (one, seen[one.path])}
            said = f" ({' and '.join(sorted(where))})" if len(where) > 1 else ""
            raise InputError(
                f"{option} {labels}: {one.path.name} is labelled twice{said}; keep one of its "
                "labels"
            )
        seen[one.path] = one


def _checked_all(
    given: Sequence[Given], pictures: PictureIndex, classes: Sequence[str]
) -> ReadLabels:
    labelled, unread, turned = list[Labelled](), list[tuple[Path, str]](), list[Path]()
    for one in given:
        try:
            size, orientation = read_header(one.path)
        except InputError as error:
            text = str(error).removeprefix(f"{one.path.parent}/")
            unread.append((one.path, f"{one.where}: {text}"))
            continue
        labelled.append(_checked(one, size, classes))
        if orientation != 1 and (one.stated is None or size[0] == size[1] or orientation < 5):
            turned.append(one.path)
    remarks = (*_renamed(given, pictures, classes), *_remarks(given, pictures, turned))
    return ReadLabels(tuple(labelled), remarks, tuple(unread))


def _renamed(
    given: Sequence[Given], pictures: PictureIndex, classes: Sequence[str]
) -> Iterator[str]:
    """Yield a line when the labels have another name for the one class."""
    named = next((one.named for one in given if one.named), "")
    if named:
        yield (
            f"{pictures.found.folder}: the labels say {named!r:.100}, the model "
            f"{classes[0]!r:.100}; both have one class, and they are taken for the same"
        )


def _remarks(
    given: Sequence[Given], pictures: PictureIndex, turned: Sequence[Path]
) -> Iterator[str]:
    """Yield in a line each what the files do not say, and what was not taken."""
    folder = pictures.found.folder
    if turned:
        yield (
            f"{folder}: {len(turned)} labelled photographs ({_some(turned)}) are stored turned or "
            "mirrored (EXIF), and their labels do not tell whether they were drawn on the picture "
            "as it is seen: they are taken so; see in pictures.png or --sheet that the boxes fit"
        )
    boxes = [box for one in given for box in one.boxes]
    if len(boxes) >= LEAST_CORNERS and all(box.perhaps_corners for box in boxes):
        yield (
            f"{folder}: the numbers of all {len(boxes)} boxes would be corners as well as x, y, "
            "width and height, which COCO means; they are taken so; see in pictures.png or --sheet "
            "that the boxes fit"
        )
    taken = {one.path for one in given}
    unlabelled = [path for path in pictures.found.pictures if path not in taken]
    if unlabelled:
        yield (
            f"{folder}: {len(unlabelled)} pictures ({_some(unlabelled)}) have no label and are not "
            "taken; label them, if only with no box"
        )
    if pictures.found.unread:
        yield pictures.found.describe_left_out()


def _some(paths: Sequence[Path]) -> str:
    names = [path.name for path in paths[:SHOWN]]
    return ", ".join(names) + ", ..." * (len(paths) > SHOWN)


def _checked(given: Given, size: tuple[int, int], classes: Sequence[str]) -> Labelled:
    """Check one picture's labels against its *size* and the classes. Raises InputError."""
    if given.stated and given.stated != size:
        raise InputError(
            f"{given.where}: says {given.stated[0]} x {given.stated[1]} pixels, but the picture "
            f"has {size[0]} x {size[1]} when upright; label the picture as it is seen"
        )
    boxes = tuple(_checked_box(box, given, size, classes) for box in given.boxes)
    return Labelled(given.path, size, boxes)


def _checked_box(
    given: GivenBox, of: Given, size: tuple[int, int], classes: Sequence[str]
) -> RealBox:
    if given.label not in classes:
        raise InputError(
            f"{of.where}: class {given.label!r:.100} is none of the marks' ({', '.join(classes)}); "
            "rename one of them"
        )
    box = given.box
    if not of.shares and max(box.corners()) <= 1 < min(size):
        raise InputError(
            f"{of.where}: the box {_text_of(box)} is in shares of the picture (0 to 1); "
            "it must be in pixels: export anew"
        )
    pixels = _scaled(box, *size) if of.shares else box
    kind, inside = list(classes).index(given.label), _inside(pixels, size, of.where)
    return RealBox(given.label, kind, inside, given.ignore, given.main, given.variant)


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
            f"{size[0]} x {size[1]}{_perhaps_corners(box, size)}; correct the label"
        )
    return inside


def _perhaps_corners(box: Box, size: tuple[int, int]) -> str:
    """Return a hint where width and height, taken for corners, would lie in the picture."""
    fits = box.x0 < box.width <= size[0] and box.y0 < box.height <= size[1]
    return ", where it would lie if its numbers were corners" if fits else ""


def _text_of(box: Box) -> str:
    return "[" + " ".join(f"{corner:g}" for corner in box.corners()) + "]"


def _scaled(box: Box, scale_x: float, scale_y: float) -> Box:
    return Box(box.x0 * scale_x, box.y0 * scale_y, box.x1 * scale_x, box.y1 * scale_y)
