"""The freeze of a study: what is judged, by what, against which claim, written before it begins.

A folder of ``stampgate prove`` holds one folder a study, ``study-1`` and so on. In it lies
``freeze.json``: the sums of the model and of every picture, the items, the threshold and the plan,
with a time. It is written before any picture is decoded, and nothing of it changes any more: who
comes with another model, threshold or plan is refused, and so is who adds a picture, takes one
away or changes one. Other pictures altogether are another study, with a number of its own.
"""

import dataclasses
import datetime as dt
import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge import __version__
from edge.errors import InputError
from edge.files import make_folder, read_bounded, write_atomic
from edge.printing import printable
from edge.rates.plan import Plan
from edge.vision.model_file import ModelFile
from edge.vision.picture_folders import find_pictures
from train.file_sums import file_sum, file_sums
from train.proof.items import STAMPED, UNSTAMPED, Shown

NAME, DONE = "freeze.json", "proof.json"
FORMAT = 1
MOST_BYTES = 256 << 20
STUDY = re.compile(r"study-([1-9][0-9]{0,5})")


@dataclass(frozen=True)
class Frozen:
    """A picture as it was frozen: role, name in its folder, item, and SHA-256 of its file."""

    role: str
    name: str
    item: str
    sha256: str

    @property
    def key(self) -> str:
        """What it is called among all pictures of the study."""
        return f"{self.role}/{self.name}"


@dataclass(frozen=True)
class Freeze:
    """What a study is about.

    *study*: its number; *frozen_at*: UTC; *version*: of stampgate; *model*, *model_sha256*,
    *decision_digest*: name and sum of the model file, and the digest of its graph and contract;
    *threshold*, *classes*: of its contract; *plan*: what is claimed; *labels_sha256*: of the label
    files, empty without; *mapped*: whether a table said which pictures are one item.
    """

    study: int
    frozen_at: str
    version: str
    model: str
    model_sha256: str
    decision_digest: str
    threshold: float
    classes: tuple[str, ...]
    plan: str
    labels_sha256: str
    mapped: bool
    pictures: tuple[Frozen, ...]

    def to_json(self) -> str:
        """Return the freeze as JSON text."""
        return json.dumps({"format": FORMAT, **dataclasses.asdict(self)}, indent=1)

    @classmethod
    def from_json(cls, content: bytes) -> "Freeze":
        """Read what :meth:`to_json` wrote. Raises ValueError, KeyError or TypeError."""
        raw: dict[str, Any] = json.loads(content)
        if raw.pop("format") != FORMAT:
            raise ValueError("it is of another release")
        pictures = tuple(Frozen(**picture) for picture in raw.pop("pictures"))
        return cls(**{**raw, "classes": tuple(raw["classes"])}, pictures=pictures)


@dataclass(frozen=True)
class Study:
    """A study: what was frozen, its folder, and whether its report is written."""

    freeze: Freeze
    folder: Path
    done: bool


def freeze_of(
    model: ModelFile, plan: Plan, shown: Sequence[Shown], labels: Path | None, mapped: bool
) -> Freeze:
    """Return what would be frozen now; its study has no number yet. Raises InputError."""
    known = file_sums(one.path for one in shown)
    sums = [known[one.path] for one in shown]
    _refuse_contradictions(shown, sums)
    pictures = tuple(
        Frozen(one.role, one.name, one.item, total) for one, total in zip(shown, sums, strict=True)
    )
    contract = model.contract
    return Freeze(
        study=0,
        frozen_at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        version=__version__,
        model=model.path.name,
        model_sha256=model.sha256,
        decision_digest=model.decision_digest,
        threshold=contract.threshold,
        classes=contract.classes,
        plan=str(plan),
        labels_sha256=labels_sum(labels) if labels else "",
        mapped=mapped,
        pictures=tuple(sorted(pictures, key=lambda picture: picture.key)),
    )


def _refuse_contradictions(shown: Sequence[Shown], sums: Sequence[str]) -> None:
    """Refuse one photograph given as stamped and as unstamped. Raises InputError."""
    roles: dict[str, Shown] = {}
    for one, total in zip(shown, sums, strict=True):
        if one.role not in (STAMPED, UNSTAMPED):
            continue
        before = roles.setdefault(total, one)
        if before.role != one.role:
            raise InputError(
                f"{one.path}: is {one.role}, and the same file as {before.path}, which is "
                f"{before.role}; leave it in one folder"
            )


