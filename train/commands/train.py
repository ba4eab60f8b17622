"""``stampgate train``: superimpose the mark on photographs and train a localizer on them."""

import argparse
import contextlib
import dataclasses
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from edge.errors import UsageError
from edge.printing import print_line
from train.commands import needing
from train.commands.configuration import add_inputs, add_setting, config_of
from train.config import RunConfig

if TYPE_CHECKING:
    from train.assess.assessment import Assessment
    from train.folder_lock import FolderLock
    from train.learn.fit import FitResult
    from train.network.checkpoint import Checkpoint
    from train.paint.inputs import Inputs

STARTS = {
    "starter": "the weights shipped with stampgate",
    "imagenet": "torchvision's ImageNet weights",
    "none": "random weights",
}
"""The initial weights in words, by the name in the settings."""


SHAPES: dict[str, Callable[[RunConfig], object]] = {
    "marks": lambda config: [name for name, _ in config.marks],
    "backgrounds": lambda config: bool(config.backgrounds),
    "lookalikes": lambda config: len(config.lookalikes),
    "real photographs": lambda config: bool(config.real),
}
"""What of a run's inputs must be the same whatever their contents, by name."""
FIXED = ("backbone", "width", "weights", "seed", "held_out_share", "keep_bearing")
"""Keys of ``[fit]`` and ``[synth]`` that cannot change within a run: its split is dealt out."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command and its options."""
    parser.description = (
        "Superimpose the mark on photographs and train a localizer on them. A mark without "
        "transparency is cut out of its ground; what was understood is shown first, in words and "
        "as understood.png in the run's folder. Ctrl-C asks whether to stop, and what is kept can "
        "be gone on with."
    )
    add_inputs(parser)
    add = parser.add_argument
    add("--out", required=True, type=Path, metavar="RUN", help="folder of the run")
    add_setting(parser, "backbone")
    add_setting(parser, "weights")
    add_setting(parser, "width", "X")
    add_setting(parser, "tensorboard")
    add(
        "--real",
        metavar="LABELS",
        help="labels of real photographs to mix in: COCO .json, YOLO data.yaml, VOC folder",
    )
    add("--real-images", metavar="DIR", help="those photographs")
    length = parser.add_mutually_exclusive_group()
    add_setting(length, "minutes", "M")
    add_setting(length, "steps", "N")
    add(
        "--resume",
        action="store_true",
        help="go on with the run in --out, to its end or to new --minutes or --steps; --mark, "
        "--backgrounds, --lookalike and --real say where its inputs are now, if they were moved",
    )


def run(arguments: argparse.Namespace) -> int:
    """Train, or go on with a run, and say what came of it. Raises StampgateError."""
    with needing("train"):
        from train.commands.marks_shown import (  # noqa: PLC0415
            print_marks,
            print_search,
            write_search,
            write_sheet,
        )
        from train.learn.distributed import is_leader  # noqa: PLC0415
        from train.learn.fit import fit  # noqa: PLC0415
        from train.paint.inputs import read_inputs  # noqa: PLC0415
    # What is wrong is said before a folder is made; then it is asked again, alone in it.
    show, told = (print_marks, say_search) if is_leader() else (None, None)
    fresh = None
    if not resumable(arguments):
        fresh = read_inputs(_writable(config_of(arguments)), None, show, search=True, told=told)
        if is_leader():
            print_search(fresh)
    with run_lock(arguments.out, "stampgate train") as lock:
        kept = resumable(arguments)
        inputs = resumed_inputs(arguments, kept) if kept else fresh
        assert inputs is not None
        if is_leader():  # under torchrun one process speaks for all
            write_sheet(inputs, arguments.out)
            write_search(inputs, arguments.out)
            print_plan(inputs)
        outcome = fit(inputs, arguments.out, _told(kept, inputs), lock=lock)
    return print_result(outcome, arguments.out) if is_leader() else 0


def say_search(config: RunConfig, seconds: float) -> None:
    """Say how long the search for the mark still takes, and what comes after it."""
    from train.learn.progress import duration  # noqa: PLC0415
    from train.learn.saving import say  # noqa: PLC0415

    fit = config.fit
    long = f"{fit.steps} steps" if fit.steps else duration(60 * fit.minutes)
    say(
        f"still to come: about {duration(seconds)} to search the photographs for the mark, then "
        f"{long} of training, threshold and assessment"
    )


def _writable(config: RunConfig) -> RunConfig:
    """Return a configuration that can be written into the run's folder. Raises ConfigError."""
    config.to_toml()
    return config


@contextlib.contextmanager
def run_lock(out: Path, program: str) -> "Iterator[FolderLock | None]":
    """Hold the lock of a run's folder, which under torchrun the leader alone does.

    Raises InputError when another program writes there.
    """
    from train.folder_lock import locked_folder  # noqa: PLC0415
    from train.learn.distributed import is_leader  # noqa: PLC0415

    if not is_leader():
        yield None
        return
    with locked_folder(out, program) as lock:
        yield lock


