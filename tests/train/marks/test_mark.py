import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from edge.errors import InputError, UsageError
from tests.icc_profiles import ADOBE_RGB, ink_profile, matrix_profile
from tests.painting import mark_image
from tests.paths import ROOT
from train.marks.mark import load_mark, load_marks, outline_of
from train.marks.naming import parse_marks


def test_a_mark_with_transparency_is_cropped_to_what_can_be_seen(tmp_path: Path) -> None:
    """Margins without ink are no part of the mark's box."""
    canvas = Image.new("RGBA", (200, 150), (0, 0, 0, 0))
    canvas.paste(mark_image("square", 60), (70, 40))
    canvas.save(tmp_path / "m.png")
    mark = load_mark(tmp_path / "m.png", "m")
    assert mark.image.size == (60, 60)
    assert mark.native_size == (200, 150)
    assert "its own transparency" in mark.treatment


def test_plain_paper_is_made_transparent_around_a_mark_and_inside_it(tmp_path: Path) -> None:
    """The white inside a ring is paper as well, unless the user says that it is a sticker's."""
    paper = Image.new("RGB", (120, 100), (250, 250, 248))
    ImageDraw.Draw(paper).ellipse((30, 20, 89, 79), outline=(200, 0, 0), width=8)
    paper.save(tmp_path / "m.png")
    mark, sticker = (
        load_mark(tmp_path / "m.png", "m"),
        load_mark(tmp_path / "m.png", "m", 0, "sticker"),
    )
    for one, inside in ((mark, 0), (sticker, 255)):
        alpha = np.asarray(one.image.getchannel("A"))
        assert one.image.size == (60, 60)
        assert (alpha[30, 30], alpha[0, 0], alpha[30, 3]) == (inside, 0, 255)
    assert "inside too" in mark.treatment
    assert (mark.making.own_ground, sticker.making.own_ground) == (False, True)


def test_a_picture_without_paper_is_the_mark_whole(tmp_path: Path) -> None:
    """Where the corners differ there is nothing to cut away, and the program says so."""
    noise = np.random.default_rng(0).integers(0, 255, (40, 60, 3)).astype(np.uint8)
    Image.fromarray(noise).save(tmp_path / "m.png")
    mark = load_mark(tmp_path / "m.png", "m")
    assert mark.image.size == (60, 40)
    assert "whole rectangle" in mark.treatment


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "no such file"),
        (b"not a picture", "must be a whole picture file, not a file of another kind"),
        ("transparent", "nothing but its background"),
        ("paper", "nothing but its background"),
        ("tiny", "at least 8 x 8"),
    ],
)
def test_a_useless_mark_is_refused_in_one_line(
    tmp_path: Path, content: bytes | str | None, words: str
) -> None:
    """Each names the file and what is wrong with it."""
    path = tmp_path / "m.png"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content == "transparent":
        Image.new("RGBA", (30, 30), (9, 9, 9, 0)).save(path)
    elif content == "paper":
        Image.new("RGB", (30, 30), "white").save(path)
    elif content == "tiny":
        canvas = Image.new("RGBA", (30, 30), (0, 0, 0, 0))
        canvas.paste((9, 9, 9, 255), (5, 5, 9, 25))
        canvas.save(path)
    with pytest.raises(InputError) as caught:
        load_mark(path, "m")
    assert words in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_two_pictures_of_one_name_are_variants_of_one_class(tmp_path: Path) -> None:
    """The class index follows the order of the names, not of the files."""
    for name in ("a", "b", "c"):
        mark_image("disc").save(tmp_path / f"{name}.png")
    marks = load_marks(
        [
            ("ok", str(tmp_path / "a.png")),
            ("no", str(tmp_path / "b.png")),
            ("ok", str(tmp_path / "c.png")),
        ]
    )
    assert [(mark.label, mark.kind) for mark in marks] == [("ok", 0), ("no", 1), ("ok", 0)]


def test_a_folder_is_one_class_of_many_variants(tmp_path: Path) -> None:
    """In order of their names, whatever the disk's order; what is no picture is passed over."""
    faces = tmp_path / "faces"
    faces.mkdir()
    for name in ("c", "a", "b"):
        mark_image("disc", {"a": 40, "b": 50, "c": 60}[name]).save(faces / f"{name}.png")
    (faces / "origin.txt").write_text("taken on Monday")
    mark_image("star").save(tmp_path / "star.png")
    marks = load_marks(parse_marks([f"no={tmp_path / 'star.png'}", str(faces)]))
    assert [(mark.label, mark.kind, mark.native_size[0]) for mark in marks[1:]] == [
        ("faces", 1, 40),
        ("faces", 1, 50),
        ("faces", 1, 60),
    ]


