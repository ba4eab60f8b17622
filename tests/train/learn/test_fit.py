import csv
import dataclasses
import io
import itertools
import json
import os
import pickle
import signal
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from edge.errors import InputError
from edge.vision.two_looks import find
from export.to_onnx import export_run
from tests.programs import Program
from tests.quick_run import SMALL, config_in, paint_few
from train.assess.assessment import Assessment
from train.learn import fit as fitting
from train.learn import interruption
from train.learn.dataset import PaintedBatches, collate, load_batches, paint_batch, plan_batch
from train.learn.fit import fit, validation_due
from train.learn.trainer import Losses, Trainer, train_step
from train.network import checkpoint
from train.paint.inputs import read_inputs


@pytest.fixture(autouse=True)
def few_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few of everything are enough to run the code."""
    paint_few(monkeypatch)


def test_a_run_leaves_all_that_was_promised(tmp_path: Path) -> None:
    """Checkpoint, both tables, configuration, environment, sheets of pictures."""
    config, out = (
        config_in(tmp_path, dataclasses.replace(SMALL, validate_share=0.5)),
        tmp_path / "run",
    )
    outcome = fit(read_inputs(config), out)
    kept = checkpoint.load(out)
    assert (outcome.step, outcome.interrupted, kept.step) == (6, False, 6)
    assert kept.config == config
    assert kept.threshold == outcome.threshold
    assert Assessment.from_json(kept.assessment) == outcome.assessment
    assert outcome.threshold is not None
    assert 0.0 < outcome.threshold < 1.0
    with (out / "loss.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == [1, 2, 3, 4, 5, 6]
    assert all(float(row["loss"]) > 0 for row in rows)
    assert 'backbone = "mobilenet_v3_small"' in (out / "config.toml").read_text()
    with (out / "validation.csv").open(newline="") as file:
        validations = list(csv.DictReader(file))
    assert [int(row["step"]) for row in validations] == [3, 6]
    for name in ("pictures.png", "hits.png"):
        with Image.open(out / name) as sheet:
            assert sheet.width > 300
            assert len(np.unique(np.asarray(sheet.convert("L")))) > 100
    (start,) = json.loads((out / "environment.json").read_text())
    assert (start["step"], start["torch"], start["processes"]) == (0, torch.__version__, 1)
    assert sorted(path.name for path in out.iterdir()) == [
        *("assessment.png", "checkpoint.pt", "config.toml", "environment.json", "held_out.npz"),
        *(
            "hits.png",
            "lookalikes.png",
            "loss.csv",
            "photographs.json",
            "pictures.png",
            "report.html",
        ),
        *("unstamped.png", "validation.csv"),
    ]


def test_an_interrupted_run_goes_on_as_if_nothing_had_happened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a real SIGINT in step 3, resuming gives the same weights, bit for bit."""
    settings = dataclasses.replace(
        SMALL, validate_share=0.3, freeze_stages=2, unfreeze_share=0.7, threads=2, batch=4
    )
    config = config_in(tmp_path, settings)
    fit(read_inputs(config), tmp_path / "whole")
    step = train_step

    def interrupted(trainer: Trainer, *args: object) -> Losses:
        losses = step(trainer, *args)  # type: ignore[arg-type]
        if trainer.step == 3:
            os.kill(os.getpid(), signal.SIGINT)
        return losses

    monkeypatch.setattr(fitting, "train_step", interrupted)
    outcome = fit(read_inputs(config), tmp_path / "parts")
    assert (outcome.step, outcome.interrupted) == (3, True)
    assert (outcome.threshold, outcome.assessment) == (None, None)
    assert "3 steps of training, then about" in outcome.left
    with pytest.raises(InputError, match="stampgate train --resume"):
        export_run(tmp_path / "parts", tmp_path / "early.onnx", anyway=True)
    monkeypatch.setattr(fitting, "train_step", step)
    with (tmp_path / "parts" / "loss.csv").open("a") as table:
        table.write(
            "4,9.99,4,1.00000,1.00000,1.00000\r\n5,9.9"
        )  # what a crash after the checkpoint leaves
    outcome = fit(read_inputs(config), tmp_path / "parts", checkpoint.load(tmp_path / "parts"))
    assert (outcome.step, outcome.interrupted) == (6, False)
    whole, parts = checkpoint.load(tmp_path / "whole"), checkpoint.load(tmp_path / "parts")
    for have, want in ((parts.averaged, whole.averaged), (parts.weights, whole.weights)):
        assert [name for name, value in want.items() if not torch.equal(value, have[name])] == []
    assert (parts.threshold, parts.best_loss, parts.since_best) == (
        *(whole.threshold, whole.best_loss, whole.since_best),
    )
    for name in ("loss.csv", "validation.csv"):
        assert without_seconds(tmp_path / "parts" / name) == without_seconds(
            tmp_path / "whole" / name
        )
    starts = json.loads((tmp_path / "parts" / "environment.json").read_text())
    assert [start["step"] for start in starts] == [0, 3]


