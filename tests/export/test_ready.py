"""A run that is not ready is exported only when somebody insists, and never below the floor."""

from pathlib import Path

import pytest

from edge.errors import InputError, UsageError
from export.ready import check_ready, threshold_for
from tests.quick_run import SMALL
from train.assess.assessment import assess
from train.assess.choice import choose
from train.assess.scores import Scored, Trial
from train.config import RunConfig
from train.network.checkpoint import Checkpoint

RUN = Path("runs/stamp")


def _kept(marks: tuple[float, ...], photographs: tuple[float, ...] = (0.4,)) -> Checkpoint:
    """A run whose assessment rests on these scores."""
    found = tuple(Scored("a.jpg", score) for score in photographs)
    trial = Trial(marks, (), (0.1,) * 50, found)
    told = assess(trial, choose(trial, SMALL), painted=False)
    config = RunConfig((("disc", "disc.png"),), "")
    threshold = told.chosen.threshold
    return Checkpoint(config, {}, {}, {}, 1, 1.0, threshold, assessment=told.to_json())


def test_a_run_that_is_not_ready_is_refused_in_the_words_of_its_assessment() -> None:
    """With what to do, and how to insist."""
    poor = _kept((0.3,) * 100)
    with pytest.raises(
        InputError, match=r"runs/stamp: finds 0 of 100 .*not ready; train longer.* --anyway"
    ):
        check_ready(poor, RUN, anyway=False)
    check_ready(poor, RUN, anyway=True)
    check_ready(_kept((0.9,) * 100), RUN, anyway=False)


def test_a_run_of_an_earlier_release_has_no_assessment_and_is_taken() -> None:
    """Nothing is known against it."""
    old = _kept((0.3,) * 100)
    old.assessment = ""
    check_ready(old, RUN, anyway=False)
    assert threshold_for(old, None) == old.threshold
    assert threshold_for(old, 0.1) == 0.1


def test_the_threshold_may_be_chosen_from_the_floor_on() -> None:
    """Photographs without the mark score 0.4."""
    kept = _kept((0.9,) * 100)
    assert threshold_for(kept, None) == kept.threshold
    assert threshold_for(kept, 0.6) == 0.6
    with pytest.raises(UsageError, match=r"--threshold 0\.39: photographs .* up to 0\.401"):
        threshold_for(kept, 0.39)


@pytest.mark.parametrize("asked", [0.0, 1.0, -1.0, 2.0, float("nan"), float("inf")])
def test_a_threshold_that_is_no_score_is_refused(asked: float) -> None:
    """By name, before anything is written."""
    with pytest.raises(UsageError, match=r"--threshold .*must be above 0 and below 1"):
        threshold_for(_kept((0.9,) * 100), asked)
