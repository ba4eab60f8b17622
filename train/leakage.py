"""Leakage: photographs that a model has met must not judge it; they are known by their hashes.

A run keeps, of every photograph that it trained on, validated on or set its threshold by, the
SHA-256 and a perceptual hash. The perceptual hash finds copies: saved again, resized, brighter or
darker, turned or mirrored. The list lies in the run's folder, and a bounded one without names in
the exported file, so that whoever proves the model needs neither the run nor the photographs.
"""

import base64
import binascii
import json
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edge.errors import FrameError, InputError
from edge.files import read_bounded, write_atomic
from edge.vision.picture_files import read_picture
from edge.vision.preprocess import Frame

NAME = "photographs.json"
"""The list in a run's folder."""
FORMAT = 1
SIDE_BITS = 16
HASH_BYTES = SIDE_BITS**2 // 8
DECODED_PX = 4 * SIDE_BITS
"""Side to which a picture is shrunk for its hash."""
NEAR = 40
"""Bits of 256. Measured on 331 photographs of groceries and of boards: saved again at JPEG quality
40, at 45 % or at 120 pixels, or a quarter darker, each stayed within 10 bits of itself, a fifth
brighter within 24; of two that are not the same picture none came nearer than 46."""
SUM_BYTES = 8
"""Bytes of a SHA-256 that the exported file keeps: chance meets one in 10^16 pairs."""
MOST_EXPORTED = 4096
"""Most photographs listed in an exported file: 220 kB."""
MOST_BYTES = 256 << 20
TRAINED, HELD_OUT, MARK = "trained on", "held out", "mark"
"""What a run did with a picture; by those held out it validates and sets its threshold."""


@dataclass(frozen=True)
class Met:
    """A photograph that a model has met.

    *role*: what for; *name*: in its folder, empty in an exported file; *sha256*: of the file, in
    hex, cut short in an exported file; *likeness*: its perceptual hash, empty when it could not be
    decoded.
    """

    role: str
    name: str
    sha256: str
    likeness: bytes

    @property
    def words(self) -> str:
        """Which one it is, for people."""
        what = {TRAINED: "a photograph trained on", HELD_OUT: "one held out for the threshold"}
        named = f" ({self.name})" if self.name else ""
        return what.get(self.role, "a picture of the mark") + named


