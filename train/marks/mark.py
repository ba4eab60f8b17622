"""Read the picture of a stamp: an RGBA cut-out, one on plain paper, or a drawing (SVG)."""

import dataclasses
import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edge.errors import InputError
from edge.printing import print_error
from edge.vision.picture_files import decode_with_alpha, open_picture
from edge.vision.picture_folders import PictureFolder, find_pictures
from train.marks.cut_out import CutOut, Made, cut_out_of
from train.marks.drawing import render
from train.marks.insides import INSIDES, Inside, has_insides, read_insides
from train.marks.making import OPAQUE, Making, is_light, making_of
from train.photographs import refused_for

DRAWING = ".svg"
"""Suffix of a mark that is drawn, which is rendered to pixels first."""
LONG_SIDE = 320
"""Marks are kept at most this long, in pixels; larger detail is never shown to the network."""
SOLID = 96
"""Alpha, 0..255, from which a pixel belongs to the mark's extent."""
LEAST_SIDE = 8
"""Least width and height of a mark, in pixels."""


@dataclass(frozen=True)
class Mark:
    """One picture of one kind of mark.

    *label*: class name; *kind*: class index; *image*: RGBA, cropped to what is not transparent;
    *outline*: (n, 2) float64, x and y of points on its extent, pixel-edge coordinates; *treatment*:
    a sentence on how its transparency was had; *native_size*: width and height of the file; *made*:
    "ink" or "sticker" where that is known, else empty; *doubts*: what may be wrong with it, each
    with its next step.
    """

    label: str
    kind: int
    image: Image.Image
    outline: NDArray[np.float64]
    treatment: str
    native_size: tuple[int, int]
    made: Made = ""
    doubts: tuple[str, ...] = ()
    insides: tuple[Inside, ...] | None = None
    """What counts instead of the whole picture, where that is known; None is the picture itself."""

    @property
    def making(self) -> Making:
        """How it is made: as the user or the picture says, else guessed from the image."""
        guess = making_of(self.image)
        if not self.made:
            return guess
        light = self.made == "ink" and is_light(self.image)
        return dataclasses.replace(guess, own_ground=self.made == "sticker", light=light)


def load_marks(
    pairs: Sequence[tuple[str, str]], inks: Sequence[str] = (), stickers: Sequence[str] = ()
) -> tuple[Mark, ...]:
    """Load every mark. Pictures of one name, and of one folder, are variants of one class.

    Classes are numbered in the order of their names' first appearance. *inks*, *stickers*: names
    of marks of which the user says how they are made. Raises InputError.
    """
    said: dict[str, Made] = dict.fromkeys(inks, "ink")
    said |= dict.fromkeys(stickers, "sticker")
    kinds = {name: index for index, name in enumerate(dict.fromkeys(name for name, _ in pairs))}
    marks: list[Mark] = []
    for name, path in pairs:
        if has_insides(Path(path)):
            marks += _with_insides(path, name, pairs, tuple(kinds))
            continue
        load = load_folder if Path(path).is_dir() else lambda *given: (load_mark(*given),)
        marks += load(Path(path), name, kinds[name], said.get(name, ""))
    return tuple(marks)


def _with_insides(
    path: str, name: str, pairs: Sequence[tuple[str, str]], classes: tuple[str, ...]
) -> Iterator[Mark]:
    """Yield the pictures of a folder whose parts count, as marks of the class *name*.

    All classes that the folder is given for count on each; the pictures are read once for all.
    """
    names = tuple(dict.fromkeys(other for other, folder in pairs if folder == path))
    for mark in _whole_pictures(path, names, tuple(map(classes.index, names))):
        yield dataclasses.replace(mark, label=name, kind=classes.index(name))


@functools.lru_cache(maxsize=2)
def _whole_pictures(path: str, names: tuple[str, ...], kinds: tuple[int, ...]) -> tuple[Mark, ...]:
    known = read_insides(Path(path), names, kinds)
    if unsaid := [one.name for one in mark_files(Path(path)) if one not in known]:
        raise InputError(
            f"{Path(path) / INSIDES}: says nothing of {unsaid[0]}; name the picture there, if only "
            "without a box, or take it out of the folder"
        )
    return tuple(
        load_mark(one, names[0], kinds[0], "sticker", known[one]) for one in mark_files(Path(path))
    )


