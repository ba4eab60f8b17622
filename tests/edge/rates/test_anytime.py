"""The bound that may be looked at at any time holds at all looks together."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest

from edge.rates.anytime import anytime_bound, anytime_size, excludes
from edge.rates.bounds import sample_size, upper_bound


def mixed(errors: int, items: int, behind: int) -> Fraction:
    """The likelihood mixed over Beta(1, *behind*), as an exact fraction."""
    value = Fraction(behind)
    for number in range(1, errors + 1):
        value *= number
    for number in range(errors + 1):
        value /= behind + items - number
    return value


@pytest.mark.parametrize(("errors", "items"), [(0, 1), (0, 327), (1, 624), (3, 40), (7, 9)])
def test_the_ratio_is_the_mixture_s_by_exact_fractions(errors: int, items: int) -> None:
    """A rate is excluded where the exact ratio reaches 1 / alpha, to the last item."""
    for percent in range(1, 100):
        rate = Fraction(percent, 100)
        ratio = mixed(errors, items, 1000) / (rate**errors * (1 - rate) ** (items - errors))
        excluded = excludes(percent / 100, errors, items, 0.95, 0.01)
        assert excluded == (ratio >= 20), (errors, items, percent)


@pytest.mark.parametrize("limit", [0.05, 0.01, 0.001])
@pytest.mark.parametrize("errors", [0, 1, 2])
def test_a_size_is_the_least_that_shows_the_limit(limit: float, errors: int) -> None:
    """One item fewer does not."""
    items = anytime_size(limit, errors, 0.95)
    assert anytime_bound(errors, items, 0.95, limit) <= limit
    assert anytime_bound(errors, items - 1, 0.95, limit) > limit


def test_it_costs_more_items_than_the_bound_of_one_look() -> None:
    """It lies above the exact bound wherever that shows something worth showing."""
    for items in (300, 1000, 5000):
        for errors in (0, 1, 5, 20):
            assert anytime_bound(errors, items, 0.95, 0.01) > upper_bound(errors, items, 0.95)


def test_of_nothing_it_says_nothing() -> None:
    """1 without an item, and when all are errors."""
    assert anytime_bound(0, 0, 0.95, 0.01) == anytime_bound(3, 3, 0.95, 0.01) == 1.0


def ever_shown(limit: float, looks: int, sizes: Sequence[int]) -> float:
    """Return how likely a rate of *limit* itself is shown to lie below it at some look, exactly.

    *looks*: one after each item, so many; *sizes*: the least items for each number of errors.
    """
    chances, shown, most = np.zeros(len(sizes)), 0.0, -1
    chances[0] = 1.0
    for items in range(1, looks + 1):
        chances[1:] = chances[1:] * (1 - limit) + chances[:-1] * limit
        chances[0] *= 1 - limit
        while most + 1 < len(sizes) and sizes[most + 1] <= items:
            most += 1
        shown += chances[: most + 1].sum()
        chances[: most + 1] = 0.0
    return float(shown)


@pytest.mark.parametrize(("limit", "looks"), [(0.01, 4000), (0.05, 1000)])
def test_looked_at_after_each_item_it_is_wrong_no_more_often_than_it_says(
    limit: float, looks: int
) -> None:
    """By the exact chances of all histories; the bound of one look is, far more often."""
    errors = range(150)
    anytime = [anytime_size(limit, k, 0.95) for k in errors]
    assert 0.03 < ever_shown(limit, looks, anytime) <= 0.05
    one_look = [sample_size(limit, k, 0.95) for k in errors]
    assert ever_shown(limit, looks, one_look) > 0.12
