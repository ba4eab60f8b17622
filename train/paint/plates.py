"""Plates: the plain ground that a mark without a ground of its own is printed on.

A white word on a circuit board, a black one on a carton: what lies round it is one colour that it
stands out from, with other print beside it. A photograph of other goods has no such place, so one
is painted below the cut-out, in the same perspective. Look-alikes get plates alike, so that a plate
tells nothing.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageDraw

from edge.decision import Box
from edge.vision.preprocess import Frame
from train.drawing.canvas import Colour, print_mask
from train.drawing.lettering import line_of, some_face
from train.drawing.words import firm, package_word, phrase
from train.paint.cutouts import Cutout, resized
from train.paint.placing import Pose, bounds, corners_of, project
from train.paint.random_draws import between, happens, whole

CONTRAST = 80.0
"""Grey levels by which a plate differs from the print on it, at least."""
SIDEWAYS, UPDOWN = (0.06, 1.3), (0.1, 1.8)
"""How far a plate reaches beyond the mark, as shares of its width and of its height."""
GAP = 0.1
"""Room around the mark that stays free of other print, as a share of its height."""
LINES, PARTS = 5, 14
"""Most lines of other words on a plate, and most small parts and traces."""
WORD_HEIGHT = (0.12, 0.8)
"""Height of those words, as a share of the mark's."""
TEXTURE = (0.0, 0.25)
"""How much of a photograph's pattern a plate shows."""
DRAWN_PX = 160
"""Longer side of the mark's place when a plate is drawn, in pixels."""
MOST_STRETCH = 2.5
"""Most that a plate is stretched one way for a cut-out of other proportions than the mark's."""
ROUND_SHARE, SAME_INK_SHARE, DARK_SHARE = 0.3, 0.6, 0.5
"""Shares of plates with round corners, of words in the mark's own colour, of strong colours that
are dark."""


@dataclass(frozen=True)
class Plate:
    """A plate: what is pasted, the place of the mark on it, in its pixels, and its colour."""

    cutout: Cutout
    free: Box
    colour: Colour

    def fits(self, other: Cutout, ink: Colour) -> bool:
        """Return whether a print of that colour and size can be read on it."""
        stretch = (other.width / self.free.width) / (other.height / self.free.height)
        readable = abs(grey(self.colour) - grey(ink)) >= CONTRAST
        return readable and 1 / MOST_STRETCH <= stretch <= MOST_STRETCH

    def below(self, other: Cutout, pose: Pose) -> Pose:
        """Return the plate's pose, with which its free place lies below *other* in its pose."""
        x, y = other.width / self.free.width, other.height / self.free.height
        fitted = np.array([[x, 0.0, -self.free.x0 * x], [0.0, y, -self.free.y0 * y], [0, 0, 1.0]])
        matrix = pose.matrix @ fitted
        corners = corners_of(self.cutout.width, self.cutout.height)
        return Pose(matrix, bounds(project(matrix, corners)))


def draw_plate(rng: np.random.Generator, mark: Cutout, photo: Frame) -> Plate:
    """Draw a plate for a mark: a colour, other words, parts and traces around the mark's place.

    *photo*: a picture whose pattern it takes a little of.
    """
    ink = mark.mean_colour
    ground = colour_apart(rng, ink if happens(rng, SAME_INK_SHARE) else None)
    scale = DRAWN_PX / max(mark.width, mark.height)
    wide, high = mark.width * scale, mark.height * scale
    left, right = (between(rng, *SIDEWAYS) * wide for _ in range(2))
    above, below = (between(rng, *UPDOWN) * high for _ in range(2))
    size = max(8, round(left + wide + right)), max(8, round(above + high + below))
    free = Box(left, above, left + wide, above + high)
    image = _drawn(rng, size, free, ink, ground, photo)
    return Plate(Cutout(image, corners_of(*size), None, filled=True), free, ground)


def colour_apart(rng: np.random.Generator, ink: Colour | None) -> Colour:
    """Draw a colour that the ink stands out from, or any: strong ones, greys, black and white."""
    for _ in range(40):
        hue, strength = rng.random() * 179, 255 * rng.random() ** 0.5
        level = 255 * (between(rng, 0.05, 0.6) if happens(rng, DARK_SHARE) else rng.random())
        hsv = np.array([[[hue, strength, level]]]).astype(np.uint8)
        red, green, blue = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0].tolist()
        if ink is None or abs(grey((red, green, blue)) - grey(ink)) >= CONTRAST:
            return red, green, blue
    return (245, 245, 245) if ink is not None and grey(ink) < 128 else (20, 20, 24)


