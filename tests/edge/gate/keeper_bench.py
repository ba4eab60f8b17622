"""A gate with simulated lines in simulated time, for tests of what it decides."""

import dataclasses
from collections.abc import Iterable
from typing import Any

from edge.clock import SimulatedClock
from edge.config import Config
from edge.gate.keeper import Keeper
from edge.gate.lines import WireEvent
from edge.gate.lines.simulated import SimulatedLines
from edge.gate.messages import (
    VERSION,
    Answer,
    Beat,
    FromGate,
    Hello,
    Incident,
    ItemSeen,
    Recorded,
    Refused,
    Settle,
    Welcome,
)
from edge.sections.gate import GateSettings, LinesSettings
from edge.sections.trigger import TriggerSettings

MS = 1_000_000
BEGIN_MS = 1000
"""The gate begins then; what it sweeps of the time before is over at 1120."""
SWEEP = [(1000, 1, None), (1120, 0, None)]


def settings(kind: str = "photo-eye", wires: dict[str, Any] | None = None, **gate: Any) -> Config:
    """100 ms to the gate, pulses of 20.

    The belt runs on although READY rests, unless a test says that it stops: so a test sees when
    its items are due, and no stretch that is thrown as READY begins.
    """
    trigger = TriggerSettings(kind=kind, interval_ms=100)
    usual = {"reject_delay_ms": 100.0, "pulse_ms": 20.0, "ready_stops_belt": False}
    gate_settings = GateSettings(driver="process", **{**usual, **gate})
    return Config(
        trigger=trigger,
        gate=gate_settings,
        lines=LinesSettings(**{"trigger": "EYE", **(wires or {})}),
    )


class Bench:
    """A gate with simulated lines in simulated time, and an eye's mouth and ear."""

    def __init__(
        self,
        config: Config,
        script: Iterable[tuple[Any, ...]] = (),
        *,
        exact: bool = False,
        **levels: int,
    ) -> None:
        """*script*: input edges as (ms, line, level), with lost ones behind them.

        Photo-eye and bin's sensor are clear again 2 ms after a rise, unless the script is *exact*.
        *levels*: of the inputs at the start.
        """
        self.clock = SimulatedClock(BEGIN_MS * MS)
        edges = script if exact else with_falls(script)
        events = [WireEvent(line, level, round(ms * MS), *lost) for ms, line, level, *lost in edges]
        self.lines = SimulatedLines(self.clock, script=events, levels=levels)
        self.lines.__enter__()
        self.keeper = Keeper(config, self.lines, self.clock)
        self.kind = config.trigger.kind
        self.timer = self.clock.start_timer(self.keeper)
        self.keeper.begin()

    def run_to(self, ms: float) -> list[FromGate]:
        """Let time pass; what the gate has said meanwhile."""
        self.clock.sleep_until(round(ms * MS))
        return self.heard()

    def hold_up_to(self, ms: float) -> None:
        """Let time pass while the gate's process is held up, and does nothing."""
        self.timer.stop()
        self.clock.sleep_until(round(ms * MS))
        self.timer = self.clock.start_timer(self.keeper)
        self.keeper.act()

    def heard(self) -> list[FromGate]:
        """Return the messages that the gate has sent."""
        said = list(self.keeper.outbox)
        self.keeper.outbox.clear()
        return said

    def connect(self) -> Welcome | Refused:
        """Be the eye."""
        reply = self.keeper.accept_eye(Hello(VERSION, self.kind))
        self.keeper.act()
        return reply

    def say(self, message: Any) -> list[FromGate]:
        """Say something as the eye, and hear the reply."""
        self.keeper.handle(message)
        self.keeper.act()
        return self.heard()

    def leave(self) -> None:
        """Be killed."""
        self.keeper.eye_lost()
        self.keeper.act()

    def history(self, line: str = "reject") -> list[tuple[float, int, int | None]]:
        """Every edge of a line since it was taken, as (ms, level, tag)."""
        return [
            (e.t_ns / MS, e.level, e.sequence)
            for e in self.lines.record.transitions
            if e.line == line
        ][1:]


def with_falls(script: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The same edges; photo-eye and bin's sensor, if they never fall, do so 2 ms after a rise."""
    edges = list(script)
    falling = {line for _, line, level, *_ in edges if not level}
    falls = [
        (ms + 2, line, 0)
        for ms, line, *_ in edges
        if line in ("trigger", "confirm") and line not in falling
    ]
    return sorted([*edges, *falls], key=lambda edge: edge[0])


def items(*moments: int) -> list[tuple[int, str, int]]:
    """Edges of the photo-eye."""
    return [(ms, "trigger", 1) for ms in moments]


def spaced(config: Config, spacing_ms: float = 50.0) -> Config:
    """The same with a least distance between items."""
    return dataclasses.replace(
        config, trigger=dataclasses.replace(config.trigger, spacing_ms=spacing_ms)
    )


def belt(begin_ms: int, *legs: int) -> list[tuple[int, str, int]]:
    """Make the edges of an encoder of two tracks, one count each 10 ms.

    A positive leg turns it forward, a negative one back.
    """
    quarters = {
        1: (("a", 1), ("b", 1), ("a", 0), ("b", 0)),
        -1: (("b", 1), ("a", 1), ("b", 0), ("a", 0)),
    }
    turns = [turn for leg in legs for turn in [1 if leg > 0 else -1] * abs(leg)]
    return [
        (begin_ms + count * 10 + quarter * 2, f"encoder_{track}", level)
        for count, turn in enumerate(turns)
        for quarter, (track, level) in enumerate(quarters[turn])
    ]


def pass_all(bench: Bench, good: set[int], until_ms: int) -> list[Incident]:
    """Be an eye that answers at once, lets the *good* tags pass, and writes incidents down."""
    incidents = []
    begin_ms = bench.clock.now_ns() // MS
    for ms in range(begin_ms, until_ms, 5):
        heard = [*bench.run_to(ms), *bench.say(Beat(""))]
        while heard:
            message = heard.pop(0)
            if isinstance(message, ItemSeen):
                heard += bench.say(Answer(message.tag, message.tag in good))
                heard += bench.say(Settle(message.tag))
            elif isinstance(message, Incident):
                incidents.append(message)
                heard += bench.say(Recorded(message.number))
    return incidents


CONFIRMED = {"confirm": "BIN-EYE"}
TWO_TRACKS = {"encoder_a": "A", "encoder_b": "B"}
