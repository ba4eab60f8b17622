"""Lines of which one output is locked off: whoever orders it, it stays SAFE."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from edge.gate.lines import Lines, WireEvent
from edge.wiring import REJECT_LINE


class LockedLines:
    """The same lines, but that the reject line is never driven: it is SAFE from its request on.

    The lock is part of the lines that all parts of the gate are given, and nothing takes it off: no
    message, no settings that are read again, no button. *withheld*: rises that were ordered.

    Synchronization: one thread, as :class:`edge.gate.lines.Lines`.
    """

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self.withheld = 0

    def __enter__(self) -> Self:
        self._lines.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lines.__exit__(kind, error, trace)

    def filenos(self) -> Sequence[int]:
        """Return the descriptors of the lines."""
        return self._lines.filenos()

    def next_ns(self) -> int | None:
        """Return when :meth:`read` has an event that no descriptor announces."""
        return self._lines.next_ns()

    def read(self) -> list[WireEvent]:
        """Return the edges since the last call. Raises GateError."""
        return self._lines.read()

    def level(self, line: str) -> int:
        """Return the level of an input now."""
        return self._lines.level(line)

    def set(self, line: str, level: int, tag: int | None = None) -> None:
        """Drive an output, but never the reject line. Raises GateError."""
        if line != REJECT_LINE:
            self._lines.set(line, level, tag)
        else:
            self.withheld += level
