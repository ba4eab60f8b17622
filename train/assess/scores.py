"""Scores of a trial: of marks, of look-alikes, and of photographs without a mark."""

from dataclasses import dataclass

from edge.decision import Box
from edge.vision.preprocess import Frame
from train.paint.placing import Conditions


@dataclass(frozen=True)
class Scored:
    """A photograph without a mark: its path, its best score of any class, 0..1, and where.

    *box*: in the photograph's own pixels, None when nothing was found; *label*: that class, empty
    when nothing was found; *trained*: whether training pictures were painted on it.
    """

    path: str
    score: float
    box: Box | None = None
    label: str = ""
    trained: bool = False


@dataclass(frozen=True)
class MarkScore:
    """A painted mark of the trial: its class, its score, and how it is shown.

    *mistaken_for*: the class of the best finding of another class on it, empty when there is none;
    *mistaken_score*: its score.
    """

    label: str
    score: float
    conditions: Conditions
    mistaken_for: str = ""
    mistaken_score: float = 0.0


@dataclass(frozen=True)
class PlainScore:
    """The score of a mark pasted plainly: upright, whole, sharp and in even light.

    *ground*: plain or textured; *size*: its longer side as a share of the frame's.
    """

    label: str
    ground: str
    size: float
    score: float


@dataclass(frozen=True)
class WorstPicture:
    """A picture of the trial on which the network did badly.

    *frame*: (height, width, 3) uint8 RGB; *box*: of the mark, None on a picture without; *label*,
    *score*: of the mark, or of the best finding; *found*: where that is, None when nowhere.
    """

    frame: Frame
    label: str
    score: float
    box: Box | None
    found: Box | None


@dataclass(frozen=True)
class Scores:
    """The bare scores of a trial, each 0..1, as a checkpoint keeps them.

    *nominal*: of those of *marks* that are shown under nominal conditions; earlier releases have
    none.
    """

    marks: tuple[float, ...]
    real_marks: tuple[float, ...]
    lookalikes: tuple[float, ...]
    photographs: tuple[float, ...]
    nominal: tuple[float, ...] = ()


@dataclass(frozen=True)
class Trial:
    """The scores of a trial, each 0..1.

    *marks*: of each held-out painted mark that counts, the best finding that overlaps it, 0 when
    there is none; *real_marks*: the same for held-out labelled photographs, where there are any;
    *lookalikes*: the best of each frame that holds look-alikes and no mark; *photographs*: the
    user's own photographs without a mark; where there are none, painted frames stand for them.
    *details*: how each of *marks* was shown; *plain*: marks pasted plainly; *taken_for*: the class
    of each of *lookalikes*; *worst*: marks with the least scores, then frames without one with the
    greatest.
    """

    marks: tuple[float, ...]
    real_marks: tuple[float, ...]
    lookalikes: tuple[float, ...]
    photographs: tuple[Scored, ...]
    details: tuple[MarkScore, ...] = ()
    plain: tuple[PlainScore, ...] = ()
    taken_for: tuple[str, ...] = ()
    worst: tuple[WorstPicture, ...] = ()
