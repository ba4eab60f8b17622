from pathlib import Path

import pytest

from edge.clock import SimulatedClock
from edge.errors import ModelError
from edge.vision.golden import GoldenPicture
from edge.vision.idle_proof import IdleProof
from edge.vision.localizer import Localizer
from tests.tiny_model import write_tiny_model

SECOND = 10**9


class Counted(Localizer):
    """Counts the golden pictures that it is asked to judge; one of them may go wrong."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.judged, self.wrong = list[str](), ""

    def prove(self, picture: GoldenPicture) -> None:
        """Count, then judge."""
        if hasattr(self, "judged"):
            self.judged.append(picture.name)
            if picture.name == self.wrong:
                raise ModelError("golden picture")
        super().prove(picture)


@pytest.fixture
def localizer(tmp_path: Path) -> Counted:
    """The tiny model, counted."""
    return Counted(write_tiny_model(tmp_path / "m.onnx"))


def test_each_idle_hour_every_golden_picture_is_judged_once_one_a_tick(localizer: Counted) -> None:
    """An item that comes meanwhile waits for one picture at most."""
    clock = SimulatedClock()
    proof, names = IdleProof(localizer, clock, 3600), ["marks", "no mark", "near miss"]
    clock.sleep_until(3599 * SECOND)
    proof.step()
    assert localizer.judged == []
    clock.sleep_until(3600 * SECOND)
    for count in (1, 2, 3, 3, 3):
        proof.step()
        assert localizer.judged == names[:count]
    clock.sleep_until(7200 * SECOND)
    proof.step()
    assert localizer.judged == [*names, "marks"]


def test_a_wrong_answer_says_since_when_passes_are_in_doubt(localizer: Counted) -> None:
    """Whoever reads it must know which items to look at again."""
    clock = SimulatedClock()
    proof = IdleProof(localizer, clock, 60)
    localizer.wrong = "no mark"
    clock.sleep_until(90 * 60 * SECOND)
    proof.step()
    with pytest.raises(ModelError, match=r"passed in the last 90 minutes, .* is in doubt"):
        proof.step()
