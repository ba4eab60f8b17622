import dataclasses
from pathlib import Path

import numpy as np
import pytest

from tests.painting import make_marks
from tests.quick_run import config_in
from train.assess import frozen_pictures
from train.assess.frozen_pictures import (
    BORDER,
    COUNTS,
    LOOKALIKES,
    PHOTOGRAPHS,
    STAMPED,
    UNSTAMPED,
    Counts,
    FrozenPictures,
    Part,
)
from train.config import SynthSettings
from train.paint.inputs import Inputs
from train.paint.synth import Kit, Picture

FEW: Counts = {
    Part.CALIBRATE: {STAMPED: 2, PHOTOGRAPHS: 1},
    Part.CHOOSE: {STAMPED: 2, PHOTOGRAPHS: 1},
    Part.JUDGE: {STAMPED: 1, UNSTAMPED: 1, LOOKALIKES: 1, BORDER: 2, PHOTOGRAPHS: 6},
}


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> FrozenPictures:
    """Those of a run on four photographs, of which one is held out."""
    config = config_in(tmp_path_factory.mktemp("frozen"))
    paths = sorted(Path(config.backgrounds).iterdir())
    marks = make_marks("disc")
    return FrozenPictures(Inputs(config, marks, tuple(paths[1:]), (paths[0],), ()), FEW)


@pytest.mark.parametrize("part", list(Part))
def test_they_are_the_same_each_time(frozen: FrozenPictures, part: Part) -> None:
    """To the last grey level, in the same order, and as many as said."""
    once, again = (list(frozen.pictures(part)) for _ in range(2))
    assert len(once) == frozen.count(part)
    assert [one.kind for one in once] == [one.kind for one in again]
    for one, other in zip(once, again, strict=True):
        np.testing.assert_array_equal(one.frame, other.frame)


def test_no_two_parts_share_a_picture(frozen: FrozenPictures) -> None:
    """Neither a painted one nor a photograph."""
    contents = [one.frame.tobytes() for part in Part for one in frozen.pictures(part)]
    assert len(set(contents)) == len(contents)


def test_more_are_painted_where_there_are_few_photographs(frozen: FrozenPictures) -> None:
    """To judge by there are always as many; all photographs left are among them."""
    kinds = [one.kind for one in frozen.pictures(Part.JUDGE)]
    photographs = kinds.count(PHOTOGRAPHS)
    assert len(kinds) == sum(FEW[Part.JUDGE].values())
    assert photographs >= 2
    assert kinds.count(STAMPED) == 1 + 6 - photographs
    painted = dataclasses.replace(frozen.inputs, training=None, held_out=None)
    without = [one.kind for one in FrozenPictures(painted, FEW).pictures(Part.JUDGE)]
    assert without.count(STAMPED) == 7
    assert len(without) == len(kinds)


def test_two_thousand_are_there_to_judge_by() -> None:
    """The least that the gate takes."""
    assert sum(COUNTS[Part.JUDGE].values()) >= 2000


def test_each_kind_is_painted_as_its_name_says(
    frozen: FrozenPictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stamped ones are asked for marks, unstamped ones for none, those at the border for a cut."""
    asked = []

    def camera(_rng: object, kit: Kit, settings: SynthSettings, _number: int) -> Picture:
        assert settings is kit.settings
        asked.append((settings.negative_share, settings.cut_share))
        grey = np.zeros((8, 8, 3), np.uint8)
        return Picture(grey, (), (), grey)

    monkeypatch.setattr(frozen_pictures, "camera", camera)
    counts: Counts = {**FEW, Part.JUDGE: {STAMPED: 1, UNSTAMPED: 1, BORDER: 1}}
    list(FrozenPictures(frozen.inputs, counts).pictures(Part.JUDGE))
    usual = frozen.inputs.config.synth.cut_share
    assert asked == [(0.0, usual), (1.0, usual), (0.0, 1.0)]
