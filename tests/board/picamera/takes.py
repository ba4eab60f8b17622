"""Uses the box's camera driver as the service does, and tells as one JSON line what it got.

Runs in the guest, by the Python of the installed program and as its user: ``takes.py DEED``.
"""

import dataclasses
import io
import json
import sys
from base64 import b64encode
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edge.camera.picamera import BUFFERS, PiCamera
from edge.clock import MonotonicClock
from edge.config import load_config
from edge.errors import CameraError, ConfigError
from edge.sections.camera import CameraSettings
from tests.board import box
from tests.board.picamera import scene

TAKES = 32
"""Many more than there are buffers, so that one that is not given back is missed."""
SHORT_MS = 5.0
"""vimc rests for 16 ms after each picture, so that waiting for one must end without it."""
EXPOSURE_US = 5000.0
Facts = dict[str, Any]


def main() -> int:
    """Do what is asked for."""
    settings = load_config(box.SETTINGS).camera
    tell(**DEEDS[sys.argv[1]](settings))
    return 0


def tell(**facts: Any) -> None:
    """Say something to whoever started this."""
    print(json.dumps(facts), flush=True)


def pictures(settings: CameraSettings) -> Facts:
    """Take picture after picture, each after the scene has changed and a trigger after that."""
    clock = MonotonicClock()
    began_ns, takes, picture = clock.now_ns(), [], np.zeros((0, 0, 3), np.uint8)
    with PiCamera(settings, clock) as camera:
        opened_ns = clock.now_ns()
        for number in range(TAKES):
            pattern = list(scene.PATTERNS)[number % len(scene.PATTERNS)]
            scene.show(pattern)
            after_ns = clock.now_ns()
            capture = camera.capture(after_ns)
            came_ns = clock.now_ns()
            take = {
                "pattern": pattern,
                "after_ns": after_ns,
                "t_ns": capture.t_ns,
                "came_ns": came_ns,
            }
            takes.append({**take, "sequence": capture.sequence, **described(capture.picture)})
            picture = capture.picture if pattern == "bars" else picture
        closing_ns = clock.now_ns()
    return {
        "opening_s": (opened_ns - began_ns) / 1e9,
        "closing_s": (clock.now_ns() - closing_ns) / 1e9,
        "buffers": BUFFERS,
        "skipped": camera.skipped,
        "takes": takes,
        "png": encoded(picture),
    }


def described(picture: NDArray[np.uint8]) -> Facts:
    """Return a picture's shape and type, and the mean colour of each eighth of it.

    The eighths go from left to right, below the text.
    """
    lower = picture[picture.shape[0] // 2 :].astype(float)
    eighths = np.array_split(lower, 8, axis=1)
    # Without the columns next to another bar, which are a mixture of both.
    colours = [eighth[:, 8:-8].mean(axis=(0, 1)).round().astype(int).tolist() for eighth in eighths]
    return {"shape": list(picture.shape), "type": str(picture.dtype), "colours": colours}


def encoded(picture: NDArray[np.uint8]) -> str:
    """A picture as a PNG in base 64, for somebody to look at."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return b64encode(file.getvalue()).decode()


def refused(settings: CameraSettings) -> Facts:
    """Ask for a fixed exposure, which this camera lacks."""
    try:
        with PiCamera(dataclasses.replace(settings, exposure_us=EXPOSURE_US), MonotonicClock()):
            return {"said": "opened"}
    except ConfigError as error:
        return {"said": str(error)}


def impatient(settings: CameraSettings) -> Facts:
    """Wait for a picture, but not as long as one takes."""
    return lost(dataclasses.replace(settings, timeout_ms=SHORT_MS))


def unplugged(settings: CameraSettings) -> Facts:
    """Go on until the camera is gone."""
    return lost(settings)


def lost(settings: CameraSettings) -> Facts:
    """Say when the camera is open, and take pictures until the driver says that it is lost.

    That is told before closing.

    libcamera may end the whole process when it closes a camera that is gone.
    """
    clock, taken = MonotonicClock(), 0
    with PiCamera(settings, clock) as camera:
        tell(open=True)
        while True:
            began_ns = clock.now_ns()
            try:
                camera.capture(began_ns)
                taken += 1
            except CameraError as error:
                failed_ns = clock.now_ns()
                facts = {
                    "taken": taken,
                    "said": str(error),
                    "began_ns": began_ns,
                    "failed_ns": failed_ns,
                }
                tell(**facts)
                return facts


DEEDS = {"pictures": pictures, "refused": refused, "impatient": impatient, "unplugged": unplugged}

if __name__ == "__main__":
    sys.exit(main())
