"""Decode picture files: the one decoder of the box and of the desktop.

Every picture comes out alike, (height, width, 3) uint8, sRGB, upright by its EXIF orientation,
whatever its file held. There is one exception for all that can be wrong with a file, FrameError;
the desktop turns it into the error of its command.
"""

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from edge.errors import FrameError, InputError
from edge.vision.colour_profiles import to_srgb
from edge.vision.preprocess import Frame, as_frame

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
"""Suffixes, in lower case, of the files that count as pictures where a folder holds others too."""

MAX_PIXELS = 64_000_000
"""Most pixels decoded: 192 MB of memory. A file that claims more is a mistake or an attack."""


def list_pictures(folder: Path) -> tuple[Path, ...]:
    """List the files of *folder* by name; hidden files and folders are left out.

    All other files are listed, whatever their suffix: one that is no picture shall be reported, not
    overlooked. Raises InputError when the folder cannot be read.
    """
    try:
        files = [path for path in folder.iterdir() if path.is_file()]
    except OSError as error:
        raise InputError(
            f"{folder}: must be a folder of pictures ({error.strerror}); name another"
        ) from None
    return tuple(sorted(path for path in files if not path.name.startswith(".")))


def read_picture(path: Path, draft_px: int = 0) -> Frame:
    """Decode the picture file *path*: (height, width, 3) uint8, RGB, upright.

    The EXIF orientation is applied, so pixels are counted as the picture is seen. A colour profile
    is brought to sRGB (:mod:`edge.vision.colour_profiles`), transparent parts become white, 16-bit
    grey is scaled to 8 bits, of several frames the first is taken.

    *draft_px*: where above 0, a JPEG is decoded at 1/2, 1/4 or 1/8 of its size as long as both
    sides stay at least so long, which is several times quicker (Pillow's ``Image.draft``); at 0 it
    is decoded whole.

    Raises FrameError, with the picture's name in ``picture``, when there is no such file, when it
    is no picture or a damaged one, when it has more than :data:`MAX_PIXELS` pixels or holds floats.
    """
    with open_picture(path) as image:
        if draft_px:
            image.draft("RGB", (draft_px, draft_px))
        return decode(image, path)


@contextlib.contextmanager
def open_picture(path: Path, content: BinaryIO | None = None) -> Iterator[Image.Image]:
    """Open the picture file *path*, or its *content*, for a block that reads or decodes it.

    Raises FrameError for whatever Pillow raises, in the block too, and when there is no such file.
    """
    if content is None and not path.is_file():
        raise FrameError(f"{path}: no such file; name a picture", picture=path.name)
    try:
        with warnings.catch_warnings():
            # Pillow only warns of a picture too big for memory, and of broken EXIF that does not
            # matter here.
            warnings.simplefilter("ignore")
            with Image.open(content or path) as image:
                yield image
    except FrameError:
        raise
    except Exception as error:  # noqa: BLE001 - Pillow's decoders raise what their parsers raise
        raise FrameError(
            f"{path}: must be a whole picture file, not {describe_damage(error)}; "
            "take the picture again",
            picture=path.name,
        ) from None


def decode(image: Image.Image, path: Path) -> Frame:
    """Decode the current frame of an opened *image*: (height, width, 3) uint8, RGB, upright.

    *path*: what it is called in errors. Raises FrameError when it is too large or holds floats, and
    any exception of Pillow's when it is damaged; :func:`describe_damage` puts that into words.
    """
    _check_pixels(image, path)
    # Allocated before Pillow's memory, so that this is freed in one piece.
    frame = np.empty((image.height, image.width, 3), np.uint8)
    picture = on_white(_load(image, path))
    rgb = picture if picture.mode == "RGB" else picture.convert("RGB")
    return as_frame(rgb, frame if (rgb.height, rgb.width) == frame.shape[:2] else None)


def decode_with_alpha(image: Image.Image, path: Path) -> Image.Image:
    """Decode like :func:`decode`, but keep the transparency: upright, RGBA. Raises alike."""
    _check_pixels(image, path)
    return _load(image, path).convert("RGBA")


def _check_pixels(image: Image.Image, path: Path) -> None:
    if image.width * image.height > MAX_PIXELS:
        most = f"at most {MAX_PIXELS // 10**6} million pixels"
        raise FrameError(
            f"{path}: must have {most}, not {image.width} x {image.height}; make it smaller",
            picture=path.name,
        )


def _load(image: Image.Image, path: Path) -> Image.Image:
    image.load()
    profile = image.info.get("icc_profile")
    turned = image.getexif().get(ExifTags.Base.Orientation, 1) != 1
    upright = ImageOps.exif_transpose(image) if turned else image  # it would copy this one too
    if upright.mode == "F":
        raise FrameError(
            f"{path}: must hold 8- or 16-bit pixels, not floats; save it as PNG", picture=path.name
        )
    return to_srgb(eight_bits(upright), profile)


def describe_damage(error: Exception) -> str:
    """Return in words what kind of file makes Pillow raise *error*."""
    if isinstance(error, UnidentifiedImageError):
        return "a file of another kind"
    if isinstance(error, Image.DecompressionBombError):
        return "one that unpacks to more than the memory holds"
    return f"a damaged one ({' '.join(str(error).split())[:100] or type(error).__name__})"


def eight_bits(image: Image.Image) -> Image.Image:
    """Scale 16-bit grey to 8 bits; return any other *image* as it is."""
    if not image.mode.startswith("I"):
        return image
    # Pillow's own conversion clips at 255: nearly all would become white.
    high_byte = np.asarray(image).astype(np.int64).clip(0, 65535) >> 8
    return Image.fromarray(high_byte.astype(np.uint8))


def on_white(image: Image.Image) -> Image.Image:
    """Lay an *image* with transparency on white, RGB; return any other as it is."""
    if image.mode not in ("RGBA", "LA", "PA", "RGBa", "La") and "transparency" not in image.info:
        return image
    layered = image.convert("RGBA")
    white = Image.new("RGBA", layered.size, "white")
    return Image.alpha_composite(white, layered).convert("RGB")
