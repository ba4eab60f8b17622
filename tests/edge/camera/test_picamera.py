import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge.camera.picamera import PiCamera, camera_number, check_metadata
from edge.clock import SimulatedClock
from edge.errors import CameraError, ConfigError, FrameError
from edge.sections.camera import CameraSettings

MS = 1_000_000
WIDTH, HEIGHT = 16, 12


class Request:
    """A completed request, lent until it is released.

    Source: picamera2's request.py, CompletedRequest.
    """

    def __init__(self, camera: "Picamera2", number: int) -> None:
        self._camera, self.number, self.released = camera, number, 0

    def get_metadata(self) -> dict[str, Any]:
        """What libcamera reports about the frame."""
        camera = self._camera
        exposure_us = camera.reports["ExposureTime"]
        metadata = {
            "SensorTimestamp": camera.began_ns(self.number) + exposure_us * 1000,
            **camera.reports,
        }
        return {name: value for name, value in metadata.items() if name not in camera.hides}

    def make_array(self, name: str) -> NDArray[np.uint8]:
        """Copy the stream's pixels, in the byte order that the manual gives for the format."""
        assert name == "main"
        assert not self.released
        red_green_blue = np.full((HEIGHT, WIDTH, 3), (200, 100, self.number % 50), np.uint8)
        return (
            red_green_blue
            if self._camera.config["main"]["format"] == "BGR888"
            else red_green_blue[:, :, ::-1].copy()
        )

    def release(self) -> None:
        """Give the buffer back."""
        self.released += 1
        self._camera.lent -= 1


