"""``stampgate mark``, and what ``--mark`` says before anything else."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from edge.errors import UsageError
from export.__main__ import main
from tests.painting import save_mark
from train.marks.mark import load_mark
from train.marks.naming import parse_marks


def paper(path: Path) -> Path:
    """A ring and a bar in ink on paper that the light falls on from one side."""
    light = np.linspace(150, 245, 200)[None, :, None] * np.ones((160, 1, 3))
    image = Image.fromarray(light.astype(np.uint8))
    draw = ImageDraw.Draw(image)
    draw.ellipse((50, 30, 149, 129), outline=(30, 40, 120), width=9)
    draw.rectangle((75, 72, 125, 88), fill=(30, 40, 120))
    image.save(path)
    return path


def test_what_was_understood_is_printed_and_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The lines, a sheet beside the cut-out, and a cut-out that is read again as it is."""
    picture, out = paper(tmp_path / "IMG_1.png"), tmp_path / "seal.png"
    assert main(["mark", str(picture), "--out", str(out)]) == 0
    size, made, sheet, cut = capsys.readouterr().out.splitlines()
    assert size.startswith(f"{picture}: 100 x 100 pixels of a picture of 200 x 160; its ground")
    assert made == (
        f"{picture}: taken for an ink print without a ground of its own; if it is not, --as sticker"
    )
    assert sheet == f"sheet: {tmp_path / 'seal-understood.png'}"
    assert cut == f"cut-out: {out}; use it as --mark NAME={out}"
    with Image.open(tmp_path / "seal-understood.png") as drawn:
        assert drawn.width > 1200
    again = load_mark(out, "seal")
    assert again.treatment == "its own transparency is used"
    assert np.array_equal(np.asarray(again.image), np.asarray(load_mark(picture, "m").image))


def test_the_user_can_say_how_it_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A sticker keeps the white that its ring encloses."""
    picture = paper(tmp_path / "seal.png")
    out = tmp_path / "cut.png"
    assert main(["mark", str(picture), "--as", "sticker", "--out", str(out)]) == 0
    assert "a sticker or badge" in capsys.readouterr().out
    with Image.open(out) as cut:
        assert cut.getpixel((50, 25))[3] == 255  # type: ignore[index]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--out", "seal.jpg"], "--out seal.jpg: must end in .png"),
        (["--out", "{picture}"], "is the picture itself"),
        (["--sheet", "{picture}"], "is the picture itself"),
    ],
)
def test_nothing_is_written_over_the_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    """Refused in one line before anything is read or written."""
    picture = paper(tmp_path / "seal.png")
    before = picture.read_bytes()
    given = [option.format(picture=picture) for option in options]
    assert main(["mark", str(picture), *given]) == 2
    assert words in capsys.readouterr().err
    assert picture.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["seal.png"]


@pytest.mark.parametrize(
    "name", ["IMG_1234.JPG", "PXL_20261130_1.jpg", "DCIM", "Screenshot 1.png", "photo (1).png"]
)
def test_a_camera_s_file_name_is_no_name_for_a_class(name: str) -> None:
    """One line asks for a better one, also in a script without a terminal; with one it is taken."""
    with pytest.raises(UsageError) as caught:
        parse_marks([name])
    assert str(caught.value).endswith(f"say what it shows, e.g. --mark stamp={name}")
    assert "\n" not in str(caught.value)
    assert parse_marks([f"seal={name}"]) == (("seal", name),)


def test_inks_and_stickers_must_be_marks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A slip of the pen is said before anything is painted."""
    mark = save_mark(tmp_path, "disc")
    given = ["synth", "--mark", str(mark), "--out", str(tmp_path / "o"), "--count", "1"]
    assert main([*given, "--set", 'inks=["dsic"]']) == 2
    assert "inks: dsic is none of the marks, disc" in capsys.readouterr().err
    assert not (tmp_path / "o").exists()
