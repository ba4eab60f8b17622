"""Replay camera: the picture files of a folder, or of one film, as if a camera took them."""

import contextlib
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from edge.camera import Capture
from edge.camera.stream import PERIODS_IN_VIEW, StreamStatistics
from edge.clock import Clock, Stop
from edge.errors import ConfigError, FrameError, InputError
from edge.files import open_regular
from edge.sections.camera import CameraSettings
from edge.vision.picture_files import (
    FORMATS,
    MAX_BYTES,
    decode,
    describe_damage,
    list_pictures,
    load_decoder,
    open_image,
    read_picture,
)
from edge.vision.preprocess import Frame

MOST_PICTURES = 100_000
"""Most pictures of a film: a file of bytes can claim thousands of millions."""
KINDS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG"}
"""Formats whose suffix says all; a file of any other loads every decoder."""


class ReplayCamera:
    """Shows the files of a folder by name, or the pictures of a film, each once, none skipped.

    A film may be an animated WebP, PNG or GIF or a TIFF of many pages: what Pillow decodes. For
    another film, make a folder of it: ``ffmpeg -i film.mp4 frames/%06d.png``.

    The next picture appears one period after the one before, or as soon as it is asked for when
    that moment has passed; with a rate of 0 always as soon as it is asked for. A file that is no
    picture takes its turn and raises FrameError.

    Synchronization: one thread per instance.
    """

    def __init__(self, folder: Path, settings: CameraSettings, clock: Clock) -> None:
        rate = settings.pictures_per_second
        self._folder, self._clock = folder, clock
        self._loop = settings.loop
        self._period_ns = round(1e9 / rate) if rate > 0 else 0
        self._timeout_ns = round(settings.timeout_ms * 1e6)
        self._in_view_ns = round(settings.in_view_ms * 1e6 or PERIODS_IN_VIEW * self._period_ns)
        self._stream = StreamStatistics(settings)
        self._files: tuple[Path, ...] = ()
        self._film: Film | None = None
        self._count = 0
        self._shown = 0
        self._next_ns = 0

    def __enter__(self) -> Self:
        if self._folder.is_file():
            self._film = Film(self._folder)
            self._count = self._film.count
        else:
            self._files = _listed(self._folder)
            self._count = len(self._files)
        _load_decoders(self._files)
        self._shown, self._next_ns = 0, self._clock.now_ns()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._files = ()
        if self._film is not None:
            self._film.close()
            self._film = None

    @property
    def ended(self) -> bool:
        """True when the last picture was shown and ``loop`` is off."""
        return not self._loop and self._shown >= self._count

    def wait(self, until_ns: int, stop: Stop) -> bool:
        """Wait until *until_ns* for the next picture's moment; True when it has come."""
        stopped = self._clock.wait_until(min(until_ns, self._next_ns), stop)
        return not stopped and self._clock.now_ns() >= self._next_ns

    def capture(self, after_ns: int) -> Capture:
        """Show the next picture.

        Raises FrameError when it cannot be read, or comes too late; then it is the next item's.
        """
        if self.ended:
            raise FrameError("no picture is left to replay; set [camera] loop, or add pictures")
        begin_ns = max(after_ns, self._next_ns)
        if begin_ns - after_ns > self._timeout_ns:
            self._clock.sleep_until(after_ns + self._timeout_ns)
            raise FrameError(
                f"no picture within {self._timeout_ns / 1e6:g} ms; "
                "trigger more slowly or show pictures faster"
            )
        late_ns = max(begin_ns, self._clock.now_ns()) - after_ns
        if 0 < self._in_view_ns < late_ns:
            self._stream.late += 1
            raise FrameError(
                f"late picture: it begins {late_ns / 1e6:.0f} ms after the trigger, must be within "
                f"{self._in_view_ns / 1e6:.0f} ms, see [camera] in_view_ms; "
                "trigger more slowly or show pictures faster"
            )
        self._clock.sleep_until(begin_ns)
        t_ns = self._clock.now_ns()
        place = self._shown % self._count
        self._shown += 1
        self._next_ns = t_ns + self._period_ns
        try:
            picture, name = self._read(place)
        except FrameError:
            self._stream.count(damaged=True)
            raise
        self._stream.count(damaged=False)
        return Capture(picture, t_ns, self._shown, name)

    def _read(self, place: int) -> tuple[Frame, str]:
        """Read picture *place*, counted from 0, and its name. Raises FrameError."""
        if self._film is not None:
            return self._film.read(place), self._film.name(place)
        path = self._files[place]
        try:
            return read_picture(path), path.name
        except FrameError as error:
            # The folder is the same for all: a journal is easier to read and compare without it.
            text = str(error).removeprefix(f"{path.parent}/")
            raise FrameError(text, picture=path.name) from None

    @property
    def facts(self) -> Mapping[str, float]:
        """Counts of the pictures shown."""
        return self._stream.as_facts()

    @property
    def trouble(self) -> str:
        """Trouble with the pictures, in words; empty when there is none."""
        return self._stream.trouble

    def check(self) -> None:
        """Return at once: the files listed at the start are shown, come what may."""


class Film:
    """One file that holds several pictures. Raises ConfigError when it cannot be opened.

    Synchronization: one thread.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened = contextlib.ExitStack()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                file = self._opened.enter_context(open_regular(path, MAX_BYTES))
                self._image = self._opened.enter_context(open_image(file))
                self.count: int = getattr(self._image, "n_frames", 1)
            if self.count > MOST_PICTURES:
                raise ValueError(f"it has {self.count} pictures, more than {MOST_PICTURES}")
        except Exception as error:  # noqa: BLE001 - Pillow's decoders raise what their parsers raise
            self._opened.close()
            raise ConfigError(
                f"[camera] folder {path} must be a folder or a film that Pillow reads, "
                f"not {describe_damage(error)}; "
                f"make a folder of it: ffmpeg -i {path.name} frames/%06d.png"
            ) from None

    def name(self, place: int) -> str:
        """Return the name in the journal of picture *place*, counted from 0."""
        return f"{self._path.name} {place + 1}"

    def read(self, place: int) -> Frame:
        """Decode picture *place*, counted from 0: (height, width, 3) uint8, RGB, upright.

        Raises FrameError.
        """
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._image.seek(place)
                return decode(self._image, Path(self.name(place)))
        except FrameError:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            name = self.name(place)
            raise FrameError(
                f"{name}: must be a whole picture, not {describe_damage(error)}; "
                "make the film again",
                picture=name,
            ) from None

    def close(self) -> None:
        """Close the file."""
        self._opened.close()


def _load_decoders(files: Iterable[Path]) -> None:
    """Load Pillow's decoders before the first item: those that the suffixes ask for, or all."""
    for suffix in {path.suffix.lower() for path in files}:
        for kind in (KINDS[suffix],) if suffix in KINDS else FORMATS:
            load_decoder(kind)


def _listed(folder: Path) -> tuple[Path, ...]:
    """Return the files to replay. Raises ConfigError when there are none."""
    try:
        files = list_pictures(folder)
    except InputError as error:
        raise ConfigError(f"{error} in [camera] folder") from None
    if not files:
        raise ConfigError(
            f"{folder}: holds no file to replay; put pictures there or correct [camera] folder"
        )
    return files
