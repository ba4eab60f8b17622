"""Read ground truth in COCO layout, with optional ``ignore``, ``main`` and ``variant`` fields."""

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.decision import Box
from edge.errors import InputError

FOUND_IOU = 0.5
"""A box counts as found when a finding of its class overlaps it at least this much."""


@dataclass(frozen=True)
class Label:
    """One ground-truth box, in camera pixels.

    *ignore*: a finding there is neither a true nor a false positive; *main*: on the item shown, and
    so part of the recall (all are when the file does not say); *variant*: which appearance of the
    mark it is, empty when the file does not say.
    """

    image_id: int
    label: str
    box: Box
    ignore: bool
    main: bool
    variant: str


@dataclass(frozen=True)
class Labels:
    """The ground truth of a set of images.

    *images*: the file of each image id; *labels*: the boxes of all images.
    """

    images: dict[int, Path]
    labels: tuple[Label, ...]

    def of(self, image_id: int) -> tuple[Label, ...]:
        """Return the boxes of one image."""
        return self._by_image.get(image_id, ())

    @functools.cached_property
    def _by_image(self) -> dict[int, tuple[Label, ...]]:
        """Group the boxes by image, in their order."""
        found: dict[int, list[Label]] = {}
        for label in self.labels:
            found.setdefault(label.image_id, []).append(label)
        return {image_id: tuple(labels) for image_id, labels in found.items()}


def read_coco(path: Path, images: Path, classes: tuple[str, ...]) -> Labels:
    """Read *path* and match its categories with the model's *classes* by name.

    When both have just one, they are taken for the same whatever their names. Raises InputError,
    naming what is wrong.
    """
    return labels_in(read_json(path), path, images, classes)


def labels_in(raw: dict[str, Any], path: Path, images: Path, classes: tuple[str, ...]) -> Labels:
    """Read the labels from the content of *path*, as :func:`read_json` returns it.

    Raises InputError.
    """
    try:
        names = _match_classes(
            path, {int(c["id"]): str(c["name"]) for c in raw["categories"]}, classes
        )
        files = {int(image["id"]): images / str(image["file_name"]) for image in raw["images"]}
        labels = tuple(_label(annotation, names) for annotation in raw["annotations"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{path}: is not in COCO layout ({type(error).__name__}: {error}); see the COCO format"
        ) from None
    for file in files.values():
        if not file.is_file():
            raise InputError(
                f"{path}: names {file.name}, which is not in {images}; correct --images"
            )
    for label in labels:
        if label.image_id not in files:
            raise InputError(
                f"{path}: a box belongs to image {label.image_id}, which is not listed; "
                "correct the file"
            )
    return Labels(files, labels)


def read_json(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file of COCO labels. Raises InputError when there is none."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path}: cannot be read as JSON ({error}); name a COCO labels file"
        ) from None
    if not isinstance(raw, dict):
        raise InputError(
            f"{path}: must hold a JSON object in COCO layout, not {type(raw).__name__}; "
            "name another file"
        )
    return raw


def _match_classes(path: Path, names: dict[int, str], classes: tuple[str, ...]) -> dict[int, str]:
    if len(names) == len(classes) == 1:
        return dict.fromkeys(names, classes[0])
    strange = sorted(set(names.values()) - set(classes))
    if strange:
        raise InputError(
            f"{path}: its category {strange[0]!r} is no class of the model "
            f"({', '.join(classes)}); rename one of them"
        )
    return names


def _label(annotation: dict[str, Any], names: dict[int, str]) -> Label:
    x, y, width, height = (float(value) for value in annotation["bbox"])
    return Label(
        int(annotation["image_id"]),
        names[int(annotation["category_id"])],
        Box(x, y, x + width, y + height),
        bool(annotation.get("ignore", annotation.get("iscrowd", 0))),
        bool(annotation.get("main", True)),
        str(annotation.get("variant", "")),
    )
