"""The intended-use sheet of a bundle, and what ``stampgate bundle show`` prints."""

import dataclasses
import textwrap
from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from edge.bundles.manifest import time_text
from edge.bundles.reading import Bundle
from edge.printing import printable
from edge.sections.decision import DecisionSettings
from edge.settings import toml_value
from edge.vision.contract import Contract
from edge.vision.proof_summary import ProofSummary

COLUMNS = 80
LABEL = 14
UNPROVEN = "NONE. Nobody has proven this model; it was bundled with --unproven."
NOT_STATED = "not stated; whoever activates this bundle decides what it is used for"


def use_sheet(
    name: str, contract: Contract, decision: DecisionSettings, proof: ProofSummary | None, use: str
) -> str:
    """Return the intended-use sheet: what the model is for, was shown to do, and is not for."""
    rules = changed_rules(decision)
    sizes = contract.mark_px
    seen = f"{sizes[0]:.0f} to {sizes[1]:.0f} pixels of the network" if sizes else "not known"
    rows = {
        "Intended use": printable(use) or NOT_STATED,
        "Finds": ", ".join(contract.classes),
        "From score": f"{contract.threshold:g}",
        "Mark sizes": seen,
        "Rules": "; ".join(rules) or "those of a new edge.toml: every mark, anywhere",
        "Proof": proof_words(proof),
        "Not for": "other marks, other rules or another place of the camera than these: each is a "
        "case of its own, which nobody has measured",
    }
    title = f"Intended use of the model {name}"
    body = [line for label, text in rows.items() for line in row(label, text)]
    return "\n".join([title, "=" * len(title), "", *body]) + "\n"


def proof_words(proof: ProofSummary | None) -> str:
    """Return in words what was proven."""
    if proof is None:
        return UNPROVEN
    return printable(f"{proof.line}; plan {proof.plan}: {proof.result}")


def changed_rules(decision: DecisionSettings) -> list[str]:
    """Return the keys of [decision] that are not as in a new ``edge.toml``, with their values."""
    plain = DecisionSettings()
    return [
        f"{field.name} = {toml_value(value)}"
        for field in dataclasses.fields(decision)
        if (value := getattr(decision, field.name)) != getattr(plain, field.name)
    ]


def row(label: str, text: str) -> list[str]:
    """Return a label and a text beside it, wrapped to 80 columns."""
    return textwrap.wrap(
        text,
        COLUMNS,
        initial_indent=f"{label:<{LABEL}}",
        subsequent_indent=" " * LABEL,
        break_on_hyphens=False,
    ) or [label]


def show_lines(bundle: Bundle, verified: bool, now: datetime) -> Iterator[str]:
    """Yield what is inside a bundle, for a person; *verified*: whether a trusted key has signed."""
    yield f"{bundle.name}, version {bundle.version}"
    yield ""
    rows = {
        "release": bundle.id,
        "signed by": _signer(bundle, verified),
        "created": f"{time_text(bundle.created)} by {bundle.manifest.made_by}",
        "valid": _valid(bundle, now),
        "model": f"{bundle.model_id[:16]} (graph and contract); file {bundle.model_sha256[:16]}",
        "proof": proof_words(bundle.proof),
        "rules": "; ".join(changed_rules(bundle.decision)) or "those of a new edge.toml",
        "golden frames": _frames(bundle),
        "key id": bundle.signer.key_id,
        "SHA-256": bundle.bundle_sha256,
    }
    for label, text in rows.items():
        yield from row(label, text)
    yield ""
    for name, member in bundle.members.items():
        yield f"{member.size:>12} {name}"
    yield ""
    yield from (printable(line) for line in bundle.intended_use.splitlines())


def made_lines(bundle: Bundle, candidates: str) -> Iterator[str]:
    """Yield what was made; *candidates*: what verdicts the frames got that it was chosen from."""
    size = bundle.path.stat().st_size / 1e6
    yield f"{bundle.path}: {size:.1f} MB, {bundle.name}, version {bundle.version}"
    yield f"signed by the key {bundle.signer.key_id}, valid {_valid(bundle, bundle.not_before)}"
    yield f"golden frames: {_frames(bundle)}, chosen among {candidates}"
    yield f"proof: {proof_words(bundle.proof)}"
    if bundle.proof is not None and bundle.proof.result != "shown":
        yield "warning: the plan of that proof was not shown; who activates this is told so"
    yield f"next: 'stampgate bundle show {bundle.path}', then copy it to the box and activate it"


def _signer(bundle: Bundle, verified: bool) -> str:
    if verified:
        return str(bundle.signer)
    return f"NOT VERIFIED; name --keys DIR. It names the key {bundle.signer.key_id[:16]}"


def _valid(bundle: Bundle, now: datetime) -> str:
    words = f"from {time_text(bundle.not_before)} to {time_text(bundle.expires)}"
    if now >= bundle.expires:
        return f"{words}: EXPIRED"
    return f"{words}: NOT YET" if now < bundle.not_before else words


def _frames(bundle: Bundle) -> str:
    frames, (width, height) = bundle.golden.frames, bundle.golden.size
    shown = Counter(frame.shows for frame in frames)
    verdicts = Counter(frame.verdict for frame in frames)
    kinds = ", ".join(f"{n} {shows}" for shows, n in shown.items())
    return (
        f"{len(frames)} of {width} x {height} pixels ({kinds}); {verdicts['pass']} must pass, "
        f"{verdicts['reject']} be rejected"
    )
