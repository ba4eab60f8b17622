"""Contact sheets of training pictures, so that a person can see what the network is shown."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from edge.errors import InputError
from train.paint.synth import Picture

SHEET_WIDTH = 1664
"""Width of a sheet, in pixels: four whole frames of 416."""
COUNTS, IGNORED = (255, 40, 40), (60, 120, 255)
"""Colours of the boxes: RGB, 0..255."""


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
    try:
        sheet.save(path)
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written ({error.strerror}); make room or name another folder"
        ) from None


def _with_boxes(picture: Picture, classes: Sequence[str]) -> Image.Image:
    image = Image.fromarray(picture.pixels)
    draw = ImageDraw.Draw(image)
    for kind, box in picture.marks:
        draw.rectangle(box.corners(), outline=COUNTS)
        draw.text((box.x0 + 2, box.y1 + 1), classes[kind], fill=COUNTS)
    for box in picture.ignored:
        draw.rectangle(box.corners(), outline=IGNORED)
    return image
