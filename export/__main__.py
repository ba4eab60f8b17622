"""The desktop's program, ``stampgate``: the commands of :mod:`train.commands` and of export."""

import sys
from collections.abc import Sequence

from edge import command_line
from edge.command_line import Command
from train.commands import COMMANDS

PROGRAM = command_line.Program(
    name="stampgate",
    description="Make a localizer for a stamp from its picture, and measure it.",
    commands={
        **COMMANDS,
        "export": Command("export.command", "write a run as an ONNX file for the box"),
        "bundle": Command(
            "export.bundling.command", "put a model into a signed bundle, or look into one"
        ),
        "keygen": Command("export.bundling.keygen", "make a key pair that signs bundles"),
    },
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``stampgate`` and return its exit status."""
    return command_line.main(PROGRAM, argv)


if __name__ == "__main__":
    sys.exit(main())
