import contextlib
import dataclasses
import itertools
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bench.ablation import judged
from bench.ablation.__main__ import main
from bench.ablation.judged import SIDE, drawn_subject, split_products, subjects_of
from bench.ablation.report import MEAN, as_markdown, means, plot
from bench.ablation.switches import switched_off
from bench.ablation.trials import Record, Trial, config_asked, train_arguments
from bench.ablation.variants import DEFAULT, Variant, all_variants, differs, plan
from bench.data_rate import Lap, group_of, halted, lap, report
from bench.data_rate import main as data_rate
from edge.errors import InputError, UsageError
from tests.painting import make_kit, save_mark
from tests.paths import ROOT
from tests.programs import Program, eventually
from train.config import FitSettings, RunConfig, SynthSettings
from train.learn import dataset
from train.learn.dataset import Batch
from train.network import checkpoint, model
from train.paint.synth import Kit, Picture, Scene

STARTED = FitSettings(weights="starter")


def config(fit: FitSettings = STARTED) -> RunConfig:
    """A run of the default settings, from the starter."""
    return RunConfig((("disc", "disc.png"),), "", fit=fit)


# --- the plan of variants -------------------------------------------------------------------------


@pytest.mark.parametrize("variant", all_variants(STARTED), ids=lambda variant: variant.name)
def test_every_variant_is_a_training_that_stampgate_accepts(
    variant: Variant, tmp_path: Path
) -> None:
    """The run's own command reads the arguments: they override what they name, nothing else."""
    subject = judged.Subject("disc", save_mark(tmp_path, "disc"))
    asked = [
        config_asked(
            train_arguments(Trial(subject, v, 6.0), tmp_path, ["weights=starter"], tmp_path)
        )
        for v in (Variant(DEFAULT, ""), variant)
    ]
    default, changed = ({**dataclasses.asdict(c.synth), **dataclasses.asdict(c.fit)} for c in asked)
    assert {key: changed[key] for key in changed if changed[key] != default[key]} == dict(
        variant.overrides
    )


def test_no_variant_is_the_default_and_no_two_are_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the processor has matrix units all differ; each name is taken once."""
    monkeypatch.setattr(model, "HALVES", True)
    default, *others = all_variants(STARTED)
    assert not differs(default, config())
    assert all(differs(variant, config()) for variant in others)
    told = [(json.dumps(dict(v.overrides), sort_keys=True), v.without) for v in (default, *others)]
    assert len(set(told)) == len(told) == len({v.name for v in (default, *others)})


def test_what_would_change_nothing_here_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Left out are random weights where the runs start from such, and float32 without bfloat16."""
    monkeypatch.setattr(model, "HALVES", False)
    variants, idle = plan(config(FitSettings(weights="none")), [])
    assert idle == ("no-starter", "no-bfloat16")
    assert len(variants) == len(all_variants(STARTED)) - 2


def test_the_default_is_always_among_the_chosen() -> None:
    """Differences are to it; a name that nobody knows is refused."""
    assert [v.name for v in plan(config(), ["no-ema"])[0]] == [DEFAULT, "no-ema"]
    with pytest.raises(
        UsageError, match=r"--only no-emma: must be one of default, another-seed, .*; correct it"
    ):
        plan(config(), ["no-emma"])


def test_whole_frames_come_with_as_many_pixels_in_a_batch() -> None:
    """The comparison is of windows against whole frames, not of long steps against short ones."""
    whole = next(v for v in all_variants(STARTED) if v.name == "whole-frames")
    assert whole.overrides == {"window": 416, "batch": 6}
    assert abs(6 * 416**2 - 16 * 256**2) < 0.02 * 16 * 256**2


# --- parts that are no setting --------------------------------------------------------------------


