"""Who is at the line: the gate's process, the eye's, the line's control (PLC), and an operator."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

from edge.config import Config
from edge.gate.keeper import Keeper
from edge.gate.messages import (
    VERSION,
    Answer,
    Answered,
    Beat,
    FromGate,
    Hello,
    Incident,
    ItemSeen,
    Missed,
    Recorded,
    Settle,
    Welcome,
)
from edge.wiring import FAULT_LINE, READY_LINE
from tests.belt.world import MS, Agenda, Clock, Wires, World

LATEST_NS = 100 * MS
"""``[trigger] latest_ms``: an item that waited longer for the eye is a FAULT."""


@dataclass(frozen=True)
class Record:
    """A line of the journal: an item, an incident, or that a new gate began.

    *verdict*: that of an item, an incident's word, or ``swept``.
    """

    kind: str
    run: str
    tag: int
    verdict: str
    t_ns: int
    """When it was written."""
    trigger_ns: int = 0
    reason: str = ""


@dataclass
class Journal:
    """What was written down."""

    records: list[Record] = field(default_factory=list)

    def last_item(self) -> tuple[str, int]:
        """The last item's run and tag, as a new eye reads them."""
        items = [(record.run, record.tag) for record in self.records if record.kind == "item"]
        return items[-1] if items else ("", 0)


class GateProcess:
    """The gate's process: alive or dead, free or held up."""

    def __init__(self, config: Config, wires: Wires, clock: Clock) -> None:
        self.config, self.wires, self.clock = config, wires, clock
        self.keeper: Keeper | None = None
        self.held_until_ns = 0
        self.runs: list[Keeper] = []
        self.dead: list[tuple[int, int]] = []
        """Times in which there was none."""
        self.troubles: list[tuple[int, str]] = []
        """Each trouble that the gate showed, and when it began to."""
        self._died_ns = self._held_ns = clock.t_ns

    def start(self) -> None:
        """Begin a new process."""
        self.dead.append((self._died_ns, self.clock.t_ns))
        self.wires.taken()
        self.keeper = Keeper(self.config, self.wires, self.clock)  # type: ignore[arg-type]
        self.runs.append(self.keeper)
        self.held_until_ns = 0
        self.keeper.begin()

    def kill(self) -> None:
        """Die at once; the kernel lets the outputs go. READY rests since it was held up."""
        self.keeper = None
        self._died_ns = self._held_ns if self.held else self.clock.t_ns
        self.wires.taken()

    def hold_up(self, ms: int) -> None:
        """Do nothing for a while."""
        self._held_ns, self.held_until_ns = self.clock.t_ns, self.clock.t_ns + ms * MS

    @property
    def held(self) -> bool:
        """Whether it does nothing now."""
        return self.clock.t_ns < self.held_until_ns

    def next_ns(self) -> int | None:
        """Return when it acts next by itself."""
        moment = None if self.keeper is None else self.keeper.next_ns()
        if self.keeper is not None and self.wires.waiting:
            moment = self.clock.t_ns
        return None if moment is None else max(moment, self.held_until_ns)

    def act(self, due_ns: int | None) -> None:
        """Do what is due, by :meth:`next_ns` before, unless it is dead or held up."""
        if self.keeper is None or self.held:
            return
        if self.wires.waiting or (due_ns is not None and due_ns <= self.clock.t_ns):
            self.keeper.act()
            self.note_trouble()

    def note_trouble(self) -> None:
        """Note what the gate shows."""
        if self.keeper is not None:
            trouble = self.keeper.trouble if self.wires.outputs[FAULT_LINE] else ""
            if not self.troubles or self.troubles[-1][1] != trouble:
                self.troubles.append((self.clock.t_ns, trouble))


@dataclass(frozen=True)
class Habits:
    """How the eye behaves. *latency_ms*: shortest and longest; the rest are shares of the items."""

    latency_ms: tuple[int, int] = (5, 40)
    slow: float = 0.0
    dies: float = 0.0
    hangs: float = 0.0
    back_ms: int = 300


