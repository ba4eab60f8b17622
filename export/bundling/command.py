"""``stampgate bundle``: make a signed bundle, or look into one."""

import argparse
import importlib
import math
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from edge.errors import UsageError
from edge.printing import print_line, printable
from export.bundling.passphrase import add_passphrase, asked_passphrase, given_passphrase
from train.commands import needing

if TYPE_CHECKING:
    from edge.bundles.reading import Bundle
    from export.bundling.making import Asked
    from export.bundling.signing import SigningKey

MOST_DAYS = 3660.0
DAYS, INDEX_DAYS = 365.0, 30.0
"""How long a bundle, and an index, can be taken, where nobody says otherwise."""
MAKING = (
    *("out", "key", "proof", "unproven", "run", "photographs", "frames", "settings", "name"),
    *("version", "not_before", "expires"),
)
"""Options of a new bundle alone."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command and its options."""
    parser.usage = (
        "stampgate bundle MODEL.onnx --out F --key KEY (--run RUN | --frames DIR) [options]\n"
        "       stampgate bundle show F [--keys DIR]\n"
        "       stampgate bundle verify F --keys DIR\n"
        "       stampgate bundle unpack F DIR [--keys DIR]\n"
        "       stampgate bundle index FOLDER --key KEY [--keys DIR] [--expires DAYS]"
    )
    parser.description = (
        "Put a model into a signed bundle, with its proof, its rules and golden frames: what the "
        "box activates. Or show what is inside one; verify it as the box does, its golden frames "
        "included; or unpack it, for the public tool model_signing; or write the signed index of a "
        "folder of bundles, from which boxes fetch."
    )
    parser.add_argument(
        "words", nargs="+", metavar="MODEL.onnx | show F | verify F | unpack F DIR | index DIR"
    )
    _add_signing(parser)
    _add_content(parser)
    parser.add_argument(
        "--keys", type=Path, metavar="DIR", help="folder of trusted keys; for what is there already"
    )


def _add_signing(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--out", type=Path, metavar="F", help="the new bundle: stamp-7.bundle is version 7 of stamp"
    )
    add("--key", type=Path, metavar="KEY", help="private key by 'stampgate keygen'")
    add_passphrase(parser)
    add("--name", help="name that its versions share (default: from --out)")
    add(
        "--version",
        type=_version,
        metavar="N",
        help="number, above all that this key has signed of that name (default: the next)",
    )
    add(
        "--expires",
        type=_days,
        metavar="DAYS",
        help="after how many days no box takes it any more (default: 365, of an index 30)",
    )
    add("--not-before", type=_moment, metavar="TIME", help="when a box may: 2026-12-24T06:00:00Z")


