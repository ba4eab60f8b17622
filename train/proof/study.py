"""One study from beginning to end: read what is given, freeze, judge, count, worsen, compare."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.errors import InputError, UsageError
from edge.printing import print_error
from edge.rates.plan import Plan
from edge.vision.localizer import Localizer
from edge.vision.model_file import ModelFile, read_model
from train.labels.ground_truth import RealBox
from train.labels.reading import read_ground_truth
from train.leakage import MetPhotographs
from train.proof import determinism, sweeps
from train.proof.determinism import Determinism
from train.proof.freeze import Study, freeze_of, open_study, studies_in
from train.proof.items import LABELLED, LOOKALIKE, STAMPED, UNSTAMPED, Shown, pictures_of
from train.proof.judging import NAME as ANSWERS
from train.proof.judging import Answer, judge_study
from train.proof.model_card import Run, met_by, open_run
from train.proof.results import FrameResult, Results, Truth, results_of
from train.proof.sweeps import Swept

DESK, BENCH = "desk", "bench"


@dataclass(frozen=True)
class Given:
    """What a study is made of, as the command line gives it.

    *unstamped*, *stamped*, *images*, *lookalikes*: folders; *labels*: of *images*; *items*: the
    table of items; *run*: the model's run; *intended*: the user's words on what it is for;
    *sweeps*: pictures of each kind that are worsened, 0 for none.
    """

    model: Path
    plan: Plan
    out: Path
    unstamped: Path | None = None
    stamped: Path | None = None
    labels: Path | None = None
    images: Path | None = None
    lookalikes: Path | None = None
    items: Path | None = None
    run: Path | None = None
    intended: str = ""
    sweeps: int = sweeps.PICTURES

    def folders(self) -> list[tuple[str, str, Path]]:
        """Return role, option and folder of the pictures. Raises UsageError for none or half."""
        if (self.labels is None) != (self.images is None):
            raise UsageError("--coco and --images belong together; name both")
        named = [
            (UNSTAMPED, "--unstamped", self.unstamped),
            (STAMPED, "--stamped", self.stamped),
            (LABELLED, "--images", self.images),
            (LOOKALIKE, "--lookalikes", self.lookalikes),
        ]
        found = [(role, option, folder) for role, option, folder in named if folder is not None]
        if not any(role != LOOKALIKE for role, _, _ in found):
            raise UsageError(
                "prove: no picture to judge; name --unstamped DIR, --stamped DIR, or --coco LABELS "
                "with --images DIR"
            )
        return found


@dataclass(frozen=True)
class Evidence:
    """All that a study has found.

    *others*: the other studies of the folder; *truths*: what each picture bears, by its key;
    *paths*: the files by key; *met*: what the model has met, None when nobody knows; *remarks*:
    what else is to be said of the pictures.
    """

    given: Given
    model: ModelFile
    study: Study
    others: tuple[Study, ...]
    run: Run | None
    met: MetPhotographs | None
    answers: tuple[Answer, ...]
    truths: dict[str, Truth]
    paths: dict[str, Path]
    results: Results
    swept: tuple[Swept, ...]
    determinism: Determinism
    remarks: tuple[str, ...]

    @property
    def stage(self) -> str:
        """The stage of proof: at the desk without stamped items, on the bench with them."""
        return BENCH if self.results.of(STAMPED) else DESK

    @property
    def threshold(self) -> float:
        """The model's, 0..1."""
        return self.model.contract.threshold


def run_study(given: Given) -> Evidence:
    """Make a study, or go on with one that was begun. Raises StampgateError.

    The order is the proof: everything is frozen before one picture is decoded.
    """
    folders = given.folders()
    model = read_model(given.model)
    run = open_run(given.run, model) if given.run else None
    met = met_by(model, run)
    shown, remarks = pictures_of(folders, given.items)
    wanted = freeze_of(model, given.plan, shown, given.labels, given.items is not None)
    study = open_study(given.out, wanted)
    paths = {f"{one.role}/{one.name}": one.path for one in shown}
    _say(study, len(shown))
    localizer = Localizer(given.model)
    truths, told = _truths(given, model, shown)
    answers = judge_study(study, paths, localizer, met)
    results = results_of(given.plan, answers, truths, model.contract.threshold)
    if not results.items:
        raise InputError(
            f"{study.folder}: not one picture can be judged: {_why_none(answers)}; bring pictures "
            "that the model has not met"
        )
    stamped, unstamped = (_frames(results, role, given.sweeps) for role in (STAMPED, UNSTAMPED))
    swept: tuple[Swept, ...] = ()
    if given.sweeps:
        swept = sweeps.sweep(localizer, stamped, unstamped, paths, study.folder)
    judged = [paths[a.picture.key] for a in answers if a.state == "judged"]
    others = tuple(s for s in studies_in(given.out) if s.freeze.study != study.freeze.study)
    same = determinism.compare(given.model, localizer, judged)
    told = (*remarks, *told)
    return Evidence(
        given, model, study, others, run, met, answers, truths, paths, results, swept, same, told
    )


def _say(study: Study, pictures: int) -> None:
    """Say which study this is, and what is frozen."""
    freeze = study.freeze
    began = "judged before, written anew" if study.done else "goes on where it was"
    begun = (study.folder / ANSWERS).exists()
    print_error(
        "stampgate",
        f"{study.folder}: study {freeze.study}, {began if begun else 'frozen now'}: {pictures} "
        f"pictures, threshold {freeze.threshold:g}, plan {freeze.plan}",
    )


def _truths(
    given: Given, model: ModelFile, shown: Sequence[Shown]
) -> tuple[dict[str, Truth], tuple[str, ...]]:
    """Return what each picture bears, and what the labels leave open. Raises InputError."""
    classes = frozenset(model.contract.classes)
    truths = {
        f"{one.role}/{one.name}": Truth(classes if one.role == STAMPED else frozenset())
        for one in shown
    }
    if given.labels is None or given.images is None:
        return truths, ()
    _, read = read_ground_truth(given.labels, given.images, model.contract.classes)
    boxes = {one.path.resolve(): one.boxes for one in read.labelled}
    for one in shown:
        if one.role == LABELLED:
            found = boxes.get(one.path.resolve())
            truths[f"{one.role}/{one.name}"] = _labelled(found)
    unread = (f"left out: {text}" for _, text in read.unread)
    return truths, (*read.remarks, *unread)


def _labelled(boxes: Sequence[RealBox] | None) -> Truth:
    """Return what a labelled picture bears; one that the labels do not name says nothing."""
    if boxes is None:
        return Truth(frozenset(), ignored=True)
    scored = tuple(box for box in boxes if not box.ignore)
    return Truth(frozenset(box.label for box in scored), scored, bool(boxes) and not scored)


def _frames(results: Results, role: str, most: int) -> list[FrameResult]:
    """Return the pictures to worsen: the first frame of items, spread over the study."""
    return sweeps.spread([item.frames[0] for item in results.of(role)], most)


def _why_none(answers: Sequence[Answer]) -> str:
    first = answers[0]
    return f"{first.picture.key} is {first.why}" if first.why else f"{first.picture.key} is ignored"
