"""A run that is not ready is exported only when somebody insists, and never below the floor."""

import dataclasses
from pathlib import Path

import pytest

from edge.errors import InputError, UsageError
from edge.vision.assessed import Assessed
from export.ready import assessed_of, check_ready, threshold_for
from tests.quick_run import SMALL
from train.assess.assessment import Length, assess
from train.assess.choice import choose
from train.assess.scores import PlainScore, Scored, Trial
from train.config import RunConfig
from train.network.checkpoint import Checkpoint

RUN = Path("runs/stamp")


def _kept(
    marks: tuple[float, ...], photographs: tuple[float, ...] = (0.4,), plainly: float = 0.95
) -> Checkpoint:
    """A run whose assessment rests on these scores."""
    found = tuple(Scored("a.jpg", score) for score in photographs)
    plain = (PlainScore("disc", "plain", 0.3, plainly),) * 6
    trial = Trial(marks, (), (0.1,) * 50, found, plain=plain)
    told = assess(trial, choose(trial, SMALL), False, SMALL, Length(9, 1.0))
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


@pytest.mark.parametrize("anyway", [False, True])
def test_a_model_that_does_not_find_its_mark_pasted_plainly_is_never_exported(anyway: bool) -> None:
    """At the threshold that the file would have."""
    blind = _kept((0.9,) * 100, plainly=0.3)
    with pytest.raises(InputError, match=r"runs/stamp: .*plainly.*\(disc 0 of 6\).*be exported"):
        check_ready(blind, RUN, anyway)
    check_ready(_kept((0.9,) * 100, (0.1,), plainly=0.3), RUN, anyway)
    raised = dataclasses.replace(_kept((0.99,) * 100, (0.1,), plainly=0.5), threshold=0.6)
    with pytest.raises(InputError, match="pasted plainly"):
        check_ready(raised, RUN, anyway)


def test_the_contract_is_told_what_the_assessment_counted_at_the_files_threshold() -> None:
    """Also at another threshold than the run's own, and whether somebody insisted."""
    poor = _kept((0.3,) * 50 + (0.9,) * 50)
    assert assessed_of(poor, True) == Assessed(False, True, (50, 100), (0, 1), (0, 50))
    good = dataclasses.replace(_kept((0.9,) * 100), threshold=0.5)
    assert assessed_of(good, False) == Assessed(True, False, (100, 100), (0, 1), (0, 50))
    good.assessment = ""
    assert assessed_of(good, False) is None
