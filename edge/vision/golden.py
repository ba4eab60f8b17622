"""Golden pictures: pictures that travel inside a model file with the answers the box must give.

The exporter puts them there (:mod:`export.sealing`): an item with its marks, one without, and of
each kind the one that is nearest to the threshold. The box judges them at every start, by the same
code as an item, and again at each idle hour. A model, a runtime, a processor or a memory that
answers otherwise than the exporter's is found by its answers, whatever the reason.
"""

import base64
import binascii
import dataclasses
import io
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.decision import Box, Finding, Kind, decide
from edge.errors import FrameError, ModelError
from edge.printing import printable
from edge.strict_json import read_object
from edge.vision.contract import Contract
from edge.vision.picture_files import decode, open_picture
from edge.vision.preprocess import Frame

GOLDEN_KEY = "stampgate.golden"
VERSION = 1
MOST_CHARACTERS = 16 << 20
"""Longest text of a file's golden pictures."""
MOST_PICTURES, MOST_FINDINGS = 16, 128
MOST_SIDE = 512
"""Longest side of a golden picture, in pixels."""
MOST_SCORE_GAP, MOST_BOX_GAP = 0.1, 16.0
"""Widest tolerances, of a score and of a corner of a box in pixels of the golden picture."""
PNG = b"\x89PNG\r\n\x1a\n"


Find = Callable[[Frame, float], tuple[Finding, ...]]
"""What judges: finds the marks in a frame, from a least score on."""


@dataclass(frozen=True)
class GoldenPicture:
    """One golden picture: its file's content, and the answer that must be given.

    *png*: a PNG file, RGB, no side above :data:`MOST_SIDE`; *decision*: with every class of the
    model required; *findings*: all from :attr:`GoldenSet.least` on, best first, in its pixels.
    """

    name: str
    png: bytes
    decision: Kind
    findings: tuple[Finding, ...]

    def frame(self) -> Frame:
        """Decode the picture: (height, width, 3) uint8, RGB. Raises ModelError."""
        try:
            if not self.png.startswith(PNG):
                raise ModelError(f"golden picture {self.name!r} is no PNG file; export it again")
            with open_picture(Path(self.name), io.BytesIO(self.png)) as image:
                if max(image.size) > MOST_SIDE:
                    raise ModelError(
                        f"golden picture {self.name!r} must have at most {MOST_SIDE} pixels a "
                        f"side, not {image.width} x {image.height}; export it again"
                    )
                return decode(image, Path(self.name))
        except FrameError as error:
            raise ModelError(f"golden picture {error}; export the model again") from None

    def as_object(self) -> dict[str, Any]:
        """Return the picture as the file holds it."""
        return {
            "name": self.name,
            "png": base64.b64encode(self.png).decode(),
            "decision": self.decision,
            "findings": [
                {"label": f.label, "score": f.score, "box": list(f.box.corners())}
                for f in self.findings
            ],
        }


