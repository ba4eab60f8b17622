"""``stampgate plan``: how many items a claim needs, and how likely a good system shows it."""

import argparse
import json

from edge.printing import print_line
from train.commands import needing


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command and its options."""
    parser.description = (
        "Say how many items a claim needs: with no error, one and two allowed, and what chance a "
        "good system has to pass each. Exact, by the binomial distribution (Clopper and Pearson)."
    )
    parser.add_argument(
        "plan",
        metavar="PLAN",
        help='error rates claimed, each below a limit: "fa<1%% fr<5%% @95%%"; fa, false accepts: '
        "an item without the stamp passes; fr, false rejects: one with it is thrown off; @: the "
        "confidence (default: 95%%)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Print the sample sizes. Raises UsageError for what is no plan."""
    with needing("train"):
        from edge.rates.plan import Plan  # noqa: PLC0415
        from train.proof.plan import plan_lines, plan_object  # noqa: PLC0415

    plan = Plan.parse(arguments.plan)
    lines = [json.dumps(plan_object(plan))] if arguments.json else plan_lines(plan)
    for line in lines:
        print_line(line)
    return 0
