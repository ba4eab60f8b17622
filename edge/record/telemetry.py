"""Hardware telemetry: temperature, throttling, undervoltage, memory, open files.

A value that the kernel does not show is None.
"""

import contextlib
import os
from pathlib import Path
from typing import Any

THROTTLED = {0: "undervoltage", 1: "frequency capped", 2: "throttled", 3: "hot"}
"""Bits of the Raspberry Pi firmware's get_throttled; 16 bits higher, the same since power-on."""


def telemetry(root: Path = Path("/")) -> dict[str, Any]:
    """Read the hardware's sensors and this process's use of memory and files from the kernel.

    *root*: where ``/sys`` and ``/proc`` are. Returns *temperature_c*: the hottest thermal zone,
    degrees Celsius; *throttled*: the firmware's bits in hex (Raspberry Pi documentation,
    ``vcgencmd get_throttled``, which reads the same word); *undervoltage*: bit 0 of them, or the
    alarm of the hwmon driver ``rpi_volt``; *rss_mb*: resident memory, megabytes; *open_files*:
    number of descriptors.
    """
    bits = _throttled(root)
    return {
        "temperature_c": _temperature(root),
        "throttled": None if bits is None else f"{bits:#x}",
        "undervoltage": _undervoltage(root) if bits is None else bool(bits & 1),
        "rss_mb": _rss_mb(root),
        "open_files": _count(root / "proc/self/fd"),
    }


def throttled_words(bits: int) -> str:
    """Put the firmware's bits into words.

    >>> throttled_words(0x50001)
    'undervoltage now; before: undervoltage, throttled'
    """
    now = ", ".join(word for bit, word in THROTTLED.items() if bits >> bit & 1)
    before = ", ".join(word for bit, word in THROTTLED.items() if bits >> (bit + 16) & 1)
    return "; ".join([f"{now} now"] * bool(now) + [f"before: {before}"] * bool(before)) or "never"


def _temperature(root: Path) -> float | None:
    zones = [_number(path) for path in root.glob("sys/class/thermal/thermal_zone*/temp")]
    return max((round(zone / 1000, 1) for zone in zones if zone is not None), default=None)


def _throttled(root: Path) -> int | None:
    # soc:firmware up to the Pi 4; newer device trees may put an address into the name.
    files = sorted(root.glob("sys/devices/platform/soc*/*firmware*/get_throttled"))
    return next((bits for path in files if (bits := _number(path, base=16)) is not None), None)


def _undervoltage(root: Path) -> bool | None:
    for name in root.glob("sys/class/hwmon/hwmon*/name"):
        alarm = _number(name.with_name("in0_lcrit_alarm")) if _text(name) == "rpi_volt" else None
        if alarm is not None:
            return bool(alarm)
    return None


def _rss_mb(root: Path) -> float | None:
    words = _text(root / "proc/self/statm").split()
    return round(int(words[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6, 1) if len(words) > 1 else None


def _count(folder: Path) -> int | None:
    with contextlib.suppress(OSError):
        return len(os.listdir(folder))  # noqa: PTH208 - names are enough
    return None


def _number(path: Path, base: int = 10) -> int | None:
    with contextlib.suppress(ValueError):
        return int(_text(path), base)
    return None


def _text(path: Path) -> str:
    """Return a small file's text; empty when it cannot be read, as some sensors at times."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return path.read_text(encoding="ascii").strip()
    return ""
