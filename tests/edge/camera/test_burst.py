from collections.abc import Sequence

import numpy as np
import pytest

from edge.camera import Capture
from edge.camera.burst import take_pictures
from edge.camera.checks import FrameChecks
from edge.clock import SimulatedClock
from edge.errors import FrameError
from edge.sections.camera import CameraSettings
from tests.camera_doubles import ScriptedCamera
from tests.tiny_model import paint

MS = 1_000_000
SETTINGS = CameraSettings(in_view_ms=100.0, covered_below=0.0, rotate=90)


class Steady(ScriptedCamera):
    """A picture every 40 ms, each another; remembers from when on it was asked for one."""

    def __init__(self, clock: SimulatedClock, same: Sequence[int] = ()) -> None:
        pictures = [paint({"dot": [(0, 0)]}, width=48) for _ in range(5)]
        for number, picture in enumerate(pictures):
            picture[40, 40] = 7 if number in same else 10 + number
        super().__init__(clock, pictures)
        self.asked_ns: list[int] = []

    def capture(self, after_ns: int) -> Capture:
        """Give the first one that begins then or later."""
        self.asked_ns.append(after_ns)
        picture = self._script[self._shown]
        assert isinstance(picture, np.ndarray)
        self._shown += 1
        begins_ns = -(-after_ns // (40 * MS)) * 40 * MS
        return Capture(picture, begins_ns, self._shown, f"frame {self._shown}", begins_ns + MS)


def burst(number: int, same: Sequence[int] = ()) -> tuple[Steady, list[Capture], str]:
    """Take a burst for a trigger at 10 ms; the camera, the pictures, and the error's words."""
    camera, taken = Steady(SimulatedClock(), same), list[Capture]()
    try:
        take_pictures(camera, FrameChecks(SETTINGS), 10 * MS, number, taken)
    except FrameError as error:
        return camera, taken, str(error)
    return camera, taken, ""


def test_each_picture_begins_after_the_one_before_had_for_certain() -> None:
    """Fresh by its own exposure, and turned like any other."""
    camera, taken, trouble = burst(2)
    assert trouble == ""
    assert camera.asked_ns == [10 * MS, 41 * MS + 1]
    assert [(capture.t_ns // MS, capture.picture.shape) for capture in taken] == [
        (40, (48, 64, 3)),
        (80, (48, 64, 3)),
    ]


@pytest.mark.parametrize(
    ("number", "same", "begins"),
    [
        (3, (), "late picture: one of the burst began 111 ms after the trigger"),
        (2, (0, 1), "frozen picture"),
    ],
)
def test_a_picture_in_doubt_ends_the_burst_and_is_shown(
    number: int, same: Sequence[int], begins: str
) -> None:
    """The item has left the view, or the camera hangs: a FAULT with its picture."""
    _, taken, trouble = burst(number, same)
    assert trouble.startswith(begins)
    assert len(taken) == number
