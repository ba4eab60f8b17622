"""The board's camera: shows a sample picture through v4l2loopback, again and again.

Runs in the guest, as a service of its own: to stop it is to pull the camera's cable. Which picture
it shows stands in a file, and so does which it has shown.
"""

import fcntl
import os
import struct
import time
from collections.abc import Callable
from pathlib import Path

DEVICE = Path("/dev/video10")
WIDTH, HEIGHT = 640, 480
PICTURES_PER_SECOND = 8
"""Slow enough that a picture is not overwritten while the eye, on an emulated processor, still
copies it."""
SAMPLES = Path("/payload/samples")
NEIGHBOUR, OWN, TWO = "two-neighbour.jpg", "two-own.jpg", "two-both.jpg"
"""What the camera sees of two items side by side: a mark on the right one, on the left one, on
both."""
ORDER, SHOWN = Path("/run/board-camera/order"), Path("/run/board-camera/shown")
HOLD, HELD = Path("/run/board-camera/hold"), Path("/run/board-camera/held")
S_FMT, VIDEO_OUTPUT, PROGRESSIVE, JPEG = 0xC0D05605, 2, 1, 7
"""VIDIOC_S_FMT, V4L2_BUF_TYPE_VIDEO_OUTPUT, V4L2_FIELD_NONE and V4L2_COLORSPACE_JPEG of
<linux/videodev2.h>."""
PATIENCE_S = 30.0


def show(name: str) -> None:
    """Let the camera show the picture *name*; returns when it has."""
    write(ORDER, name)
    _until(lambda: SHOWN.exists() and SHOWN.read_text() == name, f"does not show {name}")


def hold() -> None:
    """Let the camera give no more pictures until :func:`go_on`; returns when it has stopped."""
    write(HOLD, "")
    _until(HELD.exists, "does not stop")


def go_on(name: str) -> None:
    """Let a camera that was held go on, with the picture *name*."""
    write(ORDER, name)
    HOLD.unlink()


def _until(ask: Callable[[], bool], what: str) -> None:
    """Wait until the camera has obeyed. Raises TimeoutError."""
    deadline = time.monotonic() + PATIENCE_S
    while not ask():
        if time.monotonic() > deadline:
            raise TimeoutError(f"the camera {what}")
        time.sleep(0.01)


def write(path: Path, text: str) -> None:
    """Write a file whole."""
    path.with_suffix(".new").write_text(text)
    path.with_suffix(".new").rename(path)


def run() -> None:
    """Show pictures until killed."""
    pictures = {path.name: path.read_bytes() for path in sorted(SAMPLES.glob("*.jpg"))}
    device = os.open(DEVICE, os.O_RDWR)
    fcntl.ioctl(device, S_FMT, picture_format(max(map(len, pictures.values()))))
    shown = ""
    while True:
        rest()
        name = ORDER.read_text() if ORDER.exists() else next(iter(pictures))
        os.write(device, pictures[name])
        if name != shown:
            write(SHOWN, name)
            shown = name
        time.sleep(1 / PICTURES_PER_SECOND)


def rest() -> None:
    """Give no picture while the camera is held; return at once when it is not."""
    if not HOLD.exists():
        return
    write(HELD, "")
    while HOLD.exists():
        time.sleep(0.005)
    HELD.unlink()


def picture_format(largest: int) -> bytearray:
    """The struct v4l2_format for JPEG pictures of at most *largest* bytes."""
    form = bytearray(208)
    fourcc = int.from_bytes(b"MJPG", "little")
    struct.pack_into(
        "<I4x8I", form, 0, VIDEO_OUTPUT, WIDTH, HEIGHT, fourcc, PROGRESSIVE, 0, largest, JPEG, 0
    )
    return form


if __name__ == "__main__":
    run()
