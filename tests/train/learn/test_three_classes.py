"""The whole way, with real training: three marks, three classes, several in one picture."""

from pathlib import Path

import numpy as np
import pytest

from edge.vision.localizer import Localizer
from export.to_onnx import export_run
from tests.painting import save_mark
from train.config import FitSettings, RunConfig, SynthSettings
from train.learn.fit import fit
from train.paint.inputs import read_inputs
from train.paint.synth import Picture, paint

MARKS = ("disc", "square", "star")
SYNTH = SynthSettings(
    negative_share=0.1,
    marks_max=4,
    lookalike_share=0.0,
    size_min=0.22,
    size_max=0.38,
    rotation_deg=15.0,
    perspective=0.08,
    squeeze=0.3,
    occlusion_share=0.0,
    ink_share=0.0,
    light_stops=0.3,
    blur_px=0.6,
    noise_levels=4.0,
)
FIT = FitSettings(
    size=160, window=160, batch=8, steps=800, minutes=0.0, workers=1, ema=0.98, learning_rate=0.003
)
PICTURES = 24


def pictures_of_several(config: RunConfig) -> list[Picture]:
    """Painted pictures with at least two marks, on products held out from training."""
    kit = read_inputs(config).kit(held_out=True)
    painted = (paint(np.random.default_rng((99, seed)), kit, FIT.size) for seed in range(1000))
    several = (picture for picture in painted if len(picture.marks) >= 2 and not picture.ignored)
    return [next(several) for _ in range(PICTURES)]


@pytest.mark.slow
def test_a_model_of_three_classes_finds_several_marks_of_several_classes_in_one_picture(
    tmp_path: Path,
) -> None:
    """Trained for three minutes or so; every class is found, and most pictures are read without any
    mistake.
    """
    marks = tuple((name, str(save_mark(tmp_path, name))) for name in MARKS)
    config = RunConfig(marks, "", synth=SYNTH, fit=FIT)
    fit(read_inputs(config), tmp_path / "run")
    localizer = Localizer(export_run(tmp_path / "run", tmp_path / "m.onnx").path)
    pictures = pictures_of_several(config)
    wanted = [sorted(MARKS[kind] for kind, _ in picture.marks) for picture in pictures]
    findings = [localizer.find(picture.pixels, 0.3) for picture in pictures]
    found = [sorted(finding.label for finding in seen) for seen in findings]
    overlaps = [
        max((f.box.iou(box) for f in seen if f.label == MARKS[kind]), default=0.0)
        for picture, seen in zip(pictures, findings, strict=True)
        for kind, box in picture.marks
    ]
    assert {name for names in found for name in names} == set(MARKS)
    assert sum(want == have for want, have in zip(wanted, found, strict=True)) >= 0.6 * PICTURES, (
        wanted,
        found,
    )
    assert np.mean(np.array(overlaps) >= 0.5) >= 0.85
    assert np.median(overlaps) >= 0.75
    assert any(
        want == have and len(set(have)) >= 2 and len(have) >= 3
        for want, have in zip(wanted, found, strict=True)
    )
