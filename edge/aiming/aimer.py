"""Take pictures one after the other, measure and judge each, and keep the last few to be shown."""

import dataclasses
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from edge.aiming.view import View, doubt, failing, judged, measured, model_object, shown_jpeg
from edge.camera import Camera, Capture
from edge.camera.checks import FrameChecks
from edge.camera.drivers import make_camera
from edge.camera.turning import turned_capture
from edge.clock import Clock, Stop
from edge.config import Config
from edge.deciding.rules import region_of, rules_of
from edge.errors import AnswerError, CameraError, FrameError
from edge.sight.inspector import Inspector
from edge.vision.localizer import Localizer
from edge.vision.preprocess import Frame

PERIOD_NS = 200_000_000
"""Least time from picture to picture: five a second are enough to turn a ring by."""
WAIT_NS = 500_000_000
"""Longest wait for a replayed picture before the request to stop is looked at."""
RETRY_S = 2.0
"""Time until a lost camera is opened again, seconds: somebody moves its cable."""
KEPT = 4
"""Number of the last views that a page may still ask for."""

Open = Callable[[Config, Clock], Camera]


class Aimer:
    """Watches the camera for a person who aims it.

    A camera that was there and is lost is opened again, until it is back: its cable and lens are
    what is worked on. A folder of pictures is shown in a circle.

    Synchronization: :meth:`run` in one thread; any other may read :attr:`views`, replace
    :attr:`config` and call :meth:`reset_best`.
    """

    def __init__(
        self,
        config: Config,
        clock: Clock,
        localizer: Localizer | None,
        open_camera: Open = make_camera,
    ) -> None:
        """*localizer*: None where there is no model that works; then no marks are looked for."""
        self.config = config
        """The settings in effect, of which region, rules and turning count from the next picture
        on."""
        self._clock, self._localizer, self._open = clock, localizer, open_camera
        self.views: deque[View] = deque(maxlen=KEPT)
        """The last views, the newest last."""
        self.arrived = threading.Condition()
        """Notified with each new view."""
        self._best, self._number = 0.0, 0
        self._before: Frame | None = None
        self._prepared: tuple[Config, Inspector | None] | None = None

    def run(self, stop: Stop, show: Callable[[View], None] = lambda _: None) -> None:
        """Watch until *stop* is requested, and give each view to *show*.

        Raises ConfigError for settings that cannot be; CameraError when the camera cannot be opened
        at first.
        """
        while not stop.reason:
            try:
                with self._open(_in_a_circle(self.config), self._clock) as camera:
                    self._watch(camera, stop, show)
            except CameraError as error:
                if not self._number:
                    raise
                self._add(self._without_picture(f"{error}; it is tried again"), show)
                stop.wait(RETRY_S)

    def reset_best(self) -> None:
        """Forget the best focus, for another scene."""
        self._best = 0.0

    def about_model(self, config: Config) -> dict[str, Any] | None:
        """Return what is known of the model, None where there is none.

        Raises ConfigError for settings whose rules do not fit it.
        """
        if (localizer := self._localizer) is None:
            return None
        contract = localizer.contract
        rules = rules_of(config.decision, contract.classes, contract.threshold)
        return model_object(localizer, config, rules)

    def _watch(self, camera: Camera, stop: Stop, show: Callable[[View], None]) -> None:
        checks = FrameChecks(self.config.camera)
        while not stop.reason and not camera.ended:
            begun_ns = self._clock.now_ns()
            if camera.wait(begun_ns + WAIT_NS, stop):
                self._add(self._look(camera, checks), show)
                self._clock.wait_until(begun_ns + PERIOD_NS, stop)

    def _look(self, camera: Camera, checks: FrameChecks) -> View:
        """Take a picture and measure it. Raises CameraError when the camera is lost."""
        config, inspector = self._current()
        after_ns = self._clock.now_ns()
        try:
            capture = turned_capture(camera.capture(after_ns), config.camera)
        except FrameError as error:
            return self._without_picture(str(error))
        trouble = doubt(checks, capture, after_ns) or camera.trouble
        return self._view(capture, config, inspector, trouble)

    def _view(
        self, capture: Capture, config: Config, inspector: Inspector | None, trouble: str
    ) -> View:
        frame = capture.picture
        figures = measured(frame, region_of(config.decision), self._before)
        self._before = frame
        if figures is not None:
            self._best = max(self._best, figures.focus)
        height, width = frame.shape[:2]
        self._number += 1
        view = View(
            self._number, capture.name, width, height, shown_jpeg(frame), figures, self._best
        )
        if inspector is not None:
            try:
                found = inspector.look(frame)
                contract = inspector.localizer.contract
                verdict, marks = judged(found, inspector.rules, contract, frame)
                view = dataclasses.replace(view, verdict=verdict, marks=marks)
            except (FrameError, AnswerError) as error:
                trouble = "; ".join(filter(None, (trouble, str(error))))
        return dataclasses.replace(view, trouble=trouble, failing=failing(figures, config.imaging))

    def _without_picture(self, trouble: str) -> View:
        """Return the last view again with what is wrong now."""
        self._number += 1
        if not self.views:
            return View(self._number, "", 0, 0, b"", None, 0.0, trouble=trouble)
        return dataclasses.replace(self.views[-1], number=self._number, trouble=trouble)

    def _current(self) -> tuple[Config, Inspector | None]:
        """Return the settings in effect with an inspector for them; a new region begins anew."""
        if self._prepared is None or self._prepared[0] is not self.config:
            config, inspector = self.config, None
            if (localizer := self._localizer) is not None:
                contract = localizer.contract
                rules = rules_of(config.decision, contract.classes, contract.threshold)
                inspector = Inspector(localizer, rules)
            self._best, self._prepared = 0.0, (config, inspector)
        return self._prepared

    def _add(self, view: View, show: Callable[[View], None]) -> None:
        with self.arrived:
            self.views.append(view)
            self.arrived.notify_all()
        show(view)


def _in_a_circle(config: Config) -> Config:
    """Return the settings with a replayed folder that begins again after its last picture."""
    if config.camera.driver != "replay":
        return config
    return dataclasses.replace(config, camera=dataclasses.replace(config.camera, loop=True))
