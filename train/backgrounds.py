"""What marks are pasted on: a folder of photographs split by product, or painted products when there is none."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image, ImageOps

from edge.errors import InputError
from edge.preprocess import Frame
from train.marks import Mark
from train.products import paint_product

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
CACHE_BYTES = 700_000_000
"""Decoded photographs kept in memory by each painting process."""
PAINTED_SIDE = 480
"""Side of a painted product picture, in pixels."""
PAINTED_POOL = 150


class Backgrounds(Protocol):
    """Where the pictures come from that marks are pasted on."""

    def pixels(self, rng: np.random.Generator) -> Frame:
        """One picture: (height, width, 3) uint8, RGB, not to be written to."""
        ...

    def choose(self, rng: np.random.Generator) -> Image.Image:
        """The same for Pillow."""
        return Image.fromarray(self.pixels(rng))


class Photographs(Backgrounds):
    """Photographs from a list of files, decoded once and kept while memory allows."""

    def __init__(self, paths: Sequence[Path], long_side: int) -> None:
        """Serve *paths*, shrunk to at most *long_side* pixels."""
        self.paths = tuple(paths)
        self.long_side = long_side
        self._damaged: set[int] = set()
        self._cache: dict[Path, Frame] = {}
        self._room = CACHE_BYTES

    def pixels(self, rng: np.random.Generator) -> Frame:
        """One photograph; a file that turns out damaged is named once on stderr, and another one drawn.

        It keeps its place among those drawn from, so that the same draws give the same photograph whatever was asked
        for before. Raises InputError when not one can be read.
        """
        while len(self._damaged) < len(self.paths):
            number = int(rng.integers(len(self.paths)))
            if number not in self._damaged:
                try:
                    return self._read(self.paths[number])
                except InputError as error:
                    print(f"stampgate: left out: {error}", file=sys.stderr)
                    self._damaged.add(number)
        raise InputError("backgrounds: not one photograph could be read; bring others")

    def _read(self, path: Path) -> Frame:
        kept = self._cache.get(path)
        if kept is not None:
            return kept
        pixels = np.asarray(read_photograph(path, self.long_side), np.uint8)
        if pixels.nbytes <= self._room:
            self._room -= pixels.nbytes
            self._cache[path] = pixels
        return pixels


class PaintedProducts(Backgrounds):
    """Product pictures painted by the program, so that training runs without a network or photographs."""

    def __init__(self, seed: int, pool: int = PAINTED_POOL) -> None:
        """Paint a pool of *pool* pictures, by and by as they are asked for."""
        self._seed = seed
        self._pool: list[Frame | None] = [None] * pool

    def pixels(self, rng: np.random.Generator) -> Frame:
        """One of the pool."""
        index = int(rng.integers(len(self._pool)))
        kept = self._pool[index]
        if kept is None:
            image = paint_product(np.random.default_rng((self._seed, index)), PAINTED_SIDE, PAINTED_SIDE)
            kept = self._pool[index] = np.asarray(image, np.uint8)
        return kept


class Mixed(Backgrounds):
    """Mostly the one kind of background, now and then the other."""

    def __init__(self, usual: Backgrounds, other: Backgrounds, share: float) -> None:
        """Take *other* for that *share* of the pictures, 0..1."""
        self._usual, self._other, self._share = usual, other, share

    def pixels(self, rng: np.random.Generator) -> Frame:
        """One picture of either kind."""
        return (self._other if rng.random() < self._share else self._usual).pixels(rng)


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
    """All picture files in *folder* and below, in order of their names. Raises InputError when there is none."""
    if not folder.is_dir():
        raise InputError(f"--backgrounds {folder}: no such folder; name a folder of photographs, or leave it out")
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


def split_by_product(paths: Sequence[Path], folder: Path, held_out_share: float) -> tuple[list[Path], list[Path]]:
    """Split photographs into those to train on and those held out, so that no product is in both.

    Products are shuffled with a fixed seed and held out until *held_out_share* of the photographs is reached; a folder
    of one product is split by picture, since there is nothing better.
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


def check_sizes(paths: Sequence[Path], marks: Sequence[Mark], folder: Path) -> list[Path]:
    """Leave out files that are no pictures, and refuse a mark that no background can hold. Raises InputError."""
    sizes: dict[Path, tuple[int, int]] = {}
    for path in paths:
        try:
            with Image.open(path) as opened:
                sizes[path] = opened.size
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            print(f"stampgate: left out: {path}: cannot be read as a picture ({error})", file=sys.stderr)
    if not sizes:
        raise InputError(
            f"--backgrounds {folder}: not one of its {len(paths)} files can be read as a picture; bring others"
        )
    for mark in marks:
        width, height = mark.native_size
        if all(width > w or height > h for w, h in sizes.values()):
            largest = max(sizes.values(), key=lambda size: size[0] * size[1])
            raise InputError(
                f"--mark {mark.label}: {width} x {height} pixels, larger than every background in {folder} "
                f"(largest {largest[0]} x {largest[1]}); shrink the mark's picture or bring larger photographs"
            )
    return list(sizes)
