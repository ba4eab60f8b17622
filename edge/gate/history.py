"""The history of the outputs: each transition, kept and recorded, and the pulses in it."""

import contextlib
import dataclasses
import json
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from edge.clock import Clock
from edge.errors import ConfigError, InputError, JournalError
from edge.files import check_ours, give_to_owner, raise_if_no_room
from edge.wiring import REJECT_LINE

TRANSITIONS_KEPT = 1000
"""Transitions kept in memory, a ring buffer; the record in the file holds all."""


@dataclass(frozen=True)
class Transition:
    """One change of an output's level.

    *level* 1 is high; *sequence*: the item it was for, None when it was for none.

    *sequence*: the item it was for, None when it was for none.

    Where the gate is a process of its own, the number is the gate's, which the journal calls
    ``tag``.
    """

    line: str
    level: int
    t_ns: int
    sequence: int | None


@dataclass(frozen=True)
class Pulse:
    """One time that the reject line was high, in monotonic nanoseconds.

    *sequence*: the first item it was for.
    """

    sequence: int | None
    start_ns: int
    end_ns: int


class TransitionRecord:
    """Keeps each transition, and appends it to a file as a JSON line (no fsync: it is no evidence).

    *path*: None for no file. *trouble*: why the file can no longer be written, None while it can.

    Synchronization: the caller's.
    """

    def __init__(self, clock: Clock, path: Path | None) -> None:
        self.transitions: deque[Transition] = deque(maxlen=TRANSITIONS_KEPT)
        self.trouble: JournalError | None = None
        self._clock, self._path = clock, path
        self._levels: dict[str, int] = {}
        self._file: IO[str] | None = None

    def open(self) -> None:
        """Open the file.

        Raises ConfigError when it cannot be written, GateError when there is no room for it.
        """
        if self._path is None:
            return
        try:
            check_ours(self._path)
            self._file = self._path.open("a", encoding="utf-8")
            give_to_owner(self._file.fileno(), self._path.absolute().parent)
        except InputError as error:
            raise ConfigError(f"[gate] record {error}") from None
        except OSError as error:
            raise_if_no_room(error, self._path, "the gate's record")
            raise ConfigError(
                f"{self._path}: [gate] record must be a file that can be written "
                f"({error.strerror}); name another"
            ) from None

    def note(self, line: str, level: int, sequence: int | None) -> None:
        """Record that *line* took *level*; does nothing when it had it already."""
        if self._levels.get(line) == level:
            return
        self._levels[line] = level
        transition = Transition(line, level, self._clock.now_ns(), sequence)
        self.transitions.append(transition)
        if self._file is not None:
            self._write(self._file, transition)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            with contextlib.suppress(OSError):  # it tries once more to write what did not fit
                self._file.close()
            self._file = None

    def _write(self, file: IO[str], transition: Transition) -> None:
        try:
            file.write(json.dumps(dataclasses.asdict(transition)) + "\n")
            file.flush()
        except OSError as error:
            # Raised later, by the station's thread: here the line must go on keeping its time.
            self.trouble = JournalError(
                f"{self._path}: the gate's record cannot be written "
                f"({error.strerror}); make room there"
            )
            self.close()


def read_transitions(path: Path) -> list[Transition]:
    """Read the file that a :class:`TransitionRecord` wrote."""
    return [
        Transition(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()
    ]


def pulses(transitions: Iterable[Transition]) -> list[Pulse]:
    """Return the pulses of the reject line: each rise with the fall that follows it.

    Other lines are left out.

    Other lines are left out.
    """
    found: list[Pulse] = []
    rise: Transition | None = None
    for transition in transitions:
        if transition.line != REJECT_LINE:
            continue
        if transition.level:
            rise = transition
        elif rise is not None:
            found.append(Pulse(rise.sequence, rise.t_ns, transition.t_ns))
            rise = None
    return found
