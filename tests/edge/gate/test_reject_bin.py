"""The sensors at the bin: what was rejected must come, and nothing else; as histories."""

from typing import Any

import pytest

from edge.gate.reject_bin import NOT_IN_THE_BIN, NOT_REJECTED
from edge.gate.rejects import UNDER_A_PULSE
from tests.edge.gate.keeper_bench import CONFIRMED, MS, Bench, belt, items, pass_all, settings


def test_a_reject_that_is_not_confirmed_stops_the_line() -> None:
    """Item 1 comes to the bin, item 2 does not within 150 ms.

    After the reset button what was under way is thrown, too, and may come.
    """
    wires = {"confirm": "BIN-EYE", "reset": "BUTTON"}
    script = [*items(1200, 1400), (1350, "confirm", 1), (1700, "reset", 1), (1710, "confirm", 1)]
    bench = Bench(settings(wires=wires, confirm_ms=150.0), script)
    bench.connect()
    bench.run_to(1649)
    assert bench.keeper.trouble == ""
    bench.run_to(1660)
    assert bench.keeper.trouble == "a rejected item did not come to the bin"
    assert bench.history("fault")[-1] == (1650, 1, None)
    bench.run_to(1720)
    assert bench.keeper.trouble == ""
    assert (bench.keeper.counters.unconfirmed, bench.keeper.counters.unexpected) == (1, 0)


def test_a_full_bin_stops_the_line_while_it_is_full() -> None:
    """No button needed."""
    bench = Bench(
        settings(wires={"bin_full": "FULL"}), [(1200, "bin_full", 1), (1300, "bin_full", 0)]
    )
    bench.connect()
    bench.run_to(1250)
    assert bench.keeper.trouble == "the bin is full"
    bench.run_to(1400)
    assert [(ms, level) for ms, level, _ in bench.history("fault")] == [
        (1000, 0),
        (1200, 1),
        (1300, 0),
    ]
    assert not {ms for ms, _, _ in bench.history("ready")} & set(range(1201, 1300))


@pytest.mark.parametrize(
    ("sightings", "counts", "incidents"),
    [
        ((1560, 1660), (0, 0, 0), []),
        ((1560,), (1, 0, 0), [("unconfirmed", 2)]),
        ((1560, 1605), (1, 1, 0), [("unexpected", 0), ("unconfirmed", 2)]),
        ((1560, 1601), (1, 1, 0), [("unexpected", 0), ("unconfirmed", 2)]),
        ((1560, 1567), (1, 0, 1), [("unconfirmed", 2)]),
        ((1510, 1560, 1660), (0, 1, 0), [("unexpected", 0)]),
        ((1560, 1660, 1680), (0, 1, 0), [("unexpected", 0)]),
        ((1720, 1730), (1, 1, 0), [("unconfirmed", 1), ("unexpected", 0)]),
        ((), (2, 0, 0), [("unconfirmed", 1), ("unconfirmed", 2)]),
    ],
)
def test_an_edge_at_the_bin_confirms_one_item_in_its_own_window_and_no_other(
    sightings: tuple[int, ...], counts: tuple[int, int, int], incidents: list[tuple[str, int]]
) -> None:
    """Two items are thrown at 1500 and 1600 and take 20 to 200 ms to the bin.

    One that shows twice, within 10 ms or later, a stray edge, and one too early or too late.
    """
    script = sorted([*items(1400, 1500), *((ms, "confirm", 1) for ms in sightings)])
    config = settings(wires=CONFIRMED, confirm_ms=200.0, confirm_apart_ms=10.0)
    bench = Bench(config, script)
    bench.connect()
    told = pass_all(bench, set(), 2200)
    assert [(incident.what, incident.tag) for incident in told] == incidents
    counters = bench.keeper.counters
    assert (counters.unconfirmed, counters.unexpected, counters.seen_again) == counts
    words = {"unconfirmed": NOT_IN_THE_BIN, "unexpected": NOT_REJECTED}
    assert set(filter(None, bench.keeper.trouble.split("; "))) == {words[w] for w, _ in incidents}
    assert bool(bench.history("ready")[-1][0] < 2100) == bool(incidents)


def test_what_may_come_of_a_stretch_is_not_unexpected() -> None:
    """A gate that starts throws what it does not know: its items come to the bin, too."""
    script: list[tuple[Any, ...]] = [(ms, "confirm", 1) for ms in (1030, 1110, 1310, 1400)]
    bench = Bench(settings(wires=CONFIRMED, confirm_ms=200.0), script)
    bench.connect()
    pass_all(bench, set(), 1380)
    assert (bench.keeper.counters.unexpected, bench.keeper.trouble) == (0, "")
    pass_all(bench, set(), 1450)
    assert (bench.keeper.counters.unexpected, bench.keeper.trouble) == (1, NOT_REJECTED)


def test_a_confirmation_by_counts_waits_for_a_belt_that_stands_still() -> None:
    """The bin is 5 to 9 counts behind the gate, which is 10 behind the eye."""
    wires = {"encoder_a": "A", "encoder_b": "B", **CONFIRMED}
    script = [*belt(1010, 20), (1211, "trigger", 1), *belt(1215, 13), *belt(4000, 10)]
    for ms, what in ((4020, "confirmed"), (4060, "missing")):
        bench = Bench(
            settings(
                wires=wires, reject_delay_counts=10, confirm_counts=9, confirm_earliest_counts=5
            ),
            sorted([*script, (ms, "confirm", 1)]),
        )
        bench.connect()
        pass_all(bench, set(), 3990)
        assert bench.keeper.trouble == ""
        pass_all(bench, set(), 5000)
        assert bench.keeper.counters.unconfirmed == (what == "missing")


@pytest.mark.parametrize(
    ("gate", "moments", "good", "thrown"),
    [
        ({"pulse_ms": 20.0}, (1500, 1560), {2}, []),
        ({"pulse_ms": 60.0}, (1500, 1560), {2}, []),
        ({"pulse_ms": 150.0}, (1500, 1560), {2}, [(2, 1660)]),
        ({"merge_gap_ms": 50.0}, (1500, 1530, 1560), {2}, [(2, 1630)]),
        ({"merge_gap_ms": 10.0}, (1500, 1530, 1560), {2}, []),
        ({"pulse": "accepts", "pulse_ms": 150.0}, (1500, 1560), {2}, []),
    ],
)
def test_what_is_thrown_under_the_pulse_for_a_neighbour_is_recorded_as_thrown(
    gate: dict[str, Any], moments: tuple[int, ...], good: set[int], thrown: list[tuple[int, int]]
) -> None:
    """Its own record says PASS; an incident and the counters say what became of it.

    The sensor at the bin sees it come with the others, and that is expected.
    """
    bins = [(ms + 200, "confirm", 1) for tag, ms in enumerate(moments, 1)
            if tag not in good or tag in dict(thrown)]  # fmt: skip
    bench = Bench(settings(wires=CONFIRMED, **gate), sorted([*items(*moments), *bins]))
    bench.connect()
    told = pass_all(bench, good, 3500)
    assert [(i.what, i.tag, i.t_ns // MS, i.why) for i in told] == [
        ("thrown", tag, ms, UNDER_A_PULSE) for tag, ms in thrown
    ]
    assert bench.keeper.counters.thrown == len(bins)
    assert bench.keeper.counters.thrown_passes == len(thrown)
    assert bench.keeper.trouble == ""
