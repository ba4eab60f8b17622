"""One random history of a production line, made from a seed and repeatable by it."""

from dataclasses import dataclass, replace
from random import Random

from edge.config import Config
from edge.sections.gate import GateSettings, LinesSettings
from edge.sections.trigger import TriggerSettings
from edge.wiring import CONFIRM, ENCODER_A, FAULT_LINE, TRIGGER, check_gate
from tests.belt.line import Control, Eye, GateProcess, Habits, Journal
from tests.belt.world import MS, Agenda, Build, Clock, Product, Wires, World

DELAY_COUNTS = 12
PULSE_MS, CONFIRM_EARLIEST_MS, CONFIRM_MS = 20.0, 30.0, 220.0
BELT_START_MS = 750.0
"""From READY's first beat: the control waits for two more, and the belt up to 300 ms after them."""
LONGEST = 8
"""Quarters of the longest single item."""
LOOK_NS, QUIET_NS = 50 * MS, 2_000 * MS
"""How often it is looked whether all items have left, and how long what they leave may take."""
IDLE_MOST = 1000
"""Most often that the gate may act at one moment."""
END_NS = 60_000 * MS
"""A history that lasts longer is one in which nothing goes on any more."""


@dataclass(frozen=True)
class Plan:
    """What a history is made of; *incidents*: kinds of things that happen, one each time named."""

    seed: int
    build: Build
    habits: Habits
    by_counts: bool
    quarter_ms: int
    gaps: tuple[int, ...]
    """Quarters from the front of each item to that of the next."""
    lengths: tuple[int, ...]
    stamped: tuple[bool, ...]
    failing: tuple[bool, ...]
    """Whether the valve fails for the item."""
    events: tuple[tuple[int, str], ...]
    """What happens when the belt has come so far, in quarters."""
    room: int = 1024
    spacing_ms: float = 0.0
    merge_gap_ms: float = 0.0
    stops: bool = True
    """Whether the belt stops while READY rests."""


KINDS = (
    "eye dies", "eye hangs", "gate dies", "gate held up", "gate held up long", "stop", "slow",
    "back", "hands, reset", "hand takes", "hand puts", "hand moves", "reset", "stray confirm",
    "stray trigger", "encoder loss", "eye loss",
)  # fmt: skip

QUIET = ("eye dies", "stop", "slow", "hand takes", "gate held up")
"""Those after which nothing is thrown that nobody knows."""


def plan(seed: int) -> Plan:
    """Draw a plan; the same seed draws the same."""
    rng = Random(seed)
    by_counts = rng.random() < 0.7
    confirm = rng.random() < 0.6
    build = Build(
        distance=4 * DELAY_COUNTS,
        tracks=rng.choice((1, 2, 2)) if by_counts else rng.choice((0, 0, 2)),
        confirm=confirm,
        accepts=rng.random() < 0.25,
        bounces=rng.choice((0.0, 0.3)),
        valve_fails=rng.choice((0.0, 0.0, 0.15)) if confirm else 0.0,
    )
    habits = Habits(
        slow=rng.choice((0.0, 0.1)), dies=rng.choice((0.0, 0.0, 0.1)),
        hangs=rng.choice((0.0, 0.0, 0.05)), back_ms=rng.choice((100, 300, 900)),
    )  # fmt: skip
    number = rng.randint(2, 9)
    lengths = tuple(rng.randint(2, LONGEST) for _ in range(number))
    gaps = tuple(length + rng.choice((2, 6, 16, 16, 30, 60)) for length in lengths)
    travel = sum(gaps) + 2 * build.distance
    if build.tracks == 1:  # after each stop all is thrown, known or not
        build = replace(build, valve_fails=0.0)
    fails = build.valve_fails > 0
    kinds = rng.sample(QUIET if fails else KINDS, rng.choice((0, 1, 1, 2, 3)))
    if fails:  # while a stretch is thrown nobody can tell that one of it is missing
        habits = replace(habits, dies=0.0, hangs=0.0)
    events = sorted((rng.randint(1, travel), kind) for kind in kinds)
    return Plan(
        seed, build, habits, by_counts,
        quarter_ms=rng.randint(3, 8), gaps=gaps, lengths=lengths,
        stamped=tuple(rng.random() < 0.6 for _ in range(number)),
        failing=tuple(
            rng.random() < build.valve_fails and sum(gaps[:n]) > 3 * build.distance
            for n in range(number)
        ),
        events=tuple(events), room=rng.choice((8, 24, 1024)),
        spacing_ms=rng.choice((0.0, 0.0, 60.0)),
        merge_gap_ms=0.0 if by_counts or build.accepts else rng.choice((0.0, 0.0, 40.0)),
        stops=by_counts or rng.random() < 0.5,
    )  # fmt: skip


