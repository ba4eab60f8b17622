"""Make a bundle: read model, proof and settings, choose golden frames, sign, and prove the file.

::

    model → proof → settings → candidates → golden frames → sheet → version → signed file
          → read by the box's own reader, its frames judged → its name
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import cast

from edge.bundles.frames import FrameKind
from edge.bundles.manifest import NAME
from edge.bundles.reading import Bundle, read_bundle
from edge.bundles.trust import TrustedKeys, key_id_of, pem_of
from edge.config import Config
from edge.deciding.rules import Rules, rules_of
from edge.errors import FrameError, InputError, UsageError
from edge.files import atomic_replace, read_bounded
from edge.printing import printable
from edge.sight.inspector import Inspector
from edge.vision.localizer import Localizer
from edge.vision.model_file import ModelFile, read_model
from edge.vision.picture_files import read_picture
from edge.vision.picture_folders import find_pictures
from edge.vision.preprocess import Frame
from edge.vision.proof_summary import PROOF_KEY, ProofSummary
from edge.wiring import load_checked
from export.bundling.checking import check_frames
from export.bundling.golden import KINDS, Candidate, Choice, choose_frames
from export.bundling.sheet import use_sheet
from export.bundling.signing import SigningKey
from export.bundling.versions import next_version
from export.bundling.writing import Parts, write_bundle

PAINTED = 96
"""Painted frames that golden ones are chosen from, as many of each kind."""
MOST_PROOF_BYTES = 256 << 20
FOLDERS = {"stamped": "stamped", "unstamped": "unstamped", "look-alike": "look-alikes"}
"""Names of the sub-folders of ``--frames``, by what their pictures show."""


@dataclass(frozen=True)
class Asked:
    """What a bundle is to be made of, as the command line gives it.

    *proof*: folder of the proof, None for one in the model file; *run*: folder of the model's run,
    from which frames are painted; *frames*: folder of the user's own;
    *photographs*: whether frames are painted on the run's photographs; *key_file*: beside which the
    versions are kept; *days*: until it expires.
    """

    model: Path
    out: Path
    name: str
    version: int | None
    key_file: Path
    proof: Path | None
    unproven: bool
    settings: Path | None
    run: Path | None
    frames: Path | None
    photographs: bool
    intended: str
    not_before: datetime | None
    days: float


def make_bundle(asked: Asked, key: SigningKey) -> tuple[Bundle, Choice]:
    """Make the bundle that is *asked* for, signed with *key*. Raises StampgateError.

    The file has its name only when the box's own reader has read it and its golden frames were
    judged as they must be.
    """
    model = read_model(asked.model)
    proof = proof_of(asked, model)
    config = Config() if asked.settings is None else load_checked(asked.settings)
    rules = rules_of(config.decision, model.contract.classes, model.contract.threshold)
    created = datetime.now(UTC).replace(microsecond=0)
    not_before = asked.not_before or created
    expires = created + timedelta(days=asked.days)
    if not_before >= expires:
        raise UsageError("--not-before must be before the bundle expires; see --expires")
    inspector = Inspector(Localizer(asked.model, pin=model.sha256), rules)
    choice = choose_frames(inspector, *candidates_of(asked, model, config, rules))
    version = next_version(asked.key_file, asked.name, asked.version)
    use = asked.intended or _intended(asked.proof)
    parts = Parts(
        name=asked.name,
        version=version,
        model=model,
        proof=proof,
        decision=config.decision,
        intended_use=use_sheet(asked.name, model.contract, config.decision, proof, use),
        golden=choice.golden,
        frames=choice.files,
        created=created,
        not_before=not_before,
        expires=expires,
    )
    return _write(asked.out, parts, key), choice


def _write(out: Path, parts: Parts, key: SigningKey) -> Bundle:
    """Write the bundle, and prove it before it has its name. Raises ModelError, InputError."""
    key_id = key_id_of(key.public)
    keys = TrustedKeys({key_id: pem_of(key.public)}, {key_id: ""})
    with atomic_replace(out) as temporary:
        write_bundle(temporary, parts, key)
        check_frames(read_bundle(temporary, keys))
    return read_bundle(out, keys)


def proof_of(asked: Asked, model: ModelFile) -> ProofSummary | None:
    """Return the summary of the model's proof; None for one that nobody has proven.

    Raises InputError when it is that of another model, or missing and not asked to be.
    """
    proof = None
    if asked.proof is not None:
        from export.attached import read_summary  # noqa: PLC0415 - it imports onnx

        proof = read_summary(asked.proof)
    elif text := model.texts.get(PROOF_KEY):
        try:
            proof = ProofSummary.from_json(text)
        except ValueError as error:
            raise InputError(f"{asked.model}: its proof is not understood ({error})") from None
    if proof is None:
        if asked.unproven:
            return None
        raise InputError(
            f"{asked.model}: there is no proof of it; name --proof DIR ('stampgate prove' makes "
            "one), or bundle it with --unproven, which the bundle says for ever"
        )
    if asked.unproven:
        raise UsageError("--unproven: there is a proof; leave it out")
    if proof.decision_digest != model.decision_digest:
        raise InputError(
            f"{asked.proof or asked.model}: proves another model (graph and contract "
            f"{proof.decision_digest[:16]}..., must be {model.decision_digest[:16]}...); prove "
            "this one with 'stampgate prove'"
        )
    return proof


def _intended(proof: Path | None) -> str:
    """Return what the proof says that the model is for; empty when it does not."""
    if proof is None:
        return ""
    try:
        raw = json.loads(read_bounded(proof / "proof.json", MOST_PROOF_BYTES))
        return str(raw.get("intended_use", ""))[:400]
    except (OSError, ValueError, AttributeError):
        return ""


def candidates_of(
    asked: Asked, model: ModelFile, config: Config, rules: Rules
) -> tuple[Iterator[Candidate], list[Candidate]]:
    """Return the frames to choose golden ones from, and those to take besides.

    Raises UsageError when neither a run nor a folder of frames is named.
    """
    photographs = [] if asked.frames is None else photographs_in(asked.frames)
    if asked.run is not None:
        return painted(asked, asked.run, model, config, rules), photographs
    if asked.photographs:
        raise UsageError("--photographs: are those of a run; name --run RUN")
    if asked.frames is None:
        raise UsageError(
            "golden frames: name --run RUN, whose marks are painted, or --frames DIR with "
            "pictures that the box has taken"
        )
    return iter(photographs), []


def painted(
    asked: Asked, run: Path, model: ModelFile, config: Config, rules: Rules
) -> Iterator[Candidate]:
    """Yield frames that are painted from the model's run, under a progress bar."""
    from tqdm import tqdm  # noqa: PLC0415 - with torch, only where there is a run

    from train.proof.camera_frames import frames_of_run  # noqa: PLC0415

    width, height = config.camera.width, config.camera.height
    size = (height, width) if config.camera.rotate in (90, 270) else (width, height)
    view = (0, 0, *size) if rules.region is None else rules.region.bounds
    if rules.region is not None and (beyond := rules.region.beyond(*size)):
        raise InputError(f"{beyond}; correct [decision] region, or [camera] width and height")
    frames = frames_of_run(model, run, size, view, photographs=asked.photographs)
    for number in tqdm(range(PAINTED), desc="painting frames", unit="frame", leave=False):
        yield Candidate(cast("FrameKind", frames.shows(number)), partial(frames.frame, number))


