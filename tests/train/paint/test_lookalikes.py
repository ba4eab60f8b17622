"""Look-alikes resemble a mark, are never the mark, and come out the same from the same seed."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from tests.paths import ROOT
from train.drawing.likeness import WORKING_PX, too_alike, working_copy
from train.drawing.outlines import star_polygon
from train.paint.lookalikes import KINDS, Kind, make_lookalike, palette

ARTWORK = ROOT / "artwork"


def stamp() -> Image.Image:
    """Return the project's own stamp."""
    with Image.open(ARTWORK / "qc-tested.png") as picture:
        return picture.convert("RGBA")


def disc(colour: str = "#c81e1e") -> Image.Image:
    """Return a plain disc: symmetric about every axis, and with nothing inside."""
    picture = Image.new("RGBA", (128, 128))
    ImageDraw.Draw(picture).ellipse((0, 0, 127, 127), fill=colour)
    return picture


def star() -> Image.Image:
    """Return a white star on a disc: its mirror is itself, its half is not."""
    picture = disc("#1e3cc8")
    ImageDraw.Draw(picture).polygon(star_polygon((64, 64), 55, 5, inner=0.4), fill="white")
    return picture


def plank() -> Image.Image:
    """Return an opaque rectangle, which has no outline of its own."""
    return Image.new("RGBA", (300, 90), "#206030")


MARKS = {"stamp": stamp, "disc": disc, "star": star, "plank": plank}


@pytest.mark.parametrize("name", MARKS)
def test_no_lookalike_is_the_mark_itself(name: str) -> None:
    """Sixty look-alikes of any mark, symmetric or plain, are told apart from it at every turn."""
    mark = MARKS[name]()
    rng = np.random.default_rng(11)
    assert [too_alike(mark, make_lookalike(mark, rng)) for _ in range(60)] == [False] * 60


@pytest.mark.parametrize("name", MARKS)
def test_lookalikes_are_cropped_rgba_of_bounded_size(name: str) -> None:
    """Each is RGBA, visible up to its borders, and no larger than the working size."""
    mark = MARKS[name]()
    rng = np.random.default_rng(12)
    for _ in range(20):
        made = make_lookalike(mark, rng)
        assert made.mode == "RGBA"
        assert 0 < max(made.size) <= WORKING_PX
        alpha = np.asarray(made.getchannel("A")) >= 16
        assert all(edge.any() for edge in (alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1]))


def test_the_same_seed_gives_the_same_lookalikes() -> None:
    """Two runs from one seed agree pixel for pixel, whatever was made in between."""
    mark = stamp()
    first = [make_lookalike(mark, np.random.default_rng(seed)).tobytes() for seed in range(12)]
    make_lookalike(star(), np.random.default_rng(99))
    assert [
        make_lookalike(mark, np.random.default_rng(seed)).tobytes() for seed in range(12)
    ] == first


def test_lookalikes_differ_from_one_another() -> None:
    """Forty draws of one mark give at least twenty different pictures."""
    rng = np.random.default_rng(13)
    mark = stamp()
    assert len({make_lookalike(mark, rng).tobytes() for _ in range(40)}) >= 20


@pytest.mark.parametrize("angle", [0, 37, 90, 180, 251])
def test_the_mark_turned_is_still_the_mark(angle: int) -> None:
    """A turned print is recognised, so none can slip in as a negative."""
    turned = stamp().rotate(angle, Image.Resampling.BICUBIC, expand=True)
    assert too_alike(stamp(), turned)


def test_a_mirrored_print_is_another_only_where_the_mark_is_not_symmetric() -> None:
    """The mirror of the lettered stamp may be used, the mirror of a disc or a star may not."""
    assert {name: too_alike(make(), ImageOps.mirror(make())) for name, make in MARKS.items()} == {
        "stamp": False,
        "disc": True,
        "star": True,
        "plank": True,
    }


def test_the_projects_own_lookalikes_are_told_apart() -> None:
    """Every seal in artwork/lookalikes counts as another print than the stamp."""
    others = sorted((ARTWORK / "lookalikes").glob("*.png"))
    assert len(others) >= 6
    for path in others:
        with Image.open(path) as picture:
            assert not too_alike(stamp(), picture.convert("RGBA")), path.name


@pytest.mark.parametrize("kind", [kind for kind, _ in KINDS])
def test_each_kind_is_drawn_for_the_stamp(kind: Kind) -> None:
    """For a lettered mark no kind is wasted: each passes the guard at least once in ten draws."""
    mark = working_copy(stamp())
    rng = np.random.default_rng(14)
    assert not all(too_alike(mark, kind(mark, rng)) for _ in range(10))


def test_the_palette_lists_the_dominant_colour_first() -> None:
    """A disc of one colour has that one colour; transparent pixels do not count."""
    assert palette(disc("#c81e1e")) == [(0xC8, 0x1E, 0x1E)]
    assert palette(star())[0] == (0x1E, 0x3C, 0xC8)
    assert (255, 255, 255) in palette(star())


def test_a_mark_with_nothing_to_see_is_refused() -> None:
    """A wholly transparent picture has no look-alike, and the message says why."""
    with pytest.raises(ValueError, match="visible pixels"):
        make_lookalike(Image.new("RGBA", (40, 40)), np.random.default_rng(0))


def test_a_large_mark_is_worked_at_the_capped_size() -> None:
    """The working copy keeps the proportions and drops the transparent margin."""
    wide = Image.new("RGBA", (1000, 700))
    wide.paste((10, 20, 30, 255), (100, 100, 900, 500))
    assert working_copy(wide).size == (WORKING_PX, WORKING_PX // 2)
