"""Evaluate a model on labelled photographs by the box's own code: AP50, recall, error rates."""

import contextlib
import dataclasses
import io
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from faster_coco_eval import COCO, COCOeval_faster
from tqdm import tqdm

from edge.decision import Finding, decide
from edge.errors import AnswerError, FrameError, InputError
from edge.printing import printable
from edge.rates.bounds import UNMEASURED, Rate
from edge.vision.picture_files import read_picture
from edge.vision.picture_folders import find_pictures
from train.judge.contender import Contender, Detector, open_model
from train.labels.ground_truth import FOUND_IOU, Label, Labels
from train.labels.reading import read_ground_truth

LOWEST_SCORE = 0.005
"""Findings below this are left out; the precision-recall curve ends there."""
ALLOWED_FALSE_ACCEPTS = (0, 1, 3)


@dataclass(frozen=True)
class RecallAt:
    """Share of main boxes found when the score must beat all but *false_accepts* of the negatives.

    *score*: the score to beat, 0..1; *found* of *boxes*.
    """

    false_accepts: int
    score: float
    found: int
    boxes: int

    @property
    def recall(self) -> float:
        """Share found, 0..1; nan when there is no box."""
        return self.found / self.boxes if self.boxes else float("nan")


@dataclass(frozen=True)
class Group:
    """The figures of all boxes or of one variant.

    *ap50*, *ap50_95*: average precision at IoU 0.5, and its mean over 0.5..0.95 (COCO); *recalls*:
    main boxes found; *median_iou*, *located*: IoU of the boxes found at the model's threshold, and
    how many.
    """

    name: str
    boxes: int
    ap50: float
    ap50_95: float
    recalls: tuple[RecallAt, ...]
    median_iou: float
    located: int


@dataclass(frozen=True)
class Evaluation:
    """The result of an evaluation.

    *false_accepts*: pictures without a mark in which one was found; *false_rejects*: pictures with
    a mark that the box would have rejected; *misplaced*: pictures with a mark that passed though no
    finding overlapped it; *groups*: all boxes first, then each variant.
    """

    model: str
    threshold: float
    false_accepts: Rate
    false_rejects: Rate
    misplaced: int
    groups: tuple[Group, ...]

    @property
    def presence(self) -> Rate:
        """Pictures judged wrongly, with a mark or without, among all judged.

        The bound holds for this mixture of the two.
        """
        errors = self.false_accepts.errors + self.false_rejects.errors
        return Rate(errors, self.false_accepts.items + self.false_rejects.items)

    def as_object(self) -> dict[str, Any]:
        """Return the fields as JSON has them, with recall and presence as numbers of their own."""
        raw = dataclasses.asdict(self)
        raw["false_accepts"] = self.false_accepts.as_object()
        raw["false_rejects"] = self.false_rejects.as_object()
        raw["presence"] = {**self.presence.as_object(), "accuracy": self.presence.accuracy}
        for group, spelt in zip(self.groups, raw["groups"], strict=True):
            for recall, entry in zip(group.recalls, spelt["recalls"], strict=True):
                entry["recall"] = recall.recall
        return raw


@dataclass(frozen=True)
class Detections:
    """The findings of a model: in the labelled images by id, and in each negative picture.

    *negative_paths*: the files of the negatives in the same order, empty when they are not known.
    """

    images: dict[int, tuple[Finding, ...]]
    negatives: tuple[tuple[Finding, ...], ...]
    negative_paths: tuple[Path, ...] = ()


@dataclass(frozen=True)
class ModelOutput:
    """A model's output on a labelled set.

    *name*, *threshold*: the model's; *labels*: the ground truth; *detections*: its findings;
    *unread*: pictures and folders that could not be read, a line each, which neither of these has;
    *remarks*: what else is to be said of the set.
    """

    name: str
    threshold: float
    labels: Labels
    detections: Detections
    unread: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def evaluate(
    model: Path, coco: Path, images: Path, negatives: Path | None, threads: int = 1
) -> Evaluation:
    """Evaluate *model* on the labelled *images* and on *negatives*, pictures without any mark.

    *coco*: the labels, in any layout that training reads; *images*, *negatives*: folders, read
    with their sub-folders; *threads*: cores to use. Labelled images without any box are negatives
    too; those whose boxes are all ignored count for neither error, nor does a damaged picture.
    Raises ModelError or InputError.
    """
    output = run_model(model, coco, images, negatives, threads)
    return judge(output.name, output.labels, output.detections, output.threshold)


def run_model(
    model: Path, coco: Path, images: Path, negatives: Path | None, threads: int = 1
) -> ModelOutput:
    """Run *model* on all pictures that :func:`evaluate` takes. Raises ModelError or InputError."""
    return run_contender(open_model(model, threads), coco, images, negatives)


