"""The watch of a camera: from which comparisons on it is in trouble, and when no more."""

import dataclasses
import math

import numpy as np
import pytest

from edge.imaging.watch import (
    KEPT,
    LIGHT,
    MOST_SPREAD,
    MOVED,
    SOFT,
    CameraWatch,
    Comparison,
    run_length,
)

GOOD = Comparison()


def told(watch: CameraWatch, found: Comparison, most: int = 100) -> int:
    """Feed *found* until something changes; how many comparisons it took."""
    before = watch.troubles
    for count in range(1, most + 1):
        watch.note(found)
        if {t.code for t in watch.troubles} != {t.code for t in before}:
            return count
    return most + 1


@pytest.mark.parametrize(
    ("found", "code", "most"),
    [
        (Comparison(moved_px=14), MOVED, 3),
        (Comparison(known=0.3), MOVED, 3),
        (Comparison(light=0.5), LIGHT, 3),
        (Comparison(bright=1.8), LIGHT, 3),
        (Comparison(focus=0.5), SOFT, 3),
        (Comparison(contrast=0.7), SOFT, 5),
        (Comparison(focus=0.84), SOFT, 20),
    ],
)
def test_trouble_comes_soon_names_itself_and_goes_when_mended(
    found: Comparison, code: str, most: int
) -> None:
    """After a clean stretch, with its next step in words; then clean again."""
    watch = CameraWatch()
    assert told(watch, GOOD, 50) == 51
    assert told(watch, found) <= most
    assert [trouble.code for trouble in watch.troubles] == [code]
    assert "must " in watch.trouble
    assert "; " in watch.trouble
    assert told(watch, found, 30) == 31
    assert told(watch, GOOD) <= 10
    assert watch.trouble == ""


def test_a_hand_before_the_camera_is_no_trouble() -> None:
    """Two comparisons of whatever kind, among good ones; softness waits for its sum."""
    watch = CameraWatch()
    for _ in range(KEPT):
        watch.note(GOOD)
    for hand in (Comparison(40, 0, 0, 0.2, 3.0), Comparison(40, 0, 0, 0.2, 3.0)):
        watch.note(hand)
        assert watch.trouble == ""


@pytest.mark.parametrize("name", ["moved_px", "light"])
def test_what_stands_at_a_limit_does_not_come_and_go(name: str) -> None:
    """Once told, trouble stays until the figure is well below the limit."""
    at = {"moved_px": (10.2, 9.0), "light": (0.65, 0.7)}[name]
    watch, changes, before = CameraWatch(), 0, False
    for count in range(40):
        watch.note(dataclasses.replace(GOOD, **{name: at[count // 5 % 2]}))
        changes += bool(watch.trouble) != before
        before = bool(watch.trouble)
    assert changes == 1


def test_a_slow_fog_is_found_before_the_share_that_may_fall_is_gone_far() -> None:
    """One percent in 40 comparisons: the sum tells it at less than 30 percent."""
    watch = CameraWatch()
    for count in range(4000):
        watch.note(Comparison(contrast=1 - count / 4000))
        if watch.trouble:
            break
    assert 0.70 < 1 - count / 4000 < 0.87


def test_no_false_alarm_in_a_long_clean_shift() -> None:
    """With the spread up to which the limit was chosen, and a camera on a shaking frame."""
    chance = np.random.default_rng(5)
    watch = CameraWatch()
    for focus, contrast, moved, light in chance.normal(size=(20_000, 4)):
        found = Comparison(
            moved_px=abs(2 * moved),
            light=math.exp(0.05 * light),
            bright=math.exp(0.05 * light),
            focus=math.exp(MOST_SPREAD * focus),
            contrast=math.exp(MOST_SPREAD * contrast),
        )
        watch.note(found)
        assert watch.trouble == ""


def test_run_length_is_that_of_a_simulated_sum() -> None:
    """Siegmund's approximation beside the sum itself, at a spread where alarms are not rare."""
    spread, chance, lengths = 0.35, np.random.default_rng(6), []
    for _ in range(60):
        watch, count = CameraWatch(), 0
        while not watch.trouble and count < 20_000:
            watch.note(Comparison(focus=math.exp(spread * chance.normal())))
            count += 1
        lengths.append(count)
    assert np.mean(lengths) == pytest.approx(run_length(0.25, spread), rel=0.5)
    assert run_length(0.25, MOST_SPREAD) > 1e7


def test_softness_hides_no_place_and_is_not_called_a_move() -> None:
    """What is too soft to be found again has not moved."""
    watch = CameraWatch()
    for _ in range(10):
        watch.note(Comparison(focus=0.2, known=0.1))
    assert [trouble.code for trouble in watch.troubles] == [SOFT]


def test_another_reference_begins_anew() -> None:
    """Trouble of the old one is forgotten."""
    watch = CameraWatch()
    for _ in range(10):
        watch.note(Comparison(moved_px=99, focus=0.3))
    watch.forget()
    assert watch.troubles == ()
