"""Painted data sets: pictures and labels in a folder; deterministic, resumable, on all cores.

The folder holds ``painted-from.json`` (what it is painted from; a resume must ask for the same),
``images/``, the labels (:mod:`train.labels.writing`) and ``pictures.jsonl``: one line for each
picture written, from which all labels are made.
"""

import contextlib
import dataclasses
import hashlib
import io
import json
import multiprocessing
import os
import re
import signal
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

import cv2
import numpy as np
from PIL import Image
from tqdm import tqdm

from edge.decision import Box
from edge.errors import InputError
from edge.files import check_ours, make_folder, open_ours, write_atomic
from train.file_sums import file_sums
from train.folder_lock import NAME, locked_folder
from train.labels.writing import YOLO, Shown, hundredths, write_labels, yolo_text
from train.marks.bearing_sheet import SHEET as BEARING
from train.marks.mark_sheet import SHEET as UNDERSTOOD
from train.marks.mark_sheet import write_mark_sheet
from train.paint.input_fingerprint import name_in
from train.paint.inputs import Inputs
from train.paint.painting_code import painting_digest
from train.paint.picture_kinds import PICTURE_KINDS
from train.paint.picture_sheet import write_picture_sheet
from train.paint.synth import Kit, Picture
from train.stopping import end_with_parent, stop_requested

JPEG_QUALITY = 95
"""Of pictures written, with the whole colour resolution.

On 40 pictures of 416 pixels: 59 kB each where PNG takes 180 kB, and off by 0.8 of 255 grey levels
on average, 4 at the 99th percentile.
"""
SEED_OFFSET = 2**33
"""Keeps these pictures' seeds away from those of training and of its threshold."""
IMAGES, JOURNAL, SETTINGS = "images", "pictures.jsonl", "painted-from.json"
LOCK, SHEET = NAME, "preview.png"
"""Names in the folder."""
NOT_PAINTED = {SHEET, UNDERSTOOD, BEARING, LOCK}
"""What may lie in it before a data set is begun."""
SHEET_PICTURES = 24
"""Pictures on the preview."""
AHEAD = 4
"""Pictures handed out ahead to each process: enough to keep it busy, few enough to stop soon."""


@dataclass(frozen=True)
class Job:
    """A data set to paint: the run's inputs, one of ``PICTURE_KINDS``, and which products."""

    inputs: Inputs
    kind: str = "camera"
    held_out: bool = False

    @classmethod
    def of(cls, inputs: Inputs, kind: str, held_out: bool) -> "Job":
        """Make a job; the naive kind takes no painted products where there are photographs."""
        if kind == "naive" and inputs.training is not None:
            synth = dataclasses.replace(inputs.config.synth, painted_share=0.0)
            inputs = dataclasses.replace(
                inputs, config=dataclasses.replace(inputs.config, synth=synth)
            )
        return cls(inputs, kind, held_out)

    @property
    def size(self) -> int:
        """Side of the square pictures, in pixels."""
        return self.inputs.config.fit.size

    def kit(self) -> Kit:
        """Make the kit to paint with; each process makes its own."""
        return self.inputs.kit(held_out=self.held_out)

    def paint(self, kit: Kit, index: int) -> Picture:
        """Paint picture number *index*: the same in every process and after any other picture."""
        rng = np.random.default_rng((SEED_OFFSET + self.inputs.config.fit.seed, index))
        return PICTURE_KINDS[self.kind](rng, kit, self.inputs.config.synth, index)

    def settings(self) -> dict[str, Any]:
        """Return all that decides a picture, by content and not by path: flat, to be compared."""
        config = self.inputs.config
        photographs = self.inputs.held_out if self.held_out else self.inputs.training
        folder = Path(config.backgrounds)
        sums = file_sums(photographs or ())
        names = [f"{name_in(folder, path)} {total}" for path, total in sums.items()]
        raw = {
            "program": painting_digest(),
            "kind": self.kind,
            "held_out": self.held_out,
            "size": self.size,
            "seed": config.fit.seed,
            "jpeg_quality": JPEG_QUALITY,
            "mark": [[mark.label, _digest(mark.image.tobytes())] for mark in self.inputs.marks],
            "lookalike": [_digest(mark.image.tobytes()) for mark in self.inputs.lookalikes],
            # A name on an old disk may be no UTF-8.
            "backgrounds": [len(names), _digest("\n".join(names).encode(errors="surrogateescape"))],
            **dataclasses.asdict(config.synth),
        }
        # As it will be read back: lists, no tuples.
        settings: dict[str, Any] = json.loads(json.dumps(raw))
        return settings


