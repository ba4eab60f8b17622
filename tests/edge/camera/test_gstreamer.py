import contextlib
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edge.camera.gstreamer import SINK, GStreamerCamera
from edge.clock import MonotonicClock, SimulatedClock
from edge.errors import CameraError, ConfigError, FrameError
from edge.sections.camera import CameraSettings

MS = 1_000_000
WIDTH, HEIGHT = 5, 4
NONE = 2**64 - 1


class Pipeline:
    """A pipeline with its sink, its bus and its buffers in one, on the simulated clock.

    Source: GStreamer 1.22's documentation of GstAppSink (try-pull-sample gives None at the end of
    the stream and when the time has passed; drop=true keeps the newest max-buffers), GstBus,
    GstBuffer and GstSegment.
    """

    def __init__(self, clock: SimulatedClock, text: str) -> None:
        self.clock, self.text = clock, text
        self.base_ns, self.period_ns, self.latency_ns = 700 * MS, 40 * MS, 15 * MS
        self.order, self.width, self.height = "RGBA", WIDTH, HEIGHT
        self.stamped, self.starts = True, True
        self.cut = 0
        self.states: list[str] = []
        self.last, self.eos, self.error = 10**9, False, ""
        self.clock_used: Any = None
        self._given = -1

    def get_by_name(self, name: str) -> "Pipeline":
        """Give the sink."""
        assert f"name={name} " in self.text
        return self

    def get_bus(self) -> "Pipeline":
        """Give the bus."""
        return self

    def pop_filtered(self, kind: str) -> Any:
        """Take the next message of that kind off the bus."""
        assert kind == "ERROR"
        said, self.error = self.error, ""
        return (
            SimpleNamespace(
                parse_error=lambda: (SimpleNamespace(message="Trouble."), f"source.c(7):\n{said}")
            )
            if said
            else None
        )

    def use_clock(self, clock: Any) -> None:
        """Run by that clock."""
        self.clock_used = clock

    def set_state(self, state: str) -> str:
        """Start or stop."""
        self.states.append(state)
        return "SUCCESS" if self.starts else "FAILURE"

    def get_base_time(self) -> int:
        """When running time was 0."""
        return self.base_ns

    def get_property(self, name: str) -> bool:
        """Tell whether the stream has ended."""
        assert name == "eos"
        return self.eos

    def began_ns(self, number: int) -> int:
        """Return when a frame's exposure began: 5 ms before it arrived at the source.

        The source stamps it 10 ms later.
        """
        return self.base_ns + number * self.period_ns

    def emit(self, signal: str, timeout_ns: int) -> Any:
        """Give the newest frame that was not given yet, or the next one."""
        assert (signal, self.states[-1]) == ("try-pull-sample", "PLAYING")
        if self.eos or self.error:
            return None
        newest = (self.clock.now_ns() - self.latency_ns - self.base_ns) // self.period_ns
        number = max(self._given + 1, newest)
        ready_ns = self.began_ns(number) + self.latency_ns
        until_ns = self.clock.now_ns() + timeout_ns
        if number > self.last or ready_ns > until_ns:
            self.clock.sleep_until(until_ns)
            return None
        self.clock.sleep_until(max(ready_ns, self.clock.now_ns()))
        self._given = number
        return self._sample(number)

    def _sample(self, number: int) -> Any:
        pixels = np.full(
            (HEIGHT, WIDTH, len(self.order)),
            (200, 100, number % 50, 255)[: len(self.order)],
            np.uint8,
        )
        data = pixels.tobytes()[: self.cut or None]
        pts = number * self.period_ns + self.latency_ns
        buffer = SimpleNamespace(pts=pts if self.stamped else NONE, get_size=lambda: len(data))
        buffer.extract_dup = lambda start, size: data[start : start + size]
        caps = {"width": self.width, "height": self.height, "format": self.order}
        return SimpleNamespace(
            get_buffer=lambda: buffer,
            get_caps=lambda: SimpleNamespace(
                get_structure=lambda _: SimpleNamespace(get_value=caps.__getitem__)
            ),
            get_segment=lambda: SimpleNamespace(to_running_time=lambda _, stamp: stamp),
        )


