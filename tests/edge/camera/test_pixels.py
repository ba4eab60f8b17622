import io
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from edge.camera.pixels import ORDERS, from_i420, from_mjpg, from_packed, from_yuyv
from edge.errors import FrameError

NOISE = np.random.default_rng(7).integers(0, 256, (12, 16, 3), np.uint8)


def by_the_book(y: float, cb: float, cr: float) -> NDArray[np.float64]:
    """ITU-R BT.601, limited range, in floats: the RGB of one pixel, 0..255."""
    luma, blue, red = (y - 16) * 255 / 219, (cb - 128) * 255 / 224, (cr - 128) * 255 / 224
    return np.clip(
        [luma + 1.402 * red, luma - 0.344136 * blue - 0.714136 * red, luma + 1.772 * blue], 0, 255
    )


@given(st.integers(16, 235), st.integers(16, 235), st.integers(16, 240), st.integers(16, 240))
def test_yuyv_becomes_rgb_as_bt_601_says(y0: int, y1: int, cb: int, cr: int) -> None:
    """Two pixels that share one colour, all in the legal range.

    Rounding costs 0.5 + 0.5 * 1.772 + 1.
    """
    seen = from_yuyv(bytes((y0, cb, y1, cr)), 2, 1, 4)
    for pixel, y in zip(seen[0].astype(float), (y0, y1), strict=True):
        assert np.abs(pixel - by_the_book(y, cb, cr)).max() < 2.4


def test_yuyv_rows_may_be_padded() -> None:
    """Drivers align rows; the last one may end without its padding."""
    row = bytes((16, 128, 235, 128))
    seen = from_yuyv(row + b"\xff\xff" + row, 2, 2, 6)
    assert seen[:, 0].max() == 0
    assert seen[:, 1].min() == 255


@pytest.mark.parametrize(
    "rgb", [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (200, 120, 40)]
)
@pytest.mark.parametrize(("width", "height"), [(16, 8), (15, 7)])
def test_i420_shows_its_colour_whatever_the_size(
    rgb: tuple[int, int, int], width: int, height: int
) -> None:
    """Odd sizes have colour planes that are rounded up and rows that are padded to four bytes."""
    red, green, blue = (level / 255 for level in rgb)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    y, cb, cr = 16 + 219 * luma, 128 + 224 * (blue - luma) / 1.772, 128 + 224 * (red - luma) / 1.402
    half = ((width + 1) // 2 + 3) // 4 * 4 * ((height + 1) // 2)
    planes = [
        (round(y), (width + 3) // 4 * 4 * ((height + 1) // 2 * 2)),
        (round(cb), half),
        (round(cr), half),
    ]
    seen = from_i420(b"".join(bytes([level]) * size for level, size in planes), width, height)
    assert seen.shape == (height, width, 3)
    assert np.abs(seen.astype(int) - rgb).max() <= 4


@pytest.mark.parametrize("order", sorted(ORDERS))
def test_packed_pixels_come_out_as_red_green_blue(order: str) -> None:
    """Whatever the order of the bytes, and rows padded to four: 5 x 3 = 15 bytes become 16."""
    picture = NOISE[:4, :5]
    given_pixels = np.full((4, 5, len(order)), 77, np.uint8)
    for place, name in enumerate(order[:3]):
        given_pixels[:, :, place] = picture[:, :, "RGB".index(name)]
    rows = given_pixels.reshape(4, -1)
    padded = np.pad(rows, ((0, 0), (0, -rows.shape[1] % 4)))
    assert np.array_equal(from_packed(padded.tobytes(), 5, 4, order), picture)


def jpeg(picture: NDArray[np.uint8]) -> bytes:
    """The picture as a camera's JPEG, with the standard's own Huffman tables."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=95, subsampling="4:2:2")
    return buffer.getvalue()


def without_tables(data: bytes) -> bytes:
    """Take out every DHT segment, as Motion JPEG does."""
    place, kept = 2, data[:2]
    while data[place + 1] != 0xDA:
        end = place + 2 + int.from_bytes(data[place + 2 : place + 4])
        kept += b"" if data[place + 1] == 0xC4 else data[place:end]
        place = end
    return kept + data[place:]


def test_motion_jpeg_needs_no_huffman_tables() -> None:
    """The same pixels with and without them."""
    data = jpeg(NOISE)
    bare = without_tables(data)
    assert len(bare) < len(data) - 400
    assert np.array_equal(from_mjpg(bare, 16, 12), from_mjpg(data, 16, 12))


DAMAGED: dict[str, Callable[[], object]] = {
    "JPEG cut short": lambda: from_mjpg(jpeg(NOISE)[:-300], 16, 12),
    "JPEG that is none": lambda: from_mjpg(b"\x00" * 500, 16, 12),
    "no JPEG at all": lambda: from_mjpg(b"", 16, 12),
    "PNG for JPEG": lambda: from_mjpg(b"\x89PNG\r\n\x1a\n" + b"\x00" * 50, 16, 12),
    "JPEG of another size": lambda: from_mjpg(jpeg(NOISE), 32, 12),
    "YUYV cut short": lambda: from_yuyv(b"\x10" * 63, 8, 4, 16),
    "I420 cut short": lambda: from_i420(b"\x10" * 95, 8, 8),
    "RGB cut short": lambda: from_packed(b"\x10" * 11, 2, 2, "RGB"),
}


@pytest.mark.parametrize("what", sorted(DAMAGED))
def test_a_damaged_picture_is_a_fault_with_its_name(what: str) -> None:
    """One line, and nothing but a FrameError."""
    with pytest.raises(FrameError, match=r"^damaged picture: [^\n]+$"):
        DAMAGED[what]()
