"""Findings and verdicts, and the plain rule: pure, no clock, no files, no hardware.

The production line's own rules stand in :mod:`edge.deciding` and end in this one; golden pictures
are judged by this one alone.

>>> seal = Finding("qc-tested", 0.9, Box(10, 10, 50, 50))
>>> decide([seal], required={"qc-tested"}).kind
'pass'
>>> decide([], required={"qc-tested"})
Verdict(kind='reject', reason='no qc-tested found', findings=(), code='missing', near=None)
"""

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["pass", "reject", "fault"]
FOUND = "found"
MISSING = "missing"
NOT_JUDGED = "not-judged"
"""Codes of the plain rule; the others stand beside them in :mod:`edge.deciding.codes`."""


@dataclass(frozen=True)
class Box:
    """A bounding box in camera pixels: x to the right, y down, half-open (x0 <= x < x1)."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def width(self) -> float:
        """Width in pixels, never negative."""
        return max(0.0, self.x1 - self.x0)

    @property
    def height(self) -> float:
        """Height in pixels, never negative."""
        return max(0.0, self.y1 - self.y0)

    @property
    def area(self) -> float:
        """Area in square pixels."""
        return self.width * self.height

    def intersection(self, other: "Box") -> float:
        """Return the area shared with *other*, in square pixels."""
        width = min(self.x1, other.x1) - max(self.x0, other.x0)
        height = min(self.y1, other.y1) - max(self.y0, other.y0)
        return max(0.0, width) * max(0.0, height)

    def iou(self, other: "Box") -> float:
        """Return the intersection over union (IoU) with *other*, 0..1; 0 when both are empty.

        >>> Box(0, 0, 2, 2).iou(Box(1, 0, 3, 2))
        0.3333333333333333
        """
        shared = self.intersection(other)
        union = self.area + other.area - shared
        return shared / union if union > 0 else 0.0

    def clipped(self, width: float, height: float) -> "Box":
        """Return the part inside a picture of that size in pixels."""
        return Box(
            min(max(self.x0, 0.0), width),
            min(max(self.y0, 0.0), height),
            min(max(self.x1, 0.0), width),
            min(max(self.y1, 0.0), height),
        )

    def corners(self) -> tuple[float, float, float, float]:
        """Return the corners (x0, y0, x1, y1)."""
        return (self.x0, self.y0, self.x1, self.y1)


@dataclass(frozen=True)
class Finding:
    """One mark found: its class name, its score in 0..1 and its box in camera pixels."""

    label: str
    score: float
    box: Box

    @property
    def is_possible(self) -> bool:
        """Whether score and box are numbers that can be: not-a-number compares with none."""
        box = self.box
        return 0.0 <= self.score <= 1.0 and 0.0 < box.area < math.inf

    def as_object(self) -> dict[str, Any]:
        """Return the finding as the journal and ``--json`` hold it.

        The box is [x0, y0, x1, y1] in camera pixels.
        """
        box = [round(corner, 2) for corner in self.box.corners()]
        return {"label": self.label, "score": round(self.score, 4), "box": box}


@dataclass(frozen=True)
class Verdict:
    """The decision on an item, its reason, and the findings it rests on, best score first.

    *code*: the reason as one stable word of :mod:`edge.deciding.codes`, or of the gate's; *near*:
    the near miss, the best finding below the score from which one counts, where there is one.
    """

    kind: Kind
    reason: str
    findings: tuple[Finding, ...] = ()
    code: str = ""
    near: Finding | None = None


def decide(findings: Iterable[Finding], required: Collection[str]) -> Verdict:
    """Pass an item only when every required class was found; in any doubt reject.

    *findings*: those at or above the model's threshold; *required*: class names, all of which must
    be there. One whose score or box cannot be makes it a FAULT, whoever found it. With nothing
    required nothing can pass: an empty rule is a mistake, and a mistake rejects.
    """
    seen = tuple(sorted(findings, key=lambda finding: -finding.score))
    if not all(finding.is_possible for finding in seen):
        return fault("a finding that is none: its score must be in 0..1, and its box have pixels")
    missing = sorted(set(required) - {finding.label for finding in seen})
    if not required:
        return Verdict("reject", "no class is required, so nothing can pass", seen, MISSING)
    if missing:
        return Verdict("reject", f"no {', no '.join(missing)} found", seen, MISSING)
    return Verdict("pass", f"{', '.join(sorted(required))} found", seen, FOUND)


def fault(reason: str) -> Verdict:
    """Return the verdict on an item that could not be judged; the gate treats it as a reject."""
    return Verdict("fault", reason, code=NOT_JUDGED)
