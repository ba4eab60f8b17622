"""Lettering in many typefaces without a font file.

Three sources: Pillow's scalable typeface (Aileron), its small bitmap one (Courier), enlarged as
pixels, dots or typed letters, and strokes laid out here, drawn with a round or a broad pen, with or
without serifs, by a steady or an unsteady hand. Weight, slant, width, spacing, hollow and split
letters multiply these.
"""

import functools
import itertools
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from train.drawing.canvas import Points, print_mask
from train.drawing.random_choice import pick

# fmt: off
STROKES = {
    "A": "062046 1434", "B": "0006 003041423303 033344453606", "C": "4130100105163645",
    "D": "00062645412000", "E": "40000646 0333", "F": "400006 0333", "G": "41301001051636454323",
    "H": "0006 4046 0343", "I": "2026", "J": "4045361605", "K": "0006 4003 0346", "L": "000646",
    "M": "0600234046", "N": "06004640", "O": "100105163645413010", "P": "0600304142330300",
    "Q": "100105163645413010 2446", "R": "06003041423303 2346", "S": "413010010213334445361605",
    "T": "0040 2026", "U": "000516364540", "V": "002640", "W": "0016233640", "X": "0046 4006",
    "Y": "002340 2326", "Z": "00400646", "0": "100105163645413010 3115", "1": "012026 0646",
    "2": "0110304142050646", "3": "0110304142334445361605 1333", "4": "36300444",
    "5": "400003334445361605", "6": "413010010516364544333303", "7": "004016",
    "8": "13020110304142331304051636454433", "9": "05163645413010010213 1343",
    "-": "1333", "/": "4006", ".": "2526", ":": "2122 2526", "+": "2224 1333", "'": "2022",
    "%": "4006 0111 3545", "&": "460210304104051636 3644", "#": "1016 3036 0242 0444",
}
# fmt: on
"""Strokes of each capital, digit and sign on a grid 4 wide and 6 high.

Pairs of x and y, one word a stroke.
"""
TILE_PX = 40
"""Size of the typeface at which `word_tile` letters, unless told otherwise."""


@dataclass(frozen=True)
class Face:
    """A typeface: the source of its letters and what is done to them.

    *weight*, *spacing*: shares of a capital's height; *stretch*: width over natural width; *slant*:
    shift to the right over height.
    """

    source: str
    weight: float
    stretch: float = 1.0
    slant: float = 0.0
    spacing: float = 0.0
    effect: str = "plain"
    serifs: bool = False
    seed: int = 0


def some_face(rng: np.random.Generator) -> Face:
    """Return one typeface of very many."""
    source = pick(("aileron",) * 5 + ("pen",) * 3 + ("nib",) * 3 + ("typed", "pixels", "dots"), rng)
    effect = pick(("plain",) * 7 + ("hollow", "split", "soft"), rng)
    slant = pick((0.0, 0.0, 0.0, 0.15, 0.3, -0.1), rng)
    aileron = source == "aileron"
    weight = pick((0.0, 0.0, 0.02, 0.04, 0.07), rng) if aileron else rng.uniform(0.09, 0.24)
    return Face(
        source,
        weight,
        pick((0.6, 0.8, 1.0, 1.0, 1.25, 1.6), rng),
        slant,
        pick((0.0, 0.02, 0.06, 0.15, 0.3), rng),
        effect if source in {"aileron", "nib", "pen"} else "plain",
        bool(rng.random() < 0.4),
        int(rng.integers(2**31)),
    )


def print_face(rng: np.random.Generator) -> Face:
    """Return a typeface of the printers that write dates and lots on packs."""
    source = pick(("dots", "dots", "pixels", "typed", "pen"), rng)
    stretch = pick((0.8, 1.0, 1.3), rng)
    return Face(source, 0.14, stretch, spacing=0.08, seed=int(rng.integers(2**31)))


def hand_face(rng: np.random.Generator) -> Face:
    """Return a handwriting in capitals."""
    weight, slant, stretch = rng.uniform(0.07, 0.18), rng.uniform(-0.1, 0.45), rng.uniform(0.7, 1.3)
    return Face("hand", weight, stretch, slant, 0.04, seed=int(rng.integers(2**31)))


