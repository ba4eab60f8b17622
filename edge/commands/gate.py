"""``stampgate-edge gate``: the gate's process, until SIGTERM or SIGINT."""

import argparse

from edge.commands import add_settings_file
from edge.gate.process import serve_gate
from edge.wiring import load_checked


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.description = (
        "Run the gate until SIGTERM or SIGINT: it owns the photo-eye and the reject line, and "
        "rejects what 'stampgate-edge run' does not tell it to let pass. Start it first."
    )
    add_settings_file(parser, "the settings file of both")


def run(arguments: argparse.Namespace) -> int:
    """Run the gate to its end. Raises StampgateError."""
    serve_gate(load_checked(arguments.config))
    return 0
