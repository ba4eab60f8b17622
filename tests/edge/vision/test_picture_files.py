import io
import json
import os
import struct
import subprocess
import sys
import tracemalloc
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from edge.errors import FrameError, InputError
from edge.vision import picture_files
from edge.vision.picture_files import (
    MAX_BYTES,
    MAX_PIXELS,
    SUFFIXES,
    list_pictures,
    load_decoder,
    read_picture,
)
from tests.paths import ROOT
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


POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n{} loop\nshowpage\n"
OTHERS = {
    "PostScript": POSTSCRIPT,
    "PostScript in DOS wrapping": b"\xc5\xd0\xd3\xc6" + bytes(26) + POSTSCRIPT,
    "Windows metafile": b"\xd7\xcd\xc6\x9a" + bytes(100),
    "FlashPix": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1024),
    "PDF": b"%PDF-1.4\n",
    "PPM": b"P6 4 4 255\n" + bytes(48),
    "icons": b"\0\0\1\0\1\0" + bytes(90),
    "Photoshop": b"8BPS\0\1" + bytes(90),
    "JPEG 2000": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(90),
    "FITS": b"SIMPLE  =" + bytes(90),
    "AVIF": b"\0\0\0\x1cftypavif" + bytes(90),
    "one byte": b"\xff",
    "HTML": b"<html>",
}


