"""How a mark is made is guessed from its picture, and decides how it is printed."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from train.drawing.lettering import typeface
from train.marks.making import OPAQUE, Making, making_of, parts_of, reprinted


def printed(colour: str, word: str = "sparky") -> Image.Image:
    """Return a word in one colour without a ground."""
    picture = Image.new("RGBA", (300, 120))
    ImageDraw.Draw(picture).text((150, 60), word, colour, typeface(80), anchor="mm")
    return picture


def badge() -> Image.Image:
    """Return the same word on a filled oval."""
    picture = Image.new("RGBA", (320, 160))
    ImageDraw.Draw(picture).ellipse((0, 0, 319, 159), fill="#145a32")
    ImageDraw.Draw(picture).text((160, 80), "sparky", "white", typeface(70), anchor="mm")
    return picture


def open_ring() -> Image.Image:
    """Return an ink stamp: a ring with a word in it."""
    picture = Image.new("RGBA", (200, 200))
    pen = ImageDraw.Draw(picture)
    pen.ellipse((2, 2, 197, 197), outline="#501482", width=10)
    pen.text((100, 100), "OK", "#501482", typeface(70), anchor="mm")
    return picture


@pytest.mark.parametrize(
    ("mark", "making"),
    [
        (printed("white"), Making(own_ground=False, one_colour=True, light=True)),
        (printed("#202020"), Making(own_ground=False, one_colour=True, light=False)),
        (open_ring(), Making(own_ground=False, one_colour=True, light=False)),
        (badge(), Making(own_ground=True, one_colour=False, light=False)),
        (Image.new("RGBA", (90, 30), "white"), Making(True, True, light=False)),
    ],
)
def test_the_making_is_guessed_from_the_picture(mark: Image.Image, making: Making) -> None:
    """Ground, colours and lightness of words, stamps and badges."""
    assert making_of(mark) == making
    assert making.words


def test_the_letters_of_a_word_are_its_parts_from_left_to_right() -> None:
    """Specks are none; together the parts are the print."""
    mark = printed("white", "abcde")
    mark.putpixel((2, 2), (255, 255, 255, 255))
    parts = parts_of(mark)
    lefts = [int(np.flatnonzero(part.any(axis=0))[0]) for part in parts]
    assert len(parts) == 5
    assert lefts == sorted(lefts)
    assert not any(part[2, 2] for part in parts)


def test_a_reprint_changes_colours_and_nothing_else() -> None:
    """Its shape stays; of many, some have two colours and most are not white."""
    mark = printed("white")
    alpha = np.asarray(mark.getchannel("A"))
    colours = []
    for seed in range(20):
        other = reprinted(mark, np.random.default_rng(seed))
        assert np.array_equal(np.asarray(other.getchannel("A")), alpha)
        solid = np.asarray(other)[alpha >= OPAQUE][:, :3]
        colours.append({tuple(colour) for colour in solid.tolist()})
    assert {len(found) for found in colours} == {1, 2}
    assert len(set().union(*colours)) > 10
