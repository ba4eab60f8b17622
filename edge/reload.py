"""Settings reloaded on SIGHUP: adopted whole, or refused whole."""

import dataclasses
import signal
from types import FrameType, TracebackType
from typing import Any, Self

from edge.config import SECTIONS, Config
from edge.errors import ConfigError
from edge.wiring import load_checked


class Reload:
    """SIGHUP as a request to read the settings again.

    The signal is left alone when the settings come from no file.

    Synchronization: the main thread, the only one that Python lets handle signals.
    """

    def __init__(self, running: Config) -> None:
        self.running = running
        """The settings in effect."""
        self._asked = False
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
        """Return whether a reload was requested since the last call."""
        asked, self._asked = self._asked, False
        return asked

    def read(self) -> Config:
        """Read the file again.

        Raises ConfigError for one that is wrong, or changes what a running process cannot.
        """
        assert self.running.source is not None
        fresh = load_checked(self.running.source)
        fixed = [name for name in changes(self.running, fresh) if not _is_live(name)]
        if fixed:
            raise ConfigError(
                f"{fresh.source}: {', '.join(fixed)}: needs a restart; "
                "restart, or take the change back"
            )
        return fresh

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self._asked = True


def changes(before: Config, after: Config) -> dict[str, list[Any]]:
    """Return each setting that differs, with its two values.

    >>> changes(Config(), Config(gate=dataclasses.replace(Config().gate, pulse_ms=60.0)))
    {'[gate] pulse_ms': [50.0, 60.0]}
    """
    old, new = (
        {name: dataclasses.asdict(getattr(config, name)) for name in SECTIONS}
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
