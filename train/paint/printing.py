"""Augmentation of one mark: ink or sticker, wear, occlusion; alpha compositing on the canvas.

Marks and look-alikes go through the same functions, so that nothing here tells them apart.
"""

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edge.vision.preprocess import Frame
from train.config import SynthSettings
from train.paint.cutouts import Pixels, resized, with_alpha
from train.paint.random_draws import between, happens, whole
from train.paint.shading import any_direction, blotches, dim, enlarged, gleam, half, whiten

DARK = 70
"""Grey level below which nobody prints ink: it could not be seen."""
RUNS = 0.1
"""How far ink may get beside a mark by smearing or a second strike, as a share of the mark's longer
side."""
FAINT_CONTRAST = 30.0
"""Grey levels by which ink must differ from its ground on average; where it cannot be seen it is a
sticker instead."""

# Ranges of the draws, least and greatest, and chances, 0..1; the settings hold the others.

# The mark's own colours and edges.
FITTED = (0.0, 0.6)
"""How far the mark's brightness follows that of its ground."""
GROUND_LEVEL, GROUND_GAIN = 160, (0.3, 1.3)
"""Grey level of a ground on which the brightness stays, and bounds of the ratio to it."""
OPACITY_SHARE = 0.6
"""Chance that a mark lets its ground through, from ``opacity_min`` on."""
HUE, LIFT = 0.4, 60
"""Greatest turn of the hue, in radians, and shift of the levels, per unit of ``colour_jitter``."""
WORN, WORN_POINTS = 0.43, 4
"""Alpha where a mark is worn most, 0..1, and points of that map each way."""
SOFT_PX = (0.2, 0.9)
"""Softness of a mark that is softer than its ground: Gaussian radius, in canvas pixels."""

# Ink; lengths are shares of the mark's longer side.
BLEED = (0.006, 0.016)
"""Radius by which ink bleeds."""
SMEAR, SMEAR_STRENGTH = (0.4, 0.8), (0.3, 0.6)
"""Length of a smear, as a share of :data:`RUNS`, and how much ink it takes along."""
STRIKE, STRIKE_STRENGTH = (0.3, 0.8), (0.4, 0.7)
"""Distance of a second strike, as a share of :data:`RUNS`, and how much ink it has."""
INK_COVER = (0.0, 0.5)
"""How much ink covers instead of darkening."""
SPECKLE_LEVEL = (90, 160)
"""Level of the rough ground, 0..255, from which ink holds: the higher, the more is lost."""
MISSING, MISSING_SOFTNESS = (0.3, 1.0), (0.05, 0.3)
"""Part that is not printed, as a share of ``partial_max``, and width of its border."""
RAGGED, RAGGED_POINTS = 0.6, 8
"""Least level of what makes that border ragged, 0..1, and points of that map each way."""

# Stickers; lengths are shares of the sticker's longer side.
GLOSS_STRENGTH = (0.35, 0.85)
"""How far the gleam brings a sticker to white."""
LIFT_EDGE, LIFT_SOFTNESS = (0.1, 0.35), (0.3, 0.6)
"""Where a lifted edge begins, from the middle, and how gradually it rises."""
LIFT_REACH, LIFT_SHADOW = (0.03, 0.07), (0.4, 0.7)
"""How far its shadow falls, and how much light that takes."""
LIFT_LIGHT, LIGHTER_SHARE = 0.3, 0.5
"""How much the lifted edge itself changes, and the chance that it is lighter, not darker."""

