"""Verify a journal: hash chain, numbers, order, counters and files, and how it ends.

:mod:`edge.record.journal` says what its records hold. What is amiss beyond doubt in the chain ends
the verification with an InputError that names the first such line. What is amiss elsewhere, or
cannot be told apart from it, is a :class:`Discrepancy`. :mod:`edge.record.verify_pictures` compares
the evidence, :mod:`edge.record.seal` proves who wrote the chain.
"""

import contextlib
import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from edge.errors import InputError, StampgateError
from edge.record.journal_file import (
    FIRST,
    file_number,
    journal_lines,
    parse_record,
    rotated_files,
)
from edge.record.journal_lock import is_free
from edge.record.schema import VERDICTS
from edge.record.times import wall_ns

Weight = Literal["note", "open", "amiss"]
"""*note*: worth knowing, and nothing is missing; *open*: not all is here, and nobody can tell from
this journal alone whether that is right; *amiss*: something was changed, removed or put in."""
JUMP_NS = 5_000_000_000
"""A wall clock that gains or loses more than this beside the monotonic one has jumped."""
NAMED = 3
"""Places that a discrepancy names; of the others only the number is said."""


@dataclass(frozen=True)
class Discrepancy:
    """What does not add up, in words with the place, and how much it weighs."""

    weight: Weight
    text: str
    about: Literal["", "end"] = ""
    """*end*: how the journal ends, which a seal can prove."""


@dataclass(frozen=True)
class UncleanEnd:
    """Where a run ended without a ``stop`` record: its last item, and the moment of its boot."""

    item: int
    boot_id: str
    monotonic_ns: int


@dataclass(frozen=True)
class Verified:
    """Totals of a journal whose chain :func:`verify` found sound, and what it found beside them."""

    records: int
    items: int
    files: int = 1
    lost_items: int = 0
    """Items whose records did not fit into memory while the disk could not be written, by the
    journal's own ``gap`` records."""
    first_item: int = 1
    """First item that the files here may hold; above 1 when older files are kept elsewhere."""
    missing_items: int = 0
    """Items whose numbers were given and whose records are gone, by ``missing`` records."""
    unclean_ends: tuple[UncleanEnd, ...] = ()
    """Ends without a ``stop`` record, that of the whole journal included."""
    discrepancies: tuple[Discrepancy, ...] = ()

    @property
    def last_item(self) -> int:
        """Number of the last item, those of gaps included; 0 when there is none."""
        return self.first_item - 1 + self.items + self.lost_items + self.missing_items


def verify(path: Path) -> Verified:
    """Verify a journal from its first line to its last.

    Every line must be a whole record and carry the hash of the line before; items must be numbered
    without a gap, files too; no record may be older than the one before in the same boot; the
    counters of ``stop`` and ``gap`` records must be right.

    *path*: the file being written, with the full ones beside it, or a single full one. Raises
    InputError that names the file and the first line amiss.
    """
    chain = _Chain()
    with reading(path):
        rotated = rotated_files(path)
        _check_numbers(rotated)
        for file, number, line in journal_lines(path):
            chain.take(file, number, line)
        return chain.verified(path, rotated)


@contextlib.contextmanager
def reading(path: Path) -> Iterator[None]:
    """Make an InputError of whatever keeps the files of the journal *path* from being read."""
    try:
        yield
    except InputError:
        raise
    except StampgateError as error:
        raise InputError(str(error)) from None
    except OSError as error:
        raise InputError(f"{error.filename or path}: {error.strerror}") from None


@dataclass
class _Places:
    """Places of one kind of discrepancy: the first few by name, the others by number."""

    texts: list[str] = field(default_factory=list)
    number: int = 0

    def add(self, text: str) -> None:
        self.number += 1
        if len(self.texts) < NAMED:
            self.texts.append(text)

    def words(self) -> str:
        more = self.number - len(self.texts)
        return ", ".join(self.texts) + (f" and {more} more" if more else "")


