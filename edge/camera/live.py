"""Base class of all real cameras: the first frame exposed after the trigger, and time limits."""

import contextlib
import dataclasses
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from edge.camera import Capture
from edge.camera.stream import PERIODS_IN_VIEW, SLOW, StreamStatistics
from edge.clock import Clock, Stop
from edge.errors import CameraError, ConfigError, FrameError
from edge.sections.camera import CameraSettings
from edge.vision.preprocess import Frame

START_MS = 5000.0
"""Time limit for the first frame, milliseconds; USB cameras and Argus need one to three seconds."""
CLOSE_S = 2.0
"""Time limit for closing, seconds: a lost camera may never answer, and the process must end all the
same."""
NEVER = 2**63
"""A moment later than any frame's, nanoseconds."""
RUNNING = 3
"""Number of impossible time stamps, or of lost controls, in a row that ends the process; of damaged
pictures when no whole one has come for :data:`START_MS` besides."""
OTHER_CLOCK = "the driver does not stamp with the monotonic clock, use another camera"
SETTLED_PERIODS = 3
"""Periods until a control that was set again shows in the pictures."""
TROUBLE_NS = 60 * 10**9
"""How long a trouble is shown at least, nanoseconds: what is over in a second must be seen, too."""


@dataclass(frozen=True)
class Shot:
    """A frame as the camera handed it over, not yet decoded."""

    stamp_ns: int
    """The driver's time stamp, monotonic nanoseconds."""
    before_ns: int
    """How long before its stamp the exposure began, at most."""
    at_least_ns: int
    """How long before its stamp the exposure began, at least."""
    sequence: int
    """The camera's own count."""
    develop: Callable[[], Frame]
    """Decodes it: (height, width, 3) uint8, RGB.

    Raises FrameError when it is damaged or not taken with the settings asked for."""
    damaged: bool = False
    """True when the driver says that it is not whole; its stamp may be wrong, too."""
    step: int = 0
    """By how many frames the camera has counted on since the one before; 0 when unknown."""
    lost: int = 0
    """How many of these were lost though a buffer was free."""
    period_ns: int = 0
    """The period that the camera reports with it; 0 when it reports none."""
    overdue_ns: int = 0
    """How much earlier still its exposure may have begun, where the camera is slower than told or
    the stamp later than the one before it promised; it is not granted when a frame is late."""

    early_ns: int = 0
    """How much earlier than the one before promised the stamp is: the exposure may have begun so
    much later."""

    @property
    def t_ns(self) -> int:
        """When its exposure began at the earliest, monotonic nanoseconds."""
        return self.stamp_ns - self.before_ns - self.overdue_ns

    @property
    def latest_ns(self) -> int:
        """When its exposure began at the latest, monotonic nanoseconds."""
        return self.stamp_ns - self.at_least_ns + self.early_ns


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
        self.stream = StreamStatistics(settings)
        self._ahead_ns = 0
        """How far in the future a time stamp may lie, for a clock that is not the kernel's own."""
        self._stamp_ns: int | None = None
        self._kept: Shot | None = None
        self._misdated = self._drifted = self._spoilt = 0
        self._whole_ns = self._settled_ns = 0
        self._shown, self._shown_until_ns = "", 0
        self._unproven = ""

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

    def _restore_controls(self) -> str:
        """Set again what the camera has lost of its controls, and return that in words.

        Empty when nothing was lost. A camera that reports its controls with each frame needs none.
        """
        return ""

    def _unproven_controls(self) -> str:
        """Return what neither the camera nor its pictures prove of its controls, "" for nothing.

        Only called while no item is there.
        """
        return ""

    def __enter__(self) -> Self:
        try:
            self._open()
            self._start()
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

        Raises FrameError when the picture is damaged, misdated, taken with other controls, or began
        when its item might have left the view; CameraError when the camera gives none: only a new
        process recovers one that hangs.
        """
        shot = self._wait_for(after_ns)
        if lost := self._drift():
            raise FrameError(f"drifted picture: {lost}; it was set again", self._called(shot))
        if shot.t_ns < self._settled_ns:
            raise FrameError(
                "drifted picture: it must be taken after its controls were set again; "
                "check the camera's supply",
                self._called(shot),
            )
        try:
            picture = shot.develop()
        except FrameError:
            self.stream.count_undecodable()
            self._show(self.stream.trouble)
            raise
        return Capture(picture, shot.t_ns, shot.sequence, self._called(shot), shot.latest_ns)

    def check(self) -> None:
        """Prove that the camera still gives frames, and has kept its controls.

        Frames that wait are dropped; it waits for none while they come. Raises CameraError.
        """
        self._kept, seen_ns = None, -NEVER
        while (shot := self._take(0, NEVER)) is not None:
            self._is_misdated(shot)
            seen_ns = shot.stamp_ns
        quiet_ns = self._clock.now_ns() - seen_ns
        if quiet_ns > self._timeout_ns and self._take(self._timeout_ns / 1e9, NEVER) is None:
            raise self._lost(self._timeout_ns)
        self._drift()

    @property
    def facts(self) -> Mapping[str, float]:
        """Counts of its pictures since it was opened."""
        return self.stream.as_facts()

    @property
    def trouble(self) -> str:
        """Trouble with the camera, in words; empty when there is none."""
        return self._shown if self._clock.now_ns() < self._shown_until_ns else self._unproven

    def _start(self) -> None:
        """Wait for the first good frame, and then prove the controls while the stream runs.

        The first time stamps of a stream may be nonsense (raspberrypi/linux issue 1984), and some
        cameras forget at the start what was set before. Raises CameraError, ConfigError.
        """
        self._check_exposure()
        self._first(self._clock.now_ns())
        if self._restore_controls():
            self._settled_ns = self._clock.now_ns() + SETTLED_PERIODS * self.stream.period_ns
            self._first(self._settled_ns)
            if lost := self._restore_controls():
                raise ConfigError(
                    f"[camera] {lost}: the camera does not keep it while it streams; take it out, "
                    "or use another camera"
                )
        self._unproven = self._unproven_controls()

    def _check_exposure(self) -> None:
        """Refuse an exposure that takes longer than a picture may: then there are fewer of them.

        Raises ConfigError.
        """
        settings = self._settings
        longest_us = 1e6 / (SLOW * settings.frames_per_second)
        if settings.exposure_us > longest_us:
            raise ConfigError(
                f"[camera] exposure_us must be at most {longest_us:.0f} for "
                f"{settings.frames_per_second:g} frames_per_second, not {settings.exposure_us:g}; "
                "take a shorter one, or fewer pictures"
            )

    def _first(self, after_ns: int) -> Shot:
        """Wait for a good frame from *after_ns* on, whatever comes before. Raises CameraError."""
        until_ns, old, misdated = self._clock.now_ns() + round(START_MS * 1e6), 0, [""]
        while (left_ns := until_ns - self._clock.now_ns()) > 0:
            shot = self._take(left_ns / 1e9, after_ns)
            if shot is None:
                break
            misdated = [*misdated[-RUNNING:], self._impossible(shot)]
            if not misdated[-1] and not shot.damaged and shot.t_ns >= after_ns:
                return shot
            old += shot.t_ns < after_ns
        if all(misdated):
            raise CameraError(f"{misdated[-1]}; {OTHER_CLOCK}")
        raise self._lost(round(START_MS * 1e6), old)

    def _wait_for(self, after_ns: int) -> Shot:
        """Wait for the first whole frame from *after_ns* on. Raises FrameError, CameraError."""
        until_ns, old, damaged = self._clock.now_ns() + self._timeout_ns, 0, 0
        while (left_ns := until_ns - self._clock.now_ns()) > 0:
            shot = self._take(left_ns / 1e9, after_ns)
            if shot is None:
                break
            if shot.t_ns < after_ns:
                old += 1
                self.skipped += 1
            elif shot.damaged and self._impossible(shot):
                damaged += 1
            elif misdated := self._is_misdated(shot):
                raise FrameError(f"{misdated}; look for a newer driver", self._called(shot))
            elif late := self._lateness(shot, after_ns, damaged):
                self._kept = None if shot.damaged else shot  # it may be the next item's
                raise FrameError(late, self._called(shot))
            elif not shot.damaged:
                return shot
            else:
                damaged += 1
        if damaged:
            raise FrameError(
                f"damaged picture: none of {damaged} was whole; "
                "check the camera's cable, port and supply"
            )
        raise self._lost(self._timeout_ns, old)

    def _take(self, timeout_s: float, after_ns: int) -> Shot | None:
        """Take the next frame, and count it. Raises CameraError."""
        if self._kept is not None:
            kept, self._kept = self._kept, None
            return kept
        shot = self._next(timeout_s, after_ns)
        return None if shot is None else self._counted(shot)

    def _counted(self, shot: Shot) -> Shot:
        """Count a new frame, and note by how much its stamp is not what the one before promised.

        A single stamp that is too late would make a frame from before the trigger seem fresh, and
        one that is too early would make a late one seem the item's.
        """
        impossible, before_ns = bool(self._impossible(shot)), self._stamp_ns
        period_ns = shot.period_ns
        if not impossible and before_ns is not None and shot.step:
            promised_ns = before_ns + shot.step * self.stream.longest_period_ns
            overdue_ns = shot.overdue_ns + max(0, shot.stamp_ns - promised_ns)
            early_ns = max(0, before_ns + shot.step * self.stream.period_ns - shot.stamp_ns)
            shot = dataclasses.replace(shot, overdue_ns=overdue_ns, early_ns=early_ns)
            period_ns = (shot.stamp_ns - before_ns) // shot.step
        self._misdated = self._misdated + 1 if impossible and not shot.damaged else 0
        if not impossible:
            backwards = before_ns is not None and shot.stamp_ns < before_ns
            impossible, self._stamp_ns = backwards, None if backwards else shot.stamp_ns
        misdated = impossible and not shot.damaged
        self.stream.count(
            damaged=shot.damaged, misdated=misdated, lost=shot.lost, period_ns=period_ns
        )
        self._show(self.stream.trouble)
        self._watch_damage(shot)
        return shot

    def _slowest_ns(self, stamp_ns: int, step: int) -> int:
        """Return how long a frame with that stamp may have taken to arrive, nanoseconds.

        A camera may be slower than its driver tells, in the dark for example.
        """
        since_ns = 0 if self._stamp_ns is None or not step else stamp_ns - self._stamp_ns
        return max(self.stream.period_ns, since_ns // max(1, step))

    def _show(self, trouble: str) -> None:
        """Show *trouble*, in words, from now on; "" leaves what is shown."""
        if trouble:
            self._shown, self._shown_until_ns = trouble, self._clock.now_ns() + TROUBLE_NS

    def _watch_damage(self, shot: Shot) -> None:
        """Raise CameraError when no whole frame has come for so long as a start may take."""
        now_ns = self._clock.now_ns()
        self._spoilt = self._spoilt + 1 if shot.damaged else 0
        if not self._spoilt or not self._whole_ns:
            self._whole_ns = now_ns
        elif self._spoilt >= RUNNING and now_ns - self._whole_ns > START_MS * 1e6:
            raise CameraError(
                f"camera damage: no whole picture for {(now_ns - self._whole_ns) / 1e9:.0f} s; "
                "check its cable, port and supply, the service starts again"
            )

    def _lateness(self, shot: Shot, after_ns: int, damaged: int) -> str:
        """Return why the frame began too late for the item of *after_ns*, "" when it did not.

        *damaged*: number of frames before it that were not whole. Without a setting the uncertainty
        of the stamp is granted on top of the periods.
        """
        limit_ns = round(self._settings.in_view_ms * 1e6)
        if not limit_ns:
            limit_ns = round(PERIODS_IN_VIEW * self.stream.told_ns)
            limit_ns += shot.before_ns - shot.at_least_ns
        late_ns = shot.latest_ns - after_ns
        if late_ns <= limit_ns:
            return ""
        self.stream.late += 1
        behind = f", behind {damaged} damaged ones" if damaged else ""
        return (
            f"late picture: it began {late_ns / 1e6:.0f} ms after the trigger{behind}, must be "
            f"within {limit_ns / 1e6:.0f} ms, see [camera] in_view_ms; "
            "check the camera, or trigger more slowly"
        )

    def _impossible(self, shot: Shot) -> str:
        """Return why the frame's time stamp cannot be true, "" when it may be.

        By the clock of one that lies in the future an old picture would seem fresh.
        """
        ahead_ns = shot.stamp_ns - self._clock.now_ns() - self._ahead_ns
        if ahead_ns <= 0:
            return ""
        return f"camera clock: a picture cannot begin {ahead_ns / 1e6:g} ms from now"

    def _is_misdated(self, shot: Shot) -> str:
        """Return why the frame's stamp cannot be true, "" when it may be.

        Raises CameraError when that is so of :data:`RUNNING` frames running.
        """
        why = "" if shot.damaged else self._impossible(shot)
        if why and self._misdated >= RUNNING:
            raise CameraError(f"{why}, {RUNNING} times running; {OTHER_CLOCK}")
        return why

    def _drift(self) -> str:
        """Set again the controls that the camera has lost, and return that in words, "" for none.

        Raises CameraError when that is so :data:`RUNNING` times running.
        """
        lost = self._restore_controls()
        self._drifted = self._drifted + 1 if lost else 0
        if lost:
            self._settled_ns = self._clock.now_ns() + SETTLED_PERIODS * self.stream.period_ns
            self._show(f"the camera had lost its controls: {lost}; check its supply and cable")
        if self._drifted >= RUNNING:
            raise CameraError(
                f"camera controls: {lost}, {RUNNING} times running; the service starts again"
            )
        return lost

    def _called(self, shot: Shot) -> str:
        return f"{self.name} {shot.sequence}"

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
