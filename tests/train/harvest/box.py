"""A box's folder with items that reviewers judged: journal, audit log, pictures."""

import hashlib
import io
from pathlib import Path
from typing import Any

from PIL import Image

from edge.review.people import Person
from edge.review.store import ReviewStore
from tests.edge.review.journals import ANNA, START, an_item, config_in, write

DAY_S = 24 * 3600
STARTED: dict[str, Any] = {**START, "model": {**START["model"], "classes": ["seal"]}}  # type: ignore[dict-item]
BASIS_BOX = [10.0, 20.0, 110.0, 90.0]


def picture(folder: Path, number: int, item: int, verdict: str) -> dict[str, str]:
    """Keep a JPEG of 160 x 120 pixels, another for each item, and return the record's fields."""
    folder.mkdir(exist_ok=True)
    buffer = io.BytesIO()
    Image.new("RGB", (160, 120), (item * 7 % 256, 90, 200)).save(buffer, "JPEG")
    name = f"{number:09}-{item:09}-{verdict}.jpg"
    (folder / name).write_bytes(buffer.getvalue())
    return {
        "evidence": name,
        "evidence_sha256": hashlib.sha256(buffer.getvalue()).hexdigest(),
    }


def line_of(folder: Path, days: tuple[tuple[tuple[str, float], ...], ...]) -> None:
    """Write the journal of *days* of items, each its verdict and score, all with a picture."""
    number = 0
    for day, items in enumerate(days):
        records: list[tuple[str, dict[str, Any]]] = [("start", STARTED)]
        for verdict, score in items:
            number += 1
            kept = picture(folder / "evidence", number, number, verdict)
            records.append(("item", an_item(number, verdict, score, **kept)))
        write(folder / "journal.jsonl", records, second=day * DAY_S)


def judge(folder: Path, *words: tuple[int, str], who: Person = ANNA) -> None:
    """Say of items what they are, as on the review page."""
    with ReviewStore(config_in(folder)) as store:
        store.index.catch_up()
        for item, word in words:
            store.judge(item, word, who)


def take_back(folder: Path, who: Person = ANNA) -> None:
    """Take somebody's last judgement back."""
    with ReviewStore(config_in(folder)) as store:
        store.undo_last(who)


def arguments(folder: Path, *more: str) -> list[str]:
    """Return the command line that harvests the box in *folder* into ``out``."""
    return [
        "harvest",
        str(folder / "journal.jsonl"),
        *("--audit", str(folder / "review" / "audit.jsonl")),
        *("--evidence", str(folder / "evidence")),
        *("--out", str(folder / "out")),
        *more,
    ]