class _Chain:
    """State of the verification up to a line."""

    def __init__(self) -> None:
        self._previous, self._last = FIRST, 0
        self._records = self._items = self._lost = self._missing = 0
        self._first_item = 1
        self._files: list[Path] = []
        # Verdicts since the last start; None when its file is not here.
        self._counted: Counter[str] | None = Counter()
        self._record: Mapping[str, Any] = {}  # the last one
        self._where = ""
        self._running = False  # whether a stop record should follow
        self._stopped = False  # whether one was the last of all starts and stops
        self._boots: set[str] = set()
        self._unclean: list[UncleanEnd] = []
        self._jumps, self._ends = _Places(), _Places()
        self._taken, self._skipped = _Places(), _Places()

    def take(self, file: Path, number: int, line: bytes) -> None:
        """Check the next line. Raises InputError."""
        record, where = parse_record(line.rstrip(b"\n")), f"{file}: line {number}"
        if line.endswith(b"\r\n"):
            raise InputError(
                f"{where} must end with a line feed alone; a program for texts has rewritten the "
                "file: take a copy that was made byte by byte"
            )
        if record is None or not line.endswith(b"\n"):
            raise InputError(
                f"{where} must be a whole record; it was cut or written over (if it is the last "
                "one, by a power cut, the next start of the service takes it off and says so)"
            )
        if self._records == 0 and record["kind"] == "continued":
            self._begin_in_the_middle(record)
        self._check(record, where)
        if file not in self._files:
            self._check_file(file, record, where)
            self._files.append(file)
        self._check_order(record, where)
        self._note_run(record, where)
        self._previous = hashlib.sha256(line.rstrip(b"\n")).hexdigest()
        self._last = record["sequence"]
        self._records += 1
        self._count(record, where)
        self._record, self._where = record, where

    def verified(self, path: Path, rotated: list[Path]) -> Verified:
        """Return the totals, and what is said of the beginning and the end."""
        found = [
            *self._beginning(),
            *self._ending(path, rotated),
            *_said("note", "it ended without a stop record (killed, or no power)", self._ends),
            *_said("note", "the wall clock jumped", self._jumps),
            *_said("note", "numbers that no record bears were passed over", self._skipped),
            *_said("amiss", "records were taken away before the service started", self._taken),
        ]
        return Verified(
            self._records,
            self._items,
            max(1, len(self._files)),
            self._lost,
            self._first_item,
            self._missing,
            tuple(self._unclean),
            tuple(found),
        )

    def _begin_in_the_middle(self, record: Mapping[str, Any]) -> None:
        self._previous, self._last = record["previous"], record["sequence"]
        self._first_item = self._last + 1
        self._counted = None if record.get("counted") is None else Counter(record["counted"])
        self._running = record.get("start") is not None

    def _check(self, record: Mapping[str, Any], where: str) -> None:
        counted = {"item": 1, "gap": record.get("lost_items"), "missing": record.get("items")}
        new_items = counted.get(str(record["kind"]), 0)
        expected = self._last + (new_items or 0)
        sequence = record["sequence"]
        cure = _numbering(expected, sequence)
        if record["previous"] != self._previous:
            raise InputError(
                f"{where} must carry the hash of the line before; one was changed, "
                f"or one between is missing{cure}"
            )
        if sequence != expected:
            raise InputError(f"{where} must have the sequence {expected}, not {sequence}{cure}")

    def _check_file(self, file: Path, record: Mapping[str, Any], where: str) -> None:
        """Check the first record of a file against the names of this and the file before."""
        after = str(record.get("after", "")) if record["kind"] == "continued" else ""
        before = self._files[-1].name if self._files else after
        if before and after and after != before:
            raise InputError(f"{where} must go on after {before}, not {after}; a file was renamed")
        rotated = _rotated_numbers(file)
        if rotated is None:
            return
        number, first_item = rotated
        begins = record["sequence"] + (record["kind"] != "item")
        follows = _rotated_numbers(Path(after))
        if begins != first_item or (follows is not None and follows[0] != number - 1):
            raise InputError(
                f"{file}: must be file {number} and begin with item {first_item}, by its name, but "
                f"it begins with item {begins}{f' after {after}' if after else ''}; it was renamed"
            )

    def _check_order(self, record: Mapping[str, Any], where: str) -> None:
        """Check that time goes on, by the clock that never jumps; note where the other one did."""
        boot, before = record.get("boot_id"), self._record
        if boot is None or not before:
            return
        wall, wall_before = wall_ns(record), wall_ns(before)
        if boot == before.get("boot_id"):
            ran = int(record.get("monotonic_ns", 0)) - int(before.get("monotonic_ns", 0))
            if ran < 0:
                raise InputError(
                    f"{where} must not be older than the line before, and is by {-ran / 1e9:.3f} s "
                    "of the same boot; records are out of order"
                )
            jump = wall - wall_before - ran
        else:
            if boot in self._boots:
                raise InputError(
                    f"{where} must be of the boot of the line before or of a new one, not of one "
                    "that had ended; records are out of order"
                )
            jump = min(0, wall - wall_before)
        self._boots.add(str(boot))
        if wall and wall_before and abs(jump) > JUMP_NS:
            self._jumps.add(f"{_span(jump)} at {where}")

    def _note_run(self, record: Mapping[str, Any], where: str) -> None:
        """Follow starts and stops."""
        kind = record["kind"]
        if kind == "start":
            if self._running:
                self._unclean.append(self._here())
                self._ends.add(f"after item {self._last} before {where}")
            self._running, self._stopped = True, False
        elif kind == "stop":
            self._running, self._stopped = False, True
        elif kind == "item" and self._stopped:
            raise InputError(
                f"{where} must follow a start record, not a stop; items were added, or a start is "
                "missing"
            )
        elif kind == "item":
            self._running = True

    def _here(self) -> UncleanEnd:
        record = self._record
        return UncleanEnd(
            self._last, str(record.get("boot_id")), int(record.get("monotonic_ns", 0))
        )

    def _count(self, record: Mapping[str, Any], where: str) -> None:
        kind = record["kind"]
        if kind == "item":
            self._items += 1
        elif kind == "gap":
            _check_gap(record, where)
            self._lost += record["lost_items"]
        elif kind == "missing":
            self._missing += record["items"]
            places = self._taken if record.get("taken_sha256") else self._skipped
            places.add(f"{record['items']} up to item {record['sequence']} before {where}")
        if kind == "start":
            self._counted = Counter()
        elif self._counted is not None and kind == "item":
            self._counted[record["verdict"]] += 1
        elif self._counted is not None and kind == "gap":
            self._counted.update(record["counted"])
        elif kind == "stop":
            _check_counters(record["counters"], self._counted, where)

    def _beginning(self) -> Iterator[Discrepancy]:
        if self._first_item > 1:
            text = f"from item {self._first_item} on: the files before it are not here"
            yield Discrepancy("open", text)

    def _ending(self, path: Path, rotated: list[Path]) -> Iterator[Discrepancy]:
        """Say how the journal ends, as far as that can be known."""
        if not path.exists():
            if rotated and is_free(path):
                why = "the last file, with the newest records, was removed"
                yield Discrepancy("amiss", f"{path}: must be beside its full files; {why}")
            return
        if _rotated_numbers(path) is not None or not is_free(path):
            return  # a full file alone, or one that is being written at this moment
        if self._records == 0:
            yield Discrepancy("amiss", f"{path}: must hold a record; it is new, or was emptied")
        elif path not in self._files:
            why = "the power went as it was begun, or it was emptied"
            yield Discrepancy("open", f"{path}: holds no record, after {rotated[-1].name}: {why}")
        elif self._running:
            self._unclean.append(self._here())
            when = self._record.get("wall_time", "")
            yield Discrepancy(
                "open",
                f"it ends at {self._where}, item {self._last}, {when}, without a stop record: "
                "copied while it was written, killed, the power went, or its end was cut off",
                "end",
            )


