"""Augmentation of a whole scene: light, lens blur, motion blur and the sensor."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.vision.preprocess import Frame
from train.config import SynthSettings
from train.paint.random_draws import between, clipped_normal, happens, ratio_between, whole
from train.paint.shading import any_direction, dim, enlarged, gleam, half, ramp, whiten

GRAIN_DEVIATION = 30.0
"""Deviation of the stored noise, in grey levels; scaled when it is used."""
_GRAIN = (
    np.random.default_rng(1)
    .normal(128, GRAIN_DEVIATION, (640, 640, 3))
    .clip(0, 255)
    .astype(np.uint8)
)
"""Noise drawn once: pieces of it are cheaper than fresh noise and look the same to the network."""
EVEN = 12**-0.5
"""Standard deviation of an even spread of length 1: how much motion or a coarse pixel blurs."""

# Ranges of the draws, least and greatest, and chances, 0..1; the settings hold the others.
GRADIENT_DARKEST = 0.47
"""Level of the light where it falls off most, 1 for all of it."""
GLARE_STRENGTH = (0.4, 0.9)
"""How far a mirrored lamp brings the picture to white, 1 for white."""
SHADOW_EDGE = (-0.3, 0.3)
"""Where a shadow's border lies, from the middle, as a share of the picture."""
SHADOW_SOFTNESS = (0.05, 0.3)
"""Width of that border, as a share of the picture."""
SHADOW_DEPTH = (0.3, 0.65)
"""Share of the light that a shadow takes."""
BEAM_SHARE = 0.4
"""Chance that a shadow has a second border, as a beam's has."""
BEAM_WIDTH = (0.15, 0.4)
"""Distance of the two borders, as a share of the picture."""
EXPOSURE_DEVIATION = 0.4
"""Standard deviation of the exposure, as a share of its greatest change."""
BLUR_DRAW, BLUR_POWER, BLUR_LEAST_PX = (0.1, 1.0), 1.5, 0.15
"""Defocus: the draw, the power it is raised to, so that most blur is slight, and the least radius,
in camera pixels; the result is a share of ``blur_px``."""
MOTION_DRAW = (0.4, 1.0)
"""Length of motion blur, as a share of ``motion_px``."""
LINEAR_SHARE = 0.5
"""Chance that a coarse picture is enlarged linearly; the others are enlarged cubically."""
NOISE_DRAW = (0.1, 1.0)
"""Standard deviation of the noise, as a share of ``noise_levels``."""
JPEG_END = 96
"""JPEG qualities are drawn from ``jpeg_min`` up to and without this one."""

_LEVELS = np.arange(256) / 255.0


@dataclass(frozen=True)
class Lighting:
    """The light on a picture: *stops* of exposure, and whether it is *uneven*."""

    stops: float
    uneven: bool


def light(rng: np.random.Generator, s: SynthSettings, pixels: Frame) -> tuple[Frame, Lighting]:
    """Light the whole picture: at times shadow, gradient or glare, then exposure, white balance."""
    even = pixels
    if happens(rng, s.shadow_share):
        pixels = dim(pixels, enlarged(cast_shadow(rng), pixels))
    if happens(rng, s.gradient_share):
        pixels = dim(pixels, enlarged(ramp(rng, GRADIENT_DARKEST), pixels))
    if happens(rng, s.glare_share):
        pixels = whiten(pixels, enlarged(gleam(rng, between(rng, *GLARE_STRENGTH)), pixels))
    lit, stops = exposed(rng, s, pixels)
    return lit, Lighting(stops, pixels is not even)


