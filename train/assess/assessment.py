"""Assessment of a trained model, in plain words: ready to be tried or not, and what comes next."""

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge.decision import Box
from edge.printing import printable
from train.assess.choice import Choice
from train.assess.scores import Scored, Trial

READY_FOUND, READY_LOOKALIKES = 0.9, 0.05
"""Least share of painted marks found, and greatest share of look-alikes accepted, of a model that
is ready to be tried."""
KNOWN = 0.5
"""Least median score of painted marks of a network that knows the mark."""
SUSPECTS = 5
"""Most photographs that are named because they may bear the mark."""
TABLE = tuple(round(0.2 + 0.1 * step, 1) for step in range(8))
"""Thresholds of the table beside the chosen one."""


@dataclass(frozen=True)
class Count:
    """*hits* of *of*: marks found, or pictures without a mark that were accepted."""

    hits: int
    of: int

    @property
    def share(self) -> float:
        """The share, 0..1; 0 of nothing."""
        return self.hits / self.of if self.of else 0.0

    def __str__(self) -> str:
        """In words."""
        return f"{self.hits} of {self.of}"


@dataclass(frozen=True)
class Row:
    """What a threshold lets through: painted and real marks, look-alikes, photographs."""

    threshold: float
    marks: Count
    real_marks: Count
    lookalikes: Count
    photographs: Count


@dataclass(frozen=True)
class Assessment:
    """The assessment of a trial.

    *chosen*: what the chosen threshold lets through; *floor*: the least threshold that the user's
    photographs allow; *table*: the trade, at other thresholds; *painted*: whether painted frames
    stood for photographs; *suspects*: photographs that a network which knows the mark scores as
    high as half of the marks: they may bear it.
    """

    chosen: Row
    floor: float
    table: tuple[Row, ...]
    painted: bool
    suspects: tuple[Scored, ...]

    @property
    def ready(self) -> bool:
        """Whether the model is ready to be tried."""
        row = self.chosen
        return (
            row.threshold >= self.floor
            and row.marks.share >= READY_FOUND
            and row.lookalikes.share <= READY_LOOKALIKES
        )

    def words(self) -> str:
        """Return the assessment as one sentence."""
        row = self.chosen
        kind = "painted frames" if self.painted else "of your photographs"
        real = f" and {row.real_marks} labelled ones" if row.real_marks.of else ""
        told = (
            f"finds {row.marks} painted marks{real} at threshold {row.threshold:.3f}, which lets "
            f"{row.photographs} {kind} without it and {row.lookalikes} pictures of look-alikes "
            "through"
        )
        return f"{told}: {'ready to be tried' if self.ready else 'not ready; ' + self._next()}"

    def _next(self) -> str:
        """Return what may help a model that is not ready."""
        if self.suspects:
            return (
                "photographs that may bear the mark hold the threshold up: look at them, and take "
                "out those that do"
            )
        return "train longer (10 minutes usually do), or look at hits.png for what it misses"

    def to_json(self) -> str:
        """Serialize the assessment."""
        return json.dumps(dataclasses.asdict(self) | {"ready": self.ready}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Assessment":
        """Parse the text of :meth:`to_json`."""
        raw = json.loads(text)
        return cls(
            _row(raw["chosen"]),
            raw["floor"],
            tuple(_row(row) for row in raw["table"]),
            raw["painted"],
            tuple(Scored(one["path"], one["score"], _box(one["box"])) for one in raw["suspects"]),
        )


def assess(trial: Trial, choice: Choice, painted: bool) -> Assessment:
    """Return the assessment of a trial at the chosen threshold."""
    half = float(np.median(trial.marks)) if trial.marks else 1.0
    known = not painted and half >= KNOWN  # else nothing that it scores says what bears the mark
    near = [one for one in trial.photographs if one.score >= half] if known else []
    rows = {threshold: row_at(trial, threshold) for threshold in {*TABLE, choice.threshold}}
    return Assessment(
        rows[choice.threshold],
        choice.floor,
        tuple(rows[threshold] for threshold in sorted(rows)),
        painted,
        tuple(sorted(near, key=lambda one: -one.score)[:SUSPECTS]),
    )


def row_at(trial: Trial, threshold: float) -> Row:
    """Count what a threshold lets through."""

    def count(scores: Sequence[float]) -> Count:
        return Count(sum(score >= threshold for score in scores), len(scores))

    photographs = [one.score for one in trial.photographs]
    return Row(
        threshold,
        count(trial.marks),
        count(trial.real_marks),
        count(trial.lookalikes),
        count(photographs),
    )


def table_lines(assessment: Assessment) -> list[str]:
    """Return the trade as lines of a table, the chosen threshold marked."""
    kind = "painted frames" if assessment.painted else "photographs"
    lines = [
        f"{'threshold':>11}{'marks found':>14}{kind + ' passed':>22}{'look-alikes passed':>20}"
    ]
    for row in assessment.table:
        chosen = " <" if row == assessment.chosen else ""
        lines.append(
            f"{row.threshold:11.3f}{row.marks!s:>14}{row.photographs!s:>22}"
            f"{row.lookalikes!s:>20}{chosen}"
        )
    return lines


def suspects_line(assessment: Assessment) -> str:
    """Return one line that names the photographs that may bear the mark, empty when none does."""
    if not assessment.suspects:
        return ""
    named = ", ".join(
        f"{printable(Path(one.path).name)} ({one.score:.2f})" for one in assessment.suspects
    )
    return f"backgrounds that may bear the mark: {named}; take out those that do, and train again"


def _box(raw: dict[str, float] | None) -> Box | None:
    return Box(**raw) if raw else None


def _row(raw: dict[str, Any]) -> Row:
    counts = {name: Count(**raw[name]) for name in raw if name != "threshold"}
    return Row(raw["threshold"], **counts)
