"""Eye and gate in one thread: the real ones, with their messages passed by hand.

Every message goes through the real encoding. Before and after each, somebody may be killed: then
what the dead one does afterwards reaches nobody, and the next one finds the files as they were.
"""

import contextlib
import dataclasses
import shutil
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from edge.clock import SimulatedClock, Stop
from edge.errors import InputError
from edge.gate.client import RemoteGate
from edge.gate.debts import Debts
from edge.gate.keeper import Keeper
from edge.gate.lines.simulated import SimulatedLines
from edge.gate.messages import (
    VERSION,
    FromEye,
    Hello,
    Welcome,
    decode,
    encode,
)
from edge.record.seal import SealKey, set_up
from edge.record.verify import read_records, verify
from edge.record.written import WrittenRecords
from tests.crash.eye import findings_of_seal, is_good, open_eye, settings

MS = 1_000_000
APART_MS, DELAY_MS = 31, 700
BOOT = "a boot"


class Killed(BaseException):
    """The process is gone: nothing that it does from here on has any effect."""


class Kill:
    """Kills *victim*, the eye or the gate, at message number *at*, before or after it arrives.

    *seen*: how many messages there were.
    """

    def __init__(self, victim: str = "", at: int = 0, when: str = "before") -> None:
        self.victim, self.at, self.when = victim, at, when
        self.seen = 0
        self.done = False


class Box:
    """A gate with its lines, on which items come by, and the files of an eye."""

    def __init__(self, folder: Path, kill: Kill | None = None, *, sealed: bool = False) -> None:
        """*sealed*: the journal has a seal from its first record on."""
        self.clock, self.kill = SimulatedClock(5 * MS), kill or Kill()
        self.folder = folder
        self._eyes = 0
        self._debts: list[Debts] = []
        self.config = settings(folder / "eye-0")
        self.config.folder.mkdir(parents=True)
        self._verification_key = SealKey.first(bytes(32)) if sealed else None
        if self._verification_key is not None:
            set_up(self.journal, self._verification_key)
        self.seen: dict[tuple[str, int], int] = {}
        """The moments of the items that a gate saw, by its run and tag."""
        self.passed: set[tuple[str, int]] = set()
        """The items that a gate let by."""
        self.new_gate()

    @property
    def journal(self) -> Path:
        """The journal of the present eye."""
        return self.config.path(self.config.journal.file)

    def new_gate(self) -> None:
        """Start a gate, which takes over what is owed."""
        self.lines = SimulatedLines(self.clock, None, None)
        self.keeper = Keeper(self.config, self.lines, self.clock)
        self._debts.append(Debts(self.folder / "gate.sock.debts"))
        self.keeper.take_over(self._debts[-1], BOOT)
        self.keeper._queue.take_arrivals()

    def pass_items(self, count: int) -> None:
        """Let items come by."""
        for _ in range(count):
            self.clock.sleep_until(self.clock.now_ns() + APART_MS * MS)
            self.keeper._handle_item(self.clock.now_ns())
            self.seen[self.keeper.run, self.keeper._tag] = self.clock.now_ns()

    def arrive(self) -> None:
        """Let all that is under way come to the gate, and note what passes."""
        queue, end_ns = self.keeper._queue, self.clock.now_ns() + 2 * DELAY_MS * MS
        while (next_ns := queue.next_ns()) is not None and next_ns <= end_ns:
            self.clock.sleep_until(next_ns)
            queue.step(next_ns)
        self.clock.sleep_until(end_ns)
        for arrival in queue.take_arrivals():
            if not arrival.thrown:
                self.passed.add((self.keeper.run, arrival.sequence))
            elif arrival.let_pass:
                now_ns = self.clock.now_ns()
                self.keeper._incidents.add("thrown", arrival.sequence, now_ns, arrival.why)

    def kill_eye(self) -> None:
        """Leave the eye's files to the dead one, and go on with copies of them as they are."""
        self._eyes += 1
        folder = self.folder / f"eye-{self._eyes}"
        shutil.copytree(self.config.folder, folder)
        self.config = dataclasses.replace(self.config, folder=folder)

    @contextlib.contextmanager
    def eye(self) -> Iterator["Eye"]:
        """Open an eye; the gate hears at once when it is gone."""
        gate, stop = HandedGate(self), Stop()
        try:
            with open_eye(self.config, self.clock, gate) as station:
                yield Eye(self, station, stop)
        finally:
            stop.close()
            self.keeper.eye_lost()

    def close(self) -> None:
        """Close the files of all gates."""
        for debts in self._debts:
            debts.close()

    def findings(self) -> list[str]:
        """Return what is wrong with journal and items; everything must have arrived."""
        found: list[str] = []
        try:
            verified = verify(self.journal)
            found += findings_of_seal(self.journal, self._verification_key, verified)
        except InputError as error:
            return [str(error)]
        records = read_records(self.journal)
        items = [r for r in records if r["kind"] == "item"]
        named: dict[tuple[str, int], list[dict[str, Any]]] = {}
        for record in items:
            named.setdefault(self._name(record), []).append(record)
        found += [
            f"item {name} has {len(named.get(name, []))} records"
            for name in self.seen
            if len(named.get(name, [])) != 1
        ]
        found += [f"a record of no item: {name}" for name in named if name not in self.seen]
        told = {
            (r["gate_run"], r["tag"]) for r in records if r["kind"] == "incident" and "tag" in r
        }
        for name in self.passed:
            record = named.get(name, [{"verdict": "none", "reason": ""}])[0]
            let_pass = record["verdict"] == "pass" or "let the item pass" in record["reason"]
            if not (let_pass or name in told):
                found.append(f"item {name} passed, and its record says {record}")
            if not is_good(self.seen[name]):
                found.append(f"item {name} passed without the mark")
        if verified.items != len(items):
            found.append(f"{verified.items} verified of {len(items)}")
        return found

    def _name(self, record: dict[str, Any]) -> tuple[str, int]:
        """Return the item of a record; of one whose tag was not heard by its moment."""
        name = record["gate_run"], record["tag"]
        moments = {(run, t_ns): (run, tag) for (run, tag), t_ns in self.seen.items()}
        return name if record["tag"] else moments[record["gate_run"], record["trigger_ns"]]