class Eye:
    """The eye's process: judges what it is told of, writes it down, and may hang or die."""

    def __init__(
        self, gate: GateProcess, world: World, agenda: Agenda, habits: Habits, rng: Random
    ) -> None:
        self.gate, self.world, self.agenda, self.habits, self.rng = gate, world, agenda, habits, rng
        self.clock = world.clock
        self.journal = Journal()
        self.life = 0
        """Counts its lives; what a life before had begun does nothing."""
        self.connected = False
        self._run = ""
        self._peer: Keeper | None = None
        self._busy_until_ns = 0
        self._written = ("", 0)

    def begin(self) -> None:
        """Start, and connect to the gate; try again later while there is none."""
        keeper = self.gate.keeper
        if self.connected:
            return
        if keeper is None or self.gate.held:
            self.agenda.after(50 * MS, self.begin)
            return
        self.life += 1
        self._written = self.journal.last_item()
        reply = keeper.accept_eye(Hello(VERSION, "photo-eye"))
        assert isinstance(reply, Welcome)
        self.connected, self._run, self._busy_until_ns = True, reply.run, 0
        self._peer = keeper
        if self._written[0] not in ("", reply.run):
            self._write("incident", 0, "swept", 0, "a new gate began")
        self._say(None)
        self._beat(self.life)

    def die(self) -> None:
        """Be killed; systemd starts a new one."""
        if not self.connected:
            return
        self.connected = False
        self.life += 1
        if (keeper := self.gate.keeper) is not None:
            seen_ns = max(self.clock.t_ns, self.gate.held_until_ns)
            self.agenda.at(seen_ns, lambda: self._lost_by(keeper))
            back_ns = seen_ns + self.habits.back_ms * MS
        else:
            back_ns = self.clock.t_ns + self.habits.back_ms * MS
        self.agenda.at(back_ns, self.begin)

    def _lost_by(self, keeper: Keeper) -> None:
        """Let the gate notice that this eye has left."""
        if keeper is self.gate.keeper:
            keeper.eye_lost()
            self._act()

    def hang(self) -> None:
        """Say nothing any more, until the watchdog kills it."""
        self.life += 1
        life = self.life
        self.agenda.after(2_000 * MS, lambda: self.die() if self.life == life else None)

    def listen(self) -> None:
        """Take what the gate has said unasked."""
        keeper = self._gate()
        while self.connected and keeper is not None and keeper.outbox:
            self._hear(keeper.outbox.popleft())

    def _gate(self) -> Keeper | None:
        """Return the gate that it is connected to; None when that is gone, and the link with it."""
        return self._peer if self._peer is self.gate.keeper else None

    def _beat(self, life: int) -> None:
        if life != self.life or not self.connected:
            return
        if self._gate() is None:
            self.die()
            return
        self._say(Beat(""))
        self.agenda.after(200 * MS, lambda: self._beat(life))

    def _say(self, message: Any) -> None:
        """Send a message; the gate reads it when it can."""
        keeper, life = self._gate(), self.life
        if keeper is None:
            self.die()
            return
        if self.gate.held:
            self.agenda.at(
                self.gate.held_until_ns,
                lambda: self._say(message) if life == self.life else None,
            )
            return
        if message is not None:
            keeper.handle(message)
        self._act()
        self.listen()

    def _act(self) -> None:
        if self.gate.keeper is not None and not self.gate.held:
            self.gate.keeper.act()
            self.gate.note_trouble()

    def _hear(self, message: FromGate) -> None:
        life = self.life
        if isinstance(message, ItemSeen):
            begin_ns = max(self.clock.t_ns, self._busy_until_ns)
            self._busy_until_ns = begin_ns + self._latency_ns()
            fit = begin_ns - message.t_ns <= LATEST_NS
            stamped = fit and self._stamped(message.t_ns)
            self.agenda.at(
                self._busy_until_ns, lambda: self._judge(message.tag, message.t_ns, stamped, life)
            )
        elif isinstance(message, Missed):
            if (self._run, message.tag) == self._written:
                self._later(Settle(message.tag), life)
            else:
                self.agenda.after(
                    5 * MS, lambda: self._judge(message.tag, message.t_ns, False, life, message.why)
                )
        elif isinstance(message, Incident):
            self._write("incident", message.tag, message.what, message.t_ns, message.why)
            self._later(Recorded(message.number), life)

    def _later(self, message: Any, life: int) -> None:
        self.agenda.after(1 * MS, lambda: self._say(message) if life == self.life else None)

    def _latency_ns(self) -> int:
        low, high = self.habits.latency_ms
        slow = 12 if self.rng.random() < self.habits.slow else 1
        return self.rng.randint(low, high) * slow * MS

    def _stamped(self, t_ns: int) -> bool:
        """Whether the picture shows a stamp: that of the item which made the edge at *t_ns*."""
        shown = [product for product in self.world.products if t_ns in product.seen]
        return bool(shown) and all(product.stamped for product in shown)

    def _judge(self, tag: int, t_ns: int, stamped: bool, life: int, why: str = "") -> None:
        if life != self.life or not self.connected:
            return
        if self.rng.random() < self.habits.hangs:
            self.hang()
            return
        keeper = self._gate()
        if keeper is None:
            self._write("item", tag, "fault", t_ns, "the gate is lost")
            self.die()
            return
        if self.gate.held:
            self.agenda.at(
                self.gate.held_until_ns, lambda: self._judge(tag, t_ns, stamped, life, why)
            )
            return
        keeper.handle(Answer(tag, stamped))
        outcome = next(m.outcome for m in keeper.outbox if isinstance(m, Answered))
        for message in [m for m in keeper.outbox if isinstance(m, Answered)]:
            keeper.outbox.remove(message)
        self._act()
        if self.rng.random() < self.habits.dies / 2:
            self.die()
            return
        verdict = "fault" if why else "pass" if outcome == "cancelled" else "reject"
        self._write("item", tag, verdict, t_ns, why or outcome)
        if self.rng.random() < self.habits.dies / 2:
            self.die()
            return
        self._say(Settle(tag))

    def _write(self, kind: str, tag: int, verdict: str, t_ns: int, why: str) -> None:
        record = Record(kind, self._run, tag, verdict, self.clock.t_ns, t_ns, why)
        self.journal.records.append(record)


