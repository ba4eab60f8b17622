"""``stampgate-edge rollback``: make the release before the current one again."""

import argparse
import os

from edge.commands import add_config, config_of
from edge.commands.activate import add_wait, taken
from edge.printing import print_line


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command and its options."""
    parser.description = (
        "Make the release before the one in service current again, or another that is kept here. "
        "The service that runs takes it between two items. It has no probation."
    )
    add_config(parser)
    parser.add_argument(
        "--to", default="", metavar="ID", help="a release that 'stampgate-edge models' lists"
    )
    add_wait(parser)


def run(arguments: argparse.Namespace) -> int:
    """Roll back. Raises ConfigError, InputError, UsageError."""
    from edge.activation.activate import roll_back  # noqa: PLC0415 - it loads numpy

    config = config_of(arguments)
    os.umask(0o022)  # the service's user must be able to read what root makes
    release = roll_back(config, arguments.to)
    print_line(f"{release.id} is current: signed by {release.signer}")
    print_line(taken(config, release, arguments.wait))
    return 0
