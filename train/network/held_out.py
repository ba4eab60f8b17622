"""The pictures in a run's folder on which export compares the ONNX file with the network."""

import io
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.errors import InputError
from edge.files import write_atomic

NAME, KEPT = "held_out.npz", 16
"""The file, and how many pictures of the validation set are kept in it: the first ones."""


def write_held_out(pictures: NDArray[np.uint8], out: Path) -> None:
    """Write *pictures*, (n, size, size, 3) RGB, into the folder *out*. Raises InputError."""
    file = io.BytesIO()
    np.savez_compressed(file, pictures=pictures)
    write_atomic(out / NAME, file.getvalue())


def read_held_out(run: Path) -> NDArray[np.uint8]:
    """Read what :func:`write_held_out` wrote, (n, size, size, 3). Raises InputError."""
    path = run / NAME
    try:
        with np.load(path, allow_pickle=False) as content:
            return np.asarray(content["pictures"], np.uint8)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        reason = error.strerror if isinstance(error, FileNotFoundError) else error
        raise InputError(
            f"{path}: cannot be read ({reason}); it belongs to the run, bring the whole folder"
        ) from None
