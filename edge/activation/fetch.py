"""Fetch the newest bundle that a signed index lists, from a plain web server or a folder.

The server is trusted with nothing: the index is signed, must not be older than one that was read
before, and expires soon, so that nobody can hold an old state back; the bundle must have the size
and the sum that the index gives, and is verified in full when it is activated. What broke off is
resumed where the server can, else begun anew.
"""

import contextlib
import dataclasses
import errno
import hashlib
import http
import http.client
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from edge import __version__
from edge.activation.activate import remember_refusal
from edge.activation.known_time import KnownTime, known_time
from edge.bundles.index import INDEX_NAME, MOST_BYTES, Index, Listed, check_index, read_index
from edge.bundles.reading import Limits
from edge.bundles.trust import load_trusted_keys
from edge.config import Config
from edge.errors import BundleError, InputError, UsageError
from edge.files import make_folder, open_regular, sync_folder
from edge.printing import printable
from edge.releases.store import INCOMING, locked, read_pointer, write_pointer

SILENT_S = 30.0
"""So long a server may say nothing."""
CHUNK = 1 << 16
PART = ".part"
"""How the name of a bundle ends that is not whole yet."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""Computers that may be asked without TLS: this one."""


@dataclass(frozen=True)
class Fetched:
    """What was fetched: the bundle in the store, None where the index lists nothing newer.

    *newest*: the version of that name that was here before, 0 for none.
    """

    path: Path | None
    listed: Listed | None
    newest: int


def fetch(
    config: Config, source: str = "", name: str = "", time_known: KnownTime | None = None
) -> Fetched:
    """Fetch the newest bundle called *name* from *source*, a URL or a folder.

    *source*: that of the settings when empty; *name*: that of the release in service when empty.
    Raises BundleError for an index that is refused, which the store remembers; InputError for what
    cannot be reached or written; UsageError for what cannot be asked.
    """
    source = source or config.model.fetch_from
    if not source:
        raise UsageError(
            "there is nothing to fetch from: name an address or a folder, or set [model] fetch_from"
        )
    store = config.path(config.model.releases)
    keys = load_trusted_keys(config.path(config.model.keys))
    place = _Place(source if "://" in source else str(config.path(source)))
    with place.open(INDEX_NAME, 0) as (_, file):
        limit_s = config.model.fetch_s
        content = b"".join(_pieces(place.where(INDEX_NAME), file, 2 * MOST_BYTES, limit_s))
    with locked(store):
        pointer = read_pointer(store)
        try:
            index, _ = read_index(content, keys, place.where(INDEX_NAME))
            now = (time_known or known_time(config)).now
            check_index(index, place.where(INDEX_NAME), now, pointer.index)
        except BundleError as error:
            remember_refusal(store, pointer, INDEX_NAME, "fetch", str(error))
            raise
        if index.version > pointer.index:
            write_pointer(store, dataclasses.replace(pointer, index=index.version))
        listed = _wanted(index, name or pointer.current.rsplit("-", 2)[0], place)
        newest = pointer.highest.get(listed.name, 0)
        if listed.version <= newest:
            return Fetched(None, listed, newest)
        path = _bring(place, listed, store / INCOMING, config.model.fetch_s)
        return Fetched(path, listed, newest)


def _wanted(index: Index, name: str, place: "_Place") -> Listed:
    """Return the newest bundle of that *name*, or of the only one there is. Raises UsageError."""
    names = sorted({listed.name for listed in index.bundles})
    if not name and len(names) == 1:
        name = names[0]
    listed = index.newest(name)
    if listed is None:
        there = ", ".join(names) or "none"
        raise UsageError(
            f"{place.where(INDEX_NAME)}: lists no bundle {printable(name)!r}; it has {there}: name "
            "one with --name"
        )
    return listed


def _bring(place: "_Place", listed: Listed, folder: Path, limit_s: float) -> Path:
    """Bring a bundle into *folder*, whole and on the disk; return it. Raises BundleError."""
    if listed.size > Limits().bundle_bytes:
        raise BundleError(f"{listed.file}: has {listed.size} bytes, more than a bundle may have")
    make_folder(folder)
    final, part = folder / listed.file, folder / f"{listed.file}{PART}"
    for old in folder.iterdir():
        if old not in (final, part):
            old.unlink()
    if final.exists():
        if _sum(final) == listed.sha256:
            return final
        final.unlink()
    try:
        total = _append(place, listed, part, limit_s)
    except OSError as error:
        if isinstance(error, InputError):
            raise
        why = error.strerror or str(error)
        raise InputError(f"{part}: cannot be written ({why}); make room there") from None
    if total != listed.sha256:
        part.unlink()
        raise BundleError(
            f"{place.where(listed.file)}: is not what the index lists (size or sum); it is fetched "
            "anew the next time: ask who keeps the server"
        )
    part.rename(final)
    sync_folder(folder)
    return final


