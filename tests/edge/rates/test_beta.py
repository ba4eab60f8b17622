"""The beta distribution of the box, against scipy, which only the desktop has."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import betainc
from scipy.stats import beta

from edge.rates.beta import beta_cdf, beta_quantile, log_beta
from edge.rates.bounds import upper_bound

ITEMS = (1, 2, 59, 299, 473, 1000, 12_345, 10**5, 10**6, 10**7)


@pytest.mark.parametrize("items", ITEMS)
@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.99, 0.9999])
def test_the_bound_is_scipy_s(items: int, confidence: float) -> None:
    """To one in 10^9, from no error to all but one, of one item and of ten million."""
    for errors in sorted({0, 1, 2, 5, items // 100, items // 10, items // 2, items - 1}):
        if errors < items:
            wanted = beta.ppf(confidence, errors + 1, items - errors)
            found = upper_bound(errors, items, confidence)
            assert found == pytest.approx(wanted, rel=1e-9, abs=0), (errors, items)


def test_the_incomplete_beta_function_is_scipy_s() -> None:
    """At 1,000 points drawn over ten decades of both its numbers."""
    draw = random.Random(14)
    for _ in range(1000):
        a, b = 10 ** draw.uniform(-1, 6), 10 ** draw.uniform(-1, 6)
        x = draw.random() ** draw.choice((1, 4))
        assert beta_cdf(x, a, b) == pytest.approx(betainc(a, b, x), rel=0, abs=1e-9), (x, a, b)


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.floats(0.001, 0.999))
def test_quantile_and_distribution_are_one_another_s_inverse(a: int, b: int, chance: float) -> None:
    """For any whole numbers."""
    assert beta_cdf(beta_quantile(chance, a, b), a, b) == pytest.approx(chance, abs=1e-8)


def test_the_ends_of_the_distribution() -> None:
    """Nothing lies below 0, all below 1."""
    assert [beta_cdf(x, 2, 3) for x in (-1.0, 0.0, 1.0, 2.0)] == [0.0, 0.0, 1.0, 1.0]


def test_the_beta_function_is_exact_for_small_whole_numbers() -> None:
    """B(a, b) is (a - 1)! (b - 1)! / (a + b - 1)!."""
    for a in range(1, 30):
        for b in range(1, 30):
            exact = math.comb(a + b - 2, a - 1) * (a + b - 1)
            assert math.exp(-log_beta(a, b)) == pytest.approx(exact, rel=1e-11)
