"""Texts that travel in a model file and change nothing of what it decides: hashes, and a proof."""

import hashlib
import json
from pathlib import Path
from typing import Any

import onnx

from edge.errors import InputError, ModelError
from edge.files import read_bounded
from edge.printing import printable
from edge.vision.contract import METADATA_KEY
from edge.vision.golden import GOLDEN_KEY
from edge.vision.harvest_note import HARVEST_KEY
from edge.vision.model_file import SUM_KEY, decision_digest, read_model
from edge.vision.proof_summary import PHOTOGRAPHS_KEY, PROOF_KEY, ProofSummary
from export.sealing import seal_texts
from train.harvest.note_file import read_note
from train.leakage import read_met

PROOF_NAME = "proof.json"
MOST_PROOF_BYTES = 256 << 20


def photographs_text(run: Path) -> dict[str, str]:
    """Return what a file says of the photographs that the model of *run* has met, by its key.

    Their hashes, none of an old run, and the note of the harvest that it learnt from, if it did.
    Raises InputError.
    """
    met, note = read_met(run), read_note(run)
    texts = {} if met is None else {PHOTOGRAPHS_KEY: met.export_text()}
    return texts if note is None else {**texts, HARVEST_KEY: note.to_json()}


def attach_proof(content: bytes, proof: Path) -> bytes:
    """Return a sealed model file with the summary of *proof*, a folder of ``stampgate prove``.

    Raises InputError when the proof cannot be read or is that of another model.
    """
    summary = read_summary(proof)
    digest = decision_digest(content)
    if summary.decision_digest != digest:
        raise InputError(
            f"--proof {proof}: proves another model (graph and contract "
            f"{summary.decision_digest[:16]}..., must be {digest[:16]}...); prove this one with "
            "'stampgate prove', or export the run and threshold that were proven"
        )
    model = onnx.load_model_from_string(content)
    texts = {entry.key: entry.value for entry in model.metadata_props}
    contract, golden = texts.pop(METADATA_KEY), texts.pop(GOLDEN_KEY, "")
    del texts[SUM_KEY]
    sealed = seal_texts(model, contract, golden, {**texts, PROOF_KEY: summary.to_json()})
    if decision_digest(sealed) != digest:
        raise ModelError("the model's graph was changed by writing it anew; export the run again")
    return sealed


def attach_to_file(model: Path, proof: Path) -> bytes:
    """Return the content of the exported file *model* with the summary of *proof*.

    Raises ModelError for a file that is none of ours, InputError as :func:`attach_proof` does.
    """
    return attach_proof(read_model(model).content, proof)


def read_summary(proof: Path) -> ProofSummary:
    """Read the summary of the proof in folder *proof*. Raises InputError."""
    path = proof / PROOF_NAME
    try:
        content = read_bounded(path, MOST_PROOF_BYTES)
        raw: dict[str, Any] = json.loads(content)["summary"]
        raw["proof_sha256"] = hashlib.sha256(content).hexdigest()
        return ProofSummary.from_json(json.dumps(raw))
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}); name a folder made by 'stampgate prove'"
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        why = printable(error)[:120]
        raise InputError(
            f"{path}: must be a proof made by 'stampgate prove' of this release, not another file "
            f"({why}); make it anew"
        ) from None
