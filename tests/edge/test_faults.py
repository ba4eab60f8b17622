"""Faults that concern several modules: a camera that lies, and the table of all faults."""

import ast
import contextlib
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from edge.camera import Capture
from edge.clock import SimulatedClock
from edge.config import DEFAULT_MODEL, Config
from edge.errors import CameraError, FrameError
from edge.sections.camera import CameraSettings
from edge.service import serve
from edge.vision.localizer import Localizer
from edge.vision.preprocess import Frame
from tests.camera_doubles import ScriptedCamera
from tests.edge.test_station import edges, items, settings, summary
from tests.paths import ROOT
from tests.tiny_model import paint

TABLE = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
RNG = np.random.default_rng(7)
Give = Callable[[int], Capture]
"""Gives a picture for the item of a moment, or raises."""


def stamped(level: int = 90, sigma: float = 1.0) -> Frame:
    """Make a picture with the mark on it that the camera checks let pass.

    It has noise, and the edge of something brighter.
    """
    picture = paint({}).astype(np.float64) - 90 + level
    picture[32:, :32] += 60
    picture = (picture + RNG.normal(0, sigma, picture.shape)).round().clip(0, 255)
    picture[24:32, 16:24] = (255, 0, 255)
    return picture.astype(np.uint8)


FIRST = stamped()
COVERED = (90 + RNG.normal(0, 1, FIRST.shape)).round().astype(np.uint8)


class LyingCamera(ScriptedCamera):
    """Gives what each entry of its script makes of the moment of the item."""

    def __init__(self, clock: SimulatedClock, script: Sequence[Give]) -> None:
        super().__init__(clock, [FIRST] * len(script))
        self._gives = script

    def capture(self, after_ns: int) -> Capture:
        """Give the next entry."""
        self._shown += 1
        return self._gives[self._shown - 1](after_ns)


def raising(error: CameraError) -> Give:
    """A camera that gives nothing."""

    def give(_after_ns: int) -> Capture:
        raise error

    return give


@pytest.mark.parametrize(
    ("fault", "give"),
    [
        ("camera timeout", raising(CameraError("camera timeout: no picture within 1000 ms"))),
        ("damaged picture", raising(FrameError("damaged picture: cut short"))),
        (
            "old picture",
            lambda after_ns: Capture(stamped(), after_ns - 1, 2, "from before the trigger"),
        ),
        (
            "old picture",
            lambda after_ns: Capture(stamped(), after_ns, 1, "with the count of the one before"),
        ),
        (
            "frozen picture",
            lambda after_ns: Capture(FIRST.copy(), after_ns, 2, "the one before once more"),
        ),
        (
            "black picture",
            lambda after_ns: Capture(np.full_like(FIRST, 3), after_ns, 2, "lamp off"),
        ),
        ("covered lens", lambda after_ns: Capture(COVERED, after_ns, 2, "a hand before the lens")),
        (
            "overexposed picture",
            lambda after_ns: Capture(stamped(255), after_ns, 2, "the mark is seen, all else white"),
        ),
    ],
)
def test_camera_unplugged_frozen_black_covered_or_overexposed_is_a_fault_and_never_a_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str, give: Give
) -> None:
    """The item before has passed.

    This one is a FAULT by its name, and rejected when it is at the gate.
    """

    def lying(_config: Config, clock: SimulatedClock) -> LyingCamera:
        return LyingCamera(clock, [lambda after_ns: Capture(FIRST, after_ns, 1, "good"), give])

    monkeypatch.setattr("edge.service.make_camera", lying)
    config = settings(tmp_path, camera=CameraSettings())
    with pytest.raises(CameraError) if fault == "camera timeout" else contextlib.nullcontext():
        serve(config, SimulatedClock())
    assert [(verdict, gate) for _, _, verdict, gate in summary(tmp_path)] == [
        ("pass", "cancelled"),
        ("fault", "kept"),
    ]
    assert items(tmp_path)[1]["reason"].startswith(fault)
    assert edges(tmp_path) == [(0, 0, None), (1, 500, 2), (0, 550, 2)]


def test_provider_fallback_cannot_happen() -> None:
    """One provider is asked for, the processor, and it is the one that is used."""
    assert Localizer(DEFAULT_MODEL).session.get_providers() == ["CPUExecutionProvider"]


WALL_CLOCK = {
    "time.time",
    "time.time_ns",
    "time.localtime",
    "time.gmtime",
    "datetime.now",
    "datetime.utcnow",
}
FILE_TIMES = {"st_mtime", "st_ctime", "st_atime", "st_mtime_ns", "st_ctime_ns"}


def asks_the_wall_clock(path: Path) -> set[str]:
    """Return the functions of *path* that read the wall clock or a file's time.

    Code outside any function is called "module".
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {
        id(node): scope.name
        for scope in ast.walk(tree)
        if isinstance(scope, ast.FunctionDef)
        for node in ast.walk(scope)
    }
    return {
        inside.get(id(node), "module")
        for node in ast.walk(tree)
        if (isinstance(node, ast.Call) and ast.unparse(node.func) in WALL_CLOCK)
        or (isinstance(node, ast.Attribute) and node.attr in FILE_TIMES)
    }


def test_wall_clock_two_weeks_back_cannot_move_order_due_times_or_retention() -> None:
    """It is read for the journal's wall_time, for people's questions, and for a bundle's dates."""
    asking = {
        str(path.relative_to(ROOT)): asks_the_wall_clock(path)
        for path in (ROOT / "edge").rglob("*.py")
    }
    assert {path: scopes for path, scopes in asking.items() if scopes} == {
        "edge/activation/activate.py": {"_action"},  # for people, in the list of actions
        "edge/activation/known_time.py": {"known_time", "_witnesses"},  # whether a bundle is valid
        # for the hosts: their messages are ordered by their own sequence
        "edge/exporters/mqtt_exporter.py": {"_death", "_give_birth", "_tell_state"},
        "edge/probation/control.py": {"__init__"},  # a release that has expired is told
        "edge/releases/store.py": {"pointer_stamp"},  # whether the file is another, not when
        "edge/record/journal.py": {"__init__"},  # the default of *wall*
        "edge/record/times.py": {"present"},
        "edge/review/audit.py": {"_now"},  # the log's *wall*
        "edge/review/following.py": {"_step_in"},  # whether a full file was touched, not when
        "edge/review/index.py": {"_now_ms"},  # for people, when a trouble was seen
        "edge/review/people.py": {"_users"},  # whether the file is another
        "edge/review/web/today.py": {"span_of"},  # which stretch of the log people ask for
    }


def test_every_test_that_the_table_of_faults_names_exists() -> None:
    """A test renamed there is a promise broken here."""
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", TABLE)
    assert len(named) > 60, "the table has another shape"
    found = {
        path: set(re.findall(r"^def (test_\w+)", (ROOT / path).read_text(), re.MULTILINE))
        for path, _ in named
    }
    assert [f"{path}::{name}" for path, name in named if name not in found[path]] == []
