"""The trial of a release: its golden frames, judged in a child process with bounds.

A model that uses an instruction which this processor lacks, eats the memory, hangs or answers
otherwise than at the desk ends the child, and not the eye: it is a line here, and nothing has
changed.
"""

import json
import math
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import edge
from edge.config import Config
from edge.errors import BundleError

SHOWN = 3
"""Differences that the message names."""
SLOW_SHARE = 0.9
"""Of the golden frames this share must be judged within the reject delay: the trial runs beside the
line, which may hold one up."""
NOT_DONE = "the release is not activated"


@dataclass(frozen=True)
class Trial:
    """What a trial measured.

    *frames*: how many were judged; *median_ms* of one, *slow_ms*: which most of them keep to;
    *rss_mb*: the greatest memory.
    """

    frames: int
    median_ms: float
    slow_ms: float
    rss_mb: int

    def __str__(self) -> str:
        return (
            f"{self.frames} golden frames judged as they must be; a frame takes "
            f"{self.median_ms:.0f} ms, {SLOW_SHARE:.0%} of them at most {self.slow_ms:.0f} ms; "
            f"{self.rss_mb} MB"
        )


def try_release(config: Config, folder: Path) -> Trial:
    """Judge the golden frames of the release in *folder* in a child process.

    Raises BundleError with one line for whatever goes wrong there, and for a model that is too slow
    for ``[gate] reject_delay_ms``.
    """
    model = config.model
    threads = min(model.threads, os.cpu_count() or 1)
    bounds = [str(model.trial_memory_mb), str(math.ceil(model.trial_s)), str(threads)]
    command = [sys.executable, "-P", "-m", "edge.activation.child", str(folder), *bounds]
    trial = run_trial(command, model.trial_s, user_of(config))
    if not config.gate.reject_delay_counts and trial.slow_ms >= config.gate.reject_delay_ms:
        raise BundleError(
            f"{folder.name}: a golden frame takes {trial.slow_ms:.0f} ms on this computer, must be "
            f"below [gate] reject_delay_ms {config.gate.reject_delay_ms:g}: items would be late; "
            f"{NOT_DONE}"
        )
    return trial


def user_of(config: Config) -> dict[str, Any]:
    """Return how the child takes the service's user, whose journal it is; nothing but for root."""
    if os.geteuid() != 0:
        return {}
    try:
        owner = config.path(config.journal.file).parent.stat().st_uid
        group = pwd.getpwuid(owner).pw_gid
    except (OSError, KeyError):
        return {}
    return {"user": owner, "group": group, "extra_groups": []} if owner else {}


def run_trial(command: Sequence[str], limit_s: float, how: dict[str, Any] | None = None) -> Trial:
    """Run the child *command* for at most *limit_s* seconds, and return what it measured.

    Raises BundleError.
    """
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": str(Path(edge.__file__).parents[1]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    options: dict[str, Any] = {"env": environment, "cwd": "/", **(how or {})}
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    child = subprocess.Popen(command, text=True, **pipes, **options)  # type: ignore[call-overload]  # noqa: S603
    try:
        said, complained = child.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        raise BundleError(
            f"the trial hangs: no end within [model] trial_s {limit_s:g}; {NOT_DONE}"
        ) from None
    except BaseException:
        child.kill()
        child.communicate()
        raise
    return _measured(child.returncode, said, complained)


def _measured(status: int, said: str, complained: str) -> Trial:
    """Return what the child's lines say. Raises BundleError."""
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    last = lines[-1] if lines else {}
    if "why" in last:
        raise BundleError(f"the trial failed: {last['why']}; {NOT_DONE}")
    if status or "done" not in last:
        raise BundleError(f"the trial {_end(status, complained)}; {NOT_DONE}")
    frames = [line for line in lines if "frame" in line]
    if wrong := [line["words"] for line in frames if line["words"]]:
        more = f" and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        raise BundleError(
            f"{len(wrong)} of {len(frames)} golden frames are not judged as they must be on this "
            f"computer: {'; '.join(wrong[:SHOWN])}{more}; {NOT_DONE}"
        )
    times = sorted(line["ms"] for line in frames)
    slow = times[math.ceil(SLOW_SHARE * len(times)) - 1]
    return Trial(len(frames), times[len(times) // 2], slow, last["rss_mb"])


def _end(status: int, complained: str) -> str:
    """Return in words how the child ended."""
    if status < 0:
        name = signal.Signals(-status).name
        why = {
            signal.SIGILL: ": the model's runtime does not fit this processor",
            signal.SIGKILL: ": there was no memory for it, or somebody killed it",
            signal.SIGXCPU: ": it took more of the processor than [model] trial_s",
        }.get(signal.Signals(-status), "")
        return f"was ended by {name}{why}"
    words = complained.strip().splitlines()
    return f"ended with status {status}: {words[-1] if words else 'no word of why'}"
