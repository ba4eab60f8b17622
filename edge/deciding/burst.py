"""Several frames of one item, of which so many must pass.

Frames are not items: they show one mark under one light, and fail together more often than apart.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

from edge.deciding.codes import FORBIDDEN, UNSURE
from edge.decision import Verdict


def combine(
    verdicts: Sequence[Verdict], needed: int, forbidden: Collection[str] = ()
) -> tuple[Verdict, int]:
    """Return the verdict on an item by those on its frames, and which frame shows it best.

    *verdicts*: one a frame, in their order; *needed*: how many must pass. A frame in doubt makes
    the item a FAULT; one that shows, or may show, a *forbidden* class rejects it.

    >>> good, bad = Verdict("pass", "seal found"), Verdict("reject", "no seal found")
    >>> combine([bad, good, good], 2)[0].reason, combine([bad, good], 2)[0].reason
    ('seal found, in 2 of 3 frames', 'no seal found, in 1 of 2 frames; 2 must pass')
    """
    if len(verdicts) == 1:
        return verdicts[0], 0
    for index, verdict in enumerate(verdicts):
        doubtful = verdict.near if verdict.code == UNSURE else None
        banned = doubtful is not None and doubtful.label in forbidden
        if verdict.kind == "fault" or verdict.code == FORBIDDEN or banned:
            return verdict, index
    passing = [index for index, verdict in enumerate(verdicts) if verdict.kind == "pass"]
    others = [index for index in range(len(verdicts)) if index not in passing]
    many = f"of {len(verdicts)} frames"
    if len(passing) >= needed:
        best = verdicts[passing[0]]
        return replace(best, reason=f"{best.reason}, in {len(passing)} {many}"), passing[0]
    unsure = [index for index in others if verdicts[index].code == UNSURE]
    shown = (unsure if len(passing) + len(unsure) >= needed else others)[0]
    worst = verdicts[shown]
    words = f"{worst.reason}, in {len(others)} {many}; {needed} must pass"
    return replace(worst, reason=words), shown
