"""All that the review page keeps and reads, opened from the settings: one object for the page."""

import os
import secrets
import threading
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from edge.config import Config
from edge.errors import InputError
from edge.files import make_folder, open_ours, read_bounded
from edge.review.audit import AuditLog
from edge.review.bound import RunningBound, running_bound
from edge.review.evidence import Picture, oldest_picture, picture_of
from edge.review.index import ReviewIndex, Shown
from edge.review.judgements import Judgement
from edge.review.people import Person, Users
from edge.review.queue import KINDS, Task, queue
from edge.review.taking import Sampling

INDEX, USERS, KEY = "index.sqlite", "users.json", "sample.key"
KEY_BYTES = 32
LOOK_S = 10.0
"""How often the evidence's folder is looked through for its oldest picture, seconds."""


class ReviewStore:
    """Index, audit log, users and evidence of the box whose settings are *config*.

    Synchronization: any thread.
    """

    def __init__(self, config: Config) -> None:
        """Open all of it; Raises InputError when the folder cannot be used."""
        self.config = config
        self.folder = config.path(config.review.folder)
        make_folder(self.folder)
        self.journal = config.path(config.journal.file)
        self.pictures = config.path(config.evidence.folder) if config.evidence.folder else None
        self.audit = AuditLog(self.folder)
        self.users = Users(self.folder / USERS)
        self.index = ReviewIndex.open(
            self.folder / INDEX,
            self.journal,
            audit=self.audit.path,
            sampling=Sampling(sample_key(self.folder / KEY), config.review.sample_share),
        )
        self._lock = threading.RLock()
        self._oldest: tuple[float, int] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Write down what was only counted, and close."""
        self.audit.flush()
        self.index.close()

    def judge(
        self, item: int, judgement: str, who: Person, reason: str = "", seen: str | None = None
    ) -> Judgement:
        """Append what a reviewer says of an item; the index has it when this returns.

        *seen*: the id of the standing judgement that the reviewer saw, empty for none; None does
        not ask. Raises InputError for no such item, one that is not as it was indexed, or a role
        that may not; ConflictError when somebody else has judged it meanwhile.
        """
        with self._lock:
            shown = self.shown(item)
            said = self.audit.judge(
                shown, judgement, who, reason, standing=self.index.current(item), seen=seen
            )
            self.index.catch_up()
        return said

    def undo(self, judgement_id: str, who: Person, reason: str = "") -> Judgement:
        """Take a judgement back, and return it. Raises InputError."""
        with self._lock:
            self.index.catch_up()
            said = self.index.judgement(judgement_id)
            if said is None:
                raise InputError(f"{judgement_id[:40]}: is no judgement; look at the item again")
            self.audit.undo(said, who, reason)
            self.index.catch_up()
        return said

    def undo_last(self, who: Person) -> Judgement:
        """Take the last standing judgement of somebody back. Raises InputError for none."""
        with self._lock:
            self.index.catch_up()
            said = self.index.last_judgement(who.name)
            if said is None:
                raise InputError(f"{who.name}: there is nothing to take back")
            return self.undo(said.id, who)

    def shown(self, item: int) -> Shown:
        """Return one item whole. Raises InputError when there is no such one."""
        shown = self.index.item(item)
        if shown is None:
            raise InputError(f"item {item}: is not in the journal; look at the list again")
        return shown

    def picture(self, item: int) -> Picture:
        """Return the picture of an item, by its record alone."""
        shown = self.index.item(item)
        if shown is None or shown.record is None:
            return Picture("none", None, "there is no such item, or no record of it")
        if shown.check.state == "altered":
            return Picture("foreign", None, "its record was altered: it proves no picture")
        return picture_of(shown.record, self.pictures)

    def queue(
        self,
        who: Person,
        kinds: Sequence[str] = KINDS,
        *,
        limit: int = 10,
        exclude: Collection[int] = (),
        first_item: int = 0,
    ) -> tuple[Task, ...]:
        """Return the next items for a reviewer to judge (:mod:`edge.review.queue`)."""
        return queue(
            self.index, who.name, kinds, limit=limit, exclude=exclude,
            oldest_picture=self.oldest_picture(), first_item=first_item,
        )  # fmt: skip

    def bound(self) -> RunningBound:
        """Return the running bound of false accepts."""
        return running_bound(self.index, oldest_picture=self.oldest_picture())

    def oldest_picture(self) -> int:
        """Return the number of the oldest picture that is kept, at most some seconds old."""
        now_s = time.monotonic()
        with self._lock:
            if self._oldest is None or now_s - self._oldest[0] > LOOK_S:
                self._oldest = now_s, oldest_picture(self.pictures)
            return self._oldest[1]


def sample_key(path: Path) -> bytes:
    """Return the key of the random sample, which is made from the kernel's generator once.

    Raises InputError when the file cannot be used.
    """
    for _ in range(2):
        try:
            key = bytes.fromhex(read_bounded(path, 1024).decode().strip())
            if len(key) == KEY_BYTES:
                return key
            raise ValueError(path)
        except FileNotFoundError:
            _make_key(path)
        except (OSError, ValueError) as error:
            said = str(error.strerror) if isinstance(error, OSError) else "damaged"
            raise InputError(
                f"{path}: must hold the key of the random sample ({said}); restore it, or remove "
                "it and a new sample is drawn"
            ) from None
    raise InputError(f"{path}: cannot be read back; look at the disk")


def _make_key(path: Path) -> None:
    try:
        descriptor = open_ours(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:  # another process was first
        return
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_hex(KEY_BYTES).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
