"""The journal: every decision as one JSON line, each carrying the hash of the line before.

**What is written is written.** By default :meth:`Journal.append` returns when the line has been handed to the disk by
fdatasync(2), and the station takes the next item only then. What a power cut may cost at most:

=================== ===================================================================================================
``[journal] sync``  lost at most
=================== ===================================================================================================
every-line          the one line that was being written
grouped             ``group_items`` lines, the one being written included, and none older than ``group_ms``; all of them
                    passes or health lines: a reject, a fault and every other line is on the disk before the next item
either, in trouble  besides, the lines that wait in memory while the disk is full, read-only, broken or slow
=================== ===================================================================================================

A killed process (``kill -9``) costs only what waits in memory. Whatever is lost, its rejects stand, because the gate
forgets every cancellation when the power goes. fdatasync promises no more than the disk does: a card that says
"written" too early may lose more, and :func:`verify` then finds the chain whole, only shorter. A line that was cut in
half is taken off at the next start, and a ``repair`` record says so and keeps its text.

**The disk never stops the line.** When it is full, evidence pictures give way first. If that does not help, lines wait
in ``memory_kb`` of memory and are written, in order, when they can be; then a ``disk`` record says what was wrong. What
does not fit is counted, and a ``gap`` record takes its place in the chain. :attr:`Journal.trouble` says so as long as
it lasts. A journal that cannot be *opened* is another matter: the service does not start (JournalError).

**Files** are described in :mod:`edge.journal_file`. A new one begins after ``file_items`` items, after a day of running
on the monotonic clock, or, when items are in it, after the machine was started again. Its first line, ``continued``,
carries the hash of the last line of the file before, so the chain goes on; what the ``start`` record said, and the
verdicts counted since, so that it can be read and checked when older files are kept elsewhere.

Every line begins ``{"v": 1, "kind": ...``. The kinds: ``start`` (version, settings, model), ``item``, ``health``,
``continued``, ``repair``, ``disk``, ``gap``, ``settings`` (read again; they count from the next item on, unless its
reason says why not), ``stop`` (counters). A reader passes over kinds and fields that it does not know; ``v`` changes
only when that would not do. ``sequence`` is the item's number, in the other kinds that of the last item before. An item
whose picture was kept names it and carries the SHA-256 of its file for :func:`verify_pictures`; when there is none is
told in :mod:`edge.evidence`.

``previous`` is the SHA-256 of the line before without its line end, 64 zeros in the very first. The chain shows that a
line was changed, removed or put in; whoever can rewrite all files can rewrite the chain with them.
"""

import contextlib
import ctypes
import functools
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from edge.clock import Clock
from edge.config import JournalSettings
from edge.errors import InputError, JournalError
from edge.journal_file import JournalFile, file_number, journal_lines, parse_record, turned_files, turned_name
from edge.journal_writer import JournalWriter, Line, MakeRoom

FIRST = "0" * 64
DAY_NS = 86_400_000_000_000
TORN_TEXT_KEPT = 400
ROOM_AGAIN = 0.5
"""Share of the memory that must be free again after records were lost: one gap record, not one beside each line."""


@dataclass(frozen=True)
class Verified:
    """What :func:`verify` saw."""

    records: int
    items: int
    files: int = 1
    lost_items: int = 0
    """Items whose records did not fit into memory while the disk could not be written; the journal says so itself."""
    first_item: int = 1
    """The first item that the files here may hold; more than 1 when older ones are kept elsewhere."""


@dataclass
class _Begin:
    """Where the file begins that lines now go to."""

    boot_id: str
    monotonic_ns: int
    first_item: int


@dataclass
class _Lost:
    """What no memory was left for, until a gap record has told it."""

    records: int = 0
    first_ns: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)


