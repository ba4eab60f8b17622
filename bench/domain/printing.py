"""Print a mark on a photograph: homography, the surface's own light, lens and JPEG, by OpenCV."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.domain.marks import Mark
from edge.decision import Box
from edge.vision.preprocess import Frame

LONGER_SIDE = (0.07, 0.32)
"""Longer side of a printed mark, as a share of the frame's, by equal ratios."""
LEAST_PX = 40
"""Least longer side, in pixels of the frame."""
TILT, TURN = math.radians(35), math.radians(30)
"""Greatest tilt of the surface and greatest rotation in it, in radians."""
FOCAL = 2.5
"""Distance of the camera in longer sides of the mark: how strong the perspective is."""
PLACES = 12
"""How many places are looked at; the smoothest is taken, as people do."""
LEAST_CONTRAST = 60.0
"""Grey levels between ink and ground below which a plain label is put under the mark."""
LABEL_MARGIN = 0.12
"""Margin of that label, as a share of the mark's longer side."""
INK_COVER = (0.82, 1.0)
"""How much of the ground the ink covers."""
SPREAD = (-1, 2)
"""Pixels of the mark's own picture that ink is thinner, or has run wider, least and most."""
JPEG = (60, 95)

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Print:
    """A photograph with a mark: *frame*, and the mark's bounding *box* in its pixels."""

    frame: Frame
    box: Box


def print_mark(rng: np.random.Generator, photo: Frame, mark: Mark) -> Print:
    """Print the mark on the smoothest of some places of a photograph."""
    tall, wide = photo.shape[:2]
    longer = max(LEAST_PX, max(tall, wide) * _by_ratio(rng, *LONGER_SIDE))
    poses = [_pose(rng, mark, longer, (wide, tall)) for _ in range(PLACES)]
    inside = [(matrix, box) for matrix, box in poses if _fits(box, wide, tall)]
    if not inside:  # a wide mark turned at an edge: straight, in the middle
        inside = [_straight(mark, min(longer, 0.5 * min(wide, tall)), (wide, tall))]
    matrix, box = min(inside, key=lambda pose: _roughness(photo, pose[1]))
    ground, layer = _ground(photo, mark, matrix, box), _worn(rng, mark)
    warped = cv2.warpPerspective(layer, matrix, (wide, tall), flags=cv2.INTER_AREA)
    share = warped[..., 3:].astype(np.float32) / 255.0 * rng.uniform(*INK_COVER)
    shade = _shade(ground, longer)
    inked = np.clip(warped[..., :3] * shade, 0, 255)
    frame = ground * (1.0 - share) + inked * share
    return Print(np.clip(frame + 0.5, 0, 255).astype(np.uint8), box)


def photographed(rng: np.random.Generator, frame: Frame) -> bytes:
    """Return a JPEG of the frame through a lens; stamped and unstamped frames alike."""
    seen = cv2.GaussianBlur(frame, (0, 0), rng.uniform(0.3, 1.1))
    noisy = seen + _noise(rng, seen.shape) * rng.uniform(0.5, 5.0)
    levels = np.clip(noisy * rng.uniform(0.8, 1.15), 0, 255).astype(np.uint8)
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(*JPEG))]
    _, saved = cv2.imencode(".jpg", levels[..., ::-1], quality)
    return bytes(saved.tobytes())


def shrunk(photo: Frame, longest: int) -> Frame:
    """Return a photograph whose longer side has at most *longest* pixels."""
    tall, wide = photo.shape[:2]
    if max(tall, wide) <= longest:
        return photo
    size = (round(wide * longest / max(tall, wide)), round(tall * longest / max(tall, wide)))
    return np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), np.uint8)


def _noise(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float32]:
    return rng.standard_normal(shape, dtype=np.float32)


def _by_ratio(rng: np.random.Generator, least: float, most: float) -> float:
    return float(np.exp(rng.uniform(np.log(least), np.log(most))))


def _pose(
    rng: np.random.Generator, mark: Mark, longer: float, frame: tuple[int, int]
) -> tuple[Matrix, Box]:
    """Turn and tilt the mark in space, look at it from the front, and put it somewhere."""
    turn, across, along = (rng.uniform(-most, most) for most in (TURN, TILT, TILT))
    corners = _corners(mark, longer)
    spin = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    flat = corners @ spin.T
    depth = flat[:, 0] * math.sin(across) + flat[:, 1] * math.sin(along)
    seen = flat * [math.cos(across), math.cos(along)] / (1 + depth / (FOCAL * longer))[:, None]
    low, high = seen.min(0), seen.max(0)
    room = np.maximum(np.array(frame) - (high - low), 0.0)
    return _matrix(mark, seen - low + rng.uniform(0.0, 1.0, 2) * room)


