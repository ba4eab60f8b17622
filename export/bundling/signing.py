"""The key that signs bundles: made, kept under a passphrase, and used.

Whatever can sign a message with an elliptic key is a :class:`SigningKey`; a token that speaks
PKCS#11 is one as soon as its library is wrapped so. :class:`KeyFile` is a PEM file.
"""

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from edge.bundles.envelope import IN_TOTO, Envelope, pae
from edge.bundles.trust import CURVES, crypto, key_id_of, pem_of
from edge.errors import InputError
from edge.files import read_bounded, sync_folder

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import (
        EllipticCurvePrivateKey,
        EllipticCurvePublicKey,
    )

MOST_BYTES = 16_384
LEAST_PASSPHRASE, MOST_PASSPHRASE = 8, 1024


class SigningKey(Protocol):
    """What signs: a key file, or a token that never gives its key away."""

    @property
    def public(self) -> "EllipticCurvePublicKey":
        """The public key that verifies what it signs."""

    def sign(self, message: bytes) -> bytes:
        """Return the signature of *message*: ECDSA with the hash of its curve, as DER."""


@dataclass(frozen=True)
class KeyFile:
    """A private key that was read from a PEM file."""

    private: "EllipticCurvePrivateKey"

    @property
    def public(self) -> "EllipticCurvePublicKey":
        """The public key that verifies what it signs."""
        return self.private.public_key()

    def sign(self, message: bytes) -> bytes:
        """Return the signature of *message*: ECDSA with the hash of its curve, as DER."""
        from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - see edge.bundles.trust
        from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

        algorithm = getattr(hashes, CURVES[self.private.curve.name])()
        return self.private.sign(message, ec.ECDSA(algorithm))


def sign(payload: bytes, key: SigningKey, payload_type: str = IN_TOTO) -> Envelope:
    """Sign *payload* as DSSE does; return the envelope."""
    signature = key.sign(pae(payload_type, payload))
    return Envelope(key_id_of(key.public), payload, signature, payload_type)


def make_key() -> KeyFile:
    """Make a new private key on the curve P-256. Raises UsageError without ``cryptography``."""
    with crypto():
        from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
    return KeyFile(ec.generate_private_key(ec.SECP256R1()))


def read_key(path: Path, passphrase: bytes = b"") -> KeyFile:
    """Read a private key from the PEM file *path*; *passphrase*: empty for one without.

    Raises InputError when it cannot be read, is none, or the passphrase is another's.
    """
    with crypto():
        from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
        from cryptography.hazmat.primitives import serialization  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
    pem = _read(path)
    try:
        key = serialization.load_pem_private_key(pem, passphrase or None)
    except TypeError:  # a passphrase too many or too few
        why = "takes no passphrase" if passphrase else "needs its passphrase"
        raise InputError(f"{path}: the key {why}; see 'stampgate bundle --help'") from None
    except (ValueError, UnsupportedAlgorithm):
        raise InputError(
            f"{path}: must be a private key as 'stampgate keygen' makes it, with its own "
            "passphrase; name the right file, or give the right passphrase"
        ) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name not in CURVES:
        raise InputError(
            f"{path}: must be an elliptic key, P-256, P-384 or P-521; make one with "
            "'stampgate keygen'"
        )
    return KeyFile(key)


def needs_passphrase(path: Path) -> bool:
    """Tell whether the key in *path* is encrypted. Raises InputError."""
    return b"ENCRYPTED" in _read(path)


def _read(path: Path) -> bytes:
    try:
        pem = read_bounded(path, MOST_BYTES)
        mode = path.stat().st_mode
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}); name the file of a private key"
        ) from None
    if b"ENCRYPTED" not in pem and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise InputError(
            f"{path}: the private key has no passphrase, and others than its owner may read it; "
            f"make another with 'stampgate keygen', or, when nobody has read it: chmod 600 {path}"
        )
    return pem


def write_key(key: KeyFile, private: Path, public: Path, passphrase: bytes) -> str:
    """Write a new key pair as PEM files, neither of which is there yet; return its id.

    *passphrase*: empty leaves the private key unencrypted. Raises InputError.
    """
    with crypto():
        from cryptography.hazmat.primitives import serialization  # noqa: PLC0415
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        encryption = serialization.BestAvailableEncryption(passphrase)
    text = key.private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )
    for path in (private, public):
        if path.is_symlink() or path.exists():
            raise InputError(
                f"{path}: is there already, and a key that is overwritten is lost; name another"
            )
    _write_new(private, text, 0o600)
    try:
        _write_new(public, pem_of(key.public), 0o644)
    except BaseException:
        private.unlink()
        raise
    return key_id_of(key.public)


def _write_new(path: Path, text: bytes, mode: int) -> None:
    """Write a file that is not there yet, with *mode* from its first moment. Raises InputError."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            sync_folder(path.parent)
        except BaseException:
            path.unlink()
            raise
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written ({error.strerror}); name another place"
        ) from None
