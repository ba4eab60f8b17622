"""Turn and mirror the camera's picture: the pixels that all else is in."""

import dataclasses

import numpy as np

from edge.camera import Capture
from edge.sections.camera import CameraSettings
from edge.vision.preprocess import Frame


def turned(frame: Frame, rotate: int, flip: str) -> Frame:
    """Return a frame turned clockwise by *rotate* degrees, then mirrored by *flip*.

    *frame*: (height, width, 3) uint8, RGB; it is returned itself where nothing is to be done.
    *rotate*: 0, 90, 180 or 270; *flip*: none, left-right or top-bottom.

    >>> turned(np.arange(6, dtype=np.uint8).reshape(1, 2, 3), 90, "none").tolist()
    [[[0, 1, 2]], [[3, 4, 5]]]
    """
    if not rotate and flip == "none":
        return frame
    picture = np.rot90(frame, -rotate // 90)
    if flip != "none":
        picture = picture[:, ::-1] if flip == "left-right" else picture[::-1]
    return np.ascontiguousarray(picture)


def turned_capture(capture: Capture, settings: CameraSettings) -> Capture:
    """Return a capture with its picture turned as the settings say."""
    picture = turned(capture.picture, settings.rotate, settings.flip)
    return capture if picture is capture.picture else dataclasses.replace(capture, picture=picture)