def line_of(words: str, face: Face, height: int) -> Image.Image:
    """Return one line as a mask (L), cropped; a capital is about *height* pixels high."""
    tiles = letters(words, face, height)
    gap = round(face.spacing * height)
    width = sum(tile.width + gap for tile in tiles) or 1
    line = Image.new("L", (width, tiles[0].height if tiles else 1))
    x = 0
    for tile in tiles:
        line.paste(tile, (x, 0))
        x += tile.width + gap
    if face.slant:
        line = _slanted(line, face.slant)
    return line.crop(line.getbbox() or (0, 0, 1, 1))


def letters(words: str, face: Face, height: int) -> list[Image.Image]:
    """Return each letter as a mask (L) of its own width; all are about 1.5 capitals high."""
    height = max(8, height)
    return [_letter(letter, face, height, place) for place, letter in enumerate(words)]


def _letter(letter: str, face: Face, height: int, place: int) -> Image.Image:
    if face.source == "aileron":
        tile = _aileron(letter, round(face.weight * height), height)
    elif face.source in {"typed", "pixels", "dots"}:
        tile = _bitmap(letter, face.source, height)
    else:
        tile = _stroked(letter.upper(), face, height, place)
    tile = _with_effect(tile, face.effect, height)
    size = max(1, round(tile.width * face.stretch)), tile.height
    return tile.resize(size, Image.Resampling.BILINEAR)


def _aileron(letter: str, weight: int, height: int) -> Image.Image:
    font = typeface(round(height / 0.7))  # its capitals are 0.7 of its size
    tile = Image.new("L", (max(1, round(font.getlength(letter)) + 2 * weight), round(1.5 * height)))
    pen = ImageDraw.Draw(tile)
    pen.text((weight, 1.15 * height), letter, fill=255, font=font, anchor="ls", stroke_width=weight)
    return tile


@functools.lru_cache(maxsize=1)
def _courier() -> ImageFont.ImageFont:
    return ImageFont.load_default_imagefont()


