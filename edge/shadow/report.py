"""The figures of a study in shadow in words, and as JSON has them."""

import math
from typing import Any

from edge.rates.bounds import CONFIDENCE, upper_bound
from edge.rates.plan import ITEMS, NAMES, Kind, Plan, percent
from edge.shadow.study import Figures, Standing, is_shown, standings

SHOWN, NOT_SHOWN = "the plan is shown", "the plan is not shown yet"
ANY_LOOK = (
    "the exact bound holds for one look, at a number of items that was said before; whoever looks "
    "after each shift goes by the bound at any look, and so does mode run"
)
UNCOUNTED = "items whose truth nobody said do not count"
CENSORED = (
    "the truth was said of {rejects} of the rejected items and of {passes} of the others: it "
    "depends on the verdict (verification bias), and then no bound holds; say it of all items, or "
    "of some that are drawn before anybody sees a verdict"
)


def report_lines(figures: Figures, plan: Plan | None) -> list[str]:
    """Return the figures of a study, in lines; *plan*: None where none is agreed."""
    lines = _counts(figures)
    if plan is None:
        lines += [_rate_line(figures, kind, CONFIDENCE) for kind in NAMES]
        lines.append("no plan is agreed: [shadow] plan, as 'stampgate plan' explains it")
    else:
        for standing in standings(figures, plan):
            lines += _claim_lines(standing, plan)
        unclaimed = [kind for kind in NAMES if plan.limit(kind) is None]
        lines += [_rate_line(figures, kind, plan.confidence) for kind in unclaimed]
        lines.append(ANY_LOOK)
    if figures.is_censored:
        lines.append(censored(figures))
    if figures.amiss:
        lines.append(f"the journal is not whole, and proves nothing: {figures.amiss}")
    if plan is not None:
        lines.append(f"{SHOWN if is_shown(figures, plan) else NOT_SHOWN}: {plan}")
    return lines


def missing_words(figures: Figures, plan: Plan) -> str:
    """Return in one line what is missing to the plan; empty for nothing."""
    missing = [
        f"{standing.claim.words} needs {needs(standing)}"
        for standing in standings(figures, plan)
        if not standing.is_shown
    ]
    missing += ["the truth depends on the verdict"] * figures.is_censored
    missing += [f"the journal is not whole: {figures.amiss}"] * bool(figures.amiss)
    return "; ".join(missing)


def needs(standing: Standing) -> str:
    """Return in words what a claim still needs."""
    items, errors = standing.missing, standing.rate.errors
    if items > 10_000_000:
        return f"more items than anybody has time for, after {errors} errors"
    return f"at least {items} more items {ITEMS[standing.claim.kind]}, without another error"


def censored(figures: Figures) -> str:
    """Return what is said of a truth that depends on the verdict."""
    rejects, passes = figures.of_rejects, figures.of_passes
    return CENSORED.format(
        rejects=f"{rejects.known} of {rejects.items}", passes=f"{passes.known} of {passes.items}"
    )


def report_object(figures: Figures, plan: Plan | None) -> dict[str, Any]:
    """Return the figures as JSON has them."""
    shares = {"passes": figures.of_passes, "rejects": figures.of_rejects}
    found: dict[str, Any] = {
        "rates": {
            kind: {
                "errors": figures.errors[kind],
                "items": figures.items[kind],
                "exact_bound": upper_bound(
                    figures.errors[kind], figures.items[kind], _confidence(plan)
                ),
            }
            for kind in NAMES
        },
        "confidence": _confidence(plan),
        "with_truth": {name: share.known for name, share in shares.items()},
        "judged": {name: share.items for name, share in shares.items()},
        "without_truth": figures.without_truth,
        "unclear": figures.unclear,
        "corrected": figures.corrected,
        "of_other_studies": figures.other_studies,
        "lost": figures.lost,
        "censored": figures.is_censored,
        "amiss": figures.amiss,
    }
    if plan is not None:
        found |= {"plan": str(plan), "shown": is_shown(figures, plan)}
        found["claims"] = {
            standing.claim.kind: {
                "limit": standing.claim.limit,
                "exact_bound": standing.exact,
                "anytime_bound": standing.anytime,
                "missing": standing.missing,
                "missing_at_one_look": standing.missing_exact,
                "shown": standing.is_shown,
            }
            for standing in standings(figures, plan)
        }
    return found


def _confidence(plan: Plan | None) -> float:
    return CONFIDENCE if plan is None else plan.confidence


def _counts(figures: Figures) -> list[str]:
    """Return how many items count, and why the others do not."""
    shares = (figures.of_passes, figures.of_rejects)
    judged, known = sum(s.items for s in shares), sum(s.known for s in shares)
    lines = [f"{judged} items judged in shadow, {known} with a known truth"]
    if figures.without_truth:
        unclear = f", {figures.unclear} of them unclear at the photo-eye" if figures.unclear else ""
        lines.append(f"{figures.without_truth} {UNCOUNTED}{unclear}")
    if figures.other_studies:
        lines.append(
            f"{figures.other_studies} items were judged by another model, other rules or another "
            "plan, and do not count"
        )
    if figures.corrected:
        lines.append(f"{figures.corrected} items are other than the photo-eye told, by people")
    if figures.lost:
        lines.append(f"{figures.lost} items in shadow have no record of their own")
    return lines


def _rate_line(figures: Figures, kind: Kind, confidence: float) -> str:
    rate = figures.rate(kind)
    if not rate.items:
        return f"{NAMES[kind]}: not measured: no item {ITEMS[kind]} has a known truth"
    bound = upper_bound(rate.errors, rate.items, confidence)
    return (
        f"{NAMES[kind]}: {rate.errors} of {rate.items} items {ITEMS[kind]}; the true rate is below "
        f"{_short(bound)} at {percent(confidence, ' ')} (exact, at this one look)"
    )


def _claim_lines(standing: Standing, plan: Plan) -> list[str]:
    """Return what is known of one claim: its items, both bounds, and what is missing."""
    rate, kind = standing.rate, standing.claim.kind
    sure = f"at {percent(plan.confidence, ' ')}"
    if not rate.items:
        said = f"{NAMES[kind]}: not measured: no item {ITEMS[kind]} has a known truth"
    else:
        said = (
            f"{NAMES[kind]}: {rate.errors} of {rate.items} items {ITEMS[kind]}; the true rate is "
            f"below {_short(standing.exact)} {sure} (exact, at this one look), below "
            f"{_short(standing.anytime)} (at any look)"
        )
    state = "shown" if standing.is_shown else f"needs {needs(standing)}"
    return [said, f"  {standing.claim.words}: {state}"]


def _short(share: float) -> str:
    """Return a bound in percent, rounded up to three digits that count.

    >>> _short(0.0099691), _short(0.5), _short(0.00001234)
    ('0.997 %', '50 %', '0.00124 %')
    """
    if share <= 0:
        return "0 %"
    digits = max(0, 2 - math.floor(math.log10(100 * share)))
    rounded = math.ceil(share * 100 * 10**digits - 1e-9) / 10**digits
    return f"{rounded:.{digits}f} %" if digits and rounded != int(rounded) else f"{rounded:g} %"
