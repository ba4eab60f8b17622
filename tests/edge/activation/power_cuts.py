"""Cut the power at every call of a file in an activation, a rollback, a refusal.

``python -m tests.edge.activation.power_cuts`` tries every call; the tests try some.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.activation.activate import activate, check_whole, roll_back
from edge.activation.known_time import KnownTime
from edge.activation.trial import Trial
from edge.config import Config, load_config
from edge.errors import BundleError
from edge.printing import print_line
from tests.lossy_disk import LossyDisk, PowerCutError
from tests.tiny_bundle import CREATED, trust, write_tiny_bundle

SETTINGS = """\
[model]
bundle = "current"
releases = "{store}"
keys = "keys"
state = "release.json"
[journal]
file = "journal.jsonl"
"""
NOW = KnownTime(CREATED, "the clock", synced=True)
WELL = Trial(16, 10.0, 12.0, 80)
LAST = 16
"""The last calls, with the one that counts, are all tried."""
Act = Callable[[Config], None]


def make_box(folder: Path) -> Config:
    """Make a box with two releases, the second in service, and a third bundle."""
    trust(folder / "keys")
    for version in (1, 2, 3):
        write_tiny_bundle(folder / f"{version}.bundle", version=version)
    (folder / "bad.bundle").write_bytes(b"no bundle")
    config = config_of(folder, "releases")
    for version in (1, 2):
        take(config, f"{version}.bundle")
    return config


def config_of(folder: Path, store: str) -> Config:
    """Return the settings of the box in *folder*, with that store."""
    (folder / "edge.toml").write_text(SETTINGS.format(store=store))
    return load_config(folder / "edge.toml")


def take(config: Config, bundle: str) -> None:
    """Activate a bundle, whose trial goes well."""
    activate(config, config.folder / bundle, time=NOW, attempt=lambda _config, _folder: WELL)


def activated(config: Config) -> None:
    """Activate the third bundle."""
    take(config, "3.bundle")


def rolled_back(config: Config) -> None:
    """Go back to the first release."""
    roll_back(config)


def refused(config: Config) -> None:
    """Refuse a bundle, which the store remembers."""
    try:
        take(config, "bad.bundle")
    except BundleError:
        return
    raise AssertionError("a file that is no bundle was taken")


ACTS: dict[str, Act] = {"activate": activated, "rollback": rolled_back, "refuse": refused}


def sweep(act: Act, folder: Path, every: int) -> int:
    """Cut the power at every so many calls of *act*, and at each of the last; return how often.

    Raises AssertionError where what is left is not one whole release, the old or the new one.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _descriptor: None)  # the disk is simulated
        return _sweep(act, folder, every)


def _sweep(act: Act, folder: Path, every: int) -> int:
    before = folder / "before"
    before.mkdir()
    old = make_box(before).release().id
    calls, left = _cut(act, before, folder / "counted", None)
    new = left[-1]
    seen, cuts = set[str](), 0
    for number in range(1, calls + 1):
        if number % every and number <= calls - LAST:
            continue
        _, left = _cut(act, before, folder / str(number), number)
        assert set(left) <= {old, new}, (number, left)
        seen |= set(left)
        cuts += 1
    assert seen == {old, new}, seen
    return cuts


def _cut(act: Act, before: Path, folder: Path, at: int | None) -> tuple[int, list[str]]:
    """Do *act* in a copy of the box, and cut the power before the call *at*.

    Returns the calls, and the id of the release in service in each of the states that may be left.
    """
    shutil.copytree(before, folder)
    config = config_of(folder, "releases")
    disk = LossyDisk(folder / "releases", at)
    try:
        with pytest.MonkeyPatch.context() as patch, disk.cutting(patch):
            try:
                act(config)
            except PowerCutError:
                assert disk.dead
        states = {"lost": disk.lost, "named": disk.named, "killed": disk.killed}
        found = [_release_in(folder, name, leave(folder / name)) for name, leave in states.items()]
    finally:
        disk.close()
    act(config_of(folder, "killed"))  # once more, behind the cut: nothing is in the way
    assert not list((folder / "killed").glob(".new-*"))
    shutil.rmtree(folder)
    return disk.calls, found


def _release_in(folder: Path, name: str, store: Path) -> str:
    """Return the id of the release in service in *store*, which must be whole."""
    release = config_of(folder, name).release()
    check_whole(release)
    assert release.folder.parent == store
    return release.id


def main() -> int:
    """Try every call of everything, and print how many that were."""
    for name, act in ACTS.items():
        with tempfile.TemporaryDirectory() as folder:
            cuts = sweep(act, Path(folder), every=1)
        print_line(f"{name}: power cut at each of {cuts} calls, three states of the disk each: ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
