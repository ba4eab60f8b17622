import contextlib
import errno
import os
from collections.abc import Callable
from pathlib import Path
from select import POLLERR, POLLHUP, POLLIN
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge.camera import v4l2, videodev
from edge.camera.controls import CONTROLS, wanted_controls
from edge.camera.pixels import from_yuyv
from edge.camera.v4l2 import V4l2Camera, only_camera
from edge.clock import SimulatedClock, Stop
from edge.errors import CameraError, ConfigError, FrameError, StampgateError
from edge.sections.camera import CameraSettings
from tests.edge.camera.test_pixels import NOISE, jpeg

MS = 1_000_000
WIDTH, HEIGHT = 16, 12
PAGE = 4096
FRESH = videodev.CLOCK_MONOTONIC | videodev.SOURCE_EXPOSURE
AUTO, EXPOSURE, GAIN = (
    CONTROLS["auto_exposure"],
    CONTROLS["exposure_time_absolute"],
    CONTROLS["gain"],
)


def yuyv(number: int) -> bytes:
    """What picture *number* is sent as: flat, and unlike its neighbours."""
    return bytes((16 + number % 11 * 20, 128)) * (WIDTH * HEIGHT)


class Kernel:
    """A fake camera behind the kernel's interface; file and memory are real, ioctls and poll fake.

    As a UVC camera does, it exposes picture after picture; one that has arrived goes into the
    buffer that was queued first, and one that finds no buffer is lost but counted. Source: the
    kernel's "Streaming I/O (Memory Mapping)".
    """

    def __init__(self, path: Path, clock: SimulatedClock) -> None:
        self.path, self.clock = path, clock
        path.write_bytes(b"\0" * PAGE * 8)
        self.period_ns, self.exposure_ns, self.lag_ns = 40 * MS, 5 * MS, 10 * MS
        self.flags = FRESH
        self.capabilities = videodev.CAN_CAPTURE | videodev.CAN_STREAM
        self.offers: tuple[int, int, str] | None = None
        self.told_ns: int | None = None
        self.refuses: dict[int, int] = {}
        self.unreadable: set[int] = set()
        self.at_start: Callable[[], None] = lambda: None
        self.numbered: Callable[[int], int] = lambda number: number
        self.controls = {AUTO: [0, 3, 1, 3], EXPOSURE: [3, 2047, 1, 250], GAIN: [0, 255, 1, 64]}
        self.keeps: Callable[[int], int] = lambda value: value
        self.send: Callable[[int], tuple[bytes, int]] = lambda number: (yuyv(number), 0)
        self.last = 10**9
        self.stamp_offset_ns = 0
        self.gone = ""
        self.calls: list[str] = []
        self._arrived = 0
        self._queued: list[int] = []
        self._filled: list[tuple[int, int, int, int, int]] = []

    def began_ns(self, number: int) -> int:
        """When the exposure of that picture really began."""
        return number * self.period_ns

    def ready_ns(self, number: int) -> int:
        """Return when a frame has arrived; its stamp is from then, or from one period before.

        The latter when the stamp is that of the start of exposure.
        """
        return self.began_ns(number) + self.exposure_ns + self.lag_ns + self.period_ns

    def stamp_ns(self, number: int) -> int:
        """What the driver says of it."""
        start = self.flags & videodev.SOURCE_EXPOSURE
        return self.ready_ns(number) - (self.period_ns if start else 0) + self.stamp_offset_ns

    def _let_arrive(self) -> None:
        while self._arrived < self.last and self.ready_ns(self._arrived) <= self.clock.now_ns():
            number, self._arrived = self._arrived, self._arrived + 1
            if not self._queued:
                continue
            index = self._queued.pop(0)
            data, more_flags = self.send(number)
            with self.path.open("r+b") as memory:
                memory.seek(index * PAGE)
                memory.write(data)
            self._filled.append(
                (index, number, self.stamp_ns(number), self.flags | more_flags, len(data))
            )

    def register(self, _fd: int, _events: int) -> None:
        """Begin to be polled, as select.poll."""

    def poll(self, milliseconds: float) -> list[tuple[int, int]]:
        """Wait on the simulated clock until a picture has arrived."""
        until_ns = self.clock.now_ns() + round(milliseconds * MS)
        if self.gone == "poll":
            return [(self.fd, POLLERR | POLLHUP)]
        self._let_arrive()
        while (
            not self._filled
            and self._arrived < self.last
            and self.ready_ns(self._arrived) <= until_ns
        ):
            self.clock.sleep_until(self.ready_ns(self._arrived))
            self._let_arrive()
        if self._filled:
            return [(self.fd, POLLIN)]
        self.clock.sleep_until(until_ns)
        return []

    def ioctl(self, fd: int, number: int, argument: Any) -> int:
        """Answer as the driver would."""
        self.fd = fd
        names = {
            getattr(videodev, name): name
            for name in ("QBUF", "DQBUF", "STREAMON", "STREAMOFF", "REQBUFS")
        }
        if number in names:
            self.calls.append(names[number])
        if self.gone == "ioctl" and number == videodev.DQBUF:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        if number in self.refuses:
            raise OSError(self.refuses[number], os.strerror(self.refuses[number]))
        if number == videodev.STREAMON:
            self.at_start()
        getattr(self, f"_{ANSWERS[number]}")(argument)
        return 0

    def _nothing(self, argument: Any) -> None:
        pass

    def _capability(self, argument: Any) -> None:
        argument.device_caps = self.capabilities

    def _form(self, argument: Any) -> None:
        if self.offers:
            argument.width, argument.height = self.offers[:2]
            argument.pixelformat = int.from_bytes(self.offers[2].encode(), "little")
        argument.bytesperline = argument.width * 2

    def _rate(self, argument: Any) -> None:
        argument.numerator, argument.denominator = (self.told_ns or self.period_ns) // MS, 1000

    def _range(self, argument: Any) -> None:
        if argument.id not in self.controls:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        argument.minimum, argument.maximum, argument.step, _ = self.controls[argument.id]

    def _set(self, argument: Any) -> None:
        name = next(name for name, number in CONTROLS.items() if number == argument.id)
        self.calls.append(f"{name}={argument.value}")
        self.controls[argument.id][3] = self.keeps(argument.value)

    def _get(self, argument: Any) -> None:
        if argument.id in self.unreadable:
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
        argument.value = self.controls[argument.id][3]

    def _whereabouts(self, argument: Any) -> None:
        argument.length, argument.offset = PAGE, argument.index * PAGE

    def _queue(self, argument: Any) -> None:
        self._let_arrive()
        self._queued.append(argument.index)

    def _dequeue(self, argument: Any) -> None:
        self._let_arrive()
        if not self._filled:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        index, number, stamp_ns, flags, length = self._filled.pop(0)
        argument.index, argument.sequence, argument.flags, argument.bytesused = (
            index,
            self.numbered(number),
            flags,
            length,
        )
        argument.seconds, argument.microseconds = stamp_ns // 10**9, stamp_ns % 10**9 // 1000


