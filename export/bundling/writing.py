"""Write a bundle: from its parts to the one file, by the box's own archive and envelope."""

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from edge import __version__
from edge.bundles.archive import END, header, padding
from edge.bundles.envelope import SIGNATURE_NAME, read_statement, statement
from edge.bundles.frames import FRAMES_NAME, FrameSet
from edge.bundles.manifest import MANIFEST_NAME, MODEL_NAME, USE_NAME, Manifest
from edge.bundles.trust import key_id_of
from edge.files import atomic_replace
from edge.sections.decision import DecisionSettings
from edge.vision.model_file import ModelFile
from edge.vision.proof_summary import ProofSummary
from export.bundling.signing import SigningKey, sign


@dataclass(frozen=True)
class Parts:
    """What a bundle is made of.

    *frames*: content of each golden frame's PNG file, by its name; *created*, *not_before*,
    *expires*: UTC; the others are as of :class:`~edge.bundles.manifest.Manifest`.
    """

    name: str
    version: int
    model: ModelFile
    proof: ProofSummary | None
    decision: DecisionSettings
    intended_use: str
    golden: FrameSet
    frames: Mapping[str, bytes]
    created: datetime
    not_before: datetime
    expires: datetime


def bundle_files(parts: Parts, key_id: str) -> dict[str, bytes]:
    """Return the files of a bundle but its signature, by name."""
    files = {
        MODEL_NAME: parts.model.content,
        FRAMES_NAME: parts.golden.to_json().encode(),
        USE_NAME: parts.intended_use.encode(),
        **parts.frames,
    }
    manifest = Manifest(
        name=parts.name,
        version=parts.version,
        model_id=parts.model.decision_digest,
        model_sha256=parts.model.sha256,
        created=parts.created,
        not_before=parts.not_before,
        expires=parts.expires,
        key_id=key_id,
        proof=parts.proof,
        decision=parts.decision,
        files=sums_of(files),
        made_by=f"stampgate {__version__}",
    )
    return {**files, MANIFEST_NAME: manifest.to_json().encode()}


def sums_of(files: Mapping[str, bytes]) -> dict[str, str]:
    """Return the SHA-256, in hex, of each of *files*."""
    return {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


def signed(name: str, files: Mapping[str, bytes], key: SigningKey) -> dict[str, bytes]:
    """Sign *files* as the bundle *name*; return all of them in their order, the signature first."""
    payload = statement(name, sums_of(files))
    _, order = read_statement(payload)
    signature = sign(payload, key).to_json().encode()
    return {SIGNATURE_NAME: signature, **{file: files[file] for file in order}}


def write_archive(path: Path, files: Mapping[str, bytes]) -> None:
    """Write *files* as an archive, whole or not at all. Raises InputError."""
    with atomic_replace(path) as temporary, temporary.open("wb") as out:
        for name, content in files.items():
            out.write(header(name, len(content)))
            out.write(content)
            out.write(bytes(padding(len(content))))
        out.write(END)


def write_bundle(path: Path, parts: Parts, key: SigningKey) -> None:
    """Sign *parts* and write them as the bundle *path*, whole or not at all. Raises InputError."""
    rounded = dataclasses.replace(
        parts,
        **{
            name: getattr(parts, name).replace(microsecond=0)
            for name in ("created", "not_before", "expires")
        },
    )
    files = bundle_files(rounded, key_id_of(key.public))
    write_archive(path, signed(f"{parts.name}-{parts.version}", files, key))
