"""Which release the service runs: the current one, or the one before where that was given up."""

from pathlib import Path

from edge.errors import ConfigError
from edge.releases.release import Release, read_release
from edge.releases.state import ReleaseState, read_state
from edge.releases.store import Pointer, read_pointer

NONE_ACTIVE = "no release is active; run 'stampgate-edge activate BUNDLE'"


def active_release(store: Path, state: Path) -> Release:
    """Return the release that the service runs, by its *store* and its *state* file.

    Raises ConfigError with one line where there is none, or it is damaged.
    """
    pointer = read_pointer(store)
    return read_release(store / active_id(store, pointer, service_state(state)))


def active_id(store: Path, pointer: Pointer, state: ReleaseState) -> str:
    """Return the id of the release that the service runs. Raises ConfigError where none is."""
    if not pointer.current:
        raise ConfigError(f"{store}: {NONE_ACTIVE}")
    if not is_given_up(pointer, state):
        return pointer.current
    if not pointer.previous:
        raise ConfigError(
            f"{store}: the release {pointer.current} was given up ({state.why}), and there is none "
            "before it; activate another bundle"
        )
    return pointer.previous


def is_given_up(pointer: Pointer, state: ReleaseState) -> bool:
    """Tell whether the current release has failed its probation."""
    return state.activation == pointer.activation and state.result == "failed"


def service_state(path: Path) -> ReleaseState:
    """Read the service's state. Raises ConfigError when it may not be read."""
    try:
        return read_state(path)
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror or error}); try again with sudo"
        ) from None
