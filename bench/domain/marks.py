"""The eight marks: drawn with OpenCV's lines and letters, each with transparency, 640 pixels long.

Two are their own mirror image, one is its own quarter turn, one is a thin word, one is grey, one
has few strokes; the others are a round stamp with words and a sticker with a ground of its own.
"""

import math
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Mark = NDArray[np.uint8]
"""A mark: (height, width, 4) uint8, RGBA."""
Plane = NDArray[np.uint8]
"""A mask: (height, width) uint8, 255 where there is ink."""
Point = tuple[int, int]

SIDE = 640
"""Longer side of each mark, in pixels."""
MIDDLE = (SIDE // 2, SIDE // 2)
BLUE, RED, GREEN = (28, 62, 160), (190, 30, 38), (16, 110, 60)
BLACK, GREY, WHITE = (24, 24, 28), (128, 128, 128), (250, 250, 250)


def _plane(height: int = SIDE, width: int = SIDE) -> Plane:
    return np.zeros((height, width), np.uint8)


def _inked(mask: Plane, colour: tuple[int, int, int]) -> Mark:
    """Return ink of one colour where the mask says."""
    out = np.empty((*mask.shape, 4), np.uint8)
    out[..., :3], out[..., 3] = colour, mask
    return out


def _write(
    mask: Plane, text: str, centre: Point, height: int, thickness: int, level: int = 255
) -> None:
    """Write a line of capitals of *height* pixels, centred on a point."""
    font = cv2.FONT_HERSHEY_SIMPLEX
    scale = cv2.getFontScaleFromHeight(font, height, thickness)
    (width, tall), _ = cv2.getTextSize(text, font, scale, thickness)
    corner = (centre[0] - width // 2, centre[1] + tall // 2)
    cv2.putText(mask, text, corner, font, scale, level, thickness, cv2.LINE_AA)


def shield() -> Mark:
    """A shield with a cross in it; its own mirror image."""
    mask = _plane()
    sides = [(60, 50), (580, 50), (580, 330), (500, 480), (320, 600), (140, 480), (60, 330)]
    cv2.polylines(mask, [np.array(sides, np.int32)], True, 255, 34, cv2.LINE_AA)
    cv2.rectangle(mask, (285, 130), (355, 500), 255, -1)
    cv2.rectangle(mask, (150, 220), (490, 290), 255, -1)
    return _inked(mask, BLUE)


def warning() -> Mark:
    """A triangle with a bell in it; its own mirror image."""
    mask = _plane()
    corners = np.array([(320, 50), (600, 560), (40, 560)], np.int32)
    cv2.polylines(mask, [corners], True, 255, 30, cv2.LINE_AA)
    cv2.ellipse(mask, (320, 400), (90, 110), 0, 180, 360, 255, -1, cv2.LINE_AA)
    cv2.rectangle(mask, (215, 400), (425, 440), 255, -1)
    cv2.circle(mask, (320, 480), 26, 255, -1, cv2.LINE_AA)
    return _inked(mask, RED)


def quarters() -> Mark:
    """A ring with four leaves; its own quarter turn."""
    mask = _plane()
    cv2.circle(mask, MIDDLE, 290, 255, 26, cv2.LINE_AA)
    for turn in range(4):
        angle = math.radians(90 * turn)
        centre = (round(320 + 130 * math.cos(angle)), round(320 + 130 * math.sin(angle)))
        cv2.ellipse(mask, centre, (110, 46), 90 * turn, 0, 360, 255, -1, cv2.LINE_AA)
    return _inked(mask, GREEN)


def word() -> Mark:
    """A thin word, four times as wide as it is tall."""
    mask = _plane(170)
    _write(mask, "VERUM-7", (320, 85), 100, 7)
    return _inked(mask, BLACK)


def grey() -> Mark:
    """A grey hexagon with a number."""
    mask = _plane()
    corners = [
        (round(320 + 290 * math.cos(a)), round(320 + 290 * math.sin(a)))
        for a in (math.radians(60 * k) for k in range(6))
    ]
    cv2.polylines(mask, [np.array(corners, np.int32)], True, 255, 28, cv2.LINE_AA)
    _write(mask, "QC", (320, 255), 130, 26)
    _write(mask, "41", (320, 420), 110, 22)
    return _inked(mask, GREY)


def tick() -> Mark:
    """A tick over a bar: few strokes."""
    mask = _plane(560)
    strokes = np.array([(70, 250), (240, 420), (590, 50)], np.int32)
    cv2.polylines(mask, [strokes], False, 255, 62, cv2.LINE_AA)
    cv2.rectangle(mask, (60, 490), (590, 545), 255, -1)
    return _inked(mask, GREEN)


def round_stamp() -> Mark:
    """A round stamp with words, as testers use them."""
    mask = _plane()
    cv2.circle(mask, MIDDLE, 300, 255, 16, cv2.LINE_AA)
    cv2.circle(mask, MIDDLE, 262, 255, 6, cv2.LINE_AA)
    _write(mask, "TESTED", (320, 320), 92, 18)
    _write(mask, "LAB 3", (320, 190), 66, 11)
    _write(mask, "A 0917", (320, 450), 66, 11)
    return _inked(mask, BLUE)


def sticker() -> Mark:
    """A red sticker with white words: a mark with a ground of its own."""
    ground, letters = _plane(400), _plane(400)
    cv2.rectangle(ground, (40, 0), (600, 400), 255, -1)
    cv2.rectangle(ground, (0, 40), (640, 360), 255, -1)
    for corner in ((40, 40), (600, 40), (40, 360), (600, 360)):
        cv2.circle(ground, corner, 40, 255, -1, cv2.LINE_AA)
    _write(letters, "PASSED", (320, 150), 105, 24)
    _write(letters, "FINAL CHECK", (320, 290), 60, 10)
    out = _inked(ground, RED)
    share = letters[..., None] / 255.0
    out[..., :3] = np.round(out[..., :3] * (1 - share) + np.array(WHITE) * share)
    return out


MARKS: dict[str, Callable[[], Mark]] = {
    "shield": shield,
    "warning": warning,
    "quarters": quarters,
    "word": word,
    "grey": grey,
    "tick": tick,
    "round": round_stamp,
    "sticker": sticker,
}
"""The marks by their names."""


def as_png(mark: Mark) -> bytes:
    """Return a mark as a PNG file."""
    _, content = cv2.imencode(".png", cv2.cvtColor(mark, cv2.COLOR_RGBA2BGRA))
    return bytes(content.tobytes())
