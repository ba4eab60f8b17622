"""Simulate studies and count how often their bound covers the true rate: ``python -m bench.proof``.

For each sample size of a plan, and true rates around its limit, 10,000 studies are drawn. Beside
the simulated coverage stands the exact one, the binomial sum. Exit status 1 when one covers less
than it says; the simulated one has room for five standard errors.
"""

import argparse
import math
import sys
from collections.abc import Iterator

from edge.printing import print_line
from edge.rates.plan import Plan
from train.proof.bounds import coverage, simulated_coverage
from train.proof.plan import sizes

PLANS = ("fa<1% fr<5% @95%", "fa<2% fr<10% @90%", "fa<0.5% @95%", "fa<1% @99%")
TRUE_RATES = (0.05, 0.3, 0.7, 0.999999, 1.000001, 1.5, 3.0)
"""Times the limit."""


def main() -> int:
    """Print a line for each sample size and true rate; return 1 when one covers too little."""
    parser = argparse.ArgumentParser(prog="python -m bench.proof", description=__doc__)
    parser.add_argument("plans", nargs="*", default=PLANS, metavar="PLAN")
    parser.add_argument("--studies", type=int, default=10_000)
    arguments = parser.parse_args()
    print_line(
        f"{'plan':<12}{'items':>7}{'true rate':>12}{'stated':>9}{'exact':>9}{'simulated':>11}"
    )
    short = 0
    for text in arguments.plans:
        short += sum(map(_print_row, _cells(Plan.parse(text), arguments.studies)))
    print_line(f"{short} cover less than they say")
    return int(short > 0)


Cell = tuple[str, int, float, float, float, float, int]


def _cells(plan: Plan, studies: int) -> Iterator[Cell]:
    for claim in plan.claims:
        for size in sizes(claim, plan.confidence):
            for seed, times in enumerate(TRUE_RATES):
                true = claim.limit * times
                exact = coverage(size.items, true, plan.confidence)
                drawn = simulated_coverage(size.items, true, plan.confidence, studies, seed)
                yield str(claim), size.items, true, plan.confidence, exact, drawn, studies


def _print_row(cell: Cell) -> bool:
    claim, items, true, stated, exact, drawn, studies = cell
    room = 5 * math.sqrt(exact * (1 - exact) / studies)
    short = exact < stated - 1e-12 or drawn < exact - room - 1e-9
    print_line(
        f"{claim:<12}{items:>7}{true:>12.6f}{stated:>9.4f}{exact:>9.4f}{drawn:>11.4f}"
        + (" too little" if short else "")
    )
    return short


if __name__ == "__main__":
    sys.exit(main())
