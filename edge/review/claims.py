"""Which items a reviewer was given, so that another is not given them at the same time."""

import threading
import time
from collections.abc import Callable, Iterable

CLAIM_S = 120.0
"""How long an item is kept for a reviewer, seconds."""


class Claims:
    """Items and the reviewers they are kept for. Synchronization: any thread."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._claims: dict[int, tuple[str, float]] = {}
        self._lock = threading.Lock()

    def claim(self, reviewer: str, items: Iterable[int]) -> None:
        """Keep items for a reviewer."""
        now_s = self._now_s()
        with self._lock:
            self._claims = {i: kept for i, kept in self._claims.items() if kept[1] > now_s}
            self._claims |= dict.fromkeys(items, (reviewer, now_s + CLAIM_S))

    def of_others(self, reviewer: str) -> set[int]:
        """Return what is kept for others."""
        now_s = self._now_s()
        with self._lock:
            return {
                item
                for item, (name, until_s) in self._claims.items()
                if name != reviewer and until_s > now_s
            }

    def release(self, reviewer: str) -> None:
        """Give back what is kept for a reviewer."""
        with self._lock:
            self._claims = {i: kept for i, kept in self._claims.items() if kept[0] != reviewer}
