"""Draws from a random generator, each at a fraction of the cost of numpy's own ``uniform``."""

import math

import numpy as np


def happens(rng: np.random.Generator, share: float) -> bool:
    """Draw whether something of this chance, 0..1, happens."""
    return rng.random() < share


def between(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw a number from *low* to *high*, all equally likely."""
    return low + (high - low) * rng.random()


def ratio_between(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw a number from *low* to *high*, both above 0, evenly on a log scale."""
    return math.exp(between(rng, math.log(low), math.log(high)))


def clipped_normal(rng: np.random.Generator, deviation: float) -> float:
    """Draw from a normal distribution about 0 of that standard deviation, clipped to -1..1."""
    return min(max(rng.normal(0.0, deviation), -1.0), 1.0)


def whole(rng: np.random.Generator, end: int) -> int:
    """Draw a whole number from 0 up to and without *end*; 0 where there is none."""
    return int(rng.random() * end)
