"""A whole day in shadow, with all that can go wrong: ``python -m tests.belt.shadow_day``.

Tens of thousands of items at the real gate with wires of its own world: bad ones, eyes that die,
gates that are killed or stopped and leave debts, lost edges, jams, resets, settings that are read
again, messages that make no sense. It counts the edges of the reject line, of which there must be
none; the same day in run has thousands.
"""

import argparse
import dataclasses
import heapq
import itertools
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

from edge.clock import boot_id
from edge.config import Config
from edge.gate.debts import Debts
from edge.gate.keeper import Keeper
from edge.gate.messages import (
    VERSION,
    Answer,
    Beat,
    Expect,
    Hello,
    Incident,
    ItemSeen,
    Missed,
    Recorded,
    Settle,
    Welcome,
    Withdraw,
)
from edge.sections.gate import GateSettings, LinesSettings
from edge.sections.service import ServiceSettings
from edge.sections.shadow import ShadowSettings
from edge.sections.trigger import TriggerSettings as Trigger
from edge.wiring import (
    BIN_FULL,
    CONFIRM,
    ENCODER_A,
    FAULT_LINE,
    REJECT_LINE,
    RESET,
    TAKEN,
    TRIGGER,
    check_gate,
)
from tests.belt.world import MS, Clock, Wires

ITEMS, BAD = 30_000, 0.05
APART_MS = (700, 2500)
"""From one item to the next."""
PEOPLE_MS = 3000
"""From the photo-eye to the one behind the people."""
DISTURBED = 0.02
"""Share of the items with which something else happens."""
STEPS_MOST = 10_000
"""Most often that the gate acts at one moment."""


def settings(mode: str, *, by_counts: bool = False, ready_beats: bool = False) -> Config:
    """The box's settings for the day."""
    names = {"trigger": "EYE", "reject": "REJECT", "reset": "BUTTON", "taken": "OUT"}
    names |= {"confirm": "BIN", "bin_full": "FULL", "encoder_a": "TRACK"}
    config = Config(
        trigger=Trigger(kind="photo-eye", spacing_ms=100.0),
        gate=GateSettings(
            driver="process",
            reject_delay_counts=12 if by_counts else 0,
            eye_silent_ms=10_000.0,
            standstill_ms=0.0,
            ready_ms=200.0,
        ),
        lines=LinesSettings(**names),  # type: ignore[arg-type]
        service=ServiceSettings(mode=mode),
        shadow=ShadowSettings(
            ready_beats=ready_beats, taken_earliest_ms=PEOPLE_MS - 300.0, taken_ms=PEOPLE_MS + 300.0
        ),
    )
    check_gate(config)
    return config


