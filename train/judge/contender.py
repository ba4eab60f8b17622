"""A model under evaluation: its name, classes and threshold, and what finds its marks."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from edge.decision import Finding
from edge.vision.localizer import Localizer
from edge.vision.preprocess import Frame


class Detector(Protocol):
    """Finds marks in a picture: the box's localizer, or another method measured beside it."""

    def find(self, frame: Frame, min_score: float) -> tuple[Finding, ...]:
        """Return the findings of at least *min_score*, best first, in the pixels of *frame*.

        *frame*: (height, width, 3) uint8 RGB.
        """
        ...


@dataclass(frozen=True)
class Contender:
    """A model that is measured.

    *name*: its path; *classes*: what it finds; *threshold*: least score that counts, 0..1.
    """

    name: str
    classes: tuple[str, ...]
    threshold: float
    detector: Detector


def open_model(path: Path, threads: int = 1) -> Contender:
    """Open a model file; *threads*: cores to use. Raises ModelError."""
    localizer = Localizer(path, threads)
    contract = localizer.contract
    return Contender(str(path), contract.classes, contract.threshold, localizer)
