"""Programs started by tests: waited for by what they say, and gone when the test is over.

No wait here depends on how fast the machine is: :data:`PATIENCE_S` is a last limit for what hangs.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Literal, Self, TypeVar

from tests.leftovers import GRACE_S, descendants, kill
from tests.paths import ROOT

T = TypeVar("T")
PATIENCE_S = 600.0
"""The last limit of every wait: only what hangs reaches it, however busy the machine is."""
POLL_S = 0.005


def eventually(ask: Callable[[], T | Literal[False] | None]) -> T:
    """Ask until the answer is true, and return it. Raises AssertionError after the last limit."""
    deadline = time.monotonic() + PATIENCE_S
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"{PATIENCE_S:g} s have passed in vain"
        time.sleep(POLL_S)
    return answer


class Program:
    """A program in a process of its own; all it says is collected while it runs.

    *command*: words of the command; *environment*: in place of the test's own; *group*: whether it
    leads a process group, as a terminal's foreground job does. At the end of the block it and
    everything it has started are killed.

    Synchronization: one thread; two more of its own read what the program says.
    """

    def __init__(
        self,
        *command: str | Path,
        folder: Path = ROOT,
        environment: Mapping[str, str] | None = None,
        group: bool = False,
    ) -> None:
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            process_group=0 if group else None,
        )
        self.pid = self._process.pid
        self._out, self._err = bytearray(), bytearray()
        streams = ((self._process.stdout, self._out), (self._process.stderr, self._err))
        self._readers = [
            threading.Thread(target=_read, args=stream, daemon=True) for stream in streams
        ]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    @property
    def out(self) -> str:
        """What it has written to stdout so far."""
        return self._out.decode(errors="replace")

    @property
    def err(self) -> str:
        """What it has written to stderr so far."""
        return self._err.decode(errors="replace")

    @property
    def runs(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def until(self, true: Callable[[], object]) -> None:
        """Wait until *true*. Raises AssertionError when the program ends before that."""

        def settled() -> bool:
            ended = not self.runs
            if ended:
                self._join(PATIENCE_S)
            assert true() or not ended, f"it has ended: {self.out}{self.err}"
            return bool(true())

        eventually(settled)

    def hear(self, words: str) -> None:
        """Wait until *words* are among what it says on either stream."""
        self.until(lambda: words in self.out or words in self.err)

    def out_lines(self, count: int) -> list[str]:
        """Wait for the first *count* lines of stdout, and return them without their ends."""
        self.until(lambda: self.out.count("\n") >= count)
        return self.out.splitlines()[:count]

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def send_group(self, number: signal.Signals) -> None:
        """Send a signal to its whole process group, as a terminal does."""
        os.killpg(self.pid, number)

    def ended(self) -> "subprocess.CompletedProcess[str]":
        """Wait until it ends by itself; its exit status and all it has said."""
        try:
            status = self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it does not end: {self.out}{self.err}") from None
        self._join(PATIENCE_S)
        return subprocess.CompletedProcess(self._process.args, status, self.out, self.err)

    def kill(self) -> None:
        """Kill it with SIGKILL, and whatever it has started; returns when nothing of it runs."""
        started = [status.process for status in descendants(self.pid)] if self.runs else []
        self._process.kill()
        self._process.wait()
        kill(started)
        self._join(GRACE_S)

    def _join(self, limit_s: float) -> None:
        """Wait for the last words, which come from its children when they outlive it."""
        for reader in self._readers:
            reader.join(limit_s)


def _read(stream: IO[bytes], into: bytearray) -> None:
    with stream:
        while piece := os.read(stream.fileno(), 65_536):
            into += piece
