"""One trial: a training, its export and its evaluation.

A finished one is kept, and one that was cut short goes on.
"""

import argparse
import csv
import dataclasses
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from bench.ablation.judged import Judged, Products, Subject
from bench.ablation.variants import Variant
from bench.command import run
from edge.errors import InputError
from edge.files import make_folder, write_atomic
from train.commands import train as train_command
from train.commands.configuration import config_of
from train.config import RunConfig
from train.labels.writing import COCO
from train.network import checkpoint
from train.paint.painted_set import IMAGES

Stampgate = Callable[[Sequence[str], Sequence[str]], None]
"""Runs ``stampgate`` with the arguments given first, without the parts of training named second.
Raises InputError."""

ROOT = Path(__file__).parents[2]
RESULT = "result.json"


@dataclass(frozen=True)
class Trial:
    """One training of a *variant* for a *subject*.

    *minutes* long, or so many *steps* where that is above 0.
    """

    subject: Subject
    variant: Variant
    minutes: float
    steps: int = 0

    @property
    def name(self) -> str:
        """Its name, which is that of its folder too."""
        return (
            f"{self.variant.name}-{f'{self.steps}steps' if self.steps else f'{self.minutes:g}min'}"
        )


@dataclass(frozen=True)
class Record:
    """The result of a trial: figures by name, or why it *failed*.

    A figure is None where it could not be measured.

    *code*: SHA-256 of the program that trained it.
    """

    subject: str
    variant: str
    sentence: str
    minutes: float
    figures: dict[str, float | None]
    code: str
    failed: str = ""


@dataclass(frozen=True)
class Bench:
    """The parts that all trials share.

    *base*: settings of every variant, ``KEY=VALUE``; *judged*: by the subject's name; *stampgate*:
    runs the command.
    """

    out: Path
    products: Products
    judged: dict[str, Judged]
    base: tuple[str, ...]
    stampgate: Stampgate

    def folder(self, trial: Trial) -> Path:
        """Return the folder of a trial's run, model and figures."""
        return self.out / "runs" / trial.subject.name / trial.name


def run_stampgate(arguments: Sequence[str], without: Sequence[str]) -> None:
    """Run ``stampgate`` as a program of its own, whose output the user sees.

    Raises InputError when it fails.
    """
    module = ["bench.ablation.switches", ",".join(without)] if without else ["export"]
    run(
        [sys.executable, "-m", *module, *arguments],
        f"stampgate {arguments[0]}",
        "see its lines above",
    )


def train_arguments(trial: Trial, training: Path, base: Sequence[str], out: Path) -> list[str]:
    """The arguments of ``stampgate`` that train a trial."""
    values = [
        f"{k}={v if isinstance(v, str) else json.dumps(v)}"
        for k, v in trial.variant.overrides.items()
    ]
    arguments = [
        "train",
        "--mark",
        f"{trial.subject.name}={trial.subject.mark}",
        "--backgrounds",
        str(training),
    ]
    arguments += (
        ["--steps", str(trial.steps)] if trial.steps else ["--minutes", f"{trial.minutes:g}"]
    )
    arguments += ["--out", str(out)]
    return [*arguments, *(part for text in (*base, *values) for part in ("--set", text))]


def config_asked(arguments: Sequence[str]) -> RunConfig:
    """Return the configuration that ``stampgate`` would train with, read by its own command.

    Raises UsageError or ConfigError.
    """
    parser = argparse.ArgumentParser(prog="stampgate train")
    train_command.add_arguments(parser)
    return config_of(parser.parse_args(list(arguments[1:])))


def run_trial(trial: Trial, bench: Bench) -> Record:
    """Train, or resume a training that was cut short, export and judge.

    Raises InputError when any of it fails.
    """
    folder, variant = bench.folder(trial), trial.variant
    model, code = folder / "model.onnx", program()
    make_folder(folder)
    begun = (folder / "run" / checkpoint.NAME).exists()
    resume = ["train", "--resume", "--out", str(folder / "run")]
    bench.stampgate(resume if begun else training_of(trial, bench), variant.without)
    bench.stampgate(["export", str(folder / "run"), "--out", str(model), "--anyway"], ())
    for command in judge_arguments(model, bench.judged[trial.subject.name], folder):
        bench.stampgate(command, ())
    record = Record(
        trial.subject.name, variant.name, variant.sentence, trial.minutes, figures_of(folder), code
    )
    content = {"asked": asked_for(trial, bench), "record": dataclasses.asdict(record)}
    write_atomic(folder / RESULT, (json.dumps(content, indent=1) + "\n").encode())
    return record


