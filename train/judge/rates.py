"""Rates of errors with their exact bounds, and how many pictures a bound needs."""

import math
from dataclasses import dataclass

from scipy.stats import beta

CONFIDENCE = 0.95
NOT_MEASURED = "not measured"
"""What is said of a rate of nothing."""


@dataclass(frozen=True)
class Rate:
    """*errors* among *items*, and an upper bound of the true rate (95 %, Clopper-Pearson)."""

    errors: int
    items: int
    upper_bound: float

    @classmethod
    def of(cls, errors: int, items: int) -> "Rate":
        """Return the rate with its bound, which is 1 when there are no items.

        >>> Rate.of(0, 299).upper_bound < 0.01 < Rate.of(0, 298).upper_bound
        True
        """
        return cls(errors, items, upper_bound(errors, items))

    @property
    def accuracy(self) -> float:
        """Share without an error, 0..1; nan when there is no item."""
        return 1.0 - self.errors / self.items if self.items else float("nan")

    def __str__(self) -> str:
        """In words; of no items it was not measured.

        >>> str(Rate.of(0, 299)), str(Rate.of(0, 0))
        ('0 of 299 (true rate below 1.00%)', 'not measured')
        """
        if not self.items:
            return NOT_MEASURED
        return f"{self.errors} of {self.items} (true rate below {self.upper_bound:.2%})"


def upper_bound(errors: int, items: int, confidence: float = CONFIDENCE) -> float:
    """Return the exact one-sided upper bound of a rate; 1 when all are errors, or there are none.

    Source: Clopper and Pearson (1934), by the beta distribution's quantile.
    """
    if errors >= items:
        return 1.0
    return float(beta.ppf(confidence, errors + 1, items - errors))


def items_needed(rate: float, confidence: float = CONFIDENCE) -> int:
    """Return how many items without an error show that a rate is at most *rate*.

    >>> items_needed(0.01), items_needed(0.002)
    (299, 1497)
    """
    return math.ceil(math.log(1.0 - confidence) / math.log(1.0 - rate))


def errors_allowed(items: int, rate: float, confidence: float = CONFIDENCE) -> int:
    """Return the most errors among *items* that still show a rate of at most *rate*; -1 for none.

    >>> errors_allowed(298, 0.01), errors_allowed(299, 0.01), errors_allowed(473, 0.01)
    (-1, 0, 1)
    """
    allowed = -1
    while allowed + 1 < items and upper_bound(allowed + 1, items, confidence) <= rate:
        allowed += 1
    return allowed
