"""The packaged model on the packaged pictures: what a newcomer sees first."""

import json
from pathlib import Path

import pytest

from edge.commands.demo import SAMPLES
from edge.config import DEFAULT_MODEL
from edge.decision import Box, decide
from edge.vision.localizer import Localizer
from edge.vision.picture_files import read_picture


@pytest.fixture(scope="module")
def localizer() -> Localizer:
    """The packaged model."""
    return Localizer(DEFAULT_MODEL)


def labelled() -> dict[str, list[Box]]:
    """Boxes of each sample frame, by file name."""
    told = json.loads((SAMPLES.parent / "labels.json").read_text(encoding="utf-8"))
    boxes: dict[str, list[Box]] = {image["file_name"]: [] for image in told["images"]}
    names = {image["id"]: image["file_name"] for image in told["images"]}
    for annotation in told["annotations"]:
        x, y, width, height = annotation["bbox"]
        boxes[names[annotation["image_id"]]].append(Box(x, y, x + width, y + height))
    return boxes


def test_the_packaged_model_is_small_and_knows_our_seal(localizer: Localizer) -> None:
    """At most 6 MB, one class."""
    assert DEFAULT_MODEL.stat().st_size <= 6_000_000
    assert localizer.contract.classes == ("qc-tested",)


@pytest.mark.parametrize("name", sorted(labelled()))
def test_every_sample_frame_is_judged_right(localizer: Localizer, name: str) -> None:
    """Stamped ones pass, each seal found where it is; unstamped ones and look-alikes do not."""
    boxes = labelled()[name]
    findings = localizer.find(read_picture(Path(SAMPLES / name)))
    assert decide(findings, {"qc-tested"}).kind == ("pass" if boxes else "reject")
    assert len(findings) == len(boxes)
    for box in boxes:
        assert max(box.iou(finding.box) for finding in findings) >= 0.75
