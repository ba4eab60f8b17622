"""A camera's or file's JPEG is what it should be, or it is refused before memory is given to it."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from edge.camera.pixels import from_mjpg
from edge.errors import FrameError
from edge.vision.jpeg import (
    MAX_SCANS,
    START,
    check_camera_picture,
    decode_strictly,
    read_header,
)

WIDTH, HEIGHT = 160, 96
NOISE = np.random.default_rng(7).integers(60, 200, (HEIGHT // 8, WIDTH // 8, 3), np.uint8)
PICTURE = NOISE.repeat(8, 0).repeat(8, 1) + np.random.default_rng(8).integers(
    0, 6, (HEIGHT, WIDTH, 1), np.uint8
)
START_OF_FRAME = b"\xff\xc0\x00\x11\x08"


def encoded(mode: str = "RGB", **options: Any) -> bytes:
    """The picture as a JPEG."""
    file = io.BytesIO()
    settings = {"quality": 85, "subsampling": "4:2:2", **options}
    Image.fromarray(PICTURE).convert(mode).save(file, "JPEG", **settings)
    return file.getvalue()


WHOLE = encoded()
CODED = WHOLE.index(b"\xff\xda") + 14
FRAME_HEADER = WHOLE[WHOLE.index(START_OF_FRAME) :][:19]
MIDDLE = (CODED + len(WHOLE)) // 2


def patched(at: int, new: bytes, data: bytes = WHOLE) -> bytes:
    """Put *new* in place of the bytes at *at*."""
    return data[:at] + new + data[at + len(new) :]


def in_frame(offset: int, new: bytes) -> bytes:
    """Change the frame header, *offset* bytes behind its precision."""
    return patched(WHOLE.index(START_OF_FRAME) + 4 + offset, new)


def scans(count: int) -> bytes:
    """A progressive picture whose last scan comes so often."""
    data = encoded(progressive=True)
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + last * count + data[-2:]


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "does not begin as a JPEG"),
    "zeros": (lambda: bytes(500), "does not begin as a JPEG"),
    "noise before it": (lambda: b"\0\0" + WHOLE, "does not begin as a JPEG"),
    "the start alone": (lambda: START, "cut off"),
    "cut in its header": (lambda: WHOLE[:100], "cut off"),
    "cut in its pixels": (lambda: WHOLE[:MIDDLE], "cut off"),
    "without its end marker": (lambda: WHOLE[:-2], "cut off"),
    "filled with zeros": (lambda: WHOLE[:MIDDLE] + bytes(len(WHOLE) - MIDDLE), "cut off"),
    "the end lost": (lambda: WHOLE[:MIDDLE] + WHOLE[-2:], "premature end"),
    "a packet lost": (lambda: WHOLE[:MIDDLE] + WHOLE[MIDDLE + 512 :], "Corrupt JPEG|premature"),
    "512 bytes zeroed": (lambda: patched(MIDDLE, bytes(512)), "extraneous|premature|bad Huffman"),
    "another begins in it": (lambda: WHOLE[:MIDDLE] + WHOLE, "another picture begins in it"),
    "another follows": (lambda: WHOLE + WHOLE, "another picture follows"),
    "end marker in the middle": (lambda: patched(MIDDLE, WHOLE[-2:]), "premature end"),
    "a marker in the middle": (lambda: patched(MIDDLE, b"\xff\xc4"), "."),
    "restart marker in the middle": (lambda: patched(MIDDLE, b"\xff\xd3"), "Corrupt|premature"),
    "no frame header": (lambda: WHOLE.replace(b"\xff\xc0", b"\xff\xe9", 1), "0 frame headers"),
    "two frame headers": (
        lambda: WHOLE.replace(START_OF_FRAME, FRAME_HEADER + START_OF_FRAME, 1),
        "2 frame headers",
    ),
    "frame header of another length": (lambda: in_frame(5, b"\x04"), "frame header is damaged"),
    "too high": (lambda: in_frame(1, (97).to_bytes(2)), "must be 160 x 96, not 160 x 97"),
    "enormous": (lambda: in_frame(1, b"\xff\xdc\xff\xdc"), "not 65500 x 65500"),
    "of no height": (lambda: in_frame(1, b"\0\0"), "its size is 160 x 0"),
    "12 bits": (lambda: in_frame(0, b"\x0c"), "not baseline with 12"),
    "sampled otherwise": (lambda: in_frame(7, b"\x22"), "extraneous|premature|Corrupt"),
    "sampled strangely": (lambda: in_frame(7, b"\x31"), "no camera samples colours so"),
    "not sampled": (lambda: in_frame(7, b"\x00"), "no camera samples colours so"),
    "progressive": (lambda: encoded(progressive=True), "not progressive with 8"),
    "arithmetic": (lambda: WHOLE.replace(b"\xff\xc0", b"\xff\xc9", 1), "not arithmetic with 8"),
    "lossless": (lambda: WHOLE.replace(b"\xff\xc0", b"\xff\xc3", 1), "not lossless with 8"),
    "hierarchical": (lambda: WHOLE.replace(b"\xff\xc0", b"\xff\xc5", 1), "not hierarchical"),
    "of inks": (lambda: encoded("CMYK", subsampling="4:4:4"), "no camera samples colours so"),
    "scans without end": (lambda: scans(MAX_SCANS), f"more than {MAX_SCANS} scans"),
    "segments without end": (
        lambda: START + b"\xff\xe9\x00\x02" * 11_000 + WHOLE[2:],
        "more than 10000 segments",
    ),
    "a PNG": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(50), "does not begin as a JPEG"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_whole_picture_of_the_camera_is_a_fault(what: str) -> None:
    """One line with the reason; the end marker is there in most of them."""
    make, why = REFUSED[what]
    with pytest.raises(FrameError, match=rf"^damaged picture: [^\n]*\([^\n]*({why})[^\n]*\)"):
        from_mjpg(make(), WIDTH, HEIGHT)


def test_the_size_is_looked_at_before_any_memory_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few bytes claim 12 GB of pixels; nothing of it is decoded."""
    monkeypatch.setattr(simplejpeg, "decode_jpeg", None)
    for claimed in (in_frame(1, b"\xff\xdc\xff\xdc"), encoded(progressive=True)):
        with pytest.raises(FrameError, match=r"not 65500 x 65500|not progressive"):
            from_mjpg(claimed, WIDTH, HEIGHT)


