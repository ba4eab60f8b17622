"""A whole box on a simulated line with a reject bin, and the persons beside it, in simulated time.

Station, challenge test, journal and the gate's keeper are the real ones; camera and model are not.
"""

import contextlib
import heapq
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np

from edge.camera import Capture
from edge.camera.checks import FrameChecks
from edge.challenge.control import Challenges
from edge.challenge.guide import guide
from edge.challenge.link import Request
from edge.clock import SimulatedClock, Stop
from edge.config import Config
from edge.deciding.rules import Rules
from edge.decision import Verdict, fault
from edge.gate.client import RemoteGate
from edge.gate.keeper import Keeper
from edge.gate.lines import WireEvent
from edge.gate.lines.simulated import SimulatedLines
from edge.gate.messages import (
    VERSION,
    Answer,
    Answered,
    Beat,
    Beaten,
    FromEye,
    Hello,
    Incident,
    ItemSeen,
    Missed,
    Recorded,
    Settle,
    Withdraw,
)
from edge.gate.peers import Peer
from edge.gate.rejects import Outcome
from edge.process.notify import Notifier
from edge.record.evidence import Evidence
from edge.record.health import Health
from edge.record.journal import Journal
from edge.record.verify import read_records
from edge.sections.camera import CameraSettings
from edge.sections.challenge import ChallengeSettings
from edge.sections.gate import GateSettings, LinesSettings
from edge.sections.records import EvidenceSettings, JournalSettings
from edge.sections.trigger import TriggerSettings
from edge.sight.inspector import Inspector
from edge.station import Station
from edge.trigger import GateTrigger
from edge.wiring import FAULT_LINE, READY_LINE, REJECT_LINE
from tests.camera_doubles import CameraDouble

MS = 1_000_000
HOUR_MS = 3_600_000
DELAY_MS, CONFIRM_MS = 400.0, 300.0
WALL_NS = 1_800_000_000 * 10**9


@dataclass
class Ways:
    """How the line and the box behave; all well unless a test says otherwise.

    *valve*: how often a thrown item shows in the bin. *seen*: the verdict of the model on each kind
    of item. *slow_ms*: how long it looks.
    """

    valve: int = 1
    seen: dict[str, str] = field(default_factory=lambda: {"bad": "reject", "good": "pass"})
    slow_ms: float = 20.0


class Wires(SimulatedLines):
    """Lines with a bin: what is thrown shows at its photo-eye a little later."""

    ways = Ways()

    def push(self, line: str, at_ns: int) -> None:
        """Let an input flash at a moment."""
        for level, t_ns in ((1, at_ns), (0, at_ns + 5 * MS)):
            event = (t_ns, id(object()), WireEvent(line, level, t_ns))
            heapq.heappush(self._script, event)

    def set(self, line: str, level: int, tag: int | None = None) -> None:
        """Drive the output, and let what is thrown fall into the bin."""
        super().set(line, level, tag)
        if line == REJECT_LINE and level and tag is not None:
            for number in range(self.ways.valve):
                self.push("confirm", self._clock.now_ns() + (50 + 150 * number) * MS)


class KeptGate:
    """The gate's keeper in this process, spoken to as :class:`RemoteGate` does."""

    def __init__(self, keeper: Keeper) -> None:
        self.keeper = keeper
        self._told: deque[ItemSeen | Missed] = deque()
        self._incidents: list[Incident] = []
        self._trouble = self._hold = ""
        self._beaten = Beaten({}, "")
        self._open = False

    def open(self) -> None:
        """Say hello, with the hold that is known by then."""
        self.keeper.accept_eye(Hello(VERSION, "photo-eye", hold=self._hold))
        self._open = True

    def _say(self, message: FromEye, kind: type[Any] | None = None) -> Any:
        self.keeper.handle(message)
        self.keeper.act()
        return self._hear(kind)

    def _hear(self, kind: type[Any] | None = None) -> Any:
        reply = None
        while self.keeper.outbox:
            told = self.keeper.outbox.popleft()
            if isinstance(told, ItemSeen | Missed):
                self._told.append(told)
            elif isinstance(told, Incident):
                self._incidents.append(told)
            elif kind is not None and isinstance(told, kind):
                reply = told
        return reply

    def answer(self, tag: int, *, cancel: bool) -> Outcome:
        """Answer for an item."""
        return cast(Outcome, self._say(Answer(tag, cancel), Answered).outcome)

    def settle(self, tag: int, *, written: bool) -> None:
        """Close an item."""
        self._say(Settle(tag) if written else Withdraw(tag))

    def incidents(self) -> list[Incident]:
        """Return what the gate has reported."""
        told, self._incidents = self._incidents, []
        return told

    def recorded(self, incident: Incident) -> None:
        """Close an incident."""
        self._say(Recorded(incident.number))

    def show_fault(self, trouble: str) -> None:
        """Tell the gate what is wrong here."""
        self._trouble = trouble
        self.check()

    def hold(self, why: str) -> None:
        """Let READY rest."""
        self._hold = why
        if self._open:
            self.check()

    def check(self) -> None:
        """Exchange heartbeats."""
        self._beaten = self._say(Beat(self._trouble, self._hold), Beaten)

    @property
    def facts(self) -> dict[str, object]:
        """The gate's run, trouble and counters."""
        return {"run": "1-1", "trouble": self._beaten.trouble, **self._beaten.counters}

    def next_item(self, until_ns: int, stop: Stop) -> ItemSeen | Missed | None:
        """Wait until *until_ns* for an item."""
        clock = self.keeper._clock
        while True:
            self.keeper.act()
            self._hear()
            if self._told:
                return self._told.popleft()
            if stop.reason or clock.now_ns() >= until_ns:
                return None
            clock.sleep_until(min(until_ns, clock.now_ns() + 5 * MS))


