"""The rules of the decision at the whole station: idle looks, notes, reload, what is written."""

from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from edge.annotate import recorded_verdict
from edge.clock import SimulatedClock, Stop
from edge.config import Config
from edge.deciding.fixed_marks import CLEAR_LOOKS, IDLE_LOOKS, StandingMarks
from edge.decision import Finding
from edge.errors import ConfigError
from edge.record.verify import read_records, verify
from edge.sections.camera import CameraSettings
from edge.sections.decision import DecisionSettings
from edge.sections.model import ModelSettings
from edge.sections.trigger import TriggerSettings
from edge.service import _idle_marks, serve
from edge.sight.idle_marks import IdleMarks
from edge.station import Station
from edge.trigger import Item
from tests.edge.test_reload import DOT, Edit, edit, served, shape
from tests.edge.test_station import Build, build, items, settings
from tests.programs import PATIENCE_S
from tests.tiny_model import paint, save, two_classes, write_tiny_model

__all__ = ["build", "edit"]
NOTHING, RAIL = paint({}), paint({"dot": [(48, 48)]})
RAIL_AND_DOT = paint({"dot": [(16, 24), (48, 48)]})
SECOND = 10**9


class Belt:
    """Tells of an item, or that none came by the end of the wait."""

    skipped = 0

    def __init__(self, clock: SimulatedClock, script: Sequence[bool]) -> None:
        self._clock, self._script = clock, deque(script)

    def wait(self, until_ns: int, _stop: Stop) -> Item | None:
        """Take the next of the script."""
        if self._script.popleft():
            return Item(self._clock.now_ns())
        self._clock.sleep_until(until_ns)
        return None

    def next_ns(self, item: Item) -> int | None:
        """Know of none."""
        return None


class Patient(IdleMarks):
    """Waits for each look, so that a test depends on no thread's speed."""

    def take(self, timeout_s: float = PATIENCE_S) -> list[tuple[Finding, bool]]:
        """Wait for it."""
        return super().take(timeout_s or PATIENCE_S)


def run(station: Station, script: Sequence[bool], stop: Stop) -> None:
    """Let the script come by, a second a tick."""
    clock = station.clock
    assert isinstance(clock, SimulatedClock)
    station.trigger = Belt(clock, script)
    for _ in script:
        station.pass_item(clock.now_ns() + SECOND, stop)


def watch(station: Station, **decision: Any) -> None:
    """Let the station look for marks without an item."""
    how = DecisionSettings(idle_look_s=1.0, **decision)
    station.idle_marks = Patient(station.inspector, station.clock, how)


SETTLING = 2
"""Idle ticks until the first look: the last item must have left the view."""


def test_the_stamp_on_the_guide_rail_is_trouble_and_lets_nothing_pass(
    build: Build, tmp_path: Path, stop: Stop
) -> None:
    """Before the first item; the item's own stamp counts beside it, and it is free once it is gone.

    Its look is an idle one: the items before and after are judged at once.
    """
    script = [*[RAIL] * IDLE_LOOKS, RAIL, RAIL_AND_DOT, *[NOTHING] * CLEAR_LOOKS, RAIL]
    idle = [False] * (SETTLING + IDLE_LOOKS + 1)
    with build(script) as station:
        watch(station)
        run(station, [*idle[:-1], False], stop)
        assert station.health.trouble.startswith("a mark is seen while no item is there: dot at [")
        assert station.idle_marks is not None
        station.idle_marks.stop()
        station.camera._shown = IDLE_LOOKS  # type: ignore[attr-defined]
        run(station, [True, True], stop)
        run(station, [False] * (SETTLING + CLEAR_LOOKS), stop)
        station.idle_marks.take()
        assert station.health.trouble == ""
    told = [(r["verdict"], r["code"], len(r["findings"])) for r in items(tmp_path)]
    assert told == [("reject", "fixed-mark", 1), ("pass", "found", 2)]
    notes = [r["reason"] for r in read_records(tmp_path / "journal.jsonl") if r["kind"] == "note"]
    assert notes == [
        "dot at [40 40 64 64] is seen while no item is there",
        "dot at [40 40 64 64] is not seen there any more",
    ]
    assert verify(tmp_path / "journal.jsonl").items == 2


def test_an_item_that_has_just_gone_by_is_not_looked_at_as_none(build: Build, stop: Stop) -> None:
    """It may still be in view: looks come a second after it, and none while items come."""
    with build([RAIL] * 9) as station:
        watch(station)
        run(station, [True, False, True, False, True, False], stop)
        assert station.camera._shown == 3  # type: ignore[attr-defined]
        assert station.health.trouble == ""


