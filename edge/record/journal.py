"""The journal: every decision as one JSON line (JSON Lines), linked by a hash chain.

**Durability.** By default :meth:`Journal.append` returns when the line has been handed to the disk
by fdatasync(2), and the station takes the next item only then. What a power cut may cost at most:

=================== ================================================================================
``[journal] sync``  lost at most
=================== ================================================================================
every-line          the one line that was being written
grouped             ``group_items`` lines, the one being written included, and none older than
                    ``group_ms``; all of them passes or health lines: a reject, a fault and every
                    other line is on the disk before the next item
either, in trouble  besides, the lines that wait in memory while the disk is full, read-only, broken
                    or slow
=================== ================================================================================

A killed process (``kill -9``) costs only what waits in memory. Whatever is lost, its rejects stand,
because the gate forgets every cancellation when the power goes. fdatasync promises no more than the
disk does: a card that says "written" too early may lose more, and
:func:`edge.record.verify.verify` then finds the chain whole, only shorter. A line that was cut in
half is taken off at the next start, and a ``repair`` record says so and keeps its text.

**The disk never stops the belt.** When it is full, evidence pictures give way first. If that does
not help, lines wait in ``memory_kb`` of memory and are written, in order, when they can be; then a
``disk`` record says what was wrong. Records that do not fit are counted, and a ``gap`` record takes
their place in the chain. :attr:`Journal.trouble` says so as long as it lasts. A journal that cannot
be *opened* is another matter: the service does not start (JournalError).

**A file that is taken away** (renamed, removed, replaced, cut) is noticed at the next line: a new
one begins with ``continued``, a ``repair`` record says what was done, and :attr:`Journal.trouble`
does so for a minute. What was taken between two starts is known by the high-water mark
(:mod:`edge.record.high_water`): a ``missing`` record stands for numbers that were given and are not
given again.

**Files** are described in :mod:`edge.record.journal_file`, the thread that writes them in
:mod:`edge.record.journal_writer`. A new one begins after ``file_items`` items, after a day of
running on the monotonic clock, or, when items are in it, after the machine was started again. Its
first line, ``continued``, carries the hash of the last line of the file before, so the chain goes
on; the fields of the ``start`` record, and the verdicts counted since, so that it can be read and
checked when older files are kept elsewhere.

Every line begins ``{"v": 1, "kind": ...``. The kinds: ``start`` (version, settings, model),
``item``, ``health``, ``continued``, ``repair``, ``missing``, ``disk``, ``gap``, ``settings`` (read
again; they count from the next item on, unless its reason says why not), ``incident`` (of the gate:
what became of an item after its record), ``challenge`` (of the challenge test: each holds its whole
state, and so does ``continued`` then), ``release`` (which bundle was activated, refused, given up
or in service from now on), ``stop`` (counters). A reader passes over kinds and fields
that it does not know; ``v`` changes only when that would not do. ``sequence`` is the item's number,
in the other kinds that of the last item before. An item whose picture was kept names it and carries
the SHA-256 of its file for :func:`edge.record.verify.verify_pictures`; :mod:`edge.record.evidence`
says when there is none.

``previous`` is the SHA-256 of the line before without its line end, 64 zeros in the very first. The
hash chain shows that a line was changed, removed or put in; someone who can rewrite all files can
rewrite the chain with them, unless each line is sealed (:mod:`edge.record.seal`): ``seal`` is then
its last field, and a ``seal`` record says when sealing began, or that it could not go on.
"""

import contextlib
import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from edge.clock import Clock, boot_id, clock_synced
from edge.errors import JournalError
from edge.printing import json_text
from edge.record.high_water import HighWater, Mark
from edge.record.journal_file import (
    FIRST,
    JournalFile,
    file_number,
    last_challenge,
    parse_record,
    rotated_files,
    rotated_name,
)
from edge.record.journal_writer import JournalWriter, Line, MakeRoom, Outage
from edge.record.seal import Seal, Sealed, SealKey
from edge.sections.records import JournalSettings

