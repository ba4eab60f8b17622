"""The summary of a proof, as it travels in the metadata of the model file that it is about.

The box shows it, in one line, and decides nothing by it. It names the digest of what was proven,
graph and contract (:func:`edge.vision.model_file.decision_digest`): of another model it is no
proof. The proof itself is ``proof.html``, made by ``stampgate prove``.
"""

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

from edge.printing import printable
from edge.strict_json import read_object

PROOF_KEY = "stampgate.proof"
PHOTOGRAPHS_KEY = "stampgate.photographs"
"""Hashes of the photographs that the model has met; for ``stampgate prove``, not for the box."""
VERSION = 1
MOST_CHARACTERS = 4096
MOST_WORDS = 600
UNPROVEN = "none travels in the model file; make one with 'stampgate prove'"
RESULTS = ("shown", "not shown", "not measured")
"""Of a claim: its bound lies below its limit; it does not; there was nothing to measure it on."""


@dataclass(frozen=True)
class ProofSummary:
    """The summary of a proof.

    *decision_digest*: of the graph and contract proven; *model_sha256*: of the file that was
    judged; *stage*: desk or bench; *study*: its number; *date*: when it was frozen, UTC; *plan*:
    what was claimed; *result*: one of :data:`RESULTS`; *words*: what was shown, one sentence;
    *proof_sha256*: of ``proof.json``, which has all figures.
    """

    version: int
    decision_digest: str
    model_sha256: str
    stage: str
    study: int
    date: str
    plan: str
    result: str
    words: str
    proof_sha256: str

    def __post_init__(self) -> None:
        """Check what a box would show. Raises ValueError."""
        if self.result not in RESULTS or not 0 < len(self.words) <= MOST_WORDS:
            raise ValueError("it has no result, or too few words or too many")

    def to_json(self) -> str:
        """Serialize the summary as one JSON text."""
        text = json.dumps(dataclasses.asdict(self), sort_keys=True, ensure_ascii=False)
        if len(text) > MOST_CHARACTERS:
            raise ValueError(f"it has {len(text)} characters, must be at most {MOST_CHARACTERS}")
        return text

    @classmethod
    def from_json(cls, text: str) -> "ProofSummary":
        """Parse the text of :meth:`to_json`. Raises ValueError, saying what is wrong."""
        raw: dict[str, Any] = read_object(text, MOST_CHARACTERS)
        if raw.get("version") != VERSION:
            raise ValueError(f"it is of version {raw.get('version')!r:.20}")
        if "result" not in raw and "verdict" in raw:  # its name in the first files
            raw["result"] = raw.pop("verdict")
        kinds = {field.name: field.type for field in dataclasses.fields(cls)}
        if raw.keys() != kinds.keys() or any(type(raw[k]) is not kinds[k] for k in kinds):
            raise ValueError("its fields are not those of a summary")
        return cls(**raw)

    @property
    def line(self) -> str:
        """The summary as one line."""
        day = self.date.partition("T")[0]
        return f"{self.words} (study {self.study}, {day})"


def proof_line(text: str | None, decision_digest: str) -> str:
    """Return in one line what a model file's summary says; empty when it has none.

    *decision_digest*: of the model file. What cannot be read, or is of another model, is said to be
    so: it is no reason not to judge.
    """
    if text is None:
        return ""
    try:
        summary = ProofSummary.from_json(text)
    except ValueError as error:
        return printable(f"the file's summary of a proof is not understood here ({error})")
    if summary.decision_digest != decision_digest:
        return "the file's summary is that of another model: nothing is proven of this one"
    return printable(summary.line)
