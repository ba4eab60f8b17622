import json
import os
import re
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import edge
from edge.__main__ import main
from edge.commands.demo import demo
from edge.config import sample
from edge.errors import InputError
from edge.record.verify import read_records, verify
from edge.vision.picture_files import read_picture
from edge.vision.preprocess import Frame
from tests.disk import journal
from tests.paths import ROOT
from tests.programs import PATIENCE_S
from tests.replay.record import prepare_case
from tests.tiny_model import paint, save, two_classes, write_tiny_model

DOT = {"dot": [(16, 24)]}
NO_PICTURE = "must be a whole picture file, not a file of another kind; take the picture again"


@pytest.fixture
def model(tmp_path: Path) -> str:
    """A model that knows dots, threshold 0.5."""
    return str(write_tiny_model(tmp_path / "m.onnx"))


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder with a good item, a bad one and a file that is no picture."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    save(folder / "a.png", paint(DOT))
    save(folder / "b.png", paint({}))
    (folder / "c.png").write_text("no picture")
    return folder


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    """Return stderr without the program's name; it must be one line, and stdout empty."""
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("stampgate-edge: ")
    assert err.count("\n") == 1
    return err.removeprefix("stampgate-edge: ").rstrip("\n")


def test_inspect_prints_one_line_a_picture(
    model: str, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Verdict, picture, reason, boxes; a file that is no picture is a fault and makes status 1."""
    assert main(["inspect", model, str(pictures), str(pictures / "a.png")]) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"pass   {pictures}/a.png: dot found; dot 1.00 at [8.0 16.0 32.0 40.0]",
        f"reject {pictures}/b.png: no dot found",
        f"fault  {pictures}/c.png: {NO_PICTURE}",
        f"pass   {pictures}/a.png: dot found; dot 1.00 at [8.0 16.0 32.0 40.0]",
        "total  4 pictures: 2 pass, 1 reject, 1 fault",
    ]


def test_inspect_prints_objects_with_exactly_the_promised_keys(
    model: str, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One JSON object a line, in the order of the names; of a folder the last has the totals."""
    assert main(["inspect", model, str(pictures), "--json"]) == 1
    *lines, last = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert all(isinstance(line.pop("ms"), float) for line in lines)
    assert lines == [
        {
            "image": f"{pictures}/a.png",
            "verdict": "pass",
            "reason": "dot found",
            "code": "found",
            "findings": [{"label": "dot", "score": 1.0, "box": [8.0, 16.0, 32.0, 40.0]}],
            "near_miss": None,
        },
        {
            "image": f"{pictures}/b.png",
            "verdict": "reject",
            "reason": "no dot found",
            "code": "missing",
            "findings": [],
            "near_miss": None,
        },
        {
            "image": f"{pictures}/c.png",
            "verdict": "fault",
            "reason": NO_PICTURE,
            "code": "not-judged",
            "findings": [],
            "near_miss": None,
        },
    ]
    assert last == {"totals": {"pictures": 3, "pass": 1, "reject": 1, "fault": 1}}


def test_inspect_prints_no_totals_of_pictures_that_are_named_one_by_one(
    model: str, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As text or JSON: who names a file reads its one line."""
    named = str(pictures / "b.png")
    assert main(["inspect", model, named]) == 0
    assert capsys.readouterr().out == f"reject {named}: no dot found\n"
    assert main(["inspect", model, named, "--json"]) == 0
    (only,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert only["image"] == named


def test_a_reject_is_an_answer_and_not_an_error(model: str, pictures: Path) -> None:
    """Exit status 0: the program did what it was asked."""
    assert main(["inspect", model, str(pictures / "b.png")]) == 0


def test_min_score_takes_the_place_of_the_threshold_in_list_and_verdict(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Five eighths of a cell: found at 0.6, not at 0.9."""
    picture = paint(DOT)
    picture[24:27, 16:24] = paint({})[:3, :8]
    path = str(save(tmp_path / "p.png", picture))
    assert main(["inspect", model, path, "--min-score", "0.6"]) == 0
    assert capsys.readouterr().out.startswith("pass ")
    assert main(["inspect", model, path, "--min-score", "0.9"]) == 0
    near = "near miss dot 0.62 at [8.0 16.0 32.0 40.0]"
    assert capsys.readouterr().out == f"reject {path}: no dot found; {near}\n"


def test_inspect_judges_by_the_rules_of_a_settings_file(
    tmp_path: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As the service does; a class that is forbidden by the command line rejects, too."""
    model = str(write_tiny_model(tmp_path / "two.onnx", two_classes()))
    both = str(save(tmp_path / "both.png", paint(DOT | {"square": [(40, 8)]})))
    assert main(["inspect", model, both, "--forbid", "square"]) == 0
    assert capsys.readouterr().out.startswith(f"reject {both}: square found, which is forbidden; ")
    (tmp_path / "edge.toml").write_text('[decision]\nrequired = ["dot"]\ncount = "2"\n')
    how = ["--config", str(tmp_path / "edge.toml")]
    assert main(["inspect", model, both, *how]) == 0
    assert "1 dot found, must be exactly 2" in capsys.readouterr().out
    assert main(["inspect", model, both, *how, "--require", "dot"]) == 2
    assert "--config must stand without --min-score, --require" in one_line(capsys)
    (tmp_path / "edge.toml").write_text('[decision]\nforbidden = ["cross"]\n')
    assert main(["inspect", model, both, *how]) == 78
    assert "a forbidden class must be one of the model's" in one_line(capsys)


def test_a_mark_at_one_place_in_all_pictures_is_told_at_the_end(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A stamp on the rail: three are enough, and one picture without it is enough for silence."""
    folder = tmp_path / "rail"
    folder.mkdir()
    for number in range(3):
        save(folder / f"{number}.png", paint(DOT | {"square": [(8 * number, 48)]}))
    note = "note   a mark stands at the same place on all 3 pictures: dot at [8 16 32 40]; "
    assert main(["inspect", model, str(folder)]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith(note)
    assert main(["inspect", model, str(folder), "--json"]) == 0
    told = capsys.readouterr()
    assert told.err.startswith(note)
    assert len([json.loads(line) for line in told.out.splitlines()]) == 4
    save(folder / "3.png", paint({}))
    assert main(["inspect", model, str(folder)]) == 0
    assert "note" not in capsys.readouterr().out


def test_require_names_the_classes_that_must_be_there(
    tmp_path: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A model of two classes asks for both, unless told otherwise; an unknown class is refused."""
    model = str(write_tiny_model(tmp_path / "two.onnx", two_classes()))
    picture = str(pictures / "a.png")
    assert main(["inspect", model, picture]) == 0
    assert "no square found" in capsys.readouterr().out
    assert main(["inspect", model, picture, "--require", "dot"]) == 0
    assert capsys.readouterr().out.startswith("pass ")
    assert main(["inspect", model, picture, "--require", "dto"]) == 2
    assert (
        one_line(capsys) == "a required class must be one of the model's (dot, square), not 'dto'"
    )


def test_annotated_copies_never_replace_a_source(model: str, pictures: Path) -> None:
    """Even when they go into the sources' own folder, twice, and two sources share a stem."""
    Image.open(pictures / "a.png").save(pictures / "a.bmp")
    sources = {path.name: path.read_bytes() for path in pictures.iterdir()}
    arguments = ["inspect", model, str(pictures), "--annotate", str(pictures)]
    assert main(arguments) == 1
    assert {p.name for p in pictures.iterdir()} - set(sources) == {
        "a.annotated.jpg",
        "a-2.annotated.jpg",
        "b.annotated.jpg",
    }
    copies = {path.name: path.read_bytes() for path in pictures.iterdir()}
    assert main(arguments) == 1
    for name, content in {**copies, **sources}.items():
        assert (pictures / name).read_bytes() == content


def test_an_annotated_copy_shows_the_box_and_keeps_the_picture(
    model: str, pictures: Path, tmp_path: Path
) -> None:
    """The box is blue, the rest of the picture is as it was, and the verdict stands below."""
    main(["inspect", model, str(pictures / "a.png"), "--annotate", str(tmp_path / "out")])
    with Image.open(tmp_path / "out" / "a.annotated.jpg") as copy:
        seen = np.asarray(copy.convert("RGB"))
    red, green, blue = (int(level) for level in seen[39, 20])
    assert blue > red + 20
    assert blue > green + 20
    assert np.abs(seen[50:62].astype(int) - paint(DOT)[50:62]).mean() < 12  # a JPEG's difference
    assert seen.shape[0] > 64
    assert seen.shape[1] == 64


def test_the_score_must_be_a_share(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 2, as for any wrong call."""
    for wrong in ("2", "-0.1", "nan", "high"):
        with pytest.raises(SystemExit, match="2"):
            main(["inspect", model, "x.png", "--min-score", wrong])
        assert (
            f"--min-score: must be a number between 0 and 1, not '{wrong}'"
            in capsys.readouterr().err
        )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: path.write_bytes(b"junk"), "not an ONNX model that can be loaded"),
        (lambda path: write_tiny_model(path, metadata=""), "carries no stampgate.contract"),
        (
            lambda path: write_tiny_model(path, metadata='{"version": 9}'),
            "version must be 2, not 9",
        ),
        (lambda path: path.unlink(missing_ok=True), "no such model file"),
    ],
)
def test_a_model_that_is_none_is_one_line_and_78(
    tmp_path: Path, pictures: Path, capsys: pytest.CaptureFixture[str], make: Any, message: str
) -> None:
    """Damaged, foreign, of another version, missing."""
    make(tmp_path / "bad.onnx")
    assert main(["inspect", str(tmp_path / "bad.onnx"), str(pictures)]) == 78
    line = one_line(capsys)
    assert message in line
    assert "bad.onnx" in line


def test_an_empty_folder_is_one_line_and_1(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing to inspect is not a success."""
    (tmp_path / "empty").mkdir()
    assert main(["inspect", model, str(tmp_path / "empty")]) == 1
    assert one_line(capsys).endswith("empty: holds no file; name a folder of pictures")


def test_config_prints_the_sample(capsys: pytest.CaptureFixture[str]) -> None:
    """Every key, commented."""
    assert main(["config"]) == 0
    assert capsys.readouterr().out == sample()


def test_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    """One number, in one place."""
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"stampgate-edge {edge.__version__}\n"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('file = "model.onnx"', 'file = "none.onnx"', "none.onnx: no such model file"),
        (
            'folder = "frames"',
            'folder = "empty"',
            "holds no file to replay; put pictures there or correct [camera] folder",
        ),
        ("pulse_ms = 60.0", "pulse_ms = 0", "edge.toml: [gate] pulse_ms must be above 0"),
        ("[gate]", "[gate]\nflap = 1", "edge.toml: [gate] has no key 'flap'"),
        (
            "[gate]",
            "[decision]\nrequired = ['x']\n[gate]",
            "[decision] required: a required class must be one of",
        ),
    ],
)
def test_run_refuses_wrong_settings_in_one_line_with_78(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, message: str
) -> None:
    """The status that systemd does not restart on; and no item was judged."""
    config = prepare_case("mixed", tmp_path)
    (tmp_path / "empty").mkdir()
    config.write_text(config.read_text().replace(old, new))
    assert main(["run", "--config", str(config)]) == 78
    assert message in one_line(capsys)
    journal = tmp_path / "journal.jsonl"
    assert not journal.exists() or journal.read_text() == ""


def test_a_full_disk_does_not_end_the_run_but_its_status_and_leaves_a_whole_journal(
    tmp_path: Path,
) -> None:
    """The kernel refuses growth at 2500 bytes, in the middle of a record: one line, status 74."""
    config = prepare_case("mixed", tmp_path)
    text = config.read_text().replace("pictures_per_second = 4.0", "pictures_per_second = 0.0")
    config.write_text(text.replace('record = "edges.jsonl"', ""))

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2500, 2500))

    command = [sys.executable, "-B", "-m", "edge", "run", "--config", str(config)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
        preexec_fn=limit,
    )
    assert done.returncode == 74
    written = verify(tmp_path / "journal.jsonl")
    assert 2 <= written.items < 7
    said = re.fullmatch(
        f"stampgate-edge: {re.escape(str(tmp_path))}/journal.jsonl: the journal cannot be written "
        r"\(File too large\); lost now, records waiting in memory: (\d+); make room or permission "
        r"there, or name another \[journal\] file\n",
        done.stderr,
    )
    assert said is not None
    assert int(said[1]) >= 9 - written.records  # more where incidents happened at this speed


def test_verify_log_says_whether_the_chain_holds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """0 and one line when it does, 1 and the line's number when it does not."""
    config = prepare_case("mixed", tmp_path)
    config.write_text(
        config.read_text().replace("pictures_per_second = 4.0", "pictures_per_second = 0.0")
    )
    assert main(["run", "--config", str(config)]) == 0
    journal = tmp_path / "journal.jsonl"
    assert main(["verify-log", str(journal)]) == 0
    said = capsys.readouterr().out  # at this speed pulses overlap, and there are incidents
    assert re.fullmatch(rf"{re.escape(str(journal))}: \d+ records, 7 items, chain whole\n", said)
    journal.write_text(journal.read_text().replace("no square found", "square found, too", 1))
    assert main(["verify-log", str(journal)]) == 1
    assert "line 4 must carry the hash of the line before" in one_line(capsys)


def chequered(picture: Frame) -> Frame:
    """A row of print along the bottom, so that nobody takes the drawing for a covered lens."""
    for column in range(0, picture.shape[1], 8):
        picture[-8:, column : column + 8] = 255 * (column // 8 % 2)
    return picture


def test_the_demo_shows_what_the_service_did(
    model: str, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A table, the pulses, the counters, and where everything lies; twice in the same folder."""
    out = tmp_path / "out"
    for name in ("a.png", "b.png"):
        save(pictures / name, chequered(read_picture(pictures / name)))
    for _ in range(2):
        demo(out, pictures, model)
        text = capsys.readouterr().out
        assert "a.png    PASS     1.00   [8.0 16.0 32.0 40.0]  dot found" in text
        assert (
            "counters: triggers 3, pass 1, reject 1, fault 1, unsure 0, late 0, unknown 0, "
            "thrown_passes 0" in text
        )
        starts = re.findall(r"^ +\d+ (\w)\.png: ([\d.]+) ms", text, re.MULTILINE)
        assert [name for name, _ in starts] == ["b", "c"]
        assert all(float(ms) >= 500.0 for _, ms in starts)
    assert {path.name for path in out.iterdir()} == {
        ".journal.jsonl.lock", ".stampgate-demo", "annotated", "edge.toml", "evidence",
        "gate.jsonl", "journal.jsonl", "sheet.png", "status.json",
    }  # fmt: skip
    assert {path.name for path in (out / "annotated").iterdir()} == {"001-a.png", "002-b.png"}
    assert len(read_records(out / "journal.jsonl")) == 5


def test_a_second_demo_does_not_take_the_folder_of_one_that_runs(
    model: str, pictures: Path, tmp_path: Path
) -> None:
    """It would remove the journal that the first one writes."""
    demo(tmp_path / "demo", pictures, model)
    with journal(tmp_path / "demo" / "journal.jsonl"):
        before = (tmp_path / "demo" / "journal.jsonl").read_bytes()
        with pytest.raises(InputError, match="another demo is running there"):
            demo(tmp_path / "demo", pictures, model)
    assert (tmp_path / "demo" / "journal.jsonl").read_bytes() == before


def test_the_demo_leaves_other_peoples_folders_alone(
    model: str, pictures: Path, tmp_path: Path
) -> None:
    """A folder that holds anything else is refused, and a file, too."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "journal.jsonl").write_text("precious")
    with pytest.raises(
        InputError, match="must be empty or hold an earlier demo; name another folder with --out"
    ):
        demo(tmp_path / "mine", pictures, model)
    assert [p.name for p in (tmp_path / "mine").iterdir()] == ["journal.jsonl"]
    (tmp_path / "file").write_text("precious")
    with pytest.raises(InputError, match="cannot be made a folder"):
        demo(tmp_path / "file", pictures, model)


def test_an_early_end_of_the_reader_is_no_traceback(model: str, pictures: Path) -> None:
    """As in: stampgate-edge inspect ... | head -0."""
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "edge", "inspect", model, str(pictures)]
    done = subprocess.run(
        command, cwd=ROOT, stdout=write, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


def test_names_that_cannot_be_printed_do_not_end_the_run(
    model: str, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Names are bytes on Linux: not UTF-8, and with a line end inside."""
    for name in (b"x\xff.png", b"y\nz.png"):
        (Path(os.fsdecode(os.fsencode(pictures) + b"/" + name))).write_bytes(
            (pictures / "a.png").read_bytes()
        )
    assert main(["inspect", model, str(pictures)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 6
    assert lines[5].startswith("total  5 pictures")
    assert lines[3].startswith(f"pass   {pictures}/x\\udcff.png: dot found")
    assert lines[4].startswith(f"pass   {pictures}/y\\u000az.png: dot found")
