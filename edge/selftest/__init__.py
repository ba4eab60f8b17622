"""What ``stampgate-edge check`` looks at.

:mod:`~edge.selftest.sight` looks at camera and model, :mod:`~edge.selftest.wires` at the GPIO
lines, :mod:`~edge.selftest.box` at disk, clock, watchdogs and power. A look yields what it saw, one
:class:`Seen` a line. It may raise StampgateError, whose text says what is wrong.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from edge.errors import StampgateError

State = Literal["ok", "WARN", "FAIL"]
"""WARN: the box works, and somebody should look. FAIL: it must not be trusted with a line."""


@dataclass(frozen=True)
class Seen:
    """One thing, how it is, the figure, and, where it is not well, what to do next."""

    state: State
    what: str
    said: str

    def __str__(self) -> str:
        """Lay it out as a line.

        >>> print(Seen("ok", "clock", "synchronised"))
        ok   clock             synchronised
        """
        return f"{self.state:<4} {self.what:<17} {self.said}"


def told(what: str, look: Iterable[Seen]) -> Iterator[Seen]:
    """Yield what a *look* sees; whatever ends it early is a FAIL of *what*, and the other looks go
    on.
    """
    try:
        yield from look
    except StampgateError as error:
        yield Seen("FAIL", what, str(error))
    except Exception as error:  # noqa: BLE001 - a self-test that dies at its first surprise would not help
        yield Seen(
            "FAIL",
            what,
            f"not foreseen: {type(error).__name__}: {error}; tell whoever looks after the box",
        )
