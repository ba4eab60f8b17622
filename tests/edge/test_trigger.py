from pathlib import Path

from edge.camera.replay import ReplayCamera
from edge.clock import SimulatedClock, Stop
from edge.sections.camera import CameraSettings
from edge.sections.trigger import TriggerSettings
from edge.trigger import EveryFrame, Interval, Item, make_trigger
from tests.tiny_model import paint, save

MS = 1_000_000


def test_an_interval_ticks_at_its_beat_whatever_the_work_takes(stop: Stop) -> None:
    """Work of 10, 90 and 30 ms between ticks of 100 ms: the beat does not drift."""
    clock = SimulatedClock(5 * MS)
    trigger = Interval(100 * MS, clock)
    moments = []
    for work_ms in (10, 90, 30, 0):
        moments.append(trigger.wait(10**12, stop))
        clock.sleep_until(clock.now_ns() + work_ms * MS)
    assert moments == [Item(ms * MS) for ms in (5, 105, 205, 305)]
    assert trigger.skipped == 0


def test_the_next_item_is_known_where_somebody_knows_it(tmp_path: Path, stop: Stop) -> None:
    """An interval's next tick; of pictures that are items themselves, none."""
    clock = SimulatedClock()
    trigger = Interval(100 * MS, clock)
    item = trigger.wait(10**12, stop)
    assert item is not None
    assert trigger.next_ns(item) == 100 * MS
    camera = ReplayCamera(tmp_path, CameraSettings(), clock)
    assert EveryFrame(camera, clock).next_ns(item) is None


def test_ticks_missed_while_busy_are_counted(stop: Stop) -> None:
    """Busy for 350 ms, the ticks at 100 and 200 are skipped.

    That at 300 is taken late, with its own moment.
    """
    clock = SimulatedClock()
    trigger = Interval(100 * MS, clock)
    assert trigger.wait(10**12, stop) == Item(0)
    clock.sleep_until(350 * MS)
    assert trigger.wait(10**12, stop) == Item(300 * MS)
    assert trigger.skipped == 2
    assert trigger.wait(10**12, stop) == Item(400 * MS)


def test_no_item_until_the_given_moment_is_none(stop: Stop) -> None:
    """So that the watchdog can be fed in between; the tick is not lost."""
    clock = SimulatedClock()
    trigger = Interval(100 * MS, clock)
    trigger.wait(10**12, stop)
    assert trigger.wait(50 * MS, stop) is None
    assert clock.now_ns() == 50 * MS
    assert trigger.wait(150 * MS, stop) == Item(100 * MS)


def test_a_stop_ends_the_wait(stop: Stop) -> None:
    """At once, without an item."""
    clock = SimulatedClock()
    trigger = Interval(100 * MS, clock)
    stop.request("SIGTERM")
    assert trigger.wait(10**12, stop) is None
    assert clock.now_ns() == 0


def test_every_frame_is_an_item_at_the_cameras_pace(tmp_path: Path, stop: Stop) -> None:
    """Four pictures a second: triggers at 0 and 250 ms, and nothing in between."""
    for name in ("a.png", "b.png"):
        save(tmp_path / name, paint({}))
    clock = SimulatedClock()
    with ReplayCamera(tmp_path, CameraSettings(pictures_per_second=4.0), clock) as camera:
        trigger = EveryFrame(camera, clock)
        assert trigger.wait(10**12, stop) == Item(0)
        assert camera.capture(0).t_ns == 0
        assert trigger.wait(100 * MS, stop) is None
        assert trigger.wait(10**12, stop) == Item(250 * MS)


def test_the_settings_choose_the_trigger(tmp_path: Path) -> None:
    """By the word in [trigger] kind."""
    clock = SimulatedClock()
    camera = ReplayCamera(tmp_path, CameraSettings(), clock)
    assert isinstance(make_trigger(TriggerSettings(), camera, clock), EveryFrame)
    assert isinstance(make_trigger(TriggerSettings(kind="interval"), camera, clock), Interval)