def resumed_inputs(arguments: argparse.Namespace, kept: "Checkpoint") -> "Inputs":
    """Read the inputs of a run that goes on, which must be those that it began with.

    Raises InputError that names what is another.
    """
    from train.commands.marks_shown import print_marks  # noqa: PLC0415
    from train.learn.distributed import is_leader  # noqa: PLC0415
    from train.paint.input_fingerprint import Fingerprint  # noqa: PLC0415
    from train.paint.inputs import read_inputs  # noqa: PLC0415

    config = config_of(arguments, kept.config)
    show = print_marks if is_leader() else None
    if kept.inputs:
        return read_inputs(config, Fingerprint.from_json(kept.inputs), show)
    print_line(
        f"stampgate: {arguments.out}: an earlier release began this run and kept no fingerprint of "
        "its marks and photographs; they are taken as they are now",
        file=sys.stderr,
    )
    return read_inputs(config, show=show)


def _told(kept: "Checkpoint | None", inputs: "Inputs") -> "Checkpoint | None":
    """Return the checkpoint with what the command line changes."""
    return dataclasses.replace(kept, config=inputs.config) if kept else None


def resumable(arguments: argparse.Namespace) -> "Checkpoint | None":
    """Return the checkpoint to resume, None for a new run.

    A process that torchrun has started again goes on by itself. Raises UsageError when the folder
    holds a run and ``--resume`` is missing, or when the command line would change what cannot
    change within a run.
    """
    from train.network import checkpoint  # noqa: PLC0415

    there = (arguments.out / checkpoint.NAME).exists()
    if arguments.resume or (there and was_started_again()):
        kept = checkpoint.load(arguments.out)
        check_same_run(config_of(arguments, kept.config), kept.config, arguments.out)
        return kept
    if there:
        raise UsageError(
            f"--out {arguments.out}: holds a run already; add --resume to go on with it, or name "
            "another folder"
        )
    return None


def was_started_again() -> bool:
    """Return whether torchrun has started the processes again after one of them died."""
    return os.environ.get("TORCHELASTIC_RESTART_COUNT", "0") not in ("", "0")


def check_same_run(asked: RunConfig, kept: RunConfig, out: Path) -> None:
    """Check that a command line asks for no other run; where its inputs lie may have changed.

    Raises UsageError.
    """
    for name, of in SHAPES.items():
        if of(asked) != of(kept):
            raise UsageError(
                f"--resume: the run in {out} has other {name}; leave them out, or start a new run"
            )
    for name in FIXED:
        section = "fit" if hasattr(asked.fit, name) else "synth"
        if getattr(getattr(asked, section), name) != getattr(getattr(kept, section), name):
            raise UsageError(
                f"--resume: {name} cannot change within a run; leave it out, or start a new run"
            )


def print_plan(inputs: "Inputs") -> None:
    """Print the network and the photographs of the run."""
    fit = inputs.config.fit
    print_line(f"network: {fit.network} at {fit.size} pixels, starting from {STARTS[fit.weights]}")
    if inputs.real or inputs.real_held_out:
        print_line(
            f"real photographs: {len(inputs.real)}, {len(inputs.real_held_out)} more held out"
        )
    if inputs.training is None or inputs.held_out is None:
        print_line(
            "backgrounds: products painted by the program (name a folder of photographs with "
            "--backgrounds)"
        )
    else:
        print_line(
            f"backgrounds: {len(inputs.training)} photographs, {len(inputs.held_out)} more held "
            "out for the threshold"
        )


def print_result(outcome: "FitResult", run: Path) -> int:
    """Print the result and the next step; return 130 when the run was stopped before its end."""
    resume = f"'stampgate train --resume --out {run}'"
    if outcome.assessment is None:
        print_line(
            f"stopped at step {outcome.step}; kept: {outcome.checkpoint}; go on with {resume}: "
            f"still to come are {outcome.left}"
        )
        return 130
    print_line(
        f"step {outcome.step}: {outcome.checkpoint}; what it was shown: {run / 'pictures.png'}, "
        f"what it finds: {run / 'hits.png'}"
    )
    print_assessment(outcome.assessment, run)
    following = f"'stampgate export {run} --out MODEL.onnx'"
    if outcome.interrupted:
        print_line(f"the training was ended early, as asked; {resume} goes on with it")
    if outcome.early_stopped:
        print_line("ended before its time: the loss on held-out pictures fell no more")
    print_line(f"next: {following}")
    return 0


def print_assessment(assessment: "Assessment", run: Path) -> None:
    """Print the trade as a table, then what the photographs may bear, and the assessment."""
    from train.assess.assessment import (  # noqa: PLC0415
        bound_line,
        breakdown_lines,
        plain_line,
        suspects_line,
        table_lines,
        weakness_line,
    )

    for line in (*table_lines(assessment), *breakdown_lines(assessment)):
        print_line(line)
    plainly = plain_line(assessment, assessment.chosen.threshold)
    for line in (weakness_line(assessment), bound_line(assessment), plainly):
        if line:
            print_line(line)
    if named := suspects_line(assessment):
        print_line(f"{named}: {run / 'unstamped.png'}")
    print_line(f"{assessment.words()}; all of it: {run / 'report.html'}")
