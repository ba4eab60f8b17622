"""``stampgate-edge verify-log``: check a journal and say in one line that it holds, or where it does not."""

import argparse

from edge.commands import add_journal, journal_of
from edge.journal import Verified, verify


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.description = (
        "Check a journal with its full files: every line whole, carrying the hash of the line before, the items "
        "numbered without a gap, the counters right. Exit status 0 when all holds, 1 when not."
    )
    add_journal(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check and say what was seen. Raises InputError that names the first line amiss."""
    path = journal_of(arguments)
    print(f"{path}: {described(verify(path))}")
    return 0


def described(found: Verified) -> str:
    """Say what :func:`edge.journal.verify` saw.

    >>> described(Verified(9, 7))
    '9 records, 7 items, chain whole'
    """
    words = [f"{found.records} records", f"{found.items} items", "chain whole"]
    if found.files > 1:
        words.append(f"{found.files} files")
    if found.first_item > 1:
        words.append(f"from item {found.first_item} on: the files before it are not here")
    if found.lost_items:
        words.append(f"{found.lost_items} items counted but not described: the disk was full or broken")
    return ", ".join(words)
