"""Marks that are not the item's: seen at one place without an item, or on item after item.

A stamp on the guide rail or a label on the lens would let every item pass. It is seen while *no*
item is there; a mark that stands at one place on every item may be just that, or a good line.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from edge.deciding.codes import FIXED_MARK
from edge.decision import Box, Finding

SAME_PLACE, EXACT_PLACE = 0.4, 0.8
"""IoU from which two boxes are at the same place: loosely for what must not count, exactly for what
is only told."""
IDLE_LOOKS = 3
"""Idle looks that must show a mark at one place before it is a fixed one."""
CLEAR_LOOKS = 2
"""Idle looks that must not show it any more before it is none."""
ITEMS_RUNNING = 50
"""Items running with a mark at exactly one place after which that is told."""
MOST = 16
"""Most places that are remembered."""


@dataclass(frozen=True)
class _Seen:
    mark: Finding
    looks: int = 1
    clear: int = 0
    fixed: bool = False


class FixedMarks:
    """The marks that were seen at one place while no item was there.

    Synchronization: one thread.
    """

    def __init__(self) -> None:
        self._seen: list[_Seen] = []

    def note_idle(self, findings: Iterable[Finding]) -> list[tuple[Finding, bool]]:
        """Take note of what was found without an item.

        Returns the marks that are fixed since now, with True, or are no more, with False.
        """
        fresh, changed, kept = list(findings), list[tuple[Finding, bool]](), list[_Seen]()
        for seen in self._seen:
            again = next((f for f in fresh if at_same_place(f, seen.mark)), None)
            if again is not None:
                fresh.remove(again)
                looks = seen.looks + 1
                fixed = seen.fixed or looks >= IDLE_LOOKS
                if fixed and not seen.fixed:
                    changed.append((again, True))
                kept.append(_Seen(again, looks, 0, fixed))
            elif seen.fixed and seen.clear + 1 < CLEAR_LOOKS:
                kept.append(replace(seen, clear=seen.clear + 1))
            elif seen.fixed:
                changed.append((seen.mark, False))
        self._seen = [*kept, *map(_Seen, fresh)][:MOST]
        return changed

    def forget(self) -> None:
        """Forget all places."""
        self._seen = []

    @property
    def marks(self) -> tuple[Finding, ...]:
        """The fixed marks."""
        return tuple(seen.mark for seen in self._seen if seen.fixed)

    def describe(self, *, counted: bool) -> str:
        """Return the trouble in words, empty when there is none; *counted*: they still count."""
        if not self.marks:
            return ""
        places = "; ".join(f"{mark.label} at [{corners(mark.box)}]" for mark in self.marks)
        effect = "it still counts there" if counted else "it does not count there"
        return (
            f"a mark is seen while no item is there: {places}; {effect}: take it off rail or lens, "
            "or clear the belt before the camera"
        )


def is_fixed(finding: Finding, fixed: Sequence[Finding]) -> tuple[str, str] | None:
    """Return code and words when a mark is where one was seen without an item, else None."""
    if any(at_same_place(finding, mark) for mark in fixed):
        return FIXED_MARK, "is where one is seen without an item"
    return None


class StandingMarks:
    """Counts items running that show a mark at exactly one place, to tell of it once.

    Synchronization: one thread.
    """

    def __init__(self, running: int = ITEMS_RUNNING) -> None:
        """*running*: items after which it is told."""
        self._running = running
        self._runs: list[tuple[Finding, int]] = []
        self.words = ""
        """What is to be told now; empty while there is nothing."""

    def note_item(self, findings: Sequence[Finding]) -> None:
        """Take note of the marks on an item, best first."""
        runs = [
            (mark, number + 1)
            for mark, number in self._runs
            if any(at_same_place(mark, found, EXACT_PLACE) for found in findings)
        ]
        new = [f for f in findings if not any(at_same_place(m, f, EXACT_PLACE) for m, _ in runs)]
        self._runs = [*runs, *((finding, 1) for finding in new)][:MOST]
        long = [mark for mark, number in self._runs if number >= self._running]
        self.words = describe_standing(long, f"the last {self._running} items")


def standing_marks(pictures: Sequence[Sequence[Finding]]) -> tuple[Finding, ...]:
    """Return the marks that stand at exactly one place in all of some pictures."""
    first, *others = pictures
    return tuple(
        mark
        for mark in first
        if all(any(at_same_place(mark, f, EXACT_PLACE) for f in found) for found in others)
    )


def describe_standing(marks: Sequence[Finding], which: str) -> str:
    """Return in words that *marks* stand still on *which* items or pictures; empty for none."""
    if not marks:
        return ""
    places = "; ".join(f"{mark.label} at [{corners(mark.box)}]" for mark in marks)
    return (
        f"a mark stands at the same place on {which}: {places}; so it is on many good lines, but "
        "look whether it is on the item: on a rail or the lens it would let everything pass"
    )


def at_same_place(one: Finding, other: Finding, iou: float = SAME_PLACE) -> bool:
    """Tell whether two findings are of one class at one place, by the *iou* of their boxes."""
    return one.label == other.label and one.box.iou(other.box) >= iou


def corners(box: Box) -> str:
    """Return a box's corners in whole pixels, for a message."""
    return " ".join(f"{corner:.0f}" for corner in box.corners())
