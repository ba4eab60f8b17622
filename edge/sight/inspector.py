"""Judge one frame by the rules of the line, as the service and ``inspect`` do alike."""

import dataclasses

from edge.deciding.judging import Scene, judge
from edge.deciding.rules import Rules
from edge.decision import Finding, Verdict
from edge.errors import FrameError
from edge.sight.region_view import RegionView
from edge.vision.localizer import Localizer, Stopper
from edge.vision.preprocess import Frame


class Inspector:
    """A model and the rules by which its findings are judged.

    Synchronization: one thread calls :meth:`inspect`, another may call :meth:`look`.
    """

    def __init__(self, localizer: Localizer, rules: Rules) -> None:
        self.localizer, self._rules = localizer, rules
        self._view = RegionView(rules.region)

    @property
    def rules(self) -> Rules:
        """The rules in effect; may be replaced between two frames."""
        return self._rules

    @rules.setter
    def rules(self, rules: Rules) -> None:
        self._view = RegionView(rules.region)
        self._rules = rules

    def look(self, frame: Frame, stopper: Stopper | None = None) -> tuple[Finding, ...]:
        """Find the marks in the region, in camera pixels, best score first; last, near misses.

        *frame*: (height, width, 3) uint8, RGB; *stopper*: what another thread can stop it by.
        Raises FrameError, AnswerError.
        """
        view, least = self._view, self._rules.scores.no_call
        part = view.cut(frame)
        if stopper is None:
            found = self.localizer.find(part, least, near=True)
        else:
            found = self.localizer.find(part, least, near=True, stopper=stopper)
        return view.in_camera(found)

    def inspect(self, frame: Frame, scene: Scene | None = None, picture: str = "") -> Verdict:
        """Judge a frame, (height, width, 3) uint8, RGB; *picture*: its name, for an error.

        Raises FrameError for a frame that does not hold the region, AnswerError.
        """
        try:
            height, width = frame.shape[:2]
            whole = dataclasses.replace(scene or Scene(), size=(width, height))
            return judge(self.look(frame), self._rules, whole)
        except FrameError as error:
            raise FrameError(str(error), picture) from None