def _straight(mark: Mark, longer: float, frame: tuple[int, int]) -> tuple[Matrix, Box]:
    return _matrix(mark, _corners(mark, longer) + np.array(frame) / 2)


def _corners(mark: Mark, longer: float) -> NDArray[np.float64]:
    """Return the four corners around 0, for a longer side of *longer* pixels."""
    tall, wide = mark.shape[:2]
    half = np.array([wide, tall], np.float64) * (longer / max(wide, tall) / 2)
    return np.asarray(np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]]) * half)


def _matrix(mark: Mark, corners: NDArray[np.float64]) -> tuple[Matrix, Box]:
    """Return the homography to the four corners, and the box around the ink there."""
    tall, wide = mark.shape[:2]
    source = np.array([[0, 0], [wide, 0], [wide, tall], [0, tall]], np.float32)
    matrix = cv2.getPerspectiveTransform(source, corners.astype(np.float32))
    outlines, _ = cv2.findContours(
        (mark[..., 3] > 127).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    outline = np.concatenate(outlines).reshape(1, -1, 2).astype(np.float32)
    there = cv2.perspectiveTransform(outline, matrix)[0]
    (x0, y0), (x1, y1) = there.min(0), there.max(0)
    return np.asarray(matrix, np.float64), Box(float(x0), float(y0), float(x1), float(y1))


def _fits(box: Box, wide: int, tall: int) -> bool:
    return box.x0 >= 0 and box.y0 >= 0 and box.x1 <= wide and box.y1 <= tall


def _roughness(photo: Frame, box: Box) -> float:
    """Return how uneven a place is: the deviation of its grey levels."""
    part = photo[int(box.y0) : int(box.y1) + 1, int(box.x0) : int(box.x1) + 1]
    return float(part.mean(2).std())


def _ground(photo: Frame, mark: Mark, matrix: Matrix, box: Box) -> NDArray[np.float32]:
    """Return the surface: the photograph, with a plain label where the ink would not be seen."""
    part = photo[int(box.y0) : int(box.y1) + 1, int(box.x0) : int(box.x1) + 1]
    ink = mark[..., :3][mark[..., 3] > 127].mean(0)
    ground = photo.astype(np.float32)
    if abs(float(part.mean()) - float(ink.mean())) >= LEAST_CONTRAST:
        return ground
    tall, wide = mark.shape[:2]
    edge = round(LABEL_MARGIN * max(tall, wide))
    label = np.full((tall + 2 * edge, wide + 2 * edge), 255, np.uint8)
    moved = matrix @ np.array([[1, 0, -edge], [0, 1, -edge], [0, 0, 1.0]])
    share = cv2.warpPerspective(label, moved, (photo.shape[1], photo.shape[0]))[..., None] / 255.0
    plain = np.float32(238.0 if ink.mean() < 150 else 40.0)
    lit = plain * _shade(ground, max(box.width, box.height))
    return np.asarray(ground * (1 - share) + lit * share, np.float32)


def _shade(ground: NDArray[np.float32], longer: float) -> NDArray[np.float32]:
    """Return how the light falls: slow changes of brightness, about 1, (height, width, 1)."""
    grey = ground.mean(2)
    slow = cv2.GaussianBlur(grey, (0, 0), longer / 2)
    slower = cv2.GaussianBlur(grey, (0, 0), 2 * longer)
    ratio = np.clip((slow + 32.0) / (slower + 32.0), 0.75, 1.2)
    return np.asarray(ratio[..., None], np.float32)


def _worn(rng: np.random.Generator, mark: Mark) -> Mark:
    """Return the mark with ink that is thinner or has run, and is missing in spots."""
    layer = mark.copy()
    spread = int(rng.integers(SPREAD[0], SPREAD[1] + 1))
    if spread:
        kernel = np.ones((2 * abs(spread) + 1,) * 2, np.uint8)
        change = cv2.dilate if spread > 0 else cv2.erode
        layer[..., 3] = change(layer[..., 3], kernel)
    tall, wide = layer.shape[:2]
    coarse = rng.uniform(0.0, 1.0, (1 + tall // 12, 1 + wide // 12)).astype(np.float32)
    spots = cv2.resize(coarse, (wide, tall), interpolation=cv2.INTER_CUBIC)
    layer[..., 3] = (layer[..., 3] * np.clip(1.25 - rng.uniform(0, 0.5) * spots, 0, 1)).astype(
        np.uint8
    )
    return layer
