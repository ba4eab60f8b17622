"""How a mark looks where it lies: ink that sinks in or a sticker that covers, what wears it and
what hides it.

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


class Layer(NamedTuple):
    """A cut-out as it will be pasted: *pixels* at *corner* of the canvas, (x, y).

    *left*: share of it that was printed at all, 0..1; *strike*: where the stamp came down again, in
    pixels from the first time, (0, 0) for one that did not.
    """

    pixels: Pixels
    corner: tuple[int, int]
    left: float = 1.0
    strike: tuple[float, float] = (0.0, 0.0)


def recoloured(rng: np.random.Generator, s: SynthSettings, pixels: Pixels, below: Frame) -> Pixels:
    """Change a cut-out's own colours, fit its brightness to the place, wear it and soften it.

    *below*: the picture where it will lie, the same size.
    """
    jitter = s.colour_jitter
    saturation, brightness = 1 + between(rng, -jitter, jitter), 1 + between(rng, -jitter, jitter)
    gain = 1.0 + between(rng, 0.0, 0.6) * (min(max(brightness_of(below) / 160, 0.3), 1.3) - 1.0)
    opacity = between(rng, s.opacity_min, 1.0) if happens(rng, 0.6) else 1.0
    matrix = np.zeros((4, 5))
    matrix[:3, :3] = colour_matrix(
        saturation, brightness * gain, between(rng, -jitter, jitter) * 0.4
    )
    matrix[:3, 4], matrix[3, 3] = between(rng, -jitter, jitter) * 60, opacity
    styled = np.asarray(cv2.transform(pixels, matrix), np.uint8)
    if happens(rng, s.worn_share):
        wear(styled, enlarged(blotches(rng, 0.43, 4), styled))
    if happens(rng, s.soft_share):
        styled = np.asarray(cv2.GaussianBlur(styled, (5, 5), between(rng, 0.2, 0.9)), np.uint8)
    return styled


def brightness_of(pixels: Frame) -> float:
    """Mean grey level, 0..255."""
    red, green, blue, _ = cv2.mean(pixels)
    return 0.299 * red + 0.587 * green + 0.114 * blue


def colour_matrix(saturation: float, brightness: float, turn: float) -> NDArray[np.float64]:
    """A (3, 3) matrix on RGB: saturation and brightness, 1 for no change, then the hue turned by
    *turn* radians.
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
    """The transparency alone: (height, width) uint8, 0 is transparent."""
    return np.asarray(cv2.extractChannel(pixels, 3), np.uint8)


def colours_of(pixels: Pixels) -> Frame:
    """The colours alone: (height, width, 3) uint8, RGB."""
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGBA2RGB), np.uint8)


# --- ink --------------------------------------------------------------------------------------------------------


def printed(rng: np.random.Generator, s: SynthSettings, layer: Layer, below: Frame) -> Layer | None:
    """Ink, which darkens what is below and shows every fault of a stamp; None where it could not be
    seen.

    *layer*: with room around the mark of :data:`RUNS` of its longer side; *below*: the picture
    there, the same size.
    """
    if brightness_of(below) <= DARK:
        return None
    pixels, strike = _even_colour(layer.pixels), (0.0, 0.0)
    side, before = max(pixels.shape[:2]), max(1, int(alpha_of(pixels).sum()))
    if happens(rng, s.bleed_share):
        bleed(pixels, side * between(rng, 0.006, 0.016))
    if happens(rng, s.speckle_share):
        speckle(rng, pixels)
    if happens(rng, s.partial_share):
        leave_out(rng, pixels, s.partial_max)
    left = min(1.0, int(alpha_of(pixels).sum()) / before)
    if happens(rng, s.smear_share):
        smear(
            pixels, any_direction(rng), side * RUNS * between(rng, 0.4, 0.8), between(rng, 0.3, 0.6)
        )
    if happens(rng, s.double_share):
        angle, length = any_direction(rng), side * RUNS * between(rng, 0.3, 0.8)
        strike = (length * math.cos(angle), length * math.sin(angle))
        strike_again(pixels, strike, between(rng, 0.4, 0.7))
    sunk = as_ink(pixels, below, between(rng, 0.0, 0.5))
    return (
        Layer(sunk, layer.corner, left, strike) if contrast(sunk, below) >= FAINT_CONTRAST else None
    )


