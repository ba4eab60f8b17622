"""The bundle index: signed list of the bundles in a folder or on a server, soon expired.

A server that nobody trusts may hold it. Its signature says which bundles there are; its version
keeps an older index from coming back (rollback), its expiry one that never changes (freeze): the
promises of The Update Framework's timestamp and snapshot roles in one file. What it names is
verified once more when it is read, by :func:`edge.bundles.reading.read_bundle`.
"""

import dataclasses
import json
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from edge.bundles.envelope import SUM, Envelope
from edge.bundles.manifest import MOST_VERSION, NAME, read_time, time_text
from edge.bundles.trust import SignatureError, Signer, TrustedKeys
from edge.errors import BundleError, UsageError
from edge.files import read_bounded
from edge.printing import printable
from edge.strict_json import read_object

INDEX_NAME = "bundles.index"
PAYLOAD_TYPE = "application/vnd.stampgate.bundle-index+json"
"""What is signed as an index counts as nothing else, and nothing else as an index."""
FORMAT = 1
MOST_BYTES = 1 << 18
MOST_BUNDLES = 256
MOST_SIZE = 1 << 40
FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
"""Names of files beside the index: none leads out of its folder, none needs escapes in a URL."""
AGAIN = "fetch it again, or make it again with 'stampgate bundle index'"


@dataclass(frozen=True)
class Listed:
    """A bundle of an index: its *file* beside the index, and what the reader must find in it."""

    file: str
    name: str
    version: int
    size: int
    sha256: str


@dataclass(frozen=True)
class Index:
    """An index: its *version* rises each time, and after *expires*, UTC, it counts no more."""

    version: int
    created: datetime
    expires: datetime
    bundles: tuple[Listed, ...]

    def newest(self, name: str) -> Listed | None:
        """Return the bundle *name* with the highest version; None when there is none."""
        of_name = [listed for listed in self.bundles if listed.name == name]
        return max(of_name, key=lambda listed: listed.version, default=None)

    def to_json(self) -> str:
        """Serialize as one JSON text."""
        raw = {
            "format": FORMAT,
            "version": self.version,
            "created": time_text(self.created),
            "expires": time_text(self.expires),
            "bundles": [dataclasses.asdict(listed) for listed in self.bundles],
        }
        return json.dumps(raw, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Index":
        """Parse the text of :meth:`to_json`. Raises ValueError with what is wrong in words."""
        raw = read_object(text, MOST_BYTES)
        if raw.get("format") != FORMAT or isinstance(raw["format"], bool):
            raise ValueError(f"it is of format {raw.get('format')!r:.20}, must be {FORMAT}")
        _check_keys(raw, ["format", *(field.name for field in dataclasses.fields(cls))])
        given = raw["bundles"]
        if not isinstance(given, list) or len(given) > MOST_BUNDLES:
            raise ValueError(f"it must list at most {MOST_BUNDLES} bundles")
        bundles = tuple(map(_listed, given))
        for what in ({b.file for b in bundles}, {(b.name, b.version) for b in bundles}):
            if len(what) < len(bundles):
                raise ValueError("it lists one file, or one version, twice")
        created, expires = read_time(raw["created"]), read_time(raw["expires"])
        if created >= expires:
            raise ValueError("it expires before it was made")
        return cls(_number(raw["version"], MOST_VERSION), created, expires, bundles)


def read_index(content: bytes, keys: TrustedKeys, where: str) -> tuple[Index, Signer]:
    """Read and verify the *content* of an index; *where*: how messages begin.

    Its version and its time are looked at by :func:`check_index`. Raises BundleError,
    and UsageError without the library ``cryptography``.
    """
    try:
        if len(content) > 2 * MOST_BYTES:
            raise ValueError(f"it must have at most {2 * MOST_BYTES} bytes")
        envelope = Envelope.from_json(content, PAYLOAD_TYPE)
        signer = keys.verify(envelope)
        return Index.from_json(envelope.payload.decode("utf-8")), signer
    except SignatureError as error:
        raise BundleError(f"{where}: refused: {printable(error)}; {error.cure}") from None
    except UsageError:  # no cryptography
        raise
    except ValueError as error:
        raise BundleError(f"{where}: refused: {printable(error)}; {AGAIN}") from None


def read_index_file(path: Path, keys: TrustedKeys) -> tuple[Index, Signer]:
    """Read the index in the file *path*, as :func:`read_index` does. Raises BundleError."""
    try:
        content = read_bounded(path, 2 * MOST_BYTES)
    except OSError as error:
        raise BundleError(f"{path}: cannot be read ({error.strerror}); {AGAIN}") from None
    return read_index(content, keys, str(path))


def check_index(index: Index, where: str, now: datetime, newest: int) -> None:
    """Refuse an index that is expired at *now*, UTC, or older than version *newest*.

    Raises BundleError.
    """
    if index.version < newest:
        raise BundleError(
            f"{where}: version {index.version} of the index is older than version {newest}, which "
            "was read before; somebody holds the newer one back: ask who keeps the server"
        )
    if now >= index.expires:
        raise BundleError(
            f"{where}: the index expired at {time_text(index.expires)}, and it is "
            f"{time_text(now)}; ask for a newer one, or set the clock when it is wrong"
        )


def _listed(raw: Any) -> Listed:
    _check_keys(raw, [field.name for field in dataclasses.fields(Listed)])
    if not isinstance(raw["file"], str) or not FILE_NAME.fullmatch(raw["file"]):
        raise ValueError(f"{raw['file']!r:.60} must be the name of a file beside the index")
    if not isinstance(raw["name"], str) or not NAME.fullmatch(raw["name"]):
        raise ValueError(f"{raw['name']!r:.60} must be the name of a bundle")
    if not isinstance(raw["sha256"], str) or not SUM.fullmatch(raw["sha256"]):
        raise ValueError(f"{raw['file']}: sha256 must be 64 hexadecimal digits")
    version, size = _number(raw["version"], MOST_VERSION), _number(raw["size"], MOST_SIZE)
    return Listed(raw["file"], raw["name"], version, size, raw["sha256"])


def _check_keys(raw: Any, names: list[str]) -> None:
    if not isinstance(raw, dict) or set(raw) != set(names):
        raise ValueError(f"an object must have the fields {', '.join(names)}")


def _number(value: Any, most: int) -> int:
    if type(value) is not int or not 1 <= value <= most:
        raise ValueError(f"{value!r:.40} must be a number from 1 to {most}")
    return int(value)