def run_contender(
    contender: Contender, coco: Path, images: Path, negatives: Path | None
) -> ModelOutput:
    """Run a model on all pictures that :func:`evaluate` takes. Raises InputError."""
    labels, read = read_ground_truth(coco, images, contender.classes)
    files, remarks, unread = _negatives(negatives, labels)
    looked, detections, damaged = _detect_readable(contender.detector, labels, files)
    unread = (*(text for _, text in read.unread), *damaged, *unread)
    if unread and not looked.images and not detections.negatives:
        raise InputError(f"evaluate: not one picture can be read: {unread[0]}")
    return ModelOutput(
        contender.name,
        contender.threshold,
        looked,
        detections,
        unread,
        (*read.remarks, *remarks),
    )


def judge(name: str, labels: Labels, detections: Detections, threshold: float) -> Evaluation:
    """Evaluate *detections* against the ground truth.

    *name*: of the model, for the table; *threshold*: least score that counts, 0..1.
    """
    variants = sorted(
        {label.variant for label in labels.labels if not label.ignore and label.variant}
    )
    rejects, misplaced = count_rejects(labels, detections, threshold)
    return Evaluation(
        name,
        threshold,
        Rate(
            sum(best(found) >= threshold for found in detections.negatives),
            len(detections.negatives),
        ),
        rejects,
        misplaced,
        (
            measure("all", labels, detections, threshold),
            *(
                measure(name, only_variant(labels, name), detections, threshold)
                for name in variants
                if len(variants) > 1
            ),
        ),
    )


def detect(detector: Detector, labels: Labels, negatives: Path | None) -> Detections:
    """Run *detector* on every picture. Raises InputError when one cannot be read."""
    files, _, unread = _negatives(negatives, labels)
    _, detections, damaged = _detect_readable(detector, labels, files)
    if problems := (*damaged, *unread):
        raise InputError(problems[0])
    return detections


def _negatives(
    folder: Path | None, labels: Labels
) -> tuple[tuple[Path, ...], tuple[str, ...], tuple[str, ...]]:
    """Return the pictures without a mark, what is to be said of them, and what cannot be read.

    Raises InputError when there is none, or when one of them is labelled with a mark.
    """
    if folder is None:
        return (), (), ()
    found = find_pictures(folder)
    if not found.pictures:
        raise InputError(
            f"--negatives {folder}: holds no picture; name a folder of pictures without the mark"
        )
    marked = {labels.images[label.image_id].resolve() for label in labels.labels}
    for path in found.pictures:
        if path.resolve() in marked:
            raise InputError(
                f"--negatives {folder}: {path} is labelled with a mark; name a folder without it"
            )
    said = found.describe_left_out()
    unread = tuple(f"{path}: {reason}" for path, reason in found.left_out if path in found.unread)
    return found.pictures, (said,) if said else (), unread


def _detect_readable(
    detector: Detector, labels: Labels, negatives: Sequence[Path]
) -> tuple[Labels, Detections, tuple[str, ...]]:
    """Run *detector* on every picture that can be read.

    Returns the labels and findings of those, and what is wrong with the others.
    """
    problems = list[str]()
    total = len(labels.images) + len(negatives)
    bar = tqdm(total=total, desc="evaluate", unit="picture", mininterval=1.0)

    def find(path: Path) -> tuple[Finding, ...] | None:
        """Find in one picture, and show that it is done."""
        bar.update()
        return find_in(path, detector, problems)

    with bar:
        in_images = {image_id: find(path) for image_id, path in labels.images.items()}
        in_negatives = [(path, find(path)) for path in negatives]
    images = {image_id: found for image_id, found in in_images.items() if found is not None}
    read = labels.without([image_id for image_id in labels.images if image_id not in images])
    unmarked = [
        *((read.images[i], images[i]) for i in read.images if not read.of(i)),
        *((path, found) for path, found in in_negatives if found is not None),
    ]
    paths, found = tuple(path for path, _ in unmarked), tuple(found for _, found in unmarked)
    return read, Detections(images, found, paths), tuple(problems)


def find_in(path: Path, detector: Detector, problems: list[str]) -> tuple[Finding, ...] | None:
    """Return what *detector* finds in a picture; None, and a line in *problems*, when it is unread.

    Nothing is found where the answer is none that can be: that is a FAULT on the box, which rejects
    the item.
    """
    try:
        frame = read_picture(path)
    except FrameError as error:
        problems.append(str(error))
        return None
    try:
        return detector.find(frame, LOWEST_SCORE)
    except AnswerError as error:
        tqdm.write(printable(f"{path}: {error}"), file=sys.stderr)
        return ()