class Pictures(CameraDouble):
    """A camera whose pictures are only numbered."""

    def __init__(self, clock: SimulatedClock) -> None:
        super().__init__()
        self._clock = clock

    def capture(self, after_ns: int) -> Capture:
        """Give the next one."""
        self._shown += 1
        frame = np.full((8, 8, 3), 60 + self._shown % 100, np.uint8)
        return Capture(frame, self._clock.now_ns(), self._shown, f"picture {self._shown}")


class Model:
    """Knows what was laid on; tells it as :class:`Ways` says."""

    def __init__(self, box: "Box") -> None:
        self.rules, self._box = Rules.plain({"dot"}, 0.5), box

    def inspect(self, *_: Any) -> Verdict:
        """Take its time, and judge the item in front of it."""
        box = self._box
        box.clock.sleep_until(box.clock.now_ns() + round(box.ways.slow_ms * MS))
        kind = box.ways.seen[box.laid.popleft()]
        if kind == "fault":
            return fault("the picture is black")
        return Verdict(kind, f"{kind} by the model", (), code="found")  # type: ignore[arg-type]


class Persons:
    """Whoever speaks to the service: a link without a socket."""

    trouble = ""

    def __init__(self) -> None:
        self.waiting: deque[Request] = deque()
        self.gone: list[Peer] = []

    def requests(self) -> Iterator[Request]:
        """Yield what was asked."""
        while self.waiting:
            yield self.waiting.popleft()

    def is_there(self, peer: Peer | None) -> bool:
        """Tell whether he is still there."""
        return not any(one is peer for one in self.gone)


@dataclass
class _Asked(Request):
    told: dict[str, Any] = field(default_factory=dict)

    def reply(self, fields: dict[str, Any]) -> None:
        """Keep the reply."""
        self.told = fields


class Box:
    """The box, its line, and an operator whose process is *peer*."""

    def __init__(self, folder: Path, clock: SimulatedClock, config: Config, ways: Ways) -> None:
        self.folder, self.clock, self.config, self.ways = folder, clock, config, ways
        self.laid: deque[str] = deque()
        self.persons, self.peer = Persons(), Peer(1, 0)
        self.wall_ns, self.synced = WALL_NS, True
        self.heard: list[str] = []
        self.stop = Stop()
        self.station: Station
        self.challenges: Challenges
        self.lines: Wires

    def run(self, ms: float) -> None:
        """Let time pass for the service."""
        until_ns = self.clock.now_ns() + round(ms * MS)
        while self.clock.now_ns() < until_ns:
            self.station.pass_item(min(until_ns, self.clock.now_ns() + 100 * MS), self.stop)

    def lay(self, kind: str) -> None:
        """Lay an item on, which is at the photo-eye at once."""
        self.laid.append(kind)
        self.lines.push("trigger", self.clock.now_ns() + 5 * MS)

    def pass_by(self, *kinds: str) -> None:
        """Let products come by, one after the other, to their ends."""
        for kind in kinds:
            self.lay(kind)
            self.run(DELAY_MS + CONFIRM_MS + 300)

    def ask(self, say: str, peer: Peer | None = None, **fields: Any) -> dict[str, Any]:
        """Ask the service as the operator, or as another *peer*."""
        request = _Asked(say, peer=peer or self.peer, **fields)
        self.persons.waiting.append(request)
        self.run(100)
        return request.told

    def guided(
        self,
        typed: Callable[[str, int], str | None] = lambda _text, _number: None,
        laid: Callable[[str, int], list[str]] = lambda kind, _number: [kind],
    ) -> bool:
        """Go through a test with the terminal's guide, and return whether it was passed.

        *typed*: what the operator types at a question, by its number from 1; None for what is
        right. *laid*: what he lays on when he is told to.
        """
        asked, told = 0, 0

        def ask(text: str) -> str:
            nonlocal asked
            asked += 1
            right = "yes" if text.endswith("quit) ") else "good" if "GOOD" in text else "bad"
            wanted = typed(text, asked)
            return right if wanted is None else wanted

        def say(text: str) -> None:
            nonlocal told
            self.heard.append(text)
            if ": lay the " in text:
                told += 1
                for kind in laid("good" if "GOOD" in text else "bad", told):
                    self.lay(kind)

        return guide(self, "start", "Ada", ask, say, lambda s: self.run(s * 1000))

    def ready(self) -> bool:
        """Whether READY beats now."""
        since_ns = self.clock.now_ns() - 200 * MS
        return any(e.line == READY_LINE and e.t_ns > since_ns for e in self.transitions)

    def fault(self) -> bool:
        """Whether FAULT shows."""
        return bool([e.level for e in self.transitions if e.line == FAULT_LINE][-1])

    @property
    def transitions(self) -> list[Any]:
        """All changes of the outputs."""
        return list(self.lines.record.transitions)

    def records(self, what: str = "") -> list[dict[str, Any]]:
        """The journal's records of the challenge test."""
        return [
            record
            for record in read_records(self.folder / "journal.jsonl")
            if record["kind"] == "challenge" and what in ("", record["what"])
        ]

    def verdicts(self) -> list[tuple[str, str]]:
        """Verdict and code of each item in the journal."""
        return [
            (record["verdict"], record["code"])
            for record in read_records(self.folder / "journal.jsonl")
            if record["kind"] == "item"
        ]


