"""What a gate owes the journal outlives it."""

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.clock import SimulatedClock
from edge.gate import debts as debts_module
from edge.gate.debts import (
    CANNOT_BE_KEPT,
    GATE_LOST,
    GATE_LOST_PASSED,
    Debts,
    Owed,
    incident_entry,
    item_entry,
    parse_debts,
)
from edge.gate.incidents import Incidents
from edge.gate.keeper import NO_EYE, Keeper
from edge.gate.lines.simulated import SimulatedLines
from edge.gate.messages import (
    VERSION,
    Answer,
    FromGate,
    Hello,
    Incident,
    Missed,
    Recorded,
    Settle,
    Withdraw,
)
from edge.gate.unsettled import Unsettled, UnsettledItem
from tests.gate_rig import MS, rig_settings

BOOT, RUN = "a boot", "12-34"


def gate(folder: Path, clock: SimulatedClock, *, boot: str = BOOT, rest: bool = False) -> Keeper:
    """Make the next gate, which takes over what is owed."""
    config = rig_settings(folder)
    keeper = Keeper(config, SimulatedLines(clock, None, None), clock)
    file = Debts(folder / "gate.sock.debts", folder / "rest" if rest else None)
    keeper.take_over(file, boot)
    return keeper


def see(keeper: Keeper, clock: SimulatedClock, count: int) -> None:
    """Let items come by."""
    for _ in range(count):
        clock.sleep_until(clock.now_ns() + MS)
        keeper._handle_item(clock.now_ns())


def greet(keeper: Keeper) -> list[FromGate]:
    """Let an eye connect; return what it hears."""
    keeper.accept_eye(Hello(VERSION, "photo-eye"))
    return heard(keeper)


def heard(keeper: Keeper) -> list[FromGate]:
    """Take what the gate says."""
    said = list(keeper.outbox)
    keeper.outbox.clear()
    return said


def test_a_killed_gate_owes_what_no_eye_has_written_down(tmp_path: Path) -> None:
    """Seen without an eye, reported, answered, let pass: each once, with its own number."""
    clock = SimulatedClock(5 * MS)
    before = gate(tmp_path, clock)
    see(before, clock, 1)
    assert [type(m) for m in greet(before)] == [Missed]
    see(before, clock, 4)
    before.handle(Settle(1))
    before.handle(Answer(2, True))
    before.handle(Answer(3, False))
    before.handle(Answer(4, True))
    before.handle(Settle(4))
    after = gate(tmp_path, clock)
    told = []
    for message in (said := greet(after)):
        assert isinstance(message, Missed)
        told.append((message.run, message.seen_as, message.why))
        after.handle(Settle(message.tag))
        said += heard(after)
    assert told == [
        (before.run, 2, GATE_LOST_PASSED),
        (before.run, 3, GATE_LOST),
        (before.run, 5, GATE_LOST),
    ]
    assert gate(tmp_path, clock).unsettled == 0


def test_debts_of_debts_keep_the_name_of_the_gate_that_saw_them(tmp_path: Path) -> None:
    """Three gates are killed, one after the other; each adds an item."""
    clock = SimulatedClock(5 * MS)
    runs = []
    for _ in range(3):
        keeper = gate(tmp_path, clock)
        see(keeper, clock, 1)
        runs.append(keeper.run)
    last = gate(tmp_path, clock)
    told, said = [], greet(last)
    while said:
        (message,) = said
        assert isinstance(message, Missed)
        told.append((message.run, message.why))
        last.handle(Settle(message.tag))
        said = heard(last)
    assert told == [(run, NO_EYE) for run in runs]


def test_incidents_outlive_the_gate_with_their_number(tmp_path: Path) -> None:
    """They are recorded once; then nothing is owed."""
    clock = SimulatedClock(5 * MS)
    before = gate(tmp_path, clock)
    before._incidents.add("lost", 0, 7, "edges were lost")
    before._incidents.add("swept", 0, 8, "all of it")
    greet(before)
    before._report_incident()
    before.handle(Recorded(1))
    after = gate(tmp_path, clock)
    greet(after)
    after._report_incident()
    assert heard(after) == [Incident(2, "swept", 0, 8, "all of it", before.run)]
    after.handle(Recorded(2))
    assert gate(tmp_path, clock).unrecorded == []


def test_an_item_that_had_passed_when_it_was_taken_back_is_an_incident(tmp_path: Path) -> None:
    """One that is still ahead is thrown, and its record says so: no incident."""
    clock = SimulatedClock(5 * MS)
    keeper = gate(tmp_path, clock)
    greet(keeper)
    see(keeper, clock, 1)
    keeper.handle(Answer(1, True))
    clock.sleep_until(clock.now_ns() + 5000 * MS)
    keeper._step_queue()
    see(keeper, clock, 1)
    keeper.handle(Answer(2, True))
    for tag in (1, 2):
        keeper.handle(Withdraw(tag))
    clock.sleep_until(clock.now_ns() + 5000 * MS)
    keeper._step_queue()
    assert [(i.what, i.tag) for i in keeper.unrecorded] == [("passed", 1)]