def best(findings: Iterable[Finding]) -> float:
    """Return the greatest score among *findings*, 0 when there is none."""
    return max((finding.score for finding in findings), default=0.0)


def only_variant(labels: Labels, variant: str) -> Labels:
    """Return the labels of the images that show *variant*, with all others ignored."""
    kept = {
        label.image_id for label in labels.labels if label.variant == variant and not label.ignore
    }
    return Labels(
        {image_id: path for image_id, path in labels.images.items() if image_id in kept},
        tuple(
            dataclasses.replace(label, ignore=label.ignore or label.variant != variant)
            for label in labels.labels
            if label.image_id in kept
        ),
    )


def count_rejects(labels: Labels, detections: Detections, threshold: float) -> tuple[Rate, int]:
    """Count false rejects, as the box decides given the classes shown.

    Also returns how many items passed though no finding overlaps a mark.
    """
    errors = items = misplaced = 0
    for image_id in labels.images:
        scored = [label for label in labels.of(image_id) if not label.ignore]
        if not scored:
            continue
        found = [finding for finding in detections.images[image_id] if finding.score >= threshold]
        passed = decide(found, {label.label for label in scored}).kind == "pass"
        items, errors = items + 1, errors + (not passed)
        misplaced += passed and not any(
            finds(finding, label) for finding in found for label in labels.of(image_id)
        )
    return Rate(errors, items), misplaced


def finds(finding: Finding, label: Label) -> bool:
    """Return whether a finding is of the class of *label* and overlaps it by at least IoU 0.5."""
    return finding.label == label.label and finding.box.iou(label.box) >= FOUND_IOU


def measure(name: str, labels: Labels, detections: Detections, threshold: float) -> Group:
    """Return the figures of one group of boxes."""
    ap50, ap50_95 = average_precision(labels, detections)
    scored = [label for label in labels.labels if not label.ignore]
    hits = [overlaps(labels, detections, image_id) for image_id in labels.images]
    ious = [
        iou for pairs in hits for _, score, iou in pairs if score >= threshold and iou >= FOUND_IOU
    ]
    main = [(score, iou) for pairs in hits for label, score, iou in pairs if label.main]
    worst = sorted((best(found) for found in detections.negatives), reverse=True)
    boxes = sum(label.main for label in scored)
    recalls = []
    for allowed in ALLOWED_FALSE_ACCEPTS if worst else ():
        beaten = worst[allowed] if allowed < len(worst) else 0.0
        found = sum(score > beaten and iou >= FOUND_IOU for score, iou in main)
        recalls.append(RecallAt(allowed, beaten, found, boxes))
    median = float(np.median(ious)) if ious else float("nan")
    return Group(name, len(scored), ap50, ap50_95, tuple(recalls), median, len(ious))


def overlaps(
    labels: Labels, detections: Detections, image_id: int
) -> list[tuple[Label, float, float]]:
    """Match one image's ground truth with findings; return (label, score, IoU) of each match.

    As in COCO, findings come best score first, and each takes the free box of its class that it
    overlaps most, from IoU 0.5 on.
    """
    free = [label for label in labels.of(image_id) if not label.ignore]
    matched = []
    for finding in detections.images[image_id]:
        candidates = [label for label in free if finds(finding, label)]
        if candidates:
            label = max(candidates, key=lambda candidate: candidate.box.iou(finding.box))
            free.remove(label)
            matched.append((label, finding.score, label.box.iou(finding.box)))
    return matched


def average_precision(labels: Labels, detections: Detections) -> tuple[float, float]:
    """Return AP50 and AP50:95, the mean over IoU 0.5..0.95, by faster-coco-eval.

    Both are nan when there is no scored box. Ignored boxes are COCO's crowds: matched last, by
    intersection over the finding's area, and then neither true nor false positives.
    """
    if all(label.ignore for label in labels.labels):
        return float("nan"), float("nan")
    kinds = {
        name: index
        for index, name in enumerate(sorted({label.label for label in labels.labels}), start=1)
    }
    truth = [
        {
            "id": number,
            "image_id": label.image_id,
            "category_id": kinds[label.label],
            "bbox": _xywh(label.box.corners()),
            "area": label.box.area,
            "iscrowd": int(label.ignore),
        }
        for number, label in enumerate(labels.labels, start=1)
    ]
    found = [
        {
            "image_id": image_id,
            "category_id": kinds[finding.label],
            "bbox": _xywh(finding.box.corners()),
            "score": finding.score,
        }
        for image_id in labels.images
        for finding in detections.images[image_id]
        if finding.label in kinds
    ]
    if not found:
        return 0.0, 0.0
    return _quietly(lambda: _coco_eval(labels, kinds, truth, found))