def config_of(challenge: dict[str, Any], *, wired: bool) -> Config:
    """The settings of the box; *wired*: whether it has a photo-eye at the bin."""
    return Config(
        camera=CameraSettings(allow_repeats=True, covered_below=0.0, black_below=0.0),
        trigger=TriggerSettings(kind="photo-eye"),
        gate=GateSettings(
            driver="process",
            reject_delay_ms=DELAY_MS,
            pulse_ms=20.0,
            confirm_ms=CONFIRM_MS,
            ready_stops_belt=False,
        ),
        lines=LinesSettings(trigger="EYE", confirm="BIN" if wired else ""),
        challenge=ChallengeSettings(**challenge),
    )


def challenges_of(made: Box, journal: Journal, gate: RemoteGate, setup: str) -> Challenges:
    """The challenge test of the box, by the clocks that the test sets."""
    began_ns = made.clock.now_ns()
    return Challenges(
        made.config,
        journal,
        made.clock,
        gate,
        made.persons,
        setup,
        wall_ns=lambda: made.wall_ns + made.clock.now_ns() - began_ns,
        synced=lambda: made.synced,
    )


def station_of(
    made: Box, journal: Journal, gate: RemoteGate, notifier: Notifier, evidence: Evidence
) -> Station:
    """The station of the box."""
    return Station(
        trigger=GateTrigger(gate, 10**9, made.clock),
        camera=Pictures(made.clock),
        checks=FrameChecks(made.config.camera),
        inspector=cast(Inspector, Model(made)),
        gate=gate,
        evidence=evidence,
        journal=journal,
        health=Health(journal, evidence, JournalSettings(), made.clock),
        notifier=notifier,
        clock=made.clock,
        challenges=made.challenges,
    )


@contextlib.contextmanager
def box(
    folder: Path,
    clock: SimulatedClock | None = None,
    ways: Ways | None = None,
    *,
    wired: bool = True,
    synced: bool = True,
    wall_ns: int = WALL_NS,
    setup: str = "setup",
    **challenge: Any,
) -> Iterator[Box]:
    """Open the box; what the folder's journal holds is its past."""
    clock, ways = clock or SimulatedClock(1000 * MS), ways or Ways()
    config = config_of(challenge, wired=wired)
    made = Box(folder, clock, config, ways)
    made.wall_ns, made.synced = wall_ns, synced
    lines = made.lines = Wires(clock)
    lines.ways = ways
    gate = KeptGate(Keeper(config, lines, clock))
    spoken = cast(RemoteGate, gate)
    with (
        lines,
        Journal(folder / "journal.jsonl", clock) as journal,
        Notifier() as notifier,
        Evidence(None, EvidenceSettings()) as evidence,
    ):
        made.challenges = challenges_of(made, journal, spoken, setup)
        spoken.hold(made.challenges.begin())
        timer = clock.start_timer(gate.keeper)
        gate.keeper.begin()
        gate.open()
        made.station = station_of(made, journal, spoken, notifier, evidence)
        made.run(600)
        yield made
        timer.stop()
    made.stop.close()
