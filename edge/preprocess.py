"""The one place that resizes: training, export, evaluation and the box all call :func:`prepare`.

Most wrecks of deployed models come from a second preprocessing that differs a little from the first, so there is none.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edge.decision import Box

FILL = 114
"""Grey level of the bars beside a letterboxed picture, 0..255."""

Frame = NDArray[np.uint8]
"""A picture: (height, width, 3) uint8, RGB."""


@dataclass(frozen=True)
class Letterbox:
    """How a camera picture lies inside the network's: scaled by *scale*, then moved by (*left*, *top*) pixels."""

    scale_x: float
    scale_y: float
    left: int
    top: int
    width: int
    height: int

    def to_camera(self, box: Box) -> Box:
        """Map a box from network pixels to camera pixels, clipped to the camera picture of (*width*, *height*)."""
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
    """Fit a (*width*, *height*) picture centred inside (*input_width*, *input_height*), in pixels, keeping its aspect.

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

    *frame*: (height, width, 3) uint8, RGB. Returns the input, (input_height, input_width, 3) uint8, RGB, and how to map
    boxes back. Pillow's bilinear filter averages over the area when it shrinks, so small print does not alias.
    """
    height, width = frame.shape[:2]
    fit = letterbox(width, height, input_width, input_height)
    inner = (round(width * fit.scale_x), round(height * fit.scale_y))
    picture = Image.fromarray(frame)
    if inner != (width, height):
        picture = picture.resize(inner, Image.Resampling.BILINEAR)
    out = np.full((input_height, input_width, 3), FILL, np.uint8)
    out[fit.top : fit.top + inner[1], fit.left : fit.left + inner[0]] = np.asarray(picture)
    return out, fit
