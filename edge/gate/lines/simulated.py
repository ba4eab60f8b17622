"""Lines without hardware: outputs are recorded, inputs come from a socket or from a script.

To try the gate on a desk: ``[lines] driver = "simulated"``, ``[lines] inputs = "lines.sock"``, and
from any program

    printf '{"line": "trigger", "level": 1}' | socat - UNIX-SENDTO:lines.sock
    printf '{"line": "trigger", "level": 0}' | socat - UNIX-SENDTO:lines.sock

One datagram is one edge, stamped when it is read; an item that leaves the photo-eye is the second
one. ``"lost": 2`` says that two edges of the line before it were lost, ``"overflow": 2`` two edges
of any line.
"""

import contextlib
import heapq
import json
import socket
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

from edge.clock import Clock
from edge.errors import ConfigError
from edge.files import raise_if_no_room, remove_socket
from edge.gate.history import TransitionRecord
from edge.gate.lines import WireEvent
from edge.gate.log import Log
from edge.wiring import INPUTS, SAFE

LONGEST = 4096
"""Bytes of one datagram."""
FLASH_NS = 1_000_000
READ_AT_ONCE = 256
"""Most datagrams that are read before the gate looks at what is due."""
LOST_AT_MOST = 1000
"""Greatest number of lost edges in a datagram."""


class SimulatedLines:
    """Records every transition of the outputs; reads input events from a script and a socket.

    *record*: a file to which each transition is appended as a JSON line, None for none. *inputs*:
    where to make the socket, None for none. *script*: events, each read when its moment has
    come; a line of which it has several rises and no fall flashes (:func:`flashes`). *levels*: of
    the inputs at the start, low where it has none.

    Synchronization: one thread.
    """

    def __init__(
        self,
        clock: Clock,
        record: Path | None = None,
        inputs: Path | None = None,
        script: Iterable[WireEvent] = (),
        levels: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        self.record = TransitionRecord(clock, record)
        self._clock, self._path, self._log = clock, inputs, Log(clock)
        self._script = [(event.t_ns, number, event) for number, event in enumerate(flashes(script))]
        heapq.heapify(self._script)
        self._levels = dict.fromkeys(INPUTS, 0) | dict(levels)
        self._socket: socket.socket | None = None
        self._reported = False

    def __enter__(self) -> Self:
        self.record.open()
        self._rest()
        if self.record.trouble is not None:
            raise self.record.trouble
        if self._path is not None:
            self._socket = _listen(self._path)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._rest()
        self.record.close()
        if self._socket is not None and self._path is not None:
            self._socket.close()
            with contextlib.suppress(OSError):
                remove_socket(self._path)

    def filenos(self) -> Sequence[int]:
        """The input socket's descriptor; none when no socket is asked for."""
        return () if self._socket is None else (self._socket.fileno(),)

    def next_ns(self) -> int | None:
        """Return when the script's next edge is due."""
        return self._script[0][0] if self._script else None

    def read(self) -> list[WireEvent]:
        """Return the events that the script and the socket have; more of the socket's come next.

        A datagram that is no event is reported on stderr.
        """
        now_ns = self._clock.now_ns()
        events = []
        while self._script and self._script[0][0] <= now_ns:
            events.append(heapq.heappop(self._script)[2])
        events += self._received()
        for event in events:
            self._levels[event.line] = event.level
        return events

    def level(self, line: str) -> int:
        """Return the level that the last event left."""
        return self._levels[line]

    def set(self, line: str, level: int, tag: int | None = None) -> None:
        """Record the transition; a record that fails is reported once, and the gate goes on."""
        self.record.note(line, level, tag)
        if self.record.trouble is not None and not self._reported:
            self._reported = True
            self._log.say(str(self.record.trouble), always=True)

    def _rest(self) -> None:
        for line, level in SAFE.items():
            self.record.note(line, level, None)

    def _received(self) -> list[WireEvent]:
        events: list[WireEvent] = []
        if self._socket is None:
            return events
        with contextlib.suppress(BlockingIOError):
            for _ in range(READ_AT_ONCE):
                datagram = self._socket.recv(LONGEST)
                try:
                    events.append(_event(datagram, self._clock.now_ns()))
                except ValueError as error:
                    self._log.say(f"[lines] inputs: {error}")
        return events


def flashes(script: Iterable[WireEvent]) -> list[WireEvent]:
    """Return the script with the falls of each line that it gives as moments only, by its rises.

    Such a line falls again after a millisecond, or halfway to its next rise.

    >>> [(event.t_ns, event.level) for event in flashes(WireEvent("trigger", 1, t) for t in (4, 8))]
    [(4, 1), (8, 1), (6, 0), (1000008, 0)]
    """
    events = list(script)
    falls: list[WireEvent] = []
    for line in {event.line for event in events}:
        moments = sorted(event.t_ns for event in events if event.line == line)
        if len(moments) > 1 and all(event.level for event in events if event.line == line):
            later = [*((a + b) // 2 for a, b in pairwise(moments)), moments[-1] + FLASH_NS]
            falls += [
                WireEvent(line, 0, min(t_ns + FLASH_NS, fall_ns))
                for t_ns, fall_ns in zip(moments, later, strict=True)
            ]
    return events + falls


def _listen(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        remove_socket(path)
        listener.bind(str(path))
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise_if_no_room(error, path, "the inputs' socket")
        raise ConfigError(
            f"{path}: [lines] inputs must be where a socket can be made "
            f"({error.strerror or error}); correct it"
        ) from None
    return listener


def _event(datagram: bytes, now_ns: int) -> WireEvent:
    """Read one datagram. Raises ValueError."""
    try:
        said = json.loads(datagram)
    except RecursionError:
        raise ValueError(f"an edge must not be nested so deep: {datagram[:80]!r}") from None
    if (
        not isinstance(said, dict)
        or said.get("line") not in INPUTS
        or said.get("level") not in (0, 1)
    ):
        raise ValueError(
            f'an edge must read {{"line": "trigger", "level": 1}}, not {datagram[:80]!r}'
        )
    lost, overflow = (_count(said.get(key, 0), key) for key in ("lost", "overflow"))
    return WireEvent(said["line"], int(said["level"]), now_ns, lost, overflow)


def _count(value: object, key: str) -> int:
    if type(value) is not int or not 0 <= value <= LOST_AT_MOST:
        raise ValueError(f"{key} must be a whole number of 0 to {LOST_AT_MOST}, not {value!r}")
    return value