class Picamera2:
    """A camera by picamera2's interface, on the simulated clock.

    Source: "The Picamera2 Library" (manual) 4 to 6, and picamera2 0.3.38's picamera2.py: a number
    as *wait* raises TimeoutError after so many seconds, *flush* drops what began before it, one
    completed request is kept ready, and a timed out job stays in the queue until
    cancel_all_and_flush.
    """

    clock: SimulatedClock
    cameras = 1
    made: list["Picamera2"]
    period_ns, latency_ns = 40 * MS, 30 * MS

    @staticmethod
    def global_camera_info() -> list[dict[str, Any]]:
        """List the cameras."""
        return [{"Model": "imx477", "Num": number} for number in range(Picamera2.cameras)]

    def __init__(self, number: int = 0) -> None:
        Picamera2.made.append(self)
        self.number, self.history = number, ["open"]
        self.camera_controls = dict.fromkeys(
            (
                "FrameDurationLimits",
                "ExposureTime",
                "AnalogueGain",
                "AwbEnable",
                "ColourGains",
                "LensPosition",
            ),
            (0, 9, 0),
        )
        self.reports: dict[str, Any] = {
            "ExposureTime": 9000,
            "AnalogueGain": 1.0,
            "ColourGains": (1.5, 1.8),
        }
        self.hides: set[str] = set()
        self.config: dict[str, Any] = {}
        self.given: dict[str, Any] = {}
        self.lent, self.waiting_jobs = 0, 0
        self.next_number, self.last_number = 0, 10**9
        self.error: Exception | None = None
        self.requests: list[Request] = []

    def create_video_configuration(self, **wanted: Any) -> dict[str, Any]:
        """Make a configuration."""
        return wanted

    def configure(self, config: dict[str, Any]) -> None:
        """Take the configuration, its size made even as by align_stream.

        The controls hold from the first frame.
        """
        assert set(config["controls"]) <= set(self.camera_controls)
        self.history.append("configure")
        width, height = config["main"]["size"]
        self.config = {
            **config,
            "main": {**config["main"], "size": (width - width % 2, height - height % 2)},
        }
        self.reports.update({k: v for k, v in config["controls"].items() if k in self.reports})
        self.reports.update(self.given)

    def camera_configuration(self) -> dict[str, Any]:
        """Tell what was made of it."""
        return self.config

    def start(self) -> None:
        """Begin."""
        self.history.append("start")
        self.next_number = self._newest() + 1

    def began_ns(self, number: int) -> int:
        """When the exposure of that frame began."""
        return number * self.period_ns

    def _newest(self) -> int:
        return int((self.clock.now_ns() - self.latency_ns) // self.period_ns)

    def capture_request(self, wait: float, flush: int | None = None) -> Request:
        """Wait for a completed request."""
        assert (
            wait
        )  # 0 and None mean something else: a job that nobody waits for, and a wait without end
        if self.error:
            raise self.error
        number = max(self.next_number, min(self._newest(), self.last_number))
        while flush and self.began_ns(number) < flush:
            number += 1
        ready_ns = self.began_ns(number) + self.latency_ns
        until_ns = self.clock.now_ns() + round(wait * 1e9)
        if (
            number > self.last_number
            or ready_ns > until_ns
            or self.lent >= self.config["buffer_count"]
        ):
            self.clock.sleep_until(until_ns)
            self.waiting_jobs += 1
            raise TimeoutError
        self.clock.sleep_until(max(ready_ns, self.clock.now_ns()))
        self.next_number, self.lent = number + 1, self.lent + 1
        self.requests.append(Request(self, number))
        return self.requests[-1]

    def cancel_all_and_flush(self) -> None:
        """Empty the queue of jobs."""
        self.waiting_jobs = 0

    def close(self) -> None:
        """Stop and close."""
        assert not self.waiting_jobs
        self.history.append("close")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimulatedClock:
    """A Pi with one camera, and its clock."""
    clock = SimulatedClock(1000 * MS)
    monkeypatch.setitem(sys.modules, "picamera2", SimpleNamespace(Picamera2=Picamera2))
    monkeypatch.setattr(Picamera2, "clock", clock, raising=False)
    monkeypatch.setattr(Picamera2, "made", [], raising=False)
    return clock


def wishes(**changed: Any) -> CameraSettings:
    """Settings with everything fixed."""
    usual: dict[str, Any] = {
        "driver": "picamera",
        "width": WIDTH,
        "height": HEIGHT,
        "timeout_ms": 300.0,
    }
    usual |= {
        "exposure_us": 5000.0,
        "gain": 2.0,
        "colour_gains": (1.9, 1.4),
        "frames_per_second": 25.0,
    }
    return CameraSettings(**(usual | changed))


def the_camera() -> Picamera2:
    """The camera that the driver has opened; there is only one."""
    (camera,) = Picamera2.made
    return camera


def test_it_is_configured_once_with_all_that_is_fixed(clock: SimulatedClock) -> None:
    """Before the start, so that the first picture has it; then captures, then it is closed."""
    with PiCamera(wishes(controls=("LensPosition=4.5",)), clock) as camera:
        for _ in range(10):
            camera.capture(clock.now_ns())
    assert the_camera().history == ["open", "configure", "start", "close"]
    assert the_camera().config["controls"] == {
        "FrameDurationLimits": (40_000, 40_000),
        "ExposureTime": 5000,
        "AnalogueGain": 2.0,
        "AwbEnable": False,
        "ColourGains": (1.9, 1.4),
        "LensPosition": 4.5,
    }


def test_colours_are_red_green_blue(clock: SimulatedClock) -> None:
    """The manual's BGR888 gives bytes in the order red, green, blue, and its RGB888 blue first."""
    with PiCamera(wishes(), clock) as camera:
        assert camera.capture(clock.now_ns()).picture[0, 0, :2].tolist() == [200, 100]


def test_the_picture_is_the_first_that_began_after_the_trigger(clock: SimulatedClock) -> None:
    """Not the one that picamera2 keeps ready: that one is of the old product."""
    with PiCamera(wishes(), clock) as camera:
        clock.sleep_until(2001 * MS)
        capture = camera.capture(2001 * MS)
        assert capture.t_ns == 2040 * MS
        assert capture.picture[0, 0, 2] == 51 % 50


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=50,
    deadline=None,
)
@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 250)), min_size=1, max_size=8))
def test_freshness_holds_whenever_items_come(
    clock: SimulatedClock, items: list[tuple[int, int]]
) -> None:
    """After any pause and any delay of the capture: begun after the trigger, and counted on."""
    Picamera2.made = []
    with PiCamera(wishes(in_view_ms=400.0), clock) as camera:
        last = 0
        for pause_ms, busy_ms in items:
            clock.sleep_until(clock.now_ns() + pause_ms * MS)
            trigger_ns = clock.now_ns()
            clock.sleep_until(trigger_ns + busy_ms * MS)
            capture = camera.capture(trigger_ns)
            assert capture.t_ns >= trigger_ns
            assert capture.sequence > last
            last = capture.sequence


def test_every_request_is_released_once(clock: SimulatedClock) -> None:
    """Those of idle proofs and of refused pictures too; four kept would leave the camera none."""
    with PiCamera(wishes(), clock) as camera:
        for turn in range(12):
            camera.check()
            the_camera().reports["ExposureTime"] = 5000 if turn % 2 else 9000
            try:
                camera.capture(clock.now_ns())
            except FrameError:
                assert turn % 2 == 0
    assert [request.released for request in the_camera().requests] == [1] * len(
        the_camera().requests
    )


