"""Golden frames: whole camera frames that travel in a bundle, with the verdicts they must get.

Golden pictures inside a model file (:mod:`edge.vision.golden`) are small and are judged with every
class required; golden frames are of the camera's size and are judged by the rules of the line,
region included, as an item is. A model that answers otherwise on this processor, or rules that
judge otherwise, show before anything is switched.
"""

import dataclasses
import io
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

from edge.deciding.judging import Scene
from edge.deciding.rules import Rules
from edge.decision import Box, Finding, Kind, Verdict
from edge.errors import AnswerError, BundleError, FrameError
from edge.files import read_bounded
from edge.printing import printable
from edge.sight.inspector import Inspector
from edge.strict_json import read_object
from edge.vision.localizer import Localizer
from edge.vision.picture_files import decode, open_picture
from edge.vision.preprocess import Frame

FRAMES_NAME = "frames/frames.json"
FRAME_NAME = re.compile(r"frames/[0-9]{2}-[a-z-]{1,20}\.png")
VERSION = 1
LEAST_FRAMES, MOST_FRAMES = 16, 64
MOST_FINDINGS = 128
MOST_SCORE_GAP, MOST_BOX_GAP = 0.1, 64.0
MOST_FRAME_BYTES = 64 << 20
MOST_CORNER = 65_536.0
PNG = b"\x89PNG\r\n\x1a\n"

FrameKind = Literal["stamped", "unstamped", "look-alike", "border"]
"""What a golden frame shows; *border*: one whose best score is near the one that counts."""
FRAME_KINDS: tuple[FrameKind, ...] = get_args(FrameKind)
AT_TRIGGER = Scene(moved_ms=(0.0, 0.0))
"""A golden frame begins at its item's trigger, and no fixed marks are known."""


@dataclass(frozen=True)
class GoldenFrame:
    """One golden frame: its member in the bundle, and the verdict that it must get.

    *shows*: one of :data:`FRAME_KINDS`; *verdict*: pass or reject; *code*: the reason's word;
    *findings*: those that count, best first, boxes in camera pixels; *near*: the near miss.
    """

    name: str
    shows: FrameKind
    verdict: Kind
    code: str
    findings: tuple[Finding, ...]
    near: Finding | None

    def as_object(self) -> dict[str, Any]:
        """Return the frame as the bundle holds it."""
        return {
            "name": self.name,
            "shows": self.shows,
            "verdict": self.verdict,
            "code": self.code,
            "findings": [finding.as_object() for finding in self.findings],
            "near": self.near.as_object() if self.near else None,
        }

    @classmethod
    def from_verdict(cls, name: str, shows: FrameKind, verdict: Verdict) -> "GoldenFrame":
        """Return the frame that must get *verdict*, rounded as the bundle holds it."""
        near = None if verdict.near is None else _rounded(verdict.near)
        findings = tuple(map(_rounded, verdict.findings))
        return cls(name, shows, verdict.kind, verdict.code, findings, near)