def test_a_folder_with_useless_pictures_names_every_one_of_them(tmp_path: Path) -> None:
    """One line, so that all can be mended at once."""
    mark_image("disc").save(tmp_path / "good.png")
    (tmp_path / "bad.jpg").write_bytes(b"nothing")
    Image.new("RGB", (30, 30), "white").save(tmp_path / "empty.png")
    with pytest.raises(InputError) as caught:
        load_marks([("ok", str(tmp_path))])
    message = str(caught.value)
    assert message.startswith(
        f"{tmp_path}: 2 of its 3 pictures cannot be used (bad.jpg: must be a whole picture file"
    )
    assert "empty.png: shows nothing but its background" in message
    assert message.endswith("; mend them or take them out")
    assert "\n" not in message


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    """An empty class would train to nothing."""
    with pytest.raises(InputError, match="holds no picture"):
        load_marks([("ok", str(tmp_path))])


def test_a_drawing_is_painted_large_enough() -> None:
    """The project's own stamp as SVG is the same as its PNG."""
    pytest.importorskip("resvg_py")
    artwork = ROOT / "artwork"
    drawn, saved = (load_mark(artwork / f"qc-tested.{suffix}", "m") for suffix in ("svg", "png"))
    assert max(drawn.image.size) == 320
    assert "its own transparency" in drawn.treatment
    small = [
        np.asarray(mark.image.resize((60, 60)).convert("RGBa"), np.int16) for mark in (drawn, saved)
    ]
    assert np.abs(small[0] - small[1]).mean() < 4


@pytest.mark.parametrize(
    "text", ["<svg", "no drawing", "<svg xmlns='http://www.w3.org/2000/svg'/>"]
)
def test_a_broken_drawing_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    """As any other picture is."""
    pytest.importorskip("resvg_py")
    (tmp_path / "m.svg").write_text(text)
    with pytest.raises(InputError, match=r"m\.svg: (must be a whole drawing|shows nothing)"):
        load_mark(tmp_path / "m.svg", "m")


def test_without_the_painter_of_drawings_its_name_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is small, but few need it."""
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    (tmp_path / "m.svg").write_text("<svg/>")
    with pytest.raises(InputError, match=r"pip install resvg-py, or save the stamp as PNG$"):
        load_mark(tmp_path / "m.svg", "m")


@pytest.mark.parametrize("text", ["=x.png", "ok=", "  =  "])
def test_a_mark_without_name_or_path_is_refused(text: str) -> None:
    """Half a NAME=PATH is a slip of the pen."""
    with pytest.raises(UsageError, match="NAME=PATH"):
        parse_marks([text])


@pytest.mark.parametrize("name", ["a\nb", "\u202egnp", "x" * 65, "a\x1b[2J", "\ud800"])
def test_a_name_that_no_contract_can_hold_is_refused_before_the_training(name: str) -> None:
    """The exported file could not say it on one line."""
    with pytest.raises(UsageError, match="1 to 64 printable characters"):
        parse_marks([f"{name}=seal.png"])


def test_the_outline_spans_the_mark_exactly() -> None:
    """Pixel-edge coordinates: a full square of 60 pixels reaches from 0 to 60."""
    outline = outline_of(mark_image("square", 60))
    assert outline.min(0).tolist() == [0, 0]
    assert outline.max(0).tolist() == [60, 60]


def test_a_mark_in_a_print_shop_s_colours_is_painted_as_it_looks(tmp_path: Path) -> None:
    """Adobe RGB, with its transparency kept, also from a palette; and inks with their profile."""
    image = Image.new("RGBA", (60, 60), (0, 0, 0, 0))
    image.paste((40, 200, 90, 255), (10, 10, 50, 50))
    for one in (image, image.quantize(4)):
        one.save(tmp_path / "mark.png", icc_profile=matrix_profile(ADOBE_RGB, 2.19921875))
        shown = load_mark(tmp_path / "mark.png", "mark").image
        assert shown.size == (40, 40)
        red, green, *_ = np.array(shown.getpixel((20, 20)))
        assert red == 0, "sRGB has no such green: its red is below nothing"
        assert abs(green - 202) < 4
    inks = Image.new("CMYK", (60, 60), (0, 0, 0, 0))
    inks.paste((255, 0, 0, 0), (10, 10, 50, 50))
    inks.save(tmp_path / "mark.tif", icc_profile=ink_profile((136, 208, 195)))
    red, green, blue, _ = np.array(
        load_mark(tmp_path / "mark.tif", "mark").image.getpixel((20, 20))
    )
    assert (red > 240, green < 20, blue < 20) == (True, True, True)