# What hides a part.
SKIN_SHARE, SKIN_RGB, SKIN_LIGHT = 0.5, (205, 155, 125), (0.5, 1.2)
"""Chance of a hand, its colour, and the light on it; the others are pieces of another picture."""
SKIN_PATTERN = 0.15
"""Share of that picture's pattern which a hand keeps."""
COVER_REACH, COVER_STRETCH = (0.15, 0.6), (0.7, 1.6)
"""How far a cover reaches in, as a share of the mark's width or height, times its own stretch."""
COVER_ALONG = (-0.2, 1.2)
"""Where along an edge it comes in, 0..1 from corner to corner."""
FAR_EDGE_SHARE, SIDE_SHARE, ROUND_SHARE = 0.5, 0.5, 0.6
"""Chances that it comes from the right or bottom; from top or bottom; that it is round."""


class Layer(NamedTuple):
    """A cut-out as it will be pasted: *pixels* at *corner* of the canvas, (x, y).

    *left*: share of it that was printed at all, 0..1; *strike*: where the stamp came down again, in
    pixels from the first time, (0, 0) for one that did not.
    """

    pixels: Pixels
    corner: tuple[int, int]
    left: float = 1.0
    strike: tuple[float, float] = (0.0, 0.0)


def recoloured(
    rng: np.random.Generator,
    s: SynthSettings,
    pixels: Pixels,
    below: Frame,
    opaque: bool = False,
) -> Pixels:
    """Jitter a cut-out's colours, fit its brightness to the place, wear it and soften it.

    *below*: the picture where it will lie, the same size; *opaque*: it lets nothing of it through.
    """
    jitter = s.colour_jitter
    saturation, brightness = 1 + between(rng, -jitter, jitter), 1 + between(rng, -jitter, jitter)
    ratio = min(max(brightness_of(below) / GROUND_LEVEL, GROUND_GAIN[0]), GROUND_GAIN[1])
    gain = 1.0 + between(rng, *FITTED) * (ratio - 1.0)
    opacity = between(rng, s.opacity_min, 1.0) if happens(rng, OPACITY_SHARE) else 1.0
    if opaque:
        opacity = 1.0
    matrix = np.zeros((4, 5))
    turn = between(rng, -jitter, jitter) * HUE
    matrix[:3, :3] = colour_matrix(saturation, brightness * gain, turn)
    matrix[:3, 4], matrix[3, 3] = between(rng, -jitter, jitter) * LIFT, opacity
    styled = np.asarray(cv2.transform(pixels, matrix), np.uint8)
    if happens(rng, s.worn_share):
        wear(styled, enlarged(blotches(rng, WORN, WORN_POINTS), styled))
    if happens(rng, s.soft_share):
        styled = np.asarray(cv2.GaussianBlur(styled, (5, 5), between(rng, *SOFT_PX)), np.uint8)
    return styled


def brightness_of(pixels: Frame) -> float:
    """Return the mean grey level, 0..255."""
    red, green, blue, _ = cv2.mean(pixels)
    return 0.299 * red + 0.587 * green + 0.114 * blue


def colour_matrix(saturation: float, brightness: float, turn: float) -> NDArray[np.float64]:
    """Make the (3, 3) matrix on RGB that changes saturation and brightness and turns the hue.

    1 changes neither of the first two; *turn* is in radians.
    """
    # Rodrigues' rotation about the grey axis, which saturation leaves alone.
    cosine, sine = saturation * math.cos(turn), saturation * math.sin(turn)
    return np.asarray(brightness * (cosine * _EYE + sine * _AXIS + (1.0 - cosine) * _GREY))


_EYE, _GREY = np.eye(3), np.full((3, 3), 1 / 3)
_AXIS = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / math.sqrt(3)


def wear(pixels: Pixels, mask: NDArray[np.uint8]) -> None:
    """Multiply alpha by a mask of its size, in place."""
    pixels[..., 3] = cv2.multiply(alpha_of(pixels), mask, scale=1 / 255)


def alpha_of(pixels: Pixels) -> NDArray[np.uint8]:
    """Return the alpha channel alone: (height, width) uint8, 0 is transparent."""
    return np.asarray(cv2.extractChannel(pixels, 3), np.uint8)


