"""Preprocessing: letterbox a frame into the network's input, or crop and zoom into it.

Training, export, evaluation and the box all call :func:`prepare` and :func:`zoom`, and nothing else
resizes. Most deployed models that fail do so by a second preprocessing that differs a little from
the first, so there is none.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edge.decision import Box

FILL = 114
"""Grey level of the bars beside a letterboxed picture, 0..255."""

STRIP_ROWS = 64
"""Rows converted from numpy to Pillow, or back, at once. Pillow takes four bytes a pixel and copies
more than once: whole frames would take most of the box's memory that is not the network's."""
SMALL_BYTES = 1 << 20
"""Frames no bigger are converted whole, which is quicker: training prepares a hundred small ones a
second."""

Frame = NDArray[np.uint8]
"""A frame: (height, width, 3) uint8, RGB."""


@dataclass(frozen=True)
class Letterbox:
    """Mapping from a frame of (*width*, *height*) to the network's input: scale, then shift.

    *scale_x*, *scale_y*: network pixels per camera pixel; *left*, *top*: the shift, network pixels.
    """

    scale_x: float
    scale_y: float
    left: float
    top: float
    width: int
    height: int

    def to_camera(self, box: Box) -> Box:
        """Map a box from network pixels to camera pixels, clipped to the frame."""
        return Box(
            (box.x0 - self.left) / self.scale_x,
            (box.y0 - self.top) / self.scale_y,
            (box.x1 - self.left) / self.scale_x,
            (box.y1 - self.top) / self.scale_y,
        ).clipped(self.width, self.height)

    def to_network(self, box: Box) -> Box:
        """Map a box from camera pixels to network pixels."""
        return Box(
            box.x0 * self.scale_x + self.left,
            box.y0 * self.scale_y + self.top,
            box.x1 * self.scale_x + self.left,
            box.y1 * self.scale_y + self.top,
        )


def letterbox(width: int, height: int, input_width: int, input_height: int) -> Letterbox:
    """Fit a frame of (*width*, *height*) centred into the input, all in pixels, keeping its aspect.

    Both scales are kept because rounding to whole pixels makes them differ a little.

    >>> letterbox(640, 480, 320, 320)
    Letterbox(scale_x=0.5, scale_y=0.5, left=0, top=40, width=640, height=480)
    """
    scale = min(input_width / width, input_height / height)
    inner_width, inner_height = max(1, round(width * scale)), max(1, round(height * scale))
    left, top = (input_width - inner_width) // 2, (input_height - inner_height) // 2
    return Letterbox(inner_width / width, inner_height / height, left, top, width, height)


def prepare(frame: Frame, input_width: int, input_height: int) -> tuple[Frame, Letterbox]:
    """Letterbox a camera frame into the network's input.

    *frame*: (height, width, 3) uint8, RGB. Returns the input, (input_height, input_width, 3) uint8,
    RGB, with bars of grey :data:`FILL`, and the mapping of boxes. Pillow's bilinear filter averages
    over the area when it shrinks, so small print does not alias.
    """
    height, width = frame.shape[:2]
    fit = letterbox(width, height, input_width, input_height)
    inner = (round(width * fit.scale_x), round(height * fit.scale_y))
    picture = None if inner == (width, height) else _resize(frame, inner)
    out = np.full((input_height, input_width, 3), FILL, np.uint8)
    left, top = int(fit.left), int(fit.top)
    inside = out[top : top + inner[1], left : left + inner[0]]
    if picture is None:
        inside[:] = frame
    else:
        as_frame(picture, inside)
    return out, fit


def _resize(frame: Frame, size: tuple[int, int]) -> Image.Image:
    """Resize to (width, height) as Pillow resizes the whole frame at once, to the last grey level.

    Of a frame that is not taller than wide, Pillow resizes the rows first, each by itself, rounds
    that to whole levels, and then resizes the columns (``ImagingResample`` in its Resample.c): so
    the rows may come in strips. With a tall one it may begin with the columns.
    """
    if len(frame) > frame.shape[1] or frame.nbytes <= SMALL_BYTES:
        return Image.fromarray(frame).resize(size, Image.Resampling.BILINEAR)
    narrow = Image.new("RGB", (size[0], len(frame)))
    for top in range(0, len(frame), STRIP_ROWS):
        strip = Image.fromarray(frame[top : top + STRIP_ROWS])
        narrow.paste(strip.resize((size[0], strip.height), Image.Resampling.BILINEAR), (0, top))
    return narrow.resize(size, Image.Resampling.BILINEAR)


def as_frame(picture: Image.Image, out: Frame | None = None) -> Frame:
    """Copy a Pillow picture, RGB, into *out*, or into a new writable array.

    Returns that array: (height, width, 3) uint8.
    """
    out = np.empty((picture.height, picture.width, 3), np.uint8) if out is None else out
    if out.nbytes <= SMALL_BYTES:
        out[:] = np.asarray(picture)
        return out
    for top in range(0, picture.height, STRIP_ROWS):
        bottom = min(top + STRIP_ROWS, picture.height)
        out[top:bottom] = np.asarray(picture.crop((0, top, picture.width, bottom)))
    return out


def zoom(
    frame: Frame, box: Box, side: int, mark_px: int, offset: int = 0
) -> tuple[Frame, Letterbox]:
    """Crop the square around a box, scaled so that the box's longer side is *mark_px* pixels long.

    *frame*: (height, width, 3) uint8, RGB; *box*: in its pixels, inside it; *offset*: how far right
    of and below the middle of the crop the box's centre comes, in pixels of the crop. Returns the
    crop, (*side*, *side*, 3) uint8, RGB, grey where it reaches beyond the frame, and the mapping of
    boxes.
    """
    height, width = frame.shape[:2]
    scale = mark_px / max(box.width, box.height, 1.0)
    before, behind = (side / 2 + offset) / scale, (side / 2 - offset) / scale
    x, y = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
    seen = Box(x - before, y - before, x + behind, y + behind).clipped(width, height)
    left, top = round((seen.x0 - x + before) * scale), round((seen.y0 - y + before) * scale)
    inner_width = min(side - left, max(1, round(seen.width * scale)))
    inner_height = min(side - top, max(1, round(seen.height * scale)))
    out = np.full((side, side, 3), FILL, np.uint8)
    out[top : top + inner_height, left : left + inner_width] = _crop(
        frame, seen, (inner_width, inner_height)
    )
    scale_x, scale_y = inner_width / seen.width, inner_height / seen.height
    return out, Letterbox(
        scale_x, scale_y, left - seen.x0 * scale_x, top - seen.y0 * scale_y, width, height
    )


def _crop(frame: Frame, part: Box, size: tuple[int, int]) -> Frame:
    """Crop a part of a frame, at sub-pixel corners, resized to *size*, (width, height).

    The filter is that of :func:`prepare`.
    """
    x, y = int(part.x0), int(part.y0)
    around = Image.fromarray(frame[y : math.ceil(part.y1), x : math.ceil(part.x1)])
    corners = (part.x0 - x, part.y0 - y, part.x1 - x, part.y1 - y)
    return np.asarray(around.resize(size, Image.Resampling.BILINEAR, box=corners), np.uint8)
