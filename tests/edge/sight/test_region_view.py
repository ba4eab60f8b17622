from pathlib import Path

import numpy as np
import pytest

from edge.deciding.classes import Classes
from edge.deciding.region import Region
from edge.deciding.rules import Rules, rules_of
from edge.decision import Finding
from edge.errors import FrameError
from edge.sections.decision import DecisionSettings
from edge.sight.inspector import Inspector
from edge.sight.region_view import RegionView
from edge.vision.golden import GoldenPicture
from edge.vision.localizer import Localizer, Stopper
from edge.vision.preprocess import FILL, Frame
from tests.tiny_model import paint, write_tiny_model

DOT = Classes(frozenset({"dot"}))
WEDGE = Region(((8.0, 8.0), (40.0, 8.0), (8.0, 40.0)))


class Shown(Localizer):
    """Keeps what it was shown."""

    def find(
        self,
        frame: Frame,
        min_score: float | None = None,
        *,
        near: bool = False,
        stopper: Stopper | None = None,
    ) -> tuple[Finding, ...]:
        """Keep it, then look."""
        self.shown = frame.copy()
        return super().find(frame, min_score, near=near, stopper=stopper)


@pytest.fixture
def localizer(tmp_path: Path) -> Shown:
    """The tiny model."""
    return Shown(write_tiny_model(tmp_path / "m.onnx"))


def test_what_is_outside_the_region_is_not_even_looked_at(localizer: Shown) -> None:
    """The rectangle alone is shown, and of another form the rest is grey; the frame stays."""
    frame = np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8)
    before = frame.copy()
    Inspector(localizer, Rules(DOT, rules().scores, region=WEDGE)).look(frame)
    assert np.array_equal(frame, before)
    assert localizer.shown.shape == (32, 32, 3)
    inside = np.add.outer(np.arange(32), np.arange(32)) < 31
    assert np.array_equal(localizer.shown[inside], frame[8:40, 8:40][inside])
    outside = np.add.outer(np.arange(32), np.arange(32)) > 33
    assert (localizer.shown[outside] == FILL).all()


def test_a_rectangle_is_cut_without_a_copy() -> None:
    """Which would cost what the region saves."""
    frame = paint({})
    part = RegionView(Region(((0, 0), (64, 0), (64, 32), (0, 32)))).cut(frame)
    assert np.shares_memory(part, frame)
    assert RegionView(None).cut(frame) is frame


def test_boxes_stay_in_camera_pixels(localizer: Shown) -> None:
    """Of the whole picture, wherever the region lies, and larger marks are found as such."""
    box = (32.0, 16.0, 64.0, 48.0)
    region = Region(((32, 16), (64, 16), (64, 48), (32, 48)))
    inspector = Inspector(localizer, Rules(DOT, rules().scores, region=region))
    (found,) = inspector.look(paint({"dot": [(40, 24)]}, side=16))[:1]
    assert box[0] <= found.box.x0 < found.box.x1 <= box[2]
    assert box[1] <= found.box.y0 < found.box.y1 <= box[3]
    assert found.score == pytest.approx(1.0, abs=0.1)


def test_a_frame_that_does_not_hold_the_region_cannot_be_judged(localizer: Shown) -> None:
    """It is a FAULT that names the picture, and no REJECT."""
    inspector = Inspector(localizer, Rules(DOT, rules().scores, region=WEDGE))
    with pytest.raises(FrameError, match="the region must lie in the picture of 39 x 64") as caught:
        inspector.inspect(paint({}, width=39), picture="camera 7")
    assert caught.value.picture == "camera 7"


def rules(**settings: object) -> Rules:
    """Rules of the tiny model."""
    return rules_of(DecisionSettings(**settings), ("dot",), 0.5)  # type: ignore[arg-type]


def test_the_best_below_the_threshold_is_found_however_low(localizer: Shown) -> None:
    """0.39 and 0.02 look no longer alike, and what is found is the same with and without it."""
    inspector = Inspector(localizer, rules())
    scores = []
    for side in (6, 5, 1, 0):
        verdict = inspector.inspect(paint({"dot": [(24, 24)]}, side=side))
        assert verdict.kind == ("pass" if side == 6 else "reject")
        scores.append(None if verdict.near is None else round(verdict.near.score, 3))
    assert scores == [None, 0.391, 0.016, None]
    frame = paint({"dot": [(24, 24), (48, 48)]})
    found = localizer.find(frame)
    assert localizer.find(frame, near=True)[: len(found)] == found


def test_golden_pictures_are_judged_by_the_contract_and_not_by_the_rules(localizer: Shown) -> None:
    """A region or a score of the line does not make a sound model wrong."""
    line = rules(region=((0.0, 0.0), (20.0, 0.0), (20.0, 20.0)), min_score=0.99, count=("3",))
    inspector = Inspector(localizer, line)
    assert localizer.golden.pictures
    picture: GoldenPicture
    for picture in localizer.golden.pictures:
        inspector.localizer.prove(picture)
