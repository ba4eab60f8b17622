"""Read COCO JSON, as Roboflow, CVAT, Label Studio and our own ``synth`` write it.

Our own fields beside COCO's: ``ignore``, ``main`` and ``variant`` of an annotation.
"""

import dataclasses
import math
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from edge.decision import Box
from edge.errors import InputError
from train.labels.documents import read_json
from train.labels.ground_truth import Given, GivenBox, other_name
from train.labels.masks import box_of_segmentation
from train.labels.picture_index import PictureIndex

Id = int | str
ALIKE = 0.01
"""Relative difference up to which an area is that of a box: programs round."""
LEAST_OVERLAP = 0.5
"""Least IoU of an annotation's box and its segmentation's; less, and one of them is of another."""


def given_in_coco(path: Path, pictures: PictureIndex, classes: Sequence[str]) -> Iterator[Given]:
    """Read *path*: one entry for each image listed. Raises InputError that names what is wrong.

    Its categories are matched with *classes* by name; when both have just one, they are taken for
    the same whatever their names. A category that nobody uses and that only groups others (the
    ``supercategory`` of Roboflow) is passed over.
    """
    raw = read_json(path)
    images, annotations, categories = (
        _listed(path, raw, key) for key in ("images", "annotations", "categories")
    )
    for what, entries in (("image", images), ("annotation", annotations), ("category", categories)):
        _check_ids(path, what, entries)
    used = {_id_of(path, annotation, "category_id") for annotation in annotations}
    own = _class_names(path, categories, used)
    names, named = _match_classes(path, own, classes), other_name(own.values(), classes)
    by_image: dict[Id, list[dict[str, Any]]] = {_id_of(path, image, "id"): [] for image in images}
    for annotation in annotations:
        image_id = _id_of(path, annotation, "image_id")
        if image_id not in by_image:
            raise InputError(
                f"{path}: a box belongs to image {image_id}, which is not listed; correct the file"
            )
        by_image[image_id].append(annotation)
    for image in images:
        given = _given(path, image, by_image[_id_of(path, image, "id")], names, pictures)
        yield dataclasses.replace(given, named=named)


def _given(
    path: Path,
    image: dict[str, Any],
    annotations: Iterable[dict[str, Any]],
    names: dict[Id, str],
    pictures: PictureIndex,
) -> Given:
    name = image.get("file_name")
    if not isinstance(name, str):
        raise InputError(
            f"{path}: image {image.get('id')}: must have a file_name, not {name!r:.100}; "
            "correct the file"
        )
    where = f"{path}: {name}"
    boxes = tuple(_box(where, annotation, names) for annotation in annotations)
    return Given(where, pictures.by_name(name, str(path)), _stated(where, image), boxes)


def _box(where: str, annotation: dict[str, Any], names: dict[Id, str]) -> GivenBox:
    try:
        label = names[_id(annotation["category_id"])]
        outline = box_of_segmentation(annotation.get("segmentation"))
        box = _bbox(annotation.get("bbox"), outline)
        _check_meaning(box, annotation, outline)
        return GivenBox(
            label,
            box,
            _flag(annotation, "ignore") if "ignore" in annotation else _flag(annotation, "iscrowd"),
            _flag(annotation, "main", True),
            str(annotation.get("variant", "")),
            outline is None
            and not annotation.get("area")
            and (box.x0 < box.width and box.y0 < box.height),
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        said = str(error) if type(error) is ValueError else f"{type(error).__name__}: {error}"
        number = annotation.get("id", "without an id")
        raise InputError(f"{where}: annotation {number}: {said[:200]}; correct the label") from None


def _bbox(given: Any, outline: Box | None) -> Box:
    """Return the box of an annotation, in corners; of its segmentation when it has none."""
    if not given and outline is not None:
        return outline
    if not isinstance(given, list) or len(given) != 4:
        raise ValueError(f"its bbox must be x, y, width and height in pixels, not {given!r:.100}")
    x, y, width, height = (_number(value) for value in given)
    if not (width > 0 and height > 0) or not math.isfinite(x + y + width + height):
        raise ValueError(f"its bbox {given} must have width and height above 0, and be numbers")
    return Box(x, y, x + width, y + height)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"must hold numbers, not {value!r:.100}")
    return float(value)


