"""``stampgate lr-find``: learning-rate range test on a mark and its photographs, with a plot."""

import argparse
from pathlib import Path

from edge.printing import print_line
from train.commands import needing
from train.commands.configuration import add_inputs, config_of

STEPS = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command and its options."""
    parser.description = (
        "Let the learning rate grow from tiny to huge within a short training, draw the loss "
        "against it, and suggest the rate at which the loss falls fastest. Nothing is kept but the "
        "picture. Ctrl-C ends it with what it has seen."
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
        "--steps", type=int, default=STEPS, metavar="N", help="most steps (default %(default)s)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Sweep, plot, and print the suggested learning rate. Raises StampgateError."""
    with needing("train"):
        from train.commands.marks_shown import print_search  # noqa: PLC0415
        from train.learn import lr_finder  # noqa: PLC0415
        from train.paint.inputs import read_inputs  # noqa: PLC0415
        from train.stopping import stop_requested  # noqa: PLC0415
    with needing("plot"):
        lr_finder.check_plot(arguments.out)
    inputs = read_inputs(config_of(arguments), search=True)
    print_search(inputs)
    with stop_requested() as stop:
        found = lr_finder.sweep(
            inputs, arguments.steps, lambda step, rate: _say(step, rate, stop.is_set())
        )
    rate = lr_finder.suggest(found)
    lr_finder.plot(found, rate, arguments.out)
    print_line(f"the loss falls fastest at a learning rate of {rate:.2g}: {arguments.out}")
    print_line(f"next: 'stampgate train ... --set learning_rate={rate:.2g}'")
    return 0


def _say(step: int, rate: float, stop: bool) -> bool:
    if step % 10 == 0:
        print_line(f"step {step}, learning rate {rate:.2g}", flush=True)
    return stop
