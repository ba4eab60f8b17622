"""Make look-alikes: prints that resemble a mark and must not be taken for it.

A detector that has only seen the mark and ordinary clutter learns the cheapest rule that tells them
apart, which is often "anything round and blue". So training also shows it what comes close: the
mark mirrored, cut in half, its frame without its inside or with other words, its inside shuffled,
and plain seals of other shapes in the mark's own colours.

`make_lookalike` draws one of these kinds at random. `too_alike` guards it: the mirror of a
symmetric mark *is* the mark, and to call that a negative would teach the network nonsense.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from train.drawing.canvas import Colour
from train.drawing.lettering import typeface
from train.drawing.likeness import cropped, too_alike, working_copy
from train.drawing.words import some_word

TRIES = 4  # how many kinds are drawn before falling back to a seal of another shape
_WHITE: Colour = (246, 244, 238)
_BLACK: Colour = (24, 24, 28)
Kind = Callable[[Image.Image, np.random.Generator], Image.Image]


def make_lookalike(mark: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return a print that resembles the mark and is not it, chosen at random.

    `mark`: RGBA, transparent outside the mark. The answer is RGBA, cropped to what it shows, its
    long side at most `WORKING_PX`. The same mark and the same state of `rng` give the same picture.

    Raises ValueError when no pixel of the mark is visible.
    """
    small = working_copy(mark)
    for _ in range(TRIES):
        kind = _KINDS[int(rng.choice(len(_KINDS), p=_SHARES))]
        candidate = cropped(kind(small, rng))
        if not too_alike(small, candidate):
            return candidate
    while too_alike(small, candidate := cropped(_other_seal(small, rng))):
        pass  # its colours and words are drawn anew each time: this ends
    return candidate


# --- kinds taken from the mark itself ---------------------------------------------------------------------------


def _mirrored(mark: Image.Image, _rng: np.random.Generator) -> Image.Image:
    """Return the print as seen from behind."""
    return ImageOps.mirror(mark)


def _mirrored_upside_down(mark: Image.Image, _rng: np.random.Generator) -> Image.Image:
    """Return the print as seen from behind, standing on its head."""
    return ImageOps.flip(mark)


