"""Camera driver for a Raspberry Pi's CSI cameras (ribbon cable), by picamera2."""

from collections.abc import Mapping
from functools import partial
from importlib import import_module
from typing import Any

from edge.camera.live import LiveCamera, Shot, missing, parse_controls
from edge.camera.stream import SLOW
from edge.camera.videodev import busy
from edge.clock import Clock
from edge.errors import CameraError, ConfigError, FrameError
from edge.sections.camera import CameraSettings
from edge.vision.preprocess import Frame

BUFFERS = 4
"""Number of frame buffers; each takes memory that is not given back when a camera is opened
anew."""
TOLERANCE = 0.05
"""Tolerance of a value, as a share: a sensor counts exposure in rows and gain in steps."""
EXPOSURE_STEP_US = 100
"""Least tolerance of an exposure time, microseconds: two rows of the slowest sensor mode."""


class PiCamera(LiveCamera):
    """A camera on the CSI connector.

    Connect it with the Pi switched off; keep the ribbon shorter than 30 cm and away from motors:
    with long ones captures hang. Install picamera2 by ``apt install python3-picamera2``;
    ``rpicam-hello --list-cameras`` lists the cameras with their numbers, for ``[camera] device``.

    The picture is scaled to ``width`` x ``height`` by the Pi's image processor: choose what the
    model's input needs, and nothing is left to do. Exposure, gain and white balance are set before
    the start, so that the first picture has them, and are compared with the metadata of every
    picture that is used.

    Source: "The Picamera2 Library" (manual) and picamera2's capture_request, whose *flush* drops
    every frame that began to be exposed before that moment: SensorTimestamp, when the first row was
    read out, less ExposureTime.

    Synchronization: one thread per instance, beside picamera2's own.
    """

    name = "picamera"

    def __init__(self, settings: CameraSettings, clock: Clock) -> None:
        super().__init__(settings, clock)
        self._camera: Any = None
        self._wanted = wanted_controls(settings)
        self._count, self._last_stamp_ns, self._stamp_before_ns = 0, 0, 0
        self._reports_exposure = False

    def _open(self) -> None:
        library = _library()
        number = camera_number(self._settings.device, len(library.global_camera_info()))
        settings = self._settings
        size = (settings.width, settings.height)
        try:
            self._camera = camera = library(number)
            _check_names(self._wanted, camera.camera_controls)
            known = camera.camera_controls
            asked = {name: value for name, value in self._wanted.items() if name in known}
            # libcamera calls the byte order red, green, blue BGR888; its RGB888 has blue first.
            main = {"size": size, "format": "BGR888"}
            options = {"buffer_count": BUFFERS, "display": None, "encode": None}
            camera.configure(
                camera.create_video_configuration(main=main, controls=asked, **options)
            )
            _check_stream(main, camera.camera_configuration()["main"])
            _check_rate(settings.frames_per_second, camera.camera_controls)
            camera.start()
        except (RuntimeError, OSError, ValueError) as error:
            if isinstance(error, CameraError | ConfigError):
                raise
            if "busy" in str(error).lower():
                raise busy(f"the Pi's camera ({error})") from None
            raise CameraError(
                f"camera lost: it cannot be opened ({error}); check its cable and power"
            ) from None

    def _close(self) -> None:
        if self._camera is not None:
            self._camera.cancel_all_and_flush()  # a capture that timed out still waits in its queue
            self._camera.close()
            self._camera = None

    def check(self) -> None:
        """Prove that the camera still gives frames. Raises CameraError.

        The frame that is ready is taken, without waiting. A lost camera has none left at the second
        call.
        """
        if self._next(self._timeout_ns / 1e9, 0) is None:
            raise self._lost(self._timeout_ns)

    def _next(self, timeout_s: float, after_ns: int) -> Shot | None:
        # picamera2 subtracts the exposure time by itself.
        flush_ns = after_ns if after_ns and self._reports_exposure else None
        try:
            request = self._camera.capture_request(wait=max(0.001, timeout_s), flush=flush_ns)
        except TimeoutError:
            self._camera.cancel_all_and_flush()
            return None
        except (RuntimeError, OSError) as error:
            raise CameraError(
                f"camera lost: it gives no picture ({error}); the service starts again"
            ) from None
        try:
            return self._shot(request, after_ns)
        finally:
            request.release()  # buffers kept would in the end leave the camera none

    def _shot(self, request: Any, after_ns: int) -> Shot:
        metadata = request.get_metadata()
        stamp_ns = int(metadata["SensorTimestamp"])
        if stamp_ns != self._last_stamp_ns:
            # picamera2 gives no count of frames: count the new ones.
            self._count += 1
            self._stamp_before_ns, self._last_stamp_ns = self._last_stamp_ns, stamp_ns
        self._reports_exposure = "ExposureTime" in metadata
        at_least_ns = 1000 * int(metadata.get("ExposureTime", 0))
        before_ns, overdue_ns = at_least_ns, 0
        if not self._reports_exposure:
            # Nor is the rate: a frame slower than asked may have begun when the last one ended.
            before_ns = 1000 * self._wanted["FrameDurationLimits"][1]
            overdue_ns = max(0, stamp_ns - self._stamp_before_ns - before_ns)
        fresh = stamp_ns - before_ns - overdue_ns >= after_ns > 0
        return Shot(
            stamp_ns,
            before_ns,
            at_least_ns,
            self._count,
            partial(self._develop, request.make_array("main") if fresh else None, metadata),
            period_ns=1000 * int(metadata.get("FrameDuration", 0)),
            overdue_ns=overdue_ns,
        )

    def _develop(self, array: Frame | None, metadata: Mapping[str, Any]) -> Frame:
        check_metadata(self._wanted, metadata)
        shape = (self._settings.height, self._settings.width, 3)
        if array is None or array.shape != shape:
            raise FrameError(
                f"damaged picture: it must be {shape}, not {getattr(array, 'shape', None)}"
            )
        return array


