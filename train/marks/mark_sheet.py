"""Show what was understood of a mark's picture: its cut-out on a chequer, and the same in words."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

from edge.annotate import save_png
from edge.errors import InputError
from edge.vision.legend import drawable
from train.marks.mark import DRAWING, Mark
from train.photographs import read_photograph

SHEET = "understood.png"
"""File in the folder of a run or a data set."""
OTHERWISE = "--set {made}s={name}"
"""How the user of a run says that a mark is made another way."""
CELL, LETTERS, LINE = 420, 16, 21
"""Sides of a picture's place, of letters and of a line of words, in pixels."""
GAP, MOST = 16, 12
"""Room between places, in pixels; most marks on a sheet."""
CHEQUER, CHEQUER_PX = ((150, 160, 170), (190, 198, 206)), 14
"""Colours and side of the squares below a cut-out."""
GROUNDS = ((250, 250, 248), (176, 132, 88), (52, 58, 66))
"""Grounds on which a cut-out is shown beside: paper, cardboard, dark plastic."""
INK, PALE, DOUBT = (30, 30, 30), (110, 110, 110), (176, 60, 20)


def described(mark: Mark, otherwise: str = OTHERWISE) -> tuple[str, ...]:
    """Say in lines what was understood of a mark, and what is in doubt.

    *otherwise*: how the user says that it is made another way.
    """
    width, height = mark.image.size
    native = " x ".join(map(str, mark.native_size))
    made = "ink" if mark.making.own_ground else "sticker"
    other = otherwise.format(made=made, name=mark.label)
    lines = [
        f"{width} x {height} pixels of a picture of {native}; {mark.treatment}",
        f"taken for {mark.making.words}; if it is not, {other}",
    ]
    return (*lines, *(f"in doubt: {doubt}" for doubt in mark.doubts))


def mark_sheet(marks: Sequence[tuple[Mark, Path]], otherwise: str = OTHERWISE) -> Image.Image:
    """Draw a sheet: a row for each mark, its picture, its cut-out on a chequer, on three grounds.

    *marks*: each with the file it was read from. At most :data:`MOST` are shown.
    """
    font = ImageFont.load_default(LETTERS)
    rows = [_row(mark, path, font, otherwise) for mark, path in marks[:MOST]]
    sheet = Image.new("RGB", (rows[0].width, sum(row.height for row in rows)), "white")
    y = 0
    for row in rows:
        sheet.paste(row, (0, y))
        y += row.height
    return sheet


def write_mark_sheet(
    marks: Sequence[tuple[Mark, Path]], path: Path, otherwise: str = OTHERWISE
) -> None:
    """Write :func:`mark_sheet` as PNG. Raises InputError when *path* cannot be written."""
    save_png(mark_sheet(marks, otherwise), path)


def _row(
    mark: Mark,
    path: Path,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    otherwise: str,
) -> Image.Image:
    width = 3 * CELL + 4 * GAP
    words = [(line, INK) for line in _wrapped(f"{mark.label}: {path.name}", width, font)]
    for line in described(mark, otherwise):
        colour = DOUBT if line.startswith("in doubt") else PALE
        words += [(part, colour) for part in _wrapped(line, width, font)]
    row = Image.new("RGB", (width, CELL + 3 * GAP + LINE * len(words)), "white")
    for place, picture in enumerate((_source(path), on_chequer(mark.image), _on_grounds(mark))):
        shown = ImageOps.contain(picture, (CELL, CELL))
        x = GAP + place * (CELL + GAP)
        row.paste(shown, (x + (CELL - shown.width) // 2, GAP + (CELL - shown.height) // 2))
    draw = ImageDraw.Draw(row)
    for number, (line, colour) in enumerate(words):
        draw.text((GAP, CELL + 2 * GAP + LINE * number), line, colour, font)
    return row


def _source(path: Path) -> Image.Image:
    """Return the picture as it came, upright; of a drawing there is nothing but its cut-out."""
    if path.suffix.lower() == DRAWING:
        return Image.new("RGB", (CELL, CELL), "white")
    try:
        return read_photograph(path, 2 * CELL)
    except InputError:  # it was read a moment ago, and is gone
        return Image.new("RGB", (CELL, CELL), "white")


def on_chequer(image: Image.Image) -> Image.Image:
    """Lay a cut-out on a chequer, in a place of one size, so that all that is transparent shows."""
    place = Image.new("RGB", (CELL, CELL), CHEQUER[0])
    for y in range(0, CELL, CHEQUER_PX):
        for x in range(y % (2 * CHEQUER_PX), CELL, 2 * CHEQUER_PX):
            place.paste(CHEQUER[1], (x, y, x + CHEQUER_PX, y + CHEQUER_PX))
    shown = ImageOps.contain(image, (CELL - 2 * GAP, CELL - 2 * GAP))
    place.paste(shown, ((CELL - shown.width) // 2, (CELL - shown.height) // 2), shown)
    return place


def _on_grounds(mark: Mark) -> Image.Image:
    """Show a mark on paper, cardboard and dark plastic, one above the other."""
    place = Image.new("RGB", (CELL, CELL))
    height = CELL // len(GROUNDS)
    shown = ImageOps.contain(mark.image, (CELL - 2 * GAP, height - GAP))
    for number, colour in enumerate(GROUNDS):
        place.paste(colour, (0, number * height, CELL, (number + 1) * height))
        at = (CELL - shown.width) // 2, number * height + (height - shown.height) // 2
        place.paste(shown, at, shown)
    return place


def _wrapped(
    text: str, width: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont
) -> list[str]:
    """Break a text into lines that fit; what the font cannot draw becomes a question mark."""
    lines = [""]
    for word in drawable(text).split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > width - 2 * GAP:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
