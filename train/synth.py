"""One training picture: a mark superimposed with Pillow on a product, then seen through a camera.

:func:`paint` is the way of one training picture, from background to network input. Which tricks matter follows
Dwibedi et al., *Cut, Paste and Learn* (2017): vary the blending, and put the same seams where no mark is, so that the
seam itself teaches nothing; look-alikes are pasted by the same code as marks.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageStat

from edge.decision import Box
from edge.preprocess import Frame, prepare
from train.backgrounds import Backgrounds
from train.config import SynthSettings
from train.lookalikes import make_lookalike
from train.marks import Mark, outline_of

LOOKALIKE_POOL = 240
"""Look-alikes made ahead, once for each painter."""
GIVEN_SHARE = 0.5
"""Share of look-alikes that are those the user brought, when there are any."""
SMALLEST_PX = 9.0
"""A mark whose shorter side is less than this, in network pixels, is ignored: nobody could tell what it is."""
LEGIBLE_PX = 30.0
"""Longer side, in network pixels, from which a look-alike can be told from a mark."""
DARK = 70
"""Grey level below which nobody prints ink: it could not be seen."""
ASPECTS = (1.0, 1.0, 4 / 3, 3 / 4, 16 / 9)
"""Width by height of whole frames."""


@dataclass(frozen=True)
class Picture:
    """A painted training picture.

    *pixels*: (height, width, 3) uint8, RGB, network input; *marks*: class index and box in network pixels, of those
    that count; *ignored*: boxes of those too small, hidden or cut to count.
    """

    pixels: Frame
    marks: tuple[tuple[int, Box], ...]
    ignored: tuple[Box, ...]


@dataclass(frozen=True)
class Cutout:
    """Something to paste: *image* RGBA, its *outline* (n, 2) in its pixels, and *kind*, None for a look-alike."""

    image: Image.Image
    outline: NDArray[np.float64]
    kind: int | None


@dataclass
class Kit:
    """What pictures are painted from. Synchronization: one painter each; its caches change as it is used."""

    marks: Sequence[Mark]
    backgrounds: Backgrounds
    settings: SynthSettings
    size: int
    given_lookalikes: Sequence[Mark] = ()
    pool: list[Cutout] = field(default_factory=list)

    def mark(self, rng: np.random.Generator) -> Cutout:
        """One of the marks; each class is equally likely, whatever its number of looks."""
        kinds = sorted({mark.kind for mark in self.marks})
        kind = kinds[int(rng.integers(len(kinds)))]
        looks = [mark for mark in self.marks if mark.kind == kind]
        mark = looks[int(rng.integers(len(looks)))]
        return Cutout(mark.image, mark.outline, mark.kind)

    def lookalike(self, rng: np.random.Generator) -> Cutout:
        """Something that must not be taken for a mark.

        One of those given, one made from a mark, or a mark-shaped piece of another picture.
        """
        if self.given_lookalikes and rng.random() < GIVEN_SHARE:
            given = self.given_lookalikes[int(rng.integers(len(self.given_lookalikes)))]
            return Cutout(given.image, given.outline, None)
        if rng.random() < 0.25:
            return self._piece(rng)
        if not self.pool:
            maker = np.random.default_rng(len(self.marks))
            self.pool = [self._make(maker) for _ in range(LOOKALIKE_POOL)]
        return self.pool[int(rng.integers(len(self.pool)))]

    def _make(self, rng: np.random.Generator) -> Cutout:
        image = make_lookalike(self.marks[int(rng.integers(len(self.marks)))].image, rng)
        return Cutout(image, outline_of(image), None)

    def _piece(self, rng: np.random.Generator) -> Cutout:
        shape = self.marks[int(rng.integers(len(self.marks)))]
        other = self.backgrounds.choose(rng)
        side = int(min(other.size) * rng.uniform(0.3, 1.0))
        x, y = (int(rng.integers(length - side + 1)) for length in other.size)
        image = (
            other.crop((x, y, x + side, y + side)).resize(shape.image.size, Image.Resampling.BILINEAR).convert("RGBA")
        )
        image.putalpha(shape.image.getchannel("A"))
        return Cutout(image, shape.outline, None)


@dataclass(frozen=True)
class Placed:
    """A cut-out on the canvas: its *box* in camera pixels and the share of it that can be seen, 0..1."""

    kind: int | None
    box: Box
    visible: float


def paint(rng: np.random.Generator, kit: Kit, window: int) -> Picture:
    """The way of one training picture, from background to network input.

    ::

        background → look-alikes and marks, superimposed → light → lens and sensor → prepare → boxes

    *window*: side of the network input it fills, in pixels. One as large as ``kit.size`` shows a whole frame, a
    smaller one a part of a frame at the same scale, which costs less and teaches as much.
    """
    canvas, scale = background(rng, kit, window)
    placed: list[Placed] = []
    for cutout in choose_cutouts(rng, kit):
        canvas, spot = superimpose(rng, kit, canvas, cutout, scale, placed)
        placed.extend(spot)
    canvas = light(rng, kit.settings, canvas)
    frame = lens_and_sensor(rng, kit.settings, canvas)
    pixels, fit = prepare(frame, window, window)
    network = [Placed(p.kind, fit.to_network(p.box), p.visible) for p in placed if p.kind is not None]
    counts = [p.visible >= kit.settings.visible_min and min(p.box.width, p.box.height) >= SMALLEST_PX for p in network]
    return Picture(
        pixels,
        tuple((p.kind, p.box) for p, good in zip(network, counts, strict=True) if good and p.kind is not None),
        tuple(p.box for p, good in zip(network, counts, strict=True) if not good),
    )


def background(rng: np.random.Generator, kit: Kit, window: int) -> tuple[Image.Image, float]:
    """A piece of a product picture, and how many of its pixels one pixel of the network's input covers."""
    photo = kit.backgrounds.choose(rng)
    if rng.random() < kit.settings.plain_share:
        photo = on_plain_ground(rng, photo)
    aspect = ASPECTS[int(rng.integers(len(ASPECTS)))] if window >= kit.size else 1.0
    share = rng.uniform(0.75, 1.0) if window >= kit.size else rng.uniform(0.45, 1.0)
    width = min(photo.width, photo.height * aspect) * share
    height = width / aspect
    x, y = rng.uniform(0, photo.width - width), rng.uniform(0, photo.height - height)
    # The camera's picture is about as sharp as the photograph it is made of, so that a mark is not the one sharp thing.
    long_side = float(np.clip(max(width, height) * rng.uniform(0.7, 1.25), window * 0.55, window * 1.8))
    size = (max(8, round(long_side * min(1.0, aspect))), max(8, round(long_side / max(1.0, aspect))))
    piece = np.asarray(photo)[int(y) : int(y + height), int(x) : int(x + width)]
    if rng.random() < 0.5:
        piece = piece[:, ::-1]
    way = cv2.INTER_AREA if size[0] < piece.shape[1] else cv2.INTER_LINEAR
    return Image.fromarray(cv2.resize(np.ascontiguousarray(piece), size, interpolation=way)), max(size) / window


