"""What the service knows of the release that it runs: kept in a file that the service writes.

The store belongs to root, and the service's user can only choose between the two releases that root
has made current, the present and the one before: a release that has failed its probation is given
up here.
"""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from edge.files import read_bounded, write_atomic
from edge.printing import printable
from edge.strict_json import read_object

MOST_BYTES = 65_536
MOST_TEXT = 1000
Result = Literal["", "passed", "failed"]
"""How the probation ended; empty while it lasts."""


@dataclass(frozen=True)
class ReleaseState:
    """How the release of an activation does.

    *activation*: the number of the action that made it current; *result*: how its probation ended;
    *why*: in words; *kills*: how often its probation was ended by a kill or an error that nobody
    foresaw; *open*: whether a run of it goes on, in the boot *boot*; *told*: the last action of the
    store that stands in the journal.
    """

    activation: int = 0
    result: Result = ""
    why: str = ""
    kills: int = 0
    open: bool = False
    boot: str = ""
    told: int = 0

    def of(self, activation: int) -> "ReleaseState":
        """Return the state of that activation: a fresh one where this is of another."""
        if self.activation == activation:
            return self
        return ReleaseState(activation=activation, told=self.told)

    def failed(self, why: str) -> "ReleaseState":
        """Return it with the release given up."""
        return dataclasses.replace(self, result="failed", why=printable(why)[:MOST_TEXT])

    def begun(self, boot: str) -> "ReleaseState":
        """Return it with one more run begun in the boot *boot*.

        One that was open in the same boot was killed. Over a restart of the machine nobody can
        tell: the power may have been cut.
        """
        killed = self.open and self.boot == boot
        return dataclasses.replace(self, kills=self.kills + killed, open=True, boot=boot)

    def to_json(self) -> str:
        """Serialize as one JSON text."""
        return json.dumps({"v": 1, **dataclasses.asdict(self)}, sort_keys=True) + "\n"


def read_state(path: Path) -> ReleaseState:
    """Read the state; a fresh one where there is none or it is damaged: the probation begins anew.

    Raises OSError when it may not be read.
    """
    try:
        return _state(read_object(read_bounded(path, MOST_BYTES).decode(), MOST_BYTES))
    except FileNotFoundError:
        return ReleaseState()
    except (ValueError, KeyError, TypeError):
        return ReleaseState()


def write_state(path: Path, state: ReleaseState) -> None:
    """Replace the state atomically, and bring it onto the disk. Raises InputError."""
    write_atomic(path, state.to_json().encode())


def _state(raw: Mapping[str, Any]) -> ReleaseState:
    """Make a state of its JSON. Raises ValueError, KeyError or TypeError."""
    names = [entry.name for entry in dataclasses.fields(ReleaseState)]
    if set(raw) != {"v", *names} or raw["v"] != 1:
        raise ValueError("it must have the fields of version 1")
    whole = [raw[key] for key in ("activation", "kills", "told")]
    if not all(type(n) is int and n >= 0 for n in whole) or type(raw["open"]) is not bool:
        raise ValueError("a number is none")
    if raw["result"] not in ("", "passed", "failed"):
        raise ValueError("the result is none")
    if not all(type(raw[key]) is str for key in ("why", "boot")):
        raise ValueError("a text is none")
    return ReleaseState(**{name: raw[name] for name in names})
