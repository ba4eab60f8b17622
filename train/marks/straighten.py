"""Straighten what was seen at an angle, where its own shape says how: a rectangle, or a circle.

A sheet or a frame whose four sides are straight was a rectangle; an outline that is nearly a circle
and is an ellipse to within a hundredth was a circle. Nothing else tells perspective from design, so
all other prints stay as they are: an oval stamp is oval.
"""

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Points = NDArray[np.float32]
"""(n, 2): x and y, in pixels."""

SQUARE = 14.0
"""Degrees by which a corner may be off the right angle, and a rectangle be rotated."""
LEAST_DEG = 0.7
"""Degrees below which a corner is right and a side upright."""
ROUND = 0.84, 0.985
"""Least and greatest ratio of the axes of a circle that was seen at an angle."""
OFF_ELLIPSE = 0.012
"""Share of the longer axis by which the outline may leave the ellipse."""
ALONG = 0.93
"""Share of a side or of an ellipse along which there must be print."""
MOST_MISSING = 0.04
"""Share of a quadrilateral that its outline may leave out, at round corners say."""
PX = 900
"""Longest side of what is straightened."""


class Straightened(NamedTuple):
    """A picture that was straightened, and what it was taken for."""

    rgba: NDArray[np.uint8]
    shape: str


def straighten(rgba: NDArray[np.uint8]) -> Straightened | None:
    """Straighten a cut-out by its outline; None where that is as it should be or says nothing.

    *rgba*: (height, width, 4) uint8.
    """
    mask = rgba[..., 3] > 127
    outline = _hull(mask)
    if outline is None:
        return None
    if (corners := rectangle_of(outline)) is not None and _print_along(mask, corners):
        if not _is_off(corners):
            return None
        return Straightened(flattened(rgba, corners), "a rectangle")
    matrix = _to_circle(outline, mask)
    return None if matrix is None else Straightened(_warped(rgba, matrix), "a circle")


def _hull(mask: Mask) -> Points | None:
    points = np.argwhere(mask)[:, ::-1].astype(np.int32)
    if len(points) < 50:
        return None
    return np.asarray(cv2.convexHull(points)[:, 0], np.float32)


def rectangle_of(outline: Points) -> Points | None:
    """Return the corners of the rectangle that a convex outline is, seen at an angle; else None.

    Clockwise from the top left. The sides are fitted to the outline away from the corners, which
    may be round.
    """
    area = float(cv2.contourArea(outline))
    rough = cv2.approxPolyDP(outline, 0.04 * cv2.arcLength(outline, True), True)[:, 0]
    if len(rough) != 4 or area <= 0:
        return None
    corners = _refined(outline, _clockwise(np.asarray(rough, np.float32)))
    if corners is None:
        return None
    whole = float(cv2.contourArea(corners))
    right = np.abs(_angles(corners) - 90.0).max() <= SQUARE
    if not right or not (1 - MOST_MISSING) * whole <= area <= 1.02 * whole:
        return None
    return corners if np.abs(_slants(corners)).max() <= SQUARE + 6 else None


def _clockwise(corners: Points) -> Points:
    middle = corners.mean(axis=0)
    around = np.argsort(np.arctan2(*(corners - middle).T[::-1]))
    corners = corners[around]
    return np.roll(corners, -int(corners.sum(axis=1).argmin()), axis=0)


def _refined(outline: Points, corners: Points) -> Points | None:
    """Fit a line to each side and return where they cross."""
    dense = _dense(outline)
    lines = []
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        along = end - start
        length = float(np.linalg.norm(along))
        share = (dense - start) @ along / length**2
        away = np.abs((dense - start) @ np.array([-along[1], along[0]])) / length**2
        side = dense[(share > 0.12) & (share < 0.88) & (away < 0.06)]
        if len(side) < 8:
            return None
        vx, vy, x, y = cv2.fitLine(side, cv2.DIST_HUBER, 0, 0.01, 0.01).ravel().tolist()
        lines.append(np.cross([x, y, 1.0], [x + vx, y + vy, 1.0]))
    crossings = [np.cross(lines[i - 1], lines[i]) for i in range(4)]
    if any(abs(point[2]) < 1e-9 for point in crossings):
        return None
    return np.array([point[:2] / point[2] for point in crossings], np.float32)


def _dense(outline: Points) -> Points:
    """Return the outline with a point every pixel or so."""
    parts = []
    for start, end in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        steps = max(1, int(np.linalg.norm(end - start)))
        parts.append(start + (end - start) * np.arange(steps)[:, None] / steps)
    return np.concatenate(parts).astype(np.float32)


def _angles(corners: Points) -> NDArray[np.float64]:
    before, after = np.roll(corners, 1, axis=0) - corners, np.roll(corners, -1, axis=0) - corners
    lengths = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    cosine = (before * after).sum(axis=1) / np.maximum(lengths, 1e-6)
    return np.asarray(np.degrees(np.arccos(cosine.clip(-1, 1))), np.float64)


