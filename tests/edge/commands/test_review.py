"""``stampgate-edge review``: its users, index and audit log, and what it says without its extra."""

import importlib.util
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.__main__ import main
from edge.config import load_config
from edge.review.people import Users
from tests.edge.review.web.review_rig import PASSWORD, cheap_passwords, make_shift


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Path]:
    """The settings file of a box with a short shift."""
    with cheap_passwords():
        make_shift(tmp_path, 5)
        yield tmp_path / "edge.toml"


def review(box: Path, *arguments: str) -> int:
    """Run the command on that box."""
    return main(["review", "--config", str(box), *arguments])


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Let *text* stand on standard input."""
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_users_are_made_changed_and_removed(
    box: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A password comes from standard input, and stands nowhere; each change is in the log."""
    typed(monkeypatch, f"{PASSWORD}\n")
    assert review(box, "user", "add", "ada", "--role", "viewer", "--full-name", "Ada Line") == 0
    config = load_config(box)
    users = Users(config.path(config.review.folder) / "users.json")
    found = users.check("ada", PASSWORD)
    assert found is not None
    assert (found.role, found.full_name) == ("viewer", "Ada Line")
    assert review(box, "user", "role", "ada", "--role", "engineer") == 0
    typed(monkeypatch, "another long word\n")
    assert review(box, "user", "passwd", "ada") == 0
    assert review(box, "user", "list") == 0
    assert "engineer   Ada Line" in capsys.readouterr().out
    assert review(box, "user", "remove", "ada") == 0
    assert users.find("ada") is None
    log = (config.path(config.review.folder) / "audit.jsonl").read_text()
    assert log.count('"kind": "user"') == 4
    assert PASSWORD not in log


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("user", "add", "ada"), 2, "needs --role"),
        (("user", "add"), 2, "needs a NAME"),
        (("user", "remove", "nobody"), 1, "is no user"),
        (("user", "add", "ada", "--role", "viewer"), 1, "a password must have"),
        (("audit", "restore", "nothing.jsonl"), 1, "nothing.jsonl"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    box: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    status: int,
    words: str,
) -> None:
    """With the exit status of its kind, and nothing changed."""
    typed(monkeypatch, "short\n")
    assert review(box, *arguments) == status
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1


def test_the_index_is_made_and_its_size_said(box: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Followed, or anew."""
    assert review(box, "index") == 0
    assert review(box, "index", "--rebuild") == 0
    assert capsys.readouterr().out.count("5 items") == 2


def test_the_audit_log_is_exported_and_restored(
    box: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Byte by byte."""
    typed(monkeypatch, f"{PASSWORD}\n")
    review(box, "user", "add", "ada", "--role", "viewer")
    export = tmp_path / "export.jsonl"
    assert review(box, "audit", "export", str(export)) == 0
    log = tmp_path / "review" / "audit.jsonl"
    log.unlink()
    assert review(box, "audit", "restore", str(export)) == 0
    assert log.read_bytes().startswith(export.read_bytes())


def test_without_its_extra_the_page_says_what_to_install(
    box: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, and the users can be made all the same."""

    def lacking(name: str, *_: Any) -> None:
        assert name

    monkeypatch.setattr(importlib.util, "find_spec", lacking)
    assert review(box) == 2
    assert "pip install 'stampgate[review]'" in capsys.readouterr().err


def test_https_needs_a_proxy_on_this_box(box: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Otherwise anybody could say where he comes from; a restart does not help."""
    box.write_text(box.read_text() + 'https = true\nhost = "0.0.0.0"\n')
    assert review(box) == 78
    assert "[review] host must be 127.0.0.1 with https" in capsys.readouterr().err
