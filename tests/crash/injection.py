"""Fault injection: an exception at a call between trigger and record, one after the other.

The calls are not listed: the profiler (sys.setprofile) counts those that the box's own code makes,
into Python or C, so new code is covered as soon as it is written. Left out are the ends of ``with``
blocks, for a lock that cannot be given back is no fault that anybody sees.
"""

import errno
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from tests.paths import ROOT

OURS = str(ROOT / "edge")


class Interrupt(BaseException):
    """Ends the process, and is no Exception."""


ERRORS: dict[str, Callable[[], BaseException]] = {
    "Exception": lambda: ZeroDivisionError("injected"),
    "MemoryError": MemoryError,
    "OSError": lambda: OSError(errno.EIO, "injected"),
    "interrupt": Interrupt,
}
MAIN = "MainThread"
LEFT_OUT = {"__exit__", "release", "_release_save", "_is_owned"}


class Injector:
    """Raises *error* at call number *at* of the thread *thread*, while it is armed; 0 only counts.

    *calls*: how many there were. *where*: the call at which it was raised, in words.
    """

    def __init__(self, at: int, error: Callable[[], BaseException], thread: str = MAIN) -> None:
        self.at, self._error, self._thread = at, error, thread
        self.calls = 0
        self.where = ""
        self.armed = False

    @property
    def of_another_thread(self) -> bool:
        """Whether the calls of another thread are meant."""
        return self._thread != MAIN

    @contextmanager
    def everywhere(self) -> Iterator[None]:
        """Look at the calls of this thread and of those that begin in the block."""
        threading.setprofile(self._profile)
        if not self.of_another_thread:
            sys.setprofile(self._profile)
        try:
            yield
        finally:
            sys.setprofile(None)
            threading.setprofile(None)

    def _profile(self, frame: FrameType, event: str, argument: Any) -> None:
        if not self.armed or event not in ("call", "c_call"):
            return
        if threading.current_thread().name != self._thread:
            return
        caller = frame if event == "c_call" else frame.f_back
        name = argument.__name__ if event == "c_call" else frame.f_code.co_name
        if caller is None or not caller.f_code.co_filename.startswith(OURS) or name in LEFT_OUT:
            return
        self.calls += 1
        if self.calls == self.at:
            self.armed = False
            self.where = f"{name} in {caller.f_code.co_filename[len(OURS) :]}:{caller.f_lineno}"
            raise self._error()
