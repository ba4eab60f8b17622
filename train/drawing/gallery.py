"""Marks drawn by program, hundreds of them, for the *starter* weights to be trained on.

A network that has learnt to find and to tell apart hundreds of seals, labels, logos, codes and
figures finds one more in minutes. About half of the marks come in families, whose members share
frame, colours and typefaces and differ only in words, in motif, or as mirror images do: so the
network must read the inside, and cannot go by outline and colour.
"""

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageOps

from edge.errors import InputError
from edge.files import atomic_replace, make_folder, write_atomic
from train.drawing.canvas import LONG_SIDE
from train.drawing.designs import drawn
from train.drawing.finish import finished
from train.drawing.lettering import typeface
from train.drawing.likeness import cropped, too_alike, working_copy
from train.drawing.parts import Hand

FAMILY_SHARE = 0.5
"""About this share of the marks has siblings."""
START_FAMILY = FAMILY_SHARE / (3.5 - 2.5 * FAMILY_SHARE)
"""Chance, at each start, of a family (3.5 members on average) that makes that share."""
LEAST_SIDE, LEAST_INK = 56, 0.06
"""Least shorter side of a mark in pixels, and least share of its bounding box that it covers."""
INK_ALPHA = 96
"""Alpha, 0..255, above which a pixel of a drawn mark counts as covered."""
TRIES = 12
"""How often another member of a family is tried before the family is taken as complete."""
CLOSE = 0.25
"""Marks whose colours differ by more than this share of their pixels are not compared further."""
COMPARED_PX = 48
"""Longer side at which marks are compared; `too_alike` works on less than that anyway."""
SHEET_COLUMNS, SHEET_CELL = 20, 112

NamedMark = tuple[str, Image.Image]


def draw_mark(rng: np.random.Generator) -> Image.Image:
    """Draw one mark at random: RGBA, cropped, its longer side about `LONG_SIDE` pixels."""
    while True:
        mark = _by_seeds(*_seeds(rng))
        if _is_a_mark(mark):
            return mark


def drawn_marks(count: int, seed: int) -> tuple[NamedMark, ...]:
    """Draw *count* marks that can be told from one another, named by family and place in it.

    The same *seed* draws the same marks, and the first *n* of them are the same whatever the
    *count*.
    """
    rng = np.random.default_rng(seed)
    kept: list[NamedMark] = []
    gallery = Gallery()
    family = 0
    while len(kept) < count:
        size = int(rng.integers(3, 5)) if rng.random() < START_FAMILY else 1
        members = _family(np.random.default_rng((seed, family)), size, gallery)
        kept += [(f"family{family:03}-{chr(97 + i)}", mark) for i, mark in enumerate(members)]
        family += 1
    return tuple(kept[:count])


class Gallery:
    """The marks already taken; takes another one only if it shows none of them."""

    def __init__(self) -> None:
        """Start empty."""
        self.marks: list[tuple[NDArray[np.float64], Image.Image]] = []

    def takes(self, mark: Image.Image) -> bool:
        """Take the mark unless it resembles one already here at any rotation; return whether."""
        small = working_copy(mark)
        small.thumbnail((COMPARED_PX, COMPARED_PX), Image.Resampling.BOX)
        colours = _colour_shares(small)
        if any(small.tobytes() == other.tobytes() for _, other in self.marks):
            return False
        near = (other for known, other in self.marks if np.abs(known - colours).sum() / 2 < CLOSE)
        if any(too_alike(small, other) for other in near):
            return False
        self.marks.append((colours, small))
        return True


def _family(rng: np.random.Generator, size: int, gallery: Gallery) -> list[Image.Image]:
    """Draw siblings that the gallery takes: other words, another motif, both, or a mirror image."""
    style, words, motifs = _seeds(rng)
    members: list[Image.Image] = []
    for _ in range(TRIES):
        mark = _by_seeds(style, words, motifs)
        if members and rng.random() < 0.2:
            mark = ImageOps.mirror(members[0])
        if _is_a_mark(mark) and gallery.takes(mark):
            members.append(mark)
        if len(members) == size:
            break
        change = int(rng.integers(4))
        words = words if change == 1 else int(rng.integers(2**31))
        motifs = motifs if change == 0 else int(rng.integers(2**31))
    return members


