from pathlib import Path

import pytest

from export.__main__ import main
from tests.train.shelf.fonts import save_font
from train.marks.mark import load_marks


def test_labels_are_written_as_a_folder_of_marks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is written is what --mark reads, and the line says how."""
    font, out = save_font(tmp_path), tmp_path / "labels"
    assert main(["labels", "--out", str(out), "--font", str(font), "--count", "3"]) == 0
    assert f"--mark price={out}" in capsys.readouterr().out
    assert (tmp_path / "labels-sheet.png").is_file()
    marks = load_marks((("price", str(out)),))
    assert len(marks) == 3
    assert sum(len(mark.insides or ()) for mark in marks) >= 2


def test_digits_count_when_asked(tmp_path: Path) -> None:
    """Each of the ten digits is a class."""
    font, out = save_font(tmp_path), tmp_path / "digits"
    more = ["--part", "prices", "--counts", "digits", "--count", "2", "--font", str(font)]
    assert main(["labels", "--out", str(out), *more]) == 0
    marks = load_marks([(digit, str(out)) for digit in "0123456789"])
    assert all(len(mark.insides or ()) >= 3 for mark in marks)


def test_a_folder_with_labels_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is written over."""
    font, out = save_font(tmp_path), tmp_path / "labels"
    words = ["labels", "--out", str(out), "--font", str(font), "--count", "1"]
    assert main(words) == 0
    assert main(words) != 0
    assert "holds labels already; name another folder" in capsys.readouterr().err
