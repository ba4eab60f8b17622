"""Motifs for the middle of a seal, or alone; each a mask within a square, its details random."""

import math
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageDraw

from train.drawing.canvas import Point, Points
from train.drawing.lettering import rounded_off
from train.drawing.outlines import FULL_TURN, at_angles, blob, drop, regular, shield, star, wavy
from train.drawing.random_choice import pick

Pairs = Sequence[Point]


class Tile:
    """A square mask; (0, 0) is its middle, x right, y down, its sides at -1 and 1."""

    def __init__(self, side: int) -> None:
        """Make an empty mask of *side* pixels."""
        self.side = max(8, side)
        self.image = Image.new("L", (self.side, self.side))
        self.pen = ImageDraw.Draw(self.image)

    def polygon(self, points: "Points | Pairs", on: bool = True) -> None:
        """Fill a polygon, or cut it out."""
        self.pen.polygon(self._pixels(points), fill=255 * on)

    def line(self, points: "Points | Pairs", width: float, on: bool = True) -> None:
        """Draw a line with round ends, or cut it out."""
        pixels, reach = self._pixels(points), width * self.side / 4
        self.pen.line(pixels, fill=255 * on, width=max(1, round(2 * reach)), joint="curve")
        for x, y in (pixels[0], pixels[-1]):
            self.pen.ellipse((x - reach, y - reach, x + reach, y + reach), fill=255 * on)

    def oval(self, x: float, y: float, rx: float, ry: float | None = None, on: bool = True) -> None:
        """Fill an oval, or cut it out; a disc where only one half-axis is given."""
        ry = rx if ry is None else ry
        (x0, y0), (x1, y1) = self._pixels([(x - rx, y - ry), (x + rx, y + ry)])
        self.pen.ellipse((x0, y0, x1, y1), fill=255 * on)

    def box(self, x0: float, y0: float, x1: float, y1: float, on: bool = True) -> None:
        """Fill a rectangle, or cut it out."""
        self.polygon([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], on)

    def arc(
        self, middle: tuple[float, float], reach: float, degrees: tuple[float, float], width: float
    ) -> None:
        """Draw a part of a circle: 0 degrees is right, 90 is down."""
        self.line(at_angles(reach, np.radians(np.linspace(*degrees, 40))) + middle, width)

    def _pixels(self, points: "Points | Pairs") -> list[tuple[float, float]]:
        return [
            ((x + 1) * self.side / 2, (y + 1) * self.side / 2)
            for x, y in np.asarray(points, np.float64).tolist()
        ]


Motif = Callable[[Tile, np.random.Generator], None]


def motif(rng: np.random.Generator, side: int) -> Image.Image:
    """Return a motif at random, as a mask (L) of *side* x *side* pixels."""
    tile = Tile(side)
    pick(MOTIFS, rng)(tile, rng)
    return tile.image


def _either(rng: np.random.Generator) -> bool:
    return bool(rng.random() < 0.5)


def _tick(t: Tile, rng: np.random.Generator) -> None:
    elbow, width = rng.uniform(-0.4, -0.1), rng.uniform(0.18, 0.4)
    t.line([(-0.8, 0.1), (elbow, 0.65), (0.8, -0.65)], width)
    if _either(rng):
        t.arc((0, 0), 0.9, (-20, 280), 0.12)


def _cross(t: Tile, rng: np.random.Generator) -> None:
    width, turn = rng.uniform(0.2, 0.6), pick((0, 45), rng)
    if not turn:
        t.box(-0.9, -width / 2, 0.9, width / 2)
        t.box(-width / 2, -0.9, width / 2, 0.9)
        return
    for angle in (turn, turn + 90):
        t.line(at_angles(0.95 - width / 2, np.radians([angle, angle + 180])), width)


def _star(t: Tile, rng: np.random.Generator) -> None:
    t.polygon(star(rng) * 0.95)
    if _either(rng):
        t.oval(0, 0, 0.2, on=False)


