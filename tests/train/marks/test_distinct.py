"""What a person could tell from the mark, on 60 marks whose symmetry is known by construction."""

import math
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from train.drawing.lettering import typeface
from train.drawing.likeness import working_copy
from train.marks.distinct import LEVELS, SIZES, difference, least_distinct_px

SIDE = 320
Pen = ImageDraw.ImageDraw
Colour = tuple[int, int, int]


def shield(pen: Pen, colour: Colour, _: Colour) -> None:
    """A shield with a cross in it."""
    pen.polygon([(20, 20), (300, 20), (300, 180), (160, 310), (20, 180)], fill=colour)
    pen.rectangle((140, 60, 180, 240), fill="white")
    pen.rectangle((80, 110, 240, 150), fill="white")


def ring(pen: Pen, colour: Colour, other: Colour) -> None:
    """Rings about one middle."""
    pen.ellipse((5, 5, 315, 315), fill=colour)
    pen.ellipse((50, 50, 270, 270), fill="white")
    pen.ellipse((110, 110, 210, 210), fill=other)


def warning(pen: Pen, _: Colour, __: Colour) -> None:
    """A warning sign: yellow in black, with an exclamation mark."""
    pen.polygon([(160, 10), (312, 290), (8, 290)], fill="black")
    pen.polygon([(160, 45), (283, 272), (37, 272)], fill=(250, 210, 0))
    pen.rectangle((148, 110, 172, 210), fill="black")
    pen.ellipse((146, 225, 174, 253), fill="black")


def flower(pen: Pen, colour: Colour, other: Colour) -> None:
    """Six petals."""
    for degrees in range(0, 360, 60):
        x, y = (160 + 90 * f(math.radians(degrees + 90)) for f in (math.cos, math.sin))
        pen.ellipse((x - 55, y - 55, x + 55, y + 55), fill=colour)
    pen.ellipse((110, 110, 210, 210), fill=other)


def cross(pen: Pen, colour: Colour, _: Colour) -> None:
    """A cross in a disc, the same after a quarter turn."""
    pen.ellipse((5, 5, 315, 315), fill=colour)
    pen.rectangle((135, 40, 185, 280), fill="white")
    pen.rectangle((40, 135, 280, 185), fill="white")


def word(pen: Pen, colour: Colour, _: Colour) -> None:
    """A word in a disc."""
    pen.ellipse((5, 5, 315, 315), fill=colour)
    pen.text((160, 160), "FRG", fill="white", font=typeface(120), anchor="mm")


def framed(pen: Pen, colour: Colour, _: Colour) -> None:
    """Letters in an open frame."""
    pen.rectangle((5, 60, 315, 260), outline=colour, width=14)
    pen.text((160, 160), "QCFR", fill=colour, font=typeface(105), anchor="mm")


def thin(pen: Pen, _: Colour, __: Colour) -> None:
    """A white word without a ground."""
    pen.text((160, 160), "sparky", fill="white", font=typeface(100), anchor="mm")


def pieces(pen: Pen, colour: Colour, other: Colour) -> None:
    """A disc and a triangle inside a ring, in no order."""
    pen.ellipse((5, 5, 315, 315), fill=colour)
    pen.ellipse((40, 40, 280, 280), fill="white")
    pen.ellipse((60, 70, 170, 180), fill=other)
    pen.polygon([(180, 250), (270, 160), (180, 120)], fill="black")


def tick(pen: Pen, colour: Colour, _: Colour) -> None:
    """A tick on a shield."""
    pen.polygon([(20, 20), (300, 20), (300, 180), (160, 310), (20, 180)], fill=colour)
    pen.line([(90, 150), (140, 210), (240, 90)], fill="white", width=34)


SYMMETRIC = (shield, ring, warning, flower, cross)
OTHERS = (word, framed, thin, pieces, tick)
COLOURS: tuple[tuple[Colour, Colour], ...] = (
    ((200, 30, 30), (20, 60, 160)),
    ((20, 90, 50), (230, 190, 40)),
    ((70, 40, 120), (190, 80, 20)),
)


def drawn(design: Callable[[Pen, Colour, Colour], None], number: int) -> Image.Image:
    """Return a mark as it is drawn, RGBA."""
    picture = Image.new("RGBA", (SIDE, SIDE))
    design(ImageDraw.Draw(picture), *COLOURS[number])
    return picture


