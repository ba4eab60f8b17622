"""The self-test behind ``stampgate-edge check``.

:mod:`~edge.selftest.sight` checks camera and model, :mod:`~edge.selftest.wires` the GPIO lines,
:mod:`~edge.selftest.box` disk, clock, watchdogs and power. Each check is a generator that yields
one :class:`CheckResult` a line. It may raise StampgateError, whose text says what is wrong.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from edge.errors import StampgateError
from edge.printing import printable

State = Literal["ok", "WARN", "FAIL"]
"""WARN: the box works, but needs attention. FAIL: it must not be trusted on a production line."""


@dataclass(frozen=True)
class CheckResult:
    """Result of one check: its state, its name, and in words the figure and the next step."""

    state: State
    name: str
    text: str

    def __str__(self) -> str:
        """Lay it out as one line of text.

        >>> print(CheckResult("ok", "clock", "synchronised"))
        ok   clock             synchronised
        """
        return printable(f"{self.state:<4} {self.name:<17} {self.text}")


def run_check(name: str, check: Iterable[CheckResult]) -> Iterator[CheckResult]:
    """Yield the results of *check*; an exception becomes a FAIL of *name*, so that others go on."""
    try:
        yield from check
    except StampgateError as error:
        yield CheckResult("FAIL", name, str(error))
    except Exception as error:  # noqa: BLE001 - a self-test must survive what it did not foresee
        text = f"{type(error).__name__}: {error}; tell whoever looks after the box"
        yield CheckResult("FAIL", name, f"not foreseen: {text}")
