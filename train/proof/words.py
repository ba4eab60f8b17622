"""What a proof says in words: the result, what it does not show, the stages, the economics."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge.rates.bounds import UNMEASURED
from edge.rates.plan import NAMES
from edge.vision.proof_summary import MOST_WORDS
from train.pages.page import percent
from train.photographs import product_of
from train.proof.bounds import escapes_per_million, good_rejects
from train.proof.items import STAMPED, UNSTAMPED
from train.proof.plan import sizes
from train.proof.results import (
    NOT_SHOWN,
    SHOWN,
    Results,
    claim_words,
    mark_sizes,
    next_items,
    shown_percent,
)
from train.proof.study import BENCH, DESK, Evidence

NAMED = 8
"""Products that are named."""
UNSTAMPED_SHARES = (0.0001, 0.001, 0.01, 0.05)
STAGES = (
    (DESK, "pictures of unstamped products, judged before a camera is installed"),
    (BENCH, "60 to 300 items stamped by hand, photographed on a table"),
    ("shadow", "the box at the line with its output locked off, each item judged by a person too"),
    ("running", "challenge tests every shift, and items drawn at random from what passed"),
)


def moment(text: str) -> str:
    """Return a time for people.

    >>> moment("2026-11-30T21:53:26+00:00")
    '2026-11-30 21:53:26 UTC'
    """
    return text.replace("T", " ").replace("+00:00", " UTC")


def headline(evidence: Evidence) -> str:
    """Return the result in a few words, and what was measured besides and nothing is claimed of."""
    result = evidence.results.result
    said = {SHOWN: "Shown", NOT_SHOWN: "Not shown"}.get(result, "Not wholly measured")
    return " ".join([f"{said}: {evidence.results.plan.words}.", *not_claimed(evidence.results)])


def not_claimed(results: Results) -> list[str]:
    """Return a sentence for each kind of error that no claim is about, with what was measured.

    A model that rejects everything lets nothing through: who reads the first line must see it.
    """
    claimed = {claim.kind for claim in results.plan.claims}
    return [
        f"Not claimed: {NAMES[kind]}, {results.rate(kind)}."
        for kind in NAMES
        if kind not in claimed
    ]


def claims(evidence: Evidence) -> list[str]:
    """Return a sentence for each claim, with what would show it where it is not shown."""
    confidence = evidence.results.plan.confidence
    told = []
    for result in evidence.results.claims:
        words = claim_words(result, confidence)
        more = "" if result.result == SHOWN else f"; {next_items(result, confidence)}"
        told.append(f"{words[0].upper()}{words[1:]}{more}.")
    return told


def summary_words(evidence: Evidence) -> str:
    """Return what was shown in one sentence, for the summary in the model's file."""
    results = evidence.results
    sure = f"{100 * results.plan.confidence:g} %"
    parts = []
    for one in results.claims:
        if one.bound is None:
            parts.append(f"{one.claim.words} {UNMEASURED}")
            continue
        parts.append(
            f"{one.claim.words} {one.result} ({one.rate.errors} of {one.rate.items} items, true "
            f"rate below {shown_percent(one.bound)} at {sure})"
        )
    marks = "; ".join(marks_against(evidence, short=True))
    text = f"{evidence.stage}: {', '.join(parts)}" + (f"; {marks}" if marks else "")
    return text if len(text) <= MOST_WORDS else text[: MOST_WORDS - 3] + "..."


def marks_against(evidence: Evidence, *, short: bool = False) -> list[str]:
    """Return what a reader must know before he believes the figures; empty when nothing."""
    found = []
    if evidence.met is None:
        found.append(
            "leakage not checked"
            if short
            else "Whether the model has met these pictures in its training was not checked: "
            f"{_no_list(evidence)}. Figures on pictures that trained a model prove nothing."
        )
    elif evidence.met.left_out and not short:
        found.append(
            f"The model has met {evidence.met.left_out} photographs that are not in its file's "
            "list; name its run (--run) to check those too."
        )
    if evidence.others:
        numbers = ", ".join(str(study.freeze.study) for study in evidence.others)
        found.append(
            f"study {evidence.study.freeze.study} of {len(evidence.others) + 1}"
            if short
            else f"This is study {evidence.study.freeze.study}; there are others of this model in "
            f"the folder (study {numbers}). A bound holds for a study that was not picked for its "
            "result: read all of them."
        )
    return found if short else found + _about_pictures(evidence.results)


