"""A key pair is made once, kept under a passphrase, and never overwritten."""

from pathlib import Path

import pytest

pytest.importorskip("cryptography", reason="keys are made by the library cryptography")

from edge.bundles.trust import key_id_of, load_public, load_trusted_keys
from edge.errors import InputError
from export.__main__ import main
from export.bundling.passphrase import VARIABLE
from export.bundling.signing import needs_passphrase, read_key, sign

SECRET = "several words are easy"


def test_a_pair_signs_and_verifies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The private key is its owner's alone; the public one makes a folder of trusted keys."""
    secret = tmp_path / "secret"
    secret.write_text(f"{SECRET}\nanother line\n")
    base = tmp_path / "line-3"
    assert main(["keygen", str(base), "--passphrase-file", str(secret)]) == 0
    private, public = tmp_path / "line-3.key", tmp_path / "line-3.pem"
    assert private.stat().st_mode & 0o777 == 0o600
    assert b"ENCRYPTED" in private.read_bytes()
    key_id = key_id_of(load_public(public.read_bytes()))
    assert f"{public}: key {key_id}" in capsys.readouterr().out
    signer = load_trusted_keys(tmp_path).verify(sign(b"x", read_key(private, SECRET.encode())))
    assert (signer.key_id, signer.comment) == (key_id, "line-3")


def test_the_passphrase_comes_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a pipeline without a terminal."""
    monkeypatch.setenv(VARIABLE, SECRET)
    assert main(["keygen", str(tmp_path / "desk")]) == 0
    read_key(tmp_path / "desk.key", SECRET.encode())
    with pytest.raises(InputError, match="needs its passphrase"):
        read_key(tmp_path / "desk.key")
    with pytest.raises(InputError, match="give the right passphrase"):
        read_key(tmp_path / "desk.key", b"another one")


def test_it_is_asked_for_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where somebody sits there; two that differ make no key."""
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    answers = iter([SECRET, SECRET, SECRET, "a typing error", "short", "short"])
    monkeypatch.setattr("getpass.getpass", lambda _prompt: next(answers))
    assert main(["keygen", str(tmp_path / "a")]) == 0
    assert main(["keygen", str(tmp_path / "b")]) == 2
    assert "differ" in capsys.readouterr().err
    assert main(["keygen", str(tmp_path / "b")]) == 2
    assert "must have 8 to 1024" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.key", "a.pem"]


@pytest.mark.parametrize("there", ["desk.key", "desk.pem"])
def test_no_key_is_overwritten(
    there: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What it has signed could never be signed again."""
    (tmp_path / there).write_text("old")
    assert main(["keygen", str(tmp_path / "desk"), "--no-passphrase"]) == 1
    assert "is there already" in capsys.readouterr().err
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(there, "old")]


def test_nobody_to_ask_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A pipeline does not hang."""
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    assert main(["keygen", str(tmp_path / "desk")]) == 2
    assert "nobody is there to ask" in capsys.readouterr().err
    assert main(["keygen", str(tmp_path / "desk.key")]) == 2
    assert "without their ending" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_bare_key_that_others_may_read_signs_nothing(tmp_path: Path) -> None:
    """An encrypted one may lie on a stick that knows no modes."""
    assert main(["keygen", str(tmp_path / "desk"), "--no-passphrase"]) == 0
    private = tmp_path / "desk.key"
    assert not needs_passphrase(private)
    read_key(private)
    private.chmod(0o640)
    with pytest.raises(InputError, match="others than its owner may read it"):
        read_key(private)
    for wrong in (b"", b"hello", (tmp_path / "desk.pem").read_bytes()):
        private.write_bytes(wrong)
        private.chmod(0o600)
        with pytest.raises(InputError, match="must be a private key"):
            read_key(private)
