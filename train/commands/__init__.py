"""The desktop's commands except ``export``, one module each; :mod:`edge.command_line` runs them.

torch and its like take seconds to load, and the box has none: a command imports them inside its
``run``, under :func:`needing`. A new command is a new module here and a line in :data:`COMMANDS`.
"""

import contextlib
from collections.abc import Iterator

from edge.command_line import Command
from edge.errors import UsageError

COMMANDS = {
    "mark": Command(
        "train.commands.mark", "show what is understood of a picture of the stamp, and cut it out"
    ),
    "crawl": Command(
        "train.commands.crawl",
        "gather photographs of products, from the web or a folder, and weed them",
    ),
    "labels": Command(
        "train.commands.labels", "draw shelf labels to train on, with the boxes of their prices"
    ),
    "synth": Command(
        "train.commands.synth",
        "write painted pictures with their labels, for a look, for judging or for another program",
    ),
    "lr-find": Command(
        "train.commands.lr_find", "find the learning rate to train with, and plot it"
    ),
    "train": Command("train.commands.train", "train a localizer from the picture of a stamp"),
    "harvest": Command(
        "train.commands.harvest", "make training data of what reviewers said of a box's items"
    ),
    "evaluate": Command("train.commands.evaluate", "measure a model on labelled photographs"),
    "plan": Command("train.commands.plan", "say how many items a proof needs"),
    "prove": Command("train.commands.prove", "prove a model on pictures it never saw"),
    "starter": Command(
        "train.commands.starter", "make the weights again that other runs start from"
    ),
}


@contextlib.contextmanager
def needing(extra: str) -> Iterator[None]:
    """Name the *extra* to install where a library is missing. Raises UsageError."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise UsageError(
            f"{error.name} is not installed; this needs stampgate[{extra}]: in a checkout, "
            f"pip install '.[{extra}]'"
        ) from None