class Bench:
    """GStreamer as far as the driver uses it, with the one pipeline that it makes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = SimulatedClock(1000 * MS)
        self.prepare: dict[str, Any] = {}
        self.pipeline: Pipeline | None = None
        self.clock_offset_ns = 0
        self.system_clock = SimpleNamespace(
            get_time=lambda: self.clock.now_ns() + self.clock_offset_ns
        )
        gst = SimpleNamespace(
            init=lambda _: None,
            parse_launch=self._launch,
            SystemClock=SimpleNamespace(obtain=lambda: self.system_clock),
            State=SimpleNamespace(PLAYING="PLAYING", NULL="NULL"),
            StateChangeReturn=SimpleNamespace(FAILURE="FAILURE"),
            MessageType=SimpleNamespace(ERROR="ERROR"),
            Format=SimpleNamespace(TIME="TIME"),
            CLOCK_TIME_NONE=NONE,
        )
        monkeypatch.setitem(sys.modules, "gi", SimpleNamespace(require_version=lambda *_: None))
        monkeypatch.setitem(sys.modules, "gi.repository", SimpleNamespace(Gst=gst))
        monkeypatch.setitem(sys.modules, "gi.repository.Gst", gst)

    def _launch(self, text: str) -> Pipeline:
        if "nonsense" in text:
            raise RuntimeError('gst_parse_error: no element "nonsense" (1)')
        self.pipeline = Pipeline(self.clock, text)
        for name, value in self.prepare.items():
            setattr(self.pipeline, name, value)
        return self.pipeline

    @contextlib.contextmanager
    def opened(self, **changed: Any) -> Iterator[tuple[GStreamerCamera, Pipeline]]:
        """The driver, open, and its pipeline."""
        usual: dict[str, Any] = {
            "driver": "gstreamer",
            "width": WIDTH,
            "height": HEIGHT,
            "timeout_ms": 300.0,
        }
        usual |= {"exposure_us": 5000.0, "lag_ms": 10.0}
        with GStreamerCamera(CameraSettings(**(usual | changed)), self.clock) as camera:
            assert self.pipeline is not None
            yield camera, self.pipeline


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    """One camera, 25 pictures a second, each stamped 15 ms after its exposure began."""
    return Bench(monkeypatch)


def test_the_pipeline_ends_in_a_sink_that_keeps_the_newest_alone(bench: Bench) -> None:
    """The sizes are filled in, the monotonic clock drives it, and it is stopped at the end."""
    with bench.opened() as (_, pipeline):
        assert pipeline.text.startswith(
            "nvarguscamerasrc sensor-id=0 ! video/x-raw(memory:NVMM), width=5, height=4, "
        )
        assert "framerate=30/1" in pipeline.text
        assert pipeline.text.endswith(f"! {SINK}")
        assert pipeline.clock_used is bench.system_clock
    assert pipeline.states == ["PLAYING", "NULL"]


def test_the_picture_is_the_first_that_began_after_the_trigger(bench: Bench) -> None:
    """Running time and base time become the monotonic moment; lag and exposure are taken off."""
    with bench.opened() as (camera, pipeline):
        bench.clock.sleep_until(2001 * MS)
        capture = camera.capture(2001 * MS)
        assert capture.t_ns == pipeline.began_ns(33) == 2020 * MS
        assert capture.picture.shape == (HEIGHT, WIDTH, 3)
        assert capture.picture[0, 0].tolist() == [200, 100, 33]
        assert camera.capture(2021 * MS).sequence > capture.sequence


def test_an_idle_camera_that_works_proves_it(bench: Bench) -> None:
    """And the item after it gets the first picture after its trigger."""
    with bench.opened() as (camera, pipeline):
        bench.clock.sleep_until(3000 * MS)
        camera.check()
        assert bench.clock.now_ns() == 3000 * MS
        assert camera.capture(3000 * MS).t_ns == pipeline.began_ns(58)


def test_camera_timeout_ends_the_process_with_its_reason(bench: Bench) -> None:
    """Nothing comes and nothing is reported: after timeout_ms, for a capture and an idle check."""
    with bench.opened() as (camera, pipeline):
        pipeline.last = 0
        bench.clock.sleep_until(2000 * MS)
        for ask in (lambda: camera.capture(2000 * MS), camera.check):
            at_ns = bench.clock.now_ns()
            with pytest.raises(
                CameraError, match=r"^camera timeout: no picture within 300 ms"
            ) as caught:
                ask()
            assert not isinstance(caught.value, FrameError)
            assert bench.clock.now_ns() - at_ns == 300 * MS


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"error": "TIMEOUT in Argus"}, "camera lost: .*TIMEOUT in Argus"),
        ({"eos": True}, "it has come to its end"),
    ],
)
def test_camera_unplugged_is_a_lost_camera(bench: Bench, state: dict[str, Any], said: str) -> None:
    """The pipeline's own word, at once."""
    with bench.opened() as (camera, pipeline):
        for name, value in state.items():
            setattr(pipeline, name, value)
        at_ns = bench.clock.now_ns()
        with pytest.raises(CameraError, match=said) as caught:
            camera.capture(at_ns)
        assert not isinstance(caught.value, FrameError)
        assert bench.clock.now_ns() == at_ns


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        ({"order": "NV12"}, "must end in RGB, .* or I420, not NV12; add a converter"),
        ({"width": 640}, "must give 5 x 4, as width and height say, not 640 x 4"),
        ({"stamped": False}, "must stamp its pictures; give its source do-timestamp=true"),
    ],
)
def test_a_pipeline_that_gives_something_else_is_a_wrong_setting(
    bench: Bench, prepare: dict[str, Any], said: str
) -> None:
    """Seen at the first picture, when the service starts."""
    bench.prepare = prepare
    with pytest.raises(ConfigError, match=said), bench.opened():
        pass
    assert bench.pipeline is not None
    assert bench.pipeline.states[-1] == "NULL"