def _leaf(t: Tile, rng: np.random.Generator) -> None:
    s = np.linspace(0, np.pi, 40)
    for lean in [-40.0, 40.0] if _either(rng) else [rng.uniform(-50, 50)]:
        half = np.stack([rng.uniform(0.25, 0.45) * np.sin(s), 0.75 - 1.6 * s / np.pi], 1)
        c, n = math.cos(math.radians(lean)), math.sin(math.radians(lean))
        turned = np.array([[c, n], [-n, c]])
        t.polygon(np.concatenate([half, half[::-1] * [-1, 1]]) @ turned)
        t.line(np.array([(0, 0.75), (0, -0.6)]) @ turned, 0.06, on=False)
    t.line([(0, 0.45), (0, 0.95)], 0.09)


def _drop(t: Tile, rng: np.random.Generator) -> None:
    t.polygon(drop(rng) * [rng.uniform(0.5, 0.75), 0.95])
    if _either(rng):
        t.oval(0.1, 0.3, 0.3, on=False)
        t.oval(0, 0.22, 0.3)


def _gear(t: Tile, rng: np.random.Generator) -> None:
    teeth = int(rng.integers(6, 14))
    phase = np.linspace(0, FULL_TURN, teeth * 20, endpoint=False)
    t.polygon(at_angles(np.where((phase * teeth / FULL_TURN) % 1 < 0.5, 0.95, 0.74), phase))
    t.oval(0, 0, rng.uniform(0.2, 0.5), on=False)
    if _either(rng):
        t.oval(0, 0, 0.18)


def _crown(t: Tile, rng: np.random.Generator) -> None:
    points = int(rng.integers(3, 6))
    x = np.linspace(-0.85, 0.85, 2 * points - 1)
    y = np.where(np.arange(len(x)) % 2 == 0, -0.5, 0.1)
    t.polygon([(-0.7, 0.75), *zip(x.tolist(), y.tolist(), strict=True), (0.7, 0.75)])
    t.box(-0.75, 0.5, 0.75, 0.58, on=False)
    for tip in x[::2]:
        t.oval(float(tip), -0.6, 0.12)


def _flame(t: Tile, rng: np.random.Generator) -> None:
    for size, on in ((1.0, True), (0.5, False)):
        points = np.array([
            (0, -0.95), (0.35, -0.4), (0.6, 0.2), (0.45, 0.8), (0, 0.95), (-0.45, 0.8),
            (-0.6, 0.2), (-0.3, -0.1), (-0.15, -0.4), (0, -0.95),
        ])  # fmt: skip
        points[1:-1, 0] += rng.normal(0, 0.08, len(points) - 2)
        t.polygon(rounded_off(points, 3) * size + [0, 0.9 * (1 - size)], on)


def _heart(t: Tile, rng: np.random.Generator) -> None:
    a = np.linspace(0, FULL_TURN, 90)
    x = 16 * np.sin(a) ** 3
    y = 13 * np.cos(a) - 5 * np.cos(2 * a) - 2 * np.cos(3 * a) - np.cos(4 * a)
    t.polygon(np.stack([x / 17, -y / 17], 1))
    if _either(rng):
        t.polygon(np.stack([x / 25, -y / 25], 1), on=False)


def _bolt(t: Tile, rng: np.random.Generator) -> None:
    w = rng.uniform(0.3, 0.6)
    left = [(0.1, -0.95), (-w, 0.15), (-0.05, 0.15), (-0.15, 0.95)]
    t.polygon([*left, (w, -0.2), (0.08, -0.2), (w * 0.9, -0.95)])


def _sun(t: Tile, rng: np.random.Generator) -> None:
    rays = int(rng.integers(6, 17))
    for angle in np.linspace(0, FULL_TURN, rays, endpoint=False):
        t.line(np.stack([at_angles(r, np.array([angle]))[0] for r in (0.62, 0.9)]), 0.12)
    t.oval(0, 0, rng.uniform(0.3, 0.5))


def _moon(t: Tile, rng: np.random.Generator) -> None:
    t.oval(0, 0, 0.9)
    t.oval(rng.uniform(0.25, 0.5), rng.uniform(-0.3, 0.1), 0.75, on=False)
    if _either(rng):
        t.polygon(regular(5)[[0, 2, 4, 1, 3]] * 0.3 + [0.45, -0.1])


def _snowflake(t: Tile, rng: np.random.Generator) -> None:
    branch = rng.uniform(0.15, 0.4)
    for angle in np.radians(np.arange(0, 360, 60)):
        end = np.array([math.cos(angle), math.sin(angle)])
        t.line([(0, 0), (end[0] * 0.9, end[1] * 0.9)], 0.11)
        for side in (-1, 1):
            tip = end * 0.55 + branch * np.array([math.cos(angle + side), math.sin(angle + side)])
            t.line(np.stack([end * 0.5, tip]), 0.09)