def _coco_eval(
    labels: Labels, kinds: dict[str, int], truth: list[dict[str, Any]], found: list[dict[str, Any]]
) -> tuple[float, float]:
    reference = COCO(
        {
            "images": [{"id": image_id} for image_id in labels.images],
            "annotations": truth,
            "categories": [{"id": index, "name": name} for name, index in kinds.items()],
        }
    )
    judge = COCOeval_faster(reference, reference.loadRes(found), iouType="bbox")
    judge.evaluate()
    judge.accumulate()
    judge.summarize()
    return float(judge.stats[1]), float(judge.stats[0])


def _quietly(work: Callable[[], tuple[float, float]]) -> tuple[float, float]:
    """Return the result of *work*, run without the tables that the COCO code prints."""
    with contextlib.redirect_stdout(io.StringIO()):
        return work()


def _xywh(corners: Sequence[float]) -> list[float]:
    x0, y0, x1, y1 = corners
    return [x0, y0, x1 - x0, y1 - y0]


LEGEND = """\
main@kFA: share of main boxes found (IoU 0.5) when the score must beat all but k of the negatives;
IoU: median of the boxes located at the threshold; -: not measured. Bounds: one-sided 95 %,
Clopper-Pearson; they hold for pictures like these and for no others."""


def as_text(evaluation: Evaluation) -> str:
    """Return the evaluation as a table of text, whose names cannot forge a line of it."""
    e = evaluation
    allowed = [recall.false_accepts for recall in e.groups[0].recalls]
    head = f"{'':<16}{'boxes':>6}{'AP50':>7}{'AP50:95':>9}" + "".join(
        f"{f'main@{k}FA':>10}" for k in allowed
    )
    lines = [f"{e.model}: threshold {e.threshold:.3f}", head + f"{'IoU':>7}{'located':>9}"]
    for g in e.groups:
        recalls = "".join(_figure(recall.recall, 10) for recall in g.recalls)
        precision = _figure(g.ap50, 7) + _figure(g.ap50_95, 9)
        places = f"{_figure(g.median_iou, 7)}{g.located:>9}"
        lines.append(f"{g.name:<16}{g.boxes:>6}{precision}{recalls}{places}")
    lines += [
        f"false accepts {e.false_accepts}, of pictures without a mark",
        (
            f"false rejects {e.false_rejects}, of pictures with a mark; "
            f"{e.misplaced} more passed on a wrong place"
        ),
        f"stamp or none: {_presence(e.presence)}, of all these pictures together",
        *LEGEND.split("\n"),
    ]
    return "\n".join(map(printable, lines))


def _figure(value: float, width: int) -> str:
    """Return a figure with three digits, or a dash for one that was not measured."""
    return f"{value:>{width}.3f}" if np.isfinite(value) else f"{'-':>{width}}"


def _presence(rate: Rate) -> str:
    right = rate.accuracy
    return UNMEASURED if right is None else f"{right:.2%} right, wrong {rate}"


def compared(evaluations: Sequence[Evaluation]) -> list[str]:
    """Return the figures of several models side by side, as lines of a table."""
    head = ("AP50", "threshold", "false accepts", "below", "false rejects", "below")
    wide = (8, 11, 15, 9, 15, 9)
    names = "".join(f"{name:>{width}}" for name, width in zip(head, wide, strict=True))
    lines = [f"{names}  model"]
    for e in evaluations:
        cells = [_figure(e.groups[0].ap50, wide[0]), f"{e.threshold:>{wide[1]}.3f}"]
        for rate, (width, bound) in ((e.false_accepts, wide[2:4]), (e.false_rejects, wide[4:])):
            cells.append(f"{_so_many(rate):>{width}}{_bound(rate):>{bound}}")
        lines.append(printable("".join(cells) + f"  {e.model}"))
    return lines


def _so_many(rate: Rate) -> str:
    return f"{rate.errors} of {rate.items}" if rate.items else UNMEASURED


def _bound(rate: Rate) -> str:
    bound = rate.upper_bound()
    return "-" if bound is None else f"{bound:.2%}"


def as_json(evaluation: Evaluation) -> str:
    """Return the evaluation as JSON; a figure that could not be measured is null."""
    return json.dumps(as_object(evaluation), indent=1)


def as_object(evaluation: Evaluation) -> dict[str, Any]:
    """Return what the JSON of an evaluation holds; what could not be measured is None."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(entry) for key, entry in value.items()}
        if isinstance(value, list | tuple):
            return [plain(entry) for entry in value]
        return None if isinstance(value, float) and not np.isfinite(value) else value

    return dict(plain(evaluation.as_object()))