def on_plain_ground(rng: np.random.Generator, photo: Image.Image) -> Image.Image:
    """A product as shops show it: the photograph smaller, on ground of one light colour of the same size."""
    ground = Image.new("RGB", photo.size, tuple(int(255 - rng.exponential(6)) for _ in range(3)))
    share = rng.uniform(0.3, 0.9)
    small = photo.resize((int(photo.width * share), int(photo.height * share)), Image.Resampling.BILINEAR)
    ground.paste(
        small, (int(rng.integers(ground.width - small.width)), int(rng.integers(ground.height - small.height)))
    )
    return ground


def choose_cutouts(rng: np.random.Generator, kit: Kit) -> list[Cutout]:
    """What will be pasted, look-alikes and marks in any order."""
    settings = kit.settings
    cutouts = [kit.lookalike(rng) for _ in range(settings.lookalikes_max) if rng.random() < settings.lookalike_share]
    if rng.random() >= settings.negative_share:
        cutouts += [kit.mark(rng) for _ in range(int(rng.integers(1, settings.marks_max + 1)))]
    return [cutouts[i] for i in rng.permutation(len(cutouts))]


def superimpose(
    rng: np.random.Generator, kit: Kit, canvas: Image.Image, cutout: Cutout, scale: float, placed: Sequence[Placed]
) -> tuple[Image.Image, list[Placed]]:
    """Paste one cut-out in perspective where nothing else was pasted; when there is no room, leave it out.

    *scale*: canvas pixels per network pixel. Returns the canvas and where the cut-out lies (one entry, or none).
    """
    corners = random_corners(rng, kit, cutout, canvas, scale)
    matrix = homography(corners_of(cutout.image), corners)
    outline = project(matrix, cutout.outline)
    box = Box(*outline.min(0), *outline.max(0))
    if any(box.intersection(other.box) > 0.02 * min(box.area, other.box.area) for other in placed):
        return canvas, []
    layer, left, top = warp(cutout.image, matrix, box)
    layer = restyle(rng, kit.settings, layer, canvas, (left, top))
    blend(rng, kit.settings, canvas, layer, (left, top))
    hidden = hide(rng, kit, canvas, layer, (left, top)) if rng.random() < kit.settings.occlusion_share else 0.0
    inside = box.clipped(canvas.width, canvas.height)
    visible = inside.area / max(box.area, 1e-9) * (1.0 - hidden)
    return canvas, [Placed(cutout.kind, inside, visible)]


