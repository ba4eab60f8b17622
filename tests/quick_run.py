"""Tiny training runs for tests: small pictures, and few wherever a real run paints many."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.painting import save_mark
from train.config import FitSettings, RunConfig, SynthSettings

SMALL = FitSettings(
    size=96,
    window=96,
    batch=3,
    steps=6,
    minutes=0.0,
    workers=0,
    threads=1,
    weights="none",
    validate_share=0.0,
)
FEW = {
    "train.assess.trial.MARKS": 3,
    "train.assess.trial.LOOKALIKES": 3,
    "train.assess.trial.PHOTOGRAPHS": 3,
    "train.assess.trial.FRAMES": 3,
    "train.assess.plain.PER_CLASS": 2,
    "train.learn.run_folder.SHEET_PICTURES": 4,
    "train.learn.run_folder.KEPT": 2,
    "train.learn.run_folder.PICTURES": 3,
}
"""What a run paints many of, and how many a test needs."""


def paint_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the runs of this process paint few pictures."""
    for name, count in FEW.items():
        monkeypatch.setattr(name, count)


def config_in(folder: Path, settings: FitSettings = SMALL) -> RunConfig:
    """A tiny run on four small photographs: painting products would take most of its time."""
    photographs = folder / "photographs"
    photographs.mkdir(parents=True, exist_ok=True)
    for number in range(4):
        rough = np.random.default_rng(number).integers(0, 256, (6, 8, 3), np.uint8)
        Image.fromarray(rough).resize((160, 120), Image.Resampling.BICUBIC).save(
            photographs / f"item{number}_1.png"
        )
    marks = (("disc", str(save_mark(folder, "disc"))),)
    return RunConfig(marks, str(photographs), synth=SynthSettings(painted_share=0.0), fit=settings)
