"""Choose the score threshold where the photographs and look-alikes of a trial put it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge.rates.bounds import errors_allowed
from train.assess.breakdown import FEW, nominal_scores
from train.assess.scores import Trial
from train.config import FitSettings

LOWEST, HIGHEST = 0.2, 0.95
"""Bounds of the threshold: below the first a network that has learnt nothing would pass items,
above the last none."""
ABOVE = 1e-3
"""How far above the score that must not pass the threshold lies."""


@dataclass(frozen=True)
class Choice:
    """A threshold, 0..1, and the least one that the user's own photographs allow.

    Where that lies above :data:`HIGHEST`, no threshold is good.
    """

    threshold: float
    floor: float


def choose(trial: Trial, fit: FitSettings) -> Choice:
    """Return the threshold of a trial.

    Photographs without a mark come first: the threshold is never below what they show, with
    ``confidence``, to accept at most ``false_accept_rate`` of such photographs (learn then test;
    for one threshold that is the Clopper-Pearson bound). Where they are too few to show that, none
    of them passes. From there it rises until at most ``lookalike_rate`` of the frames with
    look-alikes are accepted, by their split-conformal quantile (Vovk; Angelopoulos and Bates,
    2021), as long as ``least_found`` of the painted marks under nominal conditions are found (of
    all, where few are).

    It is a setting and no proof: painted marks are no real ones, and the photographs have trained
    the network. Proof is made on photographs that it never saw.
    """
    photographs = [p.score for p in trial.photographs]
    floor = bounded_quantile(photographs, fit.false_accept_rate, fit.confidence) + ABOVE
    alike = conformal_quantile(trial.lookalikes, fit.lookalike_rate) + ABOVE
    nominal = nominal_scores(trial.details)
    marks = np.sort((nominal if len(nominal) >= FEW else trial.marks) + trial.real_marks)
    allowed = int(len(marks) * (1.0 - fit.least_found))  # marks that may be missed
    found = float(marks[allowed]) if len(marks) else 0.0
    wanted = max(floor, min(alike, found), LOWEST)
    return Choice(_shown(min(wanted, HIGHEST)), _shown(max(floor, LOWEST)))


def _shown(threshold: float) -> float:
    """Round down to the four digits that a model file has, which is less than :data:`ABOVE`."""
    return math.floor(threshold * 1e4 + 1e-6) / 1e4


def bounded_quantile(scores: Sequence[float], rate: float, confidence: float) -> float:
    """Return the least of *scores* above which so few lie that *rate* is shown with *confidence*.

    Where there are too few scores for that it is the greatest of them; 0 when there is none.
    Source: Angelopoulos et al., *Learn then Test* (2021), with the thresholds tested from above.

    >>> bounded_quantile([0.9, 0.8, *[0.1] * 471], 0.01, 0.95), bounded_quantile([0.3], 0.01, 0.95)
    (0.8, 0.3)
    """
    if not scores:
        return 0.0
    allowed = max(0, errors_allowed(len(scores), rate, confidence))
    return float(np.sort(scores)[len(scores) - 1 - min(allowed, len(scores) - 1)])


def conformal_quantile(scores: Sequence[float], rate: float) -> float:
    """Return the score that a further one exceeds with probability at most *rate*.

    Where there are too few scores for that rate it is the greatest of them; 0 when there is none.

    >>> conformal_quantile([0.1, 0.2, 0.3, 0.4], 0.25), conformal_quantile([0.1, 0.2], 0.01)
    (0.4, 0.2)
    """
    if not scores:
        return 0.0
    rank = math.ceil((len(scores) + 1) * (1.0 - rate))
    return float(np.sort(scores)[min(rank, len(scores)) - 1])
