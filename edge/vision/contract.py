"""The contract: a model's preprocessing and output format, as one JSON text inside its ONNX file.

It holds everything that the box must know about a model, under :data:`METADATA_KEY` in
``metadata_props``. There is no pickle and no second file; a contract of another version, with a
field too many or too few, is refused.
"""

import dataclasses
import json
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from edge.errors import ModelError

METADATA_KEY = "stampgate.contract"
VERSION = 2
STRIDE = 8
"""Network pixels that one cell of the output grid covers each way."""
INPUT_NAME, HEAT_NAME, SIDES_NAME = "picture", "heat", "sides"


@dataclass(frozen=True)
class TwoLookPlan:
    """Plan of inference on a frame: a first look at the whole, second looks at likely marks.

    *width*, *height*: input of the first look, network pixels. *second_side*: input of each second
    look, which is square, 0 when there is none; *second_px*: length of the likely mark's longer
    side in it; *second_from*: least score of the first look, 0..1, at which there is a second one;
    *second_weight*: weight of the second look's logit beside the first one's.
    """

    classes: tuple[str, ...]
    width: int
    height: int
    second_side: int
    second_px: int
    second_from: float
    second_weight: float


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
        sides_fit = all(side >= 32 and side % 32 == 0 for side in sides)
        yield sides_fit, "input_width and input_height", "multiples of 32, at least 32"
        yield self.resize == "letterbox", "resize", "letterbox"
        yield self.colour == "rgb", "colour", "rgb"
        yield self.strides == (STRIDE,), "strides", f"[{STRIDE}]"
        names_differ = bool(self.classes) and len(set(self.classes)) == len(self.classes)
        yield names_differ, "classes", "one or more different names"

    def _look_checks(self) -> Iterator[tuple[bool, str, str]]:
        """Yield the same for the threshold and the fields of the second look."""
        side, px = self.second_side, self.second_px
        yield 0.0 < self.threshold < 1.0, "threshold", "between 0 and 1"
        side_fits = side == 0 or (side >= 32 and side % 16 == 0)
        yield side_fits, "second_side", "0, or a multiple of 16, at least 32"
        px_fits = px > 0 and (not side or px <= side)
        yield px_fits, "second_px", "at least 1 and at most second_side"
        yield 0.0 <= self.second_from < 1.0, "second_from", "at least 0 and below 1"
        yield self.second_weight >= 0.0, "second_weight", "at least 0"

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
        )

    def to_json(self) -> str:
        """Serialize the contract as one JSON text with sorted keys."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "Contract":
        """Parse the text of :meth:`to_json`. Raises ModelError, naming the field that is wrong."""
        try:
            raw = json.loads(text)
        except ValueError as error:
            found = f"not {text[:40]!r} ({error})"
            raise ModelError(
                f"contract: must be a JSON text, {found}; export the model again"
            ) from None
        if not isinstance(raw, dict):
            found = type(raw).__name__
            raise ModelError(
                f"contract: must be a JSON object, not {found}; export the model again"
            )
        _check_version(raw)
        _check_fields(raw, {f.name: f for f in dataclasses.fields(cls)})
        values: dict[str, Any] = {
            key: tuple(v) if isinstance(v, list) else v for key, v in raw.items()
        }
        return cls(**values)


def _check_version(raw: dict[str, Any]) -> None:
    """Check the version first: the fields of another version mean nothing to us."""
    version = raw.get("version")
    if version != VERSION or isinstance(version, bool):
        raise ModelError(
            f"contract: version must be {VERSION}, not {version!r}; "
            "export the model with this release"
        )


def _check_fields(raw: dict[str, Any], fields: "dict[str, dataclasses.Field[Any]]") -> None:
    for name in fields.keys() - raw.keys():
        raise ModelError(f"contract: field {name} is missing; export the model again")
    for name in raw.keys() - fields.keys():
        raise ModelError(
            f"contract: field {name} is unknown to version {VERSION}; export the model again"
        )
    for name, field in fields.items():
        if not _fits(raw[name], typing.cast(type, field.type)):
            raise ModelError(
                f"contract: field {name} has the wrong type: {raw[name]!r}; export the model again"
            )


def _fits(value: Any, kind: Any) -> bool:
    if typing.get_origin(kind) is tuple:
        member = typing.get_args(kind)[0]
        return isinstance(value, list) and all(_fits(v, member) for v in value)
    if isinstance(value, bool):
        return False
    return isinstance(value, (int, float) if kind is float else kind)
