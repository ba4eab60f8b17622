"""``stampgate-edge run``: the service, until SIGTERM, SIGINT or the end of the pictures."""

import argparse

from edge.commands import add_settings_file
from edge.record.volatile import warn_if_volatile
from edge.wiring import load_checked


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.description = "Run the service until SIGTERM or SIGINT."
    add_settings_file(parser, "the settings file")


def run(arguments: argparse.Namespace) -> int:
    """Run the service to its end. Raises StampgateError."""
    from edge.process.memory import limit_arenas  # noqa: PLC0415 - before anything large is loaded

    limit_arenas()
    from edge.service import serve  # noqa: PLC0415 - it loads numpy and onnxruntime

    config = load_checked(arguments.config)
    warn_if_volatile(config.path(config.journal.file))
    serve(config)
    return 0
