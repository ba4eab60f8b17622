"""The third domain: its marks are what their descriptions say, and its boxes lie on the ink."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from bench.domain.__main__ import main
from bench.domain.marks import MARKS
from bench.domain.printing import print_mark
from edge.decision import Box
from edge.vision.picture_files import read_picture
from train.labels.reading import read_ground_truth


def alike(one: np.ndarray, other: np.ndarray) -> float:
    """Return the share of ink that two masks have in common, of all that either has."""
    one, other = one > 127, other > 127
    return float((one & other).sum() / (one | other).sum())


def centred(mask: np.ndarray) -> np.ndarray:
    """Cut a mask to its ink, in the middle of a square."""
    y, x = np.nonzero(mask > 127)
    ink = mask[y.min() : y.max() + 1, x.min() : x.max() + 1]
    return cv2.resize(ink, (200, 200), interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize("name", ["shield", "warning", "quarters"])
def test_a_symmetric_mark_is_its_own_mirror_image(name: str) -> None:
    """Three marks do not change when they are mirrored."""
    ink = centred(MARKS[name]()[..., 3])
    assert alike(ink, ink[:, ::-1]) > 0.97


@pytest.mark.parametrize("name", ["word", "tick", "grey", "round", "sticker"])
def test_the_others_are_none(name: str) -> None:
    """The others do."""
    mark = MARKS[name]()
    ink = centred(mark[..., 3] if name != "sticker" else mark[..., 1])
    assert alike(ink, ink[:, ::-1]) < 0.9


def test_one_mark_is_its_own_quarter_turn() -> None:
    """The ring with four leaves is its own quarter turn; the shield is not."""
    ink = centred(MARKS["quarters"]()[..., 3])
    assert alike(ink, np.rot90(ink)) > 0.97
    shield = centred(MARKS["shield"]()[..., 3])
    assert alike(shield, np.rot90(shield)) < 0.8


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("name", ["shield", "word", "sticker"])
def test_the_box_is_that_of_the_ink(name: str, seed: int) -> None:
    """What changed on a plain ground lies in the box."""
    plain = np.full((300, 400, 3), 225, np.uint8)
    printed = print_mark(np.random.default_rng(seed), plain, MARKS[name]())
    changed = np.abs(printed.frame.astype(int) - plain).max(2) > 30
    y, x = np.nonzero(changed)
    ink = Box(x.min(), y.min(), x.max() + 1, y.max() + 1)
    assert ink.iou(printed.box) > 0.8


def test_ink_that_would_not_be_seen_gets_a_label_below_it() -> None:
    """Black on black is read all the same."""
    dark = np.full((300, 400, 3), 30, np.uint8)
    printed = print_mark(np.random.default_rng(1), dark, MARKS["word"]())
    x0, y0, x1, y1 = (round(side) for side in printed.box.corners())
    inside = printed.frame[y0:y1, x0:x1].mean(2)
    assert inside.max() - inside.min() > 120


def test_the_folders_are_read_as_any_test_set_is(tmp_path: Path) -> None:
    """The reader of labels takes what was written."""
    photographs = tmp_path / "photographs"
    photographs.mkdir()
    rng = np.random.default_rng(0)
    for number in range(4):
        pixels = rng.integers(150, 250, (120, 160, 3)).astype(np.uint8)
        cv2.imwrite(str(photographs / f"{number}.png"), pixels)
    out = tmp_path / "out"
    assert main(["--photographs", str(photographs), "--out", str(out), "--marks", "tick"]) == 0
    labels, read = read_ground_truth(
        out / "tick" / "labels.json", out / "tick" / "images", ("tick",)
    )
    assert len(labels.images) == len(labels.labels) == 2
    assert not read.unread
    assert len(list((out / "tick" / "negatives").iterdir())) == 2
    assert read_picture(out / "tick" / "mark.png").shape == (560, 640, 3)


def test_a_folder_that_is_there_is_not_written_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line says so, and the status is not 0."""
    assert main(["--photographs", str(tmp_path), "--out", str(tmp_path)]) == 1
    assert "is there already" in capsys.readouterr().err