def _arrow(t: Tile, rng: np.random.Generator) -> None:
    head, shaft = rng.uniform(0.5, 0.9), rng.uniform(0.15, 0.35)
    upper = [(0.95, 0), (0.1, -head), (0.1, -shaft), (-0.95, -shaft)]
    right = [*upper, (-0.95, shaft), (0.1, shaft), (0.1, head)]
    c, s = pick(((1, 0), (0, 1), (-1, 0), (0, -1)), rng)
    t.polygon([(x * c - y * s, x * s + y * c) for x, y in right])


def _circling_arrows(t: Tile, rng: np.random.Generator) -> None:
    count, width = int(rng.integers(1, 4)), rng.uniform(0.16, 0.3)
    step, way = 360 / count, 1 if _either(rng) else -1
    for i in range(count):
        start = i * step
        end = start + way * (step - 42)
        t.arc((0, 0), 0.65, (start, end), width)
        a = math.radians(end)
        along = np.array([-math.sin(a), math.cos(a)]) * way
        out, tip = np.array([math.cos(a), math.sin(a)]), 0.65 * np.array([math.cos(a), math.sin(a)])
        t.polygon(np.stack([tip + out * 0.32, tip + along * 0.5, tip - out * 0.32]))


def _house(t: Tile, rng: np.random.Generator) -> None:
    t.polygon([(-0.95, -0.05), (0, -0.9), (0.95, -0.05)])
    t.box(-0.7, -0.1, 0.7, 0.85)
    door = rng.uniform(-0.4, 0.2)
    t.box(door, 0.25, door + 0.3, 0.85, on=False)
    if _either(rng):
        t.oval(0, -0.35, 0.16, on=False)


def _laurel(t: Tile, rng: np.random.Generator) -> None:
    leaves = int(rng.integers(5, 9))
    for side in (-1, 1):
        t.arc((0, 0), 0.75, (90, 90 + side * 140), 0.05)
        for angle in np.radians(np.linspace(100, 235, leaves)):
            x, y = 0.75 * math.cos(angle), 0.75 * math.sin(angle)
            t.oval(-side * x * 1.1, y * 1.1, 0.09, 0.15)
    if _either(rng):
        t.polygon(regular(5)[[0, 2, 4, 1, 3]] * 0.4)


def _ear_of_wheat(t: Tile, rng: np.random.Generator) -> None:
    t.line([(0, 0.95), (0, -0.5)], 0.07)
    grain = np.array([(0, 0.2), (0.14, 0.0), (0.34, -0.25), (0.1, -0.15), (0, 0.2)])
    for y in np.arange(-0.55, 0.4, 0.26):
        for side in (-1, 1):
            grown = rounded_off(grain * [side, 1] * rng.uniform(0.9, 1.2), 2)
            t.polygon(grown + np.array([side * 0.04, y + 0.1]))
    t.oval(0, -0.75, 0.1, 0.2)


def _cup(t: Tile, rng: np.random.Generator) -> None:
    foot = rng.uniform(0.3, 0.6)
    t.polygon([(-0.65, -0.2), (0.45, -0.2), (foot - 0.1, 0.8), (-foot - 0.1, 0.8)])
    t.arc((0.5, 0.2), 0.28, (-80, 90), 0.12)
    for x in (-0.4, -0.1, 0.2):
        steam = np.array([(x, -0.35), (x + 0.12, -0.5), (x - 0.1, -0.7), (x, -0.9)])
        t.line(rounded_off(steam, 2), 0.08)


def _bottle(t: Tile, rng: np.random.Generator) -> None:
    w, neck = rng.uniform(0.3, 0.5), rng.uniform(0.1, 0.2)
    right = [(neck, -0.95), (neck, -0.45), (w, -0.05), (w, 0.95)]
    t.polygon([*right, *((-x, y) for x, y in right[::-1])])
    t.box(-w * 0.8, 0.2, w * 0.8, 0.65, on=False)


