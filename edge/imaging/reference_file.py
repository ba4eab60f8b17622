"""The reference as a file: JSON with the pictures in it, replaced atomically."""

import base64
import hashlib
import json
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.config import Config
from edge.errors import InputError
from edge.files import atomic_replace, read_bounded
from edge.imaging.reference import SIDES, Patch, Reference, View
from edge.strict_json import each_once

VERSION = 1
MOST_BYTES = 64 << 20
"""Longest file that is read."""
MOST_SIDE = 1 << 14
"""Greatest width or height of a picture in it, pixels."""
MOST_PATCHES = 64


def reference_path(config: Config) -> Path | None:
    """Return where the reference lies; None where none is to be kept."""
    return config.path(config.imaging.reference) if config.imaging.reference else None


def load_reference(path: Path) -> tuple[Reference, str] | None:
    """Read the reference and its SHA-256, in hex; None where there is no file.

    Raises InputError for a file that cannot be read or is no reference of this version.
    """
    try:
        content = read_bounded(path, MOST_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _wrong(path, error.strerror or str(error)) from None
    try:
        reference = _parse(json.loads(content, object_pairs_hook=each_once))
    except (ValueError, TypeError, KeyError, RecursionError, zlib.error) as error:
        raise _wrong(path, f"{type(error).__name__}: {error}") from None
    return reference, hashlib.sha256(content).hexdigest()


def save_reference(
    path: Path,
    reference: Reference,
    about: Mapping[str, Any],
    note: Callable[[str], None] = lambda _: None,
) -> str:
    """Replace the file *path* by a reference and return its SHA-256.

    *about*: more fields, for people; *note*: is told the sum once the new file is written and
    before it replaces the old one, which stays when it raises. Raises InputError when it cannot be
    written.
    """
    value = {
        "v": VERSION,
        **about,
        "width": reference.width,
        "height": reference.height,
        "spread": reference.spread,
        "empty": _view_object(reference.empty),
        "filled": _view_object(reference.filled),
        "patches": [
            {"x": patch.x, "y": patch.y, "pixels": _packed(patch.pixels)}
            for patch in reference.patches
        ],
    }
    content = (json.dumps(value, sort_keys=True) + "\n").encode()
    sha256 = hashlib.sha256(content).hexdigest()
    with atomic_replace(path) as temporary:
        temporary.write_bytes(content)
        note(sha256)
    return sha256


def _wrong(path: Path, why: str) -> InputError:
    return InputError(
        f"{path}: is no reference of this version ({why}); remove it, and run "
        "'stampgate-edge calibrate' anew"
    )


def _view_object(view: View | None) -> dict[str, Any] | None:
    if view is None:
        return None
    return {"mean": _packed(view.mean), "apart": _packed(view.apart), "pictures": view.pictures}


def _packed(pixels: NDArray[np.uint8]) -> dict[str, Any]:
    rows, columns = pixels.shape
    data = base64.b64encode(zlib.compress(pixels.tobytes())).decode()
    return {"rows": rows, "columns": columns, "zlib": data}


def _parse(value: Any) -> Reference:
    """Raises ValueError, TypeError, KeyError or zlib.error for what is no reference."""
    if value["v"] != VERSION:
        raise ValueError("another version")
    width, height = _whole(value["width"]), _whole(value["height"])
    patches = tuple(_patch(one, width, height) for one in value["patches"][:MOST_PATCHES])
    spread = float(value["spread"])
    if not 0 <= spread < 100:
        raise ValueError("spread out of range")
    return Reference(width, height, _view(value["empty"]), _view(value["filled"]), patches, spread)


def _view(value: Any) -> View | None:
    if value is None:
        return None
    mean, apart = _unpacked(value["mean"]), _unpacked(value["apart"])
    if mean.shape != apart.shape:
        raise ValueError("pictures of two sizes")
    return View(mean, apart, _whole(value["pictures"]))


def _patch(value: Any, width: int, height: int) -> Patch:
    pixels = _unpacked(value["pixels"])
    x, y = int(value["x"]), int(value["y"])
    rows, columns = pixels.shape
    if rows != columns or rows not in SIDES:
        raise ValueError("a patch of another form")
    if not (0 <= x <= width - columns and 0 <= y <= height - rows):
        raise ValueError("a patch beyond the picture")
    return Patch(x, y, pixels)


def _unpacked(value: Any) -> NDArray[np.uint8]:
    rows, columns = _whole(value["rows"]), _whole(value["columns"])
    unpacking = zlib.decompressobj()
    data = unpacking.decompress(base64.b64decode(value["zlib"], validate=True), rows * columns + 1)
    if len(data) != rows * columns:
        raise ValueError("pixels are missing or too many")
    return np.frombuffer(data, np.uint8).reshape(rows, columns)


def _whole(value: Any) -> int:
    if not isinstance(value, int) or not 1 <= value <= MOST_SIDE:
        raise ValueError("a number out of range")
    return value
