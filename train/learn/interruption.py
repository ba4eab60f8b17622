"""Ctrl-C and SIGTERM during a run: asked about once in a terminal, and obeyed at once elsewhere."""

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Literal

from train.learn.saving import say

Answer = Literal["go on", "finish", "stop"]
"""Go on as if nothing had happened; train no more, but set the threshold; or stop at once."""


class StopRun(Exception):  # noqa: N818 - a request, no error
    """The user wants the assessment to stop; what the run has learnt is kept."""


class Interruption:
    """What a signal asks of a run.

    Synchronization: the main thread polls; the signal's handler only sets plain attributes. A
    second signal that comes before the first was heeded ends the program as usual.
    """

    def __init__(self, alone: bool = True) -> None:
        """*alone*: whether this is the only process of the run, which may ask."""
        self.answer: Answer = "go on"
        self.waited_s = 0.0
        """Seconds that questions took, in all; they are no training."""
        self._alone, self._asked = alone, False
        self._pending: int | None = None
        self._listening = False

    def heed(self, number: int, _frame: FrameType | None) -> None:
        """Note a signal. Raises KeyboardInterrupt when one waits already, or while asking."""
        if self._listening or self._pending is not None:
            raise KeyboardInterrupt
        self._pending = number

    def poll(self, still_to_come: Callable[[], str], training: bool) -> Answer:
        """Return what is asked for; *still_to_come*: says what the run has not done yet.

        *training*: whether it still trains, so that it can finish early.
        """
        if self._pending is None:
            return self.answer
        number, self._pending = self._pending, None
        if number != signal.SIGINT or self._asked or not self._alone or not in_terminal():
            self.answer = "stop"
        else:
            self._asked = True
            begun = time.monotonic()
            self.answer = self._ask(still_to_come(), training)
            self.waited_s += time.monotonic() - begun
        return self.answer

    def note(self, stopped: bool) -> None:
        """Note that the processes of the run have *stopped* together, whoever heard the signal."""
        if stopped and self.answer == "go on":
            self.answer = "stop"

    def _ask(self, still_to_come: str, training: bool) -> Answer:
        say(f"stop? still to come: {still_to_come}; only then can the run be exported")
        finish = "f: train no more, but set the threshold; " if training else ""
        say(f"Enter: go on; {finish}s, or Ctrl-C again: stop now, and go on later with --resume")
        self._listening = True
        try:
            said = sys.stdin.readline()
        except KeyboardInterrupt:
            return "stop"
        finally:
            self._listening = False
        word = said.strip().lower()[:1]
        if word == "f" and training:
            return "finish"
        return "stop" if word == "s" or not said else "go on"


def in_terminal() -> bool:
    """Tell whether somebody can be asked."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


@contextmanager
def interruptible(alone: bool) -> Iterator[Interruption]:
    """Let SIGINT and SIGTERM be what the interruption heeds while the block lasts.

    Synchronization: enter in the main thread.
    """
    interruption = Interruption(alone)
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, interruption.heed) for number in numbers}
    try:
        yield interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
