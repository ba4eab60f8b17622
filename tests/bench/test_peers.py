import ast
import json
import time
from functools import partial
from hashlib import sha256
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from PIL import Image, ImageDraw

from bench.command import run
from bench.layouts import Entries, layouts, that_counts
from bench.peers import pictures
from bench.peers.__main__ import done, main
from bench.peers.environment import REQUIREMENTS, make_environment
from bench.peers.judging import Contender, Result, judge_contender
from bench.peers.latency import Opened, as_object
from bench.peers.latency import lines as latency_lines
from bench.peers.latency import measure as latencies_of
from bench.peers.report import compare, table, verdict
from bench.peers.timing import WARM_UP, interleaved, medians
from bench.peers.yolo import Yolo, decode
from bench.peers.yolo_train import Pieces, arguments_of, setting_of
from edge.decision import Box, Finding
from edge.errors import InputError, ModelError
from edge.vision.localizer import Localizer
from edge.vision.picture_files import read_picture
from edge.vision.preprocess import Frame
from tests.painting import make_kit, save_mark
from tests.paths import ROOT
from tests.tiny_model import paint, save, write_tiny_model
from train.config import FitSettings, RunConfig, SynthSettings
from train.judge.contender import Detector
from train.labels.ground_truth import Label, Labels
from train.marks.features import ENOUGH, Sift, score_of
from train.marks.mark import Mark, outline_of
from train.paint.inputs import read_inputs

# --- SIFT -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def seal() -> Mark:
    """A mark full of detail: rings and strokes drawn at random, the same each time."""
    rng = np.random.default_rng(4)
    image = Image.new("RGBA", (160, 120), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((0, 0, 159, 119), 20, fill=(250, 245, 235, 255))
    for _ in range(40):
        x, y, size = (int(v) for v in rng.integers((8, 8, 4), (140, 100, 16)))
        colour = tuple(int(v) for v in rng.integers(0, 160, 3))
        draw.ellipse((x, y, x + size, y + size), fill=colour)
        draw.line((x, y, *(int(v) for v in rng.integers(10, 110, 2))), fill=colour, width=2)
    return Mark("seal", 0, image, outline_of(image), "drawn", image.size)


def scene(*placed: tuple[Image.Image, int, int]) -> Frame:
    """A smooth picture of 400 x 300 pixels with cut-outs pasted at their top left corners."""
    ramp = np.linspace(90, 170, 400, dtype=np.uint8)[None, :, None].repeat(300, 0).repeat(3, 2)
    picture = Image.fromarray(ramp)
    for image, x, y in placed:
        picture.paste(image, (x, y), image)
    return np.asarray(picture)


def test_sift_finds_a_turned_mark_where_it_was_pasted(seal: Mark) -> None:
    """Turned by 20 degrees and three quarters of the size: one finding, on what was pasted."""
    turned = seal.image.resize((120, 90)).rotate(20, Image.Resampling.BICUBIC, expand=True)
    found = Sift([seal]).find(scene((turned, 150, 100)), score_of(ENOUGH))
    (left, right), (top, bottom) = ((side.min(), side.max()) for side in outline_of(turned).T)
    expected = Box(left + 150, top + 100, right + 150, bottom + 100)
    assert [finding.label for finding in found] == ["seal"]
    assert found[0].box.iou(expected) > 0.9


def test_sift_finds_both_of_two_marks(seal: Mark) -> None:
    """What agrees on one place is taken away before the next is looked for."""
    small = seal.image.resize((120, 90))
    found = Sift([seal]).find(scene((small, 20, 30), (small, 230, 180)), score_of(ENOUGH))
    places = sorted((round(f.box.x0 / 10), round(f.box.y0 / 10)) for f in found)
    assert places == [(2, 3), (23, 18)]


def test_sift_finds_nothing_where_there_is_no_mark(seal: Mark) -> None:
    """Neither in an empty picture, nor beside something else, nor in a mirrored print."""
    other = Image.effect_noise((120, 90), 90).convert("RGBA")
    mirrored = seal.image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    looked_at = [scene(), scene((other, 50, 50)), scene((mirrored, 50, 50))]
    sift = Sift([seal])
    assert [sift.find(frame, score_of(ENOUGH)) for frame in looked_at] == [(), (), ()]


# --- YOLO -----------------------------------------------------------------------------------------


def answer(*boxes: tuple[float, ...]) -> NDArray[np.float32]:
    """A YOLO answer: each box centre x, y, width, height, then its scores."""
    return np.array(boxes, np.float32).T


def test_yolo_boxes_of_one_class_are_thinned_and_others_stay() -> None:
    """The better of two that overlap, another class in the same place, none below the score."""
    found = decode(
        answer(
            (50, 50, 20, 20, 0.6, 0),
            (52, 50, 20, 20, 0.9, 0),
            (50, 50, 20, 20, 0, 0.7),
            (9, 9, 4, 4, 0.2, 0),
        ),
        ("a", "b"),
        0.25,
    )
    assert [(f.label, round(f.score, 3), f.box.corners()) for f in found] == [
        ("a", 0.9, (42, 40, 62, 60)),
        ("b", 0.7, (40, 40, 60, 60)),
    ]


def write_yolo(path: Path, boxes: NDArray[np.float32], side: int = 96) -> Path:
    """An ONNX file of YOLO's shape that always gives the same answer."""
    constant = helper.make_node("Constant", [], ["out"], value=numpy_helper.from_array(boxes[None]))
    graph = helper.make_graph(
        [constant],
        "yolo",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, side, side])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, *boxes.shape])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path


