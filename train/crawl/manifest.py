"""The manifest: an append-only file of one JSON line for each thing that happened to a picture.

A line is on the disk before the next picture is taken. The kinds: ``kept`` (its file lies in
``pictures/``), ``refused`` (with the reason; never fetched again), ``missed`` (not to be had this
time; the next run tries again) and ``dropped`` (a person took it out; never fetched again). A
picture's later line takes the place of its earlier one, so nothing is ever rewritten. A torn last
line, from a power cut say, is taken off at the next start, and its picture is done again.
"""

import contextlib
import dataclasses
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, get_args

from edge.errors import InputError
from edge.files import append_synced, check_ours, open_ours, sync_folder
from edge.printing import print_line
from train.folder_lock import ask_for_lock, no_locks

Kind = Literal["kept", "refused", "missed", "dropped"]
VERSION = 1
FOLDER = "folder"
"""Stands for the engine when a picture comes from a folder."""


@dataclass(frozen=True)
class Source:
    """The source of a picture.

    *url*: of the picture itself. *engine*: ``google``, ``bing``, ``baidu`` or ``folder``.
    *keyword*: what was searched for; with a folder, the product.
    """

    url: str
    engine: str
    keyword: str


@dataclass(frozen=True)
class Entry:
    """One line. Fields at their default are left out of it.

    *sha256* and *size*: of the body as it arrived, the size in bytes. *width*, *height*: of the
    file kept, in pixels. *phash*: 16 hex digits. *like* and *distance*: the number of the picture
    it repeats and how many bits of the hash differ. *time*: UTC. *file*: relative to the folder of
    the manifest.
    """

    kind: Kind
    url: str
    engine: str
    keyword: str
    time: str
    number: int = 0
    file: str = ""
    sha256: str = ""
    size: int = 0
    width: int = 0
    height: int = 0
    phash: str = ""
    reason: str = ""
    like: int = 0
    distance: int = 0

    def line(self) -> bytes:
        """Return the entry as one line of JSON, with its line end."""
        given = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        fields = [f for f in dataclasses.fields(self) if given[f.name] != f.default]
        written = {"v": VERSION, **{f.name: given[f.name] for f in fields}}
        text = json.dumps(written, ensure_ascii=False)
        return text.encode("utf-8", "backslashreplace") + b"\n"


def now() -> str:
    """Return the present time, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


class Manifest:
    """Reads the lines there are and appends new ones; use as a context manager.

    Synchronization: the caller of :meth:`append` holds the collection's lock; a second process is
    refused by a file lock.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: list[Entry] = []
        """All lines, in their order."""
        self.torn = False
        """Whether a torn last line was found and taken off."""
        self._file = -1
        self._size = 0

    def __enter__(self) -> Self:
        check_ours(self.path)
        with self._trouble("opened"):
            self._file = open_ours(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT)
        try:
            with self._trouble("opened"):
                self._claim()
                sync_folder(self.path.absolute().parent)
                self._read()
        except BaseException:
            os.close(self._file)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._file)
        self._file = -1  # a late thread must not write into the file that gets the number next

    def append(self, entry: Entry) -> None:
        """Append one line; returns when it is on the disk.

        Raises InputError, and then the line is rolled back.
        """
        with self._trouble("written"):
            self._size = append_synced(self._file, entry.line(), self._size)
        self.entries.append(entry)

    def _claim(self) -> None:
        reason = ask_for_lock(self._file)
        if reason is None:
            raise InputError(
                f"{self.path}: another crawl is filling this folder; "
                "wait for it or name another --out"
            )
        if reason:
            print_line(f"stampgate: {self.path}: {no_locks(reason)}", file=sys.stderr)

    def _read(self) -> None:
        content = self.path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        self.entries = [
            _parsed(line, f"{self.path}: line {n}") for n, line in enumerate(whole.splitlines(), 1)
        ]
        self._size = len(whole)
        if len(whole) < len(content):
            self.torn = True
            os.ftruncate(self._file, self._size)
            os.fsync(self._file)

    @contextlib.contextmanager
    def _trouble(self, what: str) -> Iterator[None]:
        try:
            yield
        except InputError:
            raise
        except OSError as error:
            raise InputError(
                f"{self.path}: cannot be {what} ({error.strerror}); make room or permission there"
            ) from None


def _parsed(line: bytes, where: str) -> Entry:
    try:
        fields = json.loads(line)
        version = fields.pop("v")
        entry = Entry(**fields)
    except (ValueError, TypeError, AttributeError, KeyError):
        raise InputError(
            f"{where} is no line of a crawl's manifest; mend or remove that line"
        ) from None
    if version != VERSION:
        raise InputError(
            f"{where} must have v {VERSION}, not {version}; another version of stampgate wrote it"
        )
    for field in dataclasses.fields(Entry):
        wanted: Any = field.type
        if field.name != "kind" and not isinstance(getattr(entry, field.name), wanted):
            raise InputError(
                f"{where}: {field.name} must be {wanted.__name__}; mend or remove that line"
            )
    if entry.kind not in get_args(Kind):
        raise InputError(
            f"{where}: kind must be one of {', '.join(get_args(Kind))}, not {entry.kind!r}"
        )
    return entry
