"""Camera driver for USB cameras and other /dev/video* devices, by Video4Linux; needs no library."""

from functools import partial
from pathlib import Path

from edge.camera.checks import luma, sample
from edge.camera.controls import BRIGHTENING, FixedControls, wanted_controls
from edge.camera.live import SETTLED_PERIODS, LiveCamera, Shot
from edge.camera.pixels import from_mjpg, from_yuyv
from edge.camera.stream import SLOW
from edge.camera.videodev import (
    CLOCK_MASK,
    CLOCK_MONOTONIC,
    FLAG_ERROR,
    SOURCE_EXPOSURE,
    SOURCE_MASK,
    Filled,
    VideoDevice,
)
from edge.clock import Clock
from edge.errors import CameraError, ConfigError
from edge.sections.camera import CameraSettings
from edge.vision.preprocess import Frame

BY_ID = Path("/dev/v4l/by-id")
"""Folder where udev names cameras by maker and serial number; /dev/video0 may be another camera
after the next start."""
BY_PATH = "by-path"
"""Folder beside it where udev names cameras by the port that they are plugged into."""
BUFFERS = 4
"""Number of frame buffers; frames in more of them would only be older."""

RESPONSE = 1.1
"""How many times brighter the picture must be at twice the exposure or gain."""


class V4l2Camera(LiveCamera):
    """A USB camera.

    Connect it to a port of its own, not to a hub; fix it and its lens. List it with ``ls
    /dev/v4l/by-id`` and write the name that ends in ``index0`` into ``[camera] device``. ``v4l2-ctl
    --list-formats-ext`` and ``--list-ctrls`` (package v4l-utils) show which sizes and controls it
    has.

    When a picture was taken: the driver stamps it when it begins or ends to arrive, which is after
    its exposure. So the exposure time and ``lag_ms`` are taken off the stamp, and the time of one
    picture too if it is stamped at its end; thus no picture from before the trigger can seem newer,
    at the price of sometimes waiting for one more.

    Synchronization: one thread per instance.
    """

    name = "v4l2"

    def __init__(self, settings: CameraSettings, clock: Clock) -> None:
        super().__init__(settings, clock)
        self._device: VideoDevice | None = None
        self._stride = 0
        self._exposure_ns = round(settings.exposure_us * 1000)
        self._before_stamp_ns = round(settings.lag_ms * 1e6) + self._exposure_ns
        self._period_ns = 0
        self._controls: FixedControls | None = None
        self._sequence: int | None = None
        # Frames taken without waiting, one after the other: as many as there are buffers mean that
        # those which came after them found none.
        self._in_a_row = 0

    def _open(self) -> None:
        settings = self._settings
        self._device = device = VideoDevice(
            unmistakable(settings.device) if settings.device else only_camera()
        )
        wanted = (settings.width, settings.height, settings.pixel_format)
        *_, self._stride = given = device.set_format(*wanted)
        if given[:3] != wanted:
            raise ConfigError(
                f"[camera] width, height and pixel_format must be what {device.path} can do, "
                f"not {_size(*wanted)}; it offers {_size(*given[:3])}"
            )
        self._period_ns = round(device.set_rate(settings.frames_per_second) * 1e9)
        self.stream.expect_period(self._period_ns)
        _check_rate(settings, 1e9 / self._period_ns, device.path)
        self._controls = FixedControls(device, wanted_controls(settings))
        self._controls.fix()
        device.start(BUFFERS)

    def _close(self) -> None:
        if self._device is not None:
            self._device.close()
            self._device = None

    def _next(self, timeout_s: float, after_ns: int) -> Shot | None:
        assert self._device is not None
        filled = self._device.take(0)
        waits = filled is None  # then every buffer is empty, and a frame that comes finds one
        if waits and timeout_s > 0:
            filled = self._device.take(timeout_s)
        if filled is None:
            return None
        full = not waits or self._in_a_row >= self._device.buffers
        self._in_a_row = 0 if waits else self._in_a_row + 1
        try:
            return self._shot(self._device, filled, after_ns, full=full)
        finally:
            self._device.give_back(filled.index)

    def _shot(self, device: VideoDevice, filled: Filled, after_ns: int, *, full: bool) -> Shot:
        """Read one buffer; *full*: whether the frames before it may have found no buffer."""
        if filled.flags & CLOCK_MASK != CLOCK_MONOTONIC:
            raise ConfigError(
                f"[camera] device {device.path} must stamp its pictures with the monotonic clock, "
                "and its driver does not: nobody can tell how old they are; use another camera"
            )
        before_ns, overdue_ns = self._before_stamp_ns, 0
        before, self._sequence = self._sequence, filled.sequence
        step = 0 if before is None else max(0, filled.sequence - before)
        if filled.flags & SOURCE_MASK != SOURCE_EXPOSURE:
            before_ns += self._period_ns
            overdue_ns = max(0, self._slowest_ns(filled.stamp_ns, step) - self._period_ns)
        damaged = bool(filled.flags & FLAG_ERROR) or not filled.length
        wanted = filled.stamp_ns - before_ns - overdue_ns >= after_ns and not damaged
        data = device.read(filled) if wanted else b""
        return Shot(
            filled.stamp_ns,
            before_ns,
            self._exposure_ns,
            filled.sequence,
            partial(self._develop, data),
            damaged=damaged,
            step=step,
            lost=0 if full else max(0, step - 1),
            overdue_ns=overdue_ns,
        )

    def _restore_controls(self) -> str:
        return self._controls.restore() if self._controls else ""

    def check(self) -> None:
        """Prove that the camera still gives frames and keeps its controls.

        What cannot be read back is set once more. Raises CameraError.
        """
        super().check()
        assert self._controls is not None
        for name in self._controls.unreadable:
            self._controls.fix_again(name)

    def _unproven_controls(self) -> str:
        assert self._controls is not None
        unproven = [name for name in self._controls.unreadable if not self.responds(name)]
        if not unproven:
            return ""
        return (
            f"the camera's controls cannot be proven: {', '.join(unproven)} cannot be read back, "
            "and the picture does not show it; use another camera"
        )

    def responds(self, name: str) -> bool:
        """Tell whether the picture answers to a fixed control, by setting it to another value.

        Only exposure and gain show as brightness; afterwards the control is as it was fixed. Takes
        some periods; raises CameraError when no picture comes.
        """
        assert self._controls is not None
        values = self._controls.other_value(name) if name in BRIGHTENING else None
        if values is None:
            return False
        fixed, other = values
        with_other = self._brightness_at(name, other)
        with_fixed = self._brightness_at(name, fixed)
        brighter, darker = (with_fixed, with_other) if fixed > other else (with_other, with_fixed)
        return brighter >= RESPONSE * darker

    def _brightness_at(self, name: str, value: int) -> float:
        """Set a control and return the mean grey level of the first picture that must show it."""
        assert self._controls is not None
        self._controls.set(name, value)
        after_ns = self._clock.now_ns() + SETTLED_PERIODS * self.stream.period_ns
        return float(luma(sample(self._first(after_ns).develop())).mean())

    def _develop(self, data: bytes) -> Frame:
        width, height = self._settings.width, self._settings.height
        if self._settings.pixel_format == "MJPG":
            return from_mjpg(data, width, height, self._settings.shade_step_above)
        return from_yuyv(data, width, height, max(self._stride, width * 2))