@dataclass(frozen=True)
class Written:
    """One picture of the data set: its number, the SHA-256 of its file, and what it shows."""

    index: int
    sha256: str
    shown: Shown

    def as_line(self) -> str:
        """One line of ``pictures.jsonl``."""
        marks = [[kind, *map(hundredths, box.corners())] for kind, box in self.shown.marks]
        ignored = [list(map(hundredths, box.corners())) for box in self.shown.ignored]
        line = {"index": self.index, "sha256": self.sha256, "marks": marks, "ignored": ignored}
        return json.dumps(line) + "\n"

    @classmethod
    def from_line(cls, line: str) -> "Written":
        """Parse a line of :meth:`as_line`. Raises ValueError, KeyError or TypeError if torn."""
        raw = json.loads(line)
        marks = tuple((int(kind), Box(*corners)) for kind, *corners in raw["marks"])
        ignored = tuple(Box(*corners) for corners in raw["ignored"])
        return cls(raw["index"], raw["sha256"], Shown(file_name(raw["index"]), marks, ignored))


@dataclass(frozen=True)
class PaintResult:
    """The result of painting a data set.

    *written*: all pictures in the folder now, in order; *kept*: how many of them were there before;
    *stopped*: whether it was interrupted.
    """

    written: tuple[Written, ...]
    kept: int
    stopped: bool


def file_name(index: int) -> str:
    """Return the file name of picture number *index*.

    >>> file_name(7)
    '000007.jpg'
    """
    return f"{index:06}.jpg"


def write_dataset(job: Job, out: Path, count: int, workers: int) -> PaintResult:
    """Paint pictures 0 to *count* - 1 into *out* in *workers* processes (0: in this one).

    Pictures that are whole there are kept: the same call resumes after SIGINT, a crash or a power
    cut. SIGINT or SIGTERM ends it after the pictures in hand, with labels of all that are there.
    Raises InputError.
    """
    with locked(job, out) as digest:
        write_mark_sheet(job.inputs.marks_with_files(), out / UNDERSTOOD)
        kept = whole_pictures(out)
        least = max(kept, default=-1) + 1
        if least > count:
            last = file_name(least - 1)
            raise InputError(
                f"{out}: holds pictures up to {last}; --count must be at least {least}"
            )
        missing = [index for index in range(count) if index not in kept]
        new, stopped = paint_missing(job, out, missing, workers, count)
        written = tuple(entry for _, entry in sorted({**kept, **new}.items()))
        write_journal(out, written)  # by number now, no longer by arrival
        info = {
            "description": f"painted by stampgate synth, pictures: {job.kind}",
            "digest": digest,
        }
        write_labels(out, [w.shown for w in written], job.inputs.config.classes, job.size, info)
    return PaintResult(written, len(kept), stopped)


def paint_missing(
    job: Job, out: Path, missing: Sequence[int], workers: int, count: int
) -> tuple[dict[int, Written], bool]:
    """Paint the *missing* of *count* pictures, noting each in the journal, under a progress bar.

    Returns those painted, by number, and whether it was interrupted.
    """
    new: dict[int, Written] = {}
    workers = min(workers, len(missing))
    form = "{l_bar}{bar}| {n}/{total} pictures [{elapsed}<{remaining}, {rate_fmt}]"
    bar = tqdm(
        total=count,
        initial=count - len(missing),
        desc="synth",
        unit=" pictures",
        bar_format=form,
    )
    with stop_requested() as stop, _journal(out) as journal, bar:
        if workers:
            painted = _in_processes(job, out, missing, workers, stop)
        else:
            painted = _in_this_process(job, out, missing, stop)
        for written in painted:
            journal.write(written.as_line())
            journal.flush()
            new[written.index] = written
            bar.update()
        return new, stop.is_set()


@contextlib.contextmanager
def locked(job: Job, out: Path) -> Iterator[str]:
    """Lock *out* as a data set of this job, and yield the digest of its settings.

    Raises InputError when it holds something else, was begun with other settings, or is in use.
    """
    begun = (out / SETTINGS).is_file()
    if not begun and out.is_dir() and {p.name for p in out.iterdir()} - NOT_PAINTED:
        raise InputError(
            f"{out}: must be empty or hold a data set begun by 'stampgate synth'; "
            "name another folder"
        )
    settings = job.settings()
    with locked_folder(out, "stampgate synth"):
        if (out / SETTINGS).is_file():
            check_settings(out, settings)
        else:
            whole = {"digest": digest_of(settings), "settings": settings}
            write_atomic(out / SETTINGS, (json.dumps(whole, indent=1) + "\n").encode())
        for folder in (out / IMAGES, out / YOLO):
            make_folder(folder)
        yield digest_of(settings)


def check_settings(out: Path, settings: dict[str, Any]) -> None:
    """Compare *settings* with those *out* was begun with.

    Raises InputError, naming the first that differs, or when they cannot be read.
    """
    path = out / SETTINGS
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        begun, digest = dict(raw["settings"]), str(raw["digest"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path}: cannot be read ({error}); name another folder and paint anew"
        ) from None
    if digest == digest_of(settings):
        return
    other = [key for key in {**begun, **settings} if begun.get(key) != settings.get(key)]
    where = other[0] if other else "digest"
    both = where in begun and where in settings and where != "program"
    plain = both and not isinstance(begun[where], list)
    said = f": {begun[where]}, not {settings[where]}" if plain else ""
    raise InputError(
        f"{out}: was begun with another {where}{said}; "
        "ask for the same again, or name another folder"
    )


