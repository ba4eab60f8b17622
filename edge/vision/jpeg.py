"""Decode JPEG strictly: a picture that lost or gained a byte is refused, not made up.

A JPEG is one long code without checks; where bytes are missing a decoder goes on with whatever it
takes the rest for, and most libraries say nothing of it. libjpeg-turbo does warn (no code like
this, data missing at an end, bytes left over before a marker), and simplejpeg is the one small
library that passes its warnings on as errors. What stands before the coded pixels is read here
first, so that no memory or time is given to a picture that nobody sent.

What decodes without a warning cannot be told from a whole picture by anybody: docs/faults.md says
how much that is. Source: ITU-T T.81, annexes B (markers) and F (sequential coding).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import simplejpeg

from edge.vision.preprocess import Frame

START, END = b"\xff\xd8", b"\xff\xd9"
MAX_SCANS = 100
"""Most passes of a progressive picture: each goes over all pixels, and a few bytes ask for one.
Encoders make ten."""
MAX_SEGMENTS = 10_000
SOS, EOI, SOI = 0xDA, 0xD9, 0xD8
CODINGS = {
    0xC0: "baseline",
    0xC1: "extended",
    0xC2: "progressive",
    0xC3: "lossless",
    0xC5: "hierarchical",
    0xC6: "hierarchical",
    0xC7: "hierarchical",
    0xC9: "arithmetic",
    0xCA: "arithmetic",
    0xCB: "arithmetic",
    0xCD: "arithmetic",
    0xCE: "arithmetic",
    0xCF: "arithmetic",
}
"""The coding that each start-of-frame marker (SOF) stands for."""
SEQUENTIAL = ("baseline", "extended")
"""The codings of motion JPEG: one scan, Huffman codes."""
COLOUR_SAMPLING = frozenset(
    ((across, down), (1, 1), (1, 1)) for across, down in ((1, 1), (2, 1), (1, 2), (2, 2), (4, 1))
)
"""Samples of luminance and of the two colours in each unit: 4:4:4, 4:2:2, 4:4:0, 4:2:0, 4:1:1."""
_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
"""A marker in coded pixels, where a byte 0xff is followed by 0 and restart markers do not count."""


@dataclass(frozen=True)
class JpegHeader:
    """What a JPEG says of itself before its pixels.

    *sampling*: samples across and down of each component; *scans*: how often its pixels are gone
    over; *end*: bytes up to and with its end marker.
    """

    width: int
    height: int
    precision: int
    sampling: tuple[tuple[int, int], ...]
    coding: str
    scans: int
    end: int


def read_header(data: bytes) -> JpegHeader:
    """Read the markers of a JPEG from the start to its end. Raises ValueError with the reason.

    Refused are a file cut short, a second picture before the end of the first, a size of 0, a
    marker that cannot be there, and more than :data:`MAX_SCANS` scans.
    """
    if not data.startswith(START):
        raise ValueError("it does not begin as a JPEG")
    frames, scans, end = [], 0, 0
    for marker, body, behind in _segments(data):
        if marker == SOI:
            raise ValueError("another picture begins in it")
        if marker in CODINGS:
            frames.append((marker, body))
        scans += marker == SOS
        if scans > MAX_SCANS:
            raise ValueError(f"it has more than {MAX_SCANS} scans")
        end = behind
    if len(frames) != 1 or not scans:
        raise ValueError(f"it has {len(frames)} frame headers and {scans} scans")
    return _header(*frames[0], scans, end)


def _segments(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Yield each marker to the end of the picture, what its segment holds, and the place behind it.

    Raises ValueError where there is no marker, or no end.
    """
    place = 2
    for _ in range(MAX_SEGMENTS):
        marker, place = _marker_at(data, place)
        if marker in (EOI, SOI):
            yield marker, b"", place
        if marker == EOI:
            return
        size = int.from_bytes(data[place : place + 2])
        body, place = data[place + 2 : place + size], place + size
        if size < 2 or place > len(data):
            raise ValueError("it is cut off")
        yield marker, body, place
        if marker == SOS:
            found = _MARKER.search(data, place)
            if found is None:
                raise ValueError("it is cut off")
            place = found.start()
    raise ValueError(f"it has more than {MAX_SEGMENTS} segments")


def _marker_at(data: bytes, place: int) -> tuple[int, int]:
    """Return the marker at *place*, where one must be, and the place behind it."""
    begin = place
    while data[place : place + 2] == b"\xff\xff":  # fill bytes
        place += 1
    if place + 2 > len(data):
        raise ValueError("it is cut off")
    marker = data[place + 1]
    if data[place] != 0xFF or marker in (0x00, 0x01) or 0xD0 <= marker <= 0xD7:
        raise ValueError(f"it has no marker at byte {begin}")
    return marker, place + 2


def _header(marker: int, body: bytes, scans: int, end: int) -> JpegHeader:
    """Return the header from a start-of-frame segment (T.81, B.2.2). Raises ValueError."""
    if len(body) < 6 or len(body) != 6 + 3 * body[5]:
        raise ValueError("its frame header is damaged")
    height, width = int.from_bytes(body[1:3]), int.from_bytes(body[3:5])
    sampling = tuple((byte >> 4, byte & 15) for byte in body[7::3])
    if not (width and height and sampling):
        raise ValueError(f"its size is {width} x {height}")
    return JpegHeader(width, height, body[0], sampling, CODINGS[marker], scans, end)


def check_camera_picture(data: bytes, width: int, height: int) -> JpegHeader:
    """Check a camera's picture before it is decoded: one sequential JPEG of (*width*, *height*).

    Raises ValueError with the reason; bytes behind its end are passed over, for cameras fill their
    buffers up, unless another picture begins there.
    """
    header = read_header(data)
    if (header.width, header.height) != (width, height):
        raise ValueError(f"it must be {width} x {height}, not {header.width} x {header.height}")
    if header.coding not in SEQUENTIAL or header.precision != 8:
        raise ValueError(f"it must be sequential with 8 bits, not {_kind(header)}")
    if len(header.sampling) != 1 and header.sampling not in COLOUR_SAMPLING:
        raise ValueError(f"no camera samples colours so: {header.sampling}")
    if header.scans > len(header.sampling):
        raise ValueError(f"it has {header.scans} scans")
    if START in data[header.end :]:
        raise ValueError("another picture follows it")
    return header


def _kind(header: JpegHeader) -> str:
    return f"{header.coding} with {header.precision}"


def decode_strictly(data: bytes, header: JpegHeader) -> Frame:
    """Decode the JPEG that *header* was read from: (height, width, 3) uint8, RGB, as stored.

    One channel where it is grey, four where it holds inks. Neither EXIF orientation nor colour
    profile is applied. Raises ValueError with libjpeg's words for any damage that it notices, also
    where it could go on.
    """
    layout = {1: "GRAY", 3: "RGB", 4: "CMYK"}.get(len(header.sampling))
    if layout is None or header.precision != 8:
        raise ValueError(f"it has {len(header.sampling)} colours of {header.precision} bits")
    pixels = simplejpeg.decode_jpeg(data[: header.end], layout, strict=True)
    return np.asarray(pixels, np.uint8)