def photographed(mark: Image.Image, seed: int) -> Image.Image:
    """Return it as photographed: tilted by 1-2 degrees, in uneven light, a little soft, noisy."""
    rng = np.random.default_rng(seed)
    tilted = mark.rotate(
        float(rng.uniform(1, 2) * rng.choice([-1, 1])), Image.Resampling.BICUBIC, expand=True
    )
    width, height = tilted.size
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    moved = corners + rng.uniform(-0.02, 0.02, (4, 2)).astype(np.float32) * width
    warp = cv2.getPerspectiveTransform(corners, moved)
    pixels = cv2.warpPerspective(np.asarray(tilted, np.float32), warp, (width, height))
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    fall_off = 1 + rng.uniform(-0.2, 0.2) * x + rng.uniform(-0.2, 0.2) * y
    lit = cv2.GaussianBlur(pixels[..., :3] * fall_off[..., None], (0, 0), 1.2)
    seen = np.dstack([lit + rng.normal(0, 8, lit.shape), pixels[..., 3]])
    return Image.fromarray(seen.clip(0, 255).astype(np.uint8))


def sixty() -> list[tuple[str, Image.Image, bool]]:
    """Return name, mark, and whether it is its own mirror image, of sixty marks."""
    made = []
    for designs, symmetric in ((SYMMETRIC, True), (OTHERS, False)):
        for design in designs:
            for number in range(3):
                mark = drawn(design, number)
                name = f"{design.__name__}-{number}"
                made.append((name, mark, symmetric))
                made.append((f"{name}-photographed", photographed(mark, 7 * number), symmetric))
    return made


@pytest.mark.parametrize(("name", "mark", "symmetric"), sixty(), ids=lambda v: str(v)[:40])
def test_the_mirror_image_is_a_look_alike_only_of_a_mark_that_is_not_symmetric(
    name: str, mark: Image.Image, symmetric: bool
) -> None:
    """However it was had, the mirror image of a symmetric mark is the mark itself."""
    least = least_distinct_px(mark, ImageOps.mirror(mark))
    assert (least is None) == symmetric, (name, least)


def test_what_is_distinct_at_a_size_is_so_at_every_larger_one() -> None:
    """The answer is the least size from which on the difference stays above the bound."""
    mark, other = working_copy(drawn(word, 0)), working_copy(ImageOps.mirror(drawn(word, 0)))
    least = least_distinct_px(mark, other)
    assert least in SIZES
    assert all(difference(mark, other, px) >= LEVELS for px in SIZES if px >= least)


def test_a_small_change_needs_a_larger_picture() -> None:
    """One small letter exchanged is told only where it can be read, another picture at any size."""
    mark, small, large = (drawn(shield, 0) for _ in range(3))
    for picture, letter in ((mark, "8"), (small, "3")):
        ImageDraw.Draw(picture).text(
            (120, 130), letter, fill="black", font=typeface(60), anchor="mm"
        )
    ImageDraw.Draw(large).ellipse((60, 60, 260, 200), fill="black")
    at_small, at_large = (
        [difference(working_copy(mark), working_copy(other), px) for px in SIZES]
        for other in (small, large)
    )
    assert at_small == sorted(at_small)
    assert least_distinct_px(mark, large) == SIZES[0]
    assert at_small[0] < LEVELS <= at_large[0]


@pytest.mark.parametrize("degrees", [0, 37, 90, 180, 251])
def test_a_mark_turned_and_relit_is_the_mark(degrees: int) -> None:
    """Rotation, brightness and a small perspective make no look-alike."""
    mark = drawn(word, 1)
    pixels = np.asarray(photographed(mark, 3), np.float32)
    pixels[..., :3] *= 0.8
    other = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    turned = other.rotate(degrees, Image.Resampling.BICUBIC, expand=True)
    assert least_distinct_px(mark, turned) is None


def test_another_colour_is_another_print() -> None:
    """Red and blue prints of one shape are told apart."""
    assert least_distinct_px(drawn(tick, 0), drawn(tick, 1)) is not None


def test_nothing_to_see_is_refused() -> None:
    """A transparent picture is no print, and the message says so."""
    with pytest.raises(ValueError, match="visible pixels"):
        least_distinct_px(drawn(word, 0), Image.new("RGBA", (40, 40)))