ANSWERS = {
    videodev.QUERYCAP: "capability",
    videodev.S_FMT: "form",
    videodev.S_PARM: "rate",
    videodev.QUERYCTRL: "range",
    videodev.S_CTRL: "set",
    videodev.G_CTRL: "get",
    videodev.REQBUFS: "nothing",
    videodev.QUERYBUF: "whereabouts",
    videodev.QBUF: "queue",
    videodev.DQBUF: "dequeue",
    videodev.STREAMON: "nothing",
    videodev.STREAMOFF: "nothing",
}


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kernel:
    """One camera, 25 pictures a second, at the path that :func:`wishes` names."""
    return plugged_in(tmp_path / "video0", monkeypatch)


def plugged_in(path: Path, monkeypatch: pytest.MonkeyPatch) -> Kernel:
    """Put a camera behind *path*."""
    kernel = Kernel(path, SimulatedClock(1000 * MS))
    monkeypatch.setattr("edge.camera.videodev.ioctl", kernel.ioctl)
    monkeypatch.setattr("edge.camera.videodev.poll", lambda: kernel)
    return kernel


def wishes(kernel: Kernel, **changed: Any) -> CameraSettings:
    """Make settings for that camera: small YUYV pictures, ten ms of lag, its own exposure."""
    usual: dict[str, Any] = {
        "driver": "v4l2",
        "device": str(kernel.path),
        "width": WIDTH,
        "height": HEIGHT,
    }
    usual |= {"pixel_format": "YUYV", "lag_ms": 10.0, "exposure_us": 5000.0, "timeout_ms": 300.0}
    return CameraSettings(**(usual | changed))


def opened(kernel: Kernel, **changed: Any) -> V4l2Camera:
    """The driver for that camera, to be entered."""
    return V4l2Camera(wishes(kernel, **changed), kernel.clock)


def picture(number: int) -> NDArray[np.uint8]:
    """Picture *number* in RGB."""
    return from_yuyv(yuyv(number), WIDTH, HEIGHT, WIDTH * 2)


def test_the_first_picture_exposed_after_the_trigger_is_taken(kernel: Kernel) -> None:
    """Picture 30 begins at 1200 ms: the item of 1200 gets it, the one of 1201 the next."""
    with opened(kernel) as camera:
        for trigger_ms, number in ((1200, 30), (1201, 31)):
            capture = camera.capture(trigger_ms * MS)
            assert (capture.sequence, capture.t_ns, capture.name) == (
                number,
                number * 40 * MS,
                f"v4l2 {number}",
            )
            assert np.array_equal(capture.picture, picture(number))
        assert not camera.ended


