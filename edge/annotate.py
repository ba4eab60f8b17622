"""Annotation: bounding boxes and verdict on a copy of the picture, and contact sheets of them."""

import io
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from edge.decision import Box, Finding, Kind, Verdict
from edge.files import write_atomic
from edge.vision.legend import Meaning, colour_of, draw_outline, drawable, upright
from edge.vision.preprocess import Frame

COLOURS: dict[Kind, str] = {"pass": "#1b7f3b", "reject": "#b3261e", "fault": "#8a5a00"}
"""Of the strip, not of the boxes; dark enough for white letters."""
GAPS = "#202020"
"""Between the dashes of a near miss, so that they are seen on cardboard, paper and steel."""
JPEG_QUALITY = 88
NARROW, LETTER_SHARE = 8, 0.56
"""Width of a picture, in letters' heights, below which a caption is not wrapped; mean width of a
letter as a share of its height."""
SHEET_CELL = (360, 300)
SHEET_COLUMNS = 3


def annotate(frame: Frame, verdict: Verdict, name: str = "") -> Image.Image:
    """Draw each finding's box and score on a copy of a frame, with the verdict in a strip below.

    *frame*: (height, width, 3) uint8, RGB; *name*: added to the verdict. Boxes have the colours of
    :mod:`edge.vision.legend`: blue for what counts; the near miss is dashed, thin and grey. The
    strip has the verdict's. It is added, not laid over: it hides nothing, and pixels keep their
    coordinates.
    """
    height, width = frame.shape[:2]
    letters = max(12, min(height, width) // 20)
    words = f"{verdict.kind.upper()}  {verdict.reason}" + (f"  ({name})" if name else "")
    caption = _lines(drawable(words), width, letters)
    strip = round((1 + len(caption)) * letters + 0.3 * letters * (len(caption) - 1))
    picture = Image.new("RGB", (width, height + strip), COLOURS[verdict.kind])
    picture.paste(Image.fromarray(frame), (0, 0))
    draw = ImageDraw.Draw(picture)
    line = max(2, letters // 6)
    if verdict.near is not None:
        _near_miss(draw, verdict.near, (width, height), letters)
    for finding in verdict.findings:
        draw_outline(draw, finding.box, "found", line)
        at = (finding.box.x0, max(0.0, finding.box.y0 - 1.4 * letters))
        _label(draw, at, f"{finding.label} {finding.score:.2f}", letters, "found")
    for number, line_of in enumerate(caption):
        y = height + letters * (0.5 + 1.3 * number)
        draw.text((letters / 2, y), line_of, "white", font=_font(letters))
    return picture


def _lines(words: str, width: int, letters: int) -> list[str]:
    """Return a caption, whole, in lines that fit; one line where there is no room for a word."""
    if width < NARROW * letters:
        return [words]
    fits = max(1, int((width - letters) / (LETTER_SHARE * letters)))
    return textwrap.wrap(words, fits, break_on_hyphens=False, drop_whitespace=True) or [words]


def recorded_verdict(item: Mapping[str, Any]) -> Verdict:
    """Return the verdict that an item's record of the journal holds, near miss included."""
    near = item.get("near_miss")
    return Verdict(
        item["verdict"],
        item.get("reason", ""),
        tuple(map(_recorded, item.get("findings", ()))),
        item.get("code", ""),
        near and _recorded(near),
    )


def _recorded(finding: Mapping[str, Any]) -> Finding:
    return Finding(finding["label"], finding["score"], Box(*finding["box"]))


def _near_miss(
    draw: ImageDraw.ImageDraw, near: Finding, size: tuple[int, int], letters: int
) -> None:
    """Draw a dashed box on a picture of that size, (width, height), with its score below it."""
    box = near.box.clipped(*size)
    line = max(2, letters // 12)
    x0, y0, x1, y1 = upright(box)
    # A dash lies astride its line, an outline within it.
    out, back = line // 2, (line - 1) // 2
    draw.rectangle((x0 - out, y0 - out, x1 + back, y1 + back), outline=GAPS, width=line)
    draw_outline(draw, box, "ignored", line, below=True)
    small = max(10, letters * 2 // 3)
    at = (x0, min(y1 + line, size[1] - 1.4 * small))
    _label(draw, at, f"near miss {near.label} {near.score:.2f}", small, "ignored")


def contact_sheet(pictures: Sequence[Image.Image]) -> Image.Image:
    """Lay *pictures*, at least one, out in rows on one sheet, each made to fit its cell."""
    width, height = SHEET_CELL
    columns = min(SHEET_COLUMNS, len(pictures))
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * (width + 8) + 8, rows * (height + 8) + 8), "white")
    for index, picture in enumerate(pictures):
        small = picture.copy()
        small.thumbnail(SHEET_CELL, Image.Resampling.LANCZOS)
        x, y = 8 + index % columns * (width + 8), 8 + index // columns * (height + 8)
        sheet.paste(small, (x + (width - small.width) // 2, y + (height - small.height) // 2))
    return sheet


def save_png(picture: Image.Image, path: Path) -> None:
    """Write *picture* as a PNG file, atomically. Raises InputError."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    write_atomic(path, buffer.getvalue())


def save_jpeg(picture: Image.Image, path: Path) -> None:
    """Write *picture* as a JPEG file, about a tenth of a PNG's size, atomically.

    Raises InputError.
    """
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    write_atomic(path, buffer.getvalue())


def _label(
    draw: ImageDraw.ImageDraw, at: tuple[float, float], text: str, letters: int, meaning: Meaning
) -> None:
    font = _font(letters)
    draw.rectangle(draw.textbbox(at, drawable(text), font=font), fill=colour_of(meaning))
    draw.text(at, drawable(text), "black", font=font)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    try:
        return ImageFont.load_default(size)
    except TypeError:  # Pillow before 10.1, as in Debian 12, has one size only
        return ImageFont.load_default()