def colours_of(pixels: Pixels) -> Frame:
    """Return the colours alone: (height, width, 3) uint8, RGB."""
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGBA2RGB), np.uint8)


# --- ink ---


def printed(rng: np.random.Generator, s: SynthSettings, layer: Layer, below: Frame) -> Layer | None:
    """Print a layer as ink, which darkens what is below and shows every fault of a stamp.

    *layer*: with room around the mark of :data:`RUNS` of its longer side; *below*: the picture
    there, the same size. None where ink could not be seen.
    """
    if brightness_of(below) <= DARK:
        return None
    pixels, strike = _even_colour(layer.pixels), (0.0, 0.0)
    side, before = max(pixels.shape[:2]), max(1, int(alpha_of(pixels).sum()))
    if happens(rng, s.bleed_share):
        bleed(pixels, side * between(rng, *BLEED))
    if happens(rng, s.speckle_share):
        speckle(rng, pixels)
    if happens(rng, s.partial_share):
        leave_out(rng, pixels, s.partial_max)
    left = min(1.0, int(alpha_of(pixels).sum()) / before)
    if happens(rng, s.smear_share):
        angle, length = any_direction(rng), side * RUNS * between(rng, *SMEAR)
        smear(pixels, angle, length, between(rng, *SMEAR_STRENGTH))
    if happens(rng, s.double_share):
        angle, length = any_direction(rng), side * RUNS * between(rng, *STRIKE)
        strike = (length * math.cos(angle), length * math.sin(angle))
        strike_again(pixels, strike, between(rng, *STRIKE_STRENGTH))
    sunk = as_ink(pixels, below, between(rng, *INK_COVER))
    if contrast(sunk, below) < FAINT_CONTRAST:
        return None
    return Layer(sunk, layer.corner, left, strike)


def _even_colour(pixels: Pixels) -> Pixels:
    """Fill what is transparent with the mean colour, as ink may run there."""
    alpha = alpha_of(pixels)
    even = pixels.copy()
    even[alpha == 0, :3] = cv2.mean(pixels, alpha)[:3]
    return even


def bleed(pixels: Pixels, radius: float) -> None:
    """Let ink bleed by about half of *radius*, in pixels, in place.

    Its edge grows and softens, fine gaps close.
    """
    spread = cv2.GaussianBlur(alpha_of(pixels), (0, 0), max(radius, 0.4))
    pixels[..., 3] = cv2.convertScaleAbs(spread, alpha=1.5)


def speckle(rng: np.random.Generator, pixels: Pixels) -> None:
    """Take ink away in spots, in place, as rough ground does."""
    height, width = pixels.shape[:2]
    y, x = (
        whole(rng, max(1, length - side))
        for length, side in zip(_SPOTS.shape, (height, width), strict=True)
    )
    spots = _SPOTS[y : y + height, x : x + width]
    if spots.shape != (height, width):
        spots = enlarged(spots, pixels)
    held = cv2.convertScaleAbs(spots, alpha=255 / between(rng, *SPECKLE_LEVEL))
    wear(pixels, np.asarray(held, np.uint8))


def _make_spots() -> NDArray[np.uint8]:
    grain = np.random.default_rng(2).normal(0, 1, (420, 420)).astype(np.float32)
    rough = (
        cv2.GaussianBlur(grain, (0, 0), 0.9) * 2.6
        + cv2.GaussianBlur(grain[::-1].copy(), (0, 0), 4.0) * 6.0
    )
    return np.asarray((rough * 60 + 165).clip(0, 255), np.uint8)


_SPOTS = _make_spots()
"""Rough ground drawn once; pieces of it are used."""


