"""Evidence: pictures of all rejects and faults, and of a sample of the passes, in a ring buffer.

The ring buffer is a folder that never grows beyond its limit; the oldest pictures make room for
new ones. A picture is called, say, ``000000042-000123456-reject.jpg``: its own number, which only
ever grows, the item's, and the verdict. What is removed first is decided by one key,
:func:`retention_key`, and by no clock. The journal is never removed.

Nothing here can delay or fail a decision: the gate has its answer before :meth:`Evidence.keep` is
called. That copies the picture into the form that Pillow writes; a daemon thread makes the JPEG and
writes it, and ``patience_ms`` are waited for it, so that the item's record can carry the SHA-256 of
the file. A disk that is slower delays one record so, not each: until the thread has drained its
queue, records name the picture without a sum. Back-pressure drops pictures, not items: one that
comes while two others wait, or that cannot be written, is not kept, and its record says why.
Pictures are not synchronised one by one, for that would slow the journal beside them: a power cut
may cost those of the last half minute (the kernel's own write-back, vm.dirty_expire_centisecs), and
the records that name them stay.
"""

import contextlib
import hashlib
import io
import os
import queue
import re
import threading
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from PIL import Image

from edge.decision import Kind
from edge.files import give_to_owner, make_folders
from edge.printing import printable
from edge.sections.records import EvidenceSettings
from edge.vision.preprocess import Frame

NAME = re.compile(r"(\d{9,})-(\d{9,})-(pass|reject|fault)\.jpg")
UNFINISHED = ".unfinished.jpg"
WAITING = 2
"""Pictures that may wait for the writer; one of 1280 x 960 takes 4.9 MB."""
RECENT = 500
"""After a start, so many of the newest pictures are opened and checked; older ones were written
back long before."""
GIVE_WAY_BYTES = 1 << 20
"""Bytes removed at once when the journal wants room."""
CLOSING_S = 10.0
"""Time limit for writing the pictures that wait at the end, seconds."""
MB = 1_000_000


@dataclass(frozen=True)
class Kept:
    """A picture in the folder: its own number, its item's, its verdict and its size in bytes."""

    number: int
    item: int
    verdict: str
    size: int

    @property
    def name(self) -> str:
        """The file's name."""
        return f"{self.number:09}-{self.item:09}-{self.verdict}.jpg"


@dataclass(frozen=True)
class Exhibit:
    """The picture kept of an item, or why there is none, for the item's record."""

    name: str = ""
    """The file; empty when there is none."""
    sha256: str = ""
    """Of the file's content, in hex; empty when it was not written in time."""
    lost: str = ""
    """Why a picture that should be kept is not; empty when none should, or it is."""

    def as_fields(self) -> dict[str, str]:
        """Return the fields of the item's record.

        >>> Exhibit(lost="two others wait").as_fields()
        {'evidence': '', 'evidence_lost': 'two others wait'}
        """
        more = {"evidence_sha256": self.sha256, "evidence_lost": self.lost}
        return {"evidence": self.name, **{name: text for name, text in more.items() if text}}


@dataclass
class _Work:
    """A picture on its way to the disk; *sha256* and *trouble* are set before *done* is."""

    kept: Kept
    picture: Image.Image
    about: str
    done: threading.Event = field(default_factory=threading.Event)
    sha256: str = ""
    trouble: str = ""


def retention_key(kept: Kept) -> int:
    """Retention policy: the sort key of pictures; the smallest, the oldest picture, goes first."""
    return kept.number