def test_a_mark_on_item_after_item_is_told_and_no_trouble(
    build: Build, tmp_path: Path, stop: Stop
) -> None:
    """Many good lines are like that; it is told once, in the journal and the status."""
    with build([DOT] * 5 + [NOTHING]) as station:
        station.standing = StandingMarks(running=3)
        run(station, [True] * 5, stop)
        assert station.health.note.startswith("a mark stands at the same place on the last 3 items")
        assert station.health.trouble == ""
        run(station, [True], stop)
        assert station.health.note == ""
    kinds = [r["kind"] for r in read_records(tmp_path / "journal.jsonl") if r["kind"] != "incident"]
    assert kinds == ["item", "item", "item", "note", "item", "item", "item"]


@pytest.mark.parametrize(
    ("new", "after"),
    [
        ('["dot"]\nforbidden = ["square"]', ["pass", "pass"]),
        ('["square"]\nforbidden = ["dot"]', ["reject", "reject"]),
        ('["dot"]\ncount = 2', ["reject", "reject"]),
        ('["dot"]\nregion = [[32, 0], [64, 0], [64, 64], [32, 64]]', ["reject", "reject"]),
        ('["dot"]\nmark_least_px = 25', ["reject", "reject"]),
    ],
)
def test_a_rule_that_is_reloaded_counts_from_the_next_item_on(
    edit: Edit, monkeypatch: pytest.MonkeyPatch, new: str, after: list[str]
) -> None:
    """The item in hand is judged by the ones before."""
    records = served(edit, monkeypatch, '["dot"]', new)
    assert shape(records) == ["start", "pass", "pass", "settings", *after, "stop"]
    assert records[3]["reason"] == "settings read again"


@pytest.mark.parametrize(
    ("new", "why"),
    [
        ('["dot"]\nmin_score = 0.4', "min_score must be 0 or at least the model's own thresh"),
        ('["dot"]\nforbidden = ["rejected"]', "forbidden: a forbidden class must be one of the"),
        ('["dot"]\nmark_angle_deg = 3', "mark_angle_deg must be 0"),
        ('["dot"]\nregion = [[0, 0], [9, 9]]', "region must have 3 to 32 corners"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_is_refused_whole_at_reload(
    edit: Edit, monkeypatch: pytest.MonkeyPatch, new: str, why: str
) -> None:
    """One line says why, and those before go on."""
    records = served(edit, monkeypatch, '["dot"]', new)
    assert shape(records) == ["start", "pass", "pass", "settings", "pass", "pass", "stop"]
    assert why in records[3]["reason"]
    assert records[3]["changed"] == {}


def test_a_model_that_lacks_a_class_of_the_rules_is_refused_at_the_start(tmp_path: Path) -> None:
    """Exit 78, before a camera is opened: a rule that names nothing would be no rule."""
    config = settings(tmp_path, decision=DecisionSettings(forbidden=("square",)))
    with pytest.raises(ConfigError, match="forbidden class must be one of the model's") as caught:
        serve(config, SimulatedClock())
    assert caught.value.exit_code == 78


@pytest.mark.parametrize(
    ("kind", "driver", "looks"),
    [
        ("photo-eye", "v4l2", True),
        ("photo-eye", "replay", False),
        ("interval", "v4l2", False),
        ("every-frame", "v4l2", False),
    ],
)
def test_the_service_looks_without_an_item_where_it_knows_that_there_is_none(
    build: Build, kind: str, driver: str, looks: bool
) -> None:
    """A tick of a clock or a new picture tells of no empty belt, and a replayed one is an item."""
    config = Config(trigger=TriggerSettings(kind=kind), camera=CameraSettings(driver=driver))
    with (
        build([]) as station,
        _idle_marks(config, station.inspector, station.clock) as idle_marks,
    ):
        assert (idle_marks is not None) == looks


@pytest.fixture
def weak(tmp_path: Path) -> Config:
    """A run of three pictures: found, in doubt, and a near miss."""
    write_tiny_model(tmp_path / "two.onnx", two_classes())
    decision = DecisionSettings(required=("dot",), min_score=0.7, no_call_from=0.5)
    return settings(tmp_path, decision=decision, model=ModelSettings(file="two.onnx"))


def test_not_sure_is_counted_for_itself_and_kept_as_evidence(weak: Config, tmp_path: Path) -> None:
    """A REJECT like any other at the gate; the near miss stands in the record, not in pixels."""
    for number, side in enumerate((8, 6, 5), 1):
        save(tmp_path / "frames" / f"{number}.png", paint({"dot": [(16, 24)]}, side=side))
    counters = serve(weak, SimulatedClock())
    assert (counters.passed, counters.rejected, counters.unsure) == (1, 2, 1)
    told = [(r["code"], r["near_miss"] and r["near_miss"]["score"]) for r in items(tmp_path)]
    assert told == [("found", None), ("unsure", 0.5625), ("missing", 0.3906)]
    kept = [path.name for path in sorted((tmp_path / "evidence").glob("*-reject.jpg"))]
    assert [r["evidence"] for r in items(tmp_path)][1:] == kept
    verdict = recorded_verdict(items(tmp_path)[2])
    assert verdict.near is not None
    assert (verdict.code, verdict.near.label) == ("missing", "dot")
