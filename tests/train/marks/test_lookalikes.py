"""Look-alikes resemble a mark, are never the mark, and come out the same from the same seed."""

from __future__ import annotations

from collections.abc import Callable, Set
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from edge.errors import UsageError
from tests.painting import make_kit
from tests.paths import ROOT
from train.config import RunConfig, SynthSettings
from train.drawing.lettering import typeface
from train.drawing.likeness import WORKING_PX, working_copy
from train.drawing.outlines import star_polygon
from train.marks.distinct import SIZES, difference, least_distinct_px
from train.marks.lookalikes import (
    PRINT_KINDS,
    SEAL_KINDS,
    Kind,
    LookAlike,
    kind_names,
    make_lookalike,
    palette,
)
from train.marks.making import making_of
from train.paint.inputs import check_mine
from train.paint.picture_sheet import write_lookalike_sheet

ARTWORK = ROOT / "artwork"


def drawn_from(
    mark: Image.Image, rng: np.random.Generator, without: Set[str] = frozenset()
) -> LookAlike:
    """Draw a look-alike of a mark that has one."""
    made = make_lookalike(mark, rng, without)
    assert made is not None
    return made


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


def word() -> Image.Image:
    """Return a white word without a ground of its own."""
    picture = Image.new("RGBA", (300, 120))
    ImageDraw.Draw(picture).text((150, 60), "sparky", "white", typeface(80), anchor="mm")
    return picture


MARKS = {"stamp": stamp, "disc": disc, "star": star, "plank": plank, "word": word}


@pytest.mark.parametrize("name", MARKS)
def test_no_lookalike_is_the_mark_itself(name: str) -> None:
    """Of any mark, symmetric or plain, each is told apart from it at the size that it names."""
    mark = MARKS[name]()
    rng = np.random.default_rng(11)
    for _ in range(25):
        made = drawn_from(mark, rng)
        assert made.least_px in SIZES
        assert least_distinct_px(mark, made.image) == made.least_px, made.kind


@pytest.mark.parametrize("name", MARKS)
def test_lookalikes_are_cropped_rgba_of_bounded_size(name: str) -> None:
    """Each is RGBA, visible up to its borders, and no larger than the working size."""
    mark = MARKS[name]()
    rng = np.random.default_rng(12)
    for _ in range(20):
        made = drawn_from(mark, rng).image
        assert made.mode == "RGBA"
        assert 0 < max(made.size) <= WORKING_PX
        alpha = np.asarray(made.getchannel("A")) >= 16
        assert all(edge.any() for edge in (alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1]))


def test_the_same_seed_gives_the_same_lookalikes() -> None:
    """Two runs from one seed agree pixel for pixel, whatever was made in between."""
    mark = stamp()
    first = [drawn_from(mark, np.random.default_rng(seed)).image.tobytes() for seed in range(12)]
    drawn_from(star(), np.random.default_rng(99))
    assert [
        drawn_from(mark, np.random.default_rng(seed)).image.tobytes() for seed in range(12)
    ] == first


def test_lookalikes_differ_from_one_another() -> None:
    """Forty draws of one mark give at least twenty different pictures."""
    rng = np.random.default_rng(13)
    mark = stamp()
    assert len({drawn_from(mark, rng).image.tobytes() for _ in range(40)}) >= 20


def test_a_mirrored_print_is_another_only_where_the_mark_is_not_symmetric() -> None:
    """The mirror of the lettered stamp may be used, the mirror of a disc or a star may not."""
    found = {
        name: least_distinct_px(make(), ImageOps.mirror(make())) is None
        for name, make in MARKS.items()
    }
    assert found == {"stamp": False, "disc": True, "star": True, "plank": True, "word": False}


def test_the_projects_own_lookalikes_are_told_apart() -> None:
    """Every seal in artwork/lookalikes counts as another print than the stamp."""
    others = sorted((ARTWORK / "lookalikes").glob("*.png"))
    assert len(others) >= 6
    for path in others:
        with Image.open(path) as picture:
            assert least_distinct_px(stamp(), picture.convert("RGBA")) is not None, path.name


@pytest.mark.parametrize("kind", [kind for kind, _ in SEAL_KINDS])
def test_each_kind_is_drawn_for_the_stamp(kind: Kind) -> None:
    """For a lettered seal no kind is wasted: each passes the guard at least once in ten draws."""
    mark = working_copy(stamp())
    rng = np.random.default_rng(14)
    assert any(least_distinct_px(mark, kind(mark, rng)) for _ in range(10))