def settings(drawn: Plan) -> Config:
    """Return the box's settings for that line."""
    quarters_ms = drawn.build.distance * drawn.quarter_ms
    gate = GateSettings(
        driver="process",
        reject_delay_ms=float(quarters_ms),
        reject_delay_counts=DELAY_COUNTS if drawn.by_counts else 0,
        pulse_ms=PULSE_MS,
        merge_gap_ms=drawn.merge_gap_ms,
        pulse="accepts" if drawn.build.accepts else "rejects",
        confirm_earliest_ms=CONFIRM_EARLIEST_MS,
        confirm_ms=CONFIRM_MS,
        confirm_apart_ms=15.0,
        ready_ms=200.0,
        ready_stops_belt=drawn.stops,
        belt_start_ms=BELT_START_MS,
    )
    names = {"trigger": "EYE", "reject": "REJECT", "reset": "BUTTON"}
    names |= {"confirm": "BIN"} if drawn.build.confirm else {}
    names |= {f"encoder_{track}": f"TRACK-{track}" for track in "ab"[: drawn.build.tracks]}
    trigger = TriggerSettings(kind="photo-eye", spacing_ms=drawn.spacing_ms)
    config = Config(trigger=trigger, gate=gate, lines=LinesSettings(**names))  # type: ignore[arg-type]
    check_gate(config)
    return config