def test_without_twins_each_picture_has_a_ground_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Training's loader gives single pictures inside the block, and twins again after it."""
    fit = FitSettings(size=96, window=96, batch=2, workers=0)
    bare = SynthSettings(negative_share=0.0, lookalikes_max=0)

    def first() -> Batch:
        batches = dataset.load_batches(lambda: make_kit(bare, "disc", size=96), fit, 1, 0)
        return next(iter(batches))

    def grounds(run: Batch) -> float:
        one, two = run.pictures.float().mean((1, 2))
        return float((one - two).abs().max())

    monkeypatch.setattr("train.paint.synth.superimpose", lambda *_: None)
    monkeypatch.setattr("train.paint.synth.photograph", bare_ground)
    with switched_off(["twins"]):
        apart = grounds(first())
    assert grounds(first()) == 0.0
    assert apart > 0.0


def bare_ground(rng: np.random.Generator, kit: Kit, scene: Scene, window: int) -> Picture:
    """A camera that sees the ground as it is, with nothing superimposed."""
    ground = np.asarray(scene.canvas.resize((window, window)))
    return Picture(ground, (), (), ground)


def test_parts_are_switched_off_inside_the_block_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The parts before come back; one that nobody knows is refused."""
    monkeypatch.setattr(model, "HALVES", True)
    usual = dataset.PaintedBatches
    with switched_off(["twins", "bfloat16"]):
        assert (model.HALVES, dataset.PaintedBatches is usual) == (False, False)
    assert (model.HALVES, dataset.PaintedBatches is usual) == (True, True)
    with (
        pytest.raises(UsageError, match="wheels: must be one of twins, bfloat16"),
        switched_off(["wheels"]),
    ):
        pass


# --- what is judged on ----------------------------------------------------------------------------


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """Two photographs of each of six products, one of them in a folder."""
    folder = tmp_path / "photographs"
    (folder / "leek").mkdir(parents=True)
    for product, number in itertools.product(("a", "b", "c", "d", "e", "leek/x"), (1, 2)):
        rough = np.random.default_rng([ord(product[0]), number]).integers(
            0, 256, (6, 8, 3), np.uint8
        )
        Image.fromarray(rough).resize((160, 120), Image.Resampling.BICUBIC).save(
            folder / f"{product}_{number}.png"
        )
    return folder


def test_a_third_of_the_products_is_kept_from_training(photographs: Path, tmp_path: Path) -> None:
    """Whole products, each photograph on one side; the second time the same links are taken."""
    products = split_products(photographs, tmp_path / "out")
    sides = [
        sorted(p.resolve().relative_to(photographs) for p in folder.rglob("*.png"))
        for folder in (products.training, products.held_out)
    ]
    assert sorted([*sides[0], *sides[1]]) == sorted(
        p.relative_to(photographs) for p in photographs.rglob("*.png")
    )
    assert [len(side) for side in sides] == [8, 4]
    assert not {str(p)[:-6] for p in sides[0]} & {str(p)[:-6] for p in sides[1]}
    assert split_products(photographs, tmp_path / "out") == products


def test_links_to_other_photographs_are_refused(photographs: Path, tmp_path: Path) -> None:
    """Or a table would compare trainings on different products."""
    split_products(photographs, tmp_path / "out")
    photographs.rename(tmp_path / "moved")
    with pytest.raises(
        InputError, match=r"training: holds .* of other photographs; name another --out"
    ):
        split_products(tmp_path / "moved", tmp_path / "out")


def test_the_drawn_mark_has_siblings_and_stays_the_same(tmp_path: Path) -> None:
    """A mark is drawn with siblings, once for each folder.

    Without them it would have no look-alikes of its own.
    """
    drawn = drawn_subject(tmp_path)
    before = drawn.mark.stat().st_mtime_ns
    assert drawn.lookalikes
    assert drawn_subject(tmp_path) == drawn
    assert drawn.mark.stat().st_mtime_ns == before


def test_our_own_marks_can_be_asked_for_by_name(tmp_path: Path) -> None:
    """With the look-alikes that belong to them, beside marks given as files."""
    own = subjects_of([], tmp_path)
    assert [subject.name for subject in own] == ["qc-tested", "drawn"]
    assert subjects_of(["drawn", "a=x.png"], tmp_path) == (
        own[1],
        judged.Subject("a", Path("x.png")),
    )


def test_two_marks_of_one_name_are_refused(tmp_path: Path) -> None:
    """Each needs a folder of its own."""
    with pytest.raises(UsageError, match="--mark a: must be a name of its own"):
        subjects_of(["a=x.png", "a=y.png"], tmp_path)


# --- trainings, one after another -----------------------------------------------------------------


class Desk:
    """A stand-in for ``stampgate``: writes the commands' files and remembers their arguments.

    *fails*: variants whose training fails; *stops*: one at which somebody presses Ctrl-C, once.
    """

    def __init__(self, fails: Sequence[str] = (), stops: str = "") -> None:
        self.asked: list[str] = []
        self.fails, self.stops = fails, stops

    def __call__(self, arguments: Sequence[str], without: Sequence[str]) -> None:
        command, *rest = arguments
        if command == "train":
            self.train(Path(rest[rest.index("--out") + 1]), "--resume" in rest, without)
        elif command == "export":
            Path(rest[2]).write_bytes((Path(rest[0]) / checkpoint.NAME).read_bytes())
        else:
            self.judge(rest)

    def train(self, run: Path, resume: bool, without: Sequence[str]) -> None:
        name = run.parent.name
        self.asked.append(" ".join([name, *without, *(["resumed"] if resume else [])]))
        run.mkdir(parents=True, exist_ok=True)
        (run / checkpoint.NAME).write_text(name)
        if name.startswith(self.stops or "nothing"):
            self.stops = ""
            raise KeyboardInterrupt
        if name.rpartition("-")[0] in self.fails:
            raise InputError("stampgate train: 'python' ended with status 1; see its lines above")
        (run / "loss.csv").write_text("step,seconds,pictures,loss\n1,0.1,16,1\n2,0.2,6,1\n")

    def judge(self, rest: Sequence[str]) -> None:
        """AP50 falls with the length of the variant's name, so that differences are known."""
        where = {
            key: Path(value) for key, value in itertools.pairwise(rest) if key.startswith("--")
        }
        pictures = json.loads(where["--coco"].read_text())["images"]
        assert all((where["--images"] / picture["file_name"]).is_file() for picture in pictures)
        ap50 = 1.0 - len(Path(rest[0]).read_text()) / 100
        negatives = (
            len(list(where["--negatives"].iterdir())) if "--negatives" in where else len(pictures)
        )
        recalls = [{"false_accepts": k, "recall": 0.5 + k / 10} for k in (0, 1, 3)]
        group = {"ap50": ap50, "ap50_95": None, "median_iou": 0.9, "recalls": recalls}
        accepts = {"errors": 1, "items": negatives}
        where["--json"].write_text(
            json.dumps({"groups": [group], "false_accepts": accepts, "threshold": 0.6})
        )


