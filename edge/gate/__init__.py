"""The gate as the station sees it.

What a gate does is told in :mod:`edge.gate.rejects`. The real one is a process of its own that
outlives the eye (:mod:`edge.gate.keeper`); the station speaks to it through
:mod:`edge.gate.client`. The one without hardware lives in the station's own process
(:mod:`edge.gate.simulated`). All know numbers and moments, no picture, no model and no verdict.
Standard library only.
"""

from collections.abc import Mapping
from types import TracebackType
from typing import Protocol, Self

from edge.config import GateSettings
from edge.gate.rejects import Outcome


class Gate(Protocol):
    """What the station asks of a gate; open inside its ``with`` block.

    An item goes by its *tag*, the gate's own number for it.
    """

    def __enter__(self) -> Self:
        """Begin. Raises GateError or ConfigError."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End; items already under way still arrive and are rejected."""

    def expect(self, sequence: int, t_trigger_ns: int) -> int:
        """Enter an item at its trigger and return its tag. Raises GateError."""

    def answer(self, tag: int, *, cancel: bool) -> Outcome:
        """Take the eye's answer. Raises GateError when the gate is gone."""

    def withdraw(self, tag: int) -> None:
        """Take a cancellation back."""

    def settle(self, tag: int) -> None:
        """Say that the item is written down: what becomes of the eye no longer matters to it."""

    def complain(self, trouble: str) -> None:
        """Show *trouble* on the FAULT output, from now on and until it is said to be over with an
        empty text.
        """

    def adopt(self, settings: GateSettings) -> None:
        """Let changed settings count from now on; items under way keep their moments."""

    def check(self) -> None:
        """Raise when the gate no longer keeps time."""

    def facts(self) -> Mapping[str, object]:
        """What the gate says of itself, for the journal; empty for one that has nothing to say."""