def _even_colour(pixels: Pixels) -> Pixels:
    """The same with its mean colour where it is transparent, as ink may run there."""
    alpha = alpha_of(pixels)
    even = pixels.copy()
    even[alpha == 0, :3] = cv2.mean(pixels, alpha)[:3]
    return even


def bleed(pixels: Pixels, radius: float) -> None:
    """Let ink run by about half of *radius*, in pixels, in place: its edge grows and softens, fine
    gaps close.
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
    # Levels above this stay whole: the higher it is the more is lost.
    wear(
        pixels, np.asarray(cv2.convertScaleAbs(spots, alpha=255 / between(rng, 90, 160)), np.uint8)
    )


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
    """Print nothing, or next to nothing, along one side, at most that share of the width; in place."""
    edge = 0.5 - between(rng, 0.3, 1.0) * most
    missing = half(any_direction(rng), edge, between(rng, 0.05, 0.3))
    ragged = cv2.multiply(
        missing, cv2.resize(blotches(rng, 0.6, 8), missing.shape[::-1]), scale=1 / 200
    )
    wear(
        pixels,
        np.asarray(cv2.bitwise_not(enlarged(np.asarray(ragged, np.uint8), pixels)), np.uint8),
    )


def smear(pixels: Pixels, angle: float, length: float, strength: float) -> None:
    """Drag some of the ink that many pixels along a direction in radians, in place; it thins out on
    its way.
    """
    reach = max(1, math.ceil(length))
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    for i in range(4 * reach):
        step = i / 4
        # A filter looks where the ink comes from, so against the direction.
        kernel[round(reach - step * math.sin(angle)), round(reach - step * math.cos(angle))] += (
            1 - step / reach
        )
    alpha = alpha_of(pixels)
    tail = cv2.filter2D(
        alpha, -1, kernel * (strength / kernel.sum() * 1.5), borderType=cv2.BORDER_CONSTANT
    )
    pixels[..., 3] = cv2.max(alpha, tail)


def strike_again(pixels: Pixels, moved: tuple[float, float], strength: float) -> None:
    """Add a second, weaker print moved by so many pixels, in place."""
    alpha = alpha_of(pixels)
    move = np.array([[1.0, 0.0, moved[0]], [0.0, 1.0, moved[1]]])
    second = cv2.warpAffine(alpha, move, (alpha.shape[1], alpha.shape[0]))
    pixels[..., 3] = cv2.max(alpha, cv2.convertScaleAbs(second, alpha=strength))


def as_ink(pixels: Pixels, below: Frame, cover: float) -> Pixels:
    """Darken what is below instead of covering it; *cover*: how much it covers all the same, 0..1."""
    rgb = colours_of(pixels)
    sunk = cv2.addWeighted(cv2.multiply(rgb, below, scale=1 / 255), 1 - cover, rgb, cover, 0)
    return with_alpha(np.asarray(sunk, np.uint8), alpha_of(pixels))


def contrast(pixels: Pixels, below: Frame) -> float:
    """Grey levels by which a layer differs from what is below, on average where there is any of it."""
    difference = cv2.absdiff(colours_of(pixels), below)
    return float(max(cv2.mean(difference, alpha_of(pixels))[:3]))


# --- stickers ---------------------------------------------------------------------------------------------------


def stuck(rng: np.random.Generator, s: SynthSettings, layer: Layer, canvas: Image.Image) -> Layer:
    """A sticker, which covers what is below: at times it gleams, or an edge is lifted and throws
    its shadow there.
    """
    pixels = layer.pixels
    if happens(rng, s.gloss_share):
        shine = enlarged(gleam(rng, between(rng, 0.35, 0.85)), pixels)
        pixels = with_alpha(whiten(colours_of(pixels), shine), alpha_of(pixels))
    if happens(rng, s.lift_share):
        pixels = lifted(rng, layer._replace(pixels=pixels), canvas)
    return layer._replace(pixels=pixels)


def lifted(rng: np.random.Generator, layer: Layer, canvas: Image.Image) -> Pixels:
    """Lift a sticker's edge: its shadow is pasted on the canvas, and the edge is returned lighter
    or darker.
    """
    angle, side = any_direction(rng), max(layer.pixels.shape[:2])
    raised = half(angle, between(rng, 0.1, 0.35), between(rng, 0.3, 0.6))
    reach = max(1.0, side * between(rng, 0.03, 0.07))
    pad = math.ceil(2 * reach)
    alpha = cv2.multiply(
        alpha_of(layer.pixels), enlarged(raised, layer.pixels), scale=between(rng, 0.4, 0.7) / 255
    )
    wide = cv2.copyMakeBorder(alpha, pad, pad, pad, pad, cv2.BORDER_CONSTANT)
    move = np.array([[1.0, 0.0, reach * math.cos(angle)], [0.0, 1.0, reach * math.sin(angle)]])
    shadow = cv2.warpAffine(
        cv2.blur(wide, (pad // 2 + 1, pad // 2 + 1)), move, (wide.shape[1], wide.shape[0])
    )
    corner = (layer.corner[0] - pad, layer.corner[1] - pad)
    paste(
        canvas,
        with_alpha(np.zeros((*shadow.shape, 3), np.uint8), np.asarray(shadow, np.uint8)),
        corner,
    )
    light = enlarged(np.asarray(cv2.convertScaleAbs(raised, alpha=0.3), np.uint8), layer.pixels)
    rgb = colours_of(layer.pixels)
    bent = (
        whiten(rgb, light)
        if happens(rng, 0.5)
        else dim(rgb, np.asarray(cv2.bitwise_not(light), np.uint8))
    )
    return with_alpha(bent, alpha_of(layer.pixels))


# --- on the canvas ----------------------------------------------------------------------------------------------


def paste(canvas: Image.Image, pixels: Pixels, corner: tuple[int, int]) -> None:
    """Superimpose pixels on the canvas with Pillow, in place."""
    image = Image.fromarray(pixels)
    canvas.paste(image, corner, image)


def hide(rng: np.random.Generator, canvas: Image.Image, layer: Layer, other: Frame) -> float:
    """Cover a part of a layer by a hand, a bar or a piece of the picture *other*; returns the share
    hidden, 0..1.
    """
    height, width = layer.pixels.shape[:2]
    cover = _cover(rng, width, height)
    tall, wide = (
        max(1, min(length, 2 * side))
        for length, side in zip(other.shape[:2], (height, width), strict=True)
    )
    y, x = whole(rng, other.shape[0] - tall + 1), whole(rng, other.shape[1] - wide + 1)
    patch = resized(other[y : y + tall, x : x + wide], (width, height))
    if happens(rng, 0.5):
        skin = np.array([205, 155, 125]) * (between(rng, 0.5, 1.2) * 0.85)
        patch = np.asarray(cv2.transform(patch, np.column_stack([_EYE * 0.15, skin])), np.uint8)
    paste(canvas, with_alpha(patch, cover), layer.corner)
    ink = alpha_of(layer.pixels)
    return float(cv2.mean(ink, cover)[0] * cv2.countNonZero(cover) / max(int(ink.sum()), 1))


def _cover(rng: np.random.Generator, width: int, height: int) -> NDArray[np.uint8]:
    """A bar or blob that reaches into a picture of that size from one of its edges: 255 inside, 0
    outside.
    """
    cover = np.zeros((height, width), np.uint8)
    reach_x, reach_y = (
        between(rng, 0.15, 0.6) * between(rng, 0.7, 1.6) * length for length in (width, height)
    )
    along, edge = between(rng, -0.2, 1.2), float(happens(rng, 0.5))
    x, y = (along * width, edge * height) if happens(rng, 0.5) else (edge * width, along * height)
    if happens(rng, 0.6):
        cv2.ellipse(cover, ((x, y), (2 * reach_x, 2 * reach_y), 0.0), 255, cv2.FILLED)
    else:
        first, last = (int(x - reach_x), int(y - reach_y)), (int(x + reach_x), int(y + reach_y))
        cv2.rectangle(cover, first, last, 255, cv2.FILLED)
    return cover
