"""Golden frames are clear ones and border cases, never one that another processor could turn."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from edge.deciding.rules import rules_of
from edge.errors import InputError
from edge.sections.decision import DecisionSettings
from edge.sight.inspector import Inspector
from edge.vision.localizer import Localizer
from edge.vision.preprocess import Frame
from export.bundling.golden import Candidate, choose_frames
from tests.tiny_model import CONTRACT, GREY, paint, sealed


def inspector(settings: DecisionSettings | None = None) -> Inspector:
    """The tiny model, from score 0.5 on."""
    localizer = Localizer.unproven(Path("tiny.onnx"), sealed(CONTRACT), CONTRACT)
    rules = rules_of(settings or DecisionSettings(), CONTRACT.classes, CONTRACT.threshold)
    return Inspector(localizer, rules)


def dot(rows: int) -> Frame:
    """A dot of which so many eighths are there: that is its score."""
    frame = paint({"dot": [(24, 24)]})
    frame[24 + rows :] = GREY
    return frame


def candidates() -> Iterator[Candidate]:
    """Marks of each score, four times; look-alikes that score up to 0.25; and nothing."""
    for again in range(4):
        for rows in range(1, 9):
            yield Candidate("stamped", partial(dot, rows))
        yield Candidate("unstamped", lambda: paint({}))
        rows = again % 3
        yield Candidate("look-alike", partial(dot, rows))


def test_the_choice_is_clear_and_near() -> None:
    """Half of the border cases pass; the hardest look-alikes are taken, and the clearest marks."""
    chosen = choose_frames(inspector(), candidates())
    scores = dict[str, list[float]]()
    for frame in chosen.golden.frames:
        best = [*frame.findings, *([frame.near] if frame.near else [])]
        scores.setdefault(frame.shows, []).append(best[0].score if best else 0.0)
    assert {shows: sorted(each) for shows, each in scores.items()} == {
        "border": [0.375, 0.375, 0.625, 0.625],
        "stamped": [1.0, 1.0, 1.0, 1.0],
        "unstamped": [0.0, 0.0, 0.0, 0.0],
        "look-alike": [0.0, 0.0, 0.125, 0.25],
    }
    verdicts = [f.verdict for f in chosen.golden.frames if f.shows == "border"]
    assert sorted(verdicts) == ["pass", "pass", "reject", "reject"]
    assert chosen.words == "stamped: 20 pass, 12 reject; unstamped: 4 reject; look-alike: 4 reject"
    assert chosen.files.keys() == {frame.name for frame in chosen.golden.frames}


def test_the_choice_is_the_same_each_time() -> None:
    """Two bundles of one model have the same golden frames."""
    one, other = (choose_frames(inspector(), candidates()) for _ in range(2))
    assert (one.golden, one.files) == (other.golden, other.files)


def test_a_no_call_band_keeps_its_distance_too() -> None:
    """No score lies within 0.05 of where the band begins, nor of where it ends."""
    banded = inspector(DecisionSettings(min_score=0.6, no_call_from=0.4))
    for frame in choose_frames(banded, candidates()).golden.frames:
        for finding in (*frame.findings, *([frame.near] if frame.near else [])):
            assert min(abs(finding.score - bound) for bound in (0.4, 0.6)) >= 0.05


def test_a_painted_look_alike_that_passes_is_counted_and_not_taken() -> None:
    """What must be given is never an error of the model."""
    wrong = [Candidate("look-alike", lambda: dot(8)) for _ in range(4)]
    chosen = choose_frames(inspector(), [*wrong, *candidates()])
    assert "look-alike: 4 pass, 4 reject" in chosen.words
    assert all(f.verdict == "reject" for f in chosen.golden.frames if f.shows == "look-alike")


def test_too_few_of_a_kind_are_made_up_by_others() -> None:
    """Sixteen there are, or none."""
    marks = [Candidate("stamped", partial(dot, rows)) for rows in (8, 7) * 6]
    bare = [Candidate("unstamped", lambda: paint({})) for _ in range(4)]
    assert len(choose_frames(inspector(), [*marks, *bare]).golden.frames) == 16
    with pytest.raises(InputError, match="and 15 are fit"):
        choose_frames(inspector(), [*marks, *bare[1:]])
    with pytest.raises(InputError, match="some that pass and some that are rejected"):
        choose_frames(inspector(), bare * 5)


def test_photographs_are_taken_besides() -> None:
    """All of them that are fit, up to 64 frames; one near the threshold is left out."""
    mine = [Candidate("stamped", lambda: dot(8), f"{n}.png") for n in range(5)]
    near = Candidate("stamped", lambda: dot(4), "near.png")
    chosen = choose_frames(inspector(), candidates(), [*mine, near])
    assert len(chosen.golden.frames) == 16 + len(mine)
    assert len(choose_frames(inspector(), candidates(), mine * 20).golden.frames) == 64
