"""Make a bundle the current release, or go back to one before.

::

    bundle → keys, signature, sums → time, version → unpack → trial in a child → name → pointer

Nothing counts before the pointer is replaced, which is one atomic step; what was refused, and why,
stands in the store's actions, and from there comes into the journal. The service that runs takes
the release between two items; nothing is restarted.
"""

import dataclasses
import getpass
import hashlib
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from edge.activation.known_time import KnownTime, known_time
from edge.activation.trial import Trial, try_release
from edge.bundles.reading import Bundle, read_bundle
from edge.bundles.trust import load_trusted_keys
from edge.bundles.validity import check_time, check_version
from edge.config import Config
from edge.deciding.rules import rules_of
from edge.errors import BundleError, ConfigError, InputError, StampgateError, UsageError
from edge.files import read_bounded, sync_folder, write_atomic
from edge.printing import json_text, printable
from edge.releases.active import active_id, is_given_up, service_state
from edge.releases.release import RECORD, Release, is_id, read_release
from edge.releases.store import (
    MOST_TEXT,
    NEW,
    Action,
    Pointer,
    adopt_folder,
    clean,
    locked,
    prune,
    read_pointer,
    write_pointer,
)
from edge.vision.model_file import MOST_BYTES, read_model

MODEL_NAME = "model.onnx"


@dataclass(frozen=True)
class Activated:
    """What an activation did: the release, what its trial measured, and what people should know."""

    release: Release
    trial: Trial | None
    time: KnownTime | None
    told: tuple[str, ...] = field(default_factory=tuple)
    already: bool = False
    """Whether it was current before."""


Try = Callable[[Config, Path], Trial]


def activate(
    config: Config,
    path: Path,
    *,
    allow_downgrade: bool = False,
    by: str = "",
    attempt: Try = try_release,
    time: KnownTime | None = None,
) -> Activated:
    """Make the bundle *path* the current release, and put it into its probation.

    *by*: who does it, the user when empty; *attempt*: what tries it; *time*: what time it is, asked
    for when None. Raises BundleError when it is refused, which the store remembers; InputError when
    the store cannot be written; UsageError without the library that verifies.
    """
    store = config.path(config.model.releases)
    keys = load_trusted_keys(config.path(config.model.keys))
    with locked(store):
        clean(store)
        pointer, when = read_pointer(store), time or known_time(config)
        try:
            bundle = read_bundle(path, keys)
            if bundle.id == _active(config, pointer):
                return _again(config, bundle, when)
            check_time(bundle, when.now)
            newest = pointer.highest.get(bundle.name, 0)
            if not allow_downgrade:
                check_version(bundle, newest)
            release, trial = _prepare(config, bundle, attempt)
        except (BundleError, ConfigError) as error:
            if path.exists():  # else a name that was mistyped
                why = str(error)
                remember_refusal(store, pointer, path.name, by, why, downgrade=allow_downgrade)
            raise BundleError(
                f"{error} (time: {when})" if "clock" in str(error) else str(error)
            ) from None
        downgrade = bundle.version < newest
        why = _words(bundle, trial, newest if downgrade else None)
        action = _action(pointer, "activated", release.id, by, why, downgrade=downgrade)
        highest = {**pointer.highest, release.name: max(newest, release.version)}
        _switch(config, store, pointer, action, release.id, probation=True, highest=highest)
    return Activated(release, trial, when, tuple(_differences(config, bundle)))


def roll_back(config: Config, to: str = "", by: str = "") -> Release:
    """Make an earlier release current, *to* by its id, or the one before; without a probation.

    It was in service already, and it is night: only its files are summed again. Raises UsageError
    where there is none, ConfigError when it is damaged, InputError when the store cannot be
    written.
    """
    store = config.path(config.model.releases)
    with locked(store):
        clean(store)
        pointer = read_pointer(store)
        target = to or _before(config, pointer)
        if not is_id(target) or not (store / target).is_dir():
            raise UsageError(
                f"there is no release {printable(target)!r} here; 'stampgate-edge models' lists "
                "those that there are"
            )
        release = read_release(store / target)
        check_whole(release)
        active = _active(config, pointer)
        if target == active:
            raise UsageError(f"the release {target} is in service already; nothing to do")
        why = f"instead of {active or 'none'}"
        action = _action(pointer, "rolled-back", target, by, why)
        _switch(config, store, pointer, action, target, probation=False, highest=pointer.highest)
    return release


def check_whole(release: Release) -> None:
    """Sum all files of a release again. Raises ConfigError for one that is not as it was signed."""
    for name, total in release.files.items():
        path = release.folder / name
        try:
            found = hashlib.sha256(read_bounded(path, MOST_BYTES)).hexdigest()
        except OSError as error:
            raise ConfigError(
                f"{path}: cannot be read ({error.strerror}); activate its bundle again"
            ) from None
        if found != total:
            raise ConfigError(f"{path}: is not as it was signed; activate its bundle again")


