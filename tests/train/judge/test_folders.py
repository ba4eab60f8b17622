"""Evaluation on folders of stamped and unstamped pictures, and of several models side by side."""

import json
from argparse import ArgumentParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edge.errors import InputError, UsageError
from edge.rates.bounds import Rate
from edge.vision.legend import colour_of
from tests.tiny_model import CONTRACT, paint, save, two_classes, write_tiny_model
from train.commands import evaluate as command
from train.judge.contender import open_model
from train.judge.folders import FolderEvaluation, find_sides, folder_lines, judge_folders
from train.judge.worst_sheet import folder_sheet

DOT = {"dot": [(24, 24)]}


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Eight stamped pictures in two folders, one without its dot; five unstamped, one with one."""
    for number in range(8):
        folder = tmp_path / "stamped" / ("shift-a" if number < 3 else "shift-b")
        folder.mkdir(parents=True, exist_ok=True)
        save(folder / f"s{number}.png", paint({} if number == 7 else DOT))
    (tmp_path / "unstamped").mkdir()
    for number in range(5):
        save(tmp_path / "unstamped" / f"u{number}.png", paint(DOT if number == 4 else {}))
    return tmp_path


def judged(folder: Path) -> FolderEvaluation:
    """What the tiny model makes of them."""
    sides = find_sides([folder / "stamped"], [folder / "unstamped"])
    return judge_folders(open_model(write_tiny_model(folder / "m.onnx")), sides)


def test_both_rates_are_counted_with_their_bounds_and_per_folder(pictures: Path) -> None:
    """Without a box or a label anywhere."""
    result = judged(pictures)
    assert result.of("stamped") == Rate(1, 8)
    assert result.of("unstamped") == Rate(1, 5)
    assert [(side, folder.name, rate.errors, rate.items) for side, folder, rate in result.folders()
            ] == [("stamped", "shift-a", 0, 3), ("stamped", "shift-b", 1, 5),
                  ("unstamped", "unstamped", 1, 5)]  # fmt: skip
    lines = folder_lines(result)
    assert f"false accepts 1 of 5 (true rate below {Rate(1, 5).upper_bound():.2%})" in lines[1]
    assert [one.path.name for one in result.wrong] == ["u4.png", "s7.png"]
    assert any("lie 0 of 8 stamped ones" in line for line in lines)
    raw = json.loads(json.dumps(result.as_object()))
    assert (raw["false_rejects"]["errors"], len(raw["pictures"])) == (1, 13)


def test_a_side_that_is_not_there_is_not_measured(pictures: Path) -> None:
    """Neither 100 % nor nan, in text and JSON."""
    sides = find_sides([], [pictures / "unstamped"])
    result = judge_folders(open_model(write_tiny_model(pictures / "m.onnx")), sides)
    lines = folder_lines(result)
    assert "false rejects not measured, of stamped pictures" in lines
    assert not any("nan" in line or "100" in line for line in lines)
    assert result.as_object()["false_rejects"]["upper_bound"] is None


def test_an_item_must_bear_every_class_or_those_that_are_named(pictures: Path) -> None:
    """As on the box."""
    model = open_model(write_tiny_model(pictures / "two.onnx", two_classes()))
    sides = find_sides([pictures / "stamped"], [pictures / "unstamped"])
    assert judge_folders(model, sides).of("stamped").errors == 8
    assert judge_folders(model, sides, ["dot"]).of("stamped").errors == 1
    with pytest.raises(InputError, match=r"--require seal: .* finds dot, square"):
        judge_folders(model, sides, ["seal"])


def test_a_picture_on_both_sides_and_an_empty_folder_are_refused(pictures: Path) -> None:
    """One of them is a lie; sub-folders and links are looked through."""
    (pictures / "unstamped" / "again.png").symlink_to(pictures / "stamped" / "shift-a" / "s0.png")
    with pytest.raises(InputError, match="is among the stamped ones too"):
        find_sides([pictures / "stamped"], [pictures / "unstamped"])
    (pictures / "empty").mkdir()
    with pytest.raises(InputError, match=r"--stamped .*empty: holds no picture"):
        find_sides([pictures / "empty"], [])
    with pytest.raises(InputError, match=r"--unstamped .*nowhere: no such folder"):
        find_sides([], [pictures / "nowhere"])


def test_the_sheet_draws_errors_with_whole_captions(pictures: Path) -> None:
    """A false accept in the colour of what is false; a long name is wrapped, not cut."""
    name = "a-very-long-name-" * 8 + ".png"
    save(pictures / "unstamped" / name, paint(DOT))
    sheet = np.asarray(folder_sheet(judged(pictures))).reshape(-1, 3)
    assert (sheet == colour_of("false")).all(1).sum() > 50


def evaluate(*words: str) -> int:
    """The command, in this process."""
    parser = ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(words))


def test_several_models_stand_side_by_side_and_a_wrong_one_costs_a_line(
    pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit status says that something was left out; other classes are said."""
    first = write_tiny_model(pictures / "m.onnx")
    second = write_tiny_model(pictures / "two.onnx", two_classes())
    (pictures / "bad.onnx").write_bytes(b"no model")
    (pictures / "stamped" / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    sides = ["--stamped", str(pictures / "stamped"), "--unstamped", str(pictures / "unstamped")]
    models = [str(first), str(pictures / "bad.onnx"), str(second)]
    assert evaluate(*models, *sides, "--json", str(pictures / "out.json")) == 1
    said = capsys.readouterr()
    table = said.out.split("false rejects  model\n")[1].splitlines()
    assert [line.split()[-1] for line in table[:2]] == [str(first), str(second)]
    assert "do not ask for the same classes" in table[2]
    left_out = [line for line in said.err.splitlines() if "left out: " in line]
    assert ["bad.onnx" in left_out[0], "torn.png" in left_out[1], len(left_out)] == [True, True, 2]
    assert len(json.loads((pictures / "out.json").read_text())["models"]) == 2


def test_nothing_to_measure_on_is_one_line(pictures: Path) -> None:
    """And so is half of the labelled set."""
    model = str(write_tiny_model(pictures / "m.onnx"))
    both = ["--stamped", str(pictures), "--coco", "x.json", "--images", "x"]
    for words in ([], ["--coco", "x.json"], ["--images", "x"], both):
        with pytest.raises(UsageError, match="name labelled photographs"):
            evaluate(model, *words)
    with pytest.raises(UsageError, match="--require"):
        evaluate(model, "--coco", "x.json", "--images", "x", "--require", "dot")


def test_a_sheet_of_nothing_wrong_says_so(tmp_path: Path) -> None:
    """It is a picture all the same."""
    (tmp_path / "stamped").mkdir()
    save(tmp_path / "stamped" / "a.png", paint(DOT))
    sides = find_sides([tmp_path / "stamped"], [])
    result = judge_folders(open_model(write_tiny_model(tmp_path / "m.onnx", CONTRACT)), sides)
    assert isinstance(folder_sheet(result), Image.Image)
