"""Cameras: the Camera protocol and its drivers, one per file.

:mod:`edge.camera.replay` needs no hardware. To add a driver, see ``docs/architecture.md``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from edge.clock import Stop
from edge.vision.preprocess import Frame


@dataclass(frozen=True)
class Capture:
    """One frame, with the moment and the count that prove it fresh."""

    picture: Frame
    """(height, width, 3) uint8, RGB, upright."""
    t_ns: int
    """When its exposure began at the earliest, monotonic nanoseconds."""
    sequence: int
    """The camera's own count, growing by one a picture."""
    name: str
    """Its name in the journal."""
    latest_ns: int | None = None
    """When its exposure began at the latest; None where that is the same moment."""

    @property
    def begun_ns(self) -> int:
        """When its exposure had begun for certain, monotonic nanoseconds."""
        return self.t_ns if self.latest_ns is None else self.latest_ns


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

        Raises FrameError when this picture cannot be read, or began when the item of *after_ns* may
        have left the view; CameraError when the camera is lost.
        """

    @property
    def facts(self) -> Mapping[str, float]:
        """Counts of its pictures since it was opened, for status and journal."""

    @property
    def trouble(self) -> str:
        """Trouble with the camera, in words; empty when there is none."""

    def check(self) -> None:
        """Prove, while no item is there, that the camera still gives frames. Raises CameraError."""
