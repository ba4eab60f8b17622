"""Contact sheets of training pictures, so that a person can see what the network is shown."""

import math
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageOps

from edge.files import atomic_replace
from edge.vision.legend import colour_of, draw_box
from train.paint.synth import Kit, Picture

SHEET_WIDTH = 1664
"""Width of a sheet, in pixels: four whole frames of 416."""
LOOKALIKES_SHOWN, LOOKALIKE_COLUMNS, LOOKALIKE_CELL = 96, 12, (132, 14)
"""How many look-alikes are shown, how many in a row, and the sides of a cell and of its words."""
CHEQUER, CHEQUER_PX = ((96, 112, 128), (120, 136, 152)), 12
"""Colours and side of the squares below them, so that white and dark ones both show."""


def write_picture_sheet(pictures: Sequence[Picture], classes: Sequence[str], path: Path) -> None:
    """Write pictures row by row with their bounding boxes, each size in rows of its own.

    Red with the class name are those that count, blue the ignored ones. Raises InputError when
    *path* cannot be written.
    """
    places, x, y, row_height = [], 0, 0, 0
    for picture in pictures:
        side = picture.pixels.shape[0]
        if x and (x + side > SHEET_WIDTH or side != row_height):
            x, y, row_height = 0, y + row_height, 0
        places.append((x, y))
        x, row_height = x + side, side
    width = max(SHEET_WIDTH, *(picture.pixels.shape[1] for picture in pictures))
    sheet = Image.new("RGB", (width, y + row_height), (40, 40, 40))
    for picture, place in zip(pictures, places, strict=True):
        sheet.paste(_with_boxes(picture, classes), place)
    with atomic_replace(path) as temporary:
        sheet.save(temporary, "PNG")


def write_lookalike_sheet(kit: Kit, path: Path, count: int = LOOKALIKES_SHOWN) -> None:
    """Write the first look-alikes made from the marks, with number, kind and least size in pixels.

    Each is a negative: a user who takes one for the mark names its number or kind in ``mine``. A
    place stays empty where a mark has none that is not the user's.
    Raises InputError when *path* cannot be written.
    """
    cell, words = LOOKALIKE_CELL
    numbers = kit.numbers[:count]
    rows = max(1, math.ceil(len(numbers) / LOOKALIKE_COLUMNS))
    sheet = Image.new("RGB", (LOOKALIKE_COLUMNS * cell, rows * (cell + words)), CHEQUER[0])
    for y in range(0, sheet.height, CHEQUER_PX):
        for x in range(y % (2 * CHEQUER_PX), sheet.width, 2 * CHEQUER_PX):
            sheet.paste(CHEQUER[1], (x, y, x + CHEQUER_PX, y + CHEQUER_PX))
    draw = ImageDraw.Draw(sheet)
    for place, number in enumerate(numbers):
        made, _ = kit.made_lookalike(number)
        if made is None:
            continue
        x, y = place % LOOKALIKE_COLUMNS * cell, place // LOOKALIKE_COLUMNS * (cell + words)
        shown = ImageOps.contain(made.image, (cell - 8, cell - 8))
        sheet.paste(shown, (x + (cell - shown.width) // 2, y + (cell - shown.height) // 2), shown)
        draw.rectangle((x, y + cell, x + cell, y + cell + words), fill=(40, 40, 40))
        label = f"{number} {made.kind.replace('_', ' ')}"
        draw.text((x + 3, y + cell + 1), f"{label}, {made.least_px} px", fill="white")
    with atomic_replace(path) as temporary:
        sheet.save(temporary, "PNG")


def _with_boxes(picture: Picture, classes: Sequence[str]) -> Image.Image:
    image = Image.fromarray(picture.pixels)
    draw = ImageDraw.Draw(image)
    for kind, box in picture.marks:
        draw_box(draw, box, "mark")
        draw.text((box.x0 + 2, box.y1 + 1), classes[kind], fill=colour_of("mark"))
    for box in picture.ignored:
        draw_box(draw, box, "ignored")
    return image
