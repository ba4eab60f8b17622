"""Panels: flat printed faces of packages, with brand, words, codes, seals and pictures on them."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from train.drawing.canvas import Colour, Point, print_mask
from train.drawing.codes import bar_strip
from train.drawing.colours import from_hsv, legible_on, shade, tinted
from train.drawing.lettering import fit_words, typeface, word_tile
from train.drawing.outlines import star_polygon
from train.drawing.random_choice import pick
from train.drawing.seals import paint_seal
from train.drawing.texture import patches
from train.drawing.words import package_word

WHITE: Colour = (247, 246, 242)
DARK: Colour = (28, 27, 32)
KRAFT: Colour = (190, 150, 104)

Range = tuple[float, float]


@dataclass(frozen=True)
class PrintRanges:
    """Place and size of the prints on a panel: *_x*, *_w* of its width, *_y*, *_h* of its height.

    *_reach*, *_side*: of its shorter side.
    """

    brand_w: Range = (0.5, 0.9)
    brand_h: Range = (0.08, 0.24)
    brand_y: Range = (0.03, 0.6)
    words_x: Range = (0.04, 0.4)
    words_y: Range = (0.1, 0.85)
    words_h: Range = (0.025, 0.07)
    letter_aspect: Range = (0.4, 0.7)  # width of a letter over its height
    small_x: Range = (0.02, 0.6)
    small_y: Range = (0.05, 0.85)
    code_w: Range = (0.2, 0.45)
    code_h: Range = (0.08, 0.2)
    code_y: Range = (0.5, 1.0)  # of the height that is left
    table_x: Range = (0.05, 0.5)
    table_y: Range = (0.1, 0.6)
    table_w: Range = (0.3, 0.5)
    band_y: Range = (0.0, 0.8)
    band_h: Range = (0.08, 0.4)
    wave_left_w: Range = (0.1, 1.0)
    wave_right_w: Range = (1.0, 2.0)
    wave_h: Range = (0.5, 2.0)
    stripe_w: Range = (0.03, 0.12)
    picture_x: Range = (0.2, 0.8)
    picture_y: Range = (0.4, 0.85)
    picture_reach: Range = (0.08, 0.2)
    pictured_size: Range = (0.8, 1.2)  # of one thing, as a share of the picture's reach
    seal_side: Range = (0.14, 0.36)
    date_x: Range = (0.05, 0.6)
    date_y: Range = (0.05, 0.9)
    burst_x: Range = (0.2, 0.8)
    burst_y: Range = (0.15, 0.8)
    burst_reach: Range = (0.12, 0.24)


PRINT = PrintRanges()


def package_hue(rng: np.random.Generator, strong: bool = True) -> Colour:
    """Return a colour as packaging has them: strong, or pale."""
    saturation, value = ((0.5, 1.0), (0.3, 0.95)) if strong else ((0.0, 0.3), (0.7, 1.0))
    s, v = rng.uniform(*saturation), rng.uniform(*value)
    return from_hsv(rng.random(), s, v)


def scheme(rng: np.random.Generator) -> list[Colour]:
    """Return the four colours of one package: its ground, its print, and two more."""
    grounds = (package_hue(rng), package_hue(rng), package_hue(rng, strong=False))
    ground = pick([*grounds, WHITE, KRAFT, DARK], rng)
    if sum(ground) > 400:
        ink = shade(pick([package_hue(rng), DARK], rng), 0.75)
    else:
        ink = pick([WHITE, WHITE, package_hue(rng, strong=False)], rng)
    return [ground, ink, package_hue(rng), pick([WHITE, package_hue(rng), (244, 208, 40)], rng)]


def paint_panel(
    rng: np.random.Generator, width: int, height: int, colours: Sequence[Colour]
) -> Image.Image:
    """Return one printed face of a package, RGB, of the given size in pixels.

    *colours*: as `scheme` returns them. Faces of one package share the colours and differ in what
    is printed.
    """
    ground = colours[0]
    if rng.random() < 0.5:
        cells = (1, 2) if rng.random() < 0.7 else (2, 2)
        grey = patches(rng, (width, height), cells, (90, 255))
        face = tinted(grey, shade(ground, 0.7), ground)
    else:
        face = Image.new("RGB", (width, height), ground)
    for print_it, times in PRINTS:
        for _ in range(int(times + rng.random())):
            print_it(face, colours, rng)
    return face


# --- prints -----------------------------------------------------------------------------------


def _spot(face: Image.Image, rng: np.random.Generator, across: Range, down: Range) -> Point:
    """Return a random point of a face, within shares of its width and of its height."""
    return face.width * rng.uniform(*across), face.height * rng.uniform(*down)


def put_words(
    face: Image.Image, words: str, box: tuple[float, float, float, float], ink: Colour, weight: int
) -> None:
    """Print words so that they fill a box (left, top, width, height), all in pixels."""
    left, top, width, height = (int(length) for length in box)
    fit_words(face, word_tile(words, weight), (left, top, width, height), ink)


def _brand(face: Image.Image, colours: Sequence[Colour], rng: np.random.Generator) -> None:
    """Print a brand name, large, at times on a plate of its own."""
    w, h = face.size
    wide, high = w * rng.uniform(*PRINT.brand_w), h * rng.uniform(*PRINT.brand_h)
    x, y = (w - wide) * rng.random(), h * rng.uniform(*PRINT.brand_y)
    ink = colours[1]
    if rng.random() < 0.4:
        plate = (x - wide * 0.06, y - high * 0.3, x + wide * 1.06, y + high * 1.3)
        pen = ImageDraw.Draw(face)
        draw = pen.ellipse if rng.random() < 0.5 else pen.rectangle
        draw(plate, fill=colours[2], outline=pick(colours, rng), width=max(1, int(w * 0.015)))
        ink = legible_on(colours[2], WHITE, DARK, 419)
    word, weight = package_word(rng), int(rng.integers(0, 4))
    if rng.random() < 0.3:  # a printed shadow under the letters
        moved = x + high * 0.06, y + high * 0.06
        put_words(face, word, (*moved, wide, high), pick([DARK, colours[3]], rng), weight)
    put_words(face, word, (x, y, wide, high), ink, weight)


def _words(face: Image.Image, colours: Sequence[Colour], rng: np.random.Generator) -> None:
    """Print a few words of middling size, each line in its own shape."""
    x, y = _spot(face, rng, PRINT.words_x, PRINT.words_y)
    for _ in range(int(rng.integers(1, 4))):
        words = " ".join(package_word(rng) for _ in range(int(rng.integers(1, 3))))
        high = max(5.0, face.height * rng.uniform(*PRINT.words_h))
        wide = min(face.width * 0.9, high * len(words) * rng.uniform(*PRINT.letter_aspect))
        put_words(face, words, (x, y, wide, high), colours[1], 1)
        y += high * 1.4


@functools.lru_cache(maxsize=64)
def _paragraph(number: int) -> Image.Image:
    """Return a block of small print as a mask (L); each number is another text, size and shape."""
    rng = np.random.default_rng((2, number))
    size, lines = int(rng.integers(5, 10)), int(rng.integers(3, 10))
    per_line = int(rng.integers(2, 7))
    text = "\n".join(" ".join(package_word(rng) for _ in range(per_line)) for _ in range(lines))
    block = Image.new("L", (size * per_line * 5, (size + 3) * lines))
    ImageDraw.Draw(block).text((0, 0), text, 255, typeface(size), spacing=1)
    return block.crop(block.getbbox())


def _small_print(face: Image.Image, colours: Sequence[Colour], rng: np.random.Generator) -> None:
    """Print a block of text too small to read, as ingredients are."""
    block = _paragraph(int(rng.integers(60)))
    x, y = _spot(face, rng, PRINT.small_x, PRINT.small_y)
    print_mask(face, block, (int(x), int(y)), colours[1])


def _bar_code(face: Image.Image, _colours: Sequence[Colour], rng: np.random.Generator) -> None:
    """Print a bar code in its white field, upright or lying."""
    w, h = face.size
    wide = max(16, int(w * rng.uniform(*PRINT.code_w)))
    high = max(10, int(h * rng.uniform(*PRINT.code_h)))
    field = Image.new("RGB", (wide, high), WHITE)
    code = bar_strip(rng.integers(1, 4, 60)).resize((int(wide * 0.86), int(high * 0.74)))
    field.paste(code, (int(wide * 0.07), int(high * 0.06)))
    digits = " ".join(str(d) for d in rng.integers(0, 10, 10))
    font = typeface(max(5, int(high * 0.2)))
    ImageDraw.Draw(field).text((wide / 2, high), digits, DARK, font, anchor="ms")
    turned = field.rotate(90, expand=True) if rng.random() < 0.3 else field
    x = int((w - turned.width) * rng.random())
    face.paste(turned, (x, int((h - turned.height) * rng.uniform(*PRINT.code_y))))


def _table(face: Image.Image, _colours: Sequence[Colour], rng: np.random.Generator) -> None:
    """Print a table of figures with fine lines, as nutrition facts are."""
    x, y = _spot(face, rng, PRINT.table_x, PRINT.table_y)
    wide = face.width * rng.uniform(*PRINT.table_w)
    rows, pitch = int(rng.integers(4, 9)), max(6.0, face.height * 0.04)
    pen, font = ImageDraw.Draw(face), typeface(max(5, int(pitch * 0.8)))
    pen.rectangle((x, y, x + wide, y + rows * pitch), fill=WHITE, outline=DARK)
    for row in range(rows):
        top = y + row * pitch
        pen.line((x, top, x + wide, top), DARK)
        pen.text((x + 2, top), package_word(rng), DARK, font)
        pen.text((x + wide - 2, top), str(rng.integers(1, 999)), DARK, font, anchor="ra")


def _bands(face: Image.Image, colours: Sequence[Colour], rng: np.random.Generator) -> None:
    """Print one broad band, a wave, or a set of stripes."""
    w, h = face.size
    pen = ImageDraw.Draw(face)
    colour, kind = colours[2], rng.random()
    at, broad = h * rng.uniform(*PRINT.band_y), h * rng.uniform(*PRINT.band_h)
    if kind < 0.4:
        pen.rectangle((0, at, w, at + broad), fill=colour)
    elif kind < 0.75:
        left, right = -w * rng.uniform(*PRINT.wave_left_w), w * rng.uniform(*PRINT.wave_right_w)
        pen.ellipse((left, at, right, at + h * rng.uniform(*PRINT.wave_h)), fill=colour)
    else:
        pitch = max(3.0, w * rng.uniform(*PRINT.stripe_w))
        for i in range(int(w / pitch)):
            pen.rectangle((i * pitch, at, i * pitch + pitch / 2, at + broad), fill=colour)


@functools.lru_cache(maxsize=1)
def _ball() -> tuple[Image.Image, Image.Image]:
    """Return a lit ball as a grey picture, and its outline as a mask."""
    y, x = np.mgrid[-1:1:96j, -1:1:96j]
    gloss = 0.5 * np.exp(-((x + 0.35) ** 2 + (y + 0.4) ** 2) / 0.02)
    light = np.clip(1 - 0.75 * np.hypot(x + 0.3, y + 0.35), 0.1, 1) + gloss
    inside = np.clip((1 - np.hypot(x, y)) * 40, 0, 1)
    grey, mask = (
        Image.fromarray((255 * np.minimum(v, 1)).astype(np.uint8)) for v in (light, inside)
    )
    return grey, mask


def paint_fruit(
    scene: Image.Image, at: Point, reach: float, skin: Colour, rng: np.random.Generator
) -> None:
    """Paint one fruit: a lit ball, more or less long, more or less ripe; *reach*: half its size."""
    light, outline = _ball()
    w, h = (max(3, int(reach * 2 * rng.uniform(0.85, 1.0))) for _ in range(2))
    colour = shade(skin, rng.uniform(0.8, 1.2))
    fruit = tinted(light.resize((w, h)), shade(colour, 0.35), shade(colour, 1.35))
    scene.paste(fruit, (int(at[0] - w / 2), int(at[1] - h / 2)), outline.resize((w, h)))


def _picture(face: Image.Image, _colours: Sequence[Colour], rng: np.random.Generator) -> None:
    """Print a picture: a heap of round things, as of fruit or biscuits."""
    skin = package_hue(rng)
    reach = min(face.size) * rng.uniform(*PRINT.picture_reach)
    x, y = _spot(face, rng, PRINT.picture_x, PRINT.picture_y)
    for _ in range(int(rng.integers(1, 7))):
        at = x + rng.normal(0, reach * 1.2), y + rng.normal(0, reach * 0.7)
        paint_fruit(face, at, reach * rng.uniform(*PRINT.pictured_size), skin, rng)


def print_seals(face: Image.Image, colours: Sequence[Colour], rng: np.random.Generator) -> None:
    """Print one or two small seals, of which packaging is full."""
    for _ in range(int(rng.integers(1, 3))):
        side = max(12, int(min(face.size) * rng.uniform(*PRINT.seal_side)))
        tints = [pick([*colours[1:], package_hue(rng)], rng), *colours, WHITE]
        seal = paint_seal(tints, side, rng)
        x, y = ((ours - its) * rng.random() for ours, its in zip(face.size, seal.size, strict=True))
        face.paste(seal, (int(x), int(y)), seal)


def _date_code(face: Image.Image, _colours: Sequence[Colour], rng: np.random.Generator) -> None:
    """Print a date and lot number as a production line's ink jet does."""
    d = rng.integers(1, 28, 4)
    date = f"EXP {d[0]:02}.{d[1] % 12 + 1:02}.{20 + d[2]}"
    code = f"{date}\nL{d[3]:03}{pick('ABCD', rng)} {d[0]:02}:{d[1]:02}"
    at = _spot(face, rng, PRINT.date_x, PRINT.date_y)
    font = typeface(max(6, int(face.height * 0.035)))
    ImageDraw.Draw(face).text(at, code, DARK, font, spacing=1)


