"""``activate``, ``rollback`` and ``models`` on a terminal."""

import json
from pathlib import Path

import pytest

from edge.__main__ import main
from edge.activation.trial import Trial
from edge.commands.activate import taken
from edge.config import load_config
from edge.releases.release import Release
from edge.releases.state import ReleaseState, write_state
from tests.release_store import make_current, make_release

pytest.importorskip("cryptography", reason="signatures are verified by the library cryptography")
from datetime import UTC, datetime, timedelta

from tests.tiny_bundle import trust, write_tiny_bundle

SETTINGS = """\
[model]
bundle = "current"
releases = "releases"
keys = "keys"
state = "release.json"
[journal]
file = "journal.jsonl"
status = "status.json"
"""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The settings of a box whose trials go well."""
    monkeypatch.setattr(
        "edge.activation.activate.activate.__kwdefaults__",
        {
            "allow_downgrade": False,
            "by": "",
            "attempt": lambda _config, _folder: Trial(16, 10.0, 12.0, 80),
            "time": None,
        },
    )
    trust(tmp_path / "keys")
    (tmp_path / "edge.toml").write_text(SETTINGS)
    return tmp_path / "edge.toml"


def run(settings: Path, *words: str) -> int:
    """Run the box's program."""
    return main([*words, "--config", str(settings)])


def bundle(folder: Path, version: int) -> str:
    """A bundle that is valid now."""
    now = datetime.now(UTC).replace(microsecond=0)
    path = write_tiny_bundle(
        folder / f"{version}.bundle",
        version=version,
        created=now - timedelta(days=1),
        not_before=now - timedelta(days=1),
        expires=now + timedelta(days=1),
    )
    return str(path)


def test_activate_says_what_it_took_and_models_lists_it(
    settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Signer, proof, trial, time, and what the service does with it."""
    assert run(settings, "activate", bundle(settings.parent, 1)) == 0
    said = capsys.readouterr().out.splitlines()
    release = load_config(settings).release()
    assert said[0].startswith(f"{release.id} is current: signed by desk (")
    assert said[1:3] == [
        "proof: none: nobody has proven this model",
        f"trial: {Trial(16, 10.0, 12.0, 80)}",
    ]
    assert said[-1] == "no service runs; it takes the release at its start"
    assert run(settings, "activate", str(settings.parent / "1.bundle")) == 0
    assert capsys.readouterr().out == f"{release.id} is in service already, and whole\n"
    assert run(settings, "models") == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"* {release.id}  current, in probation"
    assert said[1].startswith("    signed by desk (")


def test_what_is_refused_is_one_line_and_exit_status_1(
    settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And stands among the actions."""
    run(settings, "activate", bundle(settings.parent, 2))
    capsys.readouterr()
    assert run(settings, "activate", bundle(settings.parent, 1)) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("stampgate-edge: ")
    assert "is older than version 2" in shown.err
    assert shown.err.count("\n") == 1
    assert run(settings, "activate", bundle(settings.parent, 1), "--allow-downgrade") == 0
    capsys.readouterr()
    assert run(settings, "models", "--actions") == 0
    said = capsys.readouterr().out.splitlines()
    assert [line.split()[3] for line in said] == ["activated", "refused", "activated"]
    assert "(an older version, allowed)" in said[2]


def test_rollback_takes_the_one_before(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And says so when there is none."""
    store = settings.parent / "releases"
    assert run(settings, "rollback") == 2
    first, second = make_release(store, 1), make_release(store, 2)
    make_current(store, first)
    make_current(store, second)
    capsys.readouterr()
    assert run(settings, "rollback") == 0
    assert capsys.readouterr().out.startswith(f"{first.id} is current")
    assert run(settings, "rollback", "--to", "stamp-9-aaaaaaaaaaaa") == 2
    assert "'stampgate-edge models' lists" in capsys.readouterr().err


def test_models_lists_every_state(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In JSON for programs; a damaged release is said to be so."""
    store = settings.parent / "releases"
    assert run(settings, "models") == 1
    assert "no release is here" in capsys.readouterr().out
    releases = [make_release(store, version) for version in (1, 2, 3)]
    for release in releases:
        make_current(store, release)
    write_state(settings.parent / "release.json", ReleaseState(3, "failed", "all rejected"))
    assert run(settings, "models", "--json") == 0
    listed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["id"], one["state"], one["in_service"]) for one in listed] == [
        (releases[0].id, "kept", False),
        (releases[1].id, "the one before", True),
        (releases[2].id, "given up: all rejected", False),
    ]
    (releases[1].folder / "release.json").write_text("{}")
    assert run(settings, "models") == 1
    assert "the release is damaged" in capsys.readouterr().out


def test_the_command_waits_until_the_service_has_taken_it(
    settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the status file: in service, given up, or not yet."""
    config = load_config(settings)
    release: Release = make_release(settings.parent / "releases", 1)
    shown: dict[str, object] = {}
    monkeypatch.setattr("edge.commands.activate.read_status", lambda _path: shown or None)
    monkeypatch.setattr("edge.commands.activate.is_running", lambda _status: True)
    shown.update(release={"id": release.id, "state": "in probation: 0 of 200 items"})
    assert taken(config, release, 0).endswith("judges with it: in probation: 0 of 200 items")
    shown.update(release={}, trouble=f"release: the release {release.id} was given up: bad")
    assert taken(config, release, 0).startswith("the service has given it up")
    shown.update(trouble="")
    assert "has not taken it yet" in taken(config, release, 0)
    settings.write_text(SETTINGS.replace('bundle = "current"', ""))
    assert '[model] bundle is not "current"' in taken(load_config(settings), release, 0)
