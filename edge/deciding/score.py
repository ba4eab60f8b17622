"""The score from which a mark counts, and the no-call band below it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from edge.decision import Finding
from edge.errors import UsageError


@dataclass(frozen=True)
class Scores:
    """A mark counts from *least* on; from *no_call* up to there nobody can tell. 0..1.

    *no_call* equals *least* where there is no such band.
    """

    least: float
    no_call: float

    def counting(self, findings: Iterable[Finding]) -> list[Finding]:
        """Return the findings that count."""
        return [finding for finding in findings if finding.score >= self.least]

    def possible(self, findings: Iterable[Finding]) -> list[Finding]:
        """Return the findings that count or may count."""
        return [finding for finding in findings if finding.score >= self.no_call]


def scores_of(min_score: float, no_call_from: float, floor: float) -> Scores:
    """Return the scores that the settings ask for; a setting of 0 asks for nothing.

    *floor*: the lowest score that anybody has proven, the contract's threshold. Raises UsageError
    for a *min_score* below it, or a band that is none.
    """
    if min_score and min_score < floor:
        raise UsageError(
            f"min_score must be 0 or at least the model's own threshold {floor:g}, below which "
            f"nobody has proven it, not {min_score:g}"
        )
    least = max(min_score, floor)
    if no_call_from >= least:
        raise UsageError(
            f"no_call_from must be below the score {least:g} from which a mark counts, not "
            f"{no_call_from:g}"
        )
    return Scores(least, no_call_from or least)


def near_miss(
    findings: Iterable[Finding], scores: Scores, missing: Collection[str]
) -> Finding | None:
    """Return the best finding below the score that counts, first of the classes that are missing.

    >>> from edge.decision import Box
    >>> weak = Finding("seal", 0.4, Box(0, 0, 9, 9))
    >>> near_miss([weak], Scores(0.5, 0.5), ()) == weak
    True
    """
    below = [finding for finding in findings if finding.score < scores.least]
    return max(below, key=lambda f: (f.label in missing, f.score), default=None)
