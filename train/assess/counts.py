"""Counts in words: so many of so many."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.rates.bounds import UNMEASURED


@dataclass(frozen=True)
class Count:
    """*hits* of *of*: marks found, or pictures without a mark that were accepted."""

    hits: int
    of: int

    @property
    def share(self) -> float:
        """The share, 0..1; 0 of nothing."""
        return self.hits / self.of if self.of else 0.0

    def __str__(self) -> str:
        """In words.

        >>> str(Count(3, 5)), str(Count(0, 0))
        ('3 of 5', 'not measured')
        """
        return f"{self.hits} of {self.of}" if self.of else UNMEASURED


def shares_reaching(
    scores: Sequence[float], thresholds: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the share of *scores*, 0..1, that reach each threshold; 0 where there is no score."""
    ordered = np.sort(scores)
    reached = len(ordered) - np.searchsorted(ordered, thresholds, side="left")
    return np.asarray(reached / max(1, len(ordered)), np.float64)
