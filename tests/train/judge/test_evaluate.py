import json
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from edge.decision import Finding
from edge.errors import AnswerError, InputError
from edge.rates.bounds import Rate
from edge.vision.localizer import Localizer
from edge.vision.preprocess import Frame
from tests.tiny_model import CONTRACT, SIZE, paint, save, two_classes, write_tiny_model
from train.commands import evaluate as command
from train.judge.evaluate import (
    LOWEST_SCORE,
    Evaluation,
    ModelOutput,
    as_json,
    as_text,
    evaluate,
    judge,
    run_model,
)
from train.judge.worst_sheet import SHOWN, Case, Kind, cases, choose, worst_sheet

BOX = 24
"""The tiny model's boxes are 24 x 24 about the middle of an 8 x 8 cell."""


class Set:
    """A labelled set painted into a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.images, self.annotations = (
            folder,
            list[dict[str, Any]](),
            list[dict[str, Any]](),
        )
        for name in ("images", "negatives"):
            (folder / name).mkdir()

    def add(
        self, *cells: tuple[int, int], hidden: tuple[int, int] | None = None, **extra: object
    ) -> None:
        """Add an image with a dot in each cell (column, row), labelled with the tiny model's box.

        *hidden*: a cell that is labelled though nothing is painted there.
        """
        number = len(self.images) + 1
        self.images.append({"id": number, "file_name": f"{number}.png"})
        save(
            self.folder / "images" / f"{number}.png",
            paint({"dot": [(x * 8, y * 8) for x, y in cells]}),
        )
        for x, y in (*cells, *([hidden] if hidden else [])):
            box = [x * 8 + 4 - BOX / 2, y * 8 + 4 - BOX / 2, BOX, BOX]
            self.annotations.append({"image_id": number, "category_id": 1, "bbox": box, **extra})

    def negative(self, *dots: tuple[int, int], strength: float = 1.0) -> None:
        """A picture without a label, with dots that fool the model as strongly as said."""
        picture: NDArray[np.uint8] = paint({"dot": [(x * 8, y * 8) for x, y in dots]})
        grey = paint({})
        mixed = (grey + strength * (picture.astype(float) - grey)).round().astype(np.uint8)
        save(
            self.folder / "negatives" / f"{len(list((self.folder / 'negatives').iterdir()))}.png",
            mixed,
        )

    def evaluate(self, categories: tuple[str, ...] = ("badge",)) -> Evaluation:
        """Write the labels and measure the tiny model on them."""
        output = self.detect(categories)
        return judge(output.name, output.labels, output.detections, output.threshold)

    def detect(self, categories: tuple[str, ...] = ("badge",)) -> ModelOutput:
        """Write the labels and let the tiny model look."""
        labels = self.folder / "labels.json"
        named = [{"id": index, "name": name} for index, name in enumerate(categories, start=1)]
        labels.write_text(
            json.dumps(
                {"images": self.images, "annotations": self.annotations, "categories": named}
            )
        )
        model = write_tiny_model(
            self.folder / "m.onnx", CONTRACT if len(categories) == 1 else two_classes()
        )
        negatives = self.folder / "negatives"
        return run_model(
            model, labels, self.folder / "images", negatives if any(negatives.iterdir()) else None
        )


def test_a_perfect_model_gets_perfect_figures(tmp_path: Path) -> None:
    """Every dot found where it is, nothing found elsewhere."""
    photographs = Set(tmp_path)
    photographs.add((3, 3))
    photographs.add((2, 2), (5, 5))
    for _ in range(4):
        photographs.negative()
    result = photographs.evaluate()
    (group,) = result.groups
    assert (group.boxes, group.ap50, group.ap50_95) == (3, 1.0, 1.0)
    assert [recall.recall for recall in group.recalls] == [1.0, 1.0, 1.0]
    assert (group.median_iou, group.located) == (1.0, 3)
    assert (result.false_accepts.errors, result.false_accepts.items) == (0, 4)
    assert (result.false_rejects.errors, result.false_rejects.items, result.misplaced) == (0, 2, 0)


def test_false_accepts_and_false_rejects_are_counted_by_picture(tmp_path: Path) -> None:
    """Two dots in one negative are one false accept; a missed mark is one false reject."""
    photographs = Set(tmp_path)
    photographs.add((3, 3))
    photographs.add(hidden=(4, 4))
    photographs.negative((2, 2), (5, 5))
    photographs.negative()
    result = photographs.evaluate()
    assert (result.false_accepts.errors, result.false_accepts.items) == (1, 2)
    assert (result.false_rejects.errors, result.false_rejects.items) == (1, 2)


def test_a_picture_without_an_answer_is_rejected_as_on_the_box(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is named, and the others are measured all the same."""
    photographs = Set(tmp_path)
    photographs.add((3, 3))
    photographs.add((2, 2))
    find = Localizer.find

    def dumb(self: Localizer, frame: Frame, min_score: float | None = None) -> tuple[Finding, ...]:
        if min_score == LOWEST_SCORE and frame[3 * 8, 3 * 8, 1] == 0:
            raise AnswerError("no answer")
        return find(self, frame, min_score)

    monkeypatch.setattr(Localizer, "find", dumb)
    result = photographs.evaluate()
    assert (result.false_rejects.errors, result.false_rejects.items) == (1, 2)
    assert ".png: no answer" in capsys.readouterr().err


