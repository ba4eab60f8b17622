import json
from pathlib import Path

import pytest

from edge.errors import ModelError
from export.precision import gate
from export.precision.reducing import Reduced, reduce_precision
from tests.export.precision.small_graph import SMALL, small_graph
from tests.painting import make_marks
from tests.quick_run import config_in
from train.assess.frozen_pictures import (
    LOOKALIKES,
    PHOTOGRAPHS,
    STAMPED,
    UNSTAMPED,
    Counts,
    FrozenPictures,
    Part,
)
from train.paint.inputs import Inputs

FEW: Counts = {
    Part.CALIBRATE: {STAMPED: 4},
    Part.CHOOSE: {STAMPED: 6, LOOKALIKES: 1},
    Part.JUDGE: {STAMPED: 6, UNSTAMPED: 3, PHOTOGRAPHS: 3},
}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> FrozenPictures:
    """Few pictures on four small photographs."""
    config = config_in(tmp_path_factory.mktemp("reducing"))
    paths = tuple(sorted(Path(config.backgrounds).iterdir()))
    return FrozenPictures(Inputs(config, make_marks("disc"), paths[1:], paths[:1], ()), FEW)


def reduced(precision: str, pictures: FrozenPictures, told: list[str]) -> Reduced:
    """Reduce the small graph."""
    return reduce_precision(small_graph(), SMALL, precision, pictures, told.append)


@pytest.mark.parametrize("precision", ["int8", "fp16"])
def test_what_its_gate_found_is_told_and_goes_into_the_file(
    precision: str, pictures: FrozenPictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twelve pictures are enough here; the same run gives the same file, text and bytes."""
    monkeypatch.setattr(gate, "LEAST_PICTURES", 12)
    monkeypatch.setattr(gate.GateResult, "failures", property(lambda _self: []))
    told: list[str] = []
    once, again = reduced(precision, pictures, told), reduced(precision, pictures, [])
    assert once.text == again.text
    first, second = (m.model.SerializeToString(deterministic=True) for m in (once, again))
    assert first == second
    said = json.loads(once.text)
    assert (said["version"], said["precision"]) == (1, precision)
    assert said["gate"]["pictures"]["all"][0] == 12
    assert any(line.startswith("all ") for line in told)
    if precision == "int8":
        every = ["depthwise.weight", "last.weight", "pointwise.weight"]
        assert sorted(said["int8"] + said["float"]) == every
        assert said["int8"] == [layer.weight for layer in once.layers if layer in once.quantized]
        assert any(line.startswith("int8 in ") for line in told)
        told_float = [line.split()[-1] for line in told if line.startswith("  0.")]
        assert sorted(told_float) == sorted(said["float"])


def test_what_the_gate_refuses_is_one_line_after_the_table(pictures: FrozenPictures) -> None:
    """Twelve pictures prove nothing."""
    told: list[str] = []
    with pytest.raises(ModelError, match=r"--precision fp16: .* 12 pictures, .* nothing was writt"):
        reduced("fp16", pictures, told)
    assert any(line.startswith("all ") for line in told)


def test_it_can_be_stopped(pictures: FrozenPictures, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C comes through, whatever it is at."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(gate, "judge", stop)
    with pytest.raises(KeyboardInterrupt):
        reduced("fp16", pictures, [])