def _add_content(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--proof", type=Path, metavar="DIR", help="the model's proof by 'stampgate prove'")
    add("--unproven", action="store_true", help="there is no proof, which the bundle says for ever")
    add(
        "--settings",
        type=Path,
        metavar="edge.toml",
        help="of the box: its [decision], region included, and the size of its pictures",
    )
    add("--run", type=Path, metavar="RUN", help="the model's run, to paint golden frames from")
    add(
        "--photographs",
        action="store_true",
        help="paint them on the run's own photographs, which leave the house with the bundle, and "
        "not on painted products",
    )
    add(
        "--frames",
        type=Path,
        metavar="DIR",
        help="your own golden frames, which leave the house with the bundle: pictures of the box, "
        "in stamped, unstamped and look-alikes",
    )
    add("--intended", default="", metavar="TEXT", help="what the model is to be used for")


def run(arguments: argparse.Namespace) -> int:
    """Do what is asked for. Raises StampgateError."""
    first, *others = arguments.words
    actions: dict[str, Callable[[argparse.Namespace, list[str]], int]] = {
        "show": _show,
        "verify": _verify,
        "unpack": _unpack,
        "index": _index,
    }
    if first not in actions:
        return _make(arguments)
    for option in MAKING:
        allowed = first == "index" and option in ("key", "expires")
        if getattr(arguments, option) not in (None, False) and not allowed:
            raise UsageError(
                f"bundle {first}: takes no --{option.replace('_', '-')}; leave it out, or name "
                "a model to make a new bundle"
            )
    wanted = 2 if first == "unpack" else 1
    if len(others) != wanted:
        words = {"unpack": "a bundle and a new folder", "index": "a folder"}.get(
            first, "one bundle"
        )
        raise UsageError(
            f"bundle {first}: name {words}, not {printable(' '.join(others)) or 'none'}"
        )
    return actions[first](arguments, others)


def _make(arguments: argparse.Namespace) -> int:
    """Make a bundle and print what is in it."""
    if len(arguments.words) != 1 or arguments.out is None or arguments.key is None:
        raise UsageError("bundle: name one MODEL.onnx, --out F and --key KEY")
    if arguments.keys is not None:
        raise UsageError("--keys: is for show, verify and unpack; a new bundle takes --key KEY")
    with needing("bundle"):
        importlib.import_module("cryptography")  # before anything long begins
    with needing("export"):
        from export.bundling.making import make_bundle  # noqa: PLC0415 - see train/commands
    from export.bundling.sheet import made_lines  # noqa: PLC0415

    asked = _asked(arguments)
    key = _key(arguments)
    with needing("train,export,bundle"):
        bundle, choice = make_bundle(asked, key)
    for line in made_lines(bundle, choice.words):
        print_line(line)
    return 0


def _asked(arguments: argparse.Namespace) -> "Asked":
    """Return what the bundle is to be made of. Raises UsageError."""
    from export.bundling.making import Asked, name_and_version  # noqa: PLC0415

    name, version = name_and_version(arguments.out, arguments.name)
    if version is not None and arguments.version not in (None, version):
        raise UsageError(
            f"--version {arguments.version}: --out {arguments.out} says version {version}; "
            "name one of them"
        )
    return Asked(
        model=Path(arguments.words[0]),
        out=arguments.out,
        name=name,
        version=arguments.version if version is None else version,
        key_file=arguments.key,
        proof=arguments.proof,
        unproven=arguments.unproven,
        settings=arguments.settings,
        run=arguments.run,
        frames=arguments.frames,
        photographs=arguments.photographs,
        intended=arguments.intended,
        not_before=arguments.not_before,
        days=DAYS if arguments.expires is None else arguments.expires,
    )


def _key(arguments: argparse.Namespace) -> "SigningKey":
    """Read the private key, asking for its passphrase where it has one. Raises StampgateError."""
    from export.bundling.signing import needs_passphrase, read_key  # noqa: PLC0415

    if not needs_passphrase(arguments.key):
        return read_key(arguments.key)
    secret = given_passphrase(arguments.passphrase_file)
    if secret is None:
        secret = asked_passphrase(f"Passphrase of {arguments.key}: ")
    return read_key(arguments.key, secret)


def _read(arguments: argparse.Namespace, path: str) -> "Bundle":
    """Read a bundle, verified where there are keys. Raises BundleError."""
    from edge.bundles.reading import read_bundle, read_unverified  # noqa: PLC0415
    from edge.bundles.trust import load_trusted_keys  # noqa: PLC0415

    if arguments.keys is None:
        return read_unverified(Path(path))
    return read_bundle(Path(path), load_trusted_keys(arguments.keys))


def _show(arguments: argparse.Namespace, words: list[str]) -> int:
    """Print what is inside a bundle, for a person."""
    from export.bundling.sheet import show_lines  # noqa: PLC0415

    bundle = _read(arguments, words[0])
    for line in show_lines(bundle, arguments.keys is not None, datetime.now(UTC)):
        print_line(line)
    return 0


def _verify(arguments: argparse.Namespace, words: list[str]) -> int:
    """Verify a bundle as the box does: signature, sums, times, golden frames."""
    if arguments.keys is None:
        raise UsageError("bundle verify: name --keys DIR, the folder of trusted keys")
    from edge.bundles.validity import check_time  # noqa: PLC0415
    from export.bundling.checking import check_frames  # noqa: PLC0415

    bundle = _read(arguments, words[0])
    check_time(bundle, datetime.now(UTC))
    check_frames(bundle)
    print_line(
        f"{bundle.path}: {bundle.name}, version {bundle.version}, signed by {bundle.signer}: whole "
        f"and valid; all {len(bundle.golden.frames)} golden frames are judged as they must be"
    )
    return 0


def _unpack(arguments: argparse.Namespace, words: list[str]) -> int:
    """Unpack a bundle, for the public tool."""
    path, folder = words
    bundle = _read(arguments, path)
    bundle.unpack(Path(folder))
    print_line(f"{folder}: {len(bundle.members)} files of {bundle.name}, version {bundle.version}")
    print_line(
        f"next: model_signing verify key --public_key KEY.pem --signature {folder}/model.sig "
        f"{folder}"
    )
    return 0


def _index(arguments: argparse.Namespace, words: list[str]) -> int:
    """Write the signed index of a folder of bundles."""
    if arguments.key is None:
        raise UsageError("bundle index: name --key KEY, which signs it")
    with needing("bundle"):
        importlib.import_module("cryptography")
    from edge.bundles.index import INDEX_NAME  # noqa: PLC0415 - see train/commands
    from edge.bundles.manifest import time_text  # noqa: PLC0415
    from export.bundling.indexing import make_index  # noqa: PLC0415

    folder, days = Path(words[0]), arguments.expires
    days = INDEX_DAYS if days is None else days
    index = make_index(folder, _key(arguments), arguments.key, arguments.keys, days)
    for listed in index.bundles:
        print_line(f"{listed.file}: {listed.name}, version {listed.version}, {listed.size} bytes")
    print_line(
        f"{folder / INDEX_NAME}: version {index.version}, until {time_text(index.expires)}; make "
        "it again before then"
    )
    return 0


def _version(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 999_999_999:
        raise argparse.ArgumentTypeError(f"must be a number from 1, not {text!r}")
    return int(text)


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = math.nan
    if not 0 < days <= MOST_DAYS:
        raise argparse.ArgumentTypeError(f"must be days, at most {MOST_DAYS:g}, not {text!r}")
    return days


def _moment(text: str) -> datetime:
    from edge.bundles.manifest import read_time  # noqa: PLC0415

    try:
        return read_time(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
