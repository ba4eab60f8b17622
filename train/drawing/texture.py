"""Soft random texture: value noise, a coarse grid of random levels enlarged smoothly."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def patches(
    rng: np.random.Generator,
    size: tuple[int, int],
    cells: tuple[int, int],
    levels: tuple[int, int],
    way: Image.Resampling = Image.Resampling.BILINEAR,
) -> Image.Image:
    """Return a grey picture (L) of soft patches, *size* and *cells* as (across, down).

    *levels*: the darkest and the brightest level of a cell, both included.
    """
    coarse = rng.integers(levels[0], levels[1] + 1, (cells[1], cells[0])).astype(np.uint8)
    return Image.fromarray(coarse).resize(size, way)


def smooth_noise(
    rng: np.random.Generator, size: tuple[int, int], grain_px: int
) -> NDArray[np.float64]:
    """Return smooth noise of mean 0 and deviation about 1: (height, width); *size*: (across, down).

    *grain_px*: the distance of the grid's points.
    """
    cells = size[1] // grain_px + 2, size[0] // grain_px + 2
    coarse = Image.fromarray(rng.normal(0, 1, cells).astype(np.float32))
    return np.asarray(coarse.resize(size, Image.Resampling.BICUBIC), np.float64)
