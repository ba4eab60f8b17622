"""Decode picture files: the one decoder of the box and of the desktop.

Every picture comes out alike, (height, width, 3) uint8, sRGB, upright by its EXIF orientation,
whatever its file held. There is one exception for all that can be wrong with a file, FrameError;
the desktop turns it into the error of its command.

Nothing but the formats of :data:`FORMATS` is opened, told by their first bytes whatever the file's
name is: Pillow knows seventy more, one of which starts Ghostscript. Length and pixels are looked at
before anything is decoded, and a picture is converted in strips, so that one of
:data:`MAX_PIXELS` takes some seven bytes a pixel.
"""

import contextlib
import importlib
import io
import os
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from edge.errors import FrameError, InputError
from edge.files import open_regular
from edge.vision import jpeg
from edge.vision.colour_profiles import to_srgb
from edge.vision.preprocess import SMALL_BYTES, STRIP_ROWS, Frame

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
"""Suffixes, in lower case, of the files that count as pictures where a folder holds others too."""

MAX_PIXELS = 64_000_000
"""Most pixels decoded: 192 MB of memory. A file that claims more is a mistake or an attack."""
MAX_WEBP_PIXELS = MAX_PIXELS // 2
"""The same of WebP, which Pillow decodes into two canvases of its own."""
MAX_BYTES = 200_000_000
"""Longest file opened; :data:`MAX_PIXELS` of RGB without compression have less."""

MAX_CHUNKS = 40_000
"""Most chunks of a PNG file: Pillow takes 20 microseconds for each, and one needs 12 bytes. A file
of :data:`MAX_BYTES` has 24,000 as libpng writes it."""

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
"""Pillow's names of the formats that are opened; a JPEG may hold several pictures (MPO)."""
SIGNATURES: Mapping[str, re.Pattern[bytes]] = {
    "JPEG": re.compile(rb"\xff\xd8\xff"),
    "PNG": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "WEBP": re.compile(rb"RIFF....WEBP", re.DOTALL),
    "BMP": re.compile(rb"BM"),
    "GIF": re.compile(rb"GIF8[79]a"),
    "TIFF": re.compile(rb"II[*+]\0|MM\0[*+]"),
    "AVIF": re.compile(rb"....ftypavi[fs]", re.DOTALL),
}
"""How a file of each format begins."""
PLUGINS = {"JPEG": "Jpeg", "PNG": "Png", "WEBP": "WebP", "BMP": "Bmp", "GIF": "Gif"} | {
    "TIFF": "Tiff",
    "AVIF": "Avif",
}
"""Pillow's module for each, less its ending ``ImagePlugin``."""
SIGNATURE_BYTES = 16
DECODERS = frozenset(("jpeg", "zip", "raw", "gif", "libtiff"))
"""Pillow's decoders of pixels that are used. Not among them are those in Python, of run-length BMP
for one, which take seconds for a file of kilobytes."""
UPRIGHT = (0, False)
TURNS: Mapping[int, tuple[int, bool]] = {
    1: UPRIGHT,
    2: (0, True),
    3: (2, False),
    4: (2, True),
    5: (1, True),
    6: (3, False),
    7: (3, True),
    8: (1, False),
}
"""EXIF orientation: quarter turns to the left, after mirroring left and right (EXIF 2.32)."""


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
    if not draft_px:
        with _refusals(path), _file(path) as file:
            if SIGNATURES["JPEG"].match(file.read(SIGNATURE_BYTES)):
                file.seek(0)
                return _read_jpeg(file.read(MAX_BYTES), path)
    with open_picture(path) as image:
        if draft_px:
            image.draft("RGB", (draft_px, draft_px))
        return decode(image, path)


def _read_jpeg(content: bytes, path: Path) -> Frame:
    """Decode a JPEG file strictly (:mod:`edge.vision.jpeg`). Raises FrameError or ValueError."""
    header = jpeg.read_header(content)
    _check_size(header.width, header.height, path)
    with open_image(io.BytesIO(content)) as image:
        if image.mode != "RGB":  # grey or inks, by a profile of their own: Pillow decodes them
            jpeg.decode_strictly(content, header)
            return decode(image, path)
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
        profile = image.info.get("icc_profile")
    pixels = jpeg.decode_strictly(content, header)

    def rows(top: int, bottom: int) -> Image.Image:
        return to_srgb(Image.fromarray(pixels[top:bottom]), profile)

    if not profile and TURNS.get(orientation or 1, UPRIGHT) == UPRIGHT:
        return pixels
    return _assembled(header.width, header.height, orientation, rows)


@contextlib.contextmanager
def open_picture(path: Path, content: BinaryIO | None = None) -> Iterator[Image.Image]:
    """Open the picture file *path*, or its *content*, for a block that reads or decodes it.

    Raises FrameError for whatever Pillow raises, in the block too, when there is no such file, and
    when it has more than :data:`MAX_PIXELS` pixels.
    """
    with _refusals(path), contextlib.ExitStack() as stack:
        file = stack.enter_context(_file(path)) if content is None else content
        image = stack.enter_context(open_image(file))
        _check_pixels(image, path)
        yield image


@contextlib.contextmanager
def open_image(file: BinaryIO, formats: Sequence[str] = FORMATS) -> Iterator[Image.Image]:
    """Open a picture by its first bytes, as one of *formats*; the only call of ``Image.open``.

    Nothing is decoded yet. Raises UnidentifiedImageError for another format, and for the block
    whatever Pillow's parsers raise.
    """
    kind = _format(file.read(SIGNATURE_BYTES))
    file.seek(0)
    if kind not in formats or not load_decoder(kind):
        raise UnidentifiedImageError("none of " + ", ".join(formats))
    if kind == "PNG":
        _check_chunks(file)
    with Image.open(file, formats=(kind,)) as image:
        odd = {tile[0] for tile in getattr(image, "tile", ())} - DECODERS
        if odd:
            raise UnidentifiedImageError(f"coded as {', '.join(odd)}")
        yield image