def test_recall_at_k_false_accepts_moves_the_score_to_beat(tmp_path: Path) -> None:
    """One negative scores as high as a mark: with none allowed no mark is found, with one all."""
    photographs = Set(tmp_path)
    photographs.add((3, 3))
    photographs.negative((4, 4))
    for _ in range(5):
        photographs.negative((4, 4), strength=0.5)
    (group,) = photographs.evaluate().groups
    assert [(recall.false_accepts, recall.found) for recall in group.recalls] == [
        (0, 0),
        (1, 1),
        (3, 1),
    ]


def test_an_ignored_box_neither_rewards_nor_punishes(tmp_path: Path) -> None:
    """Found or not, the figures are those of the others; its picture alone is no item."""
    photographs = Set(tmp_path)
    photographs.add((3, 3))
    photographs.add((2, 2), hidden=(5, 5), ignore=True)
    photographs.negative()
    result = photographs.evaluate()
    assert (result.groups[0].boxes, result.groups[0].ap50) == (1, 1.0)
    assert (result.false_rejects.items, result.false_accepts.items) == (1, 1)


def test_only_main_boxes_count_for_the_recall(tmp_path: Path) -> None:
    """A missed badge on a pack in the back lowers AP, not the recall of the pack shown."""
    photographs = Set(tmp_path)
    photographs.add((3, 3), main=True)
    photographs.add(hidden=(5, 5), main=False)
    photographs.negative()
    (group,) = photographs.evaluate().groups
    assert group.recalls[0].boxes == 1
    assert group.recalls[0].recall == 1.0
    assert group.ap50 == pytest.approx(0.5, abs=0.01)


def test_each_variant_is_judged_apart(tmp_path: Path) -> None:
    """One look is found, the other not; neither spoils the other's figure."""
    photographs = Set(tmp_path)
    photographs.add((3, 3), variant="rim")
    photographs.add(hidden=(5, 5), variant="flap")
    photographs.negative()
    result = photographs.evaluate()
    assert [(group.name, group.boxes, group.recalls[0].recall) for group in result.groups] == [
        ("all", 2, 0.5),
        ("flap", 1, 0.0),
        ("rim", 1, 1.0),
    ]


def test_a_labelled_picture_without_any_box_is_a_negative(tmp_path: Path) -> None:
    """Present in the set, empty by label: what is found there is a false accept."""
    photographs = Set(tmp_path)
    photographs.add((3, 3))
    photographs.add()
    save(tmp_path / "images" / "2.png", paint({"dot": [(8, 8)]}))
    photographs.negative()
    result = photographs.evaluate()
    assert (result.false_accepts.errors, result.false_accepts.items) == (1, 2)


