"""A contact sheet of hits, misses and false detections on painted pictures."""

from collections.abc import Sequence

from PIL import Image, ImageDraw

from edge.annotate import contact_sheet, upright
from edge.decision import Finding
from train.labels.ground_truth import FOUND_IOU
from train.paint.synth import Picture

HIT, MISS, FALSE, IGNORED = (40, 220, 80), (255, 40, 40), (255, 190, 0), (60, 120, 255)


def hit_sheet(
    pictures: Sequence[Picture], found: Sequence[Sequence[Finding]], classes: Sequence[str]
) -> Image.Image:
    """Draw each picture with its boxes: found marks green, missed red, false detections yellow.

    A mark too small, hidden or cut to count is blue; a finding there is neither a hit nor false.
    *found*: the findings in each picture, in its own pixels.
    """
    return contact_sheet([_drawn(*pair, classes) for pair in zip(pictures, found, strict=True)])


def _drawn(picture: Picture, findings: Sequence[Finding], classes: Sequence[str]) -> Image.Image:
    image = Image.fromarray(picture.pixels)
    draw = ImageDraw.Draw(image)
    for box in picture.ignored:
        draw.rectangle(box.corners(), outline=IGNORED, width=2)
    for kind, box in picture.marks:
        hit = any(f.label == classes[kind] and f.box.iou(box) >= FOUND_IOU for f in findings)
        draw.rectangle(box.corners(), outline=HIT if hit else MISS, width=2)
    for finding in findings:
        near = [box for kind, box in picture.marks if classes[kind] == finding.label] + list(
            picture.ignored
        )
        right = any(finding.box.iou(box) >= FOUND_IOU for box in near)
        if not right:
            draw.rectangle(upright(finding.box), outline=FALSE, width=2)
        draw.text(
            (finding.box.x0 + 3, finding.box.y0 + 1),
            f"{finding.score:.2f}",
            fill=HIT if right else FALSE,
        )
    return image