def _flask(t: Tile, rng: np.random.Generator) -> None:
    right = [(0.18, -0.8), (0.18, -0.25), (0.75, 0.85)]
    t.polygon([(-0.18, -0.8), *right, (-0.75, 0.85), (-0.18, -0.25)])
    t.box(-0.3, -0.95, 0.3, -0.78)
    for _ in range(int(rng.integers(1, 5))):
        t.oval(rng.uniform(-0.35, 0.35), rng.uniform(0.2, 0.7), rng.uniform(0.06, 0.13), on=False)


def _fish(t: Tile, rng: np.random.Generator) -> None:
    way = 1 if _either(rng) else -1
    t.oval(way * 0.15, 0, 0.7, rng.uniform(0.3, 0.45))
    t.polygon([(-way * 0.4, 0), (-way * 0.95, -0.45), (-way * 0.8, 0), (-way * 0.95, 0.45)])
    t.oval(way * 0.55, -0.08, 0.08, on=False)
    if _either(rng):
        t.line([(way * 0.25, -0.25), (way * 0.35, 0), (way * 0.25, 0.25)], 0.06, on=False)


def _beast(t: Tile, rng: np.random.Generator) -> None:
    """A four-legged animal seen from the side."""
    way, neck, leg = (1 if _either(rng) else -1), rng.uniform(0.1, 0.5), rng.uniform(0.3, 0.6)
    t.oval(0, 0.05, 0.6, rng.uniform(0.22, 0.36))
    for foot in (-0.5, -0.3, 0.3, 0.5):
        t.line([(foot, 0.1), (foot, 0.3 + leg)], 0.16)
    x, y = way * 0.65, -0.1 - neck
    t.line([(way * 0.4, 0), (x, y)], 0.26)
    t.oval(x + way * 0.08, y, 0.26, 0.16)
    t.polygon([(x - way * 0.1, y), (x - way * 0.16, y - 0.34), (x, y - 0.1)])
    tail = rng.uniform(-0.6, 0.4)
    t.line(rounded_off(np.array([(-way * 0.5, 0), (-way * 0.8, -0.1), (-way * 0.9, tail)]), 2), 0.1)
    if _either(rng):
        t.oval(rng.uniform(-0.3, 0.3), 0.0, 0.14, on=False)


def _bird(t: Tile, rng: np.random.Generator) -> None:
    way = 1 if _either(rng) else -1
    body = [(-0.9, 0.5), (-0.3, -0.3), (0.3, -0.5), (0.6, 0), (0.2, 0.5), (-0.9, 0.5)]
    t.polygon(rounded_off(np.array(body) * [way, 1], 3))
    t.oval(way * 0.45, -0.4, rng.uniform(0.22, 0.32))
    t.polygon([(way * 0.65, -0.5), (way * 0.98, -0.35), (way * 0.65, -0.28)])
    t.oval(way * 0.5, -0.45, 0.06, on=False)
    t.line([(-way * 0.4, 0.2), (way * 0.1, 0.15), (way * 0.2, -0.1)], 0.07, on=False)
    t.line([(0, 0.4), (0, 0.9)], 0.06)


def _face(t: Tile, rng: np.random.Generator) -> None:
    """The head of an animal or of a cartoon figure, from in front."""
    wide, ears = rng.uniform(0.5, 0.7), int(rng.integers(4))
    for side in (-1, 1):
        if ears == 0:
            t.oval(side * 0.55, -0.5, 0.3)
        elif ears == 1:
            t.polygon([(side * 0.65, 0), (side * 0.75, -0.95), (side * 0.05, -0.4)])
        elif ears == 2:
            t.oval(side * 0.28, -0.6, 0.15, 0.38)
    t.oval(0, 0.2, wide, rng.uniform(0.55, 0.72))
    eye, apart = rng.uniform(0.08, 0.17), rng.uniform(0.2, 0.32)
    for side in (-1, 1):
        t.oval(side * apart, 0.05, eye, on=False)
        if eye > 0.12:
            t.oval(side * apart, 0.08, eye * 0.5)
    t.polygon([(-0.1, 0.3), (0.1, 0.3), (0, 0.42)], on=False)
    bend = rng.uniform(-0.15, 0.25)
    t.line(rounded_off(np.array([(-0.3, 0.55), (0, 0.55 + bend), (0.3, 0.55)]), 3), 0.07, on=False)


