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
from edge.camera.pixels import from_yuyv
from edge.camera.v4l2 import CONTROLS, V4l2Camera, only_camera, wanted_controls
from edge.clock import SimulatedClock, Stop
from edge.config import CameraSettings
from edge.errors import CameraError, ConfigError, FrameError
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
        argument.numerator, argument.denominator = self.period_ns // MS, 1000

    def _range(self, argument: Any) -> None:
        if argument.id not in self.controls:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        argument.minimum, argument.maximum, argument.step, _ = self.controls[argument.id]

    def _set(self, argument: Any) -> None:
        name = next(name for name, number in CONTROLS.items() if number == argument.id)
        self.calls.append(f"{name}={argument.value}")
        self.controls[argument.id][3] = self.keeps(argument.value)

    def _get(self, argument: Any) -> None:
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
            number,
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
    """The next whole one is taken, still after the trigger, and the others are counted."""
    kernel.send = lambda number: (yuyv(number), videodev.FLAG_ERROR if number in (30, 31) else 0)
    with opened(kernel) as camera:
        assert camera.capture(1200 * MS).sequence == 32
        assert camera.damaged == 2


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


def test_the_users_word_on_an_automatic_stands() -> None:
    """Some cameras count their exposure modes differently."""
    wish = CameraSettings(exposure_us=10_000.0, controls=("auto_exposure=0", "focus_absolute=30"))
    assert wanted_controls(wish) == {
        "auto_exposure": 0,
        "focus_automatic_continuous": 0,
        "focus_absolute": 30,
        "exposure_time_absolute": 100,
    }
