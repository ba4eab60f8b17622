"""Rates of errors, their exact one-sided bounds, and how many items a bound needs.

The errors among *n* independent items are binomial. The bound is Clopper and Pearson's (1934): the
greatest rate at which so few errors, or fewer, would still come with a probability of 1 -
confidence. It covers the true rate at least as often as it says, whatever that rate is. What
evaluates, assesses and proves a model takes it from here, and so does the box in shadow.
"""

import math
from dataclasses import dataclass
from typing import Any

from edge.rates.beta import beta_quantile

CONFIDENCE = 0.95
"""Where nobody asks for another."""
UNMEASURED = "not measured"
"""What is said of a rate of nothing."""
MOST_ITEMS = 10_000_000
"""Largest sample size that is looked for."""


@dataclass(frozen=True)
class Rate:
    """*errors* among *items*; of no item nothing was measured."""

    errors: int
    items: int

    @property
    def share(self) -> float | None:
        """The share of errors, 0..1; None of nothing."""
        return self.errors / self.items if self.items else None

    @property
    def accuracy(self) -> float | None:
        """The share without an error, 0..1; None of nothing."""
        return 1.0 - self.errors / self.items if self.items else None

    def upper_bound(self, confidence: float = CONFIDENCE) -> float | None:
        """Return the bound that the true rate lies below, 0..1; None of nothing.

        >>> (Rate(0, 299).upper_bound() or 1) < 0.01 < (Rate(0, 298).upper_bound() or 1)
        True
        """
        return upper_bound(self.errors, self.items, confidence) if self.items else None

    def as_object(self) -> dict[str, Any]:
        """Return errors, items and the bound as JSON has them."""
        return {"errors": self.errors, "items": self.items, "upper_bound": self.upper_bound()}

    def __str__(self) -> str:
        """In words; of no items it was not measured.

        >>> str(Rate(0, 299)), str(Rate(0, 0))
        ('0 of 299 (true rate below 1.00%)', 'not measured')
        """
        bound = self.upper_bound()
        if bound is None:
            return UNMEASURED
        return f"{self.errors} of {self.items} (true rate below {bound:.2%})"


def upper_bound(errors: int, items: int, confidence: float = CONFIDENCE) -> float:
    """Return the exact one-sided upper bound of a rate; 1 when all are errors, or there are none.

    Source: Clopper and Pearson (1934), by the beta distribution's quantile.
    """
    if errors >= items:
        return 1.0
    if errors == 0:
        return -math.expm1(math.log1p(-confidence) / items)
    return beta_quantile(confidence, errors + 1, items - errors)


def sample_size(limit: float, allowed: int, confidence: float = CONFIDENCE) -> int:
    """Return the least number of items of which *allowed* errors still show a rate below *limit*.

    *limit*: 0..1, both exclusive. Fewer errors then show it too. Raises ValueError where errors are
    allowed and it takes more than :data:`MOST_ITEMS`.

    >>> [sample_size(0.01, allowed) for allowed in (0, 1, 2)]
    [299, 473, 628]
    """
    if not allowed:  # (1 - limit) ** items < 1 - confidence
        return math.floor(math.log(1.0 - confidence) / math.log1p(-limit)) + 1
    low, high = allowed, allowed + 1  # of `low` items it is not shown, of `high` it is
    while upper_bound(allowed, high, confidence) >= limit:
        low, high = high, 2 * high
        if high > 2 * MOST_ITEMS:
            raise ValueError(f"more than {MOST_ITEMS} items")
    while high - low > 1:
        middle = (low + high) // 2
        if upper_bound(allowed, middle, confidence) < limit:
            high = middle
        else:
            low = middle
    return high


def errors_allowed(items: int, limit: float, confidence: float = CONFIDENCE) -> int:
    """Return the most errors among *items* that still show a rate below *limit*; -1 for none.

    >>> errors_allowed(298, 0.01), errors_allowed(299, 0.01), errors_allowed(473, 0.01)
    (-1, 0, 1)
    """
    allowed = -1
    while allowed + 1 < items and upper_bound(allowed + 1, items, confidence) < limit:
        allowed += 1
    return allowed
