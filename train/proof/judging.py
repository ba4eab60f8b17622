"""Judge the pictures of a study by the box's own code, and keep each answer as soon as it is there.

``answers.jsonl`` in the study's folder has one line a picture, on the disk before the next one is
opened: a run that is killed goes on where it was. A picture whose file is not what was frozen stops
the study. One that the model has met is not judged at all.
"""

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import ExifTags, Image
from tqdm import tqdm

from edge.decision import Box, Finding
from edge.errors import AnswerError, FrameError, InputError
from edge.files import append_synced, open_ours
from edge.printing import printable
from edge.vision.localizer import Localizer
from edge.vision.picture_files import open_picture, read_picture
from train.file_sums import file_sum
from train.leakage import MetPhotographs, likeness
from train.proof.freeze import Frozen, Study

NAME = "answers.jsonl"
LOWEST_SCORE = 0.005
"""Findings below this are not kept."""
MOST_FINDINGS = 20
NOTHING = (0.0, (0, 0), 0.0, "")
"""Time, size, grey level and camera of a picture that was not opened."""
State = Literal["judged", "fault", "unread", "met", "again"]
"""Of a picture: it was judged; the model gave no answer that can be, which the box rejects; it
cannot be read; the model has met it, so that it says nothing; it is the same file as another."""


@dataclass(frozen=True)
class Answer:
    """What became of one picture.

    *picture*: as it was frozen; *why*: of a fault, of what was not read or met; *findings*: best
    score first; *ms*: the localizer's time; *size*: width and height in pixels; *grey*: mean level,
    0..255; *camera*: as EXIF names it, empty when it does not; *likeness*: its perceptual hash, in
    hex (:mod:`train.leakage`), empty when it was not judged.
    """

    picture: Frozen
    state: State
    why: str
    findings: tuple[Finding, ...]
    ms: float
    size: tuple[int, int]
    grey: float
    camera: str
    likeness: str = ""

    @property
    def counts(self) -> bool:
        """Whether the box would have judged it: it is evidence."""
        return self.state in ("judged", "fault")

    def as_object(self) -> dict[str, Any]:
        """Return the line of the file."""
        found = [[f.label, f.score, *f.box.corners()] for f in self.findings]
        return {
            "picture": self.picture.key,
            "sha256": self.picture.sha256,
            "state": self.state,
            "why": self.why,
            "findings": found,
            "ms": self.ms,
            "size": list(self.size),
            "grey": self.grey,
            "camera": self.camera,
            "likeness": self.likeness,
        }

    @classmethod
    def from_object(cls, raw: Mapping[str, Any], picture: Frozen) -> "Answer":
        """Read a line of the file. Raises ValueError, KeyError or TypeError."""
        if raw["sha256"] != picture.sha256:
            raise ValueError("it is of another picture")
        found = tuple(Finding(f[0], f[1], Box(*f[2:])) for f in raw["findings"])
        size = (int(raw["size"][0]), int(raw["size"][1]))
        about = (raw["ms"], size, raw["grey"], raw["camera"], raw["likeness"])
        return cls(picture, raw["state"], raw["why"], found, *about)


def judge_study(
    study: Study, paths: Mapping[str, Path], localizer: Localizer, met: MetPhotographs | None
) -> tuple[Answer, ...]:
    """Judge what of a study is not judged yet; return all answers, in the order of the freeze.

    *paths*: the files by :attr:`~train.proof.freeze.Frozen.key`; *met*: what the model has met,
    None when nobody knows. Raises InputError when a file is not what was frozen.
    """
    known = read_answers(study)
    pictures = study.freeze.pictures
    first = {picture.sha256: picture for picture in reversed(pictures)}
    descriptor, size = _open_answers(study.folder / NAME)
    try:
        with tqdm(total=len(pictures), desc="prove", unit="picture", mininterval=1.0) as bar:
            bar.update(len(known))
            for picture in pictures:
                if picture.key not in known:
                    same = first[picture.sha256]
                    if same is picture:
                        answer = _judge(picture, paths[picture.key], localizer, met)
                    else:
                        why = f"the same file as {same.key}"
                        answer = Answer(picture, "again", why, (), *NOTHING)
                    size = append_synced(descriptor, _line(answer), size)
                    known[picture.key] = answer
                    bar.update()
    finally:
        os.close(descriptor)
    return tuple(known[picture.key] for picture in pictures)


def read_answers(study: Study) -> dict[str, Answer]:
    """Return the answers that a study has, by the pictures' keys.

    Raises InputError for a damaged file; a last line that was cut off is left out.
    """
    path = study.folder / NAME
    pictures = {picture.key: picture for picture in study.freeze.pictures}
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return {}
    found = dict[str, Answer]()
    for number, line in enumerate(content.splitlines(keepends=True), start=1):
        if not line.endswith(b"\n"):
            break
        try:
            raw = json.loads(line)
            found[raw["picture"]] = Answer.from_object(raw, pictures[raw["picture"]])
        except (ValueError, KeyError, TypeError, IndexError):
            raise InputError(
                f"{path}: line {number} is none of this study's; take another --out"
            ) from None
    return found


def _open_answers(path: Path) -> tuple[int, int]:
    """Open the file to append, without a last line that was cut off; return it and its size."""
    descriptor = open_ours(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
    size = path.read_bytes().rfind(b"\n") + 1
    os.ftruncate(descriptor, size)
    return descriptor, size


def _line(answer: Answer) -> bytes:
    return (json.dumps(answer.as_object()) + "\n").encode()


def _judge(picture: Frozen, path: Path, localizer: Localizer, met: MetPhotographs | None) -> Answer:
    """Open one picture and judge it, unless the model has met it. Raises InputError."""
    if file_sum(path) != picture.sha256:
        raise InputError(
            f"{path}: was changed after the freeze; put back what was frozen, or take another --out"
        )
    if met is not None and (same := met.same_file(picture.sha256)):
        return Answer(picture, "met", f"the same file as {same.words}", (), *NOTHING)
    try:
        frame, camera = read_picture(path), camera_of(path)
    except FrameError as error:
        why = str(error).removeprefix(f"{path}: ").partition(";")[0]
        return Answer(picture, "unread", why, (), *NOTHING)
    about = ((frame.shape[1], frame.shape[0]), round(float(np.mean(frame)), 1), camera)
    if met is not None and (copy := met.copy_of(frame)):
        return Answer(picture, "met", f"a copy of {copy.words}", (), 0.0, *about)
    begin = time.perf_counter()
    try:
        findings = localizer.find(frame, LOWEST_SCORE)[:MOST_FINDINGS]
    except AnswerError as error:
        return Answer(picture, "fault", printable(error)[:200], (), _ms(begin), *about)
    ms, look = _ms(begin), likeness(Image.fromarray(frame)).hex()
    return Answer(picture, "judged", "", findings, ms, *about, look)


def _ms(begin: float) -> float:
    return round(1e3 * (time.perf_counter() - begin), 3)


def camera_of(path: Path) -> str:
    """Return the camera that took a picture, by its EXIF; empty when it does not say.

    Raises FrameError.
    """
    with open_picture(path) as image:
        exif = image.getexif()
    words = [
        str(exif.get(tag, "")).strip("\0 ") for tag in (ExifTags.Base.Make, ExifTags.Base.Model)
    ]
    make, model = words
    named = model if model.lower().startswith(make.lower()) else f"{make} {model}"
    return printable(named.strip())[:80]