class Eye:
    """An open eye."""

    def __init__(self, box: Box, station: Any, stop: Stop) -> None:
        self._box, self.station = box, station
        self._stop = stop

    def look(self) -> None:
        """Take one item, or an idle tick."""
        self.station.pass_item(self._box.clock.now_ns(), self._stop)

    def work(self, rounds: int = 200) -> None:
        """Judge and write down until nothing is owed."""
        for _ in range(rounds):
            if not self._box.keeper.unsettled:
                return
            self.look()
        raise AssertionError(f"{self._box.keeper.unsettled} items are still owed")


class HandedGate(RemoteGate):
    """The real client, whose messages are handed to the gate of a :class:`Box`."""

    def __init__(self, box: Box) -> None:
        super().__init__(box.config.path(box.config.gate.socket), "photo-eye", box.clock)
        self._box = box
        self._keeper = box.keeper
        self._dead = self._hung_up = False
        self._heard: deque[bytes] = deque()

    def _connect(self) -> None:
        self._written = WrittenRecords(self._box.config.path(self._box.config.journal.file))
        self._socket = cast(Any, self)
        self._send(Hello(VERSION, "photo-eye"))
        welcome = decode(self._heard.popleft())
        assert isinstance(welcome, Welcome)
        self._run = welcome.run

    def __enter__(self) -> "HandedGate":
        self._connect()
        return self

    def close(self) -> None:
        """Stand in for the socket's."""

    def shutdown(self, how: int) -> None:
        """Stand in for the socket's: nothing more is said or heard."""
        self._hung_up = True

    def send(self, datagram: bytes) -> int:
        """Hand a message to the gate, unless somebody is killed at it."""
        if self._hung_up:
            raise BrokenPipeError(32, "Broken pipe")
        message = decode(datagram)
        self._boundary("before")
        if self._keeper is not self._box.keeper:
            raise ConnectionResetError(104, "Connection reset by peer")
        if isinstance(message, Hello):
            self._heard.append(encode(self._keeper.accept_eye(message)))
        else:
            self._keeper.handle(cast(FromEye, message))
        self._boundary("after")
        return len(datagram)

    def recv(self, size: int) -> bytes:
        """Take the next message of the gate; none is left when it is gone."""
        if not self._heard or self._hung_up:
            return b""
        self._boundary("before")
        datagram = self._heard.popleft()
        self._boundary("after")
        return datagram

    def fileno(self) -> int:
        """Stand in for the socket's."""
        return -1

    def _readable(self, timeout_ns: int, stop: Stop | None) -> bool:
        if self._dead:
            raise Killed
        if self._keeper is self._box.keeper:
            self._keeper._report_incident()
            while self._keeper.outbox:
                self._heard.append(encode(self._keeper.outbox.popleft()))
        return bool(self._heard) or self._hung_up or self._keeper is not self._box.keeper

    def _boundary(self, when: str) -> None:
        """Count a message, and kill whose turn it is."""
        if self._dead:
            raise Killed
        kill = self._box.kill
        kill.seen += when == "before"
        if kill.done or kill.seen != kill.at or kill.when != when:
            return
        kill.done = True
        if kill.victim == "gate":
            self._box.new_gate()
        else:
            self._dead = True
            self._box.kill_eye()
            raise Killed
