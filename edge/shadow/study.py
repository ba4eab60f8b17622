"""The figures of a study in shadow: error rates of all items whose truth is known, per item."""

import math
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from edge.rates.anytime import anytime_bound, anytime_size
from edge.rates.bounds import Rate, sample_size, upper_bound
from edge.rates.plan import Claim, Kind, Plan
from edge.shadow.observed import Observed, Shadow
from edge.shadow.statements import Statements

CENSORED_BELOW = 0.001
"""Truth that depends on the verdict comes by chance alone no more often than this."""
CENSORED_BY = 0.01
"""Least difference of the shares with a known truth that is worth telling."""


@dataclass
class Share:
    """How many of some items have a known truth."""

    known: int = 0
    items: int = 0

    def count(self, *, known: bool) -> None:
        """Count one item."""
        self.known += known
        self.items += 1

    @property
    def value(self) -> float:
        """The share, 0..1; 0 of nothing."""
        return self.known / self.items if self.items else 0.0


@dataclass
class Figures:
    """Counts of the items of one study.

    *errors*: false accepts among the items without the stamp, false rejects among those with it; a
    FAULT throws an item off as a REJECT does. *of_passes*, *of_rejects*: how many have a truth.
    *unclear*: items of which the photo-eye behind the people could not tell. *corrected*: items of
    which people said otherwise than that photo-eye. *other_studies*: items that do not count.
    """

    errors: dict[Kind, int] = field(default_factory=lambda: {"fa": 0, "fr": 0})
    items: dict[Kind, int] = field(default_factory=lambda: {"fa": 0, "fr": 0})
    of_passes: Share = field(default_factory=Share)
    of_rejects: Share = field(default_factory=Share)
    unclear: int = 0
    corrected: int = 0
    other_studies: int = 0
    lost: int = 0
    amiss: str = ""

    def rate(self, kind: Kind) -> Rate:
        """Return the rate of errors of one kind."""
        return Rate(self.errors[kind], self.items[kind])

    def count(self, item: Observed, truth: str) -> None:
        """Count one item of the study; *truth*: good, bad, or empty where it is not known."""
        share = self.of_passes if item.passes else self.of_rejects
        share.count(known=bool(truth))
        self.unclear += not truth and item.by_eye == "unclear"
        self.corrected += bool(truth) and item.by_eye in ("good", "bad") and item.by_eye != truth
        if truth:
            kind: Kind = "fa" if truth == "bad" else "fr"
            self.items[kind] += 1
            self.errors[kind] += item.passes == (kind == "fa")

    @property
    def without_truth(self) -> int:
        """Number of items that do not count, because nobody said what they are."""
        shares = (self.of_passes, self.of_rejects)
        return sum(share.items - share.known for share in shares)

    @property
    def is_censored(self) -> bool:
        """Whether the truth depends on the verdict (verification bias), so that no bound holds."""
        passes, rejects = self.of_passes, self.of_rejects
        if abs(passes.value - rejects.value) <= CENSORED_BY or not (passes.items and rejects.items):
            return False
        return chance_as_uneven(passes, rejects) < CENSORED_BELOW


@dataclass(frozen=True)
class Standing:
    """How far one claim of the plan is shown.

    *exact*: the exact bound at this one look; *anytime*: the bound at any look, by which the claim
    is shown or not. *missing*: items that must still come, at least, without another error, by that
    bound; *missing_exact*: the same for one look, of a number that was said before.
    """

    claim: Claim
    rate: Rate
    exact: float
    anytime: float
    missing: int
    missing_exact: int

    @property
    def is_shown(self) -> bool:
        """Whether the rate lies below its limit."""
        return self.missing == 0


def figures_of(
    shadow: Shadow, said: Statements, study: str, chosen: Iterable[int] | None = None
) -> Figures:
    """Count the items of one study, or of these those that are *chosen*, by their numbers."""
    figures = Figures(lost=shadow.lost, amiss=shadow.amiss)
    for number in shadow.items if chosen is None else chosen:
        if (item := shadow.items.get(number)) is None:
            continue
        if item.study == study:
            figures.count(item, truth_of(item, said.truths.get(number, "")))
        else:
            figures.other_studies += 1
    return figures


def truth_of(item: Observed, said: str) -> str:
    """Return what an item is, by what people *said*, or else by the photo-eye behind them."""
    return said or (item.by_eye if item.by_eye in ("good", "bad") else "")


def standings(figures: Figures, plan: Plan) -> tuple[Standing, ...]:
    """Return how far each claim of a plan is shown."""
    return tuple(_standing(figures.rate(claim.kind), claim, plan) for claim in plan.claims)


def _standing(rate: Rate, claim: Claim, plan: Plan) -> Standing:
    confidence, limit = plan.confidence, claim.limit
    needed = _size(anytime_size, limit, rate.errors, confidence)
    needed_exact = _size(sample_size, limit, rate.errors, confidence)
    return Standing(
        claim,
        rate,
        upper_bound(rate.errors, rate.items, confidence),
        anytime_bound(rate.errors, rate.items, confidence, limit),
        max(0, needed - rate.items),
        max(0, needed_exact - rate.items),
    )


def _size(size: Callable[[float, int, float], int], *given: Any) -> int:
    """Return a sample size; of one that nobody looks for the largest, which is not reached."""
    try:
        return size(*given)
    except ValueError:
        return sys.maxsize


def is_shown(figures: Figures, plan: Plan) -> bool:
    """Return whether every claim is shown, by items whose truth does not depend on the verdict."""
    claims = all(standing.is_shown for standing in standings(figures, plan))
    return claims and not figures.is_censored and not figures.amiss


def chance_as_uneven(one: Share, other: Share) -> float:
    """Return how likely known truths, spread by chance, come as unevenly, either way.

    It is Fisher's exact test, twice the smaller tail of the hypergeometric distribution.

    >>> round(chance_as_uneven(Share(3, 10), Share(3, 10)), 2)
    1.0
    >>> chance_as_uneven(Share(0, 100), Share(10, 10)) < 1e-9
    True
    """
    known, whole = one.known + other.known, one.items + other.items
    least, most = max(0, known - other.items), min(known, one.items)

    def chance(count: int) -> float:
        ways = _log_choose(one.items, count) + _log_choose(other.items, known - count)
        return math.exp(ways - _log_choose(whole, known))

    tails = []
    for step, end in ((-1, least), (1, most)):
        count, total = one.known, chance(one.known)
        while count != end:
            count += step
            term = chance(count)
            total += term
            if term <= 1e-12 * total:
                break
        tails.append(total)
    return min(1.0, 2 * min(tails))


def _log_choose(items: int, count: int) -> float:
    return math.lgamma(items + 1) - math.lgamma(count + 1) - math.lgamma(items - count + 1)
