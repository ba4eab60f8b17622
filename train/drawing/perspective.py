"""Setting a flat picture into a scene in perspective: a homography from four corners."""

import math

import numpy as np
from PIL import Image

from train.drawing.canvas import Point

Quad = tuple[Point, Point, Point, Point]
"""Corners in pixels: top left, top right, bottom right, bottom left."""


def coefficients(target: Quad, size: tuple[int, int]) -> tuple[float, ...]:
    """Return the eight coefficients with which Pillow sets a picture of *size* into a quad.

    Pillow asks for the way back: x_source = (a x + b y + c) / (g x + h y + 1), y_source likewise
    with d, e, f.
    """
    w, h = size
    rows, values = [], []
    for (x, y), (u, v) in zip(target, ((0, 0), (w, 0), (w, h), (0, h)), strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return tuple(float(c) for c in np.linalg.solve(np.array(rows, float), np.array(values, float)))


def place(scene: Image.Image, face: Image.Image, quad: Quad) -> None:
    """Paste a flat face (L, RGB or RGBA) into the scene so that its corners lie on the quad's."""
    xs, ys = [x for x, _ in quad], [y for _, y in quad]
    x0, y0 = max(0, math.floor(min(xs))), max(0, math.floor(min(ys)))
    size = min(scene.width, math.ceil(max(xs))) - x0, min(scene.height, math.ceil(max(ys))) - y0
    if size[0] < 2 or size[1] < 2:
        return
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = quad
    moved = (ax - x0, ay - y0), (bx - x0, by - y0), (cx - x0, cy - y0), (dx - x0, dy - y0)
    way_back = coefficients(moved, face.size)

    def set_in(picture: Image.Image) -> Image.Image:
        way = Image.Transform.PERSPECTIVE
        return picture.transform(size, way, way_back, Image.Resampling.BILINEAR)

    seen = set_in(face)
    mask = seen if face.mode == "RGBA" else set_in(Image.new("L", face.size, 255))
    scene.paste(seen, (x0, y0), mask)
