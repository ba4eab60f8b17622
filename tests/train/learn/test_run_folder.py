import dataclasses
import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edge.vision.picture_files import read_picture
from tests.quick_run import SMALL, config_in
from train.leakage import HELD_OUT, MARK, TRAINED, read_met
from train.learn import run_folder
from train.learn.dataset import load_batches
from train.paint.inputs import read_inputs
from train.paint.synth import Picture


def test_the_sheet_shows_the_first_pictures_trained_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows and twins of batch 0, whole frames of the first batch of those: the loader's own."""
    settings = dataclasses.replace(SMALL, size=128, window=96, batch=6, whole_every=3)
    inputs = read_inputs(config_in(tmp_path, settings))
    drawn: list[Picture] = []

    def noted(pictures: Sequence[Picture], classes: Sequence[str], path: Path) -> None:
        assert (tuple(classes), path) == (("disc",), tmp_path / "pictures.png")
        drawn.extend(pictures)

    monkeypatch.setattr(run_folder, "write_picture_sheet", noted)
    run_folder.write_training_sheet(inputs, tmp_path)
    loader = load_batches(inputs.kit, settings, 1, 0)
    windows, _, frames = (next(loader).pictures.numpy() for _ in range(3))
    assert [picture.pixels.shape[0] for picture in drawn] == [96] * 6 + [128] * len(frames)
    assert np.array_equal([picture.pixels for picture in drawn[:6]], windows)
    assert np.array_equal([picture.pixels for picture in drawn[6:]], frames)


def test_the_sheet_is_a_picture_of_those_pictures(tmp_path: Path) -> None:
    """Where every batch shows whole frames, too."""
    inputs = read_inputs(config_in(tmp_path, dataclasses.replace(SMALL, whole_every=1)))
    run_folder.write_training_sheet(inputs, tmp_path)
    assert (tmp_path / "pictures.png").stat().st_size > 1000


def test_a_run_knows_every_picture_that_it_meets(tmp_path: Path) -> None:
    """Marks, photographs trained on and held out, by their files and by their likeness."""
    for number in range(6):
        save(tmp_path / "b" / f"p{number}.png", number)
    config = dataclasses.replace(config_in(tmp_path, SMALL), backgrounds=str(tmp_path / "b"))
    inputs = read_inputs(config)
    run_folder.write_met_photographs(inputs, tmp_path)
    met = read_met(tmp_path, inputs.fingerprint().digest())
    assert met is not None
    roles = {one.name: one.role for one in met.photographs}
    assert inputs.training is not None
    assert inputs.held_out is not None
    assert {name for name, role in roles.items() if role == TRAINED} == {
        path.name for path in inputs.training
    }
    assert {name for name, role in roles.items() if role == HELD_OUT} == {
        path.name for path in inputs.held_out
    }
    assert MARK in roles.values()
    for path in (*inputs.training, *inputs.held_out):
        assert met.same_file(hashlib.sha256(path.read_bytes()).hexdigest()) is not None
        assert met.copy_of(read_picture(path)) is not None
    written = (tmp_path / "photographs.json").stat()
    run_folder.write_met_photographs(inputs, tmp_path)
    assert (tmp_path / "photographs.json").stat().st_mtime_ns == written.st_mtime_ns
    (tmp_path / "photographs.json").write_text("{")
    run_folder.write_met_photographs(inputs, tmp_path)
    assert read_met(tmp_path) == met


def save(path: Path, seed: int) -> None:
    """Write a photograph that is like no other."""
    path.parent.mkdir(exist_ok=True)
    soft = np.random.default_rng(seed).integers(0, 255, (12, 12, 3), np.uint8)
    Image.fromarray(soft).resize((160, 160), Image.Resampling.BICUBIC).save(path)