def test_a_pass_for_the_wrong_reason_is_told(tmp_path: Path) -> None:
    """The mark is missed and clutter is taken for it: the item passes, but is not found."""
    photographs = Set(tmp_path)
    photographs.add(hidden=(1, 1))
    save(tmp_path / "images" / "1.png", paint({"dot": [(40, 40)]}))
    photographs.negative()
    result = photographs.evaluate()
    assert (result.false_rejects.errors, result.misplaced) == (0, 1)


def test_the_text_and_the_json_tell_the_same(tmp_path: Path) -> None:
    """And the JSON holds no NaN, which is no JSON."""
    photographs = Set(tmp_path)
    photographs.add(hidden=(3, 3))
    photographs.negative()
    result = photographs.evaluate()
    raw = json.loads(as_json(result), parse_constant=pytest.fail)
    assert raw["groups"][0]["median_iou"] is None
    assert raw["false_rejects"]["errors"] == 1
    assert "false rejects 1 of 1" in as_text(result)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[]", "must hold a JSON object"),
        ("{", "cannot be read as JSON"),
        ('{"images": []}', "not in COCO layout"),
        (
            '{"images": [{"id": 1, "file_name": "x.png"}], "annotations": [], "categories": []}',
            "names x.png",
        ),
    ],
)
def test_wrong_labels_are_refused_in_one_line(tmp_path: Path, content: str, words: str) -> None:
    """Each names the file."""
    labels = tmp_path / "labels.json"
    labels.write_text(content)
    with pytest.raises(InputError) as caught:
        evaluate(write_tiny_model(tmp_path / "m.onnx"), labels, tmp_path, None)
    assert words in str(caught.value)
    assert str(labels) in str(caught.value)
    assert SIZE == 64


def test_a_category_that_the_model_does_not_know_is_refused(tmp_path: Path) -> None:
    """With one name on each side they are taken for the same; with more they must match."""
    photographs = Set(tmp_path)
    photographs.add((3, 3))
    photographs.negative()
    with pytest.raises(InputError, match="category 'other' is no class of the model"):
        photographs.evaluate(("dot", "other"))


def test_presence_counts_both_kinds_of_picture(tmp_path: Path) -> None:
    """Four right and one wrong of each kind give the accuracy of all, in text and JSON."""
    photographs = Set(tmp_path)
    for _ in range(4):
        photographs.add((3, 3))
    photographs.add(hidden=(4, 4))
    for _ in range(4):
        photographs.add()
    photographs.negative((2, 2))
    result = photographs.evaluate()
    assert (result.presence.errors, result.presence.items, result.presence.accuracy) == (2, 10, 0.8)
    assert result.presence == Rate(2, 10)
    assert "stamp or none: 80.00% right, wrong 2 of 10" in as_text(result)
    assert json.loads(as_json(result))["presence"] == pytest.approx(
        {"errors": 2, "items": 10, "accuracy": 0.8, "upper_bound": 0.5069}, abs=1e-4
    )


def test_negatives_are_read_with_sub_folders_links_and_any_ending(tmp_path: Path) -> None:
    """What is left out is told with its reason."""
    photographs = Set(tmp_path)
    photographs.add((3, 3))
    photographs.negative((4, 4))
    (tmp_path / "negatives" / "x" / "y").mkdir(parents=True)
    save(tmp_path / "n.png", paint({"dot": [(8, 8)]})).rename(tmp_path / "negatives/x/y/none")
    save(tmp_path / "n.png", paint({}))
    (tmp_path / "negatives" / "x" / "link.PNG").symlink_to(tmp_path / "n.png")
    (tmp_path / "negatives" / "notes.txt").write_text("seen on Monday")
    output = photographs.detect()
    assert [path.name for path in output.detections.negative_paths] == ["0.png", "link.PNG", "none"]
    named, remark = output.remarks
    assert named.endswith(
        "the labels say 'badge', the model 'dot'; both have one class, and they are taken for the "
        "same"
    )
    assert remark.endswith("holds 3 pictures; left out: 1 no picture (notes.txt)")
    assert output.unread == ()


