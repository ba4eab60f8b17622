"""How far a run has come, by its steps or by its clock."""

from typing import Protocol

from train.config import FitSettings


class Progress(Protocol):
    """A run that has taken *step* steps in *seconds*: its trainer, or its checkpoint."""

    step: int
    seconds: float


def share_done(fit: FitSettings, run: Progress) -> float:
    """Return the share of the run that is done, 0..1, or a little more.

    The last step of a run that is limited by time may take it past its time.
    """
    return run.step / fit.steps if fit.steps else run.seconds / (fit.minutes * 60)