def _burst(face: Image.Image, colours: Sequence[Colour], rng: np.random.Generator) -> None:
    """Print a star burst with a price or an offer."""
    reach = min(face.size) * rng.uniform(*PRINT.burst_reach)
    x, y = _spot(face, rng, PRINT.burst_x, PRINT.burst_y)
    points = int(rng.integers(8, 18))
    star = star_polygon((x, y), reach, points, inner=0.82, first_deg=180 / points)
    ImageDraw.Draw(face).polygon(star, fill=colours[3])
    price = f"{rng.integers(1, 20)}.{rng.integers(10, 99)}"
    offer = pick(("-25%", "2 for 1", "NEW", price, "+20%"), rng)
    box = (x - reach * 0.65, y - reach * 0.5 / 2, reach * 1.3, reach * 0.5)
    put_words(face, offer, box, legible_on(colours[3], WHITE, DARK, 380), 2)


PrintIt = Callable[[Image.Image, Sequence[Colour], np.random.Generator], None]
PRINTS: tuple[tuple[PrintIt, float], ...] = (
    (_bands, 0.8),
    (_picture, 0.5),
    (_brand, 0.95),
    (_words, 1.3),
    (_small_print, 0.9),
    (_table, 0.15),
    (_bar_code, 0.35),
    (_burst, 0.2),
    (print_seals, 0.5),
    (_date_code, 0.2),
)
"""The prints in their order, and how often each on average.

1.3 is once, and once more in three cases of ten.
"""


def print_close(face: Image.Image, rng: np.random.Generator) -> None:
    """Add words, small print and seals in other colours to a face that fills the picture."""
    for print_it in (_words, _small_print, print_seals):
        print_it(face, scheme(rng), rng)
