"""``stampgate-edge seal-setup``: seal the journal from now on, give the verification key out."""

import argparse
import os
from pathlib import Path

from edge.commands import add_config, config_of
from edge.errors import InputError
from edge.files import sync_folder
from edge.printing import print_line
from edge.record.seal import SealKey, key_path, set_up


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command and its options."""
    parser.description = (
        "Make the key that seals each record of the journal from the next start of the service on, "
        "and give the verification key out, once: with it, and only with it, "
        "'stampgate-edge verify-log --seal-key' finds a journal that was written anew. Keep it off "
        "the box. Refused when the journal is sealed already."
    )
    add_config(parser)
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="write the verification key to a new FILE, of this user alone, on a stick that is "
        "then taken away; default: print it",
    )


def run(arguments: argparse.Namespace) -> int:
    """Set the seal up. Raises InputError when there is one, or it cannot be written."""
    config = config_of(arguments)
    journal = config.path(config.journal.file)
    if os.path.lexists(key_path(journal)):
        set_up(journal, SealKey.fresh())  # refuses, and says what to do
    key = SealKey.fresh()
    # Given out first: a crash in between leaves a verification key of no seal, which harms nobody.
    _give_out(key.as_verification_key(), arguments.out)
    try:
        path = set_up(journal, key)
    except OSError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"{error.filename}: cannot be written ({error.strerror}); make the folder of the "
            "journal first, and try again with sudo"
        ) from None
    print_line(f"{path}: the journal is sealed by {key.name} from the next start of the service on")
    kept = arguments.out or "the line above"
    print_line(f"keep {kept} off the box: it is not kept here, and nobody can make it again")
    return 0


def _give_out(text: str, out: Path | None) -> None:
    """Print the verification key, or write it to a new file. Raises InputError."""
    if out is None:
        print_line(text, flush=True)
        return
    try:
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{text}\n")
            file.flush()
            os.fsync(file.fileno())
        sync_folder(out.absolute().parent)
    except OSError as error:
        raise InputError(
            f"{out}: must be a new file for the verification key ({error.strerror}); name another"
        ) from None