def photographs_in(folder: Path) -> list[Candidate]:
    """Return the pictures of a folder as candidates, by its sub-folders. Raises InputError."""
    found = list[Candidate]()
    for shows in KINDS:
        below = folder / FOLDERS[shows]
        if below.is_dir():
            listed = find_pictures(below)
            if listed.unread:
                raise InputError(f"{listed.unread[0]}: cannot be read; check its permissions")
            found += [
                Candidate(shows, partial(_photograph, path), str(path)) for path in listed.pictures
            ]
    if not found:
        names = ", ".join(FOLDERS.values())
        raise InputError(
            f"--frames {folder}: must have pictures in sub-folders {names}; put them there"
        )
    return found


def _photograph(path: Path) -> Frame:
    try:
        return read_picture(path)
    except FrameError as error:
        raise InputError(f"--frames {error}") from None


def name_and_version(out: Path, name: str | None = None) -> tuple[str, int | None]:
    """Return the name and the version that a file called *out* says; None where it says none.

    *name*: asked for in place of the file's, which then says no version. Raises UsageError for a
    name that a bundle must not have.

    >>> name_and_version(Path("stamp-7.bundle")), name_and_version(Path("qc-seal.bundle"))
    (('stamp', 7), ('qc-seal', None))
    """
    stem, _, number = out.stem.rpartition("-")
    version = int(number) if stem and number.isascii() and number.isdigit() else None
    if name is None:
        name = out.stem if version is None else stem
    else:
        version = None
    if not NAME.fullmatch(name):
        raise UsageError(
            f"bundle: its name must be of small letters, digits and -, not {printable(name)!r}; "
            "give --out another file name, or name --name"
        )
    return name, version