@dataclass(frozen=True)
class FrameSet:
    """The golden frames of a bundle, and how closely their verdicts must be met.

    *score_gap*: greatest difference of a score; *box_gap*: that of a corner, in camera pixels;
    *size*: (width, height) of each frame.
    """

    score_gap: float
    box_gap: float
    size: tuple[int, int]
    frames: tuple[GoldenFrame, ...]

    def to_json(self) -> str:
        """Serialize as one JSON text with sorted keys."""
        raw = {
            "version": VERSION,
            "score_gap": self.score_gap,
            "box_gap": self.box_gap,
            "size": list(self.size),
            "frames": [frame.as_object() for frame in self.frames],
        }
        return json.dumps(raw, sort_keys=True, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> "FrameSet":
        """Parse the text of :meth:`to_json`. Raises ValueError for what is not as it must be."""
        raw = read_object(text, MOST_FRAMES * MOST_FINDINGS * 256)
        _check_keys(raw, ("version", *(f.name for f in dataclasses.fields(cls))))
        if raw["version"] != VERSION or isinstance(raw["version"], bool):
            raise ValueError(f"the golden frames are of version {raw['version']!r:.20}")
        given = raw["frames"]
        if not isinstance(given, list) or not LEAST_FRAMES <= len(given) <= MOST_FRAMES:
            raise ValueError(f"there must be {LEAST_FRAMES} to {MOST_FRAMES} golden frames")
        frames = tuple(map(_golden_frame, given))
        if len({frame.name for frame in frames}) < len(frames):
            raise ValueError("two golden frames have one name")
        if {frame.verdict for frame in frames} != {"pass", "reject"}:
            raise ValueError("of the golden frames some must pass and some be rejected")
        return cls(
            _number(raw["score_gap"], 0.0, MOST_SCORE_GAP),
            _number(raw["box_gap"], 0.0, MOST_BOX_GAP),
            _size(raw["size"]),
            frames,
        )

    def difference(self, frame: GoldenFrame, given: Verdict) -> str:
        """Return in words how the verdict *given* on *frame* is another than it must be; or ""."""
        if (given.kind, given.code) != (frame.verdict, frame.code):
            return (
                f"the verdict is {given.kind} ({given.code}: {printable(given.reason)[:120]}), "
                f"must be {frame.verdict} ({frame.code})"
            )
        pairs = ((frame.findings, given.findings, "lacks"), (given.findings, frame.findings, "has"))
        for one, others, what in pairs:
            for finding in one:
                if not any(self._alike(finding, other) for other in others):
                    return f"it {what} {_words(finding)}"
        return self._near_difference(frame.near, given.near)

    def _near_difference(self, wanted: Finding | None, given: Finding | None) -> str:
        """Compare near misses; one that is no nearer than the tolerance may be there or not."""
        if wanted and given and self._alike(wanted, given):
            return ""
        for near in (wanted, given):
            if near is not None and near.score > self.score_gap:
                other = given if near is wanted else wanted
                there = _words(other) if other else "none"
                return f"its near miss is {there}, and {_words(near)} beside it"
        return ""

    def _alike(self, one: Finding, other: Finding) -> bool:
        corners = zip(one.box.corners(), other.box.corners(), strict=True)
        return (
            one.label == other.label
            and abs(one.score - other.score) <= self.score_gap
            and all(abs(a - b) <= self.box_gap for a, b in corners)
        )


@dataclass(frozen=True)
class GoldenFrames:
    """Golden frames with what reads them: *read* gives the content of a member by its name."""

    wanted: FrameSet
    read: Callable[[str], bytes]

    def frame(self, name: str) -> Frame:
        """Decode the frame *name*: (height, width, 3) uint8, RGB.

        Raises BundleError, and FrameError for a damaged picture.
        """
        content = self.read(name)
        if not content.startswith(PNG):
            raise BundleError(f"{name}: a golden frame must be a PNG file; make the bundle again")
        with open_picture(Path(name), io.BytesIO(content)) as image:
            if image.size != self.wanted.size:
                raise BundleError(
                    f"{name}: a golden frame must have {_by(self.wanted.size)} pixels, not "
                    f"{_by(image.size)}; make the bundle again"
                )
            return decode(image, Path(name))


def frames_in(folder: Path) -> GoldenFrames:
    """Return the golden frames of a bundle that was unpacked into *folder*. Raises BundleError."""
    path = folder / FRAMES_NAME
    try:
        text = read_bounded(path, MOST_FRAME_BYTES).decode("utf-8")
        wanted = FrameSet.from_json(text)
    except OSError as error:
        raise BundleError(
            f"{path}: cannot be read ({error.strerror}); unpack the bundle again"
        ) from None
    except ValueError as error:
        raise BundleError(f"{path}: {printable(error)}; unpack the bundle again") from None
    return GoldenFrames(wanted, partial(_read_frame, folder))


def _read_frame(folder: Path, name: str) -> bytes:
    try:
        return read_bounded(folder / name, MOST_FRAME_BYTES)
    except OSError as error:
        raise BundleError(
            f"{folder / name}: cannot be read ({error.strerror}); unpack the bundle again"
        ) from None


def judge_frames(localizer: Localizer, frames: GoldenFrames, rules: Rules) -> list[str]:
    """Judge all golden frames as items are judged; return what is another than it must be.

    One line for each frame that differs; none is how it must be. Frames that cannot be read or
    judged are such lines, too.
    """
    return [words for _, words in each_difference(localizer, frames, rules) if words]


def each_difference(
    localizer: Localizer, frames: GoldenFrames, rules: Rules
) -> Iterator[tuple[GoldenFrame, str]]:
    """Judge one golden frame after the other; yield each with its difference, or an empty text."""
    inspector = Inspector(localizer, rules)
    for frame in frames.wanted.frames:
        try:
            verdict = inspector.inspect(frames.frame(frame.name), AT_TRIGGER, frame.name)
            words = frames.wanted.difference(frame, verdict)
        except (FrameError, AnswerError, BundleError) as error:
            words = printable(error)
        yield frame, f"{frame.name} ({frame.shows}): {words}" if words else ""


def _rounded(finding: Finding) -> Finding:
    box = Box(*(round(corner, 2) for corner in finding.box.corners()))
    return Finding(finding.label, round(finding.score, 4), box)


def _words(finding: Finding) -> str:
    box = " ".join(f"{corner:.0f}" for corner in finding.box.corners())
    return f"{printable(finding.label)} {finding.score:.3f} at [{box}]"


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]} x {size[1]}"


