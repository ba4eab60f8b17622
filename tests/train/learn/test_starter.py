"""The starter is trained on drawn marks, packed by one command, and begins other runs."""

import hashlib
import json
import os
import pickle
import signal
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

import train.drawing.gallery
from edge.errors import InputError, UsageError
from tests.quick_run import paint_few
from train.commands import starter as command
from train.config import FitSettings, RunConfig
from train.learn import fit as fitting
from train.learn.initial_weights import take_starter
from train.learn.starter import (
    FORMAT,
    KIND,
    LARGEST,
    is_finished,
    load_starter,
    pack_starter,
    read_starter,
)
from train.learn.trainer import Losses, Trainer, train_step
from train.network import checkpoint
from train.network.checkpoint import Checkpoint
from train.network.model import DenseLocalizer

STEPS, BATCH = 3, 2
TINY = {
    "size": 96,
    "window": 96,
    "batch": BATCH,
    "workers": 0,
    "threads": 1,
    "validate_share": 0,
    "painted_share": 0,
}


def run(*arguments: str | Path, steps: int = 0) -> int:
    """Run the command in this process; with *steps*, as a tiny training."""
    sets = [f"{key}={value}" for key, value in {**TINY, "steps": steps}.items()] if steps else []
    parser = ArgumentParser()
    command.add_arguments(parser)
    parsed = parser.parse_args(
        [str(a) for a in arguments] + [part for key in sets for part in ("--set", key)]
    )
    return command.run(parsed)


def photographs(folder: Path) -> Path:
    """A folder of two photographs that a drawn mark finds room in."""
    folder = folder / "photographs"
    folder.mkdir()
    for number in range(2):
        rough = np.random.default_rng(number).integers(0, 256, (6, 8, 3), np.uint8)
        Image.fromarray(rough).resize((400, 360)).save(folder / f"item{number}_1.png")
    return folder


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run on two drawn marks, packed."""
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        paint_few(patch)
        assert (
            run(
                "--out",
                folder / "run",
                "--backgrounds",
                photographs(folder),
                "--marks",
                "2",
                steps=STEPS,
            )
            == 0
        )
    return folder / "run"


def untrained(
    backbone: str = "mobilenet_v3_small", changes: Mapping[str, Tensor] = MappingProxyType({})
) -> Checkpoint:
    """A run that has done its one step, whose averaged weights are random but for *changes*."""
    weights = {**DenseLocalizer(backbone, 1).state_dict(), **changes}
    config = RunConfig((("a", "a.png"),), "", fit=FitSettings(backbone=backbone, steps=1))
    return Checkpoint(config, weights, {}, {}, 1, 1.0, None)


def save_run(kept: Checkpoint, folder: Path) -> Path:
    """Write what packing needs of a run."""
    (folder / "a.png").write_bytes(b"mark")
    kept.config = RunConfig((("a", str(folder / "a.png")),), "", fit=kept.config.fit)
    (folder / "loss.csv").write_text("step,pictures\n1,12\n")
    checkpoint.save(kept, folder)
    return folder


def test_the_file_holds_the_averaged_weights_but_the_last_layer(finished: Path) -> None:
    """They are rounded to float16 and read as float32, batch norm's too; counters stay whole."""
    averaged = checkpoint.load(finished).averaged
    loaded = load_starter(finished / "starter.pt")
    assert set(averaged) - set(loaded) == {"heat.weight", "heat.bias"}
    for name, value in loaded.items():
        whole = averaged[name]
        assert torch.equal(value, whole.half().float() if whole.is_floating_point() else whole)
        assert value.dtype == (torch.float32 if whole.is_floating_point() else torch.int64)
    assert (finished / "starter.pt").stat().st_size <= LARGEST


