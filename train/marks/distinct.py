"""Whether a person could tell a look-alike from the mark, and from which size on.

A hard negative teaches only where it differs visibly: the mirror image of a symmetric mark *is* the
mark, whatever noise, tilt and uneven light a photograph of it adds, and a mark with one small word
exchanged is another print only where that word can be read.

Two prints are compared as a person would who holds them side by side: turned until they agree best,
seen at the same size and sharpness, piece by piece, each piece allowed to lie a little off (block
matching) and to be lit a little differently. They are distinct where a piece that is large enough
to be noticed still differs by more levels than light, print and noise explain.
"""

import functools
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from train.drawing.likeness import cropped, working_copy

SIZES = (34, 56, 96)
"""Longer sides, in pixels, at which two prints are compared: what is painted small and large."""
ALIGNED_PX = 56
"""Longer side at which the best rotation and warp are looked for."""
GRID = 48
"""Side of the square on which they are compared; a picture seen from the side is squeezed, so width
by height says nothing."""
MARGIN = 4
"""Empty border of that square, so that the outline counts as structure."""
REACH = 1
"""How far a piece may lie off, in squares of the grid: 2 % of the mark."""
PIECE = 5
"""Side of the pieces that are compared, in squares of the grid."""
LIGHT_REACH, LIGHT_GAIN, LIGHT_FLOOR = 17, (0.5, 2.0), 24.0
"""Extent of the smooth light that may differ, in squares of the grid; by how much at most; levels
below which it says nothing."""
REGISTRATIONS, FARTHEST = 25, 6.0
"""Most steps of the registration, and how far it may move a corner, in squares of the grid."""
TURN_DEG, TURNS = 6, 3
"""Steps of the rotation, and how many of the best turns are compared piece by piece."""
NOTICED = 0.035
"""Share of the visible grid that must differ to be noticed."""
LEVELS = 29.0
"""Grey levels by which it must differ in the channel that differs most.

Measured on the sixty marks of its test: mirror images of symmetric ones reach 28, of the others 30
and more at the greatest size.
"""
SOFT_PX = 0.6
"""Softness of a lens at its best, Gaussian radius in pixels of the picture."""
VISIBLE = 32.0
"""Alpha, 0..255, from which a square of the grid shows print."""

Grid = NDArray[np.float32]
"""(4, GRID, GRID), premultiplied red, green, blue and alpha, 0..255."""


class _View(NamedTuple):
    """One print on the grid, and its smooth light."""

    pixels: Grid
    light: Grid


class _Alignment(NamedTuple):
    """A rotation of the mark, and the homography on the grid that fits it to the other print."""

    degrees: int
    warp: NDArray[np.float32]


def least_distinct_px(mark: Image.Image, candidate: Image.Image) -> int | None:
    """Return the least longer side, in pixels, at which the two can be told apart; None for never.

    Both are RGBA, transparent outside the print. The answer is one of :data:`SIZES`: with it, the
    prints are distinct there and at every larger size. Raises ValueError when nothing is visible.
    """
    small, other = working_copy(mark), working_copy(candidate)
    alignments = _alignments(small, other)
    least = None
    for px in reversed(SIZES):
        if _difference(small, other, px, alignments) < LEVELS:
            break
        least = px
    return least


def difference(mark: Image.Image, candidate: Image.Image, px: int) -> float:
    """Return how strongly two prints of longer side *px* differ at their best rotation, in levels.

    It is the difference that the :data:`NOTICED` share of the pieces exceeds; 0 for equal prints.
    """
    small, other = working_copy(mark), working_copy(candidate)
    return _difference(small, other, px, _alignments(small, other))


def _difference(
    mark: Image.Image, other: Image.Image, px: int, alignments: tuple[_Alignment, ...]
) -> float:
    seen = _view(other, px)
    key = mark.size, mark.tobytes()
    return min(
        _noticed(_warped(_turned_view(*key, degrees, px), warp), seen)
        for degrees, warp in alignments
    )


def _alignments(mark: Image.Image, other: Image.Image) -> tuple[_Alignment, ...]:
    """Return the rotations at which the mark agrees best with the other print, each registered."""
    seen = _view(other, ALIGNED_PX)
    turned = _turned(mark.size, mark.tobytes())
    unit = (seen.pixels - seen.light).ravel()
    likeness = np.einsum("tv,v->t", turned, unit)
    best = np.argsort(-likeness, kind="stable")[:TURNS]
    found = []
    for turn in best.tolist():
        view = _turned_view(mark.size, mark.tobytes(), turn * TURN_DEG, ALIGNED_PX)
        found.append(_Alignment(turn * TURN_DEG, _registered(view, seen)))
    return tuple(found)


@functools.lru_cache(maxsize=16)
def _turned(size: tuple[int, int], data: bytes) -> NDArray[np.float32]:
    """Return a mark's structure at every turn: (turns, values), each row of length one."""
    rows = []
    for degrees in range(0, 360, TURN_DEG):
        view = _turned_view(size, data, degrees, ALIGNED_PX)
        fine = (view.pixels - view.light).ravel()
        rows.append(fine / (np.linalg.norm(fine) + 1e-6))
    return np.asarray(rows, np.float32)


