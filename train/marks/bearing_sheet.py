"""The sheet of photographs that bear the mark, with the place where it was found in each."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from edge.annotate import contact_sheet, save_png
from edge.decision import Box
from edge.printing import printable
from edge.vision.legend import caption_lines, draw_box
from train.marks.search import Bearing
from train.photographs import read_photograph

SHEET = "bearing.png"
"""Name of the sheet in a run's folder or a data set's."""
SHOWN = 24
"""Photographs on it."""
CELL_PX = 480
"""Longer side of a photograph on it, before it is fitted into its cell."""
LETTERS = 22


def write_bearing_sheet(bearing: Sequence[Bearing], path: Path) -> None:
    """Write the sheet of the first photographs, at least one. Raises InputError."""
    save_png(contact_sheet([_drawn(one) for one in bearing[:SHOWN]]), path)


def _drawn(one: Bearing) -> Image.Image:
    """Draw a photograph with the box of the mark found and, in a strip below, its name."""
    image = read_photograph(one.path, CELL_PX)
    image = image.resize([round(side * CELL_PX / max(image.size)) for side in image.size])
    width, height = image.size
    box = one.box
    draw_box(
        ImageDraw.Draw(image),
        Box(box.x0 * width, box.y0 * height, box.x1 * width, box.y1 * height),
        "found",
    )
    whole = Image.new("RGB", (width, height + 2 * LETTERS), "white")
    whole.paste(image, (0, 0))
    told = caption_lines(printable(one.path.name), width // 2)[0]
    draw = ImageDraw.Draw(whole)
    draw.text((4, height + 4), told, fill="black", font=ImageFont.load_default(LETTERS))
    return whole