class Day:
    """One day: *happened* counts what did, *edges* the moments at which the reject line moved."""

    def __init__(self, config: Config, items: int, seed: int, folder: Path) -> None:
        self.config, self.folder, self.rng = config, folder, Random(seed)
        self.clock = Clock()
        self.wires = Wires(self.clock, room=24)
        self.happened: Counter[str] = Counter()
        self.edges: list[int] = []
        self.fates: Counter[str] = Counter()
        self._left, self._agenda, self._order = items, list[tuple[int, int, object]](), 0
        self._bad: dict[int, bool] = {}
        self._fault, self._over_ns = 0, sys.maxsize
        self._eye = 0
        self._keeper: Keeper | None = None
        self._debts: Debts | None = None
        self._withheld = self._thrown = 0
        self.wires.changed = self._note

    def run(self) -> "Day":
        """Run to the end of the day."""
        self._start()
        self._after(50, self._connect)
        self._after(200, self._item)
        idle = 0
        while self.clock.t_ns < self._over_ns:
            keeper = self._keeper
            due_ns = None if keeper is None else keeper.next_ns()
            t_ns = min(self._next_ns(), due_ns if due_ns is not None else sys.maxsize)
            idle = idle + 1 if t_ns <= self.clock.t_ns else 0
            if idle > STEPS_MOST:
                raise RuntimeError(f"the gate acts without end at {self.clock.t_ns / MS:g}")
            self.clock.t_ns = max(self.clock.t_ns, t_ns)
            while self._agenda and self._agenda[0][0] <= self.clock.t_ns:
                act = heapq.heappop(self._agenda)[2]
                assert callable(act)
                act()
            if self._keeper is not None:
                self._keeper.act()
                self._listen()
        if self._keeper is not None:
            self._end()
        return self

    def _next_ns(self) -> int:
        return self._agenda[0][0] if self._agenda else self._over_ns

    def _note(self, line: str) -> None:
        if line == REJECT_LINE:
            self.edges.append(self.clock.t_ns)
        elif line == FAULT_LINE:
            self.happened["fault shown"] += self.wires.outputs[FAULT_LINE]

    def _after(self, ms: float, act: Callable[[], None]) -> None:
        self._order += 1
        heapq.heappush(self._agenda, (self.clock.t_ns + round(ms * MS), self._order, act))

    def _blink(self, line: str, ms: float) -> None:
        self.wires.edge(line, 1)
        self._after(ms, lambda: self.wires.edge(line, 0))

    # The gate and the eye

    def _start(self) -> None:
        """Begin a gate, which owes what the one before did."""
        self.wires.taken()
        self._keeper = Keeper(self.config, self.wires, self.clock)  # type: ignore[arg-type]
        self._debts = Debts(self.folder / "beside", self.folder / "rest")
        self._keeper.take_over(self._debts, boot_id())
        self.happened["items owed at a start"] += self._keeper.unsettled
        self._keeper.begin()
        self.happened["gates"] += 1

    def _end(self, *, orderly: bool = True) -> None:
        """End the gate: killed, or *orderly*."""
        assert self._keeper is not None
        assert self._debts is not None
        self._withheld += self._keeper.counters.withheld
        self._thrown += self._keeper.counters.thrown
        if orderly:
            self._debts.close()
        self._keeper, self._eye = None, self._eye + 1
        self.wires.taken()

    def _connect(self) -> None:
        if self._keeper is None:
            self._after(100, self._connect)
            return
        reply = self._keeper.accept_eye(Hello(VERSION, "photo-eye", self.config.service.mode))
        if isinstance(reply, Welcome):
            self._eye += 1
            self.happened["eyes"] += 1
            self._beat(self._eye)

    def _beat(self, eye: int) -> None:
        if eye == self._eye and self._keeper is not None:
            self._keeper.handle(Beat("the camera is covered" if self._fault else ""))
            self._after(5000, lambda: self._beat(eye))

    def _lose_eye(self) -> None:
        if self._keeper is not None:
            self._keeper.eye_lost()
        self._eye += 1
        self._after(self.rng.choice((300, 4000)), self._connect)

    def _listen(self) -> None:
        keeper, eye = self._keeper, self._eye
        while keeper is not None and keeper.outbox:
            said = keeper.outbox.popleft()
            if isinstance(said, ItemSeen):
                ms = self.rng.choice((20, 60, 120, 450)) if self.rng.random() < 0.99 else 900
                bad = self._bad.get(said.t_ns, True)
                self._after(ms, lambda s=said, b=bad: self._judge(s.tag, b, eye))  # type: ignore[misc]
            elif isinstance(said, Missed):
                self.happened["missed"] += 1
                self._after(5, lambda s=said: self._judge(s.tag, True, eye))  # type: ignore[misc]
            elif isinstance(said, Incident):
                self.fates[said.what] += 1
                self._after(2, lambda s=said: self._tell(Recorded(s.number), eye))  # type: ignore[misc]

    def _judge(self, tag: int, bad: bool, eye: int) -> None:
        self._tell(Answer(tag, cancel=not bad), eye)
        self._tell(Settle(tag), eye)

    def _tell(self, message: Answer | Settle | Recorded, eye: int) -> None:
        if eye == self._eye and self._keeper is not None:
            self._keeper.handle(message)

    # The belt

    def _item(self) -> None:
        """Let an item come by, and the next one later."""
        if not self._left:
            self._over_ns = self.clock.t_ns + 20_000 * MS
            return
        self._left -= 1
        bad = self.rng.random() < BAD
        self.happened["items"] += 1
        self.happened["bad"] += bad
        self._bad[self.clock.t_ns] = bad
        self._blink(TRIGGER, 60)
        if not bad:
            self._after(PEOPLE_MS, lambda: self._blink(TAKEN, 30))
        for count in range(4):
            self._after(50 * count, lambda: self._blink(ENCODER_A, 20))
        if self.rng.random() < DISTURBED:
            self._disturb()
        self._after(self.rng.randint(*APART_MS), self._item)

    def _disturb(self) -> None:
        what = self.rng.choice(sorted(DISTURBANCES))
        self.happened[what] += 1
        self._after(self.rng.randint(0, 400), lambda: DISTURBANCES[what](self))

    def _kill_gate(self) -> None:
        if self._keeper is not None:
            self._end(orderly=False)
            self._after(self.rng.randint(50, 2000), self._start)
            self._after(2500, self._connect)

    def _stop_gate(self) -> None:
        if self._keeper is not None:
            self._end()
            self._after(300, self._start)
            self._after(900, self._connect)

    def _lose_edges(self) -> None:
        line = self.rng.choice((TRIGGER, ENCODER_A, TAKEN, CONFIRM))
        self.wires.edge(line, 1 - self.wires.levels[line], seen=False)

    def _overflow(self) -> None:
        for level in itertools.islice(itertools.cycle((1, 0)), 80):
            self.wires.edge(ENCODER_A, level)

    def _jam(self) -> None:
        self.wires.edge(TRIGGER, 1)
        self._after(self.rng.choice((400, 3000)), lambda: self.wires.edge(TRIGGER, 0))
        self._after(4000, lambda: self._blink(RESET, 50))

    def _reload(self) -> None:
        """Hand the gate other settings, those of run among them, as no reload would."""
        if self._keeper is not None:
            gate = dataclasses.replace(self.config.gate, pulse_ms=self.rng.choice((10.0, 200.0)))
            mode = ServiceSettings(mode=self.rng.choice(("run", "shadow")))
            self._keeper.adopt(dataclasses.replace(self.config, gate=gate, service=mode))

    def _nonsense(self) -> None:
        """Say what is out of place, as an eye."""
        keeper = self._keeper
        if keeper is None:
            return
        for message in (Withdraw(1), Answer(10**9, cancel=True), Recorded(7), Settle(10**9)):
            keeper.handle(message)
        try:
            keeper.handle(Expect(self.clock.t_ns))
        except ValueError:
            keeper.malformed()
            self._lose_eye()

    def _other_eye(self) -> None:
        """Let an eye of run call, and one more of this mode."""
        if self._keeper is not None:
            for mode in ("run", "shadow", ""):
                if mode != self.config.service.mode or self._keeper._eye:
                    self._keeper.accept_eye(Hello(VERSION, "photo-eye", mode))

    def _press_reset(self) -> None:
        self._blink(RESET, 100)

    def _fill_bin(self) -> None:
        self._blink(BIN_FULL, 3000)

    def _stray(self) -> None:
        self._blink(self.rng.choice((CONFIRM, TAKEN)), 20)

    def _touch(self) -> None:
        self._after(150, lambda: self._blink(TRIGGER, 400))

    def _cover_camera(self) -> None:
        self._fault += 1
        self._after(20_000, self._uncover)

    def _uncover(self) -> None:
        self._fault -= 1

    @property
    def withheld(self) -> int:
        """Items that would have been thrown."""
        return self._withheld

    @property
    def thrown(self) -> int:
        """Items that were."""
        return self._thrown


