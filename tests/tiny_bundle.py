"""A bundle small enough to take apart: the tiny model, 16 frames of 64 x 64 pixels, one key.

Made by the desktop's own code (:mod:`export.bundling`). ``cryptography`` must be there.
"""

import dataclasses
import functools
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edge.bundles.frames import FrameKind, FrameSet, GoldenFrame
from edge.bundles.trust import key_id_of, pem_of
from edge.deciding.rules import rules_of
from edge.sections.decision import DecisionSettings
from edge.sight.inspector import Inspector
from edge.vision.localizer import Localizer
from edge.vision.model_file import examine
from export.bundling.signing import KeyFile, make_key
from export.bundling.writing import Parts, write_bundle
from tests.tiny_model import CONTRACT, GREY, SIZE, paint, sealed

CREATED = datetime(2026, 12, 1, 8, tzinfo=UTC)
EXPIRES = datetime(2027, 12, 1, 8, tzinfo=UTC)
PLAIN = DecisionSettings()


@functools.cache
def key(name: str) -> KeyFile:
    """A key that is made once a process, by its name."""
    del name
    return make_key()


def trust(folder: Path, *names: str) -> Path:
    """Make *folder* a folder of trusted keys, those of *names*; return it."""
    folder.mkdir(exist_ok=True)
    for name in names or ("desk",):
        (folder / f"{name}.pem").write_bytes(pem_of(key(name).public))
    return folder


def key_id(name: str = "desk") -> str:
    """The id of a key."""
    return key_id_of(key(name).public)


def scenes() -> list[tuple[FrameKind, NDArray[np.uint8]]]:
    """Four frames of each kind."""
    made = list[tuple[FrameKind, NDArray[np.uint8]]]()
    for i in range(4):
        place = (8 + 8 * i, 24)
        bare = paint({})
        bare[0, 0] = i
        border = paint({"dot": [place]})
        border[24 + 3 + 2 * (i % 2) :, :] = GREY
        made += [
            ("stamped", paint({"dot": [place]})),
            ("unstamped", bare),
            ("look-alike", paint({"square": [place]})),
            ("border", border),
        ]
    return made


def png(frame: NDArray[np.uint8]) -> bytes:
    """Return a frame as a PNG file."""
    file = io.BytesIO()
    Image.fromarray(frame).save(file, "PNG")
    return file.getvalue()


@functools.cache
def parts(decision: DecisionSettings = PLAIN) -> Parts:
    """The parts of the bundle ``tiny``, version 3, of the tiny model."""
    model = examine(Path("tiny.onnx"), sealed(CONTRACT))
    localizer = Localizer.unproven(Path("tiny.onnx"), model.content, CONTRACT)
    inspector = Inspector(localizer, rules_of(decision, CONTRACT.classes, CONTRACT.threshold))
    files, golden = dict[str, bytes](), list[GoldenFrame]()
    for number, (shows, frame) in enumerate(scenes()):
        name = f"frames/{number:02}-{shows}.png"
        files[name] = png(frame)
        golden.append(GoldenFrame.from_verdict(name, shows, inspector.inspect(frame)))
    return Parts(
        name="tiny",
        version=3,
        model=model,
        proof=None,
        decision=decision,
        intended_use="Finds magenta dots.\n",
        golden=FrameSet(0.02, 2.0, (SIZE, SIZE), tuple(golden)),
        frames=files,
        created=CREATED,
        not_before=CREATED,
        expires=EXPIRES,
    )


def write_tiny_bundle(path: Path, signer: str = "desk", **changes: Any) -> Path:
    """Write the bundle, signed with the key *signer*; *changes*: of its parts; return *path*."""
    write_bundle(path, dataclasses.replace(parts(), **changes), key(signer))
    return path