def whole_pictures(out: Path) -> dict[int, Written]:
    """Return the pictures that are whole, by number.

    Files that are torn, changed or in no line of the journal are removed. The journal is rewritten
    in order, without the lines whose picture is gone.
    """
    journal, whole = out / JOURNAL, dict[int, Written]()
    lines = (
        journal.read_text(encoding="utf-8", errors="replace").splitlines()
        if journal.is_file()
        else []
    )
    for line in lines:
        with contextlib.suppress(ValueError, KeyError, TypeError):  # the line that a power cut tore
            entry = Written.from_line(line)
            path = out / IMAGES / entry.shown.name
            if path.is_file() and _digest(path.read_bytes()) == entry.sha256:
                whole[entry.index] = entry
    stems = {Path(entry.shown.name).stem for entry in whole.values()}
    for folder in (out / IMAGES, out / YOLO):
        for path in folder.iterdir():
            ours = re.fullmatch(r"\.?(\d{6,})\.(jpg|txt)(\.part)?", path.name)
            if ours and (path.name.startswith(".") or ours[1] not in stems):
                path.unlink()
    write_journal(out, [entry for _, entry in sorted(whole.items())])
    return whole


def _in_this_process(
    job: Job, out: Path, missing: Iterable[int], stop: threading.Event
) -> Iterator[Written]:
    kit = job.kit()
    for index in missing:
        if stop.is_set():
            return
        yield write_picture(job, kit, out, index)


def _in_processes(
    job: Job, out: Path, missing: Iterable[int], workers: int, stop: threading.Event
) -> Iterator[Written]:
    # Not forked: OpenCV's threads do not survive a fork; the child would wait for them for ever.
    context = multiprocessing.get_context("forkserver")
    todo, running = iter(missing), set[Future[Written]]()
    with ProcessPoolExecutor(workers, context, _begin_painter, (job, out)) as pool:
        try:
            while True:
                room = 0 if stop.is_set() else workers * AHEAD - len(running)
                running |= {pool.submit(_write_one, index) for index in islice(todo, room)}
                if not running:
                    return
                done, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        except BrokenProcessPool:
            raise InputError(
                "synth: a painting process ended suddenly, perhaps for want of memory; "
                "the same command goes on, with fewer --workers"
            ) from None


_painter = ContextVar[tuple[Job, Kit, Path]]("_painter")
"""The job, kit and folder of a painting process, set once when it begins."""


def _begin_painter(job: Job, out: Path) -> None:
    """Set up a painting process: one core, SIGINT ignored, ended together with its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    cv2.setNumThreads(1)
    end_with_parent()
    _painter.set((job, job.kit(), out))


def _journal(out: Path) -> IO[str]:
    descriptor = open_ours(out / JOURNAL, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    return os.fdopen(descriptor, "a", encoding="utf-8")


def _write_one(index: int) -> Written:
    job, kit, out = _painter.get()
    return write_picture(job, kit, out, index)


def write_picture(job: Job, kit: Kit, out: Path, index: int) -> Written:
    """Paint one picture and write its YOLO labels, then the picture."""
    picture = job.paint(kit, index)
    file = io.BytesIO()
    Image.fromarray(picture.pixels).save(file, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    shown = Shown(file_name(index), picture.marks, picture.ignored)
    written = Written.from_line(Written(index, _digest(file.getvalue()), shown).as_line())
    labels = yolo_text(written.shown.marks, job.size, job.size)
    _replace(out / YOLO / f"{Path(shown.name).stem}.txt", labels.encode())
    _replace(out / IMAGES / shown.name, file.getvalue())
    return written


def _replace(path: Path, content: bytes) -> None:
    """Write a file by atomic replace, not synchronised to the disk.

    A resume finds by its hash what a power cut spoilt.
    """
    check_ours(path)
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)  # a link or FIFO of this name is not written to
    part.write_bytes(content)
    part.replace(path)


def preview(job: Job, path: Path, pictures: int = SHEET_PICTURES) -> None:
    """Write a contact sheet of the first *pictures* of the data set. Raises InputError."""
    make_folder(path.parent)
    write_mark_sheet(job.inputs.marks_with_files(), path.with_name(UNDERSTOOD))
    kit = job.kit()
    painted = [job.paint(kit, index) for index in range(pictures)]
    write_picture_sheet(painted, job.inputs.config.classes, path)


def write_journal(out: Path, written: Iterable[Written]) -> None:
    """Replace ``pictures.jsonl`` by exactly these lines. Raises InputError."""
    write_atomic(out / JOURNAL, "".join(entry.as_line() for entry in written).encode())


def digest_of(settings: dict[str, Any]) -> str:
    """Return the SHA-256 of settings; the order of their keys does not matter."""
    return _digest(json.dumps(settings, sort_keys=True).encode())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
