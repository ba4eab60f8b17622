"""Camera driver for USB cameras and other /dev/video* devices, by Video4Linux; needs no library."""

from functools import partial
from pathlib import Path

from edge.camera.live import LiveCamera, Shot, parse_controls
from edge.camera.pixels import from_mjpg, from_yuyv
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
from edge.config import CameraSettings
from edge.errors import CameraError, ConfigError
from edge.vision.preprocess import Frame

BY_ID = Path("/dev/v4l/by-id")
"""Folder where udev names cameras by maker and serial number; /dev/video0 may be another camera
after the next start."""
BUFFERS = 4
"""Number of frame buffers; frames in more of them would only be older."""

_BASE, _CAMERA = 0x00980900, 0x009A0900
CONTROLS = {
    "brightness": _BASE,
    "contrast": _BASE + 1,
    "saturation": _BASE + 2,
    "hue": _BASE + 3,
    "white_balance_automatic": _BASE + 12,
    "gamma": _BASE + 16,
    "gain_automatic": _BASE + 18,
    "gain": _BASE + 19,
    "power_line_frequency": _BASE + 24,
    "white_balance_temperature": _BASE + 26,
    "sharpness": _BASE + 27,
    "backlight_compensation": _BASE + 28,
    "auto_exposure": _CAMERA + 1,
    "exposure_time_absolute": _CAMERA + 2,
    "exposure_dynamic_framerate": _CAMERA + 3,
    "focus_absolute": _CAMERA + 10,
    "focus_automatic_continuous": _CAMERA + 12,
    "zoom_absolute": _CAMERA + 13,
}
"""The names that ``v4l2-ctl --list-ctrls`` prints, and the kernel's numbers for them
(<linux/v4l2-controls.h>)."""
MANUAL = {
    "exposure_time_absolute": ("auto_exposure", 1),
    "gain": ("gain_automatic", 0),
    "white_balance_temperature": ("white_balance_automatic", 0),
    "focus_absolute": ("focus_automatic_continuous", 0),
}
"""The automatic to switch off before a control can be fixed, and the value that does it."""


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
        self._before_stamp_ns = round((settings.lag_ms * 1000 + settings.exposure_us) * 1000)
        self._period_ns = 0
        self.damaged = 0
        """Number of frames dropped because the driver flags them as not whole."""

    def _open(self) -> None:
        settings = self._settings
        self._device = device = VideoDevice(settings.device or only_camera())
        wanted = (settings.width, settings.height, settings.pixel_format)
        *_, self._stride = given = device.set_format(*wanted)
        if given[:3] != wanted:
            raise ConfigError(
                f"[camera] width, height and pixel_format must be what {device.path} can do, "
                f"not {_size(*wanted)}; it offers {_size(*given[:3])}"
            )
        self._period_ns = round(device.set_rate(settings.frames_per_second) * 1e9)
        for name, value in wanted_controls(settings).items():
            fix_control(device, name, value)
        device.start(BUFFERS)

    def _close(self) -> None:
        if self._device is not None:
            self._device.close()
            self._device = None

    def _next(self, timeout_s: float, after_ns: int) -> Shot | None:
        assert self._device is not None
        until_ns = self._clock.now_ns() + round(timeout_s * 1e9)
        while True:
            left_s = max(0.0, (until_ns - self._clock.now_ns()) / 1e9)
            filled = self._device.take(left_s)
            if filled is None:
                return None
            try:
                if not filled.flags & FLAG_ERROR and filled.length:
                    return self._shot(self._device, filled, after_ns)
                self.damaged += 1
            finally:
                self._device.give_back(filled.index)

    def _shot(self, device: VideoDevice, filled: Filled, after_ns: int) -> Shot:
        if filled.flags & CLOCK_MASK != CLOCK_MONOTONIC:
            raise ConfigError(
                f"[camera] device {device.path} must stamp its pictures with the monotonic clock, "
                "and its driver does not: nobody can tell how old they are; use another camera"
            )
        t_ns = filled.stamp_ns - self._before_stamp_ns
        if filled.flags & SOURCE_MASK != SOURCE_EXPOSURE:
            t_ns -= self._period_ns
        data = device.read(filled) if t_ns >= after_ns else b""
        return Shot(t_ns, filled.sequence, partial(self._develop, data))

    def _develop(self, data: bytes) -> Frame:
        width, height = self._settings.width, self._settings.height
        if self._settings.pixel_format == "MJPG":
            return from_mjpg(data, width, height)
        return from_yuyv(data, width, height, max(self._stride, width * 2))


def only_camera() -> str:
    """Return the path of the only camera.

    Raises CameraError when there is none, ConfigError when there are several.
    """
    found = sorted(str(path) for path in BY_ID.glob("*-video-index0"))
    if not found:
        raise CameraError(
            f"camera lost: {BY_ID} must list a camera and does not; check cable and power"
        )
    if len(found) > 1:
        raise ConfigError(
            f"[camera] device must name one camera, there are {len(found)}: {', '.join(found)}"
        )
    return found[0]


def wanted_controls(settings: CameraSettings) -> dict[str, int]:
    """Return the controls to set, in order, each automatic before the control it would overrule.

    Raises ConfigError.

    >>> wanted_controls(CameraSettings(exposure_us=5000.0))
    {'auto_exposure': 1, 'exposure_time_absolute': 50}
    """
    fixed = parse_controls(settings.controls)
    if settings.exposure_us:
        # The kernel counts in 100 microseconds.
        fixed["exposure_time_absolute"] = max(1.0, settings.exposure_us / 100)
    if settings.gain:
        fixed["gain"] = settings.gain
    wanted: dict[str, int] = {}
    for name, value in fixed.items():
        if name in MANUAL:
            automatic, off = MANUAL[name]
            wanted.setdefault(automatic, off)
        wanted[name] = round(value)
    return wanted


def fix_control(device: VideoDevice, name: str, value: int) -> None:
    """Set a control and read it back.

    An automatic that the camera lacks need not be switched off. Raises ConfigError when the camera
    has no such control or does not keep the value.
    """
    number = CONTROLS.get(name)
    limits = None if number is None else device.control_range(number)
    if number is None or limits is None:
        if name in {automatic for automatic, _ in MANUAL.values()}:
            return
        has = ", ".join(known for known, number in CONTROLS.items() if device.control_range(number))
        raise ConfigError(
            f"[camera] {name}: {device.path} has no such control, only {has or 'none'}; take it out"
        )
    if not limits.minimum <= value <= limits.maximum:
        raise ConfigError(
            f"[camera] {name} must be from {limits.minimum} to {limits.maximum} "
            f"for {device.path}, not {value}"
        )
    kept = device.set_control(number, value)
    if abs(kept - value) >= limits.step:
        raise ConfigError(
            f"[camera] {name} must be a value that {device.path} keeps: it made {kept} of {value}"
        )


def _size(width: int, height: int, form: str) -> str:
    return f"{width} x {height} {form}"
