"""Saving a run: while the disk cannot be written it goes on in memory, and saves when it can."""

import contextlib
import dataclasses
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO, cast

from tqdm import tqdm

from edge.errors import InputError
from edge.printing import printable
from train.folder_lock import FolderLock
from train.network import checkpoint
from train.network.checkpoint import Checkpoint
from train.paint.input_fingerprint import Fingerprint


@dataclass
class Saver:
    """Writes what a run leaves; what cannot be is said once, tried again, and told at the end.

    *out*: the run's folder; *inputs*: the fingerprint of its inputs, for the checkpoint; *lock*: of
    the folder, None when nobody locked it. Synchronization: one thread, of the leader.
    """

    out: Path
    inputs: Fingerprint
    lock: FolderLock | None = None
    trouble: str = field(default="", init=False)
    """Why the checkpoint cannot be written; empty while it can."""
    missing: list[str] = field(default_factory=list, init=False)
    """What else could not be written."""
    _saved: str = field(default="none", init=False)
    _tried_s: float = field(default_factory=time.monotonic, init=False)

    @property
    def path(self) -> Path:
        """The checkpoint's file."""
        return self.out / checkpoint.NAME

    def is_due(self, after_s: float) -> bool:
        """Tell whether the last attempt to save was so many seconds ago."""
        return time.monotonic() - self._tried_s > after_s

    def save(self, kept: Checkpoint) -> bool:
        """Write a checkpoint, and return whether it is on the disk."""
        self._tried_s = time.monotonic()
        try:
            if self.lock is not None:
                self.lock.check()
            checkpoint.save(dataclasses.replace(kept, inputs=self.inputs.to_json()), self.out)
        except InputError as error:
            if not self.trouble:
                why = str(error).partition(";")[0]
                say(f"{why}; training goes on in memory and tries again each minute: make room")
            self.trouble = str(error).partition(";")[0]
            return False
        if self.trouble:
            say(f"{self.out / checkpoint.NAME}: is written again, of step {kept.step}")
        self.trouble, self._saved = "", f"of step {kept.step}"
        return True

    @contextlib.contextmanager
    def missing_if_unwritten(self, name: str) -> Iterator[None]:
        """Note that the file *name* is missing when the block cannot write it."""
        try:
            yield
        except (InputError, OSError) as error:
            self.missing.append(f"{name} cannot be written ({_reason(error)})")

    def check_all_written(self, step: int) -> None:
        """Check at the end that all is on the disk. Raises InputError that says what is missing."""
        parts = list(self.missing)
        if self.trouble:
            last = f"step {step} is lost, the last checkpoint is {self._saved}"
            parts.insert(0, f"{self.trouble}, {last}")
        if parts:
            raise InputError(
                f"{self.out}: the run is not whole: {'; '.join(parts)}; make room or permission, "
                "and go on with --resume"
            )


def _reason(error: OSError) -> str:
    """Return the operating system's reason, without the advice of our own messages."""
    found = re.search(r"cannot be written \((.*)\);", str(error))
    return found[1] if found else error.strerror or str(error)


class Screen:
    """A stream for progress and notes, whose own full disk must not end a training.

    Such as standard error led into a file. A reader that has gone is another matter: that error is
    raised.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        """Write, or drop what cannot be written."""
        self._try(lambda: self._stream.write(text))

    def flush(self) -> None:
        """Flush, or leave it."""
        self._try(self._stream.flush)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    @staticmethod
    def _try(act: Callable[[], object]) -> None:
        try:
            act()
        except BrokenPipeError:
            raise
        except OSError:
            pass


@contextlib.contextmanager
def screen() -> Iterator[None]:
    """Let standard error be a :class:`Screen` for a block: bars, notes and warnings alike."""
    # It is one: what is written to it is a text stream's write and flush.
    with contextlib.redirect_stderr(cast(TextIO, Screen(sys.stderr))):
        yield


def say(text: str) -> None:
    """Print a line on stderr, above the progress bar."""
    tqdm.write(printable(f"stampgate: {text}"), file=sys.stderr)
