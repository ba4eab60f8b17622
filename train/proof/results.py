"""What the answers of a study show: errors per item, exact bounds, and the result of each claim."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.decision import Box, Finding, decide
from edge.rates.bounds import Rate
from edge.rates.plan import ITEMS, NAMES, Claim, Kind, Plan
from edge.vision.proof_summary import RESULTS
from train.judge.evaluate import best
from train.labels.ground_truth import FOUND_IOU, RealBox
from train.leakage import NEAR
from train.proof.items import LABELLED, LOOKALIKE, STAMPED, UNSTAMPED
from train.proof.judging import Answer
from train.proof.plan import sizes

SHOWN, NOT_SHOWN, UNMEASURED = RESULTS
KIND_OF: dict[str, Kind] = {UNSTAMPED: "fa", STAMPED: "fr"}
"""The kind of error that an item of a role can be."""
ALIKE_BLOCK = 1024
"""Pictures that are compared with as many others at once: 4 MB."""


@dataclass(frozen=True)
class Truth:
    """What a picture bears: the classes that must be found, none when it bears no mark.

    *boxes*: the marks that count, in the picture's pixels, where they are labelled; *ignored*:
    whether it bears marks that do not count and no other, so that it says nothing.
    """

    required: frozenset[str]
    boxes: tuple[RealBox, ...] = ()
    ignored: bool = False


@dataclass(frozen=True)
class FrameResult:
    """One picture that counts.

    *score*: that at which it passes, 0..1: without the mark its best one, with it the least of the
    best scores of the classes that it must show; *passed*: whether the box would let it pass;
    *misplaced*: it passed, and nothing that was found lies on a labelled mark.
    """

    answer: Answer
    truth: Truth
    score: float
    passed: bool
    misplaced: bool = False


@dataclass(frozen=True)
class Item:
    """An item: one picture, or several frames. It is wrong as soon as one of its frames is.

    *score*: that of its worst frame.
    """

    name: str
    role: str
    frames: tuple[FrameResult, ...]

    @property
    def wrong(self) -> bool:
        """Whether the box would err on a frame of it."""
        return any(frame.passed == (self.role != STAMPED) for frame in self.frames)

    @property
    def score(self) -> float:
        """The score of the frame that is nearest to an error, or the worst error."""
        scores = [frame.score for frame in self.frames]
        return min(scores) if self.role == STAMPED else max(scores)


@dataclass(frozen=True)
class ClaimResult:
    """A claim, the errors counted for it, the bound of their rate, and the result.

    *bound*: exact, one-sided, 0..1, None when there was no item; *needed*: items that show it with
    as many errors.
    """

    claim: Claim
    rate: Rate
    bound: float | None
    result: str


@dataclass(frozen=True)
class Results:
    """What a study shows.

    *items*: all that count, look-alikes too; *claims*: of the plan, in its order; *left_out*: the
    answers on pictures that say nothing, for the model has met them, they cannot be read, or are
    the same file as another; *ignored*: labelled pictures that bear no mark that counts; *alike*:
    pictures, by key, that look like that of another item.
    """

    plan: Plan
    items: tuple[Item, ...]
    claims: tuple[ClaimResult, ...]
    left_out: tuple[Answer, ...]
    ignored: tuple[Answer, ...]
    alike: tuple[str, ...] = ()

    @property
    def met(self) -> tuple[Answer, ...]:
        """The pictures that the model has met."""
        return tuple(answer for answer in self.left_out if answer.state == "met")

    @property
    def unread(self) -> tuple[Answer, ...]:
        """The pictures that cannot be read."""
        return tuple(answer for answer in self.left_out if answer.state == "unread")

    @property
    def again(self) -> tuple[Answer, ...]:
        """The pictures that are the same file as another."""
        return tuple(answer for answer in self.left_out if answer.state == "again")

    def of(self, role: str) -> tuple[Item, ...]:
        """Return the items of one role."""
        return tuple(item for item in self.items if item.role == role)

    def rate(self, kind: Kind) -> Rate:
        """Return the errors of one kind among the items that could be one."""
        items = self.of(UNSTAMPED if kind == "fa" else STAMPED)
        return Rate(sum(item.wrong for item in items), len(items))

    @property
    def result(self) -> str:
        """The result of the whole plan: the worst of its claims, not shown before not measured."""
        of_claims = {claim.result for claim in self.claims}
        return next(one for one in (NOT_SHOWN, UNMEASURED, SHOWN) if one in of_claims)

    @property
    def misplaced(self) -> int:
        """Stamped pictures that passed for something that is not the mark."""
        return sum(frame.misplaced for item in self.items for frame in item.frames)


def results_of(
    plan: Plan, answers: Sequence[Answer], truths: Mapping[str, Truth], threshold: float
) -> Results:
    """Count the errors of a study.

    *truths*: what each picture bears, by its key; *threshold*: of the model, 0..1.
    """
    grouped: dict[tuple[str, str], list[FrameResult]] = {}
    ignored = []
    for answer in answers:
        truth = truths[answer.picture.key]
        if not answer.counts:
            continue
        if truth.ignored:
            ignored.append(answer)
            continue
        key = role_of(answer.picture.role, truth), answer.picture.item
        grouped.setdefault(key, []).append(_frame(answer, truth, threshold))
    items = tuple(Item(name, role, tuple(frames)) for (role, name), frames in grouped.items())
    left_out = tuple(answer for answer in answers if not answer.counts)
    results = Results(plan, items, (), left_out, tuple(ignored), alike_of(answers))
    claims = tuple(_claim(claim, results, plan.confidence) for claim in plan.claims)
    return dataclasses.replace(results, claims=claims)


def alike_of(answers: Sequence[Answer]) -> tuple[str, ...]:
    """Return the pictures, by key, that look like an earlier one of another item and like role.

    Every pair is compared, as no index finds 40 of 256 bits sooner: of hashes as signs, a product
    of matrices counts the bits that are the same.
    """
    known = [answer for answer in answers if answer.likeness]
    if not known:
        return ()
    rows = np.array([np.frombuffer(bytes.fromhex(a.likeness), np.uint8) for a in known])
    signs = 2 * np.unpackbits(rows, axis=1).astype(np.float32) - 1
    items, roles = (_numbered(getattr(a.picture, name) for a in known) for name in ("item", "role"))
    found = list[str]()
    for end in range(ALIKE_BLOCK, len(known) + ALIKE_BLOCK, ALIKE_BLOCK):
        block = slice(end - ALIKE_BLOCK, min(end, len(known)))
        alike = np.zeros(block.stop - block.start, np.bool_)
        for start in range(0, end, ALIKE_BLOCK):
            other = slice(start, min(start + ALIKE_BLOCK, block.stop))
            near = signs[block] @ signs[other].T >= signs.shape[1] - 2 * NEAR
            if not near.any():
                continue
            near &= items[block, None] != items[None, other]
            near &= roles[block, None] == roles[None, other]
            if other.start == block.start:  # only with earlier ones
                near &= np.tri(len(near), k=-1, dtype=np.bool_)
            alike |= near.any(axis=1)
        found += [known[block.start + int(at)].picture.key for at in np.flatnonzero(alike)]
    return tuple(found)


def _numbered(names: Iterable[str]) -> NDArray[np.int64]:
    """Return a number for each name, the same for the same one."""
    return np.unique(list(names), return_inverse=True)[1].astype(np.int64)


def role_of(role: str, truth: Truth) -> str:
    """Return the role of a picture among the items; a labelled one is as its label says."""
    if role != LABELLED:
        return role
    return STAMPED if truth.required else UNSTAMPED


def _frame(answer: Answer, truth: Truth, threshold: float) -> FrameResult:
    """Decide on a frame as the box does; without a mark it is accepted as soon as any is found."""
    found = [finding for finding in answer.findings if finding.score >= threshold]
    if not truth.required:
        return FrameResult(answer, truth, best(answer.findings), bool(found))
    scores = [best(f for f in answer.findings if f.label == name) for name in truth.required]
    passed = decide(found, truth.required).kind == "pass"
    on_mark = any(finds(finding, box) for finding in found for box in truth.boxes)
    return FrameResult(
        answer, truth, min(scores), passed, bool(truth.boxes) and passed and not on_mark
    )


def finds(finding: Finding, box: RealBox) -> bool:
    """Return whether a finding lies on a labelled mark of its class."""
    return finding.label == box.label and finding.box.iou(box.box) >= FOUND_IOU


def _claim(claim: Claim, results: Results, confidence: float) -> ClaimResult:
    rate = results.rate(claim.kind)
    bound = rate.upper_bound(confidence)
    if bound is None:
        return ClaimResult(claim, rate, None, UNMEASURED)
    return ClaimResult(claim, rate, bound, SHOWN if bound < claim.limit else NOT_SHOWN)


def claim_words(result: ClaimResult, confidence: float) -> str:
    """Return what came of a claim, one sentence without an end."""
    claim, rate = result.claim, result.rate
    if result.bound is None:
        return f"{claim.words}: not measured, no item {ITEMS[claim.kind]} was judged"
    sure = f"{100 * confidence:g} %"
    told = (
        f"{rate.errors} of {rate.items} items {ITEMS[claim.kind]} were "
        f"{'accepted' if claim.kind == 'fa' else 'rejected'}, so the true rate is below "
        f"{shown_percent(result.bound)} at {sure} confidence"
    )
    return f"{claim.words}: {result.result}; {told}"


def shown_percent(share: float) -> str:
    """Return a bound in per cent, rounded up: what is said must hold.

    >>> shown_percent(0.009969), shown_percent(1.0)
    ('0.997 %', '100 %')
    """
    digits = 3 if share < 0.1 else 2
    scale = 10**digits
    return f"{-(-100 * share * scale // 1) / scale:.{digits}f}".rstrip("0").rstrip(".") + " %"


def next_items(result: ClaimResult, confidence: float) -> str:
    """Return what would show a claim that was not shown or not measured, in words."""
    needed = " or ".join(
        f"{size.items} with {size.allowed or 'no'} error{'s' * (size.allowed != 1)}"
        for size in sizes(result.claim, confidence)
    )
    return f"items {ITEMS[result.claim.kind]} that show it: {needed}"


def as_object(results: Results) -> dict[str, Any]:
    """Return the claims and rates as JSON has them."""
    confidence = results.plan.confidence
    rates = {}
    for kind, name in NAMES.items():
        rate = results.rate(kind)
        rates[name.replace(" ", "_")] = {
            "errors": rate.errors,
            "items": rate.items,
            "rate": rate.share,
            "upper_bound": rate.upper_bound(confidence),
        }
    return {
        "plan": str(results.plan),
        "confidence": confidence,
        "result": results.result,
        "claims": [
            {
                "claim": str(result.claim),
                "result": result.result,
                "errors": result.rate.errors,
                "items": result.rate.items,
                "upper_bound": result.bound,
            }
            for result in results.claims
        ],
        **rates,
        "misplaced": results.misplaced,
        "met": [answer.picture.key for answer in results.met],
        "again": [answer.picture.key for answer in results.again],
        "alike": list(results.alike),
        "unread": [answer.picture.key for answer in results.unread],
        "ignored": [answer.picture.key for answer in results.ignored],
    }


def look_alike_rows(results: Results) -> list[tuple[str, Rate, float]]:
    """Return kind, rate and best score of look-alikes, by their sub-folder."""
    kinds: dict[str, list[Item]] = {}
    for item in results.of(LOOKALIKE):
        name = item.frames[0].answer.picture.name
        kinds.setdefault(name.rpartition("/")[0] or "in the folder itself", []).append(item)
    return [
        (kind, Rate(sum(i.wrong for i in items), len(items)), max(i.score for i in items))
        for kind, items in sorted(kinds.items())
    ]


def mark_sizes(results: Results, threshold: float) -> list[float]:
    """Return the longer sides, in pixels, of the marks: as labelled, else as they were found."""
    sides = list[float]()
    for item in results.of(STAMPED):
        for frame in item.frames:
            boxes: list[Box] = [box.box for box in frame.truth.boxes]
            if not boxes:
                boxes = [f.box for f in frame.answer.findings[:1] if f.score >= threshold]
            sides += [max(box.width, box.height) for box in boxes]
    return sides
