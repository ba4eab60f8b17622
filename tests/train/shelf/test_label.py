from pathlib import Path

import numpy as np
import pytest

from edge.decision import Box
from tests.train.shelf.fonts import save_font
from train.shelf.label import Drawn, around_price, draw_label


@pytest.fixture(scope="module")
def labels(tmp_path_factory: pytest.TempPathFactory) -> list[Drawn]:
    """Some labels."""
    fonts = (str(save_font(tmp_path_factory.mktemp("fonts"))),)
    return [draw_label(np.random.default_rng(seed), fonts) for seed in range(30)]


def digits_in(drawn: Drawn, box: Box) -> list[Box]:
    """The digits that lie in a box."""
    return [
        at for one, at in drawn.characters if one.isdigit() and box.intersection(at) > 0.9 * at.area
    ]


def test_a_price_holds_its_digits_and_they_are_the_largest(labels: list[Drawn]) -> None:
    """What stands beside it is smaller: that is how a shopper tells."""
    priced = [drawn for drawn in labels if drawn.price]
    assert len(priced) >= 20
    largest = 0
    for drawn in priced:
        assert drawn.price is not None
        inside = digits_in(drawn, drawn.price)
        assert 3 <= len(inside) <= 6
        others = [at for one, at in drawn.characters if one.isdigit() and at not in inside]
        tallest = max(at.height for at in inside)
        largest += all(at.height < tallest for at in others)
    assert largest >= 0.9 * len(priced)


def test_nothing_is_printed_over_anything_else(labels: list[Drawn]) -> None:
    """Print does not cover the price."""
    for drawn in labels:
        if drawn.price:
            within = digits_in(drawn, drawn.price)
            for one, at in drawn.characters:
                if one.isalpha():
                    assert drawn.price.intersection(at) == 0, within


def test_boxes_lie_inside_the_picture(labels: list[Drawn]) -> None:
    """Of labels and of what is cut out around a price."""
    cuts = [around_price(np.random.default_rng(1), drawn) for drawn in labels]
    assert [cut is None for cut in cuts] == [drawn.price is None for drawn in labels]
    for drawn in (*labels, *(cut for cut in cuts if cut)):
        width, height = drawn.image.size
        for _, box in drawn.characters:
            outside = box.area - box.intersection(Box(0, 0, width, height))
            assert outside <= 0.31 * box.area


def test_the_same_seed_draws_the_same_label(labels: list[Drawn], tmp_path: Path) -> None:
    """A set of labels can be drawn again."""
    fonts = (str(save_font(tmp_path)),)
    again = draw_label(np.random.default_rng(3), fonts)
    assert np.array_equal(np.asarray(again.image), np.asarray(labels[3].image))
    assert again.characters == labels[3].characters
