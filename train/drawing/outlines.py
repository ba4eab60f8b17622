"""Outlines of seals and badges, each a closed polygon within -1..1."""

import math
from collections.abc import Callable

import numpy as np

from train.drawing.canvas import Point, Points
from train.drawing.random_choice import pick

Outline = Callable[[np.random.Generator], Points]
FULL_TURN = 2 * np.pi
HEXAGON: tuple[Point, ...] = tuple(
    (math.cos(math.radians(60 * i)), math.sin(math.radians(60 * i))) for i in range(6)
)
"""A hexagon that stands on a side, its first corner on the right."""


def at_angles(reach: "Points | float", angles: Points) -> Points:
    """Return points, (n, 2), at *angles* (radians, 0 is right, clockwise) and distances *reach*."""
    return np.stack([reach * np.cos(angles), reach * np.sin(angles)], axis=1)


def star_polygon(
    middle: Point, reach: float, points: int, inner: float, first_deg: float = -90.0
) -> list[Point]:
    """Return a star about *middle*: a point at *first_deg*, its notches at *inner* of *reach*."""
    radii = (reach if i % 2 == 0 else reach * inner for i in range(2 * points))
    turns = (math.radians(first_deg + 180 / points * i) for i in range(2 * points))
    x, y = middle
    return [(x + r * math.cos(a), y + r * math.sin(a)) for r, a in zip(radii, turns, strict=True)]


def circle(_rng: np.random.Generator) -> Points:
    """Return a circle."""
    return at_angles(1.0, np.linspace(0, FULL_TURN, 180, endpoint=False))


def regular(corners: int, turn_deg: float = -90.0) -> Points:
    """Return a polygon with equal sides; its first corner lies at *turn_deg*."""
    return at_angles(1.0, np.radians(turn_deg) + np.linspace(0, FULL_TURN, corners, endpoint=False))


def polygon(rng: np.random.Generator) -> Points:
    """Return a polygon of three to eight corners, standing on a corner or a side."""
    corners = pick((3, 4, 5, 6, 6, 6, 8, 8), rng)
    points = regular(corners, -90 + (180 / corners if rng.random() < 0.5 else 0))
    filled: Points = points / np.abs(points).max(axis=0)
    return filled


def rectangle(rng: np.random.Generator) -> Points:
    """Return a rectangle whose corners are square, round, cut off or scooped out."""
    cut, kind = rng.uniform(0.08, 0.35), int(rng.integers(4))
    if kind == 0:
        return np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], np.float64)
    bend = np.radians(np.linspace(0, 90, 14 if kind != 2 else 2))
    corners = []
    for quarter in range(4):
        start = quarter * np.pi / 2
        corner = np.array([1 if quarter in {0, 3} else -1, 1 if quarter in {0, 1} else -1])
        scooped = corner + at_angles(cut, start + 1.5 * np.pi - bend)
        corners.append(scooped if kind == 3 else corner * (1 - cut) + at_angles(cut, bend + start))
    return np.concatenate(corners)


def wavy(rng: np.random.Generator) -> Points:
    """Return a disc with a wavy, toothed or pointed rim."""
    teeth, depth = pick((8, 10, 12, 16, 20, 24, 30, 36), rng), rng.uniform(0.05, 0.2)
    angles = np.linspace(0, FULL_TURN, teeth * 16, endpoint=False)
    phase = (angles * teeth / FULL_TURN) % 1
    waves = (
        0.5 + 0.5 * np.cos(phase * FULL_TURN),
        np.abs(2 * phase - 1),
        (np.abs(phase - 0.5) < 0.27).astype(np.float64),
        np.abs(np.sin(phase * np.pi)),
    )
    return at_angles(1 - depth * pick(waves, rng), angles)


def star(rng: np.random.Generator) -> Points:
    """Return a star of five to sixteen points."""
    points = pick((5, 6, 8, 12, 16), rng)
    reach = np.tile([1.0, rng.uniform(0.5, 0.8)], points)
    return at_angles(reach, np.linspace(0, FULL_TURN, 2 * points, endpoint=False) - np.pi / 2)


def shield(rng: np.random.Generator) -> Points:
    """Return a shield with a flat, notched or bowed top."""
    fall = np.linspace(0, 1, 24)
    power = rng.uniform(1.6, 3.2)
    shoulder = rng.uniform(-0.4, 0.3)
    right = np.stack([1 - fall**power, shoulder + fall * (1 - shoulder)], axis=1)
    across = np.linspace(-1, 1, 25)
    bow = 0.12 * np.abs(across)
    if rng.random() < 0.6:
        bow = rng.uniform(-0.15, 0.18) * (1 - across**2)
    top = np.stack([across, -0.85 + bow], axis=1)
    return np.concatenate([top, right, right[::-1] * [-1, 1]])


def tag(rng: np.random.Generator) -> Points:
    """Return a label pointed or notched at one or both ends."""
    left, right = (pick((-0.3, 0.0, 0.3), rng) for _ in range(2))
    right = right or 0.3
    upper = [(max(left, 0.0) - 1, -1), (1 - max(right, 0.0), -1)]
    tips = [(1 - max(-right, 0.0), 0), (max(-left, 0.0) - 1, 0)]
    return np.array([*upper, tips[0], *((x, 1) for x, _ in upper[::-1]), tips[1]], np.float64)


def drop(rng: np.random.Generator) -> Points:
    """Return a drop, or the pin of a map when it hangs."""
    angles = np.linspace(0, FULL_TURN, 120, endpoint=False)
    x = np.sin(angles) * np.sin(angles / 2) ** rng.uniform(0.9, 1.6)
    points = np.stack([x, -np.cos(angles)], axis=1)
    points[:, 0] /= np.abs(points[:, 0]).max()
    return points * [1, 1 if rng.random() < 0.6 else -1]


def blob(rng: np.random.Generator) -> Points:
    """Return a soft, uneven shape."""
    angles = np.linspace(0, FULL_TURN, 160, endpoint=False)
    waves = sum(
        rng.normal(0, 0.12 / n) * np.cos(n * angles + rng.uniform(0, 6)) for n in range(2, 6)
    )
    points = at_angles(1 + waves, angles)
    unit: Points = points / np.abs(points).max(axis=0)
    return unit


def arch(rng: np.random.Generator) -> Points:
    """Return a window with a round or pointed top."""
    angles = np.linspace(np.pi, FULL_TURN, 60)
    foot = rng.uniform(-0.4, 0.2)
    rise = (1 + foot) * np.abs(np.sin(angles)) ** rng.uniform(0.5, 1.4)
    top = np.stack([np.cos(angles), foot - rise], axis=1)
    return np.concatenate([[(-1.0, 1.0)], top, [(1.0, 1.0)]])


COMMON: tuple[Outline, ...] = (
    circle, circle, circle, circle, rectangle, rectangle, polygon, wavy, wavy, shield,
)  # fmt: skip
RARE: tuple[Outline, ...] = (star, tag, drop, blob, arch)


def any_outline(rng: np.random.Generator) -> Points:
    """Return one outline, the common ones more often."""
    return pick(COMMON if rng.random() < 0.75 else RARE, rng)(rng)
