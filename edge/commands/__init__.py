"""Subcommands of ``stampgate-edge``, one module each.

A module has ``add_arguments(parser)``, which describes it and says what runs it, and
``run(arguments)``, which does and returns the exit status. A new command is a new module here and a
line in :data:`COMMANDS`.
"""

import argparse
import importlib
from collections.abc import Sequence
from pathlib import Path

from edge.config import Config
from edge.errors import UsageError
from edge.wiring import load_checked

DEFAULT_CONFIG = Path("/etc/stampgate/edge.toml")
COMMANDS = {
    "check": "test the box: camera, model, lines, disk, clock, watchdogs, power",
    "status": "say how the service is",
    "log": "show the journal, for people or as CSV",
    "verify-log": "check a journal: every line whole, chained and counted",
}
"""Name of each command, which is its module's (with ``-`` for ``_``), and what it is for."""


def add_commands(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", asked: Sequence[str]
) -> None:
    """Add all commands; only the module of the one *asked* for is loaded, for the gate's process
    must stay small.
    """
    for name, sentence in COMMANDS.items():
        parser = commands.add_parser(name, help=sentence)
        if name in asked:
            importlib.import_module(f"{__name__}.{name.replace('-', '_')}").add_arguments(parser)


def add_journal(parser: argparse.ArgumentParser) -> None:
    """Let a command be told which journal it is about."""
    parser.add_argument(
        "journal",
        nargs="?",
        type=Path,
        metavar="JOURNAL.jsonl",
        help="default: that of the settings file",
    )
    add_config(parser)


def add_config(parser: argparse.ArgumentParser) -> None:
    """Let a command be told which settings file it is about."""
    parser.add_argument(
        "--config",
        type=Path,
        default=DEFAULT_CONFIG,
        metavar="EDGE.TOML",
        help="settings file (default: %(default)s)",
    )


def journal_of(arguments: argparse.Namespace) -> Path:
    """The journal meant by arguments of :func:`add_journal`. Raises UsageError, ConfigError."""
    if arguments.journal is not None:
        return Path(arguments.journal)
    config = config_of(arguments)
    return config.path(config.journal.file)


def config_of(arguments: argparse.Namespace) -> Config:
    """The settings meant by arguments of :func:`add_config`. Raises UsageError, ConfigError."""
    if arguments.config == DEFAULT_CONFIG and not DEFAULT_CONFIG.exists():
        raise UsageError(f"there is no {DEFAULT_CONFIG} here; name the settings file with --config")
    return load_checked(arguments.config)
