"""Judge every contender by the same rule: train/judge/evaluate.py's, on the same photographs."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.layouts import Entries
from edge.decision import Box, Finding
from edge.files import write_atomic
from edge.vision.localizer import NO_ENTRIES
from train.judge.contender import Detector
from train.judge.evaluate import (
    ALLOWED_FALSE_ACCEPTS,
    Detections,
    Evaluation,
    Group,
    detect,
    judge,
)
from train.labels.ground_truth import Labels

LEVEL = ALLOWED_FALSE_ACCEPTS[-1]
"""Median IoU is also taken where all contenders make this many false accepts: their own thresholds
mean little."""


@dataclass(frozen=True)
class Contender:
    """One method.

    *make*: loads it, with session configuration entries of onnxruntime; *threshold*: its own, 0..1;
    *labels*: the photographs, with classes named as it names them; *key*: says what it is, so that
    findings of another are not taken for its own.
    """

    name: str
    make: Callable[..., Detector]
    threshold: float
    labels: Labels
    key: str

    def opened(self, entries: Entries = NO_ENTRIES) -> Detector:
        """Load it in the layout of *entries*."""
        return self.make(entries=entries)


@dataclass(frozen=True)
class Result:
    """Figures of a contender at its own threshold, and at a fixed false accept level.

    That is the score that leaves :data:`LEVEL` false accepts.
    """

    name: str
    own: Evaluation
    level: Evaluation | None

    def figures(self, group: str) -> dict[str, float]:
        """All figures of one group by name, as the table and the comparison use them."""
        own = next(g for g in self.own.groups if g.name == group)
        figures: dict[str, float] = {"boxes": own.boxes, "AP50": own.ap50, "AP50:95": own.ap50_95}
        figures |= {f"main@{r.false_accepts}FA": r.recall for r in own.recalls}
        figures |= {"IoU": own.median_iou, "located": own.located}
        if self.level:
            level: Group = next(g for g in self.level.groups if g.name == group)
            figures |= {f"IoU@{LEVEL}FA": level.median_iou, f"located@{LEVEL}FA": level.located}
        return figures

    def as_object(self) -> dict[str, Any]:
        """For JSON."""
        groups = {g.name: self.figures(g.name) for g in self.own.groups}
        accepts, rejects = self.own.false_accepts, self.own.false_rejects
        counts = {
            "threshold": self.own.threshold,
            "false_accepts": accepts.errors,
            "negatives": accepts.items,
        }
        counts |= {"false_rejects": rejects.errors, "with_mark": rejects.items}
        return {"name": self.name, **counts, "groups": groups}


def judge_contender(contender: Contender, negatives: Path | None, kept: Path) -> Result:
    """Run one contender on all photographs, unless its findings are in *kept*, and judge it.

    Raises InputError.
    """
    labels = contender.labels
    key = f"{contender.key} {[str(path) for path in labels.images.values()]} {negatives}"
    detections = read_detections(kept, key)
    if detections is None:
        print(f"{contender.name}: looking at the photographs")
        detections = detect(contender.opened(), labels, negatives)
        write_detections(kept, key, detections)
    own = judge(contender.name, labels, detections, contender.threshold)
    scores = [r.score for r in own.groups[0].recalls if r.false_accepts == LEVEL]
    # The score to beat is that of a false accept: the threshold lies just above it.
    level = (
        judge(contender.name, labels, detections, math.nextafter(scores[0], 2.0))
        if scores
        else None
    )
    return Result(contender.name, own, level)


def write_detections(path: Path, key: str, detections: Detections) -> None:
    """Keep findings, with all their digits."""
    images = {
        str(image_id): [plain(f) for f in found] for image_id, found in detections.images.items()
    }
    negatives = [[plain(f) for f in found] for found in detections.negatives]
    write_atomic(path, json.dumps({"key": key, "images": images, "negatives": negatives}).encode())


def plain(finding: Finding) -> list[Any]:
    """A finding as a list: label, score, x0, y0, x1, y1."""
    return [finding.label, float(finding.score), *map(float, finding.box.corners())]


def read_detections(path: Path, key: str) -> Detections | None:
    """Findings kept under *key*; None when there are none, or of something else."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if raw.get("key") != key:
        return None
    images = {
        int(image_id): tuple(map(_finding, found)) for image_id, found in raw["images"].items()
    }
    return Detections(images, tuple(tuple(map(_finding, found)) for found in raw["negatives"]))


def _finding(raw: list[Any]) -> Finding:
    return Finding(raw[0], raw[1], Box(*raw[2:]))
