"""Random histories of a line: no bad item passes unseen, and the journal tells each item's end.

Whether the belt would show a fault of the gate is tried with faults that are planted into it.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.gate.incidents import Incidents
from edge.gate.inputs.confirmations import Confirmations
from edge.gate.inputs.motion import SeenPlaces, Standstill
from edge.gate.keeper import Keeper
from edge.gate.loss_handling import LossHandler
from edge.gate.rejects import Entry, RejectQueue
from tests.belt import history as histories
from tests.belt import soak
from tests.belt.history import KINDS, History, Plan, plan
from tests.belt.proof import findings
from tests.belt.soak import CHUNK, Progress, judge, judge_plan, read_progress
from tests.belt.story import story

HISTORIES = 100
SEARCHED = 600
"""Histories among which a planted fault must show."""
Plant = Callable[[pytest.MonkeyPatch], None]


@pytest.mark.parametrize("first", range(0, HISTORIES, CHUNK))
def test_no_unstamped_item_passes_unseen_and_each_record_tells_what_became_of_it(
    first: int,
) -> None:
    """A short run; the long one is `make soak-belt`."""
    assert {seed: found for seed in range(first, first + CHUNK) if (found := judge(seed))} == {}


REGRESSIONS = {
    440: "a pulse that ended late, by counts, threw a good item without a word",
    360: "a reset that was read with the edges before it ended a trouble that nobody had seen",
    13: "a buffer that ran over while the belt ran by counts let items pass, and READY beat on",
    159: "a belt that ran back, with one track, brought REJECT too early",
    300: "the end of the start's stretch awaited a good item at the bin, and stopped the line",
    204564: "after a second standstill what a lost edge had left in doubt was not thrown again",
    301523: "the journal tells of a whole stretch whose items the gate still counts on their way",
    14583: "a trouble that had stopped the line for one item is about the one behind it, too",
    48571: "the belt ran on for as long as READY's relay waits, and a valve failed meanwhile",
    179: "a gate that was killed threw what it had let pass, and no record said so",
}


@pytest.mark.parametrize("seed", REGRESSIONS, ids=str)
def test_a_history_that_was_wrong_once_is_right(seed: int) -> None:
    """As the belt found them; each also has its smallest case in the tests of the gate."""
    assert judge(seed) == []


def test_a_seed_gives_the_same_history_each_time() -> None:
    """To the last record."""
    stories = []
    for _ in range(2):
        history = History(plan(11))
        history.run()
        stories.append([line.replace(history.gate.runs[0].run, "RUN") for line in story(history)])
    assert stories[0] == stories[1]
    assert any("UNSTAMPED, thrown" in line for line in stories[0])
    assert stories[0][-1] == "found     nothing wrong"


def test_the_histories_are_of_many_kinds() -> None:
    """Both units, both polarities, all that can happen; items pass, are thrown, and are stopped."""
    plans = [plan(seed) for seed in range(400)]
    assert {(p.by_counts, p.build.tracks) for p in plans} >= {
        (True, 1), (True, 2), (False, 0), (False, 2)
    }  # fmt: skip
    assert {p.build.accepts for p in plans} == {p.build.confirm for p in plans} == {True, False}
    assert len({kind for p in plans for _, kind in p.events}) == len(KINDS)
    ran = [History(p) for p in plans[:40]]
    for history in ran:
        history.run()
    products = [product for history in ran for product in history.products]
    assert sum(p.thrown_ns is not None and not p.stamped for p in products) > 20
    assert sum(p.passed_ns is not None and p.stamped for p in products) > 20
    assert sum(bool(history.gate.troubles[1:]) for history in ran) > 10


def _no_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RejectQueue, "sweep", lambda *_: None)
    monkeypatch.setattr(RejectQueue, "sweep_all", lambda *_: None)


def _no_incident(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Incidents, "add", lambda *_: None)


def _late_answers_count(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(self: RejectQueue, sequence: int, *, cancel: bool, now_ns: int) -> str:
        entry = self._ahead.get(sequence)
        if entry is not None and not entry.final:
            fields = {**vars(entry), "answered": True, "reject": not cancel, "let_pass": cancel}
            self._ahead[sequence] = Entry(**fields)
        return "cancelled" if cancel else "kept"

    monkeypatch.setattr(RejectQueue, "answer", answer)


def _nothing_is_withdrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RejectQueue, "withdraw", lambda *_: None)


def _any_edge_confirms(monkeypatch: pytest.MonkeyPatch) -> None:
    def confirm(self: Confirmations, *_: int) -> str:
        if self._awaited:
            self._awaited.popleft()
        return "confirmed"

    monkeypatch.setattr(Confirmations, "confirm", confirm)


def _reset_ends_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def reset(self: Keeper) -> None:
        self._latched.clear()

    monkeypatch.setattr(Keeper, "_reset", reset)


def _never_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Standstill, "count", lambda *_: False)


def _all_was_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SeenPlaces, "again", lambda self, _: bool(self._places))


def _losses_are_overlooked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LossHandler, "handle", lambda *_: None)


def _no_time_to_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(histories, "BELT_START_MS", 0.0)


def _lateness_is_overlooked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RejectQueue, "take_lateness_ns", lambda *_: 0)


@pytest.mark.parametrize(
    ("plant", "kind", "says"),
    [
        (_no_sweep, "hands, reset", "unnoticed"),
        (_no_incident, "", "its record says that it passed"),
        (_late_answers_count, "", "record says"),
        (_nothing_is_withdrawn, "eye loss", "never thrown"),
        (_any_edge_confirms, "valve", "unnoticed"),
        (_reset_ends_all, "hands, reset", "unnoticed"),
        (_never_stands, "back", "unnoticed"),
        (_all_was_seen, "", "unnoticed"),
        (_losses_are_overlooked, "gate held up long", "unnoticed"),
        (_no_time_to_start, "", "unnoticed"),
        (_lateness_is_overlooked, "gate held up long", "unnoticed"),
    ],
    ids=lambda value: value.__name__.strip("_") if callable(value) else "",
)
def test_a_fault_that_is_planted_into_the_gate_is_found(
    monkeypatch: pytest.MonkeyPatch, plant: Plant, kind: str, says: str
) -> None:
    """A belt on which all is always well would prove nothing."""
    plant(monkeypatch)
    plans = (_with(plan(seed), kind) for seed in range(SEARCHED))
    assert any(says in found for drawn in plans for found in judge_plan(drawn))


def _with(drawn: Plan, kind: str) -> Plan:
    """Return a plan in which a kind of thing happens twice, or the valve fails now and then."""
    if not kind:
        return drawn
    if kind == "valve":
        build = replace(drawn.build, confirm=True, accepts=False, bounces=1.0)
        failing = tuple(bool(number % 2) for number in range(len(drawn.gaps)))
        return replace(drawn, build=build, failing=failing, events=())
    room = 1024 if drawn.seed % 2 else 8
    return replace(drawn, events=((60, kind), (140, kind)), room=room)


def test_an_error_of_the_gate_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """It must survive whatever the line does."""

    def fails(self: Keeper, *_: Any) -> None:
        raise ZeroDivisionError("planted")

    monkeypatch.setattr(Keeper, "_handle_item", fails)
    assert judge(1) == ["ZeroDivisionError: planted"]


def test_a_soak_goes_on_where_it_was_stopped_and_begins_anew_for_other_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its file says how far it has come, and of which code."""
    path = tmp_path / "progress.json"
    begun = read_progress(path, 7)
    *_, stopped = soak.soak(begun, CHUNK, 1, path)
    assert stopped.done == CHUNK
    assert read_progress(path, 7) == Progress(soak.code_digest(), 7, CHUNK, {})
    assert read_progress(path, 8).done == 0
    *_, last = soak.soak(read_progress(path, 7), 2 * CHUNK, 1, path)
    assert last.done == 2 * CHUNK
    monkeypatch.setattr(soak, "code_digest", lambda: "other")
    assert read_progress(path, 7) == Progress("other", 7)


def test_findings_name_a_history_that_does_not_end() -> None:
    """A line that waits for ever is a finding, too."""
    history = History(plan(1))
    assert "nothing goes on any more" in findings(history)[0]
