"""A bound of a rate that holds however often one looks: a confidence sequence.

The exact bound of :mod:`edge.rates.bounds` holds for one look, at a number of items that was said
before. Who looks after each shift, and stops when the bound is good enough, is wrong more often
than it says. This one holds at all looks together.

Source: the beta mixture of Robbins (1970, Ann. Math. Statist. 41), with the inequality of Ville, as
Howard, Ramdas, McAuliffe and Sekhon (2021, Ann. Statist. 49) have it. Against the true rate p the
ratio of the likelihoods, mixed over other rates, to that of p is a martingale of mean 1, so it ever
reaches 1 / alpha with a chance of at most alpha. The bound is the greatest rate that it has not
reached. The weights of the mixture must be chosen before the first item: they are those of a beta
distribution whose mean is a tenth of the limit that is claimed, of a system that is worth claiming
it of.
"""

import math
from functools import cache

from edge.rates.beta import log_beta

BETTER = 10
"""The mixture's mean is the limit divided by this."""
MOST_ITEMS = 10_000_000
STEPS = 200
"""Halvings of the bisection; it ends sooner, when two floats are next to one another."""


def anytime_bound(errors: int, items: int, confidence: float, limit: float) -> float:
    """Return the bound that the true rate lies below, 0..1; 1 of nothing, and when all are errors.

    *limit*: the rate that is claimed, 0..1, chosen before the first item.

    >>> anytime_bound(0, 328, 0.95, 0.01) < 0.01 < anytime_bound(0, 320, 0.95, 0.01)
    True
    """
    if errors >= items:
        return 1.0
    low, high = errors / items, 1.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if excludes(middle, errors, items, confidence, limit):
            high = middle
        else:
            low = middle
    return high


def excludes(rate: float, errors: int, items: int, confidence: float, limit: float) -> bool:
    """Return whether a true *rate* above the share of errors is excluded, 0..1 exclusive."""
    return _log_ratio(rate, errors, items, limit) >= -math.log1p(-confidence)


@cache
def anytime_size(limit: float, errors: int, confidence: float) -> int:
    """Return the least number of items of which *errors* errors show a rate below *limit*.

    Raises ValueError where it takes more than :data:`MOST_ITEMS`.

    >>> [anytime_size(0.01, errors, 0.95) for errors in (0, 1, 2)]
    [327, 625, 878]
    """
    low, high = errors, 2 * errors + 1
    while not excludes(limit, errors, high, confidence, limit) or errors / high >= limit:
        low, high = high, 2 * high
        if high > 2 * MOST_ITEMS:
            raise ValueError(f"more than {MOST_ITEMS} items")
    while high - low > 1:
        middle = (low + high) // 2
        shown = errors / middle < limit and excludes(limit, errors, middle, confidence, limit)
        low, high = (low, middle) if shown else (middle, high)
    return high


def _log_ratio(rate: float, errors: int, items: int, limit: float) -> float:
    """Return the logarithm of the mixed likelihood over that of *rate*."""
    ahead, behind = 1.0, BETTER / limit
    mixed = log_beta(ahead + errors, behind + items - errors) - log_beta(ahead, behind)
    return mixed - errors * math.log(rate) - (items - errors) * math.log1p(-rate)
