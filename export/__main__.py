"""The ``stampgate`` command: train, export, evaluate."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from train.__main__ import add_commands, parser_of, run
from train.commands import needing


def _add_export(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Write a run as an ONNX file for the box. The file appears under its name only when onnx.checker accepts it "
        "and it answers as the torch network does."
    )
    parser.add_argument(
        "run", type=Path, metavar="RUN", help="folder of a run made by 'stampgate train'"
    )
    parser.add_argument("--out", required=True, type=Path, metavar="MODEL.onnx")
    parser.set_defaults(command=run_export)


def run_export(arguments: argparse.Namespace) -> int:
    """``stampgate export``."""
    with needing("train,export"):
        from export.to_onnx import export_run  # noqa: PLC0415 - see train/commands

    exported = export_run(arguments.run, arguments.out)
    contract, parity = exported.contract, exported.parity
    print(
        f"{exported.path}: {exported.size / 1e6:.2f} MB, input {contract.input_width} x {contract.input_height}, "
        f"classes {', '.join(contract.classes)}, threshold {contract.threshold:g}"
    )
    print(
        f"parity with torch on {parity.pictures} pictures and {parity.boxes} boxes: scores to {parity.score_gap:.1g}, "
        f"boxes to {parity.box_gap:.1g} pixels"
    )
    print(
        f"next: 'stampgate evaluate {exported.path} --coco LABELS.json --images DIR', or copy it to the box"
    )
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``stampgate``."""
    parser = parser_of(
        "stampgate", "Make a localizer for a stamp from its picture, and measure it."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add_commands(commands)
    _add_export(commands.add_parser("export", help="write a run as an ONNX file for the box"))
    return run(parser, argv)


if __name__ == "__main__":
    sys.exit(main())
