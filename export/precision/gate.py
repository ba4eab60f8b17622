"""The decision gate: a file of lower precision must decide as the float one does.

Both judge the same frozen pictures through the box's own localizer and plain rule, at the model's
own threshold, one after the other. No rejected picture may pass, few passed ones may be lost, and
the boxes must agree.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from edge.decision import Finding, Kind
from edge.errors import AnswerError
from edge.rates.bounds import Rate
from edge.vision.contract import Contract
from edge.vision.golden import decision_on
from edge.vision.localizer import Localizer
from edge.vision.preprocess import Frame
from train.assess.frozen_pictures import FrozenPicture

LEAST_PICTURES = 2000
"""Fewer pictures prove nothing."""
MOST_LOST = 0.005
"""Share of the float model's passes that may become rejects."""
LEAST_IOU = 0.9
"""Least median IoU of the boxes that both find."""
SCORED_FROM = 0.02
"""Findings below are not compared."""
ALL = "all"


@dataclass(frozen=True)
class Judged:
    """What one model makes of one picture.

    *decision*: by its threshold, a fault where its answer cannot be; *score*: the least of the
    classes' best scores, which decides; *best*: the best finding of each class.
    """

    decision: Kind
    score: float
    best: tuple[Finding | None, ...]


@dataclass(frozen=True)
class Pair:
    """One picture as the float model and the other one judge it."""

    kind: str
    exact: Judged
    other: Judged

    @property
    def gained(self) -> bool:
        """Whether it passes though the float model rejects it: the unforgivable error."""
        return self.other.decision == "pass" != self.exact.decision

    @property
    def lost(self) -> bool:
        """Whether it is rejected though the float model lets it pass."""
        return self.exact.decision == "pass" != self.other.decision

    def ious(self, threshold: float) -> list[float]:
        """Return the IoU of the best boxes of each class that both find."""
        pairs = zip(self.exact.best, self.other.best, strict=True)
        return [
            a.box.iou(b.box) for a, b in pairs if a and b and min(a.score, b.score) >= threshold
        ]


def judge(localizer: Localizer, frame: Frame) -> Judged:
    """Judge one picture, with every class of the model required, as the box does."""
    contract = localizer.contract
    try:
        found = localizer.find(frame, min(SCORED_FROM, contract.threshold))
    except AnswerError:
        return Judged("fault", 0.0, (None,) * len(contract.classes))
    best = tuple(
        max((f for f in found if f.label == label), key=lambda f: f.score, default=None)
        for label in contract.classes
    )
    score = min(finding.score if finding else 0.0 for finding in best)
    return Judged(decision_on(found, contract), score, best)


@dataclass(frozen=True)
class Row:
    """The counts of one kind of pictures: *passes* are the float model's."""

    kind: str
    pictures: int
    passes: int
    lost: int
    gained: int

    @classmethod
    def of(cls, kind: str, pairs: Sequence[Pair]) -> "Row":
        """Count *pairs*."""
        passes = sum(pair.exact.decision == "pass" for pair in pairs)
        lost, gained = sum(pair.lost for pair in pairs), sum(pair.gained for pair in pairs)
        return cls(kind, len(pairs), passes, lost, gained)


@dataclass(frozen=True)
class GateResult:
    """What the gate found.

    *rows*: by kind, then all; *ious*: how many boxes were compared, and their median IoU; *gaps*:
    of the scores that decide, the median difference, that which 99 % stay below, and the greatest;
    *time*: processor time of the other in times of the float one's, on this computer.
    """

    rows: tuple[Row, ...]
    boxes: int
    median_iou: float
    gaps: tuple[float, float, float]
    time: float = field(compare=False)

    @classmethod
    def of(cls, pairs: Sequence[Pair], contract: Contract, share: float) -> "GateResult":
        """Count *pairs*; *share*: the time as above."""
        kinds = dict.fromkeys(pair.kind for pair in pairs)
        rows = [Row.of(kind, [p for p in pairs if p.kind == kind]) for kind in kinds]
        ious = [iou for pair in pairs for iou in pair.ious(contract.threshold)]
        gaps = np.array([abs(pair.exact.score - pair.other.score) for pair in pairs] or [0.0])
        median, most = float(np.median(gaps)), float(gaps.max())
        return cls(
            (*rows, Row.of(ALL, pairs)),
            len(ious),
            float(np.median(ious)) if ious else 0.0,
            (median, float(np.quantile(gaps, 0.99)), most),
            share,
        )

    @property
    def total(self) -> Row:
        """All pictures."""
        return self.rows[-1]

    @property
    def failures(self) -> list[str]:
        """What is not as it must be, in words; empty when the gate is passed."""
        total, said = self.total, list[str]()
        if total.pictures < LEAST_PICTURES:
            said.append(f"{total.pictures} pictures, must be at least {LEAST_PICTURES}")
        if not total.passes:
            said.append("the float model lets no picture pass, so nothing can be compared")
        if total.gained:
            said.append(f"{total.gained} rejected pictures pass, must be 0")
        if total.lost > MOST_LOST * total.passes:
            allowed = int(MOST_LOST * total.passes)
            said.append(
                f"{total.lost} of {total.passes} passes are lost, must be {allowed} or less"
            )
        if total.passes and self.median_iou < LEAST_IOU:
            said.append(f"median IoU of the boxes {self.median_iou:.3f}, must be {LEAST_IOU}")
        return said

    def lines(self) -> list[str]:
        """Return the table, and what was measured beside it."""
        wide = max(len(row.kind) for row in self.rows)
        said = [f"{'':<{wide}}  pictures  passes  lost  gained"]
        for row in self.rows:
            counts = f"{row.pictures:>8}  {row.passes:>6}  {row.lost:>4}  {row.gained:>6}"
            said.append(f"{row.kind:<{wide}}  {counts}")
        median, nearly_all, most = self.gaps
        rejects = Rate(self.total.gained, self.total.pictures - self.total.passes)
        said.append(
            f"boxes: median IoU {self.median_iou:.3f} of {self.boxes}; scores differ by "
            f"{median:.2g}, 99 % of them by less than {nearly_all:.2g}, one by {most:.2g}"
        )
        said.append(f"rejected by float32 and passed by this: {rejects}")
        said.append(f"time on this computer, of float32's: {self.time:.2f}")
        return said

    def as_object(self) -> dict[str, Any]:
        """Return what was found as the model's metadata have it, without any time."""
        return {
            "pictures": {
                row.kind: [row.pictures, row.passes, row.lost, row.gained] for row in self.rows
            },
            "median_iou": round(self.median_iou, 4),
            "score_gaps": [round(gap, 6) for gap in self.gaps],
        }


def compare(
    exact: Localizer,
    other: Localizer,
    pictures: Iterable[FrozenPicture],
    on_picture: Callable[[], None] = lambda: None,
) -> tuple[list[Pair], float]:
    """Let both judge each of *pictures* in turn.

    Returns the pairs, and the processor time of the other in times of the float one's.
    """
    pairs, spent = [], [0, 0]
    for picture in pictures:
        on_picture()
        begun = time.thread_time_ns()
        first = judge(exact, picture.frame)
        between = time.thread_time_ns()
        pairs.append(Pair(picture.kind, first, judge(other, picture.frame)))
        spent[0] += between - begun
        spent[1] += time.thread_time_ns() - between
    return pairs, spent[1] / max(1, spent[0])
