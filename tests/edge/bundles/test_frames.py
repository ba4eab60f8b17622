"""Golden frames are judged as items are; what differs is said, frame by frame."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from edge.bundles.frames import FrameSet, GoldenFrames, frames_in, judge_frames
from edge.bundles.reading import read_unverified
from edge.deciding.rules import Rules, rules_of
from edge.decision import Box, Finding, Verdict
from edge.errors import BundleError
from edge.sections.decision import DecisionSettings
from edge.vision.localizer import Localizer
from tests.tiny_bundle import parts, write_tiny_bundle
from tests.tiny_model import CONTRACT, build, write_tiny_model

pytest.importorskip("cryptography", reason="a bundle is signed by the library cryptography")


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle's files, which nobody writes to."""
    folder = tmp_path_factory.mktemp("unpacked")
    read_unverified(write_tiny_bundle(folder / "b")).unpack(folder / "out")
    return folder / "out"


def rules(settings: DecisionSettings | None = None) -> Rules:
    """The rules for the tiny model."""
    return rules_of(settings or DecisionSettings(), CONTRACT.classes, CONTRACT.threshold)


def test_the_right_model_gives_the_right_verdicts(unpacked: Path) -> None:
    """From the folder and from the bundle itself."""
    localizer, frames = Localizer(unpacked / "model.onnx"), frames_in(unpacked)
    assert judge_frames(localizer, frames, rules()) == []
    shown = {(frame.shows, frame.verdict) for frame in frames.wanted.frames}
    assert shown == {
        ("stamped", "pass"),
        ("unstamped", "reject"),
        ("look-alike", "reject"),
        ("border", "pass"),
        ("border", "reject"),
    }


def test_another_model_differs(unpacked: Path, tmp_path: Path) -> None:
    """One that scores a little otherwise, and one that passes what it must not."""
    frames = frames_in(unpacked)
    other = dataclasses.replace(CONTRACT, threshold=0.3)
    passing = Localizer(write_tiny_model(tmp_path / "a.onnx", other))
    lax = rules_of(DecisionSettings(), CONTRACT.classes, 0.3)
    told = judge_frames(passing, frames, lax)
    assert len(told) == 2
    assert all(
        "(border): the verdict is pass" in line and "must be reject" in line for line in told
    )
    graph = build(CONTRACT)
    mean = next(i for i in graph.graph.initializer if i.name == "mean")
    mean.raw_data = np.full((1, 1, 8, 8), 0.95 / 64, np.float32).tobytes()
    weak = Localizer.unproven(tmp_path / "b.onnx", graph.SerializeToString(), CONTRACT)
    assert any("it lacks dot 1.000" in line for line in judge_frames(weak, frames, rules()))


def test_other_rules_differ(unpacked: Path) -> None:
    """A region without the mark rejects what must pass."""
    corner = ((0.0, 0.0), (16.0, 0.0), (16.0, 16.0), (0.0, 16.0))
    localizer, frames = Localizer(unpacked / "model.onnx"), frames_in(unpacked)
    told = judge_frames(localizer, frames, rules(DecisionSettings(region=corner)))
    assert [line for line in told if "(stamped): the verdict is reject" in line]


def test_a_frame_that_cannot_be_judged_is_a_difference(unpacked: Path) -> None:
    """It is no PNG, of another size, or gone; the others are judged all the same."""
    localizer, frames = Localizer(unpacked / "model.onnx"), frames_in(unpacked)
    whole = [(unpacked / frame.name).read_bytes() for frame in frames.wanted.frames]
    large = parts().golden

    def read(name: str) -> bytes:
        number = int(name[7:9])
        if number == 2:
            raise BundleError("it is gone; unpack it again")
        return b"GIF89a" if number == 0 else whole[number]

    told = judge_frames(localizer, GoldenFrames(large, read), rules())
    assert [line[:9] for line in told] == ["frames/00", "frames/02"]
    other = dataclasses.replace(large, size=(640, 480))
    told = judge_frames(localizer, GoldenFrames(other, lambda name: whole[int(name[7:9])]), rules())
    assert len(told) == 16
    assert "640 x 480 pixels, not 64 x 64" in told[0]


def test_the_text_comes_back() -> None:
    """With every verdict, finding and near miss."""
    golden = parts().golden
    assert FrameSet.from_json(golden.to_json()) == golden
    assert any(frame.near for frame in golden.frames)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"version": 2}, "of version 2"),
        ({"frames": []}, "16 to 64"),
        ({"score_gap": 0.5}, "between 0 and 0.1"),
        ({"box_gap": True}, "must be a number"),
        ({"size": [64]}, "a width and a height"),
        ({"more": 1}, "must have the fields"),
    ],
)
def test_another_text_is_refused(change: dict[str, object], told: str) -> None:
    """In words."""
    raw = json.loads(parts().golden.to_json())
    with pytest.raises(ValueError, match=told):
        FrameSet.from_json(json.dumps({**raw, **change}))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"name": "../x.png"}, "no name of a golden frame"),
        ({"verdict": "fault"}, "must be pass or reject"),
        ({"shows": "a cat"}, "shows must be one of"),
        ({"code": "x y"}, "code must be one word"),
        ({"findings": [{"label": "dot"}]}, "must have the fields"),
        ({"near": {"label": "dot", "score": 2, "box": [0, 0, 1, 1]}}, "between 0 and 1"),
    ],
)
def test_another_frame_is_refused(change: dict[str, object], told: str) -> None:
    """In words."""
    raw = json.loads(parts().golden.to_json())
    raw["frames"][0].update(change)
    with pytest.raises(ValueError, match=told):
        FrameSet.from_json(json.dumps(raw))


def test_a_near_miss_counts_within_the_tolerance() -> None:
    """One of next to nothing may be there or not; a clear one may not."""
    golden = parts().golden
    frame = next(frame for frame in golden.frames if frame.shows == "unstamped")

    def given(score: float) -> Verdict:
        near = Finding("dot", score, Box(0, 0, 24, 24))
        return Verdict("reject", "no dot found", (), frame.code, near)

    assert golden.difference(frame, given(0.01)) == ""
    assert "near miss" in golden.difference(frame, given(0.2))
