"""What people take out in shadow is told of the right item, or of none."""

from typing import Any

import pytest

from edge.gate.messages import Answer, Beat, Incident, ItemSeen, Recorded, Settle
from tests.edge.gate.keeper_bench import belt, items, settings
from tests.edge.gate.test_shadow import ShadowBench, shadowed

TAKEN = {"trigger": "EYE", "taken": "OUT"}


def fates(bench: ShadowBench, until_ms: int) -> list[tuple[str, int]]:
    """Be an eye that writes all down; what was told of each item."""
    told = []
    for ms in range(1200, until_ms, 5):
        heard = [*bench.run_to(ms), *bench.say(Beat(""))]
        while heard:
            said = heard.pop(0)
            if isinstance(said, ItemSeen):
                heard += bench.say(Answer(said.tag, cancel=True))
                heard += bench.say(Settle(said.tag))
            elif isinstance(said, Incident):
                told.append((said.what, said.tag))
                heard += bench.say(Recorded(said.number))
    return told


def seen(*moments: int) -> list[tuple[Any, ...]]:
    """Edges of the photo-eye behind the people."""
    return [(ms + late, "taken", level) for ms in moments for late, level in ((0, 1), (2, 0))]


@pytest.mark.parametrize(
    ("sees", "edges", "told"),
    [
        ("left", (1800, 2000), [("left", 1), ("taken", 2), ("left", 3)]),
        ("taken", (1900,), [("left", 1), ("taken", 2)]),
        ("taken", (1900, 2100), [("left", 1), ("taken", 2), ("left", 3)]),
        ("left", (), []),
        ("left", (2100,), [("taken", 1), ("taken", 2), ("taken", 3)]),
        ("left", (1800, 1900, 1930, 2000), [("left", 1), ("unclear", 2), ("left", 3)]),
        ("left", (1700, 1800, 1900, 2000), [("left", 1), ("left", 2), ("left", 3)]),
    ],
)
def test_each_item_is_told_by_its_own_window(
    sees: str, edges: tuple[int, ...], told: list[tuple[str, int]]
) -> None:
    """Items 100 ms apart, seen 480 to 540 ms after their triggers; twice is unclear.

    What was not seen is told once another edge has shown that the photo-eye works.
    """
    script = sorted([*items(1300, 1400, 1500), *seen(*edges)])
    config = shadowed(
        settings(wires=TAKEN), taken_sees=sees, taken_earliest_ms=480.0, taken_ms=540.0
    )
    bench = ShadowBench(config, script)
    bench.connect()
    assert fates(bench, 2300) == told
    assert bench.keeper.counters.taken_unexpected == sum(ms in edges for ms in (1700, 2100))


def test_an_edge_that_may_be_for_two_is_for_neither() -> None:
    """Windows that overlap tell nothing, rather than something wrong."""
    config = shadowed(settings(wires=TAKEN), taken_earliest_ms=400.0, taken_ms=600.0)
    bench = ShadowBench(config, sorted([*items(1300, 1400), *seen(1850)]))
    bench.connect()
    assert fates(bench, 2300) == [("unclear", 1), ("unclear", 2)]


@pytest.mark.parametrize(
    "doubt",
    [
        [(1810, "taken", 1, 2), (1812, "taken", 0)],
        [(1310, "encoder_a", 1, 0, 3)],
        [(1350, "reset", 1), (1360, "reset", 0)],
    ],
)
def test_what_was_under_way_in_doubt_is_unclear(doubt: list[tuple[Any, ...]]) -> None:
    """Edges of its own line or of any were lost, or somebody pressed reset; the next is clear."""
    wires = {**TAKEN, "reset": "BUTTON", "encoder_a": "A"}
    script: list[tuple[Any, ...]] = [*items(1300, 3000), *seen(1800, 3500), *doubt]
    config = shadowed(
        settings(wires=wires, standstill_ms=0.0), taken_earliest_ms=480.0, taken_ms=540.0
    )
    bench = ShadowBench(config, sorted(script, key=lambda edge: edge[0]))
    bench.connect()
    told = [(what, tag) for what, tag in fates(bench, 3700) if what in ("left", "unclear")]
    assert told == [("unclear", 1), ("left", 2)]


def test_by_counts_it_waits_for_a_belt_that_stands_still() -> None:
    """Item at the photo-eye, seen 12 to 16 counts behind it, however long that takes."""
    wires = {**TAKEN, "encoder_a": "A", "encoder_b": "B"}
    script = [
        *belt(1010, 20),
        (1211, "trigger", 1),
        (1213, "trigger", 0),
        *belt(1215, 10),
        *belt(4000, 4),
        *seen(4041),
        *belt(4050, 10),
    ]
    config = shadowed(
        settings(wires=wires, reject_delay_counts=10),
        taken_earliest_counts=12,
        taken_counts=16,
    )
    bench = ShadowBench(config, sorted(script, key=lambda edge: edge[0]), exact=True)
    bench.connect()
    assert fates(bench, 4300) == [("left", 1)]


def test_out_of_shadow_nobody_is_asked() -> None:
    """What the gate throws never comes there, so the input says nothing of it."""
    bench = ShadowBench(settings(wires=TAKEN), sorted([*items(1300), *seen(1800)]))
    assert bench.keeper.next_ns() is not None
    bench.run_to(4000)
    assert bench.keeper.unrecorded == []


def test_a_lost_edge_makes_nothing_taken() -> None:
    """It is known at the next edge, and only then what was not seen would be told of."""
    script = [*items(1300, 3000), *seen(3500)]
    script += [(3499, "taken", 0, 2)]
    config = shadowed(settings(wires=TAKEN), taken_earliest_ms=480.0, taken_ms=540.0)
    bench = ShadowBench(config, sorted(script, key=lambda edge: edge[0]))
    bench.connect()
    told = fates(bench, 3700)
    assert ("unclear", 1) in told
    assert not any(what == "taken" for what, _ in told)
