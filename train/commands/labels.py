"""``stampgate labels``: draw shelf labels to train on, with the boxes of what counts on them."""

import argparse
from pathlib import Path

from edge.errors import UsageError
from edge.printing import print_line
from train.commands import needing

COUNT = 600
"""Labels that are drawn unless told otherwise."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command and its options."""
    parser.description = (
        "Draw shelf labels in many typefaces and layouts: title, price, unit price, bar code. "
        "--out becomes a folder for --mark: cut-outs, and insides.json with the boxes of what "
        "counts on them."
    )
    add = parser.add_argument
    add("--out", required=True, type=Path, metavar="DIR", help="new folder for the cut-outs")
    add(
        "--part",
        choices=("labels", "prices"),
        default="labels",
        help="what a cut-out shows: a whole label, or a price and what lies around it (default: "
        "labels)",
    )
    add(
        "--counts",
        choices=("price", "digits", "both"),
        default="price",
        help="what counts on it: the place of the price, each digit, or both (default: price)",
    )
    add(
        "--font",
        action="append",
        default=[],
        type=Path,
        metavar="PATH",
        help="font file, or folder with fonts; repeatable (default: those installed)",
    )
    add("--count", type=int, default=COUNT, metavar="N", help=f"how many (default: {COUNT})")
    add("--seed", type=int, default=0, metavar="S", help="seed of everything random (default: 0)")


def run(arguments: argparse.Namespace) -> int:
    """Draw, write and say what was written. Raises StampgateError."""
    if arguments.count < 1 or arguments.seed < 0:
        raise UsageError("labels: --count must be at least 1 and --seed at least 0; correct them")
    with needing("train"):
        from train.shelf.cut_outs import COUNTED, write_cut_outs  # noqa: PLC0415
        from train.shelf.typefaces import find_typefaces  # noqa: PLC0415
    fonts = find_typefaces(arguments.font)
    out, part = arguments.out, arguments.part
    classes = COUNTED[arguments.counts]
    sheet = write_cut_outs(out, part, classes, arguments.count, fonts, arguments.seed)
    print_line(f"{out}: {arguments.count} cut-outs in {len(fonts)} typefaces; sheet: {sheet}")
    marks = " ".join(f"--mark {name}={out}" for name in classes)
    print_line(f"next: 'stampgate train {marks} --backgrounds PHOTOGRAPHS --out RUN'")
    return 0