def test_pictures_that_waited_since_the_last_item_are_passed_over(kernel: Kernel) -> None:
    """Ten seconds idle: four buffers hold pictures of the old product, and each is counted."""
    with opened(kernel) as camera:
        camera.capture(1200 * MS)
        before = camera.skipped
        kernel.clock.sleep_until(11_200 * MS)
        capture = camera.capture(11_200 * MS)
        assert capture.sequence == 280
        assert camera.skipped - before == 4 + 1  # and one that was on its way at the trigger


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=60,
    deadline=None,
)
@given(
    lag_ms=st.integers(0, 40),
    exposure_ms=st.integers(1, 30),
    at_the_end=st.booleans(),
    triggers=st.lists(st.integers(0, 400), min_size=1, max_size=6),
)
def test_no_picture_from_before_the_trigger_is_ever_given(
    tmp_path: Path, lag_ms: int, exposure_ms: int, at_the_end: bool, triggers: list[int]
) -> None:
    """For any lag up to lag_ms, any exposure, and stamps of either end of the picture."""
    with pytest.MonkeyPatch.context() as patch:
        kernel = plugged_in(tmp_path / "video0", patch)
        kernel.lag_ns, kernel.exposure_ns = lag_ms * MS, exposure_ms * MS
        kernel.flags = videodev.CLOCK_MONOTONIC if at_the_end else FRESH
        with opened(kernel, lag_ms=40.0, exposure_us=exposure_ms * 1000.0) as camera:
            for pause_ms in triggers:
                trigger_ns = kernel.clock.now_ns()
                assert kernel.began_ns(camera.capture(trigger_ns).sequence) >= trigger_ns
                kernel.clock.sleep_until(kernel.clock.now_ns() + pause_ms * MS)


@pytest.mark.parametrize("flags", [FRESH, videodev.CLOCK_MONOTONIC])
@pytest.mark.parametrize("period_ms", [50, 100, 200])
def test_a_camera_slower_than_its_driver_tells_gives_no_old_picture(
    kernel: Kernel, flags: int, period_ms: int
) -> None:
    """Stamped at a frame's end, the frame may have begun a whole slow period before."""
    kernel.told_ns, kernel.period_ns, kernel.flags = 40 * MS, period_ms * MS, flags
    with opened(kernel, in_view_ms=1000.0, timeout_ms=1000.0) as camera:
        for number in range(40):
            trigger_ns = kernel.clock.now_ns()
            assert kernel.began_ns(camera.capture(trigger_ns).sequence) >= trigger_ns
            kernel.clock.sleep_until(kernel.clock.now_ns() + number * 7 * MS)


def test_every_buffer_is_given_back(kernel: Kernel) -> None:
    """Four are queued at the start, each one taken is queued again, all are freed at the end."""
    with opened(kernel) as camera:
        for _ in range(9):
            camera.capture(kernel.clock.now_ns())
    assert kernel.calls.count("QBUF") == 4 + kernel.calls.count("DQBUF")
    assert kernel.calls[-2:] == ["STREAMOFF", "REQBUFS"]


@pytest.mark.parametrize("how", ["poll", "ioctl"])
def test_camera_unplugged_is_a_lost_camera_and_no_mere_fault(kernel: Kernel, how: str) -> None:
    """POLLERR or ENODEV ends the process at once, not after the timeout."""
    with opened(kernel) as camera:
        kernel.gone = how
        at_ns = kernel.clock.now_ns()
        with pytest.raises(
            CameraError, match=r"^camera lost: .*check its cable and power"
        ) as caught:
            camera.capture(at_ns)
        assert not isinstance(caught.value, FrameError)
        assert kernel.clock.now_ns() - at_ns <= 80 * MS


def test_camera_timeout_ends_the_process_with_its_reason(kernel: Kernel) -> None:
    """No picture any more: exactly after timeout_ms, for a capture and for an idle check."""
    with opened(kernel) as camera:
        kernel.last = 0
        kernel.clock.sleep_until(2000 * MS)
        for ask in (lambda: camera.capture(2000 * MS), camera.check):
            at_ns = kernel.clock.now_ns()
            with pytest.raises(CameraError, match=r"^camera timeout: .* within 300 ms") as caught:
                ask()
            assert not isinstance(caught.value, FrameError)
            assert kernel.clock.now_ns() - at_ns == 300 * MS


def test_camera_that_never_gives_a_first_picture_does_not_open(kernel: Kernel) -> None:
    """Five seconds are granted for the start, and the device is closed again."""
    kernel.last = 0
    with (
        pytest.raises(CameraError, match="camera timeout: no picture within 5000 ms"),
        opened(kernel),
    ):
        pass
    assert kernel.calls[-2:] == ["STREAMOFF", "REQBUFS"]


