"""Paint product pictures, so that training works with no network and no photographs.

What a detector must learn to pass over is not grass and sky but packaging: words large and small,
bar codes, price labels, round logos, stripes, fruit, shadows. `paint_product` paints such scenes
from nothing but a random generator.

The way of one picture: a ground (table, belt, shelf, tiles) → an arrangement of items on it
(cartons, cans, bottles, bags, fruit, labels) → light. The packed items share one idea, the *panel*:
a flat printed face (`paint_panel`), which is set in perspective on a carton, bent round a can or
crumpled on a bag.
"""

from __future__ import annotations

import colorsys
import functools
import math
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageDraw

from train.drawing.canvas import Colour
from train.drawing.lettering import typeface
from train.drawing.words import WORDS
from train.paint.lookalikes import paint_seal

Point = tuple[float, float]
Quad = tuple[Point, Point, Point, Point]
"""Corners in pixels: top left, top right, bottom right, bottom left."""
Thing = TypeVar("Thing")

_WHITE: Colour = (247, 246, 242)
_DARK: Colour = (28, 27, 32)
_KRAFT: Colour = (190, 150, 104)


def paint_product(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Return a made-up picture of products, RGB, of the given width and height in pixels.

    The same state of `rng` gives the same picture.
    """
    scene = _pick(_GROUNDS, rng)(rng, width, height)
    _pick(_ARRANGEMENTS, rng)(scene, rng)
    return _lit(scene, rng)


# --- helpers ----------------------------------------------------------------------------------------------------


def _pick(things: Sequence[Thing], rng: np.random.Generator) -> Thing:
    """Return one of the things, each equally likely."""
    return things[int(rng.integers(len(things)))]


def _shade(colour: Colour, factor: float) -> Colour:
    """Return the colour made darker (factor below 1) or lighter (above 1)."""
    r, g, b = (min(255, max(0, round(c * factor))) for c in colour)
    return r, g, b


def _hue(rng: np.random.Generator, strong: bool = True) -> Colour:
    """Return a colour as packaging has them: strong, or pale."""
    s, v = (
        (rng.uniform(0.5, 1.0), rng.uniform(0.3, 0.95))
        if strong
        else (rng.uniform(0.0, 0.3), rng.uniform(0.7, 1.0))
    )
    r, g, b = colorsys.hsv_to_rgb(float(rng.random()), float(s), float(v))
    return round(r * 255), round(g * 255), round(b * 255)


def scheme(rng: np.random.Generator) -> list[Colour]:
    """Return the four colours of one package: its ground, its print, and two more."""
    ground = _pick([_hue(rng), _hue(rng), _hue(rng, strong=False), _WHITE, _KRAFT, _DARK], rng)
    light = sum(ground) > 400
    ink = _pick([_hue(rng), _DARK] if light else [_WHITE, _WHITE, _hue(rng, strong=False)], rng)
    return [
        ground,
        _shade(ink, 0.75) if light else ink,
        _hue(rng),
        _pick([_WHITE, _hue(rng), (244, 208, 40)], rng),
    ]


def _smooth(
    rng: np.random.Generator, size: tuple[int, int], cells: tuple[int, int], low: int, high: int
) -> Image.Image:
    """Return a grey picture of soft patches: `cells` random levels across and down, between low and
    high.
    """
    levels = rng.integers(low, high + 1, (cells[1], cells[0])).astype(np.uint8)
    return Image.fromarray(levels).resize(size, Image.Resampling.BILINEAR)


def _tinted(grey: Image.Image, dark: Colour, light: Colour) -> Image.Image:
    """Return a grey picture coloured from dark (0) to light (255)."""
    return Image.composite(
        Image.new("RGB", grey.size, light), Image.new("RGB", grey.size, dark), grey
    )


def perspective(target: Quad, size: tuple[int, int]) -> tuple[float, ...]:
    """Return the eight coefficients with which Pillow sets a picture of `size` into the quad
    `target`.

    Pillow asks for the way back: x_source = (a x + b y + c) / (g x + h y + 1), y_source likewise
    with d, e, f.
    """
    w, h = size
    rows, values = [], []
    for (x, y), (u, v) in zip(target, ((0, 0), (w, 0), (w, h), (0, h)), strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return tuple(float(c) for c in np.linalg.solve(np.array(rows, float), np.array(values, float)))


def place(scene: Image.Image, face: Image.Image, quad: Quad) -> None:
    """Paste a flat face (RGB or RGBA) into the scene so that its corners lie on the quad's."""
    xs, ys = [x for x, _ in quad], [y for _, y in quad]
    x0, y0 = max(0, math.floor(min(xs))), max(0, math.floor(min(ys)))
    size = min(scene.width, math.ceil(max(xs))) - x0, min(scene.height, math.ceil(max(ys))) - y0
    if size[0] < 2 or size[1] < 2:
        return
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = quad
    moved = (ax - x0, ay - y0), (bx - x0, by - y0), (cx - x0, cy - y0), (dx - x0, dy - y0)
    coefficients = perspective(moved, face.size)
    set_in = face.transform(
        size, Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BILINEAR
    )
    if face.mode == "RGBA":
        scene.paste(set_in, (x0, y0), set_in)
        return
    full = Image.new("L", face.size, 255)
    mask = full.transform(
        size, Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BILINEAR
    )
    scene.paste(set_in, (x0, y0), mask)


@functools.lru_cache(maxsize=16)
def _soft_spot(strength: float) -> Image.Image:
    """Return a soft round spot, the shape of every shadow."""
    y, x = np.mgrid[-1:1:48j, -1:1:48j]
    return Image.fromarray(
        (255 * strength * np.clip(1 - np.hypot(x, y), 0, 1) ** 0.8).astype(np.uint8)
    )


def shadow(scene: Image.Image, middle: Point, reach: Point, strength: float) -> None:
    """Darken the scene softly about a point; `strength` runs from 0 to 1."""
    size = max(2, round(reach[0] * 2)), max(2, round(reach[1] * 2))
    spot = _soft_spot(strength).resize(size, Image.Resampling.BILINEAR)
    scene.paste((12, 10, 14), (round(middle[0] - reach[0]), round(middle[1] - reach[1])), spot)


# --- what is printed on a panel ---------------------------------------------------------------------------------

# fmt: off
_SYLLABLES = (
    "va", "lo", "ri", "na", "ke", "mo", "sun", "fri", "tel", "ba", "nu", "ta", "li", "gra",
    "do", "pe", "sa", "vi", "ko", "lum", "ar", "en", "jo", "fa", "mi", "ze", "ro", "ul",
)
# fmt: on


@functools.lru_cache(maxsize=1)
def _lexicon() -> tuple[str, ...]:
    """Return the words that are printed: common ones, and made-up names. One fixed list, so that
    tiles are reused.
    """
    rng = np.random.default_rng(1)
    made = ("".join(rng.choice(_SYLLABLES, int(rng.integers(2, 4)))) for _ in range(220))
    cased = ((w, w.capitalize(), w.upper())[int(rng.integers(3))] for w in made)
    amounts = (f"{rng.integers(1, 99) * 10} {unit}" for unit in ("g", "ml", "kcal", "kg") * 6)
    return (*WORDS, *cased, *amounts)


def _word(rng: np.random.Generator) -> str:
    """Return one word of the lexicon."""
    return _pick(_lexicon(), rng)


@functools.lru_cache(maxsize=1500)
def _word_tile(words: str, weight: int) -> Image.Image:
    """Return words as a mask 40 px high, cropped, to be stretched to any shape."""
    width = max(8, int(typeface(40).getlength(words)) + 12)
    tile = Image.new("L", (width, 56))
    ImageDraw.Draw(tile).text((6, 28), words, 255, typeface(40), anchor="lm", stroke_width=weight)
    return tile.crop(tile.getbbox())


@functools.lru_cache(maxsize=64)
def _paragraph(number: int) -> Image.Image:
    """Return a block of small print as a mask; each number is another text, size and shape."""
    rng = np.random.default_rng((2, number))
    size, lines = int(rng.integers(5, 10)), int(rng.integers(3, 10))
    per_line = int(rng.integers(2, 7))
    text = "\n".join(" ".join(_word(rng) for _ in range(per_line)) for _ in range(lines))
    block = Image.new("L", (size * per_line * 5, (size + 3) * lines))
    ImageDraw.Draw(block).text((0, 0), text, 255, typeface(size), spacing=1)
    return block.crop(block.getbbox())


def put_words(
    face: Image.Image, words: str, box: tuple[float, float, float, float], ink: Colour, weight: int
) -> None:
    """Print words so that they fill a box (left, top, width, height), all in pixels."""
    tile = _word_tile(words, weight).resize(
        (max(1, int(box[2])), max(1, int(box[3]))), Image.Resampling.BILINEAR
    )
    _stamp(face, tile, (int(box[0]), int(box[1])), ink)


def _stamp(face: Image.Image, tile: Image.Image, at: tuple[int, int], ink: Colour) -> None:
    """Print a mask in one ink with its upper left corner at a point."""
    face.paste(ink, (*at, at[0] + tile.width, at[1] + tile.height), tile)


def _brand(face: Image.Image, colours: Sequence[Colour], rng: np.random.Generator) -> None:
    """Print a brand name, large, at times on a plate of its own."""
    w, h = face.size
    wide, high = w * rng.uniform(0.5, 0.9), h * rng.uniform(0.08, 0.24)
    x, y = (w - wide) * rng.random(), h * rng.uniform(0.03, 0.6)
    ink = colours[1]
    if rng.random() < 0.4:
        plate = (x - wide * 0.06, y - high * 0.3, x + wide * 1.06, y + high * 1.3)
        pen = ImageDraw.Draw(face)
        draw = pen.ellipse if rng.random() < 0.5 else pen.rectangle
        draw(plate, fill=colours[2], outline=_pick(colours, rng), width=max(1, int(w * 0.015)))
        ink = _WHITE if sum(colours[2]) < 420 else _DARK
    word, weight = _word(rng), int(rng.integers(0, 4))
    if rng.random() < 0.3:  # a printed shadow under the letters
        put_words(
            face,
            word,
            (x + high * 0.06, y + high * 0.06, wide, high),
            _pick([_DARK, colours[3]], rng),
            weight,
        )
    put_words(face, word, (x, y, wide, high), ink, weight)


def _words(face: Image.Image, colours: Sequence[Colour], rng: np.random.Generator) -> None:
    """Print a few words of middling size, each line in its own shape."""
    w, h = face.size
    x, y = w * rng.uniform(0.04, 0.4), h * rng.uniform(0.1, 0.85)
    for _ in range(int(rng.integers(1, 4))):
        words = " ".join(_word(rng) for _ in range(int(rng.integers(1, 3))))
        high = max(5.0, h * rng.uniform(0.025, 0.07))
        put_words(
            face,
            words,
            (x, y, min(w * 0.9, high * len(words) * rng.uniform(0.4, 0.7)), high),
            colours[1],
            1,
        )
        y += high * 1.4


def _small_print(face: Image.Image, colours: Sequence[Colour], rng: np.random.Generator) -> None:
    """Print a block of text too small to read, as ingredients are."""
    block = _paragraph(int(rng.integers(60)))
    at = int(face.width * rng.uniform(0.02, 0.6)), int(face.height * rng.uniform(0.05, 0.85))
    _stamp(face, block, at, colours[1])


def _bar_code(face: Image.Image, _colours: Sequence[Colour], rng: np.random.Generator) -> None:
    """Print a bar code in its white field, upright or lying."""
    w, h = face.size
    wide, high = max(16, int(w * rng.uniform(0.2, 0.45))), max(10, int(h * rng.uniform(0.08, 0.2)))
    field = Image.new("RGB", (wide, high), _WHITE)
    bars = np.repeat(np.where(np.arange(60) % 2, 245, 20), rng.integers(1, 4, 60))[None].astype(
        np.uint8
    )
    field.paste(
        Image.fromarray(bars).resize((int(wide * 0.86), int(high * 0.74))),
        (int(wide * 0.07), int(high * 0.06)),
    )
    digits = " ".join(str(d) for d in rng.integers(0, 10, 10))
    ImageDraw.Draw(field).text(
        (wide / 2, high), digits, _DARK, typeface(max(5, int(high * 0.2))), anchor="ms"
    )
    turned = field.rotate(90, expand=True) if rng.random() < 0.3 else field
    face.paste(
        turned,
        (int((w - turned.width) * rng.random()), int((h - turned.height) * rng.uniform(0.5, 1))),
    )


def _table(face: Image.Image, _colours: Sequence[Colour], rng: np.random.Generator) -> None:
    """Print a table of figures with fine lines, as nutrition facts are."""
    w, h = face.size
    x, y, wide = w * rng.uniform(0.05, 0.5), h * rng.uniform(0.1, 0.6), w * rng.uniform(0.3, 0.5)
    rows, pitch = int(rng.integers(4, 9)), max(6.0, h * 0.04)
    pen = ImageDraw.Draw(face)
    pen.rectangle((x, y, x + wide, y + rows * pitch), fill=_WHITE, outline=_DARK)
    for row in range(rows):
        top = y + row * pitch
        pen.line((x, top, x + wide, top), _DARK)
        pen.text((x + 2, top), _word(rng), _DARK, typeface(max(5, int(pitch * 0.8))))
        pen.text(
            (x + wide - 2, top),
            str(rng.integers(1, 999)),
            _DARK,
            typeface(max(5, int(pitch * 0.8))),
            anchor="ra",
        )


def _bands(face: Image.Image, colours: Sequence[Colour], rng: np.random.Generator) -> None:
    """Print one broad band, a wave, or a set of stripes."""
    w, h = face.size
    pen = ImageDraw.Draw(face)
    colour, kind = colours[2], rng.random()
    at, broad = h * rng.uniform(0, 0.8), h * rng.uniform(0.08, 0.4)
    if kind < 0.4:
        pen.rectangle((0, at, w, at + broad), fill=colour)
    elif kind < 0.75:
        pen.ellipse(
            (-w * rng.uniform(0.1, 1), at, w * rng.uniform(1, 2), at + h * rng.uniform(0.5, 2)),
            fill=colour,
        )
    else:
        pitch = max(3.0, w * rng.uniform(0.03, 0.12))
        for i in range(int(w / pitch)):
            pen.rectangle((i * pitch, at, i * pitch + pitch / 2, at + broad), fill=colour)


def _picture(face: Image.Image, _colours: Sequence[Colour], rng: np.random.Generator) -> None:
    """Print a picture: a heap of round things, as of fruit or biscuits."""
    w, h = face.size
    skin = _hue(rng)
    reach = min(w, h) * rng.uniform(0.08, 0.2)
    x, y = w * rng.uniform(0.2, 0.8), h * rng.uniform(0.4, 0.85)
    for _ in range(int(rng.integers(1, 7))):
        at = x + rng.normal(0, reach * 1.2), y + rng.normal(0, reach * 0.7)
        _round_fruit(face, at, reach * rng.uniform(0.8, 1.2), skin, rng)


def _seals(face: Image.Image, colours: Sequence[Colour], rng: np.random.Generator) -> None:
    """Print one or two small seals, of which packaging is full."""
    for _ in range(int(rng.integers(1, 3))):
        side = max(12, int(min(face.size) * rng.uniform(0.14, 0.36)))
        tints = [_pick([*colours[1:], _hue(rng)], rng), *colours, _WHITE]
        seal = paint_seal(tints, side, rng)
        at = (
            int((face.width - seal.width) * rng.random()),
            int((face.height - seal.height) * rng.random()),
        )
        face.paste(seal, at, seal)


def _date_code(face: Image.Image, _colours: Sequence[Colour], rng: np.random.Generator) -> None:
    """Print a date and lot number as a line's ink jet does."""
    d = rng.integers(1, 28, 4)
    code = f"EXP {d[0]:02}.{d[1] % 12 + 1:02}.{20 + d[2]}\nL{d[3]:03}{_pick('ABCD', rng)} {d[0]:02}:{d[1]:02}"
    at = face.width * rng.uniform(0.05, 0.6), face.height * rng.uniform(0.05, 0.9)
    ImageDraw.Draw(face).text(
        at, code, _DARK, typeface(max(6, int(face.height * 0.035))), spacing=1
    )


def _burst(face: Image.Image, colours: Sequence[Colour], rng: np.random.Generator) -> None:
    """Print a star burst with a price or an offer."""
    reach = min(face.size) * rng.uniform(0.12, 0.24)
    x, y = face.width * rng.uniform(0.2, 0.8), face.height * rng.uniform(0.15, 0.8)
    n = int(rng.integers(8, 18)) * 2
    turns = [(reach * (1 if i % 2 else 0.82), 2 * math.pi * i / n) for i in range(n)]
    pen = ImageDraw.Draw(face)
    pen.polygon([(x + r * math.cos(a), y + r * math.sin(a)) for r, a in turns], fill=colours[3])
    ink = _DARK if sum(colours[3]) > 380 else _WHITE
    offer = _pick(
        ["-25%", "2 for 1", "NEW", f"{rng.integers(1, 20)}.{rng.integers(10, 99)}", "+20%"], rng
    )
    high = reach * 0.5
    put_words(face, offer, (x - reach * 0.65, y - high / 2, reach * 1.3, high), ink, 2)


# What is printed, in this order, and how often on average: 1.4 is once, and once more in four cases
# of ten.
_PRINTS: tuple[
    tuple[Callable[[Image.Image, Sequence[Colour], np.random.Generator], None], float], ...
] = (
    (_bands, 0.8),
    (_picture, 0.5),
    (_brand, 0.95),
    (_words, 1.3),
    (_small_print, 0.9),
    (_table, 0.15),
    (_bar_code, 0.35),
    (_burst, 0.2),
    (_seals, 0.5),
    (_date_code, 0.2),
)


def paint_panel(
    rng: np.random.Generator, width: int, height: int, colours: Sequence[Colour]
) -> Image.Image:
    """Return one printed face of a package, RGB, of the given size in pixels.

    `colours`: as `scheme` returns them. Faces of one package share the colours and differ in what
    is printed.
    """
    ground = colours[0]
    if rng.random() < 0.5:
        grey = _smooth(rng, (width, height), (1, 2) if rng.random() < 0.7 else (2, 2), 90, 255)
        face = _tinted(grey, _shade(ground, 0.7), ground)
    else:
        face = Image.new("RGB", (width, height), ground)
    for print_it, times in _PRINTS:
        for _ in range(int(times + rng.random())):
            print_it(face, colours, rng)
    return face


# --- items ------------------------------------------------------------------------------------------------------


def carton(
    scene: Image.Image, rng: np.random.Generator, middle: float, foot: float, height: float
) -> None:
    """Stand a carton in the scene: a front, one side, and the top where it is seen from above.

    `middle`, `foot`, `height`: the front's middle line, its lower edge and how tall it stands, in
    pixels.
    """
    width = height * rng.uniform(0.45, 1.3)
    deep = width * rng.uniform(0.15, 0.5) * _pick([-1, 1], rng)
    rise = height * rng.uniform(-0.02, 0.16)
    lean = height * rng.normal(0, 0.02)
    left, right, top = middle - width / 2, middle + width / 2, foot - height
    colours = scheme(rng)
    shadow(scene, (middle + deep / 2, foot), (width * 0.8 + abs(deep), height * 0.16), 0.6)
    front = paint_panel(rng, _px(width), _px(height), colours)
    near = left if deep < 0 else right
    side = paint_panel(rng, _px(abs(deep)), _px(height), colours).point(_DIMMED)
    inner, outer = (near + lean, top), (near + deep + lean, top - rise)
    low_inner, low_outer = (near, foot), (near + deep, foot - rise * 1.4)
    if deep < 0:
        place(scene, side, (outer, inner, low_inner, low_outer))
    else:
        place(scene, side, (inner, outer, low_outer, low_inner))
    if rise > 0:
        lid = Image.new("RGB", (16, 16), _shade(colours[0], 1.12))
        a, b = (left + lean, top), (right + lean, top)
        place(scene, lid, ((a[0] + deep, a[1] - rise), (b[0] + deep, b[1] - rise), b, a))
    place(scene, front, ((left + lean, top), (right + lean, top), (right, foot), (left, foot)))


def _px(length: float) -> int:
    """Return a face's side in pixels: at least a few, and no more than can be seen."""
    return int(min(460, max(12, length)))


_DIMMED = [round(i * 0.72) for i in range(256)] * 3


def can(
    scene: Image.Image, rng: np.random.Generator, middle: float, foot: float, height: float
) -> None:
    """Stand a can or a jar in the scene, its panel bent round it; arguments as for `carton`."""
    width = height * rng.uniform(0.4, 0.9)
    shadow(scene, (middle, foot), (width * 0.8, height * 0.12), 0.65)
    _bent_panel(scene, rng, (middle, foot), (width, height), bulge=width * rng.uniform(0.04, 0.14))
    rim = width * 0.1
    metal = _pick([(205, 207, 210), (150, 152, 158), _hue(rng)], rng)
    box = (middle - width / 2, foot - height - rim, middle + width / 2 - 1, foot - height + rim)
    pen = ImageDraw.Draw(scene)
    pen.ellipse(box, fill=metal, outline=_shade(metal, 0.6), width=max(1, int(rim / 5)))
    pen.ellipse(
        (box[0] + rim, box[1] + rim / 3, box[2] - rim, box[3] - rim / 2), fill=_shade(metal, 0.82)
    )


def bottle(
    scene: Image.Image, rng: np.random.Generator, middle: float, foot: float, height: float
) -> None:
    """Stand a bottle in the scene: a body, shoulders, a neck with a cap, and a label; arguments as
    for `carton`.
    """
    width = height * rng.uniform(0.24, 0.42)
    glass = _shade(_hue(rng), rng.uniform(0.4, 1.0))
    neck, body = width * rng.uniform(0.3, 0.5), height * rng.uniform(0.55, 0.72)
    top, shoulder = foot - height, foot - body
    shadow(scene, (middle, foot), (width * 0.8, height * 0.07), 0.65)
    pen = ImageDraw.Draw(scene)
    outline = [
        (middle - width / 2, foot), (middle - width / 2, shoulder), (middle - neck / 2, shoulder - width * 0.5),
        (middle - neck / 2, top), (middle + neck / 2, top), (middle + neck / 2, shoulder - width * 0.5),
        (middle + width / 2, shoulder), (middle + width / 2, foot),
    ]  # fmt: skip
    pen.polygon(outline, fill=glass)
    pen.line(
        (middle - width * 0.36, shoulder, middle - width * 0.36, foot - 3),
        _shade(glass, 1.5),
        max(1, int(width / 14)),
    )
    pen.rectangle(
        (middle - neck * 0.58, top, middle + neck * 0.58, top + height * 0.07), fill=_hue(rng)
    )
    _bent_panel(scene, rng, (middle, foot - body * 0.14), (width, body * 0.62), bulge=width * 0.05)


def _bent_panel(
    scene: Image.Image, rng: np.random.Generator, at: Point, size: Point, bulge: float
) -> None:
    """Bend a panel round a cylinder whose middle of the lower edge is `at`; the edges sag by
    `bulge` in the middle.
    """
    w, h = max(6, int(size[0])), max(6, int(size[1]))
    panel = np.asarray(paint_panel(rng, _px(w * 1.25), _px(h), scheme(rng)))
    across = np.linspace(-1, 1, w)
    columns = ((np.arcsin(across) / math.pi + 0.5) * (panel.shape[1] - 1)).astype(np.intp)
    sag = bulge * np.sqrt(1 - across**2)
    rows = np.arange(h + math.ceil(bulge))[:, None] - sag[None]
    inside = (rows >= 0) & (rows < h)
    bent = panel[
        np.clip(rows * panel.shape[0] / h, 0, panel.shape[0] - 1).astype(np.intp), columns[None]
    ]
    light = _cylinder_light(across, rng.uniform(-0.5, 0.5))
    shaded = np.minimum(bent * light[None, :, None], 255).astype(np.uint8)
    mask = Image.fromarray(inside.astype(np.uint8) * 255)
    scene.paste(Image.fromarray(shaded), (int(at[0] - w / 2), int(at[1] - h)), mask)


def _cylinder_light(across: npt.NDArray[np.float64], lamp: float) -> npt.NDArray[np.float32]:
    """Return how bright a cylinder is at each column: dim at its sides, one glossy line under the
    lamp.
    """
    body = 0.45 + 0.6 * np.sqrt(np.maximum(0, 1 - (across - lamp * 0.5) ** 2))
    gloss = 0.45 * np.exp(-(((across - lamp) / 0.09) ** 2))
    return (body + gloss).astype(np.float32)


def bag(
    scene: Image.Image, rng: np.random.Generator, middle: float, foot: float, height: float
) -> None:
    """Lay a crumpled bag with toothed ends in the scene; arguments as for `carton`."""
    w, h = max(12, int(height * rng.uniform(0.6, 0.95))), max(12, int(height))
    panel = np.asarray(paint_panel(rng, _px(w), _px(h), scheme(rng)))
    y, x = np.arange(h)[:, None], np.arange(w)[None]
    swell = w * 0.02
    dx = swell * np.sin(y / h * rng.uniform(4, 14) + x / w * 3 + rng.uniform(0, 6))
    dy = swell * np.sin(x / w * rng.uniform(4, 14) + y / h * 2 + rng.uniform(0, 6))
    rows = np.clip((y + dy) * panel.shape[0] / h, 0, panel.shape[0] - 1).astype(np.intp)
    columns = np.clip((x + dx) * panel.shape[1] / w, 0, panel.shape[1] - 1).astype(np.intp)
    cells = int(rng.integers(4, 9))
    creases = np.asarray(_smooth(rng, (w, h), (cells, cells), 110, 255), np.float32) / 200
    crumpled = np.minimum(panel[rows, columns] * creases[..., None], 255).astype(np.uint8)
    mask = Image.fromarray(crumpled)
    shadow(scene, (middle, foot - h * 0.05), (w * 0.7, h * 0.2), 0.6)
    tilt = float(rng.normal(0, 8))
    turned = mask.rotate(tilt, Image.Resampling.BILINEAR, expand=True)
    shape = _bag_outline(w, h).rotate(tilt, Image.Resampling.BILINEAR, expand=True)
    scene.paste(
        turned, (int(middle - turned.width / 2), int(foot - h / 2 - turned.height / 2)), shape
    )


def _bag_outline(w: int, h: int) -> Image.Image:
    """Return a bag's outline as a mask: waisted sides, toothed ends."""
    outline = Image.new("L", (w, h))
    teeth = max(6, w // 8)
    tooth, waist = h * 0.015, w * 0.05
    top = [(w * i / teeth, tooth * (i % 2)) for i in range(teeth + 1)]
    right = [(w - waist * math.sin(math.pi * i / 8), h * i / 8) for i in range(1, 8)]
    foot = [(w * (1 - i / teeth), h - tooth * (i % 2)) for i in range(teeth + 1)]
    left = [(waist * math.sin(math.pi * i / 8), h * (1 - i / 8)) for i in range(1, 8)]
    ImageDraw.Draw(outline).polygon(top + right + foot + left, fill=255)
    return outline


@functools.lru_cache(maxsize=1)
def _ball() -> tuple[Image.Image, Image.Image]:
    """Return a lit ball as a grey picture, and its outline as a mask."""
    y, x = np.mgrid[-1:1:96j, -1:1:96j]
    light = np.clip(1 - 0.75 * np.hypot(x + 0.3, y + 0.35), 0.1, 1) + 0.5 * np.exp(
        -((x + 0.35) ** 2 + (y + 0.4) ** 2) / 0.02
    )
    inside = np.clip((1 - np.hypot(x, y)) * 40, 0, 1)
    return tuple(
        Image.fromarray((255 * np.minimum(v, 1)).astype(np.uint8)) for v in (light, inside)
    )  # type: ignore[return-value]


def _round_fruit(
    scene: Image.Image, at: Point, reach: float, skin: Colour, rng: np.random.Generator
) -> None:
    """Draw one fruit: a lit ball, more or less long, more or less ripe."""
    light, outline = _ball()
    size = (
        max(3, int(reach * 2 * rng.uniform(0.85, 1.0))),
        max(3, int(reach * 2 * rng.uniform(0.85, 1.0))),
    )
    colour = _shade(skin, rng.uniform(0.8, 1.2))
    fruit = _tinted(light.resize(size), _shade(colour, 0.35), _shade(colour, 1.35))
    scene.paste(fruit, (int(at[0] - size[0] / 2), int(at[1] - size[1] / 2)), outline.resize(size))


def fruit_heap(
    scene: Image.Image, rng: np.random.Generator, middle: float, foot: float, height: float
) -> None:
    """Heap fruit in the scene, some with a small round sticker; arguments as for `carton`."""
    skin = _hue(rng)
    reach = height * rng.uniform(0.14, 0.35)
    rows = max(1, int(height / reach / 1.6))
    shadow(scene, (middle, foot), (height * 0.8, reach), 0.6)
    for row in range(rows):
        for i in range(rows - row + 1):
            x = middle + (i - (rows - row) / 2) * reach * 1.8 + rng.normal(0, reach * 0.15)
            y = foot - reach - row * reach * 1.4
            _round_fruit(scene, (x, y), reach, skin, rng)
            if reach > 14 and rng.random() < 0.25:
                sticker = paint_seal([_hue(rng), _WHITE, _DARK], max(10, int(reach * 0.6)), rng)
                scene.paste(sticker, (int(x), int(y - reach * 0.4)), sticker)


def price_label(
    scene: Image.Image, rng: np.random.Generator, middle: float, foot: float, height: float
) -> None:
    """Hang a price label in the scene: words, a large price, a bar code; arguments as for `carton`."""
    w, h = _px(height * rng.uniform(1.4, 2.2)), _px(height)
    paper = _pick([_WHITE, _WHITE, (250, 222, 60), _hue(rng, strong=False)], rng)
    label = Image.new("RGB", (w, h), paper)
    pen = ImageDraw.Draw(label)
    pen.text(
        (w * 0.04, h * 0.05), f"{_word(rng)} {_word(rng)}", _DARK, typeface(max(6, int(h * 0.16)))
    )
    pen.text((w * 0.04, h * 0.26), f"{_word(rng)} 500 g", _DARK, typeface(max(5, int(h * 0.1))))
    price = f"{rng.integers(0, 99)}.{rng.integers(10, 99)}"
    ink = _pick([_DARK, (190, 20, 24)], rng)
    put_words(label, price, (w * 0.45, h * 0.4, w * 0.5, h * 0.45), ink, 2)
    bars = np.repeat(np.where(np.arange(40) % 2, 245, 20), rng.integers(1, 4, 40))[None].astype(
        np.uint8
    )
    label.paste(
        Image.fromarray(bars).resize((max(4, int(w * 0.34)), max(3, int(h * 0.34)))),
        (int(w * 0.04), int(h * 0.52)),
    )
    place(scene, label, _leaning(rng, middle, foot, w, h, 0.04))


def flat_panel(
    scene: Image.Image, rng: np.random.Generator, middle: float, foot: float, height: float
) -> None:
    """Lay a flat pack or card in the scene, turned a little; arguments as for `carton`."""
    w = height * rng.uniform(0.6, 1.5)
    face = paint_panel(rng, _px(w), _px(height), scheme(rng))
    if rng.random() < 0.3:
        face = face.transpose(_pick(_QUARTER_TURNS, rng))
    shadow(scene, (middle, foot - height / 2), (w * 0.75, height * 0.75), 0.5)
    place(scene, face, _leaning(rng, middle, foot, w, height, 0.08))


_QUARTER_TURNS = (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)


def _leaning(
    rng: np.random.Generator, middle: float, foot: float, w: float, h: float, sway: float
) -> Quad:
    """Return an upright rectangle's corners, turned a little and set slightly in perspective."""
    turn = rng.normal(0, sway * 2)
    c, s = math.cos(turn), math.sin(turn)
    corners = []
    for x, y in ((-w / 2, -h / 2), (w / 2, -h / 2), (w / 2, h / 2), (-w / 2, h / 2)):
        jx, jy = x + rng.normal(0, w * sway / 2), y + rng.normal(0, h * sway / 2)
        corners.append((middle + c * jx - s * jy, foot - h / 2 + s * jx + c * jy))
    return corners[0], corners[1], corners[2], corners[3]


_ITEMS = (carton, carton, carton, can, bottle, bag, bag, fruit_heap, flat_panel, price_label)


# --- grounds ----------------------------------------------------------------------------------------------------


def _plain_ground(rng: np.random.Generator, w: int, h: int) -> Image.Image:
    """Return a plain table or wall with soft patches of light."""
    colour = _hue(rng, strong=bool(rng.random() < 0.3))
    return _tinted(_smooth(rng, (w, h), (3, 3), 60, 255), _shade(colour, 0.55), colour)


def _wood_ground(rng: np.random.Generator, w: int, h: int) -> Image.Image:
    """Return boards: long grain, and gaps between the boards."""
    colour = _shade(
        _pick([(196, 150, 96), (150, 104, 64), (222, 200, 168), (120, 110, 104)], rng),
        rng.uniform(0.8, 1.1),
    )
    grain = _smooth(rng, (w, h), (4, max(4, h // 4)), 60, 255)
    boards = _tinted(grain, _shade(colour, 0.6), _shade(colour, 1.15))
    pen = ImageDraw.Draw(boards)
    for y in range(int(rng.integers(20, 80)), h, max(30, h // int(rng.integers(3, 9)))):
        pen.line((0, y, w, y + 1), _shade(colour, 0.35), 2)
    return (
        boards if rng.random() < 0.6 else boards.transpose(Image.Transpose.ROTATE_90).resize((w, h))
    )


def _belt_ground(rng: np.random.Generator, w: int, h: int) -> Image.Image:
    """Return a conveyor belt between two metal rails."""
    rubber = _pick([(52, 54, 56), (38, 66, 58), (70, 72, 78), (210, 212, 210), (30, 70, 120)], rng)
    belt = _tinted(_smooth(rng, (w, h), (max(2, w // 3), 3), 120, 255), _shade(rubber, 0.7), rubber)
    pen = ImageDraw.Draw(belt)
    rail = int(h * rng.uniform(0.05, 0.2))
    for y in (0, h - rail):
        pen.rectangle((0, y, w, y + rail), fill=(168, 171, 176))
        pen.line((0, y + rail // 3, w, y + rail // 3), (226, 228, 230), max(1, rail // 6))
    for x in range(int(rng.integers(10, 60)), w, int(rng.integers(24, 120))):
        pen.line((x, rail, x, h - rail), _shade(rubber, 0.82), 2)
    return belt


def _tile_ground(rng: np.random.Generator, w: int, h: int) -> Image.Image:
    """Return a tiled or meshed surface."""
    colour = _hue(rng, strong=False)
    tiles = _tinted(_smooth(rng, (w, h), (4, 4), 140, 255), _shade(colour, 0.6), colour)
    pen = ImageDraw.Draw(tiles)
    pitch = int(rng.integers(14, 90))
    joint = _shade(colour, rng.uniform(0.4, 0.8))
    for x in range(0, w, pitch):
        pen.line((x, 0, x, h), joint, max(1, pitch // 14))
    for y in range(0, h, pitch):
        pen.line((0, y, w, y), joint, max(1, pitch // 14))
    return tiles


def _rough_ground(rng: np.random.Generator, w: int, h: int) -> Image.Image:
    """Return cardboard, stone or cloth: fine speckle over soft patches."""
    colour = _pick([_KRAFT, (150, 150, 148), _hue(rng, strong=False), (84, 80, 76)], rng)
    speckle = _smooth(rng, (w, h), (max(2, w // 2), max(2, h // int(rng.integers(2, 6)))), 70, 255)
    patches = _smooth(rng, (w, h), (4, 4), 120, 255)
    return _tinted(ImageChops.multiply(speckle, patches), _shade(colour, 0.45), _shade(colour, 1.2))


_GROUNDS = (_plain_ground, _plain_ground, _wood_ground, _belt_ground, _tile_ground, _rough_ground)


# --- arrangements -----------------------------------------------------------------------------------------------


def _one_large(scene: Image.Image, rng: np.random.Generator) -> None:
    """Set one large item in the middle, as a hand-held camera sees it, often with others behind."""
    w, h = scene.size
    for _ in range(int(rng.integers(0, 4))):
        _pick(_ITEMS, rng)(
            scene, rng, w * rng.random(), h * rng.uniform(0.3, 0.7), h * rng.uniform(0.2, 0.4)
        )
    height = h * rng.uniform(0.6, 0.95)
    _pick(_ITEMS, rng)(scene, rng, w * rng.uniform(0.35, 0.65), h * rng.uniform(0.85, 1.0), height)


def _several(scene: Image.Image, rng: np.random.Generator) -> None:
    """Set a few items side by side, the far ones first."""
    w, h = scene.size
    feet = np.sort(rng.uniform(0.45, 1.02, int(rng.integers(3, 7))))
    for foot in feet:
        height = h * rng.uniform(0.2, 0.55) * (0.6 + 0.4 * foot)
        _pick(_ITEMS, rng)(scene, rng, w * rng.uniform(0.05, 0.95), h * float(foot), height)


def _shelves(scene: Image.Image, rng: np.random.Generator) -> None:
    """Fill shelves with packs, several of a kind side by side, price labels on the shelf's edge."""
    w, h = scene.size
    rows = int(rng.integers(2, 4))
    pen = ImageDraw.Draw(scene)
    edge = h / rows * 0.13
    metal = _pick([(222, 222, 220), (70, 72, 76), _hue(rng, strong=False)], rng)
    for row in range(rows):
        foot = h * (row + 1) / rows - edge
        _shelf_row(scene, rng, foot, h / rows - edge)
        pen.rectangle((0, foot, w, foot + edge), fill=metal)
        pen.line((0, foot + edge, w, foot + edge), _shade(metal, 0.5), 2)
        for _ in range(int(rng.integers(0, 3))):
            price_label(scene, rng, w * rng.random(), foot + edge, edge)


def _shelf_row(scene: Image.Image, rng: np.random.Generator, foot: float, room: float) -> None:
    """Fill one shelf from left to right; packs of one kind show the same face."""
    x = -room * rng.random() * 0.5
    while x < scene.width:
        height = room * rng.uniform(0.65, 0.98)
        width = height * rng.uniform(0.4, 0.9)
        face = paint_panel(rng, _px(width), _px(height), scheme(rng))
        shadow(scene, (x + width / 2, foot - height / 2), (width * 0.8, height * 0.8), 0.45)
        for _ in range(int(rng.integers(1, 5))):
            j = rng.normal(0, 0.02, 4) * width
            top = foot - height
            place(
                scene,
                face,
                (
                    (x + j[0], top + j[1]),
                    (x + width + j[2], top + j[3]),
                    (x + width, foot),
                    (x, foot),
                ),
            )
            x += width * 1.04
        x += width * rng.random() * 0.3


def _close_up(scene: Image.Image, rng: np.random.Generator) -> None:
    """Fill the picture with one printed face, as a camera close to the line sees it."""
    w, h = scene.size
    face = paint_panel(rng, w, h, scheme(rng))
    for print_it in (_words, _small_print, _seals):
        print_it(face, scheme(rng), rng)
    over = 0.12
    place(
        scene,
        face,
        _leaning(rng, w / 2, h * (1 + over), w * (1 + 2 * over), h * (1 + 2 * over), 0.04),
    )


def _scattered_labels(scene: Image.Image, rng: np.random.Generator) -> None:
    """Strew flat packs, labels and loose seals about."""
    w, h = scene.size
    for _ in range(int(rng.integers(3, 7))):
        height = h * rng.uniform(0.12, 0.4)
        _pick((flat_panel, price_label, bag), rng)(
            scene, rng, w * rng.random(), h * rng.uniform(0.2, 1.1), height
        )
    for _ in range(int(rng.integers(1, 6))):
        seal = paint_seal(
            [_hue(rng), _hue(rng), _WHITE, _DARK], int(rng.integers(16, max(18, w // 5))), rng
        )
        turned = seal.rotate(float(rng.uniform(0, 360)), Image.Resampling.BILINEAR, expand=True)
        scene.paste(
            turned,
            (int(w * rng.random()) - turned.width // 2, int(h * rng.random()) - turned.height // 2),
            turned,
        )


_ARRANGEMENTS = (
    _one_large,
    _one_large,
    _several,
    _several,
    _several,
    _shelves,
    _close_up,
    _scattered_labels,
)


# --- light ------------------------------------------------------------------------------------------------------


def _lit(scene: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return the scene under uneven, slightly tinted light."""
    y, x = np.mgrid[-1:1:9j, -1:1:9j]
    slope = 1 + rng.normal(0, 0.12) * x + rng.normal(0, 0.12) * y
    corners = 1 - rng.uniform(0, 0.35) * (x**2 + y**2) / 2
    tint = rng.uniform(0.9, 1.0, 3)
    level = slope * corners * rng.uniform(0.75, 1.05)
    light = np.clip(255 * level[..., None] * tint, 0, 255).astype(np.uint8)
    return ImageChops.multiply(
        scene, Image.fromarray(light).resize(scene.size, Image.Resampling.BILINEAR)
    )
