"""A run goes on with what it began with, alone in its folder, whatever became of its inputs."""

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from export.__main__ import main
from tests.painting import mark_image, save_mark
from tests.paths import ROOT
from tests.programs import Program
from tests.quick_run import config_in, paint_few
from train.learn import fit as fitting
from train.learn.trainer import Losses, Trainer, train_step
from train.network import checkpoint
from train.paint.input_fingerprint import Fingerprint

TINY = ["--size", "96", "--steps", "4"]
for _key in ("window=96", "batch=2", "workers=0", "threads=1", "validate_share=0"):
    TINY += ["--set", _key]
TINY += ["--set", "weights=none", "--set", "painted_share=0", "--set", "held_out_share=0.3"]


@pytest.fixture(autouse=True)
def few_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few of everything are enough to run the code."""
    paint_few(monkeypatch)


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    """A folder with a mark, a look-alike and photographs of four products."""
    config_in(tmp_path / "inputs")
    save_mark(tmp_path / "inputs", "star")
    return tmp_path / "inputs"


def begin(inputs: Path, run: Path) -> int:
    """Train a few steps on all of them."""
    return main(["train", *given(inputs), *TINY, "--out", str(run)])


def given(inputs: Path) -> list[str]:
    """The options that name the inputs."""
    names = {"--mark": "disc.png", "--lookalike": "star.png", "--backgrounds": "photographs"}
    return [word for option, name in names.items() for word in (option, str(inputs / name))]


def go_on(run: Path, *arguments: str) -> int:
    """Resume the run with a step more."""
    return main(["train", "--resume", "--out", str(run), "--steps", "5", *arguments])


@pytest.fixture
def begun(tmp_path: Path, inputs: Path) -> Path:
    """A run of four steps on those inputs."""
    assert begin(inputs, tmp_path / "run") == 0
    return tmp_path / "run"


def exchange(path: Path) -> None:
    """Put another picture under a name."""
    other = np.random.default_rng(9).integers(0, 256, (120, 160, 3), np.uint8)
    Image.fromarray(other).save(path)


def add_one(inputs: Path) -> None:
    """Add a photograph of a product more."""
    exchange(inputs / "photographs" / "item9_1.png")


CHANGES: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "the mark": (
        lambda inputs: mark_image("square").save(inputs / "disc.png"),
        "disc.png is not what the run began with",
        "--mark",
    ),
    "the look-alike": (
        lambda inputs: mark_image("square").save(inputs / "star.png"),
        "star.png is not what the run began with",
        "--lookalike",
    ),
    "a photograph": (
        lambda inputs: exchange(inputs / "photographs" / "item2_1.png"),
        "item2_1.png is not what the run began with",
        "--backgrounds",
    ),
    "a product gone": (
        lambda inputs: (inputs / "photographs" / "item1_1.png").unlink(),
        "item1_1.png is gone",
        "--backgrounds",
    ),
    "a product more": (add_one, "item9_1.png was not there at its beginning", "--backgrounds"),
    "a damaged photograph": (
        lambda inputs: (inputs / "photographs" / "item0_1.png").write_bytes(b"no picture"),
        "item0_1.png is gone",
        "--backgrounds",
    ),
    "the folder": (
        lambda inputs: (inputs / "photographs").rename(inputs / "moved"),
        "photographs is gone; put it back, or say where it is now with --backgrounds",
        "--backgrounds",
    ),
    "the mark's file": (
        lambda inputs: (inputs / "disc.png").rename(inputs / "moved.png"),
        "disc.png is gone; put it back, or say where it is now with --mark disc=PATH",
        "--mark",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_run_whose_inputs_changed_is_refused_by_name(
    begun: Path, inputs: Path, capsys: pytest.CaptureFixture[str], change: str
) -> None:
    """In one line with the next step; the run stays as it was."""
    make, words, option = CHANGES[change]
    before = (begun / checkpoint.NAME).read_bytes()
    make(inputs)
    capsys.readouterr()
    assert go_on(begun) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("stampgate: --resume: ")
    assert words in said
    assert option in said
    assert (begun / checkpoint.NAME).read_bytes() == before


def test_everything_may_be_moved_and_named_anew(begun: Path, inputs: Path, tmp_path: Path) -> None:
    """The run goes on as if nothing had happened, to the same weights, and notes the new places."""
    shutil.copytree(begun, tmp_path / "other")
    assert go_on(tmp_path / "other") == 0
    moved = inputs.rename(tmp_path / "moved")
    (moved / "disc.png").rename(moved / "renamed.png")
    named = ["--mark", f"disc={moved / 'renamed.png'}", *given(moved)[2:]]
    assert go_on(begun, *named) == 0
    kept, want = checkpoint.load(begun), checkpoint.load(tmp_path / "other")
    assert kept.config.backgrounds == str(moved / "photographs")
    assert kept.config.marks == (("disc", str(moved / "renamed.png")),)
    assert all(torch.equal(kept.weights[name], value) for name, value in want.weights.items())
    assert go_on(begun) == 0, "it knows the new places"


def test_the_split_is_kept_in_the_run(begun: Path, inputs: Path) -> None:
    """With the contents of every photograph; nothing about the machine."""
    kept = checkpoint.load(begun)
    fingerprint = Fingerprint.from_json(kept.inputs)
    assert fingerprint.training is not None
    assert fingerprint.held_out is not None
    names = [[name for name, _ in part] for part in (fingerprint.training, fingerprint.held_out)]
    assert sorted(names[0] + names[1]) == [f"item{n}_1.png" for n in range(4)]
    assert (len(names[0]), len(names[1])) == (2, 2)
    assert str(inputs) not in kept.inputs


@pytest.mark.parametrize("changed", ["held_out_share=0.1", "keep_bearing=true"])
def test_another_split_of_the_photographs_is_refused(
    begun: Path, capsys: pytest.CaptureFixture[str], changed: str
) -> None:
    """It would deal them out anew; what was left out of the run stays out."""
    assert go_on(begun, "--set", changed) == 2
    name = changed.partition("=")[0]
    assert f"{name} cannot change within a run" in capsys.readouterr().err


@pytest.mark.parametrize(
    "asked",
    [["--mark", "square=x.png"], ["--lookalike", "a.png", "--lookalike", "b.png"]],
    ids=["another class", "one look-alike more"],
)
def test_another_run_is_not_asked_for_by_new_names(
    begun: Path, capsys: pytest.CaptureFixture[str], asked: list[str]
) -> None:
    """New places, but no other classes."""
    assert go_on(begun, *asked) == 2
    assert "leave them out, or start a new run" in capsys.readouterr().err


def test_a_run_of_an_earlier_release_goes_on_with_a_word(
    begun: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It kept no fingerprint; from now on there is one."""
    path = begun / checkpoint.NAME
    content = torch.load(path, weights_only=True)
    del content["inputs"]
    torch.save(content, path)
    assert go_on(begun) == 0
    assert "an earlier release began this run and kept no fingerprint" in capsys.readouterr().err
    assert checkpoint.load(begun).inputs


