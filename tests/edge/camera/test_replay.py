import io
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from edge.camera import make_camera
from edge.camera.replay import MAX_PIXELS, ReplayCamera, read_picture
from edge.clock import SimulatedClock, Stop
from edge.config import CameraSettings, Config, load_config
from edge.errors import ConfigError, FrameError
from tests.tiny_model import paint, save

MS = 1_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pictures told apart by their corner, one of them hidden, and a folder, which is no
    picture.
    """
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
    """In a process of its own: a box carries no other driver, and no library until its camera
    opens.
    """
    asked = f"Config(camera=CameraSettings(driver={driver!r}))"
    program = (
        "import sys; from edge.camera import make_camera; from edge.clock import MonotonicClock; "
        "from edge.config import CameraSettings, Config; "
        f"print(type(make_camera({asked}, MonotonicClock())).__name__, "
        "*sorted(m for m in ('replay', 'v4l2', 'picamera', 'gstreamer') if 'edge.camera.' + m in sys.modules), "
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


def test_the_exif_orientation_is_applied(tmp_path: Path) -> None:
    """A telephone held upright: stored lying, seen standing. Orientation 6 turns it a quarter to
    the right.
    """
    picture = paint({}, width=40, height=20)
    picture[:10, :10] = (255, 0, 0)
    image = Image.fromarray(picture)
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "p.png", exif=exif)
    seen = read_picture(tmp_path / "p.png")
    assert seen.shape == (40, 20, 3)
    assert tuple(seen[2, 17]) == (255, 0, 0)
    assert tuple(seen[2, 2]) == tuple(picture[15, 2])


GREY = 128
MODES = ["1", "L", "P", "RGB", "CMYK", "YCbCr", "RGBA", "LA", "I;16"]
SUFFIXES = {"CMYK": "tif", "YCbCr": "jpg"}


@pytest.mark.parametrize("mode", MODES)
def test_every_kind_of_pixel_becomes_8_bit_rgb(tmp_path: Path, mode: str) -> None:
    """White on the left, black on the right, whatever the file holds."""
    levels = np.zeros((8, 16), np.uint8)
    levels[:, :8] = 255
    image = Image.fromarray(levels)
    image = (
        Image.fromarray(levels.astype(np.uint16) * 257)
        if mode == "I;16"
        else image.convert("RGB").convert(mode)
    )
    path = tmp_path / f"p.{SUFFIXES.get(mode, 'png')}"
    image.save(path)
    seen = read_picture(path)
    assert seen.dtype == np.uint8
    assert seen.shape == (8, 16, 3)
    assert (seen[:, :8] >= 254).all()
    assert (seen[:, 8:] <= 1).all()


@pytest.mark.parametrize("mode", ["RGBA", "P"])
def test_transparent_parts_become_white(tmp_path: Path, mode: str) -> None:
    """A picture from a web shop, cut out, in full colour or with a palette."""
    image = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    image.paste((255, 0, 0, 255), (0, 0, 4, 8))
    path = tmp_path / "p.png"
    if mode == "P":
        palette = Image.new("P", (8, 8), 0)
        palette.putpalette([0, 0, 0, 255, 0, 0])
        palette.paste(1, (0, 0, 4, 8))
        palette.save(path, transparency=0)
    else:
        image.save(path)
    seen = read_picture(path)
    assert (seen[:, :4] == (255, 0, 0)).all()
    assert (seen[:, 4:] == 255).all()


def test_a_picture_too_big_for_the_memory_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    """One line with the size it claims; a few kB on disk can claim gigabytes."""
    side = int(MAX_PIXELS**0.5) + 1
    path = tmp_path / "bomb.png"
    Image.new("1", (side, side)).save(path)
    with pytest.raises(
        FrameError,
        match=f"must have at most 64 million pixels, not {side} x {side}; make it smaller",
    ):
        read_picture(path)


def test_pictures_that_are_no_files_are_refused(tmp_path: Path) -> None:
    """A folder, nothing at all, an empty file, text, floats."""
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("hello")
    Image.fromarray(np.zeros((4, 4), np.float32)).save(tmp_path / "floats.tif")
    for name in (".", "nothing.png", "empty.png", "text.png", "floats.tif"):
        with pytest.raises(FrameError) as caught:
            read_picture(tmp_path / name)
        assert "\n" not in str(caught.value)


def encoded(suffix: str) -> bytes:
    """A small noisy picture in that format."""
    noise = np.random.default_rng(3).integers(0, 256, (24, 32, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, suffix)
    return buffer.getvalue()


def read_or_refuse(path: Path) -> str:
    """What is said of the file: its shape, or why it is refused."""
    try:
        return str(read_picture(path).shape)
    except FrameError as error:
        return str(error)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(data=st.data(), kind=st.sampled_from(["PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP"]))
def test_damaged_files_are_a_picture_or_a_frame_error_and_nothing_else(
    tmp_path: Path, data: st.DataObject, kind: str
) -> None:
    """Cut anywhere, and a few bytes turned: no other exception, no warning."""
    content = bytearray(encoded(kind))
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "p"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "\n" not in read_or_refuse(path)
