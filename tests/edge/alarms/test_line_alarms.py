"""Each alarm: when it begins, what it says, whether it raises FAULT, and when it ends."""

import dataclasses
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from edge.alarms.line_alarms import LineAlarms, basis_of
from edge.clock import SimulatedClock
from edge.config import Config
from edge.decision import Box, Finding, Verdict
from edge.errors import ConfigError
from edge.process.running_hours import hours_of, should_run
from edge.sections.alarms import ALARM_CODES, AlarmSettings
from edge.sections.decision import DecisionSettings
from edge.sections.gate import GateSettings
from edge.wiring import check_alarms
from tests.disk import journal

S = 10**9
BOX = Box(0, 0, 9, 9)
PASSED = Verdict("pass", "found", findings=(Finding("seal", 0.9, BOX),))
REJECTED = Verdict("reject", "no seal found", code="missing")
NEAR = dataclasses.replace(REJECTED, near=Finding("seal", 0.45, BOX))
WEAK = dataclasses.replace(PASSED, findings=(Finding("seal", 0.55, BOX),))
UNSURE = Verdict("reject", "not sure", code="unsure")


class Line:
    """Alarms on a simulated clock, and what they told."""

    def __init__(self, basis: str = "a", wall: datetime | None = None, **settings: Any) -> None:
        self.clock = SimulatedClock()
        self.config = Config(
            alarms=AlarmSettings(**settings), gate=GateSettings(reject_delay_ms=100.0)
        )
        self.wall = wall or datetime.fromisoformat("2026-11-30T12:00")
        self.alarms = LineAlarms(self.config, self.clock, basis, 0.5, lambda: self.wall)
        self.told: list[tuple[int, str, bool]] = []
        self.items = 0

    def passes(self, verdict: Verdict, times: int = 1, ms: float | None = 10.0) -> None:
        """Let items pass by; what begins and ends is told by their number."""
        for _ in range(times):
            self.items += 1
            self.alarms.item(verdict, ms)
            self.look()

    def look(self, sensors: dict[str, Any] | None = None) -> None:
        """Look for alarms."""
        changes = self.alarms.look(sensors)
        self.told += [(self.items, change.code, change.begun) for change in changes]

    def wait(self, seconds: float) -> None:
        """Let time go by in idle ticks of a second."""
        for _ in range(int(seconds)):
            self.clock.sleep_until(self.clock.now_ns() + S)
            self.look()


def test_rejects_in_a_row_sound_at_their_number_and_end_with_three_passes() -> None:
    """One pass among them begins the count anew; FAULTs count like rejects."""
    line = Line(rejects_in_a_row=4)
    line.passes(REJECTED, 3)
    line.passes(PASSED)
    line.passes(REJECTED, 3)
    assert line.told == []
    line.passes(Verdict("fault", "black picture"), 2)
    line.passes(PASSED, 2)
    line.passes(REJECTED)
    line.passes(PASSED, 3)
    code = "rejects-in-a-row"
    assert line.told == [(8, code, True), (15, code, False)]


@pytest.mark.parametrize("code", ALARM_CODES)
def test_only_what_the_settings_name_raises_fault(code: str) -> None:
    """All are told."""
    line = Line(rejects_in_a_row=2, fault=(code,))
    line.passes(REJECTED, 2)
    words = "rejects-in-a-row: 2 items running did not pass; look at their pictures"
    shown = (line.alarms.fault, line.alarms.told)
    assert [text.startswith(words) for text in shown] == [
        code == "rejects-in-a-row",
        code != "rejects-in-a-row",
    ]


def test_a_reject_rate_above_the_agreed_one_sounds() -> None:
    """Every tenth item at an agreed rate of 1 %; not those that no eye saw."""
    line = Line(reject_rate=0.01, rejects_in_a_row=0)
    line.passes(Verdict("fault", "missed"), 100, ms=None)
    assert line.told == []
    for _ in range(30):
        line.passes(PASSED, 9)
        line.passes(REJECTED)
    assert [(code, begun) for _, code, begun in line.told] == [("reject-rate-high", True)]
    assert "too many for the agreed rate of 1.00%" in line.alarms.told
    line.passes(PASSED, 200)
    assert line.told[-1][1:] == ("reject-rate-high", False)


