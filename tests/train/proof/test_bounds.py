"""Every figure against an independent computation: binomial sums by hand, and a published table."""

import math
from fractions import Fraction

import pytest

from train.judge.rates import upper_bound
from train.proof import bounds

TABLE = {  # limit: items at 95 % for no error, one and two; shared design notes, D3
    0.05: (59, 93, 124),
    0.02: (149, 236, 313),
    0.01: (299, 473, 628),
    0.005: (598, 947, 1258),
    0.001: (2995, 4742, 6294),
}


def at_most(errors: int, items: int, rate: Fraction) -> Fraction:
    """The probability of at most *errors* in *items*, summed exactly."""
    return sum(
        (math.comb(items, k) * rate**k * (1 - rate) ** (items - k) for k in range(errors + 1)),
        Fraction(0),
    )


@pytest.mark.parametrize("limit", TABLE)
def test_sample_sizes_are_those_of_the_table(limit: float) -> None:
    """At 95 %, for 0, 1 and 2 errors."""
    assert tuple(bounds.sample_size(limit, k, 0.95) for k in range(3)) == TABLE[limit]


def test_sample_sizes_at_99_percent() -> None:
    """Another confidence, from the same notes."""
    assert [bounds.sample_size(0.01, k, 0.99) for k in range(3)] == [459, 662, 838]


@pytest.mark.parametrize(("allowed", "items"), [(0, 299), (1, 473), (2, 628)])
def test_a_sample_size_is_the_least_by_exact_sums(allowed: int, items: int) -> None:
    """So few errors have less than 5 % at the limit, and with one item fewer they have more."""
    limit = Fraction(1, 100)
    tail = Fraction(1, 20)
    assert at_most(allowed, items, limit) < tail < at_most(allowed, items - 1, limit)


@pytest.mark.parametrize(
    ("errors", "items", "confidence"),
    [(0, 1, 0.95), (0, 300, 0.95), (3, 130, 0.95), (46, 52, 0.99), (9, 10, 0.9), (2, 6294, 0.95)],
)
def test_the_bound_is_where_the_tail_is_what_is_left(
    errors: int, items: int, confidence: float
) -> None:
    """Clopper and Pearson's definition, by an exact sum."""
    bound = Fraction(upper_bound(errors, items, confidence))
    assert float(at_most(errors, items, bound)) == pytest.approx(1 - confidence, rel=1e-9)


def test_the_ends_of_the_bound() -> None:
    """All wrong shows nothing; of no item nothing was measured."""
    assert upper_bound(5, 5, 0.95) == 1.0
    assert bounds.Rate(0, 0).share is None
    assert bounds.Rate(0, 0).upper_bound(0.95) is None
    assert bounds.Rate(1, 4).share == 0.25
    assert bounds.Rate(0, 10).upper_bound(0.95) == pytest.approx(1 - 0.05**0.1)


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