class Control:
    """The line's control: it lets the belt run while READY beats, and stops it when it rests.

    Where *stops* is False the belt runs on, and what passes is taken off further down.
    """

    REST_NS = 750 * MS
    """Nearly four times ``ready_ms``, as the wiring's page asks for."""

    def __init__(self, world: World, agenda: Agenda, rng: Random, quarter_ns: int) -> None:
        self.world, self.agenda, self.rng, self.quarter_ns = world, agenda, rng, quarter_ns
        self.stops = True
        self.hands_off = True
        """False while somebody has his hands on the belt."""
        self.may_run = False
        self.beaten_ns = 0
        self._beats = 0
        inner = world.wires.changed

        def changed(line: str) -> None:
            inner(line)
            if line == READY_LINE:
                self._beat()

        world.wires.changed = changed

    def _beat(self) -> None:
        self.beaten_ns, self._beats = self.world.clock.t_ns, self._beats + 1
        beaten_ns = self.beaten_ns
        self.agenda.after(self.REST_NS, lambda: self._rest(beaten_ns))
        if not self.may_run and self._beats > 2:
            self.may_run = True
            self.agenda.after(self.rng.randint(20, 300) * MS, self.go)

    def _rest(self, beaten_ns: int) -> None:
        if beaten_ns == self.beaten_ns:
            self.may_run, self._beats = False, 0
            if self.stops:
                self.world.run(0, self.quarter_ns)

    def go(self) -> None:
        """Let the belt run if it may."""
        if (self.may_run or not self.stops) and self.hands_off:
            self.world.run(1, self.quarter_ns)