DAY_NS = 86_400_000_000_000
TORN_TEXT_KEPT = 400
"""Bytes of a torn line that its repair record keeps."""
LONGEST_ITEM = 16_384
"""Bytes for which there must be room where an item's record is to be kept for sure."""
TOLD_NS = 60_000_000_000
"""How long what another program did to the file is shown as trouble, nanoseconds."""
SKIPPED = "pictures bear these numbers, and no record does: it was lost with a killed process"
ROOM_AGAIN = 0.5
"""Share of the memory that must be free again after records were lost (hysteresis): one gap record,
not one beside each line."""


@dataclass(frozen=True)
class _Begin:
    """First record of the file being written: its boot, its moment and its first item."""

    boot_id: str
    monotonic_ns: int
    first_item: int


@dataclass(frozen=True)
class _Lost:
    """Records dropped because the memory was full, until a gap record has counted them."""

    records: int = 0
    first_ns: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)

    def and_one(self, record: Mapping[str, Any]) -> "_Lost":
        """Return this with one record more."""
        verdict = [record["verdict"]] if record["kind"] == "item" and "verdict" in record else []
        return _Lost(
            self.records + 1,
            self.first_ns or record["monotonic_ns"],
            self.verdicts + Counter(verdict),
        )


@dataclass(frozen=True)
class _Tip:
    """Where the journal ends, and what its next record goes on from.

    It is replaced as a whole when a record has been handed to the writer: whatever is raised on the
    way, the record is in the chain and counted, or neither.
    """

    previous: str = FIRST
    """The hash of the last line."""
    sequence: int = 0
    """The number of the last item."""
    begin: _Begin | None = None
    rotated: int = 0
    """The number of the last full file."""
    started: Mapping[str, Any] | None = None
    """Fields of the start record, once there is one."""
    counted: Counter[str] | None = None
    """Verdicts since the start record; None before it."""
    challenge: Mapping[str, Any] | None = None
    """State of the challenge test by its last record; None when there is none."""
    seal: SealKey | None = None
    """The key that seals the next record; None when the journal is not sealed."""

    def after(self, record: Mapping[str, Any], fields: Mapping[str, Any]) -> "_Tip":
        """Return where the journal ends once *record* is taken, be it in the chain or lost."""
        kind, started, counted = record["kind"], self.started, self.counted
        if kind == "start":
            started, counted = dict(fields), Counter()
        elif kind in ("settings", "release") and started is not None:
            started = {name: fields.get(name, value) for name, value in started.items()}
        elif kind == "item" and counted is not None:
            counted = counted + Counter([str(fields.get("verdict", ""))])
        challenge = fields["state"] if kind == "challenge" else self.challenge
        return dataclasses.replace(
            self,
            sequence=record["sequence"],
            started=started,
            counted=counted,
            challenge=challenge,
        )


