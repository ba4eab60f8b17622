"""What time it is at least, on a box whose clock may be wrong.

A box without a battery begins in the past. Whatever bears a date that can be trusted and is later
than the clock shows that the clock is behind: a record that the service wrote while the clock was
synchronised, a bundle that somebody signed, systemd's note of the last synchronisation.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from edge.clock import clock_synced
from edge.config import Config
from edge.errors import ConfigError
from edge.record.journal_file import last_records
from edge.releases.release import read_release
from edge.releases.store import read_pointer

TIMESYNC = Path("/var/lib/systemd/timesync/clock")
"""systemd-timesyncd sets this file's time at each synchronisation (systemd-timesyncd(8))."""


@dataclass(frozen=True)
class KnownTime:
    """The latest moment that is known, UTC, *by* what, and whether the clock is synchronised."""

    now: datetime
    by: str
    synced: bool | None

    def __str__(self) -> str:
        sure = "synchronised" if self.synced else "not synchronised"
        return f"{self.now:%Y-%m-%d %H:%M} UTC by {self.by} (the clock is {sure})"


def known_time(
    config: Config,
    wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    timesync: Path = TIMESYNC,
    synced: Callable[[], bool | None] = clock_synced,
) -> KnownTime:
    """Return the latest moment that the clock or anything that can be trusted tells."""
    found = [(wall(), "the clock"), *_witnesses(config, timesync)]
    now, by = max(found, key=lambda each: each[0])
    return KnownTime(now, by, synced())


def _witnesses(config: Config, timesync: Path) -> Iterator[tuple[datetime, str]]:
    """Yield moments that are over for sure."""
    with contextlib.suppress(OSError):
        moment = timesync.stat().st_mtime
        yield datetime.fromtimestamp(moment, UTC), "the last synchronisation"
    with contextlib.suppress(OSError, ValueError):
        for record in last_records(config.path(config.journal.file)):
            if record.get("clock_synced"):
                yield datetime.fromisoformat(record["wall_time"]), "the journal's last record"
                break
    store = config.path(config.model.releases)
    with contextlib.suppress(ConfigError, ValueError):
        pointer = read_pointer(store)
        for name in filter(None, (pointer.current, pointer.previous)):
            created = datetime.fromisoformat(read_release(store / name).created)
            yield created, f"the signature of the release {name}"
