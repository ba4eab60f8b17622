"""The contract: a model's preprocessing and output format, as one JSON text inside its ONNX file.

It holds everything that the box must know about a model, under :data:`METADATA_KEY` in
``metadata_props``. There is no pickle and no second file; a contract of another version, with a
field too many or too few or a key twice, is refused. The sum that protects it, and the graph, is
checked before it is read (:mod:`edge.vision.model_file`).
"""

import dataclasses
import json
import re
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from edge.errors import ModelError
from edge.printing import printable
from edge.strict_json import read_object
from edge.vision.assessed import Assessed

METADATA_KEY = "stampgate.contract"
VERSION = 2
MOST_CHARACTERS = 65_536
"""Longest text of a contract."""
MOST_CLASSES, MOST_NAME = 1024, 64
"""Most classes, and most characters of the name of one."""
MOST_SIDE = 4096
"""Longest side of a look, in network pixels."""
MOST_WEIGHT = 1000.0
STRIDE = 8
"""Network pixels that one cell of the output grid covers each way."""
INPUT_NAME, HEAT_NAME, SIDES_NAME = "picture", "heat", "sides"


@dataclass(frozen=True)
class TwoLookPlan:
    """Plan of inference on a frame: a first look at the whole, second looks at likely marks.

    *width*, *height*: input of the first look, network pixels. *second_side*: input of each second
    look, which is square, 0 when there is none; *second_px*: length of the likely mark's longer
    side in it; *second_from*: least score of the first look, 0..1, at which there is a second one;
    *second_weight*: weight of the second look's logit beside the first one's; *second_offset*: how
    far right of and below the middle of a second look the likely mark's centre comes, network
    pixels: half a cell puts it into the middle of one, and not where four meet.
    """

    classes: tuple[str, ...]
    width: int
    height: int
    second_side: int
    second_px: int
    second_from: float
    second_weight: float
    second_offset: int = 0


