"""Measure what thirty corrections from a camera unlike training are worth.

Run from the project's root: ``python -m bench.harvest --photographs DIR``. A model is trained on
painted pictures; the real service judges stamped and unstamped products as another camera shows
them (a colour cast, little contrast, a soft lens, noise: beyond what the painter does); a reviewer
who knows the truth corrects thirty items by the review page's own store; ``stampgate harvest``
makes labels of them, and ``stampgate train --real`` learns from them. The control is trained as
long without. All are judged on that camera's pictures of other products, at their own thresholds.
"""

import argparse
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from bench.command import answer
from bench.command import run as run_program
from bench.domain.marks import MARKS, as_png
from bench.domain.printing import print_mark, shrunk
from edge.clock import SimulatedClock
from edge.config import Config
from edge.decision import decide
from edge.files import make_folder, write_atomic
from edge.printing import print_line
from edge.record.journal_file import journal_records
from edge.review.people import Person
from edge.review.store import ReviewStore
from edge.sections.camera import CameraSettings
from edge.sections.decision import DecisionSettings
from edge.sections.gate import GateSettings
from edge.sections.model import ModelSettings
from edge.sections.records import EvidenceSettings, JournalSettings
from edge.sections.review import ReviewSettings
from edge.service import serve
from edge.vision.localizer import Localizer
from edge.vision.picture_files import read_picture
from edge.vision.preprocess import Frame
from train.photographs import list_photographs, split_by_product

MARK, LABEL = "round", "tested"
CORRECTIONS = 30
REVIEWER = Person("bench", "supervisor")
CAST = (0.62, 0.92, 1.12)
"""What the other camera makes of red, green and blue."""
CONTRAST, LIFT, SOFT_PX, NOISE, QUALITY = 0.5, 70.0, 2.2, 9.0, 55
LONGEST = 800
"""Longer side of its pictures, in pixels."""
SHARES = (0.5, 0.5)
"""Of the products that judge, of all; and of those, of the ones that the reviewer corrects."""


@dataclass(frozen=True)
class Judged:
    """A model on the other camera's pictures: items with and without a stamp, and the errors."""

    stamped: int
    unstamped: int
    rejected: int
    accepted: int


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.harvest", description=(__doc__ or "").split("\n\n")[0]
    )
    add = parser.add_argument
    add("--photographs", type=Path, required=True, metavar="DIR", help="of products, unstamped")
    add("--out", type=Path, default=Path("build/harvest"), metavar="DIR", help="keeps the models")
    add("--steps", type=int, default=600, metavar="N", help="of each training (%(default)s)")
    add("--seeds", type=int, default=1, metavar="N", help="default: %(default)s")
    add("--backgrounds", type=int, default=120, metavar="N", help="to train on (%(default)s)")
    return parser


def other_camera(rng: np.random.Generator, frame: Frame) -> Frame:
    """Return a frame, (height, width, 3) uint8 RGB, as the camera shows it that nobody painted."""
    soft = cv2.GaussianBlur(frame, (0, 0), SOFT_PX).astype(np.float32)
    levels = soft * np.array(CAST, np.float32) * CONTRAST + LIFT
    noisy = levels + rng.standard_normal(levels.shape, dtype=np.float32) * NOISE
    return np.clip(noisy, 0, 255).astype(np.uint8)


