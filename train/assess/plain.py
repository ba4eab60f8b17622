"""Marks pasted plainly: what any trained network must find before it may be exported."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edge.decision import Box
from edge.vision.preprocess import Frame
from train.config import RunConfig
from train.drawing.texture import smooth_noise
from train.marks.making import OPAQUE
from train.marks.mark import Mark

PER_CLASS, MOST = 6, 96
"""Most pictures of a class, and about how many of all classes together; each class has one."""
GROUNDS = ((236, 234, 228), (178, 150, 114), (128, 128, 128), (72, 74, 78), (30, 32, 36))
"""Colours of plain ground: paper, cardboard, grey, slate, nearly black."""
CLEAR = 100.0
"""Grey levels by which a mark must stand out from plain ground, where one of them allows it."""
PATCHES, GRAIN = 5.0, 3.0
"""Deviations of the textured ground's soft patches and of its grain, in grey levels."""
SEED = 11


@dataclass(frozen=True)
class PlainPicture:
    """A mark on a ground of its own frame: *label*, *ground* and *size* as in a plain score.

    *frame*: (height, width, 3) uint8 RGB; *box*: the mark, in its pixels.
    """

    label: str
    ground: str
    size: float
    frame: Frame
    box: Box


def plain_count(classes: int) -> int:
    """Return how many pictures each class has."""
    return max(1, min(PER_CLASS, MOST // classes))


def plain_pictures(marks: Sequence[Mark], config: RunConfig) -> Iterator[PlainPicture]:
    """Paste marks upright on plain and textured grounds, at sizes inside the range trained for."""
    for kind in range(len(config.classes)):
        variants = [mark for mark in marks if mark.kind == kind and shows(mark)]
        count = plain_count(len(config.classes))
        for number in range(count):
            mark = variants[number * len(variants) // count]
            yield _pasted(mark, config, number)


def shows(mark: Mark) -> bool:
    """Return whether a mark shows its class: of one whose parts count, some are of another."""
    return mark.insides is None or any(part.kind == mark.kind for part in mark.insides)


def sizes_for(mark: Mark, config: RunConfig) -> tuple[float, float, float]:
    """Return three longer sides for a mark, middle first, as shares of the frame's.

    The least is well above what counts in training, so that thin words can be read; the greatest
    lies inside the range trained for.
    """
    synth, sides = config.synth, mark.image.size
    legible = 2.0 * synth.smallest_px * max(sides) / min(sides) / config.fit.size
    greatest = 0.95 * min(synth.size_max, 0.85)
    least = min(max((synth.size_min * synth.size_max) ** 0.5, legible), greatest)
    return (least * greatest) ** 0.5, greatest, least


def _pasted(mark: Mark, config: RunConfig, number: int) -> PlainPicture:
    """Paste picture *number* of a class: grounds alternate, each size has both."""
    textured, size = number % 2 == 1, sizes_for(mark, config)[number // 2 % 3]
    width, height = config.fit.size, config.fit.size * 3 // 4
    rgba = mark.image.convert("RGBA")
    scale = min(size * width / max(rgba.size), 0.95 * height / rgba.height)
    shown = rgba.resize(
        (max(1, round(rgba.width * scale)), max(1, round(rgba.height * scale))),
        Image.Resampling.LANCZOS,
    )
    ground = Image.fromarray(_ground(rgba, (width, height), textured))
    x, y = (width - shown.width) // 2, (height - shown.height) // 2
    ground.paste(shown, (x, y), shown)
    outline = counting_outline(mark) * (np.array(shown.size) / np.array(rgba.size)) + (x, y)
    (x0, y0), (x1, y1) = outline.min(0).tolist(), outline.max(0).tolist()
    name = "textured" if textured else "plain"
    return PlainPicture(mark.label, name, size, np.asarray(ground, np.uint8), Box(x0, y0, x1, y1))


def counting_outline(mark: Mark) -> NDArray[np.float64]:
    """Return points on the extent of what counts: the mark, or its largest part of its class."""
    own = [part.box for part in mark.insides or () if part.kind == mark.kind]
    if not own:
        return mark.outline
    box = max(own, key=lambda one: one.area)
    return np.array([(box.x0, box.y0), (box.x1, box.y1)], np.float64)


def _ground(rgba: Image.Image, size: tuple[int, int], textured: bool) -> Frame:
    """Draw ground that the mark stands out from: (height, width, 3) uint8; *size*: across, down."""
    colour = ground_for(rgba, first=1 if textured else 0)
    pixels = np.full((size[1], size[0], 3), colour, np.float64)
    if textured:
        rng = np.random.default_rng(SEED)
        pixels += (PATCHES * smooth_noise(rng, size, 24))[..., None]
        pixels += rng.normal(0.0, GRAIN, pixels.shape)
    return np.asarray(pixels.round().clip(0, 255), np.uint8)


def ground_for(rgba: Image.Image, first: int = 0) -> tuple[int, int, int]:
    """Return the first ground, from number *first* on, on which the mark is clear; else the best.

    The dark and the light parts of its print must both stand out.
    """
    pixels = np.asarray(rgba)
    ink = pixels[pixels[..., 3] >= OPAQUE][:, :3] @ np.array([0.299, 0.587, 0.114])
    levels = np.percentile(ink, (20, 80)) if len(ink) else np.zeros(2)

    def clearness(ground: tuple[int, int, int]) -> float:
        return float(np.abs(np.dot(ground, (0.299, 0.587, 0.114)) - levels).min())

    clear = [ground for ground in GROUNDS[first:] if clearness(ground) >= CLEAR]
    return clear[0] if clear else max(GROUNDS, key=clearness)