def _hand(t: Tile, rng: np.random.Generator) -> None:
    t.oval(0, 0.4, 0.42, 0.5)
    up = rng.random(5) < 0.75
    for i, x in enumerate((-0.36, -0.12, 0.12, 0.36)):
        t.line([(x, 0.2), (x * 1.25, -0.75 + 0.25 * abs(x) if up[i] else 0.0)], 0.2)
    t.line([(0.3, 0.5), (0.8, 0.0 if up[4] else 0.45)], 0.2)


def _lock(t: Tile, rng: np.random.Generator) -> None:
    t.arc((0, -0.2), 0.42, (-180, 0 if _either(rng) else -40), 0.2)
    t.box(-0.65, -0.1, 0.65, 0.85)
    t.oval(0, 0.3, 0.14, on=False)
    t.box(-0.05, 0.3, 0.05, 0.62, on=False)


def _eye(t: Tile, rng: np.random.Generator) -> None:
    x = np.linspace(-0.95, 0.95, 40)
    lid = rng.uniform(0.45, 0.65) * (1 - (x / 0.95) ** 2)
    t.polygon(np.concatenate([np.stack([x, -lid], 1), np.stack([x, lid], 1)[::-1]]))
    t.oval(0, 0, 0.38, on=False)
    t.oval(0, 0, 0.24)
    t.oval(0.08, -0.08, 0.07, on=False)


def _mountain(t: Tile, rng: np.random.Generator) -> None:
    a, b = rng.uniform(-0.6, -0.2), rng.uniform(0.2, 0.6)
    peaks = [(a, rng.uniform(-0.8, -0.2)), (0, 0.15), (b, rng.uniform(-0.7, 0))]
    t.polygon([(-0.95, 0.7), *peaks, (0.95, 0.7)])
    t.oval(rng.uniform(-0.1, 0.7), -0.7, 0.18)


def _waves(t: Tile, rng: np.random.Generator) -> None:
    x, swings = np.linspace(-0.9, 0.9, 60), rng.uniform(1, 3)
    for y in np.linspace(-0.5, 0.5, int(rng.integers(2, 5))):
        t.line(np.stack([x, y + 0.16 * np.sin(swings * np.pi * x)], 1), 0.15)


def _tree(t: Tile, rng: np.random.Generator) -> None:
    t.box(-0.1, 0.4, 0.1, 0.95)
    if _either(rng):
        for y in (-0.95, -0.55, -0.15):
            t.polygon([(0, y), (0.3 + (y + 1) * 0.4, y + 0.65), (-0.3 - (y + 1) * 0.4, y + 0.65)])
    else:
        t.polygon(blob(rng) * 0.65 + [0, -0.25])


def _flower(t: Tile, rng: np.random.Generator) -> None:
    petals, reach = int(rng.integers(4, 10)), rng.uniform(0.5, 0.6)
    for x, y in at_angles(reach, np.linspace(0, FULL_TURN, petals, endpoint=False)).tolist():
        t.oval(x, y, 1.6 / petals)
    t.oval(0, 0, 0.34, on=False)
    t.oval(0, 0, 0.22)


def _apple(t: Tile, rng: np.random.Generator) -> None:
    for side in (-0.28, 0.28):
        t.oval(side, 0.25, 0.48, 0.62)
    t.line([(0, -0.2), (0.1, -0.75)], 0.1)
    t.oval(0.35, -0.65, 0.25, 0.12)
    if _either(rng):
        t.oval(0.85, 0.15, 0.28, on=False)


def _umbrella(t: Tile, rng: np.random.Generator) -> None:
    t.polygon(np.concatenate([at_angles(0.9, np.linspace(np.pi, FULL_TURN, 40)), [(0.9, 0.0)]]))
    for x in (-0.6, 0.0, 0.6) if _either(rng) else (-0.45, 0.45):
        t.oval(x, 0.06, 0.28, 0.16, on=False)
    t.line([(0, 0), (0, 0.7), (0.15, 0.85), (0.3, 0.7)], 0.09)


def _key(t: Tile, rng: np.random.Generator) -> None:
    t.oval(-0.5, 0, 0.42)
    t.oval(-0.5, 0, 0.2, on=False)
    t.box(-0.1, -0.1, 0.95, 0.1)
    for x in rng.uniform(0.2, 0.85, int(rng.integers(2, 4))).tolist():
        t.box(x, 0, x + 0.1, 0.35)


