"""Augmentation of real labelled photographs: training pictures of real marks.

A few real photographs of the stamp are worth more than many painted ones: Su, Zhu and Gong, *Deep
Learning Logo Detection with Data Expansion by Synthesising Context* (2017), train on painted
pictures and finish on ten real ones of each class. :func:`real_picture` gives what
:func:`train.paint.synth.paint` gives, so that both go into the same batches.
"""

import dataclasses
import functools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edge.decision import Box
from edge.vision.preprocess import Frame, prepare
from train.config import SynthSettings
from train.labels.ground_truth import Labelled, RealBox
from train.paint.optics import lens_and_sensor, light
from train.paint.synth import Picture
from train.photographs import read_photograph, split_by_product

ZOOM = (0.7, 1.4)
"""Least and greatest enlargement of a real photograph, beside the way the box would see it."""
AIMED_SHARE = 0.7
"""Chance that a part of a photograph is chosen for a box in it; the others are chosen anywhere."""
CAMERA = (0.8, 1.4)
"""Pixels of the part that is shown, per pixel of the network's input; never enlarged."""
GENTLE = 0.5
"""Light, lens and sensor change a real photograph by this share of what they do to a painted one:
it had its own."""
# fmt: off
MILDER = (
    "light_stops", "gamma", "white_balance", "gradient_share", "shadow_share", "glare_share",
    "blur_share", "blur_px", "motion_share", "coarse_share", "noise_share", "noise_levels",
    "mosaic_share",
)
# fmt: on
"""The settings to which that applies."""
GENTLE_JPEG = 60
"""Worst JPEG quality that a real photograph is saved in again."""
KEPT_PHOTOGRAPHS = 64
"""Decoded photographs kept in memory by each process."""


def split_real(
    labelled: Sequence[Labelled], images: Path, held_out_share: float
) -> tuple[tuple[Labelled, ...], tuple[Labelled, ...]]:
    """Split by product into those to train on and those held out; see ``split_by_product``."""
    known = {photograph.path: photograph for photograph in labelled}
    training, held_out = split_by_product(sorted(known), images, held_out_share)
    return tuple(known[path] for path in training), tuple(known[path] for path in held_out)


def real_picture(
    rng: np.random.Generator, labelled: Labelled, window: int, size: int, settings: SynthSettings
) -> Picture:
    """Augment a real photograph: a part of it, scaled a little, in a little other light.

    *window*: side of the picture wanted, in pixels; *size*: side of the network's input, so that a
    mark is shown about as large as the box will see it. Never mirrored: a mirrored stamp is another
    stamp. Raises InputError when the photograph cannot be read.
    """
    photo, boxes = _read(labelled, size)
    height, width = photo.shape[:2]
    least = max(ZOOM[0], window / size)  # from there on the whole photograph is seen
    zoom = math.exp(rng.uniform(math.log(least), math.log(ZOOM[1])))
    side = max(width, height) * window / size / zoom
    view = _view(rng, boxes, (width, height), side)
    piece = photo[int(view.y0) : int(view.y1), int(view.x0) : int(view.x1)]
    canvas = _resized(piece, min(1.0, window * rng.uniform(*CAMERA) / max(piece.shape[:2])))
    gentle = _gentle(settings)
    frame, _ = lens_and_sensor(rng, gentle, light(rng, gentle, canvas)[0])
    return _seen_through(view, frame, boxes, window, settings)


def real_frame(labelled: Labelled, size: int, settings: SynthSettings) -> Picture:
    """Return the whole photograph, unchanged, as the box would see it. Raises InputError."""
    photo, boxes = _read(labelled, size)
    return _seen_through(Box(0, 0, photo.shape[1], photo.shape[0]), photo, boxes, size, settings)


def _read(labelled: Labelled, size: int) -> tuple[Frame, list[RealBox]]:
    """Read a photograph at twice the network's input or less; its boxes are in its pixels."""
    photo = _pixels(labelled.path, 2 * size)
    ratio = (photo.shape[1] / labelled.size[0], photo.shape[0] / labelled.size[1])
    return photo, [
        dataclasses.replace(known, box=_scaled(known.box, *ratio)) for known in labelled.boxes
    ]


def _seen_through(
    view: Box, canvas: Frame, boxes: Sequence[RealBox], window: int, settings: SynthSettings
) -> Picture:
    """Make the network's input of side *window* and its boxes.

    *canvas*: a picture of the *view* of a photograph with its *boxes*.
    """
    pixels, fit = prepare(canvas, window, window)
    shrunk = (canvas.shape[1] / view.width, canvas.shape[0] / view.height)
    marks, ignored = list[tuple[int, Box]](), list[Box]()
    for known in boxes:
        seen = _seen(known.box, view)
        shown = fit.to_network(_scaled(seen, *shrunk))
        visible = seen.area >= settings.visible_min * known.box.area
        if visible and not known.ignore and min(shown.width, shown.height) >= settings.smallest_px:
            marks.append((known.kind, shown))
        elif seen.area > 0:
            ignored.append(shown)
    return Picture(pixels, tuple(marks), tuple(ignored), canvas)


def _seen(box: Box, view: Box) -> Box:
    """Clip a box to the view, in the view's own pixels."""
    moved = Box(box.x0 - view.x0, box.y0 - view.y0, box.x1 - view.x0, box.y1 - view.y0)
    return moved.clipped(view.width, view.height)


def _view(
    rng: np.random.Generator, boxes: Sequence[RealBox], size: tuple[int, int], side: float
) -> Box:
    """Draw the part of a photograph to show: whole pixels, at most *side* wide and high."""
    wide, high = (min(length, max(8, round(side))) for length in size)
    x, y = (int(rng.integers(size[i] - length + 1)) for i, length in enumerate((wide, high)))
    counting = [known.box for known in boxes if not known.ignore]
    if counting and rng.random() < AIMED_SHARE:
        box = counting[int(rng.integers(len(counting)))]
        # Where in the view the box lies is drawn too: a mark is not always in the middle.
        left = box.x0 - rng.uniform(0, 1) * max(0.0, wide - box.width)
        top = box.y0 - rng.uniform(0, 1) * max(0.0, high - box.height)
        x, y = int(np.clip(left, 0, size[0] - wide)), int(np.clip(top, 0, size[1] - high))
    return Box(x, y, x + wide, y + high)


def _gentle(s: SynthSettings) -> SynthSettings:
    """Make light, lens and sensor milder."""
    changes: dict[str, Any] = {name: getattr(s, name) * GENTLE for name in MILDER}
    return dataclasses.replace(s, **changes, jpeg_min=max(s.jpeg_min, GENTLE_JPEG))


def _resized(piece: Frame, scale: float) -> Frame:
    width, height = (max(8, round(length * scale)) for length in (piece.shape[1], piece.shape[0]))
    return np.asarray(cv2.resize(piece, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


@functools.lru_cache(maxsize=KEPT_PHOTOGRAPHS)
def _pixels(path: Path, long_side: int) -> Frame:
    """Read a photograph, cached while it is among the last few used."""
    pixels = np.asarray(read_photograph(path, long_side), np.uint8)
    pixels.flags.writeable = False
    return pixels


def _scaled(box: Box, scale_x: float, scale_y: float) -> Box:
    return Box(box.x0 * scale_x, box.y0 * scale_y, box.x1 * scale_x, box.y1 * scale_y)
