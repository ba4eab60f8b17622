"""Recorded lines: pictures, settings and what the service must make of them, in one folder a case.

``python -m tests.replay.record`` paints the pictures again and writes each ``expected.jsonl`` anew:
look at the difference before you keep it, for it is a change of what the box does at the line.
"""

import json
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from edge.clock import SimulatedClock
from edge.config import load_config
from edge.gate.history import read_transitions
from edge.record.verify import read_records
from edge.service import serve
from tests.tiny_model import paint, save, two_classes, write_tiny_model

FOLDER = Path(__file__).resolve().parent
CASES = tuple(sorted(path.parent.name for path in FOLDER.glob("*/edge.toml")))
VARIES = (
    *("boot_id", "wall_time", "clock_synced", "previous", "version", "settings_sha256"),
    *("evidence", "evidence_sha256", "evidence_lost"),
)
"""Fields that differ from run to run or from release to release.

Evidence is among them: a thread of real time keeps it."""
MS = 1_000_000


def prepare_case(case: str, folder: Path) -> Path:
    """Copy a case and the tiny model of two classes into *folder*; return its settings file."""
    shutil.copytree(FOLDER / case, folder, dirs_exist_ok=True)
    write_tiny_model(folder / "model.onnx", two_classes())
    return folder / "edge.toml"


def outcome(folder: Path) -> list[dict[str, Any]]:
    """Return what a run in *folder* left: each record with its transitions of the reject line.

    A transition is [level, ms since the run began]. Those for no item stand with the start record.
    """
    edges = read_transitions(folder / "edges.jsonl")
    begin_ns = edges[0].t_ns
    lines = []
    for record in read_records(folder / "journal.jsonl"):
        sequence = {"item": record["sequence"], "start": None}.get(record["kind"], -1)
        mine = [
            [edge.level, (edge.t_ns - begin_ns) / MS] for edge in edges if edge.sequence == sequence
        ]
        lines.append({"journal": _without_what_varies(record), "edges": mine})
    return lines


def _without_what_varies(record: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in record.items() if key not in VARIES}
    if kept.get("verdict") == "fault":
        # What stands in brackets is the decoder's own words, which are another release's tomorrow.
        kept["reason"] = re.sub(r"\(.*\)", "(...)", kept["reason"])
    if "model" in kept:
        kept["model"] = {key: value for key, value in kept["model"].items() if key != "sha256"}
    return kept


def expected(case: str) -> list[dict[str, Any]]:
    """The stored reference of a case."""
    return read_records(FOLDER / case / "expected.jsonl")


def replay(case: str, folder: Path) -> list[dict[str, Any]]:
    """Run a case in simulated time in *folder* and return its outcome."""
    serve(load_config(prepare_case(case, folder)), SimulatedClock())
    return outcome(folder)


def paint_frames() -> None:
    """Paint the pictures of both cases."""
    mixed, burst = FOLDER / "mixed" / "frames", FOLDER / "burst" / "frames"
    for folder in (mixed, burst):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    save(mixed / "01-both.png", paint({"dot": [(16, 24)], "square": [(40, 8)]}))
    save(mixed / "02-dot-only.png", paint({"dot": [(32, 32)]}))
    save(
        mixed / "03-large-both.png",
        paint({"dot": [(48, 48)], "square": [(120, 24)]}, width=192, height=96, side=24),
    )
    save(mixed / "04-torn.png", paint({"dot": [(16, 24)], "square": [(40, 8)]}))
    torn = mixed / "04-torn.png"
    torn.write_bytes(torn.read_bytes()[:-30])
    save(mixed / "05-nothing.png", paint({}))
    (mixed / "06-note.txt").write_text("no picture\n")
    save(
        mixed / "07-two-dots-and-a-square.png",
        paint({"dot": [(0, 0), (48, 48)], "square": [(48, 0)]}),
    )
    for index, good in enumerate((True, False, False, True, False, True, False, False, True)):
        marks = {"dot": [(16, 24)], "square": [(40, 8)]} if good else {}
        save(burst / f"{index + 1}-{'good' if good else 'bad'}.png", paint(marks))


def main() -> None:
    """Paint and record every case."""
    paint_frames()
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            lines = replay(case, Path(folder))
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (FOLDER / case / "expected.jsonl").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
