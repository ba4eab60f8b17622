"""The manifest of a bundle: whose model this is, what was proven of it, and under which rules."""

import contextlib
import dataclasses
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from edge.bundles.envelope import SUM
from edge.errors import ConfigError
from edge.printing import printable
from edge.sections.decision import DecisionSettings
from edge.settings import read_section
from edge.strict_json import read_object
from edge.vision.proof_summary import ProofSummary

MANIFEST_NAME = "manifest.json"
MODEL_NAME = "model.onnx"
USE_NAME = "intended-use.txt"
FORMAT = 1
MOST_CHARACTERS = 1 << 18
MOST_VERSION = 999_999_999
NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class Manifest:
    """What a bundle says of itself.

    *name*: of the series that its versions belong to; *version*: rises with each; *model_id*: the
    decision digest; *not_before*, *expires*: when it may be activated, UTC; *key_id*: of the key
    that signs it; *proof*: None for one that nobody has proven; *decision*: the rules, region
    included, that the golden frames and the proof are about; *files*: name and SHA-256 of all
    other files but the signature; *made_by*: the program.
    """

    name: str
    version: int
    model_id: str
    model_sha256: str
    created: datetime
    not_before: datetime
    expires: datetime
    key_id: str
    proof: ProofSummary | None
    decision: DecisionSettings
    files: dict[str, str]
    made_by: str

    def to_json(self) -> str:
        """Serialize as one JSON text, for people as well."""
        raw: dict[str, Any] = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        for name in ("created", "not_before", "expires"):
            raw[name] = time_text(raw[name])
        raw["proof"] = None if self.proof is None else dataclasses.asdict(self.proof)
        raw["decision"] = dataclasses.asdict(self.decision)
        return json.dumps({"format": FORMAT, **raw}, indent=1, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Manifest":
        """Parse the text of :meth:`to_json`. Raises ValueError with what is wrong in words."""
        raw = read_object(text, MOST_CHARACTERS)
        if raw.get("format") != FORMAT or isinstance(raw["format"], bool):
            raise ValueError(
                f"its manifest is of format {raw.get('format')!r:.20}, must be {FORMAT}: it was "
                "made for another release"
            )
        del raw["format"]
        names = {field.name for field in dataclasses.fields(cls)}
        if raw.keys() != names:
            odd = printable(", ".join(sorted(raw.keys() ^ names)))[:120]
            raise ValueError(f"its manifest has too many fields or too few: {odd}")
        _check_texts(raw)
        times = {key: read_time(raw[key]) for key in ("created", "not_before", "expires")}
        proof = None if raw["proof"] is None else _proof(raw["proof"])
        decision = _decision(raw["decision"])
        read = cls(**{**raw, **times, "proof": proof, "decision": decision})
        if read.proof is not None and read.proof.decision_digest != read.model_id:
            raise ValueError("its proof is that of another model")
        if read.not_before >= read.expires:
            raise ValueError("it expires before it may be activated")
        return read


def time_text(moment: datetime) -> str:
    """Return a moment as the manifest holds it: UTC, to the second."""
    return moment.astimezone(UTC).strftime(TIME)


def read_time(text: object) -> datetime:
    """Read what :func:`time_text` wrote. Raises ValueError."""
    if isinstance(text, str):
        with contextlib.suppress(ValueError):
            moment = datetime.strptime(text, TIME).replace(tzinfo=UTC)
            if time_text(moment) == text:
                return moment
    raise ValueError(f"{text!r:.40} must be a time such as 2026-12-01T08:00:00Z")


def _check_texts(raw: dict[str, Any]) -> None:
    """Check the fields that are plain texts and numbers. Raises ValueError."""
    if not isinstance(raw["name"], str) or not NAME.fullmatch(raw["name"]):
        raise ValueError("its name must be of small letters, digits and -")
    if type(raw["version"]) is not int or not 1 <= raw["version"] <= MOST_VERSION:
        raise ValueError(f"its version must be a number from 1 to {MOST_VERSION}")
    for key in ("model_id", "model_sha256", "key_id"):
        if not isinstance(raw[key], str) or not SUM.fullmatch(raw[key]):
            raise ValueError(f"{key} must be 64 hexadecimal digits")
    made_by = raw["made_by"]
    if not isinstance(made_by, str) or printable(made_by) != made_by or len(made_by) > 80:
        raise ValueError("made_by must be a short text")
    files = raw["files"]
    if not isinstance(files, dict) or not all(
        isinstance(total, str) and SUM.fullmatch(total) for total in files.values()
    ):
        raise ValueError("files must be names with their SHA-256")


def _proof(raw: Any) -> ProofSummary:
    try:
        return ProofSummary.from_json(json.dumps(raw))
    except (ValueError, TypeError) as error:
        raise ValueError(f"its proof is not understood: {printable(error)[:120]}") from None


def _decision(raw: Any) -> DecisionSettings:
    if not isinstance(raw, dict):
        raise ValueError("decision must be a table")
    try:
        return read_section(DecisionSettings, raw, "its [decision]")
    except ConfigError as error:
        raise ValueError(f"{error}; a rule of another release cannot be kept here") from None
