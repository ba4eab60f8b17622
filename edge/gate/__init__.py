"""The gate as the station sees it: the :class:`Gate` protocol.

What a gate does is described in :mod:`edge.gate.rejects`. The real one is a process of its own that
outlives the eye (:mod:`edge.gate.keeper`); the station speaks to it through
:mod:`edge.gate.client`. The one without hardware lives in the station's own process
(:mod:`edge.gate.simulated`). All know numbers and moments, but no picture, model or verdict.
Standard library only.
"""

from collections.abc import Mapping
from types import TracebackType
from typing import Protocol, Self

from edge.gate.messages import Incident
from edge.gate.rejects import Outcome


class Gate(Protocol):
    """A gate as the station uses it; open inside its ``with`` block.

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

    @property
    def facts(self) -> Mapping[str, object]:
        """Run, trouble and counters of a gate process as last heard; empty for a simulated gate."""

    def expect(self, sequence: int, t_trigger_ns: int) -> int:
        """Enter an item at its trigger, as REJECT, and return its tag. Raises GateError."""

    def answer(self, tag: int, *, cancel: bool) -> Outcome:
        """Cancel an item's reject, or let it stand. Raises GateError when the gate is gone."""

    def settle(self, tag: int, *, written: bool) -> None:
        """Close an item: it stands when its record was *written*, else it is rejected after all.

        Raises GateError when the gate is gone.
        """

    def incidents(self) -> list[Incident]:
        """Return the incidents that have become known since the last call, to be written down."""

    def recorded(self, incident: Incident) -> None:
        """Close an incident that is written down. Raises GateError when the gate is gone."""

    def show_fault(self, trouble: str) -> None:
        """Show *trouble* on the FAULT output until it is called with an empty text.

        Raises GateError when the gate is gone.
        """

    def hold(self, why: str) -> None:
        """Let the production line rest, by READY where there is one, until the text is empty.

        Raises GateError when the gate is gone.
        """

    def check(self) -> None:
        """Raise GateError, RuntimeError or JournalError when the gate no longer works."""
