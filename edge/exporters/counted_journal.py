"""The journal, counted up to its present end: what Prometheus and Modbus tell."""

import time
from pathlib import Path
from types import TracebackType
from typing import Self

from edge.exporters.journal_follower import JournalFollower
from edge.exporters.state_file import Kept, StateFile
from edge.exporters.totals import Totals

BATCH = 1000
"""Records that are read at once; between two batches the exporter answers, and rests."""
SAVE_S = 60.0
"""Time between two writes of the state file, seconds: a card wears out, and nothing is lost."""


class CountedJournal:
    """Totals of the journal *path*, kept in *state*.

    Synchronization: one thread.
    """

    def __init__(self, path: Path, state: StateFile) -> None:
        self._path, self._state = path, state
        kept = state.load()
        self.totals = kept.totals
        self._follower = JournalFollower(path, kept.cursor)
        self._saved, self._saved_s = kept.cursor, time.monotonic()
        self.caught_up = False
        """Whether the end of the journal has been reached since the start."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.save()
        self._follower.close()

    @property
    def behind_bytes(self) -> int:
        """Bytes of the journal that are not counted yet."""
        return self._follower.behind_bytes

    @property
    def damaged(self) -> int:
        """Lines passed over since the start that are no record."""
        return self._follower.damaged

    def read(self) -> bool:
        """Count the next batch; return whether there may be more. Raises JournalError, OSError."""
        entries = self._follower.read(BATCH)
        if self._follower.lost in ("taken back", "another journal"):
            self._begin_again()
            return True
        self._follower.lost = ""
        for entry in entries:
            self.totals.take(entry)
        more = len(entries) == BATCH
        self.caught_up |= not more
        if time.monotonic() - self._saved_s >= SAVE_S:
            self.save()
        return more

    def save(self) -> None:
        """Write the state file where something was counted since."""
        self._saved_s = time.monotonic()
        if self._follower.cursor != self._saved:
            self._saved = self._follower.cursor
            self._state.save(Kept(self._follower.cursor, self.totals))

    def _begin_again(self) -> None:
        """Count from the beginning: what was counted is not what the journal holds."""
        self._follower.close()
        self._follower, self.totals = JournalFollower(self._path), Totals()
        self.caught_up = False
