"""Watching the camera for whoever aims it: figures of its own pixels, the best, a lost camera."""

import dataclasses
import io
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from edge.aiming import aimer as aiming
from edge.aiming.aimer import Aimer
from edge.aiming.terminal import TerminalLine
from edge.aiming.view import MOST_SIDE, View, measured, short_line, shown_jpeg
from edge.camera import Capture
from edge.clock import SimulatedClock, Stop
from edge.config import Config
from edge.deciding.region import Region
from edge.errors import CameraError, FrameError
from edge.imaging.figures import focus
from edge.vision.localizer import Localizer
from edge.vision.preprocess import Frame
from edge.wiring import load_checked
from tests.camera_doubles import CameraDouble
from tests.edge.aiming.aim_rig import box_in
from tests.edge.camera.test_v4l2 import WIDTH, plugged_in, wishes
from tests.tiny_model import paint

RNG = np.random.default_rng(7)
PRINT = np.kron(RNG.integers(40, 215, (12, 16, 1), np.uint8), np.ones((8, 8, 3), np.uint8))
"""A picture with an edge every eight pixels."""


class Camera(CameraDouble):
    """Gives *pictures* in turn; an error among them is raised."""

    def __init__(self, clock: SimulatedClock, *pictures: Frame | Exception) -> None:
        super().__init__()
        self._clock, self._pictures = clock, pictures

    @property
    def ended(self) -> bool:
        """Be at the end after the last picture."""
        return self._shown >= len(self._pictures)

    def capture(self, after_ns: int) -> Capture:
        """Give the next one."""
        picture = self._pictures[self._shown]
        self._shown += 1
        if isinstance(picture, Exception):
            raise picture
        return Capture(picture, self._clock.now_ns(), self._shown, f"picture {self._shown}")


def showing(*pictures: Frame | Exception) -> Callable[[SimulatedClock], CameraDouble]:
    """Return what opens a camera that gives *pictures*."""
    return lambda clock: Camera(clock, *pictures)


