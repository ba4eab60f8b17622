"""``stampgate prove``: a frozen study of a model on pictures it never saw, and its report."""

import argparse
from pathlib import Path

from edge.errors import UsageError
from edge.printing import print_line
from train.commands import needing
from train.folder_lock import locked_folder

MOST_SWEPT = 500
"""Most pictures of each kind that are worsened."""
PROTOCOL = "write the sheets to print for the bench: protocol, record, contact sheet and cards"
SWEEPS = "pictures of each kind that are made worse for robustness, 0 for none (default: 20)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command and its options."""
    parser.description = (
        "Prove a model on pictures it never saw. Model, threshold, plan and the SHA-256 of every "
        "picture are frozen before one is opened; then proof.html and proof.json say what was "
        "claimed and what was shown. Exit status 0 when the whole plan was shown, else 1. A run "
        "that is stopped goes on when the same command is given again."
    )
    add = parser.add_argument
    add("model", type=Path, nargs="?", metavar="MODEL.onnx")
    add("--plan", required=True, help='what is claimed: "fa<1%% fr<5%% @95%%" (stampgate plan)')
    add("--out", type=Path, metavar="DIR", help="folder of the studies and their reports")
    add("--protocol", type=Path, metavar="OUT.html", help=PROTOCOL)
    add("--mark", type=Path, metavar="PICTURE", help="the stamp, for the contact sheet")
    add("--intended", default="", metavar="TEXT", help="what the model is to be used for")
    add("--sweeps", type=_count, default=20, metavar="N", help=SWEEPS)
    _add_pictures(parser)


def _add_pictures(parser: argparse.ArgumentParser) -> None:
    """Describe the options that name pictures, and what is known of them."""
    add = parser.add_argument
    add("--unstamped", type=Path, metavar="DIR", help="photographs of items without the stamp")
    add("--stamped", type=Path, metavar="DIR", help="photographs of items with it")
    add(
        "--coco",
        "--labels",
        dest="coco",
        type=Path,
        metavar="LABELS",
        help="labels of --images: COCO .json, YOLO data.yaml, or a folder of YOLO or VOC",
    )
    add("--images", type=Path, metavar="DIR", help="labelled photographs, with the stamp or not")
    add(
        "--lookalikes",
        type=Path,
        metavar="DIR",
        help="photographs of what is like the stamp, a sub-folder for each kind; a table, no claim",
    )
    add(
        "--items",
        type=Path,
        metavar="MAP.csv",
        help="which pictures show one item: lines picture,item; without it each is one",
    )
    add(
        "--run",
        type=Path,
        metavar="RUN",
        help="the model's run: what it was trained on is refused, and the model card is filled",
    )


def run(arguments: argparse.Namespace) -> int:
    """Make the study and write its report; return 0 when the plan was shown, else 1.

    Raises StampgateError.
    """
    with needing("train"):
        from edge.rates.plan import Plan  # noqa: PLC0415

    plan = Plan.parse(arguments.plan)
    if arguments.protocol:
        return _protocol(arguments)
    if arguments.model is None or arguments.out is None:
        raise UsageError("prove: name MODEL.onnx and --out DIR")
    with needing("train"):
        from train.proof.report import report_lines, write_report  # noqa: PLC0415
        from train.proof.results import SHOWN  # noqa: PLC0415
        from train.proof.study import Given, run_study  # noqa: PLC0415

    given = Given(
        model=arguments.model,
        plan=plan,
        out=arguments.out,
        unstamped=arguments.unstamped,
        stamped=arguments.stamped,
        labels=arguments.coco,
        images=arguments.images,
        lookalikes=arguments.lookalikes,
        items=arguments.items,
        run=arguments.run,
        intended=arguments.intended,
        sweeps=arguments.sweeps,
    )
    given.folders()  # a call that makes no sense leaves no folder behind
    with locked_folder(arguments.out, "stampgate prove"):
        evidence = run_study(given)
        why = write_report(evidence)
    for line in report_lines(evidence, why):
        print_line(line)
    return int(evidence.results.result != SHOWN)


def _protocol(arguments: argparse.Namespace) -> int:
    """Write the sheets for the bench. Raises StampgateError."""
    with needing("train"):
        from edge.rates.plan import Plan  # noqa: PLC0415
        from train.proof.protocol import write_protocol  # noqa: PLC0415

    for line in write_protocol(Plan.parse(arguments.plan), arguments.protocol, arguments.mark):
        print_line(line)
    return 0


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > MOST_SWEPT:
        raise argparse.ArgumentTypeError(f"must be a number of 0 to {MOST_SWEPT}, not {text!r}")
    return int(text)