def leave_out(rng: np.random.Generator, pixels: Pixels, most: float) -> None:
    """Print next to nothing along one side, at most *most* of the width, 0..1; in place."""
    edge = 0.5 - between(rng, *MISSING) * most
    missing = half(any_direction(rng), edge, between(rng, *MISSING_SOFTNESS))
    rough = cv2.resize(blotches(rng, RAGGED, RAGGED_POINTS), missing.shape[::-1])
    ragged = np.asarray(cv2.multiply(missing, rough, scale=1 / 200), np.uint8)
    wear(pixels, np.asarray(cv2.bitwise_not(enlarged(ragged, pixels)), np.uint8))


def smear(pixels: Pixels, angle: float, length: float, strength: float) -> None:
    """Smear some of the ink *length* pixels along *angle*, in radians, in place.

    *strength*: how much of it, 0..1; it thins out on its way.
    """
    reach = max(1, math.ceil(length))
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    for i in range(4 * reach):
        step = i / 4
        # A filter looks where the ink comes from, so against the direction.
        row, column = reach - step * math.sin(angle), reach - step * math.cos(angle)
        kernel[round(row), round(column)] += 1 - step / reach
    thinning = kernel * (strength / kernel.sum() * 1.5)
    alpha = alpha_of(pixels)
    tail = cv2.filter2D(alpha, -1, thinning, borderType=cv2.BORDER_CONSTANT)
    pixels[..., 3] = cv2.max(alpha, tail)


def strike_again(pixels: Pixels, moved: tuple[float, float], strength: float) -> None:
    """Add a second, weaker print moved by so many pixels, in place."""
    alpha = alpha_of(pixels)
    move = np.array([[1.0, 0.0, moved[0]], [0.0, 1.0, moved[1]]])
    second = cv2.warpAffine(alpha, move, (alpha.shape[1], alpha.shape[0]))
    pixels[..., 3] = cv2.max(alpha, cv2.convertScaleAbs(second, alpha=strength))


def as_ink(pixels: Pixels, below: Frame, cover: float) -> Pixels:
    """Darken what is below instead of covering it; *cover*: how much it covers still, 0..1."""
    rgb = colours_of(pixels)
    sunk = cv2.addWeighted(cv2.multiply(rgb, below, scale=1 / 255), 1 - cover, rgb, cover, 0)
    return with_alpha(np.asarray(sunk, np.uint8), alpha_of(pixels))


def contrast(pixels: Pixels, below: Frame) -> float:
    """Return the grey levels by which a layer differs from what is below, on average."""
    difference = cv2.absdiff(colours_of(pixels), below)
    return float(max(cv2.mean(difference, alpha_of(pixels))[:3]))


# --- stickers ---


def stuck(rng: np.random.Generator, s: SynthSettings, layer: Layer, canvas: Image.Image) -> Layer:
    """Make a layer a sticker, which covers what is below.

    At times it gleams, or an edge of it is lifted and casts a shadow on the canvas.
    """
    pixels = layer.pixels
    if happens(rng, s.gloss_share):
        shine = enlarged(gleam(rng, between(rng, *GLOSS_STRENGTH)), pixels)
        pixels = with_alpha(whiten(colours_of(pixels), shine), alpha_of(pixels))
    if happens(rng, s.lift_share):
        pixels = lifted(rng, layer._replace(pixels=pixels), canvas)
    return layer._replace(pixels=pixels)


def lifted(rng: np.random.Generator, layer: Layer, canvas: Image.Image) -> Pixels:
    """Lift a sticker's edge, which gets lighter or darker, and paste its shadow on the canvas."""
    angle, side = any_direction(rng), max(layer.pixels.shape[:2])
    raised = half(angle, between(rng, *LIFT_EDGE), between(rng, *LIFT_SOFTNESS))
    reach = max(1.0, side * between(rng, *LIFT_REACH))
    over = enlarged(raised, layer.pixels)
    alpha = cv2.multiply(alpha_of(layer.pixels), over, scale=between(rng, *LIFT_SHADOW) / 255)
    cast(canvas, np.asarray(alpha, np.uint8), layer.corner, angle, reach)
    change = np.asarray(cv2.convertScaleAbs(raised, alpha=LIFT_LIGHT), np.uint8)
    light, rgb = enlarged(change, layer.pixels), colours_of(layer.pixels)
    if happens(rng, LIGHTER_SHARE):
        bent = whiten(rgb, light)
    else:
        bent = dim(rgb, np.asarray(cv2.bitwise_not(light), np.uint8))
    return with_alpha(bent, alpha_of(layer.pixels))


