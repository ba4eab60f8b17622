"""The fingerprint of a run's inputs: contents of its marks and photographs, and their split.

It is made when a run begins and kept in its checkpoint, for a run goes on with exactly what it
began with. Another picture under a mark's name would be trained on without a word, and one
photograph more or less would deal out anew what was held out, so that the run would be measured on
what it has trained on. Contents are compared by SHA-256 and not by path: a folder may be moved.
"""

import dataclasses
import hashlib
import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.errors import InputError
from train.config import RunConfig
from train.file_sums import file_sums
from train.labels.ground_truth import Labelled
from train.marks.insides import INSIDES, has_insides
from train.marks.mark import mark_files

Sums = tuple[tuple[str, str], ...]
"""Name and SHA-256 of each file, in their order."""
GONE, CHANGED, NEW = "is gone", "is not what the run began with", "was not there at its beginning"


@dataclass(frozen=True)
class Fingerprint:
    """The contents of a run's inputs.

    *marks*: class name, file name and SHA-256 of each picture; *lookalikes*: file name and SHA-256;
    *training*, *held_out*: those of the photographs, by their names in their folder, None for
    painted products; *real*, *real_held_out*: of labelled photographs, the sum being that of the
    file and of its boxes; *bearing*: of photographs left out because the mark was found in them;
    *insides*: of the files that say which parts of marks count.
    """

    marks: tuple[tuple[str, str, str], ...]
    lookalikes: Sums = ()
    training: Sums | None = None
    held_out: Sums | None = None
    real: Sums = ()
    real_held_out: Sums = ()
    bearing: Sums = ()
    insides: Sums = ()

    def to_json(self) -> str:
        """Return the fingerprint as one JSON text, which earlier releases can read where it may."""
        raw = dataclasses.asdict(self)
        for later in ("bearing", "insides"):
            if not raw[later]:  # so that the digest of a run of an earlier release stays its own
                del raw[later]
        return json.dumps(raw)

    @classmethod
    def from_json(cls, text: str) -> "Fingerprint":
        """Read what :meth:`to_json` wrote."""
        raw: dict[str, Any] = json.loads(text)
        parts: dict[str, Any] = {
            name: None if part is None else tuple(map(tuple, part)) for name, part in raw.items()
        }
        return cls(**parts)

    def digest(self) -> str:
        """Return the SHA-256 of the fingerprint, in hex."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()


def fingerprint_of(
    config: RunConfig,
    training: Sequence[Path] | None,
    held_out: Sequence[Path] | None,
    real: Sequence[Labelled] = (),
    real_held_out: Sequence[Labelled] = (),
    bearing: Sequence[Path] = (),
) -> Fingerprint:
    """Read all inputs of a run and return their fingerprint. Raises InputError."""
    folder, images = Path(config.backgrounds), Path(config.real[1] if config.real else "")
    photographs = [*(training or ()), *(held_out or ()), *bearing]
    sums = file_sums([*photographs, *(one.path for one in (*real, *real_held_out))])
    return dataclasses.replace(
        fingerprint_of_marks(config),
        training=None
        if training is None
        else tuple((name_in(folder, p), sums[p]) for p in training),
        held_out=None
        if held_out is None
        else tuple((name_in(folder, p), sums[p]) for p in held_out),
        real=tuple((name_in(images, one.path), _labelled_sum(one, sums)) for one in real),
        real_held_out=tuple(
            (name_in(images, one.path), _labelled_sum(one, sums)) for one in real_held_out
        ),
        bearing=tuple((name_in(folder, p), sums[p]) for p in bearing),
    )


def fingerprint_of_marks(config: RunConfig) -> Fingerprint:
    """Return the fingerprint of a run's marks and look-alikes alone. Raises InputError."""
    marks = [(name, file) for name, path in config.marks for file in mark_files(Path(path))]
    lookalikes = [Path(path) for path in config.lookalikes]
    insides = insides_files(config)
    sums = file_sums([*(file for _, file in marks), *lookalikes, *insides])
    return Fingerprint(
        tuple((name, file.name, sums[file]) for name, file in marks),
        tuple((file.name, sums[file]) for file in lookalikes),
        insides=tuple((file.name, sums[file]) for file in insides),
    )


def insides_files(config: RunConfig) -> tuple[Path, ...]:
    """Return the files that say which parts of the marks count, each once."""
    folders = dict.fromkeys(Path(path) for _, path in config.marks)
    return tuple(folder / INSIDES for folder in folders if has_insides(folder))


def name_in(folder: Path, path: Path) -> str:
    """Return the name of a file in its folder, sub-folders included."""
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)