def watched(
    config: Config, cameras: list[Callable[[SimulatedClock], CameraDouble]], **how: Localizer | None
) -> tuple[list[View], list[int]]:
    """Watch one camera after the other; return the views, and when each came, milliseconds."""
    clock, stop, views, at_ms = SimulatedClock(10**9), Stop(), list[View](), list[int]()

    def open_next(_config: Config, _clock: object) -> CameraDouble:
        if not cameras:
            stop.request("no camera is left")
            return Camera(clock)
        return cameras.pop(0)(clock)

    def show(view: View) -> None:
        views.append(view)
        at_ms.append(clock.now_ns() // 10**6)

    Aimer(config, clock, how.get("localizer"), open_next).run(stop, show)
    stop.close()
    return views, at_ms


def test_a_lost_camera_is_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its cable is what is worked on: the trouble is shown, and pictures go on once it is back."""
    monkeypatch.setattr(aiming, "RETRY_S", 0.0)
    views, _ = watched(
        Config(),
        [
            showing(PRINT, CameraError("camera lost: check the cable")),
            showing(PRINT[:, ::-1].copy()),
        ],
    )
    assert [view.number for view in views] == [1, 2, 3]
    assert [view.trouble for view in views] == [
        "",
        "camera lost: check the cable; it is tried again",
        "",
    ]
    assert views[1].jpeg == views[0].jpeg, "the last picture stays, with its trouble"


def test_a_camera_that_never_was_there_ends_it() -> None:
    """Status 75 and its own words: nothing is aimed that is not plugged in."""
    with pytest.raises(CameraError, match="no such camera"):
        watched(Config(), [showing(CameraError("no such camera"))])


def test_a_damaged_picture_is_told_and_the_next_one_comes() -> None:
    """As one item's FAULT would be."""
    views, _ = watched(Config(), [showing(FrameError("damaged picture: cut"), PRINT)])
    assert [view.trouble for view in views] == ["damaged picture: cut", ""]
    assert (views[0].width, views[0].figures, views[1].width) == (0, None, 128)


def test_what_the_service_would_refuse_is_told_with_its_picture() -> None:
    """A black picture is shown, for whoever turns the lamp on."""
    black = np.zeros((96, 128, 3), np.uint8)
    views, _ = watched(Config(), [showing(black)])
    assert views[0].trouble.startswith("black picture")
    assert views[0].jpeg


def test_pictures_come_five_times_a_second() -> None:
    """However fast the camera is."""
    _, at_ms = watched(Config(), [showing(PRINT, PRINT + 1, PRINT + 2)])
    assert at_ms == [1000, 1200, 1400]


def test_the_best_focus_is_kept() -> None:
    """A soft picture after a sharp one shows how far the ring is from its best."""
    soft = np.asarray(Image.fromarray(PRINT).resize((32, 24)).resize((128, 96)))
    views, _ = watched(Config(), [showing(PRINT, soft)])
    sharp, blurred = (view.figures for view in views)
    assert sharp is not None
    assert blurred is not None
    assert views[1].best == views[0].best == sharp.focus > 2 * blurred.focus
    assert sharp.shake is None
    assert blurred.shake is not None


def test_what_check_would_fail_on_is_told_by_the_same_bounds() -> None:
    """A soft, dark picture: page, line and small terminal say so; a good one says nothing."""
    soft = np.asarray(Image.fromarray(PRINT // 4).filter(ImageFilter.GaussianBlur(4)))
    views, _ = watched(Config(), [showing(PRINT, soft)])
    assert views[0].failing == ()
    assert [one.name for one in views[1].failing] == ["focus", "brightness"]
    assert "soft; focus the lens" in views[1].as_object()["failing"]["focus"]
    assert "check FAILS: brightness mean" in views[1].as_line()
    assert "FAIL focus | FAIL brightness" in short_line(views[1])


def test_another_region_begins_another_best() -> None:
    """Its focus is that of other edges."""
    config = Config()
    decision = dataclasses.replace(config.decision, region=((0, 0), (64, 0), (64, 64), (0, 64)))
    with_region = dataclasses.replace(config, decision=decision)
    clock, stop = SimulatedClock(10**9), Stop()
    aimer = Aimer(config, clock, None, lambda *_: Camera(clock, PRINT, PRINT // 2 + 60))

    def show(view: View) -> None:
        if view.number == 1:
            aimer.config = with_region
        else:
            stop.request("seen")

    aimer.run(stop, show)
    stop.close()
    first, second = aimer.views
    region = Region(decision.region)
    assert first.best == pytest.approx(focus(PRINT))
    assert second.best == pytest.approx(focus(PRINT // 2 + 60, region))


def test_figures_are_of_the_camera_s_own_pixels() -> None:
    """The picture that is shown is reduced; what is measured is not."""
    large = np.tile(PRINT, (1, 12, 1))
    figures = measured(large, None, None)
    assert figures is not None
    assert figures.width == 12 * 128
    assert figures.focus == pytest.approx(focus(large))
    with Image.open(io.BytesIO(shown_jpeg(large))) as shown:
        assert max(shown.size) == MOST_SIDE


def test_a_region_too_small_to_measure_takes_the_whole_picture() -> None:
    """A region may have sides of 16 pixels; figures need 32."""
    region = Region(((0, 0), (20, 0), (20, 20), (0, 20)))
    figures = measured(PRINT, region, PRINT[:50])
    assert figures is not None
    assert figures.focus == pytest.approx(focus(PRINT))
    assert measured(PRINT[:20, :20], None, None) is None


def test_marks_have_their_size_as_the_network_sees_it(tmp_path: Path) -> None:
    """A region makes the picture smaller and its marks larger."""
    config = load_checked(box_in(tmp_path))
    localizer = Localizer.of(config)
    region = ((0.0, 0.0), (160.0, 0.0), (160.0, 160.0), (0.0, 160.0))
    in_region = dataclasses.replace(
        config, decision=dataclasses.replace(config.decision, region=region)
    )
    for settings, side in ((config, 40), (in_region, 20)):
        picture = paint({"dot": [(2 * side, 2 * side)]}, 320, 320, side)
        (view,), _ = watched(settings, [showing(picture)], localizer=localizer)
        assert view.verdict is not None
        assert view.verdict.kind == "pass"
        (mark,) = (mark for mark in view.marks if mark.counts)
        assert (mark.network_px, mark.camera_px) == (24.0, 3.0 * side)


def test_a_trouble_whose_figures_change_is_told_once() -> None:
    """A dark picture's level changes with each picture; its words are one line."""
    views, _ = watched(Config(), [showing(PRINT // 30, PRINT // 20)])
    file = io.StringIO()
    line = TerminalLine(SimulatedClock(), file)
    for view in views:
        line.show(view)
    told = [text for text in file.getvalue().splitlines() if text.startswith("aim: black")]
    assert views[0].trouble != views[1].trouble
    assert len(told) == 1


class Tty(io.StringIO):
    """A terminal of eighty columns."""

    def isatty(self) -> bool:
        """Be one."""
        return True


def test_a_terminal_s_line_is_updated(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line, printed over and never longer than the terminal; a trouble has its own."""
    monkeypatch.setenv("COLUMNS", "40")
    views, _ = watched(
        Config(),
        [showing(PRINT, FrameError("damaged picture: cut"), PRINT + 1)],
    )
    file = Tty()
    line = TerminalLine(SimulatedClock(), file)
    for view in views:
        line.show(view)
    line.end()
    shown = file.getvalue()
    assert shown.startswith("\rfocus ")
    assert shown.count("aim: damaged picture: cut\n") == 1
    assert shown.endswith("\n")
    assert all(len(part) < 40 for part in shown.replace("\n", "\r").split("\r"))


def test_a_small_terminal_has_all_figures_in_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Focus and its best, light, shake, verdict and score fit into eighty columns."""
    monkeypatch.setenv("COLUMNS", "80")
    config = load_checked(box_in(tmp_path))
    picture = paint({"dot": [(80, 80)]}, 320, 320, 40)
    localizer = Localizer.of(config)
    views, _ = watched(config, [showing(picture, picture.copy())], localizer=localizer)
    file = Tty()
    line = TerminalLine(SimulatedClock(), file)
    line.show(views[1])
    said = r"focus \d+/\d+ \| light \d+ dark 0% white 0% \| shake 0.0 \| PASS \| 0.94"
    assert re.fullmatch(said, file.getvalue().strip())


def test_lines_of_a_file_come_once_a_second() -> None:
    """Where nothing can be updated, a log shall not fill."""
    clock, file = SimulatedClock(), io.StringIO()
    views, _ = watched(Config(), [showing(PRINT)])
    line = TerminalLine(clock, file)
    for _ in range(11):
        line.show(views[0])
        clock.sleep_until(clock.now_ns() + 200_000_000)
    line.end()
    assert len(file.getvalue().splitlines()) == 3
    assert "\r" not in file.getvalue()


def test_a_v4l2_camera_is_aimed_lost_and_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel's interface answers as it does to the service; at the end the camera is free."""
    monkeypatch.setattr(aiming, "RETRY_S", 0.0)
    kernel, stop = plugged_in(tmp_path / "video0", monkeypatch), Stop()
    views = list[View]()

    def show(view: View) -> None:
        views.append(view)
        kernel.gone = "ioctl" if view.number == 2 else ""
        if view.number == 4:
            stop.request("seen")

    Aimer(Config(camera=wishes(kernel)), kernel.clock, None).run(stop, show)
    stop.close()
    assert [view.width for view in views] == [WIDTH] * 4
    assert [bool(view.trouble.startswith("camera lost")) for view in views] == [
        False,
        False,
        True,
        False,
    ]
    assert kernel.calls.count("STREAMON") == kernel.calls.count("STREAMOFF") == 2


@pytest.mark.parametrize("real", [False, True])
def test_a_model_in_no_signed_bundle_is_said_to_be_so(tmp_path: Path, real: bool) -> None:
    """Where it drives a real line; there it is trouble for as long as it stands."""
    config = load_checked(box_in(tmp_path))
    drivers = ("process", "gpiod") if real else (config.gate.driver, config.lines.driver)
    wired = dataclasses.replace(
        config,
        gate=dataclasses.replace(config.gate, driver=drivers[0]),
        lines=dataclasses.replace(config.lines, driver=drivers[1]),
    )
    about = Aimer(config, SimulatedClock(1), Localizer(config.model_file())).about_model(wired)
    assert about is not None
    assert ("in no signed bundle" in about["unsigned"]) == real
