"""The binomial distribution by exact sums of fractions, for tests of bounds."""

import math
from fractions import Fraction


def at_most(errors: int, items: int, rate: Fraction) -> Fraction:
    """The probability of at most *errors* in *items*, summed exactly."""
    return sum(
        (math.comb(items, k) * rate**k * (1 - rate) ** (items - k) for k in range(errors + 1)),
        Fraction(0),
    )
