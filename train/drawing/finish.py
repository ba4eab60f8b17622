"""Finishing of a drawn mark: colour gradients, worn ink, rough edges, a slight turn."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from train.drawing.colours import any_hue
from train.drawing.texture import smooth_noise


def finished(mark: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return the mark as drawn in about half of the cases, else shaded, worn, rough or turned."""
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


def _shaded(mark: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return the mark with a linear or radial gradient towards another colour."""
    y, x = np.mgrid[-1 : 1 : mark.height * 1j, -1 : 1 : mark.width * 1j]
    angle = rng.uniform(0, 2 * np.pi)
    along = np.clip((x * np.cos(angle) + y * np.sin(angle)) / 2 + 0.5, 0, 1)
    run = np.clip(np.hypot(x, y), 0, 1) if rng.random() < 0.3 else along
    other = np.array(any_hue(rng, 0.2, 1.0) if rng.random() < 0.6 else (255, 255, 255), np.float64)
    share = (rng.uniform(0.35, 0.6) * run)[..., None]
    pixels = np.asarray(mark, np.float64).copy()
    pixels[..., :3] = pixels[..., :3] * (1 - share) + other * share
    return Image.fromarray(pixels.astype(np.uint8))


def _worn(mark: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return the mark with ink missing in specks and patches, as from a dry stamp pad."""
    patches = smooth_noise(rng, mark.size, 24) + 0.8 * smooth_noise(rng, mark.size, 3)
    kept = np.clip((patches + rng.uniform(0.9, 1.5)) * 3, 0, 1)
    return _with_alpha(mark, np.asarray(mark.getchannel("A")) * kept)


def _rough(mark: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return the mark with uneven edges, as ink on rough card."""
    depth = int(rng.integers(2, 5))
    small = mark.width // depth, mark.height // depth
    soft = mark.getchannel("A").resize(small, Image.Resampling.BOX)
    level = np.asarray(soft.resize(mark.size, Image.Resampling.BICUBIC), np.float64) / 255
    edge = np.clip((level + 0.13 * smooth_noise(rng, mark.size, 3) - 0.5) * 5 + 0.5, 0, 1)
    return _with_alpha(_spread(mark, depth), 255 * edge)


def _spread(mark: Image.Image, reach: int) -> Image.Image:
    """Return the mark with its colours carried outwards, as something to show at an uneven edge."""
    small = mark.convert("RGBa").reduce(reach).convert("RGBA").resize(mark.size)
    small.putalpha(255)
    whole = small.convert("RGB")
    solid = mark.getchannel("A").point([255 * (alpha > 250) for alpha in range(256)])
    whole.paste(mark.convert("RGB"), (0, 0), solid)
    return whole.convert("RGBA")


def _with_alpha(mark: Image.Image, alpha: NDArray[np.float64]) -> Image.Image:
    whole = mark.copy()
    whole.putalpha(Image.fromarray(alpha.astype(np.uint8)))
    return whole
