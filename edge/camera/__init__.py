"""Cameras: the Camera protocol and its drivers, one per file.

:mod:`edge.camera.replay` needs no hardware. To add a driver, see ``docs/architecture.md``.
"""

from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from edge.clock import Clock, Stop
from edge.config import Config
from edge.vision.preprocess import Frame


@dataclass(frozen=True)
class Capture:
    """One frame, with the moment and the count that prove it fresh."""

    picture: Frame
    """(height, width, 3) uint8, RGB, upright."""
    t_ns: int
    """When its exposure began, monotonic nanoseconds."""
    sequence: int
    """The camera's own count, growing by one a picture."""
    name: str
    """Its name in the journal."""


class Camera(Protocol):
    """A source of frames, open inside its ``with`` block.

    Synchronization: one thread per instance.
    """

    @property
    def ended(self) -> bool:
        """True when no picture will ever come again; a real camera never ends."""

    def __enter__(self) -> Self:
        """Open it. Raises CameraError or ConfigError."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""

    def wait(self, until_ns: int, stop: Stop) -> bool:
        """Wait until *until_ns* for a new picture; False when none is there or *stop* is requested.

        A real camera that runs freely always has a next picture and answers at once.
        """

    def capture(self, after_ns: int) -> Capture:
        """Take the first picture whose exposure begins at *after_ns* or later.

        Raises FrameError when this picture cannot be read or comes too late, CameraError when the
        camera is lost.
        """

    def check(self) -> None:
        """Prove, while no item is there, that the camera still gives frames. Raises CameraError."""


def make_camera(config: Config, clock: Clock) -> Camera:
    """Make the camera that the settings ask for; it opens in its ``with`` block.

    Only the driver asked for is imported, so a box carries no other driver's weight.
    """
    settings = config.camera
    if settings.driver == "v4l2":
        from edge.camera.v4l2 import V4l2Camera  # noqa: PLC0415

        return V4l2Camera(settings, clock)
    if settings.driver == "picamera":
        from edge.camera.picamera import PiCamera  # noqa: PLC0415

        return PiCamera(settings, clock)
    if settings.driver == "gstreamer":
        from edge.camera.gstreamer import GStreamerCamera  # noqa: PLC0415

        return GStreamerCamera(settings, clock)
    from edge.camera.replay import ReplayCamera  # noqa: PLC0415

    return ReplayCamera(config.path(settings.folder), settings, clock)
