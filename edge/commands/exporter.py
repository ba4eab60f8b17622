"""``stampgate-edge exporter``: tell other machines what the box does, by reading its records."""

import argparse
import importlib

from edge.commands import add_config, config_of

KINDS = {
    "prometheus": ("edge.exporters.prometheus_exporter", "serve_prometheus"),
    "mqtt": ("edge.exporters.mqtt_exporter", "serve_mqtt"),
    "modbus": ("edge.exporters.modbus_exporter", "serve_modbus"),
}
"""Each exporter's module and function; only that of the one that was asked for is imported."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command and its options."""
    parser.description = (
        "Tell other machines what the box does, until SIGTERM or SIGINT: prometheus serves "
        "metrics, mqtt publishes items and states by Sparkplug B, modbus answers a PLC. It reads "
        "the journal and the status file, and nothing else of the service; its settings are the "
        "section of its name."
    )
    parser.add_argument("kind", metavar="KIND", type=_kind, help=", ".join(KINDS))
    add_config(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run one exporter to its end. Raises StampgateError."""
    kind, line = arguments.kind
    arguments.line = line or arguments.line
    module, function = KINDS[kind]
    config = config_of(arguments)
    getattr(importlib.import_module(module), function)(config)
    return 0


def _kind(text: str) -> tuple[str, str]:
    """Read KIND or LINE-KIND, by which one unit serves all lines: the kind, and the line's name."""
    line, _, kind = text.rpartition("-")
    if kind not in KINDS:
        raise argparse.ArgumentTypeError(f"must be one of {', '.join(KINDS)}, not {text!r}")
    return kind, line
