"""``stampgate mark``: show what is understood of a picture of the stamp, before anything else."""

import argparse
from pathlib import Path

from edge.annotate import save_png
from edge.errors import UsageError
from edge.printing import print_line
from train.commands import needing

OTHERWISE = "--as {made}"
"""How the user says here that a guess is wrong."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command and its options."""
    parser.description = (
        "Show what training would take for the mark: cut it out of its picture, say what was done "
        "and what is in doubt, and write a sheet with the cut-out on a chequer and on three "
        "grounds. --out saves the cut-out, to be used as --mark or to be mended by hand."
    )
    add = parser.add_argument
    add(
        "picture",
        type=Path,
        metavar="PICTURE",
        help="picture of the stamp: photograph, scan, screenshot, PNG, SVG; or a folder of them",
    )
    add("--out", type=Path, metavar="MARK.png", help="write the cut-out, with its transparency")
    add(
        "--sheet",
        type=Path,
        metavar="SHEET.png",
        help="where the sheet goes (default: MARK-understood.png beside --out, else "
        "understood.png here)",
    )
    add(
        "--as",
        choices=("ink", "sticker"),
        default="",
        dest="made",
        help="how it is made, where the guess is wrong: ink alone, or with its own ground",
    )


def run(arguments: argparse.Namespace) -> int:
    """Show what was understood; return 0, in doubt too. Raises StampgateError."""
    with needing("train"):
        from train.marks.mark import load_folder, load_mark, mark_files  # noqa: PLC0415
        from train.marks.mark_sheet import described, write_mark_sheet  # noqa: PLC0415
    picture, out = arguments.picture, arguments.out
    label = picture.stem
    sheet = arguments.sheet or (
        out.with_name(f"{out.stem}-understood.png") if out else Path("understood.png")
    )
    check_targets(picture, out, sheet)
    if picture.is_dir():
        marks = load_folder(picture, label, made=arguments.made)
    else:
        marks = (load_mark(picture, label, made=arguments.made),)
    pairs = list(zip(marks, mark_files(picture), strict=True))
    for mark, path in pairs:
        for line in described(mark, OTHERWISE):
            print_line(f"{path}: {line}")
    write_mark_sheet(pairs, sheet, OTHERWISE)
    print_line(f"sheet: {sheet}")
    if out:
        save_png(marks[0].image, out)
        print_line(f"cut-out: {out}; use it as --mark NAME={out}")
    return 0


def check_targets(picture: Path, out: Path | None, sheet: Path) -> None:
    """Check that nothing is written over the picture, and as PNG alone. Raises UsageError."""
    for option, path in (("--out", out), ("--sheet", sheet)):
        if path is None:
            continue
        if path.suffix.lower() != ".png":
            raise UsageError(f"{option} {path}: must end in .png; name another file")
        if path.exists() and picture.exists() and path.samefile(picture):
            raise UsageError(f"{option} {path}: is the picture itself; name another file")
    if out and picture.is_dir():
        raise UsageError(f"--out {out}: is for one picture, not for a folder; leave it out")
