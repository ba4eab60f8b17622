"""From findings to a verdict by all rules of the line: :func:`judge`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from edge.deciding.classes import find_forbidden
from edge.deciding.codes import UNSURE
from edge.deciding.count import check_counts
from edge.deciding.fixed_marks import is_fixed
from edge.deciding.rules import Rules
from edge.deciding.score import near_miss
from edge.decision import Finding, Verdict, decide, fault


@dataclass(frozen=True)
class Scene:
    """What is known of a picture beside what was found on it.

    *fixed*: marks that are seen without an item; *moved_ms*: how long after its item's trigger the
    picture began, at the earliest and at the latest, None where nobody knows; *size*: the whole
    picture's, (width, height) in pixels, None where nobody knows.
    """

    fixed: tuple[Finding, ...] = ()
    moved_ms: tuple[float, float] | None = None
    size: tuple[int, int] | None = None


@dataclass(frozen=True)
class LeftOut:
    """A mark that does not count, and why: a code and words."""

    finding: Finding
    code: str
    words: str


def judge(findings: Iterable[Finding], rules: Rules, scene: Scene | None = None) -> Verdict:
    """Judge what was found in one frame, inside the region, by all rules in their order.

    *findings*: with those below the score that counts, as far as they were found. First the marks
    that count from their score on are judged (:func:`_judge_marks`); then, with a no-call band,
    those that may count as well: when that would change the verdict, nobody can tell, and the item
    is rejected as *not sure*. What cannot be judged is a FAULT.
    """
    scene = scene or Scene()
    seen = sorted(findings, key=lambda finding: -finding.score)
    if not all(finding.is_possible for finding in seen):
        return decide(seen, rules.required)
    if rules.place is not None and rules.place.moves and scene.moved_ms is None:
        return fault("the place of a mark cannot be judged: nobody knows when the picture began")
    counting, possible = rules.scores.counting(seen), rules.scores.possible(seen)
    verdict = _judge_marks(counting, rules, scene)
    if verdict.kind != _judge_marks(possible, rules, scene).kind:
        verdict = _not_sure(possible[len(counting) :], rules)
    missing = rules.classes.missing(finding.label for finding in counting)
    near = verdict.near or near_miss(seen, rules.scores, missing)
    return replace(verdict, findings=tuple(counting), near=near)


def _judge_marks(marks: Sequence[Finding], rules: Rules, scene: Scene) -> Verdict:
    """Judge marks, best first: forbidden beats all, then which count, what lacks, how many."""
    if forbidden := find_forbidden(marks, rules.forbidden):
        return forbidden
    left_out = [left for mark in marks if (left := _leave_out(mark, rules, scene)) is not None]
    without = {id(left.finding) for left in left_out}
    counted = [mark for mark in marks if id(mark) not in without]
    plain = decide(counted, rules.classes.wanted(counted))
    if plain.kind != "pass":
        return _explain(plain, left_out, rules, counted)
    others = rules.classes.any_of - {mark.label for mark in counted}  # which need not be there
    counts = {label: count for label, count in rules.counts.items() if label not in others}
    return check_counts(counted, counts, [left.finding.label for left in left_out]) or plain


def _leave_out(mark: Finding, rules: Rules, scene: Scene) -> LeftOut | None:
    """Return why a mark does not count: region, size, place, fixed marks; else None."""
    why = (
        (rules.region and rules.region.refuse(mark, scene.size))
        or rules.size.refuse(mark)
        or (rules.place and rules.place.refuse(mark, scene.moved_ms))
        or (None if rules.fixed_count else is_fixed(mark, scene.fixed))
    )
    return LeftOut(mark, *why) if why else None


def _explain(
    plain: Verdict, left_out: Sequence[LeftOut], rules: Rules, counted: Sequence[Finding]
) -> Verdict:
    """Say of a class that lacks why its best mark does not count, where there is one."""
    missing = rules.classes.missing(mark.label for mark in counted)
    for left in left_out:
        label = left.finding.label
        if label in missing:
            words = f"no {label} that counts: one {left.words}"
            return replace(plain, reason=words, code=left.code)
    return plain


def _not_sure(doubtful: Sequence[Finding], rules: Rules) -> Verdict:
    """Reject an item whose verdict hangs on marks in the no-call band, at least one."""
    mark = max(doubtful, key=lambda finding: (finding.label in rules.forbidden, finding.score))
    words = (
        f"not sure of {mark.label}: its score {mark.score:.2f} is between no_call_from "
        f"{rules.scores.no_call:g} and {rules.scores.least:g}"
    )
    return Verdict("reject", words, (), UNSURE, mark)
