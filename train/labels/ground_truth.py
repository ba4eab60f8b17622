"""The ground truth of photographs: boxes as label files give them, and as they are used."""

import functools
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.decision import Box

FOUND_IOU = 0.5
"""A box counts as found when a finding of its class overlaps it at least this much."""


@dataclass(frozen=True)
class GivenBox:
    """One box as it stands in a label file, unchecked.

    *label*: class name; *box*: in pixels, or in shares of the picture; *ignore*, *main*, *variant*:
    as of :class:`RealBox`; *perhaps_corners*: its four numbers, taken for x, y, width and height,
    would be corners as well, and nothing in the file tells.
    """

    label: str
    box: Box
    ignore: bool = False
    main: bool = True
    variant: str = ""
    perhaps_corners: bool = False


@dataclass(frozen=True)
class Given:
    """The labels of one picture as they stand in the label file, unchecked.

    *where*: how messages begin; *stated*: width and height in pixels, if the file gives them;
    *shares*: whether boxes are in shares of the picture; *named*: what the file calls its one class
    where that is taken for a class of another name, else empty.
    """

    where: str
    path: Path
    stated: tuple[int, int] | None
    boxes: tuple[GivenBox, ...]
    shares: bool = False
    named: str = ""


def other_name(names: Iterable[str], classes: Sequence[str]) -> str:
    """Return the one name in a file of labels that is taken for the one class; else empty.

    >>> other_name(["stamp"], ["seal"]), other_name(["a", "b"], ["seal"]), other_name(["a"], ["a"])
    ('stamp', '', '')
    """
    known = {unicodedata.normalize("NFC", name) for name in names}
    return next(iter(known)) if len(known) == len(classes) == 1 and known != set(classes) else ""


@dataclass(frozen=True)
class RealBox:
    """One labelled box.

    *label*, *kind*: class name and index; *box*: in pixels of the upright photograph; *ignore*: it
    does not count; *main*: on the item shown, and so part of the recall (all are when the file does
    not say); *variant*: which appearance of the mark it is, empty when the file does not say.
    """

    label: str
    kind: int
    box: Box
    ignore: bool
    main: bool = True
    variant: str = ""


@dataclass(frozen=True)
class Labelled:
    """A real photograph and its ground truth.

    *size*: width and height in pixels when upright; *boxes*: all marks on it, perhaps none.
    """

    path: Path
    size: tuple[int, int]
    boxes: tuple[RealBox, ...]


@dataclass(frozen=True)
class Label:
    """One ground-truth box of a set that is evaluated: its image, and as of :class:`RealBox`."""

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

    def without(self, left_out: Sequence[int]) -> "Labels":
        """Return the same without the images of those ids."""
        kept = {key: path for key, path in self.images.items() if key not in set(left_out)}
        return Labels(kept, tuple(label for label in self.labels if label.image_id in kept))

    @functools.cached_property
    def _by_image(self) -> dict[int, tuple[Label, ...]]:
        """Group the boxes by image, in their order."""
        found: dict[int, list[Label]] = {}
        for label in self.labels:
            found.setdefault(label.image_id, []).append(label)
        return {image_id: tuple(labels) for image_id, labels in found.items()}


def labels_of(labelled: Sequence[Labelled]) -> Labels:
    """Return the ground truth of photographs as a set to be evaluated; ids are their numbers."""
    numbered = list(enumerate(labelled, start=1))
    return Labels(
        {number: one.path for number, one in numbered},
        tuple(
            Label(number, box.label, box.box, box.ignore, box.main, box.variant)
            for number, one in numbered
            for box in one.boxes
        ),
    )