def test_a_damaged_picture_costs_no_more_than_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is named at the end, the figures are those of the others, and the exit status is 1."""
    photographs = Set(tmp_path)
    for _ in range(4):
        photographs.add((3, 3))
    photographs.negative()
    photographs.negative((4, 4))
    expected = photographs.evaluate()
    photographs.add((3, 3))
    photographs.negative()
    whole = (tmp_path / "images" / "5.png").read_bytes()
    (tmp_path / "images" / "5.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "negatives" / "2.png").write_bytes(b"")
    result = photographs.evaluate()
    assert (result.groups, result.false_rejects, result.false_accepts) == (
        expected.groups,
        expected.false_rejects,
        expected.false_accepts,
    )
    options = {"coco": "labels.json", "images": "images", "json": "out.json", "sheet": "sheet.png"}
    paths = {key: tmp_path / name for key, name in options.items()}
    none = dict[str, Any](stamped=[], unstamped=[], require=[])
    models, negatives = [tmp_path / "m.onnx"], tmp_path / "negatives"
    arguments = Namespace(**paths, **none, models=models, negatives=negatives)
    assert command.run(arguments) == 1
    assert (tmp_path / "out.json").is_file()
    assert (tmp_path / "sheet.png").is_file()
    said = [line for line in capsys.readouterr().err.splitlines() if "left out" in line]
    assert [line.partition(".png: must be a whole picture")[0][-1] for line in said] == ["5", "2"]


def test_where_no_picture_can_be_read_nothing_is_measured(tmp_path: Path) -> None:
    """One line that names the first."""
    photographs = Set(tmp_path)
    photographs.add((3, 3))
    whole = (tmp_path / "images" / "1.png").read_bytes()
    (tmp_path / "images" / "1.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"not one picture can be read: .*1\.png"):
        photographs.evaluate()


def test_a_negative_that_is_labelled_with_a_mark_is_refused(tmp_path: Path) -> None:
    """A folder of negatives within which, or behind a link in which, the labelled ones lie."""
    photographs = Set(tmp_path)
    photographs.add((3, 3))
    photographs.negative()
    (tmp_path / "negatives" / "more").symlink_to(tmp_path / "images")
    with pytest.raises(InputError, match=r"more/1\.png is labelled with a mark"):
        photographs.evaluate()


@pytest.mark.parametrize("layout", ["yolo", "voc"])
def test_labels_of_each_layout_are_judged_alike(tmp_path: Path, layout: str) -> None:
    """By the reader that training has."""
    photographs = Set(tmp_path)
    photographs.add((3, 3))
    expected = photographs.evaluate()
    (tmp_path / "labels").mkdir()
    if layout == "yolo":
        (tmp_path / "classes.txt").write_text("badge")
        (tmp_path / "labels" / "1.txt").write_text("0 0.4375 0.4375 0.375 0.375")
    else:
        corners = "<xmin>17</xmin><ymin>17</ymin><xmax>40</xmax><ymax>40</ymax>"
        entry = f"<object><name>badge</name><bndbox>{corners}</bndbox></object>"
        (tmp_path / "labels" / "1.xml").write_text(f"<annotation>{entry}</annotation>")
    found = evaluate(tmp_path / "m.onnx", tmp_path / "labels", tmp_path / "images", None)
    assert found == expected


def test_a_set_of_pictures_without_any_mark_is_measured(tmp_path: Path) -> None:
    """Look-alikes alone: there is no recall to speak of, and the false accepts are counted."""
    photographs = Set(tmp_path)
    photographs.add()
    photographs.add()
    save(tmp_path / "images" / "2.png", paint({"dot": [(8, 8)]}))
    result = photographs.evaluate()
    assert (result.false_accepts.errors, result.false_accepts.items) == (1, 2)
    assert (result.false_rejects.items, result.presence.accuracy) == (0, 0.5)
    assert json.loads(as_json(result), parse_constant=pytest.fail)["groups"][0]["ap50"] is None


def test_every_picture_that_went_wrong_is_a_case(tmp_path: Path) -> None:
    """A false accept in either folder, a miss, an extra, a hit; true negatives are none."""
    photographs = Set(tmp_path)
    photographs.add((3, 3))
    photographs.add((2, 2), hidden=(5, 5))
    photographs.add((3, 3))
    save(tmp_path / "images" / "3.png", paint({"dot": [(24, 24), (48, 8)]}))
    photographs.add()
    save(tmp_path / "images" / "4.png", paint({"dot": [(8, 8)]}))
    photographs.add()
    photographs.add(hidden=(4, 4), ignore=True)
    photographs.negative((4, 4))
    photographs.negative()
    output = photographs.detect()
    judged = cases(output.labels, output.detections, output.threshold)
    assert [(case.path.name, case.kind, case.path.parent.name) for case in judged] == [
        ("1.png", "hit", "images"),
        ("2.png", "miss", "images"),
        ("3.png", "extra", "images"),
        ("4.png", "false accept", "images"),
        ("0.png", "false accept", "negatives"),
    ]
    hit, miss, extra, *_ = judged
    assert hit.figure == pytest.approx(1.0)
    assert (miss.figure, len(miss.truth), len(miss.found)) == (0.0, 2, 1)
    assert extra.figure >= output.threshold


def test_what_lies_on_an_ignored_mark_is_no_extra(tmp_path: Path) -> None:
    """It is neither rewarded nor punished, on the sheet as in the figures."""
    photographs = Set(tmp_path)
    photographs.add((2, 2))
    photographs.add((5, 5), ignore=True)
    photographs.annotations[1]["image_id"] = 1
    save(tmp_path / "images" / "1.png", paint({"dot": [(16, 16), (40, 40)]}))
    output = photographs.detect()
    first, _ = cases(output.labels, output.detections, output.threshold)
    assert first.kind == "hit"


def test_the_worst_come_first_and_some_hits_come_last() -> None:
    """The highest false accept, then the mark of the least score, then hits from the least IoU."""
    path = Path("a.png")
    figures: list[tuple[Kind, float]] = [
        ("hit", 0.9),
        ("miss", 0.3),
        ("false accept", 0.7),
        ("miss", 0.0),
    ]
    figures += [("false accept", 0.95), ("hit", 0.6), ("extra", 0.8)]
    chosen = choose([Case(path, kind, figure) for kind, figure in figures])
    assert [(case.kind, case.figure) for case in chosen] == [
        ("false accept", 0.95),
        ("false accept", 0.7),
        ("miss", 0.0),
        ("miss", 0.3),
        ("extra", 0.8),
        ("hit", 0.6),
        ("hit", 0.9),
    ]
    many = choose([Case(path, "hit", i / 100) for i in range(100)])
    assert len(many) == SHOWN["hit"]
    assert [case.figure for case in many[:6]] == [0.0, 0.01, 0.02, 0.03, 0.04, 0.05]
    assert many[-1].figure > 0.8


def test_the_sheet_shows_true_and_found_boxes(tmp_path: Path) -> None:
    """Green and red in one picture: a mark that was missed and another that was found."""
    photographs = Set(tmp_path)
    photographs.add((2, 2), hidden=(5, 5))
    output = photographs.detect()
    sheet = worst_sheet(output.labels, output.detections, output.threshold)
    pixels = np.asarray(sheet).reshape(-1, 3)
    for colour in ((40, 220, 80), (255, 40, 40)):
        assert (pixels == colour).all(1).any()


def test_the_command_writes_the_sheet_and_the_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The way a user has them; a set with nothing to show still gives a sheet."""
    photographs = Set(tmp_path)
    photographs.add()
    photographs.detect()
    parser = ArgumentParser()
    command.add_arguments(parser)
    words = [
        "m.onnx",
        "--coco",
        "labels.json",
        "--images",
        "images",
        "--sheet",
        "sheet.png",
        "--json",
        "figures.json",
    ]
    arguments = parser.parse_args(
        [word if word.startswith("--") else str(tmp_path / word) for word in words]
    )
    assert command.run(arguments) == 0
    assert "stamp or none: 100.00% right" in capsys.readouterr().out
    assert json.loads((tmp_path / "figures.json").read_text())["presence"]["items"] == 1
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (360, 300)
