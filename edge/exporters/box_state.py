"""The box's present state, by its status file and the end of its journal."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge.clock import boot_id
from edge.exporters.packml import State
from edge.exporters.totals import Totals
from edge.record.status import is_running, read_status

SILENT_S = 15.0
"""A service that works writes its status each second; one that has not for so long hangs."""
IDLE_S = 60.0
"""Without an item for so long the box is idle."""
HELD_WORDS = ("the bin is full", "the photo-eye is blocked")
"""Troubles of the gate that wait for people, and in which nothing of the box is at fault."""
NOT_RUNNING = "the service does not run"
SILENT = "the service is silent"


@dataclass(frozen=True)
class BoxState:
    """What the box is doing, in one word, and what its status file says."""

    state: State
    fault: str = ""
    """What the FAULT output shows, in words; empty when it is off."""
    held: str = ""
    """Why the production line must wait, in words; empty when it need not."""
    age_s: float | None = None
    """How old the status file is, seconds; None without one."""
    free_bytes: int | None = None
    """Room for the journal; None when nobody can tell."""
    status: Mapping[str, Any] = field(default_factory=dict)

    @property
    def running(self) -> bool:
        """Whether the service runs and is not silent."""
        return self.fault not in (NOT_RUNNING, SILENT) and self.state is not State.STOPPED

    @property
    def ready(self) -> bool:
        """Whether items are judged, and nothing keeps the production line from running."""
        return self.running and not self.fault and not self.held

    def about(self, name: str) -> Mapping[str, Any]:
        """Return an object that the status holds under *name*; an empty one where it has none."""
        value = self.status.get(name)
        return value if isinstance(value, Mapping) else {}


class StateReader:
    """Reads the state of the box.

    *status*: the status file, None where the settings name none; *journal*: the file being written.

    Synchronization: one thread.
    """

    def __init__(self, status: Path | None, journal: Path) -> None:
        self._status, self._folder = status, journal.absolute().parent
        self._boot = boot_id()

    def read(self, totals: Totals) -> BoxState:
        """Return the present state; *totals*: those of the whole journal. Raises OSError."""
        status, free = read_status(self._status), _free_bytes(self._folder)
        ended = State.ABORTED if totals.runs else State.STOPPED
        if status is None:  # none is written, or the box was started anew: the journal tells
            fault = NOT_RUNNING if totals.runs else ""
            return BoxState(ended, fault, free_bytes=free)
        written_ns = status.get("written_ns")
        age = (time.monotonic_ns() - written_ns) / 1e9 if type(written_ns) is int else None
        if status.get("boot_id") != self._boot or not is_running(status):
            stopped = status.get("state") == "stopped" or not totals.runs
            state, fault = (State.STOPPED, "") if stopped else (State.ABORTED, NOT_RUNNING)
            return BoxState(state, fault, age_s=age, free_bytes=free, status=status)
        if age is None or age > SILENT_S:
            return BoxState(State.ABORTED, SILENT, age_s=age, free_bytes=free, status=status)
        fault, held = _fault(status), _held(status)
        state = State.HELD if held else State.ABORTED if fault else self._producing(totals)
        return BoxState(state, fault, held, age, free, status)

    def _producing(self, totals: Totals) -> State:
        """Return whether items come, by the last one's moment in this boot."""
        last, now_ns = totals.last, time.monotonic_ns()
        if last.get("boot_id") != self._boot or type(last.get("monotonic_ns")) is not int:
            return State.IDLE
        return State.EXECUTE if now_ns - last["monotonic_ns"] <= IDLE_S * 1e9 else State.IDLE


def _fault(status: Mapping[str, Any]) -> str:
    """Return the gate's trouble, which the FAULT output shows; without a gate process ours."""
    gate = status.get("gate")
    if isinstance(gate, Mapping) and "trouble" in gate:
        return str(gate["trouble"])
    return str(status.get("trouble") or "")


def _held(status: Mapping[str, Any]) -> str:
    challenge = status.get("challenge")
    hold = challenge.get("hold") if isinstance(challenge, Mapping) else ""
    fault = _fault(status)
    words = [text for text in HELD_WORDS if text in fault]
    return "; ".join(filter(None, [str(hold or ""), *words]))


def _free_bytes(folder: Path) -> int | None:
    try:
        found = os.statvfs(folder)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize
