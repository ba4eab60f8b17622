"""A folder of public keys is read strictly: what is no key, or anybody's to write, is refused."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

pytest.importorskip("cryptography", reason="keys are read by the library cryptography")

from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from edge.bundles.envelope import Envelope
from edge.bundles.index import PAYLOAD_TYPE, read_index
from edge.bundles.reading import read_bundle, read_unverified
from edge.bundles.trust import SignatureError, key_id_of, load_trusted_keys, pem_of
from edge.errors import BundleError, UsageError
from export.bundling.signing import KeyFile, sign
from tests.tiny_bundle import key, key_id, trust, write_tiny_bundle


def test_each_curve_of_model_signing_verifies(tmp_path: Path) -> None:
    """P-256, P-384 and P-521, each with the hash of its size."""
    for curve in (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()):
        made = KeyFile(ec.generate_private_key(curve))
        (tmp_path / f"{curve.name}.pem").write_bytes(pem_of(made.public))
        envelope = sign(b"payload", made)
        signer = load_trusted_keys(tmp_path).verify(envelope)
        assert (signer.key_id, signer.comment) == (key_id_of(made.public), curve.name)


def test_what_is_signed_as_one_thing_counts_as_no_other(tmp_path: Path) -> None:
    """The type of the payload is signed too, and so is each of its bytes."""
    keys = load_trusted_keys(trust(tmp_path / "keys"))
    made = sign(b"payload", key("desk"), "text/one")
    keys.verify(made)
    for other in (
        Envelope(made.key_id, made.payload, made.signature, "text/other"),
        Envelope(made.key_id, b"Payload", made.signature, "text/one"),
        Envelope(made.key_id, made.payload, made.signature[:-1], "text/one"),
        Envelope(made.key_id, made.payload, b"", "text/one"),
    ):
        with pytest.raises(SignatureError, match="is not that of the key"):
            keys.verify(other)


def test_a_folder_without_a_key_is_refused(tmp_path: Path) -> None:
    """Missing, empty, or with revoked ones alone."""
    with pytest.raises(BundleError, match="must be a folder of public keys"):
        load_trusted_keys(tmp_path / "none")
    with pytest.raises(BundleError, match="has no public key that is trusted"):
        load_trusted_keys(tmp_path)
    folder = trust(tmp_path / "keys")
    (folder / "revoked").write_text(key_id())
    with pytest.raises(BundleError, match="has no public key that is trusted"):
        load_trusted_keys(folder)


def test_what_is_no_public_key_is_refused(tmp_path: Path) -> None:
    """A private key by mistake is told from damage, and another kind of key from both."""
    from cryptography.hazmat.primitives import serialization as as_pem  # noqa: PLC0415

    other = ed25519.Ed25519PrivateKey.generate()
    public = other.public_key().public_bytes(
        as_pem.Encoding.PEM, as_pem.PublicFormat.SubjectPublicKeyInfo
    )
    private = other.private_bytes(
        as_pem.Encoding.PEM, as_pem.PrivateFormat.PKCS8, as_pem.NoEncryption()
    )
    folder = trust(tmp_path / "keys")
    for content, told in (
        (private, "not a private key"),
        (b"hello", "not a file without one"),
        (b"", "not a file without one"),
        (public, "P-256, P-384 and P-521 are taken"),
        (pem_of(key("desk").public)[:-40], "not a file without one"),
    ):
        (folder / "second.pem").write_bytes(content)
        with pytest.raises(BundleError, match=told) as refused:
            load_trusted_keys(folder)
        assert str(refused.value).startswith(f"{folder / 'second.pem'}: ")


def test_what_anybody_may_write_is_not_trusted(tmp_path: Path) -> None:
    """A folder, a key or the list."""
    folder = trust(tmp_path / "keys")
    (folder / "revoked").write_text("")
    for path in (folder, folder / "desk.pem", folder / "revoked"):
        mode = path.stat().st_mode
        path.chmod(mode | 0o002)
        with pytest.raises(BundleError, match="anybody may write there"):
            load_trusted_keys(folder)
        path.chmod(mode)
    load_trusted_keys(folder)


def test_a_revocation_with_a_typing_error_is_refused(tmp_path: Path) -> None:
    """It would count for nothing, and nobody would know."""
    folder = trust(tmp_path / "keys", "desk", "next")
    (folder / "revoked").write_text(f"\n# lost\n{key_id('next').upper()} # of the old desk\n")
    assert load_trusted_keys(folder).revoked == {key_id("next")}
    (folder / "revoked").write_text(key_id("next")[:-1])
    with pytest.raises(BundleError, match="line 1 must be the id of a key"):
        load_trusted_keys(folder)


def test_too_many_keys_are_refused(tmp_path: Path) -> None:
    """A folder that only grows trusts whoever left years ago."""
    folder = trust(tmp_path / "keys")
    for number in range(8):
        (folder / f"{number}.pem").write_bytes(pem_of(key("desk").public))
    with pytest.raises(BundleError, match="at most 8 public keys, not 9"):
        load_trusted_keys(folder)


def test_without_the_library_it_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is read: keys, a bundle, an index; never as if the file were wrong."""
    folder = trust(tmp_path / "keys")
    path = write_tiny_bundle(tmp_path / "b")
    index = sign(b"{}", key("desk"), PAYLOAD_TYPE).to_json().encode()
    keys = load_trusted_keys(folder)
    for name in [name for name in sys.modules if name.startswith("cryptography")]:
        monkeypatch.setitem(sys.modules, name, None)
    calls: tuple[Callable[[], object], ...] = (
        partial(load_trusted_keys, folder),
        partial(read_bundle, path, keys),
        partial(read_index, index, keys, "there"),
    )
    for call in calls:
        with pytest.raises(UsageError, match="sudo apt install python3-cryptography"):
            call()
    assert read_unverified(path).version == 3
