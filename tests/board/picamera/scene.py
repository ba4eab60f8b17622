"""What the camera of the board sees: vimc's own test patterns, changed while it takes pictures.

Runs in the guest. Source: the kernel's drivers/media/test-drivers/vimc/vimc-common.h and
include/media/tpg/v4l2-tpg.h.
"""

import fcntl
import struct
from pathlib import Path

VIDIOC_S_CTRL = 0xC008561C
"""With a struct v4l2_control: an id and a value."""
TEST_PATTERN = 0x00F0F000
"""VIMC_CID_TEST_PATTERN."""
PATTERNS = {"bars": 0, "red": 7, "green": 8, "blue": 9}
"""Eight bars at three quarters of full brightness, and one colour everywhere. On all of them stands
the time."""
BARS = ("white", "yellow", "cyan", "green", "magenta", "red", "blue", "black")
"""From left to right."""


def sensors() -> list[Path]:
    """The files of vimc's sensors; it has two."""
    names = sorted(Path("/sys/class/video4linux").glob("v4l-subdev*/name"))
    return [
        Path("/dev") / path.parent.name for path in names if path.read_text().startswith("Sensor")
    ]


def show(pattern: str) -> None:
    """Put something else before the camera; every picture that begins after this shows it."""
    for path in sensors():
        with path.open("rb+", buffering=0) as sensor:
            fcntl.ioctl(sensor, VIDIOC_S_CTRL, struct.pack("Ii", TEST_PATTERN, PATTERNS[pattern]))
