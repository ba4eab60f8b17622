"""How a mark is made, guessed from its picture: its ground, its colours, its separate parts."""

import functools
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

OPAQUE = 128
"""Alpha, 0..255, from which a pixel belongs to the print."""
OWN_GROUND = 0.62
"""Share of its convex hull that the print of a mark with a ground of its own covers."""
ONE_COLOUR_SHARE, ONE_COLOUR_LEVELS = 0.94, 60
"""Share of the print that lies within so many levels of the median colour, if it is of one
colour."""
LIGHT = 165
"""Grey level from which a print is a light one: white on colour, never ink."""
WHITE = 225
"""The same of a print that is known to be one colour on a ground: faded ink is lighter than ink."""
LEAST_PART = 0.004
"""Least part that counts, as a share of the mark's bounding box."""

OWN_SHARE, LIGHT_SHARE, DARK_SHARE = 0.4, 0.25, 0.25
"""Shares of reprints in the mark's own colour, in a light one and in a dark one; the others are of
any strong colour."""
TWO_TONE_SHARE, TWO_TONE_MOST = 0.5, 0.45
"""Share of reprints of which some parts have a second colour, and most of the print that has it."""


@dataclass(frozen=True)
class Making:
    """How a mark is made.

    *own_ground*: it brings a ground along, as a sticker, a badge or a filled seal does;
    *one_colour*: its print has one colour; *light*: its print is light, so it is opaque white or
    foil, or left out of a coloured ground, and never ink.
    """

    own_ground: bool
    one_colour: bool
    light: bool

    @property
    def words(self) -> str:
        """Say it in words."""
        if self.own_ground:
            return "a sticker or badge with a ground of its own"
        if self.light:
            return "a light print without a ground of its own"
        return "an ink print without a ground of its own"


UNKNOWN = Making(own_ground=True, one_colour=False, light=False)
"""Of what is no print, a piece of a photograph say."""


def is_light(image: Image.Image) -> bool:
    """Return whether a print that is known to be none on paper's white is white or nearly so."""
    rgba = np.asarray(image.convert("RGBA"))
    ink = rgba[rgba[..., 3] >= OPAQUE][:, :3]
    return bool(ink.size and np.median(ink @ [0.299, 0.587, 0.114]) >= WHITE)


def making_of(image: Image.Image) -> Making:
    """Guess how a mark is made. *image*: RGBA, transparent outside the print."""
    rgba = np.asarray(image.convert("RGBA"))
    return _guess(rgba.shape[:2], rgba.tobytes())


@functools.lru_cache(maxsize=64)
def _guess(size: tuple[int, ...], data: bytes) -> Making:
    rgba = np.frombuffer(data, np.uint8).reshape(*size, 4)
    solid = rgba[..., 3] >= OPAQUE
    if not solid.any():
        return Making(False, False, False)
    ink = rgba[solid][:, :3].astype(np.int16)
    hull = cv2.convexHull(np.argwhere(solid)[:, ::-1].astype(np.int32))
    covered = float(solid.sum()) / max(cv2.contourArea(hull), 1.0)
    near = np.abs(ink - np.median(ink, axis=0)).max(axis=1) <= ONE_COLOUR_LEVELS
    own_ground = covered >= OWN_GROUND
    return Making(
        own_ground,
        bool(near.mean() >= ONE_COLOUR_SHARE),
        not own_ground and bool(np.median(ink @ [0.299, 0.587, 0.114]) >= LIGHT),
    )


def parts_of(image: Image.Image) -> tuple[NDArray[np.bool_], ...]:
    """Return the separate parts of a print, letters of a word say, from left to right.

    *image*: RGBA. Each is a mask of its size, (height, width) bool; small specks are left out.
    """
    rgba = np.asarray(image.convert("RGBA"))
    solid = (rgba[..., 3] >= OPAQUE).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(solid, connectivity=8)
    least = LEAST_PART * solid.size
    kept = [i for i in range(1, count) if stats[i, cv2.CC_STAT_AREA] >= least]
    kept.sort(key=lambda i: int(stats[i, cv2.CC_STAT_LEFT]))
    return tuple(np.asarray(labels == i) for i in kept)


# --- the same print in other colours ---


def reprinted(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return a print of one colour in other inks: another colour, or some of its parts in another.

    *image*: RGBA; its transparency stays.
    """
    alpha = np.asarray(image.getchannel("A"))
    first = _ink(rng, np.asarray(image.convert("RGBA")))
    pixels = np.dstack([np.full((*alpha.shape, 3), first, np.uint8), alpha])
    parts = parts_of(image)
    if len(parts) >= 2 and rng.random() < TWO_TONE_SHARE:
        second = _strong(rng)
        whole = sum(int(part.sum()) for part in parts)
        start, had = int(rng.integers(len(parts))), 0
        for part in (*parts[start:], *parts[:start]):
            had += int(part.sum())
            if had > TWO_TONE_MOST * whole:
                break
            around = cv2.dilate(part.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
            pixels[around, :3] = second
    return Image.fromarray(pixels)


def _ink(rng: np.random.Generator, rgba: NDArray[np.uint8]) -> tuple[int, ...]:
    """Draw the colour of a reprint."""
    draw = rng.random()
    if draw < OWN_SHARE:
        solid = rgba[rgba[..., 3] >= OPAQUE][:, :3]
        return tuple(np.median(solid, axis=0).astype(int).tolist())
    if draw < OWN_SHARE + LIGHT_SHARE:
        return tuple(rng.integers(205, 256, 3).tolist())
    if draw < OWN_SHARE + LIGHT_SHARE + DARK_SHARE:
        return tuple(rng.integers(0, 60, 3).tolist())
    return _strong(rng)


def _strong(rng: np.random.Generator) -> tuple[int, ...]:
    """Draw a strong colour of any hue."""
    hsv = np.array([[[rng.random() * 179, rng.uniform(150, 255), rng.uniform(120, 255)]]])
    rgb = cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB)
    return tuple(rgb[0, 0].tolist())