def labels_sum(labels: Path) -> str:
    """Return the SHA-256 over a label file, or over all files of a folder but its pictures.

    Raises InputError.
    """
    if not labels.is_dir():
        return file_sum(labels)
    pictures = set(find_pictures(labels).pictures)
    files = sorted(path for path in labels.rglob("*") if path.is_file() and path not in pictures)
    total = hashlib.sha256()
    for path, one in file_sums(files).items():
        total.update(f"{path.relative_to(labels).as_posix()} {one}\n".encode("utf-8", "replace"))
    return total.hexdigest()


def studies_in(out: Path) -> list[Study]:
    """Return the studies of a folder by their numbers. Raises InputError for a damaged one."""
    found = [
        Study(_read(folder / NAME), folder, (folder / DONE).exists())
        for folder in out.glob("study-*")
        if STUDY.fullmatch(folder.name) and (folder / NAME).exists()
    ]
    return sorted(found, key=lambda study: study.freeze.study)


def _read(path: Path) -> Freeze:
    try:
        return Freeze.from_json(read_bounded(path, MOST_BYTES))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); take another --out") from None
    except (ValueError, KeyError, TypeError) as error:
        why = printable(error)[:80]
        raise InputError(
            f"{path}: must be a freeze of this release, not a damaged one ({why}); take another "
            "--out"
        ) from None


def open_study(out: Path, wanted: Freeze) -> Study:
    """Return the study of what is *wanted*: one that was begun, or a new one, frozen now.

    Raises InputError when a study of this folder is about another model, threshold or plan, or
    about these pictures and others.
    """
    known = studies_in(out)
    for study in known:
        if _content(study.freeze) == _content(wanted):
            return study
    for study in known:
        _refuse_other_terms(study, wanted)
        _refuse_other_pictures(study, wanted)
    number = max((study.freeze.study for study in known), default=0) + 1
    freeze = dataclasses.replace(wanted, study=number)
    folder = out / f"study-{number}"
    make_folder(folder)
    write_atomic(folder / NAME, (freeze.to_json() + "\n").encode())
    return Study(freeze, folder, done=False)


def _content(freeze: Freeze) -> tuple[Any, ...]:
    """Return what makes two freezes one study."""
    terms = (freeze.decision_digest, freeze.threshold, freeze.plan, freeze.labels_sha256)
    return *terms, freeze.pictures


def _refuse_other_terms(study: Study, wanted: Freeze) -> None:
    """Refuse another model, threshold or plan than that of a study. Raises InputError."""
    frozen = study.freeze
    for what, before, now in (
        ("threshold", f"{frozen.threshold:g}", f"{wanted.threshold:g}"),
        ("model", frozen.decision_digest[:16], wanted.decision_digest[:16]),
        ("plan", frozen.plan, wanted.plan),
    ):
        if before != now:
            raise InputError(
                f"{study.folder}: study {frozen.study} was frozen with another {what} ({before}, "
                f"not {now}); its pictures have been opened. Take another --out, and pictures that "
                "nobody has judged by yet"
            )


def _refuse_other_pictures(study: Study, wanted: Freeze) -> None:
    """Refuse pictures of a study with others, or while it is unfinished. Raises InputError."""
    before, now = study.freeze.pictures, wanted.pictures
    shared = {picture.sha256 for picture in before} & {picture.sha256 for picture in now}
    if study.done and not shared:
        return
    cure = (
        "study it alone, in a folder of its own"
        if study.done
        else "put back what was frozen and run it again, or take another --out"
    )
    change = _change(before, now)
    if not change:
        change = "the labels or the items are not what was frozen"
    raise InputError(f"{study.folder}: study {study.freeze.study} is frozen: {change}; {cure}")


def _change(before: Iterable[Frozen], now: Iterable[Frozen]) -> str:
    """Return in words how two sets of pictures differ, empty when in nothing but their items."""
    old = {picture.key: picture.sha256 for picture in before}
    new = {picture.key: picture.sha256 for picture in now}
    changed = sorted(key for key in old.keys() & new.keys() if old[key] != new[key])
    parts = []
    for said, names in (
        ("was changed", changed),
        ("was added", sorted(new.keys() - old.keys())),
        ("was removed", sorted(old.keys() - new.keys())),
    ):
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            parts.append(f"{printable(names[0])}{more} {said} after the freeze")
    return ", ".join(parts)