def _slants(corners: Points) -> NDArray[np.float64]:
    """Return by how many degrees each side is off the nearer of level and upright."""
    sides = np.roll(corners, -1, axis=0) - corners
    degrees = np.degrees(np.arctan2(sides[:, 1], sides[:, 0]))
    return np.asarray((degrees + 45.0) % 90.0 - 45.0, np.float64)


def _is_off(corners: Points) -> bool:
    return bool(
        np.abs(_angles(corners) - 90.0).max() > LEAST_DEG
        or np.abs(_slants(corners)).max() > LEAST_DEG
    )


def _print_along(mask: Mask, corners: Points) -> bool:
    """Return whether print runs along all four sides: a frame, not the corners of words."""
    near = _near(mask)
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        share = np.linspace(0.08, 0.92, 200)[:, None]
        if _hit(near, start + (end - start) * share) < ALONG:
            return False
    return True


def _near(mask: Mask) -> Mask:
    wide = max(3, round(0.025 * max(mask.shape))) | 1
    return cv2.dilate(mask.astype(np.uint8), np.ones((wide, wide), np.uint8)) > 0


def _hit(mask: Mask, points: NDArray[Any]) -> float:
    x = points[:, 0].round().astype(int).clip(0, mask.shape[1] - 1)
    y = points[:, 1].round().astype(int).clip(0, mask.shape[0] - 1)
    return float(mask[y, x].mean())


def flattened(picture: NDArray[np.uint8], corners: Points) -> NDArray[np.uint8]:
    """Show the inside of four *corners* as an upright rectangle with their mean lengths."""
    sides = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    width, height = (sides[0] + sides[2]) / 2, (sides[1] + sides[3]) / 2
    scale = min(1.0, PX / max(width, height))
    size = max(2, round(width * scale)), max(2, round(height * scale))
    target = np.array([[0, 0], [size[0], 0], [size[0], size[1]], [0, size[1]]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners + 0.5, target)
    half = np.array([[1, 0, -0.5], [0, 1, -0.5], [0, 0, 1]])
    return _sampled(picture, np.asarray(half @ matrix @ np.linalg.inv(half), np.float64), size)


def _to_circle(outline: Points, mask: Mask) -> NDArray[np.float64] | None:
    """Return the matrix that makes a circle of an outline that is nearly one; else None."""
    dense = _dense(outline)
    (x, y), axes, degrees = cv2.fitEllipse(dense)
    least, most = sorted(axes)
    if not most or not ROUND[0] <= least / most <= ROUND[1]:
        return None
    turn = np.deg2rad(degrees if axes[0] <= axes[1] else degrees + 90.0)  # of the shorter axis
    across, along = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
    places = (dense - [x, y]) @ np.array([across, along]).T / (np.array([least, most]) / 2)
    if np.abs(np.linalg.norm(places, axis=1) - 1).max() > 2 * OFF_ELLIPSE:
        return None
    round_ = np.linspace(0, 2 * np.pi, 400)
    points = np.outer(np.cos(round_) * least / 2, across) + np.outer(
        np.sin(round_) * most / 2, along
    )
    if _hit(_near(mask), points * 0.99 + [x, y]) < ALONG:
        return None
    stretch = np.eye(2) + (most / least - 1) * np.outer(across, across)
    matrix = np.eye(3)
    matrix[:2, :2] = stretch
    return matrix


def _warped(rgba: NDArray[np.uint8], matrix: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Warp a picture by a linear map, and show all of it."""
    height, width = rgba.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]]) @ matrix[:2, :2].T
    low, high = corners.min(axis=0), corners.max(axis=0)
    moved = matrix.copy()
    moved[:2, 2] = -low
    return _sampled(rgba, moved, (int(np.ceil(high - low)[0]), int(np.ceil(high - low)[1])))


def _sampled(
    picture: NDArray[np.uint8], matrix: NDArray[np.float64], size: tuple[int, int]
) -> NDArray[np.uint8]:
    """Sample a picture through a homography; transparent ground lends no colour to the print."""
    if picture.shape[2] == 3:
        return np.asarray(
            cv2.warpPerspective(picture, matrix, size, flags=cv2.INTER_AREA), np.uint8
        )
    share = picture[..., 3:].astype(np.float32) / 255
    seen = np.dstack([picture[..., :3] * share, 255 * share]).astype(np.float32)
    warped = np.asarray(cv2.warpPerspective(seen, matrix, size, flags=cv2.INTER_LINEAR), np.float32)
    colour = warped[..., :3] * (255 / np.maximum(warped[..., 3:], 1))
    return np.dstack([colour, warped[..., 3]]).clip(0, 255).round().astype(np.uint8)
