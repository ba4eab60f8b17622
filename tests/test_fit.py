import csv
import dataclasses
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from edge.errors import InputError
from export.to_onnx import export_run
from tests.painting import save_mark
from train import checkpoint
from train import fit as fitting
from train.config import FitSettings, RunConfig, SynthSettings
from train.dataset import collate, load_batches, paint_batch, plan_batch
from train.fit import fit, learning_rate, read_inputs

SMALL = FitSettings(size=128, window=96, batch=3, steps=6, minutes=0.0, workers=0, threads=1)


@pytest.fixture(autouse=True)
def quick_threshold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty pictures are enough to run the code that sets the threshold."""
    monkeypatch.setattr("train.threshold.NEGATIVES", 20)
    monkeypatch.setattr("train.backgrounds.PAINTED_POOL", 3)


def config_in(folder: Path, settings: FitSettings = SMALL) -> RunConfig:
    """A tiny run on painted products."""
    return RunConfig((("disc", str(save_mark(folder, "disc"))),), "", (), SynthSettings(), settings)


def test_a_run_leaves_all_that_was_promised(tmp_path: Path) -> None:
    """Checkpoint with weights and config, loss table, configuration, contact sheet."""
    config, out = config_in(tmp_path), tmp_path / "run"
    outcome = fit(read_inputs(config), out)
    kept = checkpoint.load(out)
    assert (outcome.step, outcome.stopped, kept.step) == (6, False, 6)
    assert kept.config == config
    assert kept.threshold == outcome.threshold
    assert 0.0 < outcome.threshold < 1.0
    with (out / "loss.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == [1, 2, 3, 4, 5, 6]
    assert all(float(row["loss"]) > 0 for row in rows)
    assert 'backbone = "mobilenet_v3_small"' in (out / "config.toml").read_text()
    with Image.open(out / "pictures.png") as sheet:
        assert sheet.width > 500
        assert len(np.unique(np.asarray(sheet.convert("L")))) > 100
    assert sorted(path.name for path in out.iterdir()) == [
        *("checkpoint.pt", "config.toml", "held_out.npz", "loss.csv", "pictures.png")
    ]


def test_an_interrupted_run_goes_on_as_if_nothing_had_happened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real SIGINT in step 3: the checkpoint can be used, and resuming gives the same weights."""
    config = config_in(tmp_path)
    fit(read_inputs(config), tmp_path / "whole")
    step = fitting.train_step

    def interrupted(trainer: fitting.Trainer, *args: object) -> tuple[float, float, float]:
        losses = step(trainer, *args)  # type: ignore[arg-type]
        if trainer.step == 3:
            os.kill(os.getpid(), signal.SIGINT)
        return losses

    monkeypatch.setattr(fitting, "train_step", interrupted)
    outcome = fit(read_inputs(config), tmp_path / "parts")
    assert (outcome.step, outcome.stopped) == (3, True)
    assert export_run(tmp_path / "parts", tmp_path / "early.onnx").contract.classes == ("disc",)
    monkeypatch.setattr(fitting, "train_step", step)
    outcome = fit(read_inputs(config), tmp_path / "parts", checkpoint.load(tmp_path / "parts"))
    assert (outcome.step, outcome.stopped) == (6, False)
    whole, parts = checkpoint.load(tmp_path / "whole"), checkpoint.load(tmp_path / "parts")
    for name, value in whole.averaged.items():
        assert torch.allclose(value.float(), parts.averaged[name].float(), atol=1e-6), name
    assert len((tmp_path / "parts" / "loss.csv").read_text().splitlines()) == 7


def test_ctrl_c_in_a_terminal_leaves_a_usable_checkpoint_and_says_so(tmp_path: Path) -> None:
    """The real program, painting processes and all, with a signal to the whole group as a terminal sends it."""
    mark, out = save_mark(tmp_path, "disc"), tmp_path / "run"
    command = [
        sys.executable,
        "-m",
        "export",
        "train",
        "--mark",
        f"seal={mark}",
        "--out",
        str(out),
        "--steps",
        "100000",
    ]
    command += [part for key in ("size=96", "window=96", "batch=2", "workers=2") for part in ("--set", key)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stderr is not None
    seen = ""
    while "images/s" not in seen:
        piece = process.stderr.read(40)
        assert piece, seen
        seen += piece
    os.killpg(process.pid, signal.SIGINT)
    told, complaints = process.communicate(timeout=240)
    assert process.returncode == 130, complaints
    assert "stopped early; the checkpoint is usable" in told
    assert "Traceback" not in complaints
    assert checkpoint.load(out).threshold is not None


def test_batches_come_in_order_however_many_paint(tmp_path: Path) -> None:
    """Batch b is the same picture for picture from one painter, from two, or from none."""
    inputs = read_inputs(config_in(tmp_path))
    kit = inputs.kit()
    expected = [collate(paint_batch(kit, SMALL, number), 1) for number in range(5)]
    for workers in (0, 2):
        batches = load_batches(inputs.kit, dataclasses.replace(SMALL, workers=workers), 1, 0)
        for want in expected:
            have = next(batches)
            for field in dataclasses.fields(want):
                assert torch.equal(getattr(have, field.name), getattr(want, field.name)), field.name


def test_whole_frames_come_every_so_often_in_batches_of_about_the_same_cost() -> None:
    """Windows teach cheaply, whole frames teach what a frame looks like."""
    settings = FitSettings(size=416, window=256, batch=12, whole_every=4)
    assert [plan_batch(settings, number) for number in range(4)] == [(256, 12)] * 3 + [(416, 5)]
    assert plan_batch(dataclasses.replace(settings, window=416), 0) == (416, 12)


def test_the_step_size_rises_then_falls(tmp_path: Path) -> None:
    """Warm-up, top, and a hundredth at the end."""
    config = config_in(tmp_path)
    top, warm = config.fit.learning_rate, config.fit.warmup_share
    sizes = [learning_rate(config, share) for share in (0.0, warm, 0.5, 1.0)]
    assert sizes[1] == pytest.approx(top)
    assert sizes[0] < 0.05 * top
    assert 0.4 * top < sizes[2] < 0.6 * top
    assert sizes[3] == pytest.approx(0.01 * top)


def test_a_diverging_run_ends_with_a_reason(tmp_path: Path) -> None:
    """A loss that is no number would only spoil the checkpoint."""
    config = config_in(tmp_path, dataclasses.replace(SMALL, steps=2))
    trainer = fitting.Trainer.fresh(config)
    with torch.no_grad():
        trainer.net.heat.weight.fill_(float("nan"))
    batch = next(load_batches(read_inputs(config).kit, config.fit, 1, 0))
    with pytest.raises(InputError, match="lower learning_rate"):
        fitting.train_step(trainer, config, batch, 0.5)


def test_the_threshold_of_a_network_that_knows_nothing_lets_nothing_pass_by_chance(tmp_path: Path) -> None:
    """It is set above what the untrained network says of pictures without a mark, or at the least allowed."""
    out = tmp_path / "run"
    outcome = fit(read_inputs(config_in(tmp_path, dataclasses.replace(SMALL, steps=1))), out)
    assert outcome.threshold >= 0.2
