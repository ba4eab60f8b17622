"""Assessment of a trained model, in plain words: ready to be tried or not, and what comes next."""

import dataclasses
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge.decision import Box
from edge.printing import printable
from edge.rates.bounds import sample_size, upper_bound
from train.assess.breakdown import FEW, Bin, break_down, nominal_scores, weaknesses
from train.assess.choice import Choice
from train.assess.counts import Count
from train.assess.scores import PlainScore, Scored, Scores, Trial
from train.config import FitSettings

READY_FOUND, READY_LOOKALIKES, PLAINLY_FOUND = 0.9, 0.05, 0.5
"""Least share of painted marks under nominal conditions found, greatest share of look-alikes
accepted, and least share of each class's marks pasted plainly found, of a model that is ready to be
tried."""
USUALLY_DO = (30_000, 90_000)
"""Pictures after which a training usually does, and those of a long one: about 10 and 30 minutes on
two cores (docs/training.md, "How long to train")."""
KNOWN = 0.5
"""Least median score of painted marks of a network that knows the mark."""
SUSPECTS = 5
"""Most photographs that are named because they may bear the mark."""
TABLE = tuple(round(0.2 + 0.1 * step, 1) for step in range(8))
"""Thresholds of the table beside the chosen one."""


NOTHING = Count(0, 0)


@dataclass(frozen=True)
class Row:
    """What a threshold lets through: painted and real marks, look-alikes, photographs.

    *nominal*: of the painted marks those under nominal conditions; none of an earlier release.
    """

    threshold: float
    marks: Count
    real_marks: Count
    lookalikes: Count
    photographs: Count
    nominal: Count = NOTHING

    @property
    def judged(self) -> Count:
        """The painted marks by which a model is ready: the nominal ones, all where few are."""
        return self.nominal if self.nominal.of >= FEW else self.marks


@dataclass(frozen=True)
class Length:
    """How long a run has trained: *pictures* that it was shown, in *seconds*."""

    pictures: int
    seconds: float

    @property
    def more_minutes(self) -> float | None:
        """Minutes on this machine that usually do, in all; None where more time rarely helps."""
        aim = next((aim for aim in USUALLY_DO if aim >= 1.3 * self.pictures), None)
        if aim is None or not self.pictures or self.seconds <= 0.0:
            return None
        return max(1.0, math.ceil(aim * self.seconds / self.pictures / 60.0))


