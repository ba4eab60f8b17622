"""Look for marks while no item is there: what is found then is not on an item."""

import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from edge.clock import Clock
from edge.deciding.fixed_marks import FixedMarks
from edge.decision import Finding
from edge.errors import StampgateError
from edge.sections.decision import DecisionSettings
from edge.sight.inspector import Inspector
from edge.vision.localizer import Stopper
from edge.vision.preprocess import Frame

SHARE = 0.8
"""Share of the score that counts from which a mark without an item is taken for one: a score
differs from picture to picture."""

CLOSING_S = 5.0
"""Time limit for a look to end with the service, seconds."""


class IdleMarks:
    """Inspects a picture without an item at times, and keeps the marks that stay at one place.

    A look takes as long as an item's, and no item may wait for it: it runs in a thread of its own,
    one at a time, and ends at the next layer of the network when an item comes. A busy line has
    few idle moments, and a look that was ended is begun again in the next.

    Synchronization: one thread calls; a daemon thread of its own looks.
    """

    def __init__(self, inspector: Inspector, clock: Clock, settings: DecisionSettings) -> None:
        self._inspector, self._clock, self._settings = inspector, clock, settings
        self.fixed = FixedMarks()
        self._began_ns: int | None = None
        self._look: _Look | None = None
        self._failed = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if (look := self._look) is not None:
            look.stop()
            look.ended(CLOSING_S)

    @property
    def is_due(self) -> bool:
        """Whether the next look may begin."""
        every_ns = round(self._settings.idle_look_s * 1e9)
        if not every_ns or self._look is not None:
            return False
        return self._began_ns is None or self._clock.now_ns() - self._began_ns >= every_ns

    def begin(self, frame: Frame) -> None:
        """Begin to look at a frame without an item, (height, width, 3) uint8, RGB."""
        self._began_ns = self._clock.now_ns()
        self._look = _Look(self._inspector, frame)

    def take(self, timeout_s: float = 0.0) -> list[tuple[Finding, bool]]:
        """Take the result of a look that has ended, waiting for it so long.

        Returns the marks that are fixed since now, with True, or are no more, with False. A look
        that failed is trouble until the next one does not: an item's own would be a FAULT.
        """
        look = self._look
        if look is None or not look.ended(timeout_s):
            return []
        self._look, self._failed = None, look.failed
        if look.found is None:
            return []
        least = SHARE * self._inspector.rules.scores.least
        return self.fixed.note_idle([f for f in look.found if f.score >= least])

    def stop(self) -> None:
        """End the look for an item that has come; it is begun again in the next idle moment."""
        if self._look is not None:
            self._look.stop()
            self._look, self._began_ns = None, None

    def adopt(self, settings: DecisionSettings) -> None:
        """Apply changed settings; a place is another once region or pixels are."""
        self.stop()
        self._settings = settings
        self.fixed.forget()

    @property
    def marks(self) -> tuple[Finding, ...]:
        """The marks that were seen at one place without an item."""
        return self.fixed.marks

    @property
    def trouble(self) -> str:
        """Trouble with such marks or with the looks, in words; empty when there is none."""
        if self._failed:
            return f"a look without an item failed: {self._failed}"
        return self.fixed.describe(counted=self._settings.fixed_marks == "counted")


class _Look:
    """One look in a thread of its own.

    *found*: what it found, None where it was stopped or failed; *failed*: why, empty else.
    """

    def __init__(self, inspector: Inspector, frame: Frame) -> None:
        self.found: Sequence[Finding] | None = None
        self.failed = ""
        self._stopper, self._done = Stopper(), threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(inspector, frame), name="idle look", daemon=True
        )
        self._thread.start()

    def _run(self, inspector: Inspector, frame: Frame) -> None:
        try:
            self.found = inspector.look(frame, self._stopper)
        except StampgateError as error:
            self.failed = str(error)
        except Exception as error:  # noqa: BLE001 - told as trouble, and the service goes on
            self.failed = f"not foreseen: {type(error).__name__}: {error}"
        finally:
            self._done.set()

    def ended(self, timeout_s: float) -> bool:
        """Wait so long for its end; False when it still looks."""
        return self._done.wait(timeout_s)

    def stop(self) -> None:
        """End it at the network's next layer."""
        self._stopper.stop()
