"""The kinds of pictures of ``stampgate synth``: each paints one from a generator and a number."""

import dataclasses
from collections.abc import Callable

import numpy as np
from PIL import Image

from edge.decision import Box
from edge.vision.preprocess import prepare
from train.config import SynthSettings
from train.paint.synth import Cutout, Kit, Picture, paint

PictureKind = Callable[[np.random.Generator, Kit, SynthSettings, int], Picture]
"""Paints picture number *index* with a kit, given the settings asked for."""

NAIVE_SIZES = (0.1, 0.5)
"""Longer side of a naively pasted stamp as a share of the photograph's.

The write-up's own three pictures show it at 0.19 to 0.50.
"""

TRIES = 50
"""How often a picture is painted again before it is taken as it is.

Under settings that make all pictures too soft, none would do.
"""


def camera(rng: np.random.Generator, kit: Kit, _settings: SynthSettings, _index: int) -> Picture:
    """Paint a whole frame by :func:`train.paint.synth.paint`."""
    return paint(rng, kit, kit.size)


def lookalikes(rng: np.random.Generator, kit: Kit, settings: SynthSettings, index: int) -> Picture:
    """Paint a hard negative: a whole frame with look-alikes and without any mark.

    There are 1, 2, .. ``lookalikes_max`` look-alikes, in turn by the picture's number; where there
    is no room beside the first, the others are left out. A picture with one that cannot be told
    from the mark, too small for how soft the picture is, is painted again.
    """
    number = 1 + index % settings.lookalikes_max
    # The copy shares the caches of the kit, whose look-alikes are drawn once.
    kit = dataclasses.replace(
        kit,
        settings=dataclasses.replace(
            settings, negative_share=1.0, lookalike_share=1.0, lookalikes_max=number
        ),
    )
    pictures = (paint(rng, kit, kit.size) for _ in range(TRIES))
    picture = next(pictures)
    while picture.ignored:
        picture = next(pictures, dataclasses.replace(picture, ignored=()))
    return picture


def naive(rng: np.random.Generator, kit: Kit, _settings: SynthSettings, index: int) -> Picture:
    """Paste the unchanged stamp on every other photograph, as the original write-up does.

    It is opaque and upright; without rotation, light, lens or noise, only its size
    (:data:`NAIVE_SIZES`) and place are random. Pictures of an even number hold one stamp, the
    others none.
    """
    photo = kit.backgrounds.choose(rng).copy()
    spot = [paste_upright(rng, photo, kit.mark(rng))] if index % 2 == 0 else []
    frame = np.asarray(photo, np.uint8)
    pixels, fit = prepare(frame, kit.size, kit.size)
    return Picture(pixels, tuple((kind, fit.to_network(box)) for kind, box in spot), (), frame)


def paste_upright(rng: np.random.Generator, photo: Image.Image, cutout: Cutout) -> tuple[int, Box]:
    """Paste a mark wholly inside *photo*, in place.

    Returns its class index and its bounding box in pixels of the photograph.
    """
    wanted = rng.uniform(*NAIVE_SIZES) * max(photo.size) / max(cutout.image.size)
    rooms = zip(photo.size, cutout.image.size, strict=True)
    scale = min(wanted, *(room / length for room, length in rooms))
    size = (max(1, int(cutout.image.width * scale)), max(1, int(cutout.image.height * scale)))
    stamp = cutout.image.resize(size, Image.Resampling.LANCZOS)
    x, y = (
        int(rng.integers(room - length + 1)) for room, length in zip(photo.size, size, strict=True)
    )
    photo.paste(stamp, (x, y), stamp)
    points = cutout.outline * (np.array(size) / np.array(cutout.image.size)) + (x, y)
    assert cutout.kind is not None, "a look-alike was taken for a mark"
    return cutout.kind, Box(*points.min(0), *points.max(0))


PICTURE_KINDS: dict[str, PictureKind] = {"camera": camera, "naive": naive, "lookalikes": lookalikes}
"""The choices of ``--pictures``."""
