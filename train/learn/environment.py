"""``environment.json`` in a run's folder: versions, machine and command line of each start."""

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
from train.learn.distributed import ProcessGroup

NAME = "environment.json"
LIBRARIES = ("torch", "torchvision", "numpy", "opencv-python-headless", "pillow")


def note_environment(out: Path, group: ProcessGroup, step: int) -> None:
    """Add this start of the run, at *step*, to the list of its starts. Raises InputError."""
    path = out / NAME
    starts = []
    if step:
        # A lost or damaged note must not keep a run from going on.
        with contextlib.suppress(OSError, ValueError):
            starts = json.loads(path.read_text(encoding="utf-8"))
    starts.append({"step": step, **environment(group)})
    write_atomic(path, (json.dumps(starts, indent=2) + "\n").encode())


def environment(group: ProcessGroup) -> dict[str, Any]:
    """Return versions, machine, time and command line."""
    gpu = group.device.type == "cuda"
    return {
        "date": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "command": sys.argv,
        "stampgate": __version__,
        "python": platform.python_version(),
        **{name: _version(name) for name in LIBRARIES},
        "system": platform.platform(),
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)),
        "device": torch.cuda.get_device_name(group.device) if gpu else "cpu",
        "processes": group.world,
    }


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:  # built from source, or under another name
        return "unknown"


def processor() -> str:
    """Return the processor's model as Linux names it.

    Arm boards have no such line; for them it is the architecture.
    """
    with contextlib.suppress(OSError):
        about = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
        for line in about.splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.machine()