def _golden_frame(raw: Any) -> GoldenFrame:
    _check_keys(raw, [f.name for f in dataclasses.fields(GoldenFrame)])
    name, code, findings = raw["name"], raw["code"], raw["findings"]
    if not isinstance(name, str) or not FRAME_NAME.fullmatch(name):
        raise ValueError(f"{name!r:.60} is no name of a golden frame")
    if raw["shows"] not in FRAME_KINDS:
        raise ValueError(f"{name}: shows must be one of {', '.join(FRAME_KINDS)}")
    if raw["verdict"] not in ("pass", "reject"):
        raise ValueError(f"{name}: verdict must be pass or reject")
    if not isinstance(code, str) or not re.fullmatch(r"[a-z-]{1,40}", code):
        raise ValueError(f"{name}: code must be one word")
    if not isinstance(findings, list) or len(findings) > MOST_FINDINGS:
        raise ValueError(f"{name}: findings must be at most {MOST_FINDINGS}")
    near = None if raw["near"] is None else _finding(raw["near"])
    return GoldenFrame(
        name, raw["shows"], raw["verdict"], code, tuple(map(_finding, findings)), near
    )


def _finding(raw: Any) -> Finding:
    _check_keys(raw, ("label", "score", "box"))
    label, box = raw["label"], raw["box"]
    if not isinstance(label, str) or printable(label) != label or not 1 <= len(label) <= 64:
        raise ValueError("a finding must have the name of a class")
    if not isinstance(box, list) or len(box) != 4:
        raise ValueError("a finding must have a box of four corners")
    corners = [_number(corner, -MOST_CORNER, MOST_CORNER) for corner in box]
    return Finding(label, _number(raw["score"], 0.0, 1.0), Box(*corners))


def _size(raw: Any) -> tuple[int, int]:
    if not isinstance(raw, list) or [type(side) for side in raw] != [int, int]:
        raise ValueError("size must be a width and a height in pixels")
    if not all(1 <= side <= MOST_CORNER for side in raw):
        raise ValueError("size must be one that a camera has")
    return raw[0], raw[1]


def _check_keys(raw: Any, names: Sequence[str]) -> None:
    if not isinstance(raw, Mapping) or set(raw) != set(names):
        raise ValueError(f"an object must have the fields {', '.join(names)}")


def _number(value: Any, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r:.40} must be a number")
    if not (math.isfinite(value) and least <= value <= most):
        raise ValueError(f"{value!r:.40} must be between {least:g} and {most:g}")
    return float(value)
