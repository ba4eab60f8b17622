"""The p-chart's limits against the binomial distribution, and against simulated lines."""

import random
from itertools import accumulate, pairwise
from math import comb

import pytest

from edge.alarms.chart import Chart, lower_limit, onset_rate, upper_limit


def binomial(count: int, items: int, rate: float) -> float:
    """The probability of that count, by whole numbers where there are any."""
    return comb(items, count) * rate**count * (1 - rate) ** (items - count)


@pytest.mark.parametrize(("window", "rate"), [(20, 0.02), (200, 0.005), (200, 0.3), (1000, 0.01)])
@pytest.mark.parametrize("run_length", [1e3, 1e7])
def test_the_limit_is_the_first_whose_false_alarms_are_as_rare_as_asked(
    window: int, rate: float, run_length: float
) -> None:
    """By the formula written out anew; one count less would sound too often."""
    limit = upper_limit(window, rate, run_length)
    assert limit is not None
    often = [rate * (1 - rate) * binomial(c - 1, window - 1, rate) for c in (limit - 1, limit)]
    assert often[1] <= 1 / run_length
    assert often[0] > 1 / run_length or limit - 1 <= window * rate


def test_the_lower_limit_is_the_last_that_is_rare_enough() -> None:
    """And there is none where a window without any is nothing rare."""
    limit = lower_limit(1000, 0.05, 1e7)
    assert limit is not None
    often = [0.05 * 0.95 * binomial(count, 999, 0.05) for count in (limit, limit + 1)]
    assert often[0] <= 1e-7 < often[1]
    assert lower_limit(200, 0.005, 1e7) is None


def test_the_stated_run_length_is_that_of_a_simulated_line() -> None:
    """Beginnings of a count in a sliding window, counted over 400,000 items."""
    window, rate, limit, items = 50, 0.05, 6, 400_000
    draw = random.Random(3)
    events = [draw.random() < rate for _ in range(items)]
    sums = [0, *accumulate(events)]
    counts = [sums[n] - sums[max(0, n - window)] for n in range(items + 1)]
    begun = sum(b >= limit > a for a, b in pairwise(counts))
    wanted = onset_rate(limit - 1, window - 1, rate) * items
    assert wanted > 200
    assert abs(begun - wanted) < 5 * wanted**0.5 * 2  # they come in clusters


@pytest.mark.parametrize(("window", "rate"), [(200, 0.005), (200, 0.02), (1000, 0.03)])
def test_a_line_at_its_rate_sounds_no_alarm(window: int, rate: float) -> None:
    """In 20,000 items, one chance in a thousand that it did."""
    draw, chart = random.Random(window), Chart(window, 2e7)
    chart.agree(rate, rate)
    for _ in range(20_000):
        chart.note(draw.random() < rate)
        assert chart.state == ""


def test_a_rate_ten_times_as_high_sounds_within_a_window_and_ends_with_its_cause() -> None:
    """It is not silenced by one good item, and not by anybody."""
    chart, draw = Chart(200, 1e7), random.Random(1)
    chart.agree(0.01, 0.01)
    history = []
    for number in range(2000):
        rate = 0.1 if 500 <= number < 700 else 0.01
        chart.note(draw.random() < rate)
        history.append(chart.state)
    begun = history.index("high")
    ended = len(history) - 1 - history[::-1].index("high")
    assert 500 < begun < 700 < ended < 1000
    assert set(history[begun : ended + 1]) == {"high"}, "one alarm, not one after another"


def test_a_box_that_rejects_nothing_any_more_is_too_low() -> None:
    """A stamp on the lens would let everything pass: the only sign is that rejects stay away."""
    chart = Chart(1000, 1e7)
    chart.agree(0.05, 0.05)
    for number in range(1000):
        chart.note(number % 20 == 0)
        assert chart.state == "", "not before the window is full"
    states = []
    for _ in range(1000):
        chart.note(False)
        states.append(chart.state)
    assert states[500] == ""
    assert states[-1] == "low"
    for number in range(1000):
        chart.note(number % 20 == 0)
    assert chart.state == ""
