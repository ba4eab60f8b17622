"""Journals for the tests of the exporters, and a follower that reads one whole."""

from pathlib import Path
from typing import Any

from edge.exporters.journal_follower import Cursor, Entry, JournalFollower
from tests.disk import item, journal

START = {"version": "1", "settings_sha256": "s", "model": {"file": "m.onnx", "sha256": "a" * 64}}
KINDS = ("pass", "reject", "fault")


def write_items(path: Path, count: int, **changes: Any) -> None:
    """Let the journal's own writer append a start, *count* items and a stop."""
    with journal(path, **changes) as written:
        written.append("start", START)
        for number in range(count):
            kind = KINDS[number % 3]
            written.append("item", item(kind, code=kind, gate="in-time", ms=10.0 + number))
        counted = {kind: len(range(at, count, 3)) for at, kind in enumerate(KINDS)}
        written.append("stop", {"reason": "end", "counters": {"triggers": count, **counted}})


def read_all(path: Path, cursor: Cursor | None = None, most: int = 7) -> list[Entry]:
    """Follow a journal from *cursor* to its present end."""
    with JournalFollower(path, cursor) as follower:
        entries: list[Entry] = []
        while batch := follower.read(most):
            entries += batch
        return entries


def numbers(entries: list[Entry]) -> list[int]:
    """Return the numbers of the items among *entries*."""
    return [entry.record["sequence"] for entry in entries if entry.record["kind"] == "item"]
