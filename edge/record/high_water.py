"""The high-water mark: how far the journal was written, kept apart from it.

A journal that was moved aside, cut or replaced by an older copy looks whole, only shorter: its hash
chain holds from its first line to its last. The mark says that there was more, so that no number is
given to a second item, and that somebody is told. It is written when a line is on the disk, without
a sync of its own: a killed process costs nothing of it, and a power cut at most the last half
minute (the kernel's own write-back); then it is behind the journal and says nothing.
"""

import contextlib
import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from edge.files import open_ours, read_bounded
from edge.record.journal_file import parse_record, read_end, rotated_files, rotated_name

LONGEST = 8192
"""Bytes that are read of a mark."""
HEAD = b"stampgate-journal-mark 1 "
"""The beginning of every mark; a file that begins otherwise is not written to."""
FORM = re.compile(HEAD + rb"(\d{19}) ([0-9a-f]{64}) (\d{9}) (\d{19}) ([^\n]+)\n", re.DOTALL)


@dataclass(frozen=True)
class Mark:
    """The last line that was on the disk.

    *sequence*: the last item; *sha256*: the hash of that line; *rotated*: how many full files lay
    beside the file with it; *first_item*: the first that this file may hold.
    """

    sequence: int
    sha256: str
    rotated: int
    first_item: int

    def file(self, journal: Path) -> Path:
        """Return the name under which the file with that line is kept when it is full."""
        return rotated_name(journal, self.rotated + 1, self.first_item)


class HighWater:
    """Keeps the mark of *journal* in the file *path*; None keeps none.

    Synchronization: one thread at a time.
    """

    def __init__(self, path: Path | None, journal: Path) -> None:
        self._path, self._name = path, os.fsencode(journal.absolute())
        self._descriptor = -1

    def open(self) -> Mark | None:
        """Return the mark of the last life of the journal, if there is one, and begin to keep it.

        Where it cannot be kept there is none: it protects the journal and is not worth a decision.
        """
        if self._path is None:
            return None
        try:
            self._descriptor = open_ours(self._path, os.O_RDWR | os.O_CREAT, 0o640)
            content = os.pread(self._descriptor, LONGEST, 0)
        except OSError:
            return None
        if content and not content.startswith(HEAD):  # somebody else's file
            self.close()
        return parse_mark(content, self._name)

    def note(self, mark: Mark) -> None:
        """Replace the mark, by one write(2) that a killed process leaves whole."""
        if self._descriptor < 0:
            return
        fields = b"%019d %s %09d %019d %s" % (
            mark.sequence,
            mark.sha256.encode(),
            mark.rotated,
            mark.first_item,
            self._name,
        )
        with contextlib.suppress(OSError):
            os.pwrite(self._descriptor, HEAD + fields + b"\n", 0)

    def close(self) -> None:
        """Bring the mark onto the disk, and close its file."""
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                os.fdatasync(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1


def read_mark(path: Path, journal: Path) -> Mark | None:
    """Read the mark of *journal* in the file *path*; None when that holds none, or of another."""
    try:
        content = read_bounded(path, LONGEST)
    except OSError:
        return None
    return parse_mark(content, os.fsencode(journal.absolute()))


def parse_mark(content: bytes, journal: bytes) -> Mark | None:
    """Parse the content of a mark's file; None when it is no mark of the journal at that path.

    >>> parse_mark(b"garbage", b"/journal.jsonl")
    """
    found = FORM.match(content)
    if found is None or found[5] != journal:
        return None
    return Mark(int(found[1]), found[2].decode(), int(found[3]), int(found[4]))


def lacks(journal: Path, mark: Mark) -> bool:
    """Tell whether the files of *journal* lack the line of its *mark*; read the mark first.

    Raises OSError when they cannot be read.
    """
    last = 0
    for path in (*rotated_files(journal)[-1:], journal):
        if not path.is_file():
            continue
        with path.open("rb") as file:
            content = read_end(file.fileno()).content
        for line in content.splitlines():
            if hashlib.sha256(line).hexdigest() == mark.sha256:
                return False
            last = max(last, (parse_record(line) or {}).get("sequence", 0))
    return mark.sequence >= last


def mark_path(setting: Path, journal: Path) -> Path:
    """Return where the mark lies: as set, or beside the journal where that folder is missing."""
    if setting.parent.is_dir():
        return setting
    return journal.with_name(f".{journal.name}.mark")