@dataclass(frozen=True)
class MetPhotographs:
    """All photographs that a model has met; *left_out*: how many more are not in the list."""

    photographs: tuple[Met, ...]
    left_out: int = 0

    def same_file(self, sha256: str) -> Met | None:
        """Return the photograph whose file has that SHA-256, None when there is none."""
        return next((m for m in self.photographs if sha256.startswith(m.sha256)), None)

    def copy_of(self, frame: Frame) -> Met | None:
        """Return the photograph that *frame*, (height, width, 3) RGB, is a copy of, or None."""
        if not len(self._known[1]):
            return None
        asked = np.stack([np.frombuffer(h, np.uint8) for h in all_ways(frame)])
        bits = np.unpackbits(asked[:, None] ^ self._known[1][None], axis=2).sum(2).min(0)
        nearest = int(bits.argmin())
        return self._known[0][nearest] if bits[nearest] <= NEAR else None

    @cached_property
    def _known(self) -> tuple[list[Met], NDArray[np.uint8]]:
        known = [m for m in self.photographs if len(m.likeness) == HASH_BYTES]
        rows = [np.frombuffer(m.likeness, np.uint8) for m in known]
        return known, np.stack(rows) if rows else np.empty((0, HASH_BYTES), np.uint8)

    def export_text(self) -> str:
        """Return the list for an exported file: JSON, bounded and without names."""
        step = max(1, -(-len(self.photographs) // MOST_EXPORTED))
        kept = [m for m in self.photographs[::step] if len(m.likeness) == HASH_BYTES]
        packed = {
            role: _packed([m for m in kept if m.role == role])
            for role in dict.fromkeys(m.role for m in kept)
        }
        left_out = self.left_out + len(self.photographs) - len(kept)
        return json.dumps({"format": FORMAT, "left_out": left_out, "met": packed})

    @classmethod
    def from_export(cls, text: str) -> "MetPhotographs | None":
        """Read what :meth:`export_text` wrote; None for an empty text or one of another release."""
        try:
            raw = json.loads(text)
            if raw["format"] != FORMAT:
                return None
            found = [m for role, packed in raw["met"].items() for m in _unpacked(role, packed)]
            return cls(tuple(found), int(raw["left_out"]))
        except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
            return None


def _packed(met: Sequence[Met]) -> str:
    rows = (bytes.fromhex(m.sha256)[:SUM_BYTES] + m.likeness for m in met)
    return base64.b64encode(b"".join(rows)).decode("ascii")


def _unpacked(role: str, packed: str) -> Iterator[Met]:
    content, size = base64.b64decode(packed, validate=True), SUM_BYTES + HASH_BYTES
    for at in range(0, len(content) - size + 1, size):
        row = content[at : at + size]
        yield Met(role, "", row[:SUM_BYTES].hex(), row[SUM_BYTES:])


def likeness(picture: Image.Image) -> bytes:
    """Return the perceptual hash of a picture: 256 bits, each a low frequency above the median.

    It is imagehash's ``phash`` (Zauner, 2010) of 16 x 16 frequencies.
    """
    import imagehash  # noqa: PLC0415 - of the extra: commands are described without it

    return np.packbits(imagehash.phash(picture, SIDE_BITS).hash.reshape(-1)).tobytes()


def all_ways(frame: Frame) -> list[bytes]:
    """Return the hashes of a frame in its eight orientations: turned by 90 degrees, mirrored."""
    small = Image.fromarray(frame).convert("L")
    grey = np.asarray(small.resize((DECODED_PX, DECODED_PX), Image.Resampling.LANCZOS))
    turned = [np.rot90(way, turns) for way in (grey, grey[:, ::-1]) for turns in range(4)]
    return [likeness(Image.fromarray(np.ascontiguousarray(way))) for way in turned]


def meet(files: Iterable[tuple[str, str, str, Path]]) -> MetPhotographs:
    """Make the list of photographs; each is given by role, name, SHA-256 and path.

    A picture that cannot be decoded (a mark drawn as SVG) is known by its file alone.
    """

    def known(one: tuple[str, str, str, Path]) -> Met:
        role, name, sha256, path = one
        return Met(role, name, sha256, _likeness_of(path))

    with ThreadPoolExecutor(thread_name_prefix="likeness") as pool:
        return MetPhotographs(tuple(pool.map(known, files)))


def _likeness_of(path: Path) -> bytes:
    try:
        return likeness(Image.fromarray(read_picture(path, draft_px=2 * DECODED_PX)))
    except FrameError:
        return b""


def write_met(met: MetPhotographs, inputs: str, run: Path) -> None:
    """Write the list into a run's folder; *inputs*: digest of their fingerprint.

    Raises InputError.
    """
    rows = [[m.role, m.name, m.sha256, m.likeness.hex()] for m in met.photographs]
    text = json.dumps({"format": FORMAT, "inputs": inputs, "photographs": rows})
    write_atomic(run / NAME, text.encode())


def read_met(run: Path, inputs: str = "") -> MetPhotographs | None:
    """Read the list of a run's folder; None when it has none, or one of other *inputs*.

    Raises InputError when it is damaged.
    """
    path = run / NAME
    try:
        raw: dict[str, Any] = json.loads(read_bounded(path, MOST_BYTES))
        if inputs and raw["inputs"] != inputs:
            return None
        rows = [
            Met(role, name, total, bytes.fromhex(h)) for role, name, total, h in raw["photographs"]
        ]
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}); bring the whole run"
        ) from None
    except (ValueError, KeyError, TypeError):
        raise InputError(
            f"{path}: must be a list of photographs made by 'stampgate train', not a damaged one; "
            "bring the whole run"
        ) from None
    return MetPhotographs(tuple(rows))