def _numbering(expected: int, sequence: int) -> str:
    """Return in words what a number other than the one expected says; empty for the right one."""
    if sequence > expected + 1:
        return f"; items {expected} to {sequence - 1} are missing"
    if sequence > expected:
        return f"; item {expected} is missing"
    return f"; item {sequence} is there twice, or out of its order" if sequence < expected else ""


def _said(weight: Weight, what: str, places: _Places) -> Iterator[Discrepancy]:
    if places.number:
        yield Discrepancy(weight, f"{what}: {places.words()}")


def _span(ns: int) -> str:
    """Return a span of time with its sign, e.g. ``+14.0 s``."""
    return f"{ns / 1e9:+.1f} s"


def _rotated_numbers(file: Path) -> tuple[int, int] | None:
    """Return the number and the first item that the name of a full file says; None for another."""
    parts = file.stem.rsplit("-", 2)
    if len(parts) != 3 or not (parts[1].isdigit() and parts[2].isdigit()):
        return None
    return (int(parts[1]), int(parts[2])) if len(parts[1]) >= 6 and len(parts[2]) >= 9 else None


def _check_gap(record: Mapping[str, Any], where: str) -> None:
    counted = record["counted"]
    if not set(counted) <= set(VERDICTS) or sum(counted.values()) != record["lost_items"]:
        raise InputError(
            f"{where} must count {record['lost_items']} lost items by their verdicts, not "
            f"{counted}; it was made up"
        )


def _check_counters(said: Mapping[str, int], counted: Counter[str] | None, where: str) -> None:
    """Compare the counters of a stop record; *counted*: None when the start is not here."""
    verdicts = {kind: said.get(kind) if counted is None else counted[kind] for kind in VERDICTS}
    wanted = {"triggers": sum(number or 0 for number in verdicts.values()), **verdicts}
    if {name: said.get(name) for name in wanted} != wanted:
        raise InputError(
            f"{where} must count {wanted}, not {dict(said)}; items are missing or were added"
        )


def _check_numbers(rotated: list[Path]) -> None:
    for before, file in pairwise(rotated):
        number = file_number(file)
        if number == file_number(before):
            raise InputError(f"{file}: must not have the number of {before.name}; one is foreign")
        if number != file_number(before) + 1:
            raise InputError(
                f"{file}: must follow file number {number - 1}, not {before.name}; one is gone"
            )


def read_records(path: Path) -> list[dict[str, Any]]:
    """Read all records of a sound journal, oldest first."""
    return [json.loads(line) for _, _, line in journal_lines(path)]
