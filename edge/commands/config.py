"""``stampgate-edge config``: print a commented settings file."""

import argparse

from edge.config import sample
from edge.printing import print_line


def add_arguments(_: argparse.ArgumentParser) -> None:
    """Describe the command, which has no options."""


def run(_: argparse.Namespace) -> int:
    """Print every key at its default."""
    for line in sample().splitlines():
        print_line(line)
    return 0
