import os
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from export.__main__ import PROGRAM, main
from tests.painting import save_mark
from tests.paths import ROOT
from tests.tiny_model import write_tiny_model
from train.commands.configuration import config_of, overrides
from train.commands.marks_shown import print_marks
from train.config import RunConfig
from train.paint.inputs import read_inputs


def refusal(arguments: list[str], capsys: pytest.CaptureFixture[str], status: int) -> str:
    """Run the command, expect that exit status and one line on stderr, and return the line."""
    assert main(arguments) == status
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("stampgate: ")
    return line


@pytest.fixture
def mark(tmp_path: Path) -> str:
    """A good picture of a stamp."""
    return str(save_mark(tmp_path, "disc"))


def test_training_without_a_mark_says_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first thing a new user forgets."""
    assert "--mark is missing" in refusal(["train", "--out", str(tmp_path / "run")], capsys, 2)


def test_a_folder_of_marks_is_told_as_one(
    tmp_path: Path, mark: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A class with many pictures has one line, as documented; what is in doubt has its own."""
    (tmp_path / "seals").mkdir()
    for number in range(4):
        save_mark(tmp_path / "seals", "star").rename(tmp_path / "seals" / f"{number}.png")
    config = RunConfig((("seal", str(tmp_path / "seals")), ("disc", mark)), "")
    read_inputs(config, show=print_marks)
    seals, size, made = capsys.readouterr().out.splitlines()
    assert seals == "mark seal: 4 pictures; 4 times its own transparency is used"
    assert size.startswith(f"mark disc: {mark}: 96 x 96 pixels of a picture of 96 x 96; its own")
    assert made.endswith(
        "a sticker or badge with a ground of its own; if it is not, --set inks=disc"
    )


def test_a_path_that_is_no_utf_8_is_refused_before_a_folder_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run writes its paths into a file of text; names of photographs in a folder may be any."""
    path = save_mark(tmp_path, "disc").rename(tmp_path / os.fsdecode(b"Pr\xfcfung.png"))
    out = tmp_path / "run"
    said = refusal(["train", "--mark", f"seal={path}", "--out", str(out)], capsys, 78)
    assert "must be UTF-8" in said
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "words", "status"),
    [
        (["--size", "100"], "multiples of 32", 2),
        (["--set", "second_side=100"], "second_side 100 must be a multiple of 16", 2),
        (
            ["--set", "second_side=64"],
            "second_side 64 must be a multiple of 16, at least 32 and second_px 88",
            2,
        ),
        (["--size", "8"], "size must be at least 96", 78),
        (["--minutes", "0"], "must be above 0", 2),
        (["--minutes", "nan"], "minutes must be at least 0", 78),
        (["--set", "blur=2"], "no such key", 2),
        (["--set", "blur_px"], "must be KEY=VALUE", 2),
        (["--set", "blur_px=soft"], 'blur_px must be a number, not "soft"', 78),
        (["--set", "jpeg_min=2"], "jpeg_min must be at least 5", 78),
        (["--set", "size_min=0.9"], "size_min must be at most size_max", 2),
    ],
)
def test_a_wrong_number_is_refused_before_anything_begins(
    tmp_path: Path,
    mark: str,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
    status: int,
) -> None:
    """With the bound or the next step in the line, and no folder left behind."""
    run = tmp_path / "run"
    length = [] if "--minutes" in arguments else ["--steps", "1"]
    line = refusal(
        ["train", "--mark", mark, "--out", str(run), *length, *arguments], capsys, status
    )
    assert words in line
    assert not run.exists()


def test_bad_inputs_are_named(
    tmp_path: Path, mark: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A mark that is none, a folder that is empty, a look-alike that there is not."""
    run, empty = str(tmp_path / "run"), tmp_path / "empty"
    empty.mkdir()
    (tmp_path / "text.png").write_text("no picture")
    begin = ["train", "--out", run, "--steps", "1"]
    assert "text.png: must be a whole picture file" in refusal(
        [*begin, "--mark", str(tmp_path / "text.png")], capsys, 1
    )
    assert "holds no picture" in refusal(
        [*begin, "--mark", mark, "--backgrounds", str(empty)], capsys, 1
    )
    assert "mine: 'halves' must be a number below" in refusal(
        [*begin, "--mark", mark, "--set", 'mine=["halves"]'], capsys, 2
    )
    assert not Path(run).exists()


