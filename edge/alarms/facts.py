"""What the alarms take from one item, fresh from its verdict or read back from its record."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from edge.deciding.codes import UNSURE
from edge.decision import Verdict


@dataclass(frozen=True)
class ItemFacts:
    """One item: whether it *passed*, whether it was *near* the threshold, its latency in *ms*.

    *ms*: None for one that no eye saw, which no chart counts.
    """

    passed: bool
    near: bool
    ms: float | None

    @property
    def seen(self) -> bool:
        """Whether the eye saw it."""
        return self.ms is not None


@dataclass(frozen=True)
class NearBand:
    """The scores within *band* of the *least* one that counts, on either side."""

    least: float
    band: float

    def holds(self, passed: bool, code: str, found: Mapping[str, float], near: float) -> bool:
        """Tell whether an item was near the threshold, or in the no-call band.

        *found*: the best score of each class that counted; *near*: that of the near miss, 0 for
        none. What decides is the weakest class of an item that passed, the near miss of another.
        """
        if code == UNSURE:
            return True
        deciding = min(found.values(), default=0.0) if passed else near
        return deciding > 0 and abs(deciding - self.least) <= self.band


def facts_of(verdict: Verdict, ms: float | None, band: NearBand) -> ItemFacts:
    """Return the facts of an item by its verdict; *ms*: None for one that no eye saw."""
    passed = verdict.kind == "pass"
    found = _best((finding.label, finding.score) for finding in verdict.findings)
    near = verdict.near.score if verdict.near else 0.0
    return ItemFacts(passed, band.holds(passed, verdict.code, found, near), ms)


def facts_in(record: Mapping[str, Any], band: NearBand) -> ItemFacts:
    """Return the facts of an item by its record in the journal."""
    passed = record["verdict"] == "pass"
    found = _best((f.get("label", ""), f.get("score", 0.0)) for f in record.get("findings", ()))
    near = (record.get("near_miss") or {}).get("score", 0.0)
    near_it = band.holds(passed, str(record.get("code", "")), found, near)
    return ItemFacts(passed, near_it, record.get("ms"))


def _best(scores: Iterable[tuple[str, float]]) -> dict[str, float]:
    best: dict[str, float] = {}
    for label, score in scores:
        best[label] = max(score, best.get(label, 0.0))
    return best
