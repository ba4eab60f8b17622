"""A long journal with the records of a real line, written by the box's own writer.

The figures are drawn by a seed: two of a hundred items are rejected, one of a thousand is a fault,
scores crowd near 0.9 and thin out towards the threshold. One of a hundred passes, and all others,
name a picture; the pictures are not made.
"""

import hashlib
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tqdm import tqdm

from edge.clock import SimulatedClock
from edge.record.evidence import is_drawn
from edge.record.journal import Journal
from edge.sections.records import JournalSettings

BEGIN = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
PERIOD_NS = 400_000_000
"""An item each 0.4 s."""
SHIFT_ITEMS = 72_000
"""Eight hours of them; each shift begins with a start."""
SETTINGS = JournalSettings(sync="grouped", group_items=1000, group_ms=60_000.0)
THRESHOLD = 0.5853
CODES = ("missing", "unsure", "too-small", "out-of-place", "gate-late", "forbidden")
CLASSES = ("qc-tested", "lot-mark")


def write_journal(
    path: Path, items: int, begin: datetime = BEGIN, seed: int = 1, first: int = 1
) -> None:
    """Write items *first* to *items* to the journal *path*, with progress on stderr.

    *begin*: when the first item of the journal came.
    """
    draw = random.Random(seed)  # noqa: S311 - figures of a bench
    clock = SimulatedClock(10**9 + (first - 1) * PERIOD_NS)
    with Journal(path, clock, lambda: _wall(begin, clock), SETTINGS) as journal:
        made = records(items, draw, first)
        for kind, fields in tqdm(made, total=items, unit="record", mininterval=1, disable=None):
            journal.append(kind, fields)
            if kind == "item":
                clock.sleep_until(clock.now_ns() + PERIOD_NS)


def _wall(begin: datetime, clock: SimulatedClock) -> datetime:
    return begin + timedelta(microseconds=clock.now_ns() // 1000)


def records(
    items: int, draw: random.Random, first: int = 1
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield kinds and fields of the items *first* to *items* and of what comes between them."""
    pictures = 0
    for number in range(first, items + 1):
        if number % SHIFT_ITEMS == 1:
            yield "start", _start(number // (8 * SHIFT_ITEMS))
        if number % 150 == 0:
            yield "health", {"temperature_c": 51.5, "throttled": "0x0", "open_files": 41}
        if number % 40_000 == 0:
            yield "note", {"reason": "rejects are more frequent than normal", "code": "alarm"}
        verdict = "fault" if draw.random() < 0.001 else "reject" if draw.random() < 0.02 else "pass"
        fields = _item(number, verdict, draw)
        if verdict != "pass" or is_drawn(number, 0.01, 1):
            pictures += 1
            fields["evidence"] = f"{pictures:09}-{number:09}-{verdict}.jpg"
            fields["evidence_sha256"] = hashlib.sha256(str(number).encode()).hexdigest()
        yield "item", fields


def _start(model: int) -> dict[str, Any]:
    sha256 = hashlib.sha256(f"model {model}".encode()).hexdigest()
    about = {"file": "model.onnx", "sha256": sha256, "threshold": THRESHOLD}
    return {
        "version": "0.1.0",
        "settings_sha256": hashlib.sha256(f"settings {model}".encode()).hexdigest(),
        "model": {**about, "classes": list(CLASSES)},
        "required": ["qc-tested"],
        "min_score": THRESHOLD,
    }


def _item(number: int, verdict: str, draw: random.Random) -> dict[str, Any]:
    code = "found" if verdict == "pass" else draw.choice(CODES)
    score = min(0.999, max(THRESHOLD, draw.gauss(0.88, 0.07)))
    best = _finding(draw, score)
    near = _finding(draw, min(0.58, abs(draw.gauss(0.2, 0.12))))
    frames = {}
    if draw.random() < 0.001:
        frames = {"frames": [{"verdict": "pass", "score": 0.7}, {"verdict": "reject"}]}
    reason = f"qc-tested found ({score:.2f})"
    if verdict != "pass":
        reason = f"no qc-tested found (best {near['score']:.2f}, {code})"
    return {
        "verdict": verdict,
        "reason": reason,
        "code": code if verdict != "fault" else "not-judged",
        "gate": "cancelled" if verdict == "pass" else "kept",
        "findings": [best] if verdict == "pass" else [],
        "near_miss": near,
        "picture": "",
        **frames,
        "evidence": "",
        "trigger_ns": number * PERIOD_NS,
        "ms": round(draw.gauss(95, 8), 3),
    }


def _finding(draw: random.Random, score: float) -> dict[str, Any]:
    x, y, size = draw.uniform(0, 900), draw.uniform(0, 700), draw.uniform(80, 250)
    box = [round(corner, 2) for corner in (x, y, x + size, y + size)]
    label = CLASSES[draw.random() < 0.1]
    return {"label": label, "score": round(score, 4), "box": box}