class History:
    """Runs a plan to its end."""

    def __init__(self, drawn: Plan) -> None:
        self.plan = drawn
        rng = self.rng = Random(drawn.seed ^ 0x5EED)
        self.clock = Clock()
        self.agenda = Agenda(self.clock)
        self.wires = Wires(self.clock, drawn.room)
        self.world = World(drawn.build, self.clock, self.agenda, self.wires, rng)
        self.config = settings(drawn)
        self.gate = GateProcess(self.config, self.wires, self.clock)
        self.eye = Eye(self.gate, self.world, self.agenda, drawn.habits, rng)
        self.control = Control(self.world, self.agenda, rng, drawn.quarter_ms * MS)
        self.control.stops = drawn.stops
        self.happened: list[str] = []
        self._events = list(drawn.events)
        self._waiting_for_reset = False
        self._idle = 0
        self.world.all_thrown = self._all_thrown
        self._put_items()

    def _advance(self, t_ns: int) -> None:
        """Move time on. Raises RuntimeError when the gate acts again and again at one moment."""
        self._idle = self._idle + 1 if t_ns <= self.clock.t_ns else 0
        if self._idle > IDLE_MOST:
            raise RuntimeError(f"the gate acts without end at {self.clock.t_ns / MS:g}")
        self.clock.t_ns = max(self.clock.t_ns, t_ns)

    def _all_thrown(self) -> bool:
        keeper = self.gate.keeper
        return keeper is not None and keeper._queue.sweeping(self.clock.t_ns)

    @property
    def journal(self) -> Journal:
        """What the eyes wrote down."""
        return self.eye.journal

    @property
    def products(self) -> list[Product]:
        """All items, with what became of them."""
        return self.world.products

    def run(self) -> None:
        """Run to the end: the last item is past the device and has settled."""
        self.gate.start()
        self.agenda.after(20 * MS, self.eye.begin)
        if not self.control.stops:
            self.control.go()
        quiet_ns = looked_ns = 0
        while self.clock.t_ns < END_NS:
            due_ns = self.gate.next_ns()
            moments = [moment for moment in (self.agenda.next_ns(), due_ns) if moment is not None]
            self._advance(min(moments))
            self.agenda.step()
            self._happen()
            self.gate.act(due_ns)
            self.eye.listen()
            self._attend()
            if self.clock.t_ns - looked_ns < LOOK_NS:
                continue
            looked_ns = self.clock.t_ns
            if not self._done():
                quiet_ns = self.clock.t_ns
            elif self.clock.t_ns - quiet_ns > QUIET_NS:
                return

    def _put_items(self) -> None:
        front = 4
        for number, length in enumerate(self.plan.lengths):
            item = Product(number, self.plan.stamped[number], front, length)
            item.valve_failed = self.plan.failing[number]
            self.world.products.append(item)
            front += self.plan.gaps[number]

    def _done(self) -> bool:
        return all(
            not product.on_belt or product.passed_ns is not None for product in self.products
        )

    # The operator

    def _attend(self) -> None:
        """Have somebody come when the line stands still for a trouble that waits for reset."""
        if not self.wires.outputs[FAULT_LINE]:
            return
        keeper = self.gate.keeper
        latched = keeper is not None and any(keeper._latched.values())
        jammed = keeper is not None and "the photo-eye is blocked" in keeper.trouble
        if (latched or jammed) and not self._waiting_for_reset:
            self._waiting_for_reset = True
            self.agenda.after(self.rng.randint(1_000, 2_000) * MS, self._look_and_reset)

    def _look_and_reset(self) -> None:
        self._waiting_for_reset = False
        self._clear_eye()
        if self.rng.random() < 0.3 and not self.world.heading:
            self._hands(while_running=False)
        self.world.press_reset()

    def _clear_eye(self) -> None:
        """Take off what lies in the photo-eye's beam while the belt stands."""
        for product in self.products:
            if not self.world.heading and 0 <= self.world.x - product.front < product.length:
                product.on_belt = False
        if not self.world.heading:
            self.world.look_again()

    def _hands(self, *, while_running: bool) -> None:
        """Take items off, put others on, move some."""
        for what in self.rng.sample(("takes", "puts", "moves"), 2):
            self._hand(what, while_running=while_running)

    def _hand(self, what: str, *, while_running: bool) -> None:
        world, under_way = self.world, [
            p for p in self.products
            if p.on_belt and not p.zone and p.length < self.world.x - p.front
        ]  # fmt: skip
        if what == "puts":
            front = world.x - self.rng.randint(1, world.build.distance)
            length = self.rng.randint(2, LONGEST)
            if world.free(front, length):
                put = Product(len(self.products), self.rng.random() < 0.5, front, length)
                put.touched = while_running
                world.products.append(put)
        elif under_way:
            chosen = self.rng.choice(under_way)
            if what == "takes":
                chosen.on_belt = False
            else:
                front = world.x - self.rng.randint(1, world.build.distance)
                if world.free(front, chosen.length, chosen):
                    chosen.front = front
                    chosen.touched |= while_running

    # What happens on the way

    def _happen(self) -> None:
        while self._events and self._events[0][0] <= self.world.x:
            _, kind = self._events.pop(0)
            self.happened.append(kind)
            self._one(kind)

    def _one(self, kind: str) -> None:
        world, rng = self.world, self.rng
        name = kind.replace(", ", "_").replace(" ", "_").replace("-", "_")
        if kind.startswith("hand "):
            self._hand(kind.split()[1], while_running=bool(world.heading))
        elif kind.startswith("gate held"):
            self.gate.hold_up(rng.randint(300, 900) if "long" in kind else rng.randint(5, 80))
        elif kind == "reset":
            world.press_reset()
        elif kind == "eye dies":
            self.eye.die()
        elif kind == "eye hangs":
            self.eye.hang()
        elif kind in ("stray confirm", "stray trigger"):
            line = CONFIRM if "confirm" in kind else TRIGGER
            if not self.wires.levels[line] and (line == TRIGGER or world.build.confirm):
                world.blink(line, self.clock.t_ns, rng.randint(1, 4))
        else:
            getattr(self, f"_{name}")()

    def _gate_dies(self) -> None:
        self.gate.kill()
        self.agenda.after(self.rng.randint(50, 800) * MS, self.gate.start)

    def _stop(self) -> None:
        if self.plan.by_counts:
            self.world.run(0, self.world.quarter_ns)
            self.agenda.after(self.rng.randint(50, 3_000) * MS, self.control.go)

    def _slow(self) -> None:
        if self.plan.by_counts:
            self.control.quarter_ns = self.rng.randint(3, 8) * MS
            self.world.quarter_ns = self.control.quarter_ns

    def _back(self) -> None:
        """Let the belt stand, run back, stand and go on."""
        if not self.plan.by_counts or not self.world.heading:
            return
        self.world.run(0, self.world.quarter_ns)
        quarter_ns, far = self.control.quarter_ns, self.rng.randint(1, 30)
        pause_ns = self.rng.randint(1_100, 2_000) * MS
        self.agenda.after(pause_ns, lambda: self.world.run(-1, quarter_ns))
        self.agenda.after(pause_ns + far * quarter_ns, lambda: self.world.run(0, quarter_ns))
        self.agenda.after(2 * pause_ns + far * quarter_ns, self.control.go)

    def _hands_reset(self) -> None:
        """Let the line stand, have hands on it, and press reset before it runs on."""
        if not self.plan.by_counts:
            return
        self.world.run(0, self.world.quarter_ns)
        self.control.hands_off = False

        def done() -> None:
            self._hands(while_running=False)
            self.world.press_reset()
            self.control.hands_off = True
            self.agenda.after(200 * MS, self.control.go)

        self.agenda.after(500 * MS, done)

    def _encoder_loss(self) -> None:
        """Let the kernel miss edges of the encoder, as many as still leave a trace."""
        if self.plan.by_counts:
            most = 3 if self.world.build.tracks == 2 else 1
            self.world.unseen[ENCODER_A] = self.rng.randint(1, most)

    def _eye_loss(self) -> None:
        """Let the kernel miss one edge of the photo-eye."""
        self.world.unseen[TRIGGER] = 1