def test_a_training_into_the_folder_of_another_is_refused(tmp_path: Path, inputs: Path) -> None:
    """Both had ended well, one's checkpoint under the other's configuration."""
    run = tmp_path / "run"
    first = [sys.executable, "tests/quick_train.py", "train", *given(inputs), *TINY]
    first += ["--out", str(run), "--steps", "100000"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    square = save_mark(tmp_path, "square")
    with Program(*first, environment=environment) as program:
        program.hear("images/s")
        second = ["train", "--mark", str(square), *given(inputs)[2:], *TINY, "--out", str(run)]
        with Program(
            sys.executable, "tests/quick_train.py", *second, environment=environment
        ) as other:
            done = other.ended()
        assert done.returncode == 1
        (line,) = done.stderr.splitlines()
        assert f"another 'stampgate train' is writing there (process {program.pid})" in line
        program.send(signal.SIGINT)
        assert program.ended().returncode == 130
    kept = checkpoint.load(run)
    assert kept.config.marks == (("disc", str(inputs / "disc.png")),)
    assert str(square) not in (run / "config.toml").read_text()


def test_a_folder_that_another_run_took_over_is_not_written_into(
    begun: Path, inputs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its own was moved away while it trained; it says so at the end, and exits 1."""
    step = train_step

    def moved(trainer: Trainer, *args: object) -> Losses:
        begun.rename(begun.with_name("away"))
        shutil.copytree(begun.with_name("away"), begun)
        return step(trainer, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(fitting, "train_step", moved)
    before = (begun / checkpoint.NAME).read_bytes()
    assert go_on(begun) == 1
    assert "is another folder than at the start, or gone" in capsys.readouterr().err
    assert (begun / checkpoint.NAME).read_bytes() == before


def test_torchrun_starts_a_run_again_from_its_checkpoint(
    begun: Path, inputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --max-restarts it gives the same command again, which says nothing of --resume."""
    monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", "1")
    more = [*TINY, "--steps", "6"]
    assert main(["train", *given(inputs), *more, "--out", str(begun)]) == 0
    assert checkpoint.load(begun).step == 6