def _check_chunks(file: BinaryIO) -> None:
    """Check that a PNG has at most :data:`MAX_CHUNKS` chunks, and go back to its beginning.

    Whatever else is wrong with them, and what follows the last one, is Pillow's to say. Raises
    ValueError.
    """
    file.seek(8)
    for _ in range(MAX_CHUNKS):
        head = file.read(8)
        if len(head) < 8 or head[4:] == b"IEND":
            break
        file.seek(int.from_bytes(head[:4]) + 4, os.SEEK_CUR)  # behind its content and checksum
    else:
        raise ValueError(f"it has more than {MAX_CHUNKS} chunks")
    file.seek(0)


def load_decoder(kind: str) -> bool:
    """Load Pillow's module for one of :data:`SIGNATURES` alone; False when it has none."""
    Image.preinit()
    with contextlib.suppress(ImportError):
        importlib.import_module(f"PIL.{PLUGINS[kind]}ImagePlugin")
    return kind in Image.OPEN


def _format(begin: bytes) -> str:
    """Return the format whose signature a file begins with; empty for none."""
    return next((name for name, sign in SIGNATURES.items() if sign.match(begin)), "")


@contextlib.contextmanager
def _refusals(path: Path) -> Iterator[None]:
    """Turn whatever a decoder raises for the file *path* into FrameError."""
    try:
        with warnings.catch_warnings():
            # Pillow only warns of a picture too big for memory, and of broken EXIF that does not
            # matter here.
            warnings.simplefilter("ignore")
            yield
    except FrameError:
        raise
    except Exception as error:  # noqa: BLE001 - Pillow's decoders raise what their parsers raise
        raise FrameError(
            f"{path}: must be a whole picture file, not {describe_damage(error)}; "
            "take the picture again",
            picture=path.name,
        ) from None


def _file(path: Path) -> BinaryIO:
    """Open a picture's file, a regular one of bounded length. Raises FrameError."""
    try:
        return open_regular(path, MAX_BYTES)
    except FileNotFoundError:
        raise FrameError(f"{path}: no such file; name a picture", picture=path.name) from None
    except OSError as error:
        raise FrameError(
            f"{path}: cannot be read ({error.strerror}); name a picture", picture=path.name
        ) from None


def decode(image: Image.Image, path: Path) -> Frame:
    """Decode the current frame of an opened *image*: (height, width, 3) uint8, RGB, upright.

    *path*: what it is called in errors. Raises FrameError when it is too large or holds floats, and
    any exception of Pillow's when it is damaged; :func:`describe_damage` puts that into words.
    """
    _check_pixels(image, path)
    # Allocated before Pillow's memory, so that this is freed in one piece.
    room = np.empty(image.height * image.width * 3, np.uint8)
    image.load()
    _check_values(image, path)
    profile = image.info.get("icc_profile")
    orientation = image.getexif().get(ExifTags.Base.Orientation, 1)

    def rows(top: int, bottom: int) -> Image.Image:
        strip = image.crop((0, top, image.width, bottom)) if bottom - top < image.height else image
        shown = on_white(to_srgb(eight_bits(strip), profile))
        return shown if shown.mode == "RGB" else shown.convert("RGB")

    return _assembled(image.width, image.height, orientation, rows, room)


def _assembled(
    width: int,
    height: int,
    orientation: int | None,
    rows: Callable[[int, int], Image.Image],
    room: Frame | None = None,
) -> Frame:
    """Assemble a frame, turned upright, from strips: *rows* (top, bottom) gives one, RGB.

    *room*: the array to take, (width * height * 3,) uint8; None makes one.
    """
    turns, mirrored = TURNS.get(orientation or 1, UPRIGHT)
    shape = (width, height, 3) if turns % 2 else (height, width, 3)
    frame = np.empty(shape, np.uint8) if room is None else room.reshape(shape)
    lying = np.rot90(frame, -turns)  # a view: the frame as the file stores it
    lying = lying[:, ::-1] if mirrored else lying
    step = height if frame.nbytes <= SMALL_BYTES else STRIP_ROWS
    for top in range(0, height, step):
        bottom = min(top + step, height)
        lying[top:bottom] = np.asarray(rows(top, bottom))
    return frame


def decode_with_alpha(image: Image.Image, path: Path) -> Image.Image:
    """Decode like :func:`decode`, but keep the transparency: upright, RGBA. Raises alike."""
    _check_pixels(image, path)
    return _load(image, path).convert("RGBA")


def _check_pixels(image: Image.Image, path: Path) -> None:
    limit = MAX_WEBP_PIXELS if image.format == "WEBP" else MAX_PIXELS
    _check_size(image.width, image.height, path, limit)


def _check_size(width: int, height: int, path: Path, limit: int = MAX_PIXELS) -> None:
    if width * height > limit:
        most = f"at most {limit // 10**6} million pixels"
        raise FrameError(
            f"{path}: must have {most}, not {width} x {height}; make it smaller",
            picture=path.name,
        )


def _check_values(image: Image.Image, path: Path) -> None:
    if image.mode == "F":
        raise FrameError(
            f"{path}: must hold 8- or 16-bit pixels, not floats; save it as PNG", picture=path.name
        )


def _load(image: Image.Image, path: Path) -> Image.Image:
    image.load()
    _check_values(image, path)
    profile = image.info.get("icc_profile")
    turned = image.getexif().get(ExifTags.Base.Orientation, 1) != 1
    upright = ImageOps.exif_transpose(image) if turned else image  # it would copy this one too
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
