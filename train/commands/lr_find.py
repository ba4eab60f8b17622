"""``stampgate lr-find``: find a good step size for a mark and its photographs, and draw how it was
found.
"""

import argparse
from pathlib import Path

from train.commands import needing
from train.commands.configuration import add_inputs, config_of

STEPS = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.description = (
        "Let the step size grow from tiny to huge within a short training, draw the loss against it, and suggest the "
        "size at which the loss falls fastest. Nothing is kept but the picture. Ctrl-C ends it with what it has seen."
    )
    add_inputs(parser)
    parser.add_argument(
        "--out",
        required=True,
        type=Path,
        metavar="PLOT.png",
        help="picture to write; .svg or .pdf too",
    )
    parser.add_argument(
        "--steps", type=int, default=STEPS, metavar="N", help=f"most steps (default {STEPS})"
    )
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> int:
    """``stampgate lr-find``."""
    with needing("train"):
        from train.learn import lr_finder  # noqa: PLC0415
        from train.paint.inputs import read_inputs  # noqa: PLC0415
        from train.stopping import stop_requested  # noqa: PLC0415
    with needing("plot"):
        lr_finder.check_plot(arguments.out)
    inputs = read_inputs(config_of(arguments))
    with stop_requested() as signals:
        found = lr_finder.sweep(
            inputs, arguments.steps, lambda step, rate: _say(step, rate, bool(signals))
        )
    rate = lr_finder.suggest(found)
    lr_finder.plot(found, rate, arguments.out)
    print(f"the loss falls fastest at a step size of {rate:.2g}: {arguments.out}")
    print(f"next: 'stampgate train ... --set learning_rate={rate:.2g}'")
    return 0


def _say(step: int, rate: float, stop: bool) -> bool:
    if step % 10 == 0:
        print(f"step {step}, size {rate:.2g}", flush=True)
    return stop
