"""Bytes from anywhere become an upright RGB picture, or are refused with a reason."""

import contextlib
import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from edge.vision import picture_files
from edge.vision.colour_profiles import to_srgb
from edge.vision.picture_files import eight_bits, on_white, open_image
from train.copies import perceptual_hash

FORMATS = (*picture_files.FORMATS, "AVIF")
"""The formats that are opened; shops serve AVIF, too."""
MOST_BYTES = 40_000_000
MOST_PIXELS = 60_000_000
"""A file of a few kilobytes can claim gigabytes of pixels; there are photographs of 50 million."""
LEAST_SIDE = 200
"""Pixels. Smaller are icons, buttons and thumbnails; training uses windows of some 300 pixels."""
LONGEST_SIDE = 2048
"""Pixels. Longer ones are shrunk to it: training reads them smaller still, and a phone's 12 million
pixels fill disks."""
QUALITY = 95
SEVERAL_IN_ONE = "MPO"
"""Phones append a depth map or a second view to a JPEG: several pictures, and yet the first one is
the photograph."""
HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"mif1", b"msf1")


class RefusedError(Exception):
    """A body that is not wanted.

    Its text is the reason: a word or three, then a colon and the particulars.
    """


@dataclass(frozen=True)
class Clean:
    """A cleaned picture, as its file will be.

    *jpeg*: the whole file, RGB, upright, without metadata. *phash*: perceptual hash of 64 bits,
    which differs in few bits between near duplicates.
    """

    jpeg: bytes
    width: int
    height: int
    phash: int


def clean(body: bytes) -> Clean:
    """Turn a file's bytes into an upright RGB picture. Raises RefusedError."""
    check_size(len(body))
    try:
        with open_image(io.BytesIO(body), FORMATS) as opened:
            _check_header(opened)
            opened.load()
            picture = _rgb(_upright(opened))
    except RefusedError:
        raise
    except UnidentifiedImageError:
        raise RefusedError(_what_else(body)) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise RefusedError(f"too many pixels: {error}") from None
    except Exception as error:  # noqa: BLE001 - decoders meet damaged bytes with any exception there is
        raise RefusedError(f"damaged: {str(error) or type(error).__name__}") from None
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=QUALITY)
    return Clean(buffer.getvalue(), picture.width, picture.height, perceptual_hash(picture))


def check_size(size: int) -> None:
    """Check a body's length in bytes. Raises RefusedError."""
    if not size:
        raise RefusedError("empty")
    if size > MOST_BYTES:
        raise RefusedError(f"too many bytes: {size}, at most {MOST_BYTES}")


@contextlib.contextmanager
def calm_decoders() -> Iterator[None]:
    """Silence Pillow's warnings about files that are refused or repaired here anyway.

    Synchronization: for the thread that starts all others and outlives them; the warnings filter is
    one for all threads.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        yield


def _check_header(opened: Image.Image) -> None:
    """Check size and animation before a pixel is decoded. Raises RefusedError."""
    size = f"{opened.width} x {opened.height} pixels"
    if opened.width * opened.height > MOST_PIXELS:
        raise RefusedError(f"too many pixels: {size}")
    if min(opened.size) < LEAST_SIDE:
        raise RefusedError(f"too small: {size}, at least {LEAST_SIDE} on the short side")
    if getattr(opened, "is_animated", False) and opened.format != SEVERAL_IN_ONE:
        raise RefusedError(f"animated: {getattr(opened, 'n_frames', 2)} pictures in one file")


def _what_else(body: bytes) -> str:
    """Return the reason why Pillow does not know the file, with a way out."""
    if body[4:8] == b"ftyp" and body[8:12] in HEIC_BRANDS:
        return "HEIC: set the camera to 'most compatible', or convert the photographs to JPEG"
    if body[:256].lstrip().startswith(b"<"):
        return "no picture: a web page"
    return "no picture: nothing that could be opened"


def _upright(opened: Image.Image) -> Image.Image:
    """Turn the picture as its EXIF orientation says; damaged EXIF is ignored."""
    try:
        return ImageOps.exif_transpose(opened)
    except Exception:  # noqa: BLE001 - the pixels are fine, only the notes beside them are damaged
        return opened


def _rgb(image: Image.Image) -> Image.Image:
    """Convert any mode to RGB as a viewer shows it: transparency on white, ICC profile applied."""
    profile = image.info.get("icc_profile")
    _check_values(image)
    return on_white(to_srgb(eight_bits(image), profile)).convert("RGB")


def _check_values(image: Image.Image) -> None:
    """Refuse what measures rather than shows: floats, 32-bit integers. Raises RefusedError."""
    if image.mode == "F":
        raise RefusedError("no photograph: its values are floating-point numbers")
    if image.mode.startswith("I"):
        values = np.asarray(image).astype(np.int64)
        if values.min() < 0 or values.max() > np.iinfo(np.uint16).max:
            raise RefusedError("no photograph: its values have 32 bits")
