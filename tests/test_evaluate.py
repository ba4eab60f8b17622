import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.errors import InputError
from tests.tiny_model import CONTRACT, SIZE, paint, save, two_classes, write_tiny_model
from train.evaluate import Evaluation, Rate, as_json, as_text, evaluate

BOX = 24
"""The tiny model's boxes are 24 x 24 about the middle of an 8 x 8 cell."""


class Set:
    """A labelled set painted into a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.images, self.annotations = folder, list[dict[str, Any]](), list[dict[str, Any]]()
        for name in ("images", "negatives"):
            (folder / name).mkdir()

    def add(self, *cells: tuple[int, int], hidden: tuple[int, int] | None = None, **extra: object) -> None:
        """An image with a dot in each cell (column, row), labelled with the box the tiny model will give.

        *hidden*: a cell that is labelled though nothing is painted there.
        """
        number = len(self.images) + 1
        self.images.append({"id": number, "file_name": f"{number}.png"})
        save(self.folder / "images" / f"{number}.png", paint({"dot": [(x * 8, y * 8) for x, y in cells]}))
        for x, y in (*cells, *([hidden] if hidden else [])):
            box = [x * 8 + 4 - BOX / 2, y * 8 + 4 - BOX / 2, BOX, BOX]
            self.annotations.append({"image_id": number, "category_id": 1, "bbox": box, **extra})

    def negative(self, *dots: tuple[int, int], strength: float = 1.0) -> None:
        """A picture without a label, with dots that fool the model as strongly as said."""
        picture: NDArray[np.uint8] = paint({"dot": [(x * 8, y * 8) for x, y in dots]})
        grey = paint({})
        mixed = (grey + strength * (picture.astype(float) - grey)).round().astype(np.uint8)
        save(self.folder / "negatives" / f"{len(list((self.folder / 'negatives').iterdir()))}.png", mixed)

    def evaluate(self, categories: tuple[str, ...] = ("badge",)) -> Evaluation:
        """Write the labels and measure the tiny model on them."""
        labels = self.folder / "labels.json"
        named = [{"id": index, "name": name} for index, name in enumerate(categories, start=1)]
        labels.write_text(json.dumps({"images": self.images, "annotations": self.annotations, "categories": named}))
        model = write_tiny_model(self.folder / "m.onnx", CONTRACT if len(categories) == 1 else two_classes())
        return evaluate(model, labels, self.folder / "images", self.folder / "negatives")


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
    """Two dots in one negative are one false accept; a picture whose mark is not seen is one false reject."""
    photographs = Set(tmp_path)
    photographs.add((3, 3))
    photographs.add(hidden=(4, 4))
    photographs.negative((2, 2), (5, 5))
    photographs.negative()
    result = photographs.evaluate()
    assert (result.false_accepts.errors, result.false_accepts.items) == (1, 2)
    assert (result.false_rejects.errors, result.false_rejects.items) == (1, 2)


def test_recall_at_k_false_accepts_moves_the_score_to_beat(tmp_path: Path) -> None:
    """One negative scores as high as a mark: with none allowed nothing is found, with one allowed all is."""
    photographs = Set(tmp_path)
    photographs.add((3, 3))
    photographs.negative((4, 4))
    for _ in range(5):
        photographs.negative((4, 4), strength=0.5)
    (group,) = photographs.evaluate().groups
    assert [(recall.false_accepts, recall.found) for recall in group.recalls] == [(0, 0), (1, 1), (3, 1)]


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
    """The mark is missed and clutter is taken for it: the item passes, and nobody may call that found."""
    photographs = Set(tmp_path)
    photographs.add(hidden=(1, 1))
    save(tmp_path / "images" / "1.png", paint({"dot": [(40, 40)]}))
    photographs.negative()
    result = photographs.evaluate()
    assert (result.false_rejects.errors, result.misplaced) == (0, 1)


@pytest.mark.parametrize(
    ("errors", "items", "bound"),
    [(0, 59, 0.05), (1, 93, 0.05), (0, 299, 0.01), (1, 473, 0.01), (2, 628, 0.01), (0, 2995, 0.001)],
)
def test_the_bounds_are_the_table_s(errors: int, items: int, bound: float) -> None:
    """Clopper and Pearson's table for 95 %: these are the fewest items that show the rate below the bound."""
    assert Rate.of(errors, items).upper_bound < bound <= Rate.of(errors, items - 1).upper_bound


def test_nothing_seen_proves_nothing() -> None:
    """With no item the true rate may be anything."""
    assert Rate.of(0, 0).upper_bound == 1.0
    assert Rate.of(3, 3).upper_bound == 1.0


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
        ('{"images": [{"id": 1, "file_name": "x.png"}], "annotations": [], "categories": []}', "names x.png"),
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
