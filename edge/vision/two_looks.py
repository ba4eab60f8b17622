"""Inference on one frame: a first look at the whole, then a second look at each likely mark.

::

    frame → prepare → network → likely marks → zoom on each → network → findings

In the whole frame a mark may be thirty pixels wide, and much that is printed looks like it. The
second look shows the same network each likely mark cut out of the camera's own pixels and enlarged
or shrunk to one size, the size at which it tells best. Such coarse-to-fine detection, with one
detector for both steps, is e.g. Gao et al., *Dynamic Zoom-in Network* (2018). Its gain here is
measured in ``docs/decisions/0005-second-look.md``.

The network is given as a function, so that training, its threshold and the box find marks by the
same code.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from edge.decision import Finding
from edge.vision.answers import Floats, Hit, check_scores
from edge.vision.contract import STRIDE, TwoLookPlan
from edge.vision.preprocess import Frame, Letterbox, prepare, zoom

DUPLICATE_IOU = 0.5
"""IoU threshold of non-maximum suppression: boxes of one class that overlap more are one mark."""
MAX_CANDIDATES = 100
"""Most peaks read per picture; a busy picture has a handful, noise may have thousands."""
MAX_SECOND = 16
"""Most second looks in one frame, at the best scores, so that no picture takes for ever."""
NEAR_FROM, MAX_NEAR = 0.001, 16
"""Least score of a near miss, and most peaks among which one is looked for."""
CENTRE_CELLS = 2
"""Greatest distance, in cells, of the mark's centre from the middle of a second look; the first
look has said where it is."""
SURE = 1e-6
"""Scores are kept this far from 0 and 1 before their logits are taken."""

Network = Callable[[NDArray[np.uint8]], tuple[Floats, Floats]]
"""A network as a function, of onnxruntime or of torch.