def corners_of(image: Image.Image) -> NDArray[np.float64]:
    """Corners of a picture: (4, 2) float64, clockwise from the top left."""
    return np.array([(0, 0), (image.width, 0), (image.width, image.height), (0, image.height)], np.float64)


def random_corners(
    rng: np.random.Generator, kit: Kit, cutout: Cutout, canvas: Image.Image, scale: float
) -> NDArray[np.float64]:
    """Where a cut-out's corners go, (4, 2) float64 in canvas pixels: random size, turn, squeeze and perspective."""
    s = kit.settings
    largest = min(s.size_max, 0.85 * max(canvas.size) / scale / kit.size)
    # A look-alike is shown only where it can be told from a mark: too small, it would punish the right answer.
    smallest = s.size_min if cutout.kind is not None else max(s.size_min, LEGIBLE_PX / kit.size)
    share = math.exp(rng.uniform(math.log(min(smallest, largest)), math.log(largest)))
    corners = corners_of(cutout.image) - np.array(cutout.image.size) / 2
    corners *= share * kit.size * scale / max(cutout.image.size)
    corners *= (1.0 - rng.uniform(0, s.squeeze, 2)) if rng.random() < 0.6 else 1.0
    size = np.ptp(corners, axis=0)
    if rng.random() < 0.7:
        corners += rng.uniform(-s.perspective, s.perspective, (4, 2)) * size * rng.uniform(0, 1)
    turn = math.radians(float(np.clip(rng.normal(0, 0.45), -1, 1)) * s.rotation_deg)
    corners = corners @ np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
    # A tenth may be cut by the frame; the others lie inside.
    margin = np.ptp(corners, axis=0) / 2 * (0.3 if rng.random() < 0.1 else 1.0)
    room = np.maximum(np.array(canvas.size) - 2 * margin, 0)
    return np.asarray(corners + margin + rng.uniform(0, 1, 2) * room, np.float64)