def test_a_pipeline_that_cannot_be_built_or_started_is_said_to_be(bench: Bench) -> None:
    """A wrong text is a wrong setting; a camera that does not start may start the next time."""
    with (
        pytest.raises(ConfigError, match=r'no element "nonsense" \(1\)'),
        bench.opened(pipeline="nonsense"),
    ):
        pass
    bench.prepare = {"starts": False, "error": "Device '/dev/video9' is busy"}
    with pytest.raises(CameraError, match=r"^camera busy: .*'/dev/video9' is busy"), bench.opened():
        pass
    bench.prepare = {"starts": False, "error": "Cannot open /dev/video9"}
    with (
        pytest.raises(CameraError, match=r"camera lost: .*Cannot open /dev/video9"),
        bench.opened(),
    ):
        pass


def test_another_clock_than_the_monotonic_one_is_refused(bench: Bench) -> None:
    """Its stamps would say nothing about the trigger."""
    bench.clock_offset_ns = 10**18
    with pytest.raises(ConfigError, match="system clock to be the monotonic one"), bench.opened():
        pass


def test_a_buffer_cut_short_is_a_fault(bench: Bench) -> None:
    """And the next is whole."""
    with bench.opened() as (camera, pipeline):
        pipeline.cut = 30
        with pytest.raises(FrameError, match=r"^damaged picture: it must have 80 bytes, not 30"):
            camera.capture(bench.clock.now_ns())
        pipeline.cut = 0
        camera.capture(bench.clock.now_ns())


def test_a_late_picture_is_a_fault_and_the_next_items_own(bench: Bench) -> None:
    """The sink keeps the newest alone, and it began up to 129 ms after the trigger."""
    with bench.opened() as (camera, pipeline):
        bench.clock.sleep_until(2150 * MS)
        with pytest.raises(
            FrameError, match=r"^late picture: it began 109 ms after the trigger, must be within 52"
        ):
            camera.capture(2001 * MS)
        assert camera.capture(2095 * MS).t_ns == pipeline.began_ns(35) == 2100 * MS


@pytest.mark.parametrize(
    ("period_ms", "said"), [(40, ""), (200, "the camera gives fewer pictures")]
)
def test_fewer_pictures_than_asked_for_are_trouble(bench: Bench, period_ms: int, said: str) -> None:
    """Measured between pictures of which none lies in between, at items and not at idle ticks."""
    bench.prepare = {"period_ns": period_ms * MS}
    with bench.opened(in_view_ms=500.0) as (camera, _):
        for _ in range(20):
            bench.clock.sleep_until(bench.clock.now_ns() + 500 * MS)
            camera.check()
            camera.capture(bench.clock.now_ns())
        assert camera.trouble.startswith(said)
        assert bool(camera.trouble) == bool(said)


def test_a_camera_slower_than_asked_for_gives_no_old_picture(bench: Bench) -> None:
    """Its stamps lie a slow period behind, and lag_ms is for the one asked for."""
    bench.prepare = {"period_ns": 200 * MS, "latency_ns": 170 * MS}
    with bench.opened(in_view_ms=1000.0, timeout_ms=1000.0) as (camera, pipeline):
        for number in range(30):
            trigger_ns = bench.clock.now_ns()
            camera.capture(trigger_ns)
            assert pipeline.began_ns(pipeline._given) >= trigger_ns
            bench.clock.sleep_until(bench.clock.now_ns() + number * 7 * MS)


