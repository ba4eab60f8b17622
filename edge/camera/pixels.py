"""Conversion of camera pixel formats to RGB: YUYV and I420 (BT.601), Motion JPEG, packed RGB.

YCbCr is read in the *limited* range (black 16, white 235, colour 16..240) with the coefficients of
ITU-R BT.601: what USB cameras and GStreamer send unless they say otherwise. Motion JPEG carries the
full range, as JFIF says.
"""

from typing import cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edge.errors import FrameError
from edge.vision import jpeg
from edge.vision.preprocess import Frame, as_frame
from edge.vision.shade_step import shade_step

SHADE_STEP_ABOVE = 8.0
"""The setting's default: of 1,000 whole pictures none has more than 6.5, and 8 can be seen."""
Plane = NDArray[np.uint8]
"""One channel: (height, width) uint8."""

_LEVELS = np.arange(256)
_FULL_LUMA = np.clip(np.rint((_LEVELS - 16) * 255 / 219), 0, 255).astype(np.uint8)
_FULL_CHROMA = np.clip(np.rint((_LEVELS - 128) * 255 / 224 + 128), 0, 255).astype(np.uint8)

ORDERS = {
    "RGB": (0, 1, 2),
    "RGBA": (0, 1, 2),
    "RGBx": (0, 1, 2),
    "BGR": (2, 1, 0),
    "BGRA": (2, 1, 0),
    "BGRx": (2, 1, 0),
}
"""Positions of red, green and blue in a pixel of each packed format, by GStreamer's names."""


def from_yuyv(data: bytes, width: int, height: int, stride: int) -> Frame:
    """Decode YUYV (4:2:2, the bytes Y0 Cb Y1 Cr): (height, width, 3) uint8, RGB.

    *stride*: bytes from one row to the next; *width* is even. Raises FrameError when bytes are
    lacking.
    """
    rows = _rows(data, height, stride, width * 2)
    chroma = rows.reshape(height, width // 2, 4)
    blue, red = (np.repeat(chroma[:, :, place], 2, axis=1) for place in (1, 3))
    return _from_ycbcr(rows[:, ::2], blue, red)


def from_i420(data: bytes, width: int, height: int) -> Frame:
    """Decode I420 (4:2:0 in three planes): (height, width, 3) uint8, RGB.

    Rows are padded as in GStreamer's design document "Raw Video Media Types". Raises FrameError
    when bytes are lacking.
    """
    half_width, half_height = (width + 1) // 2, (height + 1) // 2
    long, short = _multiple(width, 4), _multiple(half_width, 4)
    luma_size, chroma_size = long * half_height * 2, short * half_height
    luma = _rows(data, height, long, width)
    colour = [
        _rows(data[start : start + chroma_size], half_height, short, half_width)
        .repeat(2, axis=0)
        .repeat(2, axis=1)
        for start in (luma_size, luma_size + chroma_size)
    ]
    return _from_ycbcr(luma, *(plane[:height, :width] for plane in colour))


def from_packed(data: bytes, width: int, height: int, order: str) -> Frame:
    """Decode a packed format, one of :data:`ORDERS`: (height, width, 3) uint8, RGB.

    Rows are padded to four bytes. Raises FrameError when bytes are lacking.
    """
    size = len(order)
    rows = _rows(data, height, _multiple(width * size, 4), width * size)
    pixels = rows.reshape(height, width, size)
    return np.ascontiguousarray(pixels[:, :, ORDERS[order]])


def from_mjpg(
    data: bytes, width: int, height: int, shade_step_above: float = SHADE_STEP_ABOVE
) -> Frame:
    """Decode one picture of Motion JPEG: (height, width, 3) uint8, RGB.

    Such pictures mostly leave out the usual Huffman tables; libjpeg-turbo fills them in. Its size
    and coding are looked at before it is decoded, and it is decoded strictly
    (:mod:`edge.vision.jpeg`). *shade_step_above*: grey levels of a step in shade, as lost bytes
    leave it (:mod:`edge.vision.shade_step`), from which on it is damaged; 0 for none. Raises
    FrameError when it is damaged or of another size or coding.
    """
    try:
        header = jpeg.check_camera_picture(data, width, height)
        pixels = jpeg.decode_strictly(data, header)
        if shade_step_above and len(header.sampling) == 3:
            _check_shade(pixels, header, shade_step_above)
    except ValueError as error:
        text = " ".join(str(error).split())[:100]
        raise FrameError(
            f"damaged picture: the camera's JPEG cannot be read ({text}); check its cable"
        ) from None
    return pixels if len(header.sampling) == 3 else np.repeat(pixels, 3, axis=2)


def _check_shade(pixels: Frame, header: jpeg.JpegHeader, above: float) -> None:
    """Raise ValueError when all that is behind some block is lighter, darker or tinted."""
    across, down = header.sampling[0]
    step = shade_step(pixels, (8 * across, 8 * down))
    if step > above:
        raise ValueError(f"all behind a block is {step:.0f} levels off, as when bytes are lost")


def _from_ycbcr(luma: Plane, blue: Plane, red: Plane) -> Frame:
    """Convert limited-range YCbCr to RGB: widened by table, then by Pillow's full-range BT.601."""
    height, width = luma.shape
    ycbcr = np.empty((height, width, 3), np.uint8)
    ycbcr[:, :, 0] = _FULL_LUMA[luma]
    ycbcr[:, :, 1] = _FULL_CHROMA[blue]
    ycbcr[:, :, 2] = _FULL_CHROMA[red]
    return as_frame(Image.frombytes("YCbCr", (width, height), ycbcr.tobytes()).convert("RGB"))


def _rows(data: bytes, height: int, stride: int, length: int) -> Plane:
    """Return the first *length* bytes of each of *height* rows that begin *stride* bytes apart.

    The last row may end early. Raises FrameError when bytes are lacking.
    """
    needed = (height - 1) * stride + length
    if len(data) < needed:
        raise FrameError(
            f"damaged picture: it must have {needed} bytes, not {len(data)}; "
            "check the camera's cable"
        )
    pixels, as_strided = np.frombuffer(data, np.uint8), np.lib.stride_tricks.as_strided
    return cast(Plane, as_strided(pixels, (height, length), (stride, 1), writeable=False))


def _multiple(number: int, of: int) -> int:
    """Round up to a multiple."""
    return -(-number // of) * of
