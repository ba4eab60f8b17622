"""Many histories side by side, with a file that says how far they have come."""

import hashlib
import json
import multiprocessing
import signal
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from edge.files import write_atomic
from tests.belt.history import History, Plan, plan
from tests.belt.proof import findings
from tests.paths import ROOT

CHUNK = 50
"""Histories that a process does at a time."""


def judge(seed: int) -> list[str]:
    """Run the history of *seed* and return what is wrong in it."""
    return judge_plan(plan(seed))


def judge_plan(drawn: Plan) -> list[str]:
    """Run a history and return what is wrong in it; an error is wrong, too."""
    history = History(drawn)
    try:
        history.run()
        return findings(history)
    except Exception as error:  # noqa: BLE001 - the gate must survive whatever the line does
        return [f"{type(error).__name__}: {error}"]


def judge_chunk(first: int) -> tuple[int, dict[int, list[str]]]:
    """Run a chunk from seed *first* on; return its findings by seed."""
    judged = {seed: judge(seed) for seed in range(first, first + CHUNK)}
    return first, {seed: found for seed, found in judged.items() if found}


def code_digest() -> str:
    """Return the SHA-256 of the gate's and the belt's own code: what a finding is a finding of."""
    files = sorted([*(ROOT / "edge" / "gate").rglob("*.py"), *(ROOT / "tests/belt").glob("*.py")])
    digest = hashlib.sha256()
    for file in [*files, ROOT / "edge" / "config.py", ROOT / "edge" / "wiring.py"]:
        digest.update(file.read_bytes())
    return digest.hexdigest()


@dataclass
class Progress:
    """How far a soak has come: chunks done from *first* on, in order, and what was found."""

    digest: str
    first: int
    done: int = 0
    """Histories done."""
    found: dict[int, list[str]] = field(default_factory=dict)


def read_progress(path: Path, first: int) -> Progress:
    """Return where a soak of this code stopped, or a new beginning."""
    fresh = Progress(code_digest(), first)
    if not path.exists():
        return fresh
    said = json.loads(path.read_text())
    found = {int(seed): words for seed, words in said.pop("found").items()}
    before = Progress(**said, found=found)
    return before if (before.digest, before.first) == (fresh.digest, first) else fresh


def soak(progress: Progress, histories: int, processes: int, path: Path) -> Iterator[Progress]:
    """Run histories until *histories* are done; yields after each chunk, and keeps its *path*."""
    chunks = range(progress.first + progress.done, progress.first + histories, CHUNK)
    context = multiprocessing.get_context("spawn")
    with context.Pool(processes, signal.signal, (signal.SIGINT, signal.SIG_IGN)) as pool:
        for _, found in pool.imap(judge_chunk, chunks):
            progress.done += CHUNK
            progress.found |= found
            write_atomic(path, json.dumps(asdict(progress)).encode())
            yield progress
