"""The test sets of the variants: marks and look-alikes painted on held-out products.

None of the variants trained on these products.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from edge.errors import InputError, UsageError
from edge.files import atomic_replace, make_folder, write_atomic
from train.config import FitSettings, RunConfig, SynthSettings
from train.drawing.gallery import drawn_marks
from train.marks.lookalikes import make_lookalike
from train.marks.mark import load_mark, load_marks, outline_of
from train.marks.naming import parse_marks
from train.paint.backgrounds import check_sizes
from train.paint.inputs import Inputs
from train.paint.painted_set import JOURNAL, Job, write_dataset
from train.photographs import list_photographs, split_by_product

HELD_OUT = 1 / 3
"""Share of the photographs, by whole products, that no variant trains on."""
SIDE = 348
"""Side of the judged frames, in pixels: those of the photographs that the field guide speaks of."""
SMALL = SynthSettings(size_min=15 / SIDE, size_max=60 / SIDE, painted_share=0.0)
"""Marks and look-alikes are 15 to 60 pixels long there, with the effects of training."""
MARKS = dataclasses.replace(SMALL, negative_share=0.0, marks_max=2, lookalikes_max=0)
"""One or two marks on every picture."""
LOOKALIKES = dataclasses.replace(SMALL, lookalikes_max=3, given_share=1.0)
"""One to three look-alikes, all of them from those made here, which training does not see."""
SEED = 977
MADE = 60
"""Look-alikes made for each mark, by training's own painter with other numbers."""
ARTWORK = Path("artwork")
DRAWN_SEED, DRAWN_PLACE = 4711, 11
"""The drawn mark: a label with two siblings, of a seed that the shipped weights were not trained
on."""


@dataclass(frozen=True)
class Subject:
    """A mark to train for: its class *name*, its picture, and pictures of what looks like it."""

    name: str
    mark: Path
    lookalikes: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Products:
    """Folders of links to the photographs: to train on, and held out, which are listed too."""

    training: Path
    held_out: Path
    photographs: tuple[Path, ...]


@dataclass(frozen=True)
class Judged:
    """The test sets of a subject: painted ones and bare photographs.

    *marks* and *lookalikes*: the painted sets; *negatives*: the held-out photographs as they are.

    *digest*: SHA-256 of all that is in them.
    """

    marks: Path
    lookalikes: Path
    negatives: Path
    digest: str


def subjects_of(given: Sequence[str], out: Path) -> tuple[Subject, ...]:
    """Return the marks given as ``[NAME=]PATH`` or by the names of our own.

    Our own are taken when nothing is given.

    Raises UsageError or InputError.
    """
    known = tuple(sorted((ARTWORK / "lookalikes").glob("*.png")))
    own = {"qc-tested": Subject("qc-tested", ARTWORK / "qc-tested.png", known)}
    if not given or "drawn" in given:
        own["drawn"] = drawn_subject(out / "marks")
    asked = given or list(own)
    pairs = parse_marks(asked)
    for name, _ in pairs:
        if Path(name).name != name or [other for other, _ in pairs].count(name) > 1:
            raise UsageError(
                f"--mark {name}: must be a name of its own that a folder can have; say NAME=PATH"
            )
    named = zip(asked, pairs, strict=True)
    return tuple(
        own[text] if text in own else Subject(name, Path(path)) for text, (name, path) in named
    )


def drawn_subject(folder: Path) -> Subject:
    """Return a mark drawn by program, with its siblings as look-alikes, in *folder*.

    They are drawn only when they are not there.

    Raises InputError.
    """
    mark, others = folder / "drawn.png", folder / "siblings"
    if not mark.exists():
        make_folder(others)
        marks = drawn_marks(DRAWN_PLACE + 5, DRAWN_SEED)
        name, image = marks[DRAWN_PLACE]
        family = name.rpartition("-")[0]
        for other, sibling in marks:
            if other.startswith(f"{family}-") and other != name:
                _save(sibling, others / f"{other}.png")
        _save(image, mark)
    return Subject("drawn", mark, tuple(sorted(others.glob("*.png"))))


def _save(image: Image.Image, path: Path) -> None:
    with atomic_replace(path) as temporary:
        image.save(temporary, "PNG")