def _bitmap(letter: str, source: str, height: int) -> Image.Image:
    """Return a letter of the bitmap typeface, 6 x 11 pixels, enlarged; its capitals are 6 high."""
    small = Image.new("L", (6, 11))
    ImageDraw.Draw(small).text((0, 0), letter, fill=255, font=_courier())
    cell = max(2, round(height / 6))
    large = small.resize((6 * cell, 11 * cell), Image.Resampling.NEAREST)
    if source == "dots":
        dot = Image.new("L", (4 * cell, 4 * cell))
        ImageDraw.Draw(dot).ellipse((0, 0, 4 * cell - 1, 4 * cell - 1), fill=255)
        dot, tiled = dot.resize((cell, cell), Image.Resampling.BOX), Image.new("L", large.size)
        for i in range(66):
            tiled.paste(dot, (i % 6 * cell, i // 6 * cell))
        large = ImageChops.darker(large, tiled)
    elif source == "typed":
        large = large.filter(ImageFilter.GaussianBlur(cell * 0.55)).point(_hardened())
    return large


def _hardened() -> list[int]:
    """Return a table that makes a blurred edge hard again, with a little softness left."""
    return [min(255, max(0, (level - 100) * 8)) for level in range(256)]


def _stroked(letter: str, face: Face, height: int, place: int) -> Image.Image:
    rng = np.random.default_rng((face.seed, place if face.source == "hand" else ord(letter)))
    weight = face.weight * height
    tile = Image.new("L", (round(height * 0.62 + 2 * weight), round(1.5 * height)))
    pen = ImageDraw.Draw(tile)
    wobble = {"hand": 0.3, "pen": 0.0, "nib": 0.0}[face.source]
    for word in STROKES.get(letter, "").split():
        grid = np.array([int(digit) for digit in word], np.float64).reshape(-1, 2)
        points = grid
        if face.seed % 3 or wobble:
            points = rounded_off(grid + rng.normal(0, wobble, grid.shape), 2)
        points = points * [height * 0.62 / 4, height / 6] + [weight, 0.15 * height]
        _pull(pen, points, weight, face.source == "nib")
        if face.serifs and face.source != "hand":
            _serifs(pen, points, grid, weight)
    return tile


def rounded_off(points: Points, times: int) -> Points:
    """Return an open line with its corners cut *times* times (Chaikin, 1974); its ends stay."""
    for _ in range(times):
        near, far = points[:-1] * 0.75 + points[1:] * 0.25, points[:-1] * 0.25 + points[1:] * 0.75
        points = np.concatenate([points[:1], np.stack([near, far], 1).reshape(-1, 2), points[-1:]])
    return points


def _pull(pen: ImageDraw.ImageDraw, points: Points, weight: float, broad: bool) -> None:
    """Draw a line with a round pen, or a broad one held at a slant: thick and thin strokes."""
    width = weight * (0.35 if broad else 1.0)
    pairs = [(x, y) for x, y in points.tolist()]
    pen.line(pairs, fill=255, width=max(1, round(width)), joint="curve")
    for x, y in pairs:
        pen.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=255)
    if not broad:
        return
    nib = np.array([0.5, 0.12]) * weight
    for a, b in itertools.pairwise(points):
        corners = np.array([a - nib, a + nib, b + nib, b - nib]).tolist()
        pen.polygon([(x, y) for x, y in corners], fill=255)


def _serifs(pen: ImageDraw.ImageDraw, points: Points, grid: Points, weight: float) -> None:
    """Draw a short bar across each end of a stroke that lies on the head or the foot line."""
    for (x, y), (_, row) in ((points[0].tolist(), grid[0]), (points[-1].tolist(), grid[-1])):
        if row in (0, 6):
            wide, high = weight * 0.9, weight * 0.2
            pen.rectangle((x - wide, y - high, x + wide, y + high), fill=255)


def _with_effect(tile: Image.Image, effect: str, height: int) -> Image.Image:
    if effect == "hollow":
        inner = tile.filter(ImageFilter.MinFilter(max(3, round(height * 0.07) // 2 * 2 + 1)))
        return ImageChops.subtract(tile, inner)
    if effect == "split":
        cut = round(0.62 * height)
        tile.paste(0, (0, cut, tile.width, cut + max(2, round(height * 0.08))))
    if effect == "soft":
        return tile.filter(ImageFilter.GaussianBlur(height * 0.05)).point(_hardened())
    return tile


def _slanted(line: Image.Image, slant: float) -> Image.Image:
    extra = round(abs(slant) * line.height)
    shift = -slant * line.height if slant > 0 else 0.0
    size, matrix = (line.width + extra, line.height), (1, slant, shift, 0, 1, 0)
    return line.transform(size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)


@functools.lru_cache(maxsize=64)
def typeface(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return Pillow's own typeface (Aileron, CC0) at a size in pixels; no font is installed."""
    return ImageFont.load_default(size)


@functools.lru_cache(maxsize=1500)
def word_tile(words: str, stroke: int, size: int = TILE_PX) -> Image.Image:
    """Return words in `typeface` as a mask (L) cropped to its ink, to be stretched to any shape.

    *stroke*: by how many pixels each letter is thickened; *size*: of the typeface, in pixels.
    """
    font, margin = typeface(size), size // 5 + stroke
    tile = Image.new("L", (round(font.getlength(words)) + 2 * margin, 3 * size // 2))
    pen = ImageDraw.Draw(tile)
    pen.text((margin, 3 * size // 4), words, 255, font, anchor="lm", stroke_width=stroke)
    return tile.crop(tile.getbbox())


def fit_words(
    picture: Image.Image,
    tile: Image.Image,
    box: tuple[int, int, int, int],
    ink: tuple[int, ...],
    way: Image.Resampling = Image.Resampling.BILINEAR,
) -> None:
    """Print a tile of words so that it fills a box (left, top, width, height), in pixels."""
    print_mask(picture, tile.resize((max(1, box[2]), max(1, box[3])), way), box[:2], ink)
