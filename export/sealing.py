"""Seal a model: put contract, golden pictures and the sum over the whole file into its metadata.

Every ONNX file of ours goes through :func:`seal`, whatever made or changed it: the box refuses one
that did not (:mod:`edge.vision.model_file`). Only onnx and the box's own code are needed, no torch.
"""

import dataclasses
import io
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import onnx
from PIL import Image

from edge.decision import Box, Finding
from edge.errors import ModelError
from edge.vision.contract import METADATA_KEY, Contract
from edge.vision.golden import GOLDEN_KEY, GoldenPicture, GoldenSet, decision_on
from edge.vision.localizer import Localizer
from edge.vision.model_file import BLANK, SUM_KEY, find_sum, sum_of
from edge.vision.preprocess import FILL, Frame

GOLDEN_SIDE = 256
"""Longest side of a golden picture, in pixels: about 40 kB each."""
SCORE_GAP, BOX_GAP = 0.02, 2.0
"""Tolerances. Processors and runtimes differ by a thousandth of them (:mod:`export.parity`)."""
ROOM = 0.05
"""Least distance of a golden picture's best score from the threshold, where there is one."""
COMPARED_FROM = 0.5
"""Findings from this share of the threshold on are compared too, so that near misses tell more."""
MOST_FINDINGS = 32
"""A picture with more findings than that, as of a network that has learnt little, is not taken."""


def seal(
    model: onnx.ModelProto,
    contract: Contract,
    pictures: Mapping[str, Frame],
    others: Mapping[str, str] | None = None,
) -> bytes:
    """Return the content of the sealed file of *model*, whose metadata are changed.

    *pictures*: candidates for golden pictures by name, with the mark and without, of any size, RGB;
    what must be answered is what the model answers now, so it must have been proven before;
    *others*: texts about the model, by key, which change nothing of what it decides. Raises
    ModelError when it cannot be sealed, e.g. because there is no picture that it rejects.
    """
    content = _with_texts(model, {METADATA_KEY: contract.to_json()})
    localizer = Localizer.unproven(Path("the model"), content, contract)
    golden = choose_golden(localizer, pictures)
    return seal_texts(model, contract.to_json(), golden.to_json(), others)


def seal_texts(
    model: onnx.ModelProto, contract: str, golden: str, others: Mapping[str, str] | None = None
) -> bytes:
    """Seal *model*, whose metadata are changed, with these texts; an empty one is left out.

    *others*: as of :func:`seal`. Raises ModelError for a model that keeps data outside the file.
    """
    texts = {METADATA_KEY: contract, GOLDEN_KEY: golden, **(others or {})}
    texts[SUM_KEY] = BLANK.decode()
    content = _with_texts(model, {key: text for key, text in texts.items() if text})
    try:
        begin, end = find_sum(content)
    except ValueError as error:
        raise ModelError(f"the model cannot be sealed: {error}") from None
    return content[:begin] + sum_of(content, begin, end).encode() + content[end:]


def _with_texts(model: onnx.ModelProto, texts: Mapping[str, str]) -> bytes:
    """Serialize *model* with *texts* as all of its metadata."""
    del model.metadata_props[:]
    for key, text in texts.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, text
    return bytes(model.SerializeToString(deterministic=True))


def choose_golden(localizer: Localizer, pictures: Mapping[str, Frame]) -> GoldenSet:
    """Choose the golden pictures: of passes and of rejects the clearest and the nearest miss.

    Raises ModelError when there is none that the model rejects, be it an empty one.
    """
    threshold = localizer.contract.threshold
    golden = GoldenSet(COMPARED_FROM * threshold, SCORE_GAP, BOX_GAP, ())
    judged = list(_judged(localizer, golden.least, pictures))
    if all(picture.decision == "pass" for picture, _ in judged):
        grey = np.full((GOLDEN_SIDE, GOLDEN_SIDE, 3), FILL, np.uint8)
        judged += _judged(localizer, golden.least, {"empty": grey})
    chosen = [
        picture
        for decision in ("pass", "reject")
        for picture in _clearest_and_nearest([j for j in judged if j[0].decision == decision])
    ]
    if not any(picture.decision == "reject" for picture in chosen):
        raise ModelError(
            f"the model rejects none of {len(judged)} pictures, not even an empty one, or finds "
            "more in each than there can be; train it longer"
        )
    return dataclasses.replace(golden, pictures=tuple(chosen))


def _judged(
    localizer: Localizer, least: float, pictures: Mapping[str, Frame]
) -> Iterator[tuple[GoldenPicture, float]]:
    """Yield each picture, small, with its answer, and how far that is from the other decision."""
    for name, frame in pictures.items():
        bare = GoldenPicture(name, _small_png(frame), "reject", ())
        findings = localizer.find(bare.frame(), least)
        if len(findings) <= MOST_FINDINGS:
            decision = decision_on(findings, localizer.contract)
            rounded = tuple(_rounded(finding) for finding in findings)
            room = _room(localizer.contract, findings)
            yield dataclasses.replace(bare, decision=decision, findings=rounded), room


def _room(contract: Contract, findings: tuple[Finding, ...]) -> float:
    """Return the least distance of a class's best score from the threshold."""
    best = dict.fromkeys(contract.classes, 0.0)
    for finding in findings:
        best[finding.label] = max(best[finding.label], finding.score)
    return min(abs(score - contract.threshold) for score in best.values())


def _clearest_and_nearest(judged: list[tuple[GoldenPicture, float]]) -> Iterator[GoldenPicture]:
    ranked = [picture for picture, _ in sorted(judged, key=lambda pair: -pair[1])]
    roomy = [picture for picture, room in sorted(judged, key=lambda p: p[1]) if room >= ROOM]
    yield from ranked[:1]
    yield from [picture for picture in roomy[:1] if picture is not ranked[0]]


def _small_png(frame: Frame) -> bytes:
    picture = Image.fromarray(frame)
    picture.thumbnail((GOLDEN_SIDE, GOLDEN_SIDE), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return file.getvalue()


def _rounded(finding: Finding) -> Finding:
    box = Box(*(round(corner, 2) for corner in finding.box.corners()))
    return Finding(finding.label, round(finding.score, 4), box)
