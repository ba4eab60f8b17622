"""Contact sheet of a model's errors on labelled photographs, worst first, and of some hits."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image, ImageDraw

from edge.annotate import SHEET_CELL, contact_sheet
from edge.decision import Box, Finding
from edge.vision.legend import Meaning, caption_lines, draw_box
from edge.vision.picture_files import read_picture
from train.judge.evaluate import Detections, finds, overlaps
from train.judge.folders import FolderEvaluation
from train.labels.ground_truth import Label, Labels

Kind = Literal["false accept", "miss", "extra", "hit"]
SHOWN: dict[Kind, int] = {"false accept": 18, "miss": 18, "extra": 6, "hit": 12}
"""Most pictures of each kind on a sheet, in their order there; half of the hits are those of the
least IoU."""
FAINTEST = 3
"""Most findings below the threshold that are drawn on a picture without boxes."""
LINE_PX = 14
"""Height of a line of a caption, in pixels."""


@dataclass(frozen=True)
class Case:
    """One picture and its result at the threshold.

    *kind*: false accept (no mark, one found), miss (not every mark was found), extra (all found,
    and something that is none), or hit; *figure*: the score of what was wrongly found, the best
    score of a finding on the worst missed mark, or the least IoU; *found*: findings at the
    threshold; *faint*: those below it that lie on a missed mark.
    """

    path: Path
    kind: Kind
    figure: float
    truth: tuple[Label, ...] = ()
    found: tuple[Finding, ...] = ()
    faint: tuple[Finding, ...] = ()

    @property
    def badness(self) -> float:
        """Order among cases of one kind: greater is worse."""
        return self.figure if self.kind in ("false accept", "extra") else -self.figure


def cases(labels: Labels, detections: Detections, threshold: float) -> list[Case]:
    """Classify every picture.

    True negatives are left out, and so are pictures all of whose marks are ignored, unless
    something else was found there.
    """
    judged = [
        _labelled(labels, detections, image_id, threshold)
        for image_id in labels.images
        if labels.of(image_id)
    ]
    for path, findings in zip(detections.negative_paths, detections.negatives, strict=False):
        found = tuple(finding for finding in findings if finding.score >= threshold)
        if found:
            judged.append(Case(path, "false accept", found[0].score, (), found))
    return [case for case in judged if case is not None]


def _labelled(
    labels: Labels, detections: Detections, image_id: int, threshold: float
) -> Case | None:
    path, truth, findings = (
        labels.images[image_id],
        labels.of(image_id),
        detections.images[image_id],
    )
    pairs = overlaps(labels, detections, image_id)
    matched = {id(label): iou for label, score, iou in pairs if score >= threshold}
    missed = [label for label in truth if not label.ignore and id(label) not in matched]
    found = tuple(finding for finding in findings if finding.score >= threshold)
    extra = [finding for finding in found if not any(_explains(label, finding) for label in truth)]
    if missed:
        faint = tuple(
            f for f in findings if f.score < threshold and any(finds(f, label) for label in missed)
        )
        scores = [max((f.score for f in faint if finds(f, label)), default=0.0) for label in missed]
        return Case(path, "miss", min(scores), truth, found, faint)
    if extra:
        return Case(path, "extra", extra[0].score, truth, found)
    return Case(path, "hit", min(matched.values()), truth, found) if matched else None


def _explains(label: Label, finding: Finding) -> bool:
    """Return whether a finding belongs to *label*; half of it on an ignored box is enough."""
    mostly = finding.box.intersection(label.box) >= 0.5 * finding.box.area
    return finds(finding, label) or (label.ignore and mostly)


def choose(judged: Sequence[Case]) -> list[Case]:
    """Choose the cases for the sheet, kind by kind, the worst first.

    Of the hits, half are the worst, the other half is spread evenly over all the others.
    """
    chosen: list[Case] = []
    for kind, most in SHOWN.items():
        worst = sorted(
            (case for case in judged if case.kind == kind), key=lambda case: -case.badness
        )
        if kind == "hit" and len(worst) > most:
            others = worst[most // 2 :]
            step = len(others) / (most - most // 2)
            worst = worst[: most // 2] + [
                others[int(step * number)] for number in range(most - most // 2)
            ]
        chosen += worst[:most]
    return chosen


def worst_sheet(labels: Labels, detections: Detections, threshold: float) -> Image.Image:
    """Draw the sheet, in the colours of :mod:`edge.vision.legend`.

    With nothing to show, the sheet says so. Raises FrameError when a picture can no longer be read.
    """
    return sheet_of(cases(labels, detections, threshold))


def folder_sheet(evaluation: FolderEvaluation) -> Image.Image:
    """Draw the errors on folders without labels: unstamped items that pass, stamped ones missed.

    Raises FrameError when a picture can no longer be read.
    """
    judged = []
    for one in evaluation.wrong:
        asked = [finding for finding in one.findings if finding.label in evaluation.classes]
        found = tuple(f for f in asked if f.score >= evaluation.threshold)
        faint = tuple(f for f in asked if f.score < evaluation.threshold)[:FAINTEST]
        kind: Kind = "miss" if one.side == "stamped" else "false accept"
        judged.append(Case(one.path, kind, one.score, (), found, faint))
    return sheet_of(judged)


def sheet_of(judged: Sequence[Case]) -> Image.Image:
    """Draw the cases that are chosen for the sheet. Raises FrameError."""
    chosen = choose(judged)
    if not chosen:
        empty = Image.new("RGB", SHEET_CELL, "white")
        ImageDraw.Draw(empty).text((12, 12), "nothing went wrong", fill="black")
        return empty
    return contact_sheet([_drawn(case) for case in chosen])


def _drawn(case: Case) -> Image.Image:
    """Draw one cell: the picture as large as fits, its boxes, and its whole caption below."""
    width, height = SHEET_CELL
    figure = "IoU" if case.kind == "hit" else "score"
    caption = caption_lines(f"{case.kind}, {figure} {case.figure:.2f}: {case.path.name}", width)
    image, strip = Image.fromarray(read_picture(case.path)), LINE_PX * len(caption) + 4
    scale = min(width / image.width, (height - strip) / image.height)
    image = image.resize(
        (max(1, int(image.width * scale)), max(1, int(image.height * scale))),
        Image.Resampling.BILINEAR,
    )
    cell = Image.new("RGB", (width, image.height + strip), "white")
    left = (width - image.width) // 2
    cell.paste(image, (left, 0))
    draw = ImageDraw.Draw(cell)
    for box, meaning, score, below in _boxes(case):
        draw_box(draw, _shown(box, scale, left), meaning, score, below)
    for number, line in enumerate(caption):
        draw.text((4, image.height + 2 + number * LINE_PX), line, fill="black")
    return cell


def _boxes(case: Case) -> Iterator[tuple[Box, Meaning, float | None, bool]]:
    """Yield the boxes of a case: box, what it means, score, and whether it is below.

    Findings come first: a box of the truth lies over the finding that hits it.
    """
    without_boxes = case.kind == "miss" and not case.truth
    for finding in (*case.faint, *case.found):
        right = without_boxes or any(_explains(label, finding) for label in case.truth)
        below = finding in case.faint
        yield finding.box, "found" if right else "false", finding.score, below
    for label in case.truth:
        hit = any(finds(finding, label) for finding in case.found)
        yield label.box, "ignored" if label.ignore else "mark" if hit else "missed", None, False


def _shown(box: Box, scale: float, left: int) -> Box:
    """Return a box of the photograph on its cell."""
    return Box(box.x0 * scale + left, box.y0 * scale, box.x1 * scale + left, box.y1 * scale)
