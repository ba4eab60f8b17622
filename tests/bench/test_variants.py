import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.variants.price_readers import locate, price_of, spelt
from bench.variants.prices import Judged, Labelled, print_tables, read_labelled
from edge.decision import Box, Finding
from edge.errors import InputError
from edge.vision.preprocess import Frame

PLACE = Box(100, 100, 220, 160)


def digit(label: str, x: float, y: float, height: float, score: float = 0.9) -> Finding:
    """A digit half as wide as high."""
    return Finding(label, score, Box(x, y, x + height / 2, y + height))


RAISED = [
    digit("2", 102, 100, 60), digit("4", 136, 100, 60), digit("9", 172, 101, 30),
    digit("0", 190, 101, 30),
]  # fmt: skip


def test_a_raised_fraction_is_the_last_two_digits() -> None:
    """In any order of the findings."""
    assert price_of(RAISED[::-1], PLACE) == "24.90"


def test_of_two_digits_at_one_place_the_better_is_read() -> None:
    """A worse one adds none."""
    assert price_of([*RAISED, digit("3", 103, 101, 58, 0.4)], PLACE) == "24.90"


def test_what_is_no_part_of_the_price_is_left_out() -> None:
    """Digits beside the place, digits too small for it, and a place found once more."""
    unit, tiny = digit("7", 60, 150, 20), digit("1", 210, 140, 12)
    assert price_of([*RAISED, unit, tiny, Finding("price", 0.9, PLACE)], PLACE) == "24.90"


def test_too_few_digits_are_no_price() -> None:
    """A guess is worth less than none."""
    assert price_of(RAISED[:2], PLACE) == ""


@pytest.mark.parametrize(
    ("text", "price"), [("22,90", "22.90"), ("kr 5.0", ""), ("12345", "123.45")]
)
def test_a_price_is_spelt_with_two_decimals(text: str, price: str) -> None:
    """Whatever the reader makes of the separator."""
    assert spelt(text) == price


class Fixed:
    """A model that always finds the same."""

    def __init__(self, *found: Finding) -> None:
        self.found = found

    def find(self, frame: Frame, min_score: float) -> tuple[Finding, ...]:
        """What it was made with."""
        return self.found


def test_the_best_place_counts_unless_it_is_a_neighbours() -> None:
    """Digits are no place."""
    frame = np.zeros((200, 300, 3), np.uint8)
    other = Box(0, 100, 60, 140)
    model = Fixed(
        Finding("9", 0.9, PLACE), Finding("price", 0.8, other), Finding("price", 0.5, PLACE)
    )
    assert locate(model, frame, [other]) == PLACE
    assert locate(model, frame) == other


def save_set(folder: Path) -> None:
    """Write one labelled picture."""
    (folder / "images").mkdir()
    Image.new("RGB", (64, 48)).save(folder / "images" / "a.jpg")
    image = {"id": 1, "file_name": "a.jpg", "source_file": "s.jpg"}
    main = {"image_id": 1, "bbox": [10, 10, 20, 10], "text": "2.90", "variant": "bold"}
    other = {"image_id": 1, "bbox": [40, 10, 20, 10], "text": "neighbour", "ignore": True}
    text = {"images": [image], "annotations": [other, main]}
    (folder / "labels.json").write_text(json.dumps(text))


def test_pictures_are_read_with_their_price(tmp_path: Path) -> None:
    """A neighbour's price does not count."""
    save_set(tmp_path)
    (one,) = read_labelled(tmp_path)
    assert (one.text, one.box, one.others) == (
        "2.90", Box(10, 10, 30, 20), (Box(40, 10, 60, 20),)
    )  # fmt: skip


def test_another_layout_is_refused_in_one_line(tmp_path: Path) -> None:
    """With the file's name."""
    (tmp_path / "labels.json").write_text('{"images": [{"id": 1}], "annotations": []}')
    with pytest.raises(InputError, match=r"labels\.json: is not as this bench reads it"):
        read_labelled(tmp_path)


def test_the_table_counts_places_and_prices(capsys: pytest.CaptureFixture[str]) -> None:
    """By variant and by photograph, and what went wrong by name."""
    of = Labelled(Path("a.jpg"), "s.jpg", "bold", "2.90", PLACE, ())
    read = {"own": "2.90", "rapidocr": "2.9"}
    took = {"own": 20.0, "rapidocr": 40.0}
    print_tables([Judged(of, 0.8, read, took), Judged(of, 0.2, read, took)], ["own", "rapidocr"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines[1:4]] == [
        ["all", "2", "1", "2", "0"],
        ["bold", "2", "1", "2", "0"],
        ["s.jpg", "2", "1", "2", "0"],
    ]
    assert lines[-1] == "a.jpg: 2.90, IoU 0.20; own 2.90; rapidocr 2.9"
