"""The folder of collected pictures: near duplicates, numbers, and pictures that a person took out.

``pictures/`` holds what may be trained on, and nothing else. A file is named after what it shows
and its number, so that training, which splits photographs by product, holds a whole keyword out.
Numbers are given once: a dropped picture's number stays its own.
"""

import dataclasses
import hashlib
import re
import threading
from collections.abc import Collection as Group
from pathlib import Path
from types import TracebackType
from typing import Self

from edge.errors import InputError, UsageError
from edge.files import make_folder, sync_folder, write_atomic
from train.copies import NEAR
from train.crawl.cleaning import Clean, RefusedError, clean
from train.crawl.manifest import Entry, Kind, Manifest, Source, now

MANIFEST, PICTURES, DROPPED = "manifest.jsonl", "pictures", "dropped"
LONGEST_NAME = 40
SAME, ALIKE = "duplicate", "near duplicate"
BY_COMMAND, BY_HAND = "by --drop", "its file was taken out of pictures/ by hand"


class Collection:
    """A folder of cleaned pictures and its manifest; use as a context manager.

    *folder*: is made when it is missing. *near*: pictures whose perceptual hashes differ in at most
    that many of 64 bits are near duplicates and only the first is kept; 0 keeps them all. Entering
    repairs what was interrupted, takes over what was done by hand, and lists both in *notes*.

    Synchronization: :meth:`take`, :meth:`refuse` and :meth:`miss` are safe in any thread; the rest
    belongs to one.
    """

    def __init__(self, folder: Path, near: int = NEAR) -> None:
        self.folder = folder
        self.notes: list[str] = []
        self._near = near
        self._lock = threading.Lock()
        self._pictures: dict[int, Entry] = {}
        self._by_sha: dict[str, int] = {}
        self._hashes: dict[int, int] = {}
        self._urls: dict[str, Entry] = {}
        self._by_source: dict[tuple[str, str], Entry] = {}

    def __enter__(self) -> Self:
        make_folder(self.folder / PICTURES)
        self._manifest = Manifest(self.folder / MANIFEST).__enter__()
        try:
            for entry in self._manifest.entries:
                self._index(entry)
            self._repair()
        except BaseException as error:
            self._manifest.__exit__(type(error), error, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:  # a thread that is writing ends its line first
            self._manifest.__exit__(kind, error, trace)

    @property
    def kept(self) -> list[Entry]:
        """The pictures kept, by number."""
        return [entry for _, entry in sorted(self._pictures.items()) if entry.kind == "kept"]

    def count(self, engine: str, keyword: str) -> int:
        """Return how many pictures are kept from *engine* for *keyword*."""
        return sum(1 for entry in self.kept if (entry.engine, entry.keyword) == (engine, keyword))

    def known(self, url: str) -> Entry | None:
        """Return the entry of *url*, if it has one; then it is not fetched again."""
        return self._urls.get(url)

    def known_file(self, url: str, sha256: str) -> Entry | None:
        """Return the entry of this very file, if it would be judged so again.

        *sha256*: empty when the file was not read.
        """
        entry = self._by_source.get((url, sha256))
        if (
            entry
            and entry.reason.startswith(ALIKE)
            and (not self._near or entry.distance > self._near)
        ):
            return None  # the caller asks for less likeness to be a repetition than the last time
        return entry

    def take(self, source: Source, body: bytes) -> Entry:
        """Clean *body* and keep it, unless it is refused or a duplicate; returns its entry.

        Raises InputError when it cannot be written.
        """
        sha256 = hashlib.sha256(body).hexdigest()
        arrived = Entry(
            "refused",
            source.url,
            source.engine,
            source.keyword,
            now(),
            sha256=sha256,
            size=len(body),
        )
        try:
            picture = clean(body)
        except RefusedError as error:
            return self._note(dataclasses.replace(arrived, reason=str(error)))
        with self._lock:
            duplicate = self._duplicate(arrived, picture)
            return self._append(duplicate or self._keep(arrived, picture))

    def refuse(self, source: Source, reason: str) -> Entry:
        """Record that there is no picture at *source*; it is never fetched again."""
        return self._note(_bodiless("refused", source, reason))

    def miss(self, source: Source, reason: str) -> Entry:
        """Record that *source* could not be had this time; the next run tries again."""
        return self._note(_bodiless("missed", source, reason))

    def drop(self, numbers: Group[int]) -> list[Entry]:
        """Move pictures to ``dropped/``, for good; those dropped before are passed over.

        Raises UsageError, before anything is moved, when there is no such picture.
        """
        unknown = sorted(set(numbers) - set(self._pictures))
        if unknown:
            raise UsageError(
                f"--drop: no picture has the number {', '.join(map(str, unknown))}; "
                "look on the contact sheet"
            )
        return [self._drop(entry) for entry in self.kept if entry.number in numbers]

    def path(self, entry: Entry) -> Path:
        """Return the path of the file of *entry*."""
        return self.folder / entry.file

    def _drop(self, entry: Entry) -> Entry:
        make_folder(self.folder / DROPPED)
        there = f"{DROPPED}/{Path(entry.file).name}"
        try:
            self.path(entry).replace(self.folder / there)
            sync_folder(self.folder / DROPPED)
            sync_folder(self.folder / PICTURES)
        except OSError as error:
            raise InputError(
                f"{self.path(entry)}: cannot be moved to {self.folder / DROPPED} "
                f"({error.strerror}); make room or permission there"
            ) from None
        return self._append(
            dataclasses.replace(entry, kind="dropped", file=there, reason=BY_COMMAND, time=now())
        )

    def _keep(self, arrived: Entry, picture: Clean) -> Entry:
        """Write the picture's file and return its entry.

        The file first and its line after it, so that no line names a file that is missing.
        """
        number = max(self._pictures, default=0) + 1
        file = f"{PICTURES}/{_named(arrived.keyword)}_{number:06}.jpg"
        write_atomic(self.folder / file, picture.jpeg)
        return dataclasses.replace(
            arrived,
            kind="kept",
            number=number,
            file=file,
            width=picture.width,
            height=picture.height,
            phash=f"{picture.phash:016x}",
        )

    def _duplicate(self, arrived: Entry, picture: Clean) -> Entry | None:
        """Return the entry that refuses a duplicate, of dropped ones too; None when it is new."""
        same = self._by_sha.get(arrived.sha256)
        if same is not None:
            return dataclasses.replace(arrived, reason=f"{SAME}: of {same}", like=same)
        if not self._near or not self._hashes:
            return None
        distance, like = min(
            ((picture.phash ^ other).bit_count(), n) for n, other in self._hashes.items()
        )
        if distance > self._near:
            return None
        reason = f"{ALIKE}: of {like}, {distance} of 64 bits differ"
        return dataclasses.replace(arrived, reason=reason, like=like, distance=distance)

    def _note(self, entry: Entry) -> Entry:
        with self._lock:
            return self._append(entry)

    def _append(self, entry: Entry) -> Entry:
        self._manifest.append(entry)
        self._index(entry)
        return entry

    def _index(self, entry: Entry) -> None:
        if entry.kind != "missed":
            self._urls[entry.url] = entry
            self._by_source[entry.url, entry.sha256] = entry
        if entry.number:
            self._pictures[entry.number] = entry
            self._by_sha.setdefault(entry.sha256, entry.number)
            self._hashes[entry.number] = int(entry.phash, 16)

    def _repair(self) -> None:
        """Repair what was interrupted, and take over what was done by hand."""
        if self._manifest.torn:
            self.notes.append(f"{self._manifest.path}: its last line was cut off and is taken away")
        self._remove_leftovers()
        for entry in list(self._pictures.values()):
            name, there = Path(entry.file).name, self.path(entry).exists()
            back = self.folder / PICTURES / name
            if entry.kind == "kept" and not there:
                file = (
                    f"{DROPPED}/{name}" if (self.folder / DROPPED / name).exists() else entry.file
                )
                self._append(
                    dataclasses.replace(
                        entry, kind="dropped", file=file, reason=BY_HAND, time=now()
                    )
                )
                self.notes.append(f"picture {entry.number}: {BY_HAND}; it counts as dropped")
            elif entry.kind == "dropped" and back.exists():
                self._append(
                    dataclasses.replace(
                        entry, kind="kept", file=f"{PICTURES}/{name}", reason="", time=now()
                    )
                )
                self.notes.append(
                    f"picture {entry.number}: its file was put back into {PICTURES}/; "
                    "it counts again"
                )

    def _remove_leftovers(self) -> None:
        """Remove temporary files, and the one picture that may be there without its line."""
        following = max(self._pictures, default=0) + 1
        for path in (self.folder / PICTURES).iterdir():
            if re.fullmatch(rf"\..+_\d{{6}}\.jpg\..+|.+_{following:06}\.jpg", path.name):
                path.unlink()
                self.notes.append(f"{path}: was left behind by an interrupted run and is removed")


def _bodiless(kind: Kind, source: Source, reason: str) -> Entry:
    return Entry(kind, source.url, source.engine, source.keyword, now(), reason=reason)


def _named(keyword: str) -> str:
    """Return a keyword as the beginning of a file name.

    >>> _named("Milk carton, 1 l"), _named("牛奶"), _named("///")
    ('milk-carton-1-l', '牛奶', 'picture')
    """
    return re.sub(r"[\W_]+", "-", keyword.lower())[:LONGEST_NAME].strip("-") or "picture"
