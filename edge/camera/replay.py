"""A folder of pictures shown as if a camera took them; also the one place where picture files are decoded."""

import warnings
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from edge.camera import Capture
from edge.clock import Clock, Stop
from edge.config import CameraSettings
from edge.errors import ConfigError, FrameError, InputError
from edge.preprocess import Frame

MAX_PIXELS = 64_000_000
"""Largest picture decoded, in pixels: 192 MB of memory. A file that claims more is a mistake or an attack."""


class ReplayCamera:
    """Shows the files of a folder in the order of their names, each once, none skipped.

    The next picture appears one period after the one before, or as soon as it is asked for when that moment has passed;
    with a rate of 0 always as soon as it is asked for. A file that is no picture takes its turn and raises FrameError.

    Synchronization: one thread per instance.
    """

    def __init__(self, folder: Path, settings: CameraSettings, clock: Clock) -> None:
        rate = settings.pictures_per_second
        self._folder, self._clock = folder, clock
        self._loop = settings.loop
        self._period_ns = round(1e9 / rate) if rate > 0 else 0
        self._timeout_ns = round(settings.timeout_ms * 1e6)
        self._files: tuple[Path, ...] = ()
        self._shown = 0
        self._next_ns = 0

    def __enter__(self) -> Self:
        try:
            self._files = picture_files(self._folder)
        except InputError as error:
            raise ConfigError(f"{error} in [camera] folder") from None
        if not self._files:
            raise ConfigError(f"{self._folder}: holds no file to replay; put pictures there or correct [camera] folder")
        Image.init()  # load every decoder now, not while the first item waits
        self._shown, self._next_ns = 0, self._clock.now_ns()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._files = ()

    @property
    def ended(self) -> bool:
        """Whether the last file was shown and there is no second round."""
        return not self._loop and self._shown >= len(self._files)

    def wait(self, until_ns: int, stop: Stop) -> bool:
        """Wait until *until_ns* for the next file's moment; True when it has come."""
        return not self._clock.wait_until(min(until_ns, self._next_ns), stop) and self._clock.now_ns() >= self._next_ns

    def capture(self, after_ns: int) -> Capture:
        """Show the next file. Raises FrameError when it is no picture, or its moment is too far away."""
        begin_ns = max(after_ns, self._next_ns)
        if begin_ns - after_ns > self._timeout_ns:
            self._clock.sleep_until(after_ns + self._timeout_ns)
            raise FrameError(
                f"no picture within {self._timeout_ns / 1e6:g} ms; trigger more slowly or show pictures faster"
            )
        self._clock.sleep_until(begin_ns)
        t_ns = self._clock.now_ns()
        path = self._files[self._shown % len(self._files)]
        self._shown += 1
        self._next_ns = t_ns + self._period_ns
        try:
            return Capture(read_picture(path), t_ns, self._shown, path.name)
        except FrameError as error:
            # The folder is the same for all: a journal is easier to read, and to compare, without it.
            raise FrameError(str(error).removeprefix(f"{path.parent}/"), picture=path.name) from None


def picture_files(folder: Path) -> tuple[Path, ...]:
    """List the files of *folder* by name; hidden ones and folders are left out.

    Anything else is listed, a file that is no picture too: it shall be reported, not overlooked. Raises InputError when
    the folder cannot be read.
    """
    try:
        return tuple(sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")))
    except OSError as error:
        raise InputError(f"{folder}: must be a folder of pictures ({error.strerror}); name another") from None


def read_picture(path: Path) -> Frame:
    """Decode the picture file *path*: (height, width, 3) uint8, RGB, upright.

    The EXIF orientation is applied, so pixels are counted as the picture is seen. Transparent parts become white,
    16-bit grey is scaled to 8 bits, of several frames the first is taken. Raises FrameError with the picture's name.
    """
    if not path.is_file():
        raise FrameError(f"{path}: no such file; name a picture", picture=path.name)
    try:
        with warnings.catch_warnings():
            # Pillow only warns of a picture too big for memory, and of broken EXIF that does not matter here.
            warnings.simplefilter("ignore")
            with Image.open(path) as image:
                return _decode(image, path)
    except FrameError:
        raise
    except Exception as error:  # noqa: BLE001 - Pillow's decoders raise whatever their format's parser does
        raise FrameError(
            f"{path}: must be a whole picture file, not {_trouble(error)}; take the picture again", picture=path.name
        ) from None


def _decode(image: Image.Image, path: Path) -> Frame:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise FrameError(
            f"{path}: must have at most {MAX_PIXELS // 10**6} million pixels, not {width} x {height}; make it smaller",
            picture=path.name,
        )
    image.load()
    upright = ImageOps.exif_transpose(image)
    if upright.mode == "F":
        raise FrameError(f"{path}: must hold 8- or 16-bit pixels, not floats; save it as PNG", picture=path.name)
    return np.array(_to_rgb(upright), np.uint8)


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        # 16-bit grey: Pillow's own conversion clips at 255, which would make nearly everything white.
        high_byte = np.asarray(image).astype(np.int64).clip(0, 65535) >> 8
        return Image.fromarray(high_byte.astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        layered = image.convert("RGBA")
        white = Image.new("RGBA", layered.size, "white")
        return Image.alpha_composite(white, layered).convert("RGB")
    return image.convert("RGB")


def _trouble(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "a file of another kind"
    if isinstance(error, Image.DecompressionBombError):
        return "one that unpacks to more than the memory holds"
    return f"a damaged one ({' '.join(str(error).split())[:100] or type(error).__name__})"