def write_items(paths: Sequence[Path], folder: Path, seed: int) -> None:
    """Write two items of each photograph into *folder*, one with the stamp and one without.

    Their names say which: ``0007-stamped.jpg``.
    """
    make_folder(folder)
    mark = MARKS[MARK]()
    for number, path in enumerate(paths):
        rng = np.random.default_rng((seed, number))
        photo = shrunk(read_picture(path), LONGEST)
        for kind, frame in (("stamped", print_mark(rng, photo, mark).frame), ("without", photo)):
            jpeg = [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
            _, content = cv2.imencode(".jpg", other_camera(rng, frame)[..., ::-1], jpeg)
            write_atomic(folder / f"{number:04d}-{kind}.jpg", content.tobytes())


def box_in(folder: Path, model: Path) -> Config:
    """Return the settings of a box that judges the pictures in ``frames`` with a model."""
    return Config(
        camera=CameraSettings(
            folder="frames", pictures_per_second=2.0, allow_repeats=True, covered_below=0.0
        ),
        gate=GateSettings(reject_delay_ms=100.0, pulse_ms=20.0),
        model=ModelSettings(file=str(model.absolute())),
        decision=DecisionSettings(idle_look_s=0.0),
        journal=JournalSettings(file="journal.jsonl", mark="", status="", sync="grouped"),
        evidence=EvidenceSettings(folder="evidence", pass_rate=1.0, keep_free_mb=0),
        review=ReviewSettings(folder="review"),
        folder=folder.absolute(),
    )


def correct(config: Config) -> int:
    """Let a reviewer who knows the truth correct the first wrong items; return how many."""
    wrong = [
        (record["sequence"], "good" if good else "bad")
        for record in journal_records(config.path(config.journal.file))
        if record["kind"] == "item"
        for good in ["stamped" in record["picture"]]
        if (record["verdict"] == "pass") != good
    ]
    with ReviewStore(config) as store:
        store.index.catch_up()
        for item, word in wrong[:CORRECTIONS]:
            store.judge(item, word, REVIEWER)
    return len(wrong[:CORRECTIONS])


def judged(model: Path, folder: Path) -> Judged:
    """Judge the items in *folder* by the plain rule at the model's own threshold."""
    localizer, counted = Localizer(model), {"stamped": [0, 0], "without": [0, 0]}
    threshold = localizer.contract.threshold
    for path in sorted(folder.glob("*.jpg")):
        findings = localizer.find(read_picture(path), threshold)
        passed = decide(findings, localizer.contract.classes).kind == "pass"
        counts = counted[path.stem.rpartition("-")[2]]
        counts[0] += 1
        counts[1] += passed
    (stamped, found), (without, accepted) = counted.values()
    return Judged(stamped, without, stamped - found, accepted)


def of_seed(given: argparse.Namespace, seed: int) -> Iterator[tuple[str, Judged]]:
    """Yield what the model is worth before the corrections, after them, and without."""
    folder = given.out / str(seed)
    paths = list_photographs(given.photographs)
    training, others = split_by_product(paths, given.photographs, SHARES[0])
    corrected, kept = split_by_product(others, given.photographs, SHARES[1])
    mark = _inputs(training[:: max(1, len(training) // given.backgrounds)], folder)
    write_items(corrected, folder / "box" / "frames", 2 * seed)
    write_items(kept, folder / "judged", 2 * seed + 1)
    more = _common(mark, folder, given.steps)
    before = _model(folder / "before", [*more, "--seed", str(seed)])
    yield "before", judged(before, folder / "judged")
    config = box_in(folder / "box", before)
    if not config.path(config.journal.file).exists():
        serve(config, SimulatedClock(10**18))
    print_line(f"seed {seed}: {correct(config)} corrections")
    review = config.path(config.review.folder)
    harvest = folder / "harvest"
    _stampgate(
        "harvest", str(config.path(config.journal.file)), "--audit", str(review / "audit.jsonl"),
        "--evidence", str(config.path("evidence")), "--out", str(harvest),
        "--held-out-share", "0",
    )  # fmt: skip
    again = ["--seed", str(seed + 100)]
    real = ["--real", str(harvest / "labels.json"), "--real-images", str(harvest / "images")]
    yield "after", judged(_model(folder / "after", [*more, *again, *real]), folder / "judged")
    yield "control", judged(_model(folder / "control", [*more, *again]), folder / "judged")


def work(given: argparse.Namespace) -> int:
    """Measure each seed, print the table; 1 where the corrections did not help beyond the control.

    Raises InputError.
    """
    results: dict[str, list[Judged]] = {}
    for seed in range(given.seeds):
        for name, one in of_seed(given, seed):
            results.setdefault(name, []).append(one)
            print_line(
                f"seed {seed}: {name:8} false rejects {one.rejected:4} of {one.stamped}, "
                f"false accepts {one.accepted:4} of {one.unstamped}"
            )
    rates = {
        name: statistics.mean(one.rejected / one.stamped for one in ones)
        for name, ones in results.items()
    }
    print_line(", ".join(f"{name} {rate:.1%}" for name, rate in rates.items()))
    return 0 if rates["after"] < min(rates["before"], rates["control"]) else 1


def _inputs(training: Sequence[Path], folder: Path) -> Path:
    """Write the mark and links to the photographs to train on; return the mark."""
    make_folder(folder / "photographs")
    for path in training:
        if not (link := folder / "photographs" / path.name).exists():
            link.symlink_to(path.absolute())
    write_atomic(folder / f"{LABEL}.png", as_png(MARKS[MARK]()))
    return folder / f"{LABEL}.png"


def _common(mark: Path, folder: Path, steps: int) -> list[str]:
    photographs = str(folder / "photographs")
    return ["--mark", f"{LABEL}={mark}", "--backgrounds", photographs, "--steps", str(steps)]


def _model(run: Path, words: Sequence[str]) -> Path:
    """Return the exported model of a run, trained unless it is there."""
    model = run.with_suffix(".onnx")
    if not model.exists():
        resumed = ["--resume"] if (run / "checkpoint.pt").exists() else []
        _stampgate("train", *words, "--out", str(run), *resumed)
        _stampgate("export", str(run), "--out", str(model), "--anyway")
    return model


def _stampgate(*words: str) -> None:
    run_program([sys.executable, "-m", "export", *words], f"stampgate {words[0]}", "see above")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bench."""
    given = parser().parse_args(argv)
    return answer("bench.harvest", lambda: work(given))


if __name__ == "__main__":
    sys.exit(main())
