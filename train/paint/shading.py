"""Small maps of light and shade, enlarged over a picture: they are smooth, few points are enough.

A map is (rows, columns) uint8, 0 for nothing and 255 for all of it.
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from train.paint.random_draws import between, happens

Map = NDArray[np.uint8]
"""(rows, columns) uint8."""

SIDE = 24
"""Points of a map along each side."""

# Ranges of the draws, least and greatest, as shares of the picture, and chances, 0..1.
GLEAM_MIDDLE = (-0.4, 0.4)
"""Where the reflection of a lamp lies, from the middle, each way."""
GLEAM_WIDTH = (0.06, 0.16)
"""Standard deviation of its fall-off across."""
SPOT_SHARE = 0.6
"""Chance that it is a spot; the others are bands."""
SPOT_STRETCH = (1.0, 4.0)
"""Length of a spot as a multiple of its width."""

_X, _Y = np.meshgrid(
    np.linspace(-0.5, 0.5, SIDE, dtype=np.float32), np.linspace(-0.5, 0.5, SIDE, dtype=np.float32)
)


def across(angle: float) -> NDArray[np.float32]:
    """Return how far each point lies along the direction *angle*, in radians.

    (SIDE, SIDE) float32, 0 in the middle, about -0.5..0.5.
    """
    return np.asarray(math.cos(angle) * _X + math.sin(angle) * _Y, np.float32)


def any_direction(rng: np.random.Generator) -> float:
    """Draw a direction, in radians."""
    return between(rng, -math.pi, math.pi)


def as_map(levels: NDArray[np.float32]) -> Map:
    """Make a map of levels from 0 to 1, clipped outside."""
    return np.asarray((levels * 255.0).clip(0.0, 255.0), np.uint8)


def ramp(rng: np.random.Generator, darkest: float) -> Map:
    """Draw a gradient along any direction, from and to levels between *darkest* and 1."""
    first, last = between(rng, darkest, 1.0), between(rng, darkest, 1.0)
    return as_map((first + last) / 2 + (last - first) * across(any_direction(rng)))


def half(angle: float, edge: float, softness: float) -> Map:
    """Make the map of a half plane: all beyond a line across the direction *angle*, in radians.

    *edge*: distance of the line from the middle; *softness*: width of the border. Both are shares
    of the picture.
    """
    return as_map((across(angle) - edge) / max(softness, 1e-3) + 0.5)


def gleam(rng: np.random.Generator, strength: float) -> Map:
    """Draw the reflection of a lamp: a band or a spot, of *strength* 0..1 in its middle."""
    angle, middle = any_direction(rng), between(rng, *GLEAM_MIDDLE)
    width = between(rng, *GLEAM_WIDTH)
    along = across(angle) - middle
    spread = along * along
    if happens(rng, SPOT_SHARE):
        sideways = across(angle + math.pi / 2) - between(rng, *GLEAM_MIDDLE)
        sideways = sideways / between(rng, *SPOT_STRETCH)
        spread = spread + sideways * sideways
    return as_map(np.asarray(strength * np.exp(-spread / (2 * width * width)), np.float32))


def blotches(rng: np.random.Generator, low: float, points: int) -> Map:
    """Draw uneven levels between *low* and 1: (points, points) uint8."""
    return np.asarray(rng.integers(int(low * 255), 256, (points, points)), np.uint8)


def enlarged(small: Map, like: NDArray[np.uint8]) -> Map:
    """Enlarge a map to the size of the picture *like*."""
    size = (like.shape[1], like.shape[0])
    return np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def dim(pixels: NDArray[np.uint8], shade: Map) -> NDArray[np.uint8]:
    """Multiply a picture's colours by a map of its size: 255 leaves them, 0 makes them black."""
    return np.asarray(cv2.multiply(pixels, cv2.merge([shade] * 3), scale=1 / 255), np.uint8)


def whiten(pixels: NDArray[np.uint8], shine: Map) -> NDArray[np.uint8]:
    """Lighten a picture's colours by a map of its size: 0 leaves them, 255 makes them white."""
    return ~dim(~pixels, ~shine)