It takes pictures, (n, height, width, 3) uint8 RGB, and returns heat, (n, classes, rows, columns) in
0..1, and sides, (n, 4, rows, columns): left, top, right, bottom in strides from the cell's centre.
"""


def find(
    network: Network,
    frame: Frame,
    plan: TwoLookPlan,
    least: float,
    strict_from: float | None = None,
    *,
    near: bool = False,
) -> tuple[Finding, ...]:
    """Find the marks in a frame, best score first, with boxes in the frame's own pixels.

    *frame*: (height, width, 3) uint8, RGB, of any size; *least*: least score, 0..1; *strict_from*:
    the score from which a finding counts on the box: a hit that would count, or would get a second
    look, must be one that can be (:mod:`edge.vision.answers`), else AnswerError is raised. Hits of
    lower scores that cannot be are left out, and all of them where it is None, in training.
    AnswerError is raised for a score that is none in any case. *near*: whether the best of each
    class below *least* is there, too, last: without a second look by the first look's own score.
    """
    picture, fit = prepare(frame, plan.width, plan.height)
    heat, sides = network(picture[None])
    check_scores(heat, "first")
    first_least = plan.second_from if plan.second_side else least
    first_strict = plan.second_from if plan.second_side and strict_from is not None else strict_from
    hits, weak_hits = _split(
        _peaks(heat[0], sides[0], min(first_least, NEAR_FROM) if near else first_least, fit),
        first_least,
    )
    found = non_maximum_suppression(_possible(hits, plan, first_strict))
    if plan.second_side and found:
        again = look_again(network, frame, plan, found[:MAX_SECOND], strict_from)
        found = non_maximum_suppression(sorted(again, key=lambda f: -f.score))
    enough = [f for f in found if f.score >= least]
    if not near:
        return tuple(enough)
    weak = _possible(weak_hits, plan, None)
    return (*enough, *_best_of_each([*found[len(enough) :], *weak], enough))


def _split(
    peaks: Iterable[tuple[int, Hit]], least: float
) -> tuple[list[tuple[int, Hit]], list[tuple[int, Hit]]]:
    """Return the peaks from *least* on, and the best few of the others; both best first."""
    strong, weak = list[tuple[int, Hit]](), list[tuple[int, Hit]]()
    for kind, hit in peaks:
        if hit.score < least and len(weak) == MAX_NEAR:
            break
        (strong if hit.score >= least else weak).append((kind, hit))
    return strong, weak


def _best_of_each(weak: Iterable[Finding], found: Sequence[Finding]) -> list[Finding]:
    """Return the first of each class of *weak* that is none of *found* once more, best first."""
    best: dict[str, Finding] = {}
    for finding in weak:
        again = (f for f in found if f.label == finding.label)
        if finding.label not in best and all(
            finding.box.iou(f.box) <= DUPLICATE_IOU for f in again
        ):
            best[finding.label] = finding
    return sorted(best.values(), key=lambda f: -f.score)


def _possible(
    hits: Iterable[tuple[int, Hit]], plan: TwoLookPlan, strict_from: float | None
) -> Iterator[Finding]:
    """Yield the hits of a first look that can be marks, as findings in the frame's pixels.

    *strict_from*: as of :func:`find`.
    """
    for kind, hit in hits:
        strict = strict_from is not None and hit.score >= strict_from
        if hit.can_be(plan.width, plan.height, strict=strict):
            yield Finding(plan.classes[kind], hit.score, hit.fit.to_camera(hit.box))


def look_again(
    network: Network,
    frame: Frame,
    plan: TwoLookPlan,
    likely: Sequence[Finding],
    strict_from: float | None = None,
) -> list[Finding]:
    """Give each likely mark a second look: a new box, and the score of both looks together.

    A mark whose second look gives no box that can be is left out, or AnswerError is raised: see
    *strict_from* of :func:`find`.
    """
    side = plan.second_side
    views = [zoom(frame, mark.box, side, plan.second_px, plan.second_offset) for mark in likely]
    heat, sides = network(np.stack([picture for picture, _ in views]))
    check_scores(heat, "second")
    found = []
    for i, mark in enumerate(likely):
        kind = plan.classes.index(mark.label)
        hit = _centre(heat[i, kind], sides[i], views[i][1], plan.second_offset)
        score = combine_scores(mark.score, hit.score, plan.second_weight)
        strict = strict_from is not None and score >= strict_from
        if hit.can_be(side, side, strict=strict):
            found.append(Finding(mark.label, score, hit.fit.to_camera(hit.box)))
    return found


def _centre(heat: Floats, sides: Floats, fit: Letterbox, offset: int) -> Hit:
    """Return the best hit of one class near where a second look has the likely mark's centre.

    *heat*: (rows, columns) of the class; *sides*: (4, rows, columns); *offset*: that place's, right
    of and below the middle, in network pixels.
    """
    rows, columns = (_near(count, offset) for count in heat.shape)
    near = heat[rows, columns]
    row, column = np.unravel_index(int(near.argmax()), near.shape)
    return _hit("second", heat, sides, int(row) + rows.start, int(column) + columns.start, fit)


def _near(count: int, offset: int) -> slice:
    """Return the cells of one axis at most :data:`CENTRE_CELLS` from the likely mark's centre.

    The centre lies on the border of two of the *count* cells, or, by the *offset*, in one.

    >>> _near(14, 0), _near(14, 4)
    (slice(5, 9, None), slice(5, 10, None))
    """
    middle = count / 2 + offset / STRIDE
    first, end = math.floor(middle - CENTRE_CELLS), math.ceil(middle + CENTRE_CELLS)
    return slice(max(0, first), min(count, end))


def combine_scores(first: float, second: float, weight: float) -> float:
    """Combine the scores of two looks, 0..1: the mean of their logits, the second times *weight*.

    >>> round(combine_scores(0.5, 0.9, 1.0), 3)
    0.75
    """
    first_logit, second_logit = (
        np.log(p) - np.log1p(-p) for p in np.clip((first, second), SURE, 1 - SURE)
    )
    return float(1 / (1 + np.exp(-(first_logit + weight * second_logit) / (1 + weight))))


def decode(heat: Floats, sides: Floats, classes: Sequence[str], min_score: float) -> list[Finding]:
    """Decode the dense output for one picture into findings, best first, in network pixels.

    *heat*: (classes, rows, columns), 0..1; *sides*: (4, rows, columns), left, top, right, bottom in
    strides from the cell's centre. Boxes that still overlap are thinned by
    :func:`non_maximum_suppression`; those that are no numbers are left out.
    """
    rows, columns = heat.shape[1:]
    whole = Letterbox(1.0, 1.0, 0.0, 0.0, columns * STRIDE, rows * STRIDE)
    return non_maximum_suppression(
        Finding(classes[kind], hit.score, hit.box)
        for kind, hit in _peaks(heat, sides, min_score, whole)
        if np.isfinite(hit.sides).all()
    )


def _peaks(
    heat: Floats, sides: Floats, min_score: float, fit: Letterbox
) -> Iterator[tuple[int, Hit]]:
    """Yield the class and the hit of each peak of a first look, best first.

    A cell is a peak when no neighbour of its class scores higher: Zhou et al., Objects as Points
    (2019), section 3.1.
    """
    kinds, rows, columns = np.nonzero((heat >= min_score) & (heat >= _neighbourhood_maximum(heat)))
    scores = heat[kinds, rows, columns]
    for i in np.argsort(-scores, kind="stable")[:MAX_CANDIDATES]:
        kind, row, column = int(kinds[i]), int(rows[i]), int(columns[i])
        yield kind, _hit("first", heat[kind], sides, row, column, fit)


def _hit(look: str, heat: Floats, sides: Floats, row: int, column: int, fit: Letterbox) -> Hit:
    left, top, right, bottom = (float(side) for side in sides[:, row, column])
    return Hit(look, float(heat[row, column]), row, column, (left, top, right, bottom), fit)


def non_maximum_suppression(
    findings: Iterable[Finding], most: float = DUPLICATE_IOU
) -> list[Finding]:
    """Non-maximum suppression, greedy and by class; *findings* must come best first.

    A finding is left out when it overlaps a better one of its class by more than the IoU *most*.
    """
    kept: list[Finding] = []
    for finding in findings:
        rivals = (other for other in kept if other.label == finding.label)
        if all(other.box.iou(finding.box) <= most for other in rivals):
            kept.append(finding)
    return kept


def _neighbourhood_maximum(heat: Floats) -> Floats:
    """Max-pool *heat* over the 3 x 3 cells around each cell; same shape as *heat*."""
    _, rows, columns = heat.shape
    padded = np.pad(heat, ((0, 0), (1, 1), (1, 1)), constant_values=-1.0)
    windows = [padded[:, y : y + rows, x : x + columns] for y in range(3) for x in range(3)]
    return np.asarray(np.maximum.reduce(windows), np.float32)
