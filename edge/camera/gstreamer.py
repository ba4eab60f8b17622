"""Camera driver for GStreamer pipelines, first of all a Jetson's nvarguscamerasrc."""

from functools import partial
from importlib import import_module
from typing import Any

from edge.camera.live import LiveCamera, Shot, missing
from edge.camera.pixels import ORDERS, from_i420, from_packed
from edge.camera.stream import SLOW
from edge.camera.videodev import busy
from edge.clock import Clock
from edge.errors import CameraError, ConfigError
from edge.sections.camera import CameraSettings
from edge.vision.preprocess import Frame

SINK = "appsink name=stampgate-sink max-buffers=1 drop=true sync=false"
"""Keeps only the newest picture and never waits for its presentation time."""
CLOCKS_APART_NS = 10**9
"""Greatest difference of GStreamer's clock from ours; a greater one means another clock."""


class GStreamerCamera(LiveCamera):
    """The end of a GStreamer pipeline.

    Connect a Jetson's camera with the Jetson switched off, and try the pipeline first with
    ``gst-launch-1.0 <pipeline> ! fakesink``. Fix exposure, gain and white balance in its text:
    ``nvarguscamerasrc wbmode=1 aelock=true awblock=true exposuretimerange="5000000 5000000"
    gainrange="2 2"``, and say the exposure time in ``exposure_us`` too.

    It must end in RGB, BGR, RGBA, RGBx, BGRA, BGRx or I420 (read as BT.601, limited range) in
    ordinary memory.

    When a picture was taken: its time stamp (PTS) on the pipeline's clock, which is made the
    monotonic one, less the exposure time and ``lag_ms``, because no source says how much later than
    the exposure it stamps.

    Source: GStreamer's documentation of appsink (try-pull-sample) and "Clocks and synchronization
    in GStreamer".

    Synchronization: one thread per instance, beside GStreamer's own.
    """

    name = "gstreamer"

    def __init__(self, settings: CameraSettings, clock: Clock) -> None:
        super().__init__(settings, clock)
        self._gst: Any = None
        self._pipeline: Any = None
        self._sink: Any = None
        self._exposure_ns = round(settings.exposure_us * 1000)
        # A source may stamp a picture with when it is to be shown.
        self._ahead_ns = self._before_stamp_ns = round(settings.lag_ms * 1e6) + self._exposure_ns
        self._count, self._last_stamp_ns = 0, -1

    def _open(self) -> None:
        self._gst = gst = _library()
        text = f"{filled_in(self._settings)} ! {SINK}"
        try:
            self._pipeline = gst.parse_launch(text)
        except Exception as error:  # noqa: BLE001 - GLib.Error exists only once gi is imported
            raise ConfigError(
                f"[camera] pipeline must be one that GStreamer can build ({_said(error)}): {text}"
            ) from None
        self._sink = self._pipeline.get_by_name("stampgate-sink")
        clock = gst.SystemClock.obtain()
        if abs(clock.get_time() - self._clock.now_ns()) > CLOCKS_APART_NS:
            raise ConfigError(
                "[camera] driver gstreamer needs GStreamer's system clock to be the monotonic one"
            )
        self._pipeline.use_clock(clock)
        if self._pipeline.set_state(gst.State.PLAYING) == gst.StateChangeReturn.FAILURE:
            raise _ended(self._error() or "it does not start")

    def _close(self) -> None:
        if self._pipeline is not None:
            self._pipeline.set_state(self._gst.State.NULL)
            self._pipeline = None

    def _next(self, timeout_s: float, after_ns: int) -> Shot | None:
        sample, step = self._sink.emit("try-pull-sample", 0), 0
        if sample is None and timeout_s > 0:
            # None was kept, so the next one is the one after the last that was taken.
            sample = self._sink.emit("try-pull-sample", max(0, round(timeout_s * 1e9)))
            step = 1 if self._count else 0
        if sample is not None:
            return self._shot(sample, after_ns, step)
        said = self._error()
        if said or self._sink.get_property("eos"):
            raise _ended(said or "it has come to its end")
        return None

    def _shot(self, sample: Any, after_ns: int, step: int) -> Shot:
        buffer = sample.get_buffer()
        if buffer.pts == self._gst.CLOCK_TIME_NONE:
            raise ConfigError(
                "[camera] pipeline must stamp its pictures; give its source do-timestamp=true"
            )
        running_ns = sample.get_segment().to_running_time(self._gst.Format.TIME, buffer.pts)
        stamp_ns = self._pipeline.get_base_time() + running_ns
        if stamp_ns != self._last_stamp_ns:  # few sources count their frames: count the new ones
            self._count, self._last_stamp_ns = self._count + 1, stamp_ns
        before_ns, at_least_ns = self._before_stamp_ns, self._exposure_ns
        order = self._order(sample.get_caps().get_structure(0))
        # What a source takes to stamp grows with its period; lag_ms is for the one asked for.
        overdue_ns = max(0, self._slowest_ns(stamp_ns, step) - round(self.stream.told_ns / SLOW))
        fresh = stamp_ns - before_ns - overdue_ns >= after_ns
        data = buffer.extract_dup(0, buffer.get_size()) if fresh else b""
        develop = partial(self._develop, data, order)
        return Shot(
            stamp_ns,
            before_ns,
            at_least_ns,
            self._count,
            develop,
            step=step,
            overdue_ns=overdue_ns,
        )

    def _develop(self, data: bytes, order: str) -> Frame:
        size = (self._settings.width, self._settings.height)
        return from_i420(data, *size) if order == "I420" else from_packed(data, *size, order)

    def _order(self, caps: Any) -> str:
        """Return the order of its colours. Raises ConfigError for a wrong size or format."""
        width, height, order = (caps.get_value(name) for name in ("width", "height", "format"))
        if order != "I420" and order not in ORDERS:
            known = f"{', '.join(ORDERS)} or I420"
            raise ConfigError(
                f"[camera] pipeline must end in {known}, not {order}; add a converter"
            )
        if (width, height) != (self._settings.width, self._settings.height):
            wanted = f"{self._settings.width} x {self._settings.height}"
            raise ConfigError(
                f"[camera] pipeline must give {wanted}, as width and height say, "
                f"not {width} x {height}"
            )
        return str(order)

    def _error(self) -> str:
        """Return the error that the pipeline has reported since the last call; empty for none."""
        message = self._pipeline.get_bus().pop_filtered(self._gst.MessageType.ERROR)
        if message is None:
            return ""
        error, detail = message.parse_error()
        return f"{_said(error)} {' '.join((detail or '').splitlines()[-1:])}".strip()