def cast_shadow(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw the shadow of a straight edge or of a beam: a map for :func:`dim`."""
    angle, edge = any_direction(rng), between(rng, *SHADOW_EDGE)
    softness = between(rng, *SHADOW_SOFTNESS)
    shade = half(angle, edge, softness)
    if happens(rng, BEAM_SHARE):
        other = half(angle + math.pi, -edge - between(rng, *BEAM_WIDTH), softness)
        shade = np.minimum(shade, other)
    return np.asarray(255 - shade * between(rng, *SHADOW_DEPTH), np.uint8)


def exposed(rng: np.random.Generator, s: SynthSettings, pixels: Frame) -> tuple[Frame, float]:
    """Change exposure, gamma and white balance: a curve of levels and a gain for each channel.

    Returned with the picture is the exposure, in stops.
    """
    stops = clipped_normal(rng, EXPOSURE_DEVIATION) * s.light_stops
    gain = 2.0**stops
    gamma = math.exp(between(rng, -s.gamma, s.gamma))
    balance = [gain * (1 + between(rng, -s.white_balance, s.white_balance)) for _ in range(3)]
    curve = (_LEVELS**gamma * 255 + 0.5).astype(np.uint8)
    # A table for one channel is applied faster than one for three.
    flat = np.asarray(cv2.LUT(pixels.reshape(pixels.shape[0], -1), curve), np.uint8)
    balanced = cv2.transform(flat.reshape(pixels.shape), np.diag(balance))
    return np.asarray(balanced, np.uint8), stops


def lens_and_sensor(
    rng: np.random.Generator, s: SynthSettings, pixels: Frame
) -> tuple[Frame, float]:
    """Blur by defocus or motion, then by :func:`sensor`, at times a coarser one, enlarged again.

    The picture keeps its size, so that boxes stay where they are. Returned with it is its softness:
    about the radius of the Gaussian that would blur as much, in pixels.
    """
    draw, softness = rng.random(), 0.0
    if draw < s.blur_share:
        softness = max(BLUR_LEAST_PX, s.blur_px * between(rng, *BLUR_DRAW) ** BLUR_POWER)
        pixels = defocused(pixels, softness)
    elif draw < s.blur_share + s.motion_share:
        angle = math.radians(s.belt_deg + between(rng, -s.belt_spread_deg, s.belt_spread_deg))
        length = s.motion_px * between(rng, *MOTION_DRAW)
        pixels = np.asarray(cv2.filter2D(pixels, -1, motion_kernel(angle, length)), np.uint8)
        softness = length * EVEN
    if not happens(rng, s.coarse_share):
        return sensor(rng, s, pixels), softness
    height, width = pixels.shape[:2]
    factor = ratio_between(rng, 1.0, s.coarse_max)
    size = (max(8, round(width / factor)), max(8, round(height / factor)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    way = cv2.INTER_LINEAR if happens(rng, LINEAR_SHARE) else cv2.INTER_CUBIC
    seen = sensor(rng, s, np.asarray(small, np.uint8))
    enlarged_again = cv2.resize(seen, (width, height), interpolation=way)
    return np.asarray(enlarged_again, np.uint8), math.hypot(softness, factor * EVEN)


def defocused(pixels: Frame, radius: float) -> Frame:
    """Blur by a Gaussian of that radius, in pixels."""
    side = 2 * max(1, math.ceil(2.5 * radius)) + 1
    return np.asarray(cv2.GaussianBlur(pixels, (side, side), radius), np.uint8)


def motion_kernel(angle: float, length: float) -> NDArray[np.float64]:
    """Make the kernel of motion blur *length* pixels long at *angle*, in radians: square, sum 1."""
    reach = max(1, math.ceil((length - 1) / 2))
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1))
    for step in np.linspace(-(length - 1) / 2, (length - 1) / 2, 4 * reach + 1):
        kernel[round(reach + step * math.sin(angle)), round(reach + step * math.cos(angle))] += 1
    return np.asarray(kernel / kernel.sum())


def sensor(rng: np.random.Generator, s: SynthSettings, pixels: Frame) -> Frame:
    """Add what a sensor and its file add, each at times: noise, Bayer mosaic, JPEG."""
    if happens(rng, s.noise_share):
        pixels = noisy(rng, pixels, s.noise_levels * between(rng, *NOISE_DRAW))
    if happens(rng, s.mosaic_share):
        pixels = demosaiced(pixels)
    if happens(rng, s.jpeg_share):
        pixels = through_jpeg(pixels, s.jpeg_min + whole(rng, JPEG_END - s.jpeg_min))
    return pixels


def noisy(rng: np.random.Generator, pixels: Frame, deviation: float) -> Frame:
    """Add Gaussian noise of that standard deviation, in grey levels."""
    height, width = pixels.shape[:2]
    tall, wide = -(-height // 320), -(-width // 320)
    grain = np.tile(_GRAIN, (tall, wide, 1)) if max(tall, wide) > 1 else _GRAIN
    y, x = whole(rng, grain.shape[0] - height), whole(rng, grain.shape[1] - width)
    share = deviation / GRAIN_DEVIATION
    grain = grain[y : y + height, x : x + width]
    return np.asarray(cv2.addWeighted(pixels, 1.0, grain, share, -128.0 * share), np.uint8)


def demosaiced(pixels: Frame) -> Frame:
    """Keep one colour of each pixel, as a Bayer mosaic does, and interpolate the others again."""
    mosaic = np.ascontiguousarray(pixels[..., 1])
    mosaic[::2, ::2], mosaic[1::2, 1::2] = pixels[::2, ::2, 0], pixels[1::2, 1::2, 2]
    return np.asarray(cv2.cvtColor(mosaic, cv2.COLOR_BayerRGGB2RGB), np.uint8)


def through_jpeg(pixels: Frame, quality: int) -> Frame:
    """Save as JPEG and read it back. *quality*: 1..100."""
    # OpenCV wants BGR, and only then is it the colour, not the brightness, that loses resolution.
    _, file = cv2.imencode(
        ".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), (cv2.IMWRITE_JPEG_QUALITY, quality)
    )
    read = cv2.imdecode(file, cv2.IMREAD_COLOR)
    if read is None:
        raise RuntimeError("OpenCV could not read the JPEG that it wrote")
    return np.asarray(cv2.cvtColor(read, cv2.COLOR_BGR2RGB), np.uint8)
