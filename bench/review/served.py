"""The last shift of the bench's journal: written by the whole service, as fast as it can.

:func:`edge.service.serve` runs with a camera that replays pictures, the tests' tiny model, real
evidence and a simulated clock; it goes on in the journal that is there.
"""

import os
from pathlib import Path

from bench.edge.soak_box import write_picture
from edge.clock import SimulatedClock
from edge.config import Config
from edge.files import make_folder
from edge.sections.camera import CameraSettings
from edge.sections.gate import GateSettings
from edge.sections.model import ModelSettings
from edge.sections.records import EvidenceSettings, JournalSettings
from edge.service import serve
from tests.tiny_model import write_tiny_model

PER_SECOND = 2.5
PASSES = 4
"""Different pictures of items that pass."""


def serve_items(journal: Path, items: int) -> None:
    """Let the service judge *items* more, and append their records to *journal*.

    Two of a hundred lack the mark, one of a thousand has a torn picture.
    """
    folder = journal.parent.absolute()
    serve(_box(folder, journal.name, items), SimulatedClock(10**18))


def _box(folder: Path, journal: str, items: int) -> Config:
    """Put pictures and model into *folder*; return the settings of a box that works there."""
    frames = folder / "frames"
    make_folder(frames)
    write_tiny_model(folder / "model.onnx")
    kinds = [*((f"pass{n}", "pass") for n in range(PASSES)), ("reject", "reject"), ("no", "fault")]
    for number, (name, verdict) in enumerate(kinds):
        write_picture(folder / f"{name}.jpg", verdict, number)
    for number in range(items):
        kind = "no" if number % 1000 == 7 else "reject" if number % 50 == 3 else ""
        source = folder / f"{kind or f'pass{number % PASSES}'}.jpg"
        target = frames / f"{number:07}.jpg"
        target.unlink(missing_ok=True)
        os.link(source, target)
    return Config(
        camera=CameraSettings(
            folder="frames",
            pictures_per_second=PER_SECOND,
            allow_repeats=True,
            covered_below=0.0,
        ),
        gate=GateSettings(reject_delay_ms=100.0, pulse_ms=20.0),
        model=ModelSettings(file="model.onnx"),
        journal=JournalSettings(file=journal, mark="", status="", sync="grouped"),
        evidence=EvidenceSettings(folder="evidence", keep_free_mb=0),
        folder=folder,
    )
