"""Find a mark without any training: SIFT features, ratio test, RANSAC homography.

A place counts when enough features agree on it.

Source: Lowe, *Distinctive Image Features from Scale-Invariant Keypoints* (2004); RANSAC is Fischler
and Bolles (1981).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edge.decision import Box, Finding
from edge.vision.preprocess import Frame
from train.marks.mark import Mark

ENLARGED = 2
"""The photograph is enlarged so many times first: a mark of 30 pixels has too few features
otherwise."""
RATIO = 0.8
"""A match counts when it is this much nearer than the second best (Lowe, section 7.1)."""
TOLERANCE_PX = 5.0
"""Greatest distance, in pixels of the enlarged photograph, at which a match agrees with a
homography."""
LEAST = 5
"""Four matches always agree with some homography; a fifth says something."""
ENOUGH = 8
"""Matches that agree from which a finding would be believed."""
MARKS_MAX = 8
"""Most marks looked for in one picture."""

Points = NDArray[np.float32]


@dataclass(frozen=True)
class Features:
    """Key points (n, 2), x and y in pixels, and their descriptors (n, 128)."""

    points: Points
    descriptors: Points


class Sift:
    """Find marks by their features. Synchronization: one thread per instance."""

    def __init__(self, marks: Sequence[Mark]) -> None:
        """Look for *marks*."""
        self.sift = cv2.SIFT.create()
        self.matcher = cv2.BFMatcher(cv2.NORM_L2)
        self.marks = [(mark, self.features(*on_paper(mark.image))) for mark in marks]

    def find(self, frame: Frame, min_score: float = 0.0) -> tuple[Finding, ...]:
        """Return the findings in *frame*, best first, in its own pixels.

        *frame*: (height, width, 3) uint8 RGB. Scores are those of :func:`score_of`.
        """
        height, width = frame.shape[:2]
        size = (width * ENLARGED, height * ENLARGED)
        grey = cv2.cvtColor(
            cv2.resize(frame, size, interpolation=cv2.INTER_CUBIC), cv2.COLOR_RGB2GRAY
        )
        scene = self.features(np.asarray(grey, np.uint8), None)
        found = [
            f
            for mark, known in self.marks
            for f in self._find_mark(mark, known, scene, width, height)
        ]
        return tuple(sorted((f for f in found if f.score >= min_score), key=lambda f: -f.score))

    def features(self, grey: NDArray[np.uint8], mask: NDArray[np.uint8] | None) -> Features:
        """Features of a grey (height, width) picture, where *mask* is not 0."""
        points, descriptors = self.sift.detectAndCompute(grey, mask)
        if not points:
            return Features(np.empty((0, 2), np.float32), np.empty((0, 128), np.float32))
        return Features(
            np.array([p.pt for p in points], np.float32), np.asarray(descriptors, np.float32)
        )

    def _find_mark(
        self, mark: Mark, known: Features, scene: Features, width: int, height: int
    ) -> list[Finding]:
        """Find one mark after another.

        What agrees on one place is taken away before the next is looked for.
        """
        here, there = self._matches(known, scene)
        found: list[Finding] = []
        while len(here) >= LEAST and len(found) < MARKS_MAX:
            # Typed by hand: OpenCV's stubs do not say that both are None when there is no answer.
            answer: tuple[Any, Any] = cv2.findHomography(here, there, cv2.RANSAC, TOLERANCE_PX)
            matrix, agree = answer
            if matrix is None or int(agree.sum()) < LEAST:
                break
            box = place(np.asarray(matrix, np.float64), mark, width, height)
            if box is not None:
                found.append(Finding(mark.label, score_of(int(agree.sum())), box))
            here, there = here[agree.ravel() == 0], there[agree.ravel() == 0]
        return found

    def _matches(self, known: Features, scene: Features) -> tuple[Points, Points]:
        """Return the matches that pass the ratio test: points on the mark, points in the scene.

        Each (n, 2).

        Matched from the photograph to the mark, so that a mark can be found more than once.
        """
        none = np.empty((0, 2), np.float32)
        if len(known.points) < 2 or not len(scene.points):
            return none, none
        pairs = self.matcher.knnMatch(scene.descriptors, known.descriptors, k=2)
        good = [first for first, second in pairs if first.distance < RATIO * second.distance]
        if not good:
            return none, none
        return known.points[[m.trainIdx for m in good]], scene.points[[m.queryIdx for m in good]]


def on_paper(image: Image.Image) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return a cut-out on white as grey (height, width), and the mask of its features.

    The mask is its opacity.
    """
    paper = Image.new("RGBA", image.size, (255, 255, 255, 255))
    paper.alpha_composite(image)
    return np.asarray(paper.convert("L")), np.asarray(image.getchannel("A"))


def score_of(agree: int) -> float:
    """The number of matches that agree, squeezed into 0..1 without changing any order.

    >>> [score_of(n) for n in (5, 8, 80)]
    [0.2, 0.2857142857142857, 0.8]
    """
    return agree / (agree + 20)


def place(matrix: NDArray[np.float64], mark: Mark, width: int, height: int) -> Box | None:
    """Return where a homography puts the mark, in pixels of the photograph.

    None for a place no flat print could have.
    """
    outline = mark.outline.astype(float)
    depth = outline @ matrix[2, :2] + matrix[2, 2]
    if depth.min() <= 1e-6 or np.linalg.det(matrix) <= 0:  # behind the camera, or mirrored
        return None
    mapped = (outline @ matrix[:2, :2].T + matrix[:2, 2]) / depth[:, None] / ENLARGED
    box = Box(*map(float, mapped.min(0)), *map(float, mapped.max(0))).clipped(width, height)
    sides = sorted((box.width, box.height))
    return box if sides[0] >= 4 and sides[1] <= 6 * sides[0] else None
