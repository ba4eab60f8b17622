"""Settings reloaded on SIGHUP: adopted whole, or refused whole."""

import contextlib
import dataclasses
import signal
from time import monotonic_ns
from types import FrameType, TracebackType
from typing import Any, Self

from edge.config import BESIDE, SECTIONS, Config
from edge.errors import ConfigError
from edge.files import read_bounded
from edge.settings_file import MAX_BYTES
from edge.wiring import is_shadow, judging_settings, load_checked, plan_of

APART_NS = 200_000_000
"""Least time between two reloads; requests in between are one."""


class Reload:
    """SIGHUP as a request to read the settings again.

    The signal is left alone when the settings come from no file. A storm of signals costs one
    reload: those that follow it within :data:`APART_NS` are taken together after that time, and
    forgotten when the file's bytes are still the same.

    Synchronization: the main thread, the only one that Python lets handle signals.
    """

    def __init__(self, running: Config) -> None:
        self.running = running
        """The settings in effect."""
        self._asked_ns: int | None = None
        """When the first request since the last reload came; None without one."""
        self._taken_ns = -APART_NS
        self._content: bytes | None = None
        self._before: Any = None

    def __enter__(self) -> Self:
        if self.running.source is not None:
            self._before = signal.signal(signal.SIGHUP, self._ask)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.running.source is not None:
            signal.signal(signal.SIGHUP, self._before)

    def take(self) -> bool:
        """Return whether to read the settings now: it was requested, and is no echo of a storm."""
        asked_ns, now_ns = self._asked_ns, monotonic_ns()
        if asked_ns is None or now_ns - self._taken_ns < APART_NS:
            return False
        echo = asked_ns - self._taken_ns < APART_NS
        self._asked_ns, self._taken_ns = None, now_ns
        before, self._content = self._content, self._bytes()
        return not (echo and before is not None and before == self._content)

    def read(self) -> Config:
        """Read the file again.

        Raises ConfigError for one that is wrong, or changes what a running process cannot; also for
        what nobody foresaw, because no file may end a gate.
        """
        assert self.running.source is not None
        try:
            fresh = load_checked(self.running.source)
        except ConfigError:
            raise
        except Exception as error:  # noqa: BLE001 - the settings before go on
            what = f"{type(error).__name__}: {error}"
            raise ConfigError(f"{self.running.source}: not foreseen: {what}") from None
        agreed = not is_shadow(fresh) and plan_of(fresh) is not None
        held = judging_settings(fresh) if agreed else {}  # the start asks whether they may run
        fixed = [
            name for name in changes(self.running, fresh) if not _is_live(name) or name in held
        ]
        if fixed:
            raise ConfigError(
                f"{fresh.source}: {', '.join(fixed)}: needs a restart; "
                "restart, or take the change back"
            )
        return fresh

    def _bytes(self) -> bytes | None:
        """Return the file's bytes; None when it cannot be read."""
        assert self.running.source is not None
        with contextlib.suppress(OSError):
            return read_bounded(self.running.source, MAX_BYTES)
        return None

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        if self._asked_ns is None:
            self._asked_ns = monotonic_ns()


def changes(before: Config, after: Config) -> dict[str, list[Any]]:
    """Return each setting of eye or gate that differs, with its two values.

    >>> changes(Config(), Config(gate=dataclasses.replace(Config().gate, pulse_ms=60.0)))
    {'[gate] pulse_ms': [50.0, 60.0]}
    """
    old, new = (
        {name: dataclasses.asdict(getattr(config, name)) for name in SECTIONS if name not in BESIDE}
        for config in (before, after)
    )
    return {
        f"[{section}] {key}": [value, new[section][key]]
        for section, keys in old.items()
        for key, value in keys.items()
        if value != new[section][key]
    }


def _is_live(name: str) -> bool:
    section, key = name.removeprefix("[").split("] ")
    (live,) = (
        field.metadata["live"]
        for field in dataclasses.fields(SECTIONS[section])
        if field.name == key
    )
    return bool(live)