class Journal:
    """Appends records to files that only it writes.

    *wall*: gives the wall-clock time; it is recorded and never relied on. *settings*: the defaults when None.
    *make_room*: what gives up something on a full disk in the journal's favour.

    Synchronization: one thread; another process that opens the same journal is refused.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        settings: JournalSettings | None = None,
        make_room: MakeRoom | None = None,
    ) -> None:
        self.path = path
        self.next_sequence = 1
        """The number of the next item; it goes on from the last one in the files."""
        self._clock, self._wall = clock, wall
        self._settings, self._make_room = settings or JournalSettings(), make_room
        self._boot_id = boot_id()
        self._file = JournalFile(path)
        self._writer: JournalWriter
        self._previous = FIRST
        self._begin: _Begin | None = None
        self._turned = 0  # the number of the last full file
        self._lost = _Lost()
        self._started: dict[str, Any] | None = None  # what the start record said, once there was one
        self._counted: Counter[str] | None = None  # verdicts since

    def __enter__(self) -> Self:
        with self._opening():
            removed = self._file.open()
            self._take_up()
        self._writer = JournalWriter(self._file, self._settings, self._make_room)
        if removed:
            self.append("repair", _repair_fields(removed))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what waits. Raises JournalError, if nothing worse is under way, when it cannot be written."""
        with contextlib.suppress(JournalError) if error is not None else contextlib.nullcontext():
            try:
                self._tell_what_was()
                self._writer.close()
            finally:
                self._file.close()

    @property
    def trouble(self) -> str:
        """Why records are not on the disk as they should be; empty when they are. It belongs on the FAULT output."""
        lost = f"; {self._lost.records} more did not fit and are only counted" if self._lost.records else ""
        return self._writer.trouble + lost

    def append(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Write one record; returns when it is as safe as the policy says, or waits in memory for the disk.

        *fields*: what the kind adds to the common fields, JSON without NaN. Raises JournalError only when the writing
        thread has died.
        """
        self._tell_what_was()
        self._turn_if_due()
        self._put(kind, fields)

    def adopt(self, settings: JournalSettings) -> None:
        """Let changed settings count from the next line on."""
        self._settings = self._writer.settings = settings

    def take_state(self) -> dict[str, Any]:
        """How it goes, for the health line; the slowest sync is that since the last call."""
        return {**self._writer.take_state(), "lost_records": self._lost.records}

    def _put(self, kind: str, fields: Mapping[str, Any], turned: Path | None = None) -> None:
        """Chain a record and hand it to the writer, or count it when there is no room."""
        verdict = str(fields["verdict"]) if kind == "item" and "verdict" in fields else ""
        record = self._record(kind, fields)
        content = json.dumps(record, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
        self.next_sequence = record["sequence"] + 1
        if kind == "start":
            self._started, self._counted = dict(fields), Counter()
        elif kind == "settings" and self._started is not None:
            self._started |= {name: value for name, value in fields.items() if name in self._started}
        elif kind == "item" and self._counted is not None:
            self._counted[verdict] += 1
        if self._lost.records or not self._writer.has_room(len(content)):
            self._lose(record, verdict)
            return
        self._previous = hashlib.sha256(content).hexdigest()
        self._begin = self._begin or _beginning(record)
        self._writer.put(Line(content + b"\n", self._is_urgent(kind, verdict), turned))

    def _record(self, kind: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "v": 1,
            "kind": kind,
            "sequence": self.next_sequence if kind == "item" else self.next_sequence - 1,
            "boot_id": self._boot_id,
            "monotonic_ns": self._clock.now_ns(),
            "wall_time": self._wall().isoformat(timespec="milliseconds"),
            "clock_synced": clock_synced(),
            **fields,
            "previous": self._previous,
        }

    def _is_urgent(self, kind: str, verdict: str) -> bool:
        """Whether the line must be on the disk before the next item."""
        return self._settings.sync == "every-line" or not (verdict == "pass" or kind == "health")

    def _lose(self, record: Mapping[str, Any], verdict: str) -> None:
        self._lost.first_ns = self._lost.first_ns or record["monotonic_ns"]
        self._lost.records += 1
        if record["kind"] == "item":
            self._lost.verdicts[verdict] += 1

    def _tell_what_was(self) -> None:
        """Write down a time of trouble that has ended, and what was lost in it, once there is room again."""
        if self._lost.records and self._writer.has_room(0, ROOM_AGAIN):
            lost, self._lost = self._lost, _Lost()
            self._put("gap", _gap_fields(lost))
        episode = None if self._lost.records else self._writer.take_episode()
        if episode is not None:
            told = {"reason": episode.reason, "lasted_s": round(episode.lasted_s, 3), "late_records": episode.lines}
            self._put("disk", told)

    def _turn_if_due(self) -> None:
        if self._lost.records or not self._writer.has_room(0, ROOM_AGAIN):
            return
        if self._begin is not None and self._is_turn_due(self._begin):
            self._turned += 1
            turned, self._begin = turned_name(self.path, self._turned, self._begin.first_item), None
            self._put("continued", self._continued_fields(turned), turned)
        elif self._begin is None and self._previous != FIRST:
            self._put("continued", self._continued_fields(turned_files(self.path)[-1]))

    def _is_turn_due(self, begin: _Begin) -> bool:
        return (
            begin.boot_id != self._boot_id
            or self.next_sequence - begin.first_item >= self._settings.file_items
            or self._clock.now_ns() - begin.monotonic_ns >= DAY_NS
        )

    def _continued_fields(self, turned: Path) -> dict[str, Any]:
        counted = None if self._counted is None else dict(self._counted)
        return {"after": turned.name, "start": self._started, "counted": counted}

    def _take_up(self) -> None:
        """Go on where the files end."""
        last, first = self._file.last_line, self._file.first_line()
        if last:
            self._previous = hashlib.sha256(last).hexdigest()
            self.next_sequence = int(json.loads(last)["sequence"]) + 1
        if first:
            record = parse_record(first)
            if record is None:
                raise JournalError(f"{self.path}: must begin with a whole record; move it away, a new one begins")
            begin = _beginning(record)
            if begin.boot_id != self._boot_id and begin.first_item == self.next_sequence:
                # A file without items goes on, or a box that restarts in a loop would fill the folder with files.
                begin = _Begin(self._boot_id, self._clock.now_ns(), begin.first_item)
            self._begin = begin
        self._turned = max(map(file_number, turned_files(self.path)), default=0)

    @contextlib.contextmanager
    def _opening(self) -> Iterator[None]:
        try:
            yield
        except JournalError:
            raise
        except OSError as error:
            raise JournalError(
                f"{self.path}: the journal cannot be opened ({error.strerror}); make room or permission there, or name "
                "another [journal] file"
            ) from None


def _beginning(record: Mapping[str, Any]) -> _Begin:
    first_item = record["sequence"] + (record["kind"] != "item")
    return _Begin(str(record.get("boot_id")), int(record.get("monotonic_ns", 0)), first_item)


def _gap_fields(lost: _Lost) -> dict[str, Any]:
    return {
        "lost_records": lost.records,
        "lost_items": lost.verdicts.total(),
        "counted": dict(lost.verdicts),
        "first_lost_ns": lost.first_ns,
    }


def _repair_fields(removed: bytes) -> dict[str, Any]:
    return {
        "removed_bytes": len(removed),
        "removed_sha256": hashlib.sha256(removed).hexdigest(),
        "removed_text": removed[:TORN_TEXT_KEPT].decode("utf-8", "backslashreplace"),
    }


def verify(path: Path) -> Verified:
    """Check a journal from its first line to its last: whole, chained, items numbered without a gap, counters right.

    *path*: the file being written, with the full ones beside it, or a single full one. Raises InputError that names the
    file and the first line amiss.
    """
    chain = _Chain()
    try:
        _check_numbers(turned_files(path))
        for file, number, line in journal_lines(path):
            chain.take(file, number, line)
    except OSError as error:
        raise InputError(str(error) if isinstance(error, InputError) else f"{path}: {error.strerror}") from None
    return chain.verified()


class _Chain:
    """What has been seen of a journal up to a line."""

    def __init__(self) -> None:
        self._previous, self._last = FIRST, 0
        self._records = self._items = self._lost = 0
        self._first_item = 1
        self._files: set[Path] = set()
        self._counted: Counter[str] | None = Counter()  # since the last start; None when its file is not here

    def take(self, file: Path, number: int, line: bytes) -> None:
        """Check the next line. Raises InputError."""
        record, where = parse_record(line.rstrip(b"\n")), f"{file}: line {number}"
        if record is None or not line.endswith(b"\n"):
            raise InputError(
                f"{where} must be a whole record; it was cut or written over (if it is the last one, by a power cut, "
                "the next start of the service takes it off and says so)"
            )
        if self._records == 0 and record["kind"] == "continued":
            self._begin_in_the_middle(record)
        self._check(record, where)
        self._previous, self._last = hashlib.sha256(line.rstrip(b"\n")).hexdigest(), record["sequence"]
        self._records += 1
        self._files.add(file)
        self._count(record, where)

    def verified(self) -> Verified:
        """What was seen."""
        return Verified(self._records, self._items, max(1, len(self._files)), self._lost, self._first_item)

    def _begin_in_the_middle(self, record: Mapping[str, Any]) -> None:
        self._previous, self._last = record["previous"], record["sequence"]
        self._first_item = self._last + 1
        self._counted = None if record.get("counted") is None else Counter(record["counted"])

    def _check(self, record: Mapping[str, Any], where: str) -> None:
        if record["previous"] != self._previous:
            raise InputError(
                f"{where} must carry the hash of the line before; one was changed, or one between is missing"
            )
        new_items = {"item": 1, "gap": record.get("lost_items")}.get(str(record["kind"]), 0)
        expected = self._last + (new_items or 0)
        if record["sequence"] != expected:
            raise InputError(f"{where} must have the sequence {expected}, not {record['sequence']}; an item is missing")

    def _count(self, record: Mapping[str, Any], where: str) -> None:
        kind = record["kind"]
        if kind == "item":
            self._items += 1
        elif kind == "gap":
            self._lost += record["lost_items"]
        if kind == "start":
            self._counted = Counter()
        elif self._counted is not None and kind == "item":
            self._counted[record["verdict"]] += 1
        elif self._counted is not None and kind == "gap":
            self._counted.update(record["counted"])
        elif self._counted is not None and kind == "stop":
            _check_counters(record["counters"], self._counted, where)


def _check_counters(said: Mapping[str, int], counted: Counter[str], where: str) -> None:
    seen = {"triggers": counted.total(), **{kind: counted[kind] for kind in ("pass", "reject", "fault")}}
    if {name: said.get(name) for name in seen} != seen:
        raise InputError(f"{where} must count {seen}, not {dict(said)}; items are missing or were added")


def _check_numbers(turned: list[Path]) -> None:
    for before, file in pairwise(turned):
        if file_number(file) != file_number(before) + 1:
            raise InputError(f"{file}: must follow file number {file_number(file) - 1}, not {before.name}; one is gone")


@dataclass(frozen=True)
class Pictures:
    """What :func:`verify_pictures` saw, in pictures."""

    right: int = 0
    """That are there, as they were when they were recorded."""
    gone: int = 0
    """That are not there any more: the oldest give way."""
    unsaid: int = 0
    """That are there, but were written too late for their records to carry a sum."""


def verify_pictures(path: Path, folder: Path) -> Pictures:
    """Compare the pictures in *folder* with what the sound journal *path* says of them.

    Raises InputError that names the first that is another than when it was recorded, or cannot be read.
    """
    seen: Counter[str] = Counter()
    for file, number, line in journal_lines(path):
        record = parse_record(line.rstrip(b"\n")) or {}
        if record.get("evidence"):
            picture = folder / Path(str(record["evidence"])).name
            seen[_looked_at(picture, str(record.get("evidence_sha256", "")), f"{file}: line {number}")] += 1
    return Pictures(**seen)


def _looked_at(picture: Path, sha256: str, where: str) -> str:
    """Which of the counts of :class:`Pictures` a picture belongs to. Raises InputError."""
    try:
        content = picture.read_bytes()
    except FileNotFoundError:
        return "gone"
    except OSError as error:
        raise InputError(f"{picture}: cannot be read ({error.strerror}); try again with sudo") from None
    if sha256 and hashlib.sha256(content).hexdigest() != sha256:
        raise InputError(f"{picture}: must be the picture recorded in {where}; it was changed or exchanged since")
    return "right" if sha256 else "unsaid"


def read_records(path: Path) -> list[dict[str, Any]]:
    """Read all records of a sound journal, those of its full files first."""
    return [json.loads(line) for _, _, line in journal_lines(path)]


def boot_id() -> str:
    """The kernel's name for this run of the machine: monotonic moments of two boots cannot be compared."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None)


def clock_synced() -> bool | None:
    """Whether the kernel's wall clock is disciplined (NTP, PTP), from adjtimex(2); None when it will not say."""
    time_error, buffer = 5, ctypes.create_string_buffer(512)  # struct timex, all zero: read, change nothing
    state = int(_libc().adjtimex(buffer))
    return None if state < 0 else state != time_error
