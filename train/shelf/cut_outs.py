"""Write shelf labels as cut-outs to train on, with the boxes of what counts on them."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw
from tqdm import tqdm

from edge.annotate import contact_sheet, save_png
from edge.decision import Box
from edge.errors import InputError
from edge.files import make_folder, write_atomic
from train.labels.writing import hundredths
from train.marks.insides import INSIDES
from train.shelf.label import Drawn, around_price, draw_label

DIGITS = tuple("0123456789")
WHOLE, AROUND = "labels", "prices"
PARTS = (WHOLE, AROUND)
"""What a cut-out shows: a whole label, or a price and what lies around it."""
PRICE = "price"
"""Class name of a price."""
COUNTED = {"price": (PRICE,), "digits": DIGITS, "both": (PRICE, *DIGITS)}
"""The classes that may count on a cut-out: the place of the price, each digit, or both."""
LONG_SIDE = 480
"""Longest side of a cut-out, in pixels."""
SHEET, SHOWN = "sheet.png", 24
"""Ending of the name of the sheet beside the folder, and how many cut-outs it shows."""


@dataclass(frozen=True)
class CutOutOf:
    """A cut-out: *image*, RGBA, and class name and box, in its pixels, of what counts on it."""

    image: Image.Image
    boxes: tuple[tuple[str, Box], ...]


def draw(
    part: str, classes: tuple[str, ...], fonts: tuple[str, ...], seed: int, number: int
) -> CutOutOf:
    """Draw cut-out *number* of a seed; the same each time. *classes*: those that count on it."""
    rng = np.random.default_rng((seed, number, PARTS.index(part)))
    drawn: Drawn | None = None
    while drawn is None:
        label = draw_label(rng, fonts)
        drawn = label if part == WHOLE else around_price(rng, label)
    price = ((PRICE, drawn.price),) if drawn.price else ()
    shown = tuple(one for one in (*price, *drawn.characters) if one[0] in classes)
    return _shrunk(CutOutOf(drawn.image, shown))


def _shrunk(cut: CutOutOf) -> CutOutOf:
    width, height = cut.image.size
    share = LONG_SIDE / max(width, height)
    if share >= 1:
        return CutOutOf(cut.image, tuple((one, b.clipped(width, height)) for one, b in cut.boxes))
    size = max(1, round(width * share)), max(1, round(height * share))
    x, y = size[0] / width, size[1] / height
    boxes = [(one, Box(b.x0 * x, b.y0 * y, b.x1 * x, b.y1 * y)) for one, b in cut.boxes]
    clipped = tuple((one, box.clipped(*size)) for one, box in boxes)
    return CutOutOf(cut.image.resize(size, Image.Resampling.LANCZOS), clipped)


def write_cut_outs(
    out: Path,
    part: str,
    classes: tuple[str, ...],
    count: int,
    fonts: tuple[str, ...],
    seed: int,
    quiet: bool = False,
) -> Path:
    """Write *count* cut-outs into the new folder *out*, then what counts; return the sheet's path.

    What counts is written last: a folder without it holds no finished set, and the same command
    makes it whole. Raises InputError.
    """
    if (out / INSIDES).exists():
        raise InputError(f"--out {out}: holds labels already; name another folder")
    make_folder(out)
    shown, drawn = list[Image.Image](), list[tuple[str, CutOutOf]]()
    numbers = tqdm(range(count), "labels", unit=" labels", mininterval=1.0, disable=quiet)
    for number in numbers:
        cut, name = draw(part, classes, fonts, seed, number), f"{part}-{number:05}.png"
        save_png(cut.image, out / name)
        drawn.append((name, cut))
        if number < SHOWN:
            shown.append(_with_boxes(cut))
    sheet = out.with_name(f"{out.name}-{SHEET}")
    save_png(contact_sheet(shown), sheet)
    write_atomic(out / INSIDES, insides_text(drawn, classes).encode())
    return sheet


def insides_text(drawn: Sequence[tuple[str, CutOutOf]], classes: Sequence[str]) -> str:
    """Return what counts on named cut-outs, as COCO JSON."""
    images = [
        {"id": number, "file_name": name, "width": cut.image.width, "height": cut.image.height}
        for number, (name, cut) in enumerate(drawn, start=1)
    ]
    kinds = [{"id": index, "name": name} for index, name in enumerate(classes, start=1)]
    boxes = list(_annotations([cut for _, cut in drawn], list(classes)))
    return json.dumps({"images": images, "annotations": boxes, "categories": kinds})


def _annotations(cuts: Sequence[CutOutOf], classes: list[str]) -> Iterator[dict[str, Any]]:
    number = 0
    for image, cut in enumerate(cuts, start=1):
        for name, box in cut.boxes:
            number += 1
            sides = [hundredths(v) for v in (box.x0, box.y0, box.width, box.height)]
            kind = classes.index(name) + 1
            yield {
                "id": number,
                "image_id": image,
                "category_id": kind,
                "bbox": sides,
                "area": hundredths(box.area),
                "iscrowd": 0,
            }


def _with_boxes(cut: CutOutOf) -> Image.Image:
    picture = Image.new("RGB", cut.image.size, (128, 128, 128))
    picture.paste(cut.image, (0, 0), cut.image)
    pen = ImageDraw.Draw(picture)
    for _, box in cut.boxes:
        pen.rectangle(box.corners(), outline=(220, 30, 30), width=2)
    return picture