@dataclass(frozen=True)
class Assessment:
    """The assessment of a trial.

    *chosen*: what the chosen threshold lets through; *floor*: the least threshold that the user's
    photographs allow; *table*: the trade, at other thresholds; *painted*: whether painted frames
    stood for photographs; *suspects*: photographs that a network which knows the mark scores as
    high as half of the marks: they may bear it. *unseen*: what is let through of the photographs
    on which nothing was trained; *rate*, *confidence*: of false accepts, as asked for; *bins*:
    recall by how marks are shown; *plain*: marks pasted plainly; *more_minutes*: minutes of
    training that usually do, None where more rarely helps; *scores*: of the trial, from which other
    thresholds are counted. Those of earlier releases have none of what comes after *suspects*.
    """

    chosen: Row
    floor: float
    table: tuple[Row, ...]
    painted: bool
    suspects: tuple[Scored, ...]
    unseen: Count = NOTHING
    rate: float = 0.0
    confidence: float = 0.0
    bins: tuple[Bin, ...] = ()
    plain: tuple[PlainScore, ...] = ()
    more_minutes: float | None = None
    scores: Scores | None = None

    @property
    def ready(self) -> bool:
        """Whether the model is ready to be tried."""
        return self.is_ready(self.chosen)

    def is_ready(self, row: Row) -> bool:
        """Return whether the model would be ready to be tried at the threshold of *row*."""
        return (
            row.threshold >= self.floor
            and row.judged.share >= READY_FOUND
            and row.lookalikes.share <= READY_LOOKALIKES
            and not self.not_found_plainly(row.threshold)
        )

    def plain_counts(self, threshold: float) -> dict[str, Count]:
        """Return for each class how many of its marks pasted plainly are found."""
        scores: dict[str, list[float]] = {}
        for one in self.plain:
            scores.setdefault(one.label, []).append(one.score)
        return {
            label: Count(sum(score >= threshold for score in found), len(found))
            for label, found in scores.items()
        }

    def not_found_plainly(self, threshold: float) -> dict[str, Count]:
        """Return the classes of which less than half of the marks pasted plainly are found."""
        counts = self.plain_counts(threshold)
        return {label: count for label, count in counts.items() if count.share < PLAINLY_FOUND}

    def at(self, threshold: float) -> Row | None:
        """Return what another threshold lets through; None where the scores were not kept."""
        if threshold == self.chosen.threshold or self.scores is None:
            return self.chosen if threshold == self.chosen.threshold else None
        return row_at(self.scores, threshold)

    def words(self, row: Row | None = None) -> str:
        """Return the assessment as one sentence; *row*: at another threshold than the chosen."""
        row = row or self.chosen
        kind = "painted frames" if self.painted else "of your photographs"
        real = f" and {row.real_marks} labelled ones" if row.real_marks.of else ""
        nominal = f", {row.nominal} of those under nominal conditions," if row.nominal.of else ""
        told = (
            f"finds {row.marks} painted marks{nominal}{real} at threshold {row.threshold:.3f}, "
            f"which lets {row.photographs} {kind} without it and {row.lookalikes} pictures of "
            "look-alikes through"
        )
        return (
            f"{told}: {'ready to be tried' if self.is_ready(row) else 'not ready; ' + self._next()}"
        )

    def _next(self) -> str:
        """Return what may help a model that is not ready."""
        if self.suspects:
            return (
                "photographs that may bear the mark hold the threshold up: look at them, and take "
                "out those that do"
            )
        if self.more_minutes is not None:
            usual = f"{self.more_minutes:g} minutes in all usually do on this machine"
            return f"train longer ({usual}), or look at hits.png for what it misses"
        if self.bins:  # it has trained for long
            return "longer training rarely helps now; see where it breaks, and hits.png"
        return "train longer (10 minutes usually do), or look at hits.png for what it misses"

    def to_json(self) -> str:
        """Serialize the assessment."""
        return json.dumps(dataclasses.asdict(self) | {"ready": self.ready}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Assessment":
        """Parse the text of :meth:`to_json`, of this release or an earlier one."""
        raw = json.loads(text)
        return cls(
            _row(raw["chosen"]),
            raw["floor"],
            tuple(_row(row) for row in raw["table"]),
            raw["painted"],
            tuple(Scored(**one | {"box": _box(one["box"])}) for one in raw["suspects"]),
            Count(**raw.get("unseen", {"hits": 0, "of": 0})),
            raw.get("rate", 0.0),
            raw.get("confidence", 0.0),
            tuple(Bin(**one | {"found": Count(**one["found"])}) for one in raw.get("bins", ())),
            tuple(PlainScore(**one) for one in raw.get("plain", ())),
            raw.get("more_minutes"),
            Scores(**{name: tuple(kept) for name, kept in raw["scores"].items()})
            if raw.get("scores")
            else None,
        )


def assess(
    trial: Trial, choice: Choice, painted: bool, fit: FitSettings, length: Length
) -> Assessment:
    """Return the assessment of a trial at the chosen threshold.

    *painted*: whether painted frames stood for photographs; *length*: of the training.
    """
    half = float(np.median(trial.marks)) if trial.marks else 1.0
    known = not painted and half >= KNOWN  # else nothing that it scores says what bears the mark
    near = [one for one in trial.photographs if one.score >= half] if known else []
    scores = scores_alone(trial)
    rows = {threshold: row_at(scores, threshold) for threshold in {*TABLE, choice.threshold}}
    unseen = [one.score for one in trial.photographs if not one.trained and not painted]
    return Assessment(
        rows[choice.threshold],
        choice.floor,
        tuple(rows[threshold] for threshold in sorted(rows)),
        painted,
        tuple(sorted(near, key=lambda one: -one.score)[:SUSPECTS]),
        Count(sum(score >= choice.threshold for score in unseen), len(unseen)),
        fit.false_accept_rate,
        fit.confidence,
        break_down(trial.details, choice.threshold),
        trial.plain,
        length.more_minutes,
        scores,
    )


def scores_alone(trial: Trial) -> Scores:
    """Return the bare scores of a trial."""
    photographs = tuple(one.score for one in trial.photographs)
    nominal = nominal_scores(trial.details)
    return Scores(trial.marks, trial.real_marks, trial.lookalikes, photographs, nominal)


def row_at(scores: Scores, threshold: float) -> Row:
    """Count what a threshold lets through."""

    def count(kept: Sequence[float]) -> Count:
        return Count(sum(score >= threshold for score in kept), len(kept))

    return Row(
        threshold,
        count(scores.marks),
        count(scores.real_marks),
        count(scores.lookalikes),
        count(scores.photographs),
        count(scores.nominal),
    )


def table_lines(assessment: Assessment) -> list[str]:
    """Return the trade as lines of a table, the chosen threshold marked."""
    kind = "painted frames" if assessment.painted else "photographs"
    columns = f"{'threshold':>11}{'marks found':>13}{'nominal':>12}{kind + ' passed':>22}"
    lines = [f"{columns}{'look-alikes passed':>20}"]
    for row in assessment.table:
        chosen = " <" if row == assessment.chosen else ""
        lines.append(
            f"{row.threshold:11.3f}{row.marks!s:>13}{row.nominal!s:>12}{row.photographs!s:>22}"
            f"{row.lookalikes!s:>20}{chosen}"
        )
    return lines


def bound_line(assessment: Assessment) -> str:
    """Return what the photographs without the mark show, and how many more the rate needs.

    Empty where painted frames stood for them, or the assessment is of an earlier release.
    """
    if assessment.painted or not assessment.rate:
        return ""
    accepted, unseen, sure = assessment.chosen.photographs, assessment.unseen, assessment.confidence
    bound = upper_bound(accepted.hits, accepted.of, sure)
    told = f"your photographs without the mark: {accepted} accepted"
    if not accepted.of:
        return told
    told += (
        f", so fewer than {_percent(bound)} of others like them, at {100 * sure:.4g} % confidence"
    )
    if unseen.of < accepted.of:
        rest = upper_bound(unseen.hits, unseen.of, sure)
        shown = f"{unseen}, fewer than {_percent(rest)}" if unseen.of else str(unseen)
        told += f" (of those never trained on: {shown})"
    if bound > assessment.rate:
        more = max(1, sample_size(assessment.rate, 0, sure) - accepted.of)
        told += f"; to show the {_percent(assessment.rate)} asked for, add {more} more"
    return told


def breakdown_lines(assessment: Assessment) -> list[str]:
    """Return the recall by how marks are shown as lines of a table, the weak parts marked."""
    if not assessment.bins:
        return []
    weak = weaknesses(assessment.bins, assessment.chosen.marks)
    lines = [f"{'marks shown':>12}  {'':<28}{'found':>14}"]
    before = ""
    for one in assessment.bins:
        name = "" if one.condition == before else one.condition
        before = one.condition
        mark = " < weak" if one in weak else ""
        lines.append(f"{name:>12}  {printable(one.part):<28}{one.found!s:>14}{mark}")
    return lines


def weakness_line(assessment: Assessment) -> str:
    """Return where the model breaks as one line, empty where no part is much worse than all."""
    weak = weaknesses(assessment.bins, assessment.chosen.marks)[:3]
    if not weak:
        return ""
    named = ", ".join(f"{one.condition} {printable(one.part)} ({one.found})" for one in weak)
    return f"it breaks first at: {named}"


def plain_line(assessment: Assessment, threshold: float) -> str:
    """Return which classes are not found pasted plainly, as one line; empty when all are."""
    missed = assessment.not_found_plainly(threshold)
    if not missed:
        return ""
    named = ", ".join(f"{printable(label)} {count}" for label, count in missed.items())
    return f"does not find its own mark pasted plainly, upright and sharp ({named})"


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %"


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
