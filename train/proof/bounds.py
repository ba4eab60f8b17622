"""What a study is worth: chance to pass, frames of one item, coverage of the bound, and economics.

The bound itself is in :mod:`edge.rates.bounds`.
"""

from collections.abc import Sequence

import numpy as np
from scipy.stats import binom

from edge.rates.bounds import upper_bound


def pass_chance(items: int, allowed: int, true_rate: float) -> float:
    """Return how likely a system of *true_rate* makes at most *allowed* errors in *items*, 0..1.

    >>> round(pass_chance(299, 0, 0.001), 2)
    0.74
    """
    return float(binom.cdf(allowed, items, true_rate))


def design_effect(frames: int, correlation: float) -> float:
    """Return by how much *frames* frames of each item are worth less than as many items.

    *correlation*: of the errors within an item (intra-class), 0..1. Source: Kish, Survey Sampling
    (1965), section 5.4.
    """
    return 1.0 + (frames - 1) * correlation


def worth(frames: int, each: int, correlation: float) -> float:
    """Return how many independent items *frames* frames are worth, *each* of one item.

    >>> round(worth(300, 10, 0.5), 1), round(worth(300, 30, 0.3), 1)
    (54.5, 30.9)
    """
    return frames / design_effect(each, correlation)


def coverage(items: int, true_rate: float, confidence: float) -> float:
    """Return how likely the bound of *items* lies at or above *true_rate*, 0..1: exactly.

    It is the sum over all numbers of errors whose bound does, by their binomial probabilities.
    """
    errors = np.arange(items + 1)
    bounds = np.array([upper_bound(int(k), items, confidence) for k in errors])
    return min(1.0, float(binom.pmf(errors, items, true_rate)[bounds >= true_rate].sum()))


def escapes_per_million(unstamped: float, false_accept: float) -> float:
    """Return how many of a million products are unstamped and pass.

    *unstamped*: share of products that bear no stamp, 0..1.

    >>> escapes_per_million(0.001, 0.01)
    10.0
    """
    return round(1e6 * unstamped * false_accept, 9)


def good_rejects(unstamped: float, false_accept: float, false_reject: float) -> float | None:
    """Return the share of all rejected products that bear a stamp, None when none is rejected.

    >>> round(good_rejects(0.001, 0.0, 0.01) or 0, 3)
    0.909
    """
    good = (1 - unstamped) * false_reject
    rejected = good + unstamped * (1 - false_accept)
    return good / rejected if rejected else None


def simulated_coverage(
    items: int, true_rate: float, confidence: float, studies: int, seed: int
) -> float:
    """Return the share of simulated studies whose bound lies at or above *true_rate*, 0..1."""
    errors = np.random.default_rng(seed).binomial(items, true_rate, studies)
    bounds = {int(k): upper_bound(int(k), items, confidence) for k in np.unique(errors)}
    return float(np.mean([bounds[int(k)] >= true_rate for k in errors]))


def det_points(
    unstamped: Sequence[float], stamped: Sequence[float]
) -> tuple[list[float], list[float], list[float]]:
    """Return thresholds, and the shares falsely accepted and rejected at each, for a DET curve.

    *unstamped*, *stamped*: best score of each item, 0..1; a score at the threshold is accepted.
    """
    thresholds = sorted({*unstamped, *stamped, 0.0, 1.0})
    without, with_mark = np.sort(unstamped), np.sort(stamped)
    accepts = 1.0 - np.searchsorted(without, thresholds, side="left") / max(1, len(without))
    rejects = np.searchsorted(with_mark, thresholds, side="left") / max(1, len(with_mark))
    return thresholds, [float(a) for a in accepts], [float(r) for r in rejects]
