"""An index is what was signed, is not held back, and counts for a while only."""

import dataclasses
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("cryptography", reason="signatures are verified by the library cryptography")

from edge.bundles.index import (
    PAYLOAD_TYPE,
    Index,
    Listed,
    check_index,
    read_index,
    read_index_file,
)
from edge.bundles.trust import TrustedKeys, load_trusted_keys
from edge.errors import BundleError
from export.__main__ import main
from export.bundling.signing import sign
from tests.tiny_bundle import CREATED, EXPIRES, key, trust, write_tiny_bundle

LISTED = tuple(
    Listed(f"{name}-{version}.bundle", name, version, 33_792, f"{version:064x}")
    for name, version in (("seal", 2), ("seal", 10), ("other", 30))
)
INDEX = Index(7, CREATED, EXPIRES, LISTED)


@pytest.fixture
def keys(tmp_path: Path) -> TrustedKeys:
    """The key of the desk."""
    return load_trusted_keys(trust(tmp_path / "keys"))


def signed(payload: bytes, signer: str = "desk", kind: str = PAYLOAD_TYPE) -> bytes:
    """An index file."""
    return sign(payload, key(signer), kind).to_json().encode()


def test_an_index_comes_back(keys: TrustedKeys) -> None:
    """With the newest bundle of each name, by number."""
    index, signer = read_index(signed(INDEX.to_json().encode()), keys, "there")
    assert (index, signer.comment) == (INDEX, "desk")
    assert index.newest("seal") == LISTED[1]
    assert index.newest("none") is None


def test_a_changed_byte_is_refused(keys: TrustedKeys) -> None:
    """Each of them, in one line."""
    whole = signed(INDEX.to_json().encode())
    for place in range(len(whole)):
        changed = whole[:place] + bytes([whole[place] ^ (1 << place % 8)]) + whole[place + 1 :]
        with pytest.raises(BundleError, match=r"^there: refused: ") as refused:
            read_index(changed, keys, "there")
        assert "\n" not in str(refused.value)
    for other in (b"", whole[:-1], whole + b"\n", b"{}", bytes(600_000)):
        with pytest.raises(BundleError, match=r"^there: refused: "):
            read_index(other, keys, "there")


def test_what_was_signed_as_something_else_is_no_index(keys: TrustedKeys) -> None:
    """A statement about a bundle, or another's index."""
    payload = INDEX.to_json().encode()
    for other in (signed(payload, kind="application/vnd.in-toto+json"), signed(payload, "else")):
        with pytest.raises(BundleError, match="refused"):
            read_index(other, keys, "there")


def test_an_old_or_expired_index_is_refused() -> None:
    """Somebody holds the newer one back, or nobody makes one."""
    check_index(INDEX, "there", CREATED, 7)
    with pytest.raises(BundleError, match="older than version 8"):
        check_index(INDEX, "there", CREATED, 8)
    with pytest.raises(BundleError, match="expired at 2027"):
        check_index(INDEX, "there", EXPIRES, 7)
    check_index(INDEX, "there", EXPIRES - timedelta(seconds=1), 1)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"format": 2}, "of format 2"),
        ({"version": 0}, "from 1 to"),
        ({"version": True}, "from 1 to"),
        ({"expires": "2026-12-01T08:00:00Z"}, "expires before it was made"),
        ({"bundles": [{}]}, "must have the fields"),
        ({"bundles": [dataclasses.asdict(LISTED[0])] * 2}, "twice"),
        ({"more": 1}, "must have the fields"),
    ],
)
def test_what_is_no_index_is_refused(change: dict[str, Any], told: str, keys: TrustedKeys) -> None:
    """Also when a trusted key has signed it."""
    text = json.dumps({**json.loads(INDEX.to_json()), **change})
    with pytest.raises(BundleError, match=told):
        read_index(signed(text.encode()), keys, "there")


@pytest.mark.parametrize(
    "change",
    [
        *({"file": name} for name in ("../x", "/x", "a/b", "", ".x", "x%2f", "x\n", "é", 5)),
        *({"name": "A"}, {"version": "1"}, {"size": 0}, {"sha256": "g" * 64}),
    ],
)
def test_a_file_that_leads_elsewhere_is_refused(change: dict[str, Any], keys: TrustedKeys) -> None:
    """Names, sums and sizes are strict."""
    raw = json.loads(INDEX.to_json())
    raw["bundles"][0].update(change)
    with pytest.raises(BundleError, match="refused"):
        read_index(signed(json.dumps(raw).encode()), keys, "there")


def test_the_command_lists_what_a_box_would_take(
    tmp_path: Path, keys: TrustedKeys, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each bundle is verified first; the version rises each time."""
    folder = tmp_path / "share"
    folder.mkdir()
    assert main(["keygen", str(tmp_path / "index"), "--no-passphrase"]) == 0
    words = ["bundle", "index", str(folder), "--key", str(tmp_path / "index.key")]
    assert main(words) == 1
    assert "1 to 256 files called NAME.bundle" in capsys.readouterr().err
    write_tiny_bundle(folder / "tiny-3.bundle")
    write_tiny_bundle(folder / "tiny-4.bundle", version=4)
    assert main(words) == 1
    assert "which is not in the key of this index" in capsys.readouterr().err
    words += ["--keys", str(tmp_path / "keys")]
    assert main([*words, "--expires", "3"]) == 0
    assert main(words) == 0
    trusted = load_trusted_keys(tmp_path)
    index, signer = read_index_file(folder / "bundles.index", trusted)
    assert (index.version, signer.comment) == (2, "index")
    assert index.expires - index.created == timedelta(days=30)
    assert [(listed.file, listed.version) for listed in index.bundles] == [
        ("tiny-3.bundle", 3),
        ("tiny-4.bundle", 4),
    ]
    (folder / "copy.bundle").write_bytes((folder / "tiny-3.bundle").read_bytes())
    assert main(words) == 1
    assert "is version 3 of tiny, as copy.bundle is" in capsys.readouterr().err
    assert read_index_file(folder / "bundles.index", trusted)[0] == index
    assert main(["bundle", "index", str(folder)]) == 2
    assert "name --key KEY" in capsys.readouterr().err
