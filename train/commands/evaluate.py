"""``stampgate evaluate``: measure models on labelled photographs, or on folders of them."""

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from edge.annotate import save_png
from edge.errors import InputError, StampgateError, UsageError
from edge.files import write_atomic
from edge.printing import print_error, print_line
from train.commands import needing

if TYPE_CHECKING:
    from train.judge.contender import Contender

Result = TypeVar("Result")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command and its options."""
    parser.description = (
        "Measure models on photographs, with the box's own code: on labelled ones (--coco and "
        "--images), or on folders of stamped and unstamped ones, which need no labels. Several "
        "models are compared in one table. What cannot be read, a picture or a model, is left out "
        "and named; the others are measured, and the exit status is 1."
    )
    add = parser.add_argument
    add("models", nargs="+", type=Path, metavar="MODEL", help="a .onnx, or the folder of a run")
    add(
        "--coco",
        "--labels",
        type=Path,
        metavar="LABELS",
        help="labels: COCO .json, YOLO data.yaml, or a folder of YOLO or VOC",
    )
    add("--images", type=Path, metavar="DIR", help="the labelled photographs")
    add("--negatives", type=Path, metavar="DIR", help="photographs without any mark, beside them")
    for side in ("stamped", "unstamped"):
        add(
            f"--{side}",
            type=Path,
            action="append",
            default=[],
            metavar="DIR",
            help=f"a folder of {side} items; may be repeated",
        )
    add(
        "--require",
        action="append",
        default=[],
        metavar="NAME",
        help="with --stamped and --unstamped: a class that an item must bear; may be repeated; "
        "default: every class of the model",
    )
    add(
        "--sheet",
        type=Path,
        metavar="OUT.png",
        help="draw what went wrong there, worst first, and some of what did not; of the first "
        "model",
    )
    add("--json", type=Path, metavar="OUT", help="write the figures there as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Measure the models and print the figures. Raises StampgateError."""
    folders = bool(arguments.stamped or arguments.unstamped)
    labelled = bool(arguments.coco or arguments.images)
    if folders == labelled or (labelled and not (arguments.coco and arguments.images)):
        raise UsageError(
            "evaluate: name labelled photographs (--coco LABELS --images DIR), or folders "
            "(--stamped DIR, --unstamped DIR)"
        )
    if labelled and arguments.require:
        raise UsageError("--require: goes with --stamped and --unstamped; leave it out")
    return on_folders(arguments) if folders else on_labels(arguments)


def on_labels(arguments: argparse.Namespace) -> int:
    """Measure the models on labelled photographs. Raises StampgateError."""
    with needing("train"):
        from train.judge.evaluate import (  # noqa: PLC0415
            as_object,
            as_text,
            compared,
            judge,
            run_contender,
        )
        from train.judge.worst_sheet import worst_sheet  # noqa: PLC0415
    if arguments.negatives and not arguments.negatives.is_dir():
        raise InputError(
            f"--negatives {arguments.negatives}: no such folder; name a folder of pictures without "
            "the mark"
        )
    inputs = arguments.coco, arguments.images, arguments.negatives
    outputs, failed = of_each(arguments.models, lambda model: run_contender(model, *inputs))
    evaluations = [judge(o.name, o.labels, o.detections, o.threshold) for o in outputs]
    for evaluation in evaluations:
        print_lines(as_text(evaluation).split("\n"))
    if len(evaluations) > 1:
        print_lines(compared(evaluations))
    if arguments.sheet:
        first = outputs[0]
        sheet = worst_sheet(first.labels, first.detections, first.threshold)
        save_png(sheet, arguments.sheet)
    write_json(arguments, [as_object(evaluation) for evaluation in evaluations])
    remarks = [remark for output in outputs for remark in output.remarks]
    unread = [problem for output in outputs for problem in output.unread]
    return said(remarks, unread, failed)


def on_folders(arguments: argparse.Namespace) -> int:
    """Measure the models on folders. Raises StampgateError."""
    with needing("train"):
        from train.judge.folders import (  # noqa: PLC0415
            compared_folders,
            find_sides,
            folder_lines,
            judge_folders,
        )
        from train.judge.worst_sheet import folder_sheet  # noqa: PLC0415
    pictures = find_sides(arguments.stamped, arguments.unstamped)
    evaluations, failed = of_each(
        arguments.models, lambda model: judge_folders(model, pictures, arguments.require)
    )
    for evaluation in evaluations:
        print_lines(folder_lines(evaluation))
    if len(evaluations) > 1:
        print_lines(compared_folders(evaluations))
    differing = {evaluation.classes for evaluation in evaluations}
    if len(differing) > 1:
        named = "; ".join(f"{e.model}: {', '.join(e.classes)}" for e in evaluations)
        print_line(f"the models do not ask for the same classes: {named}")
    if arguments.sheet:
        save_png(folder_sheet(evaluations[0]), arguments.sheet)
    write_json(arguments, [evaluation.as_object() for evaluation in evaluations])
    unread = [*pictures.unread, *(text for e in evaluations for text in e.unread)]
    return said(pictures.remarks, unread, failed)


def of_each(
    models: Sequence[Path], measure: "Callable[[Contender], Result]"
) -> tuple[list[Result], list[str]]:
    """Measure each model; of several, one that cannot be used costs a line and not the others.

    Returns with the results what is wrong with the others. Raises StampgateError when none can be
    used.
    """
    results, failed = list[Result](), list[StampgateError]()
    for path in models:
        try:
            results.append(measure(opened(path)))
        except StampgateError as error:
            failed.append(error)
    if not results:
        raise failed[0]
    return results, [str(error) for error in failed]


def opened(path: Path) -> "Contender":
    """Open a model file or a run. Raises ModelError or InputError."""
    from train.judge.contender import open_model  # noqa: PLC0415

    if path.is_dir() or path.suffix == ".pt":
        from train.assess.run_contender import open_run  # noqa: PLC0415 - imports torch

        return open_run(path)
    return open_model(path)


def said(remarks: Sequence[str], unread: Sequence[str], failed: Sequence[str]) -> int:
    """Print, each once, what else is to be said and what was left out; return the exit status."""
    left_out = list(dict.fromkeys((*failed, *unread)))
    for text in (*dict.fromkeys(remarks), *(f"left out: {problem}" for problem in left_out)):
        print_error("stampgate", text)
    return 1 if left_out else 0


def write_json(arguments: argparse.Namespace, results: Sequence[dict[str, object]]) -> None:
    """Write the figures of one model, or of several as a list. Raises InputError."""
    if arguments.json:
        content = results[0] if len(arguments.models) == 1 else {"models": results}
        write_atomic(arguments.json, json.dumps(content, indent=1).encode())


def print_lines(lines: Sequence[str]) -> None:
    """Print lines of a table."""
    for line in lines:
        print_line(line)
