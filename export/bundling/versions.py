"""Versions of bundles rise: the last one of each name is kept beside the key that signs."""

import json
from pathlib import Path

from edge.bundles.manifest import MOST_VERSION, NAME
from edge.errors import InputError, UsageError
from edge.files import read_bounded, write_atomic
from edge.printing import printable
from edge.strict_json import read_object

MOST_BYTES = 1 << 20


def versions_file(key: Path) -> Path:
    """Return the file beside *key* that keeps the last version of each name."""
    return key.with_name(key.name + ".versions")


def next_version(key: Path, name: str, asked: int | None) -> int:
    """Return the version of the next bundle *name*, and keep it; *asked*: None for the next one.

    It is kept before anything is signed: a number that is lost harms nobody, two bundles of one
    number do. Raises UsageError for one that was signed before, InputError.
    """
    path = versions_file(key)
    known = _read(path)
    last = known.get(name, 0)
    version = last + 1 if asked is None else asked
    if version <= last:
        raise UsageError(
            f"version {version} of {name}: this key has signed version {last}, and a version must "
            f"rise; ask for {last + 1} or leave it out"
        )
    if version > MOST_VERSION:
        raise UsageError(f"version {version}: must be at most {MOST_VERSION}")
    text = json.dumps({**known, name: version}, sort_keys=True, indent=1) + "\n"
    write_atomic(path, text.encode())
    return version


def _read(path: Path) -> dict[str, int]:
    try:
        content = read_bounded(path, MOST_BYTES)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}); mend that, or name --version"
        ) from None
    try:
        known = read_object(content.decode(), MOST_BYTES)
        if not all(NAME.fullmatch(name) and type(n) is int and n > 0 for name, n in known.items()):
            raise ValueError("it must hold names with their versions")
    except ValueError as error:
        raise InputError(
            f"{path}: must be what 'stampgate bundle' wrote ({printable(error)[:80]}); restore it "
            "from a copy, for without it a version could be signed twice"
        ) from None
    return known
