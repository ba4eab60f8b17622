"""The wires of the gate: the Lines protocol.

One driver per file; :mod:`edge.gate.lines.simulated` needs no hardware.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from edge.wiring import BIN_FULL, ENCODER_A, ENCODER_B

BOTH_EDGES = (ENCODER_A, ENCODER_B, BIN_FULL)
"""Inputs whose falling edges count, too."""


@dataclass(frozen=True)
class WireEvent:
    """One edge of an input: *level* 1 is active.

    *t_ns*: when, in monotonic nanoseconds, said by whoever saw it.

    *lost*: how many edges of this line came between the one before and this one, and were not
    delivered.
    """

    line: str
    level: int
    t_ns: int
    lost: int = 0


class Lines(Protocol):
    """Inputs and outputs by what they are for.

    Open inside its ``with`` block, every output SAFE around and in it.

    Synchronization: one thread.
    """

    def __enter__(self) -> Self:
        """Take the lines, outputs SAFE.

        Raises ConfigError for wrong names, GateError when they cannot be had.
        """

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Make the outputs SAFE and give the lines back."""

    def filenos(self) -> Sequence[int]:
        """Name what becomes readable when :meth:`read` has something, for select(2)."""

    def next_ns(self) -> int | None:
        """When :meth:`read` will have something that no file tells of; None for never."""

    def read(self) -> list[WireEvent]:
        """Take the edges seen since the last call, in their order; never waits.

        Raises GateError.
        """

    def level(self, line: str) -> int:
        """Tell the level of an input now; 0 for one that is not wired."""

    def set(self, line: str, level: int, tag: int | None = None) -> None:
        """Drive an output, for the item *tag*; nothing for one that is not wired.

        Raises GateError.
        """
