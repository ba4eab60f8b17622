"""Every figure against an independent computation: binomial sums by hand."""

import math
from fractions import Fraction

import pytest

from edge.rates.bounds import upper_bound
from tests.edge.rates.binomial import at_most
from train.proof import bounds


@pytest.mark.parametrize(
    ("items", "allowed", "rate", "percent"),
    [(299, 0, 0.001, 74), (299, 0, 0.0005, 86), (473, 1, 0.001, 92), (473, 1, 0.0005, 98)],
)
def test_the_chance_of_a_good_system(items: int, allowed: int, rate: float, percent: int) -> None:
    """The figures of the notes, and the same by an exact sum."""
    chance = bounds.pass_chance(items, allowed, rate)
    assert round(100 * chance) == percent
    assert chance == pytest.approx(float(at_most(allowed, items, Fraction(rate))), rel=1e-9)


@pytest.mark.parametrize("items", [1, 12, 59, 93])
def test_the_bound_covers_at_least_as_often_as_it_says(items: int) -> None:
    """Coverage summed exactly over all outcomes, at rates that jump over each bound's edges."""
    edges = [upper_bound(k, items, 0.95) for k in range(min(items, 8))]
    rates = [rate for edge in edges for rate in (edge * 0.999999, edge * 1.000001) if rate < 1]
    rates += [0.0005, 0.01, 0.05, 0.3]
    for rate in rates:
        assert bounds.coverage(items, rate, 0.95) >= 0.95 - 1e-12
    by_hand = sum(
        math.comb(items, k) * 0.05**k * 0.95 ** (items - k)
        for k in range(items + 1)
        if upper_bound(k, items, 0.95) >= 0.05
    )
    assert bounds.coverage(items, 0.05, 0.95) == pytest.approx(by_hand, rel=1e-9)


def test_simulated_studies_cover_as_the_sum_says() -> None:
    """The long run is ``python -m bench.proof``; this one has 2,000 studies."""
    exact = bounds.coverage(93, 0.04, 0.95)
    simulated = bounds.simulated_coverage(93, 0.04, 0.95, 2_000, seed=1)
    assert simulated == pytest.approx(exact, abs=5 * math.sqrt(exact * (1 - exact) / 2_000))


def test_frames_are_worth_what_the_design_effect_says() -> None:
    """Frames that err together are one item; those that err apart are as many."""
    assert bounds.design_effect(10, 0.5) == 5.5
    assert bounds.worth(300, 10, 1.0) == 30
    assert bounds.worth(300, 10, 0.0) == 300
    assert bounds.worth(7, 1, 0.9) == 7


def test_escapes_and_good_rejects_by_hand() -> None:
    """One in a thousand unstamped; the figures of the notes: 10 ppm, about 10 of 11."""
    assert bounds.escapes_per_million(0.001, 0.01) == 10
    assert bounds.escapes_per_million(0.01, 0.01) == 100
    good, bad = 999_000 * 0.01, 1_000 * 1.0
    assert bounds.good_rejects(0.001, 0.0, 0.01) == pytest.approx(good / (good + bad))
    assert bounds.good_rejects(0.0, 0.5, 0.0) is None


def test_the_det_curve_counts_at_each_threshold() -> None:
    """Compared with counting one by one."""
    unstamped, stamped = [0.0, 0.1, 0.1, 0.7], [0.2, 0.7, 0.9]
    for at, accepts, rejects in zip(*bounds.det_points(unstamped, stamped), strict=True):
        assert accepts == sum(score >= at for score in unstamped) / 4
        assert rejects == pytest.approx(sum(score < at for score in stamped) / 3)
