"""``stampgate evaluate``: measure a model on labelled photographs."""

import argparse
from pathlib import Path

from edge.annotate import save_png
from edge.errors import InputError
from edge.files import write_atomic
from edge.printing import print_error, print_line
from train.commands import needing


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command and its options."""
    parser.description = (
        "Measure a model on labelled photographs, with the box's own code. A picture that cannot "
        "be read is left out and named; the others are measured, and the exit status is 1."
    )
    add = parser.add_argument
    add("model", type=Path, metavar="MODEL.onnx")
    add(
        "--coco",
        "--labels",
        required=True,
        type=Path,
        metavar="LABELS",
        help="their labels: COCO .json, YOLO data.yaml, or a folder of YOLO or VOC",
    )
    add("--images", required=True, type=Path, metavar="DIR", help="the labelled photographs")
    add("--negatives", type=Path, metavar="DIR", help="photographs without any mark")
    add(
        "--sheet",
        type=Path,
        metavar="OUT.png",
        help="draw what went wrong there, worst first, and some of what did not",
    )
    add("--json", type=Path, metavar="OUT", help="write the figures there as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Measure the model and print the figures. Raises StampgateError."""
    with needing("train"):
        from train.judge.evaluate import as_json, as_text, judge, run_model  # noqa: PLC0415
        from train.judge.worst_sheet import worst_sheet  # noqa: PLC0415
    if arguments.negatives and not arguments.negatives.is_dir():
        raise InputError(
            f"--negatives {arguments.negatives}: no such folder; name a folder of pictures without "
            "the mark"
        )
    output = run_model(arguments.model, arguments.coco, arguments.images, arguments.negatives)
    evaluation = judge(output.name, output.labels, output.detections, output.threshold)
    for line in as_text(evaluation).split("\n"):
        print_line(line)
    if arguments.sheet:
        save_png(worst_sheet(output.labels, output.detections, output.threshold), arguments.sheet)
    if arguments.json:
        write_atomic(arguments.json, as_json(evaluation).encode())
    for said in (*output.remarks, *(f"left out: {problem}" for problem in output.unread)):
        print_error("stampgate", said)
    return 1 if output.unread else 0
