"""The public keys that a box or a desktop trusts: a folder of PEM files and a list of revoked ones.

Two keys at once are how a key is changed: the new one is put beside the old one, bundles are signed
with it from then on, and the old one is taken away or revoked. Keys are elliptic, P-256 as
``stampgate keygen`` makes them, or P-384 or P-521: those that the public tool of OpenSSF Model
Signing takes. The library ``cryptography`` is imported when a key is loaded, and not before.
"""

import contextlib
import hashlib
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from edge.bundles.envelope import SUM, Envelope
from edge.errors import BundleError, UsageError
from edge.files import read_bounded
from edge.printing import printable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

REVOKED_NAME = "revoked"
MOST_KEYS = 8
MOST_KEY_BYTES, MOST_LIST_BYTES = 16_384, 65_536
CURVES = {"secp256r1": "SHA256", "secp384r1": "SHA384", "secp521r1": "SHA512"}
"""Names of the curves, each with the hash that signs (OpenSSF Model Signing v1.0)."""


class SignatureError(ValueError):
    """A signature that does not count here; *cure*: the next step."""

    def __init__(self, message: str, cure: str) -> None:
        super().__init__(message)
        self.cure = cure


@dataclass(frozen=True)
class Signer:
    """Who signed: *key_id*, SHA-256 of the public key as PEM, and *comment*, its name here."""

    key_id: str
    comment: str

    def __str__(self) -> str:
        return f"{self.comment} ({self.key_id[:16]})" if self.comment else self.key_id[:16]


@dataclass(frozen=True)
class TrustedKeys:
    """Public keys by their ids, and the ids of revoked ones.

    *keys*: PEM text of each; *names*: the name of its file, without ``.pem``; *where*: what the
    folder is called in messages.
    """

    keys: Mapping[str, bytes]
    names: Mapping[str, str]
    revoked: frozenset[str] = field(default_factory=frozenset)
    where: str = "the trusted keys"

    def verify(self, envelope: Envelope) -> Signer:
        """Verify the signature of *envelope*; return who made it.

        Raises SignatureError when its key is not trusted here or was revoked, or it is another's.
        """
        key_id = envelope.key_id
        words = f"it is signed with the key {key_id[:16]}, which is"
        if key_id in self.revoked:
            raise SignatureError(
                f"{words} revoked in {self.where}", "ask for a bundle that is signed with a new key"
            )
        if key_id not in self.keys:
            raise SignatureError(
                f"{words} not in {self.where}",
                "ask whoever made it for a public key, and put that there if you trust it",
            )
        with crypto():
            from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - see the head
            from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
            from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
        key = load_public(self.keys[key_id])
        algorithm = getattr(hashes, CURVES[key.curve.name])()
        try:
            key.verify(envelope.signature, envelope.signed, ec.ECDSA(algorithm))
        except InvalidSignature:
            raise SignatureError(
                f"its signature is not that of the key {key_id[:16]}, which it names",
                "somebody has changed it: take it from where it was made, and ask who did",
            ) from None
        return Signer(key_id, self.names.get(key_id, ""))


def load_trusted_keys(folder: Path) -> TrustedKeys:
    """Load the public keys of *folder*: its files ``*.pem``, less those that are revoked.

    The file ``revoked``, where there is one, has one key id a line. Raises BundleError when there
    is no key, or a file is none, or anybody may write there.
    """
    keys, names = dict[str, bytes](), dict[str, str]()
    for path in _files(folder):
        pem = _read(path, MOST_KEY_BYTES)
        try:
            key_id = key_id_of(load_public(pem))
        except UsageError:  # no cryptography
            raise
        except ValueError as error:
            raise BundleError(
                f"{path}: must be a public key as 'stampgate keygen' makes it, not {error}; "
                "copy the file that ends in .pem"
            ) from None
        keys[key_id], names[key_id] = pem, printable(path.stem)[:60]
    revoked = read_revoked(folder / REVOKED_NAME)
    if not keys.keys() - revoked:
        raise BundleError(
            f"{folder}: has no public key that is trusted, so no bundle can be; copy there the "
            ".pem file that 'stampgate keygen' made"
        )
    return TrustedKeys(keys, names, revoked, str(folder))


def _files(folder: Path) -> list[Path]:
    """Return the files of keys in *folder*, by name. Raises BundleError."""
    try:
        _refuse_open(folder)
        found = sorted(p for p in folder.iterdir() if p.suffix == ".pem" and p.name[0] != ".")
    except OSError as error:
        raise BundleError(
            f"{folder}: must be a folder of public keys ({error.strerror}); name another"
        ) from None
    if len(found) > MOST_KEYS:
        raise BundleError(
            f"{folder}: must have at most {MOST_KEYS} public keys, not {len(found)}; "
            "take away those that are no longer used"
        )
    return found


def _refuse_open(path: Path) -> None:
    """Refuse a key or folder that anybody may write: it would trust anybody. Raises BundleError."""
    if path.stat().st_mode & stat.S_IWOTH:
        raise BundleError(f"{path}: anybody may write there; take that away: chmod o-w")


def _read(path: Path, most: int) -> bytes:
    try:
        _refuse_open(path)
        return read_bounded(path, most)
    except OSError as error:
        raise BundleError(
            f"{path}: cannot be read ({error.strerror}); copy the key there again"
        ) from None


def read_revoked(path: Path) -> frozenset[str]:
    """Read a list of revoked key ids, one a line, ``#`` before a remark; none without the file.

    Raises BundleError for a line that is none: a revocation with a typing error would count for
    nothing.
    """
    try:
        path.lstat()
    except FileNotFoundError:
        return frozenset()
    lines = _read(path, MOST_LIST_BYTES).decode("utf-8", "replace").splitlines()
    ids = [line.partition("#")[0].strip().lower() for line in lines]
    for number, key_id in enumerate(ids, 1):
        if key_id and not SUM.fullmatch(key_id):
            raise BundleError(
                f"{path}: line {number} must be the id of a key, 64 hexadecimal digits, not "
                f"{printable(key_id)[:40]!r}; correct it there"
            )
    return frozenset(filter(None, ids))


def load_public(pem: bytes) -> "EllipticCurvePublicKey":
    """Load a public key of one of :data:`CURVES` from PEM text. Raises ValueError, UsageError."""
    with crypto():
        from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - see the head
        from cryptography.hazmat.primitives import serialization  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        secret = b"PRIVATE KEY" in pem
        raise ValueError("a private key" if secret else "a file without one") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name not in CURVES:
        raise ValueError("a key of another kind: P-256, P-384 and P-521 are taken")
    return key


def key_id_of(key: "EllipticCurvePublicKey") -> str:
    """Return the id of a public key: SHA-256 of its PEM text, in hex, as Model Signing has it."""
    return hashlib.sha256(pem_of(key)).hexdigest()


def pem_of(key: "EllipticCurvePublicKey") -> bytes:
    """Return a public key as PEM text (SubjectPublicKeyInfo)."""
    with crypto():
        from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - see the head
            Encoding,
            PublicFormat,
        )
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@contextlib.contextmanager
def crypto() -> Iterator[None]:
    """Say what to install where the library ``cryptography`` is missing. Raises UsageError."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise UsageError(
            f"{error.name} is not installed, and without it no signature can be verified; on the "
            "box: sudo apt install python3-cryptography; in a checkout: pip install '.[bundle]'"
        ) from None