def cast(
    canvas: Image.Image,
    alpha: NDArray[np.uint8],
    corner: tuple[int, int],
    angle: float,
    reach: float,
) -> None:
    """Paste a shape's shadow at *corner*, blurred and moved by *reach* pixels along *angle*."""
    pad = math.ceil(2 * reach)
    wide = cv2.copyMakeBorder(alpha, pad, pad, pad, pad, cv2.BORDER_CONSTANT)
    blurred = cv2.blur(wide, (pad // 2 + 1, pad // 2 + 1))
    move = np.array([[1.0, 0.0, reach * math.cos(angle)], [0.0, 1.0, reach * math.sin(angle)]])
    shadow = np.asarray(cv2.warpAffine(blurred, move, (wide.shape[1], wide.shape[0])), np.uint8)
    black = np.zeros((*shadow.shape, 3), np.uint8)
    paste(canvas, with_alpha(black, shadow), (corner[0] - pad, corner[1] - pad))


# --- on the canvas ---


def paste(canvas: Image.Image, pixels: Pixels, corner: tuple[int, int]) -> None:
    """Composite pixels on the canvas by their alpha, in place."""
    image = Image.fromarray(pixels)
    canvas.paste(image, corner, image)


def occlude(rng: np.random.Generator, canvas: Image.Image, layer: Layer, other: Frame) -> float:
    """Occlude a part of a layer by a hand or a piece of the picture *other*.

    Returns the share hidden, 0..1.
    """
    height, width = layer.pixels.shape[:2]
    cover = _cover(rng, width, height)
    tall, wide = (
        max(1, min(length, 2 * side))
        for length, side in zip(other.shape[:2], (height, width), strict=True)
    )
    y, x = whole(rng, other.shape[0] - tall + 1), whole(rng, other.shape[1] - wide + 1)
    patch = resized(other[y : y + tall, x : x + wide], (width, height))
    if happens(rng, SKIN_SHARE):
        skin = np.array(SKIN_RGB) * (between(rng, *SKIN_LIGHT) * 0.85)
        matrix = np.column_stack([_EYE * SKIN_PATTERN, skin])
        patch = np.asarray(cv2.transform(patch, matrix), np.uint8)
    paste(canvas, with_alpha(patch, cover), layer.corner)
    ink = alpha_of(layer.pixels)
    return float(cv2.mean(ink, cover)[0] * cv2.countNonZero(cover) / max(int(ink.sum()), 1))


def _cover(rng: np.random.Generator, width: int, height: int) -> NDArray[np.uint8]:
    """Draw a bar or blob that reaches into a picture of that size from an edge: 255, else 0."""
    cover = np.zeros((height, width), np.uint8)
    reach_x, reach_y = (
        between(rng, *COVER_REACH) * between(rng, *COVER_STRETCH) * length
        for length in (width, height)
    )
    along, edge = between(rng, *COVER_ALONG), float(happens(rng, FAR_EDGE_SHARE))
    from_side = happens(rng, SIDE_SHARE)
    x, y = (along * width, edge * height) if from_side else (edge * width, along * height)
    if happens(rng, ROUND_SHARE):
        cv2.ellipse(cover, ((x, y), (2 * reach_x, 2 * reach_y), 0.0), 255, cv2.FILLED)
    else:
        first, last = (int(x - reach_x), int(y - reach_y)), (int(x + reach_x), int(y + reach_y))
        cv2.rectangle(cover, first, last, 255, cv2.FILLED)
    return cover