def is_drawn(sequence: int, rate: float, seed: int) -> bool:
    """Tell whether pass number *sequence* is in the sample: a share *rate*, 0..1, of all numbers.

    The sample is drawn by a hash of *seed* and number, so it is the same each time.

    >>> [sequence for sequence in range(1, 200) if is_drawn(sequence, 0.05, seed=1)]
    [30, 72, 100, 156, 195]
    """
    digest = hashlib.sha256(f"{seed}:{sequence}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < rate * 2**64


class Evidence:
    """Ring buffer of pictures in *folder*; None keeps none.

    Synchronization: one thread calls :meth:`keep`, any :meth:`give_way` and :meth:`drained`; a
    daemon thread writes. The lock is held only to read and to remove what is there, never while a
    picture is made or written.
    """

    def __init__(self, folder: Path | None, settings: EvidenceSettings) -> None:
        self.folder, self.settings = folder, settings
        self.trouble = ""
        """Why pictures are not kept; empty when they are."""
        self.last_item = 0
        """The highest item's number that a picture in the folder bore at the start."""
        self._lock = threading.Lock()
        self._kept: dict[int, Kept] = {}
        self._bytes = self._lost = 0
        self._next = 1
        self._queue: queue.Queue[_Work | None] = queue.Queue(WAITING)
        self._drained = threading.Condition()
        self._unfinished = 0  # pictures not written yet, and the first scan of the folder
        self._thread = threading.Thread(target=self._run, name="evidence", daemon=True)

    def __enter__(self) -> Self:
        if self.folder is not None:
            try:
                make_folders(self.folder)
                found = [found for found in map(_named, self.folder.iterdir()) if found]
                self._next = 1 + max((int(name[1]) for name in found), default=0)
                self.last_item = max((int(name[2]) for name in found), default=0)
            except OSError as error:
                self.trouble = f"{self.folder}: pictures cannot be kept ({error.strerror})"
            self._unfinished += 1
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.folder is not None:
            # A full queue means that the writer hangs; it dies with the process.
            with contextlib.suppress(queue.Full):
                self._queue.put(None, timeout=CLOSING_S)
                self._thread.join(CLOSING_S)

    def keep(self, sequence: int, verdict: Kind, picture: Frame | None, about: str = "") -> Exhibit:
        """Keep the picture of an item if the policy wants it, and return what became of it.

        *picture*: (height, width, 3) uint8, RGB, copied; None when there was none. *about*: goes
        into the JPEG's comment. Never raises.
        """
        if self.folder is None or picture is None or not self._is_wanted(sequence, verdict):
            return Exhibit()
        try:
            return self._hand_over(sequence, verdict, picture, about)
        except Exception as error:  # noqa: BLE001 - a picture is never worth an item
            self._lose()
            return Exhibit(lost=f"{self.folder}: pictures cannot be kept ({_reason(error)})")

    def _hand_over(self, sequence: int, verdict: Kind, picture: Frame, about: str) -> Exhibit:
        """Hand a copy of the picture to the writing thread, and wait while there is patience."""
        if not self._thread.is_alive():
            self.trouble = f"{self.folder}: pictures cannot be kept (the writing thread has died)"
            self._lose()
            return Exhibit(lost=self.trouble)
        if self._queue.full():
            self._lose()
            return Exhibit(lost=f"{WAITING} others wait for the disk")
        work = _Work(Kept(self._next, sequence, verdict, 0), Image.fromarray(picture), about)
        patience_s = self.settings.patience_ms / 1000 if self.drained() else 0.0
        with self._drained:
            self._queue.put_nowait(work)
            self._next += 1
            self._unfinished += 1
        if not work.done.wait(patience_s):
            return Exhibit(work.kept.name)
        return Exhibit(lost=work.trouble) if work.trouble else Exhibit(work.kept.name, work.sha256)

    def drained(self, timeout_s: float = 0.0) -> bool:
        """Wait until all pictures handed over are written or dropped; False after *timeout_s*.

        After a start this includes the scan of the folder.
        """
        with self._drained:
            return self._drained.wait_for(lambda: not self._unfinished, timeout_s)

    def give_way(self, path: Path) -> bool:
        """Remove a mebibyte of the oldest pictures, if they lie on the disk of the file *path*.

        Returns whether any was removed.
        """
        if self.folder is None:
            return False
        with contextlib.suppress(OSError):
            same_disk = self.folder.stat().st_dev == path.parent.stat().st_dev
            return same_disk and self._remove(GIVE_WAY_BYTES)
        return False

    def take_state(self) -> dict[str, Any]:
        """Return the figures of the health record; pictures lost are those since the last call."""
        with self._lock:
            lost, self._lost = self._lost, 0
            return {"pictures": len(self._kept), "mb": round(self._bytes / MB, 1), "lost": lost}

    def _is_wanted(self, sequence: int, verdict: Kind) -> bool:
        return verdict != "pass" or is_drawn(sequence, self.settings.pass_rate, self.settings.seed)

    def _lose(self) -> None:
        with self._lock:
            self._lost += 1

    def _note(self, kept: Kept) -> None:
        with self._lock:
            self._kept[kept.number] = kept
            self._bytes += kept.size

    def _finish_one(self) -> None:
        with self._drained:
            self._unfinished -= 1
            self._drained.notify_all()

    # What follows runs in the writing thread; give_way() may call _remove() from another.

    def _scan(self) -> None:
        """Take stock of the folder, and remove what a power cut left half written."""
        assert self.folder is not None
        (self.folder / UNFINISHED).unlink(missing_ok=True)
        for path in self.folder.iterdir():
            found = _named(path)
            if found and (int(found[1]) < self._next - RECENT or _is_whole(path)):
                self._note(Kept(int(found[1]), int(found[2]), found[3], path.stat().st_size))
            elif found:
                path.unlink()

    def _run(self) -> None:
        # Thousands of files take a second to scan: not while the belt waits for READY.
        with contextlib.suppress(OSError):
            self._scan()
        self._finish_one()
        while (work := self._queue.get()) is not None:
            try:
                work.sha256 = self._write(work.kept, work.picture, work.about)
                self.trouble = ""
            except Exception as error:  # noqa: BLE001 - a picture is never worth the service
                self._lose()
                why = f"{self.folder}: pictures cannot be kept ({_reason(error)})"
                work.trouble = self.trouble = why
            self._finish_one()
            work.done.set()
            del work  # or its picture would be held until the next one comes

    def _write(self, kept: Kept, picture: Image.Image, about: str) -> str:
        """Write one picture and return the SHA-256 of its file, in hex. Raises OSError."""
        assert self.folder is not None
        buffer = io.BytesIO()
        picture.save(
            buffer, "JPEG", quality=self.settings.quality, comment=printable(about).encode()
        )
        content = buffer.getvalue()
        self._make_room(len(content))
        unfinished = self.folder / UNFINISHED
        try:
            unfinished.unlink(missing_ok=True)  # a link or FIFO of this name is not written to
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
            give_to_owner(descriptor, self.folder.absolute())
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            unfinished.replace(self.folder / kept.name)
        except OSError:
            unfinished.unlink(missing_ok=True)  # the journal may want the room
            raise
        self._note(Kept(kept.number, kept.item, kept.verdict, len(content)))
        return hashlib.sha256(content).hexdigest()

    def _make_room(self, size: int) -> None:
        """Remove pictures until *size* bytes more fit. Raises OSError when that is not enough."""
        assert self.folder is not None
        with self._lock:
            over = self._bytes + size - self.settings.limit_mb * MB
        if over > 0:
            self._remove(over)
        while (short := self.settings.keep_free_mb * MB + size - _free_bytes(self.folder)) > 0:
            if not self._remove(short):
                raise OSError(0, "the disk is nearly full, see [evidence] keep_free_mb")

    def _remove(self, size: int) -> bool:
        """Remove at least *size* bytes of the oldest pictures; True when any was removed."""
        assert self.folder is not None
        with self._lock:
            going, freed = [], 0
            for kept in sorted(self._kept.values(), key=retention_key):
                if freed >= size:
                    break
                going.append(kept)
                freed += kept.size
            for kept in going:
                (self.folder / kept.name).unlink(missing_ok=True)
                del self._kept[kept.number]
                self._bytes -= kept.size
        return bool(going)


def _named(path: Path) -> re.Match[str] | None:
    return NAME.fullmatch(path.name)


def _is_whole(path: Path) -> bool:
    """Tell whether a JPEG has its start and end markers; a power cut may leave zeros instead."""
    with path.open("rb") as file:
        begin = file.read(2)
        file.seek(max(-2, -path.stat().st_size), os.SEEK_END)
        return begin == b"\xff\xd8" and file.read(2) == b"\xff\xd9"


def _free_bytes(folder: Path) -> int:
    space = os.statvfs(folder)
    return space.f_bavail * space.f_frsize


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
