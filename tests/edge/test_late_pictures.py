"""The picture is the item's own: a belt, a photo-eye, a camera and the whole box, simulated."""

import random
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.camera import videodev
from edge.camera.checks import FrameChecks
from edge.camera.v4l2 import V4l2Camera
from edge.clock import SimulatedClock, Stop
from edge.config import Config
from edge.deciding.rules import Rules
from edge.decision import Box, Finding
from edge.errors import ConfigError
from edge.gate.client import RemoteGate
from edge.gate.keeper import Keeper
from edge.gate.lines import WireEvent
from edge.gate.lines.simulated import SimulatedLines
from edge.gate.messages import (
    VERSION,
    Answer,
    Answered,
    Beat,
    Beaten,
    FromEye,
    Hello,
    Incident,
    ItemSeen,
    Missed,
    Settle,
    Withdraw,
)
from edge.gate.rejects import Outcome
from edge.process.notify import Notifier
from edge.record.evidence import Evidence
from edge.record.health import Health
from edge.record.journal import Journal
from edge.record.verify import read_records
from edge.sections.camera import CameraSettings
from edge.sections.gate import GateSettings, LinesSettings
from edge.sections.records import EvidenceSettings, JournalSettings
from edge.sections.trigger import TriggerSettings
from edge.sight.inspector import Inspector
from edge.station import Station
from edge.trigger import GateTrigger
from edge.vision.localizer import Localizer
from tests.edge.camera.test_v4l2 import FRESH, HEIGHT, MS, WIDTH, Kernel, plugged_in, wishes

FIRST_MS, ITEMS, DELAY_MS = 3000, 8, 1200
EMPTY, BARE, STAMPED = 40, 110, 200
"""Levels of Y: the belt alone, an item without its mark, and one with it."""
IN_VIEW_BEFORE_MS = 20
"""An item comes into view so long before it is at the photo-eye."""
Spoil = Callable[[int], bool]
"""Tells whether the camera hands over its picture of that number with the ERROR flag."""


@dataclass
class Line:
    """Items on a belt; every second one is stamped, the first one is not."""

    gap_ms: int
    view_ms: int
    """How long after its trigger an item is still in view."""
    triggers_ms: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.triggers_ms = [FIRST_MS + self.gap_ms * number for number in range(ITEMS)]

    def seen(self, ms: float) -> bytes:
        """Return the YUYV picture that begins then."""
        level = EMPTY
        for number, trigger_ms in enumerate(self.triggers_ms):
            if trigger_ms - IN_VIEW_BEFORE_MS <= ms < trigger_ms + self.view_ms:
                level = STAMPED if number % 2 else BARE
        return bytes((level, 128)) * (WIDTH * HEIGHT)


class Sight:
    """Finds the mark on what is as bright as a stamped item; takes its time."""

    def __init__(self, clock: SimulatedClock) -> None:
        self._clock = clock

    def find(
        self,
        picture: NDArray[np.uint8],
        min_score: float,
        *,
        near: bool,
    ) -> tuple[Finding, ...]:
        """Take 30 ms, then look."""
        self._clock.sleep_until(self._clock.now_ns() + 30 * MS)
        bright = float(picture.mean()) > (BARE + STAMPED) / 2
        return (Finding("dot", 1.0, Box(0, 0, 1, 1)),) if bright else ()


class NearGate:
    """The gate's process in this one, spoken to as :class:`RemoteGate` does."""

    def __init__(self, config: Config, clock: SimulatedClock, line: Line) -> None:
        script = [
            WireEvent("trigger", level, (ms + after_ms) * MS)
            for ms in line.triggers_ms
            for level, after_ms in ((1, 0), (0, 20))
        ]
        self.lines = SimulatedLines(clock, script=script)
        self.keeper = Keeper(config, self.lines, clock)
        self._clock = clock
        self._told: deque[ItemSeen | Missed] = deque()

    def __enter__(self) -> Self:
        self.lines.__enter__()
        self._clock.start_timer(self.keeper)
        self.keeper.begin()
        self.keeper.accept_eye(Hello(VERSION, "photo-eye"))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.lines.__exit__(kind, error, trace)

    def _say(self, message: FromEye, kind: type[Any] | None = None) -> Any:
        self.keeper.handle(message)
        self.keeper.act()
        reply = None
        while self.keeper.outbox:
            told = self.keeper.outbox.popleft()
            if isinstance(told, ItemSeen | Missed):
                self._told.append(told)
            elif kind is not None and isinstance(told, kind):
                reply = told
        return reply

    def answer(self, tag: int, *, cancel: bool) -> Outcome:
        """Answer for an item."""
        return cast(Outcome, self._say(Answer(tag, cancel), Answered).outcome)

    def settle(self, tag: int, *, written: bool) -> None:
        """Close an item."""
        self._say(Settle(tag) if written else Withdraw(tag))

    def show_fault(self, trouble: str) -> None:
        """Tell the gate what is wrong here."""
        self._say(Beat(trouble), Beaten)

    def incidents(self) -> list[Incident]:
        """Return nothing: each pulse is in the lines' own history."""
        return []

    def check(self) -> None:
        """Exchange heartbeats."""
        self._say(Beat(""), Beaten)

    @property
    def facts(self) -> dict[str, object]:
        """The gate's run and trouble."""
        return {"run": "run", "trouble": self.keeper.trouble}

    def next_item(self, until_ns: int, stop: Stop) -> ItemSeen | Missed | None:
        """Wait until *until_ns* for an item."""
        while True:
            self.keeper.act()
            self.check()
            if self._told:
                return self._told.popleft()
            if stop.reason or self._clock.now_ns() >= until_ns:
                return None
            self._clock.sleep_until(min(until_ns, self._clock.now_ns() + MS))


