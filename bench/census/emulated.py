"""The census that onnxruntime's aarch64 wheel gives, on an emulated Cortex-A76."""

import json
import os
import subprocess
import sys
from pathlib import Path

from bench.census.counting import Census
from bench.command import run
from edge.errors import InputError

KIT = Path("build/census")
SCRIPT = Path(__file__).with_name("kit.sh")
PROJECT = Path(__file__).resolve().parents[2]
CPU = "cortex-a76"
"""That of a Raspberry Pi 5."""
PATIENCE_S = 600.0
"""The emulation takes some 10 seconds on a machine at rest."""


def make_kit(kit: Path) -> None:
    """Fill the folder *kit*, unless that was done. Raises InputError."""
    run(
        ["bash", str(SCRIPT), str(kit), sys.executable],
        "the emulator's kit",
        "see the lines above; it takes a Debian on amd64 and a network, once",
    )


def is_made(kit: Path) -> bool:
    """Return whether *kit* holds all that is needed."""
    return all((kit / stage / ".made").exists() for stage in ("qemu", "root", "wheels"))


def emulated_census(model: Path, kit: Path) -> dict[str, Census]:
    """Count the operators of *model* by the aarch64 wheel of *kit*, by layout.

    Raises InputError when the emulation fails.
    """
    root, packages = (kit / "root").absolute(), (kit / "wheels/packages").absolute()
    there = {
        "PYTHONPATH": os.pathsep.join((str(PROJECT), str(packages))),
        "PYTHONHOME": str(root / "usr"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [str(kit.absolute() / "qemu/usr/bin/qemu-aarch64"), "-cpu", CPU, "-L", str(root)]
    command += [part for key, value in there.items() for part in ("-E", f"{key}={value}")]
    command += [str(root / "usr/bin/python3.11"), "-m", "bench.census", "--json", str(model)]
    try:
        ended = subprocess.run(  # noqa: S603 - our own command, no shell
            command, capture_output=True, text=True, check=False, timeout=PATIENCE_S, cwd=PROJECT
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InputError(f"{kit}: the emulator cannot be used ({error}); remove it") from None
    if ended.returncode:
        said = (ended.stderr.splitlines() or ["it did not say why"])[-1]
        raise InputError(f"{kit}: the emulator ended with {ended.returncode} ({said}); remove it")
    found: dict[str, dict[str, int]] = json.loads(ended.stdout)
    return {layout: Census(counts) for layout, counts in found.items()}
