"""Picture files on the desktop: which count, what they show, and reading them.

All are decoded by the box (:mod:`edge.vision.picture_files`), so that 16-bit grey, palettes,
transparency and EXIF orientation are alike in training, in its labels and on the production line.
"""

import contextlib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image

from edge.errors import FrameError, InputError
from edge.printing import print_error
from edge.vision.picture_files import open_picture, read_picture
from edge.vision.picture_folders import find_pictures
from train.copies import grouped, joined, near_duplicates, original_name, same_content

LAYOUT_FOLDERS = frozenset(
    (
        *("images", "labels", "jpegimages", "annotations", "obj_train_data", "obj_valid_data"),
        *("train", "val", "valid", "validation", "test", "train2017", "val2017"),
    )
)
"""Folders, in lower case, of a data set's layout: what is in them need not be one product."""
MOST_HELD_OUT = 2.0
"""Times the share asked for that is held out at most, where another choice of products does."""
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
    return read_header(path)[0]


def read_header(path: Path) -> tuple[tuple[int, int], int]:
    """Read the size of a picture as it is seen, and its EXIF orientation, 1 when it has none.

    Raises InputError.
    """
    with refused_for("bring a whole one"), open_picture(path) as image:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
        lying = orientation in LYING
        return ((image.height, image.width) if lying else image.size), orientation


def check_whole(path: Path) -> None:
    """Decode a picture as small as its file can be, to see that it is whole. Raises InputError."""
    with refused_for("bring a whole one"):
        read_picture(path, draft_px=1)


def product_of(path: Path, folder: Path) -> str:
    """Return the product that a photograph shows.

    That is its sub-folder, or its name without the number at the end and without what a copy adds.

    >>> product_of(Path("b/Leek_017.jpg"), Path("b")), product_of(Path("b/milk/9.jpg"), Path("b"))
    ('Leek', 'milk')
    >>> product_of(Path("b/train/images/Leek_017_jpg.rf.0a1b2c3d4e5f.jpg"), Path("b"))
    'Leek'
    """
    folders = path.relative_to(folder).parts[:-1]
    inner = [part for part in folders if part.lower() not in LAYOUT_FOLDERS]
    name = original_name(path.stem)
    return inner[0] if inner else re.sub(r"[\W_]*\d+$", "", name) or name


def list_photographs(folder: Path) -> list[Path]:
    """List all pictures in *folder* and below, by name; say on stderr what was left out.

    Raises InputError if there is none.
    """
    if not folder.is_dir():
        raise InputError(
            f"--backgrounds {folder}: no such folder; name a folder of photographs, or leave it out"
        )
    found = find_pictures(folder)
    if said := found.describe_left_out():
        print_error("stampgate", said)
    if not found.pictures:
        raise InputError(f"--backgrounds {folder}: holds no picture; name another folder")
    return list(found.pictures)


def split_by_product(
    paths: Sequence[Path], folder: Path, held_out_share: float
) -> tuple[list[Path], list[Path]]:
    """Split photographs into those to train on and those held out, no product being in both.

    Products are shuffled with a fixed seed and held out until *held_out_share* of the photographs
    is reached. Copies of one photograph (:mod:`train.copies`) are one product whatever they are
    called; a folder of one product is split by photograph, its copies together. Where all are
    copies of one they are split anyhow, and a single photograph is on both sides, since there is
    nothing better.
    """
    groups = _groups(paths, folder)
    np.random.default_rng(20).shuffle(groups)
    wanted, held = len(paths) * held_out_share, list[Path]()
    training = list[list[Path]]()
    while groups:
        group = groups.pop()
        rest = len(training) + len(groups)
        fits = not held or len(held) + len(group) <= MOST_HELD_OUT * wanted
        if rest and len(held) < wanted and fits:
            held.extend(group)
        else:
            training.append(group)
    return [path for group in reversed(training) for path in group], held or list(paths)


def _groups(paths: Sequence[Path], folder: Path) -> list[list[Path]]:
    """Group photographs that must stay on one side of a split, by the best that leaves two groups.

    By product and likeness; then, where all are one product, by photograph. Likeness by itself may
    join all that a camera sees which does not move, so it comes last and is left out first.
    """
    products = grouped(paths, lambda path: _alike_name(product_of(path, folder)))
    names = grouped(paths, lambda path: (path.parent, _alike_name(original_name(path.stem))))
    same, near = same_content(paths), near_duplicates(paths)
    each = [[path] for path in paths]
    ways = [(products, same + near), (products, same)]
    ways += [(names, same + near), (names, same), (each, same), (products, []), (each, [])]
    for groups, alike in ways:
        if len(found := joined(groups, alike)) > 1:
            return found
    return [list(paths)]


def _alike_name(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
