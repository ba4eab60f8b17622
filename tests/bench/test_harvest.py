"""The bench of corrections: its items, its camera, and what its reviewer says."""

from pathlib import Path

import numpy as np
from PIL import Image

from bench.harvest import REVIEWER, correct, other_camera, write_items
from edge.review.judgements import read_judgements
from tests.edge.review.journals import config_in
from tests.train.harvest.box import line_of


def test_each_photograph_gives_an_item_with_and_one_without_the_stamp(tmp_path: Path) -> None:
    """The same ones each time; the camera shows less contrast than there was."""
    photograph = tmp_path / "box.png"
    Image.fromarray(np.full((300, 400, 3), 235, np.uint8)).save(photograph)
    for name in ("a", "b"):
        write_items([photograph], tmp_path / name, 3)
    first, second = (sorted((tmp_path / name).iterdir()) for name in ("a", "b"))
    assert [path.name for path in first] == ["0000-stamped.jpg", "0000-without.jpg"]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    frame = np.zeros((40, 40, 3), np.uint8)
    frame[:20] = 250
    shown = other_camera(np.random.default_rng(0), frame).astype(float)
    assert 0 < shown[:15].mean() - shown[25:].mean() < 0.6 * 250


def test_the_reviewer_corrects_what_the_box_got_wrong(tmp_path: Path) -> None:
    """By the truth in the pictures' names: here no item bears a stamp."""
    line_of(tmp_path, ((("pass", 0.9), ("reject", 0.3), ("pass", 0.8)),))
    assert correct(config_in(tmp_path)) == 2
    said = read_judgements(tmp_path / "review" / "audit.jsonl")
    assert {item: one.judgement for item, one in said.items()} == {1: "bad", 3: "bad"}
    assert {one.by for one in said.values()} == {REVIEWER.name}