def wanted_controls(settings: CameraSettings) -> dict[str, Any]:
    """Return the controls to fix, by libcamera's names. Raises ConfigError.

    >>> wanted_controls(CameraSettings(exposure_us=5000.0, frames_per_second=20.0))
    {'FrameDurationLimits': (50000, 50000), 'ExposureTime': 5000}
    """
    period_us = round(1e6 / settings.frames_per_second)
    wanted: dict[str, Any] = {"FrameDurationLimits": (period_us, period_us)}
    if settings.exposure_us:
        wanted["ExposureTime"] = round(settings.exposure_us)
    if settings.gain:
        wanted["AnalogueGain"] = settings.gain
    if all(settings.colour_gains):
        wanted.update(AwbEnable=False, ColourGains=tuple(settings.colour_gains))
    elif any(settings.colour_gains):
        raise ConfigError(
            f"[camera] colour_gains must be both above 0 or both 0, "
            f"not {list(settings.colour_gains)}; correct it there"
        )
    for name, value in parse_controls(settings.controls).items():
        wanted[name] = int(value) if value.is_integer() else value
    return wanted


def check_metadata(wanted: Mapping[str, Any], metadata: Mapping[str, Any]) -> None:
    """Compare a frame's metadata with the controls asked for. Raises FrameError at a difference.

    Only controls that libcamera reports for a frame can be compared; exposure and gains it always
    reports.
    """
    for name, value in wanted.items():
        is_value = metadata.get(name)
        if is_value is None and name in ("ExposureTime", "AnalogueGain", "ColourGains"):
            raise FrameError(
                f"drifted picture: the camera must report its {name} and does not; update picamera2"
            )
        if is_value is None or name == "FrameDurationLimits":
            continue
        slack = EXPOSURE_STEP_US if name == "ExposureTime" else 0.0
        pairs = zip(_numbers(value), _numbers(is_value), strict=True)
        if not all(_close_to(wanted_one, is_one, slack) for wanted_one, is_one in pairs):
            raise FrameError(
                f"drifted picture: {name} must be {value}, not {is_value}; "
                "choose a value that the camera can do"
            )


def camera_number(device: str, count: int) -> int:
    """Return which of *count* cameras *device* names, from 0.

    Raises CameraError when it is not there, ConfigError when it is not clear.
    """
    if count == 0:
        raise CameraError(
            "camera lost: the Pi must see a camera and sees none; check the ribbon cable"
        )
    if device and not device.isdigit():
        raise ConfigError(
            "[camera] device must be the camera's number for picamera, "
            f'such as "0", not "{device}"'
        )
    if not device and count > 1:
        raise ConfigError(
            f"[camera] device must name one camera, there are {count}: 0 to {count - 1}"
        )
    if int(device or 0) >= count:
        raise CameraError(
            f"camera lost: the Pi must see camera {device}, it sees only {count}; "
            "check the ribbon cable"
        )
    return int(device or 0)


def _check_names(wanted: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    for name in wanted:
        # A camera without FrameDurationLimits keeps the rate it has.
        if name not in known and name != "FrameDurationLimits":
            raise ConfigError(
                f"[camera] controls: this camera has no {name}, only {', '.join(sorted(known))}"
            )


def _check_stream(wanted: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Refuse a size or format other than asked for, which picamera2 substitutes silently.

    A wrong colour order would go unnoticed. Raises ConfigError.
    """
    if tuple(given["size"]) != wanted["size"] or given["format"] != wanted["format"]:
        offer = f"{given['size']} {given['format']}"
        raise ConfigError(
            f"[camera] width and height must be what the camera can do, not {wanted['size']}; "
            f"it offers {offer}"
        )


def _check_rate(per_second: float, known: Mapping[str, Any]) -> None:
    """Refuse a rate that the camera cannot do at this size; libcamera lowers it silently.

    Raises ConfigError.
    """
    shortest_us = known.get("FrameDurationLimits", (0,))[0]
    if shortest_us > 1e6 / (SLOW * per_second):
        raise ConfigError(
            f"[camera] frames_per_second must be what the camera can do at this width and height, "
            f"not {per_second:g}; it offers {1e6 / shortest_us:.1f}"
        )


def _numbers(value: Any) -> tuple[float, ...]:
    return tuple(map(float, value)) if isinstance(value, tuple | list) else (float(value),)


def _close_to(wanted: float, is_value: float, slack: float) -> bool:
    return abs(is_value - wanted) <= max(slack, TOLERANCE * abs(wanted))


def _library() -> Any:
    """Import picamera2; it is heavy, and only on a Pi."""
    try:
        return import_module("picamera2").Picamera2
    except (ImportError, ValueError) as error:  # a numpy that it was not built for is a ValueError
        how = "apt install python3-picamera2, in an environment made with --system-site-packages"
        raise missing("picamera", f"picamera2 ({error})", how) from None