@pytest.mark.parametrize(
    ("reports", "said"),
    [
        ({"ExposureTime": 5300}, "drifted picture: ExposureTime must be 5000, not 5300"),
        ({"ExposureTime": 25_000}, "drifted picture: ExposureTime must be 5000, not 25000"),
        ({"AnalogueGain": 2.4}, "drifted picture: AnalogueGain must be 2.0, not 2.4"),
        (
            {"ColourGains": (1.9, 1.8)},
            r"drifted picture: ColourGains must be \(1.9, 1.4\), not \(1.9, 1.8\)",
        ),
    ],
)
def test_exposure_that_drifts_is_a_fault(
    clock: SimulatedClock, reports: dict[str, Any], said: str
) -> None:
    """The settings asked for are compared with the metadata of that very picture."""
    with PiCamera(wishes(), clock) as camera:
        camera.capture(clock.now_ns())
        the_camera().reports |= reports
        with pytest.raises(FrameError, match=said):
            camera.capture(clock.now_ns())


def test_small_steps_of_the_sensor_are_no_drift() -> None:
    """It counts exposure in rows and gain in sixteenths."""
    check_metadata(
        {
            "ExposureTime": 5000,
            "AnalogueGain": 2.0,
            "FrameDurationLimits": (1, 1),
            "AwbEnable": False,
        },
        {"ExposureTime": 4912, "AnalogueGain": 2.06, "FrameDuration": 33_333},
    )
    with pytest.raises(FrameError, match="the camera must report its AnalogueGain"):
        check_metadata({"AnalogueGain": 2.0}, {"ExposureTime": 5000})


def test_camera_timeout_ends_the_process_with_its_reason(clock: SimulatedClock) -> None:
    """After timeout_ms; the job that hangs is cancelled, so that closing cannot hang on it."""
    with PiCamera(wishes(), clock) as camera:
        the_camera().last_number = the_camera().next_number - 1
        at_ns = clock.now_ns()
        with pytest.raises(
            CameraError, match=r"^camera timeout: no picture within 300 ms"
        ) as caught:
            camera.capture(at_ns)
        assert not isinstance(caught.value, FrameError)
        assert clock.now_ns() - at_ns == 300 * MS
        assert the_camera().waiting_jobs == 0


def test_a_camera_lost_while_idle_is_noticed_at_the_second_proof(clock: SimulatedClock) -> None:
    """The first one takes the picture that was ready."""
    with PiCamera(wishes(), clock) as camera:
        clock.sleep_until(5000 * MS)
        the_camera().last_number = 100
        camera.check()
        with pytest.raises(CameraError, match="camera timeout"):
            camera.check()


def test_camera_unplugged_is_a_lost_camera(clock: SimulatedClock) -> None:
    """Whatever picamera2 makes of it."""
    with PiCamera(wishes(), clock) as camera:
        the_camera().error = RuntimeError("Failed to queue request: -19")
        with pytest.raises(CameraError, match=r"camera lost: it gives no picture .*-19") as caught:
            camera.capture(clock.now_ns())
    assert not isinstance(caught.value, FrameError)