def _about_pictures(results: Results) -> list[str]:
    """Return what a reader must know of the pictures."""
    found = []
    if results.met:
        found.append(
            f"{len(results.met)} pictures were refused, because the model has met them in its "
            "training. They are listed below and count for nothing."
        )
    if results.unread:
        found.append(f"{len(results.unread)} pictures cannot be read, and count for nothing.")
    if results.again:
        found.append(f"{len(results.again)} files are the same as others, and count once.")
    if results.alike:
        found.append(
            f"{len(results.alike)} pictures look like that of another item "
            f"({results.alike[0]}, for one). If they show the same item, say so with --items, or "
            "the bounds are too good; a camera that does not move may see no difference."
        )
    if results.misplaced:
        found.append(
            f"{results.misplaced} stamped pictures passed although nothing found lies on the "
            "stamp: they count as passed, as on the box, and are no credit to the model."
        )
    return found


def _no_list(evidence: Evidence) -> str:
    """Return why nobody knows what the model has met."""
    if evidence.run is not None:
        return "its run was made by an earlier release, which kept no list of photographs"
    return "its file carries no list of photographs, and no run was named (--run)"


def not_shown(evidence: Evidence) -> list[str]:
    """Return what the proof does not show, a sentence each."""
    results, told = evidence.results, []
    if not results.of(STAMPED):
        told.append(
            "Nothing is known of false rejects: no item with the stamp was judged. A model that "
            "rejects everything would pass this study."
        )
    if not results.of(UNSTAMPED):
        told.append("Nothing is known of false accepts: no item without the stamp was judged.")
    frames = sum(len(item.frames) for item in results.items)
    told += [
        (
            "It holds for items like these, drawn as these were, under this camera and light. "
            "Another camera, distance, light, product, ink or stamp voids it."
        ),
        "An item counts as wrong as soon as one of its frames is: the bounds are per item, and "
        f"{len(results.items)} items were judged on {frames} pictures."
        if evidence.study.freeze.mapped
        else "No table said which pictures show the same item (--items), so each picture was taken "
        "for an item of its own. If several show one item, the bounds are too good.",
        (
            "It is of the model's own threshold, and of the rule that every class must be found. A "
            "higher [decision] min_score rejects more; other rules of [decision] are not judged."
        ),
        "Robustness, look-alikes, latency and determinism are samples without a bound.",
        (
            "Nothing is said of trigger, gate and reject bin, nor of what happens when they fail; "
            "the box's own tests do that. It is no safety function."
        ),
    ]
    return told


def next_stage(evidence: Evidence) -> list[str]:
    """Return what the next stage of the proof needs."""
    plan = evidence.results.plan
    if evidence.results.result == NOT_SHOWN:
        return [
            (
                "This stage again: look at the errors above, and mend what they have in common "
                "(training, light, camera, threshold)."
            ),
            (
                "Prove the new model on pictures that nobody has judged by yet. These have been "
                "opened, and prove no other model."
            ),
        ]
    limit = next((claim for claim in plan.claims if claim.kind == "fr"), None)
    if evidence.stage == DESK:
        size = sizes(limit, plan.confidence)[1] if limit else None
        items = f"{size.items} items" if size else "60 to 300 items"
        return [
            (
                f"Bench: stamp {items} by hand, as the line will, and photograph each with the "
                "camera that will be installed, on a table, in its light."
            ),
            (
                "Print the sheet of 'stampgate prove --protocol sheet.html --plan PLAN', and work "
                "through it."
            ),
            (
                "Then: 'stampgate prove MODEL.onnx --stamped DIR --unstamped DIR --items MAP.csv "
                "--plan PLAN --out bench/'."
            ),
        ]
    return [
        (
            "Shadow: install the box at the line with its output locked off, and let a person "
            'judge every item of some shifts too ([service] mode = "shadow"; \'stampgate-edge '
            "shadow' says what it shows). This alone is a statement about the site."
        ),
        (
            "Then wire the output, and go on with challenge tests at the start, the end and each "
            "changeover, and with items drawn at random from those that passed."
        ),
    ]


