"""How far a run has come, by its steps or by its clock, and how long it still takes, to its end."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NoReturn, Protocol

from tqdm import tqdm

from train.config import FitSettings

FIRST_STEPS = 1
"""Steps that are not measured: in the first one the painters start."""


class Progress(Protocol):
    """A run that has taken *step* steps in *seconds*: its trainer, or its checkpoint."""

    step: int
    seconds: float


def share_done(fit: FitSettings, run: Progress) -> float:
    """Return the share of the run that is done, 0..1, or a little more.

    The last step of a run that is limited by time may take it past its time.
    """
    return run.step / fit.steps if fit.steps else run.seconds / (fit.minutes * 60)


@dataclass
class TimePlan:
    """Estimate of what a run still takes: training, validations, threshold and assessment.

    *after_s*: seconds for what follows the training; *validation_s*: for one validation, both as
    estimated before the first step; *before_s*: that the search for the mark took. Steps and
    validations are then measured: the clock is the run's own ``seconds``, in which both are.
    """

    fit: FitSettings
    after_s: float
    validation_s: float = 0.0
    before_s: float = 0.0
    _taken_s: float = field(default=0.0, init=False)
    _steps: int = field(default=-FIRST_STEPS, init=False)
    _last_s: float | None = field(default=None, init=False)
    _paused_s: float = field(default=0.0, init=False)

    def note_step(self, seconds: float) -> None:
        """Note that a step has ended when the run had taken so many *seconds*."""
        if self._last_s is not None and self._steps >= 0:
            self._taken_s += max(0.0, seconds - self._last_s - self._paused_s)
        self._last_s, self._paused_s, self._steps = seconds, 0.0, self._steps + 1

    def note_validation(self, seconds: float) -> None:
        """Note that a validation took so many *seconds*, which are no step's."""
        self.validation_s = seconds
        self._paused_s += seconds

    @property
    def step_s(self) -> float | None:
        """Seconds of a step, None before batches of each kind were measured."""
        known = self._steps >= self.fit.whole_every
        return self._taken_s / self._steps if known else None

    def training_s(self, run: Progress) -> float | None:
        """Return the seconds that training still takes; None before they can be told."""
        if not self.fit.steps:
            left = max(0.0, self.fit.minutes * 60 - run.seconds)
            return left + (self.validation_s if left and self.fit.validate_share else 0.0)
        if self.step_s is None:
            return None
        left = max(0, self.fit.steps - run.step)
        return left * self.step_s + self._validations_left(run) * self.validation_s

    def remaining_s(self, run: Progress) -> float | None:
        """Return the seconds to the end of the run; None before they can be told."""
        training = self.training_s(run)
        return None if training is None else training + self.after_s

    def assessment_left_s(self, done: int, total: int, seconds: float) -> float:
        """Return the seconds that the assessment still takes after *done* of *total* pictures.

        *seconds*: that those took; before the first one the estimate stands.
        """
        pace = seconds / done if done else self.after_s / max(1, total)
        return max(0, total - done) * pace

    def words(self, run: Progress) -> str:
        """Return what is still to come."""
        after = f"{duration(self.after_s)} for threshold and assessment"
        training = self.training_s(run)
        if training == 0.0 or (self.fit.steps and run.step >= self.fit.steps):
            return f"about {after}"
        if training is None:
            return f"{self.fit.steps - run.step} steps of training, then about {after}"
        return f"{duration(training)} of training, then about {after}"

    def _validations_left(self, run: Progress) -> int:
        every = self.fit.validate_share
        return math.ceil((1.0 - share_done(self.fit, run)) / every) if every else 0


def duration(seconds: float) -> str:
    """Return so many seconds in words.

    >>> duration(42.4), duration(95), duration(1234), duration(9000)
    ('42 seconds', '1.6 minutes', '21 minutes', '2.5 hours')
    """
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    if seconds < 600:
        return f"{seconds / 60:.1f} minutes"
    return f"{seconds / 60:.0f} minutes" if seconds < 7200 else f"{seconds / 3600:.1f} hours"


class RunBar:
    """One progress bar from the first step to the end of the assessment, in seconds.

    Its end moves as the estimate does. Synchronization: one writer.
    """

    def __init__(self, bar: "tqdm[NoReturn]", plan: TimePlan) -> None:
        self.bar, self._plan = bar, plan

    def training(self, run: Progress, told: str) -> None:
        """Show how far the training is; *told*: loss and speed."""
        of = f" of {self._plan.fit.steps}" if self._plan.fit.steps else ""
        self._show(run.seconds, self._plan.remaining_s(run), f"step {run.step}{of}, {told}")

    def assessing(self, run: Progress, done: int, total: int, seconds: float) -> None:
        """Show how far the assessment is: *done* of *total* pictures, in so many *seconds*."""
        left = self._plan.assessment_left_s(done, total, seconds)
        self._show(run.seconds + seconds, left, f"assessment, picture {done} of {total}")

    def _show(self, gone_s: float, left_s: float | None, told: str) -> None:
        left = "still measuring" if left_s is None else f"{duration(left_s)} to go"
        self.bar.set_postfix_str(f"{left}, {told}", refresh=False)
        gone_s = max(gone_s + self._plan.before_s, self.bar.n)
        self.bar.total = None if left_s is None else gone_s + left_s
        self.bar.update(gone_s - self.bar.n)


@contextmanager
def run_bar(plan: TimePlan, run: Progress) -> Iterator[RunBar]:
    """Show the bar of a run while the block lasts."""
    form = "{l_bar}{bar}| {elapsed} gone{postfix}"
    left = plan.remaining_s(run)
    begun = plan.before_s + run.seconds
    total = None if left is None else begun + left
    with tqdm(total=total, initial=begun, desc="train", bar_format=form, mininterval=1.0) as bar:
        bar.start_t -= plan.before_s
        yield RunBar(bar, plan)
