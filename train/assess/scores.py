"""Scores of a trial: of marks, of look-alikes, and of photographs without a mark."""

from dataclasses import dataclass

from edge.decision import Box


@dataclass(frozen=True)
class Scored:
    """A photograph without a mark: its path, its best score of any class, 0..1, and where.

    *box*: in the photograph's own pixels, None when nothing was found.
    """

    path: str
    score: float
    box: Box | None = None


@dataclass(frozen=True)
class Trial:
    """The scores of a trial, each 0..1.

    *marks*: of each held-out painted mark that counts, the best finding that overlaps it, 0 when
    there is none; *real_marks*: the same for held-out labelled photographs, where there are any;
    *lookalikes*: the best of each frame that holds look-alikes and no mark; *photographs*: the
    user's own photographs without a mark; where there are none, painted frames stand for them.
    """

    marks: tuple[float, ...]
    real_marks: tuple[float, ...]
    lookalikes: tuple[float, ...]
    photographs: tuple[Scored, ...]