def _seeds(rng: np.random.Generator) -> tuple[int, int, int]:
    """Return seeds of style, words and motifs."""
    style, words, motifs = rng.integers(2**31, size=3).tolist()
    return style, words, motifs


def _by_seeds(style: int, words: int, motifs: int) -> Image.Image:
    """Return the mark of a style with these words and motifs."""
    hand = Hand(*(np.random.default_rng(part) for part in (style, words, motifs)))
    mark = finished(drawn(hand), np.random.default_rng((style, 1)))
    return _sized(mark)


def _sized(mark: Image.Image) -> Image.Image:
    """Return the mark cropped, and not longer than `LONG_SIDE`; a faint one as it is."""
    if mark.getchannel("A").getextrema()[1] < INK_ALPHA:  # type: ignore[operator]
        return mark
    whole = cropped(mark, INK_ALPHA)
    whole.thumbnail((LONG_SIDE, LONG_SIDE), Image.Resampling.LANCZOS)
    return whole


def _is_a_mark(mark: Image.Image) -> bool:
    """Return whether there is enough of it to be found in a photograph."""
    covered = float((np.asarray(mark.getchannel("A")) > INK_ALPHA).mean())
    return min(mark.size) >= LEAST_SIDE and covered >= LEAST_INK


def _colour_shares(mark: Image.Image) -> NDArray[np.float64]:
    """Return the colour histogram in 64 bins, which sums to 1; the same at any rotation."""
    pixels = np.asarray(mark).reshape(-1, 4)
    seen = pixels[pixels[:, 3] > INK_ALPHA, :3].astype(np.int64) >> 6
    counts = np.bincount(seen @ np.array([16, 4, 1]), minlength=64)
    shares: NDArray[np.float64] = counts / max(1, len(seen))
    return shares


def write_marks(folder: Path, count: int, seed: int) -> tuple[Path, ...]:
    """Write ``000-NAME.png`` and so on into *folder* by atomic replace; return the paths in order.

    Raises InputError when the folder cannot be written, or holds other pictures, which would be
    trained on too.
    """
    make_folder(folder)
    marks = drawn_marks(count, seed)
    paths = tuple(folder / f"{place:03}-{name}.png" for place, (name, _) in enumerate(marks))
    strangers = sorted(set(folder.glob("*.png")) - set(paths))
    if strangers:
        raise InputError(
            f"{strangers[0]}: is none of the marks to be drawn; name an empty folder for them"
        )
    for path, (_, mark) in zip(paths, marks, strict=True):
        write_atomic(path, _png(mark))
    return paths


def write_gallery_sheet(marks: tuple[NamedMark, ...], path: Path) -> None:
    """Write all marks with their numbers on one PNG, for looking at. Raises InputError."""
    rows = -(-len(marks) // SHEET_COLUMNS)
    sheet = Image.new("RGB", (SHEET_COLUMNS * SHEET_CELL, rows * SHEET_CELL), (196, 188, 176))
    pen = ImageDraw.Draw(sheet)
    for place, (_, mark) in enumerate(marks):
        x, y = place % SHEET_COLUMNS * SHEET_CELL, place // SHEET_COLUMNS * SHEET_CELL
        small = mark.copy()
        small.thumbnail((SHEET_CELL - 8, SHEET_CELL - 16), Image.Resampling.LANCZOS)
        sheet.paste(small, (x + (SHEET_CELL - small.width) // 2, y + 14), small)
        pen.text((x + 2, y), f"{place:03}", fill=(60, 20, 20), font=typeface(11))
    with atomic_replace(path) as temporary:
        sheet.save(temporary, "PNG")


def _png(mark: Image.Image) -> bytes:
    file = io.BytesIO()
    mark.save(file, "PNG")
    return file.getvalue()
