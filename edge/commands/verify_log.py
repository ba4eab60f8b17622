"""``stampgate-edge verify-log``: check a journal's hash chain, numbers, order, counters and end."""

import argparse
from collections.abc import Iterable
from pathlib import Path

from edge.commands import add_journal, journal_of
from edge.errors import InputError
from edge.printing import print_line
from edge.record.verify import Discrepancy, Verified, verify
from edge.record.verify_pictures import Pictures, verify_pictures

STATUS = {"note": 0, "open": 3, "amiss": 1}
"""Exit status of the heaviest discrepancy; 2 is that of a wrong command line."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command and its options."""
    parser.description = (
        "Check a journal with its full files: every line whole, carrying the hash of the line "
        "before, items and files numbered without a gap, no record older than the one before, the "
        "counters right, and how it ends. Exit status 0 when all holds; 1 when something was "
        "changed, removed or put in; 3 when what is here is whole and not all is here: older files "
        "are elsewhere, or it ends without a stop record and nobody writes it."
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
    """Verify the journal; print one line, and one for each discrepancy.

    Raises InputError that names the first line, or picture, amiss.
    """
    path, folder = journal_of(arguments), arguments.evidence
    chain = verify(path)
    found, discrepancies = described(chain), chain.discrepancies
    if folder is not None:
        if not folder.is_dir():
            raise InputError(
                f"{folder}: must be the folder of the pictures; name another with --evidence"
            )
        pictures = verify_pictures(path, folder, chain)
        found += f", {pictured(pictures)}"
        discrepancies += pictures.discrepancies
    print_line(f"{path}: {found}")
    return weighed(discrepancies)


def weighed(discrepancies: Iterable[Discrepancy]) -> int:
    """Print discrepancies, a line each, and return the exit status of the heaviest."""
    weights = set()
    for discrepancy in discrepancies:
        print_line(f"{discrepancy.weight}: {discrepancy.text}")
        weights.add(discrepancy.weight)
    heaviest = next((weight for weight in ("amiss", "open") if weight in weights), "note")
    return STATUS[heaviest]


def described(found: Verified) -> str:
    """Return in words what :func:`edge.record.verify.verify` found.

    >>> described(Verified(9, 7))
    '9 records, 7 items, chain whole'
    """
    words = [f"{found.records} records", f"{found.items} items", "chain whole"]
    if found.files > 1:
        words.append(f"{found.files} files")
    if found.lost_items:
        words.append(
            f"{found.lost_items} items counted but not described: the disk was full or broken"
        )
    if found.missing_items:
        words.append(f"{found.missing_items} items without a record")
    return ", ".join(words)


def pictured(found: Pictures) -> str:
    """Return in words what :func:`edge.record.verify_pictures.verify_pictures` found.

    >>> pictured(Pictures(right=12, gone=3))
    'pictures: 12 as recorded, 3 gone'
    """
    words = [f"pictures: {found.right} as recorded"]
    words += [f"{found.gone} gone"] * bool(found.gone)
    words += [f"{found.unsaid} without a sum: the disk was slow"] * bool(found.unsaid)
    return ", ".join(words)
