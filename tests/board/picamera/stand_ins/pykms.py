"""Stands in for pykms, which Debian lacks.

picamera2 imports it to preview on a screen, and the board has none.
"""

from enum import Enum, auto


class PixelFormat(Enum):
    """The formats that picamera2 puts into a table when it is imported."""

    RGB888 = auto()
    BGR888 = auto()
    XRGB8888 = auto()
    XBGR8888 = auto()
    ABGR8888 = auto()
    YUV420 = auto()
    YVU420 = auto()
    NV12 = auto()
