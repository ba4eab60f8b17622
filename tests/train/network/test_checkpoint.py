import pickle
from pathlib import Path

import pytest
import torch

from edge.errors import InputError
from train.config import RunConfig
from train.network import checkpoint
from train.network.checkpoint import Checkpoint
from train.network.model import DenseLocalizer


def sample(threshold: float | None = 0.5) -> Checkpoint:
    """A checkpoint of an untrained network."""
    weights = DenseLocalizer("mobilenet_v3_small", 1).state_dict()
    return Checkpoint(
        RunConfig((("a", "a.png"),), ""),
        weights,
        weights,
        {"state": {}},
        7,
        3.5,
        threshold,
        {"scale": 8.0},
        1.5,
        2,
    )


def test_a_checkpoint_comes_back_whole(tmp_path: Path) -> None:
    """Weights and config in one file."""
    before = sample()
    checkpoint.save(before, tmp_path)
    after = checkpoint.load(tmp_path)
    assert (after.config, after.step, after.seconds, after.threshold) == (
        before.config,
        7,
        3.5,
        0.5,
    )
    assert (after.scaler, after.best_loss, after.since_best) == ({"scale": 8.0}, 1.5, 2)
    assert all(torch.equal(value, after.averaged[name]) for name, value in before.averaged.items())
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pt"]


class Exploit:
    """A pickle that runs code when it is loaded."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        """Touch a file when unpickled."""
        return (exec, ("open('owned', 'w').close()",))


@pytest.mark.parametrize(
    "content", ["missing", "rubbish", "exploit", "foreign", "earlier format", "other format"]
)
def test_a_foreign_or_damaged_checkpoint_is_refused_in_one_line(
    tmp_path: Path, content: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no code from it is run."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / checkpoint.NAME
    if content == "rubbish":
        path.write_bytes(b"\x00\x01rubbish")
    elif content == "exploit":
        path.write_bytes(pickle.dumps(Exploit()))
    elif content == "foreign":
        torch.save(torch.zeros(3), path)
    elif content == "earlier format":
        torch.save({"format": 1, "config": "{}"}, path)
    elif content == "other format":
        torch.save({"format": 99}, path)
    with pytest.raises(InputError) as caught:
        checkpoint.load(tmp_path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    assert not (tmp_path / "owned").exists()
