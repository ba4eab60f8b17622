"""``stampgate harvest``: make training data of what reviewers said of items."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from edge.errors import UsageError
from edge.printing import print_line
from train.commands import needing

if TYPE_CHECKING:
    from edge.vision.harvest_note import HarvestNote
    from train.harvest.gathering import Gathered

HELD_SHARE = 0.3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command and its options."""
    parser.description = (
        "Make labelled photographs of the items that reviewers judged good or bad, for 'stampgate "
        "train --real'. Needs copies of the box's journal, audit log and evidence; both chains and "
        "each picture's hash are verified. Whole days are held out, to measure the new model on."
    )
    add = parser.add_argument
    add("journal", type=Path, metavar="JOURNAL", help="journal.jsonl, with its full files beside")
    add("--audit", required=True, type=Path, metavar="AUDIT", help="audit.jsonl of the review page")
    add("--evidence", required=True, type=Path, metavar="DIR", help="folder of its pictures")
    add("--out", required=True, type=Path, metavar="DIR", help="folder to write; its own")
    add(
        "--product",
        default="item",
        metavar="NAME",
        help="what ran on the line: groups of a product and day stay together (%(default)s)",
    )
    add(
        "--held-out-share",
        type=float,
        default=HELD_SHARE,
        metavar="X",
        help="share of the items held out, by whole groups (%(default)s)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Harvest, and say what came of it. Raises StampgateError."""
    with needing("train"):
        from train.folder_lock import locked_folder  # noqa: PLC0415
        from train.harvest.gathering import gather  # noqa: PLC0415
        from train.harvest.writing import write_harvest  # noqa: PLC0415
    product = arguments.product
    if not product or not all(letter.isalnum() or letter in "-_" for letter in product):
        raise UsageError(
            f"--product must be letters, digits, - and _, for it names folders, not {product!r}"
        )
    if not 0 <= arguments.held_out_share <= 0.5:
        raise UsageError(
            f"--held-out-share must be from 0 to 0.5, not {arguments.held_out_share:g}"
        )
    gathered = gather(arguments.journal, arguments.audit, arguments.evidence)
    with locked_folder(arguments.out, "stampgate harvest"):
        note = write_harvest(
            gathered, arguments.out, arguments.journal, product, arguments.held_out_share
        )
    return print_harvest(gathered, note, arguments.out)


def print_harvest(gathered: "Gathered", note: "HarvestNote", out: Path) -> int:
    """Print what was harvested and the next step; return 1 when there is nothing to train on."""
    from train.harvest.writing import IMAGES, LABELS, TO_LABEL  # noqa: PLC0415

    kinds = [one.lesson.kind for one in gathered.items]
    corrections = sum(one.corrected for one in gathered.items)
    print_line(
        f"{len(kinds)} judged items with a picture, {corrections} of them judged wrongly by the "
        f"box: {kinds.count('stamped')} stamped, {kinds.count('unstamped')} unstamped, "
        f"{kinds.count('to label')} to be labelled by hand"
    )
    for reason, number in sorted(gathered.left_out.items()):
        print_line(f"left out: {number}: {reason}")
    if kinds.count("to label"):
        print_line(f"{out / TO_LABEL}: open it in a labelling program, and train on what it saves")
    held = len(kinds) - kinds.count("to label") - note.items
    if not note.items:
        print_line(f"{out / LABELS}: nothing to train on; judge more items on the review page")
        return 1
    print_line(f"{note.items} to train on, {held} held out; harvest {note.sha256[:16]}")
    if not held:
        print_line("nothing is held out: all are of one product and day; harvest more days")
    print_line(f"next: stampgate train ... --real {out / LABELS} --real-images {out / IMAGES}")
    return 0