def training_of(trial: Trial, bench: Bench) -> list[str]:
    """The arguments of ``stampgate`` that train a trial in its folder."""
    return train_arguments(trial, bench.products.training, bench.base, bench.folder(trial) / "run")


def asked_for(trial: Trial, bench: Bench) -> dict[str, Any]:
    """Return all settings that decide a trial's figures, but the program, as a flat table."""
    config = config_asked(training_of(trial, bench))
    settings = {**dataclasses.asdict(config.synth), **dataclasses.asdict(config.fit)}
    judged = bench.judged[trial.subject.name].digest
    return {**settings, "without": list(trial.variant.without), "judged pictures": judged}


def kept_record(trial: Trial, bench: Bench) -> Record | None:
    """Return the record of a finished trial; None when there is none.

    Raises InputError when it was made otherwise.
    """
    folder = bench.folder(trial)
    path = folder / RESULT
    if not path.exists():
        return None
    raw = json.loads(path.read_text(encoding="utf-8"))
    asked = json.loads(json.dumps(asked_for(trial, bench)))  # a file has lists, and no tuples
    before = raw["asked"]
    other = [key for key in {**before, **asked} if before.get(key) != asked.get(key)]
    if other:
        what = f"{other[0]} {before.get(other[0])}, not {asked.get(other[0])}"
        raise InputError(f"{folder}: was made with {what}; remove it, or name another --out")
    return Record(**raw["record"])


def judge_arguments(model: Path, judged: Judged, folder: Path) -> list[list[str]]:
    """Return the arguments of ``stampgate`` that judge a model.

    On marks and bare photographs, then on look-alikes.
    """

    def command(painted: Path, *more: str) -> list[str]:
        looked_at = ["--coco", str(painted / COCO), "--images", str(painted / IMAGES), *more]
        return ["evaluate", str(model), *looked_at, "--json", str(folder / f"{painted.name}.json")]

    return [command(judged.marks, "--negatives", str(judged.negatives)), command(judged.lookalikes)]


def figures_of(folder: Path) -> dict[str, float | None]:
    """Return the figures of a judged trial by name, as :mod:`bench.ablation.report` shows them.

    Raises InputError.
    """
    try:
        marks, alike = (
            json.loads((folder / name).read_text("utf-8"))
            for name in ("marks.json", "lookalikes.json")
        )
        with (folder / "run" / "loss.csv").open(newline="", encoding="utf-8") as table:
            rows = [int(row["pictures"]) for row in csv.DictReader(table)]
        group = marks["groups"][0]
        figures = {"AP50": group["ap50"], "AP50:95": group["ap50_95"], "IoU": group["median_iou"]}
        figures |= {f"recall@{r['false_accepts']}": r["recall"] for r in group["recalls"]}
        for name, judgement in (("photographs", marks), ("lookalikes", alike)):
            figures[name] = (
                judgement["false_accepts"]["errors"] / judgement["false_accepts"]["items"]
            )
        return {
            **figures,
            "threshold": marks["threshold"],
            "steps": len(rows),
            "pictures": sum(rows),
        }
    except (OSError, ValueError, KeyError, IndexError, ZeroDivisionError) as error:
        raise InputError(
            f"{folder}: its figures cannot be read ({error}); remove it and run again"
        ) from None


def program() -> str:
    """SHA-256 of the code that trains, exports and judges, as it is on the disk now."""
    rooms = (
        path for room in ("edge", "export", "train") for path in sorted((ROOT / room).rglob("*.py"))
    )
    return sha256(b"".join(path.read_bytes() for path in rooms)).hexdigest()