@dataclass(frozen=True)
class EconomyRow:
    """What a share of unstamped products comes to: escapes a million, and good ones rejected."""

    unstamped: str
    escapes: str
    escapes_at_most: str
    good_rejects: str


def economics(evidence: Evidence) -> list[EconomyRow]:
    """Return what the rates come to at several shares of unstamped products."""
    results, confidence = evidence.results, evidence.results.plan.confidence
    accepts, rejects = results.rate("fa"), results.rate("fr")
    bound = accepts.upper_bound(confidence)
    rows = []
    for share in UNSTAMPED_SHARES:
        good = UNMEASURED
        if accepts.share is not None and rejects.share is not None:
            of_rejects = good_rejects(share, accepts.share, rejects.share)
            good = "none is rejected" if of_rejects is None else percent(of_rejects)
        rows.append(
            EconomyRow(
                percent(share),
                _per_million(share, accepts.share),
                _per_million(share, bound),
                good,
            )
        )
    return rows


def _per_million(share: float, rate: float | None) -> str:
    return UNMEASURED if rate is None else f"{escapes_per_million(share, rate):.1f}"


def input_space(evidence: Evidence) -> dict[str, str]:
    """Return what the pictures are like, by name: what the proof holds for."""
    counted = [answer for answer in evidence.answers if answer.counts]
    widths, heights = ([answer.size[side] for answer in counted] for side in (0, 1))
    greys = [answer.grey for answer in counted]
    cameras = Counter(answer.camera or "not named by the pictures" for answer in counted)
    sides = mark_sizes(evidence.results, evidence.threshold)
    labelled = any(item.frames[0].truth.boxes for item in evidence.results.of(STAMPED))
    low, middle, high = np.percentile(greys, (5, 50, 95))
    rows = {
        "pictures": f"{len(counted)}, of {min(widths)} x {min(heights)} to {max(widths)} x "
        f"{max(heights)} pixels",
        "cameras": ", ".join(f"{name} ({count})" for name, count in cameras.most_common(6)),
        "size of the mark": UNMEASURED,
        "light": f"mean grey level {middle:.0f} of 255; from {low:.0f} to {high:.0f} in 9 of 10",
        "products": _products(evidence),
    }
    if sides:
        low, middle, high = np.percentile(sides, (5, 50, 95))
        how = "as labelled" if labelled else "as found"
        rows["size of the mark"] = (
            f"longer side {middle:.0f} pixels; from {low:.0f} to {high:.0f} in 9 of 10 ({how})"
        )
    return rows


def _products(evidence: Evidence) -> str:
    """Return the products of the pictures, as their folders or names tell them."""
    root = Path()
    products = {
        product_of(Path(answer.picture.name), root) for answer in evidence.answers if answer.counts
    }
    some = ", ".join(sorted(products)[:NAMED]) + (", ..." if len(products) > NAMED else "")
    return f"{len(products)}, by folder or name: {some}"


def latency(evidence: Evidence) -> dict[str, float] | None:
    """Return the quantiles of the localizer's time, None when nothing was judged."""
    times = [answer.ms for answer in evidence.answers if answer.state == "judged"]
    if not times:
        return None
    half, most = np.percentile(times, (50, 99))
    return {"p50_ms": float(half), "p99_ms": float(most), "worst_ms": max(times)}
