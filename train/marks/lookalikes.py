"""Look-alikes: hard negatives, prints that resemble a mark and must not be taken for it.

A detector that has only seen the mark and ordinary clutter learns the cheapest rule that tells them
apart, which is often "anything round and blue". So training also shows it what comes close. Of a
mark with a ground of its own (a seal, a badge, a sign): its mirror image, its frame with another
picture, code or word inside, its inside in another frame, signs of its family, a part of it. Of a
print without a ground (a word, a line drawing): its mirror image, other words as it is printed, its
own letters exchanged.

`make_lookalike` draws one of these kinds at random. :func:`train.marks.distinct.least_distinct_px`
guards it: what a person could not tell from the mark, such as the mirror image of a symmetric one,
is never a negative, and the others only where they are shown large enough to be told.
"""

import functools
import math
from collections.abc import Callable, Set
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from train.drawing.canvas import Colour, print_about, print_mask
from train.drawing.codes import matrix_cells
from train.drawing.lettering import Face, line_of, some_face
from train.drawing.likeness import extent, working_copy
from train.drawing.motifs import motif
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
from train.drawing.words import firm, package_word, some_word
from train.marks.distinct import least_distinct_px
from train.marks.making import OPAQUE, making_of, parts_of

TRIES = 4
"""How many kinds are drawn before falling back to a seal of another shape."""
MORE_TRIES = 40
"""How many more are drawn where such a seal is the mark itself, so says the user."""

RIM_ON_PLAIN, FILLED_INSIDE, LINE_IN_FRAME = 0.5, 0.5, 0.6
"""Shares of plain outlines with a rim, of blank frames that are filled, of frames with a line."""
FOREIGN_COLOURS = 0.35
"""Share of seals in colours that are not the mark's."""

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
OVER_INSIDE, INSIDE_KEPT = (0.6, 0.84), (0.5, 0.7)
"""Size of the ground under another inside, and of the inside kept in another frame."""
MOTIF_SHARE, CODE_SHARE, LETTER_SHARE = 0.55, 0.08, 0.12
"""Shares of motifs, codes and single letters among what is printed inside; the others are words."""
SIGN_SHARE, LEAST_PARTS = 0.5, 3
"""Share of other words with a sign; least parts of a print whose parts are exchanged."""
NEAR_LEVELS = 14
"""Deviation of a colour near one of the mark's own, in grey levels a channel."""

Kind = Callable[[Image.Image, np.random.Generator], Image.Image]


class LookAlike(NamedTuple):
    """A print that resembles a mark.

    *image*: RGBA, cropped to its visible pixels; *least_px*: least longer side, in pixels of the
    network's input, at which a person could tell it from the mark; *kind*: what was done to the
    mark.
    """

    image: Image.Image
    least_px: int
    kind: str


def kind_names() -> tuple[str, ...]:
    """Return the name of each kind, as a look-alike bears it."""
    return tuple(map(_name_of, KINDS))


def _name_of(kind: Kind) -> str:
    return kind.__name__.lstrip("_")


def make_lookalike(
    mark: Image.Image,
    rng: np.random.Generator,
    without: Set[str] = frozenset(),
    own_ground: bool | None = None,
) -> LookAlike | None:
    """Return a print that resembles the mark and is not it, chosen at random; None for none.

    There is none where the user takes all kinds for the mark, or all but those that nobody could
    tell from it.

    *mark*: RGBA, transparent outside the mark; *without*: names of kinds that the user takes for
    the mark itself, so that they are no negatives; *own_ground*: whether the mark brings a ground
    of its own, None to guess. The longer side of the result is at most `WORKING_PX`. The same mark
    and the same state of *rng* give the same picture.

    Raises ValueError when no pixel of the mark is visible.
    """
    small = working_copy(mark)
    seal = making_of(small).own_ground if own_ground is None else own_ground
    table = SEAL_KINDS if seal else PRINT_KINDS
    kinds = [(kind, share) for kind, share in table if _name_of(kind) not in without]
    if not kinds:
        return None
    falls_back = _name_of(_other_seal) not in without
    for _ in range(TRIES if falls_back else TRIES + MORE_TRIES):
        kind = pick_weighted(kinds, rng)
        made = _told_apart(small, kind(small, rng), kind)
        if made is not None:
            return made
    if not falls_back:
        return None
    while (made := _told_apart(small, _other_seal(small, rng), _other_seal)) is None:
        pass  # its colours and words are drawn anew each time: this ends
    return made


