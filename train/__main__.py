"""The desktop's command line; ``python -m train`` runs it, ``stampgate`` has its commands beside
``export``.
"""

import argparse
import importlib
import sys
from collections.abc import Callable, Sequence

from edge import __version__
from edge.errors import StampgateError
from train.commands import COMMANDS

Command = Callable[[argparse.Namespace], int]


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands of :mod:`train.commands` to a command line."""
    for name, purpose in COMMANDS.items():
        module = importlib.import_module(f"train.commands.{name.replace('-', '_')}")
        module.add_arguments(commands.add_parser(name, help=purpose))


def run(parser: argparse.ArgumentParser, argv: Sequence[str] | None) -> int:
    """Parse and run a command; a problem of the user's is one line on stderr and an exit status."""
    arguments = parser.parse_args(argv)
    command: Command = arguments.command
    try:
        return command(arguments)
    except StampgateError as error:
        print(f"stampgate: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:  # a disk that filled up in the middle of something small
        print(
            f"stampgate: {error.filename or 'disk'}: {error.strerror or error}; make room and try again",
            file=sys.stderr,
        )
        return 1


def parser_of(prog: str, description: str) -> argparse.ArgumentParser:
    """The bare command line, with ``--version``."""
    parser = argparse.ArgumentParser(prog=prog, description=description)
    parser.add_argument("--version", action="version", version=f"stampgate {__version__}")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``python -m train``."""
    parser = parser_of("python -m train", "Train a localizer and measure it.")
    add_commands(parser.add_subparsers(required=True, metavar="COMMAND"))
    return run(parser, argv)


if __name__ == "__main__":
    sys.exit(main())