def test_a_gate_that_is_stopped_leaves_its_debts_for_another_boot(tmp_path: Path) -> None:
    """What lay in memory is gone by then; their moments were of another clock."""
    clock = SimulatedClock(5 * MS)
    keeper = gate(tmp_path, clock, rest=True)
    see(keeper, clock, 2)
    keeper._debts.close()
    (tmp_path / "gate.sock.debts").unlink()
    clock.sleep_until(900 * MS)
    after = gate(tmp_path, clock, boot="another boot", rest=True)
    (told,) = greet(after)
    assert isinstance(told, Missed)
    assert (told.run, told.seen_as, told.t_ns) == (keeper.run, 1, 900 * MS)
    assert not (tmp_path / "rest").exists()
    assert after.unsettled == 2


def test_nothing_is_left_at_rest_when_nothing_is_owed(tmp_path: Path) -> None:
    """Nor is it told twice, when the box was not started anew."""
    clock = SimulatedClock(5 * MS)
    keeper = gate(tmp_path, clock, rest=True)
    keeper._debts.close()
    assert not (tmp_path / "rest").exists()
    keeper = gate(tmp_path, clock, rest=True)
    see(keeper, clock, 1)
    keeper._debts.close()
    assert gate(tmp_path, clock, rest=True).unsettled == 1


def test_the_file_is_written_anew_before_it_grows_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand items that are settled, and two that are not."""
    monkeypatch.setattr(debts_module, "GROWN", 2000)
    clock = SimulatedClock(5 * MS)
    keeper = gate(tmp_path, clock)
    greet(keeper)
    see(keeper, clock, 1)
    for tag in range(2, 1001):
        see(keeper, clock, 1)
        keeper.handle(Settle(tag))
    see(keeper, clock, 1)
    assert (tmp_path / "gate.sock.debts").stat().st_size < 5000
    owed = parse_debts((tmp_path / "gate.sock.debts").read_bytes())
    assert sorted(tag for _, tag in owed.items) == [1, 1001]


def test_a_full_run_folder_is_trouble_and_stops_no_pulse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When there is room again the whole of it is written."""
    clock = SimulatedClock(5 * MS)
    keeper = gate(tmp_path, clock)
    real = os.write

    def full(descriptor: int, content: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full)
    see(keeper, clock, 1)
    assert CANNOT_BE_KEPT in keeper.trouble
    assert "No space left on device" in keeper.trouble
    monkeypatch.setattr(os, "write", real)
    see(keeper, clock, 64)
    assert CANNOT_BE_KEPT not in keeper.trouble
    assert gate(tmp_path, clock).unsettled == 65


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_a_file_of_debts_that_is_none_is_trouble_by_name(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    """It is not waited for."""
    make(tmp_path / "gate.sock.debts")
    keeper = gate(tmp_path, SimulatedClock(5 * MS))
    assert "what the gate " in keeper.trouble


def test_a_torn_end_costs_nothing_before_it(tmp_path: Path) -> None:
    """Cut at any byte."""
    clock = SimulatedClock(5 * MS)
    keeper = gate(tmp_path, clock)
    see(keeper, clock, 2)
    content = (tmp_path / "gate.sock.debts").read_bytes()
    whole = content.rindex(b"\n", 0, -1)
    for end in range(whole, len(content)):
        assert [tag for _, tag in parse_debts(content[:end] + b"\n").items] in ([1], [1, 2])
    assert len(parse_debts(content).items) == 2


ITEMS = st.builds(
    UnsettledItem,
    st.integers(1, 2**62),
    st.integers(0, 2**62),
    st.sampled_from([NO_EYE, "another reason"]),
)


@given(st.lists(ITEMS, max_size=9, unique_by=lambda item: item.tag), st.data())
def test_what_is_owed_is_read_as_it_was_noted(
    tmp_path_factory: pytest.TempPathFactory, items: list[UnsettledItem], data: st.DataObject
) -> None:
    """Any items, of which some are settled."""
    folder = tmp_path_factory.mktemp("debts")
    file = Debts(folder / "debts")
    file.begin(RUN, BOOT)
    unsettled, incidents = Unsettled(file), Incidents(file)
    for item in items:
        unsettled.add_missed(item)
    tags = [item.tag for item in items]
    settled = data.draw(st.sets(st.sampled_from(tags))) if tags else set()
    for tag in settled:
        unsettled.settle(tag)
    incidents.add("lost", 0, 1, "edges were lost")
    owed = file.read()
    file.close()
    assert (owed.run, owed.boot_id) == (RUN, BOOT)
    assert {tag for _, tag in owed.items} == {item.tag for item in items} - settled
    assert [i.what for i in owed.incidents.values()] == ["lost"]


def test_an_entry_of_an_older_gate_keeps_its_run() -> None:
    """As does an incident of one."""
    item = UnsettledItem(9, 5, "why", "1-1", 3)
    incident = Incident(4, "lost", 0, 5, "why", "1-1")
    lines = [{"debts": 1, "run": RUN, "boot_id": BOOT}, item_entry(item), incident_entry(incident)]
    owed = parse_debts("\n".join(map(json.dumps, lines)).encode())
    assert list(owed.items.values()) == [item]
    assert list(owed.incidents.values()) == [incident]


def test_nothing_is_owed_by_garbage() -> None:
    """Nor does it raise anything."""
    assert parse_debts(b"\xff\x00[[[\n" * 9) == Owed()
