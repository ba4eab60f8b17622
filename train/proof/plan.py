"""The sample sizes of a plan, each with the chance to pass of a good system.

The plan's own text is read by :mod:`edge.rates.plan`.
"""

from dataclasses import dataclass
from typing import Any

from edge.rates.anytime import anytime_size
from edge.rates.bounds import sample_size
from edge.rates.plan import ITEMS, Claim, Plan, percent
from train.proof.bounds import pass_chance, worth

ALLOWED_ERRORS = (0, 1, 2)
GOODNESS = (2, 5, 10, 20)
"""A good system errs by so many times less than the limit: the columns of the table of chances."""
FRAMES, CORRELATIONS = (2, 5, 10, 30), (0.1, 0.3, 0.5)
"""Frames of each item, and correlations of the errors in them, of the table of frames."""
CHANCE_OF = "items {}, and the chance to pass of a system whose true rate is"


@dataclass(frozen=True)
class Size:
    """A sample size: with at most *allowed* errors in *items* items a claim is shown.

    *chances*: for each of :data:`GOODNESS`, how likely a system whose true rate is the limit
    divided by it makes no more errors.
    """

    allowed: int
    items: int
    chances: tuple[float, ...]


def sizes(claim: Claim, confidence: float) -> tuple[Size, ...]:
    """Return the sample sizes of a claim for no error, one and two. Raises UsageError."""
    found = []
    for allowed in ALLOWED_ERRORS:
        items = sample_size(claim.limit, allowed, confidence)
        chances = tuple(pass_chance(items, allowed, claim.limit / better) for better in GOODNESS)
        found.append(Size(allowed, items, chances))
    return tuple(found)


def both_chances(plan: Plan) -> tuple[tuple[float, ...], ...]:
    """Return the chances to pass all claims with 0, 1 and 2 errors allowed in each."""
    rows = [sizes(claim, plan.confidence) for claim in plan.claims]
    together = []
    for row in zip(*rows, strict=True):
        product = [1.0] * len(GOODNESS)
        for size in row:
            product = [a * b for a, b in zip(product, size.chances, strict=True)]
        together.append(tuple(product))
    return tuple(together)


def plan_lines(plan: Plan) -> list[str]:
    """Return the plan's sample sizes and chances as lines of text."""
    lines = [f"plan {plan}: {plan.words}"]
    for claim in plan.claims:
        rates = [f"{percent(claim.limit / better, ' ')}" for better in GOODNESS]
        lines += [
            "",
            f"{claim.words}: {CHANCE_OF.format(ITEMS[claim.kind])}",
            f"{'errors allowed':>16}{'items':>9}" + "".join(f"{rate:>11}" for rate in rates),
        ]
        lines += [_size_line(size) for size in sizes(claim, plan.confidence)]
        lines.append(_shadow_line(claim, plan.confidence))
    if len(plan.claims) > 1:
        said = [f"{_times(better)} better" for better in GOODNESS]
        lines += [
            "",
            "both claims, of a system better than both limits by as much",
            f"{'errors allowed':>16}{'':>9}" + "".join(f"{text:>11}" for text in said),
        ]
        lines += [
            f"{allowed:>16}{'':>9}" + "".join(f"{_chance(c):>11}" for c in chances)
            for allowed, chances in zip(ALLOWED_ERRORS, both_chances(plan), strict=True)
        ]
        joint = 1 - len(plan.claims) * (1 - plan.confidence)
        lines.append(
            f"each bound holds by itself at {percent(plan.confidence, ' ')}; both together at no "
            f"less than {percent(joint, ' ')}"
        )
    return [*lines, "", *frame_lines(), "", *ADVICE]


ADVICE = (
    "allow one error: none forgives nothing, and a good system fails it more often;",
    "say which plan before the pictures are judged, and give more items rather than fewer;",
    "next: 'stampgate prove MODEL.onnx --unstamped DIR --plan PLAN --out proof/'",
)


def frame_lines() -> list[str]:
    """Return what frames of one item are worth, as lines of text."""
    lines = [
        "frames are no items: so many independent items is one item photographed again worth",
        f"{'frames of it':>16}{'':>9}" + "".join(f"  at r = {r:.1f}" for r in CORRELATIONS),
    ]
    for frames in FRAMES:
        shown = "".join(f"{worth(frames, frames, r):>11.1f}" for r in CORRELATIONS)
        lines.append(f"{frames:>16}{'':>9}{shown}")
    return [*lines, "r: correlation of the errors within an item; design effect 1 + (frames - 1) r"]


def _size_line(size: Size) -> str:
    chances = "".join(f"{_chance(chance):>11}" for chance in size.chances)
    return f"{size.allowed:>16}{size.items:>9}{chances}"


def _shadow_line(claim: Claim, confidence: float) -> str:
    """Return how many items shadow mode takes, where the figures are looked at again and again."""
    needed = [f"{anytime_size(claim.limit, errors, confidence)}" for errors in ALLOWED_ERRORS]
    return f"{'in shadow':>16}{'':>9}  looked at after each shift: {', '.join(needed)}"


def _times(better: int) -> str:
    return f"{better} x"


def _chance(chance: float) -> str:
    return f"{100 * chance:.0f} %" if chance < 0.995 else f"{100 * chance:.1f} %"


def plan_object(plan: Plan) -> dict[str, Any]:
    """Return the plan with its sizes as JSON has it."""
    return {
        "plan": str(plan),
        "confidence": plan.confidence,
        "claims": [
            {
                "kind": claim.kind,
                "limit": claim.limit,
                "sizes": [
                    {
                        "errors_allowed": size.allowed,
                        "items": size.items,
                        "items_in_shadow": anytime_size(claim.limit, size.allowed, plan.confidence),
                        "chance_to_pass": {
                            f"{claim.limit / better:.8g}": chance
                            for better, chance in zip(GOODNESS, size.chances, strict=True)
                        },
                    }
                    for size in sizes(claim, plan.confidence)
                ],
            }
            for claim in plan.claims
        ],
    }
