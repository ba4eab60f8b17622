"""Early stopping: end a run whose validation loss has stopped falling."""

import math
from dataclasses import dataclass

MIN_IMPROVEMENT = 0.005
"""A loss counts as better when it is lower than the best by this share of it: less is chance."""


@dataclass
class EarlyStopping:
    """Counts the validations since the loss last improved.

    *patience*: how many of them in a row end the run, 0 for never; *best*: the lowest loss so far;
    *since_best*: validations since then.
    """

    patience: int
    best: float = math.inf
    since_best: int = 0

    @classmethod
    def resumed(cls, patience: int, best: float, since_best: int) -> "EarlyStopping":
        """Early stopping, resumed: a run that had stopped gets its full patience again."""
        return cls(patience, best, 0 if patience and since_best >= patience else since_best)

    def update(self, loss: float) -> None:
        """Count one validation with its *loss*."""
        if loss < self.best * (1 - MIN_IMPROVEMENT):
            self.best, self.since_best = loss, 0
        else:
            self.since_best += 1

    @property
    def should_stop(self) -> bool:
        """Whether to stop early: the patience is used up.

        >>> early_stopping = EarlyStopping(2)
        >>> for loss in (3.0, 2.0, 1.999, 2.1):
        ...     early_stopping.update(loss)
        >>> early_stopping.should_stop, early_stopping.best
        (True, 2.0)
        """
        return 0 < self.patience <= self.since_best
