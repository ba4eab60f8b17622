import csv
import hashlib
import json
import os
import signal
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from faster_coco_eval import COCO
from PIL import Image

from edge.decision import Box
from edge.errors import InputError, StampgateError
from tests.painting import save_mark
from train.commands import synth
from train.commands.configuration import config_of
from train.labels.reading import read_ground_truth
from train.paint import backgrounds
from train.paint import painted_set as writer
from train.paint.inputs import read_inputs
from train.paint.picture_kinds import PICTURE_KINDS
from train.paint.synth import Kit
from train.photographs import product_of, read_photograph

SIZE = 96
TINY = [
    "--size",
    str(SIZE),
    "--set",
    "window=96",
    "--set",
    "size_min=0.3",
    "--set",
    "occlusion_share=0",
    "--workers",
]


@pytest.fixture
def inputs(tmp_path: Path) -> list[str]:
    """Arguments for a mark and a folder of photographs of four products."""
    photographs = tmp_path / "photographs"
    photographs.mkdir()
    rng = np.random.default_rng(0)
    for product in ("leek", "milk", "soap", "tea"):
        for number in range(3):
            coarse = rng.integers(0, 256, (6, 8, 3)).astype(np.uint8)
            Image.fromarray(coarse).resize((160, 120)).save(photographs / f"{product}_{number}.png")
    return ["--mark", str(save_mark(tmp_path, "disc")), "--backgrounds", str(photographs)]


def run(*arguments: str | Path) -> int:
    """Run the command in this process."""
    parser = ArgumentParser()
    synth.add_arguments(parser)
    parsed = parser.parse_args([str(argument) for argument in arguments])
    return synth.run(parsed)


def paint_set(out: Path, inputs: list[str], count: int, *more: str) -> None:
    """Paint a tiny data set in this process."""
    assert run(*inputs, *TINY, "0", "--out", out, "--count", str(count), *more) == 0


