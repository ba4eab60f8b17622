"""The exact bound and its sample sizes, against sums of fractions and a published table."""

from fractions import Fraction

import pytest

from edge.rates.bounds import Rate, errors_allowed, sample_size, upper_bound
from tests.edge.rates.binomial import at_most

TABLE = {  # limit: items at 95 % for no error, one and two; shared design notes, D3
    0.05: (59, 93, 124),
    0.02: (149, 236, 313),
    0.01: (299, 473, 628),
    0.005: (598, 947, 1258),
    0.001: (2995, 4742, 6294),
}


@pytest.mark.parametrize("limit", TABLE)
def test_sample_sizes_are_those_of_the_table(limit: float) -> None:
    """At 95 %, for 0, 1 and 2 errors."""
    assert tuple(sample_size(limit, k, 0.95) for k in range(3)) == TABLE[limit]


def test_sample_sizes_at_99_percent() -> None:
    """Another confidence, from the same notes."""
    assert [sample_size(0.01, k, 0.99) for k in range(3)] == [459, 662, 838]


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
    assert Rate(0, 0).share is None
    assert Rate(0, 0).upper_bound(0.95) is None
    assert Rate(1, 4).share == 0.25
    assert Rate(0, 10).upper_bound(0.95) == pytest.approx(1 - 0.05**0.1)
    assert [Rate(1, 4).accuracy, Rate(0, 0).accuracy] == [0.75, None]


@pytest.mark.parametrize("limit", [1e-9, 0.002, 0.01, 0.37, 0.5])
@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.9999])
def test_without_an_error_the_closed_form_is_the_least_sample(
    limit: float, confidence: float
) -> None:
    """For every limit that the settings take: (1 - limit) ** items is what is left."""
    items = sample_size(limit, 0, confidence)
    assert upper_bound(0, items, confidence) <= limit * (1 + 1e-6)
    assert items == 1 or upper_bound(0, items - 1, confidence) >= limit * (1 - 1e-6)


@pytest.mark.parametrize("items", [1, 58, 59, 298, 299, 473, 1497])
@pytest.mark.parametrize("limit", [0.002, 0.01, 0.05])
def test_errors_allowed_and_sample_sizes_are_one_another_s_inverse(
    items: int, limit: float
) -> None:
    """So many errors are shown by these items, one more is not."""
    allowed = errors_allowed(items, limit)
    assert allowed < 0 or sample_size(limit, allowed) <= items
    assert sample_size(limit, allowed + 1) > items


def test_a_limit_that_no_study_can_show_with_errors_is_refused() -> None:
    """Rather than counting for ever."""
    with pytest.raises(ValueError, match="more than"):
        sample_size(1e-9, 1)
