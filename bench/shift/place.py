"""A place before a camera, made of the packaged pictures, and what can happen to its camera."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from edge.config import DEFAULT_MODEL
from edge.vision.localizer import Localizer
from edge.vision.picture_files import read_picture
from edge.vision.preprocess import Frame

SAMPLES = DEFAULT_MODEL.parent / "samples"
GUIDES = "10-crispbread-other-seals.jpg"
"""The picture whose border is the surround, behind rails: the same beside every item."""
STAMPED = (
    "01-milk-stamped.jpg",
    "03-shipping-box-stamped.jpg",
    "05-can-stamped.jpg",
    "09-pouch-stamped.jpg",
    "11-two-boxes-stamped.jpg",
)
"""Items whose stamp the packaged model finds here; that on the relay box is at its threshold when
it is cut out, and no line runs with a model that rejects every fourth good item."""
UNSTAMPED = ("02-milk-unstamped.jpg", "04-shipping-box-rejected-seal.jpg", "12-tea-passed-seal.jpg")
SIDE = 640
"""Side of the place where the item lies, in the middle of the picture, camera pixels."""
JITTER_PX, NOISE_LEVELS, FLICKER = 6, 2.0, 0.02
"""How far an item lies from its place, the camera's noise in grey levels, and how the light
differs from picture to picture (standard deviation), on a line where all is well."""


@dataclass(frozen=True)
class Place:
    """The surround, and what can lie there: pieces with a stamp and without, ``SIDE`` square."""

    surround: Frame
    stamped: Sequence[Frame]
    unstamped: Sequence[Frame]

    def empty(self, draw: np.random.Generator) -> Frame:
        """Return a picture of the empty place."""
        height, width = self.surround.shape[:2]
        frame = self.surround.copy()
        top, left = (height - SIDE) // 2, (width - SIDE) // 2
        frame[top : top + SIDE, left : left + SIDE] = 120
        return seen(frame, draw)

    def filled(self, piece: Frame, draw: np.random.Generator) -> Frame:
        """Return a picture of an item at about its place."""
        height, width = self.surround.shape[:2]
        frame = self.surround.copy()
        down, right = draw.integers(-JITTER_PX, JITTER_PX + 1, 2)
        top, left = (height - SIDE) // 2 + down, (width - SIDE) // 2 + right
        frame[top : top + SIDE, left : left + SIDE] = piece
        return frame


def make_place(localizer: Localizer) -> Place:
    """Compose the place: each stamped piece is cut around its mark."""
    return Place(
        _with_rails(read_picture(SAMPLES / GUIDES)),
        [_around_mark(read_picture(SAMPLES / name), localizer) for name in STAMPED],
        [_middle(read_picture(SAMPLES / name)) for name in UNSTAMPED],
    )


def _with_rails(frame: Frame) -> Frame:
    """Paint guide rails with their bolts above and below the items' place."""
    picture = Image.fromarray(frame)
    draw = ImageDraw.Draw(picture)
    width, height = picture.size
    for top in (30, height - 130):
        draw.rectangle((0, top, width, top + 100), fill=(96, 100, 106))
        draw.rectangle((0, top + 44, width, top + 56), fill=(150, 152, 155))
        for number, left in enumerate(range(40, width - 40, 150)):
            x, y = left + 17 * (number % 3), top + 14 + 34 * (number % 2)
            draw.ellipse((x, y, x + 38, y + 38), fill=(190, 190, 186), outline=(40, 40, 40))
            draw.line((x + 8, y + 12 + number, x + 30, y + 26 - number), fill=(40, 40, 40), width=5)
    return np.asarray(picture)


def _around_mark(frame: Frame, localizer: Localizer) -> Frame:
    x0, y0, x1, y1 = localizer.find(frame)[0].box.corners()
    return _piece(frame, (y0 + y1) / 2, (x0 + x1) / 2)


def _middle(frame: Frame) -> Frame:
    return _piece(frame, frame.shape[0] / 2, frame.shape[1] / 2)


def _piece(frame: Frame, down: float, right: float) -> Frame:
    top = int(np.clip(down - SIDE / 2, 0, frame.shape[0] - SIDE))
    left = int(np.clip(right - SIDE / 2, 0, frame.shape[1] - SIDE))
    return frame[top : top + SIDE, left : left + SIDE]


def seen(frame: Frame, draw: np.random.Generator) -> Frame:
    """Return a frame as a camera sees it now: flickering light, and noise."""
    light = 1.0 + FLICKER * draw.standard_normal()
    noise = NOISE_LEVELS * draw.standard_normal(frame.shape, np.float32)
    return (light * frame + noise).round().clip(0, 255).astype(np.uint8)


def knocked(frame: Frame, level: float) -> Frame:
    """Return what a camera sees that looks *level* pixels aside."""
    shift = round(level)
    padded = np.pad(frame, ((0, shift), (0, shift), (0, 0)), mode="edge")
    return padded[shift // 2 : shift // 2 + frame.shape[0], shift : shift + frame.shape[1]]


def fogged(frame: Frame, level: float) -> Frame:
    """Return what is seen through a fogged lens; *level* 0..1, at 1 little is left."""
    soft = Image.fromarray(frame).filter(ImageFilter.GaussianBlur(8.0 * level))
    veil = 0.8 * level
    return ((1.0 - veil) * np.asarray(soft) + veil * 170.0).round().astype(np.uint8)


def darkened(frame: Frame, level: float) -> Frame:
    """Return what is seen when a lamp has lost the share *level* of its light, on its side most."""
    gain = 1.0 - level * np.linspace(1.0, 0.6, frame.shape[1], dtype=np.float32)
    return (frame * gain[None, :, None]).round().astype(np.uint8)


HAPPENINGS: dict[str, tuple[Callable[[Frame, float], Frame], tuple[float, ...]]] = {
    "knocked": (knocked, (0.0, 20.0, 80.0, 320.0)),
    "fogged": (fogged, (0.0, 0.1, 0.2, 0.35, 0.5, 0.7, 1.0)),
    "lamp": (darkened, (0.0, 0.3, 0.6, 0.9)),
}
"""What happens to a camera, and the levels at which it is measured, 0 first."""