def _part(mark: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return less than half of the mark, cut off along a slanted line."""
    w, h = mark.size
    keep = rng.uniform(0.25, 0.45)
    angle = rng.choice([0, 90, 180, 270]) + rng.normal(0, 8)
    ux, uy = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    y, x = np.mgrid[0:h, 0:w]
    along = (x / w - 0.5) * ux + (y / h - 0.5) * uy
    alpha = np.asarray(mark.getchannel("A"))
    edge = np.quantile(along[alpha > 127], keep) if (alpha > 127).any() else 0.0
    part = mark.copy()
    part.putalpha(Image.fromarray(np.where(along < edge, alpha, 0).astype(np.uint8)))
    return part


def _shuffled(mark: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return the mark with the pieces of its inside swapped and turned; its rim stays."""
    shuffled = mark.copy()
    n = int(rng.integers(2, 4))
    inset = rng.uniform(0.08, 0.2)
    x0, y0 = mark.width * inset, mark.height * inset
    w, h = max(1, int((mark.width - 2 * x0) / n)), max(1, int((mark.height - 2 * y0) / n))
    cells = [(int(x0) + w * (i % n), int(y0) + h * (i // n)) for i in range(n * n)]
    for target, source in enumerate(rng.permutation(n * n)):
        x, y = cells[source]
        piece = mark.crop((x, y, x + w, y + h)).rotate(90 * int(rng.integers(4)), expand=True)
        shuffled.paste(piece.resize((w, h)), cells[target])
    return shuffled


def _turned_inside(mark: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return the mark with a disc of its inside turned against the rim."""
    inner = Image.new("L", mark.size, 0)
    reach = rng.uniform(0.3, 0.42)
    w, h = mark.size
    box = (w * (0.5 - reach), h * (0.5 - reach), w * (0.5 + reach), h * (0.5 + reach))
    ImageDraw.Draw(inner).ellipse(box, fill=255)
    turned = mark.rotate(rng.uniform(70, 290), Image.Resampling.BILINEAR)
    whole = mark.copy()
    whole.paste(turned, (0, 0), inner)
    return whole


def _plain(mark: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return the mark's outline filled with one of its colours, at times with a lighter or darker
    rim.
    """
    colours = palette(mark)
    filled = _same_outline(mark, _pick(colours, rng))
    if rng.random() < 0.5:
        _paste_shrunk(filled, mark, rng.uniform(0.78, 0.92), _pick([*colours, _WHITE], rng))
    return filled


def _blank(mark: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return the mark's own frame without its inside, which is left open or filled with one of its
    colours.
    """
    blank = mark.copy()
    size = tuple(max(1, round(length * rng.uniform(0.62, 0.85))) for length in mark.size)
    inside = _outline(mark).resize((size[0], size[1]))
    at = (mark.width - size[0]) // 2, (mark.height - size[1]) // 2
    if rng.random() < 0.5:
        blank.paste(
            (*_pick([*palette(mark), _WHITE], rng), 255),
            (*at, at[0] + size[0], at[1] + size[1]),
            inside,
        )
    else:
        blank.paste((0, 0, 0, 0), (*at, at[0] + size[0], at[1] + size[1]), inside)
    return blank


def _other_words(mark: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return the mark's outline in its own colours with other words or signs on it."""
    colours = [*palette(mark), _WHITE]
    ground = _pick(colours[:2], rng)
    filled = _same_outline(mark, ground)
    if rng.random() < 0.6:
        _paste_shrunk(filled, mark, rng.uniform(0.86, 0.94), _contrast(ground, colours, rng))
        _paste_shrunk(filled, mark, rng.uniform(0.74, 0.85), ground)
    _letter(filled, _contrast(ground, colours, rng), rng)
    return filled


def _overprinted(mark: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return the mark with another word on a plate over its whole inside, or right across its
    middle.
    """
    colours = [*palette(mark), _WHITE]
    ground = _pick(colours, rng)
    ink = _contrast(ground, colours, rng)
    over = mark.copy()
    if rng.random() < 0.5:
        _paste_shrunk(over, mark, rng.uniform(0.68, 0.8), ground)
        _letter(over, ink, rng)
        return over
    w, h = mark.size
    half = h * rng.uniform(0.2, 0.32)
    pen = ImageDraw.Draw(over)
    pen.rectangle(
        (0, h / 2 - half, w, h / 2 + half),
        fill=(*ground, 255),
        outline=(*ink, 255),
        width=max(1, h // 50),
    )
    _print_line(pen, some_word(rng), (w / 2, h / 2), w * 0.85, half * 1.6, ink)
    return over


# --- seals of other shapes --------------------------------------------------------------------------------------


def _other_seal(mark: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return a seal of its own shape, in the mark's colours or others, with words."""
    return paint_seal(_seal_colours(mark, rng), max(mark.size), rng)


def paint_seal(colours: Sequence[Colour], side: int, rng: np.random.Generator) -> Image.Image:
    """Return a made-up seal `side` pixels wide, RGBA: the first colour is its ground, the others
    are printed on it.
    """
    ground = colours[0]
    large = side * 2  # painted twice as large, then averaged down, for clean edges
    size = large, round(large * rng.choice([1.0, 1.0, 1.0, 0.8, 0.66, 0.5]))
    seal = Image.new("RGBA", size, (*ground, 0))
    draw = _SHAPES[int(rng.integers(len(_SHAPES)))]
    open_inside = rng.random() < 0.35
    ink = ground if open_inside else _contrast(ground, colours[1:], rng)
    pen = ImageDraw.Draw(seal)
    draw(pen, size, 1.0, ground)
    _inner_lines(pen, draw, size, ground, None if open_inside else ink, rng)
    _letter(seal, ink, rng)
    return seal.resize((max(1, size[0] // 2), max(1, size[1] // 2)), Image.Resampling.BOX)


def _inner_lines(
    pen: ImageDraw.ImageDraw,
    draw: Callable[[ImageDraw.ImageDraw, tuple[int, int], float, Colour | None], None],
    size: tuple[int, int],
    ground: Colour,
    line: Colour | None,
    rng: np.random.Generator,
) -> None:
    """Add rings inside a filled shape; without a line colour they are gaps, and the inside is left
    open.
    """
    outer = float(rng.uniform(0.84, 0.94))
    if line is None:
        draw(pen, size, outer, None)
        if rng.random() < 0.6:
            draw(pen, size, outer - 0.06, ground)
            draw(pen, size, outer - 0.06 - float(rng.uniform(0.03, 0.22)), None)
    elif rng.random() < 0.6:
        draw(pen, size, outer, line)
        draw(pen, size, outer - float(rng.uniform(0.03, 0.12)), ground)


def _draw_oval(
    pen: ImageDraw.ImageDraw, size: tuple[int, int], scale: float, fill: Colour | None
) -> None:
    """Draw an oval that fills `scale` of the picture; no fill means a hole."""
    pen.ellipse(_middle_box(size, scale), fill=fill or (0, 0, 0, 0))


def _draw_square(
    pen: ImageDraw.ImageDraw, size: tuple[int, int], scale: float, fill: Colour | None
) -> None:
    """Draw a rectangle that fills `scale` of the picture; no fill means a hole."""
    pen.rectangle(_middle_box(size, scale), fill=fill or (0, 0, 0, 0))


def _draw_rounded(
    pen: ImageDraw.ImageDraw, size: tuple[int, int], scale: float, fill: Colour | None
) -> None:
    """Draw a rectangle with round corners that fills `scale` of the picture; no fill means a hole."""
    pen.rounded_rectangle(
        _middle_box(size, scale), min(size) * scale * 0.2, fill=fill or (0, 0, 0, 0)
    )


def _draw_hexagon(
    pen: ImageDraw.ImageDraw, size: tuple[int, int], scale: float, fill: Colour | None
) -> None:
    """Draw a hexagon that fills `scale` of the picture; no fill means a hole."""
    turns = [math.radians(60 * i) for i in range(6)]
    w, h = size
    points = [(w / 2 * (1 + scale * math.cos(a)), h / 2 * (1 + scale * math.sin(a))) for a in turns]
    pen.polygon(points, fill=fill or (0, 0, 0, 0))


def _draw_cogged(
    pen: ImageDraw.ImageDraw, size: tuple[int, int], scale: float, fill: Colour | None
) -> None:
    """Draw a wavy disc that fills `scale` of the picture; no fill means a hole."""
    turns = np.linspace(0, 2 * np.pi, 145)[:-1]
    reach = scale * (0.96 + 0.04 * np.cos(18 * turns))
    x, y = size[0] / 2 * (1 + reach * np.cos(turns)), size[1] / 2 * (1 + reach * np.sin(turns))
    pen.polygon(list(zip(x.tolist(), y.tolist(), strict=True)), fill=fill or (0, 0, 0, 0))


_SHAPES = (
    _draw_oval,
    _draw_oval,
    _draw_oval,
    _draw_square,
    _draw_rounded,
    _draw_hexagon,
    _draw_cogged,
)


def _middle_box(size: tuple[int, int], scale: float) -> tuple[float, float, float, float]:
    """Return the corners of a box in the middle of the picture that fills `scale` of it each way."""
    w, h = size
    return (
        w * (1 - scale) / 2,
        h * (1 - scale) / 2,
        w * (1 + scale) / 2 - 1,
        h * (1 + scale) / 2 - 1,
    )


# --- colours ----------------------------------------------------------------------------------------------------


def palette(mark: Image.Image) -> list[Colour]:
    """Return the mark's dominant colours, the most frequent first: at least one and at most four.

    Opaque pixels are counted in bins of 32 levels a channel; each colour is the mean of its bin.
    """
    return list(_dominant(mark.convert("RGBA").tobytes()))


@functools.lru_cache(maxsize=32)
def _dominant(rgba: bytes) -> tuple[Colour, ...]:
    """Return what `palette` says, from the bytes of the picture; kept, as each mark comes many
    times.
    """
    pixels = np.frombuffer(rgba, np.uint8).reshape(-1, 4)
    solid = pixels[pixels[:, 3] >= min(200, int(pixels[:, 3].max())), :3]
    bins = (solid >> 5).astype(np.int64) @ np.array([64, 8, 1])
    counts = np.bincount(bins, minlength=512)
    most = [int(i) for i in np.argsort(-counts, kind="stable")[:4]]
    frequent = [i for i in most if counts[i] > 0.03 * len(solid)] or most[:1]
    means = (solid[bins == i].mean(axis=0).astype(int).tolist() for i in frequent)
    return tuple((r, g, b) for r, g, b in means)


def _seal_colours(mark: Image.Image, rng: np.random.Generator) -> list[Colour]:
    """Return a ground colour and colours to print on it: near the mark's own, or any."""
    if rng.random() < 0.35:
        return [_any_colour(rng), _any_colour(rng), _WHITE, _BLACK]
    own = [_near(colour, rng) for colour in palette(mark)]
    first = int(rng.integers(len(own)))
    return [own[first], *own[:first], *own[first + 1 :], _WHITE]


def _any_colour(rng: np.random.Generator) -> Colour:
    """Return any colour."""
    r, g, b = rng.integers(0, 256, 3).tolist()
    return r, g, b


def _near(colour: Colour, rng: np.random.Generator) -> Colour:
    """Return a colour close to the one given."""
    r, g, b = np.clip(np.array(colour) + rng.normal(0, 14, 3), 0, 255).astype(int).tolist()
    return r, g, b


def _pick(colours: Sequence[Colour], rng: np.random.Generator) -> Colour:
    """Return one of the colours."""
    return colours[int(rng.integers(len(colours)))]


def _contrast(ground: Colour, colours: Sequence[Colour], rng: np.random.Generator) -> Colour:
    """Return one of the colours that can be read on the ground, or black or white where none can."""
    apart = [c for c in colours if sum(abs(a - b) for a, b in zip(c, ground, strict=True)) > 150]
    return _pick(apart, rng) if apart else (_WHITE if sum(ground) < 384 else _BLACK)


# --- filling and lettering --------------------------------------------------------------------------------------


def _same_outline(mark: Image.Image, colour: Colour) -> Image.Image:
    """Return the mark's outline filled with one colour."""
    filled = Image.new("RGBA", mark.size, (*colour, 0))
    filled.putalpha(_outline(mark))
    return filled


def _outline(mark: Image.Image) -> Image.Image:
    """Return the mark's alpha with its inside filled: whatever has print to the left, right, above
    and below.
    """
    return _filled_outline(mark.size, mark.getchannel("A").tobytes())


@functools.lru_cache(maxsize=32)
def _filled_outline(size: tuple[int, int], alpha: bytes) -> Image.Image:
    """Return what `_outline` says, from the bytes of the alpha channel; kept, as each mark comes
    many times.
    """
    a = np.frombuffer(alpha, np.uint8).reshape(size[1], size[0])
    sideways = np.minimum(
        np.maximum.accumulate(a, axis=1), np.maximum.accumulate(a[:, ::-1], axis=1)[:, ::-1]
    )
    upright = np.minimum(
        np.maximum.accumulate(a, axis=0), np.maximum.accumulate(a[::-1], axis=0)[::-1]
    )
    return Image.fromarray(np.minimum(sideways, upright))


def _paste_shrunk(picture: Image.Image, mark: Image.Image, scale: float, colour: Colour) -> None:
    """Paint the mark's outline, shrunk about its middle, over the picture in one colour."""
    size = max(1, round(mark.width * scale)), max(1, round(mark.height * scale))
    at = (mark.width - size[0]) // 2, (mark.height - size[1]) // 2
    picture.paste(
        (*colour, 255), (*at, at[0] + size[0], at[1] + size[1]), _outline(mark).resize(size)
    )


def _letter(seal: Image.Image, ink: Colour, rng: np.random.Generator) -> None:
    """Print words or signs on a seal: up to three lines, at times words round its edge; sometimes
    nothing.
    """
    if rng.random() < 0.08:
        return
    if rng.random() < 0.4 and seal.width < 1.3 * seal.height:
        _letter_round(seal, ink, rng)
    pen = ImageDraw.Draw(seal)
    lines = int(rng.integers(1, 4))
    room = float(rng.uniform(0.45, 0.62))
    each = seal.height * room / lines
    top = seal.height * (1 - room) / 2
    for i in range(lines):
        if rng.random() < 0.2:
            _draw_sign(pen, (seal.width / 2, top + each * (i + 0.5)), each * 0.42, ink, rng)
        else:
            middle = seal.width / 2, top + each * (i + 0.5)
            _print_line(pen, some_word(rng), middle, seal.width * room, each * 0.9, ink)


def _print_line(
    pen: ImageDraw.ImageDraw,
    word: str,
    middle: tuple[float, float],
    width: float,
    height: float,
    ink: Colour,
) -> None:
    """Print a word about its middle, as large as the width and height allow."""
    wide = max(1.0, typeface(32).getlength(word))
    size = max(6, int(min(32 * width / wide, height)))
    pen.text(
        middle, word, ink, typeface(size), anchor="mm", stroke_width=size // 24, stroke_fill=ink
    )


def _letter_round(seal: Image.Image, ink: Colour, rng: np.random.Generator) -> None:
    """Print words along the edge of a seal, each letter turned to stand on the circle."""
    words = " ".join(some_word(rng) for _ in range(int(rng.integers(1, 4))))[:22]
    size = max(6, int(seal.height * rng.uniform(0.09, 0.14)))
    radius = float(rng.uniform(0.36, 0.43))
    first, step = (
        rng.uniform(-180, 180),
        max(11.0, 0.75 * size / (seal.height * radius) * 180 / math.pi),
    )
    for i, letter in enumerate(words):
        angle = first + step * i
        turned = _glyph(letter, size).rotate(-angle - 90, Image.Resampling.BILINEAR)
        x = seal.width * (0.5 + radius * math.cos(math.radians(angle))) - turned.width / 2
        y = seal.height * (0.5 + radius * math.sin(math.radians(angle))) - turned.height / 2
        at = int(x), int(y)
        seal.paste((*ink, 255), (*at, at[0] + turned.width, at[1] + turned.height), turned)


@functools.lru_cache(maxsize=1024)
def _glyph(letter: str, size: int) -> Image.Image:
    """Return one letter as a mask with room to turn in."""
    glyph = Image.new("L", (size * 2, size * 2))
    ImageDraw.Draw(glyph).text(
        (size, size), letter, 255, typeface(size), anchor="mm", stroke_width=size // 24
    )
    return glyph


def _draw_sign(
    pen: ImageDraw.ImageDraw,
    middle: tuple[float, float],
    reach: float,
    ink: Colour,
    rng: np.random.Generator,
) -> None:
    """Draw a star, a tick, a drop, a bar or a ring."""
    x, y = middle
    width = max(1, int(reach / 4))
    sign = int(rng.integers(5))
    if sign == 0:
        turns = [(reach * (1 if i % 2 else 0.42), math.radians(90 + 36 * i)) for i in range(10)]
        pen.polygon([(x + r * math.cos(a), y + r * math.sin(a)) for r, a in turns], fill=ink)
    elif sign == 1:
        pen.line(
            [(x - reach, y), (x - reach / 3, y + reach * 0.7), (x + reach, y - reach)],
            ink,
            width,
            "curve",
        )
    elif sign == 2:
        pen.ellipse((x - reach * 0.7, y - reach * 0.5, x + reach * 0.7, y + reach), fill=ink)
    elif sign == 3:
        pen.rectangle((x - reach * 1.6, y - width, x + reach * 1.6, y + width), fill=ink)
    else:
        pen.ellipse((x - reach, y - reach, x + reach, y + reach), outline=ink, width=width)


# Each kind and how often it is drawn. Mirrors weigh most: they share every colour and every curve
# with the mark.
_DRAWN: tuple[tuple[Kind, float], ...] = (
    (_mirrored, 0.14),
    (_mirrored_upside_down, 0.08),
    (_part, 0.12),
    (_shuffled, 0.07),
    (_turned_inside, 0.06),
    (_plain, 0.06),
    (_blank, 0.07),
    (_other_words, 0.15),
    (_overprinted, 0.09),
    (_other_seal, 0.16),
)
_KINDS = tuple(kind for kind, _ in _DRAWN)
_SHARES = tuple(share for _, share in _DRAWN)