def _append(place: "_Place", listed: Listed, part: Path, limit_s: float) -> str:
    """Fetch what is missing of a bundle behind what is there; return the sum of it all."""
    begun = part.stat().st_size if part.is_file() and not part.is_symlink() else 0
    if begun >= listed.size:
        begun = 0
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    with os.fdopen(descriptor, "wb") as file, place.open(listed.file, begun) as (begins, content):
        file.seek(begins)
        file.truncate()
        for piece in _pieces(place.where(listed.file), content, listed.size - begins, limit_s):
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    return _sum(part)


def _pieces(where: str, content: IO[bytes], most: int, limit_s: float) -> Iterator[bytes]:
    """Yield what there is, at most one byte more than *most*, for so long. Raises InputError."""
    until_s = time.monotonic() + limit_s
    while most >= 0:
        try:
            piece = content.read(min(CHUNK, most + 1))
        except (OSError, http.client.HTTPException) as error:
            raise InputError(
                f"{where}: broke off ({_line(error)}); it goes on the next time"
            ) from None
        if not piece:
            return
        if time.monotonic() > until_s:
            raise InputError(
                f"{where}: takes longer than [model] fetch_s {limit_s:g}; it goes on the next time"
            )
        most -= len(piece)
        yield piece


def _sum(path: Path) -> str:
    total = hashlib.sha256()
    with open_regular(path, Limits().bundle_bytes) as file:
        while piece := file.read(CHUNK):
            total.update(piece)
    return total.hexdigest()


class _Place:
    """A folder, or the address of one on a web server.

    Raises UsageError for an address that is not of the web, or without TLS.
    """

    def __init__(self, source: str) -> None:
        self._source = source.rstrip("/") or "/"
        self._is_web = "://" in source
        parts = urllib.parse.urlsplit(source)
        safe = parts.scheme == "https" or parts.hostname in LOOPBACK
        if self._is_web and not (safe and parts.scheme in ("http", "https")):
            raise UsageError(
                f"{printable(source)}: must begin with https://; name a folder, or such an address"
            )

    def where(self, name: str) -> str:
        """Return what the file *name* is called in messages."""
        return printable(f"{self._source}/{name}")

    @contextlib.contextmanager
    def open(self, name: str, begin: int) -> Iterator[tuple[int, IO[bytes]]]:
        """Open the file *name* from byte *begin* on; give where it begins, and its content.

        It begins at 0 where a server does not give a part. Raises InputError.
        """
        try:
            opened = self._open_web(name, begin) if self._is_web else self._open_file(name, begin)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise InputError(
                f"{self.where(name)}: cannot be fetched ({_line(error)}); is the address right, "
                "and the network there?"
            ) from None
        with opened[1]:
            yield opened

    def _open_file(self, name: str, begin: int) -> tuple[int, IO[bytes]]:
        file = open_regular(Path(self._source) / name, Limits().bundle_bytes)
        file.seek(begin)
        return begin, file

    def _open_web(self, name: str, begin: int) -> tuple[int, Any]:
        headers = {"User-Agent": f"stampgate-edge/{__version__}"}
        if begin:
            headers["Range"] = f"bytes={begin}-"
        request = urllib.request.Request(f"{self._source}/{name}", headers=headers)  # noqa: S310
        opener = urllib.request.build_opener(_SafeRedirects)
        answer = opener.open(request, timeout=SILENT_S)
        partial = answer.status == http.HTTPStatus.PARTIAL_CONTENT
        return (begin if partial else 0), answer


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows no redirect from TLS to an address without."""

    def redirect_request(
        self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: Any
    ) -> Any:
        """Refuse what does not begin with https://, unless the address before did not either."""
        if req.full_url.startswith("https://") and not newurl.startswith("https://"):
            raise OSError(errno.EPERM, "it leads to an address without https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _line(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP {error.code}"
    if isinstance(error, urllib.error.URLError):
        return printable(error.reason)[:120]
    words = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return printable(words)[:120]
