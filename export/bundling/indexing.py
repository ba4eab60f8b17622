"""Make the signed index of a folder of bundles, which the box fetches from."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from edge.bundles.index import (
    FILE_NAME,
    INDEX_NAME,
    MOST_BUNDLES,
    PAYLOAD_TYPE,
    Index,
    Listed,
    read_index_file,
)
from edge.bundles.reading import read_bundle
from edge.bundles.trust import TrustedKeys, key_id_of, load_trusted_keys, pem_of
from edge.errors import InputError
from edge.files import write_atomic
from export.bundling.signing import SigningKey, sign
from export.bundling.versions import next_version

COUNTED_AS = "bundles-index"
"""Under which name its versions are kept beside the key."""


def make_index(
    folder: Path, key: SigningKey, key_file: Path, keys: Path | None, days: float
) -> Index:
    """Write the index of the bundles in *folder*, signed with *key*; return it.

    *key_file*: beside which versions are kept; *keys*: folder of trusted keys, None for those of
    *key* alone. Each bundle is verified: an index that names one which a box refuses would only
    make it fetch in vain. Raises BundleError, InputError.
    """
    key_id = key_id_of(key.public)
    own = TrustedKeys({key_id: pem_of(key.public)}, {key_id: ""}, where="the key of this index")
    trusted = own if keys is None else load_trusted_keys(keys)
    listed = tuple(_listed(path, trusted) for path in _bundles_in(folder))
    created = datetime.now(UTC).replace(microsecond=0)
    _refuse_repeated(folder, listed)
    version = next_version(key_file, COUNTED_AS, None)
    index = Index(version, created, created + timedelta(days=days), listed)
    envelope = sign(index.to_json().encode(), key, PAYLOAD_TYPE)
    write_atomic(folder / INDEX_NAME, envelope.to_json().encode())
    return read_index_file(folder / INDEX_NAME, own)[0]


def _bundles_in(folder: Path) -> list[Path]:
    """Return the files ``*.bundle`` of *folder*, by name. Raises InputError."""
    try:
        found = sorted(path for path in folder.iterdir() if path.suffix == ".bundle")
    except OSError as error:
        raise InputError(
            f"{folder}: must be a folder of bundles ({error.strerror}); name another"
        ) from None
    if not 1 <= len(found) <= MOST_BUNDLES:
        raise InputError(
            f"{folder}: must have 1 to {MOST_BUNDLES} files called NAME.bundle, not {len(found)}; "
            "put them there, or take old ones away"
        )
    for path in found:
        if not FILE_NAME.fullmatch(path.name):
            raise InputError(f"{path}: its name must be of letters, digits, -, _ and .; rename it")
    return found


def _listed(path: Path, keys: TrustedKeys) -> Listed:
    bundle = read_bundle(path, keys)
    size = path.stat().st_size
    return Listed(path.name, bundle.name, bundle.version, size, bundle.bundle_sha256)


def _refuse_repeated(folder: Path, listed: tuple[Listed, ...]) -> None:
    """Refuse two files of one bundle: nobody could tell which to fetch. Raises InputError."""
    seen = dict[tuple[str, int], str]()
    for one in listed:
        before = seen.setdefault((one.name, one.version), one.file)
        if before != one.file:
            raise InputError(
                f"{folder / one.file}: is version {one.version} of {one.name}, as {before} is; "
                "take one of them away"
            )
