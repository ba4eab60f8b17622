"""The place beside its reference while items pass: no item waits, and trouble comes and goes."""

import dataclasses
import threading
from pathlib import Path

import pytest

from edge.clock import SimulatedClock
from edge.config import Config
from edge.imaging import reference as references
from edge.imaging.reference import Stopped
from edge.imaging.reference_file import save_reference
from edge.imaging.watch import KEPT, LIGHT, MOVED, Comparison
from edge.sections.imaging import ImagingSettings
from edge.sight import place_watch
from edge.sight.place_watch import PlaceWatch
from tests.edge.imaging.scenes import label_scene
from tests.edge.imaging.test_reference import REFERENCE, place
from tests.programs import PATIENCE_S

SECOND = 10**9
SETTINGS = ImagingSettings(compare_s=5.0)


def passed(watch: PlaceWatch, clock: SimulatedClock, number: int, **changed: int) -> list[str]:
    """Let pictures come, one when a comparison is due; what was told, by codes."""
    told = []
    for seed in range(number):
        watch.offer(place(seed % 3, 300 + seed, (changed.get("right", 0), 0)))
        told += [f"{'' if begun else 'no '}{t.code}" for t, begun in watch.take(PATIENCE_S)]
        clock.sleep_until(clock.now_ns() + 5 * SECOND)
    return told


def test_a_knock_is_told_once_and_its_end_once() -> None:
    """From real pictures; the words have the figure and the next step."""
    clock = SimulatedClock()
    with PlaceWatch(REFERENCE, clock, SETTINGS) as watch:
        assert passed(watch, clock, 6) == []
        assert passed(watch, clock, 5, right=14) == [MOVED]
        assert "moved by 14 pixels" in watch.trouble
        assert "set it back" in watch.trouble
        assert passed(watch, clock, 5) == [f"no {MOVED}"]
        assert watch.trouble == ""


def test_an_item_ends_the_comparison_and_waits_for_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is begun again with the next picture; what it saw tells nothing."""
    ended = threading.Event()

    def endless(_reference: object, _frame: object, stopped: object) -> Comparison:
        assert callable(stopped)
        while not stopped():
            ended.wait(0.001)
        ended.set()
        raise Stopped

    monkeypatch.setattr(place_watch, "compare", endless)
    with PlaceWatch(REFERENCE, SimulatedClock(), SETTINGS) as watch:
        for _ in range(2):
            watch.offer(place(None, 1))
            assert watch.take() == []
            watch.stop()
            assert ended.wait(PATIENCE_S)
            ended.clear()
        assert watch.trouble == ""


def test_a_comparison_ends_at_the_next_patch() -> None:
    """That bounds how long it goes on beside an item."""
    asked = iter([False, True])
    with pytest.raises(Stopped):
        references.compare(REFERENCE, place(None, 1), lambda: next(asked))


def test_comparisons_are_so_far_apart_and_can_be_switched_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """That bounds what they cost."""
    monkeypatch.setattr(place_watch, "compare", lambda *_: Comparison(moved_px=30))
    clock = SimulatedClock()
    with PlaceWatch(REFERENCE, clock, SETTINGS) as watch:
        watch.offer(place(None, 1, (30, 0)))
        watch.take(PATIENCE_S)
        for _ in range(20):
            watch.offer(place(None, 1, (30, 0)))
            assert watch.take() == []
        watch.adopt(dataclasses.replace(SETTINGS, compare_s=0.0))
        assert passed(watch, clock, 2 * KEPT, right=30) == []
        watch.adopt(dataclasses.replace(SETTINGS, moved_above_px=50.0))
        assert passed(watch, clock, 2 * KEPT, right=30) == []


def test_a_lamp_that_died_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the darkest but one patch."""
    monkeypatch.setattr(place_watch, "compare", lambda *_: Comparison(light=0.3))
    clock = SimulatedClock()
    with PlaceWatch(REFERENCE, clock, SETTINGS) as watch:
        assert passed(watch, clock, KEPT) == [LIGHT]


def test_a_picture_of_another_size_is_trouble_and_an_error_goes_no_further(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The service goes on; the next good comparison ends it."""
    with PlaceWatch(REFERENCE, SimulatedClock(), SETTINGS) as watch:
        watch.offer(label_scene(0, 200, 100))
        watch.take(PATIENCE_S)
        assert "run 'stampgate-edge calibrate' anew" in watch.trouble
    monkeypatch.setattr(place_watch, "compare", lambda *_: 1 / 0)
    with PlaceWatch(REFERENCE, SimulatedClock(), SETTINGS) as watch:
        watch.offer(place(None, 1))
        watch.take(PATIENCE_S)
        assert "not compared: ZeroDivisionError" in watch.trouble


def test_the_reference_is_the_one_that_the_settings_name(tmp_path: Path) -> None:
    """None is no trouble; one that cannot be read is, and nothing is compared."""
    imaging = ImagingSettings(reference="reference.json")
    config = dataclasses.replace(Config(), folder=tmp_path, imaging=imaging)
    absent = PlaceWatch.of(config, SimulatedClock())
    assert (absent.trouble, absent.sha256) == ("", "")
    path = tmp_path / "reference.json"
    sha256 = save_reference(path, REFERENCE, {})
    assert PlaceWatch.of(config, SimulatedClock()).sha256 == sha256
    path.write_text("{}")
    broken = PlaceWatch.of(config, SimulatedClock())
    broken.offer(place(None, 1))
    assert broken.take() == []
    assert "is no reference of this version" in broken.trouble