DISTURBANCES: dict[str, Callable[[Day], None]] = {
    "the eye dies": Day._lose_eye,
    "the gate is killed": Day._kill_gate,
    "the gate is stopped": Day._stop_gate,
    "an edge is lost": Day._lose_edges,
    "the buffer runs over": Day._overflow,
    "a jam, and reset": Day._jam,
    "reset": Day._press_reset,
    "the bin is full": Day._fill_bin,
    "a stray edge": Day._stray,
    "items touch": Day._touch,
    "the settings are read again": Day._reload,
    "nonsense is said": Day._nonsense,
    "another eye calls": Day._other_eye,
    "the camera is covered": Day._cover_camera,
}


def day(mode: str, items: int, seed: int, *, by_counts: bool, ready_beats: bool) -> Day:
    """Run one day in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        config = settings(mode, by_counts=by_counts, ready_beats=ready_beats)
        return Day(config, items, seed, Path(folder)).run()


def main() -> int:
    """Run the day in shadow and in run; return 1 when the reject line moved in shadow."""
    parser = argparse.ArgumentParser(prog="python -m tests.belt.shadow_day", description=__doc__)
    parser.add_argument("--items", type=int, default=ITEMS, metavar="N")
    parser.add_argument("--seed", type=int, default=14)
    arguments = parser.parse_args()
    moved = 0
    for by_counts, ready_beats in ((False, False), (True, False), (False, True)):
        for mode in ("shadow", "run"):
            ran = day(
                mode, arguments.items, arguments.seed, by_counts=by_counts, ready_beats=ready_beats
            )
            moved += len(ran.edges) if mode == "shadow" else 0
            hours = ran.clock.t_ns / MS / 3_600_000
            print(
                f"{mode}, delay in {'counts' if by_counts else 'time'}, READY "
                f"{'beats' if ready_beats else 'rests'}: {hours:.1f} h, {len(ran.edges)} edges of "
                f"REJECT; {ran.withheld} withheld, {ran.thrown} thrown\n  "
                + ", ".join(f"{what} {n}" for what, n in sorted(ran.happened.items()))
                + "\n  told: "
                + ", ".join(f"{what} {n}" for what, n in sorted(ran.fates.items())),
                flush=True,
            )
    return int(moved > 0)


if __name__ == "__main__":
    sys.exit(main())
