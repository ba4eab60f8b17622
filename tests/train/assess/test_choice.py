"""The threshold: photographs first, then look-alikes as far as the marks allow."""

import numpy as np
import pytest

from train.assess.choice import ABOVE, HIGHEST, LOWEST, choose, conformal_quantile
from train.assess.scores import Scored, Trial
from train.config import FitSettings

FIT = FitSettings()
NONE = tuple(Scored(str(number), 0.0) for number in range(400))


def _trial(
    marks: tuple[float, ...], lookalikes: tuple[float, ...], photographs: tuple[float, ...]
) -> Trial:
    scored = tuple(Scored(f"p{number}.jpg", score) for number, score in enumerate(photographs))
    return Trial(marks, (), lookalikes, scored)


def test_no_photograph_passes_whatever_it_costs() -> None:
    """Even when most marks score lower than one of them."""
    chosen = choose(_trial((0.3,) * 100, (0.1,) * 400, (0.1,) * 399 + (0.7,)), FIT)
    assert chosen.threshold == chosen.floor == pytest.approx(0.7 + ABOVE)


def test_look_alikes_raise_it_only_as_far_as_the_marks_are_found() -> None:
    """Photographs allow 0.4; the look-alikes want 0.8; three of a hundred marks may be missed."""
    marks = tuple(np.linspace(0.5, 0.9, 101))
    chosen = choose(_trial(marks, (0.8,) * 400, (0.4,) * 400), FIT)
    assert chosen.threshold == pytest.approx(marks[3])
    assert sum(mark >= chosen.threshold for mark in marks) / 101 >= FIT.least_found
    easy = choose(_trial((0.9,) * 100, (0.6,) * 400, (0.4,) * 400), FIT)
    assert easy.threshold == pytest.approx(0.6 + ABOVE)


def test_real_marks_count_as_the_painted_ones_do() -> None:
    """A labelled photograph that is missed lowers the threshold, too."""
    few = Trial((0.9,) * 60, (0.5,) * 40, (0.8,) * 400, NONE)
    assert choose(few, FIT).threshold == 0.5


def test_it_stays_within_its_bounds_and_says_when_none_is_good() -> None:
    """A network that knows nothing, and one that finds the mark in every photograph."""
    assert choose(_trial((0.0,) * 9, (0.0,) * 9, (0.0,) * 9), FIT).threshold == LOWEST
    hopeless = choose(_trial((0.99,) * 9, (0.1,) * 9, (0.99,) * 9), FIT)
    assert hopeless.threshold == HIGHEST < hopeless.floor


@pytest.mark.parametrize("rate", [0.01, 0.1])
def test_a_further_score_exceeds_the_quantile_as_often_as_promised(rate: float) -> None:
    """Split-conformal: the promise holds on average over the draws, whatever the scores are."""
    rng = np.random.default_rng(5)
    exceeded = 0
    for _ in range(4000):
        *known, further = rng.beta(2, 5, 150).tolist()
        exceeded += further > conformal_quantile(known, rate)
    assert exceeded / 4000 <= rate + 3 * (rate / 4000) ** 0.5
    assert exceeded / 4000 >= rate / 2


def test_of_too_few_scores_it_is_the_greatest_and_of_none_it_is_zero() -> None:
    """Then a further one exceeds it once in n + 1 times."""
    assert conformal_quantile([0.3, 0.9, 0.1], 0.002) == 0.9
    assert conformal_quantile([], 0.002) == 0.0