def without_seconds(table: Path) -> list[list[str]]:
    """Its rows, with all that does not depend on the clock."""
    with table.open(newline="") as file:
        return [row[:1] + row[2:] for row in csv.reader(file)]


def test_early_stopping_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With patience 2, the two validations after the best end it; one more step was under way."""
    losses = iter([5.0, 4.0, 4.0, 4.1, 3.0])
    monkeypatch.setattr(fitting, "validation_losses", lambda *_: (next(losses), 0.0, 0.0))
    settings = dataclasses.replace(SMALL, steps=20, validate_share=0.1, patience=2)
    outcome = fit(read_inputs(config_in(tmp_path, settings)), tmp_path / "run")
    assert (outcome.step, outcome.interrupted, outcome.early_stopped) == (9, False, True)
    kept = checkpoint.load(tmp_path / "run")
    assert (kept.best_loss, kept.since_best, kept.threshold) == (4.0, 2, outcome.threshold)


def test_validations_fall_on_even_shares_and_on_the_end(tmp_path: Path) -> None:
    """Also when one step passes several of them, and never when they are switched off."""
    config = config_in(tmp_path, dataclasses.replace(SMALL, validate_share=0.4))
    shares = [0.0, 0.39, 0.4, 0.7, 0.95, 0.99, 1.02]
    due = [validation_due(config, before, now) for before, now in itertools.pairwise(shares)]
    assert due == [False, True, False, True, False, True]
    assert not validation_due(config_in(tmp_path), 0.0, 1.0)


def test_a_resumed_run_needs_no_weights_to_start_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is loaded or downloaded again: those weights are in the checkpoint already."""
    config = config_in(tmp_path, dataclasses.replace(SMALL, steps=1))
    fit(read_inputs(config), tmp_path / "run")
    kept = checkpoint.load(tmp_path / "run")
    asking = dataclasses.replace(
        config, fit=dataclasses.replace(config.fit, weights="imagenet", steps=2)
    )
    monkeypatch.setattr(
        "train.learn.trainer.initial_network", lambda _: pytest.fail("weights were asked for")
    )
    assert (
        fit(read_inputs(asking), tmp_path / "run", dataclasses.replace(kept, config=asking)).step
        == 2
    )


@pytest.mark.slow
def test_ctrl_c_in_a_terminal_leaves_a_usable_checkpoint_and_says_so(tmp_path: Path) -> None:
    """The real program with its painters, and a signal to the whole group, as a terminal sends."""
    config, out = config_in(tmp_path), tmp_path / "run"
    command = [sys.executable, "-m", "tests.quick_train", "train", "--out", str(out)]
    command += ["--mark", f"seal={config.marks[0][1]}", "--backgrounds", config.backgrounds]
    command += ["--steps", "100000"]
    keys = ("size=96", "window=96", "batch=2", "workers=2", "painted_share=0.0", "weights=none")
    command += [part for key in keys for part in ("--set", key)]
    with Program(*command, group=True) as process:
        process.hear("images/s")
        process.send_group(signal.SIGINT)
        done = process.ended()
    assert done.returncode == 130, done.stderr
    assert "go on with 'stampgate train --resume --out" in done.stdout
    assert "for threshold and assessment" in done.stdout
    assert len(done.stdout.splitlines()[-1]) > 80
    assert "Traceback" not in done.stderr
    assert checkpoint.load(out).threshold is None


FAILING = """
import dataclasses, sys
from pathlib import Path
from tests.quick_run import SMALL, config_in
from train.learn.dataset import load_batches
from train.paint.inputs import read_inputs
from edge.vision.two_looks import find
from train.assess.assessment import Assessment

inputs = read_inputs(config_in(Path(sys.argv[1])))
batches = load_batches(inputs.kit, dataclasses.replace(SMALL, workers=1), 1, 0)
next(batches)
raise ZeroDivisionError
"""


def test_a_program_that_fails_in_training_ends_with_its_painters(tmp_path: Path) -> None:
    """Painters do not heed the SIGTERM by which Python ends them: it used to wait for ever."""
    with Program(sys.executable, "-c", FAILING, str(tmp_path)) as program:
        done = program.ended()
    assert (done.returncode, "ZeroDivisionError" in done.stderr) == (1, True)


STARTING = """
import dataclasses, multiprocessing, sys
from pathlib import Path
from tests.quick_run import SMALL, config_in
from train.learn.dataset import load_batches
from train.paint.inputs import read_inputs
from edge.vision.two_looks import find
from train.assess.assessment import Assessment

inputs = read_inputs(config_in(Path(sys.argv[1])))
batches = load_batches(inputs.kit, dataclasses.replace(SMALL, workers=1), 1, 0)
for name in ("self", *(str(painter.pid) for painter in multiprocessing.active_children())):
    words = Path(f"/proc/{name}/status").read_text().split()
    blocked = int(words[words.index("SigBlk:") + 1], 16)
    print([number for number in (2, 15) if blocked >> number - 1 & 1])
"""


