"""Draws from a random generator, in few words; each costs a fraction of what numpy's own
``uniform`` does.
"""

import math

import numpy as np


def happens(rng: np.random.Generator, share: float) -> bool:
    """Whether something happens that has this chance, 0..1."""
    return rng.random() < share


def between(rng: np.random.Generator, low: float, high: float) -> float:
    """Any number from *low* to *high*."""
    return low + (high - low) * rng.random()


def ratio_between(rng: np.random.Generator, low: float, high: float) -> float:
    """Any number from *low* to *high*, both above 0, where each doubling is equally likely."""
    return math.exp(between(rng, math.log(low), math.log(high)))


def bell(rng: np.random.Generator, deviation: float) -> float:
    """A number from -1 to 1, mostly near 0: normal with that deviation, cut off."""
    return min(max(rng.normal(0.0, deviation), -1.0), 1.0)


def whole(rng: np.random.Generator, end: int) -> int:
    """Any whole number from 0 up to and without *end*; 0 where there is none."""
    return int(rng.random() * end)
