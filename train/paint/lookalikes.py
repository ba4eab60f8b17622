"""Look-alikes: hard negatives, prints that resemble a mark and must not be taken for it.

A detector that has only seen the mark and ordinary clutter learns the cheapest rule that tells them
apart, which is often "anything round and blue". So training also shows it what comes close: the
mark mirrored, cut in half, its frame without its inside or with other words, its inside shuffled,
and plain seals of other shapes in the mark's own colours.

`make_lookalike` draws one of these kinds at random. `too_alike` guards it: the mirror of a
symmetric mark *is* the mark, and to call that a negative would teach the network nonsense.
"""

import functools
import math
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from train.drawing.canvas import Colour, print_mask
from train.drawing.likeness import cropped, too_alike, working_copy
from train.drawing.random_choice import pick, pick_weighted
from train.drawing.seals import (
    BLACK,
    CLEAR,
    WHITE,
    contrasting,
    letter_seal,
    paint_seal,
    print_word,
)
from train.drawing.words import some_word

TRIES = 4
"""How many kinds are drawn before falling back to a seal of another shape."""

RIM_ON_PLAIN, FILLED_INSIDE, LINE_IN_FRAME = 0.5, 0.5, 0.6
"""Shares of plain outlines with a rim, of blank frames that are filled, of frames with a line."""
INSIDE_PLATE, FOREIGN_COLOURS = 0.5, 0.35
"""Shares of plates that cover just the inside, and of seals in colours that are not the mark's."""

# Ranges, as shares of the mark's size unless a unit is named.
PART_KEPT, PART_SLANT_DEG = (0.25, 0.45), 8
"""Share of the visible pixels that a part keeps; deviation of its cut from upright or level."""
SHUFFLED_INSET = (0.08, 0.2)
"""Width of the rim that stays when the inside is shuffled."""
TURNED_REACH, TURNED_DEG = (0.3, 0.42), (70, 290)
"""Radius of the disc that is turned against the rim, and by how many degrees."""
PLAIN_INSIDE, BLANK_INSIDE = (0.78, 0.92), (0.62, 0.85)
"""Size of the inside of a plain outline, and of a frame whose print is taken away."""
FRAME_LINE, FRAME_INSIDE = (0.86, 0.94), (0.74, 0.85)
"""Outer and inner edge of the line inside a frame with other words."""
OVER_INSIDE, OVER_HALF_HEIGHT = (0.68, 0.8), (0.2, 0.32)
"""Size of a plate over the inside; half the height of one right across the middle."""
NEAR_LEVELS = 14
"""Deviation of a colour near one of the mark's own, in grey levels a channel."""

Kind = Callable[[Image.Image, np.random.Generator], Image.Image]


