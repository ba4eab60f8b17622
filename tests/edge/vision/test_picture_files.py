import io
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from edge.errors import FrameError, InputError
from edge.vision.picture_files import MAX_PIXELS, SUFFIXES, list_pictures, read_picture
from tests.tiny_model import paint


def test_the_exif_orientation_is_applied(tmp_path: Path) -> None:
    """A telephone held upright: stored lying, seen standing; 6 means a quarter turn right."""
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


MODES = ["1", "L", "P", "RGB", "CMYK", "YCbCr", "RGBA", "LA", "I;16"]
ENDINGS = {"CMYK": "tif", "YCbCr": "jpg"}


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
    path = tmp_path / f"p.{ENDINGS.get(mode, 'png')}"
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


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=150,
)
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


def test_a_draft_of_a_jpeg_is_smaller_but_never_than_asked_for(tmp_path: Path) -> None:
    """By halves, upright all the same; other formats are decoded whole."""
    image = Image.new("RGB", (160, 100))
    exif = Image.Exif()
    exif[0x0112] = 6
    for name in ("p.jpg", "p.png"):
        image.save(tmp_path / name, exif=exif)
    asked = {0: (160, 100, 3), 20: (40, 25, 3), 50: (80, 50, 3), 200: (160, 100, 3)}
    for draft_px, shape in asked.items():
        assert read_picture(tmp_path / "p.jpg", draft_px).shape == shape
    assert read_picture(tmp_path / "p.png", 20).shape == (160, 100, 3)


def test_a_folder_lists_every_visible_file_by_name(tmp_path: Path) -> None:
    """One that is no picture too: it shall be reported, not overlooked."""
    for name in ("b.png", "a.txt", ".hidden.png"):
        (tmp_path / name).touch()
    (tmp_path / "sub").mkdir()
    assert [path.name for path in list_pictures(tmp_path)] == ["a.txt", "b.png"]
    with pytest.raises(InputError, match="nothing: must be a folder of pictures"):
        list_pictures(tmp_path / "nothing")


def test_every_suffix_is_one_that_pillow_reads() -> None:
    """In lower case, with its dot."""
    Image.init()
    assert {Image.EXTENSION[suffix] for suffix in SUFFIXES} <= set(Image.OPEN)