def _check_meaning(box: Box, annotation: dict[str, Any], outline: Box | None) -> None:
    """Check that the box is x, y, width and height in pixels, by what else the file says of it.

    ``area`` is that of the segmentation, or of the box where there is none: a box whose four
    numbers have that area only as corners, or in shares of the picture, is no box in pixels.
    Raises ValueError.
    """
    if outline is not None and outline.area > 0 and box.iou(outline) < LEAST_OVERLAP:
        raise ValueError(
            f"its bbox {_text_of(box)} and its segmentation {_text_of(outline)} are not of one "
            "place (corners x0 y0 x1 y1)"
        )
    area = annotation.get("area")
    if outline is not None or isinstance(area, bool) or not isinstance(area, int | float):
        return
    corners = Box(box.x0, box.y0, box.width, box.height)
    if area > 0 and not _alike(area, box.area) and _alike(area, corners.area):
        raise ValueError(
            f"its bbox [{corners.x0:g}, {corners.y0:g}, {corners.x1:g}, {corners.y1:g}] has the "
            f"area {area:g} only as corners; it must be x, y, width and height"
        )


def _alike(area: float, other: float) -> bool:
    return abs(area - other) <= ALIKE * max(area, other)


def _text_of(box: Box) -> str:
    return "[" + " ".join(f"{corner:g}" for corner in box.corners()) + "]"


def _flag(annotation: dict[str, Any], key: str, otherwise: bool = False) -> bool:
    value = annotation.get(key)
    if value is None:
        return otherwise
    if value not in (0, 1):  # False and True among them
        raise ValueError(f"{key} must be 0 or 1, not {value!r:.40}")
    return bool(value)


def _stated(where: str, image: dict[str, Any]) -> tuple[int, int] | None:
    """Return the width and height that the file gives, as whole numbers; None without them."""
    given = (image.get("width"), image.get("height"))
    if not all(given):
        return None
    try:
        width, height = (_number(side) for side in given)
        whole = width == int(width) and height == int(height)
    except (ValueError, OverflowError):
        whole, width, height = False, 0.0, 0.0
    if not whole:
        raise InputError(
            f"{where}: width and height must be whole numbers, not {given!r:.100}; correct the file"
        )
    return int(width), int(height)


def _listed(path: Path, raw: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """Return a list of objects of the file. Raises InputError when it is none."""
    entries = raw.get(key)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise InputError(
            f"{path}: is not in COCO layout: {key} must be a list of objects; see the COCO format"
        )
    return entries


def _id(value: Any) -> Id:
    """Return an id; 7, 7.0 and "7" are one. Raises ValueError."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str):
        return int(value) if value.isdecimal() and len(value) < 20 else value
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError(f"must be an id, not {value!r:.40}")


def _id_of(path: Path, entry: dict[str, Any], key: str) -> Id:
    try:
        return _id(entry[key])
    except (KeyError, ValueError) as error:
        raise InputError(
            f"{path}: is not in COCO layout ({type(error).__name__}: {key} {error}); "
            "see the COCO format"
        ) from None


def _check_ids(path: Path, what: str, entries: Iterable[dict[str, Any]]) -> None:
    """Check that no id stands twice; annotations may have none. Raises InputError."""
    seen: dict[Id, dict[str, Any]] = {}
    for entry in entries:
        if "id" not in entry and what == "annotation":
            continue
        number = _id_of(path, entry, "id")
        if number in seen:
            both = [one.get("file_name") or one.get("name") for one in (seen[number], entry)]
            said = f" ({both[0]!r:.60} and {both[1]!r:.60})" if all(both) else ""
            raise InputError(
                f"{path}: {what} id {number} stands twice{said}, so nobody can tell which is "
                "meant; give each its own, or export anew"
            )
        seen[number] = entry


def _class_names(path: Path, categories: Sequence[dict[str, Any]], used: set[Id]) -> dict[Id, str]:
    """Return the categories' names by id, without those that only group others."""
    names: dict[Id, str] = {}
    for category in categories:
        name = category.get("name")
        if not isinstance(name, str) or not name.strip():
            raise InputError(
                f"{path}: category {category.get('id')} must have a name, not {name!r:.40}; "
                "correct the file"
            )
        names[_id_of(path, category, "id")] = unicodedata.normalize("NFC", name.strip())
    if strange := sorted(used - set(names), key=str):
        raise InputError(
            f"{path}: a box is of category {strange[0]}, which is not listed; correct the file"
        )
    above = {
        str(category.get("supercategory"))
        for category in categories
        if category.get("supercategory") != category["name"]
    }
    return {key: name for key, name in names.items() if key in used or name not in above}


def _match_classes(path: Path, names: dict[Id, str], classes: Sequence[str]) -> dict[Id, str]:
    if len(set(names.values())) == len(classes) == 1:
        return dict.fromkeys(names, classes[0])
    known = {unicodedata.normalize("NFC", name): name for name in classes}
    strange = sorted(set(names.values()) - set(known))
    if strange:
        raise InputError(
            f"{path}: its category {strange[0]!r:.100} is no class of the model "
            f"({', '.join(classes)}); rename one of them"
        )
    return {key: known[name] for key, name in names.items()}