def make_lookalike(mark: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return a print that resembles the mark and is not it, chosen at random.

    *mark*: RGBA, transparent outside the mark. The result is RGBA, cropped to its visible pixels,
    its long side at most `WORKING_PX`. The same mark and the same state of *rng* give the same
    picture.

    Raises ValueError when no pixel of the mark is visible.
    """
    small = working_copy(mark)
    for _ in range(TRIES):
        candidate = cropped(pick_weighted(KINDS, rng)(small, rng))
        if not too_alike(small, candidate):
            return candidate
    while too_alike(small, candidate := cropped(_other_seal(small, rng))):
        pass  # its colours and words are drawn anew each time: this ends
    return candidate


# --- kinds taken from the mark itself ---------------------------------------------------------


def _mirrored(mark: Image.Image, _rng: np.random.Generator) -> Image.Image:
    """Return the print as seen from behind."""
    return ImageOps.mirror(mark)


def _mirrored_upside_down(mark: Image.Image, _rng: np.random.Generator) -> Image.Image:
    """Return the print as seen from behind, upside down."""
    return ImageOps.flip(mark)


def _part(mark: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return less than half of the mark, cut off along a slanted line."""
    w, h = mark.size
    keep = rng.uniform(*PART_KEPT)
    angle = pick((0, 90, 180, 270), rng) + rng.normal(0, PART_SLANT_DEG)
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
    inset = rng.uniform(*SHUFFLED_INSET)
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
    reach = rng.uniform(*TURNED_REACH)
    w, h = mark.size
    box = (w * (0.5 - reach), h * (0.5 - reach), w * (0.5 + reach), h * (0.5 + reach))
    ImageDraw.Draw(inner).ellipse(box, fill=255)
    turned = mark.rotate(rng.uniform(*TURNED_DEG), Image.Resampling.BILINEAR)
    whole = mark.copy()
    whole.paste(turned, (0, 0), inner)
    return whole


def _plain(mark: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return the mark's outline in one of its colours, at times with a rim of another."""
    colours = palette(mark)
    filled = _same_outline(mark, pick(colours, rng))
    if rng.random() < RIM_ON_PLAIN:
        _paste_shrunk(filled, mark, rng.uniform(*PLAIN_INSIDE), pick([*colours, WHITE], rng))
    return filled


def _blank(mark: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return the mark's frame without its inside, left open or filled with one of its colours."""
    blank = mark.copy()
    w, h = (max(1, round(length * rng.uniform(*BLANK_INSIDE))) for length in mark.size)
    inside, at = _outline(mark).resize((w, h)), ((mark.width - w) // 2, (mark.height - h) // 2)
    filled = rng.random() < FILLED_INSIDE
    print_mask(blank, inside, at, (*pick([*palette(mark), WHITE], rng), 255) if filled else CLEAR)
    return blank


def _other_words(mark: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return the mark's outline in its own colours with other words or signs on it."""
    colours = [*palette(mark), WHITE]
    ground = pick(colours[:2], rng)
    filled = _same_outline(mark, ground)
    if rng.random() < LINE_IN_FRAME:
        line = rng.uniform(*FRAME_LINE)
        _paste_shrunk(filled, mark, line, contrasting(ground, colours, rng))
        _paste_shrunk(filled, mark, rng.uniform(*FRAME_INSIDE), ground)
    letter_seal(filled, contrasting(ground, colours, rng), rng)
    return filled


def _overprinted(mark: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return the mark with another word on a plate, over its inside or right across its middle."""
    colours = [*palette(mark), WHITE]
    ground = pick(colours, rng)
    ink = contrasting(ground, colours, rng)
    over = mark.copy()
    if rng.random() < INSIDE_PLATE:
        _paste_shrunk(over, mark, rng.uniform(*OVER_INSIDE), ground)
        letter_seal(over, ink, rng)
        return over
    w, h = mark.size
    half = h * rng.uniform(*OVER_HALF_HEIGHT)
    plate, edge, pen = (0, h / 2 - half, w, h / 2 + half), max(1, h // 50), ImageDraw.Draw(over)
    pen.rectangle(plate, fill=(*ground, 255), outline=(*ink, 255), width=edge)
    print_word(over, some_word(rng), (w / 2, h / 2), (w * 0.85, half * 1.6), ink)
    return over


def _other_seal(mark: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return a seal of its own shape, in the mark's colours or others, with words."""
    return paint_seal(_seal_colours(mark, rng), max(mark.size), rng)


KINDS: tuple[tuple[Kind, float], ...] = (
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
"""Each kind and its share of all look-alikes.

Mirror images weigh most: they share every colour and every curve with the mark.
"""


# --- the mark's colours and outline -----------------------------------------------------------


def palette(mark: Image.Image) -> list[Colour]:
    """Return the mark's dominant colours, the most frequent first: at least one and at most four.

    Opaque pixels are counted in bins of 32 levels a channel; each colour is the mean of its bin.
    """
    return list(_dominant(mark.convert("RGBA").tobytes()))


@functools.lru_cache(maxsize=32)
def _dominant(rgba: bytes) -> tuple[Colour, ...]:
    """Return the dominant colours of a picture's bytes; cached, as each mark comes many times."""
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
    if rng.random() < FOREIGN_COLOURS:
        return [_any_colour(rng), _any_colour(rng), WHITE, BLACK]
    own = [_near(colour, rng) for colour in palette(mark)]
    first = int(rng.integers(len(own)))
    return [own[first], *own[:first], *own[first + 1 :], WHITE]


def _any_colour(rng: np.random.Generator) -> Colour:
    """Return any colour."""
    r, g, b = rng.integers(0, 256, 3).tolist()
    return r, g, b


def _near(colour: Colour, rng: np.random.Generator) -> Colour:
    """Return a colour close to the one given."""
    levels = np.array(colour) + rng.normal(0, NEAR_LEVELS, 3)
    r, g, b = np.clip(levels, 0, 255).astype(int).tolist()
    return r, g, b


def _same_outline(mark: Image.Image, colour: Colour) -> Image.Image:
    """Return the mark's outline filled with one colour."""
    filled = Image.new("RGBA", mark.size, (*colour, 0))
    filled.putalpha(_outline(mark))
    return filled


def _outline(mark: Image.Image) -> Image.Image:
    """Return the mark's alpha with its inside filled: all that has print on its four sides."""
    return _filled_outline(mark.size, mark.getchannel("A").tobytes())


@functools.lru_cache(maxsize=32)
def _filled_outline(size: tuple[int, int], alpha: bytes) -> Image.Image:
    """Return the filled outline of an alpha channel's bytes; cached, as each mark comes often."""
    a = np.frombuffer(alpha, np.uint8).reshape(size[1], size[0])
    rightwards, downwards = (np.maximum.accumulate(a, axis=axis) for axis in (1, 0))
    leftwards = np.maximum.accumulate(a[:, ::-1], axis=1)[:, ::-1]
    upwards = np.maximum.accumulate(a[::-1], axis=0)[::-1]
    sides = (rightwards, leftwards, downwards, upwards)
    return Image.fromarray(functools.reduce(np.minimum, sides))


def _paste_shrunk(picture: Image.Image, mark: Image.Image, scale: float, colour: Colour) -> None:
    """Paint the mark's outline, shrunk about its middle, over the picture in one colour."""
    size = max(1, round(mark.width * scale)), max(1, round(mark.height * scale))
    at = (mark.width - size[0]) // 2, (mark.height - size[1]) // 2
    print_mask(picture, _outline(mark).resize(size), at, (*colour, 255))
