"""The subcommands of ``stampgate`` that belong to the desktop, one module each.

A module has ``add_arguments(parser)``, which describes it and says what runs it, and
``run(arguments)``, which does and returns the exit status. torch and its like take seconds to load,
and the box has none: they are imported inside ``run``, under :func:`needing`. A new command is a
new module here and a line in :data:`COMMANDS`.
"""

import contextlib
from collections.abc import Iterator

from edge.errors import UsageError

COMMANDS = {
    "crawl": "gather photographs of products, from the web or a folder, and weed them",
    "synth": "write painted pictures with their labels, for a look, for judging or for another program",
    "lr-find": "find the step size to train with, and plot it",
    "train": "train a localizer from the picture of a stamp",
    "evaluate": "measure a model on labelled photographs",
    "starter": "make the weights again that other runs start from",
}
"""Name of each command, which is its module's (with ``-`` for ``_``), and what it is for."""


@contextlib.contextmanager
def needing(extra: str) -> Iterator[None]:
    """Turn a library that is not installed into one line that names the extra to install. Raises
    UsageError.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise UsageError(
            f"{error.name} is not installed; this needs stampgate[{extra}]: in a checkout, pip install '.[{extra}]'"
        ) from None
