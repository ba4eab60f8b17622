"""Where pictures come from: the Camera protocol. One driver per file; :mod:`edge.camera.replay` needs no hardware."""

from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from edge.clock import Stop
from edge.preprocess import Frame


@dataclass(frozen=True)
class Capture:
    """One picture and what proves that it is fresh."""

    picture: Frame
    """(height, width, 3) uint8, RGB, upright."""
    t_ns: int
    """When its exposure began, monotonic nanoseconds."""
    sequence: int
    """The camera's own count, growing by one a picture."""
    name: str
    """What to call it in the journal."""


class Camera(Protocol):
    """A source of pictures, open inside its ``with`` block.

    Synchronization: one thread per instance.
    """

    @property
    def ended(self) -> bool:
        """Whether no picture will ever come again; a real camera never ends."""

    def __enter__(self) -> Self:
        """Open it. Raises CameraError or ConfigError."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""

    def wait(self, until_ns: int, stop: Stop) -> bool:
        """Wait until *until_ns* for a new picture; True when one is there, False when not or *stop* was requested."""

    def capture(self, after_ns: int) -> Capture:
        """Take the first picture whose exposure begins at *after_ns* or later.

        Raises FrameError when this picture cannot be read or comes too late, CameraError when the camera is lost.
        """