class Journal:
    """Appends records to files that only it writes.

    *wall*: gives the wall-clock time; it is recorded and never relied on. *settings*: the defaults
    when None. *make_room*: frees space on a full disk in the journal's favour. *mark*: the file of
    the high-water mark, None for none. *at_least*: the last item's number by other witnesses, such
    as the evidence; no number up to it is given again. *name*: that of line and station, which
    every record bears as ``service``; empty for none.

    Synchronization: one thread; another process that opens the same journal is refused.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        settings: JournalSettings | None = None,
        make_room: MakeRoom | None = None,
        mark: Path | None = None,
        at_least: int = 0,
        name: str = "",
    ) -> None:
        self.path = path
        self.lacking = ""
        """Which records were taken from the journal before it was opened; empty for none."""
        self._clock, self._wall = clock, wall
        self._named = {"service": name} if name else {}
        self._settings, self._make_room = settings or JournalSettings(), make_room
        self._boot_id = boot_id()
        self._file, self._high_water = JournalFile(path), HighWater(mark, path)
        self._seal = Seal(path)
        self._at_least = at_least
        self._told_ns: int | None = None
        self._told = ""  # what another program did to the file, since _told_ns
        self._writer: JournalWriter
        self._tip, self._lost = _Tip(), _Lost()
        self._before: Path | None = None  # the file before this one, where that is gone

    def __enter__(self) -> Self:
        with self._opening():
            removed = self._file.open()
            mark = self._high_water.open()
            self._take_up(mark)
            self._seal.open()
            said = self._seal.take_up(self._file.last_line)
            self._tip = dataclasses.replace(self._tip, seal=self._seal.key)
        self._writer = JournalWriter(
            self._file, self._settings, self._seal, self._make_room, self._high_water
        )
        if removed:
            self.append("repair", _repair_fields(removed))
        self._append_missing(mark)
        if said:
            self.append("seal", {"reason": said, "seal_name": self._seal.name})
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write the lines that wait, and close.

        Raises JournalError when they cannot be written, unless an exception is under way already.
        """
        with contextlib.suppress(JournalError) if error is not None else contextlib.nullcontext():
            try:
                self._renew_if_taken()
                self._append_outage_records()
                self._writer.close()
            finally:
                self._seal.close()
                self._high_water.close()
                self._file.close()

    @property
    def next_sequence(self) -> int:
        """The number of the next item; it goes on from the last one in the files."""
        return self._tip.sequence + 1

    @property
    def challenge(self) -> Mapping[str, Any] | None:
        """State of the challenge test by the last record of it; None when there is none."""
        return self._tip.challenge

    @property
    def taken(self) -> int:
        """Ordinal of the last record's line: its own, or that of the gap record that counts it."""
        return self._writer.added + bool(self._lost.records)

    @property
    def synced(self) -> int:
        """Ordinal of the last line that is on the disk, with all before it."""
        return self._writer.synced

    @property
    def has_room(self) -> bool:
        """Whether a record that is appended now is kept, on the disk or in memory."""
        return not self._lost.records and self._writer.has_room(LONGEST_ITEM)

    @property
    def trouble(self) -> str:
        """Why records are not on the disk as they should be; empty when they are.

        It belongs on the FAULT output.
        """
        lost = self._lost.records
        dropped = f"; {lost} more did not fit and are only counted" if lost else ""
        told = [self._writer.trouble + dropped, self._told_trouble(), self._seal.trouble]
        return "; ".join(filter(None, told))

    @property
    def seal(self) -> str:
        """Whether records are sealed, in words."""
        key = self._tip.seal
        return f"on, record {key.number} of {key.name} is next" if key else "off"

    def append(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Append one record; return when it is as durable as the policy says.

        While the disk is in trouble, it waits in memory instead. *fields*: those that the kind adds
        to the common ones, JSON without NaN. Raises JournalError when the writing thread has died;
        whatever else is raised, the record was taken if :attr:`next_sequence` has gone on, else
        nothing has changed.
        """
        self._renew_if_taken()
        self._append_outage_records()
        self._rotate_if_due()
        self._put(kind, fields)

    def bear(self, fields: Mapping[str, Any]) -> None:
        """Let every record bear these *fields* from the next one on, such as the release."""
        self._named = {**self._named, **fields}

    def check(self) -> None:
        """Look whether another program has taken the file away, and begin a new one if so.

        :meth:`append` does so itself.
        """
        self._renew_if_taken()

    def flush(self) -> None:
        """Bring what waits for others onto the disk, as far as patience reaches.

        Raises JournalError when the writing thread has died.
        """
        self._writer.flush()

    def adopt(self, settings: JournalSettings) -> None:
        """Let changed settings count from the next line on."""
        self._settings = self._writer.settings = settings

    def take_state(self) -> dict[str, Any]:
        """Return the figures of the health record; the slowest sync is that since the last call."""
        return {**self._writer.take_state(), "lost_records": self._lost.records}

    def _put(
        self,
        kind: str,
        fields: Mapping[str, Any],
        rotated: Path | None = None,
        told: Outage | None = None,
        *,
        taken: bool = False,
    ) -> None:
        """Chain a record and hand it to the writer, or count it when there is no room.

        *rotated*: the final name of the file before, when this record begins one; *taken*: that
        file was taken away. *told*: the outage that it tells of.
        """
        record = self._record(kind, fields)
        content, tip = encode(record), self._tip.after(record, fields)
        if tip.seal is not None:
            content, tip = tip.seal.seal(content), dataclasses.replace(tip, seal=tip.seal.next())
        lost = _Lost() if kind == "gap" else self._lost
        if lost.records or not self._writer.has_room(len(content)):
            tip = dataclasses.replace(tip, seal=self._tip.seal)
            self._tip, self._lost = tip, self._lost.and_one(record)
            return
        begin = _beginning(record) if rotated or tip.begin is None else tip.begin
        number = tip.rotated if rotated is None else file_number(rotated)
        previous = hashlib.sha256(content).hexdigest()
        sealed = None if tip.seal is None else Sealed(tip.seal, previous)
        tip = dataclasses.replace(tip, previous=previous, begin=begin, rotated=number)
        urgent = self._is_urgent(kind, str(record.get("verdict", "")))
        mark = Mark(tip.sequence, previous, number, begin.first_item)
        self._writer.add(Line(content + b"\n", urgent, mark, rotated, taken, sealed), told)
        self._tip, self._lost = tip, lost
        self._writer.wait()

    def _record(self, kind: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "v": 1,
            "kind": kind,
            "sequence": self._tip.sequence + (kind == "item"),
            "boot_id": self._boot_id,
            "monotonic_ns": self._clock.now_ns(),
            "wall_time": self._wall().isoformat(timespec="milliseconds"),
            "clock_synced": clock_synced(),
            **self._named,
            **fields,
            "previous": self._tip.previous,
        }

    def _is_urgent(self, kind: str, verdict: str) -> bool:
        """Tell whether the line must be on the disk before the next item."""
        return self._settings.sync == "every-line" or not (verdict == "pass" or kind == "health")

    def _append_outage_records(self) -> None:
        """After an outage, append the ``gap`` and ``disk`` records, once there is room again."""
        if self._lost.records and self._writer.has_room(0, ROOM_AGAIN):
            self._put("gap", _gap_fields(self._lost))
        outage = None if self._lost.records else self._writer.outage
        if outage is not None:
            self._put("disk", _disk_fields(outage), told=outage)

    def _rotate_if_due(self) -> None:
        """Rotate the file when it is full; in a new file, append the ``continued`` record first."""
        if self._lost.records or not self._writer.has_room(0, ROOM_AGAIN):
            return
        begin = self._tip.begin
        if begin is not None and self._is_rotation_due(begin):
            rotated = rotated_name(self.path, self._tip.rotated + 1, begin.first_item)
            self._put("continued", self._continued_fields(rotated), rotated)
        elif begin is None and self._tip.previous != FIRST:
            before = self._before or rotated_files(self.path)[-1]
            self._put("continued", self._continued_fields(before))

    def _renew_if_taken(self) -> None:
        """Begin a new file when another program has taken the one that is being written away.

        Its first record carries the chain on, its second says what was done.
        """
        with contextlib.suppress(OSError):  # then nobody can tell; the writer will say why
            if foreign := self._writer.cut_foreign():
                self._tell("was written into by another program, which was cut off")
                self._put("repair", _repair_fields(foreign))
            if what := self._writer.taken_away():
                self._renew(what)

    def _renew(self, what: str) -> None:
        self._tell(f"{what}, and a new file goes on")
        begin = self._tip.begin or _Begin(self._boot_id, self._clock.now_ns(), self.next_sequence)
        rotated = rotated_name(self.path, self._tip.rotated + 1, begin.first_item)
        lines = self._writer.recent()
        self._put("continued", self._continued_fields(rotated), rotated, taken=True)
        self._put("repair", {"reason": f"the file before {what}", "last_lines": lines})

    def _tell(self, what: str) -> None:
        """Show on the FAULT output for a while what another program did."""
        self._told, self._told_ns = f"{self.path}: the journal {what}", self._clock.now_ns()

    def _told_trouble(self) -> str:
        if self._told_ns is None or self._clock.now_ns() - self._told_ns >= TOLD_NS:
            return ""
        return self._told

    def _is_rotation_due(self, begin: _Begin) -> bool:
        return (
            begin.boot_id != self._boot_id
            or self.next_sequence - begin.first_item >= self._settings.file_items
            or self._clock.now_ns() - begin.monotonic_ns >= DAY_NS
        )

    def _continued_fields(self, rotated: Path) -> dict[str, Any]:
        counted = None if self._tip.counted is None else dict(self._tip.counted)
        fields = {"after": rotated.name, "start": self._tip.started, "counted": counted}
        return fields | ({"challenge": self._tip.challenge} if self._tip.challenge else {})

    def _take_up(self, mark: Mark | None) -> None:
        """Go on where the files end: the hash, the numbers and the age of the open file.

        Where there is no file, or an empty one, go on from the *mark*.
        """
        last, first = self._file.last_line, self._file.first_line()
        rotated = max(map(file_number, rotated_files(self.path)), default=0)
        sequence = int(json.loads(last)["sequence"]) if last else 0
        if mark is not None and not first and self._is_ahead(mark, sequence):
            # Numbered behind the file that is gone, so that there is room for it.
            challenge = last_challenge(self.path)
            rotated = max(rotated, mark.rotated + 1)
            self._tip = _Tip(mark.sha256, mark.sequence, None, rotated, challenge=challenge)
            self._before = mark.file(self.path)
            self.lacking = f"the file up to item {mark.sequence} is gone: {self._before.name}"
            return
        previous = hashlib.sha256(last).hexdigest() if last else FIRST
        begin, challenge = self._first_of(first, sequence), last_challenge(self.path)
        self._tip = _Tip(previous, sequence, begin, rotated, challenge=challenge)

    def _first_of(self, first: bytes, sequence: int) -> _Begin | None:
        """Return what the *first* line of the open file tells; *sequence*: the last item."""
        if not first:
            return None
        record = parse_record(first)
        if record is None:
            raise JournalError(
                f"{self.path}: must begin with a whole record; move it away, a new one begins"
            )
        begin = _beginning(record)
        if begin.boot_id != self._boot_id and begin.first_item == sequence + 1:
            # A file without items goes on: a box that restarts in a loop would otherwise fill
            # the folder with files.
            begin = _Begin(self._boot_id, self._clock.now_ns(), begin.first_item)
        return begin

    def _is_ahead(self, mark: Mark, sequence: int) -> bool:
        """Tell whether the files, whose last item is *sequence*, lack the line of the *mark*."""
        return mark.sequence >= sequence and not self._file.holds(mark.sha256)

    def _append_missing(self, mark: Mark | None) -> None:
        """Append what the files lack, by the *mark* or by other witnesses."""
        last = self._tip.sequence
        if mark is not None and not self.lacking and self._is_ahead(mark, last):
            items = mark.sequence - last
            self.lacking = f"its last records are gone, {items} items among them"
            self._put("missing", _missing_fields(mark.sequence, items, self.lacking, mark.sha256))
        if self.lacking:
            self._tell(f"lacks records: {self.lacking}")
        if self._at_least > self._tip.sequence:
            numbers = self._at_least - self._tip.sequence
            self._rotate_if_due()
            self._put("missing", _missing_fields(self._at_least, numbers, SKIPPED))

    @contextlib.contextmanager
    def _opening(self) -> Iterator[None]:
        try:
            yield
        except JournalError:
            raise
        except OSError as error:
            cure = "make room or permission there, or name another [journal] file"
            raise JournalError(
                f"{self.path}: the journal cannot be opened ({error.strerror or error}); {cure}"
            ) from None


def encode(record: Mapping[str, Any]) -> bytes:
    """Return the line of *record*, without its line end: whatever the journal holds goes this way.

    Raises ValueError for a number that JSON does not know, TypeError for what is none of its types.
    """
    return json_text(record, allow_nan=False).encode()


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


def _missing_fields(
    sequence: int, items: int, reason: str, taken_sha256: str = ""
) -> dict[str, Any]:
    """Return the fields of the record of numbers that are given and stand in no record here.

    *sequence*: the last of them. *taken_sha256*: the hash of the last line of them, where they were
    on the disk.
    """
    taken = {"taken_sha256": taken_sha256} if taken_sha256 else {}
    return {"sequence": sequence, "items": items, "reason": reason, **taken}


def _disk_fields(outage: Outage) -> dict[str, Any]:
    return {
        "reason": outage.reason,
        "lasted_s": round(outage.lasted_s, 3),
        "late_records": outage.lines,
    }


def _repair_fields(removed: bytes) -> dict[str, Any]:
    return {
        "removed_bytes": len(removed),
        "removed_sha256": hashlib.sha256(removed).hexdigest(),
        "removed_text": removed[:TORN_TEXT_KEPT].decode("utf-8", "backslashreplace"),
    }
