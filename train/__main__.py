"""The desktop's commands without ``export``: ``python -m train``.

``stampgate`` (:mod:`export.__main__`) has the same commands and ``export`` beside them.
"""

import sys
from collections.abc import Sequence

from edge import command_line
from train.commands import COMMANDS

PROGRAM = command_line.Program(
    name="stampgate",
    description="Train a localizer and measure it.",
    commands=COMMANDS,
    usage="python -m train",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``python -m train`` and return its exit status."""
    return command_line.main(PROGRAM, argv)


if __name__ == "__main__":
    sys.exit(main())