@functools.lru_cache(maxsize=1024)
def _turned_view(size: tuple[int, int], data: bytes, degrees: int, px: int) -> _View:
    """Return a mark turned by so many degrees, seen at that size."""
    mark = Image.frombytes("RGBA", size, data)
    return _view(mark.rotate(degrees, Image.Resampling.BICUBIC, expand=True), px)


def _view(picture: Image.Image, px: int) -> _View:
    """Show a print at that longer side, a little soft, then bring it to the grid."""
    whole = cropped(picture).convert("RGBa")
    shrink = px / max(whole.size)
    size = max(2, round(whole.width * shrink)), max(2, round(whole.height * shrink))
    way = cv2.INTER_AREA if shrink < 1 else cv2.INTER_LINEAR
    seen = cv2.resize(np.asarray(whole, np.float32), size, interpolation=way)
    seen = cv2.GaussianBlur(seen, (0, 0), SOFT_PX, borderType=cv2.BORDER_REPLICATE)
    inner = GRID - 2 * MARGIN
    grid = cv2.resize(seen, (inner, inner), interpolation=cv2.INTER_AREA)
    framed = cv2.copyMakeBorder(grid, MARGIN, MARGIN, MARGIN, MARGIN, cv2.BORDER_CONSTANT)
    light = cv2.GaussianBlur(framed, (LIGHT_REACH, LIGHT_REACH), 0)
    return _View(_planes(np.asarray(framed)), _planes(np.asarray(light)))


def _planes(pixels: NDArray[Any]) -> Grid:
    """Return (height, width, 4) as four planes."""
    return np.ascontiguousarray(np.moveaxis(pixels, 2, 0), np.float32)


def _registered(mark: _View, other: _View) -> NDArray[np.float32]:
    """Return the homography, (3, 3), that warps the mark's view to fit the other best.

    By enhanced correlation (Evangelidis and Psarakis, 2008); the identity where that does not
    converge.
    """
    still = np.eye(3, dtype=np.float32)
    ends = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, REGISTRATIONS, 1e-3)
    one, two = (_grey(view) for view in (other, mark))
    everywhere = np.full((GRID, GRID), 255, np.uint8)
    try:
        _, found = cv2.findTransformECC(
            one, two, still.copy(), cv2.MOTION_HOMOGRAPHY, ends, everywhere, 3
        )
    except cv2.error:
        return still
    corners = np.array([[[0, 0], [GRID, 0], [GRID, GRID], [0, GRID]]], np.float32)
    moved = cv2.perspectiveTransform(corners, np.asarray(found, np.float32))
    return still if np.abs(moved - corners).max() > FARTHEST else np.asarray(found, np.float32)


def _warped(view: _View, warp: NDArray[np.float32]) -> _View:
    """Return a view through a homography."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    pixels, light = (
        np.stack([cv2.warpPerspective(plane, warp, (GRID, GRID), flags=flags) for plane in layer])
        for layer in view
    )
    return _View(np.asarray(pixels, np.float32), np.asarray(light, np.float32))


def _grey(view: _View) -> NDArray[np.float32]:
    """Return brightness and cover in one channel, which is what registration looks at."""
    red, green, blue, alpha = view.pixels
    return np.asarray(0.3 * red + 0.4 * green + 0.3 * blue + 0.5 * alpha, np.float32)


def _noticed(mark: _View, other: _View) -> float:
    """Return the difference that a noticeable share of the pieces exceeds, in levels."""
    gain = np.clip((other.light + LIGHT_FLOOR) / (mark.light + LIGHT_FLOOR), *LIGHT_GAIN)
    gain[3] = 1.0
    lit = np.asarray(np.clip(mark.pixels * gain, 0.0, 255.0), np.float32)
    residual = np.minimum(_off(lit, other.pixels), _off(other.pixels, lit))
    visible = np.maximum(mark.pixels[3], other.pixels[3]) > VISIBLE
    if not visible.any():
        return 0.0
    return float(np.quantile(residual[visible], 1.0 - NOTICED))


def _off(still: Grid, moved: Grid) -> NDArray[np.float32]:
    """Return by how much each piece of *still* differs from the piece of *moved* it fits best."""
    wide = np.pad(moved, ((0, 0), (REACH, REACH), (REACH, REACH)))
    least = np.full(still.shape[1:], np.inf, np.float32)
    for y in range(2 * REACH + 1):
        for x in range(2 * REACH + 1):
            red, green, blue, alpha = np.abs(still - wide[:, y : y + GRID, x : x + GRID])
            most = np.maximum(np.maximum(red, green), np.maximum(blue, alpha))
            np.minimum(least, cv2.blur(most, (PIECE, PIECE)), out=least)
    return least
