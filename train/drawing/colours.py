"""The colours of a mark: stamp inks, eco greens, gold, brands' own."""

import colorsys
from dataclasses import dataclass

import numpy as np

from train.drawing.canvas import Colour

INKS: tuple[Colour, ...] = (
    (22, 22, 26),
    (30, 44, 140),
    (58, 42, 155),
    (176, 28, 40),
    (20, 100, 62),
    (96, 30, 120),
    (0, 92, 150),
)
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


def hue(rng: np.random.Generator, low: float = 0.35, high: float = 0.85) -> Colour:
    """A colour of any hue, its brightness between *low* and *high*."""
    red, green, blue = colorsys.hsv_to_rgb(
        rng.random(), rng.uniform(0.45, 1.0), rng.uniform(low, high)
    )
    return round(red * 255), round(green * 255), round(blue * 255)


def some_palette(rng: np.random.Generator) -> Palette:
    """One palette; two in five are a single ink."""
    kind = rng.random()
    if kind < 0.4:
        ink = INKS[int(rng.integers(len(INKS)))]
        return Palette(ink, _paper(rng) if rng.random() < 0.45 else None, ink, ink)
    if kind < 0.5:
        gold = GOLDS[int(rng.integers(len(GOLDS)))]
        dark = hue(rng, 0.1, 0.35)
        return (
            Palette(dark, gold, gold, PAPERS[1])
            if rng.random() < 0.5
            else Palette(gold, dark, PAPERS[1], gold)
        )
    if kind < 0.62:
        green = (
            round(rng.uniform(10, 110)),
            round(rng.uniform(100, 170)),
            round(rng.uniform(30, 90)),
        )
        return Palette(green, _paper(rng), (150, 195, 60), (70, 50, 30))
    if kind < 0.75:  # pale print on a dark or coloured ground
        return Palette(_paper(rng), hue(rng, 0.15, 0.6), hue(rng, 0.85, 1.0), hue(rng, 0.7, 1.0))
    return Palette(hue(rng, 0.2, 0.7), _paper(rng), hue(rng, 0.5, 0.95), hue(rng, 0.6, 1.0))


def _paper(rng: np.random.Generator) -> Colour:
    return PAPERS[int(rng.integers(len(PAPERS)))]


def readable_on(ground: Colour, palette: Palette) -> Colour:
    """A colour of the palette that stands out from *ground*, or black or white."""
    for colour in (palette.paper or PAPERS[0], palette.ink, palette.second):
        if _apart(colour, ground) > 200:
            return colour
    return BLACK if sum(ground) > 380 else PAPERS[0]


def seen_on(ground: Colour | None, colour: Colour, otherwise: Colour) -> Colour:
    """The colour, or the other one where it could hardly be seen on *ground*."""
    return otherwise if ground is not None and _apart(colour, ground) < 150 else colour


def _apart(one: Colour, other: Colour) -> int:
    return sum(abs(a - b) for a, b in zip(one, other, strict=True))


def bare_ink(palette: Palette) -> Colour:
    """A colour that shows on most products without a ground of its own: never a pale one."""
    return seen_on(PAPERS[0], palette.ink, seen_on(PAPERS[0], palette.paper or BLACK, BLACK))
