"""The store of releases, which root writes: a folder for each, and one file that says which counts.

That file holds the current and the previous release, and the last actions: one atomic replacement
changes all of it, so a power cut leaves the old or the new whole. The service only reads it. What
the service itself decides, it keeps in a file of its own (:mod:`edge.releases.state`).
"""

import contextlib
import dataclasses
import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge.errors import ConfigError, InputError
from edge.files import make_folder, read_bounded, sync_folder, write_atomic
from edge.printing import printable
from edge.releases.release import is_id
from edge.strict_json import read_object

POINTER = "store.json"
"""The file that says which release is current."""
LOCK = ".lock"
INCOMING = "incoming"
"""Folder of bundles that were fetched."""
NEW = ".new-"
"""How the folder of a release begins to be called while it is made."""
MOST_BYTES = 1 << 20
ACTIONS_KEPT = 200
"""Actions that the store remembers; the journal of the service has all that it has met."""
RELEASES_KEPT = 5
"""Releases that are kept, with the current and the previous one."""
MOST_TEXT = 1000


@dataclass(frozen=True)
class Action:
    """Something that somebody did to the store.

    *what*: activated, rolled-back or refused; *release*: its id, for a refused bundle the name of
    its file; *by*: the user; *time*: UTC by the wall clock, for people; *downgrade*: whether an
    older version was allowed by hand.
    """

    number: int
    what: str
    release: str
    by: str
    reason: str
    time: str
    downgrade: bool = False


@dataclass(frozen=True)
class Pointer:
    """Which release is current.

    *activation*: the number of the action that made it so, 0 when none is; *probation*: whether it
    must prove itself; *highest*: the greatest version of each name that was ever current;
    *index*: the greatest version of an index of bundles that was read; *actions*: the last ones,
    oldest first.
    """

    current: str = ""
    previous: str = ""
    activation: int = 0
    probation: bool = False
    highest: Mapping[str, int] = field(default_factory=dict)
    index: int = 0
    actions: tuple[Action, ...] = ()

    @property
    def next_number(self) -> int:
        """The number of the next action."""
        return self.actions[-1].number + 1 if self.actions else 1

    def with_action(self, action: Action) -> "Pointer":
        """Return it with one action more, and no more than are kept."""
        return dataclasses.replace(self, actions=(*self.actions, action)[-ACTIONS_KEPT:])

    def to_json(self) -> str:
        """Serialize as one JSON text."""
        return json.dumps({"v": 1, **dataclasses.asdict(self)}, sort_keys=True, indent=1) + "\n"


def read_pointer(store: Path) -> Pointer:
    """Read which release is current; that of an empty store where there is none yet.

    Raises ConfigError with one line for a file that is damaged or may not be read.
    """
    path = store / POINTER
    try:
        raw = read_object(read_bounded(path, MOST_BYTES).decode(), MOST_BYTES)
        return _pointer(raw)
    except FileNotFoundError:
        return Pointer()
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror or error}); try with sudo, or let the "
            "service's user read it"
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path}: is damaged ({error}); activate a bundle again") from None


def pointer_stamp(store: Path) -> tuple[int, int, int] | None:
    """Return what changes whenever the pointer is replaced; None where there is none."""
    try:
        found = (store / POINTER).stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _pointer(raw: Mapping[str, Any]) -> Pointer:
    """Make a pointer of its JSON. Raises ValueError, KeyError or TypeError."""
    names = [entry.name for entry in dataclasses.fields(Pointer)]
    if set(raw) != {"v", *names} or raw["v"] != 1:
        raise ValueError("it must have the fields of version 1")
    for key in ("current", "previous"):
        if raw[key] != "" and not is_id(raw[key]):
            raise ValueError(f"{key} must name a release")
    highest = raw["highest"]
    whole = [raw["activation"], raw["index"], *dict(highest).values()]
    if not all(type(n) is int and n >= 0 for n in whole) or type(raw["probation"]) is not bool:
        raise ValueError("activation, probation, highest or index is of another kind")
    actions = tuple(_action(each) for each in raw["actions"])
    numbers = [action.number for action in actions]
    if numbers != sorted(set(numbers)):
        raise ValueError("its actions are not in order")
    return Pointer(**{name: raw[name] for name in names if name != "actions"}, actions=actions)


def _action(raw: Mapping[str, Any]) -> Action:
    action = Action(**raw)
    texts = (action.what, action.release, action.by, action.reason, action.time)
    fits = all(type(t) is str and len(t) <= MOST_TEXT and printable(t) == t for t in texts)
    if not fits or type(action.number) is not int or type(action.downgrade) is not bool:
        raise ValueError("an action is of another kind")
    return action


def write_pointer(store: Path, pointer: Pointer) -> None:
    """Replace the pointer atomically, and bring it onto the disk. Raises InputError."""
    write_atomic(store / POINTER, pointer.to_json().encode())


@contextlib.contextmanager
def locked(store: Path) -> Iterator[None]:
    """Hold the store against another command that would change it; make it where it is missing.

    Raises InputError when another holds it, or it cannot be written.
    """
    make_folder(store)
    path = store / LOCK
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise InputError(
            f"{store}: cannot be written ({error.strerror}); only root may: try again with sudo"
        ) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise InputError(
            f"{store}: another command changes the releases now; try again when it has ended"
        ) from None
    finally:
        os.close(descriptor)


def clean(store: Path) -> None:
    """Remove what a killed command has left half made."""
    for left in store.glob(f"{NEW}*"):
        shutil.rmtree(left, ignore_errors=True)
    for left in store.glob(f".{POINTER}.*"):
        left.unlink(missing_ok=True)


def adopt_folder(store: Path, made: Path, release: str) -> Path:
    """Give the folder *made* in the store its final name, in place of one of that name.

    What is in it must be on the disk. Raises InputError.
    """
    final = store / release
    try:
        if final.exists():
            # The same bundle, unpacked anew: its bytes may have been damaged since.
            old = store / f"{NEW}old-{release}"
            shutil.rmtree(old, ignore_errors=True)
            final.rename(old)
            made.rename(final)
            sync_folder(store)
            shutil.rmtree(old, ignore_errors=True)
        else:
            made.rename(final)
            sync_folder(store)
    except OSError as error:
        raise InputError(
            f"{final}: cannot be made ({error.strerror}); make room or permission in {store}"
        ) from None
    return final


def release_folders(store: Path, pointer: Pointer) -> list[Path]:
    """Return the folders of the releases, those that were made current last at the end.

    The order is that of the actions: a clock that was wrong moves nothing.
    """
    last = {action.release: action.number for action in pointer.actions}
    try:
        found = [path for path in store.iterdir() if is_id(path.name) and path.is_dir()]
    except OSError:
        return []
    return sorted(found, key=lambda path: (last.get(path.name, 0), path.name))


def prune(store: Path, pointer: Pointer) -> list[str]:
    """Remove the oldest releases beyond :data:`RELEASES_KEPT`; return their ids.

    The current and the previous one stay.
    """
    keep = {pointer.current, pointer.previous} - {""}
    others = [path for path in release_folders(store, pointer) if path.name not in keep]
    surplus = others[: max(0, len(others) - (RELEASES_KEPT - len(keep)))]
    for path in surplus:
        shutil.rmtree(path, ignore_errors=True)
    return [path.name for path in surplus]
