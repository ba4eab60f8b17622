"""Evaluate a model on folders of stamped and of unstamped pictures, for people without boxes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tqdm import tqdm

from edge.decision import Finding, Kind, decide
from edge.errors import InputError
from edge.printing import printable
from edge.rates.bounds import Rate
from edge.vision.picture_folders import find_pictures
from train.judge.contender import Contender
from train.judge.evaluate import find_in

Side = Literal["stamped", "unstamped"]
SHOWN = 10
"""Most errors that are named."""


@dataclass(frozen=True)
class Pictures:
    """The pictures of both sides.

    *pictures*: side, the folder that it lies in, and path of each; *remarks*: what was left out, a
    line each; *unread*: what may hold pictures and could not be looked at.
    """

    pictures: tuple[tuple[Side, Path, Path], ...]
    remarks: tuple[str, ...]
    unread: tuple[str, ...]


@dataclass(frozen=True)
class JudgedPicture:
    """One picture: its side, folder and path, its verdict, and the score that decided it.

    *score*: the least of the best scores of the classes that are required; *findings*: all from the
    lowest score on.
    """

    side: Side
    folder: Path
    path: Path
    verdict: Kind
    score: float
    findings: tuple[Finding, ...]

    @property
    def is_wrong(self) -> bool:
        """Whether the box would have been wrong."""
        return (self.verdict == "pass") != (self.side == "stamped")


@dataclass(frozen=True)
class FolderEvaluation:
    """The verdicts of a model on both sides.

    *classes*: those that an item must bear; *unread*: pictures that are left out, a line each.
    """

    model: str
    threshold: float
    classes: tuple[str, ...]
    judged: tuple[JudgedPicture, ...]
    unread: tuple[str, ...]

    def of(self, side: Side) -> Rate:
        """Return the rate of errors on a side."""
        return _rate([one for one in self.judged if one.side == side])

    def folders(self) -> Iterator[tuple[Side, Path, Rate]]:
        """Yield each folder with its rate of errors."""
        for side, folder in dict.fromkeys((one.side, one.folder) for one in self.judged):
            inside = [one for one in self.judged if (one.side, one.folder) == (side, folder)]
            yield side, folder, _rate(inside)

    @property
    def wrong(self) -> list[JudgedPicture]:
        """The errors: unstamped pictures that pass first, the highest scores first."""
        errors = [one for one in self.judged if one.is_wrong]
        return sorted(errors, key=lambda one: (one.side == "stamped", -one.score))

    def as_object(self) -> dict[str, Any]:
        """Return the figures and each picture as JSON has them."""
        sides = {"false_accepts": self.of("unstamped"), "false_rejects": self.of("stamped")}
        folders = [
            {"side": side, "folder": str(folder), **rate.as_object()}
            for side, folder, rate in self.folders()
        ]
        pictures = [
            {"side": o.side, "path": str(o.path), "verdict": o.verdict, "score": round(o.score, 4)}
            for o in self.judged
        ]
        return {
            "model": self.model,
            "threshold": self.threshold,
            "classes": self.classes,
            **{name: rate.as_object() for name, rate in sides.items()},
            "folders": folders,
            "pictures": pictures,
            "left_out": self.unread,
        }


def find_sides(stamped: Sequence[Path], unstamped: Sequence[Path]) -> Pictures:
    """Find the pictures of both sides, sub-folders too.

    Raises InputError when a folder is missing or empty, or a picture is on both sides.
    """
    pictures, remarks, unread = list[tuple[Side, Path, Path]](), list[str](), list[str]()
    sides: dict[Side, Sequence[Path]] = {"stamped": stamped, "unstamped": unstamped}
    seen: dict[Path, Side] = {}
    for side, folders in sides.items():
        for folder in folders:
            if not folder.is_dir():
                raise InputError(f"--{side} {folder}: no such folder; name a folder of pictures")
            found = find_pictures(folder)
            if not found.pictures:
                raise InputError(f"--{side} {folder}: holds no picture; name a folder of pictures")
            if said := found.describe_left_out():
                remarks.append(said)
            unread += [f"{path}: {why}" for path, why in found.left_out if path in found.unread]
            for path in found.pictures:
                real = path.resolve()
                if seen.get(real, side) != side:
                    raise InputError(
                        f"--unstamped {folder}: {path} is among the stamped ones too; leave it out "
                        "of one of them"
                    )
                if real not in seen:
                    pictures.append((side, path.parent, path))
                seen[real] = side
    return Pictures(tuple(pictures), tuple(remarks), tuple(unread))


def judge_folders(
    contender: Contender, pictures: Pictures, required: Sequence[str] = ()
) -> FolderEvaluation:
    """Judge each picture as the box would, all of the model's classes *required* when empty.

    Pictures that cannot be read are left out. Raises InputError when none can be, or a class is
    none of the model's.
    """
    classes = tuple(required) or contender.classes
    for name in classes:
        if name not in contender.classes:
            known = ", ".join(contender.classes)
            raise InputError(f"--require {name}: {contender.name} finds {known}; name one of those")
    judged, problems = list[JudgedPicture](), list[str]()
    shown = tqdm(
        pictures.pictures,
        printable(f"evaluate {Path(contender.name).name}"),
        unit="picture",
        mininterval=1.0,
    )
    for side, folder, path in shown:
        findings = find_in(path, contender.detector, problems)
        if findings is not None:
            judged.append(_judged(side, folder, path, findings, classes, contender.threshold))
    if not judged:
        raise InputError(f"evaluate: not one picture can be read: {problems[0]}")
    name, threshold = contender.name, contender.threshold
    return FolderEvaluation(name, threshold, classes, tuple(judged), tuple(problems))


def _judged(
    side: Side,
    folder: Path,
    path: Path,
    findings: tuple[Finding, ...],
    classes: tuple[str, ...],
    threshold: float,
) -> JudgedPicture:
    counted = [finding for finding in findings if finding.score >= threshold]
    verdict = decide(counted, frozenset(classes)).kind
    best = [max((f.score for f in findings if f.label == name), default=0.0) for name in classes]
    return JudgedPicture(side, folder, path, verdict, min(best), findings)


def _rate(judged: Sequence[JudgedPicture]) -> Rate:
    return Rate(sum(one.is_wrong for one in judged), len(judged))


def folder_lines(evaluation: FolderEvaluation) -> list[str]:
    """Return the figures as text: both rates, each folder, the errors, and another threshold."""
    e = evaluation
    lines = [
        f"{e.model}: threshold {e.threshold:.3f}, an item must bear {', '.join(e.classes)}",
        f"false accepts {e.of('unstamped')}, of unstamped pictures",
        f"false rejects {e.of('stamped')}, of stamped pictures",
    ]
    folders = list(e.folders())
    if len(folders) > 1:
        for side, folder, rate in folders:
            what = "passed" if side == "unstamped" else "rejected"
            lines.append(f"  {side:<10}{rate} {what}: {folder}")
    lines += [f"  wrong: {one.side}, score {one.score:.3f}: {one.path}" for one in e.wrong[:SHOWN]]
    if len(e.wrong) > SHOWN:
        lines.append(
            f"  and {len(e.wrong) - SHOWN} more: --sheet draws them, --json lists them all"
        )
    lines += _elsewhere(e)
    lines.append(FOLDER_LEGEND)
    return [printable(line) for line in lines]


FOLDER_LEGEND = (
    "Bounds: one-sided 95 %, Clopper-Pearson, each picture an item of its own; they hold for "
    "pictures like these and for no others."
)


def _elsewhere(e: FolderEvaluation) -> Iterator[str]:
    """Yield what a threshold above all unstamped pictures would find."""
    beaten = max((one.score for one in e.judged if one.side == "unstamped"), default=None)
    stamped = [one.score for one in e.judged if one.side == "stamped"]
    if beaten is None or not stamped:
        return
    found = sum(score > beaten for score in stamped)
    yield (
        f"above the highest score of an unstamped picture, {beaten:.3f}, lie {found} of "
        f"{len(stamped)} stamped ones"
    )


def compared_folders(evaluations: Sequence[FolderEvaluation]) -> list[str]:
    """Return both rates of several models side by side, as lines of a table."""
    lines = [f"{'threshold':>10}{'false accepts':>40}{'false rejects':>40}  model"]
    for e in evaluations:
        rates = "".join(f"{e.of(side)!s:>40}" for side in ("unstamped", "stamped"))
        lines.append(printable(f"{e.threshold:>10.3f}{rates}  {e.model}"))
    return lines
