"""``stampgate harvest``: from a box's judged items to labels that training takes."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from edge.vision.harvest_note import HarvestNote, harvest_fields
from export.__main__ import main
from tests.edge.review.journals import BERT
from tests.train.harvest.box import BASIS_BOX, arguments, judge, line_of, take_back
from train.config import RunConfig
from train.harvest.note_file import note_in, read_note, write_note
from train.labels.reading import read_real

Capture = pytest.CaptureFixture[str]
PASS, MISS, BLIND = ("pass", 0.9), ("reject", 0.3), ("reject", 0.01)


def labels(folder: Path, name: str = "labels.json") -> dict[str, Any]:
    """Return what a file of the harvest says: its pictures' names, and each one's boxes."""
    raw = json.loads((folder / "out" / name).read_text())
    boxes: dict[str, Any] = {one["file_name"]: [] for one in raw["images"]}
    names = {one["id"]: one["file_name"] for one in raw["images"]}
    for one in raw["annotations"]:
        boxes[names[one["image_id"]]].append((one["bbox"], one["ignore"]))
    return boxes


def test_judged_items_become_labels_that_training_reads(tmp_path: Path, capsys: Capture) -> None:
    """Judged items become labels that training reads."""
    line_of(tmp_path, ((PASS, MISS, MISS, BLIND, PASS),))
    judge(tmp_path, (1, "bad"), (2, "good"), (3, "bad"), (4, "good"), (5, "unsure"))
    assert main(arguments(tmp_path, "--product", "milk")) == 0
    said = capsys.readouterr().out
    assert "4 judged items with a picture, 3 of them judged wrongly" in said
    assert "left out: 1: unsure" in said
    x0, y0, x1, y1 = BASIS_BOX
    group = "milk-2026-01-02"
    assert labels(tmp_path) == {
        f"{group}/item-000000001.jpg": [],
        f"{group}/item-000000002.jpg": [([x0, y0, x1 - x0, y1 - y0], False)],
        f"{group}/item-000000003.jpg": [],
    }
    assert list(labels(tmp_path, "to-label.json")) == [f"{group}/item-000000004.jpg"]
    out = tmp_path / "out"
    real = read_real(out / "labels.json", out / "images", ("seal",), print)
    assert [len(one.boxes) for one in real] == [0, 1, 0]


def test_pictures_are_copied_byte_for_byte_and_again_gives_the_same(tmp_path: Path) -> None:
    """Pictures are copied byte for byte and again gives the same."""
    line_of(tmp_path, ((PASS, MISS), (PASS, MISS)))
    judge(tmp_path, (1, "good"), (2, "good"), (3, "bad"), (4, "bad"))
    assert main(arguments(tmp_path)) == 0
    files = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert main(arguments(tmp_path)) == 0
    assert all(path.read_bytes() == content for path, content in files.items())
    kept = {hashlib.sha256(p.read_bytes()).digest() for p in (tmp_path / "evidence").iterdir()}
    copied = {hashlib.sha256(content).digest() for path, content in files.items()
              if path.suffix == ".jpg"}  # fmt: skip
    assert copied == kept


def test_whole_days_are_held_out(tmp_path: Path) -> None:
    """Whole days are held out."""
    line_of(tmp_path, tuple(((PASS, MISS),) * 4))
    judge(tmp_path, *((item, "good") for item in range(1, 9)))
    assert main(arguments(tmp_path)) == 0
    days = [
        {name.partition("/")[0] for name in labels(tmp_path, file)}
        for file in ("labels.json", "held-out.json")
    ]
    assert not days[0] & days[1]
    assert len(days[0] | days[1]) == 4
    assert days[1]


def test_the_last_word_of_each_counts_and_disagreement_leaves_out(
    tmp_path: Path, capsys: Capture
) -> None:
    """The last word of each counts and disagreement leaves out."""
    line_of(tmp_path, ((MISS, MISS, MISS),))
    judge(tmp_path, (1, "bad"), (2, "good"), (3, "good"))
    judge(tmp_path, (1, "good"))
    judge(tmp_path, (2, "bad"), (3, "good"), who=BERT)
    assert main(arguments(tmp_path)) == 0
    assert "left out: 1: reviewers disagree" in capsys.readouterr().out
    assert [len(boxes) for boxes in labels(tmp_path).values()] == [1, 1]


def test_what_was_taken_back_is_not_harvested(tmp_path: Path, capsys: Capture) -> None:
    """What was taken back is not harvested."""
    line_of(tmp_path, ((MISS, MISS),))
    judge(tmp_path, (1, "good"), (2, "good"))
    take_back(tmp_path)
    assert main(arguments(tmp_path)) == 0
    assert "1 judged items" in capsys.readouterr().out


@pytest.mark.parametrize("damage", ["altered", "gone"])
def test_a_picture_that_is_not_as_recorded_is_left_out(
    tmp_path: Path, capsys: Capture, damage: str
) -> None:
    """A picture that is not as recorded is left out."""
    line_of(tmp_path, ((MISS, MISS),))
    judge(tmp_path, (1, "good"), (2, "good"))
    path = tmp_path / "evidence" / "000000001-000000001-reject.jpg"
    path.unlink()
    if damage == "altered":
        path.write_bytes((tmp_path / "evidence" / "000000002-000000002-reject.jpg").read_bytes())
    assert main(arguments(tmp_path)) == 0
    assert f"left out: 1: picture: {damage}" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["journal.jsonl", "review/audit.jsonl"])
def test_a_broken_chain_is_refused_and_nothing_is_written(
    tmp_path: Path, capsys: Capture, name: str
) -> None:
    """A broken chain is refused and nothing is written."""
    line_of(tmp_path, ((MISS, MISS),))
    judge(tmp_path, (1, "good"), (2, "good"))
    path = tmp_path / name
    path.write_bytes(path.read_bytes().replace(b"0.3", b"0.4").replace(b'"good"', b'"bad"'))
    assert main(arguments(tmp_path)) == 1
    said = capsys.readouterr().err
    assert len(said.strip().splitlines()) == 1
    assert path.name in said
    assert not (tmp_path / "out").exists()


def test_nothing_judged_is_said_in_one_line(tmp_path: Path, capsys: Capture) -> None:
    """Nothing judged is said in one line."""
    line_of(tmp_path, ((MISS,),))
    judge(tmp_path)
    assert main(arguments(tmp_path)) == 1
    assert "No such file" in capsys.readouterr().err
    judge(tmp_path, (1, "good"))
    take_back(tmp_path)
    assert main(arguments(tmp_path)) == 1
    assert "holds no judgement" in capsys.readouterr().err


@pytest.mark.parametrize("given", [("--product", "a/b"), ("--held-out-share", "0.9")])
def test_what_cannot_be_is_refused(tmp_path: Path, given: tuple[str, str]) -> None:
    """What cannot be is refused."""
    line_of(tmp_path, ((MISS,),))
    judge(tmp_path, (1, "good"))
    assert main(arguments(tmp_path, *given)) == 2


def test_the_note_travels_from_the_labels_to_the_start_record(tmp_path: Path) -> None:
    """The note travels from the labels to the start record."""
    line_of(tmp_path, ((MISS, MISS),))
    judge(tmp_path, (1, "good"), (2, "bad"))
    assert main(arguments(tmp_path)) == 0
    note = note_in(tmp_path / "out" / "labels.json")
    listed = (tmp_path / "out" / "harvest.json").read_bytes()
    assert note == HarvestNote(hashlib.sha256(listed).hexdigest(), 2, 1, 2)
    run = tmp_path / "run"
    run.mkdir()
    write_note(RunConfig((), "", real=(str(tmp_path / "out" / "labels.json"), "")), run)
    assert read_note(run) == note
    assert note is not None
    assert harvest_fields({"stampgate.harvest": note.to_json()}) == {"harvest": note.as_object()}


def test_a_note_that_cannot_be_read_keeps_no_box_from_judging() -> None:
    """A note that cannot be read keeps no box from judging."""
    assert "unread" in harvest_fields({"stampgate.harvest": "{"})["harvest"]
