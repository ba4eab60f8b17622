"""SHA-256 of files, many at once: what a run, a data set or a study was made from."""

import hashlib
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from edge.errors import InputError


def file_sums(paths: Iterable[Path]) -> dict[Path, str]:
    """Return the SHA-256 of each file, in hex, read by as many threads as there are cores.

    Raises InputError when one cannot be read.
    """
    files = list(dict.fromkeys(paths))
    with ThreadPoolExecutor(len(os.sched_getaffinity(0)), "sums") as pool:
        return dict(zip(files, pool.map(file_sum, files), strict=True))


def file_sum(path: Path) -> str:
    """Return the SHA-256 of a file, in hex. Raises InputError."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}); put it back, or check its permissions"
        ) from None
