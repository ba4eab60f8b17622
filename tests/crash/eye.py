"""An eye without camera and model: all that lies between trigger and record is the box's own.

What it sees of an item is told by the item's moment, so that each eye after it would see the same.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np

from edge.camera import Capture
from edge.camera.checks import FrameChecks
from edge.clock import Clock, Stop
from edge.config import Config
from edge.deciding.rules import Rules
from edge.decision import Box, Finding
from edge.gate.client import RemoteGate
from edge.process.notify import Notifier
from edge.record.evidence import Evidence
from edge.record.health import Health
from edge.record.high_water import mark_path
from edge.record.journal import Journal
from edge.record.seal import SealKey
from edge.record.verify import Verified
from edge.record.verify_seal import verify_seal
from edge.sections.camera import CameraSettings
from edge.sections.gate import GateSettings, LinesSettings
from edge.sections.records import EvidenceSettings, JournalSettings
from edge.sections.trigger import TriggerSettings
from edge.service import _begin_journal
from edge.sight.inspector import Inspector
from edge.station import Station
from edge.trigger import make_trigger
from edge.vision.localizer import Localizer
from edge.vision.preprocess import Frame
from tests.camera_doubles import CameraDouble

GOOD, BAD = 200, 50
PATIENT_MS, PICTURE_MS = 10_000.0, 200.0
"""Patience with the disk, for a record and for a picture: of that the record says if it is late."""


def settings(folder: Path, delay_ms: float = 700.0, **journal: Any) -> Config:
    """Settings of a box in *folder* that keeps every picture."""
    return Config(
        camera=CameraSettings(allow_repeats=True, covered_below=0.0, drift_above=0.0),
        trigger=TriggerSettings(kind="photo-eye", latest_ms=10_000.0, blocked_ms=0.8 * delay_ms),
        gate=GateSettings(
            driver="process",
            reject_delay_ms=delay_ms,
            pulse_ms=1.0,
            eye_silent_ms=10_000.0,
            ready_stops_belt=False,  # items come by whatever READY says
            socket="gate.sock",
            record="edges.jsonl",
            debts="",
        ),
        lines=LinesSettings(trigger="EYE", inputs="lines.sock"),
        journal=JournalSettings(
            **{"file": "journal.jsonl", "mark": "mark", "patience_ms": PATIENT_MS, **journal}
        ),
        evidence=EvidenceSettings(
            folder="evidence", keep_free_mb=0, pass_rate=1.0, patience_ms=PICTURE_MS
        ),
        folder=folder,
    )


def is_good(t_ns: int) -> bool:
    """Tell whether the item that came by at *t_ns* bears the mark: two of three do."""
    return t_ns // 1_000_000 % 3 > 0


def findings_of_seal(journal: Path, key: SealKey | None, verified: Verified) -> list[str]:
    """Return what the verification key finds: each record is sealed, and the end is proven.

    *key*: None when the journal has no seal.
    """
    if key is None:
        return []
    return [said.text for said in verify_seal(journal, (key,), verified).discrepancies]


class TellingCamera(CameraDouble):
    """Gives a grey picture for each trigger, bright for a good item."""

    def wait(self, until_ns: int, stop: Stop) -> bool:
        """Have no picture without a trigger."""
        return False

    def capture(self, after_ns: int) -> Capture:
        """Give the picture of the item of that moment, which was taken then."""
        self._shown += 1
        level = GOOD if is_good(after_ns) else BAD
        picture = np.full((16, 16, 3), level, np.uint8)
        return Capture(picture, after_ns + 1, self._shown, "")


class BrightIsGood:
    """Finds the mark on a bright picture."""

    def find(self, frame: Frame, min_score: float, *, near: bool) -> tuple[Finding, ...]:
        """Look at one pixel."""
        return (Finding("dot", 0.9, Box(1, 1, 9, 9)),) if frame[0, 0, 0] == GOOD else ()


@contextlib.contextmanager
def open_eye(config: Config, clock: Clock, gate: RemoteGate) -> Iterator[Station]:
    """Open the eye's parts as :func:`edge.service.serve` does, and close them after."""
    path = config.path(config.journal.file)
    folder = config.path(config.evidence.folder) if config.evidence.folder else None
    with Evidence(folder, config.evidence) as evidence:
        mark = mark_path(config.path(config.journal.mark), path)
        journal = Journal(
            path, clock, settings=config.journal, mark=mark, at_least=evidence.last_item
        )
        camera = TellingCamera()
        with journal, camera, gate, Notifier() as notifier:
            station = Station(
                trigger=make_trigger(config.trigger, camera, clock, gate),
                camera=camera,
                checks=FrameChecks(config.camera),
                inspector=Inspector(cast(Localizer, BrightIsGood()), Rules.plain({"dot"}, 0.5)),
                gate=gate,
                evidence=evidence,
                journal=journal,
                health=Health(journal, evidence, config.journal, clock),
                notifier=notifier,
                clock=clock,
            )
            assert evidence.drained(60.0)
            _begin_journal(config, journal, gate, {"model": {}})
            try:
                yield station
            except Exception as error:
                counters = station.counters.as_object()
                journal.append("stop", {"reason": repr(error), "counters": counters})
                raise
            journal.append("stop", {"reason": "", "counters": station.counters.as_object()})