@pytest.mark.parametrize("name", ["p.jpg", "p.eps", "p.png", "p"])
@pytest.mark.parametrize("kind", OTHERS)
def test_a_format_that_we_do_not_mean_is_refused_by_its_first_bytes(
    tmp_path: Path, kind: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever its name is, and no program is started to look at it."""
    for start in ("subprocess.Popen", "subprocess.run", "os.system", "os.posix_spawn"):
        monkeypatch.setattr(start, None)
    (tmp_path / name).write_bytes(OTHERS[kind])
    for draft_px in (0, 100):
        with pytest.raises(FrameError, match=r"must be a whole picture file, not a file of anoth"):
            read_picture(tmp_path / name, draft_px)


def test_no_other_of_pillow_s_modules_is_even_loaded(tmp_path: Path) -> None:
    """Among them is the one that starts Ghostscript."""
    (tmp_path / "p.eps").write_bytes(POSTSCRIPT)
    Image.new("RGB", (4, 4)).save(tmp_path / "p.tif")
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from edge.vision.picture_files import read_picture\n"
        "from edge.errors import FrameError\n"
        "read_picture(Path('p.tif'))\n"
        "try: read_picture(Path('p.eps'))\nexcept FrameError: pass\n"
        "import json; print(json.dumps([n for n in sys.modules if n.endswith('ImagePlugin')]))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {
        name.removeprefix("PIL.").removesuffix("ImagePlugin") for name in json.loads(ended.stdout)
    }
    assert "Tiff" in loaded
    assert loaded <= {"Bmp", "Gif", "Jpeg", "Png", "Ppm", "Tiff"}  # Pillow's own first five


def png(width: int, height: int, kind: int, *more: bytes, body: bytes = b"") -> bytes:
    """A PNG of any size and colour type, with *more* chunks before its pixels."""

    def chunk(content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))
        )

    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    chunks = (head, *more, b"IDAT" + body, b"IEND")
    return b"\x89PNG\r\n\x1a\n" + b"".join(map(chunk, chunks))


def tiff(*tags: tuple[int, int, int, int]) -> bytes:
    """A TIFF of 10 x 10 grey pixels with *tags* (number, type, count, value) beside the usual."""
    usual = [(256, 4, 1, 10), (257, 4, 1, 10), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]
    given = {tag[0]: tag for tag in (*usual, (273, 4, 1, 8), (278, 4, 1, 10), *tags)}
    entries = b"".join(struct.pack("<HHII", *given[tag]) for tag in sorted(given))
    return struct.pack("<2sHIH", b"II", 42, 8, len(given)) + entries + struct.pack("<I", 8)


def bmp(width: int, height: int, compression: int, body: bytes) -> bytes:
    """A BMP of 256 colours."""
    head = struct.pack(
        "<IiiHHIIiiII", 40, width, height, 1, 8, compression, len(body), 0, 0, 256, 0
    )
    return b"BM" + struct.pack("<IHHI", 1078 + len(body), 0, 0, 1078) + head + bytes(1024) + body


BOMB = zlib.compress(bytes(100_000_000), 9)
BOMBS: dict[str, bytes] = {
    "3,600 million pixels claimed": png(60_000, 60_000, 2, body=b"x"),
    "100 MB of text": png(4, 4, 2, b"zTXtk\0\0" + BOMB, body=zlib.compress(bytes(52))),
    "100 MB of profile": png(4, 4, 2, b"iCCPk\0\0" + BOMB, body=zlib.compress(bytes(52))),
    "200 times 1 MB of text": png(
        4, 4, 2, *[b"zTXtk\0\0" + zlib.compress(bytes(10**6))] * 200, body=zlib.compress(bytes(52))
    ),
    "a screen of 65,535 squared": b"GIF89a\xff\xff\xff\xff\x80\0\0" + bytes(6) + b",",
    "a tag of 2,000 million numbers": tiff((273, 4, 2**31 - 1, 8), (279, 4, 2**31 - 1, 8)),
    "65,535 samples a pixel": tiff((277, 3, 1, 65_535)),
    "run-length code for seconds": bmp(7990, 7990, 1, b"\1\0\0\0" * 7990 + b"\0\1"),
    "two canvases of 62 million pixels": b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\2\0\0\0"
    + (16_382).to_bytes(3, "little")
    + (3_799).to_bytes(3, "little"),
}


@pytest.mark.parametrize("what", BOMBS)
def test_a_file_that_asks_for_too_much_is_refused_at_once(tmp_path: Path, what: str) -> None:
    """A few kilobytes ask for gigabytes or minutes; they get 20 MB and a fault."""
    (tmp_path / "p.png").write_bytes(BOMBS[what])
    load_decoder("TIFF")
    tracemalloc.start()
    try:
        with pytest.raises(FrameError, match=r"must (be a whole picture file, not|have at most)"):
            read_picture(tmp_path / "p.png")
        assert tracemalloc.get_traced_memory()[1] < 150_000_000
    finally:
        tracemalloc.stop()


def test_a_png_of_chunks_without_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """16 million chunks of nothing have room in a file; Pillow would read for minutes."""
    monkeypatch.setattr(picture_files, "MAX_CHUNKS", 50)
    path, pixels = tmp_path / "p.png", zlib.compress(bytes(52))
    path.write_bytes(png(4, 4, 2, *[b"aaAa"] * 60, body=pixels))
    with pytest.raises(FrameError, match="it has more than 50 chunks"):
        read_picture(path)
    path.write_bytes(png(4, 4, 2, *[b"aaAa"] * 40, body=pixels))
    assert read_picture(path).shape == (4, 4, 3)


def test_a_file_longer_than_any_picture_is_refused_unread(tmp_path: Path) -> None:
    """It has a hole and takes no room on the disk."""
    with (tmp_path / "p.png").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(FrameError, match=rf"cannot be read \(longer than {MAX_BYTES} bytes\)"):
        read_picture(tmp_path / "p.png")


NO_FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "FIFO": (os.mkfifo, "a FIFO, not a file"),
    "folder": (Path.mkdir, "Is a directory"),
    "link to itself": (lambda path: path.symlink_to(path), "Too many levels of symbolic links"),
    "device without end": (lambda path: path.symlink_to("/dev/zero"), "a device, not a file"),
}


@pytest.mark.parametrize("kind", NO_FILES)
def test_what_is_no_file_is_a_fault_and_nobody_waits(tmp_path: Path, kind: str) -> None:
    """A FIFO has no writer, /dev/zero no end."""
    make, why = NO_FILES[kind]
    make(tmp_path / "p.jpg")
    with pytest.raises(FrameError, match=rf"p\.jpg: cannot be read \({why}\); name a picture"):
        read_picture(tmp_path / "p.jpg")


@pytest.mark.parametrize("name", ["p.jpg", "p.png", "p.webp", "p.tif"])
@pytest.mark.parametrize("orientation", range(10))
def test_every_orientation_is_applied_as_pillow_does(
    tmp_path: Path, name: str, orientation: int
) -> None:
    """Mirrored ones, too; numbers that nobody has given a meaning change nothing."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    noise = np.random.default_rng(4).integers(0, 256, (70, 40, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / name, exif=exif)
    with Image.open(tmp_path / name) as image:
        image.load()
        wanted = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    assert np.array_equal(read_picture(tmp_path / name), wanted)


def test_a_large_picture_is_converted_in_strips_to_the_same_pixels(tmp_path: Path) -> None:
    """Above a megabyte; with transparency, a palette, 16 bits, inks and a turn."""
    rng = np.random.default_rng(5)
    rgba = Image.fromarray(rng.integers(0, 256, (700, 613, 4), np.uint8))
    grey = Image.fromarray(rng.integers(0, 65_536, (700, 613), np.uint16))
    exif = Image.Exif()
    exif[0x0112] = 6
    rgba.save(tmp_path / "a.png", exif=exif)
    rgba.convert("RGB").quantize(64).save(tmp_path / "b.png")
    grey.save(tmp_path / "c.png")
    rgba.convert("RGB").convert("CMYK").save(tmp_path / "d.jpg")
    on_white = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    wanted = {"a.png": np.rot90(np.asarray(on_white), -1)}
    wanted["c.png"] = np.repeat((np.asarray(grey) >> 8).astype(np.uint8)[:, :, None], 3, 2)
    for name in ("b.png", "d.jpg"):
        with Image.open(tmp_path / name) as image:
            wanted[name] = np.asarray(image.convert("RGB"))
    for name, pixels in wanted.items():
        assert np.array_equal(read_picture(tmp_path / name), pixels), name


def test_a_jpeg_file_that_lost_bytes_is_a_fault(tmp_path: Path) -> None:
    """Though its end marker is there: as a camera's is."""
    data = encoded("JPEG")
    lost = data[:-200] + data[-2:]
    (tmp_path / "p.jpg").write_bytes(lost)
    with pytest.raises(FrameError, match=r"not a damaged one \([^)]*premature end"):
        read_picture(tmp_path / "p.jpg")
    (tmp_path / "p.jpg").write_bytes(data + b"what a phone puts behind" + data)
    assert read_picture(tmp_path / "p.jpg").shape == (24, 32, 3)
