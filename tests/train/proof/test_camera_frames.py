"""Painted frames have the camera's size, and are the same whenever they are painted."""

from pathlib import Path

import numpy as np
import pytest

from tests.quick_run import config_in
from train.paint.cutouts import Cutout
from train.paint.inputs import read_inputs
from train.paint.synth import Kit, Scene
from train.proof.camera_frames import CameraFrames


def test_a_frame_is_the_same_whatever_was_painted_before(tmp_path: Path) -> None:
    """So golden frames are chosen first and written afterwards."""
    config = config_in(tmp_path)
    inputs = read_inputs(config)
    view = (40, 20, 140, 100)
    frames, again = (CameraFrames(inputs, (160, 120), view) for _ in range(2))
    painted = [frames.frame(number) for number in range(3)]
    assert [frames.shows(number) for number in range(4)] == [
        *("stamped", "unstamped", "look-alike"),
        "stamped",
    ]
    assert {frame.shape for frame in painted} == {(120, 160, 3)}
    assert np.array_equal(again.frame(2), painted[2])
    assert not np.array_equal(painted[0], painted[1])


def test_marks_and_look_alikes_are_painted_into_the_region(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mark of each class, a look-alike or more, or nothing, on a canvas of the region's size."""
    config = config_in(tmp_path)
    drawn = list[tuple[tuple[int, int], int | None]]()

    def note(_rng: object, _kit: Kit, scene: Scene, cutout: Cutout) -> None:
        drawn.append((scene.canvas.size, cutout.kind))

    monkeypatch.setattr("train.proof.camera_frames.superimpose", note)
    inputs = read_inputs(config)
    frames = CameraFrames(inputs, (160, 120), (40, 20, 140, 100))
    told = []
    for number in range(3):
        frames.frame(number)
        told.append(set(drawn))
        drawn.clear()
    assert told == [{((100, 80), 0)}, set(), {((100, 80), None)}]
