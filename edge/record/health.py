"""Health: telemetry and latency percentiles, to the journal each minute and to the status file.

All memory is bounded: percentiles are those of the last :data:`LATENCIES` items.
"""

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge.clock import Clock, boot_id
from edge.decision import Verdict
from edge.record.evidence import Evidence
from edge.record.journal import Journal
from edge.record.status import StatusFile
from edge.record.telemetry import telemetry
from edge.sections.records import JournalSettings

LATENCIES = 1024
STATUS_NS = 1_000_000_000
"""Least time between two writes of the status file, nanoseconds."""


@dataclass(frozen=True)
class AlarmWords:
    """The alarms in words: those that raise *fault*, those only *told*, and their *state*."""

    fault: str = ""
    told: str = ""
    state: Mapping[str, Any] = field(default_factory=dict)


class Health:
    """Health of the service: writes the ``health`` records of the journal and the status file.

    *about*: the status file's fields on the program, its settings and its model. *root*: where
    ``/sys`` and ``/proc`` are. *status*: the file to write, None for none.

    Synchronization: the one thread of the station.
    """

    def __init__(
        self,
        journal: Journal,
        evidence: Evidence,
        settings: JournalSettings,
        clock: Clock,
        status: Path | None = None,
        about: Mapping[str, Any] | None = None,
        root: Path = Path("/"),
    ) -> None:
        self._journal, self._evidence, self._clock, self._root = journal, evidence, clock, root
        self._about = dict(about or {})
        self._settings = settings
        self._status = StatusFile(status, journal.path.absolute().parent)
        self._since_ns = self._told_ns = clock.now_ns()
        self._shown_ns: int | None = None
        self._latencies: deque[float] = deque(maxlen=LATENCIES)
        self._fresh = 0  # items since the last health record
        self._fresh_latencies = 0  # of these, those that the eye saw
        self._last: dict[str, Any] | None = None
        self._line: dict[str, Any] | None = None
        self.gate: Mapping[str, object] = {}
        """The gate process's last report: its counters and its trouble; empty without one."""
        self.camera: Mapping[str, float] = {}
        """Counts of the camera's pictures."""
        self.model_trouble = ""
        """Why the model should not judge, in words; empty for one that is ready."""
        self.camera_trouble = ""
        """Trouble with the camera or its pictures, in words; empty when there is none."""
        self.challenge_trouble = ""
        """What the test of the alarm raises FAULT with; empty when it is not tested."""
        self.hold = ""
        """Why the production line must not run, by the challenge test; empty when it may."""
        self.challenge: Mapping[str, Any] = {}
        """How the challenge test stands."""
        self.release: Mapping[str, Any] = {}
        """The release that runs, and how its probation stands; empty for a bare model file."""
        self.marks_trouble = ""
        """Trouble with marks that are seen without an item, in words; empty when there is none."""
        self.alarms = AlarmWords()
        """The alarms that sound, and what a restart must know of them."""
        self.sensors: Mapping[str, Any] | None = None
        """The last telemetry; the same object until it is read again."""
        self.note = ""
        """What is to be told and is no trouble, in words; empty when there is nothing."""

    def item(self, sequence: int, verdict: Verdict, ms: float | None) -> None:
        """Count an item; *ms*: its latency from trigger to answer, None when no eye saw it.

        Such an item has no latency: it stays out of the percentiles.
        """
        if ms is not None:
            self._latencies.append(ms)
            self._fresh_latencies += 1
        self._fresh += 1
        self._last = {
            "sequence": sequence,
            "verdict": verdict.kind,
            "reason": verdict.reason,
            "code": verdict.code,
            **({} if ms is None else {"ms": round(ms, 3)}),
        }

    def tick(
        self, counters: Mapping[str, int], queue_depth: int | None = None, state: str = "running"
    ) -> None:
        """Write health record and status file when due; call it after each item and idle tick.

        *queue_depth*: items between the eye and the gate. *state*: a word for the status file.
        Sensors and a status file that cannot be read or written are no error.
        """
        now_ns = self._clock.now_ns()
        if now_ns - self._told_ns >= round(self._settings.health_s * 1e9):
            self.sensors = telemetry(self._root)
            self._line = {
                **self.sensors,
                "queue_depth": queue_depth,
                **self._latency(min(self._fresh_latencies, LATENCIES)),
                "items": self._fresh,
                "journal": self._journal.take_state(),
                "evidence": self._evidence.take_state(),
                "camera": dict(self.camera),
                "trouble": _joined(self.hold, self.trouble, self.alarms.told),
                **({"alarms": dict(self.alarms.state)} if self.alarms.state else {}),
            }
            self._told_ns, self._fresh, self._fresh_latencies = now_ns, 0, 0
            self._journal.append("health", self._line)
        if self._shown_ns is None or now_ns - self._shown_ns >= STATUS_NS:
            self.show(counters, queue_depth, state)

    def show(
        self, counters: Mapping[str, int], queue_depth: int | None = None, state: str = "running"
    ) -> None:
        """Write the status file now; call it with ``state="stopped"`` at the end."""
        self._shown_ns = self._clock.now_ns()
        trouble = self._all_trouble()
        challenge = {"challenge": dict(self.challenge)} if self.challenge else {}
        self._status.write(
            {
                "state": state if state != "running" or not trouble else "trouble",
                "trouble": trouble,
                "note": self.note,
                "boot_id": boot_id(),
                "since_ns": self._since_ns,
                **self._about,
                **challenge,
                **({"release": dict(self.release)} if self.release else {}),
                "counters": dict(counters),
                "gate": dict(self.gate),
                "camera": dict(self.camera),
                "seal": self._journal.seal,
                "last": self._last,
                "queue_depth": queue_depth,
                **self._latency(len(self._latencies)),
                "health": self._line,
            }
        )

    def adopt(self, settings: JournalSettings, about: Mapping[str, Any]) -> None:
        """Apply changed settings from now on; *about*: the status file's fields that changed."""
        self._settings, self._about = settings, {**self._about, **about}

    @property
    def trouble(self) -> str:
        """Trouble that belongs on the FAULT output; empty when there is none.

        It is that of journal, evidence, camera, model and marks, and the alarms that raise FAULT.
        """
        disk = self._journal.trouble or self._evidence.trouble
        ours = (disk, self.camera_trouble, self.model_trouble, self.marks_trouble)
        return _joined(*ours, self.challenge_trouble, self.alarms.fault)

    def _all_trouble(self) -> str:
        """Join our trouble and the gate's, which repeats ours once it has heard of it.

        In front of it stands the name of line and station, where they have one.
        """
        gate = str(self.gate.get("trouble", ""))
        ours = [text for text in (self.hold, self.trouble) if text not in gate]
        both = _joined(*ours, gate)
        trouble, name = _joined(both, self.alarms.told), self._about.get("service")
        return f"{name}: {trouble}" if name and trouble else trouble

    def _latency(self, last: int) -> dict[str, float | None]:
        values = sorted(list(self._latencies)[len(self._latencies) - last :])
        return {
            "p50_ms": percentile(values, 50),
            "p99_ms": percentile(values, 99),
            "worst_ms": percentile(values, 100),
        }


def _joined(*words: str) -> str:
    return "; ".join(filter(None, words))


def percentile(values: Sequence[float], percent: float) -> float | None:
    """Return the nearest-rank percentile of sorted *values*; None when there are none.

    >>> [percentile([10.0, 20.0, 30.0, 40.0], percent) for percent in (50, 99, 100)]
    [20.0, 40.0, 40.0]
    """
    return round(values[max(0, math.ceil(percent / 100 * len(values)) - 1)], 3) if values else None