def contents(folder: Path) -> dict[str, str]:
    """Every file of a data set by its path, as a hash."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def labels_of(out: Path) -> dict[str, Any]:
    """The COCO labels."""
    raw: dict[str, Any] = json.loads((out / "labels.json").read_text())
    return raw


def test_names_that_are_no_utf_8_are_painted_on(tmp_path: Path, inputs: list[str]) -> None:
    """Folder, photographs and mark from an old disk: Latin-1 in their names."""
    old = tmp_path / os.fsdecode(b"Pr\xfcfung")
    old.mkdir()
    for number, path in enumerate(sorted(Path(inputs[-1]).iterdir())):
        path.rename(old / os.fsdecode(b"\xfc%d.png" % number))
    inputs[-1] = str(old)
    out = tmp_path / os.fsdecode(b"set \xfc")
    paint_set(out, inputs, 2)
    paint_set(out, inputs, 3)
    assert len(labels_of(out)["images"]) == 3


def test_three_kinds_of_labels_tell_the_same(tmp_path: Path, inputs: list[str]) -> None:
    """Each box of COCO is a row of the CSV and a line of YOLO.

    Our own reader and faster-coco-eval take the COCO file.
    """
    out = tmp_path / "set"
    paint_set(out, inputs, 12)
    labels, _ = read_ground_truth(out / "labels.json", out / "images", ("disc",))
    assert len(labels.images) == 12
    assert set(COCO(labels_of(out)).getImgIds()) == set(labels.images)
    rows = list(csv.reader((out / "labels.csv").read_text().splitlines()))
    for image_id, path in labels.images.items():
        boxes = [label.box.corners() for label in labels.of(image_id) if not label.ignore]
        mine = [
            (flag, [float(side) for side in box.split()])
            for name, flag, box in rows
            if name == path.name
        ]
        lines = [
            line.split() for line in (out / "labels" / f"{path.stem}.txt").read_text().splitlines()
        ]
        assert [flag for flag, _ in mine] == (["1"] * len(boxes) if labels.of(image_id) else ["0"])
        assert np.allclose(
            [box for _, box in mine], boxes or [(0, 0, 0, 0)] * len(mine), atol=0.011
        )
        assert [kind for kind, *_ in lines] == ["0"] * len(boxes)
        centres = [((x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0) for x0, y0, x1, y1 in boxes]
        assert np.allclose(
            [[float(v) * SIZE for v in line[1:]] for line in lines], centres, atol=0.011
        )
    assert any(flag == "1" for _, flag, _ in rows)
    assert any(flag == "0" for _, flag, _ in rows)


def test_a_picture_is_what_training_is_shown(tmp_path: Path, inputs: list[str]) -> None:
    """The file holds what paint() gives, but for JPEG of quality 95."""
    out = tmp_path / "set"
    paint_set(out, inputs, 3)
    parser = ArgumentParser()
    synth.add_arguments(parser)
    arguments = parser.parse_args([*inputs, *TINY, "0", "--out", str(out)])
    job = writer.Job.of(read_inputs(config_of(arguments)), "camera", False)
    for index in range(3):
        picture = job.paint(job.kit(), index)
        with Image.open(out / "images" / writer.file_name(index)) as opened:
            assert opened.size == (SIZE, SIZE)
            gap = np.abs(np.asarray(opened, np.int16) - picture.pixels)
        assert gap.mean() < 3.5


def test_pictures_are_the_same_whoever_paints_them_and_when(
    tmp_path: Path, inputs: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    """Two processes at once, or one in two goes: every file of the data set is the same bytes."""
    at_once, in_two_goes = tmp_path / "a", tmp_path / "b"
    assert run(*inputs, *TINY, "2", "--out", at_once, "--count", "8") == 0
    paint_set(in_two_goes, inputs, 3)
    paint_set(in_two_goes, inputs, 8)
    assert "8 pictures (3 of them from before)" in capfd.readouterr().out
    assert len(contents(at_once)) == 2 * 8 + 7
    assert contents(at_once) == contents(in_two_goes)


def test_ctrl_c_leaves_a_whole_data_set_that_goes_on(
    tmp_path: Path,
    inputs: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """After a real SIGINT: status 130, labels of exactly the pictures there, and a resume ends."""
    out, whole = tmp_path / "set", tmp_path / "whole"
    real = writer.write_picture

    def interrupted(job: writer.Job, kit: Kit, out: Path, index: int) -> writer.Written:
        if index == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return real(job, kit, out, index)

    with monkeypatch.context() as patch:
        patch.setattr(writer, "write_picture", interrupted)
        assert run(*inputs, *TINY, "0", "--out", out, "--count", "6") == 130
    assert "stopped before all 6" in capfd.readouterr().out
    names = [image["file_name"] for image in labels_of(out)["images"]]
    assert (
        names
        == sorted(path.name for path in (out / "images").iterdir())
        == ["000000.jpg", "000001.jpg", "000002.jpg"]
    )
    assert sorted(path.stem for path in (out / "labels").iterdir()) == [
        "000000",
        "000001",
        "000002",
    ]
    paint_set(out, inputs, 6)
    paint_set(whole, inputs, 6)
    assert contents(out) == contents(whole)


def test_what_a_crash_left_is_found_and_painted_again(tmp_path: Path, inputs: list[str]) -> None:
    """A cut picture, one without a record, a torn line, a half-written file: nothing stays."""
    out, whole = tmp_path / "set", tmp_path / "whole"
    paint_set(out, inputs, 5)
    paint_set(whole, inputs, 6)
    picture = out / "images" / "000001.jpg"
    picture.write_bytes(picture.read_bytes()[:700])
    (out / "images" / "000077.jpg").write_bytes(b"painted, and then the power went")
    (out / "images" / ".000005.jpg.part").write_bytes(b"half")
    journal = out / "pictures.jsonl"
    journal.write_text(journal.read_text()[:-9])
    paint_set(out, inputs, 6)
    assert contents(out) == contents(whole)


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (["--seed", "3"], "another seed: 0, not 3"),
        (["--set", "blur_px=0.5"], "another blur_px: 1.6, not 0.5"),
        (["--pictures", "naive"], "another kind: camera, not naive"),
        (["--held-out"], "another held_out"),
        (["--mark", "disc=STAR"], "another mark;"),
    ],
)
def test_going_on_with_other_settings_is_refused(
    tmp_path: Path, inputs: list[str], other: list[str], words: str
) -> None:
    """In one line that says what differs, and nothing is touched."""
    out = tmp_path / "set"
    paint_set(out, inputs, 2)
    before = contents(out)
    star = str(save_mark(tmp_path, "star"))
    with pytest.raises(InputError) as caught:
        run(
            *inputs,
            *(a.replace("STAR", star) for a in other),
            *TINY,
            "0",
            "--out",
            out,
            "--count",
            "3",
        )
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert contents(out) == before


def test_the_settings_go_by_content_and_not_by_path(tmp_path: Path, inputs: list[str]) -> None:
    """A mark under another name is the same mark; another picture under the same name is not."""
    out = tmp_path / "set"
    paint_set(out, inputs, 2)
    (tmp_path / "disc.png").rename(tmp_path / "moved.png")
    paint_set(out, ["--mark", f"disc={tmp_path / 'moved.png'}", *inputs[2:]], 3)
    assert len(labels_of(out)["images"]) == 3


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path, inputs: list[str]) -> None:
    """A user's own files must survive a wrong --out."""
    out = tmp_path / "holiday"
    out.mkdir()
    (out / "beach.jpg").write_bytes(b"sun")
    with pytest.raises(InputError, match="must be empty or hold a data set"):
        run(*inputs, *TINY, "0", "--out", out, "--count", "2")
    assert contents(out) == {"beach.jpg": hashlib.sha256(b"sun").hexdigest()}


