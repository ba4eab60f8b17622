"""The commands of ``stampgate-edge``, one module each; :mod:`edge.command_line` runs them.

A new command is a new module here and a line in :data:`COMMANDS`. Modules import what they need at
the top, for only the one that is asked for is loaded.
"""

import argparse
from pathlib import Path

from edge.command_line import Command
from edge.config import Config
from edge.errors import UsageError
from edge.production_lines.names import lines_of_box, settings_of_line
from edge.wiring import load_checked

DEFAULT_CONFIG = Path("/etc/stampgate/edge.toml")
COMMANDS = {
    "inspect": Command("edge.commands.inspect", "judge picture files, one line each"),
    "run": Command("edge.commands.run", "run the service"),
    "gate": Command("edge.commands.gate", "run the gate, a process of its own"),
    "config": Command(
        "edge.commands.config", "print a commented settings file with every key at its default"
    ),
    "demo": Command(
        "edge.commands.demo",
        "run the service on the packaged sample pictures and show what it did",
    ),
    "check": Command(
        "edge.commands.check", "test the box: camera, model, lines, disk, clock, watchdogs, power"
    ),
    "aim": Command(
        "edge.commands.aim", "aim the camera: live picture, focus, exposure, marks; draw the region"
    ),
    "snapshot": Command("edge.commands.snapshot", "save what the camera sees, with its figures"),
    "calibrate": Command(
        "edge.commands.calibrate", "keep a reference of the empty and the filled place"
    ),
    "activate": Command(
        "edge.commands.activate", "verify a signed bundle, try it, and make it current"
    ),
    "fetch": Command(
        "edge.commands.fetch", "fetch the newest bundle from a server or a folder, by its index"
    ),
    "rollback": Command("edge.commands.rollback", "make the release before current again"),
    "models": Command("edge.commands.models", "list the releases: state, signer, proof"),
    "challenge": Command(
        "edge.commands.challenge",
        "run known test items through the line; list what is in quarantine; sign",
    ),
    "status": Command("edge.commands.status", "say how the service is"),
    "log": Command("edge.commands.log", "show the journal, for people or as CSV"),
    "report": Command("edge.commands.report", "write what happened in a shift, as a page or table"),
    "shadow": Command(
        "edge.commands.shadow", "say what the box has shown in shadow, and take the truth of items"
    ),
    "exporter": Command(
        "edge.commands.exporter", "tell other machines what the box does: metrics, MQTT, Modbus"
    ),
    "review": Command(
        "edge.commands.review",
        "serve the page on which a shift is looked through; its users, index and audit log",
    ),
    "seal-setup": Command(
        "edge.commands.seal_setup", "begin to seal the journal; give its verification key out once"
    ),
    "verify-log": Command(
        "edge.commands.verify_log", "check a journal: every line whole, chained and counted"
    ),
}


def add_journal(parser: argparse.ArgumentParser) -> None:
    """Add the argument that names the journal, and ``--config``."""
    parser.add_argument(
        "journal",
        nargs="?",
        type=Path,
        metavar="JOURNAL.jsonl",
        help="default: that of the settings file",
    )
    add_config(parser)


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add ``--config``, which names the settings file."""
    parser.add_argument(
        "--config",
        type=Path,
        default=DEFAULT_CONFIG,
        metavar="EDGE.TOML",
        help="settings file (default: %(default)s)",
    )
    parser.add_argument(
        "--line",
        default="",
        metavar="NAME",
        help="a line of several on this box: its settings are /etc/stampgate/lines/NAME.toml",
    )


def add_settings_file(
    parser: argparse.ArgumentParser, sentence: str, *, required: bool = True
) -> None:
    """Add ``--config`` without a default, and ``--line``, which names that of a line."""
    group = parser.add_mutually_exclusive_group(required=required)
    group.add_argument("--config", type=Path, metavar="EDGE.TOML", help=sentence)
    group.add_argument(
        "--line",
        type=_settings_of_line,
        dest="config",
        metavar="NAME",
        help="a line of several on this box, in its place",
    )


def _settings_of_line(name: str) -> Path:
    """Return the settings file of a line, as an option's value."""
    try:
        return settings_of_line(name)
    except UsageError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def journal_of(arguments: argparse.Namespace) -> Path:
    """Return the journal that arguments of :func:`add_journal` name.

    Raises UsageError or ConfigError.
    """
    if arguments.journal is not None:
        return Path(arguments.journal)
    config = config_of(arguments)
    return config.path(config.journal.file)


def config_of(arguments: argparse.Namespace) -> Config:
    """Read the settings file that arguments of :func:`add_config` name.

    Raises UsageError or ConfigError.
    """
    if arguments.line and arguments.config != DEFAULT_CONFIG:
        raise UsageError("--line and --config name one settings file each; leave one out")
    if arguments.line:
        return load_checked(settings_of_line(arguments.line))
    if arguments.config == DEFAULT_CONFIG and not DEFAULT_CONFIG.exists():
        cure = "name the settings file with --config"
        if lines := lines_of_box():
            cure = f"name one of the lines {', '.join(lines)} with --line"
        raise UsageError(f"there is no {DEFAULT_CONFIG} here; {cure}")
    return load_checked(arguments.config)
