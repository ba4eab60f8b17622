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
CLOSE = 0.03
"""How far around a print its ground counts, as a share of the mark's longer side."""
MARKS_MAX = 8
"""Most marks looked for in one picture."""

Points = NDArray[np.float32]


@dataclass(frozen=True)
class Features:
    """Key points (n, 2), x and y in pixels, and their descriptors (n, 128)."""

    points: Points
    descriptors: Points


@dataclass(frozen=True)
class Place:
    """A place in a photograph that features of a mark agree on.

    *agree*: how many; *box*: in pixels of the photograph; *matrix*: (3, 3) homography from pixels
    of the mark to those of the photograph.
    """

    mark: Mark
    agree: int
    box: Box
    matrix: NDArray[np.float64]


class Sift:
    """Find marks by their features. Synchronization: one thread per instance."""

    def __init__(self, marks: Sequence[Mark]) -> None:
        """Look for *marks*."""
        self.sift = cv2.SIFT.create()
        self.matcher = cv2.BFMatcher(cv2.NORM_L2)
        self.marks = [(mark, self.features(*on_paper(mark))) for mark in marks]

    def find(self, frame: Frame, min_score: float = 0.0) -> tuple[Finding, ...]:
        """Return the findings in *frame*, best first, in its own pixels.

        *frame*: (height, width, 3) uint8 RGB. Scores are those of :func:`score_of`.
        """
        found = [
            Finding(one.mark.label, score_of(one.agree), one.box)
            for one in self.places(frame, ENLARGED)
        ]
        return tuple(sorted((f for f in found if f.score >= min_score), key=lambda f: -f.score))

    def places(self, frame: Frame, scale: float, least: int = LEAST) -> list[Place]:
        """Return where at least *least* features agree on a mark, in no order.

        *frame*: (height, width, 3) uint8 RGB, which is enlarged *scale* times first.
        """
        height, width = frame.shape[:2]
        size = (round(width * scale), round(height * scale))
        grey = cv2.cvtColor(
            cv2.resize(frame, size, interpolation=cv2.INTER_CUBIC), cv2.COLOR_RGB2GRAY
        )
        scene = self.features(np.asarray(grey, np.uint8), None)
        scene = Features(scene.points / np.float32(scale), scene.descriptors)
        found: list[Place] = []
        for mark, known in self.marks:
            # What agrees on one place is taken away before the next is looked for.
            here, there = self._matches(known, scene)
            for _ in range(MARKS_MAX):
                if len(here) < least:
                    break
                agree, matrix = agreeing(here, there, TOLERANCE_PX / scale)
                if matrix is None or agree.sum() < least:
                    break
                box = box_of(matrix, mark, width, height)
                if box is not None:
                    found.append(Place(mark, int(agree.sum()), box, matrix))
                here, there = here[~agree], there[~agree]
        return found

    def features(self, grey: NDArray[np.uint8], mask: NDArray[np.uint8] | None) -> Features:
        """Features of a grey (height, width) picture, where *mask* is not 0."""
        points, descriptors = self.sift.detectAndCompute(grey, mask)
        if not points:
            return Features(np.empty((0, 2), np.float32), np.empty((0, 128), np.float32))
        return Features(
            np.array([p.pt for p in points], np.float32), np.asarray(descriptors, np.float32)
        )

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


def on_paper(mark: Mark) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return a mark on white as grey (height, width), a light print on black, and its mask.

    The mask is where it has features: its opacity, and of a print without a ground of its own the
    paper close to it too, for the shape of its strokes is seen from both sides.
    """
    image, making = mark.image, mark.making
    ground = (0, 0, 0, 255) if making.light else (255, 255, 255, 255)
    paper = Image.new("RGBA", image.size, ground)
    paper.alpha_composite(image)
    opacity = np.asarray(image.getchannel("A"), np.uint8)
    if not making.own_ground:
        near = max(3, round(CLOSE * max(image.size)))
        opacity = np.asarray(cv2.dilate(opacity, np.ones((near, near), np.uint8)), np.uint8)
    return np.asarray(paper.convert("L"), np.uint8), opacity


def agreeing(
    here: Points, there: Points, tolerance: float
) -> tuple[NDArray[np.bool_], NDArray[np.float64] | None]:
    """Return which matches agree with one homography, (n,) bool, and that, (3, 3).

    *here*, *there*: (n, 2), points on the mark and in the scene; *tolerance*: in pixels of the
    scene. It is None where there is none.
    """
    if len(here) < LEAST:
        return np.zeros(len(here), np.bool_), None
    # Typed by hand: OpenCV's stubs do not say that both are None when there is no answer.
    answer: tuple[Any, Any] = cv2.findHomography(here, there, cv2.RANSAC, tolerance)
    matrix, agree = answer
    if matrix is None:
        return np.zeros(len(here), np.bool_), None
    return agree.ravel() != 0, np.asarray(matrix, np.float64)


def score_of(agree: int) -> float:
    """The number of matches that agree, squeezed into 0..1 without changing any order.

    >>> [score_of(n) for n in (5, 8, 80)]
    [0.2, 0.2857142857142857, 0.8]
    """
    return agree / (agree + 20)


def box_of(matrix: NDArray[np.float64], mark: Mark, width: int, height: int) -> Box | None:
    """Return where a homography puts the mark, in pixels of the photograph.

    None for a place no flat print could have.
    """
    outline = mark.outline.astype(float)
    depth = outline @ matrix[2, :2] + matrix[2, 2]
    if depth.min() <= 1e-6 or np.linalg.det(matrix) <= 0:  # behind the camera, or mirrored
        return None
    mapped = (outline @ matrix[:2, :2].T + matrix[:2, 2]) / depth[:, None]
    box = Box(*map(float, mapped.min(0)), *map(float, mapped.max(0))).clipped(width, height)
    sides = sorted((box.width, box.height))
    return box if sides[0] >= 4 and sides[1] <= 6 * sides[0] else None