def homography(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """The (3, 3) matrix that maps four source points onto four target points, (4, 2) each.

    Source: Hartley and Zisserman, *Multiple View Geometry*, section 4.1, with the last entry fixed at 1.
    """
    rows = []
    for (x, y), (u, v) in zip(source, target, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
    return np.append(np.linalg.solve(np.array(rows), target.reshape(-1)), 1.0).reshape(3, 3)


def project(matrix: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Map (n, 2) points through a homography."""
    mapped = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    return np.asarray(mapped[:, :2] / mapped[:, 2:], np.float64)


def warp(image: Image.Image, matrix: NDArray[np.float64], box: Box) -> tuple[Image.Image, int, int]:
    """Warp a cut-out onto a layer just large enough for *box*; returns the layer and where its corner lies.

    Painted at twice the size and averaged down, after shrinking the source, so that fine print does not alias.
    """
    left, top = math.floor(box.x0) - 1, math.floor(box.y0) - 1
    width, height = math.ceil(box.x1) + 1 - left, math.ceil(box.y1) + 1 - top
    shrink = min(1.0, 2.0 * max(box.width, box.height) / max(image.size))
    if shrink < 0.75:
        small = image.resize(
            (max(2, round(image.width * shrink)), max(2, round(image.height * shrink))), Image.Resampling.BOX
        )
        matrix = matrix @ np.diag([image.width / small.width, image.height / small.height, 1.0])
        image = small
    to_layer = np.diag([2.0, 2.0, 1.0]) @ np.array([[1.0, 0, -left], [0, 1.0, -top], [0, 0, 1.0]]) @ matrix
    back = np.linalg.inv(to_layer)
    back /= back[2, 2]
    layer = image.transform(
        (width * 2, height * 2), Image.Transform.PERSPECTIVE, tuple(back.reshape(-1)[:8]), Image.Resampling.BILINEAR
    )
    return layer.reduce(2), left, top


def restyle(
    rng: np.random.Generator, s: SynthSettings, layer: Image.Image, canvas: Image.Image, corner: tuple[int, int]
) -> Image.Image:
    """Change a cut-out's own colours, fit its brightness to the place, fade it and soften it."""
    jitter = s.colour_jitter
    matrix = _colour_matrix(1 + rng.uniform(-jitter, jitter, 3), rng.uniform(-jitter, jitter) * 0.4)
    place = canvas.crop((*corner, corner[0] + layer.width, corner[1] + layer.height))
    brightness = ImageStat.Stat(place.convert("L")).mean[0] / 160
    gain = 1.0 + rng.uniform(0.0, 0.6) * (min(max(brightness, 0.3), 1.3) - 1.0)
    offset = rng.uniform(-jitter, jitter) * 60
    rgb = layer.convert("RGB").convert("RGB", tuple(float(v) for row in matrix * gain for v in (*row, offset)))
    alpha = layer.getchannel("A")
    if rng.random() < 0.3:
        alpha = _fade(rng, alpha)
    opacity = rng.uniform(s.opacity_min, 1.0) if rng.random() < 0.6 else 1.0
    rgb.putalpha(alpha.point([round(level * opacity) for level in range(256)]))
    if rng.random() < 0.5:
        # Radius in canvas pixels: a mark is softer than the picture around it as often as not.
        rgb = rgb.filter(ImageFilter.GaussianBlur(rng.uniform(0.2, 0.9)))
    return rgb


def _colour_matrix(gains: NDArray[np.float64], turn: float) -> NDArray[np.float64]:
    """A (3, 3) matrix on RGB: saturation, brightness and warmth by *gains*, then the hue turned by *turn* radians."""
    saturation, brightness, _ = gains
    grey = np.full((3, 3), 1 / 3)
    # Rodrigues' rotation about the grey axis.
    axis = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / math.sqrt(3)
    hue = math.cos(turn) * np.eye(3) + math.sin(turn) * axis + (1 - math.cos(turn)) * grey
    return np.asarray((hue @ (grey + saturation * (np.eye(3) - grey))) * brightness)


def _fade(rng: np.random.Generator, alpha: Image.Image) -> Image.Image:
    """Wear an alpha channel unevenly, as a poor print is."""
    coarse = rng.uniform(110, 255, (4, 4)).astype(np.uint8)
    return ImageChops.multiply(alpha, Image.fromarray(coarse).resize(alpha.size, Image.Resampling.BICUBIC))


def blend(
    rng: np.random.Generator, s: SynthSettings, canvas: Image.Image, layer: Image.Image, corner: tuple[int, int]
) -> None:
    """Put a layer on the canvas, in place: as ink, which darkens what is below, or as a sticker, which covers it."""
    rgb, alpha = layer.convert("RGB"), layer.getchannel("A")
    below = canvas.crop((*corner, corner[0] + layer.width, corner[1] + layer.height))
    if rng.random() < s.ink_share and ImageStat.Stat(below.convert("L")).mean[0] > DARK:
        rgb = Image.blend(ImageChops.multiply(rgb, below), rgb, rng.uniform(0.0, 0.5))
    canvas.paste(rgb, corner, alpha)


def hide(rng: np.random.Generator, kit: Kit, canvas: Image.Image, layer: Image.Image, corner: tuple[int, int]) -> float:
    """Cover a part of the layer by a bar, blob or piece of another picture; returns the share hidden, 0..1."""
    width, height = layer.size
    cover = Image.new("L", (width, height), 0)
    draw = ImageDraw.Draw(cover)
    reach = rng.uniform(0.15, 0.6)
    x, y = rng.uniform(-0.2, 1.2) * width, (0.0 if rng.random() < 0.5 else 1.0) * height
    if rng.random() < 0.5:
        x, y = (0.0 if rng.random() < 0.5 else 1.0) * width, rng.uniform(-0.2, 1.2) * height
    radius_x, radius_y = reach * width * rng.uniform(0.7, 1.6), reach * height * rng.uniform(0.7, 1.6)
    shape = draw.ellipse if rng.random() < 0.6 else draw.rectangle
    shape((x - radius_x, y - radius_y, x + radius_x, y + radius_y), fill=255)
    other = kit.backgrounds.choose(rng)
    u, v = (int(rng.integers(max(1, length // 2))) for length in other.size)
    patch = other.resize(
        (width, height), Image.Resampling.BILINEAR, box=(u, v, u + other.width // 2, v + other.height // 2)
    )
    if rng.random() < 0.5:
        skin = tuple(int(level) for level in np.array([205, 155, 125]) * rng.uniform(0.5, 1.2))
        patch = Image.blend(patch, Image.new("RGB", patch.size, skin), 0.85)
    canvas.paste(patch, corner, cover)
    ink = np.asarray(layer.getchannel("A"), np.float32)
    return float((ink * (np.asarray(cover) > 0)).sum() / max(ink.sum(), 1.0))


def light(rng: np.random.Generator, s: SynthSettings, canvas: Image.Image) -> Image.Image:
    """Expose the whole picture: gain, gamma, white balance, and sometimes a gradient of light across it."""
    gain = 2.0 ** (float(np.clip(rng.normal(0, 0.4), -1, 1)) * s.light_stops)
    gamma = math.exp(rng.uniform(-0.25, 0.25))
    balance = 1.0 + rng.uniform(-s.white_balance, s.white_balance, 3)
    levels = (np.arange(256) / 255.0) ** gamma
    table = [np.clip(levels * gain * channel * 255, 0, 255).round().astype(int).tolist() for channel in balance]
    canvas = canvas.point(table[0] + table[1] + table[2])
    if rng.random() < 0.25:
        ramp = np.linspace(rng.uniform(120, 255), rng.uniform(120, 255), 16)[None, :].repeat(2, 0).astype(np.uint8)
        shade = Image.fromarray(ramp if rng.random() < 0.5 else ramp.T.copy())
        full = shade.resize(canvas.size, Image.Resampling.BILINEAR)
        canvas = ImageChops.multiply(canvas, Image.merge("RGB", (full, full, full)))
    return canvas


def lens_and_sensor(rng: np.random.Generator, s: SynthSettings, canvas: Image.Image) -> Frame:
    """Defocus or motion blur, sensor noise, JPEG."""
    pixels, draw = np.asarray(canvas), rng.random()
    if draw < 0.45:
        pixels = cv2.GaussianBlur(pixels, (0, 0), max(0.15, s.blur_px * rng.uniform(0.1, 1.0) ** 1.5))
    elif draw < 0.55:
        pixels = cv2.filter2D(pixels, -1, _motion_kernel(rng))
    if rng.random() < 0.5:
        pixels = _noise(rng, pixels, s.noise_levels * rng.uniform(0.1, 1.0))
    if rng.random() < 0.6:
        # OpenCV wants BGR, and only then is it the colour, not the brightness, that loses resolution.
        _, file = cv2.imencode(".jpg", pixels[..., ::-1], (cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(s.jpeg_min, 96))))
        pixels = np.asarray(cv2.imdecode(file, cv2.IMREAD_COLOR), np.uint8)[..., ::-1]
    return np.ascontiguousarray(pixels, np.uint8)


def _motion_kernel(rng: np.random.Generator) -> NDArray[np.float64]:
    """Smear along a line of up to 5 pixels, as a belt does: a (5, 5) kernel whose sum is 1."""
    kernel = np.zeros((5, 5))
    angle = rng.uniform(0, math.pi)
    for step in np.linspace(-2, 2, 9) * rng.uniform(0.4, 1.0):
        kernel[round(2 + step * math.sin(angle)), round(2 + step * math.cos(angle))] += 1
    return np.asarray(kernel / kernel.sum())


_GRAIN = np.random.default_rng(1).normal(0, 1, (640, 640, 3)).astype(np.float32)
"""Noise drawn once: pieces of it are cheaper than fresh noise and look the same to the network."""


def _noise(rng: np.random.Generator, pixels: Frame, deviation: float) -> Frame:
    height, width = pixels.shape[:2]
    tall, wide = -(-height // 320), -(-width // 320)
    grain = np.tile(_GRAIN, (tall, wide, 1)) if max(tall, wide) > 1 else _GRAIN
    y, x = int(rng.integers(grain.shape[0] - height)), int(rng.integers(grain.shape[1] - width))
    noise = grain[y : y + height, x : x + width] * np.float32(deviation)
    return np.asarray(cv2.add(pixels, noise.astype(np.int16), dtype=cv2.CV_8U), np.uint8)