@dataclass(frozen=True)
class Contract:
    """Input, output and thresholds of a model.

    The graph takes ``picture``, (n, height, width, 3) uint8, and gives ``heat``, (n, classes, rows,
    columns) in 0..1, the score that a mark's centre lies in the cell, and ``sides``, (n, 4, rows,
    columns), the distances from the cell's centre to the left, top, right and bottom of that mark's
    box, in strides. It takes one picture of the input size, and, when *second_side* is not 0, any
    number of that side.
    """

    version: int
    input_width: int
    input_height: int
    resize: str
    """``letterbox``: fit inside keeping the aspect, centred, the rest filled with
    :data:`edge.vision.preprocess.FILL`."""
    colour: str
    strides: tuple[int, ...]
    classes: tuple[str, ...]
    threshold: float
    """Least score at which a mark counts as found; frozen on held-out painted pictures at the end
    of training."""
    second_side: int
    """Side of a second look at a likely mark, in network pixels; 0 when there is none."""
    second_px: int
    """Length of the likely mark's longer side in a second look, in network pixels."""
    second_from: float
    """Least score of the first look at which there is a second one."""
    second_weight: float
    """Weight of the second look's logit beside the first one's."""
    run_digest: str
    """SHA-256 of the training checkpoint that the model was made from, in hex."""
    second_offset: int = 0
    """How far right of and below the middle of a second look the likely mark's centre comes, in
    network pixels; 0 in files of earlier releases."""
    mark_px: tuple[float, ...] = ()
    """Least and greatest longer side of the marks that the model was trained and assessed on, in
    network pixels of the first look; empty in files of earlier releases."""
    assessed: Assessed | None = None
    """What the assessment of its training found; None in files of earlier releases."""

    def __post_init__(self) -> None:
        """Check that every value can be honoured. Raises ModelError."""
        for good, name, wanted in (*self._format_checks(), *self._look_checks()):
            if not good:
                raise ModelError(f"contract: {name} must be {wanted}")

    def _format_checks(self) -> Iterator[tuple[bool, str, str]]:
        """Yield for each field of the format whether it is good, its name, and what it must be."""
        newest = f"{VERSION}; export the model again with this release"
        yield self.version == VERSION, "version", newest
        sides = (self.input_width, self.input_height)
        sides_fit = all(32 <= side <= MOST_SIDE and side % 32 == 0 for side in sides)
        wanted = f"multiples of 32, at least 32 and at most {MOST_SIDE}"
        yield sides_fit, "input_width and input_height", wanted
        yield self.resize == "letterbox", "resize", "letterbox"
        yield self.colour == "rgb", "colour", "rgb"
        yield self.strides == (STRIDE,), "strides", f"[{STRIDE}]"
        names_differ = len(set(self.classes)) == len(self.classes)
        few = 1 <= len(self.classes) <= MOST_CLASSES
        yield (
            few and names_differ,
            "classes",
            f"1 to {MOST_CLASSES} different names",
        )
        all_printable = all(map(is_class_name, self.classes))
        yield (
            all_printable,
            "classes",
            f"names of 1 to {MOST_NAME} letters that can be seen",
        )
        digest_fits = re.fullmatch(r"[0-9a-f]{64}", self.run_digest) is not None
        yield digest_fits, "run_digest", "64 hexadecimal digits"

    def _look_checks(self) -> Iterator[tuple[bool, str, str]]:
        """Yield the same for the threshold and the fields of the second look."""
        side, px = self.second_side, self.second_px
        yield 0.0 < self.threshold < 1.0, "threshold", "between 0 and 1"
        side_fits = side == 0 or (32 <= side <= MOST_SIDE and side % 16 == 0)
        wanted = f"0, or a multiple of 16, at least 32 and at most {MOST_SIDE}"
        yield side_fits, "second_side", wanted
        px_fits = 0 < px <= (side or MOST_SIDE)
        yield px_fits, "second_px", "at least 1 and at most second_side"
        yield 0.0 <= self.second_from < 1.0, "second_from", "at least 0 and below 1"
        weight_fits = 0.0 <= self.second_weight <= MOST_WEIGHT
        yield weight_fits, "second_weight", f"at least 0 and at most {MOST_WEIGHT:g}"
        offset_fits = 0 <= self.second_offset <= STRIDE // 2
        yield offset_fits, "second_offset", f"at least 0 and at most {STRIDE // 2}"
        sizes = self.mark_px
        sizes_fit = not sizes or (len(sizes) == 2 and 0.0 < sizes[0] <= sizes[1] <= MOST_SIDE)
        yield sizes_fit, "mark_px", f"empty, or two rising numbers up to {MOST_SIDE}"

    @property
    def two_look_plan(self) -> TwoLookPlan:
        """The plan of inference on a frame."""
        return TwoLookPlan(
            self.classes,
            self.input_width,
            self.input_height,
            self.second_side,
            self.second_px,
            self.second_from,
            self.second_weight,
            self.second_offset,
        )

    def to_json(self) -> str:
        """Serialize the contract as one JSON text with sorted keys."""
        raw = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        del raw["assessed"]
        if self.assessed is not None:
            raw["assessed"] = self.assessed.as_object()
        return json.dumps(raw, sort_keys=True, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "Contract":
        """Parse the text of :meth:`to_json`. Raises ModelError, naming the field that is wrong."""
        try:
            raw = read_object(text, MOST_CHARACTERS)
        except ValueError as error:
            raise ModelError(
                f"contract: must be a JSON text with one object, each key once, not "
                f"{text[:40]!r} ({error}); export the model again"
            ) from None
        _check_version(raw)
        assessed = Assessed.from_object(raw.pop("assessed")) if "assessed" in raw else None
        raw.setdefault("second_offset", 0)
        raw.setdefault("mark_px", [])
        _check_fields(raw, {f.name: f for f in dataclasses.fields(cls) if f.name != "assessed"})
        values: dict[str, Any] = {
            key: tuple(v) if isinstance(v, list) else v for key, v in raw.items()
        }
        return cls(**values, assessed=assessed)


def is_class_name(name: str) -> bool:
    """Tell whether *name* can be a class's: printable, bounded, without blanks at its ends."""
    return 1 <= len(name) <= MOST_NAME and name == printable(name).strip()


def _check_version(raw: dict[str, Any]) -> None:
    """Check the version first: the fields of another version mean nothing to us."""
    version = raw.get("version")
    if version != VERSION or isinstance(version, bool):
        raise ModelError(
            f"contract: version must be {VERSION}, not {version!r:.40}; "
            "export the model with this release"
        )


def _check_fields(raw: dict[str, Any], fields: "dict[str, dataclasses.Field[Any]]") -> None:
    for name in fields.keys() - raw.keys():
        raise ModelError(f"contract: field {name} is missing; export the model again")
    for name in raw.keys() - fields.keys():
        raise ModelError(
            f"contract: field {name[:40]!r} is unknown to version {VERSION}; export the model again"
        )
    for name, field in fields.items():
        if not _fits(raw[name], typing.cast(type, field.type)):
            raise ModelError(
                f"contract: field {name} has the wrong type: {raw[name]!r:.40}; "
                "export the model again"
            )


def _fits(value: Any, kind: Any) -> bool:
    if typing.get_origin(kind) is tuple:
        member = typing.get_args(kind)[0]
        return isinstance(value, list) and all(_fits(v, member) for v in value)
    if isinstance(value, bool):
        return False
    return isinstance(value, (int, float) if kind is float else kind)
