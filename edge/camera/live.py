"""Base class of all real cameras: the first frame exposed after the trigger, and time limits."""

import contextlib
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from edge.camera import Capture
from edge.clock import Clock, Stop
from edge.config import CameraSettings
from edge.errors import CameraError, ConfigError, FrameError
from edge.vision.preprocess import Frame

START_MS = 5000.0
"""Time limit for the first frame, milliseconds; USB cameras and Argus need one to three seconds."""
CLOSE_S = 2.0
"""Time limit for closing, seconds: a lost camera may never answer, and the process must end all the
same."""
NEVER = 2**63
"""A moment later than any frame's, nanoseconds."""


@dataclass(frozen=True)
class Shot:
    """A frame as the camera handed it over, not yet decoded."""

    t_ns: int
    """When its exposure began at the latest possible reading of its time stamp, monotonic
    nanoseconds."""
    sequence: int
    """The camera's own count."""
    develop: Callable[[], Frame]
    """Decodes it: (height, width, 3) uint8, RGB.

    Raises FrameError when it is damaged or not taken with the settings asked for."""


class LiveCamera(ABC):
    """A free-running camera; a driver adds how to open it and how to get the next frame.

    Synchronization: one thread per instance.
    """

    ended = False
    """A real camera has no last picture."""
    name = "camera"
    """Name of its pictures in the journal, followed there by their count."""

    def __init__(self, settings: CameraSettings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._timeout_ns = round(settings.timeout_ms * 1e6)
        self.skipped = 0
        """Frames passed over because they were older than their trigger."""

    @abstractmethod
    def _open(self) -> None:
        """Open, configure and start the camera. Raises CameraError or ConfigError."""

    @abstractmethod
    def _close(self) -> None:
        """Stop and close it, also when it is only half open; may hang when the camera is lost."""

    @abstractmethod
    def _next(self, timeout_s: float, after_ns: int) -> Shot | None:
        """Take the oldest frame that waits, or else the next one; None after *timeout_s*.

        Frames from before *after_ns* will not be developed. Raises CameraError when the camera says
        that it is gone.
        """

    def __enter__(self) -> Self:
        try:
            self._open()
            self._first(self._clock.now_ns(), round(START_MS * 1e6))
        except BaseException:
            within(CLOSE_S, self._close)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        within(CLOSE_S, self._close)

    def wait(self, until_ns: int, stop: Stop) -> bool:  # noqa: ARG002 - other cameras have to wait
        """Return at once, as a free-running camera always has a next frame; False on *stop*."""
        return not stop.reason

    def capture(self, after_ns: int) -> Capture:
        """Take the first picture whose exposure began at *after_ns* or later.

        Raises FrameError when the picture is damaged or comes too late for its item, CameraError
        when the camera gives none: only a new process recovers one that hangs.
        """
        shot = self._first(after_ns, self._timeout_ns)
        late_ns = shot.t_ns - after_ns
        if late_ns > self._timeout_ns:
            raise FrameError(
                f"late picture: it began {late_ns / 1e6:.0f} ms after the trigger, "
                f"must be within timeout_ms, {self._settings.timeout_ms:g}; trigger more slowly"
            )
        return Capture(shot.develop(), shot.t_ns, shot.sequence, f"{self.name} {shot.sequence}")

    def check(self) -> None:
        """Prove that the camera still gives frames, without waiting where it does.

        Frames that wait are dropped. Raises CameraError.
        """
        seen_ns = -NEVER
        while (shot := self._next(0, NEVER)) is not None:
            seen_ns = shot.t_ns
        quiet_ns = self._clock.now_ns() - seen_ns
        if quiet_ns > self._timeout_ns and self._next(self._timeout_ns / 1e9, NEVER) is None:
            raise self._lost(self._timeout_ns)

    def _first(self, after_ns: int, timeout_ns: int) -> Shot:
        """Wait for the first frame from *after_ns* on. Raises CameraError after *timeout_ns*."""
        until_ns = self._clock.now_ns() + timeout_ns
        old = 0
        while (left_ns := until_ns - self._clock.now_ns()) > 0:
            shot = self._next(left_ns / 1e9, after_ns)
            if shot is None:
                break
            if shot.t_ns >= after_ns:
                return self._possible(shot)
            old += 1
            self.skipped += 1
        raise self._lost(timeout_ns, old)

    def _possible(self, shot: Shot) -> Shot:
        """Return *shot* unless its time stamp lies in the future, as a wrong clock's would.

        Raises CameraError: by such a clock old pictures would seem fresh.
        """
        ahead_ns = shot.t_ns - self._clock.now_ns()
        if ahead_ns > 0:
            raise CameraError(
                f"camera clock: a picture cannot begin {ahead_ns / 1e6:g} ms from now; "
                "the driver does not stamp with the monotonic clock, use another camera"
            )
        return shot

    def _lost(self, timeout_ns: int, old: int = 0) -> CameraError:
        """Make the timeout's error; *old*: number of frames that were older than the trigger."""
        what = f"only {old} pictures from before the trigger" if old else "no picture"
        return CameraError(
            f"camera timeout: {what} within {timeout_ns / 1e6:g} ms; "
            "check cable and power, the service starts again"
        )


def within(seconds: float, action: Callable[[], None]) -> bool:
    """Run *action* in a daemon thread with a time limit; False when it was left behind.

    Errors of *action* are ignored: it closes a device that may be broken already.
    """

    def run() -> None:
        with contextlib.suppress(Exception):
            action()

    thread = threading.Thread(target=run, name="closing", daemon=True)
    thread.start()
    thread.join(seconds)
    return not thread.is_alive()


def parse_controls(texts: tuple[str, ...]) -> dict[str, float]:
    """Parse a list of ``name=number``. Raises ConfigError.

    >>> parse_controls(("focus_absolute=30", "gain = 2.5"))
    {'focus_absolute': 30.0, 'gain': 2.5}
    """
    controls = {}
    for text in texts:
        name, _, number = (part.strip() for part in text.partition("="))
        try:
            controls[name] = float(number)
        except ValueError:
            raise ConfigError(
                f'[camera] controls: each must be "name=number", not "{text}"; correct it there'
            ) from None
    return controls


def missing(driver: str, what: str, how: str) -> ConfigError:
    """Make the error for a driver whose library is not installed; *how*: how to install it."""
    return ConfigError(f"[camera] driver {driver} needs {what}, which is not installed: {how}")
