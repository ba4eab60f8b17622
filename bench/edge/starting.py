"""Start-up time of the box, memory of its processes, disk space of its environment."""

import statistics
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.edge.belt import Belt
from bench.edge.figures import Figure
from bench.edge.processes import MB, Service
from edge.config import Config
from edge.errors import InputError
from edge.gate.history import read_transitions
from edge.wiring import READY_LINE

START_S, GATE_MB, EYE_MB = 1.5, 20.0, 120.0
"""Most that the box may take."""
RISE_S = 10.0
"""Longest that the READY line may take to rise once both are ready; then something is wrong."""


@dataclass(frozen=True)
class Started:
    """Start once; return seconds from exec to READY=1 for each, and to the gate's READY line."""

    gate_s: float
    eye_s: float
    line_s: float


def start_once(config: Config, program: Path, settings: Path, run: Path) -> Started:
    """Start the gate and, when it is ready, the eye, as the units are ordered.

    Raises InputError.
    """
    record = config.path(config.gate.record)
    record.unlink(missing_ok=True)
    with Service(program, "gate", settings, run) as gate:
        gate_s = gate.ready_s()
        with Service(program, "run", settings, run) as eye:
            eye_s = eye.ready_s()
            return Started(gate_s, eye_s, (_rise_ns(record) - gate.began_ns) / 1e9)


def _rise_ns(record: Path) -> int:
    """Return when the READY line first rose, in monotonic nanoseconds.

    Raises InputError when it does not.
    """
    deadline = time.monotonic() + RISE_S
    while time.monotonic() < deadline:
        rises = [
            edge.t_ns for edge in read_transitions(record) if edge.line == READY_LINE and edge.level
        ]
        if rises:
            return rises[0]
        time.sleep(0.01)
    raise InputError(
        f"{record}: the READY line must rise within {RISE_S:g} s once gate and eye are ready"
    )


def start_figures(starts: Sequence[Started], model: str) -> list[Figure]:
    """The medians of several starts, with the worst beside them."""
    waits = {
        "gate: start to READY=1": [start.gate_s for start in starts],
        f"eye: start to READY=1, {model}": [start.eye_s for start in starts],
        f"both: start to the READY line, {model}": [start.line_s for start in starts],
    }
    return [
        Figure(
            name,
            statistics.median(waits_s),
            "s",
            START_S,
            f"worst of {len(starts)}: {max(waits_s):.3f}",
        )
        for name, waits_s in waits.items()
    ]


def memory_figures(
    config: Config, program: Path, settings: Path, run: Path, items: int
) -> list[Figure]:
    """The memory of both processes after so many items at full speed. Raises InputError."""
    model = config.model_file().stem
    with Service(program, "gate", settings, run) as gate:
        gate.ready_s()
        with (
            Service(program, "run", settings, run) as eye,
            Belt(eye, config.path(config.lines.inputs)) as belt,
        ):
            eye.ready_s()
            for _ in belt.carry(items):
                gate.listen()
            return [
                Figure("gate: memory", gate.rss_mb(), "MB", GATE_MB, _after(items, gate)),
                Figure(f"eye: memory, {model}", eye.rss_mb(), "MB", EYE_MB, _after(items, eye)),
            ]


def _after(items: int, process: Service) -> str:
    return f"after {items} items; at most {process.rss_mb(peak=True):.1f}"


def environment_figure(program: Path) -> Figure:
    """Measure the disk space of the environment of *program*, and its largest parts."""
    root = program.absolute().parent.parent
    sizes: Counter[str] = Counter()
    for path in root.rglob("*"):
        if path.is_file() and not path.is_symlink():
            parts = path.relative_to(root).parts
            sizes[parts[4] if len(parts) > 4 else parts[0]] += path.stat().st_size
    most = ", ".join(f"{name} {size / MB:.0f}" for name, size in sizes.most_common(4))
    return Figure("environment on the disk", sizes.total() / MB, "MB", None, f"{root.name}: {most}")
