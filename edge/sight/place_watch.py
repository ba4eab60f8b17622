"""Compare pictures with the place's reference between items, and say when the camera has moved."""

import threading
from types import TracebackType
from typing import Self

from edge.clock import Clock
from edge.config import Config
from edge.errors import InputError, StampgateError
from edge.imaging.bounds import limits_of
from edge.imaging.reference import Reference, Stopped, compare
from edge.imaging.reference_file import load_reference, reference_path
from edge.imaging.watch import CameraTrouble, CameraWatch, Comparison
from edge.sections.imaging import ImagingSettings
from edge.vision.preprocess import Frame

CLOSING_S = 5.0
"""Time limit for a comparison to end with the service, seconds."""


class PlaceWatch:
    """Compares a picture at times, in a thread of its own that ends when an item comes.

    It takes pictures that were judged already, so it costs no item a picture; a comparison that an
    item ended is begun again with a later picture. *reference*: None compares nothing. *failed*:
    why there is none although one should be, in words; that is trouble.

    Synchronization: one thread calls; a daemon thread of its own compares.
    """

    def __init__(
        self,
        reference: Reference | None,
        clock: Clock,
        settings: ImagingSettings,
        failed: str = "",
        sha256: str = "",
    ) -> None:
        self._reference, self._clock, self._settings = reference, clock, settings
        self.sha256 = sha256
        """Sum of the reference's file, in hex; empty without one."""
        self.watch = CameraWatch(limits_of(settings))
        self._failed, self._lasting = "", failed
        self._began_ns: int | None = None
        self._work: _Work | None = None
        self._told: dict[str, str] = {}

    @classmethod
    def of(cls, config: Config, clock: Clock) -> Self:
        """Make it with the reference that the settings name, if there is one.

        One that cannot be read is trouble and no error: the line goes on, and rejects as before.
        """
        try:
            path = reference_path(config)
            found = load_reference(path) if path else None
        except InputError as error:
            return cls(None, clock, config.imaging, str(error))
        if found is None:
            return cls(None, clock, config.imaging)
        reference, sha256 = found
        return cls(reference if reference.patches else None, clock, config.imaging, sha256=sha256)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if (work := self._work) is not None:
            work.stopped.set()
            work.done.wait(CLOSING_S)

    def offer(self, frame: Frame) -> None:
        """Begin to compare a frame, (height, width, 3) uint8 RGB, if a comparison is due."""
        every_ns, now_ns = round(self._settings.compare_s * 1e9), self._clock.now_ns()
        if self._reference is None or not every_ns or self._work is not None:
            return
        if self._began_ns is None or now_ns - self._began_ns >= every_ns:
            self._began_ns = now_ns
            self._work = _Work(self._reference, frame)

    def take(self, timeout_s: float = 0.0) -> list[tuple[CameraTrouble, bool]]:
        """Take the result of a comparison that has ended, waiting for it so long.

        Returns the troubles that there are since now, with True, or are no more, with False.
        """
        work = self._work
        if work is None or not work.done.wait(timeout_s):
            return []
        self._work, self._failed = None, work.failed
        if work.found is not None:
            self.watch.note(work.found)
        now = {trouble.code: trouble for trouble in self.watch.troubles}
        changed = [(trouble, True) for code, trouble in now.items() if code not in self._told]
        ended = [code for code in self._told if code not in now]
        changed += [(CameraTrouble(code, self._told[code]), False) for code in ended]
        self._told = {code: trouble.words for code, trouble in now.items()}
        return changed

    def stop(self) -> None:
        """End the comparison for an item that has come, and begin again with a later picture."""
        if (work := self._work) is not None and not work.done.is_set():
            work.stopped.set()
            self._work, self._began_ns = None, None

    def adopt(self, settings: ImagingSettings) -> None:
        """Apply changed settings from the next comparison on."""
        self._settings = settings
        self.watch.limits = limits_of(settings)

    @property
    def trouble(self) -> str:
        """Trouble with the place or its reference, in words; empty when there is none."""
        return "; ".join(filter(None, (self._lasting, self._failed, self.watch.trouble)))


class _Work:
    """One comparison in a thread of its own.

    *found*: None where it was stopped or failed; *failed*: why, empty else.
    """

    def __init__(self, reference: Reference, frame: Frame) -> None:
        self.found: Comparison | None = None
        self.failed = ""
        self.stopped, self.done = threading.Event(), threading.Event()
        thread = threading.Thread(
            target=self._run, args=(reference, frame), name="place watch", daemon=True
        )
        thread.start()

    def _run(self, reference: Reference, frame: Frame) -> None:
        try:
            self.found = compare(reference, frame, self.stopped.is_set)
        except Stopped:
            pass
        except StampgateError as error:
            self.failed = str(error)
        except Exception as error:  # noqa: BLE001 - told as trouble, and the service goes on
            self.failed = f"the place was not compared: {type(error).__name__}: {error}"
        finally:
            self.done.set()
