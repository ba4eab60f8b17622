"""What light, lens and sensor make of a painted scene."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.vision.preprocess import Frame
from train.config import SynthSettings
from train.paint.random_draws import bell, between, happens, ratio_between, whole
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
"""Deviation of an even spread of length one: what a smear or a coarse pixel of that length blurs."""
_LEVELS = np.arange(256) / 255.0


def light(rng: np.random.Generator, s: SynthSettings, pixels: Frame) -> Frame:
    """Light the whole picture: at times a shadow, a falling off or a mirrored lamp; then exposure
    and white balance.
    """
    if happens(rng, s.shadow_share):
        pixels = dim(pixels, enlarged(cast_shadow(rng), pixels))
    if happens(rng, s.gradient_share):
        pixels = dim(pixels, enlarged(ramp(rng, 0.47), pixels))
    if happens(rng, s.glare_share):
        pixels = whiten(pixels, enlarged(gleam(rng, between(rng, 0.4, 0.9)), pixels))
    return exposed(rng, s, pixels)


def cast_shadow(rng: np.random.Generator) -> NDArray[np.uint8]:
    """The shadow of a straight edge or of a beam, with a softer or harder border: a map for
    :func:`dim`.
    """
    angle, edge, softness = any_direction(rng), between(rng, -0.3, 0.3), between(rng, 0.05, 0.3)
    shade = half(angle, edge, softness)
    if happens(rng, 0.4):
        shade = np.minimum(shade, half(angle + math.pi, -edge - between(rng, 0.15, 0.4), softness))
    return np.asarray(255 - shade * between(rng, 0.3, 0.65), np.uint8)


def exposed(rng: np.random.Generator, s: SynthSettings, pixels: Frame) -> Frame:
    """Brighter or darker as a whole, by a curve of grey levels and a gain for each channel."""
    gain = 2.0 ** (bell(rng, 0.4) * s.light_stops)
    gamma = math.exp(between(rng, -s.gamma, s.gamma))
    balance = [gain * (1 + between(rng, -s.white_balance, s.white_balance)) for _ in range(3)]
    curve = (_LEVELS**gamma * 255 + 0.5).astype(np.uint8)
    flat = np.asarray(
        cv2.LUT(pixels.reshape(pixels.shape[0], -1), curve), np.uint8
    )  # one channel is faster than three
    return np.asarray(cv2.transform(flat.reshape(pixels.shape), np.diag(balance)), np.uint8)


def lens_and_sensor(
    rng: np.random.Generator, s: SynthSettings, pixels: Frame
) -> tuple[Frame, float]:
    """Defocus or the belt's motion, then what the sensor makes of it, at times a coarser one whose
    picture is enlarged.

    The picture keeps its size, so that boxes stay where they are. Returned with it is its softness:
    about the radius of the Gaussian that would blur as much, in pixels.
    """
    draw, softness = rng.random(), 0.0
    if draw < s.blur_share:
        softness = max(0.15, s.blur_px * between(rng, 0.1, 1.0) ** 1.5)
        pixels = defocused(pixels, softness)
    elif draw < s.blur_share + s.motion_share:
        angle = math.radians(s.belt_deg + between(rng, -s.belt_spread_deg, s.belt_spread_deg))
        length = s.motion_px * between(rng, 0.4, 1.0)
        pixels, softness = (
            np.asarray(cv2.filter2D(pixels, -1, motion_kernel(angle, length)), np.uint8),
            length * EVEN,
        )
    if not happens(rng, s.coarse_share):
        return sensor(rng, s, pixels), softness
    height, width = pixels.shape[:2]
    factor = ratio_between(rng, 1.0, s.coarse_max)
    small = cv2.resize(
        pixels,
        (max(8, round(width / factor)), max(8, round(height / factor))),
        interpolation=cv2.INTER_AREA,
    )
    way = cv2.INTER_LINEAR if happens(rng, 0.5) else cv2.INTER_CUBIC
    enlarged_again = cv2.resize(
        sensor(rng, s, np.asarray(small, np.uint8)), (width, height), interpolation=way
    )
    return np.asarray(enlarged_again, np.uint8), math.hypot(softness, factor * EVEN)


def defocused(pixels: Frame, radius: float) -> Frame:
    """Blur by a Gaussian of that radius, in pixels."""
    side = 2 * max(1, math.ceil(2.5 * radius)) + 1
    return np.asarray(cv2.GaussianBlur(pixels, (side, side), radius), np.uint8)


def motion_kernel(angle: float, length: float) -> NDArray[np.float64]:
    """A square kernel that smears along a line of that many pixels, at *angle* in radians; its sum
    is 1.
    """
    reach = max(1, math.ceil((length - 1) / 2))
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1))
    for step in np.linspace(-(length - 1) / 2, (length - 1) / 2, 4 * reach + 1):
        kernel[round(reach + step * math.sin(angle)), round(reach + step * math.cos(angle))] += 1
    return np.asarray(kernel / kernel.sum())


def sensor(rng: np.random.Generator, s: SynthSettings, pixels: Frame) -> Frame:
    """Noise, one colour a pixel, JPEG."""
    if happens(rng, s.noise_share):
        pixels = noisy(rng, pixels, s.noise_levels * between(rng, 0.1, 1.0))
    if happens(rng, s.mosaic_share):
        pixels = demosaiced(pixels)
    if happens(rng, s.jpeg_share):
        pixels = through_jpeg(pixels, s.jpeg_min + whole(rng, 96 - s.jpeg_min))
    return pixels


def noisy(rng: np.random.Generator, pixels: Frame, deviation: float) -> Frame:
    """Add a sensor's noise of that deviation, in grey levels."""
    height, width = pixels.shape[:2]
    tall, wide = -(-height // 320), -(-width // 320)
    grain = np.tile(_GRAIN, (tall, wide, 1)) if max(tall, wide) > 1 else _GRAIN
    y, x = whole(rng, grain.shape[0] - height), whole(rng, grain.shape[1] - width)
    share = deviation / GRAIN_DEVIATION
    grain = grain[y : y + height, x : x + width]
    return np.asarray(cv2.addWeighted(pixels, 1.0, grain, share, -128.0 * share), np.uint8)


def demosaiced(pixels: Frame) -> Frame:
    """Keep one colour of each pixel, as a sensor under a Bayer filter does, and guess the others as
    a camera does.
    """
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
