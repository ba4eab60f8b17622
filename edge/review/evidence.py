"""The picture that was kept of an item, by its record alone, and the boxes to lay over it.

No name from outside leads to a file: the record names the picture, its name must be one of the
evidence's for that very item, and its SHA-256 must be the one in the record.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from edge.files import read_bounded
from edge.record.evidence import NAME

MOST_BYTES = 32 << 20
State = Literal["as recorded", "no sum", "altered", "gone", "none", "foreign"]


@dataclass(frozen=True)
class Picture:
    """A picture of evidence. *content*: a JPEG file, None where there is none to show.

    *no sum*: it was written too late for its record to carry its hash. *gone*: it has made room
    for newer ones. *altered*: its file is another than when it was recorded, and is not shown.
    """

    state: State
    content: bytes | None = None
    words: str = ""


@dataclass(frozen=True)
class Overlay:
    """A box to draw on a picture: corners in camera pixels, x to the right, y down."""

    label: str
    score: float
    x0: float
    y0: float
    x1: float
    y1: float
    kind: Literal["found", "near miss"]


def picture_of(record: Mapping[str, Any], folder: Path | None) -> Picture:
    """Return the picture of an item's *record* from the evidence *folder*; None keeps none."""
    name = str(record.get("evidence", ""))
    if not name or folder is None:
        lost = str(record.get("evidence_lost", ""))
        return Picture("none", None, lost or "no picture was kept of it")
    found = NAME.fullmatch(name)
    if found is None or int(found[2]) != record.get("sequence"):
        return Picture("foreign", None, "its record names a picture that is not its own")
    return _read(folder / name, str(record.get("evidence_sha256", "")))


def _read(path: Path, right: str) -> Picture:
    """Read a picture whose SHA-256 must be *right*; empty where its record does not say."""
    name = path.name
    try:
        content = read_bounded(path, MOST_BYTES)
    except FileNotFoundError:
        return Picture(
            "gone", None, f"{name} is gone: the oldest pictures make room for newer ones"
        )
    except OSError as error:
        return Picture("gone", None, f"{name} cannot be read ({error.strerror or error})")
    if not right:
        return Picture("no sum", content, "written too late for its record to carry its hash")
    if hashlib.sha256(content).hexdigest() != right:
        return Picture("altered", None, f"{name} is another than when it was recorded")
    return Picture("as recorded", content)


def overlay(record: Mapping[str, Any]) -> tuple[Overlay, ...]:
    """Return the boxes of an item's findings and of its near miss."""
    found: list[tuple[Any, Literal["found", "near miss"]]] = [
        (finding, "found") for finding in record.get("findings", ())
    ]
    if record.get("near_miss"):
        found.append((record["near_miss"], "near miss"))
    return tuple(
        Overlay(str(one.get("label", "")), float(one.get("score", 0.0)), x0, y0, x1, y1, kind)
        for one, kind in found
        for x0, y0, x1, y1 in [one.get("box", ())][: "box" in one]
    )


def oldest_picture(folder: Path | None) -> int:
    """Return the number of the oldest picture that is kept; 0 where there is none."""
    if folder is None or not folder.is_dir():
        return 0
    names = (NAME.fullmatch(path.name) for path in folder.iterdir())
    return min((int(name[1]) for name in names if name), default=0)
