"""The self-test behind ``stampgate-edge check``.

:mod:`~edge.selftest.sight` checks camera and model, :mod:`~edge.selftest.wires` the GPIO lines,
:mod:`~edge.selftest.box` disk, clock, watchdogs and power. Each check is a generator that yields
one :class:`CheckResult` a line. It may raise StampgateError, whose text says what is wrong.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from edge.errors import StampgateError

State = Literal["ok", "WARN", "FAIL"]
"""WARN: the box works, but needs attention. FAIL: it must not be trusted on a production line."""


@dataclass(frozen=True)
class CheckResult:
    """Result of one check: the thing, its state, the figure and, unless it is ok, the next step."""

    state: State
    what: str
    said: str

    def __str__(self) -> str:
        """Lay it out as one line of text.

        >>> print(CheckResult("ok", "clock", "synchronised"))
        ok   clock             synchronised
        """
        return f"{self.state:<4} {self.what:<17} {self.said}"


def run_check(what: str, check: Iterable[CheckResult]) -> Iterator[CheckResult]:
    """Yield the results of *check*; an exception becomes a FAIL of *what*, so that others go on."""
    try:
        yield from check
    except StampgateError as error:
        yield CheckResult("FAIL", what, str(error))
    except Exception as error:  # noqa: BLE001 - a self-test must survive what it did not foresee
        said = f"{type(error).__name__}: {error}; tell whoever looks after the box"
        yield CheckResult("FAIL", what, f"not foreseen: {said}")