def test_yolo_boxes_come_in_the_pixels_of_the_photograph(tmp_path: Path) -> None:
    """A photograph of 192 x 96 lies in the middle of the network's 96 x 96, at half its size."""
    yolo = Yolo(write_yolo(tmp_path / "y.onnx", answer((48, 48, 20, 10, 0.5))), ("a",))
    assert yolo.find(np.zeros((96, 192, 3), np.uint8)) == (Finding("a", 0.5, Box(76, 38, 116, 58)),)


def test_a_file_that_is_no_yolo_of_these_classes_is_refused(tmp_path: Path) -> None:
    """One line that names the file: of another number of classes, and not ONNX at all."""
    path = write_yolo(tmp_path / "y.onnx", answer((48, 48, 20, 10, 0.5)))
    with pytest.raises(
        ModelError, match=r"y\.onnx: must take .* answer \(1, 6, boxes\), not .*; remove it"
    ):
        Yolo(path, ("a", "b"))
    path.write_bytes(b"no model")
    with pytest.raises(ModelError, match=r"y\.onnx: not an ONNX model"):
        Yolo(path, ("a",))


def test_every_picture_comes_once_before_any_comes_again() -> None:
    """Ten pieces of a tenth hold each of a hundred pictures once, the next ten in another order."""
    pieces = Pieces(100, 10)
    first, second = ([list(pieces) for _ in range(10)] for _ in range(2))
    assert {len(piece) for piece in first} == {10} == {len(pieces)}
    assert (
        sorted(i for piece in first for i in piece)
        == sorted(i for piece in second for i in piece)
        == [*range(100)]
    )
    assert first != second


def test_settings_of_ultralytics_are_read_as_python_where_they_can_be() -> None:
    """Numbers and words as they are; all else is text."""
    texts = ("mosaic=0.5", "cos_lr=True", "optimizer=SGD", "nbs=64")
    assert [setting_of(text)[1] for text in texts] == [0.5, True, "SGD", 64]


