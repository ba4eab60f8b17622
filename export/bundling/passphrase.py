"""The passphrase of a signing key: from a file, the environment or a prompt, never an argument."""

import argparse
import getpass
import os
import sys
from pathlib import Path

from edge.errors import InputError, UsageError
from edge.files import read_bounded

VARIABLE = "STAMPGATE_PASSPHRASE"
LEAST, MOST = 8, 1024
"""Bounds of a passphrase, in bytes."""


def add_passphrase(parser: argparse.ArgumentParser) -> None:
    """Describe the option that names a file with the passphrase."""
    parser.add_argument(
        "--passphrase-file",
        type=Path,
        metavar="FILE",
        help=f"file whose first line is the key's passphrase; else that of the environment, "
        f"{VARIABLE}, else it is asked for",
    )


def given_passphrase(file: Path | None) -> bytes | None:
    """Return the passphrase of *file*, else of the environment; None when there is neither.

    Raises InputError.
    """
    if file is None:
        text = os.environ.get(VARIABLE)
        return None if text is None else text.encode("utf-8", "surrogateescape")
    try:
        lines = read_bounded(file, 4 * MOST).splitlines()
    except OSError as error:
        raise InputError(
            f"--passphrase-file {file}: cannot be read ({error.strerror}); name another"
        ) from None
    if not lines or not lines[0]:
        raise InputError(f"--passphrase-file {file}: its first line is empty; write it there")
    return lines[0]


def asked_passphrase(prompt: str) -> bytes:
    """Ask for a passphrase without showing it. Raises UsageError where there is nobody to ask."""
    if not sys.stdin.isatty():
        raise UsageError(
            f"the key needs a passphrase, and nobody is there to ask: name --passphrase-file FILE, "
            f"or set {VARIABLE}"
        )
    return getpass.getpass(prompt).encode()


def new_passphrase(file: Path | None) -> bytes:
    """Return the passphrase of a new key, asked for twice unless it is given. Raises UsageError."""
    secret = given_passphrase(file)
    if secret is None:
        secret = asked_passphrase("Passphrase of the new key: ")
        if asked_passphrase("The same once more: ") != secret:
            raise UsageError("the two passphrases differ; try again")
    if not LEAST <= len(secret) <= MOST:
        raise UsageError(
            f"a passphrase must have {LEAST} to {MOST} characters; several words are easy to keep"
        )
    return secret