def test_an_idle_camera_that_works_proves_it_without_waiting(kernel: Kernel) -> None:
    """At each tick, and the item after it still gets the first picture after its trigger."""
    with opened(kernel) as camera:
        begin_ns = kernel.clock.now_ns()
        for tick in range(1, 6):
            kernel.clock.sleep_until(begin_ns + tick * 200 * MS)
            camera.check()
            assert kernel.clock.now_ns() == begin_ns + tick * 200 * MS
        trigger_ns = kernel.clock.now_ns()
        assert kernel.began_ns(camera.capture(trigger_ns).sequence) - trigger_ns < 40 * MS
        assert camera.wait(0, Stop())


def test_after_a_long_pause_the_proof_waits_for_one_picture(kernel: Kernel) -> None:
    """All that the buffers hold is from the pause's beginning, so it says nothing about now."""
    with opened(kernel) as camera:
        kernel.clock.sleep_until(60_000 * MS)
        camera.check()
        assert 0 < kernel.clock.now_ns() - 60_000 * MS <= 95 * MS


def test_stamps_that_stand_still_are_never_fresh(kernel: Kernel) -> None:
    """Pictures keep coming, all from before the trigger: a lost camera, with their number."""
    with opened(kernel) as camera:
        kernel.stamp_offset_ns = -1000 * MS
        with pytest.raises(
            CameraError,
            match="camera timeout: only 7 pictures from before the trigger within 300 ms",
        ):
            camera.capture(kernel.clock.now_ns())


def test_a_clock_that_runs_ahead_is_refused(kernel: Kernel) -> None:
    """With such stamps an old picture would seem fresh."""
    kernel.stamp_offset_ns = 3000 * MS
    with pytest.raises(CameraError, match=r"^camera clock: a picture cannot begin"), opened(kernel):
        pass


def test_a_driver_without_the_monotonic_clock_is_refused(kernel: Kernel) -> None:
    """Its flags say so; a new process would not help, so it is a wrong setting."""
    kernel.flags = 0
    with (
        pytest.raises(ConfigError, match="must stamp its pictures with the monotonic clock"),
        opened(kernel),
    ):
        pass


def test_a_picture_that_comes_too_late_is_a_fault_of_its_item(kernel: Kernel) -> None:
    """The station was busy for a second: the first picture after it shows another product."""
    with opened(kernel) as camera:
        trigger_ns = kernel.clock.now_ns()
        kernel.clock.sleep_until(trigger_ns + 1000 * MS)
        for _ in range(2):  # the four that waited are drained first
            camera.check()
        with pytest.raises(
            FrameError, match=r"^late picture: it began \d{4} ms after the trigger, must be within"
        ):
            camera.capture(trigger_ns)


def test_pictures_that_the_driver_calls_damaged_are_passed_over(kernel: Kernel) -> None:
    """The next whole one is taken while the item is in view, and the others are counted."""
    kernel.send = lambda number: (yuyv(number), videodev.FLAG_ERROR if number in (30, 31) else 0)
    with opened(kernel, in_view_ms=100.0) as camera:
        assert camera.capture(1200 * MS).sequence == 32
        assert camera.stream.damaged == 2


@pytest.mark.parametrize(("in_view_ms", "limit_ms"), [(0.0, 60), (85.0, 85)])
def test_a_late_picture_behind_damaged_ones_is_a_fault_and_the_next_items_own(
    kernel: Kernel, in_view_ms: float, limit_ms: int
) -> None:
    """Picture 32 may have begun 90 ms after the trigger; the item of 1280 is judged by it."""
    kernel.send = lambda number: (yuyv(number), videodev.FLAG_ERROR if number in (30, 31) else 0)
    with opened(kernel, in_view_ms=in_view_ms) as camera:
        with pytest.raises(
            FrameError,
            match=r"^late picture: it began 90 ms after the trigger, behind 2 damaged ones, "
            rf"must be within {limit_ms} ms, see \[camera\] in_view_ms",
        ):
            camera.capture(1200 * MS)
        assert camera.capture(1280 * MS).sequence == 32
        assert camera.facts["late"] == 1


def test_a_stream_of_damaged_pictures_is_no_lost_camera_until_it_has_lasted(
    kernel: Kernel,
) -> None:
    """Each item is a FAULT, whatever timeout_ms; after five seconds a new process tries."""
    with opened(kernel, in_view_ms=1000.0, timeout_ms=100.0) as camera:
        kernel.send = lambda number: (yuyv(number), videodev.FLAG_ERROR)
        began_ns = kernel.clock.now_ns()
        while kernel.clock.now_ns() < began_ns + 4900 * MS:
            with pytest.raises(FrameError, match=r"^damaged picture: none of \d was whole"):
                camera.capture(kernel.clock.now_ns())
            camera.check()
        assert "damaged, lost or misdated" in camera.trouble
        kernel.clock.sleep_until(began_ns + 5100 * MS)
        with pytest.raises(CameraError, match="camera damage: no whole picture for 5 s") as caught:
            camera.check()
        assert not isinstance(caught.value, FrameError)