def mark_files(path: Path) -> tuple[Path, ...]:
    """Return the pictures of a mark: the file itself, or those of a folder and below, by name.

    Raises InputError when the folder cannot be read.
    """
    return _in_folder(path).pictures if path.is_dir() else (path,)


def _in_folder(folder: Path) -> PictureFolder:
    return find_pictures(folder, also=(DRAWING,))


def load_folder(folder: Path, label: str, kind: int = 0, made: Made = "") -> tuple[Mark, ...]:
    """Load the pictures of a folder as variants of one class, in order of their names.

    Raises InputError, which names every picture that cannot be used, or when there is none.
    """
    found = _in_folder(folder)
    paths, said = found.pictures, found.describe_left_out()
    if not paths:
        raise InputError(
            f"{said or f'{folder}: holds no picture'}; name a picture or another folder"
        )
    if said:
        print_error("stampgate", said)
    marks, faults = [], []
    for path in paths:
        try:
            marks.append(load_mark(path, label, kind, made))
        except InputError as error:
            faults.append(str(error).removeprefix(f"{folder}/").partition(";")[0])
    if faults:
        raise InputError(
            f"{folder}: {len(faults)} of its {len(paths)} pictures cannot be used "
            f"({', '.join(faults)}); mend them or take them out"
        )
    return tuple(marks)


def load_mark(
    path: Path,
    label: str,
    kind: int = 0,
    made: Made = "",
    insides: Sequence[Inside] | None = None,
) -> Mark:
    """Load one mark, *made* as the user says. Raises InputError.

    That is when it is no picture, or there is nothing on it. *insides*: the parts of it that count,
    in the file's pixels; it is then taken as it is, with a ground of its own.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; name the picture of the stamp")
    with refused_for("save the stamp as PNG"):
        drawing = render(path) if path.suffix.lower() == DRAWING else None
        with open_picture(path, drawing.png if drawing else None) as opened:
            decoded = decode_with_alpha(opened, path)
    native = decoded.size
    whole = CutOut(decoded, "it is taken whole: what counts is inside it", made=made)
    cut = _cut_out(decoded, made) if insides is None else whole
    image = cut.image
    extent = image.getchannel("A").point(_solid_table()).getbbox()
    if extent is None:
        raise InputError(
            f"{path}: shows nothing but its background; save the stamp as PNG with the mark visible"
        )
    image = image.crop(extent)
    if min(image.size) < LEAST_SIDE:
        raise InputError(
            f"{path}: the mark on it is {image.width} x {image.height} pixels; "
            f"at least {LEAST_SIDE} x {LEAST_SIDE} are needed"
        )
    image.thumbnail((LONG_SIDE, LONG_SIDE), Image.Resampling.LANCZOS)
    said = "; ".join(filter(None, (cut.treatment, drawing.said if drawing else "")))
    parts = None
    if insides is not None:
        scale = image.width / (extent[2] - extent[0]), image.height / (extent[3] - extent[1])
        parts = tuple(part.cut(extent[0], extent[1], scale) for part in insides)
    return Mark(label, kind, image, outline_of(image), said, native, cut.made, cut.doubts, parts)


def _solid_table() -> list[int]:
    return [255 if level >= SOLID else 0 for level in range(256)]


def _cut_out(rgba: Image.Image, made: Made) -> CutOut:
    """Return a picture with its own transparency as it is, any other cut out of its ground."""
    if rgba.getchannel("A").getextrema()[0] < OPAQUE:  # type: ignore[operator]
        return CutOut(rgba, "its own transparency is used", made=made)
    return cut_out_of(np.asarray(rgba)[..., :3], made)


def outline_of(image: Image.Image) -> NDArray[np.float64]:
    """Return points on the mark's extent: (n, 2) float64, x and y, pixel-edge coordinates.

    Mapped through a homography, they have the bounding box of the warped mark.
    """
    solid = np.asarray(image.getchannel("A")) >= SOLID
    rows = np.flatnonzero(solid.any(1))
    first, last = solid.argmax(1)[rows], solid.shape[1] - solid[:, ::-1].argmax(1)[rows]
    points = [
        (x, y + edge)
        for x, y in (*zip(first, rows, strict=True), *zip(last, rows, strict=True))
        for edge in (0, 1)
    ]
    return np.array(points, np.float64)