def test_a_busy_camera_is_said_to_be_and_may_be_free_the_next_time(
    clock: SimulatedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program has it."""

    def taken(self: Picamera2) -> None:
        raise RuntimeError("Failed to acquire camera: Device or resource busy")

    monkeypatch.setattr(Picamera2, "start", taken)
    with pytest.raises(CameraError, match=r"^camera busy: .*names it, end it") as caught:
        PiCamera(wishes(), clock).__enter__()
    assert caught.value.exit_code == 75


def test_a_camera_that_does_not_report_its_exposure_counts_a_whole_frame(
    clock: SimulatedClock,
) -> None:
    """Flush would fail on it; it may have been exposed for a frame, 40 ms, so the next is taken."""
    wish = wishes(exposure_us=0.0, gain=0.0, colour_gains=(0.0, 0.0))
    with PiCamera(wish, clock) as camera:
        the_camera().hides = {"ExposureTime"}
        camera.check()
        clock.sleep_until(2000 * MS)
        capture = camera.capture(2000 * MS)
        assert capture.t_ns == 2040 * MS + 9 * MS - 40 * MS


def test_a_camera_slower_than_asked_that_does_not_report_it_gives_no_old_picture(
    clock: SimulatedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frames of 100 ms, not 40, exposed for 90: the one under way at the trigger is too old."""
    monkeypatch.setattr(Picamera2, "period_ns", 100 * MS)
    monkeypatch.setattr(Picamera2, "latency_ns", 95 * MS)
    wish = wishes(
        exposure_us=0.0, gain=0.0, colour_gains=(0.0, 0.0), timeout_ms=500.0, in_view_ms=300.0
    )
    with PiCamera(wish, clock) as camera:
        the_camera().hides, the_camera().reports["ExposureTime"] = {"ExposureTime"}, 90_000
        camera.check()
        for trigger_ms in (2003, 2449, 4040, 4190):
            clock.sleep_until(trigger_ms * MS)
            capture = camera.capture(trigger_ms * MS)
            assert the_camera().began_ns(the_camera().requests[-1].number) >= trigger_ms * MS
            assert capture.t_ns >= trigger_ms * MS


def test_a_late_picture_is_a_fault_and_the_next_items_own(clock: SimulatedClock) -> None:
    """The eye was busy: the first picture of now began 119 ms after the trigger."""
    with PiCamera(wishes(), clock) as camera:
        clock.sleep_until(2150 * MS)
        with pytest.raises(
            FrameError, match=r"^late picture: it began 119 ms after the trigger, must be within 50"
        ):
            camera.capture(2001 * MS)
        assert camera.capture(2115 * MS).t_ns == 2120 * MS
        assert camera.facts["late"] == 1


def test_a_rate_that_the_camera_cannot_do_is_a_wrong_setting(
    clock: SimulatedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Libcamera takes 60 and gives 30: the limits of this size say so."""
    begin = Picamera2.configure

    def configure(self: Picamera2, config: dict[str, Any]) -> None:
        begin(self, config)
        self.camera_controls["FrameDurationLimits"] = (33_333, 120_000, 0)

    monkeypatch.setattr(Picamera2, "configure", configure)
    with (
        pytest.raises(ConfigError, match=r"frames_per_second must be .*, not 60; it offers 30"),
        PiCamera(wishes(frames_per_second=60.0), clock),
    ):
        pass


def test_fewer_pictures_than_asked_for_are_trouble(clock: SimulatedClock) -> None:
    """Each picture's metadata has its duration."""
    with PiCamera(wishes(), clock) as camera:
        for _ in range(20):
            camera.capture(clock.now_ns())
        assert camera.trouble == ""
        the_camera().reports["FrameDuration"] = 100_000
        for _ in range(20):
            camera.capture(clock.now_ns())
        assert camera.trouble.startswith(
            "the camera gives fewer pictures than asked for: 10.0 a second, not 25"
        )


def test_a_nonsense_first_stamp_does_not_end_the_start(
    clock: SimulatedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is passed over, and the count goes on."""
    true, begun = Picamera2.began_ns, clock.now_ns()
    first = (begun - Picamera2.latency_ns) // Picamera2.period_ns + 1
    with monkeypatch.context() as patch:
        odd = Request.get_metadata

        def metadata(self: Request) -> dict[str, Any]:
            told = odd(self)
            return told | ({"SensorTimestamp": 4 * 10**18} if self.number <= first else {})

        patch.setattr(Request, "get_metadata", metadata)
        with PiCamera(wishes(), clock) as camera:
            sequences = []
            for _ in range(5):
                trigger_ns = clock.now_ns()
                capture = camera.capture(trigger_ns)
                assert true(the_camera(), the_camera().requests[-1].number) >= trigger_ns
                sequences.append(capture.sequence)
            assert sequences == sorted(set(sequences))
            assert camera.facts["misdated"] == 1


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"width": 15}, r"not \(15, 12\); it offers \(14, 12\) BGR888"),
        (
            {"controls": ("LensShift=1",)},
            "this camera has no LensShift, only AnalogueGain, AwbEnable",
        ),
        ({"colour_gains": (1.5, 0.0)}, "colour_gains must be both above 0 or both 0"),
        (
            {"device": "imx477"},
            'must be the camera\'s number for picamera, such as "0", not "imx477"',
        ),
    ],
)
def test_what_the_camera_cannot_do_is_a_wrong_setting(
    clock: SimulatedClock, changed: dict[str, Any], said: str
) -> None:
    """And it is closed again."""
    with pytest.raises(ConfigError, match=said), PiCamera(wishes(**changed), clock):
        pass
    assert all(camera.history[-1] == "close" for camera in Picamera2.made)


def test_which_camera_is_clear_or_asked_for() -> None:
    """The only one need not be named."""
    assert [camera_number("", 1), camera_number("1", 2)] == [0, 1]
    with pytest.raises(ConfigError, match="must name one camera, there are 2: 0 to 1"):
        camera_number("", 2)
    for device, count in (("", 0), ("1", 1)):
        with pytest.raises(CameraError, match="check the ribbon cable"):
            camera_number(device, count)


def test_a_missing_picamera2_names_the_package_of_apt(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line; from pip it would not find the Pi's libcamera."""
    monkeypatch.setitem(sys.modules, "picamera2", None)
    with (
        pytest.raises(
            ConfigError,
            match=r"^\[camera\] driver picamera needs .*apt install python3-picamera2, in an env",
        ),
        PiCamera(wishes(), SimulatedClock()),
    ):
        pass
