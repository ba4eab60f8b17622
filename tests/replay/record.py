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

import numpy as np
from numpy.typing import NDArray

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
    "alarms",
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


RULES: dict[str, tuple[str, list[NDArray[np.uint8]]]] = {
    # The stamp of the neighbour, beside the region, counts for nothing; a picture that does not
    # hold the region cannot be judged.
    "rule-region": (
        'required = ["dot"]\nregion = [[0, 0], [32, 0], [32, 64], [0, 64]]\n',
        [
            paint({"dot": [(8, 24)]}),
            paint({"dot": [(48, 24)]}),
            paint({"dot": [(8, 24), (48, 24)]}),
            paint({"dot": [(8, 8)]}, width=24, height=24),
        ],
    ),
    # The same with a region that is no rectangle: the stamp lies in its rectangle, not in it.
    "rule-region-wedge": (
        'required = ["dot"]\nregion = [[0, 0], [64, 0], [0, 64]]\n',
        [paint({"dot": [(8, 8)]}), paint({"dot": [(48, 48)]})],
    ),
    # Two items of one frame: both stamped, one of them, neither, and one too many.
    "rule-count": (
        'required = ["dot"]\ncount = "2"\n',
        [
            paint({"dot": [(8, 24), (48, 24)]}),
            paint({"dot": [(8, 24)]}),
            paint({}),
            paint({"dot": [(8, 24), (48, 24), (24, 48)]}),
        ],
    ),
    # A square says REJECTED: alone, beside a dot, and as one of many; a count of its own beside.
    "rule-forbidden": (
        'forbidden = ["square"]\ncount = { dot = "at least 1" }\n',
        [
            paint({"dot": [(8, 24)]}),
            paint({"dot": [(8, 24)], "square": [(48, 24)]}),
            paint({"square": [(48, 24)]}),
            paint({}),
        ],
    ),
    # Scores of 1.0, 0.77, 0.56 and 0.39: found, found, not sure, and a near miss; a forbidden mark
    # of which nobody is sure.
    "rule-no-call": (
        'required = ["dot"]\nforbidden = ["square"]\nmin_score = 0.7\nno_call_from = 0.5\n',
        [
            *(paint({"dot": [(24, 24)]}, side=side) for side in (8, 7, 6, 5)),
            np.hstack(
                (paint({"dot": [(8, 24)]})[:, :32], paint({"square": [(16, 24)]}, side=6)[:, :32])
            ),
        ],
    ),
    # Every mark has 24 network pixels: of a larger picture more, of a smaller one fewer.
    "rule-size": (
        'required = ["dot"]\nmark_least_px = 30\nmark_greatest_px = 60\n',
        [
            paint({"dot": [(8 * n, 24 * n)]}, width=64 * n, height=64 * n, side=8 * n)
            for n in (1, 2, 3)
        ],
    ),
    # The mark must be on the left, and its item has not moved when its picture begins.
    "rule-place": (
        'required = ["dot"]\nplace = [0, 0, 32, 64]\nplace_px_per_ms = [1.5, 0]\n',
        [paint({"dot": [(8, 24)]}), paint({"dot": [(48, 24)]})],
    ),
    # Turned by a quarter, clockwise, the left edge is the top: boxes and region are in that.
    "rule-turned": (
        (
            'required = ["dot"]\nregion = [[0, 0], [64, 0], [64, 24], [0, 24]]\n'
            "[camera]\nrotate = 90\n"
        ),
        [paint({"dot": [(x, 24)]}, width=32, height=64) for x in (4, 20)],
    ),
    # Three pictures of each item, two of which must pass; one of the third item is torn.
    "rule-burst": (
        (
            'required = ["dot"]\nforbidden = ["square"]\nburst = 3\nburst_needed = 2\n'
            '[trigger]\nkind = "interval"\ninterval_ms = 1000\n'
            "[camera]\npictures_per_second = 50.0\nin_view_ms = 60.0\n"
        ),
        [
            *(paint({"dot": [(8, 24)]} if seen else {}) for seen in (True, False, True)),
            *(paint({"dot": [(8, 24)]} if seen else {}) for seen in (False, True, False)),
            *(paint({"dot": [(8, 24)]}) for _ in range(3)),
            *(paint({"dot": [(8, 24)]}) for _ in range(2)),
            paint({"dot": [(8, 24)], "square": [(48, 24)]}),
            *(paint({"dot": [(8, 24)]}) for _ in range(2)),
        ],
    ),
}
"""The rules of the decision: what [decision] says, and the pictures."""
TORN = "rule-burst"
SETTINGS = """\
[camera]
folder = "frames"
pictures_per_second = 4.0
allow_repeats = true
covered_below = 0.0
black_below = 0.0

[gate]
reject_delay_ms = 400.0
pulse_ms = 60.0
record = "edges.jsonl"

[model]
file = "model.onnx"

[journal]
file = "journal.jsonl"
status = ""

[evidence]
folder = ""

[decision]
"""


def write_rules() -> None:
    """Write settings and pictures of the rules' cases."""
    for case, (decision, pictures) in RULES.items():
        frames = FOLDER / case / "frames"
        shutil.rmtree(frames, ignore_errors=True)
        frames.mkdir(parents=True)
        text = _merged(SETTINGS + decision)
        (FOLDER / case / "edge.toml").write_text(text, encoding="utf-8")
        for number, picture in enumerate(pictures, 1):
            save(frames / f"{number:02}.png", picture)
    torn = FOLDER / TORN / "frames" / "08.png"
    torn.write_bytes(torn.read_bytes()[:-30])


def _merged(text: str) -> str:
    """Return TOML whose sections may come twice with each once; the later of two keys counts."""
    sections: dict[str, dict[str, str]] = {}
    keys: dict[str, str] = {}
    for line in filter(None, text.splitlines()):
        if line.startswith("["):
            keys = sections.setdefault(line, {})
        else:
            key, _, value = line.partition(" = ")
            keys[key] = value
    return "\n".join(
        "\n".join([name, *(f"{key} = {value}" for key, value in keys.items()), ""])
        for name, keys in sections.items()
    )


def main() -> None:
    """Paint and record every case."""
    paint_frames()
    write_rules()
    for case in sorted({*CASES, *RULES}):
        with tempfile.TemporaryDirectory() as folder:
            lines = replay(case, Path(folder))
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (FOLDER / case / "expected.jsonl").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
