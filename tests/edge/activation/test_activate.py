"""Activation: what is refused leaves the release before, and what is taken is there whole."""

import dataclasses
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge.activation.activate import activate, check_whole, roll_back
from edge.activation.known_time import KnownTime, known_time
from edge.activation.trial import Trial
from edge.config import Config, load_config
from edge.errors import BundleError, ConfigError, InputError, UsageError
from edge.releases.release import Release
from edge.releases.state import ReleaseState, write_state
from edge.releases.store import Pointer, locked, read_pointer, release_folders
from tests.disk import item, journal

pytest.importorskip("cryptography", reason="signatures are verified by the library cryptography")
from tests.tiny_bundle import CREATED, EXPIRES, trust, write_tiny_bundle

SETTINGS = """\
[model]
bundle = "current"
releases = "releases"
keys = "keys"
state = "release.json"
[journal]
file = "journal.jsonl"
status = ""
"""
NOW = KnownTime(CREATED + timedelta(days=1), "the clock", synced=True)
WELL = Trial(16, 10.0, 12.0, 80)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A box that trusts the desk's key and has no release yet."""
    trust(tmp_path / "keys")
    (tmp_path / "edge.toml").write_text(SETTINGS)
    return load_config(tmp_path / "edge.toml")


def take(
    config: Config,
    version: int,
    *,
    allow_downgrade: bool = False,
    time: KnownTime = NOW,
    attempt: Callable[[Config, Path], Trial] = lambda _config, _folder: WELL,
    name: str = "tiny",
) -> Release:
    """Activate the bundle of that version, whose trial goes well."""
    path = write_tiny_bundle(config.folder / f"{name}-{version}.bundle", version=version, name=name)
    done = activate(
        config, path, allow_downgrade=allow_downgrade, by="ann", attempt=attempt, time=time
    )
    return done.release


def pointer_of(config: Config) -> Pointer:
    """Which release is current."""
    return read_pointer(config.path(config.model.releases))


def kept(config: Config) -> list[Path]:
    """The folders of the releases."""
    return release_folders(config.path(config.model.releases), pointer_of(config))


def test_a_bundle_becomes_the_current_release_and_the_one_before_is_kept(config: Config) -> None:
    """The settings' release is its model; both are whole, and the store says who did what."""
    first, second = take(config, 1), take(config, 2)
    pointer = pointer_of(config)
    assert (pointer.current, pointer.previous) == (second.id, first.id)
    assert (pointer.activation, pointer.probation, pointer.highest) == (2, True, {"tiny": 2})
    assert [(a.what, a.release, a.by) for a in pointer.actions] == [
        ("activated", first.id, "ann"),
        ("activated", second.id, "ann"),
    ]
    assert "signed by desk (" in pointer.actions[1].reason
    assert config.model_file() == second.model
    assert config.model_pin() == second.model_sha256
    for release in (first, second):
        check_whole(release)
    store = config.path(config.model.releases)
    assert sorted(p.name for p in store.iterdir()) == sorted(
        [first.id, second.id, ".lock", "store.json"]
    )


def test_what_is_refused_leaves_the_release_in_service_and_is_remembered(config: Config) -> None:
    """A wrong key, an old version, a wrong time, a failed trial: a line each, for the journal."""
    current = take(config, 5)
    stranger = write_tiny_bundle(config.folder / "stranger", signer="stranger", version=9)
    with pytest.raises(BundleError, match=r"it is signed with the key .* not in "):
        activate(config, stranger, time=NOW)
    with pytest.raises(BundleError, match="version 4 of tiny is older than version 5"):
        take(config, 4)
    late = KnownTime(EXPIRES, "the clock", synced=False)
    with pytest.raises(BundleError, match=r"expired at .* by the clock \(the clock is not sync"):
        take(config, 6, time=late)
    early = KnownTime(datetime(1970, 1, 1, tzinfo=UTC), "the clock", synced=False)
    with pytest.raises(BundleError, match="not valid before"):
        take(config, 6, time=early)

    def fails(_config: Config, _folder: Path) -> Trial:
        raise BundleError("the trial hangs")

    with pytest.raises(BundleError, match="the trial hangs"):
        take(config, 6, attempt=fails)
    with pytest.raises(BundleError, match="no such bundle"):
        activate(config, config.folder / "mistyped", time=NOW)
    pointer = pointer_of(config)
    assert (pointer.current, pointer.previous) == (current.id, "")
    assert [a.what for a in pointer.actions] == ["activated", *["refused"] * 5]
    assert [a.release for a in pointer.actions[1:3]] == ["stranger", "tiny-4.bundle"]
    assert [path.name for path in kept(config)] == [current.id]


