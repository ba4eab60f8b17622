"""A journal with the shifts of a day in it, made up, for the tests of reports."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.clock import SimulatedClock
from edge.record.evidence import Evidence
from edge.record.times import Now
from edge.sections.records import EvidenceSettings
from tests.disk import item, journal
from tests.programs import PATIENCE_S

DAY = datetime(2026, 11, 30, tzinfo=UTC)
MODEL = {"file": "seal.onnx", "sha256": "cd" * 32}
FOUND = {"label": "QC TESTED", "score": 0.91, "box": [4.0, 4.0, 20.0, 20.0]}
NEAR = {"label": "QC TESTED", "score": 0.44, "box": [8.0, 8.0, 24.0, 24.0]}


def at(hours: float) -> Now:
    """The present moment, so many hours after the beginning of the day, UTC."""
    moment = DAY + timedelta(hours=hours)
    return Now("f" * 32, 10**16, round(moment.timestamp()) * 10**9, True)


def write_day(
    path: Path,
    patch: pytest.MonkeyPatch,
    verdicts: Sequence[str],
    *,
    begin_h: float = 5.5,
    step_s: float = 60.0,
    evidence: Path | None = None,
    **changes: Any,
) -> None:
    """Write a start, items one after another from *begin_h* hours on, and a stop.

    *evidence*: a folder for the pictures of what does not pass.
    """
    clock = SimulatedClock(10**9)
    begin = DAY + timedelta(hours=begin_h)
    patch.setattr("edge.record.journal.clock_synced", lambda: True)
    patch.setattr("edge.record.journal.boot_id", lambda: f"{begin_h:032.3f}".replace(".", "a"))
    settings = EvidenceSettings(keep_free_mb=0, patience_ms=10_000.0)
    with (
        journal(
            path,
            lambda: begin + timedelta(seconds=clock.now_ns() / 1e9 - 1),
            clock,
            **{"sync": "grouped", "group_items": 1000, "memory_kb": 8192, **changes},
        ) as log,
        Evidence(evidence, settings) as pictures,
    ):
        assert pictures.drained(PATIENCE_S)
        log.append("start", {"version": "1", "settings_sha256": "ab" * 32, "model": MODEL})
        for number, verdict in enumerate(verdicts, 1):
            clock.sleep_until(clock.now_ns() + round(step_s * 1e9))
            frame = np.full((48, 64, 3), 40 + number % 200, np.uint8)
            kept = pictures.keep(number, verdict, frame)  # type: ignore[arg-type]
            fields: dict[str, dict[str, Any]] = {
                "pass": {"findings": [FOUND]},
                "reject": {"near_miss": NEAR},
            }
            about: dict[str, Any] = {"findings": [], "gate": "kept", "ms": 100.0 + number % 7}
            about |= fields.get(verdict, {}) | kept.as_fields()
            log.append("item", item(verdict, **{"reason": f"{verdict} it is", **about}))
        counted = {verdict: verdicts.count(verdict) for verdict in ("pass", "reject", "fault")}
        log.append(
            "stop", {"reason": "SIGTERM", "counters": {"triggers": len(verdicts), **counted}}
        )
