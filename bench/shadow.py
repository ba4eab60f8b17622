"""Simulate studies in shadow and count how often a bound is wrong: ``python -m bench.shadow``.

Each study is looked at after each shift, as people do, and its true rate is the limit itself, where
a bound that says *below* is wrong. Counted are the studies of which some look was wrong, by the
bound of any look and by the exact one, and those of which the last look's exact bound was. Exit
status 1 when the bound of any look, or the exact one of one look, is wrong more often than it says;
there is room for five standard errors.
"""

import argparse
import math
import sys
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from edge.printing import print_line
from edge.rates.anytime import anytime_size
from edge.rates.bounds import sample_size
from edge.rates.plan import Claim, Plan

PLANS = ("fa<1% fr<5% @95%", "fa<2% fr<10% @90%", "fa<0.5% @95%", "fa<1% @99%")
STUDIES, SHIFTS = 10_000, 60
TITLES = ("a shift", "meant", "any look", "exact, any", "exact, one")
PER_SHIFT = (0.05, 0.5, 2.0)
"""Items of a shift, in items that a claim needs without an error at one look."""


def wrong_shares(
    claim: Claim, confidence: float, shift: int, studies: int, seed: int
) -> tuple[float, float, float]:
    """Return the shares of studies that are wrong: at any look by either bound, at the last.

    *shift*: items between two looks. First the bound of any look, then the exact one, then the
    exact one of the last look alone.
    """
    draw = np.random.default_rng(seed)
    errors = draw.binomial(shift, claim.limit, (studies, SHIFTS)).cumsum(axis=1)
    looks = shift * np.arange(1, SHIFTS + 1)
    most = int(errors.max()) + 1
    anytime = errors <= _most_errors(anytime_size, claim.limit, confidence, looks, most)
    exact = errors <= _most_errors(sample_size, claim.limit, confidence, looks, most)
    shares = (anytime.any(axis=1), exact.any(axis=1), exact[:, -1])
    return tuple(float(wrong.mean()) for wrong in shares)  # type: ignore[return-value]


def _most_errors(
    size: Callable[[float, int, float], int],
    limit: float,
    confidence: float,
    looks: NDArray[np.int64],
    most: int,
) -> NDArray[np.int64]:
    """Return with how many errors at most the limit is shown at each look; -1 for none."""
    sizes: list[int] = []
    while len(sizes) <= most and (not sizes or sizes[-1] <= looks[-1]):
        sizes.append(size(limit, len(sizes), confidence))
    return np.searchsorted(sizes, looks, side="right") - 1


def main() -> int:
    """Print a line for each claim and length of a shift; return 1 when a bound is wrong too often.

    The exact bound that is looked at again and again is counted, and is no reason.
    """
    parser = argparse.ArgumentParser(prog="python -m bench.shadow", description=__doc__)
    parser.add_argument("plans", nargs="*", default=PLANS, metavar="PLAN")
    parser.add_argument("--studies", type=int, default=STUDIES)
    arguments = parser.parse_args()
    print_line(f"{arguments.studies} studies of {SHIFTS} shifts each; wrong in per cent of them")
    print_line(f"{'claim':<12}" + "".join(f"{title:>12}" for title in TITLES))
    wrong = 0
    for text in arguments.plans:
        plan = Plan.parse(text)
        wrong += sum(_print_row(*cell, arguments.studies) for cell in _cells(plan))
    print_line(f"{wrong} are wrong more often than they say")
    return int(wrong > 0)


def _cells(plan: Plan) -> Iterator[tuple[Claim, float, int]]:
    for claim in plan.claims:
        for part in PER_SHIFT:
            yield claim, plan.confidence, round(part * sample_size(claim.limit, 0, plan.confidence))


def _print_row(claim: Claim, confidence: float, shift: int, studies: int) -> bool:
    meant = 1 - confidence
    any_look, exact_any, exact_one = wrong_shares(claim, confidence, shift, studies, shift)
    room = 5 * math.sqrt(meant * (1 - meant) / studies)
    too_often = max(any_look, exact_one) > meant + room
    shares = "".join(f"{100 * share:>12.2f}" for share in (any_look, exact_any, exact_one))
    said = " too often" if too_often else ""
    print_line(f"{claim!s:<12}{shift:>12}{100 * meant:>12.1f}{shares}{said}")
    return too_often


if __name__ == "__main__":
    sys.exit(main())
