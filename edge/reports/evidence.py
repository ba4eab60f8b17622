"""Evidence pictures in a report: only as they were when they were recorded, and small."""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

from edge.errors import StampgateError
from edge.files import open_regular
from edge.record.evidence import NAME
from edge.reports.points import Record

MOST_BYTES = 50_000_000
SMALL_PX = 480
"""Longer side of a picture in the report, pixels."""
QUALITY = 82


@dataclass(frozen=True)
class Evidence:
    """The picture of an item: a small JPEG of it, and the size of the whole one in pixels.

    *words*: what is to be said of it: that it is as recorded, or why it is not shown.
    """

    words: str
    jpeg: bytes = b""
    width: int = 0
    height: int = 0


def evidence_of(record: Record, folder: Path | None, *, show: bool = True) -> Evidence:
    """Return the picture of an item's record; *show*: whether it is wanted, or only its state."""
    name = str(record.get("evidence", ""))
    if not name:
        lost = str(record.get("evidence_lost", ""))
        return Evidence(f"no picture was kept: {lost}" if lost else "no picture was kept")
    if folder is None or not NAME.fullmatch(name):
        return Evidence("no evidence folder is known" if folder is None else "no name of a picture")
    try:
        with open_regular(folder / name, MOST_BYTES) as file:
            content = file.read()
    except FileNotFoundError:
        return Evidence("the picture has given way to newer ones")
    except OSError as error:
        return Evidence(f"the picture cannot be read: {error.strerror or error}")
    sha256 = str(record.get("evidence_sha256", ""))
    if sha256 and hashlib.sha256(content).hexdigest() != sha256:
        return Evidence("the picture is NOT the one recorded: it was changed or exchanged since")
    words = "as recorded" if sha256 else "recorded without a sum: the disk was slow"
    return _small(content, folder / name, words) if show else Evidence(words)


def _small(content: bytes, path: Path, words: str) -> Evidence:
    """Return a small copy of a picture; its state alone where it is damaged."""
    from edge.vision.picture_files import open_picture  # noqa: PLC0415 - a CSV needs no pictures

    try:
        with open_picture(path, io.BytesIO(content)) as image:
            width, height = image.size
            image.draft("RGB", (SMALL_PX, SMALL_PX))
            small = image.convert("RGB")
        small.thumbnail((SMALL_PX, SMALL_PX))
        buffer = io.BytesIO()
        small.save(buffer, "JPEG", quality=QUALITY)
    except StampgateError as error:
        return Evidence(f"{words}; the picture cannot be shown: {error}")
    return Evidence(words, buffer.getvalue(), width, height)
