import contextlib
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from edge.camera.drivers import make_camera
from edge.camera.replay import ReplayCamera
from edge.clock import SimulatedClock, Stop
from edge.config import Config, load_config
from edge.errors import ConfigError, FrameError
from edge.sections.camera import CameraSettings
from tests.tiny_model import paint, save

MS = 1_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make three pictures told apart by their corner, one of them hidden, and a folder."""
    for name, level in (("b.png", 2), ("a.png", 1), (".hidden.png", 9)):
        picture = paint({})
        picture[0, 0] = level
        save(tmp_path / name, picture)
    (tmp_path / "sub").mkdir()
    return tmp_path


def test_pictures_come_by_name_and_at_their_rate(folder: Path) -> None:
    """Each with its moment, the camera's count and its name; then the camera has ended."""
    clock = SimulatedClock()
    seen = []
    with ReplayCamera(folder, CameraSettings(pictures_per_second=4.0), clock) as camera:
        while not camera.ended:
            capture = camera.capture(clock.now_ns())
            seen.append(
                (capture.name, capture.sequence, capture.t_ns / MS, int(capture.picture[0, 0, 0]))
            )
    assert seen == [("a.png", 1, 0, 1), ("b.png", 2, 250, 2)]


def test_a_loop_begins_again_and_counts_on(folder: Path) -> None:
    """It never ends, and the count of frames never goes back."""
    clock = SimulatedClock()
    with ReplayCamera(folder, CameraSettings(pictures_per_second=0, loop=True), clock) as camera:
        seen = [(c.name, c.sequence) for c in (camera.capture(clock.now_ns()) for _ in range(5))]
        assert not camera.ended
    assert seen == [("a.png", 1), ("b.png", 2), ("a.png", 3), ("b.png", 4), ("a.png", 5)]


def test_a_picture_is_never_older_than_its_trigger(folder: Path) -> None:
    """Asked for one after 400 ms, it gives the one whose turn it is, taken then."""
    clock = SimulatedClock()
    with ReplayCamera(folder, CameraSettings(pictures_per_second=4.0), clock) as camera:
        assert camera.capture(0).t_ns == 0
        assert camera.capture(400 * MS).t_ns == 400 * MS


def test_a_picture_that_does_not_come_in_time_is_a_fault_of_that_item(folder: Path) -> None:
    """One picture each ten seconds, triggered at once: after timeout_ms the wait is over."""
    clock = SimulatedClock()
    with ReplayCamera(
        folder, CameraSettings(pictures_per_second=0.1, timeout_ms=300), clock
    ) as camera:
        camera.capture(0)
        with pytest.raises(FrameError, match="no picture within 300 ms"):
            camera.capture(5 * MS)
        assert clock.now_ns() == 305 * MS


@pytest.mark.parametrize(("in_view_ms", "limit_ms"), [(0.0, 312), (100.0, 100)])
def test_a_late_picture_is_a_fault_and_the_next_items_own(
    folder: Path, in_view_ms: float, limit_ms: int
) -> None:
    """The eye asks too late: the picture of now is not the item's, and stays for the next."""
    clock = SimulatedClock()
    wish = CameraSettings(pictures_per_second=4.0, in_view_ms=in_view_ms)
    with ReplayCamera(folder, wish, clock) as camera:
        camera.capture(0)
        clock.sleep_until(700 * MS)
        with pytest.raises(
            FrameError,
            match=rf"^late picture: it begins 400 ms after the trigger, must be within {limit_ms} ",
        ):
            camera.capture(300 * MS)
        assert camera.capture(650 * MS).name == "b.png"
        assert camera.facts == {"taken": 2, "damaged": 0, "lost": 0, "late": 1, "misdated": 0}


def test_many_broken_files_are_trouble(folder: Path) -> None:
    """Counted as damaged pictures."""
    (folder / "b.png").write_bytes(b"no picture")
    wish = CameraSettings(pictures_per_second=0, loop=True)
    with ReplayCamera(folder, wish, SimulatedClock()) as camera:
        for _ in range(12):
            with contextlib.suppress(FrameError):
                camera.capture(0)
        assert camera.facts["damaged"] == 6
        assert "damaged, lost or misdated: 6 of the last 100" in camera.trouble


def test_a_broken_file_takes_its_turn_and_the_next_goes_on(folder: Path) -> None:
    """A FAULT for that item, named without the folder."""
    (folder / "aa.png").write_bytes((folder / "a.png").read_bytes()[:60])
    clock = SimulatedClock()
    with ReplayCamera(folder, CameraSettings(pictures_per_second=0), clock) as camera:
        assert camera.capture(0).name == "a.png"
        with pytest.raises(
            FrameError, match=r"^aa\.png: must be a whole picture file, not a damaged one"
        ) as caught:
            camera.capture(0)
        assert caught.value.picture == "aa.png"
        assert camera.capture(0).name == "b.png"


def test_waiting_tells_whether_a_picture_is_there(folder: Path, stop: Stop) -> None:
    """Up to the given moment, or the stop."""
    clock = SimulatedClock()
    with ReplayCamera(folder, CameraSettings(pictures_per_second=4.0), clock) as camera:
        assert camera.wait(0, stop)
        camera.capture(0)
        assert not camera.wait(200 * MS, stop)
        assert camera.wait(300 * MS, stop)
        assert clock.now_ns() == 250 * MS
        stop.request("SIGTERM")
        assert not camera.wait(10**12, stop)


