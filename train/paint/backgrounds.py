"""Backgrounds: photographs of products, or painted products where there are none."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from edge.errors import InputError
from edge.printing import print_line
from edge.vision.preprocess import Frame
from train.paint.products import paint_product
from train.photographs import read_photograph, upright_size

CACHE_BYTES = 700_000_000
"""Decoded photographs kept in memory by each painting process."""
PAINTED_SIDE = 480
"""Side of a painted product picture, in pixels."""
PAINTED_POOL = 150
"""Painted product pictures that each painting process draws from."""


class Backgrounds(Protocol):
    """A source of the pictures that marks are pasted on."""

    def pixels(self, rng: np.random.Generator) -> Frame:
        """Draw a picture: (height, width, 3) uint8, RGB, not to be written to."""
        ...

    def choose(self, rng: np.random.Generator) -> Image.Image:
        """Draw a picture for Pillow."""
        return Image.fromarray(self.pixels(rng))


class Photographs(Backgrounds):
    """Photographs from a list of files, decoded once and cached while memory allows."""

    def __init__(self, paths: Sequence[Path], long_side: int) -> None:
        """Serve *paths*, shrunk to at most *long_side* pixels."""
        self.paths = tuple(paths)
        self.long_side = long_side
        self._damaged: set[int] = set()
        self._cache: dict[Path, Frame] = {}
        self._room = CACHE_BYTES

    def pixels(self, rng: np.random.Generator) -> Frame:
        """Draw a photograph.

        A damaged file is named once on stderr, and another one is drawn. It keeps its place among
        those drawn from, so that the same draws give the same photograph whatever was drawn before.
        Raises InputError when not one can be read.
        """
        while len(self._damaged) < len(self.paths):
            number = int(rng.integers(len(self.paths)))
            if number not in self._damaged:
                try:
                    return self._read(self.paths[number])
                except InputError as error:
                    print_line(f"stampgate: left out: {error}", file=sys.stderr)
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
    """Product pictures painted by the program, for training without photographs."""

    def __init__(self, seed: int, pool: int = PAINTED_POOL) -> None:
        """Draw from a pool of *pool* pictures, each painted when it is first drawn."""
        self._seed = seed
        self._pool: list[Frame | None] = [None] * pool

    def pixels(self, rng: np.random.Generator) -> Frame:
        """Draw one of the pool."""
        index = int(rng.integers(len(self._pool)))
        kept = self._pool[index]
        if kept is None:
            seeded = np.random.default_rng((self._seed, index))
            image = paint_product(seeded, PAINTED_SIDE, PAINTED_SIDE)
            kept = self._pool[index] = np.asarray(image, np.uint8)
        return kept


class Mixed(Backgrounds):
    """Two kinds of background, mixed by chance."""

    def __init__(self, usual: Backgrounds, other: Backgrounds, share: float) -> None:
        """Take *other* for that *share* of the pictures, 0..1."""
        self._usual, self._other, self._share = usual, other, share

    def pixels(self, rng: np.random.Generator) -> Frame:
        """Draw a picture of either kind."""
        return (self._other if rng.random() < self._share else self._usual).pixels(rng)


def check_sizes(paths: Sequence[Path], folder: Path) -> list[Path]:
    """Return the files that are pictures, naming the others on stderr.

    Raises InputError when none is.
    """
    sizes: dict[Path, tuple[int, int]] = {}
    for path in paths:
        try:
            sizes[path] = upright_size(path)
        except InputError as error:
            print_line(f"stampgate: left out: {error}", file=sys.stderr)
    if not sizes:
        raise InputError(
            f"--backgrounds {folder}: not one of its {len(paths)} files can be read as a picture; "
            "bring others"
        )
    return list(sizes)
