"""The time that a run still takes, by a clock that the test moves."""

import dataclasses
from dataclasses import dataclass

import pytest
from tqdm import tqdm

from train.config import FitSettings
from train.learn.progress import RunBar, TimePlan, run_bar

STEPS = FitSettings(steps=1000, minutes=0.0, validate_share=0.2, whole_every=6)
MINUTES = FitSettings(minutes=20.0, validate_share=0.2)


@dataclass
class Run:
    """A run with a clock of its own."""

    step: int = 0
    seconds: float = 0.0


def take(plan: TimePlan, run: Run, steps: int, validation_s: float = 0.0) -> None:
    """Steps of 0.5 s, of which every sixth takes 0.8 s; the first took 5 s more to start."""
    for _ in range(steps):
        run.seconds += 0.8 if run.step % 6 == 5 else 0.5
        run.seconds += 5.0 if run.step == 0 else 0.0
        run.step += 1
        plan.note_step(run.seconds)
        if validation_s and run.step % 200 == 0:
            run.seconds += validation_s
            plan.note_validation(validation_s)


def test_a_run_by_the_clock_takes_its_minutes_and_what_follows() -> None:
    """From before the first step on."""
    plan, run = TimePlan(MINUTES, after_s=180.0, validation_s=4.0), Run()
    assert plan.remaining_s(run) == 20 * 60 + 4 + 180
    run.seconds = 15 * 60.0
    assert plan.remaining_s(run) == 5 * 60 + 4 + 180
    run.seconds = 20 * 60 + 1.0
    assert plan.remaining_s(run) == 180
    assert plan.words(run) == "about 3.0 minutes for threshold and assessment"


def test_a_run_by_steps_is_told_once_steps_of_each_kind_were_measured() -> None:
    """The start of the painters is no step; the first estimate is right within a quarter."""
    plan, run = TimePlan(STEPS, after_s=120.0, validation_s=3.0), Run()
    take(plan, run, 5)
    assert plan.remaining_s(run) is None
    assert plan.words(run).startswith("995 steps of training, then about 2.0 minutes for")
    take(plan, run, 2)
    first = plan.remaining_s(run)
    begun = run.seconds
    assert first is not None
    take(plan, run, 993, validation_s=4.0)
    really = run.seconds - begun + 120.0
    assert first == pytest.approx(really, rel=0.05)
    assert plan.remaining_s(run) == pytest.approx(120.0)


def test_validations_are_not_taken_for_slow_steps() -> None:
    """Else each would make the rest of the run look longer."""
    plan, run = TimePlan(STEPS, after_s=0.0), Run()
    take(plan, run, 601, validation_s=60.0)
    assert plan.step_s == pytest.approx(0.55, rel=0.01)
    assert plan.validation_s == 60.0
    left = plan.remaining_s(run)
    assert left == pytest.approx(399 * 0.55 + 2 * 60.0, rel=0.01)


def test_a_run_that_goes_on_counts_only_what_is_left() -> None:
    """Its seconds before are no time of these steps."""
    plan, run = TimePlan(STEPS, after_s=60.0), Run(step=900, seconds=9999.0)
    take(plan, run, 8)
    left = plan.remaining_s(run)
    assert left == pytest.approx(92 * 0.55 + 60.0, rel=0.1)


def test_the_bar_goes_on_to_the_end_of_the_assessment() -> None:
    """One bar in seconds; what it says is left comes from the pictures that were looked at."""
    plan, run = TimePlan(dataclasses.replace(MINUTES, minutes=1.0), after_s=30.0), Run(9, 60.0)
    with tqdm(total=90, disable=None, file=_Nowhere()) as bar:
        shown = RunBar(bar, plan)
        shown.training(run, "loss 1.0, 9 images/s")
        assert (bar.n, bar.total) == (60.0, 90)
        assert "30 seconds to go, step 9, loss 1.0, 9 images/s" in str(bar.postfix)
        shown.assessing(run, 0, 100, 0.0)
        assert (bar.n, bar.total) == (60.0, 90)
        shown.assessing(run, 50, 100, 25.0)
        assert (bar.n, bar.total) == (85.0, 110)
        assert "25 seconds to go, assessment, picture 50 of 100" in str(bar.postfix)


def test_the_search_before_the_training_is_in_the_bar() -> None:
    """Its seconds are gone when the training begins, and are part of the whole."""
    plan = TimePlan(dataclasses.replace(MINUTES, minutes=1.0), after_s=30.0, before_s=40.0)
    with run_bar(plan, Run(0, 0.0)) as shown:
        assert (shown.bar.n, shown.bar.total) == (40.0, 130.0)
        assert shown.bar.format_dict["elapsed"] >= 40.0
        shown.training(Run(9, 20.0), "loss 1.0")
        assert (shown.bar.n, shown.bar.total) == (60.0, 40.0 + 60.0 + 30.0)


class _Nowhere:
    """A stream that shows nothing."""

    def write(self, _text: str) -> None:
        """Drop it."""

    def flush(self) -> None:
        """Nothing waits."""
