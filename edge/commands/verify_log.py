"""``stampgate-edge verify-log``: check a journal's hash chain, numbers, order, counters and end."""

import argparse
from collections.abc import Iterable
from pathlib import Path

from edge.commands import add_journal, config_of, journal_of
from edge.errors import InputError
from edge.printing import print_line
from edge.record.high_water import Mark, lacks, mark_path, read_mark
from edge.record.seal import read_verification_key
from edge.record.verify import Discrepancy, Verified, verify
from edge.record.verify_pictures import Pictures, verify_pictures
from edge.record.verify_seal import SealFound, verify_seal

STATUS = {"note": 0, "open": 3, "amiss": 1}
"""Exit status of the heaviest discrepancy; 2 is that of a wrong command line."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command and its options."""
    parser.description = (
        "Check a journal with its full files: every line whole, carrying the hash of the line "
        "before, items and files numbered without a gap, no record older than the one before, the "
        "counters right, and how it ends. Exit status 0 when all holds; 1 when something was "
        "changed, removed or put in; 3 when what is here is whole and not all is here: older files "
        "are elsewhere, or it ends without a stop record and nobody writes it. With --seal-key "
        "what was written anew is found, too: use it on another machine, on a copy with its end "
        "mark (journal.end)."
    )
    add_journal(parser)
    parser.add_argument(
        "--evidence",
        type=Path,
        metavar="DIR",
        help="compare the pictures in DIR with their sums in the journal, too; those that gave way "
        "are counted",
    )
    parser.add_argument(
        "--seal-key",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="check the seal of each record by the verification key in FILE, as 'stampgate-edge "
        "seal-setup' gave it out; may be repeated, for a seal that was set up anew",
    )


def run(arguments: argparse.Namespace) -> int:
    """Verify the journal; print one line, and one for each discrepancy.

    Raises InputError that names the first line, or picture, amiss.
    """
    path, folder = journal_of(arguments), arguments.evidence
    mark = _mark(arguments)  # read before the journal, which is ahead of it
    keys = [read_verification_key(file) for file in arguments.seal_key]
    chain = verify(path)
    found, discrepancies = described(chain), chain.discrepancies
    if keys:
        seal = verify_seal(path, keys, chain)
        found += f", {sealed(seal)}"
        discrepancies = (*settled(discrepancies, seal), *seal.discrepancies)
    if folder is not None:
        if not folder.is_dir():
            raise InputError(
                f"{folder}: must be the folder of the pictures; name another with --evidence"
            )
        pictures = verify_pictures(path, folder, chain)
        found += f", {pictured(pictures)}"
        discrepancies += pictures.discrepancies
    if mark is not None and lacks(path, mark):
        text = (
            f"{path}: was written up to item {mark.sequence}, by [journal] mark, and lacks the end"
        )
        discrepancies += (Discrepancy("amiss", f"{text}: it was cut, replaced or moved"),)
    print_line(f"{path}: {found}")
    return weighed(discrepancies)


def settled(discrepancies: Iterable[Discrepancy], seal: SealFound) -> Iterable[Discrepancy]:
    """Return what is left in doubt once the *seal* is known: a proven end was not cut off."""
    for discrepancy in discrepancies:
        proven = discrepancy.about == "end" and seal.end_proven
        weight = "note" if proven else discrepancy.weight
        more = "; nothing was cut off, by the seal" if proven else ""
        yield Discrepancy(weight, discrepancy.text + more, discrepancy.about)


def _mark(arguments: argparse.Namespace) -> Mark | None:
    """Return how far the journal of the settings was written, None for another journal."""
    if arguments.journal is not None:
        return None
    config = config_of(arguments)
    path = config.path(config.journal.file)
    if not config.journal.mark:
        return None
    return read_mark(mark_path(config.path(config.journal.mark), path), path)


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


def sealed(found: SealFound) -> str:
    """Return in words what :func:`edge.record.verify_seal.verify_seal` found.

    >>> sealed(SealFound(12, 1, end_proven=True))
    'seal: 12 records as sealed, to the last one'
    """
    words = f"seal: {found.records} records as sealed"
    return f"{words}, to the last one" if found.end_proven else words


def pictured(found: Pictures) -> str:
    """Return in words what :func:`edge.record.verify_pictures.verify_pictures` found.

    >>> pictured(Pictures(right=12, gone=3))
    'pictures: 12 as recorded, 3 gone'
    """
    words = [f"pictures: {found.right} as recorded"]
    words += [f"{found.gone} gone"] * bool(found.gone)
    words += [f"{found.unsaid} without a sum: the disk was slow"] * bool(found.unsaid)
    return ", ".join(words)
