"""``stampgate train``: superimpose the mark on photographs and train a localizer on them."""

import argparse
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from edge.errors import UsageError
from train.commands import needing
from train.commands.configuration import add_inputs, add_setting, config_of

if TYPE_CHECKING:
    from train.learn.fit import FitResult
    from train.network.checkpoint import Checkpoint
    from train.paint.inputs import Inputs

STARTS = {
    "starter": "the weights shipped with stampgate",
    "imagenet": "torchvision's ImageNet weights",
    "none": "random weights",
}
"""The initial weights in words, by the name in the settings."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command and its options."""
    parser.description = (
        "Superimpose the mark on photographs and train a localizer on them. A mark without "
        "transparency is cut out of its plain paper; where there is none, the whole rectangle is "
        "the mark. Ctrl-C leaves a usable checkpoint."
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
        help="go on with the run in --out, to its end or to new --minutes or --steps",
    )


def run(arguments: argparse.Namespace) -> int:
    """Train, or go on with a run, and say what came of it. Raises StampgateError."""
    with needing("train"):
        from train.learn.distributed import is_leader  # noqa: PLC0415
        from train.learn.fit import fit  # noqa: PLC0415
        from train.paint.inputs import read_inputs  # noqa: PLC0415
    kept = resumable(arguments)
    inputs = read_inputs(config_of(arguments, kept.config if kept else None))
    if kept:
        kept = dataclasses.replace(kept, config=inputs.config)
    if is_leader():  # under torchrun one process speaks for all
        print_plan(inputs)
    outcome = fit(inputs, arguments.out, kept)
    return print_result(outcome, arguments.out) if is_leader() else 0


def resumable(arguments: argparse.Namespace) -> "Checkpoint | None":
    """Return the checkpoint to resume, None for a new run.

    Raises UsageError when the folder holds a run and ``--resume`` is missing, or when the command
    line would change what cannot change within a run.
    """
    from train.network import checkpoint  # noqa: PLC0415

    if arguments.resume:
        kept = checkpoint.load(arguments.out)
        asked = config_of(arguments, kept.config)
        for name in ("marks", "backgrounds", "lookalikes", "real"):
            if getattr(asked, name) != getattr(kept.config, name):
                raise UsageError(
                    f"--resume: the run in {arguments.out} has other {name}; leave them out, or "
                    "start a new run"
                )
        for name in ("backbone", "width", "weights", "seed"):
            if getattr(asked.fit, name) != getattr(kept.config.fit, name):
                raise UsageError(
                    f"--resume: {name} cannot change within a run; leave it out, or start a new run"
                )
        return kept
    if (arguments.out / checkpoint.NAME).exists():
        raise UsageError(
            f"--out {arguments.out}: holds a run already; add --resume to go on with it, or name "
            "another folder"
        )
    return None


def print_plan(inputs: "Inputs") -> None:
    """Print the marks, the network and the photographs of the run."""
    for mark, (_, path) in zip(inputs.marks, inputs.config.marks, strict=True):
        print(
            f"mark {mark.label}: {path}, {mark.image.width} x {mark.image.height} pixels; "
            f"{mark.treatment}"
        )
    fit = inputs.config.fit
    print(f"network: {fit.network} at {fit.size} pixels, starting from {STARTS[fit.weights]}")
    if inputs.real or inputs.real_held_out:
        print(f"real photographs: {len(inputs.real)}, {len(inputs.real_held_out)} more held out")
    if inputs.training is None or inputs.held_out is None:
        print(
            "backgrounds: products painted by the program (name a folder of photographs with "
            "--backgrounds)"
        )
    else:
        print(
            f"backgrounds: {len(inputs.training)} photographs, {len(inputs.held_out)} more held "
            "out for the threshold"
        )


def print_result(outcome: "FitResult", run: Path) -> int:
    """Print the result and the next step; return 130 when the run was interrupted."""
    threshold = (
        "without a threshold" if outcome.threshold is None else f"threshold {outcome.threshold:.3f}"
    )
    print(
        f"step {outcome.step}, {threshold}: {outcome.checkpoint}; "
        f"what it was shown: {run / 'pictures.png'}, what it finds: {run / 'hits.png'}"
    )
    following = f"'stampgate export {run} --out MODEL.onnx'"
    if outcome.interrupted:
        print(
            f"stopped early; the checkpoint is usable: {following}, "
            f"or go on with 'stampgate train --resume --out {run}'"
        )
        return 130
    if outcome.early_stopped:
        print("ended before its time: the loss on held-out pictures fell no more")
    print(f"next: {following}")
    return 0