def _anchor(t: Tile, rng: np.random.Generator) -> None:
    t.oval(0, -0.72, 0.22)
    t.oval(0, -0.72, 0.1, on=False)
    t.line([(0, -0.5), (0, 0.8)], 0.14)
    t.line([(-0.35, -0.3), (0.35, -0.3)], 0.12)
    t.arc((0, 0.1), 0.68, (rng.uniform(0, 30), 165), 0.15)


def _spanner(t: Tile, rng: np.random.Generator) -> None:
    t.line([(-0.5, 0.5), (0.5, -0.5)], rng.uniform(0.2, 0.35))
    for s in (-1, 1):
        t.oval(s * 0.6, -s * 0.6, 0.32)
        t.line([(s * 0.65, -s * 0.65), (s * 0.95, -s * 0.95)], 0.24, on=False)


def _magnifier(t: Tile, rng: np.random.Generator) -> None:
    t.line([(0.2, 0.2), (0.8, 0.8)], 0.26)
    t.oval(-0.2, -0.2, 0.65)
    t.oval(-0.2, -0.2, 0.47, on=False)
    if _either(rng):
        t.line([(-0.45, -0.2), (-0.25, 0.0), (0.05, -0.4)], 0.13)


def _clock(t: Tile, rng: np.random.Generator) -> None:
    t.oval(0, 0, 0.92)
    t.oval(0, 0, 0.76, on=False)
    for reach, angle in zip((0.6, 0.42), rng.uniform(0, FULL_TURN, 2), strict=True):
        t.line([(0, 0), (reach * math.cos(angle), reach * math.sin(angle))], 0.12)


def _globe(t: Tile, rng: np.random.Generator) -> None:
    t.arc((0, 0), 0.85, (0, 360), 0.1)
    around = np.linspace(0, FULL_TURN, 60)
    for width in (0.0, rng.uniform(0.35, 0.5)):
        t.line(np.stack([width * np.cos(around), 0.85 * np.sin(around)], 1), 0.07)
    for y in (-0.4, 0.0, 0.4):
        reach = math.sqrt(0.85**2 - y**2)
        t.line([(-reach, y), (reach, y)], 0.07)


def _parcel(t: Tile, rng: np.random.Generator) -> None:
    lid = rng.uniform(0.25, 0.45)
    t.polygon([(0, -0.9), (0.85, -0.9 + lid), (0, -0.9 + 2 * lid), (-0.85, -0.9 + lid)])
    for s in (-1, 1):
        top = [(s * 0.06, -0.8 + 2 * lid), (s * 0.85, -0.8 + lid)]
        t.polygon([*top, (s * 0.85, 0.45), (s * 0.06, 0.9)])


def _lorry(t: Tile, rng: np.random.Generator) -> None:
    way = 1 if _either(rng) else -1
    t.box(min(-way * 0.95, way * 0.3), -0.5, max(-way * 0.95, way * 0.3), 0.4)
    cab = [(0.36, -0.2), (0.7, -0.2), (0.95, 0.1), (0.95, 0.4), (0.36, 0.4)]
    t.polygon([(way * x, y) for x, y in cab])
    for x in (-0.55, 0.6):
        t.oval(way * x, 0.45, 0.26, on=False)
        t.oval(way * x, 0.45, 0.18)


def _spiral(t: Tile, rng: np.random.Generator) -> None:
    turns, way = rng.uniform(2, 3.6), (1 if _either(rng) else -1)
    angles = np.linspace(0, turns * FULL_TURN, 160)
    t.line(at_angles(0.85 * angles / angles[-1], way * angles), rng.uniform(0.1, 0.2))


def _target(t: Tile, rng: np.random.Generator) -> None:
    radii = np.sort(rng.uniform(0.15, 0.95, int(rng.integers(2, 6))))[::-1]
    for i, radius in enumerate(radii.tolist()):
        t.oval(0, 0, radius, on=i % 2 == 0)
    if _either(rng):
        t.box(-0.98, -0.05, 0.98, 0.05)
        t.box(-0.05, -0.98, 0.05, 0.98)


