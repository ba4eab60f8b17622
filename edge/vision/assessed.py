"""What the assessment of a model's training found, as its contract carries it to the box."""

from dataclasses import dataclass
from typing import Any

from edge.errors import ModelError

MOST = 10_000_000
"""Most marks or pictures that an assessment counts."""
NAMES = ("marks", "photographs", "lookalikes")


@dataclass(frozen=True)
class Assessed:
    """The summary of an assessment, at the threshold of the model file.

    *ready*: whether the model was called ready to be tried; *anyway*: whether somebody exported it
    all the same. The others are counts, so many of so many: *marks* that were found, of those
    painted; *photographs* without a mark, and frames of *lookalikes*, that were let through.
    """

    ready: bool
    anyway: bool
    marks: tuple[int, int]
    photographs: tuple[int, int]
    lookalikes: tuple[int, int]

    def __post_init__(self) -> None:
        """Check that the counts can be true. Raises ModelError."""
        for name in NAMES:
            hits, of = getattr(self, name)
            if not 0 <= hits <= of <= MOST:
                raise ModelError(f"contract: assessed.{name} must be so many of so many")

    @property
    def words(self) -> str:
        """What was found, in words."""
        marks, photographs, alike = (_of(getattr(self, name)) for name in NAMES)
        return (
            f"finds {marks} painted marks, lets {photographs} photographs without one and "
            f"{alike} pictures of look-alikes through"
        )

    @property
    def trouble(self) -> str:
        """Why this model should not judge, and the next step; empty when it is ready."""
        if self.ready:
            return ""
        found = _of(self.marks)
        return (
            f"the model was exported though it is not ready (it finds {found} painted marks): "
            "train it longer, and export it again"
        )

    def as_object(self) -> dict[str, Any]:
        """Return the object that the contract's JSON has."""
        counts = {name: list(getattr(self, name)) for name in NAMES}
        return {"ready": self.ready, "anyway": self.anyway, **counts}

    @classmethod
    def from_object(cls, raw: object) -> "Assessed":
        """Read what :meth:`as_object` gave. Raises ModelError."""
        wanted = {"ready", "anyway", *NAMES}
        if not isinstance(raw, dict) or set(raw) != wanted:
            raise ModelError(
                f"contract: assessed must have the fields {', '.join(sorted(wanted))}; "
                "export the model again"
            )
        flags = [raw["ready"], raw["anyway"]]
        counts = [raw[name] for name in NAMES]
        if not all(isinstance(flag, bool) for flag in flags) or not all(map(_is_count, counts)):
            raise ModelError(
                "contract: a field of assessed has the wrong type; export the model again"
            )
        return cls(*flags, *((hits, of) for hits, of in counts))


def _is_count(value: object) -> bool:
    """Tell whether a value is two whole numbers."""
    return isinstance(value, list) and [type(part) for part in value] == [int, int]


def _of(count: tuple[int, int]) -> str:
    return f"{count[0]} of {count[1]}" if count[1] else "an unknown number of"
