"""Small colour profiles (ICC.1:2022) for tests: matrix and curve, grey, and a table of inks."""

import struct
from collections.abc import Mapping, Sequence

Matrix = Sequence[Sequence[float]]
DISPLAY_P3: Matrix = (
    (0.51512, 0.24119, -0.00105),
    (0.29198, 0.69225, 0.04189),
    (0.1571, 0.06657, 0.78407),
)
ADOBE_RGB: Matrix = (
    (0.60974, 0.31111, 0.01947),
    (0.20528, 0.62567, 0.06087),
    (0.14919, 0.06322, 0.74457),
)
SRGB: Matrix = (
    (0.43607, 0.22249, 0.01392),
    (0.38515, 0.71687, 0.09708),
    (0.14307, 0.06061, 0.7141),
)
"""XYZ of each primary, adapted to D50, as the profiles of these spaces have them."""
D50 = (0.9642, 1.0, 0.8249)


def matrix_profile(primaries: Matrix, gamma: float) -> bytes:
    """Make a profile of an RGB space with those primaries and a power curve."""
    named = zip("rgb", primaries, strict=True)
    tags = {f"{name}XYZ": _xyz(primary) for name, primary in named}
    tags |= {f"{name}TRC": _curve(gamma) for name in "rgb"}
    return _profile(b"RGB ", b"XYZ ", tags)


def grey_profile(gamma: float) -> bytes:
    """Make a profile of grey with a power curve."""
    return _profile(b"GRAY", b"XYZ ", {"kTRC": _curve(gamma)})


def ink_profile(lab_of_ink: tuple[int, int, int]) -> bytes:
    """Make a profile of four inks; *lab_of_ink*: what cyan alone looks like, 8-bit Lab of ICC.

    Paper is white; every other mixture is black.
    """
    corners = {(0, 0, 0, 0): (255, 128, 128), (1, 0, 0, 0): lab_of_ink}
    inks = [(c, m, y, k) for c in (0, 1) for m in (0, 1) for y in (0, 1) for k in (0, 1)]
    table = bytes(level for ink in inks for level in corners.get(ink, (0, 128, 128)))
    ramp = bytes(range(256))
    identity = struct.pack(">9i", *(65536 if n % 4 == 0 else 0 for n in range(9)))
    lut = b"mft1\0\0\0\0" + bytes((4, 3, 2, 0)) + identity + ramp * 4 + table + ramp * 3
    return _profile(b"CMYK", b"Lab ", {"A2B0": lut}, b"prtr")


def _profile(
    space: bytes, connection: bytes, tags: Mapping[str, bytes], kind: bytes = b"mntr"
) -> bytes:
    text = b"for a test\0"
    described = b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(78)
    tags = {"desc": described, "wtpt": _xyz(D50), **tags}
    place, entries, body = 128 + 4 + 12 * len(tags), b"", b""
    for name, content in tags.items():
        entries += name.encode() + struct.pack(">II", place + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    header = bytes(4) + b"\0\0\0\0" + b"\x02\x40\0\0" + kind + space + connection + bytes(12)
    header += b"acsp" + bytes(28) + struct.pack(">3i", *(round(v * 65536) for v in D50))
    header = header.ljust(128, b"\0")
    whole = header + struct.pack(">I", len(tags)) + entries + body
    return struct.pack(">I", len(whole)) + whole[4:]


def _xyz(values: Sequence[float]) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))


def _curve(gamma: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
