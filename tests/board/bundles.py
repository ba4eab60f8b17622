"""The bundles that are activated on the board: signed on the host, by a key that is made here.

Runs on the host, which has the desktop's code. The bundles are of the board's model: versions 1
and 2 are well, version 3 was damaged on its way. Version 4 is signed and judges its golden frames
as it must, and rejects the items of the line: its threshold is above all marks but the clearest.
"""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

from PIL import Image, ImageOps

from edge.bundles.frames import FrameKind, FrameSet, GoldenFrame
from edge.bundles.trust import pem_of
from edge.deciding.rules import rules_of
from edge.sections.decision import DecisionSettings
from edge.sight.inspector import Inspector
from edge.vision.localizer import Localizer
from edge.vision.model_file import read_model
from edge.vision.preprocess import as_frame
from export.bundling.signing import make_key
from export.bundling.writing import Parts, write_bundle
from tests.board import closer
from tests.board.camera import HEIGHT, WIDTH

TOO_HIGH = 0.85
"""Threshold of the version that rejects: the clearest mark that the board's camera sees has 0.89,
all others 0.83 at most."""
BORDER = ("07-relay-box-stamped.jpg", "10-crispbread-other-seals.jpg")
LOOK_ALIKE = ("04-", "06-", "08-", "12-")
THRESHOLDS = {1: None, 2: None, 3: None, 4: TOO_HIGH}
DAMAGED = 3


def write_bundles(folder: Path) -> None:
    """Write ``1.bundle`` to ``4.bundle``, and the public key as ``keys/desk.pem``."""
    (folder / "keys").mkdir(parents=True)
    key = make_key()
    (folder / "keys" / "desk.pem").write_bytes(pem_of(key.public))
    for version, threshold in THRESHOLDS.items():
        path = folder / f"{version}.bundle"
        write_bundle(path, _parts(folder / "model.onnx", version, threshold), key)
    (folder / "model.onnx").unlink()
    damaged = folder / f"{DAMAGED}.bundle"
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)


def frames() -> dict[str, tuple[FrameKind, Image.Image]]:
    """Return 16 frames as the board's camera sees them: the sample pictures, and some mirrored."""
    names = sorted(closer.labelled())
    seen = {name: closer.seen(name) for name in names}
    found = [(_kind(name), seen[name]) for name in names]
    found += [("unstamped", ImageOps.mirror(seen[name])) for name in names[1:8:2]]
    return {f"frames/{n:02}-{kind}.png": (kind, one) for n, (kind, one) in enumerate(found[:16])}


def _kind(name: str) -> FrameKind:
    if name in BORDER:
        return "border"
    if name.startswith(LOOK_ALIKE):
        return "look-alike"
    return "stamped" if closer.labelled()[name] else "unstamped"


def _parts(model: Path, version: int, threshold: float | None) -> Parts:
    """Return the parts of a bundle of the board's model, with another threshold or its own."""
    closer.write_model(model, threshold)
    localizer, file = Localizer(model), read_model(model)
    rules = rules_of(DecisionSettings(), file.contract.classes, file.contract.threshold)
    inspector = Inspector(localizer, rules)
    files, golden = dict[str, bytes](), list[GoldenFrame]()
    for name, (shows, picture) in frames().items():
        stream = io.BytesIO()
        picture.save(stream, "PNG")
        files[name] = stream.getvalue()
        golden.append(GoldenFrame.from_verdict(name, shows, inspector.inspect(as_frame(picture))))
    now = datetime.now(UTC).replace(microsecond=0)
    return Parts(
        name="board",
        version=version,
        model=file,
        proof=None,
        decision=DecisionSettings(),
        intended_use="The emulated board.\n",
        golden=FrameSet(0.05, 4.0, (WIDTH, HEIGHT), tuple(golden)),
        frames=files,
        created=now - timedelta(days=1),
        not_before=now - timedelta(days=1),
        expires=now + timedelta(days=3650),
    )
