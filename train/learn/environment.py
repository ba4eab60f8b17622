"""What a run was made with, so that it can be made again: ``environment.json`` in its folder."""

import contextlib
import datetime as dt
import importlib.metadata
import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

import torch

from edge import __version__
from edge.files import write_atomic
from train.learn.distributed import Team

NAME = "environment.json"
LIBRARIES = ("torch", "torchvision", "numpy", "opencv-python-headless", "pillow")


def note_environment(out: Path, team: Team, step: int) -> None:
    """Add this start of the run, at *step*, to the list of its starts. Raises InputError."""
    path = out / NAME
    starts = []
    if step:
        with contextlib.suppress(
            OSError, ValueError
        ):  # a lost or damaged note must not keep a run from going on
            starts = json.loads(path.read_text(encoding="utf-8"))
    starts.append({"step": step, **environment(team)})
    write_atomic(path, (json.dumps(starts, indent=2) + "\n").encode())


def environment(team: Team) -> dict[str, Any]:
    """Versions, machine, time and command line."""
    return {
        "date": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "command": sys.argv,
        "stampgate": __version__,
        "python": platform.python_version(),
        **{name: _version(name) for name in LIBRARIES},
        "system": platform.platform(),
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)),
        "device": torch.cuda.get_device_name(team.device) if team.device.type == "cuda" else "cpu",
        "processes": team.world,
    }


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:  # built from source, or under another name
        return "unknown"


def processor() -> str:
    """The processor's model as Linux names it; Arm boards have no such line and say their
    architecture.
    """
    with contextlib.suppress(OSError):
        for line in (
            Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        ):
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.machine()
