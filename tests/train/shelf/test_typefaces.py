from pathlib import Path

import pytest

from edge.errors import InputError
from tests.train.shelf.fonts import save_font
from train.shelf.typefaces import find_typefaces


def test_a_folder_gives_its_fonts_and_leaves_out_what_is_none(tmp_path: Path) -> None:
    """What no label is printed in is left out by its name, what cannot be read by trial."""
    good = save_font(tmp_path)
    save_font(tmp_path, "Some-Italic.ttf")
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    (tmp_path / "words.txt").write_text("words")
    assert find_typefaces([tmp_path]) == (str(good),)


def test_a_named_file_must_be_a_font(tmp_path: Path) -> None:
    """The line names it."""
    broken = tmp_path / "broken.ttf"
    broken.write_bytes(b"no font")
    with pytest.raises(InputError, match=r"broken\.ttf: is no font that can be read; name another"):
        find_typefaces([broken])
    with pytest.raises(InputError, match="no such file or folder"):
        find_typefaces([tmp_path / "none.ttf"])


def test_a_folder_without_a_font_says_what_to_install(tmp_path: Path) -> None:
    """The next step stands in the line."""
    with pytest.raises(InputError, match="apt install fonts-dejavu"):
        find_typefaces([tmp_path])