def test_pictures_that_the_camera_counts_and_does_not_send_are_lost_and_trouble(
    kernel: Kernel,
) -> None:
    """Every fifth is missing; those that found no free buffer while idle are none of them."""
    count = kernel.numbered
    with opened(kernel, in_view_ms=200.0) as camera:
        for _ in range(10):
            kernel.clock.sleep_until(kernel.clock.now_ns() + 500 * MS)
            camera.check()
        assert (camera.facts["lost"], camera.trouble) == (0, "")
        kernel.numbered = lambda number: count(number) + number // 4
        for _ in range(60):
            camera.capture(kernel.clock.now_ns())
        assert camera.facts["lost"] >= 10
        assert "of the last 100; check its cable, port and supply" in camera.trouble


def odd_stamps(kernel: Kernel, odd: Callable[[int, int], int]) -> None:
    """Let the driver stamp picture *n* with odd(n, the true stamp)."""
    true = kernel.stamp_ns
    kernel.stamp_ns = lambda number: odd(number, true(number))  # type: ignore[method-assign]


@pytest.mark.parametrize("nonsense", [4_154_505_010 * 10**9, 0])
def test_a_nonsense_first_stamp_does_not_end_the_start(kernel: Kernel, nonsense: int) -> None:
    """The first picture of each stream is passed over, and all goes on (bcm2835-v4l2)."""
    first = kernel.clock.now_ns() // kernel.period_ns - 1
    odd_stamps(kernel, lambda n, t: nonsense if n <= first else t)
    with opened(kernel) as camera:
        assert camera.facts["misdated"] == (1 if nonsense else 0)
        for _ in range(10):
            trigger_ns = kernel.clock.now_ns()
            assert kernel.began_ns(camera.capture(trigger_ns).sequence) >= trigger_ns
        assert camera.trouble == ""


@pytest.mark.parametrize("ahead_ms", [60, 2000])
def test_a_single_stamp_in_the_future_is_a_fault_of_one_item(kernel: Kernel, ahead_ms: int) -> None:
    """One in fifty: its item is a FAULT, all others are judged, and the process goes on."""
    odd_stamps(kernel, lambda n, t: t + ahead_ms * MS if n % 50 == 40 else t)
    faults = []
    with opened(kernel) as camera:
        for _ in range(100):
            trigger_ns = kernel.clock.now_ns()
            try:
                number = camera.capture(trigger_ns).sequence
            except FrameError as error:
                faults.append(str(error).split(":")[0])
            else:
                assert kernel.began_ns(number) >= trigger_ns
    assert 1 <= faults.count("camera clock") <= 5
    assert len(faults) <= 2 * faults.count("camera clock")


