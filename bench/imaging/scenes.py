"""Scenes with the packaged seal, and what spoils their pictures: lens, motion, light."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edge.commands.demo import SAMPLES
from edge.decision import Box
from edge.errors import InputError
from edge.vision.picture_files import decode_with_alpha, open_picture, read_picture
from edge.vision.picture_folders import find_pictures
from edge.vision.preprocess import Frame

WIDTH, HEIGHT = 1280, 960
SEAL = Path(__file__).resolve().parents[2] / "artwork" / "qc-tested.png"
SIDES = (190, 130)
"""Widths of the two seals on a scene, pixels: 15 and 10 % of the frame's."""
NOISE_LEVELS = 2.0
"""Standard deviation of the sensor's noise, grey levels, added after the lens."""
PAD = 64
"""Pixels mirrored at the border before a picture is blurred."""
FINER = 4
"""Steps a pixel by which a kernel is drawn."""


@dataclass(frozen=True)
class Scene:
    """A picture with seals at *boxes*: (height, width, 3) float, RGB, before lens and sensor."""

    name: str
    pixels: NDArray[np.float64]
    boxes: tuple[Box, ...]


def scenes(count: int, folder: Path | None = None) -> list[Scene]:
    """Paste seals on packaged pictures, or on photographs of *folder*. Raises InputError."""
    paths = sorted(SAMPLES.glob("*.jpg")) if folder is None else _found(folder)
    if len(paths) < count:
        raise InputError(f"{folder or SAMPLES}: has {len(paths)} pictures, {count} are needed")
    step = len(paths) // count
    with open_picture(SEAL) as image:
        seal = decode_with_alpha(image, SEAL)
    return [_scene(path, seal, place) for place, path in enumerate(paths[::step][:count])]


def blurred(picture: NDArray[np.float64], kind: str, size: float, turn: float) -> Frame:
    """Return what the camera gives of *picture* behind a kernel of *size* pixels.

    *kind*: ``blur``, a Gaussian of that standard deviation; ``defocus``, a disc of that radius;
    ``shake``, a line of that length in the direction *turn*, radians. Noise is added after it.
    """
    if size:
        padded = np.pad(picture, ((PAD, PAD), (PAD, PAD), (0, 0)), mode="reflect")
        transfer = _transfer(padded.shape[0], padded.shape[1], kind, size, turn)
        spectrum = np.fft.rfft2(padded, axes=(0, 1)) * transfer[:, :, None]
        whole = np.fft.irfft2(spectrum, s=padded.shape[:2], axes=(0, 1))
        picture = whole[PAD:-PAD, PAD:-PAD]
    return sensed(picture)


def sensed(picture: NDArray[np.float64]) -> Frame:
    """Return *picture* with the sensor's noise, in whole levels."""
    noise = np.random.default_rng(0).normal(0, NOISE_LEVELS, (*picture.shape[:2], 1))
    return (picture + noise).round().clip(0, 255).astype(np.uint8)


def lit(picture: NDArray[np.float64], gain: float) -> Frame:
    """Return *picture* in other light: linear in light, not in levels (gamma 2.2)."""
    return sensed(255 * np.clip((picture / 255) ** 2.2 * gain, 0, 1) ** (1 / 2.2))


def _found(folder: Path) -> Sequence[Path]:
    return find_pictures(folder).pictures


def _scene(path: Path, seal: Image.Image, place: int) -> Scene:
    frame = Image.fromarray(read_picture(path))
    scale = max(WIDTH / frame.width, HEIGHT / frame.height)
    size = (round(frame.width * scale), round(frame.height * scale))
    picture = frame.resize(size, Image.Resampling.LANCZOS).crop((0, 0, WIDTH, HEIGHT))
    boxes = []
    for index, side in enumerate(SIDES):
        mark = seal.resize((side, round(seal.height * side / seal.width)), Image.Resampling.LANCZOS)
        left = 60 + (index * 620 + place * 97) % (WIDTH - side - 120)
        top = 60 + (index * 330 + place * 71) % (HEIGHT - mark.height - 120)
        ground = Image.new("RGBA", (side + 24, mark.height + 24), (236, 234, 228, 255))
        picture.paste(ground, (left - 12, top - 12))
        picture.paste(mark, (left, top), mark)
        boxes.append(Box(left, top, left + side, top + mark.height))
    return Scene(path.name, np.asarray(picture, np.float64), tuple(boxes))


def _transfer(
    rows: int, columns: int, kind: str, size: float, turn: float
) -> NDArray[np.complex128]:
    """Return the kernel's transfer function at the frequencies of a real transform."""
    y, x = np.fft.fftfreq(rows)[:, None], np.fft.rfftfreq(columns)[None, :]
    if kind == "blur":
        falling = np.exp(-2 * (np.pi * size) ** 2 * (x**2 + y**2))
        return np.asarray(falling, np.complex128)
    if kind == "shake":
        along = np.sinc(size * (x * np.cos(turn) + y * np.sin(turn)))
        return np.asarray(along, np.complex128)
    return _disc(rows, columns, size)


def _disc(rows: int, columns: int, radius: float) -> NDArray[np.complex128]:
    """Return the transfer function of a disc, drawn finer than the pixels and averaged."""
    reach = int(np.ceil(radius)) + 1
    steps = (np.arange((2 * reach + 1) * FINER) + 0.5) / FINER - reach - 0.5
    inside = np.hypot(steps[:, None], steps[None, :]) <= radius
    kernel = inside.reshape(2 * reach + 1, FINER, 2 * reach + 1, FINER).mean(axis=(1, 3))
    whole = np.zeros((rows, columns))
    whole[: kernel.shape[0], : kernel.shape[1]] = kernel / kernel.sum()
    whole = np.roll(whole, (-reach, -reach), axis=(0, 1))
    return np.asarray(np.fft.rfft2(whole), np.complex128)
