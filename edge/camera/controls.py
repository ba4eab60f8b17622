"""The controls of a Video4Linux camera: fixed, read back, and set again when the camera lost them.

Some cameras take controls before the stream starts and forget them when it does, or later after a
dip of their supply. So they are compared again while the stream runs. A control that cannot be read
is proven by the picture, as far as it makes one brighter or darker.
"""

from collections.abc import Mapping

from edge.camera.live import parse_controls
from edge.camera.videodev import Range, VideoDevice
from edge.errors import ConfigError
from edge.sections.camera import CameraSettings

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
BRIGHTENING = ("exposure_time_absolute", "gain")
"""The controls that make the picture brighter as they grow."""


class FixedControls:
    """The controls of one camera that the settings fix.

    Synchronization: one thread, that of the device.
    """

    def __init__(self, device: VideoDevice, wanted: Mapping[str, int]) -> None:
        self._device, self._wanted = device, dict(wanted)
        self._ranges: dict[str, Range] = {}
        self.unreadable: tuple[str, ...] = ()
        """Those that were set and cannot be read back."""

    def fix(self) -> None:
        """Set each control, in order, and read it back.

        An automatic that the camera lacks need not be switched off. Raises ConfigError when the
        camera has no such control, cannot take the value or does not keep it.
        """
        for name, value in self._wanted.items():
            limits = self._range_of(name)
            if limits is None:
                continue
            self._ranges[name] = limits
            if not limits.minimum <= value <= limits.maximum:
                raise ConfigError(
                    f"[camera] {name} must be from {limits.minimum} to {limits.maximum} "
                    f"for {self._device.path}, not {value}"
                )
            self._device.set_control(CONTROLS[name], value, name)
            kept = self._device.read_control(CONTROLS[name])
            if kept is None:
                self.unreadable = (*self.unreadable, name)
            elif abs(kept - value) >= limits.step:
                raise ConfigError(
                    f"[camera] {name} must be a value that {self._device.path} keeps: "
                    f"it made {kept} of {value}"
                )

    def restore(self) -> str:
        """Set again what is not as it was fixed; return it in words, "" when all is.

        All controls are set again, because an automatic may have moved what depends on it.
        """
        moved = []
        for name, limits in self._ranges.items():
            if name in self.unreadable:
                continue
            kept = self._device.read_control(CONTROLS[name])
            if kept is None:
                moved.append(f"{name} can no longer be read")
            elif abs(kept - self._wanted[name]) >= limits.step:
                moved.append(f"{name} was {kept}, not {self._wanted[name]}")
        if moved:
            for name in self._ranges:
                self.fix_again(name)
        return ", ".join(moved)

    def other_value(self, name: str) -> tuple[int, int] | None:
        """Return the value that *name* is fixed to, and one that must show in the picture.

        Half of it, or twice as much where the camera goes no lower; None for a control that is not
        fixed or has no such value.
        """
        if name not in self._ranges:
            return None
        value, limits = self._wanted[name], self._ranges[name]
        for other in (value // 2, value * 2):
            if limits.minimum <= other <= limits.maximum and abs(other - value) >= limits.step:
                return value, other
        return None

    def fix_again(self, name: str) -> None:
        """Set one control to the value that it is fixed to."""
        self.set(name, self._wanted[name])

    def set(self, name: str, value: int) -> None:
        """Set one control to *value*, whatever it is fixed to."""
        self._device.set_control(CONTROLS[name], value, name)

    def _range_of(self, name: str) -> Range | None:
        """Return a control's range; None for an automatic that the camera lacks.

        Raises ConfigError for any other that it lacks.
        """
        number = CONTROLS.get(name)
        limits = None if number is None else self._device.control_range(number)
        if limits is not None or name in {automatic for automatic, _ in MANUAL.values()}:
            return limits
        known = [name for name, number in CONTROLS.items() if self._device.control_range(number)]
        raise ConfigError(
            f"[camera] {name}: {self._device.path} has no such control, "
            f"only {', '.join(known) or 'none'}; take it out"
        )


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