def test_every_damage_of_a_bundle_leaves_the_release_in_service(config: Config) -> None:
    """Some bytes of signature, manifest and model; the whole sweep is of the reader's tests."""
    current = take(config, 1)
    whole = write_tiny_bundle(config.folder / "two", version=2).read_bytes()
    places = [*range(0, len(whole), len(whole) // 24), 512 + 40]
    for place in places:
        content = bytearray(whole)
        content[place] ^= 1
        (config.folder / "flipped").write_bytes(content)
        with pytest.raises(BundleError):
            activate(config, config.folder / "flipped", time=NOW, attempt=lambda _c, _f: WELL)
        assert config.release().id == current.id
    for length in (0, 100, 512, len(whole) // 2, len(whole) - 512):
        (config.folder / "cut").write_bytes(whole[:length])
        with pytest.raises(BundleError):
            activate(config, config.folder / "cut", time=NOW, attempt=lambda _c, _f: WELL)
    assert config.release().id == current.id
    assert len(pointer_of(config).actions) == 1 + len(places) + 5


def test_a_downgrade_is_taken_when_it_is_allowed_by_hand_and_that_is_remembered(
    config: Config,
) -> None:
    """The highest version stays known: the next older one is refused again."""
    take(config, 5)
    older = take(config, 3, allow_downgrade=True)
    pointer = pointer_of(config)
    assert pointer.current == older.id
    assert pointer.actions[-1].downgrade
    assert "older than version 5, allowed by hand" in pointer.actions[-1].reason
    with pytest.raises(BundleError, match="is older than version 5"):
        take(config, 4)
    take(config, 1, name="other")  # another product's series has versions of its own


def test_a_bundle_that_is_in_service_is_not_activated_twice(config: Config) -> None:
    """Whoever is not sure may call it again; a damaged one is said to be so."""
    first = take(config, 1)
    again = activate(config, config.folder / "tiny-1.bundle", time=NOW)
    assert (again.already, again.release.id) == (True, first.id)
    assert pointer_of(config).activation == 1
    first.model.write_bytes(b"damaged")
    with pytest.raises(BundleError, match="is not as it was signed"):
        activate(config, config.folder / "tiny-1.bundle", time=NOW)


def test_a_damaged_folder_is_made_anew(config: Config) -> None:
    """The release before, whose disk was bad, is whole again once it is activated."""
    first, _ = take(config, 1), take(config, 2)
    first.model.write_bytes(b"damaged")
    take(config, 1, allow_downgrade=True)
    check_whole(config.release())


def test_rolling_back_takes_the_release_before_without_a_probation(config: Config) -> None:
    """There and back; any other that is kept by its id, and none that is damaged."""
    first, second = take(config, 1), take(config, 2)
    assert roll_back(config, by="ben").id == first.id
    pointer = pointer_of(config)
    assert (pointer.current, pointer.previous, pointer.probation) == (first.id, second.id, False)
    assert (pointer.actions[-1].what, pointer.actions[-1].by) == ("rolled-back", "ben")
    assert roll_back(config).id == second.id
    third = take(config, 3)
    assert roll_back(config, first.id).id == first.id
    assert pointer_of(config).previous == third.id
    third.model.write_bytes(b"damaged")
    with pytest.raises(ConfigError, match="is not as it was signed"):
        roll_back(config)
    with pytest.raises(UsageError, match="in service already"):
        roll_back(config, first.id)
    for wrong in ("tiny-9-aaaaaaaaaaaa", "../releases", "/etc"):
        with pytest.raises(UsageError, match="there is no release"):
            roll_back(config, wrong)


def test_a_release_that_the_service_gave_up_is_not_gone_back_to(config: Config) -> None:
    """The next activation keeps the good one; a rollback says that it has happened already."""
    first, _, state = take(config, 1), take(config, 2), config.path(config.model.state)
    write_state(state, ReleaseState(activation=2, result="failed", why="all were rejected"))
    assert config.release().id == first.id
    with pytest.raises(UsageError, match=r"has gone back to .* by itself"):
        roll_back(config)
    third = take(config, 3)
    assert (config.release().id, pointer_of(config).previous) == (third.id, first.id)


def test_no_release_before_is_said(config: Config) -> None:
    """By a box that has one, and by one that has none."""
    with pytest.raises(UsageError, match="there is no release before"):
        roll_back(config)
    take(config, 1)
    with pytest.raises(UsageError, match="there is no release before"):
        roll_back(config)


def test_old_releases_go_and_those_in_service_never(config: Config) -> None:
    """Five are kept."""
    releases = [take(config, version) for version in range(1, 9)]
    assert {path.name for path in kept(config)} == {release.id for release in releases[3:]}


def test_two_commands_do_not_change_the_store_at_once(config: Config) -> None:
    """The second says so and changes nothing."""
    refused = pytest.raises(InputError, match="another command changes the releases")
    with locked(config.path(config.model.releases)), refused:
        take(config, 1)
    take(config, 1)


def test_a_user_who_may_not_write_the_store_changes_nothing(config: Config) -> None:
    """The service's user reads it alone."""
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    take(config, 1)
    config.path(config.model.releases).chmod(0o555)
    with pytest.raises(InputError, match="try again with sudo"):
        take(config, 2)


def test_other_rules_than_the_proven_ones_are_said(config: Config, tmp_path: Path) -> None:
    """A proof says nothing of them; rules that the model cannot have are refused."""
    (tmp_path / "edge.toml").write_text(SETTINGS + "[decision]\nmin_score = 0.7\n")
    other = load_config(tmp_path / "edge.toml")
    path = write_tiny_bundle(tmp_path / "b", version=1)
    done = activate(other, path, time=NOW, attempt=lambda _config, _folder: WELL)
    assert done.told == (
        "[decision] min_score: not as in the bundle, whose proof says nothing of the rules here",
    )
    (tmp_path / "edge.toml").write_text(SETTINGS + '[decision]\nrequired = ["cross"]\n')
    path = write_tiny_bundle(tmp_path / "c", version=2)
    with pytest.raises(BundleError, match="cross"):
        activate(load_config(tmp_path / "edge.toml"), path, time=NOW)


def test_the_newest_moment_that_can_be_trusted_is_the_time(config: Config, tmp_path: Path) -> None:
    """A clock without a battery is behind the journal, the signatures, the last synchronisation."""
    begin, none = datetime(1970, 1, 1, tzinfo=UTC), tmp_path / "none"

    def ask() -> KnownTime:
        return known_time(config, lambda: begin, none, lambda: False)

    assert (ask().now, ask().by) == (begin, "the clock")
    take(config, 1)
    assert ask().now == CREATED
    assert ask().by.startswith("the signature of the release tiny-1-")
    noon = datetime(2027, 1, 2, 12, tzinfo=UTC)
    with journal(tmp_path / "journal.jsonl", lambda: noon) as opened:
        opened.append("item", item())
    record = json.loads((tmp_path / "journal.jsonl").read_text())
    assert ask().by != "the journal's last record" or record["clock_synced"]
    (tmp_path / "clock").touch()
    os.utime(tmp_path / "clock", (noon.timestamp() + 5, noon.timestamp() + 5))
    told = known_time(config, lambda: begin, tmp_path / "clock", lambda: False)
    assert (told.now, told.by) == (noon + timedelta(seconds=5), "the last synchronisation")
    assert "the clock is not synchronised" in str(told)
    assert dataclasses.replace(told, synced=True) != told
