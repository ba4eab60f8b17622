"""A disk that cannot be written stops no training; here the kernel refuses to let files grow."""

import csv
import dataclasses
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from edge.errors import InputError
from tests.disk import small_file_system
from tests.quick_run import SMALL, config_in, paint_few
from train.learn import fit as fitting
from train.learn import training_log
from train.learn.fit import fit
from train.learn.trainer import Losses, Trainer, train_step
from train.network import checkpoint
from train.paint.inputs import Inputs, read_inputs


@pytest.fixture(autouse=True)
def few_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few of everything, and a checkpoint after each step."""
    paint_few(monkeypatch)
    monkeypatch.setattr(fitting, "SAVE_SECONDS", -1.0)
    monkeypatch.setattr(training_log, "ROWS_AT_ONCE", 1)


@pytest.fixture
def limit() -> Iterator[int]:
    """The limit of a file's size as it was; it is put back at the end."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield soft
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def let_files_grow(to: int) -> None:
    """Let the kernel refuse every write beyond so many bytes of a file."""
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (to, hard))


def full_between(monkeypatch: pytest.MonkeyPatch, first: int, last: int, limit: int) -> None:
    """Let the disk be full from a step on, until after another one."""
    step = train_step

    def counted(trainer: Trainer, *args: object) -> Losses:
        if trainer.step + 1 == first:
            let_files_grow(10)
        losses = step(trainer, *args)  # type: ignore[arg-type]
        if trainer.step == last:
            let_files_grow(limit)
        return losses

    monkeypatch.setattr(fitting, "train_step", counted)


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    """Inputs of a tiny run."""
    return read_inputs(config_in(tmp_path, dataclasses.replace(SMALL, validate_share=0.5)))


def steps_in(table: Path) -> list[int]:
    """The steps that a table has rows of."""
    with table.open(newline="") as file:
        return [int(row["step"]) for row in csv.DictReader(file)]


def told_of_the_disk(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What a run said, without how long it takes."""
    lines = capsys.readouterr().err.splitlines()
    return [line for line in lines if "stampgate: " in line and "still to come" not in line]


def test_a_disk_that_is_full_for_a_while_costs_nothing(
    tmp_path: Path,
    inputs: Inputs,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    limit: int,
) -> None:
    """One line when it fills and one when it is written again; no row and no weight is missing."""
    fit(inputs, tmp_path / "want")
    full_between(monkeypatch, 3, 5, limit)
    capsys.readouterr()
    outcome = fit(inputs, tmp_path / "run")
    said = told_of_the_disk(capsys)
    path = tmp_path / "run" / checkpoint.NAME
    full = "cannot be written (File too large); training goes on in memory and tries again each"
    assert said == [
        f"stampgate: {path}: {full} minute: make room",
        f"stampgate: {path}: is written again, of step 5",
    ]
    kept, want = checkpoint.load(tmp_path / "run"), checkpoint.load(tmp_path / "want")
    assert (outcome.step, kept.step, kept.threshold) == (6, 6, want.threshold)
    assert all(torch.equal(kept.weights[name], value) for name, value in want.weights.items())
    assert steps_in(tmp_path / "run" / "loss.csv") == [1, 2, 3, 4, 5, 6]
    assert steps_in(tmp_path / "run" / "validation.csv") == [3, 6]


def test_a_disk_that_stays_full_is_told_at_the_end(
    tmp_path: Path, inputs: Inputs, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    """With all that is missing; what was there before is whole, and the run goes on from it.

    Its progress goes into a file on that disk, too.
    """
    run, path = tmp_path / "run", tmp_path / "run" / checkpoint.NAME
    full_between(monkeypatch, 4, 99, limit)
    with (tmp_path / "log").open("w", buffering=1) as log:
        monkeypatch.setattr(sys, "stderr", log)
        with pytest.raises(InputError) as caught:
            fit(inputs, run)
        let_files_grow(limit)
    monkeypatch.undo()
    assert str(caught.value) == (
        f"{run}: the run is not whole: {path}: cannot be written (File too large), step 6 is lost, "
        "the last checkpoint is of step 3; assessment.png cannot be written (File too large); "
        "unstamped.png cannot be written (File too large); report.html cannot be written (File too "
        "large); hits.png cannot be written (File too large); validation.csv lacks the rows after "
        "step 3; loss.csv lacks the rows after step 3; "
        "make room or permission, and go on with --resume"
    )
    assert checkpoint.load(run).step == 3
    assert steps_in(run / "loss.csv") == [1, 2, 3]
    assert [path.name for path in run.iterdir() if path.name.startswith(".")] == []
    paint_few(monkeypatch)
    assert fit(inputs, run, checkpoint.load(run)).step == 6
    assert steps_in(run / "loss.csv") == [1, 2, 3, 4, 5, 6]


def fill(path: Path) -> None:
    """Write until there is no room."""
    with path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(1 << 16))


def test_a_really_full_disk_is_one_line_and_costs_nothing(
    tmp_path: Path,
    inputs: Inputs,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A file system of its own, filled in step 3 and emptied in step 5."""
    step = train_step
    with small_file_system(tmp_path / "disk", "64m") as disk:

        def filled(trainer: Trainer, *args: object) -> Losses:
            if trainer.step == 2:
                with pytest.raises(OSError, match="No space left"):
                    fill(disk / "filler")
            if trainer.step == 4:
                (disk / "filler").unlink()
            return step(trainer, *args)  # type: ignore[arg-type]

        monkeypatch.setattr(fitting, "train_step", filled)
        fit(inputs, disk / "run")
        said = told_of_the_disk(capsys)
        assert [("No space left" in line, "written again" in line) for line in said] == [
            (True, False),
            (False, True),
        ]
        assert checkpoint.load(disk / "run").step == 6
        assert steps_in(disk / "run" / "loss.csv") == [1, 2, 3, 4, 5, 6]


def test_what_a_killed_process_left_half_written_is_removed(tmp_path: Path, inputs: Inputs) -> None:
    """A checkpoint's temporary file is as large as the checkpoint."""
    run = tmp_path / "run"
    run.mkdir()
    (run / f".{checkpoint.NAME}.abc123").write_bytes(b"half")
    (run / ".of-the-user").write_bytes(b"kept")
    fit(inputs, run)
    assert [path.name for path in run.iterdir() if path.name.startswith(".")] == [".of-the-user"]