def grey(colour: Colour) -> float:
    """Return the grey level of a colour, 0..255."""
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]


def _drawn(
    rng: np.random.Generator,
    size: tuple[int, int],
    free: Box,
    ink: Colour,
    ground: Colour,
    photo: Frame,
) -> Image.Image:
    """Draw a plate of *size* pixels, RGBA, with print around the place *free* of the mark."""
    pattern = resized(photo, size).astype(np.float32)
    pattern -= pattern.mean(axis=(0, 1))
    shaded = np.array(ground) + between(rng, *TEXTURE) * pattern
    plate = Image.fromarray(shaded.clip(0, 255).astype(np.uint8)).convert("RGBA")
    pen = ImageDraw.Draw(plate)
    gap = GAP * free.height
    for _ in range(whole(rng, PARTS + 1)):
        _draw_part(rng, pen, size, free, gap, ground)
    readable = abs(grey(ink) - grey(ground)) >= CONTRAST
    for _ in range(whole(rng, LINES + 1)):
        own = readable and happens(rng, SAME_INK_SHARE)
        _print_line(rng, plate, free, gap, ink if own else colour_apart(rng, ground))
    if happens(rng, ROUND_SHARE):
        shape = Image.new("L", size)
        corner = between(rng, 0.03, 0.25) * min(size)
        box = (0, 0, size[0] - 1, size[1] - 1)
        ImageDraw.Draw(shape).rounded_rectangle(box, corner, fill=255)
        plate.putalpha(shape)
    return plate


def _is_free(box: tuple[float, float, float, float], free: Box, gap: float) -> bool:
    """Return whether a box (x0, y0, x1, y1) leaves the mark's place alone."""
    return (
        box[2] < free.x0 - gap
        or box[0] > free.x1 + gap
        or box[3] < free.y0 - gap
        or box[1] > free.y1 + gap
    )


def _draw_part(
    rng: np.random.Generator,
    pen: ImageDraw.ImageDraw,
    size: tuple[int, int],
    free: Box,
    gap: float,
    ground: Colour,
) -> None:
    """Draw a small part, a hole or a trace; one that meets the mark's place is left out."""
    x, y = rng.random() * size[0], rng.random() * size[1]
    w, h = (between(rng, 0.05, 0.5) * free.height for _ in range(2))
    near = [int(min(255, max(0, level + rng.normal(0, 60)))) for level in ground]
    colour = (near[0], near[1], near[2], 255)
    kind = whole(rng, 3)
    if kind == 2:
        w, h = (w * 4, 1 + 0.03 * free.height) if happens(rng, 0.5) else (1 + 0.03 * w, h * 4)
    box = (x - w / 2, y - h / 2, x + w / 2, y + h / 2)
    if _is_free(box, free, gap):
        (pen.ellipse if kind == 1 else pen.rectangle)(box, fill=colour)


def _print_line(
    rng: np.random.Generator, plate: Image.Image, free: Box, gap: float, ink: Colour
) -> None:
    """Print other words beside the mark's place; where there is no room they are left out."""
    height = between(rng, *WORD_HEIGHT) * free.height
    words = (firm, package_word, phrase)[whole(rng, 3)](rng)
    line = line_of(words, some_face(rng), max(8, round(height)))
    shrink = min(1.0, height / max(line.height, 1))
    size = max(1, round(line.width * shrink)), max(1, round(line.height * shrink))
    line = line.resize(size, Image.Resampling.BILINEAR)
    x = round(rng.random() * max(1, plate.width - size[0]))
    y = (
        round(free.y1 + gap * between(rng, 1.1, 3.0)),
        round(free.y0 - gap * between(rng, 1.1, 3.0)) - size[1],
        round(rng.random() * max(1, plate.height - size[1])),
    )[whole(rng, 3)]
    if _is_free((x, y, x + size[0], y + size[1]), free, gap):
        print_mask(plate, line, (x, y), (*ink, 255))