def test_the_normal_rate_is_learnt_in_the_first_phase_and_then_stays() -> None:
    """A slow rise is no new normal rate."""
    line = Line(learn_items=500, rejects_in_a_row=0)
    for number in range(500):
        line.passes(REJECTED if number % 50 == 0 else PASSED)
    assert line.alarms.state["rejects"] == [10, 500, 0]
    for number in range(3000):
        line.passes(REJECTED if number % (50 - number // 100) == 0 else PASSED)
    assert line.alarms.state["rejects"] == [10, 500, 0]
    for _ in range(100):
        line.passes(PASSED, 5)
        line.passes(REJECTED)
    assert line.told[0][1:] == ("reject-rate-high", True)
    assert "the rate learnt, 10 of 500" in line.alarms.told


def test_a_line_that_begins_broken_is_not_learnt_as_normal() -> None:
    """It is told, and the next phase learns."""
    line = Line(learn_items=100, rejects_in_a_row=0)
    for number in range(100):
        line.passes(REJECTED if number % 3 == 0 else PASSED)
    assert line.told == [(100, "reject-rate-high", True)]
    assert "more than 20% is not taken for the line's normal rate" in line.alarms.told
    line.passes(PASSED, 300)
    assert [(code, begun) for _, code, begun in line.told[1:]] == [("reject-rate-high", False)]
    assert line.alarms.state["rejects"] == [0, 100, 0]


@pytest.mark.parametrize("verdict", [NEAR, WEAK, UNSURE])
def test_near_misses_that_rise_sound_whether_they_pass_or_not(verdict: Verdict) -> None:
    """A mark just above the threshold warns as one just below does."""
    line = Line(near_rate=0.01, learn_items=0, rejects_in_a_row=0)
    for _ in range(30):
        line.passes(PASSED, 9)
        line.passes(verdict)
    assert [(code, begun) for _, code, begun in line.told] == [("near-misses", True)]
    line.passes(PASSED, 200)
    assert line.told[-1][1:] == ("near-misses", False)


def test_a_plain_reject_is_no_near_miss() -> None:
    """Nor is one whose score is far below, or a class that is weak beside its own strong one."""
    far = dataclasses.replace(REJECTED, near=Finding("seal", 0.2, BOX))
    two = dataclasses.replace(PASSED, findings=(*PASSED.findings, *WEAK.findings))
    line = Line(near_rate=0.001, reject_rate=0.5, rejects_in_a_row=0)
    for verdict in (REJECTED, far, two):
        line.passes(verdict, 60)
    assert [code for _, code, _ in line.told if code == "near-misses"] == []


def test_answers_close_to_the_reject_delay_sound() -> None:
    """Five of a hundred at 90 ms of 100; what no eye saw has no latency."""
    line = Line()
    line.passes(PASSED, 4, ms=95.0)
    line.passes(Verdict("fault", "missed"), 5, ms=None)
    assert line.told == []
    line.passes(PASSED, 1, ms=90.0)
    assert line.told == [(10, "latency", True)]
    line.passes(PASSED, 100)
    assert line.told[1:] == [(109, "latency", False)]


def test_no_item_for_a_while_sounds_only_while_the_line_should_run() -> None:
    """The next item ends it; so does the end of the hours."""
    line = Line(no_item_min=2.0, running_hours=("Mon-Fri 06:00-22:00",))
    line.passes(PASSED)
    line.wait(119)
    assert line.told == []
    line.wait(1)
    assert line.told == [(1, "no-items", True)]
    line.passes(PASSED)
    assert line.told[1:] == [(2, "no-items", False)]
    line.wall = datetime.fromisoformat("2026-11-30T23:00")
    line.wait(1000)
    line.wall = datetime.fromisoformat("2026-12-01T06:00")
    line.wait(119)
    assert len(line.told) == 2, "the night does not count"
    line.wait(1)
    assert line.told[2:] == [(2, "no-items", True)]
    line.wall = datetime.fromisoformat("2026-12-01T22:00")
    line.wait(1)
    assert line.told[3:] == [(2, "no-items", False)]


@pytest.mark.parametrize(
    ("text", "moment", "runs"),
    [
        ("06:00-22:00", "2026-11-29T06:00", True),
        ("06:00-22:00", "2026-11-29T22:00", False),
        ("Mon-Fri 06:00-22:00", "2026-11-29T12:00", False),  # a Sunday
        ("Fri 22:00-06:00", "2026-11-28T05:59", True),  # the Saturday after
        ("Fri 22:00-06:00", "2026-11-27T05:59", False),
        ("Sat-Mon 00:00-24:00", "2026-11-30T23:59", True),
        ("Sun 20:00-24:00", "2026-11-29T23:59", True),
        ("Sun 20:00-24:00", "2026-11-30T00:00", False),
        ("06:00-06:00", "2026-11-29T03:00", True),
    ],
)
def test_running_hours_hold(text: str, moment: str, runs: bool) -> None:
    """Also over midnight, where the day is that of the begin."""
    assert should_run([hours_of(text)], datetime.fromisoformat(moment)) is runs


@pytest.mark.parametrize("text", ["", "6:00-22:00", "Mo 06:00-22:00", "06:00-25:00", "06:00"])
def test_hours_that_are_none_are_refused_in_one_line(text: str) -> None:
    """With the form that they must have."""
    with pytest.raises(ConfigError, match=r"\[alarms\] running_hours must be texts such as"):
        check_alarms(Config(alarms=AlarmSettings(running_hours=(text,))))


@pytest.mark.parametrize(
    ("code", "bad", "between", "good"),
    [
        ("temperature", {"temperature_c": 80.5}, {"temperature_c": 76.0}, {"temperature_c": 75.0}),
        ("power", {"throttled": "0x50004"}, {"throttled": "0x4"}, {"throttled": "0x50000"}),
        ("power", {"undervoltage": True}, {"undervoltage": True}, {"undervoltage": False}),
    ],
)
def test_a_hot_or_starved_box_sounds_until_it_is_well_again(
    code: str, bad: dict[str, Any], between: dict[str, Any], good: dict[str, Any]
) -> None:
    """A sensor that cannot be read says nothing."""
    line = Line()
    line.look({"temperature_c": None, "throttled": None, "undervoltage": None})
    assert line.told == []
    for sensors in (bad, between, {"temperature_c": None} | between):
        line.look(sensors)
        assert line.told == [(0, code, True)]
    line.look(good)
    assert line.told == [(0, code, True), (0, code, False)]


def test_a_disk_that_fills_sounds_before_it_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that nobody can ask says nothing."""
    free: list[float | None] = [None, 500.0, 199.0, 230.0, 240.0]
    monkeypatch.setattr("edge.alarms.line_alarms._free_mb", lambda _: free.pop(0))
    line, seen = Line(), []
    while free:
        line.look({"temperature_c": None})
        seen.append(line.alarms.told.partition(":")[0])
    assert seen == ["", "", "disk", "disk", ""]


Restart = Callable[..., Line]


@pytest.fixture
def restart(tmp_path: Path) -> Restart:
    """Writes items and what the alarms say into a journal, then begins another run on it."""

    def begin(line: Line, verdicts: list[Verdict], *, told: bool = True, basis: str = "a") -> Line:
        path = tmp_path / "journal.jsonl"
        with journal(path, file_items=50) as log:
            log.append("start", {"alarms": line.alarms.state} if told else {})
            for verdict in verdicts:
                line.passes(verdict)
                log.append("item", fields_of(verdict))
                if line.items % 40 == 0 and told:
                    log.append("health", {"alarms": line.alarms.state})
        other = Line(basis, **dataclasses.asdict(line.config.alarms))
        other.alarms.restore(path)
        return other

    return begin


def fields_of(verdict: Verdict) -> dict[str, Any]:
    """The fields of an item's record, as the station writes them."""
    return {
        "verdict": verdict.kind,
        "code": verdict.code,
        "findings": [finding.as_object() for finding in verdict.findings],
        "near_miss": verdict.near and verdict.near.as_object(),
        "ms": 10.0,
    }


def test_rejects_in_a_row_go_on_over_a_restart(restart: Restart) -> None:
    """Seven before it and three after it are ten."""
    line = restart(Line(), [*[PASSED] * 30, *[REJECTED] * 7])
    line.passes(REJECTED, 2)
    assert line.told == []
    line.passes(REJECTED)
    assert line.told == [(3, "rejects-in-a-row", True)]


def test_the_chart_and_what_it_learnt_go_on_over_a_restart(restart: Restart) -> None:
    """No item is counted twice, and none is forgotten: as if there had been no restart."""
    before = Line(learn_items=100, window_items=60, rejects_in_a_row=0)
    verdicts = [REJECTED if n % 25 == 0 else NEAR if n % 30 == 7 else PASSED for n in range(90)]
    line = restart(before, verdicts)
    assert line.alarms.state == before.alarms.state
    for verdict in [*[PASSED] * 20, *[PASSED, REJECTED] * 30]:
        before.passes(verdict)
        line.passes(verdict)
    assert line.alarms.state == before.alarms.state
    assert line.alarms.state["rejects"][1] == 100
    assert [(n + 90, code, begun) for n, code, begun in line.told] == before.told != []


def test_an_alarm_that_sounded_sounds_again_after_a_restart(restart: Restart) -> None:
    """Restarting the service ends nothing."""
    line = restart(Line(), [REJECTED] * 12)
    line.look()
    assert line.told == [(0, "rejects-in-a-row", True)]


@pytest.mark.parametrize("change", [{"basis": "b"}, {"told": False}])
def test_what_was_judged_by_another_model_or_rule_does_not_count(
    restart: Restart, change: dict[str, Any]
) -> None:
    """Nor does a journal of an older release, which does not say by what."""
    line = restart(Line(), [REJECTED] * 9, **change)
    line.passes(REJECTED, 9)
    assert line.told == []
    assert line.alarms.state["rejects"] == [9, 9, 0]


def test_a_missing_journal_restores_nothing(tmp_path: Path) -> None:
    """The first start of a box."""
    line = Line()
    line.alarms.restore(tmp_path / "none.jsonl")
    assert line.alarms.state["rejects"] == [0, 0, 0]


def test_changed_settings_count_at_once_for_the_items_before() -> None:
    """And another rule begins anew."""
    line = Line(rejects_in_a_row=0)
    line.passes(REJECTED, 6)
    asked = dataclasses.replace(line.config, alarms=AlarmSettings(rejects_in_a_row=5))
    line.alarms.adopt(asked, "a", 0.5)
    line.look()
    assert line.told == [(6, "rejects-in-a-row", True)]
    line.alarms.adopt(asked, "b", 0.5)
    line.look()
    assert line.told[1:] == [(6, "rejects-in-a-row", False)]
    assert line.alarms.state["rejects"] == [0, 0, 0]


def test_the_basis_is_the_model_and_the_rules() -> None:
    """Nothing else makes the line learn anew."""
    config = Config()
    rule = dataclasses.replace(config, decision=DecisionSettings(min_score=0.7))
    pulse = dataclasses.replace(config, gate=GateSettings(pulse_ms=70.0))
    assert basis_of(config, "1") == basis_of(pulse, "1")
    assert len({basis_of(config, "1"), basis_of(config, "2"), basis_of(rule, "1")}) == 3
