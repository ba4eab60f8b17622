"""Pictures and commands for tests of a study: grey scenes, some with the tiny model's dot."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from edge.vision.preprocess import Frame
from export.__main__ import main
from tests.tiny_model import COLOURS, SIZE

PLAN = "fa<15% fr<15% @95%"


def scene(seed: int) -> Frame:
    """A grey picture that is like no other, without a mark: (64, 64, 3) uint8."""
    rng = np.random.default_rng(seed)
    levels = rng.integers(40, 215, (12, 12), np.uint8)
    grey = Image.fromarray(levels).resize((SIZE, SIZE), Image.Resampling.BICUBIC)
    return np.repeat(np.asarray(grey)[..., None], 3, axis=2)


def stamped(seed: int, share: float = 1.0) -> Frame:
    """The same with a dot; *share* of its rows, so that its score is about that."""
    frame = scene(seed).copy()
    frame[24 : 24 + round(8 * share), 16:24] = COLOURS["dot"]
    return frame


def folder(path: Path, frames: dict[str, Frame]) -> Path:
    """Write frames into a folder, without loss."""
    path.mkdir(parents=True, exist_ok=True)
    for name, frame in frames.items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(frame).save(file, "PNG")
    return path


def scenes(path: Path, count: int, begin: int = 0) -> Path:
    """Write a folder of *count* scenes without a mark."""
    return folder(path, {f"u{n:03d}.png": scene(n) for n in range(begin, begin + count)})


def prove(model: Path, out: Path, *options: str | Path, plan: str = PLAN, sweeps: int = 0) -> int:
    """Run the command; return its status."""
    words = ["prove", str(model), "--out", str(out), "--plan", plan, "--sweeps", str(sweeps)]
    return main([*words, *map(str, options)])


def told(out: Path) -> dict[str, Any]:
    """The figures of the newest report."""
    found: dict[str, Any] = json.loads((out / "proof.json").read_bytes())
    return found