@dataclass
class Run:
    """What became of the items of one run."""

    verdicts: list[str]
    reasons: list[str]
    thrown: list[bool]
    trouble: str
    facts: dict[str, float]

    def wrong_passes(self) -> list[int]:
        """Return the unstamped items that no pulse met, numbered from 1."""
        return [n + 1 for n, thrown in enumerate(self.thrown) if n % 2 == 0 and not thrown]


def whole(_number: int) -> bool:
    """No picture is damaged."""
    return False


@contextmanager
def box(
    folder: Path, kernel: Kernel, line: Line, camera: CameraSettings, **trigger: Any
) -> Iterator[tuple[Station, NearGate]]:
    """Open the whole box on that camera and that belt."""
    config = Config(
        camera=camera,
        trigger=TriggerSettings(kind="photo-eye", **trigger),
        gate=GateSettings(driver="process", reject_delay_ms=DELAY_MS, pulse_ms=20.0),
        lines=LinesSettings(trigger="EYE", reject="R"),
        journal=JournalSettings(sync="grouped", group_ms=60_000.0),
    )
    clock = kernel.clock
    with (
        NearGate(config, clock, line) as gate,
        Journal(folder / "journal.jsonl", clock, settings=config.journal) as journal,
        Notifier() as notifier,
        V4l2Camera(camera, clock) as opened,
        Evidence(None, EvidenceSettings()) as evidence,
    ):
        spoken = cast(RemoteGate, gate)
        station = Station(
            trigger=GateTrigger(spoken, round(config.trigger.latest_ms * 1e6), clock),
            camera=opened,
            checks=FrameChecks(camera),
            inspector=Inspector(cast(Localizer, Sight(clock)), Rules.plain({"dot"}, 0.5)),
            gate=spoken,
            evidence=evidence,
            journal=journal,
            health=Health(journal, evidence, config.journal, clock),
            notifier=notifier,
            clock=clock,
        )
        yield station, gate


def run(
    folder: Path,
    kernel: Kernel,
    line: Line,
    spoil: Spoil = whole,
    *,
    camera: dict[str, Any] | None = None,
    **trigger: Any,
) -> Run:
    """Let all items come by, and return what became of them."""
    kernel.send = lambda number: (
        line.seen(kernel.began_ns(number) / MS),
        videodev.FLAG_ERROR if spoil(number) else 0,
    )
    usual = {"frames_per_second": 25.0, "allow_repeats": True, "covered_below": 0.0}
    wished = wishes(kernel, **usual | {"timeout_ms": 1000.0} | (camera or {}))
    stop = Stop()
    with box(folder, kernel, line, wished, **trigger) as (station, gate):
        end_ns = (line.triggers_ms[-1] + 2000) * MS
        while kernel.clock.now_ns() < end_ns:
            station.pass_item(kernel.clock.now_ns() + 100 * MS, stop)
        trouble, facts = station.health.trouble, dict(station.camera.facts)
        transitions = gate.lines.record.transitions
        levels = [(e.t_ns / MS, e.level) for e in transitions if e.line == "reject"]
    stop.close()
    records = {
        record["trigger_ns"] / MS: record
        for record in read_records(folder / "journal.jsonl")
        if record["kind"] == "item"
    }
    assert sorted(records) == line.triggers_ms
    return Run(
        [records[ms]["verdict"] for ms in line.triggers_ms],
        [records[ms]["reason"] for ms in line.triggers_ms],
        [
            bool([level for at, level in levels if at <= ms + DELAY_MS][-1])
            for ms in line.triggers_ms
        ],
        trouble,
        facts,
    )


def plug(folder: Path, patch: pytest.MonkeyPatch, **changed: Any) -> Kernel:
    """Plug a camera in, with some of its attributes changed."""
    folder.mkdir(parents=True, exist_ok=True)
    kernel = plugged_in(folder / "video0", patch)
    for name, value in changed.items():
        setattr(kernel, name, value)
    return kernel