@pytest.mark.parametrize("what", ["empty", "missing", "file"])
def test_a_folder_without_pictures_is_a_wrong_setting(tmp_path: Path, what: str) -> None:
    """Said at the start, and the section with it."""
    folder = tmp_path / "frames"
    if what == "empty":
        folder.mkdir()
    elif what == "file":
        folder.write_text("x")
    with (
        pytest.raises(ConfigError, match=r"\[camera\] folder"),
        ReplayCamera(folder, CameraSettings(), SimulatedClock()),
    ):
        pass


FILMS = {"WEBP": {"lossless": True}, "PNG": {}, "GIF": {}, "TIFF": {}}


def film(path: Path, kind: str, levels: tuple[int, ...]) -> Path:
    """Write a film of flat grey pictures; return *path*."""
    pictures = [Image.new("RGB", (16, 12), (level, level, level)) for level in levels]
    pictures[0].save(
        path, kind, save_all=True, append_images=pictures[1:], duration=100, **FILMS[kind]
    )
    return path


@pytest.mark.parametrize("kind", sorted(FILMS))
def test_a_film_is_shown_picture_by_picture_and_over_again(tmp_path: Path, kind: str) -> None:
    """At its rate; in a loop it begins again and counts on."""
    clock = SimulatedClock()
    path = film(tmp_path / "film.bin", kind, (10, 90, 200))
    seen = []
    with ReplayCamera(path, CameraSettings(pictures_per_second=4.0, loop=True), clock) as camera:
        for _ in range(5):
            capture = camera.capture(clock.now_ns())
            assert capture.picture.shape == (12, 16, 3)
            seen.append(
                (capture.name, capture.sequence, capture.t_ns / MS, int(capture.picture[0, 0, 0]))
            )
    assert seen == [
        ("film.bin 1", 1, 0, 10),
        ("film.bin 2", 2, 250, 90),
        ("film.bin 3", 3, 500, 200),
        ("film.bin 1", 4, 750, 10),
        ("film.bin 2", 5, 1000, 90),
    ]


def test_a_film_ends_with_its_last_picture(tmp_path: Path) -> None:
    """A file of one picture is a film of one picture."""
    with ReplayCamera(
        save(tmp_path / "a.png", paint({})), CameraSettings(pictures_per_second=0), SimulatedClock()
    ) as camera:
        camera.check()
        assert not camera.ended
        camera.capture(0)
        assert camera.ended


def test_a_film_cut_short_shows_what_it_has_and_then_faults(tmp_path: Path) -> None:
    """Each missing picture takes its turn, with its name."""
    path = film(tmp_path / "film.tif", "TIFF", (10, 90, 200))
    data = path.read_bytes()
    with ReplayCamera(path, CameraSettings(pictures_per_second=0), SimulatedClock()) as camera:
        path.write_bytes(data[: len(data) // 2])
        assert camera.capture(0).name == "film.tif 1"
        seen = set()
        while not camera.ended:
            with pytest.raises(
                FrameError, match=r"^film\.tif \d: must be a whole picture, not a damaged one"
            ) as caught:
                camera.capture(0)
            seen.add(caught.value.picture)
        assert seen <= {"film.tif 2", "film.tif 3"}
        assert "film.tif 3" in seen


def test_a_film_of_a_kind_that_pillow_does_not_read_says_what_to_do(tmp_path: Path) -> None:
    """One line with the command that makes a folder of it."""
    path = tmp_path / "film.mp4"
    path.write_bytes(b"\0\0\0\x18ftypmp42" + bytes(200))
    with (
        pytest.raises(
            ConfigError,
            match=r"\[camera\] folder .*not a file of another kind; .*ffmpeg -i film.mp4 frames/",
        ),
        ReplayCamera(path, CameraSettings(), SimulatedClock()),
    ):
        pass


@pytest.mark.parametrize(
    ("driver", "kind"),
    [
        ("replay", "ReplayCamera"),
        ("v4l2", "V4l2Camera"),
        ("picamera", "PiCamera"),
        ("gstreamer", "GStreamerCamera"),
    ],
)
def test_the_settings_name_the_driver_and_no_other_is_loaded(driver: str, kind: str) -> None:
    """In a child process: a box loads no other driver, and no library until its camera opens."""
    asked = f"Config(camera=CameraSettings(driver={driver!r}))"
    drivers = "('replay', 'v4l2', 'picamera', 'gstreamer')"
    program = (
        "import sys; from edge.camera.drivers import make_camera; "
        "from edge.clock import MonotonicClock; "
        "from edge.config import CameraSettings, Config; "
        f"print(type(make_camera({asked}, MonotonicClock())).__name__, "
        f"*sorted(m for m in {drivers} if 'edge.camera.' + m in sys.modules), "
        "*sorted({'picamera2', 'gi', 'cv2'} & set(sys.modules)))"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    assert said.split() == [kind, driver]


def test_the_folder_of_a_replay_starts_from_the_settings_file(folder: Path) -> None:
    """As every relative path does."""
    config = Config(
        camera=CameraSettings(folder=folder.name, pictures_per_second=0), folder=folder.parent
    )
    with make_camera(config, SimulatedClock()) as camera:
        assert camera.capture(0).name == "a.png"


def test_an_unknown_driver_lists_the_drivers(tmp_path: Path) -> None:
    """When the settings are read."""
    path = tmp_path / "edge.toml"
    path.write_text('[camera]\ndriver = "webcam"\n')
    with pytest.raises(ConfigError, match="one of replay, v4l2, picamera, gstreamer"):
        load_config(path)
