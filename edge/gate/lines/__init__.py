"""The wires of the gate: the :class:`Lines` protocol, one driver a file.

:mod:`edge.gate.lines.simulated` needs no hardware.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from edge.wiring import BIN_FULL, CONFIRM, ENCODER_A, ENCODER_B, TAKEN, TRIGGER

BOTH_EDGES = (TRIGGER, ENCODER_A, ENCODER_B, CONFIRM, BIN_FULL, TAKEN)
"""Inputs watched for both edges: their levels alternate, so two equal edges running are one lost.

The reset button is watched for its rise only.
"""


@dataclass(frozen=True)
class WireEvent:
    """One edge of an input: *level* 1 is active.

    *t_ns*: when, in monotonic nanoseconds, as stamped by the driver. *lost*: edges of this line
    between the one before and this one that were not delivered. *overflow*: edges of all lines
    together that were dropped just before this one, because the kernel's buffer ran over; a driver
    that cannot tell leaves it 0.
    """

    line: str
    level: int
    t_ns: int
    lost: int = 0
    overflow: int = 0


class Lines(Protocol):
    """Inputs and outputs by their roles; open inside its ``with`` block.

    Every output is SAFE before it, at its beginning, and after it.

    Synchronization: one thread.
    """

    def __enter__(self) -> Self:
        """Request the lines, outputs SAFE.

        Raises ConfigError for wrong names, GateError when the kernel does not give them.
        """

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Make the outputs SAFE and release the lines."""

    def filenos(self) -> Sequence[int]:
        """File descriptors that are readable when :meth:`read` has something, for select(2)."""

    def next_ns(self) -> int | None:
        """Return when :meth:`read` will have an event that no descriptor announces, else None."""

    def read(self) -> list[WireEvent]:
        """Return the edges since the last call, in order; never waits. Raises GateError.

        Raises GateError.
        """

    def level(self, line: str) -> int:
        """Return the level of an input now; 0 for one that is not wired."""

    def set(self, line: str, level: int, tag: int | None = None) -> None:
        """Drive an output, for the item *tag*; does nothing when it is not wired. Raises GateError.

        Raises GateError.
        """
