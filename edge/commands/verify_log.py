"""``stampgate-edge verify-log``: check a journal's hash chain, numbers and counters."""

import argparse
from pathlib import Path

from edge.commands import add_journal, journal_of
from edge.errors import InputError
from edge.printing import print_line
from edge.record.verify import Pictures, Verified, verify, verify_pictures


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command and its options."""
    parser.description = (
        "Check a journal with its full files: every line whole, carrying the hash of the line "
        "before, the items numbered without a gap, the counters right. Exit status 0 when all "
        "holds, 1 when not."
    )
    add_journal(parser)
    parser.add_argument(
        "--evidence",
        type=Path,
        metavar="DIR",
        help="compare the pictures in DIR with their sums in the journal, too; those that gave way "
        "are counted",
    )


def run(arguments: argparse.Namespace) -> int:
    """Verify the journal and print one line.

    Raises InputError that names the first line, or picture, amiss.
    """
    path, folder = journal_of(arguments), arguments.evidence
    found = described(verify(path))
    if folder is not None:
        if not folder.is_dir():
            raise InputError(
                f"{folder}: must be the folder of the pictures; name another with --evidence"
            )
        found += f", {pictured(verify_pictures(path, folder))}"
    print_line(f"{path}: {found}")
    return 0


def described(found: Verified) -> str:
    """Return in words what :func:`edge.record.verify.verify` found.

    >>> described(Verified(9, 7))
    '9 records, 7 items, chain whole'
    """
    words = [f"{found.records} records", f"{found.items} items", "chain whole"]
    if found.files > 1:
        words.append(f"{found.files} files")
    if found.first_item > 1:
        words.append(f"from item {found.first_item} on: the files before it are not here")
    if found.lost_items:
        words.append(
            f"{found.lost_items} items counted but not described: the disk was full or broken"
        )
    return ", ".join(words)


def pictured(found: Pictures) -> str:
    """Return in words what :func:`edge.record.verify.verify_pictures` found.

    >>> pictured(Pictures(right=12, gone=3))
    'pictures: 12 as recorded, 3 gone'
    """
    words = [f"pictures: {found.right} as recorded"]
    words += [f"{found.gone} gone"] * bool(found.gone)
    words += [f"{found.unsaid} without a sum: the disk was slow"] * bool(found.unsaid)
    return ", ".join(words)
