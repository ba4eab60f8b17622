"""Marks drawn by program are whole, varied, told apart, and the same from the same seed."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edge.errors import InputError
from train.drawing.canvas import LONG_SIDE, Canvas
from train.drawing.designs import DESIGNS, Design
from train.drawing.gallery import (
    LEAST_SIDE,
    Gallery,
    NamedMark,
    draw_mark,
    drawn_marks,
    write_gallery_sheet,
    write_marks,
)
from train.drawing.lettering import STROKES, Face, line_of
from train.drawing.likeness import too_alike
from train.drawing.motifs import MOTIFS, Motif, Tile
from train.drawing.outlines import COMMON, RARE, Outline
from train.drawing.parts import Hand
from train.marks.mark import load_mark

FEW = 24


@pytest.fixture(scope="module")
def few() -> tuple[NamedMark, ...]:
    """The first marks of seed 5, drawn once."""
    return drawn_marks(FEW, 5)


def hand(style: int, words: int, motifs: int = 0) -> Hand:
    """A hand of these seeds."""
    return Hand(*(np.random.default_rng(seed) for seed in (style, words, motifs)))


def test_a_mark_is_cropped_rgba_of_useful_size() -> None:
    """Something shows at each of its four sides, and its size is within the limits."""
    rng = np.random.default_rng(3)
    for _ in range(8):
        mark = draw_mark(rng)
        seen = np.asarray(mark.getchannel("A")) >= 32
        assert mark.mode == "RGBA"
        assert min(mark.size) >= LEAST_SIDE
        assert max(mark.size) <= LONG_SIDE
        assert all(edge.any() for edge in (seen[0], seen[-1], seen[:, 0], seen[:, -1]))


def test_the_same_seed_draws_the_same_marks(few: tuple[NamedMark, ...]) -> None:
    """Names and pixels agree, and fewer marks are the first of more."""
    first, again = (
        [(name, mark.tobytes()) for name, mark in marks] for marks in (few[:8], drawn_marks(8, 5))
    )
    assert again == first


def test_another_seed_draws_other_marks(few: tuple[NamedMark, ...]) -> None:
    """No picture of seed 6 is one of seed 5."""
    ours, others = ({mark.tobytes() for _, mark in marks} for marks in (few, drawn_marks(4, 6)))
    assert not ours & others


def test_no_two_marks_look_alike(few: tuple[NamedMark, ...]) -> None:
    """Asked of each pair at full size, by the judge of look-alikes itself."""
    pairs = itertools.combinations(few[:12], 2)
    assert [(one, other) for (one, a), (other, b) in pairs if too_alike(a, b)] == []


def test_about_half_of_the_marks_have_siblings(few: tuple[NamedMark, ...]) -> None:
    """The names say which: family012-b is the second of family 12."""
    families = [name.split("-")[0] for name, _ in few]
    alone = sum(families.count(family) == 1 for family in families)
    assert FEW * 0.2 <= alone <= FEW * 0.8
    assert len({name for name, _ in few}) == FEW


@pytest.mark.parametrize(
    "design", [design for design, _ in DESIGNS], ids=lambda design: design.__name__
)
def test_siblings_share_what_the_style_decides(design: Design) -> None:
    """Another hand of the same style draws another picture of the same size."""
    one, other = (design(hand(7, words, words)) for words in (1, 2))
    assert one.size == other.size
    assert one.tobytes() != other.tobytes()
    assert design(hand(7, 1, 1)).tobytes() == one.tobytes()


@pytest.mark.parametrize("draw", MOTIFS, ids=lambda draw: draw.__name__.strip("_"))
def test_each_motif_covers_a_part_of_its_tile(draw: Motif) -> None:
    """None comes out empty, and none fills the whole square."""
    for seed in range(4):
        tile = Tile(96)
        draw(tile, np.random.default_rng(seed))
        covered = float((np.asarray(tile.image) > 127).mean())
        assert 0.03 < covered < 0.97


@pytest.mark.parametrize("make", dict.fromkeys(COMMON + RARE), ids=lambda make: make.__name__)
def test_each_outline_lies_within_its_square_and_encloses_something(make: Outline) -> None:
    """Corners within -1..1, and an area of at least a quarter of the square."""
    for seed in range(8):
        x, y = make(np.random.default_rng(seed)).T
        area = abs((x * np.roll(y, -1) - np.roll(x, -1) * y).sum()) / 2
        assert max(np.abs(x).max(), np.abs(y).max()) <= 1.001
        assert area > 1.0


@pytest.mark.parametrize("source", ["aileron", "pen", "nib", "hand", "typed", "pixels", "dots"])
def test_every_typeface_tells_its_letters_apart(source: str) -> None:
    """No two capitals or digits come out the same, and none comes out empty."""
    face = Face(source, 0.12, 1.0, 0.0, 0.05, "plain", True, 1)
    letters = [letter for letter in STROKES if letter.isalnum()]
    drawn = {line_of(letter, face, 40).resize((24, 40)).tobytes() for letter in letters}
    assert len(drawn) == len(letters)
    assert bytes(24 * 40) not in drawn


def test_what_is_erased_is_transparent() -> None:
    """A colour of None leaves a hole, with no dark fringe round what stays."""
    canvas = Canvas()
    canvas.oval((0, 0), (80, 80), (200, 40, 40))
    canvas.oval((0, 0), (40, 40), None)
    pixels = np.asarray(canvas.finished())
    assert pixels[160, 160, 3] == 0
    assert np.abs(pixels[pixels[..., 3] > 40][:, :3].astype(int) - (200, 40, 40)).max() <= 6


def test_the_gallery_takes_a_mark_once_however_it_is_turned(few: tuple[NamedMark, ...]) -> None:
    """A quarter turn of a mark is the same mark; another mark is not."""
    gallery = Gallery()
    (_, one), (_, other) = few[0], few[-1]
    turned = one.transpose(Image.Transpose.ROTATE_90)
    assert [gallery.takes(mark) for mark in (one, one, turned, other)] == [True, False, False, True]


def test_written_marks_can_be_trained_on(tmp_path: Path) -> None:
    """Each is a numbered PNG that training takes as a cut-out; written again, it is the same."""
    paths = write_marks(tmp_path / "marks", 5, 2)
    assert [path.name[:4] for path in paths] == ["000-", "001-", "002-", "003-", "004-"]
    treatments = {load_mark(path, path.stem).treatment for path in paths}
    assert treatments == {"its own transparency is used"}
    before = [path.read_bytes() for path in paths]
    assert [path.read_bytes() for path in write_marks(tmp_path / "marks", 5, 2)] == before


def test_marks_are_not_mixed_with_other_pictures(tmp_path: Path) -> None:
    """A folder that holds another PNG is refused in one line, and the PNG stays."""
    (tmp_path / "holiday.png").write_bytes(b"mine")
    refused = r"holiday\.png: is none of the marks to be drawn; name an empty folder"
    with pytest.raises(InputError, match=refused):
        write_marks(tmp_path, 1, 0)
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.png"]


def test_the_sheet_shows_every_mark(few: tuple[NamedMark, ...], tmp_path: Path) -> None:
    """Twenty in a row, so that 24 marks take two rows, and each cell has something in it."""
    write_gallery_sheet(few, tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (20 * 112, 2 * 112)
        cells = [
            sheet.crop((c * 112, r * 112 + 14, c * 112 + 112, r * 112 + 112))
            for r in (0, 1)
            for c in range(20)
        ]
    shows = [max(np.asarray(cell).reshape(-1, 3).std(0)) > 1 for cell in cells]
    assert shows == [True] * FEW + [False] * (40 - FEW)
