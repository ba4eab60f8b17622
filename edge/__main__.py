"""The box's program, ``stampgate-edge``; its commands are the modules of :mod:`edge.commands`."""

import sys
from collections.abc import Sequence

from edge import command_line
from edge.commands import COMMANDS

PROGRAM = command_line.Program(
    name="stampgate-edge",
    description="Find a mark on each product at the line and reject the products without it.",
    commands=COMMANDS,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``stampgate-edge`` and return its exit status."""
    asked = sys.argv[1:] if argv is None else list(argv)
    if asked[:1] == ["--line"] and len(asked) > 2:  # before the command or behind it, as one likes
        asked = [asked[2], *asked[:2], *asked[3:]]
    return command_line.main(PROGRAM, asked)


if __name__ == "__main__":
    sys.exit(main())