def test_a_nonsense_first_stamp_does_not_end_the_start(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is passed over, and the count goes on."""
    true, stamps = Pipeline._sample, []

    def sample(self: Pipeline, number: int) -> Any:
        given = true(self, number)
        stamps.append(number)
        if len(stamps) == 1:
            given.get_buffer().pts = 4 * 10**18
        return given

    monkeypatch.setattr(Pipeline, "_sample", sample)
    with bench.opened() as (camera, pipeline):
        sequences = []
        for _ in range(5):
            trigger_ns = bench.clock.now_ns()
            sequences.append(camera.capture(trigger_ns).sequence)
            assert pipeline.began_ns(stamps[-1]) >= trigger_ns
        assert sequences == sorted(set(sequences))
        assert camera.facts["misdated"] == 1


def test_a_missing_gstreamer_names_the_packages_of_apt(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line."""
    monkeypatch.setitem(sys.modules, "gi", None)
    wish = CameraSettings(driver="gstreamer")
    with (
        pytest.raises(
            ConfigError,
            match=r"^\[camera\] driver gstreamer needs .*apt install python3-gi gir1.2-gst",
        ),
        GStreamerCamera(wish, SimulatedClock()),
    ):
        pass


def real(pipeline: str, **changed: Any) -> GStreamerCamera:
    """The driver on GStreamer itself, where that is installed with its test source."""
    gi = pytest.importorskip("gi", reason="needs PyGObject; apt install python3-gi")
    try:
        gi.require_version("Gst", "1.0")
        gst: Any = import_module("gi.repository.Gst")
    except (ImportError, ValueError):
        pytest.skip("needs GStreamer's types; apt install gir1.2-gstreamer-1.0")
    gst.init(None)
    if gst.ElementFactory.find("videotestsrc") is None:
        pytest.skip("needs GStreamer's test source; apt install gstreamer1.0-plugins-base")
    usual: dict[str, Any] = {
        "driver": "gstreamer",
        "width": 65,
        "height": 48,
        "lag_ms": 60.0,
        "timeout_ms": 2000.0,
    }
    return GStreamerCamera(CameraSettings(pipeline=pipeline, **(usual | changed)), MonotonicClock())


# PyGObject 3.42, Debian 12's, imports in a way that Python 3.11 calls old.
old_import = pytest.mark.filterwarnings("ignore:DynamicImporter:ImportWarning")
SOURCE = (
    "videotestsrc is-live=true pattern={pattern} "
    "! video/x-raw, format={order}, width=65, height=48, framerate=20/1"
)


@pytest.mark.parametrize("order", ["RGB", "BGR", "RGBA", "BGRx", "I420"])
@old_import
def test_gstreamer_itself_gives_the_colours_of_each_format(order: str) -> None:
    """Its test source in red, 65 pixels wide so that every kind of row is padded."""
    with real(SOURCE.replace("{pattern}", "red").replace("{order}", order)) as camera:
        capture = camera.capture(time.monotonic_ns())
        assert capture.picture.shape == (48, 65, 3)
        assert np.abs(capture.picture.astype(int) - (255, 0, 0)).max() <= 4


@old_import
def test_gstreamer_itself_gives_fresh_pictures() -> None:
    """Snow: begun after the trigger, counted on, never the same."""
    with real(SOURCE.replace("{pattern}", "snow").replace("{order}", "RGB")) as camera:
        captures = []
        for _ in range(4):
            trigger_ns = time.monotonic_ns()
            captures.append(camera.capture(trigger_ns))
            assert captures[-1].t_ns >= trigger_ns
            camera.check()
    assert [c.sequence for c in captures] == sorted({c.sequence for c in captures})
    assert len({c.picture.tobytes() for c in captures}) == 4


@old_import
def test_gstreamer_itself_says_that_the_stream_has_ended() -> None:
    """Eight pictures and no more: a lost camera, without waiting for the timeout."""
    short = (
        SOURCE.replace("is-live", "num-buffers=8 is-live")
        .replace("{pattern}", "snow")
        .replace("{order}", "RGB")
    )
    with real(short) as camera, pytest.raises(CameraError, match="it has come to its end"):
        [camera.capture(time.monotonic_ns()) for _ in range(9)]


@pytest.mark.parametrize(
    ("pipeline", "error", "said"),
    [
        ("nonsense ! identity", ConfigError, "must be one that GStreamer can build .*nonsense"),
        (
            "filesrc location=/nowhere ! identity",
            CameraError,
            "camera lost: .*Resource not found.*/nowhere",
        ),
    ],
)
@old_import
def test_gstreamer_itself_says_why_it_does_not_start(
    pipeline: str, error: type[Exception], said: str
) -> None:
    """In one line."""
    with pytest.raises(error, match=said) as caught, real(pipeline):
        pass
    assert "\n" not in str(caught.value)