def test_a_painter_that_is_only_starting_does_not_die_of_ctrl_c(tmp_path: Path) -> None:
    """It inherits SIGINT and SIGTERM blocked; the trainer hears them."""
    with Program(sys.executable, "-c", STARTING, str(tmp_path)) as program:
        done = program.ended()
    assert (done.returncode, done.stdout) == (0, "[]\n[2, 15]\n"), done.stderr


def test_what_painters_send_needs_no_shared_memory(tmp_path: Path) -> None:
    """A container's /dev/shm holds 64 MB, and PyTorch sends every tensor through it."""
    inputs = read_inputs(config_in(tmp_path))
    sent = next(iter(PaintedBatches(inputs.kit, SMALL, 1, 0)))
    assert isinstance(sent, tuple)
    assert [type(part) for part in sent] == [np.ndarray] * 5


def test_what_a_painter_cannot_read_is_one_line(tmp_path: Path) -> None:
    """And not the traceback of another process."""
    inputs = read_inputs(config_in(tmp_path))
    for path in (tmp_path / "photographs").iterdir():
        path.write_bytes(b"no picture any more")
    sent = next(iter(PaintedBatches(inputs.kit, SMALL, 1, 0)))
    assert isinstance(sent, InputError)
    assert sent.args == pickle.loads(pickle.dumps(sent)).args
    with pytest.raises(InputError, match=r"^backgrounds: not one photograph could be read; .*$"):
        next(load_batches(inputs.kit, SMALL, 1, 0))


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
    settings = dataclasses.replace(SMALL, size=416, window=256, batch=12, whole_every=4)
    assert [plan_batch(settings, number) for number in range(4)] == [(256, 12)] * 3 + [(416, 5)]
    assert plan_batch(dataclasses.replace(settings, window=416), 0) == (416, 12)
    assert [plan_batch(settings, number, world=2) for number in (0, 3)] == [(256, 24), (416, 9)]


def test_the_threshold_of_a_network_that_knows_nothing_lets_nothing_pass_by_chance(
    tmp_path: Path,
) -> None:
    """It is above the untrained network's scores without a mark, or the least allowed."""
    out = tmp_path / "run"
    outcome = fit(read_inputs(config_in(tmp_path, dataclasses.replace(SMALL, steps=1))), out)
    assert outcome.threshold is not None
    assert outcome.threshold >= 0.2


def test_ctrl_c_in_the_assessment_keeps_what_was_learnt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a real SIGINT there, resuming trains no step more, and sets the threshold."""
    inputs, out = read_inputs(config_in(tmp_path, dataclasses.replace(SMALL, steps=2))), tmp_path

    def interrupted(*args: object) -> object:
        os.kill(os.getpid(), signal.SIGINT)
        return find(*args)  # type: ignore[arg-type]

    monkeypatch.setattr("train.assess.trial.find", interrupted)
    outcome = fit(inputs, out / "run")
    assert (outcome.step, outcome.interrupted, outcome.threshold) == (2, True, None)
    assert outcome.left.startswith("about ")
    assert checkpoint.load(out / "run").threshold is None
    monkeypatch.setattr("train.assess.trial.find", find)
    outcome = fit(inputs, out / "run", checkpoint.load(out / "run"))
    assert (outcome.step, outcome.interrupted) == (2, False)
    assert checkpoint.load(out / "run").threshold == outcome.threshold is not None


def test_who_says_so_at_ctrl_c_gets_the_threshold_without_further_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is f, typed in a terminal; the seconds of the question are no training."""
    step, patience = train_step, 1.0

    def interrupted(trainer: Trainer, *args: object) -> Losses:
        if trainer.step == 1:
            os.kill(os.getpid(), signal.SIGINT)
        return step(trainer, *args)  # type: ignore[arg-type]

    def slowly() -> str:
        time.sleep(patience)
        return "f\n"

    typed = io.StringIO()
    monkeypatch.setattr(typed, "readline", slowly, raising=False)
    monkeypatch.setattr(interruption, "in_terminal", lambda: True)
    monkeypatch.setattr("sys.stdin", typed)
    monkeypatch.setattr(fitting, "train_step", interrupted)
    begun = time.monotonic()
    outcome = fit(read_inputs(config_in(tmp_path)), tmp_path / "run")
    kept = checkpoint.load(tmp_path / "run")
    assert (outcome.step, outcome.interrupted) == (2, True)
    assert outcome.assessment is not None
    assert kept.threshold == outcome.threshold is not None
    assert kept.seconds < time.monotonic() - begun - patience
