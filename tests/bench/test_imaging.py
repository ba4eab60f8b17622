"""The bench of spoilt pictures, with one scene and two steps: what it counts and says."""

import numpy as np
import pytest

from bench.imaging.__main__ import Row, falls, halved, main, missed
from bench.imaging.scenes import blurred


def test_kernels_keep_the_light_and_blur_by_their_size() -> None:
    """A point becomes a Gaussian, a disc or a line of that size."""
    point = np.zeros((64, 96, 3))
    point[32, 48] = 40_000
    spread = {}
    for kind in ("blur", "defocus", "shake"):
        seen = blurred(np.asarray(point), kind, 4, 0.0).astype(np.float64)[:, :, 0]
        spread[kind] = [int((seen.max(axis=axis) > 60).sum()) for axis in (0, 1)]
    assert spread["shake"][0] > 3 * spread["shake"][1]
    assert spread["defocus"] == [9, 9]


def rows(focus: list[float], failed: list[bool], found: list[int]) -> list[Row]:
    """Make rows of one scene."""
    made = [Row(size) for size in (0, 1, 4)]
    for row, sharp, bad, seen in zip(made, focus, failed, found, strict=True):
        row.focus, row.failed, row.found = [sharp], [bad], [seen]
    return made


def test_the_three_claims_are_counted() -> None:
    """Focus that does not fall, is not halved, or recall that is lost unseen."""
    good = rows([10, 8, 4], [False, False, True], [2, 2, 0])
    assert (falls(good), halved(good), missed(good)) == (1, 1, [])
    bad = rows([10, 10, 6], [False, False, False], [2, 2, 1])
    assert (falls(bad), halved(bad), [row.size for row in missed(bad)]) == (0, 0, [4])


def test_one_scene_is_measured_and_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole way on one packaged picture; a model is loaded, and five pictures are judged."""
    monkeypatch.setattr("bench.imaging.__main__.SIZES", (0, 4))
    assert main(["--scenes", "1", "--kinds", "blur"]) == 0
    said = capsys.readouterr().out
    assert "focus falls with every step on 1 of 1 scenes" in said
    assert "1 of 1" in said.splitlines()[-4]
