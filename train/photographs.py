"""Photographs on the desktop: which files are pictures, which product one shows, and how one is
read.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from edge.errors import InputError

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})


def read_photograph(path: Path, long_side: int) -> Image.Image:
    """Read a photograph upright as RGB, at most *long_side* pixels long. Raises InputError."""
    try:
        with Image.open(path) as opened:
            opened.draft("RGB", (long_side, long_side))
            upright = ImageOps.exif_transpose(opened)
            image = upright.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"{path}: cannot be read as a picture ({error})") from None
    if max(image.size) > long_side:
        image.thumbnail((long_side, long_side), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return image


def product_of(path: Path, folder: Path) -> str:
    """Which product a photograph shows: its sub-folder, or its name without the number at the end.

    >>> product_of(Path("b/Leek_017.jpg"), Path("b")), product_of(Path("b/milk/9.jpg"), Path("b"))
    ('Leek', 'milk')
    """
    inner = path.relative_to(folder).parts[:-1]
    return inner[0] if inner else re.sub(r"[\W_]*\d+$", "", path.stem) or path.stem


def list_photographs(folder: Path) -> list[Path]:
    """All picture files in *folder* and below, in order of their names. Raises InputError when
    there is none.
    """
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
            f"--backgrounds {folder}: holds no picture ({', '.join(sorted(SUFFIXES))}); name another folder"
        )
    return paths


def split_by_product(
    paths: Sequence[Path], folder: Path, held_out_share: float
) -> tuple[list[Path], list[Path]]:
    """Split photographs into those to train on and those held out, so that no product is in both.

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