def test_stamps_in_the_future_time_after_time_end_the_process_with_their_reason(
    kernel: Kernel,
) -> None:
    """Two are a FAULT each, the third ends it; at idle ticks, too."""
    with opened(kernel) as camera:
        kernel.stamp_offset_ns = 3000 * MS
        for _ in range(2):
            with pytest.raises(FrameError, match=r"^camera clock: "):
                camera.capture(kernel.clock.now_ns())
        with pytest.raises(CameraError, match=r"^camera clock: .*, 3 times running; ") as caught:
            camera.capture(kernel.clock.now_ns())
        assert not isinstance(caught.value, FrameError)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=40,
    deadline=None,
)
@given(
    every=st.integers(5, 50),
    off_ms=st.integers(-1000, 1000),
    pauses=st.lists(st.integers(0, 300), min_size=5, max_size=25),
)
def test_no_single_odd_stamp_makes_an_old_picture_fresh(
    tmp_path: Path, every: int, off_ms: int, pauses: list[int]
) -> None:
    """One in *every*, too late or too early by any time, read at once or out of a buffer."""
    with pytest.MonkeyPatch.context() as patch:
        kernel = plugged_in(tmp_path / "video0", patch)
        odd_stamps(kernel, lambda n, t: t + off_ms * MS if n % every == every - 1 else t)
        with opened(kernel, in_view_ms=2000.0) as camera:
            for pause_ms in pauses:
                trigger_ns = kernel.clock.now_ns()
                kernel.clock.sleep_until(trigger_ns + pause_ms // 3 * MS)
                with contextlib.suppress(FrameError):
                    assert kernel.began_ns(camera.capture(trigger_ns).sequence) >= trigger_ns
                kernel.clock.sleep_until(kernel.clock.now_ns() + pause_ms * MS)


def test_a_single_stamp_that_is_too_early_makes_no_late_picture_the_items_own(
    kernel: Kernel,
) -> None:
    """Picture 34 began 160 ms after the trigger, and says 20; those before it were damaged."""
    kernel.send = lambda n: (yuyv(n), videodev.FLAG_ERROR if 30 <= n < 34 else 0)
    odd_stamps(kernel, lambda n, t: t - 140 * MS if n == 34 else t)
    with opened(kernel, in_view_ms=165.0) as camera:
        kernel.clock.sleep_until(1160 * MS)
        with pytest.raises(FrameError, match=r"^late picture: it began 170 ms after the trigger"):
            camera.capture(1200 * MS)


def fixed(kernel: Kernel) -> list[int]:
    """What the camera's exposure, its automatic and its gain are set to."""
    return [kernel.controls[number][3] for number in (AUTO, EXPOSURE, GAIN)]


def forget(kernel: Kernel) -> None:
    """Let the camera fall back to its own settings, as after a dip of its supply."""
    for number, value in ((AUTO, 3), (EXPOSURE, 250), (GAIN, 64)):
        kernel.controls[number][3] = value


def test_controls_that_the_camera_forgets_when_the_stream_starts_are_set_again(
    kernel: Kernel,
) -> None:
    """They are compared once pictures come, and the first item is taken with them."""
    kernel.at_start = lambda: forget(kernel)
    with opened(kernel, gain=30.0) as camera:
        assert fixed(kernel) == [1, 50, 30]
        camera.capture(kernel.clock.now_ns())


def test_a_camera_that_keeps_no_control_while_it_streams_is_a_wrong_setting(
    kernel: Kernel,
) -> None:
    """Setting again does not help; no new process would do better."""

    def stubborn() -> None:
        forget(kernel)
        kernel.keeps = {1: 3, 50: 250}.__getitem__

    kernel.at_start = stubborn
    with (
        pytest.raises(ConfigError, match=r"auto_exposure was 3, not 1.* while it streams"),
        opened(kernel),
    ):
        pass


def test_controls_lost_later_are_a_fault_of_the_item_and_set_again(kernel: Kernel) -> None:
    """The item's picture has the wrong exposure; the next item's has the right one."""
    with opened(kernel, gain=30.0) as camera:
        camera.capture(kernel.clock.now_ns())
        forget(kernel)
        with pytest.raises(
            FrameError, match=r"^drifted picture: .*exposure_time_absolute was 250, not 50"
        ):
            camera.capture(kernel.clock.now_ns())
        assert fixed(kernel) == [1, 50, 30]
        with pytest.raises(FrameError, match=r"^drifted picture: it must be taken after"):
            camera.capture(kernel.clock.now_ns())
        kernel.clock.sleep_until(kernel.clock.now_ns() + 300 * MS)
        camera.capture(kernel.clock.now_ns())
        assert "lost its controls: auto_exposure was 3, not 1" in camera.trouble
        kernel.clock.sleep_until(kernel.clock.now_ns() + 61_000 * MS)
        assert camera.trouble == ""


def test_controls_lost_while_idle_are_set_again_before_the_next_item(kernel: Kernel) -> None:
    """It is trouble, and no item suffers."""
    with opened(kernel) as camera:
        forget(kernel)
        camera.check()
        assert fixed(kernel)[:2] == [1, 50]
        assert "lost its controls" in camera.trouble
        kernel.clock.sleep_until(kernel.clock.now_ns() + 500 * MS)
        camera.check()
        camera.capture(kernel.clock.now_ns())


def test_controls_lost_time_after_time_end_the_process(kernel: Kernel) -> None:
    """A new one opens the camera anew."""
    with opened(kernel) as camera:
        for _ in range(2):
            forget(kernel)
            camera.check()
        forget(kernel)
        with pytest.raises(CameraError, match=r"^camera controls: .*, 3 times running"):
            camera.check()


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        (True, ""),
        (False, "the camera's controls cannot be proven: exposure_time_absolute cannot be read"),
    ],
)
def test_an_exposure_that_cannot_be_read_back_is_proven_by_the_picture(
    kernel: Kernel, answers: bool, said: str
) -> None:
    """It gets darker at half of it; a camera whose picture does not is in trouble, in words."""
    kernel.unreadable = {EXPOSURE}
    if answers:
        kernel.send = lambda _: (
            bytes((16 + min(200, kernel.controls[EXPOSURE][3] * 2), 128)) * (WIDTH * HEIGHT),
            0,
        )
    with opened(kernel, allow_repeats=True) as camera:
        assert camera.trouble.startswith(said)
        assert bool(camera.trouble) == bool(said)
        assert kernel.controls[EXPOSURE][3] == 50
        camera.capture(kernel.clock.now_ns())
        kernel.controls[EXPOSURE][3] = 250  # nobody can see it, so it is set at each idle tick
        camera.check()
        assert kernel.controls[EXPOSURE][3] == 50


