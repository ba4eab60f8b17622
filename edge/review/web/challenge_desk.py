"""The page's end of a challenge test: one connection to the service, held while its test runs.

The service counts whoever began a test as gone when his connection is (:mod:`edge.challenge.link`).
A page has no connection of its own, so it is kept here for whoever began the test, and closed when
his page has not asked for :data:`GONE_S`: a browser that was shut fails the test, as at a terminal.
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from edge.challenge.guide import ENDED
from edge.challenge.link import Caller
from edge.errors import InputError

GONE_S = 30.0
"""Seconds after which a page that asks nothing is gone; it asks each second."""


class ChallengeDesk:
    """Asks the service at *path*, None where it has no socket.

    Synchronization: any thread.
    """

    def __init__(self, path: Path | None, now_s: Callable[[], float] = time.monotonic) -> None:
        self._path, self._now_s = path, now_s
        self._lock = threading.Lock()
        self._caller: Caller | None = None
        self._owner = ""
        self._heard_s = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._hang_up()

    def view(self, owner: str) -> dict[str, Any]:
        """Return how the challenge test stands; ``mine`` says whether *owner* runs one.

        Raises InputError when no service listens.
        """
        return self._ask(owner, "state", {})

    def ask(self, owner: str, say: str, **fields: Any) -> dict[str, Any]:
        """Ask the service in the name of the session *owner*; ``why`` is empty when it was done.

        Raises InputError.
        """
        return self._ask(owner, say, fields)

    def tick(self) -> None:
        """Hang up for whoever has gone; called about once a second."""
        with self._lock:
            if self._caller is not None and self._now_s() - self._heard_s > GONE_S:
                self._hang_up()

    def _ask(self, owner: str, say: str, fields: dict[str, Any]) -> dict[str, Any]:
        if self._path is None:
            raise InputError("[challenge] socket is empty; name one, and start the service again")
        with self._lock:
            mine = self._caller is not None and owner == self._owner
            if mine:
                assert self._caller is not None
                return self._held(self._caller, say, fields)
            if say == "start" and self._caller is None:
                return self._begin(owner, fields)
        with Caller(self._path) as caller:
            return {**caller.ask(say, **fields), "mine": False}

    def _held(self, caller: Caller, say: str, fields: dict[str, Any]) -> dict[str, Any]:
        self._heard_s = self._now_s()
        try:
            view = caller.ask(say, **fields)
        except InputError:
            self._hang_up()
            raise
        if view.get("step") in ENDED:
            self._hang_up()
        return {**view, "mine": self._caller is not None}

    def _begin(self, owner: str, fields: dict[str, Any]) -> dict[str, Any]:
        assert self._path is not None
        caller = Caller(self._path).__enter__()
        self._caller, self._owner, self._heard_s = caller, owner, self._now_s()
        view = self._held(caller, "start", fields)
        if view["why"]:
            self._hang_up()
        return {**view, "mine": self._caller is not None}

    def _hang_up(self) -> None:
        if self._caller is not None:
            self._caller.__exit__(None, None, None)
            self._caller = None