def _told_apart(mark: Image.Image, made: Image.Image, kind: Kind) -> LookAlike | None:
    """Return a candidate with the size from which it is distinct; None if it never is, or empty."""
    if not _is_visible(made):
        return None
    candidate = working_copy(made)
    least = least_distinct_px(mark, candidate)
    return None if least is None else LookAlike(candidate, least, _name_of(kind))


def _is_visible(picture: Image.Image) -> bool:
    """Return whether anything of an RGBA picture is opaque."""
    return bool((np.asarray(picture.getchannel("A")) >= OPAQUE).any())


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


def _other_inside(mark: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return the mark's own frame with another picture, code, letter or word inside."""
    colours = [*palette(mark), WHITE]
    ground = _inside_colour(mark)
    other = mark.copy()
    scale = float(rng.uniform(*OVER_INSIDE))
    _paste_shrunk(other, mark, scale, ground)
    _print_inside(other, scale * min(mark.size), contrasting(ground, colours, rng), rng)
    return other


def _other_frame(mark: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return the mark's inside on a seal of another shape."""
    seal = paint_seal(_seal_colours(mark, rng), max(mark.size), rng)
    seal = seal.resize(mark.size, Image.Resampling.BILINEAR)
    share = float(rng.uniform(*INSIDE_KEPT))
    size = max(1, round(mark.width * share)), max(1, round(mark.height * share))
    at = (mark.width - size[0]) // 2, (mark.height - size[1]) // 2
    inside = mark.crop((*at, at[0] + size[0], at[1] + size[1]))
    cover = ImageOps.scale(_outline(mark), share).resize(size)
    kept = Image.new("L", size)
    kept.paste(inside.getchannel("A"), (0, 0), cover)
    seal.paste(inside, at, kept)
    return seal


def _of_its_family(mark: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return a sign of the mark's family: its outline, rim and colours, another picture on it."""
    colours = [*palette(mark), WHITE, BLACK]
    rim = palette(mark)[0]
    ground = pick([_inside_colour(mark), *colours[:2]], rng)
    sign = _same_outline(mark, rim)
    inner = float(rng.uniform(*FRAME_LINE))
    if rng.random() < RIM_ON_PLAIN:
        _paste_shrunk(sign, mark, inner, contrasting(rim, colours, rng))
        inner -= float(rng.uniform(0.03, 0.08))
    _paste_shrunk(sign, mark, inner, ground)
    _print_inside(sign, inner * 0.85 * min(mark.size), contrasting(ground, colours, rng), rng)
    return sign


def _print_inside(sign: Image.Image, room: float, ink: Colour, rng: np.random.Generator) -> None:
    """Print a motif, a letter, a word or a code in the middle, at most *room* pixels large."""
    middle = sign.width / 2, sign.height / 2
    kind = rng.random()
    if kind < MOTIF_SHARE:
        mask = motif(rng, max(8, round(room * rng.uniform(0.6, 0.95))))
        print_about(sign, mask, middle, (*ink, 255))
    elif kind < MOTIF_SHARE + CODE_SHARE:
        cells = matrix_cells(rng, rng)
        side = max(8, round(room * rng.uniform(0.5, 0.7)))
        mask = Image.fromarray((cells * 255).astype(np.uint8)).resize((side, side), 0)
        print_about(sign, mask, middle, (*ink, 255))
    elif kind < MOTIF_SHARE + CODE_SHARE + LETTER_SHARE:
        letter = some_word(rng)[: int(rng.integers(1, 3))]
        print_word(sign, letter, middle, (room * 0.9, room * 0.8), ink)
    else:
        letter_seal(sign, ink, rng)


def _other_seal(mark: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return a seal of its own shape, in the mark's colours or others, with words."""
    return paint_seal(_seal_colours(mark, rng), max(mark.size), rng)


# --- kinds of a print without a ground of its own ----------------------------------------------


def _another_word(mark: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return another word in the mark's colours and about its proportions, at times with a sign."""
    colours = palette(mark)
    height = max(12, round(mark.height * rng.uniform(0.4, 1.0)))
    word = pick((firm, package_word, some_word), rng)(rng)
    line = line_of(word, some_face(rng) if rng.random() < 0.6 else _plain_face(rng), height)
    stretch = float(rng.uniform(0.85, 1.2)) * mark.width / max(1, line.width)
    if 0.5 < stretch < 2.0:
        line = line.resize((max(1, round(line.width * stretch)), line.height))
    sign = rng.random() < SIGN_SHARE
    side = max(8, round(line.height * rng.uniform(0.5, 1.1))) if sign else 0
    above = rng.random() < 0.5
    size = (
        (line.width, line.height + side) if above else (line.width + side, max(line.height, side))
    )
    made = Image.new("RGBA", (max(size[0], side), size[1]), CLEAR)
    at = (0, side) if above else (side, (size[1] - line.height) // 2)
    print_mask(made, line, at, (*colours[0], 255))
    if sign:
        x = round(rng.random() * max(0, made.width - side)) if above else 0
        print_mask(made, motif(rng, side), (x, 0), (*pick(colours, rng), 255))
    return made


def _plain_face(rng: np.random.Generator) -> Face:
    """Return the plain typeface, light to bold, close or wide."""
    return Face("aileron", float(rng.uniform(0.0, 0.1)), float(rng.uniform(0.8, 1.2)))


def _letters_exchanged(mark: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return the mark with some of its separate parts changed places, mirrored or turned."""
    parts = parts_of(mark)
    if len(parts) < LEAST_PARTS:
        return _shuffled(mark, rng)
    pixels = np.asarray(mark)
    made = Image.new("RGBA", mark.size, CLEAR)
    order = np.arange(len(parts))
    changed = rng.permutation(len(parts))[: int(rng.integers(2, max(3, len(parts) * 3 // 4) + 1))]
    order[np.sort(changed)] = changed
    boxes = [box for part in parts if (box := extent(part))]  # no part is empty
    x = 0.0
    for place, source in enumerate(order.tolist()):
        x0, y0, x1, _ = boxes[source]
        piece = Image.fromarray(np.where(parts[source][..., None], pixels, 0).astype(np.uint8))
        piece = piece.crop(boxes[source])
        if place in changed and rng.random() < 0.5:
            piece = pick((ImageOps.mirror, ImageOps.flip), rng)(piece)
        at = boxes[place][0] if source == place else round((boxes[place][0] + x) / 2)
        made.alpha_composite(piece, (min(max(0, at), mark.width - (x1 - x0)), y0))
        x = boxes[place][2]
    return made


def _motif_alone(mark: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return another sign in the mark's colour, as large as the mark."""
    made = Image.new("RGBA", (mark.height, mark.height), CLEAR)
    print_mask(made, motif(rng, mark.height), (0, 0), (*pick(palette(mark), rng), 255))
    return made


SEAL_KINDS: tuple[tuple[Kind, float], ...] = (
    (_mirrored, 0.12),
    (_mirrored_upside_down, 0.06),
    (_part, 0.08),
    (_shuffled, 0.05),
    (_turned_inside, 0.04),
    (_plain, 0.05),
    (_blank, 0.06),
    (_other_words, 0.1),
    (_other_inside, 0.16),
    (_other_frame, 0.06),
    (_of_its_family, 0.12),
    (_other_seal, 0.1),
)
"""Each kind for marks with a ground of their own, and its share of their look-alikes."""

PRINT_KINDS: tuple[tuple[Kind, float], ...] = (
    (_mirrored, 0.14),
    (_mirrored_upside_down, 0.08),
    (_part, 0.1),
    (_letters_exchanged, 0.18),
    (_another_word, 0.32),
    (_motif_alone, 0.08),
    (_other_seal, 0.1),
)
"""The same for prints without one."""

KINDS = tuple(dict.fromkeys(kind for kind, _ in SEAL_KINDS + PRINT_KINDS))
"""All of them."""


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


def _inside_colour(mark: Image.Image) -> Colour:
    """Return the dominant colour of the middle of a mark, or white where it is open."""
    w, h = mark.size
    middle = mark.crop((w // 4, h // 4, w - w // 4, h - h // 4))
    if not _is_visible(middle):
        return WHITE
    return palette(middle)[0]


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
