"""Picture files on the desktop: which count, what they show, and reading them.

All are decoded by the box (:mod:`edge.vision.picture_files`), so that 16-bit grey, palettes,
transparency and EXIF orientation are alike in training, in its labels and on the production line.
"""

import contextlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image

from edge.errors import FrameError, InputError
from edge.vision.picture_files import SUFFIXES, open_picture, read_picture

LYING = (5, 6, 7, 8)
"""EXIF orientations of pictures that are stored on their side (EXIF 2.32, section 4.6.5)."""


@contextlib.contextmanager
def refused_for(step: str) -> Iterator[None]:
    """Turn a decoder's FrameError into InputError, with the next *step* that fits the file."""
    try:
        yield
    except FrameError as error:
        raise InputError(f"{str(error).rpartition('; ')[0]}; {step}") from None


def read_photograph(path: Path, long_side: int) -> Image.Image:
    """Read a photograph upright as RGB, at most *long_side* pixels long. Raises InputError."""
    with refused_for("bring a whole one"):
        image = Image.fromarray(read_picture(path, draft_px=long_side))
    if max(image.size) > long_side:
        image.thumbnail((long_side, long_side), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return image


def upright_size(path: Path) -> tuple[int, int]:
    """Read the width and height of a picture as it is seen, in pixels, without decoding it.

    Raises InputError.
    """
    with refused_for("bring a whole one"), open_picture(path) as image:
        lying = image.getexif().get(ExifTags.Base.Orientation, 1) in LYING
        return (image.height, image.width) if lying else image.size


def product_of(path: Path, folder: Path) -> str:
    """Return the product that a photograph shows.

    That is its sub-folder, or its name without the number at the end.

    >>> product_of(Path("b/Leek_017.jpg"), Path("b")), product_of(Path("b/milk/9.jpg"), Path("b"))
    ('Leek', 'milk')
    """
    inner = path.relative_to(folder).parts[:-1]
    return inner[0] if inner else re.sub(r"[\W_]*\d+$", "", path.stem) or path.stem


def list_photographs(folder: Path) -> list[Path]:
    """List all picture files in *folder* and below, by name. Raises InputError if there is none."""
    if not folder.is_dir():
        raise InputError(
            f"--backgrounds {folder}: no such folder; name a folder of photographs, or leave it out"
        )
    try:
        paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    except OSError as error:
        raise InputError(
            f"--backgrounds {folder}: cannot be listed ({error.strerror}); check its permissions"
        ) from None
    if not paths:
        raise InputError(
            f"--backgrounds {folder}: holds no picture ({', '.join(sorted(SUFFIXES))}); "
            "name another folder"
        )
    return paths


def split_by_product(
    paths: Sequence[Path], folder: Path, held_out_share: float
) -> tuple[list[Path], list[Path]]:
    """Split photographs into those to train on and those held out, no product being in both.

    Products are shuffled with a fixed seed and held out until *held_out_share* of the photographs
    is reached; a folder of one product is split by picture, since there is nothing better.
    """
    products: dict[str, list[Path]] = {}
    for path in paths:
        products.setdefault(product_of(path, folder), []).append(path)
    groups = list(products.values()) if len(products) > 1 else [[path] for path in paths]
    np.random.default_rng(20).shuffle(groups)
    wanted, held = len(paths) * held_out_share, list[Path]()
    while len(groups) > 1 and len(held) < wanted:
        held.extend(groups.pop())
    return [path for group in groups for path in group], held or list(paths)