def _atom(t: Tile, rng: np.random.Generator) -> None:
    orbits, around = int(rng.integers(2, 5)), np.linspace(0, FULL_TURN, 70)
    for turn in np.linspace(0, np.pi, orbits, endpoint=False):
        x, y = 0.9 * np.cos(around), rng.uniform(0.25, 0.35) * np.sin(around)
        c, s = math.cos(turn), math.sin(turn)
        t.line(np.stack([x * c - y * s, x * s + y * c], 1), 0.08)
    t.oval(0, 0, 0.15)


def _stripes(t: Tile, rng: np.random.Generator) -> None:
    """Bars of uneven length, as many companies' signs have."""
    bars, lean = int(rng.integers(3, 7)), pick((0.0, 0.3, -0.3), rng)
    height = 1.7 / bars
    for i in range(bars):
        y, left, right = -0.85 + i * height, rng.uniform(-0.7, -0.1), rng.uniform(0.1, 0.7)
        left, right, low = left - lean * y, right - lean * y, y + height * 0.6
        t.polygon([(left, y), (right, y), (right, low), (left, low)])


def _turned_pieces(t: Tile, rng: np.random.Generator) -> None:
    """One piece repeated round the middle, as many companies' signs have."""
    folds, corners = int(rng.integers(2, 9)), int(rng.integers(3, 7))
    piece = regular(corners, 0.0) * rng.uniform(0.2, 0.5)
    piece = piece * [1, rng.uniform(0.4, 1.0)] + [rng.uniform(0.35, 0.55), rng.uniform(-0.3, 0.3)]
    if _either(rng):
        piece = rounded_off(np.concatenate([piece, piece[:1]]), 3)
    for turn in np.linspace(0, FULL_TURN, folds, endpoint=False):
        c, s = math.cos(turn), math.sin(turn)
        t.polygon(piece @ np.array([[c, s], [-s, c]]))


def _blocks(t: Tile, rng: np.random.Generator) -> None:
    """Squares, discs and quarters of discs on a small grid."""
    n = int(rng.integers(2, 4))
    cell = 1.8 / n
    for i in range(n * n):
        x, y, kind = -0.9 + cell * (i % n), -0.9 + cell * (i // n), int(rng.integers(5))
        if kind == 1:
            t.box(x, y, x + cell * 0.92, y + cell * 0.92)
        elif kind == 2:
            t.oval(x + cell / 2, y + cell / 2, cell * 0.45)
        elif kind > 2:
            right, foot = x + cell * 0.92, y + cell * 0.92
            corners = np.array([(x, y), (right, y), (right, foot), (x, foot)])
            t.polygon(np.delete(corners, int(rng.integers(4)), axis=0))
    t.box(-0.9, -0.9, -0.9 + cell * 0.5, -0.9 + cell * 0.5)


def _shield(t: Tile, rng: np.random.Generator) -> None:
    outline = shield(rng) * [0.8, 0.95]
    t.polygon(outline)
    t.polygon(outline * 0.8, on=False)
    if _either(rng):
        t.polygon(np.clip(outline * 0.7, None, [0, 1]))
    else:
        t.line([(-0.35, 0), (-0.1, 0.3), (0.4, -0.35)], 0.16)


def _rosette(t: Tile, rng: np.random.Generator) -> None:
    ribbon = [(0.1, 0.1), (0.55, 0.0), (0.6, 0.95), (0.35, 0.8), (0.1, 0.95)]
    for s in (-1, 1):
        t.polygon([(s * x, y) for x, y in ribbon])
    t.polygon(wavy(rng) * 0.65 + [0, -0.3])
    t.oval(0, -0.3, 0.36, on=False)
    t.oval(0, -0.3, rng.uniform(0.1, 0.28))


MOTIFS: tuple[Motif, ...] = (
    _tick, _tick, _cross, _star, _star, _leaf, _leaf, _drop, _gear, _crown, _flame, _heart, _bolt,
    _sun, _moon, _snowflake, _arrow, _circling_arrows, _house, _laurel, _ear_of_wheat, _cup,
    _bottle, _flask, _fish, _beast, _beast, _bird, _face, _face, _hand, _lock, _eye, _mountain,
    _waves, _tree, _flower, _apple, _umbrella, _key, _anchor, _spanner, _magnifier, _clock, _globe,
    _parcel, _lorry, _spiral, _target, _atom, _stripes, _turned_pieces, _turned_pieces,
    _blocks, _blocks, _shield, _rosette,
)  # fmt: skip