def test_a_run_is_never_overwritten_by_mistake(
    tmp_path: Path, mark: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder that holds a checkpoint needs --resume, or another name."""
    run = tmp_path / "run"
    run.mkdir()
    (run / "checkpoint.pt").write_bytes(b"twenty minutes of work")
    line = refusal(["train", "--mark", mark, "--out", str(run), "--steps", "1"], capsys, 2)
    assert "add --resume" in line
    assert (run / "checkpoint.pt").read_bytes() == b"twenty minutes of work"


def test_there_is_nothing_to_resume_in_an_empty_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the line names the file that is missing."""
    assert "no such checkpoint" in refusal(["train", "--resume", "--out", str(tmp_path)], capsys, 1)


def test_exporting_what_is_no_run_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing appears under the name of the model."""
    out = tmp_path / "m.onnx"
    assert "no such checkpoint" in refusal(["export", str(tmp_path), "--out", str(out)], capsys, 1)
    assert not out.exists()


def test_evaluating_with_a_foreign_model_or_folder_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same lines as on the box, since it is the box's code."""
    model, labels = write_tiny_model(tmp_path / "m.onnx"), tmp_path / "labels.json"
    labels.write_text('{"images": [], "annotations": [], "categories": [{"id": 1, "name": "dot"}]}')
    end = ["--coco", str(labels), "--images", str(tmp_path)]
    assert "no such model file" in refusal(
        ["evaluate", str(tmp_path / "none.onnx"), *end], capsys, 78
    )
    (tmp_path / "cut.onnx").write_bytes(model.read_bytes()[:100])
    assert "not an ONNX model" in refusal(
        ["evaluate", str(tmp_path / "cut.onnx"), *end], capsys, 78
    )
    none = [*end, "--negatives", str(tmp_path / "none")]
    assert "--negatives" in refusal(["evaluate", str(model), *none], capsys, 1)


def test_the_command_line_lies_on_top_of_what_a_run_was_told(mark: str) -> None:
    """Resuming with more time changes the time and nothing else."""
    blank = Namespace(
        mark=None, backgrounds=None, lookalike=None, backbone=None, weights=None, size=None,
        seed=None, minutes=None, steps=None, set=[],
    )  # fmt: skip
    first = config_of(
        Namespace(**{**vars(blank), "mark": [f"a={mark}"], "steps": 50, "set": ["blur_px=0.5"]})
    )
    assert (first.fit.steps, first.fit.minutes, first.synth.blur_px, first.classes) == (
        50,
        0.0,
        0.5,
        ("a",),
    )
    later = config_of(Namespace(**{**vars(blank), "minutes": 3.0}), first)
    assert (later.fit.steps, later.fit.minutes, later.synth, later.marks) == (
        0,
        3.0,
        first.synth,
        first.marks,
    )
    assert overrides(Namespace(**{**vars(blank), "set": ["ema=0.9"]})) == {
        "synth": {},
        "fit": {"ema": 0.9},
    }
    assert RunConfig.from_json(later.to_json()) == later


def test_real_photographs_need_their_labels_and_the_labels_their_photographs(
    tmp_path: Path, mark: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One without the other is refused before anything begins; so is a folder that is not there."""
    begin = ["train", "--mark", mark, "--steps", "1", "--out", str(tmp_path / "run")]
    assert "--real and --real-images belong together" in refusal(
        [*begin, "--real", "labels.json"], capsys, 2
    )
    assert "--real and --real-images belong together" in refusal(
        [*begin, "--real-images", "here"], capsys, 2
    )
    both = ["--real", str(tmp_path / "labels.json"), "--real-images", str(tmp_path / "none")]
    assert "--real-images" in refusal([*begin, *both], capsys, 1)
    assert not (tmp_path / "run").exists()


def test_another_backbone_starts_from_nothing_unless_something_is_named(mark: str) -> None:
    """The shipped weights are for one backbone; who asks for another should not have to know."""
    blank = Namespace(mark=[f"a={mark}"], backgrounds=None, lookalike=None, steps=5, set=[])
    assert config_of(Namespace(**vars(blank), backbone="resnet18")).fit.weights == "none"
    assert (
        config_of(Namespace(**vars(blank), backbone="resnet18", weights="imagenet")).fit.weights
        == "imagenet"
    )
    assert config_of(blank).fit.weights == RunConfig((), "").fit.weights


def test_every_command_is_described_without_the_packages_of_the_extras() -> None:
    """Who has the box's packages alone is told what to install, and gets no traceback."""
    absent = (
        "torch", "torchvision", "cv2", "imagehash", "scipy", "yaml", "requests", "tqdm", "icrawler",
        "urllib3", "faster_coco_eval", "resvg_py", "onnx", "onnxscript",
    )  # fmt: skip
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({absent}))\n"
        "from export.__main__ import main\n"
        f"for name in {list(PROGRAM.commands)}:\n"
        "    try:\n        main([name, '--help'])\n"
        "    except SystemExit as ended:\n        assert ended.code == 0, name\n"
        "sys.exit(main(['train', '--mark', 'seal.png', '--out', 'run']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    (line,) = done.stderr.splitlines()
    assert "stampgate[train]" in line