def split_products(backgrounds: Path, out: Path) -> Products:
    """Link the photographs of *backgrounds* into *out*, split by product.

    Two thirds are to train on, a third of the products is held out.

    Raises InputError, also when *out* holds links to others.
    """
    paths = check_sizes(list_photographs(backgrounds), backgrounds)
    training, held_out = split_by_product(paths, backgrounds, HELD_OUT)
    if set(training) & set(held_out):
        raise InputError(
            f"--backgrounds {backgrounds}: must hold at least two pictures; name another folder"
        )
    _link(out / "training", {str(path.relative_to(backgrounds)): path for path in training})
    # Flat, as negatives are listed without looking into folders.
    links = _link(
        out / "held-out",
        {"__".join(path.relative_to(backgrounds).parts): path for path in held_out},
    )
    return Products(out / "training", out / "held-out", links)


def _link(folder: Path, wanted: Mapping[str, Path]) -> tuple[Path, ...]:
    """Fill *folder* with a link of each name to its photograph. Raises InputError for others."""
    there = {
        str(path.relative_to(folder)): path.resolve()
        for path in folder.rglob("*")
        if path.is_symlink()
    }
    others = sorted(
        name for name, path in there.items() if name not in wanted or wanted[name].resolve() != path
    )
    if others:
        raise InputError(
            f"{folder}: holds {others[0]} of other photographs; name another --out, or remove "
            f"{folder}"
        )
    for name, path in wanted.items():
        if name not in there:
            make_folder((folder / name).parent)
            (folder / name).symlink_to(path.resolve())
    return tuple(folder / name for name in sorted(wanted))


def paint_judged(
    subject: Subject, products: Products, counts: tuple[int, int], workers: int, out: Path
) -> Judged:
    """Paint a subject's test sets into *out*, unless they are there.

    *counts* of pictures with marks and with look-alikes.

    Raises InputError, also when they were painted from something else.
    """
    inputs = inputs_of(subject, products)
    sets = (
        ("marks", MARKS, "camera", counts[0]),
        ("lookalikes", LOOKALIKES, "lookalikes", counts[1]),
    )
    jobs = {name: (_job(inputs, synth, kind), count) for name, synth, kind, count in sets}
    # What they are painted from, but not by which program: a comment changed there must not cost a
    # finished table.
    asked = {
        name: {**{k: v for k, v in job.settings().items() if k != "program"}, "count": count}
        for name, (job, count) in jobs.items()
    }
    note = out / "judged.json"
    if not _painted(note, asked):
        for name, (job, count) in jobs.items():
            print(f"{subject.name}: painting {count} pictures to judge on, {name}", flush=True)
            if write_dataset(job, out / name, count, workers).stopped:
                raise KeyboardInterrupt
        write_atomic(note, json.dumps(asked).encode())
    names = json.dumps([photograph.name for photograph in products.photographs]).encode()
    content = b"".join((out / name / JOURNAL).read_bytes() for name in jobs)
    return Judged(
        out / "marks", out / "lookalikes", products.held_out, sha256(names + content).hexdigest()
    )


def _painted(note: Path, asked: dict[str, Any]) -> bool:
    """Return whether the sets beside *note* were painted as *asked*.

    Raises InputError when they were painted otherwise.
    """
    if not note.exists():
        return False
    before = json.loads(note.read_text(encoding="utf-8"))
    if before != asked:
        other = [
            f"{name} {key}"
            for name in asked
            for key in asked[name]
            if before[name].get(key) != asked[name][key]
        ]
        raise InputError(
            f"{note.parent}: was painted with another {(other or ['key'])[0]}; name another --out, "
            "or remove "
            f"{note.parent}"
        )
    return True


def inputs_of(subject: Subject, products: Products) -> Inputs:
    """Return what the test sets are painted from.

    The mark, look-alikes not seen in training, the held-out products.
    """
    config = RunConfig(
        ((subject.name, str(subject.mark)),),
        str(products.held_out),
        fit=FitSettings(size=SIDE, seed=SEED),
    )
    marks = load_marks(config.marks)
    mark = marks[0]
    known = tuple(load_mark(path, "look-alike") for path in subject.lookalikes)
    drawn = (
        make_lookalike(mark.image, np.random.default_rng((SEED, number))) for number in range(MADE)
    )
    made = tuple(
        dataclasses.replace(mark, image=one.image, outline=outline_of(one.image))
        for one in drawn
        if one is not None
    )
    return Inputs(config, marks, products.photographs, products.photographs, known + made)


def _job(inputs: Inputs, synth: SynthSettings, kind: str) -> Job:
    return Job(
        dataclasses.replace(inputs, config=dataclasses.replace(inputs.config, synth=synth)), kind
    )
