"""Choose the golden frames of a bundle: clear ones, look-alikes, and the nearest to the threshold.

What a golden frame must get is what the box's own code gives now, by the rules of the line. A frame
of which the model is wrong is none: what must not pass and passes shows in the counts, and never
becomes what must be given.
"""

import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from PIL import Image

from edge.bundles.frames import (
    AT_TRIGGER,
    LEAST_FRAMES,
    MOST_FRAMES,
    FrameKind,
    FrameSet,
    GoldenFrame,
)
from edge.decision import Finding, Verdict
from edge.errors import AnswerError, InputError
from edge.sight.inspector import Inspector
from edge.vision.preprocess import Frame
from export.sealing import BOX_GAP, ROOM, SCORE_GAP

KINDS: tuple[FrameKind, ...] = ("stamped", "unstamped", "look-alike")
Counts = Counter[tuple[FrameKind, str]]
"""How many candidates of each kind got which verdict."""
EACH = 4
"""Golden frames of each kind, border cases among them."""


@dataclass(frozen=True)
class Candidate:
    """A frame that may become a golden one: *shows* what, and *frame* gives its pixels.

    *photograph*: the name of its file, empty for a painted one.
    """

    shows: FrameKind
    frame: Callable[[], Frame]
    photograph: str = ""


@dataclass(frozen=True)
class Judged:
    """A candidate with its verdict, and how far its scores lie from where it would change."""

    candidate: Candidate
    verdict: Verdict
    room: float

    @property
    def is_right(self) -> bool:
        """Whether the verdict may be asked for: nothing passes that has no mark.

        A mark that is not found is a reject, which a border case may be.
        """
        return self.verdict.kind != "fault" and (
            self.candidate.shows == "stamped" or self.verdict.kind == "reject"
        )

    @property
    def is_able(self) -> bool:
        """Whether another processor, whose scores differ a little, gives the same verdict."""
        return self.is_right and self.room >= ROOM

    @property
    def is_clear(self) -> bool:
        """Whether the verdict is what the frame shows."""
        return self.is_right and (self.candidate.shows == "stamped") == (
            self.verdict.kind == "pass"
        )


@dataclass(frozen=True)
class Choice:
    """Golden frames, the content of each file, and the verdicts on all candidates."""

    golden: FrameSet
    files: dict[str, bytes]
    counts: Counts

    @property
    def words(self) -> str:
        """What verdicts the candidates got."""
        return "; ".join(lines_of(self.counts))


def lines_of(counts: Counts) -> Iterator[str]:
    """Yield in words what verdicts the candidates of each kind got."""
    for shows in KINDS:
        of = {verdict: n for (what, verdict), n in sorted(counts.items()) if what == shows}
        if of:
            yield f"{shows}: " + ", ".join(f"{n} {verdict}" for verdict, n in of.items())


def judge_all(inspector: Inspector, candidates: Iterable[Candidate]) -> Iterator[Judged]:
    """Judge each candidate as the box judges an item at its trigger."""
    scores = inspector.rules.scores
    for candidate in candidates:
        frame = candidate.frame()
        try:
            verdict = inspector.inspect(frame, AT_TRIGGER)
            found = [*verdict.findings, *([verdict.near] if verdict.near else [])]
        except AnswerError as error:
            verdict, found = Verdict("fault", str(error)), list[Finding]()
        bounds = {scores.least, scores.no_call}
        room = min((abs(f.score - b) for f in found for b in bounds), default=1.0)
        yield Judged(candidate, verdict, room)


