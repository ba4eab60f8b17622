"""Painted scenes for the tests of figures: print, edges, a ramp of light, some texture."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Frame = NDArray[np.uint8]


def label_scene(seed: int, width: int = 320, height: int = 240) -> Frame:
    """Paint a label with print at chance: (height, width, 3) uint8, RGB."""
    return _painted(seed, width, height).copy()


@lru_cache(maxsize=32)
def _painted(seed: int, width: int, height: int) -> Frame:
    chance = np.random.default_rng(seed)
    picture = Image.new("RGB", (width, height), (150, 120, 90))
    draw = ImageDraw.Draw(picture)
    for _ in range(width * height // 2500):
        x, y = int(chance.integers(0, width)), int(chance.integers(0, height))
        w, h = (int(side) for side in chance.integers(4, 70, 2))
        colour = tuple(int(level) for level in chance.integers(20, 230, 3))
        if chance.random() < 0.5:
            draw.rectangle((x, y, x + w, y + h), fill=colour)
        else:
            draw.ellipse((x, y, x + w, y + h), outline=colour, width=3)
    ramp = np.linspace(0.85, 1.1, width)[None, :, None]
    return (np.asarray(picture) * ramp).clip(0, 255).astype(np.uint8)