@pytest.mark.parametrize(
    ("call", "number", "error", "said"),
    [
        ("STREAMON", errno.ENOSPC, ConfigError, r"^\[camera\] no bandwidth: the USB bus must"),
        ("STREAMON", errno.EBUSY, CameraError, r"^camera busy: .* must be free, and another"),
        ("REQBUFS", errno.EBUSY, CameraError, r"^camera busy: "),
        ("S_FMT", errno.EBUSY, CameraError, r"^camera busy: "),
        ("S_FMT", errno.EINVAL, ConfigError, r"^\[camera\] pixel_format must be one that"),
        ("S_CTRL", errno.ERANGE, ConfigError, r"exposure must be a value that .* has, not 1"),
        ("S_CTRL", errno.EINVAL, ConfigError, r"exposure must be a value that .* has, not 1"),
        ("S_CTRL", errno.EACCES, ConfigError, r"exposure must be a control of .* can be set"),
        ("S_CTRL", errno.EBUSY, CameraError, r"^camera busy: "),
        ("STREAMON", errno.EIO, CameraError, r"^camera lost: .*STREAMON"),
    ],
)
def test_what_the_kernel_refuses_has_its_own_word_and_exit_status(
    kernel: Kernel, call: str, number: int, error: type[StampgateError], said: str
) -> None:
    """A wrong setting is not started again for ever; a busy camera may be free the next time."""
    kernel.refuses = {getattr(videodev, call): number}
    with pytest.raises(error, match=said) as caught, opened(kernel):
        pass
    assert caught.value.exit_code == (78 if error is ConfigError else 75)


def test_a_damaged_picture_is_a_fault_and_the_next_is_whole(kernel: Kernel) -> None:
    """A JPEG cut short on the bus."""
    whole = jpeg(NOISE)
    kernel.send = lambda number: (whole[:-300] if number == 30 else whole, 0)
    with opened(kernel, pixel_format="MJPG") as camera:
        with pytest.raises(FrameError, match=r"^damaged picture"):
            camera.capture(1200 * MS)
        assert camera.capture(1201 * MS).picture.shape == (HEIGHT, WIDTH, 3)


def test_controls_are_set_in_order_and_read_back(kernel: Kernel) -> None:
    """The automatic goes off before what it would overrule; one that the camera lacks need not."""
    with opened(kernel, exposure_us=20_000.0, gain=30.0):
        pass
    assert [call for call in kernel.calls if "=" in call] == [
        "auto_exposure=1",
        "exposure_time_absolute=200",
        "gain=30",
    ]


def test_automatic_is_left_alone_when_nothing_is_fixed(kernel: Kernel) -> None:
    """For trying a camera out."""
    with opened(kernel, exposure_us=0.0, lag_ms=15.0):
        pass
    assert [call for call in kernel.calls if "=" in call] == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"exposure_us": 900_000.0},
            "exposure_time_absolute must be from 3 to 2047 for .*, not 9000",
        ),
        (
            {"controls": ("focus_absolute=3",)},
            "focus_absolute: .* has no such control, only gain, auto_exposure, exp",
        ),
        ({"controls": ("shutter=3",)}, "shutter: .* has no such control"),
        ({"controls": ("gain:3",)}, 'controls: each must be "name=number", not "gain:3"'),
    ],
)
def test_a_control_that_cannot_be_is_a_wrong_setting(
    kernel: Kernel, changed: dict[str, Any], said: str
) -> None:
    """What the camera can do is in the line."""
    with pytest.raises(ConfigError, match=said), opened(kernel, **changed):
        pass


def test_a_control_that_the_camera_does_not_keep_is_a_wrong_setting(kernel: Kernel) -> None:
    """It says yes and stays at what it was."""
    kernel.keeps = {1: 17}.__getitem__
    with (
        pytest.raises(ConfigError, match=r"must be a value that .* keeps: it made 17 of 1"),
        opened(kernel),
    ):
        pass


@pytest.mark.parametrize(
    "offer", [(640, 480, "YUYV"), (WIDTH, HEIGHT, "MJPG"), (WIDTH, HEIGHT, "GREY")]
)
def test_another_size_or_format_than_asked_for_is_a_wrong_setting(
    kernel: Kernel, offer: tuple[int, int, str]
) -> None:
    """Drivers change them silently to what they can do."""
    kernel.offers = offer
    with (
        pytest.raises(ConfigError, match="not 16 x 12 YUYV; it offers {} x {} {}".format(*offer)),
        opened(kernel),
    ):
        pass


def test_a_node_that_takes_no_pictures_is_a_wrong_setting(kernel: Kernel) -> None:
    """A USB camera has two; the second one is for metadata."""
    kernel.capabilities = videodev.CAN_STREAM
    with pytest.raises(ConfigError, match="name the one that ends in index0"), opened(kernel):
        pass


def test_a_camera_that_is_not_there_is_lost_and_may_come_back(tmp_path: Path) -> None:
    """Unplugged when the service starts: systemd tries again."""
    wish = CameraSettings(driver="v4l2", device=str(tmp_path / "nothing"))
    with (
        pytest.raises(CameraError, match=r"camera lost: .*nothing must work"),
        V4l2Camera(wish, SimulatedClock()),
    ):
        pass


