"""The soak's settings, its pictures, whose names say the verdict, and a model to match."""

import dataclasses
from pathlib import Path

import numpy as np
from PIL import Image

from edge.config import Config
from edge.files import make_folder
from edge.sections.camera import CameraSettings
from edge.sections.gate import GateSettings, LinesSettings
from edge.sections.model import ModelSettings
from edge.sections.records import EvidenceSettings, JournalSettings
from edge.sections.trigger import TriggerSettings
from edge.vision.preprocess import Frame
from tests.tiny_model import COLOURS, CONTRACT, write_tiny_model

DESERVED = ("pass", "reject", "pass", "fault", "pass", "reject", "pass", "reject")
"""The verdicts of the pictures, which come round and round in this order."""
WIDTH, HEIGHT = 160, 120
MARK_PX = 40
EVIDENCE_MB = 4
"""Room for evidence: a few hundred pictures, so that the ring turns all the time."""
FILES = 10
"""Into how many files the journal of a whole run is turned."""
HEALTH_S = 10.0


def fill(folder: Path, run: Path, items: int) -> Config:
    """Put pictures and model into *folder*; return the settings of a box that works there.

    *run*: a folder with a short path, for sockets and what else lies in memory on a box. Delays,
    journal policy and everything else that is not named here is as shipped.
    """
    make_folder(folder / "frames")
    for number, verdict in enumerate(DESERVED):
        write_picture(folder / "frames" / f"{number}-{verdict}.jpg", verdict, number)
    write_tiny_model(
        folder / "model.onnx", dataclasses.replace(CONTRACT, second_side=32, second_px=24)
    )
    return Config(
        camera=CameraSettings(folder="frames", pictures_per_second=0.0, loop=True),
        trigger=TriggerSettings(kind="photo-eye"),
        gate=GateSettings(
            driver="process",
            pulse_ms=1.0,
            ready_stops_belt=False,  # its belt runs on, and each pulse is for one item
            socket=str(run / "gate.sock"),
        ),
        lines=LinesSettings(trigger="PHOTO-EYE", inputs=str(run / "lines.sock")),
        model=ModelSettings(file="model.onnx"),
        journal=JournalSettings(
            file="journal.jsonl",
            file_items=max(1, items // FILES),
            health_s=HEALTH_S,
            status=str(run / "status.json"),
        ),
        evidence=EvidenceSettings(folder="evidence", limit_mb=EVIDENCE_MB),
        folder=folder.absolute(),
    )


def write_picture(path: Path, verdict: str, seed: int) -> None:
    """Write a picture of something printed in grey, with the mark if it shall pass.

    A torn one if it is a fault.
    """
    picture = _printed(seed)
    if verdict == "pass":
        top, left = HEIGHT // 4 + 8 * seed, WIDTH // 3 + 8 * seed
        picture[top : top + MARK_PX, left : left + MARK_PX] = COLOURS["dot"]
    Image.fromarray(picture).save(path, quality=90)
    if verdict == "fault":
        path.write_bytes(path.read_bytes()[:2000])


def _printed(seed: int) -> Frame:
    """Grey blocks as of coarse print, with a sensor's noise."""
    random = np.random.default_rng(seed)
    blocks = (
        random.integers(60, 180, (HEIGHT // 16, WIDTH // 16), np.uint8).repeat(16, 0).repeat(16, 1)
    )
    grey = blocks + random.integers(0, 8, blocks.shape, np.uint8)
    return np.ascontiguousarray(grey[:, :, None].repeat(3, 2))