def test_a_network_of_other_classes_takes_it_and_sees_as_the_run_did(finished: Path) -> None:
    """With five classes, not two, the sides of boxes are the same but for the rounding."""
    net = DenseLocalizer("mobilenet_v3_small", 5)
    take_starter(net, load_starter(finished / "starter.pt"), "mobilenet_v3_small")
    picture = torch.randint(
        0, 256, (1, 96, 96, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
    with torch.no_grad():
        heat, sides = net.eval()(picture)
        _, expected = checkpoint.load(finished).network()(picture)
    assert heat.shape == (1, 5, 12, 12)
    assert torch.allclose(sides, expected, rtol=0.02)


def test_the_recipe_is_in_the_file_and_no_folder_of_this_machine(finished: Path) -> None:
    """Enough to train the same again: every key, each mark's hash, how long it took."""
    starter = read_starter(finished / "starter.pt")
    marks = sorted((finished / "marks").glob("*.png"))
    kept = {
        key: starter.recipe[key]
        for key in ("backgrounds", "sha256", "steps", "pictures", "stampgate")
    }
    assert kept == {
        "backgrounds": "photographs",
        "sha256": [hashlib.sha256(path.read_bytes()).hexdigest() for path in marks],
        "steps": STEPS,
        "pictures": STEPS * BATCH,
        "stampgate": "0.1.0",
    }
    assert starter.network == "mobilenet_v3_small"
    assert starter.recipe["marks"] == [[path.stem, path.name] for path in marks]
    fit, synth = starter.recipe["fit"], starter.recipe["synth"]
    assert (fit["weights"], fit["seed"], synth["lookalikes_max"], synth["size_min"]) == (
        "none",
        0,
        1,
        0.06,
    )
    assert str(finished.parent).encode() not in (finished / "starter.pt").read_bytes()


def test_a_finished_run_is_packed_alone_to_the_same_bytes(finished: Path, tmp_path: Path) -> None:
    """Nothing is drawn or trained: the run stays as it is."""
    before = (finished / checkpoint.NAME).read_bytes()
    assert run("--out", finished, "--pack", tmp_path / "again.pt") == 0
    assert (tmp_path / "again.pt").read_bytes() == (finished / "starter.pt").read_bytes()
    assert (finished / checkpoint.NAME).read_bytes() == before


def test_a_run_is_not_trained_over(finished: Path, tmp_path: Path) -> None:
    """The message says how to go on with the run that is there, or to name another folder."""
    with pytest.raises(UsageError, match="holds a run already; add --resume"):
        run("--out", finished, "--backgrounds", tmp_path, "--marks", "2")
    with pytest.raises(UsageError, match="marks cannot change within a run"):
        run("--out", finished, "--resume", "--marks", "3")


def test_an_interrupted_training_goes_on_with_the_marks_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real SIGINT in the first step gives 130 and no file; resuming draws no mark again."""
    paint_few(monkeypatch)
    out, step = tmp_path / "run", train_step

    def interrupted(trainer: Trainer, *args: object) -> Losses:
        losses = step(trainer, *args)  # type: ignore[arg-type]
        os.kill(os.getpid(), signal.SIGINT)
        return losses

    monkeypatch.setattr(fitting, "train_step", interrupted)
    assert (
        run(
            "--out",
            out,
            "--backgrounds",
            photographs(tmp_path),
            "--marks",
            "1",
            "--seed",
            "3",
            steps=2,
        )
        == 130
    )
    assert not (out / "starter.pt").exists()
    with pytest.raises(
        InputError, match=r"not finished; go on with it: 'stampgate starter --resume --out .*run'"
    ):
        run("--out", out)
    monkeypatch.setattr(fitting, "train_step", step)
    monkeypatch.setattr(train.drawing.gallery, "write_marks", None)
    assert run("--out", out, "--resume") == 0
    assert read_starter(out / "starter.pt").recipe["steps"] == 2


def test_marks_are_drawn_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Finished ones are kept, missing ones drawn again, those of another seed left alone."""
    paths = command.marks_in(tmp_path / "marks", 2, 0)
    before = [path.read_bytes() for path in paths]
    paths[1].unlink()
    assert [path.read_bytes() for path in command.marks_in(tmp_path / "marks", 2, 0)] == before
    monkeypatch.setattr(train.drawing.gallery, "write_marks", None)
    assert command.marks_in(tmp_path / "marks", 2, 0) == paths
    with pytest.raises(
        UsageError, match="holds 2 marks of seed 0, must be 2 marks of seed 1; say the same again"
    ):
        command.marks_in(tmp_path / "marks", 2, 1)


def test_ctrl_c_while_marks_are_drawn_is_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Drawing hundreds takes a while; what is asked for again begins again."""

    def interrupted(*_: object) -> None:
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(train.drawing.gallery, "drawn_marks", interrupted)
    before = signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a shell's background jobs begin without it
    try:
        assert run("--out", tmp_path / "run", "--marks", "2") == 130
    finally:
        signal.signal(signal.SIGINT, before)
    assert "the same command goes on" in capsys.readouterr().out


def test_what_cannot_work_is_refused_before_the_work(tmp_path: Path) -> None:
    """A place that cannot be written to would be noticed after the training only."""
    with pytest.raises(InputError, match=r"--pack .*: no such folder"):
        run("--out", tmp_path / "run", "--pack", tmp_path / "missing" / "starter.pt")
    with pytest.raises(UsageError, match="--marks must be at least 1, not 0"):
        run("--out", tmp_path / "run", "--marks", "0")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("backbone", "changes", "reason"),
    [
        ("resnet34", {}, r"resnet34 takes 1\d\.\d MB, must be at most 6; take a smaller backbone"),
        (
            "mobilenet_v3_small",
            {"tower.0.1.running_var": 1e5},
            r"tower\.0\.1\.running_var has numbers beyond float16's",
        ),
        (
            "mobilenet_v3_small",
            {"sides.bias": float("nan")},
            r"sides\.bias has numbers beyond float16's",
        ),
    ],
    ids=["too large a network", "too large a number", "no number"],
)
def test_what_does_not_fit_is_not_packed(
    tmp_path: Path, backbone: str, changes: dict[str, float], reason: str
) -> None:
    """Neither in the file nor in its numbers; nothing is written."""
    kept = untrained(backbone, {name: torch.tensor(number) for name, number in changes.items()})
    with pytest.raises(InputError, match=reason):
        pack_starter(save_run(kept, tmp_path), tmp_path / "starter.pt")
    assert not (tmp_path / "starter.pt").exists()


@pytest.mark.parametrize("missing", ["a.png", "loss.csv", checkpoint.NAME])
def test_a_part_that_is_missing_is_named(tmp_path: Path, missing: str) -> None:
    """The recipe is whole or the file is not written."""
    folder = save_run(untrained(), tmp_path)
    (folder / missing).unlink()
    with pytest.raises(InputError, match=missing):
        pack_starter(folder, tmp_path / "starter.pt")


def test_steps_minutes_or_a_plateau_finish_a_run() -> None:
    """And nothing less."""

    def done(step: int, seconds: float, since: int = 0, **fit: float) -> bool:
        config = RunConfig((), "", fit=FitSettings(**fit))  # type: ignore[arg-type]
        return is_finished(Checkpoint(config, {}, {}, {}, step, seconds, None, since_best=since))

    assert [done(step, 1e6, steps=5) for step in (4, 5)] == [False, True]
    assert [done(10**6, seconds, minutes=1.0) for seconds in (59.0, 60.5)] == [False, True]
    assert [done(1, 1.0, since, patience=3) for since in (2, 3)] == [False, True]


class Exploit:
    """A pickle that runs code when it is loaded."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        """Touch a file when unpickled."""
        return (exec, ("open('owned', 'w').close()",))


@pytest.mark.parametrize(
    "content", ["missing", "rubbish", "exploit", "checkpoint", "other format", "cut", "changed"]
)
def test_a_foreign_or_damaged_file_is_refused_in_one_line(
    finished: Path, tmp_path: Path, content: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No code from it is run, and not one changed byte goes unnoticed."""
    monkeypatch.chdir(tmp_path)
    path, whole = tmp_path / "starter.pt", (finished / "starter.pt").read_bytes()
    middle = len(whole) // 2
    files = {
        "rubbish": b"\x00\x01rubbish",
        "exploit": pickle.dumps(Exploit()),
        "checkpoint": (finished / checkpoint.NAME).read_bytes(),
        "cut": whole[:middle],
        "changed": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
    }
    if content == "other format":
        torch.save(
            {
                "kind": KIND,
                "format": FORMAT + 1,
                "network": "x",
                "recipe": json.dumps({}),
                "weights": {},
            },
            path,
        )
    elif content != "missing":
        path.write_bytes(files[content])
    with pytest.raises(InputError, match="or take weights = none") as caught:
        load_starter(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    assert not (tmp_path / "owned").exists()