def test_a_lost_byte_is_told_where_a_decoder_can() -> None:
    """In many places the code does not come out, most of all where little is coded.

    Else a block or a shade differs: docs/faults.md has the shares.
    """
    rng = np.random.default_rng(1)
    told = 0
    for at in rng.integers(CODED, len(WHOLE) - 2, 400):
        try:
            from_mjpg(WHOLE[:at] + WHOLE[at + 1 :], WIDTH, HEIGHT)
        except FrameError:
            told += 1
    assert told > 40


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("options", [{}, {"restart_marker_rows": 1}, {"optimize": True}])
def test_a_whole_picture_is_decoded_as_pillow_does(
    subsampling: str, options: dict[str, Any]
) -> None:
    """To the last grey level: training and evaluation know no other pixels."""
    data = encoded(subsampling=subsampling, **options)
    with Image.open(io.BytesIO(data)) as image:
        assert np.array_equal(from_mjpg(data, WIDTH, HEIGHT), np.asarray(image))


def test_a_grey_camera_s_picture_has_three_equal_channels() -> None:
    """An infrared camera sends one component."""
    frame = from_mjpg(encoded("L"), WIDTH, HEIGHT)
    assert frame.shape == (HEIGHT, WIDTH, 3)
    assert frame.flags["C_CONTIGUOUS"]
    assert (frame == frame[:, :, :1]).all()


@pytest.mark.parametrize("padding", [b"\0" * 5000, b"\xff" * 7, b"\0\xff\x10\xd8"])
def test_what_fills_a_buffer_up_is_passed_over(padding: bytes) -> None:
    """Cameras fill to a multiple of their packet."""
    assert np.array_equal(
        from_mjpg(WHOLE + padding, WIDTH, HEIGHT), from_mjpg(WHOLE, WIDTH, HEIGHT)
    )


def test_fill_bytes_before_a_marker_are_allowed() -> None:
    """T.81, B.1.1.2: any marker may follow any number of 0xff."""
    data = WHOLE[:2] + b"\xff\xff" + WHOLE[2:-2] + b"\xff\xff" + WHOLE[-2:]
    header = check_camera_picture(data, WIDTH, HEIGHT)
    assert header == read_header(data)
    assert header.end == len(data)
    assert decode_strictly(data, header).shape == (HEIGHT, WIDTH, 3)
