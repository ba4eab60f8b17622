"""``stampgate keygen``: make a key pair that signs bundles."""

import argparse
import importlib
from pathlib import Path

from edge.errors import InputError, UsageError
from edge.printing import print_line
from export.bundling.passphrase import add_passphrase, new_passphrase
from train.commands import needing


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command and its options."""
    parser.description = (
        "Make a key pair that signs bundles, on the curve P-256: KEY.key, which stays here, and "
        "KEY.pem, which goes to each box. Neither may be there yet."
    )
    parser.add_argument(
        "key", type=Path, metavar="KEY", help="name of both files, without an ending: line-3-desk"
    )
    add_passphrase(parser)
    parser.add_argument(
        "--no-passphrase",
        action="store_true",
        help="leave the private key unencrypted: who has the file can sign",
    )


def run(arguments: argparse.Namespace) -> int:
    """Make the pair and print its id. Raises StampgateError."""
    with needing("bundle"):
        importlib.import_module("cryptography")  # before a passphrase is asked for
    from export.bundling.signing import make_key, write_key  # noqa: PLC0415

    base: Path = arguments.key
    if base.suffix in (".key", ".pem"):
        raise UsageError(f"{base}: name both files without their ending: {base.with_suffix('')}")
    private, public = base.with_name(base.name + ".key"), base.with_name(base.name + ".pem")
    for path in (private, public):
        if path.is_symlink() or path.exists():
            raise InputError(
                f"{path}: is there already, and a key that is overwritten is lost; name another"
            )
    if arguments.no_passphrase and arguments.passphrase_file:
        raise UsageError("--no-passphrase and --passphrase-file exclude one another; name one")
    secret = b"" if arguments.no_passphrase else new_passphrase(arguments.passphrase_file)
    key_id = write_key(make_key(), private, public, secret)
    print_line(f"{private}: signs bundles; keep it, and a copy, where nobody else comes")
    print_line(f"{public}: key {key_id}")
    print_line(f"next: copy {public.name} into each box's folder of trusted keys (docs/bundles.md)")
    return 0
