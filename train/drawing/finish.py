"""What becomes of a drawing on its way to the product: colour that runs from one to another, worn
and rough ink.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from train.drawing.colours import hue


def finished(mark: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Half of the marks stay as drawn; the others are shaded, worn, rough at the edges or turned a
    little.
    """
    kind = rng.random()
    if kind < 0.2:
        mark = _shaded(mark, rng)
    elif kind < 0.32:
        mark = _worn(mark, rng)
    elif kind < 0.42:
        mark = _rough(mark, rng)
    if rng.random() < 0.12:
        mark = mark.rotate(float(rng.uniform(-25, 25)), Image.Resampling.BICUBIC, expand=True)
    return mark


def cropped(mark: Image.Image) -> Image.Image:
    """The mark without its empty margin."""
    return mark.crop(
        mark.getchannel("A").point([255 * (level >= 96) for level in range(256)]).getbbox()
    )


def _shaded(mark: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Let the colours run towards another, along a line or from the middle outwards."""
    y, x = np.mgrid[-1 : 1 : mark.height * 1j, -1 : 1 : mark.width * 1j]
    angle = rng.uniform(0, 2 * np.pi)
    along = np.clip((x * np.cos(angle) + y * np.sin(angle)) / 2 + 0.5, 0, 1)
    run = np.clip(np.hypot(x, y), 0, 1) if rng.random() < 0.3 else along
    other = np.array(hue(rng, 0.2, 1.0) if rng.random() < 0.6 else (255, 255, 255), np.float64)
    share = (rng.uniform(0.35, 0.6) * run)[..., None]
    pixels = np.asarray(mark, np.float64).copy()
    pixels[..., :3] = pixels[..., :3] * (1 - share) + other * share
    return Image.fromarray(pixels.astype(np.uint8))


def _worn(mark: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Take ink away in specks and patches, as a dry stamp pad does."""
    patches = _noise(mark, 24, rng) + 0.8 * _noise(mark, 3, rng)
    kept = np.clip((patches + rng.uniform(0.9, 1.5)) * 3, 0, 1)
    return _with_alpha(mark, np.asarray(mark.getchannel("A")) * kept)


def _rough(mark: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Make the edges uneven, as ink on rough card."""
    depth = int(rng.integers(2, 5))
    soft = mark.getchannel("A").resize(
        (mark.width // depth, mark.height // depth), Image.Resampling.BOX
    )
    level = np.asarray(soft.resize(mark.size, Image.Resampling.BICUBIC), np.float64) / 255
    edge = np.clip((level + 0.13 * _noise(mark, 3, rng) - 0.5) * 5 + 0.5, 0, 1)
    return _with_alpha(_spread(mark, depth), 255 * edge)


def _spread(mark: Image.Image, reach: int) -> Image.Image:
    """The mark with its colours carried outwards, so that an uneven edge has something to show."""
    small = mark.convert("RGBa").reduce(reach).convert("RGBA").resize(mark.size)
    small.putalpha(255)
    whole = small.convert("RGB")
    whole.paste(
        mark.convert("RGB"),
        (0, 0),
        mark.getchannel("A").point([255 * (a > 250) for a in range(256)]),
    )
    return whole.convert("RGBA")


def _noise(mark: Image.Image, grain_px: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Smooth noise of mean 0 and deviation about 1: (height, width)."""
    coarse = rng.normal(0, 1, (mark.height // grain_px + 2, mark.width // grain_px + 2)).astype(
        np.float32
    )
    return np.asarray(
        Image.fromarray(coarse).resize(mark.size, Image.Resampling.BICUBIC), np.float64
    )


def _with_alpha(mark: Image.Image, alpha: NDArray[np.float64]) -> Image.Image:
    whole = mark.copy()
    whole.putalpha(Image.fromarray(alpha.astype(np.uint8)))
    return whole