def test_a_camera_that_may_not_be_opened_is_a_wrong_setting(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new process would not be allowed to, either."""

    def refused(*_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("edge.camera.videodev.os.open", refused)
    with pytest.raises(ConfigError, match="add the user to the group video"), opened(kernel):
        pass


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], "must list a camera and does not"),
        (["usb-A-video-index0", "usb-A-video-index1"], ""),
        (
            ["usb-A-video-index0", "usb-B-video-index0"],
            "must name one camera, there are 2: .*usb-A.*usb-B",
        ),
    ],
)
def test_the_only_camera_need_not_be_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: list[str], said: str
) -> None:
    """By its name under /dev/v4l/by-id; /dev/video0 may be another camera after a restart."""
    monkeypatch.setattr(v4l2, "BY_ID", tmp_path)
    for name in names:
        (tmp_path / name).touch()
    if said:
        with pytest.raises((CameraError, ConfigError), match=said):
            only_camera()
    else:
        assert only_camera() == str(tmp_path / "usb-A-video-index0")


@pytest.fixture
def ports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Plug USB cameras into ports 1 and 2, with the names that udev gives them under by-id."""

    def plug(names: dict[str, int], ports: tuple[int, ...] = (1, 2)) -> None:
        monkeypatch.setattr(v4l2, "BY_ID", tmp_path / "by-id")
        for folder in ("by-id", "by-path"):
            (tmp_path / folder).mkdir()
        for port in ports:
            (tmp_path / f"video{2 * port}").touch()
            for kind in ("usb", "usbv2"):  # newer udevs give two links to a port
                link = tmp_path / "by-path" / f"pci-0000-{kind}-0:1.{port}:1.0-video-index0"
                link.symlink_to(f"../video{2 * port}")
        (tmp_path / "video10").touch()
        codec = tmp_path / "by-path" / "platform-bcm2835-codec-video-index0"
        codec.symlink_to("../video10")
        for name, port in names.items():
            (tmp_path / "by-id" / f"{name}-video-index0").symlink_to(f"../video{2 * port}")

    return plug


@pytest.mark.parametrize("which", [1, 2])
def test_like_cameras_that_share_a_name_are_refused_and_named_by_their_ports(
    tmp_path: Path, ports: Callable[..., None], which: int
) -> None:
    """Two of one maker without serial numbers: udev gives the one name to either."""
    ports({"usb-Maker_Cam_SN0001": which})
    with pytest.raises(
        ConfigError, match=r"device must name one camera, there are 2.*1\.1:.*1\.2:"
    ):
        only_camera()
    shared = str(tmp_path / "by-id" / "usb-Maker_Cam_SN0001-video-index0")
    with pytest.raises(ConfigError, match=r"may be the name of more than one camera: .*by-path"):
        v4l2.unmistakable(shared)
    port = str(tmp_path / "by-path" / "pci-0000-usb-0:1.2:1.0-video-index0")
    assert v4l2.unmistakable(port) == port


def test_cameras_with_names_of_their_own_are_taken_by_them(
    tmp_path: Path, ports: Callable[..., None]
) -> None:
    """A serial number each: the names are told apart."""
    ports({"usb-Maker_Cam_1": 1, "usb-Maker_Cam_2": 2})
    named = str(tmp_path / "by-id" / "usb-Maker_Cam_2-video-index0")
    assert v4l2.unmistakable(named) == named
    with pytest.raises(ConfigError, match=r"there are 2: .*usb-Maker_Cam_1.*usb-Maker_Cam_2"):
        only_camera()


def test_the_only_camera_is_found_beside_what_is_no_usb_camera(
    tmp_path: Path, ports: Callable[..., None]
) -> None:
    """A Pi's codec is a video device, too; a camera without any name is taken by its port."""
    ports({"usb-Maker_Cam_1": 1}, (1,))
    assert only_camera() == str(tmp_path / "by-id" / "usb-Maker_Cam_1-video-index0")
    (tmp_path / "by-id" / "usb-Maker_Cam_1-video-index0").unlink()
    assert "-usb" in only_camera()
    assert "1.1" in only_camera()


def test_an_exposure_longer_than_a_picture_is_a_wrong_setting(kernel: Kernel) -> None:
    """50 ms, and 30 pictures a second: the camera would give 20, and say nothing."""
    with (
        pytest.raises(ConfigError, match=r"exposure_us must be at most 41667 for 30 .*, not 50000"),
        opened(kernel, exposure_us=50_000.0),
    ):
        pass


def test_the_users_word_on_an_automatic_stands() -> None:
    """Some cameras count their exposure modes differently."""
    wish = CameraSettings(exposure_us=10_000.0, controls=("auto_exposure=0", "focus_absolute=30"))
    assert wanted_controls(wish) == {
        "auto_exposure": 0,
        "focus_automatic_continuous": 0,
        "focus_absolute": 30,
        "exposure_time_absolute": 100,
    }