def only_camera() -> str:
    """Return the path of the only camera.

    Raises CameraError when there is none, ConfigError when there are several.
    """
    found = sorted(str(path) for path in BY_ID.glob("*-video-index0"))
    nameless = nameless_cameras()
    if not found and not nameless:
        raise CameraError(
            f"camera lost: {BY_ID} must list a camera and does not; check cable and power"
        )
    if len(found) + len(nameless) > 1:
        names = [*([] if nameless else found), *(_by_path() if nameless else ())]
        raise ConfigError(
            f"[camera] device must name one camera, there are {len(names)}"
            f"{', some of them with one name' if nameless else ''}: {', '.join(names)}"
        )
    return (found or nameless)[0]


def unmistakable(device: str) -> str:
    """Return *device* when it names one camera and no other.

    Raises ConfigError for a name under :data:`BY_ID` that like cameras without a serial number
    share: udev gives it to one of them, which one may change with each start.
    """
    if Path(device).parent == BY_ID and (nameless := nameless_cameras()):
        raise ConfigError(
            f"[camera] device {device} may be the name of more than one camera: "
            f"{', '.join(nameless)} has no name of its own; name yours by its port: "
            f"{', '.join(_by_path())}"
        )
    return device


def nameless_cameras() -> list[str]:
    """Return the paths by port of the USB cameras that have no name under :data:`BY_ID`.

    udev names each USB camera there by maker, model and serial number; the name of two that are
    alike goes to one of them, and the other has none.
    """
    named = {path.resolve() for path in BY_ID.glob("*-video-index0")}
    return [path for path in _by_path() if Path(path).resolve() not in named]


def _by_path() -> list[str]:
    """Return the paths by port of the USB cameras, one for each."""
    ports: dict[Path, str] = {}
    for path in sorted((BY_ID.parent / BY_PATH).glob("*usb*-video-index0")):
        ports.setdefault(path.resolve(), str(path))
    return sorted(ports.values())


def _check_rate(settings: CameraSettings, offered: float, path: str) -> None:
    """Refuse a lower rate than asked for, which drivers substitute silently. Raises ConfigError."""
    if offered < SLOW * settings.frames_per_second:
        size = _size(settings.width, settings.height, settings.pixel_format)
        raise ConfigError(
            f"[camera] frames_per_second must be what {path} can do at {size}, "
            f"not {settings.frames_per_second:g}; it offers {offered:g}"
        )


def _size(width: int, height: int, form: str) -> str:
    return f"{width} x {height} {form}"
