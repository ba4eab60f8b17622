import dataclasses
import sys
from pathlib import Path

import pytest

from edge.errors import UsageError
from tests.quick_run import SMALL, config_in, paint_few
from train.learn.fit import fit
from train.paint.inputs import read_inputs


@pytest.fixture(autouse=True)
def few_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few of everything are enough to run the code."""
    paint_few(monkeypatch)


def test_tensorboard_gets_curves_and_pictures(tmp_path: Path) -> None:
    """Read back with TensorBoard's own reader."""
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    settings = dataclasses.replace(SMALL, steps=4, validate_share=0.5, tensorboard=True)
    fit(read_inputs(config_in(tmp_path, settings)), tmp_path / "run")
    events = reader.EventAccumulator(str(tmp_path / "run" / "tensorboard"))
    events.Reload()
    steps = {tag: [event.step for event in events.Scalars(tag)] for tag in events.Tags()["scalars"]}
    assert steps == {
        **{f"train/{name}": [1, 2, 3, 4] for name in ("loss", "heat", "sides")},
        **{name: [1, 2, 3, 4] for name in ("learning rate", "images per second")},
        **{f"validation/{name}": [2, 4] for name in ("loss", "heat", "sides")},
    }
    pictures = {
        tag: [event.step for event in events.Images(tag)] for tag in events.Tags()["images"]
    }
    assert pictures == {"training pictures": [0], "hits and misses": [2, 4]}


def test_a_missing_tensorboard_is_one_line_and_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is an extra; whoever asks for it is told which."""
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    inputs = read_inputs(config_in(tmp_path, dataclasses.replace(SMALL, tensorboard=True)))
    with pytest.raises(UsageError, match=r"stampgate\[tensorboard\]"):
        fit(inputs, tmp_path / "run")
    assert not (tmp_path / "run").exists()
