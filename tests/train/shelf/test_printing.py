from pathlib import Path

import numpy as np
import pytest

from tests.train.shelf.fonts import save_font
from train.shelf.printing import Hand, line, price


@pytest.fixture
def hand(tmp_path: Path) -> Hand:
    """Words in Pillow's own typeface."""
    return Hand(str(save_font(tmp_path)))


@pytest.mark.parametrize("stretch", [0.7, 1.0, 1.3])
def test_each_character_has_the_box_of_its_ink(hand: Hand, stretch: float) -> None:
    """Outside all boxes there is no ink, and each box reaches it on all four sides."""
    printed = line("1 480", Hand(hand.font, 0.03, 0.15, stretch), 60)
    assert [one for one, _ in printed.characters] == ["1", "4", "8", "0"]
    rest = printed.mask.copy()
    for _, box in printed.characters:
        x0, y0, x1, y1 = (round(side) for side in box.corners())
        ink = np.argwhere(printed.mask[max(0, y0) : y1, max(0, x0) : x1] > 40)
        assert ink[:, 0].min() <= 1
        assert ink[:, 0].max() >= y1 - max(0, y0) - 2
        rest[max(0, y0 - 2) : y1 + 2, max(0, x0 - 2) : x1 + 2] = 0
    assert rest.max() == 0


def test_a_digit_is_as_high_as_was_asked_for(hand: Hand) -> None:
    """Within a tenth, whatever the words."""
    (_, box), *_ = line("8", hand, 80).characters
    assert box.height == pytest.approx(80, rel=0.1)


def test_a_price_ends_in_two_digits_of_its_fraction(hand: Hand) -> None:
    """Every layout is drawn; the fraction stands right of the whole part and is no larger."""
    layouts = set()
    for seed in range(40):
        printed = price(np.random.default_rng(seed), hand, 50)
        digits = [box for one, box in printed.characters if one.isdigit()]
        assert 3 <= len(digits) <= 6
        whole, fraction = digits[:-2], digits[-2:]
        assert max(box.x1 for box in whole) <= min(box.x0 for box in fraction) + 1
        assert max(box.height for box in fraction) <= 1.1 * max(box.height for box in whole)
        small = fraction[0].height < 0.85 * whole[0].height
        raised = abs(fraction[0].y0 - whole[0].y0) < abs(fraction[0].y1 - whole[0].y1)
        layouts.add("level" if not small else "raised" if raised else "lowered")
        wide, tall = printed.size
        assert all(box.x0 >= 0 and box.x1 <= wide + 1 for box in digits)
        assert all(box.y0 >= 0 and box.y1 <= tall + 1 for box in digits)
    assert layouts == {"level", "raised", "lowered"}