@dataclass(frozen=True)
class GoldenSet:
    """The golden pictures of a model file, and how closely they must be answered.

    *least*: score from which findings are compared, 0..1; *score_gap*: greatest difference of a
    score; *box_gap*: that of a corner, in pixels of the golden picture.
    """

    least: float
    score_gap: float
    box_gap: float
    pictures: tuple[GoldenPicture, ...]

    def to_json(self) -> str:
        """Serialize as one JSON text with sorted keys."""
        raw = {
            "version": VERSION,
            "least": self.least,
            "score_gap": self.score_gap,
            "box_gap": self.box_gap,
            "pictures": [picture.as_object() for picture in self.pictures],
        }
        return json.dumps(raw, sort_keys=True, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> "GoldenSet":
        """Parse the text of :meth:`to_json`. Raises ModelError."""
        if not text:
            raise ModelError(
                f"carries no {GOLDEN_KEY}, so the box cannot prove that it judges with it as it "
                "must; export it again with 'stampgate export' of this release"
            )
        try:
            return _golden_set(read_object(text, MOST_CHARACTERS))
        except (ValueError, TypeError) as error:
            raise ModelError(f"its golden pictures: {error}; export it again") from None

    def judge(self, picture: GoldenPicture, find: Find, contract: Contract) -> None:
        """Judge *picture* as an item is judged. Raises ModelError when the answer is wrong."""
        given = find(picture.frame(), self.least)
        decision = decision_on(given, contract)
        wrong = self._difference(picture, given)
        if decision != picture.decision:
            wrong = f"the decision is {decision}, must be {picture.decision}"
        if wrong:
            raise ModelError(
                f"golden picture {picture.name!r} is not judged as it must be: {wrong}; the model "
                "is another than theirs, or this computer does not compute as it must: "
                "export the model again, or take another computer"
            )

    def _difference(self, picture: GoldenPicture, given: Sequence[Finding]) -> str:
        """Return in words what is another than it must be, empty when nothing is.

        A finding within the tolerance of *least* may be there or not.
        """
        wanted = picture.findings
        for one, others, what in ((wanted, given, "lacks"), (given, wanted, "has")):
            for finding in one:
                clear = finding.score > self.least + self.score_gap
                if clear and not any(self._alike(finding, other) for other in others):
                    box = " ".join(f"{corner:.0f}" for corner in finding.box.corners())
                    return f"it {what} {finding.label} {finding.score:.3f} at [{box}]"
        return ""

    def _alike(self, one: Finding, other: Finding) -> bool:
        corners = zip(one.box.corners(), other.box.corners(), strict=True)
        return (
            one.label == other.label
            and abs(one.score - other.score) <= self.score_gap
            and all(abs(a - b) <= self.box_gap for a, b in corners)
        )


def decision_on(findings: Sequence[Finding], contract: Contract) -> Kind:
    """Return the decision on *findings* with every class of the model required."""
    counted = (finding for finding in findings if finding.score >= contract.threshold)
    return decide(counted, contract.classes).kind


def _golden_set(raw: dict[str, Any]) -> GoldenSet:
    """Build the set from its JSON. Raises ValueError or TypeError for what is not as it must be."""
    _check_keys(raw, ("version", *(f.name for f in dataclasses.fields(GoldenSet))))
    if raw["version"] != VERSION or isinstance(raw["version"], bool):
        raise ValueError(f"version must be {VERSION}, not {raw['version']!r:.40}")
    if not isinstance(raw["pictures"], list) or not 1 <= len(raw["pictures"]) <= MOST_PICTURES:
        raise ValueError(f"pictures must be 1 to {MOST_PICTURES}")
    golden = GoldenSet(
        _number(raw, "least", 0.0, 1.0),
        _number(raw, "score_gap", 0.0, MOST_SCORE_GAP),
        _number(raw, "box_gap", 0.0, MOST_BOX_GAP),
        tuple(_golden_picture(picture) for picture in raw["pictures"]),
    )
    if all(picture.decision == "pass" for picture in golden.pictures):
        raise ValueError("none of them must be rejected")
    return golden


def _golden_picture(raw: Any) -> GoldenPicture:
    _check_keys(raw, [f.name for f in dataclasses.fields(GoldenPicture)])
    name, decision, findings = raw["name"], raw["decision"], raw["findings"]
    if not isinstance(name, str) or printable(name) != name or not 1 <= len(name) <= 100:
        raise ValueError("a name must be 1 to 100 printable characters")
    if decision not in ("pass", "reject"):
        raise ValueError(f"decision must be pass or reject, not {decision!r:.40}")
    if not isinstance(findings, list) or len(findings) > MOST_FINDINGS:
        raise ValueError(f"findings must be at most {MOST_FINDINGS}")
    try:
        png = base64.b64decode(raw["png"], validate=True)
    except binascii.Error as error:
        raise ValueError(f"png must be base64 ({error})") from None
    return GoldenPicture(name, png, decision, tuple(_finding(each) for each in findings))


def _finding(raw: Any) -> Finding:
    _check_keys(raw, ("label", "score", "box"))
    box = raw["box"]
    if not isinstance(raw["label"], str) or not isinstance(box, list) or len(box) != 4:
        raise ValueError("a finding must have a label, a score and a box of four corners")
    corners = dict(zip("abcd", box, strict=True))
    x0, y0, x1, y1 = (_number(corners, name, -MOST_SIDE, MOST_SIDE) for name in "abcd")
    return Finding(raw["label"], _number(raw, "score", 0.0, 1.0), Box(x0, y0, x1, y1))


def _check_keys(raw: Any, names: Sequence[str]) -> None:
    if not isinstance(raw, dict) or set(raw) != set(names):
        raise ValueError(f"an object must have the fields {', '.join(names)}")


def _number(raw: dict[str, Any], name: str, least: float, most: float) -> float:
    value = raw[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name} must be a number, not {value!r:.40}")
    if not (math.isfinite(value) and least <= value <= most):
        raise ValueError(f"{name} must be between {least:g} and {most:g}, not {value!r:.40}")
    return float(value)
