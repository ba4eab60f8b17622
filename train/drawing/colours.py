"""Colours: inks, papers, palettes of marks, shades, and contrast with a ground."""

import colorsys
from dataclasses import dataclass

import numpy as np
from PIL import Image

from train.drawing.canvas import Colour
from train.drawing.random_choice import pick

INKS: tuple[Colour, ...] = (
    (22, 22, 26), (30, 44, 140), (58, 42, 155), (176, 28, 40), (20, 100, 62), (96, 30, 120),
    (0, 92, 150),
)  # fmt: skip
GOLDS: tuple[Colour, ...] = ((184, 140, 50), (206, 170, 90), (150, 108, 40))
PAPERS: tuple[Colour, ...] = ((255, 255, 255), (248, 246, 238), (240, 234, 214), (236, 240, 246))
BLACK: Colour = (20, 20, 24)


@dataclass(frozen=True)
class Palette:
    """Colours of one mark.

    *ink*: what is printed; *paper*: what it is printed on, None where the product itself shows
    through; *second*, *third*: for the parts that stand out.
    """

    ink: Colour
    paper: Colour | None
    second: Colour
    third: Colour


def from_hsv(hue: float, saturation: float, value: float) -> Colour:
    """Return the colour of a hue, saturation and value, 0..1 each.

    >>> from_hsv(0.0, 1.0, 0.8)
    (204, 0, 0)
    """
    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)


def any_hue(rng: np.random.Generator, low: float = 0.35, high: float = 0.85) -> Colour:
    """Return a colour of any hue, its value (brightness) between *low* and *high*, 0..1."""
    return from_hsv(rng.random(), rng.uniform(0.45, 1.0), rng.uniform(low, high))


def some_palette(rng: np.random.Generator) -> Palette:
    """Return one palette; two in five are a single ink."""
    kind = rng.random()
    if kind < 0.4:
        ink = pick(INKS, rng)
        return Palette(ink, pick(PAPERS, rng) if rng.random() < 0.45 else None, ink, ink)
    if kind < 0.5:
        gold, dark = pick(GOLDS, rng), any_hue(rng, 0.1, 0.35)
        if rng.random() < 0.5:
            return Palette(dark, gold, gold, PAPERS[1])
        return Palette(gold, dark, PAPERS[1], gold)
    if kind < 0.62:
        red, green, blue = (rng.uniform(*ends) for ends in ((10, 110), (100, 170), (30, 90)))
        leaf = round(red), round(green), round(blue)
        return Palette(leaf, pick(PAPERS, rng), (150, 195, 60), (70, 50, 30))
    if kind < 0.75:  # pale print on a dark or coloured ground
        ink, paper = pick(PAPERS, rng), any_hue(rng, 0.15, 0.6)
        return Palette(ink, paper, any_hue(rng, 0.85, 1.0), any_hue(rng, 0.7, 1.0))
    ink, paper = any_hue(rng, 0.2, 0.7), pick(PAPERS, rng)
    return Palette(ink, paper, any_hue(rng, 0.5, 0.95), any_hue(rng, 0.6, 1.0))


def shade(colour: Colour, factor: float) -> Colour:
    """Return the colour made darker (factor below 1) or lighter (above 1), cut off at white."""
    red, green, blue = (min(255, max(0, round(level * factor))) for level in colour)
    return red, green, blue


def tinted(grey: Image.Image, dark: Colour, light: Colour) -> Image.Image:
    """Return a grey picture (L) as RGB, mapped linearly from *dark* (0) to *light* (255)."""
    bright, deep = Image.new("RGB", grey.size, light), Image.new("RGB", grey.size, dark)
    return Image.composite(bright, deep, grey)


def difference(one: Colour, other: Colour) -> int:
    """Return the sum of the channels' absolute differences, 0..765."""
    return sum(abs(a - b) for a, b in zip(one, other, strict=True))


def legible_on(ground: Colour, light: Colour, dark: Colour, limit: int) -> Colour:
    """Return *dark* on a ground whose channels sum to more than *limit* (0..765), else *light*."""
    return dark if sum(ground) > limit else light


def readable_on(ground: Colour, palette: Palette) -> Colour:
    """Return a colour of the palette that stands out from *ground*, or black or white."""
    for colour in (palette.paper or PAPERS[0], palette.ink, palette.second):
        if difference(colour, ground) > 200:
            return colour
    return legible_on(ground, PAPERS[0], BLACK, 380)


def seen_on(ground: Colour | None, colour: Colour, otherwise: Colour) -> Colour:
    """Return the colour, or the other one where it could hardly be seen on *ground*."""
    return otherwise if ground is not None and difference(colour, ground) < 150 else colour


def bare_ink(palette: Palette) -> Colour:
    """Return a colour that shows on most products without a ground of its own: never a pale one."""
    return seen_on(PAPERS[0], palette.ink, seen_on(PAPERS[0], palette.paper or BLACK, BLACK))
