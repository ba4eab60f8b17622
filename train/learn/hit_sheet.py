"""A contact sheet of hits, misses and false detections on painted pictures."""

from collections.abc import Sequence

from PIL import Image, ImageDraw

from edge.annotate import contact_sheet
from edge.decision import Finding
from edge.vision.legend import Meaning, draw_box
from train.labels.ground_truth import FOUND_IOU
from train.paint.synth import Picture


def hit_sheet(
    pictures: Sequence[Picture],
    found: Sequence[Sequence[Finding]],
    classes: Sequence[str],
    threshold: float = 0.0,
) -> Image.Image:
    """Draw each picture with its boxes, in the colours of :mod:`edge.vision.legend`.

    A mark too small, hidden or cut to count is ignored; a finding there is neither right nor false.
    *found*: the findings in each picture, in its own pixels; those below *threshold* are dashed.
    """
    pairs = zip(pictures, found, strict=True)
    return contact_sheet([_drawn(*pair, classes, threshold) for pair in pairs])


def _drawn(
    picture: Picture, findings: Sequence[Finding], classes: Sequence[str], threshold: float
) -> Image.Image:
    image = Image.fromarray(picture.pixels)
    draw = ImageDraw.Draw(image)
    # Findings first: a box of the truth lies over the finding that hits it.
    counted = [finding for finding in findings if finding.score >= threshold]
    for finding in findings:
        near = [box for kind, box in picture.marks if classes[kind] == finding.label] + list(
            picture.ignored
        )
        right = any(finding.box.iou(box) >= FOUND_IOU for box in near)
        meaning: Meaning = "found" if right else "false"
        draw_box(draw, finding.box, meaning, finding.score, finding.score < threshold)
    for box in picture.ignored:
        draw_box(draw, box, "ignored")
    for kind, box in picture.marks:
        hit = any(f.label == classes[kind] and f.box.iou(box) >= FOUND_IOU for f in counted)
        draw_box(draw, box, "mark" if hit else "missed")
    return image