def filled_in(settings: CameraSettings) -> str:
    """Return the pipeline's text on one line, with the names in braces filled in.

    >>> filled_in(CameraSettings(pipeline="x, width={width}, framerate={frames_per_second}/1"))
    'x, width=1280, framerate=30/1'
    """
    text = " ".join(settings.pipeline.split())
    for name in ("width", "height", "frames_per_second"):
        text = text.replace(f"{{{name}}}", str(round(getattr(settings, name))))
    return text


def _ended(why: str) -> CameraError:
    if "busy" in why.lower():
        return busy(f"the pipeline's camera ({why})")
    return CameraError(
        f"camera lost: the pipeline must run, not end ({why}); "
        "check the camera, the service starts again"
    )


def _said(error: Any) -> str:
    return " ".join(str(getattr(error, "message", error)).split())


def _library() -> Any:
    """Import GStreamer through PyGObject: both are heavy, so only when this driver opens."""
    try:
        import_module("gi").require_version("Gst", "1.0")
        gst: Any = import_module("gi.repository.Gst")
    except (ImportError, ValueError) as error:
        how = "apt install python3-gi gir1.2-gstreamer-1.0 gstreamer1.0-plugins-base"
        raise missing("gstreamer", f"GStreamer for Python ({error})", how) from None
    gst.init(None)
    return gst
