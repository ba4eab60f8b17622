import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.quick_run import SMALL, config_in
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