@pytest.fixture
def arguments(photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A small comparison on one mark, with three pictures of each kind to judge on."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(judged, "MADE", 2)
    words = ["--out", str(tmp_path / "out"), "--backgrounds", str(photographs), "--minutes", "2"]
    words += [
        "--mark",
        str(save_mark(tmp_path, "star")),
        "--pictures",
        "3",
        "--lookalikes",
        "2",
        "--workers",
        "0",
    ]
    return [*words, "--set", "weights=starter"]


def test_each_variant_is_trained_exported_and_judged_once(
    arguments: list[str], tmp_path: Path
) -> None:
    """The table and the JSON hold what the judgement said; asked again, nothing is trained."""
    desk = Desk()
    assert main([*arguments, "--only", "no-ema", "no-twins"], desk) == 0
    assert desk.asked == ["default-2min", "no-twins-2min twins", "no-ema-2min"]
    out = tmp_path / "out"
    raw = json.loads((out / "ablation.json").read_text())["records"]
    assert [(r["variant"], r["figures"]["AP50"], r["figures"]["pictures"]) for r in raw] == [
        ("default", 0.88, 22),
        ("no-twins", 0.87, 22),
        ("no-ema", 0.89, 22),
    ]
    assert [r["figures"]["lookalikes"] for r in raw] == [0.5] * 3
    same = "- | 0.500 (+0.000) | 0.600 (+0.000) | 0.800 (+0.000) | 0.900 (+0.000) | 50.0 % | 22 |"
    assert (out / "ablation.md").read_text().splitlines()[4:7] == [
        "| **default**: everything on | 0.880 | - | 0.500 | 0.600 | 0.800 | 0.900 | 50.0 % | 22 |",
        f"| no-twins: each picture on a background of its own | 0.870 (-0.010) | {same}",
        f"| no-ema: the last weights instead of averaged ones | 0.890 (+0.010) | {same}",
    ]
    assert main([*arguments, "--only", "no-ema", "no-twins"], desk) == 0
    assert len(desk.asked) == 3


def test_steps_may_be_counted_in_place_of_minutes(arguments: list[str], tmp_path: Path) -> None:
    """The minutes reach the training, its folder's name and the words below the table."""
    desk = Desk()
    assert main([*arguments, "--steps", "7", "--only", "no-ema"], desk) == 0
    assert desk.asked == ["default-7steps", "no-ema-7steps"]
    asked = json.loads((tmp_path / "out/runs/star/no-ema-7steps/result.json").read_text())["asked"]
    assert (asked["steps"], asked["minutes"]) == (7, 0.0)
    assert "one training of 7 steps on" in (tmp_path / "out/ablation.md").read_text()


def test_judged_pictures_are_painted_on_products_held_out_and_labelled(
    arguments: list[str], tmp_path: Path
) -> None:
    """Small marks on every picture of the one set, none on the other's; painted once."""
    assert main([*arguments, "--only", DEFAULT], Desk()) == 0
    painted = tmp_path / "out" / "judged" / "star"
    labels = {
        name: json.loads((painted / name / "labels.json").read_text())
        for name in ("marks", "lookalikes")
    }
    boxes = [a["bbox"] for a in labels["marks"]["annotations"] if not a["ignore"]]
    assert boxes
    assert all(max(width, height) < 80 and x + width <= SIDE for x, _, width, height in boxes)
    assert (
        [len(found["images"]) for found in labels.values()],
        labels["lookalikes"]["annotations"],
    ) == ([3, 2], [])
    stamps = {path: path.stat().st_mtime_ns for path in painted.rglob("*.jpg")}
    assert main([*arguments, "--only", DEFAULT], Desk()) == 0
    assert {path: path.stat().st_mtime_ns for path in painted.rglob("*.jpg")} == stamps


def test_a_stopped_comparison_goes_on_where_it_was(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Finished rows are kept, the training that was cut short is resumed, the rest is begun."""
    wanted = [*arguments, "--only", "no-ema", "batch-8"]
    desk = Desk(stops="no-ema")
    assert main(wanted, desk) == 130
    assert capsys.readouterr().err.endswith(
        "the same command goes on from the last training that was finished\n"
    )
    assert main(wanted, desk) == 0
    assert desk.asked == ["default-2min", "no-ema-2min", "no-ema-2min resumed", "batch-8-2min"]


def test_a_variant_that_fails_is_noted_and_the_others_go_on(
    arguments: list[str], tmp_path: Path
) -> None:
    """A learning rate may be too great: a finding. The exit status says that a row is missing."""
    desk = Desk(fails=["double-rate"])
    assert main([*arguments, "--only", "double-rate", "no-bfloat16", "batch-8"], desk) == 1
    failed = next(
        line
        for line in (tmp_path / "out/ablation.md").read_text().splitlines()
        if "double-rate" in line
    )
    assert failed == "| double-rate: twice the learning rate (failed) |" + " - |" * 8
    assert desk.asked[0] == "default-2min"
    assert {"batch-8-2min", "double-rate-2min"} <= set(desk.asked)


def test_a_default_that_fails_ends_the_comparison(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """All would fail, as when there are no starter weights: one line, nothing more is tried."""
    desk = Desk(fails=[DEFAULT])
    assert main(arguments, desk) == 1
    error = [line for line in capsys.readouterr().err.splitlines() if line.startswith("ablation:")]
    assert error == ["ablation: stampgate train: 'python' ended with status 1; see its lines above"]
    assert desk.asked == ["default-2min"]


def test_a_training_made_otherwise_is_not_taken_for_this_one(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Another setting of every variant, or other pictures to judge on, in the same folder."""
    assert main([*arguments, "--only", DEFAULT], Desk()) == 0
    assert main([*arguments, "--only", DEFAULT, "--set", "batch=4"], Desk()) == 1
    assert (
        "default-2min: was made with batch 16, not 4; remove it, or name another --out"
        in capsys.readouterr().err
    )
    assert main([*arguments, "--only", DEFAULT, "--pictures", "4"], Desk()) == 1
    assert (
        "star: was painted with another marks count; name another --out" in capsys.readouterr().err
    )


def test_the_curve_trains_each_length_and_shares_what_is_there(
    arguments: list[str], tmp_path: Path
) -> None:
    """A full run for each length but the one that the table has made, and a plot."""
    desk = Desk()
    assert main([*arguments, "--only", DEFAULT], desk) == 0
    assert main([*arguments, "--curve", "1,2,0.5"], desk) == 0
    assert desk.asked == ["default-2min", "default-1min", "default-0.5min"]
    rows = [
        line.split(" | ")[0] for line in (tmp_path / "out/curve.md").read_text().splitlines()[4:7]
    ]
    assert rows == ["| 1 min, default", "| 2 min, default", "| 0.5 min, default"]
    with Image.open(tmp_path / "out/curve.png") as drawn:
        assert len(drawn.convert("RGB").getcolors(1 << 20) or ()) > 100


@pytest.mark.parametrize(
    ("words", "status", "line"),
    [
        (["--minutes", "0"], 2, "--minutes, --pictures and --lookalikes must be above 0"),
        (["--steps", "0"], 2, "--steps must be above 0"),
        (["--steps", "5", "--curve", "1,2"], 2, "--curve counts minutes"),
        (["--backgrounds", "nowhere"], 1, "--backgrounds nowhere: no such folder"),
        (["--mark", "a=no.png"], 1, "no.png: no such file"),
        (["--set", "bath=4"], 2, "--set bath: no such key"),
    ],
)
def test_bad_input_is_one_line_before_anything_is_trained(
    words: list[str],
    status: int,
    line: str,
    arguments: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What, where, what it must be and the next step."""
    desk = Desk()
    assert main([*arguments, *words], desk) == status
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("ablation: ")
    assert line in error
    assert desk.asked == []


# --- tables ---------------------------------------------------------------------------------------


def record(
    subject: str, variant: str, ap50: float | None, code: str = "c", failed: str = ""
) -> Record:
    """A record with one figure."""
    return Record(
        subject,
        variant,
        "words",
        6.0,
        {} if failed else {"AP50": ap50, "pictures": 100.0},
        code,
        failed,
    )


def test_means_are_of_what_every_mark_has() -> None:
    """A variant that failed or is still to come for one mark has no mean.

    A figure that is missing leaves a gap.
    """
    found = means(
        [
            record("a", DEFAULT, 0.8),
            record("a", "x", 0.7),
            record("a", "y", 0.6),
            record("a", "z", None),
            record("b", DEFAULT, 0.6),
            record("b", "x", 0.0, failed="failed"),
            record("b", "z", 0.9),
        ]
    )
    assert [(r.subject, r.variant, r.figures["AP50"]) for r in found] == [
        (MEAN, DEFAULT, pytest.approx(0.7)),
        (MEAN, "z", None),
    ]


def test_rows_of_two_states_of_the_program_are_pointed_out() -> None:
    """They cannot be compared; one state needs no word, and a failed row has none."""
    failed = record("a", "y", None, "", "failed")
    same, other = (
        as_markdown([record("a", DEFAULT, 0.8), record("a", "x", 0.7, c), failed], "About.\n")
        for c in "cd"
    )
    assert same.endswith("About.\n")
    assert other.endswith("Trained with 2 states of the program: do not compare rows.\n")


def test_a_plot_has_room_for_figures_that_are_missing(tmp_path: Path) -> None:
    """Two variants, one of them without a figure and one length failed."""
    records = [
        record("a", DEFAULT, 0.8),
        record("a", "x", None),
        record("b", DEFAULT, 0.1, failed="failed"),
    ]
    plot(records, tmp_path / "curve.png")
    with Image.open(tmp_path / "curve.png") as drawn:
        assert drawn.width > drawn.height


# --- how busy the painters keep the network -------------------------------------------------------


def batches(sides: Sequence[int]) -> Iterator[Batch]:
    """Empty batches of two pictures, of these sides in turn, for ever."""
    for side in itertools.cycle(sides):
        yield Batch(torch.zeros((2, side, side, 3)), *(torch.zeros(2) for _ in range(4)))


def test_a_lap_ends_with_a_whole_group_of_batches() -> None:
    """So that windows and whole frames come in the same mixture, however the time falls."""
    seen: list[int] = []
    done = lap(batches([8, 8, 16]), lambda batch: seen.append(batch.pictures.shape[1]), 3, 0.0)
    assert (seen, done.pictures) == ([8, 8, 16], 6)
    assert 0.0 <= done.waited <= done.seconds
    assert [group_of(FitSettings(window=w)) for w in (256, 416)] == [6, 1]


def state_of(process: int) -> str:
    """The state of a process as Linux names it: T is stopped."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]


def test_halted_processes_stand_still_and_go_on() -> None:
    """They go on when the block ends in an error, too."""
    with Program("sleep", "600") as sleeper:
        with contextlib.suppress(ZeroDivisionError), halted([sleeper.pid]):
            eventually(lambda: state_of(sleeper.pid) == "T")
            raise ZeroDivisionError
        eventually(lambda: state_of(sleeper.pid) in "SR")


def test_the_report_gives_medians_of_rounds_measured_side_by_side() -> None:
    """The ratio is taken within each round: what slows both down cancels."""
    rounds = [(Lap(90, 1.0, 0.1), Lap(100, 1.0, 0.0)), (Lap(47, 1.0, 0.2), Lap(50, 1.0, 0.0))]
    rounds.append((Lap(80, 1.0, 0.0), Lap(100, 1.0, 0.0)))
    lines = report(rounds, FitSettings(), "python -m bench.data_rate").splitlines()
    assert [" ".join(line.split()) for line in lines[:4]] == [
        "pictures/s",
        "training as it is 80.0 10% of the time spent waiting for pictures",
        "the network alone 100.0",
        "ratio 0.900 0.800 to 0.940; at least 0.9: reached",
    ]
    assert lines[-1] == "again: python -m bench.data_rate"


def test_a_real_training_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The real loader and the real step, on tiny pictures painted in this process."""
    small = [
        "size=96",
        "window=96",
        "batch=2",
        "workers=0",
        "threads=1",
        "weights=none",
        "lookalikes_max=0",
    ]
    words = [word for text in small for word in ("--set", text)]
    words += [
        "--mark",
        str(save_mark(tmp_path, "disc")),
        "--warm-up",
        "0.1",
        "--seconds",
        "0.2",
        "--rounds",
        "1",
    ]
    assert data_rate(words) == 0
    table = capsys.readouterr().out.splitlines()
    rates = [float(line.split()[i]) for line, i in ((table[1], 4), (table[2], 3))]
    assert float(table[3].split()[1]) == pytest.approx(rates[0] / rates[1], rel=0.05)
    assert "--set workers=0" in table[-1]


@pytest.mark.parametrize(
    ("words", "status", "line"),
    [
        (["--seconds", "0"], 2, "--seconds must be above 0"),
        (["--warm-up", "-1"], 2, "--warm-up at least 0"),
        (["--mark", "no.png"], 1, "no.png: no such file"),
    ],
)
def test_bad_input_to_the_measurement_is_one_line(
    words: list[str], status: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What, where, what it must be and the next step."""
    assert data_rate(words) == status
    error = capsys.readouterr().err
    assert error.startswith("data_rate: ")
    assert (line in error, error.count("\n")) == (True, 1)
