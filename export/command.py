"""``stampgate export``: write a run as an ONNX file for the box."""

import argparse
from pathlib import Path

from edge.errors import UsageError
from edge.files import make_folder, write_atomic
from edge.printing import print_line
from train.commands import needing


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command and its options."""
    parser.description = (
        "Write a run as an ONNX file for the box. The file appears under its name only when "
        "onnx.checker accepts it and it answers as the torch network does."
    )
    parser.add_argument(
        "run",
        type=Path,
        metavar="RUN",
        help="folder of a run made by 'stampgate train'; with --proof also a file exported before",
    )
    parser.add_argument("--out", required=True, type=Path, metavar="MODEL.onnx")
    parser.add_argument(
        "--threshold",
        type=float,
        metavar="T",
        help="least score that counts, in place of the run's own; never below what photographs "
        "without the mark score (the table at the end of 'stampgate train')",
    )
    parser.add_argument(
        "--anyway", action="store_true", help="export a run that is not ready to be tried, too"
    )
    parser.add_argument(
        "--precision",
        choices=("fp32", "fp16", "int8"),
        default="fp32",
        help="a lower one is written only when it decides 2000 pictures of the run as fp32 does; "
        "it takes the run's photographs, and minutes (default %(default)s)",
    )
    parser.add_argument(
        "--proof",
        type=Path,
        metavar="DIR",
        help="a proof of this very model by 'stampgate prove': its summary travels in the file",
    )


def run(arguments: argparse.Namespace) -> int:
    """Export a run and print what came of it. Raises StampgateError."""
    if arguments.run.is_file():
        return _attach(arguments)
    with needing("train,export"):
        from export.to_onnx import export_run  # noqa: PLC0415 - see train/commands

    exported = export_run(
        arguments.run,
        arguments.out,
        arguments.threshold,
        arguments.anyway,
        arguments.proof,
        arguments.precision,
    )
    contract, parity = exported.contract, exported.parity
    print_line(
        f"{exported.path}: {exported.size / 1e6:.2f} MB, "
        f"input {contract.input_width} x {contract.input_height}, "
        f"classes {', '.join(contract.classes)}, threshold {contract.threshold:g}"
    )
    print_line(
        f"parity with torch on {parity.pictures} pictures and {parity.boxes} boxes: "
        f"scores to {parity.score_gap:.1g}, boxes to {parity.box_gap:.1g} pixels"
    )
    golden = [picture.decision for picture in exported.golden.pictures]
    print_line(
        f"sealed with {len(golden)} golden pictures, of which the box must pass "
        f"{golden.count('pass')} at each start"
    )
    if "pass" not in golden:
        print_line(
            "warning: none of the run's pictures passes, so the box cannot prove at its start that "
            "the model finds a mark; train longer"
        )
    if arguments.proof is not None:
        print_line(f"its proof: {exported.proof}")
    print_line(
        f"next: 'stampgate evaluate {exported.path} --coco LABELS.json --images DIR', "
        "or copy it to the box"
    )
    return 0


def _attach(arguments: argparse.Namespace) -> int:
    """Write a file that was exported before once more, with the summary of a proof."""
    if (
        arguments.proof is None
        or arguments.threshold is not None
        or arguments.anyway
        or (arguments.precision != "fp32")
    ):
        raise UsageError(
            f"{arguments.run}: is an exported file, which takes --proof and no other option; name "
            "the folder of a run"
        )
    with needing("train,export"):
        from export.attached import attach_to_file, read_summary  # noqa: PLC0415

    content = attach_to_file(arguments.run, arguments.proof)
    make_folder(arguments.out.parent)
    write_atomic(arguments.out, content)
    print_line(f"{arguments.out}: {len(content) / 1e6:.2f} MB, the model of {arguments.run}")
    print_line(f"its proof: {read_summary(arguments.proof).line}")
    print_line("next: copy it to the box; 'stampgate-edge status' shows the proof")
    return 0
