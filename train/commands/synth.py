"""``stampgate synth``: write painted pictures with their labels, to view, judge or train others."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from edge.errors import UsageError
from edge.printing import print_line
from train.commands import needing
from train.commands.configuration import add_inputs, config_of

if TYPE_CHECKING:
    from train.paint.painted_set import PaintResult

KIND_NAMES = ("camera", "naive", "lookalikes")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command and its options."""
    parser.description = (
        "Write whole frames, painted as training's are but each by itself, with labels in COCO "
        "JSON (labels.json), as name,flag,box rows (labels.csv) and as YOLO text (labels/ and "
        "data.yaml). Picture number I of a seed is always the same. Ctrl-C leaves a whole data "
        "set; the same command goes on with it."
    )
    add_inputs(parser)
    add = parser.add_argument
    add(
        "--out",
        required=True,
        type=Path,
        metavar="DATASET",
        help="folder to write to, or to go on with",
    )
    add(
        "--count",
        type=_at_least(1),
        metavar="N",
        help="pictures in it; a greater number later adds to it",
    )
    add(
        "--preview",
        action="store_true",
        help="write a contact sheet, preview.png; without --count nothing else",
    )
    add("--held-out", action="store_true", help="paint on the products that training keeps out")
    add(
        "--pictures",
        choices=KIND_NAMES,
        default="camera",
        help="camera: as training paints; naive: the unchanged stamp pasted upright on every other "
        "photograph; lookalikes: look-alikes and no mark (default %(default)s)",
    )
    add(
        "--workers",
        type=_at_least(0),
        metavar="N",
        help="processes that paint; 0 paints in this one (default: cores)",
    )


def _at_least(least: int) -> Callable[[str], int]:
    def whole(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(
                f"must be a whole number of at least {least}, not {text!r}"
            )
        return int(text)

    return whole


def run(arguments: argparse.Namespace) -> int:
    """Paint, write and say what was written; 130 when interrupted. Raises StampgateError."""
    if not arguments.count and not arguments.preview:
        raise UsageError(
            "synth: --count is missing; say how many pictures, or --preview to see some first"
        )
    with needing("train"):
        from train.commands.marks_shown import print_marks, print_search, write_search  # noqa: PLC0415
        from train.paint.inputs import read_inputs  # noqa: PLC0415
        from train.paint.painted_set import SHEET, Job, preview, write_dataset  # noqa: PLC0415
    config = config_of(arguments)
    if arguments.pictures == "lookalikes" and not config.synth.lookalikes_max:
        raise UsageError(
            "synth: lookalikes_max must be above 0 for --pictures lookalikes; correct --set"
        )
    inputs = read_inputs(config, show=print_marks, search=True)
    print_search(inputs)
    job = Job.of(inputs, arguments.pictures, arguments.held_out)
    workers = len(os.sched_getaffinity(0)) if arguments.workers is None else arguments.workers
    result = None
    if arguments.count:
        result = write_dataset(job, arguments.out, arguments.count, workers)
    if arguments.preview:
        preview(job, arguments.out / SHEET)
        print_line(f"contact sheet: {arguments.out / SHEET}")
    write_search(inputs, arguments.out)
    return print_result(result, arguments) if result else 0


def print_result(result: "PaintResult", arguments: argparse.Namespace) -> int:
    """Print what was written; return 130 when painting was interrupted."""
    shown = [written.shown for written in result.written]
    boxes, ignored = sum(len(s.marks) for s in shown), sum(len(s.ignored) for s in shown)
    print_line(
        f"{arguments.out}: {len(shown)} pictures ({result.kept} of them from before), "
        f"{sum(bool(s.marks) for s in shown)} with a mark that counts; {boxes} boxes, {ignored} "
        "more to be ignored"
    )
    if result.stopped:
        print_line(
            f"stopped before all {arguments.count}; what is there is labelled, and the same "
            "command goes on"
        )
        return 130
    print_line(
        f"labels: {arguments.out / 'labels.json'} (COCO), labels.csv, and labels/ with data.yaml "
        "(YOLO)"
    )
    return 0
