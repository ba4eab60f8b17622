"""``--from``: the company's own photographs, through the same cleaning as the engines' pictures."""

import hashlib
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from edge.errors import InputError, UsageError
from train.crawl.cleaning import RefusedError, check_size
from train.crawl.collection import Collection
from train.crawl.counts import Counts
from train.crawl.manifest import FOLDER, Source
from train.photographs import product_of


def list_files(folder: Path, out: Path) -> list[Path]:
    """Return all files in *folder* and below, sorted, without hidden ones.

    Raises InputError when there is none, and UsageError when *out* and *folder* lie in one another:
    the next run would take its own pictures for new ones.
    """
    if not folder.is_dir():
        raise InputError(f"--from {folder}: no such folder; name a folder of photographs")
    here, there = folder.resolve(), out.resolve()
    if here.is_relative_to(there) or there.is_relative_to(here):
        raise UsageError(
            f"--out {out}: must not lie in --from {folder}, nor around it; name another place"
        )
    try:
        paths = sorted(
            p for p in folder.rglob("*") if p.is_file() and not _hidden(p.relative_to(folder))
        )
    except OSError as error:
        raise InputError(
            f"--from {folder}: cannot be listed ({error.strerror}); check its permissions"
        ) from None
    if not paths:
        raise InputError(f"--from {folder}: holds no file; name a folder of photographs")
    return paths


def gather(
    paths: Sequence[Path],
    folder: Path,
    collection: Collection,
    stop: threading.Event,
    progress: Callable[[], None],
) -> Counts:
    """Take each of *paths* that was not judged before, until *stop* is set. Raises InputError."""
    counts = Counts(FOLDER, folder.name)
    for path in paths:
        if stop.is_set():
            break
        counts.links += 1
        _take(
            path,
            Source(path.absolute().as_uri(), FOLDER, product_of(path, folder)),
            collection,
            counts,
        )
        progress()
    return counts


def _take(path: Path, source: Source, collection: Collection, counts: Counts) -> None:
    try:
        check_size(path.stat().st_size)
        body = path.read_bytes()
    except RefusedError as error:
        known = collection.known_file(source.url, "")
        counts.add(known or collection.refuse(source, str(error)), again=known is not None)
    except OSError as error:
        counts.add(collection.miss(source, f"cannot be read: {error.strerror}"))
    else:
        known = collection.known_file(source.url, hashlib.sha256(body).hexdigest())
        counts.add(known or collection.take(source, body), again=known is not None)


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
