"""In shadow the gate does all its work, and the reject line never moves; whoever orders it."""

import dataclasses
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as example_settings
from hypothesis import strategies as st

from edge.clock import SimulatedClock
from edge.config import Config
from edge.errors import ConfigError
from edge.gate.messages import (
    VERSION,
    Answer,
    Answered,
    Beat,
    Expect,
    Hello,
    Incident,
    ItemSeen,
    Missed,
    Recorded,
    Refused,
    Settle,
    Welcome,
    Withdraw,
    decode,
)
from edge.gate.simulated import SimulatedGate
from edge.sections.gate import GateSettings
from edge.sections.service import ServiceSettings
from edge.sections.shadow import ShadowSettings
from edge.wiring import load_checked
from tests.edge.gate.keeper_bench import CONFIRMED, MS, TWO_TRACKS, Bench, items, settings


class ShadowBench(Bench):
    """The same gate, in shadow."""

    def connect(self) -> Welcome | Refused:
        """Be the eye, in shadow."""
        reply = self.keeper.accept_eye(Hello(VERSION, self.kind, "shadow"))
        self.keeper.act()
        return reply


def shadowed(config: Config, **shadow: Any) -> Config:
    """The same settings in shadow."""
    return dataclasses.replace(
        config, service=ServiceSettings(mode="shadow"), shadow=ShadowSettings(**shadow)
    )


def reject_edges(bench: Bench) -> list[Any]:
    """Every edge of the reject line, that of its request left out."""
    return bench.history("reject")


def test_nothing_is_thrown_and_all_else_is_as_in_run() -> None:
    """One item good, one bad, one without an answer: the same outcomes, and no pulse for two."""
    bench = ShadowBench(shadowed(settings(wires=CONFIRMED)), items(1300, 1500, 1700))
    assert bench.connect() == Welcome(VERSION, bench.keeper.run, "shadow")
    outcomes = []
    for ms in range(1200, 1720, 5):
        for said in [*bench.run_to(ms), *bench.say(Beat(""))]:
            if isinstance(said, ItemSeen) and said.tag < 3:
                outcomes += bench.say(Answer(said.tag, cancel=said.tag == 1))
    bench.run_to(3000)
    assert [said.outcome for said in outcomes if isinstance(said, Answered)] == [
        "cancelled",
        "kept",
    ]
    assert reject_edges(bench) == []
    counters = bench.keeper.counters
    assert (counters.triggers, counters.withheld, counters.thrown) == (3, 2, 0)
    assert (counters.unconfirmed, counters.unexpected) == (0, 0)


@pytest.mark.parametrize("beats", [False, True])
def test_ready_rests_in_shadow_unless_the_wiring_wants_it(beats: bool) -> None:
    """Nobody is guarded; FAULT is low all the same while nothing is wrong."""
    bench = ShadowBench(shadowed(settings(), ready_beats=beats))
    bench.connect()
    for ms in range(1000, 1900, 100):
        bench.run_to(ms)
        bench.say(Beat(""))
    assert bool(bench.history("ready")) == beats
    assert (bench.keeper.trouble, bench.history("fault")[-1][1]) == ("", 0)


@pytest.mark.parametrize("beats", [False, True])
def test_fault_is_real_in_shadow(beats: bool) -> None:
    """The eye's trouble, and its silence on time, are shown as in run."""
    bench = ShadowBench(shadowed(settings(eye_silent_ms=200.0), ready_beats=beats))
    bench.connect()
    bench.say(Beat("the camera is covered"))
    assert bench.history("fault")[-1][1] == 1
    bench.say(Beat(""))
    assert bench.history("fault")[-1][1] == 0
    bench.run_to(1500)
    assert bench.history("fault")[-1] == (1200, 1, None)
    assert "the eye says nothing" in bench.keeper.trouble


@pytest.mark.parametrize("mode", ["run", "shadow"])
def test_an_eye_of_the_other_mode_is_refused_and_that_is_a_fault(mode: str) -> None:
    """Either way round; the gate never goes by the eye's word."""
    config = shadowed(settings()) if mode == "shadow" else settings()
    bench, other = Bench(config), {"run": "shadow", "shadow": "run"}[mode]
    reply = bench.keeper.accept_eye(Hello(VERSION, "photo-eye", other))
    assert reply == Refused(f"[service] mode is {mode!r} at the gate, not {other!r}; restart both")
    bench.keeper.act()
    assert bench.history("fault") == [] or bench.history("fault")[-1][1] == 1
    assert bench.keeper.trouble == "no eye is connected"


def test_an_eye_of_another_version_hears_so_whatever_its_hello_holds() -> None:
    """One of before shadow mode says no mode at all."""
    hello = decode(b'{"say": "hello", "version": 3, "trigger": "photo-eye"}')
    assert isinstance(hello, Hello)
    assert "speaks version" in Bench(settings()).keeper.accept_eye(hello).why  # type: ignore[union-attr]
    with pytest.raises(ValueError, match="hello must hold"):
        decode(b'{"say": "hello", "version": %d, "trigger": "photo-eye"}' % VERSION)


def test_no_settings_that_are_read_again_unlock_it() -> None:
    """Not even those of a whole other file, handed to the gate itself."""
    bench = ShadowBench(shadowed(settings()), items(1300, 1500))
    bench.connect()
    for config in (settings(), settings(pulse_ms=60.0), Config()):
        bench.keeper.adopt(config)
    bench.run_to(3000)
    assert reject_edges(bench) == []
    assert bench.keeper.counters.withheld == 2


