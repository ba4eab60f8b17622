"""Determinism: whether the same picture gives the same bits, run after run and with two threads."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.decision import Finding
from edge.errors import AnswerError, FrameError
from edge.vision.localizer import Localizer
from edge.vision.picture_files import read_picture
from edge.vision.preprocess import Frame
from train.proof.judging import LOWEST_SCORE

PICTURES, RUNS, THREADS = 5, 3, 2


@dataclass(frozen=True)
class Gap:
    """How far answers are from the first run's.

    *score*: greatest difference, 0..1; *box*: in pixels; *others*: pictures in which another number
    of marks was found.
    """

    score: float = 0.0
    box: float = 0.0
    others: int = 0

    @property
    def words(self) -> str:
        """The gap in words."""
        if self == Gap():
            return "the same bits"
        found = f", and another number of findings in {self.others}" if self.others else ""
        return f"scores to {self.score:.2g} and boxes to {self.box:.2g} pixels{found}"


@dataclass(frozen=True)
class Determinism:
    """What was compared on *pictures* pictures: runs with one thread, and one with two."""

    pictures: int
    runs: Gap
    threads: Gap

    @property
    def words(self) -> str:
        """What came of it, in words."""
        if not self.pictures:
            return "not measured: no picture could be judged"
        return (
            f"{self.pictures} pictures, {RUNS} runs with one thread, the last in a session of its "
            f"own: {self.runs.words}. With {THREADS} threads against one: {self.threads.words}."
        )


def compare(model: Path, localizer: Localizer, paths: Sequence[Path]) -> Determinism:
    """Judge the first pictures of *paths* again and again. Raises ModelError.

    *localizer*: of *model*, with one thread.
    """
    frames = [frame for path in paths[:PICTURES] if (frame := _read(path)) is not None]
    first, again = ([_find(localizer, frame) for frame in frames] for _ in range(2))
    fresh = Localizer(model)
    anew = [_find(fresh, frame) for frame in frames]
    two = Localizer(model, THREADS)
    threaded = [_find(two, frame) for frame in frames]
    return Determinism(len(frames), gap(first * 2, again + anew), gap(first, threaded))


Answers = Sequence[tuple[Finding, ...]]


def gap(first: Answers, other: Answers) -> Gap:
    """Return how far the answers of one run are from another's."""
    score = box = 0.0
    others = 0
    for before, now in zip(first, other, strict=True):
        others += len(before) != len(now)
        for a, b in zip(before, now, strict=False):
            score = max(score, abs(a.score - b.score))
            sides = zip(a.box.corners(), b.box.corners(), strict=True)
            box = max(box, *(abs(p - q) for p, q in sides))
    return Gap(score, box, others)


def _find(localizer: Localizer, frame: Frame) -> tuple[Finding, ...]:
    try:
        return localizer.find(frame, LOWEST_SCORE)
    except AnswerError:
        return ()


def _read(path: Path) -> Frame | None:
    try:
        return read_picture(path)
    except FrameError:
        return None
