"""Journals that the real writer wrote, and a store over them."""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from edge.clock import SimulatedClock
from edge.config import Config
from edge.record.journal import Journal
from edge.review.people import Person
from edge.review.store import ReviewStore
from edge.sections.records import EvidenceSettings, JournalSettings
from edge.sections.review import ReviewSettings

NOON = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)
NOON_MS = round(NOON.timestamp() * 1000)
ANNA = Person("anna", "supervisor")
BERT = Person("bert", "supervisor")
ELSE = Person("else", "engineer")
START = {
    "version": "0.1.0",
    "settings_sha256": "ab" * 32,
    "model": {"file": "m.onnx", "sha256": "cd" * 32, "threshold": 0.5},
    "required": ["seal"],
    "min_score": 0.5,
}


def an_item(number: int, verdict: str, score: float, **more: Any) -> dict[str, Any]:
    """Return the fields of item *number*, whose deciding mark has *score*."""
    mark = {"label": "seal", "score": score, "box": [10.0, 20.0, 110.0, 90.0]}
    passed = verdict == "pass"
    return {
        "verdict": verdict,
        "reason": "seal found" if passed else f"no seal found (best {score:.2f})",
        "code": "found" if passed else "missing",
        "gate": "cancelled" if passed else "kept",
        "findings": [mark] if passed else [],
        "near_miss": None if passed else mark,
        "picture": f"{number}.jpg",
        "evidence": "",
        "trigger_ns": number,
        "ms": 40.0,
        **more,
    }


def kept(folder: Path, picture: int, item: int, verdict: str) -> dict[str, str]:
    """Keep a stand-in for a picture, and return the fields that name it."""
    folder.mkdir(exist_ok=True)
    content = b"\xff\xd8" + f"picture of {item}".encode() + b"\xff\xd9"
    name = f"{picture:09}-{item:09}-{verdict}.jpg"
    (folder / name).write_bytes(content)
    return {"evidence": name, "evidence_sha256": hashlib.sha256(content).hexdigest()}


def write(
    path: Path,
    records: Iterable[tuple[str, dict[str, Any]]],
    *,
    second: int = 0,
    wrong_s: int = 0,
    settings: JournalSettings | None = None,
) -> None:
    """Append records to a journal, one a second from *second* after noon on.

    *wrong_s*: how far the wall clock is ahead.
    """
    clock = SimulatedClock(second * 10**9 + 1)
    moment = [NOON + timedelta(seconds=second + wrong_s)]
    with Journal(path, clock, lambda: moment[0], settings or JournalSettings()) as journal:
        for kind, fields in records:
            journal.append(kind, fields)
            clock.sleep_until(clock.now_ns() + 10**9)
            moment[0] += timedelta(seconds=1)


def config_in(folder: Path) -> Config:
    """Return settings with all that is written in *folder*."""
    return replace(
        Config(),
        journal=JournalSettings(file="journal.jsonl", mark="", status=""),
        evidence=EvidenceSettings(folder="evidence"),
        review=ReviewSettings(folder="review"),
        folder=folder,
    )


def shift(folder: Path, items: int = 40) -> ReviewStore:
    """Return a store over a journal of *items*: each fifth rejected, each second pass pictured."""
    records: list[tuple[str, dict[str, Any]]] = [("start", START)]
    pictures = 0
    for number in range(1, items + 1):
        verdict = "reject" if number % 5 == 0 else "pass"
        score = 0.49 - number / 1000 if verdict == "reject" else 0.51 + number / 1000
        more: dict[str, Any] = {}
        if verdict == "reject" or number % 2:
            pictures += 1
            more = kept(folder / "evidence", pictures, number, verdict)
        records.append(("item", an_item(number, verdict, score, **more)))
    write(folder / "journal.jsonl", records)
    store = ReviewStore(config_in(folder))
    store.index.catch_up()
    return store
