"""What one judged item teaches: the boxes of its picture, or that somebody must draw them.

A reviewer says what the item is, not where its mark lies. The box is the one that the model found
or nearly found; where there is none, the picture is put aside to be labelled by hand, for a stamped
picture without its box would teach that the mark is background.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from edge.deciding.classes import Classes
from edge.decision import Box

Kind = Literal["stamped", "unstamped", "to label"]
NEAR_LEAST = 0.2
"""Share of the score that counts from which a near miss is taken for the mark of a good item."""


@dataclass(frozen=True)
class Basis:
    """By what an item was judged.

    *classes*: of the model; *required*: of them, all; *any_of*: of them, one; *score*: the least.
    """

    classes: tuple[str, ...]
    required: frozenset[str]
    score: float
    any_of: frozenset[str] = frozenset()

    @property
    def asked(self) -> frozenset[str]:
        """The classes that decide."""
        return self.required | self.any_of

    def missing(self, found: Collection[str]) -> frozenset[str]:
        """Return the classes that are lacking, of *any_of* all where none was found."""
        return Classes(self.required, self.any_of).missing(found)


@dataclass(frozen=True)
class HarvestedBox:
    """A box in the pixels of an item's picture. *ignored*: it is neither a mark nor background."""

    label: str
    box: Box
    ignored: bool = False


@dataclass(frozen=True)
class Lesson:
    """What a picture teaches. *why*: of one that must be labelled by hand, else empty."""

    kind: Kind
    boxes: tuple[HarvestedBox, ...] = ()
    why: str = ""


def lesson_of(record: Mapping[str, Any], basis: Basis, *, good: bool) -> Lesson:
    """Return what the *record* of an item teaches, which a person found *good*, or bad.

    Of a good item each required class needs a box: a finding, else the near miss, if that has at
    least :data:`NEAR_LEAST` of the score that counts. Of a bad item that passed the findings were
    wrong; of one that was rejected those that count were perhaps marks in a wrong place or of a
    wrong size, so they are ignored. Classes that are not required were not judged: they are ignored
    too.
    """
    found = list(_boxes(record.get("findings", ()), basis.classes))
    others = tuple(
        HarvestedBox(label, box, ignored=True)
        for label, _, box in found
        if label not in basis.asked
    )
    wanted = [(label, box) for label, _, box in found if label in basis.asked]
    if good:
        return _good(record, basis, wanted, others)
    if record.get("verdict") != "pass":
        marks = tuple(HarvestedBox(label, box, ignored=True) for label, box in wanted)
        return Lesson("unstamped", marks + others)
    if len(basis.required) + bool(basis.any_of) > 1:
        return Lesson("to label", (), "which of its classes is missing was not said")
    return Lesson("unstamped", others)


def _good(
    record: Mapping[str, Any],
    basis: Basis,
    wanted: list[tuple[str, Box]],
    others: tuple[HarvestedBox, ...],
) -> Lesson:
    missing = basis.missing([label for label, _ in wanted])
    near = record.get("near_miss")
    for label, score, box in _boxes([near] if near else (), basis.classes):
        if label in missing and score >= NEAR_LEAST * basis.score:
            wanted.append((label, box))
    if missing := basis.missing([label for label, _ in wanted]):
        names = ", ".join(sorted(missing))
        return Lesson("to label", (), f"no box of {names}")
    return Lesson("stamped", tuple(HarvestedBox(*one) for one in wanted) + others)


def _boxes(
    findings: Collection[Mapping[str, Any]], classes: Collection[str]
) -> Iterator[tuple[str, float, Box]]:
    """Yield label, score and box of the *findings* of a record whose class is known."""
    for finding in findings:
        if finding["label"] in classes:
            yield finding["label"], finding["score"], Box(*finding["box"])