def _labelled_sum(labelled: Labelled, sums: dict[Path, str]) -> str:
    boxes = [
        (box.kind, [round(side, 2) for side in box.box.corners()], box.ignore)
        for box in labelled.boxes
    ]
    return hashlib.sha256(f"{sums[labelled.path]} {json.dumps(boxes)}".encode()).hexdigest()


def check_places(config: RunConfig) -> None:
    """Check that a run's inputs are where it found them. Raises InputError."""
    places = [(f"--mark {name}=PATH", path) for name, path in config.marks]
    places += [("--lookalike", path) for path in config.lookalikes]
    places += [("--backgrounds", config.backgrounds)] * bool(config.backgrounds)
    places += list(zip(("--real", "--real-images"), config.real, strict=False))
    for option, path in places:
        if not Path(path).exists():
            raise InputError(
                f"--resume: {path} {GONE}; put it back, or say where it is now with {option}"
            )


def check_marks(kept: Fingerprint, config: RunConfig) -> None:
    """Check that the marks and look-alikes are those of the run. Raises InputError."""
    now = fingerprint_of_marks(config)
    marks = [file for _, path in config.marks for file in mark_files(Path(path))]
    before = [total for *_, total in kept.marks]
    changes = list(_changes_in_order("--mark", before, now.marks, marks))
    lookalikes = [Path(path) for path in config.lookalikes]
    before = [total for _, total in kept.lookalikes]
    changes += _changes_in_order("--lookalike", before, now.lookalikes, lookalikes)
    before = [total for _, total in kept.insides]
    changes += _changes_in_order("--mark", before, now.insides, insides_files(config))
    _refuse(changes)


def check_photographs(kept: Fingerprint, now: Fingerprint, config: RunConfig) -> None:
    """Check that the photographs are those of the run, split anyhow. Raises InputError."""
    places = Path(config.backgrounds), Path(config.real[1] if config.real else "")
    before, after = _photographs(kept), _photographs(now)
    changes = list(_changes_by_name("--backgrounds", before, after, places[0]))
    before, after = _labelled(kept), _labelled(now)
    changes += _changes_by_name("--real and --real-images", before, after, places[1])
    _refuse(changes)


def check_unchanged(kept: Fingerprint, now: Fingerprint, config: RunConfig) -> None:
    """Check that a run goes on with what it began with, and its split. Raises InputError."""
    check_marks(kept, config)
    check_photographs(kept, now, config)
    parts = ("training", "held_out", "real", "real_held_out", "bearing")
    if any(getattr(kept, part) != getattr(now, part) for part in parts):
        raise InputError(
            "--resume: the photographs are split another way into trained on and held out; take "
            "the split that the checkpoint keeps, or start a new run with another --out"
        )


def _refuse(changes: Sequence[tuple[str, str]]) -> None:
    """Raise InputError about the first of the changes, with the option that it belongs to."""
    if changes:
        option, what = changes[0]
        more = f" (and {len(changes) - 1} more)" if len(changes) > 1 else ""
        raise InputError(
            f"--resume: {what}{more}; put back what the run began with, say where that is now with "
            f"{option}, or start a new run with another --out"
        )


def _changes_by_name(
    option: str, before: dict[str, str], after: dict[str, str], folder: Path
) -> Iterator[tuple[str, str]]:
    """Yield the changes of a folder of photographs: option, and what is another."""
    both = before.keys() & after.keys()
    for names, said in (
        (before.keys() - both, GONE),
        ({name for name in both if before[name] != after[name]}, CHANGED),
        (after.keys() - both, NEW),
    ):
        yield from ((option, f"{folder / name} {said}") for name in sorted(names))


def _changes_in_order(
    option: str, before: Sequence[str], after: Sequence[tuple[str, ...]], paths: Sequence[Path]
) -> Iterator[tuple[str, str]]:
    """Yield the changes of pictures that count by their order."""
    if len(before) != len(after):
        yield option, f"{option}: there were {len(before)} pictures, now there are {len(after)}"
        return
    for path, old, (*_, new) in zip(paths, before, after, strict=True):
        if old != new:
            yield option, f"{path} {CHANGED}"


def _photographs(fingerprint: Fingerprint) -> dict[str, str]:
    parts = fingerprint.training or (), fingerprint.held_out or (), fingerprint.bearing
    return dict(itertools.chain(*parts))


def _labelled(fingerprint: Fingerprint) -> dict[str, str]:
    return dict((*fingerprint.real, *fingerprint.real_held_out))
