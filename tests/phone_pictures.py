"""Phone pictures of stamps, drawn: stamps, grounds, six kinds of light, tilt, and a camera.

Each comes with its truth, the stamp as it was drawn. They are physical as far as it matters here:
ink absorbs (or covers) what lies below it, light falls on both, the camera sees it at an angle, and
blur, noise, a curve of grey levels and JPEG come last.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Plane = NDArray[np.float32]
"""(height, width) or (height, width, 3), 0..1."""
SIDE = 640
"""Longer side of a stamp as it is drawn, in pixels."""


@dataclass(frozen=True)
class PhonePicture:
    """A phone picture and its truth.

    *pixels*: (height, width, 3) uint8, RGB; *truth*: (height, width) bool, the print of the stamp
    as it was drawn, cropped.
    """

    name: str
    pixels: NDArray[np.uint8]
    truth: NDArray[np.bool_]


def _font(px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(px)


def _blank(width: int = SIDE, height: int = SIDE) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("L", (width, height), 0)
    return image, ImageDraw.Draw(image)


def _around(image: Image.Image, words: str, radius: float, px: int) -> None:
    """Write *words* along a circle, their feet towards the middle."""
    middle = image.width / 2
    for place, letter in enumerate(words):
        turn = 360.0 * place / len(words)
        tile = Image.new("L", (2 * px, 2 * px), 0)
        ImageDraw.Draw(tile).text((px, px), letter, 255, _font(px), anchor="mm")
        tile = tile.rotate(-turn, Image.Resampling.BICUBIC)
        angle = np.deg2rad(turn - 90.0)
        at = middle + radius * np.cos(angle) - px, middle + radius * np.sin(angle) - px
        image.paste(255, (round(at[0]), round(at[1])), tile)


def ring_stamp() -> Image.Image:
    """A round stamp: two rings, words along them, a word inside."""
    image, draw = _blank()
    draw.ellipse((2, 2, SIDE - 3, SIDE - 3), outline=255, width=22)
    draw.ellipse((130, 130, SIDE - 131, SIDE - 131), outline=255, width=8)
    _around(image, "CHECKED * LINE FOUR * ", 250, 62)
    draw.text((SIDE / 2, SIDE / 2), "OK", 255, _font(190), anchor="mm", stroke_width=5)
    return image


def frame_stamp() -> Image.Image:
    """A word in a frame."""
    image, draw = _blank(SIDE, 300)
    draw.rounded_rectangle((2, 2, SIDE - 3, 297), 22, outline=255, width=16)
    draw.text((SIDE / 2, 110), "TESTED", 255, _font(130), anchor="mm", stroke_width=4)
    draw.text((SIDE / 2, 230), "QA 17 / B", 255, _font(72), anchor="mm", stroke_width=2)
    return image


def word_stamp() -> Image.Image:
    """Open words in two lines, the way an ink-jet prints them."""
    image, draw = _blank(SIDE, 240)
    draw.text((SIDE / 2, 70), "LOT 4711", 255, _font(135), anchor="mm", stroke_width=4)
    draw.text((SIDE / 2, 188), "2026-11-30 A", 255, _font(92), anchor="mm", stroke_width=2)
    return image


def solid_stamp() -> Image.Image:
    """A filled disc with its letters left out."""
    image, draw = _blank()
    draw.ellipse((2, 2, SIDE - 3, SIDE - 3), fill=255)
    draw.text((SIDE / 2, SIDE / 2 - 60), "PASS", 0, _font(190), anchor="mm", stroke_width=6)
    draw.text((SIDE / 2, SIDE / 2 + 110), "QC-3", 0, _font(120), anchor="mm", stroke_width=4)
    return image


def oval_stamp() -> Image.Image:
    """An oval with a number and a bar."""
    image, draw = _blank(SIDE, 400)
    draw.ellipse((2, 2, SIDE - 3, 397), outline=255, width=20)
    draw.text((SIDE / 2, 130), "DE", 255, _font(110), anchor="mm", stroke_width=4)
    draw.text((SIDE / 2, 225), "BY 10234", 255, _font(105), anchor="mm", stroke_width=4)
    draw.text((SIDE / 2, 320), "EG", 255, _font(80), anchor="mm", stroke_width=3)
    return image


def symbol_stamp() -> Image.Image:
    """A triangle with a sign, and a small number beside it."""
    image, draw = _blank(SIDE, 520)
    draw.polygon(((210, 10), (410, 370), (10, 370)), outline=255, width=26)
    draw.text((210, 260), "!", 255, _font(210), anchor="mm", stroke_width=8)
    draw.text((530, 300), "42", 255, _font(150), anchor="mm", stroke_width=5)
    draw.rectangle((10, 430, 628, 505), fill=255)
    return image


STAMPS: dict[str, Callable[[], Image.Image]] = {
    "ring": ring_stamp,
    "frame": frame_stamp,
    "word": word_stamp,
    "solid": solid_stamp,
    "oval": oval_stamp,
    "symbol": symbol_stamp,
}
INKS: dict[str, tuple[float, float, float]] = {
    "blue": (0.10, 0.16, 0.52),
    "black": (0.07, 0.07, 0.08),
    "red": (0.72, 0.07, 0.09),
    "violet": (0.30, 0.08, 0.45),
    "green": (0.05, 0.42, 0.20),
}
"""What is left of white light that falls through an ink: red, green, blue, linear."""


def _noise(rng: np.random.Generator, size: tuple[int, int], blur: tuple[float, float]) -> Plane:
    """Return noise of mean 0 and deviation 1, blurred by so many pixels across and down."""
    noise = rng.standard_normal((size[1], size[0])).astype(np.float32)
    noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), sigmaX=blur[0], sigmaY=blur[1]), np.float32)
    return np.asarray(noise / noise.std(), np.float32)


def paper(rng: np.random.Generator, size: tuple[int, int]) -> Plane:
    """White paper with a little grain."""
    grain = 0.008 * _noise(rng, size, (1.2, 1.2)) + 0.006 * _noise(rng, size, (9, 9))
    return np.asarray((0.86 + grain)[..., None] * np.array([1, 0.99, 0.96]), np.float32)


def cardboard(rng: np.random.Generator, size: tuple[int, int]) -> Plane:
    """Brown cardboard: fibres, flecks, and its flutes in bands."""
    grain = 0.03 * _noise(rng, size, (4, 0.9)) + 0.03 * _noise(rng, size, (1.0, 1.0))
    flutes = 0.025 * np.sin(np.arange(size[0]) / size[0] * 150.0)[None, :]
    flecks = np.where(_noise(rng, size, (1.4, 1.4)) > 3.1, -0.16, 0.0)
    board = (1 + grain + flutes + flecks)[..., None] * np.array([0.47, 0.32, 0.19])
    return np.asarray(board, np.float32)


def metal(rng: np.random.Generator, size: tuple[int, int]) -> Plane:
    """Brushed metal: streaks across, and broad reflections."""
    streaks = 0.05 * _noise(rng, size, (60, 0.8)) + 0.02 * _noise(rng, size, (1, 1))
    height = np.linspace(0, 1, size[1], dtype=np.float32)[:, None]
    gleam = 0.35 * np.exp(-(((height - rng.uniform(0.2, 0.8)) / 0.35) ** 2))
    plate = (0.42 * (1 + streaks) * (1 + gleam))[..., None] * np.array([0.98, 1.0, 1.03])
    return np.asarray(plate, np.float32)


GROUNDS = {"paper": paper, "cardboard": cardboard, "metal": metal}


def _places(size: tuple[int, int]) -> tuple[Plane, Plane]:
    width, height = size
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return x / width - 0.5, y / height - 0.5


def even(rng: np.random.Generator, size: tuple[int, int]) -> Plane:
    """Even daylight."""
    return np.ones((size[1], size[0], 3), np.float32)


def from_side(rng: np.random.Generator, size: tuple[int, int]) -> Plane:
    """A window at one side."""
    x, y = _places(size)
    turn = rng.uniform(0, 2 * np.pi)
    fall = np.exp(0.75 * (x * np.cos(turn) + y * np.sin(turn)))
    return np.asarray(fall[..., None] * np.ones(3), np.float32)


def vignette(rng: np.random.Generator, size: tuple[int, int]) -> Plane:
    """Corners at half the light of the middle."""
    x, y = _places(size)
    return np.asarray((1 / (1 + 1.1 * (x**2 + y**2)) ** 2)[..., None] * np.ones(3), np.float32)


def lamp(rng: np.random.Generator, size: tuple[int, int]) -> Plane:
    """A warm lamp from above, close by."""
    x, y = _places(size)
    at = rng.uniform(-0.4, 0.4, 2)
    spot = 0.45 + 0.75 * np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / 0.18)
    return np.asarray(spot[..., None] * np.array([1.0, 0.86, 0.62]), np.float32)


def shadow(rng: np.random.Generator, size: tuple[int, int]) -> Plane:
    """The straight edge of a shadow across the stamp, bluish as shadows are."""
    x, y = _places(size)
    turn = rng.uniform(0, 2 * np.pi)
    depth = x * np.cos(turn) + y * np.sin(turn) - rng.uniform(-0.15, 0.15)
    lit = 1 / (1 + np.exp(-depth / rng.uniform(0.004, 0.02)))[..., None]
    return np.asarray(lit + (1 - lit) * np.array([0.50, 0.53, 0.58]), np.float32)


def cast(rng: np.random.Generator, size: tuple[int, int]) -> Plane:
    """Two lamps of two colours."""
    x, _ = _places(size)
    share = (x + 0.5)[..., None]
    left, right = np.array([1.05, 0.85, 0.6]), np.array([0.65, 0.9, 0.95])
    return np.asarray((1 - share) * left + share * right, np.float32)


LIGHTS = {
    "even": even,
    "side": from_side,
    "vignette": vignette,
    "lamp": lamp,
    "shadow": shadow,
    "cast": cast,
}


def _tilted(
    rng: np.random.Generator, stamp: tuple[int, int], size: tuple[int, int], share: float
) -> NDArray[np.float64]:
    """Return the homography of a stamp seen at up to 20 degrees each way, from its pixels."""
    ax, ay = np.deg2rad(rng.uniform(-20, 20, 2))
    roll = np.deg2rad(rng.uniform(-8, 8))
    far = 4.5  # distance of the camera, in stamps
    w, h = stamp
    unit = np.array([[-w, -h, 0], [w, -h, 0], [w, h, 0], [-w, h, 0]], float) / (2 * max(w, h))
    rx = np.array([[1, 0, 0], [0, np.cos(ax), -np.sin(ax)], [0, np.sin(ax), np.cos(ax)]])
    ry = np.array([[np.cos(ay), 0, np.sin(ay)], [0, 1, 0], [-np.sin(ay), 0, np.cos(ay)]])
    rz = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    seen = unit @ (rz @ rx @ ry).T
    flat = seen[:, :2] * (far / (far + seen[:, 2:]))
    scale = share * min(size)
    at = np.array(size) / 2 + rng.uniform(-0.04, 0.04, 2) * min(size)
    corners = (flat * scale + at).astype(np.float32)
    source = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
    return np.asarray(cv2.getPerspectiveTransform(source, corners), np.float64)


def take(
    name: str,
    seed: int,
    ink: str = "blue",
    density: float = 1.0,
    size: tuple[int, int] = (1200, 1000),
    share: float = 0.62,
) -> PhonePicture:
    """Take a phone picture; *name*: stamp, ground and light, parted by blanks.

    *density*: of the ink, 0..1; *share*: of the picture's shorter side that the stamp takes.
    An ink called white covers; all others absorb.
    """
    rng = np.random.default_rng(seed)
    of_stamp, of_ground, of_light = name.split()
    stamp = STAMPS[of_stamp]()
    print_ = np.asarray(stamp, np.float32) / 255
    matrix = _tilted(rng, stamp.size, size, share)
    worn = 1 - 0.18 * np.clip(_noise(rng, stamp.size, (2.5, 2.5)), -0.5, 1.5)
    inked = cv2.warpPerspective(print_ * worn.clip(0, 1), matrix, size, flags=cv2.INTER_AREA)
    cover = (density * np.asarray(inked, np.float32).clip(0, 1))[..., None]
    ground = GROUNDS[of_ground](rng, size)
    if ink == "white":
        scene = ground * (1 - cover) + 0.88 * cover
    else:
        scene = ground * (1 - cover + cover * np.array(INKS[ink], np.float32))
    return PhonePicture(
        f"{name} {ink}", _camera(rng, scene * LIGHTS[of_light](rng, size)), _cropped(print_ > 0.5)
    )


def _cropped(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _camera(rng: np.random.Generator, light: Plane) -> NDArray[np.uint8]:
    """Expose, blur, add noise, and go through JPEG."""
    exposed = np.asarray(light * (0.85 / np.quantile(light, 0.98)), np.float32)
    blurred = np.asarray(cv2.GaussianBlur(exposed, (0, 0), rng.uniform(0.7, 1.4)), np.float32)
    grain = 0.012 * np.sqrt(blurred.clip(0.02, 1))
    seen = blurred + rng.standard_normal(blurred.shape) * grain
    levels = (255 * np.clip(seen, 0, 1) ** (1 / 2.2)).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(levels).save(file, "JPEG", quality=int(rng.integers(80, 94)))
    with Image.open(file) as again:  # what was just written
        return np.asarray(again.convert("RGB"), np.uint8)
