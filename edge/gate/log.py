"""The gate's lines for people, on stderr: never waited for, bounded in number, one line each."""

import contextlib
import os
import select

from edge.clock import Clock
from edge.printing import printable

STDERR = 2
LONGEST = 4000
"""Bytes of a line; a pipe that has room at all has room for so much (pipe(7), PIPE_BUF)."""
AT_ONCE = 20
"""Lines that may follow one another at once."""
ONE_NS = 10**9
"""Time after which one more may follow, in nanoseconds."""


class Log:
    """Writes lines to *descriptor*; who makes the gate talk cannot make its pulses late by that.

    A line is left out, and counted, when there were too many or when nobody reads the stream.

    Synchronization: one thread.
    """

    def __init__(self, clock: Clock, descriptor: int = STDERR) -> None:
        self._clock, self._descriptor = clock, descriptor
        self._room, self._since_ns = AT_ONCE, clock.now_ns()
        self._left_out = 0

    def say(self, line: str, *, always: bool = False) -> bool:
        """Write *line*, unless there were too many; return whether it was written.

        *always*: however many there were.
        """
        more = (self._clock.now_ns() - self._since_ns) // ONE_NS
        if more > 0:
            self._room = min(AT_ONCE, self._room + more)
            self._since_ns += more * ONE_NS
        before = f"({self._left_out} lines left out) " if self._left_out else ""
        if (self._room or always) and self._write(f"stampgate-edge gate: {before}{line}"):
            self._room = max(0, self._room - 1)
            self._left_out = 0
            return True
        self._left_out += 1
        return False

    def _write(self, line: str) -> bool:
        text = printable(line[:LONGEST]).encode()[:LONGEST].decode(errors="ignore")
        with contextlib.suppress(OSError, ValueError):  # a stream that is closed is nobody's
            if select.select([], [self._descriptor], [], 0)[1]:
                os.write(self._descriptor, f"{text}\n".encode())
                return True
        return False