def during(begin_ms: int, end_ms: int, period_ms: int = 40) -> Spoil:
    """Spoil the pictures that begin in that time."""
    return lambda number: begin_ms <= number * period_ms < end_ms


def test_a_camera_that_is_well_judges_every_item_by_its_own_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The unstamped ones are thrown, the stamped ones pass."""
    outcome = run(tmp_path, plug(tmp_path, monkeypatch), Line(300, 150))
    assert outcome.verdicts == ["reject", "pass"] * (ITEMS // 2)
    assert outcome.thrown == [True, False] * (ITEMS // 2)
    assert outcome.trouble == ""
    assert (outcome.facts["damaged"], outcome.facts["late"], outcome.facts["lost"]) == (0, 0, 0)


@pytest.mark.parametrize("timeout_ms", [150.0, 250.0, 1000.0])
def test_a_late_picture_after_damaged_ones_is_a_fault_of_its_item_and_the_eye_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, timeout_ms: float
) -> None:
    """Nine damaged pictures in a row hide item 1: it is thrown, and item 2 judged by its own."""
    kernel = plug(tmp_path, monkeypatch)
    outcome = run(
        tmp_path, kernel, Line(300, 150), during(3000, 3310), camera={"timeout_ms": timeout_ms}
    )
    assert outcome.verdicts == ["fault", *["pass", "reject"] * 3, "pass"]
    assert outcome.reasons[0].startswith("late picture: it began ")
    assert outcome.thrown == [True, False] * (ITEMS // 2)
    assert outcome.facts["damaged"] == 8
    assert outcome.trouble.startswith("the camera's pictures are damaged, lost or misdated: ")


def test_a_driver_that_tells_of_fewer_pictures_than_asked_for_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five a second for 25 asked: a wrong setting, said with what there is."""
    kernel = plug(tmp_path, monkeypatch, period_ns=200 * MS)
    with pytest.raises(ConfigError, match=r"frames_per_second must be .*, not 25; it offers 5"):
        run(tmp_path, kernel, Line(300, 150))


def test_fewer_pictures_than_the_driver_tells_are_faults_and_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says 25 and gives 5 a second, as in the dark: what comes too late is never judged."""
    kernel = plug(tmp_path, monkeypatch, period_ns=200 * MS, told_ns=40 * MS)
    outcome = run(tmp_path, kernel, Line(190, 120))
    assert outcome.wrong_passes() == []
    assert "fault" in outcome.verdicts
    assert outcome.trouble.startswith(
        "the camera gives fewer pictures than asked for: 5.0 a second, not 25"
    )


def test_a_picture_begun_after_the_next_trigger_is_a_fault_whatever_the_settings_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """in_view_ms is set far too long: the gate's word of the next item still holds."""
    kernel = plug(tmp_path, monkeypatch)
    outcome = run(
        tmp_path, kernel, Line(300, 150), during(3000, 3310), camera={"in_view_ms": 2000.0}
    )
    assert outcome.wrong_passes() == []
    assert outcome.reasons[0].startswith("late picture: the next item came by ")


def spoils(seed: int) -> dict[str, Spoil]:
    """Ways in which pictures are damaged: none, bursts, every second or third, by chance."""
    chance = random.Random(seed)
    bad = {number for number in range(2000) if chance.random() < 0.4}
    return {
        "none": whole,
        "burst": lambda number: number % 23 < 9,
        "second": lambda number: number % 2 == 0,
        "third": lambda number: number % 3 != 0,
        "chance": lambda number: number in bad,
    }


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("how", list(spoils(0)))
def test_no_spacing_rate_and_damage_lets_an_unstamped_item_pass(
    tmp_path: Path, how: str, told: bool
) -> None:
    """Items 100 to 400 ms apart; 25 pictures a second as asked for, or 5 that the driver hides."""
    passed = 0
    for seed, gap_ms in enumerate(range(100, 410, 40)):
        flags = (FRESH, videodev.CLOCK_MONOTONIC)[seed % 2]  # stamped at either end
        for period_ms in (40, 50) if told else (90, 200):
            folder = tmp_path / f"{gap_ms}-{period_ms}"
            with pytest.MonkeyPatch.context() as patch:
                rates = {"period_ns": period_ms * MS, "told_ns": 40 * MS}
                kernel = plug(folder, patch, flags=flags, **rates)
                outcome = run(
                    folder, kernel, Line(gap_ms, gap_ms - 60), spoils(seed)[how], latest_ms=1000.0
                )
            assert outcome.wrong_passes() == [], f"{gap_ms} ms apart, {period_ms} ms a picture"
            passed += outcome.verdicts.count("pass")
    assert passed > 0 or not told, "a box that rejects everything proves nothing"
