"""Read the picture of a stamp: an RGBA cut-out, one on plain paper, or a drawing (SVG)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from edge.errors import InputError, UsageError
from edge.printing import print_error
from edge.vision.contract import MOST_NAME, is_class_name
from edge.vision.picture_files import decode_with_alpha, open_picture
from edge.vision.picture_folders import PictureFolder, find_pictures
from train.marks.drawing import render
from train.photographs import refused_for

DRAWING = ".svg"
"""Suffix of a mark that is drawn, which is rendered to pixels first."""
LONG_SIDE = 320
"""Marks are kept at most this long, in pixels; larger detail is never shown to the network."""
PAPER_TOLERANCE = 24
"""Grey levels by which paper may differ from the corner's colour."""
SOLID = 96
"""Alpha, 0..255, from which a pixel belongs to the mark's extent."""
LEAST_SIDE = 8
"""Least width and height of a mark, in pixels."""


@dataclass(frozen=True)
class Mark:
    """One picture of one kind of mark.

    *label*: class name; *kind*: class index; *image*: RGBA, cropped to what is not transparent;
    *outline*: (n, 2) float64, x and y of points on its extent, pixel-edge coordinates; *treatment*:
    a sentence on how its transparency was had; *native_size*: width and height of the file.
    """

    label: str
    kind: int
    image: Image.Image
    outline: NDArray[np.float64]
    treatment: str
    native_size: tuple[int, int]


def parse_marks(given: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Split ``NAME=PATH``, or ``PATH``, into pairs of class name and path.

    Without a name, the file's stem is the name. A path is a picture or a folder of pictures, which
    are variants of one class. Raises UsageError.

    >>> parse_marks(["ok=seal.png", "marks/Late Batch.png"])
    (('ok', 'seal.png'), ('Late Batch', 'marks/Late Batch.png'))
    """
    pairs = []
    for text in given:
        name, sign, path = text.partition("=")
        name, path = (name, path) if sign else (Path(text).stem, text)
        if not name.strip() or not path.strip():
            raise UsageError(
                f"--mark {text}: must be NAME=PATH or PATH, with neither empty; "
                "say which picture and its name"
            )
        if not is_class_name(name.strip()):
            raise UsageError(
                f"--mark {text!a}: the name must be 1 to {MOST_NAME} printable characters; "
                "give it another, --mark NAME=PATH"
            )
        pairs.append((name.strip(), path.strip()))
    return tuple(pairs)


def load_marks(pairs: Sequence[tuple[str, str]]) -> tuple[Mark, ...]:
    """Load every mark. Pictures of one name, and of one folder, are variants of one class.

    Classes are numbered in the order of their names' first appearance. Raises InputError.
    """
    kinds = {name: index for index, name in enumerate(dict.fromkeys(name for name, _ in pairs))}
    marks: list[Mark] = []
    for name, path in pairs:
        load = load_folder if Path(path).is_dir() else lambda *given: (load_mark(*given),)
        marks += load(Path(path), name, kinds[name])
    return tuple(marks)


def mark_files(path: Path) -> tuple[Path, ...]:
    """Return the pictures of a mark: the file itself, or those of a folder and below, by name.

    Raises InputError when the folder cannot be read.
    """
    return _in_folder(path).pictures if path.is_dir() else (path,)


def _in_folder(folder: Path) -> PictureFolder:
    return find_pictures(folder, also=(DRAWING,))


def load_folder(folder: Path, label: str, kind: int = 0) -> tuple[Mark, ...]:
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
            marks.append(load_mark(path, label, kind))
        except InputError as error:
            faults.append(str(error).removeprefix(f"{folder}/").partition(";")[0])
    if faults:
        raise InputError(
            f"{folder}: {len(faults)} of its {len(paths)} pictures cannot be used "
            f"({', '.join(faults)}); mend them or take them out"
        )
    return tuple(marks)


def load_mark(path: Path, label: str, kind: int = 0) -> Mark:
    """Load one mark. Raises InputError when it is no picture or there is nothing on it."""
    if not path.is_file():
        raise InputError(f"{path}: no such file; name the picture of the stamp")
    with refused_for("save the stamp as PNG"):
        drawing = render(path) if path.suffix.lower() == DRAWING else None
        with open_picture(path, drawing) as opened:
            image, treatment = _with_alpha(decode_with_alpha(opened, path))
    native = image.size
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
    return Mark(label, kind, image, outline_of(image), treatment, native)


def _solid_table() -> list[int]:
    return [255 if level >= SOLID else 0 for level in range(256)]


def _with_alpha(rgba: Image.Image) -> tuple[Image.Image, str]:
    """Make plain paper around the mark transparent where nothing is; say what was done."""
    if rgba.getchannel("A").getextrema()[0] < 255:  # type: ignore[operator]
        return rgba, "its own transparency is used"
    corners = [rgba.getpixel(at) for at in ((0, 0), (-1 + rgba.width, 0), (0, -1 + rgba.height))]
    corners.append(rgba.getpixel((rgba.width - 1, rgba.height - 1)))
    paper = np.array(corners, np.int16)[:, :3]
    if np.ptp(paper, axis=0).max() > PAPER_TOLERANCE:
        return rgba, (
            "it has no transparency and no plain paper around it: "
            "the whole rectangle is taken as the mark"
        )
    rgba.putalpha(_paper_alpha(rgba, paper.mean(0)))
    return rgba, "it has no transparency: the plain paper around the mark was made transparent"


def _paper_alpha(rgba: Image.Image, paper: NDArray[np.float64]) -> Image.Image:
    """Flood-fill from the border: alpha 0 on the paper there, 255 on the mark and inside it."""
    far = np.abs(np.asarray(rgba, np.int16)[..., :3] - paper).max(-1)
    # A margin of paper one pixel wide joins all corners, so that one fill reaches all of it.
    canvas = Image.new("L", (rgba.width + 2, rgba.height + 2), 0)
    canvas.paste(Image.fromarray(np.where(far > PAPER_TOLERANCE, 255, 0).astype(np.uint8)), (1, 1))
    ImageDraw.floodfill(canvas, (0, 0), 128)
    outside = np.asarray(canvas)[1:-1, 1:-1] == 128
    return Image.fromarray(np.where(outside, 0, 255).astype(np.uint8))


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
