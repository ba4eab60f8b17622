"""Noticing that a loss no longer falls."""

import math
from dataclasses import dataclass
from typing import Protocol

from train.config import FitSettings

BETTER = 0.005
"""A loss counts as better when it is lower than the best by this share of it: less is chance."""


@dataclass
class Plateau:
    """Counts the looks since the loss was last better; *patience*: how many end the run, 0 for
    never.
    """

    patience: int
    best: float = math.inf
    since: int = 0

    @classmethod
    def resumed(cls, patience: int, best: float, since: int) -> "Plateau":
        """Go on counting; who resumes a run that had ended on its plateau is given as many looks
        again.
        """
        return cls(patience, best, 0 if patience and since >= patience else since)

    def look(self, loss: float) -> None:
        """Note one look."""
        if loss < self.best * (1 - BETTER):
            self.best, self.since = loss, 0
        else:
            self.since += 1

    @property
    def reached(self) -> bool:
        """Whether to end the run.

        >>> plateau = Plateau(2)
        >>> for loss in (3.0, 2.0, 1.999, 2.1):
        ...     plateau.look(loss)
        >>> plateau.reached, plateau.best
        (True, 2.0)
        """
        return 0 < self.patience <= self.since


class Underway(Protocol):
    """A run that has taken *step* steps in *seconds*: one that trains, or its checkpoint."""

    step: int
    seconds: float


def share_done(fit: FitSettings, run: Underway) -> float:
    """How much of the run is behind us, 0..1; a little more when its last step took it past its
    time.
    """
    return run.step / fit.steps if fit.steps else run.seconds / (fit.minutes * 60)