TAGS = st.integers(0, 6)
MESSAGES = st.one_of(
    st.builds(Answer, TAGS, st.booleans()),
    st.builds(Withdraw, TAGS),
    st.builds(Settle, TAGS),
    st.builds(Recorded, TAGS),
    st.builds(Beat, st.sampled_from(["", "trouble"])),
    st.builds(Expect, st.integers(0, 10**10)),
    st.builds(Hello, st.integers(0, 5), st.just("photo-eye"), st.sampled_from(["run", "shadow"])),
)
STEPS = st.lists(
    st.one_of(
        MESSAGES,
        st.sampled_from(["leave", "connect", "adopt", "begin", "stop", "held up"]),
        st.integers(1, 300),
    ),
    max_size=30,
)


@given(STEPS, st.integers(0, 2**16))
@example_settings(max_examples=60)
def test_no_message_no_edge_and_no_fault_moves_the_reject_line(steps: list[Any], seed: int) -> None:
    """Whatever an eye says, and whatever comes by the wires: lost edges, a reset, a full bin."""
    draw = random.Random(seed)
    wires = {**CONFIRMED, **TWO_TRACKS, "reset": "R", "bin_full": "F", "taken": "T"}
    lines = ("trigger", "confirm", "encoder_a", "encoder_b", "reset", "bin_full", "taken")
    script = sorted(
        (draw.randint(1001, 4000), draw.choice(lines), draw.randint(0, 1), draw.choice((0, 0, 2)))
        for _ in range(60)
    )
    bench = ShadowBench(
        shadowed(settings(wires=wires, ready_stops_belt=True), ready_beats=True), script, exact=True
    )
    bench.connect()
    ms = 1000
    for step in steps:
        if isinstance(step, int):
            ms += step
            bench.run_to(ms)
        elif isinstance(step, str):
            disturb(bench, step)
        else:
            try:
                bench.say(step)
            except ValueError:
                bench.leave()
                bench.connect()
    bench.run_to(8000)
    assert reject_edges(bench) == []


def disturb(bench: Bench, what: str) -> None:
    """Do something to the gate that is no message."""
    if what == "held up":
        bench.hold_up_to(bench.clock.now_ns() / MS + 400)
    elif what == "adopt":
        bench.keeper.adopt(settings(pulse_ms=5.0))
    elif what == "begin":
        bench.keeper.begin()
    elif what == "stop":
        bench.keeper.stop()
    elif what == "leave":
        bench.leave()
    else:
        bench.connect()


def test_a_good_item_that_would_be_thrown_with_its_neighbour_is_told() -> None:
    """It counts against the box: an incident says that it was withheld, not thrown."""
    bench = ShadowBench(shadowed(settings(pulse_ms=60.0)), items(1300, 1330))
    bench.connect()
    told = []
    for ms in range(1200, 2000, 5):
        heard = [*bench.run_to(ms), *bench.say(Beat(""))]
        for said in heard:
            if isinstance(said, ItemSeen):
                bench.say(Answer(said.tag, cancel=said.tag == 2))
                bench.say(Settle(said.tag))
            elif isinstance(said, Incident):
                told.append((said.what, said.tag, said.why))
                bench.say(Recorded(said.number))
    why = "in shadow, and not thrown: it came to the gate under the pulse for another item"
    assert told == [("withheld", 2, why)]
    assert bench.keeper.counters.thrown_passes == 0


def test_what_a_gate_in_shadow_owes_is_taken_over_as_in_run() -> None:
    """Items that came without an eye are reported to the next one."""
    bench = ShadowBench(shadowed(settings()), items(1300))
    bench.run_to(1500)
    bench.connect()
    assert [type(said) for said in bench.heard()] == [Missed]


def test_the_simulated_gate_is_locked_too() -> None:
    """In the eye's own process."""
    clock = SimulatedClock()
    with SimulatedGate(GateSettings(reject_delay_ms=100, pulse_ms=20), clock, shadow=True) as gate:
        gate.expect(1, 0)
        gate.expect(2, 10 * MS)
        gate.answer(2, cancel=True)
        clock.sleep_until(1000 * MS)
        assert [incident.what for incident in gate.incidents()] == ["withheld"]
    assert [(edge.line, edge.level) for edge in gate.transitions] == [("reject", 0)]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('[service]\nmode = "shadow"\n[gate]\npulse = "accepts"', "an output that never moves"),
        ('[service]\nmode = "watch"', "must be one of run, shadow"),
        ('[shadow]\nplan = "fa<=1%"', "is no part of a plan"),
        ('[lines]\ntaken = "T"', 'needs [gate] driver "process"'),
        (
            '[lines]\ntaken = "T"\n[gate]\ndriver = "process"\n[shadow]\ntaken_ms = 500.0',
            "taken_earliest_ms must be below",
        ),
        ("[shadow]\ntaken_counts = 5", "needs a name in [lines] encoder_a"),
    ],
)
def test_settings_that_make_no_shadow_are_refused(text: str, why: str, tmp_path: Path) -> None:
    """In one line, before anything is driven."""
    path = tmp_path / "edge.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as refused:
        load_checked(path)
    assert why in str(refused.value)
