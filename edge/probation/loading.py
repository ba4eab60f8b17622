"""Load the model of a release beside the one that judges, in a thread of its own."""

import contextlib
import os
import threading

from edge.config import Config
from edge.errors import StampgateError
from edge.releases.release import Release
from edge.vision.localizer import Localizer

NICER = 10
"""So much lower is the priority of the loading thread, where it may have its own: the line goes
first."""
CLOSING_S = 30.0
"""Time limit for the loading to end with the service, seconds."""


class Loading:
    """Loads a release's model and judges the golden pictures in it, as a start does.

    *localizer*: the loaded model, None until then, or where it failed; *why*: why it did. The item
    that comes meanwhile is judged by the model before: onnxruntime releases Python's lock while it
    loads and while it computes.

    Synchronization: one thread calls; a daemon thread of its own loads.
    """

    def __init__(self, config: Config, release: Release) -> None:
        self.release = release
        self.localizer: Localizer | None = None
        self.why = ""
        self._done = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(config,), name="release", daemon=True
        )
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether it has ended, well or not."""
        return self._done.is_set()

    def wait(self, timeout_s: float = CLOSING_S) -> bool:
        """Wait so long for its end; return whether it has ended."""
        return self._done.wait(timeout_s)

    def _run(self, config: Config) -> None:
        with contextlib.suppress(OSError):  # Linux: of a thread, not of the process
            thread = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + NICER)
        try:
            self.localizer = load(config, self.release)
        except StampgateError as error:
            self.why = str(error)
        except Exception as error:  # noqa: BLE001 - told as why; the release before goes on
            self.why = f"not foreseen: {type(error).__name__}: {error}"
        finally:
            self._done.set()


def load(config: Config, release: Release) -> Localizer:
    """Load the model of *release*, and judge its golden pictures. Raises ModelError."""
    threads = min(config.model.threads, os.cpu_count() or 1)
    return Localizer(release.model, threads, release.model_sha256)
