"""Marks and kits for the tests of the desktop: no file is needed to paint a picture."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from train.config import SynthSettings
from train.marks.mark import Mark, outline_of
from train.paint.backgrounds import PaintedProducts
from train.paint.synth import Kit

COLOURS = {"disc": (200, 30, 40, 255), "square": (30, 60, 200, 255), "star": (20, 140, 60, 255)}


def mark_image(name: str, side: int = 96) -> Image.Image:
    """A bold mark of one of three shapes with white inside, RGBA."""
    image = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    ink, white, far = COLOURS[name], (255, 255, 255, 255), side - 1
    if name == "disc":
        draw.ellipse((0, 0, far, far), fill=ink)
        draw.ellipse((side * 0.25, side * 0.2, side * 0.55, side * 0.5), fill=white)
    elif name == "square":
        draw.rectangle((0, 0, far, far), fill=ink)
        draw.polygon(
            ((side * 0.2, side * 0.8), (side * 0.5, side * 0.2), (side * 0.8, side * 0.8)),
            fill=white,
        )
    else:
        points = []
        for i in range(10):
            radius = side / 2 if i % 2 == 0 else side * 0.24
            angle = np.pi * (i / 5 - 0.5)
            points.append((side / 2 + radius * np.cos(angle), side / 2 + radius * np.sin(angle)))
        draw.polygon(points, fill=ink)
        draw.rectangle((side * 0.44, side * 0.4, side * 0.56, side * 0.75), fill=white)
    return image.crop(image.getbbox())


def save_mark(folder: Path, name: str) -> Path:
    """Write one of the marks as PNG and return its path."""
    path = folder / f"{name}.png"
    mark_image(name).save(path)
    return path


def make_marks(*names: str) -> tuple[Mark, ...]:
    """Marks in memory, a class each."""
    images = [mark_image(name) for name in names]
    return tuple(
        Mark(name, kind, image, outline_of(image), "painted", image.size)
        for kind, (name, image) in enumerate(zip(names, images, strict=True))
    )


def make_kit(settings: SynthSettings, *names: str, size: int = 192, pool: int = 4) -> Kit:
    """A kit of the named marks on a few painted products."""
    return Kit(make_marks(*names), PaintedProducts(1, pool), settings, size)