def _again(config: Config, bundle: Bundle, when: KnownTime) -> Activated:
    """Say that the bundle is in service already. Raises ConfigError when its files are damaged."""
    release = read_release(config.path(config.model.releases) / bundle.id)
    check_whole(release)
    return Activated(release, None, when, tuple(_differences(config, bundle)), already=True)


def _active(config: Config, pointer: Pointer) -> str:
    """Return the id of the release that the service runs; empty where there is none."""
    state = service_state(config.path(config.model.state))
    try:
        return active_id(config.path(config.model.releases), pointer, state)
    except ConfigError:
        return ""


def _before(config: Config, pointer: Pointer) -> str:
    """Return the id of the release before the one in service. Raises UsageError."""
    state = service_state(config.path(config.model.state))
    if pointer.previous and is_given_up(pointer, state):
        raise UsageError(
            f"the service has gone back to {pointer.previous} by itself ({state.why}); name "
            "another with --to"
        )
    if not pointer.previous:
        raise UsageError(
            "there is no release before the one in service; name one with --to, or activate one"
        )
    return pointer.previous


def _prepare(config: Config, bundle: Bundle, attempt: Try) -> tuple[Release, Trial]:
    """Unpack the bundle into its folder, and try it there. Raises BundleError, ConfigError."""
    store = config.path(config.model.releases)
    made = store / f"{NEW}{bundle.id}" / bundle.id
    try:
        made.parent.mkdir(mode=0o755)
        bundle.unpack(made)
        release = _release(bundle, made)
        write_atomic(made / RECORD, json_text(release.as_object()).encode())
        sync_folder(made.parent)
        contract = read_model(release.model, release.model_sha256).contract
        rules_of(config.decision, contract.classes, contract.threshold)
        trial = attempt(config, made)
        final = store / bundle.id
        if not _is_whole(final):
            adopt_folder(store, made, bundle.id)
        return dataclasses.replace(release, folder=final, model=final / MODEL_NAME), trial
    except OSError as error:
        if isinstance(error, StampgateError):
            raise
        raise InputError(
            f"{store}: the bundle cannot be unpacked ({error.strerror}); make room or permission"
        ) from None
    finally:
        shutil.rmtree(made.parent, ignore_errors=True)


def _is_whole(folder: Path) -> bool:
    """Tell whether the release in *folder* is there, with all its files as they were signed."""
    try:
        check_whole(read_release(folder))
    except ConfigError:
        return False
    return True


def _release(bundle: Bundle, folder: Path) -> Release:
    """Return what a release's own file says of the bundle."""
    return Release(
        folder=folder,
        name=bundle.name,
        version=bundle.version,
        model=folder / MODEL_NAME,
        model_id=bundle.model_id,
        model_sha256=bundle.model_sha256,
        bundle_sha256=bundle.bundle_sha256,
        signer=str(bundle.signer),
        proof=printable(bundle.proof.line) if bundle.proof is not None else "",
        created=bundle.created.isoformat(),
        not_before=bundle.not_before.isoformat(),
        expires=bundle.expires.isoformat(),
        decision=dataclasses.asdict(bundle.decision),
        files=dict(bundle.sums),
    )


def _switch(
    config: Config,
    store: Path,
    pointer: Pointer,
    action: Action,
    current: str,
    *,
    probation: bool,
    highest: Mapping[str, int],
) -> None:
    """Replace the pointer: the one step that counts. What is no longer needed goes afterwards."""
    before = _active(config, pointer)
    fresh = dataclasses.replace(
        pointer.with_action(action),
        current=current,
        previous=before if before != current else pointer.previous,
        activation=action.number,
        probation=probation,
        highest=highest,
    )
    write_pointer(store, fresh)
    prune(store, fresh)


def remember_refusal(
    store: Path, pointer: Pointer, name: str, by: str, why: str, *, downgrade: bool = False
) -> None:
    """Let the store remember what was refused, by its *name*; the service journals it."""
    action = _action(pointer, "refused", name, by, why, downgrade=downgrade)
    write_pointer(store, pointer.with_action(action))


def _action(
    pointer: Pointer, what: str, release: str, by: str, reason: str, *, downgrade: bool = False
) -> Action:
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    release, by, reason = (printable(t)[:MOST_TEXT] for t in (release, by or user(), reason))
    return Action(pointer.next_number, what, release, by, reason, moment, downgrade)


def _words(bundle: Bundle, trial: Trial, newest: int | None) -> str:
    older = "" if newest is None else f"older than version {newest}, allowed by hand; "
    return f"{older}signed by {bundle.signer}; {trial}"


def _differences(config: Config, bundle: Bundle) -> list[str]:
    """Return which rules of the box are not those that the bundle was proven for."""
    ours, proven = dataclasses.asdict(config.decision), dataclasses.asdict(bundle.decision)
    names = [name for name in ours if ours[name] != proven[name]]
    if not names:
        return []
    what = f"[decision] {', '.join(names)}"
    return [f"{what}: not as in the bundle, whose proof says nothing of the rules here"]


def user() -> str:
    """Return who gives the command: behind sudo, the one who called it."""
    name = os.environ.get("SUDO_USER", "")
    try:
        return name or getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