def test_two_writers_do_not_share_a_folder(tmp_path: Path, inputs: list[str]) -> None:
    """The second is refused while the first writes."""
    out = tmp_path / "set"
    paint_set(out, inputs, 1)
    hold = (
        "import fcntl, sys\n"
        "lock = open(sys.argv[1], 'w')\n"
        "fcntl.flock(lock, fcntl.LOCK_EX)\n"
        "print('held', flush=True)\n"
        "sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", hold, str(out / writer.LOCK)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(InputError, match="another 'stampgate synth' is writing there"):
            run(*inputs, *TINY, "0", "--out", out, "--count", "2")
        other.communicate(b"")
    paint_set(out, inputs, 2)


def test_fewer_pictures_than_there_are_is_refused(tmp_path: Path, inputs: list[str]) -> None:
    """To take some away silently would be worse, and so would a count that is not true."""
    paint_set(tmp_path / "set", inputs, 3)
    with pytest.raises(
        InputError, match=r"holds pictures up to 000002.jpg; --count must be at least 3"
    ):
        run(*inputs, *TINY, "0", "--out", tmp_path / "set", "--count", "2")


def test_a_preview_alone_writes_one_sheet_and_does_not_stand_in_the_way(
    tmp_path: Path, inputs: list[str]
) -> None:
    """Look first, then paint into the same folder."""
    out = tmp_path / "set"
    assert run(*inputs, *TINY, "0", "--out", out, "--preview") == 0
    assert sorted(contents(out)) == ["preview.png", "understood.png"]
    with Image.open(out / "preview.png") as sheet:
        assert sheet.width >= 4 * SIZE
    paint_set(out, inputs, 1)


def test_without_a_count_or_a_preview_there_is_nothing_to_do(
    tmp_path: Path, inputs: list[str]
) -> None:
    """And the line says what to add."""
    with pytest.raises(StampgateError, match="--count is missing"):
        run(*inputs, "--out", tmp_path / "set")


@pytest.mark.parametrize(
    "wrong", [["--count", "0"], ["--count", "many"], ["--workers", "-1"], ["--pictures", "magic"]]
)
def test_wrong_numbers_are_refused_by_the_parser(
    tmp_path: Path, inputs: list[str], wrong: list[str]
) -> None:
    """Exit status 2, as for any command."""
    with pytest.raises(SystemExit) as caught:
        run(*inputs, "--out", tmp_path / "set", *wrong)
    assert caught.value.code == 2


def test_the_naive_way_pastes_the_stamp_unchanged_on_every_other_picture(
    tmp_path: Path, inputs: list[str]
) -> None:
    """Half with, half without; in the box lies the stamp itself, upright, in its own colours."""
    out = tmp_path / "set"
    paint_set(out, inputs, 10, "--pictures", "naive")
    raw = labels_of(out)
    assert [a["image_id"] for a in raw["annotations"]] == [1, 3, 5, 7, 9]
    assert not any(a["ignore"] for a in raw["annotations"])
    with Image.open(inputs[1]) as opened:
        stamp = opened.convert("RGBA")
    for a in raw["annotations"]:
        x, y, width, height = a["bbox"]
        box = Box(x, y, x + width, y + height)
        assert 0.1 * SIZE - 2 <= max(width, height) <= 0.5 * SIZE + 1
        with Image.open(out / "images" / raw["images"][a["image_id"] - 1]["file_name"]) as picture:
            seen = picture.crop((round(box.x0), round(box.y0), round(box.x1), round(box.y1)))
        small = stamp.resize(seen.size, Image.Resampling.LANCZOS)
        solid = np.asarray(small.getchannel("A")) == 255
        gap = np.abs(np.asarray(seen, np.int16) - np.asarray(small.convert("RGB"), np.int16))[solid]
        assert np.median(gap) < 12


def test_pictures_of_lookalikes_show_no_mark_but_something(
    tmp_path: Path, inputs: list[str]
) -> None:
    """No box at all, and each picture differs from the same one without look-alikes."""
    bare = ["--set", "lookalike_share=0", "--set", "negative_share=0.9"]
    paint_set(tmp_path / "alike", inputs, 6, "--pictures", "lookalikes")
    assert labels_of(tmp_path / "alike")["annotations"] == []
    paint_set(tmp_path / "bare", inputs, 6, *bare)
    alike, plain = contents(tmp_path / "alike" / "images"), contents(tmp_path / "bare" / "images")
    assert not set(alike.values()) & set(plain.values())


def test_lookalikes_without_any_allowed_is_refused(tmp_path: Path, inputs: list[str]) -> None:
    """There would be nothing to paint."""
    with pytest.raises(StampgateError, match="lookalikes_max must be above 0"):
        run(
            *inputs,
            *TINY,
            "0",
            "--out",
            tmp_path,
            "--count",
            "1",
            "--pictures",
            "lookalikes",
            "--set",
            "lookalikes_max=0",
        )


@pytest.mark.parametrize("held_out", [False, True])
def test_held_out_paints_on_the_other_products(
    tmp_path: Path, inputs: list[str], held_out: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The photographs that a run's threshold is set on, and none of those it trains on."""
    opened = set[str]()
    real = read_photograph

    def noted(path: Path, long_side: int) -> Image.Image:
        opened.add(product_of(path, Path(inputs[3])))
        return real(path, long_side)

    monkeypatch.setattr(backgrounds, "read_photograph", noted)
    more = ["--held-out"] if held_out else []
    paint_set(tmp_path / "set", inputs, 16, "--set", "painted_share=0", *more)
    assert len(opened) == (1 if held_out else 3)


def test_several_classes_keep_their_numbers(tmp_path: Path, inputs: list[str]) -> None:
    """In the order of --mark; COCO counts from 1, YOLO from 0; YAML's special names are quoted."""
    out = tmp_path / "set"
    star = save_mark(tmp_path, "star")
    paint_set(out, ["--mark", f"no={inputs[1]}", "--mark", f"late batch={star}", *inputs[2:]], 12)
    raw = labels_of(out)
    assert raw["categories"] == [{"id": 1, "name": "no"}, {"id": 2, "name": "late batch"}]
    assert {a["category_id"] for a in raw["annotations"]} == {1, 2}
    assert 'names:\n  0: "no"\n  1: "late batch"\n' in (out / "data.yaml").read_text()


def test_the_command_offers_every_kind_of_picture() -> None:
    """It names them itself, so that --help need not wait for OpenCV."""
    assert tuple(PICTURE_KINDS) == synth.KIND_NAMES


def test_a_process_that_dies_is_one_clear_line(
    tmp_path: Path, inputs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed for want of memory, say: no traceback, no hang, and the next step."""
    monkeypatch.setattr(writer, "_write_one", os._exit)
    with pytest.raises(InputError, match="a painting process ended suddenly"):
        run(*inputs, *TINY, "1", "--out", tmp_path / "set", "--count", "1")