def test_a_peer_is_trained_on_pictures_or_exported_as_it_begins(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Minutes without pictures, and pictures without minutes, are a mistake."""
    place = ["--out", "x", "--export-size", "416", "--model", "yolo26n"]
    assert arguments_of(place).minutes == 0
    assert arguments_of([*place, "--data", "d.yaml", "--minutes", "2"]).model == "yolo26n"
    for wrong in (["--minutes", "2"], ["--data", "d.yaml"]):
        with pytest.raises(SystemExit):
            arguments_of([*place, *wrong])
        assert "--data and --minutes belong together" in capsys.readouterr().err


# --- pictures -------------------------------------------------------------------------------------


def test_labels_are_written_after_the_picture_and_say_where_the_marks_are(tmp_path: Path) -> None:
    """The picture is kept bit for bit; the text gives the boxes back to a thousandth of a pixel."""
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
    kit = make_kit(SynthSettings(negative_share=0.0), "disc", "star", size=128)
    picture = pictures.paint_clear(kit, 128, 3)
    pictures.write_picture(tmp_path, 3, picture)
    assert np.array_equal(read_picture(tmp_path / "images" / "000003.bmp"), picture.pixels)
    rows = [line.split() for line in (tmp_path / "labels" / "000003.txt").read_text().splitlines()]
    read = [(int(kind), *(float(v) * 128 for v in values)) for kind, *values in rows]
    marks = [(k, (b.x0 + b.x1) / 2, (b.y0 + b.y1) / 2, b.width, b.height) for k, b in picture.marks]
    assert marks
    assert read == [pytest.approx(mark, abs=1e-3) for mark in marks]
    assert sorted(p.name for p in tmp_path.rglob("*.new")) == []


def test_no_picture_shows_a_mark_that_does_not_count() -> None:
    """YOLO's labels cannot say 'ignore', so a picture that would need it is painted again."""
    kit = make_kit(
        SynthSettings(occlusion_share=1.0, visible_min=0.8, negative_share=0.0), "disc", size=128
    )
    assert [pictures.paint_clear(kit, 128, number).ignored for number in range(6)] == [()] * 6


def test_a_set_is_painted_by_processes_kept_and_not_mixed_with_another(tmp_path: Path) -> None:
    """Painted again, only what is missing is written; another size in that folder is refused."""
    mark = str(save_mark(tmp_path, "disc"))
    inputs = read_inputs(RunConfig((("disc", mark),), "", fit=FitSettings(size=128)))
    out = tmp_path / "set"
    data = json.loads(pictures.write_set(inputs, 128, 3, out).read_text())
    assert (data["names"], data["path"]) == (["disc"], str(out))
    assert (
        out / "train.txt"
    ).read_text() == "./images/000000.bmp\n./images/000001.bmp\n./images/000002.bmp\n"
    before = {path.name: path.read_bytes() for path in (out / "images").iterdir()}
    stamps = {path.name: path.stat().st_mtime_ns for path in (out / "images").iterdir()}
    pictures.label_path(out, 1).unlink()
    pictures.write_set(inputs, 128, 3, out)
    assert {path.name: path.read_bytes() for path in (out / "images").iterdir()} == before
    changed = [p.name for p in (out / "images").iterdir() if p.stat().st_mtime_ns != stamps[p.name]]
    assert changed == ["000001.bmp"]
    with pytest.raises(
        InputError, match="holds pictures of another mark, size or background; remove it"
    ):
        pictures.write_set(inputs, 96, 3, out)


# --- judging --------------------------------------------------------------------------------------


class Known:
    """A finder whose answers are known: by the grey level of the picture."""

    def __init__(self, answers: dict[int, tuple[Finding, ...]]) -> None:
        self.answers = answers

    def find(self, frame: Frame, min_score: float) -> tuple[Finding, ...]:
        return tuple(f for f in self.answers.get(int(frame[0, 0, 0]), ()) if f.score >= min_score)


BADGE = Box(10, 10, 30, 30)


@pytest.fixture
def labels(tmp_path: Path) -> Labels:
    """Two photographs with a badge each, grey levels 1 and 2, and six negatives of 10 to 15."""
    (tmp_path / "negatives").mkdir()
    for level in (1, 2):
        save(tmp_path / f"{level}.png", np.full((40, 40, 3), level, np.uint8))
    for level in range(10, 16):
        save(tmp_path / "negatives" / f"{level}.png", np.full((40, 40, 3), level, np.uint8))
    marks = tuple(Label(level, "badge", BADGE, False, True, "") for level in (1, 2))
    return Labels({level: tmp_path / f"{level}.png" for level in (1, 2)}, marks)


def judged(
    name: str, labels: Labels, folder: Path, answers: dict[int, tuple[Finding, ...]]
) -> Result:
    """The result of a finder with those answers and the threshold 0.5."""
    contender = Contender(name, lambda **_: Known(answers), 0.5, labels, name)
    return judge_contender(contender, folder / "negatives", folder / f"{name}.json")


def badge(score: float, shift: float = 0.0) -> tuple[Finding, ...]:
    """One finding, moved to the right by so many pixels."""
    return (Finding("badge", score, Box(BADGE.x0 + shift, BADGE.y0, BADGE.x1 + shift, BADGE.y1)),)


def test_figures_are_those_of_our_own_evaluation(labels: Labels, tmp_path: Path) -> None:
    """One badge is found well, one weakly and four pixels aside; a negative scores in between."""
    figures = judged(
        "x", labels, tmp_path, {1: badge(0.9), 2: badge(0.3, 4), 10: badge(0.4)}
    ).figures("all")
    assert figures["main@0FA"] == 0.5
    assert figures["main@1FA"] == 1.0
    assert (figures["IoU"], figures["located"]) == (1.0, 1)
    assert figures["IoU@3FA"] == pytest.approx((1 + 16 / 24) / 2)
    assert figures["located@3FA"] == 2


def test_findings_are_kept_exactly_and_not_taken_for_another_models(
    labels: Labels, tmp_path: Path
) -> None:
    """The second time nobody looks; a contender of another key looks itself."""
    answers = {1: badge(2 / 3, 0.1), 12: badge(0.7)}
    first = judged("x", labels, tmp_path, answers)

    def unwanted(**_: object) -> Detector:
        raise AssertionError("looked again")

    again = Contender("x", unwanted, 0.5, labels, "x")
    assert judge_contender(again, tmp_path / "negatives", tmp_path / "x.json") == first
    with pytest.raises(AssertionError, match="looked again"):
        judge_contender(
            Contender("x", unwanted, 0.5, labels, "new"),
            tmp_path / "negatives",
            tmp_path / "x.json",
        )


def test_the_verdict_names_what_is_worse(labels: Labels, tmp_path: Path) -> None:
    """Better in recall, worse in place; a peer without an IoU beats nobody."""
    ours = judged("ours", labels, tmp_path, {1: badge(0.9, 4), 2: badge(0.9, 4)})
    peer = judged("peer", labels, tmp_path, {1: badge(0.9)})
    blind = judged("blind", labels, tmp_path, {})
    against_peer = {row["figure"]: row["no_worse"] for row in compare(ours, peer)}
    assert against_peer == {
        "AP50": True,
        "main@0FA": True,
        "main@1FA": True,
        "main@3FA": True,
        "IoU": False,
        "IoU@3FA": False,
    }
    assert all(row["no_worse"] for row in compare(ours, blind))
    assert [row["no_worse"] for row in compare(blind, blind)] == [
        True,
        True,
        True,
        True,
        None,
        None,
    ]
    text = verdict(ours, peer)
    assert "no worse in 4 of 6 figures" in text
    assert "worse: all IoU 0.667 against 1.000" in text
    rows = [line.split() for line in table([ours, peer]).splitlines()[1:]]
    assert rows == [
        ["all:"],
        ["ours", "2", "1.000", "0.400", "1.000", "1.000", "1.000", "0.667", "0.667", "2"],
        ["peer", "2", "0.505", "0.505", "0.500", "0.500", "0.500", "1.000", "1.000", "1"],
    ]


def test_calls_are_timed_in_turn() -> None:
    """One call of each a round, all with the same number, and the first rounds do not count."""
    calls: list[tuple[str, int]] = []

    def call(name: str, number: int) -> None:
        calls.append((name, number))

    spent = interleaved({name: partial(call, name) for name in ("a", "b")}, 3)
    assert calls == [(name, number) for number in range(-WARM_UP, 3) for name in ("a", "b")]
    assert {name: len(times) for name, times in spent.items()} == {"a": 3, "b": 3}
    assert medians({"a": [1.0, 9.0, 2.0]}) == {"a": 2.0}


def test_waiting_is_no_latency() -> None:
    """What counts is the thread's processor time: other programs make a call wait, not work."""
    spent = interleaved({"waits": lambda _: time.sleep(0.02)}, 2)
    assert max(spent["waits"]) < 20


def test_both_layouts_are_timed_and_the_one_that_counts_is_held_against_the_aim(
    tmp_path: Path,
) -> None:
    """Three stretches a layout; the aim is said for YOLO26n, in the Arm-like layout on x86."""
    model = write_tiny_model(tmp_path / "ours.onnx")
    peer = write_yolo(tmp_path / "y.onnx", answer((48, 48, 20, 10, 0.5)), 64)
    given: list[Entries] = []

    def opened(entries: Entries) -> dict[str, Opened]:
        given.append(entries)
        ours = Localizer(model, entries=entries)
        return {"ours": (ours, 0.5), "YOLO26n": (Yolo(peer, ("a",), entries=entries), 0.25)}

    latency = latencies_of(opened, [paint({"dot": [(20, 20)]})], 64, 4)
    assert given == list(layouts().values())
    assert list(latency) == list(layouts())
    counts = that_counts(latency)
    assert [len(times["ours"]) for times in latency[counts].values()] == [4, 4, 1]
    said = latency_lines(latency, ["ours"], ["YOLO26n"])
    assert [line.partition(":")[0] for line in said[-2:]] == [
        f"ours, graph_ms, {counts}",
        f"ours, picture_to_boxes_ms, {counts}",
    ]
    assert "of YOLO26n, aim 0.25: " in said[-2]
    written = as_object(latency, ["ours"], ["YOLO26n"])
    assert len(written[counts]["graph_ms"]["ratio"]["ours"]["YOLO26n"]) == 3


# --- stages and bad input -------------------------------------------------------------------------


def test_a_model_made_otherwise_is_not_taken_for_this_one(tmp_path: Path) -> None:
    """Not there: to be made. As asked: done. Of other minutes: one line says what to remove."""
    model = tmp_path / "model.onnx"
    assert not done(model, {"minutes": 30.0})
    model.touch()
    (tmp_path / "asked.json").write_text('{"minutes": 2.0}')
    assert done(model, {"minutes": 2.0})
    with pytest.raises(
        InputError, match=r"was made with minutes 2\.0, not 30\.0; remove .* or name another"
    ):
        done(model, {"minutes": 30.0})


@pytest.mark.parametrize(
    ("arguments", "status", "line"),
    [
        (["--size", "400"], 2, "--size 400: must be a multiple of 32"),
        (["--window", "512"], 2, "--window 512: must be at most --size 416"),
        (["--minutes", "0"], 2, "--minutes and --rounds must be above 0"),
        (["--images", "nowhere"], 1, "--images nowhere: no such folder"),
        (["--images", ".", "--negatives", ".", "--yolo", "mosaic"], 2, "--yolo: must be KEY=VALUE"),
        (
            ["--images", ".", "--negatives", ".", "--peer-python", "no"],
            1,
            "--peer-python no: no such program",
        ),
        (["--images", ".", "--negatives", ".", "--mark", "no.png"], 1, "no.png: no such file"),
    ],
)
def test_bad_input_is_one_line(
    arguments: list[str],
    status: int,
    line: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What, where, what it must be and the next step; nothing is made before."""
    monkeypatch.chdir(ROOT)
    assert main([*arguments, "--out", str(tmp_path / "out")]) == status
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert line in error


def test_an_environment_that_is_ready_is_taken_as_it_is(tmp_path: Path) -> None:
    """The mark holds the digest of the requirements it was made from."""
    (tmp_path / ".ready").write_text(sha256(REQUIREMENTS.read_bytes()).hexdigest())
    assert make_environment(tmp_path) == tmp_path / "bin" / "python"
    assert [path.name for path in tmp_path.iterdir()] == [".ready"]


def test_a_program_that_fails_is_one_line() -> None:
    """Its status and what to do; and one that cannot be started at all."""
    with pytest.raises(InputError, match="training: 'false' ended with status 1; look above"):
        run(["false"], "training", "look above")
    with pytest.raises(
        InputError, match=r"/nowhere/x: cannot be started \(No such file or directory\); look above"
    ):
        run(["/nowhere/x"], "training", "look above")


def imports_of(path: Path) -> set[str]:
    """Top-level names of all that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found


def test_one_file_alone_imports_ultralytics_and_it_imports_nothing_of_ours() -> None:
    """Ultralytics is AGPL-3.0: measured beside us, never part of us."""
    files = [
        path
        for room in ("bench", "edge", "export", "train")
        for path in (ROOT / room).rglob("*.py")
    ]
    using = [path for path in files if "ultralytics" in imports_of(path)]
    assert using == [ROOT / "bench" / "peers" / "yolo_train.py"]
    assert not imports_of(using[0]) & {"bench", "edge", "export", "train"}
