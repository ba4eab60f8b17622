"""Picture files of every format, whole or not: a picture, or one line."""

import contextlib
import functools
import io
import tempfile
import warnings
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from PIL import Image

from edge.errors import FrameError
from edge.vision.picture_files import MAX_PIXELS, list_pictures, read_picture
from tests.fuzz.fuzzing import Fuzzer

KINDS = ("PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP", "MPO")
MODES = ("RGB", "L", "P", "RGBA", "1", "CMYK")
Change = tuple[float, bytes, int]


@functools.cache
def whole(kind: str, mode: str) -> bytes:
    """A small noisy picture with orientation and profile; as RGB where the format has no such."""
    noise = np.random.default_rng(3).integers(0, 256, (24, 32, 3), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    more = {"exif": exif} if kind in ("PNG", "JPEG", "WEBP", "TIFF") else {}
    for pixels in (Image.fromarray(noise).convert(mode), Image.fromarray(noise)):
        file = io.BytesIO()
        with contextlib.suppress(OSError, ValueError):
            pixels.save(file, kind, **more)
            return file.getvalue()
    raise AssertionError(f"Pillow writes no {kind}")


def changed(given: tuple[tuple[str, str], list[Change], float]) -> bytes:
    """Put other bytes in some places, and cut the end off."""
    content = whole(*given[0])
    for where, new, taken in given[1]:
        at = int(where * len(content))
        content = content[:at] + new + content[at + taken :]
    return content[: int(given[2] * len(content))]


def any_file() -> SearchStrategy[bytes]:
    """A picture with bytes changed, lost and added, or bytes."""
    share = st.floats(0, 1)
    changes = st.lists(st.tuples(share, st.binary(max_size=4), st.integers(0, 6)), max_size=4)
    kinds = st.tuples(st.sampled_from(KINDS), st.sampled_from(MODES))
    pictures = st.tuples(kinds, changes, st.one_of(st.just(1.0), share)).map(changed)
    return st.one_of(pictures, st.binary(max_size=60))


def read(content: bytes) -> None:
    """Read it whole and as a draft, as box and desktop do; no warning comes out."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("error")
        (Path(folder) / "p").write_bytes(content)
        (path,) = list_pictures(Path(folder))
        for draft_px in (0, 8):
            try:
                frame = read_picture(path, draft_px)
            except FrameError as error:
                assert len(str(error).splitlines()) == 1, str(error)  # noqa: PT017
            else:
                assert frame.shape[2:] == (3,)
                assert frame.dtype == np.uint8
                assert frame.flags["C_CONTIGUOUS"]
                assert frame.size <= 3 * MAX_PIXELS


FUZZER = Fuzzer("pictures", any_file(), read)


def test_a_picture_is_read_or_refused_in_one_line() -> None:
    """Whatever a camera, a web shop or a broken disk has made of it."""
    FUZZER.short()
