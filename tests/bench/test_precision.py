from pathlib import Path

import pytest

from bench.precision.__main__ import gates, main
from bench.precision.variants import FLOAT
from export.precision.float16 import halved
from tests.export.precision.small_graph import SMALL, rough, small_graph
from train.assess.frozen_pictures import FrozenPicture


def test_every_variant_judges_the_same_pictures() -> None:
    """The float graph beside itself changes nothing."""
    model = small_graph()
    pictures = [FrozenPicture("stamped", rough(number)[0]) for number in range(6)]
    found = gates({FLOAT: model, "again": model, "fp16": halved(model)}, SMALL, pictures)
    assert list(found) == ["again", "fp16"]
    assert {result.total.pictures for result in found.values()} == {6}
    assert found["again"].gaps == (0.0, 0.0, 0.0)
    assert (found["again"].total.lost, found["again"].total.gained) == (0, 0)
    assert 0 < found["fp16"].gaps[2] < 0.02


@pytest.mark.parametrize("wrong", [[], ["runs/stamp", "--packaged", "photographs"]])
def test_bad_input_is_one_line(
    wrong: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run or the packaged model, and not both; nothing is made before."""
    assert main([*wrong, "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "name the folder of a run" in error
    assert not (tmp_path / "out").exists()