def choose_frames(
    inspector: Inspector, candidates: Iterable[Candidate], besides: Iterable[Candidate] = ()
) -> Choice:
    """Choose among *candidates*, and take those *besides* that may be golden frames.

    The four nearest to the threshold that leave room enough for another processor, of either
    verdict, and four clear ones of each kind: marks with the greatest room, look-alikes with the
    least; where there are too few of a kind, others. Raises InputError when there are too few of
    all, or a photograph passes that must not.
    """
    judged, given = list(judge_all(inspector, candidates)), list(judge_all(inspector, besides))
    for one in (*judged, *given):
        _refuse_passed(one)
    counts: Counts = Counter((o.candidate.shows, str(o.verdict.kind)) for o in (*judged, *given))
    able = sorted((one for one in judged if one.is_able), key=lambda one: one.room)
    nearest = _nearest(able)
    rest = [one for one in able if one.is_clear and one not in nearest]
    chosen: list[tuple[FrameKind, Judged]] = [("border", one) for one in nearest]
    for shows in KINDS:
        alike = [one for one in rest if one.candidate.shows == shows]
        alike = alike[:EACH] if shows == "look-alike" else alike[-EACH:]
        chosen += [(shows, one) for one in alike]
        rest = [one for one in rest if one not in alike]
    missing = max(0, LEAST_FRAMES - len(chosen))
    chosen += [(one.candidate.shows, one) for one in (*rest[:missing], *given) if one.is_able]
    _check_enough(chosen, counts)
    return _choice(chosen[:MOST_FRAMES], counts)


def _nearest(able: list[Judged]) -> list[Judged]:
    """Return the border cases of *able*, nearest first: half of each verdict, as far as can be."""
    halves = [
        one
        for verdict in ("pass", "reject")
        for one in [each for each in able if each.verdict.kind == verdict][: EACH // 2]
    ]
    return (halves + [one for one in able if one not in halves])[:EACH]


def _refuse_passed(one: Judged) -> None:
    """Refuse a photograph that passes and must not: nothing could be more wrong. Raises InputError.

    Painted frames that do are counted: the trial at the end of a training measures how often.
    """
    name = one.candidate.photograph
    if name and one.candidate.shows != "stamped" and one.verdict.kind == "pass":
        raise InputError(
            f"--frames {name}: it passes, and is said to be {one.candidate.shows}; the model must "
            "not be used as it is, or the picture lies in the wrong folder"
        )


def _check_enough(chosen: list[tuple[FrameKind, Judged]], counts: Counts) -> None:
    """Check that there are golden frames enough, and of both verdicts. Raises InputError."""
    verdicts = {one.verdict.kind for _, one in chosen}
    if len(chosen) >= LEAST_FRAMES and verdicts == {"pass", "reject"}:
        return
    told = "; ".join(lines_of(counts)) or "there is no frame"
    raise InputError(
        f"there must be {LEAST_FRAMES} golden frames, some that pass and some that are rejected, "
        f"each with its scores {ROOM:g} or more from the threshold, and {len(chosen)} are fit "
        f"({told}); give more pictures with --frames, or look at the rules of --settings"
    )


def _choice(chosen: list[tuple[FrameKind, Judged]], counts: Counts) -> Choice:
    """Write the chosen frames as PNG files, which must have one size. Raises InputError."""
    files, frames, sizes = dict[str, bytes](), list[GoldenFrame](), Counter[tuple[int, int]]()
    for number, (shows, one) in enumerate(chosen):
        pixels = one.candidate.frame()
        sizes[pixels.shape[1], pixels.shape[0]] += 1
        name = f"frames/{number:02}-{shows}.png"
        files[name] = png_of(pixels)
        frames.append(GoldenFrame.from_verdict(name, shows, one.verdict))
    if len(sizes) > 1:
        told = ", ".join(f"{n} of {w} x {h}" for (w, h), n in sizes.items())
        raise InputError(
            f"golden frames must all have the size of the camera's picture, and there are {told}; "
            "take pictures with 'stampgate-edge snapshot', and name the box's --settings"
        )
    [size] = sizes
    gap = BOX_GAP * max(1.0, max(size) / 640)
    return Choice(FrameSet(SCORE_GAP, gap, size, tuple(frames)), files, counts)


def png_of(frame: Frame) -> bytes:
    """Return a frame, (height, width, 3) uint8, RGB, as a PNG file."""
    file = io.BytesIO()
    Image.fromarray(frame).save(file, "PNG", compress_level=6)
    return file.getvalue()