@pytest.mark.parametrize("kind", [kind for kind, _ in PRINT_KINDS])
def test_each_kind_is_drawn_for_a_word(kind: Kind) -> None:
    """The same for a word without a ground, whose kinds are others."""
    mark = working_copy(word())
    rng = np.random.default_rng(14)
    assert any(least_distinct_px(mark, kind(mark, rng)) for _ in range(10))


def test_a_print_without_a_ground_gets_no_frame_and_a_seal_no_exchanged_letters() -> None:
    """How the mark is made decides which kinds its look-alikes are of."""
    rng = np.random.default_rng(15)
    seals, prints = ({k.__name__.lstrip("_") for k, _ in t} for t in (SEAL_KINDS, PRINT_KINDS))
    for make, kinds, own_ground in ((stamp, seals, True), (word, prints, False)):
        assert making_of(make()).own_ground == own_ground
        assert {drawn_from(make(), rng).kind for _ in range(25)} <= kinds


def test_kinds_that_the_user_calls_his_own_are_never_drawn() -> None:
    """Half a stamp is a stamp, says the owner, and so it is no negative."""
    rng = np.random.default_rng(16)
    drawn = {drawn_from(stamp(), rng, frozenset({"part", "mirrored"})).kind for _ in range(40)}
    assert drawn
    assert not drawn & {"part", "mirrored"}
    assert {"part", "mirrored"} <= set(kind_names())


@pytest.mark.parametrize("make", [stamp, word], ids=["a seal", "a word"])
def test_a_seal_of_another_shape_is_no_way_out_where_the_user_calls_it_his_own(
    monkeypatch: pytest.MonkeyPatch, make: Callable[[], Image.Image]
) -> None:
    """Nothing that was drawn could be told from the mark, and the way out was the user's mark."""
    alone = frozenset(kind_names()) - {"mirrored"}
    for without in (frozenset(kind_names()), alone):
        with monkeypatch.context() as patch:
            patch.setattr("train.marks.lookalikes.least_distinct_px", lambda *_: None)
            assert make_lookalike(make(), np.random.default_rng(17), without) is None
    made = make_lookalike(make(), np.random.default_rng(17), alone)
    assert made is not None
    assert made.kind == "mirrored"


@pytest.mark.parametrize(
    "mine", [kind_names(), tuple(map(str, range(240)))], ids=["by kind", "by number"]
)
def test_where_all_are_the_users_own_pieces_of_pictures_are_the_look_alikes(
    tmp_path: Path, mine: tuple[str, ...]
) -> None:
    """No picture ends for it, none of them is made from the mark, and the sheet is empty."""
    kit = make_kit(SynthSettings(mine=mine, piece_share=0.0), "star")
    rng = np.random.default_rng(18)
    assert {kit.lookalike(rng).kind for _ in range(3)} == {None}
    write_lookalike_sheet(kit, tmp_path / "sheet.png", count=3)
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert len(sheet.getcolors() or ()) == 2


def test_a_change_that_only_a_close_look_shows_is_kept_for_large_ones() -> None:
    """The difference grows with the size, so what is told when large may be left out when small."""
    mark = working_copy(stamp())
    mirrored = ImageOps.mirror(mark)
    small, _, large = (difference(mark, mirrored, px) for px in SIZES)
    assert small < large


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


@pytest.mark.parametrize(
    ("mine", "refused"),
    [("part", False), ("0", False), ("239", False), ("240", True), ("-1", True), ("parts", True)],
)
def test_a_look_alike_that_there_is_not_cannot_be_the_users(mine: str, refused: bool) -> None:
    """A kind or number is checked when the run begins, and the message says where to look."""
    config = RunConfig((("m", "m.png"),), "", synth=SynthSettings(mine=(mine,)))
    with pytest.raises(UsageError, match=r"lookalikes\.png") if refused else nullcontext():
        check_mine(config)


def test_the_sheet_shows_what_is_a_negative_by_number_and_kind(tmp_path: Path) -> None:
    """Numbers that the user calls his own are not on it."""
    kits = [make_kit(SynthSettings(mine=mine), "star") for mine in ((), ("0", "1"), ("mirrored",))]
    assert [kit.numbers[:2] for kit in kits] == [(0, 1), (2, 3), (0, 1)]
    write_lookalike_sheet(kits[1], tmp_path / "sheet.png", count=13)
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (12 * 132, 2 * (132 + 14))
        assert len(sheet.getcolors(maxcolors=2**16) or ()) > 10
