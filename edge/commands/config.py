"""``stampgate-edge config``: print a commented settings file."""

import argparse

from edge.config import sample
from edge.printing import print_line
from edge.production_lines.names import sample_of_line


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command and its option."""
    parser.add_argument(
        "--line",
        default="",
        metavar="NAME",
        help="for a line of several on one box: with folders, a socket and a name of its own",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print every key at its default. Raises UsageError for a line's name that is none."""
    text = sample_of_line(arguments.line) if arguments.line else sample()
    for line in text.splitlines():
        print_line(line)
    return 0
