"""One release: a bundle that was verified and unpacked into a folder of its own."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from edge.errors import ConfigError
from edge.files import read_bounded
from edge.printing import printable
from edge.strict_json import read_object

RECORD = "release.json"
"""What was verified when the release was made; it lies in the release's folder."""
MOST_RECORD = 1 << 20
"""Most bytes of that file."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]{0,39}(?:[.-][A-Za-z0-9_]{1,39}){0,8}")
"""What a bundle may be called: it becomes a part of a folder's name."""
ID = re.compile(NAME.pattern + r"-[0-9]{1,12}-[0-9a-f]{12}")
"""Name, version and the beginning of the bundle's sum."""
TEXTS = (
    "name", "model", "model_id", "model_sha256", "bundle_sha256", "signer", "proof", "created",
    "not_before", "expires",
)  # fmt: skip
MOST_TEXT = 2000


@dataclass(frozen=True)
class Release:
    """A release in its folder.

    *model*: the model's file; *model_id*: SHA-256 over all that decides; *signer*: key id and its
    comment; *proof*: in a line, empty for none; *created*, *not_before*, *expires*: in UTC as ISO
    8601, *expires* empty for never; *decision*: the settings that it was proven for; *files*: the
    SHA-256 of each file.
    """

    folder: Path
    name: str
    version: int
    model: Path
    model_id: str
    model_sha256: str
    bundle_sha256: str
    signer: str
    proof: str
    created: str
    not_before: str
    expires: str
    decision: Mapping[str, Any]
    files: Mapping[str, str]

    @property
    def id(self) -> str:
        """Name of the release and of its folder."""
        return release_id(self.name, self.version, self.bundle_sha256)

    def as_object(self) -> dict[str, Any]:
        """Return it as :data:`RECORD` holds it."""
        return {
            "v": 1,
            "name": self.name,
            "version": self.version,
            "model": self.model.name,
            "model_id": self.model_id,
            "model_sha256": self.model_sha256,
            "bundle_sha256": self.bundle_sha256,
            "signer": self.signer,
            "proof": self.proof,
            "created": self.created,
            "not_before": self.not_before,
            "expires": self.expires,
            "decision": dict(self.decision),
            "files": dict(self.files),
        }


def release_id(name: str, version: int, bundle_sha256: str) -> str:
    """Return the name of a release.

    >>> release_id("stamp", 7, "ab" * 32)
    'stamp-7-abababababab'
    """
    return f"{name}-{version}-{bundle_sha256[:12]}"


def is_id(text: object) -> bool:
    """Tell whether *text* can name a release: whatever else it is, no path leads out by it."""
    return isinstance(text, str) and ID.fullmatch(text) is not None


def read_release(folder: Path) -> Release:
    """Read the release in *folder*. Raises ConfigError with one line for what is not whole."""
    path = folder / RECORD
    try:
        raw = read_object(read_bounded(path, MOST_RECORD).decode(), MOST_RECORD)
        release = _release(folder, raw)
    except OSError as error:
        raise ConfigError(
            f"{path}: the release cannot be read ({error.strerror or error}); {CURE}"
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path}: the release is damaged ({error}); {CURE}") from None
    if release.id != folder.name:
        raise ConfigError(f"{folder}: holds the release {release.id}; {CURE}")
    return release


CURE = "activate its bundle again, or 'stampgate-edge rollback'"


def _release(folder: Path, raw: Mapping[str, Any]) -> Release:
    """Make a release of its record. Raises ValueError, KeyError or TypeError."""
    texts = {key: raw[key] for key in TEXTS}
    for key, text in texts.items():
        if not isinstance(text, str) or len(text) > MOST_TEXT or printable(text) != text:
            raise ValueError(f"{key} must be a printable text")
    if texts["expires"] and datetime.fromisoformat(texts["expires"]).tzinfo is None:
        raise ValueError("expires must be a moment of UTC")
    version, files, decision = raw["version"], raw["files"], raw["decision"]
    if type(version) is not int or not isinstance(files, dict) or not isinstance(decision, dict):
        raise ValueError("version, files or decision is of another kind")
    model = texts.pop("model")
    if model not in files or "/" in model or NAME.fullmatch(texts["name"]) is None:
        raise ValueError("it names no model file of its own")
    return Release(
        folder=folder, version=version, model=folder / model, decision=decision, files=files,
        **texts,
    )  # fmt: skip
