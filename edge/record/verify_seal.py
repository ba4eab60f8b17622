"""Verify the seal of a journal with its verification key, and its end by the end mark.

:mod:`edge.record.seal` says how records are sealed. Here every later key is reckoned from the first
one, so the box's own key is not needed, and must not be: verify on another machine, from a copy.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge.errors import InputError
from edge.record.journal_file import journal_lines, parse_record
from edge.record.journal_lock import is_free
from edge.record.seal import MOST_STEPS, EndMark, SealKey, end_path, parse_seal, read_end_mark
from edge.record.verify import Discrepancy, Verified, Weight, reading

LAG_NS = 60_000_000_000
"""How much the end mark may be behind the journal's end: a power cut costs of it what the kernel
had not written back, half a minute at most."""


@dataclass(frozen=True)
class SealFound:
    """What :func:`verify_seal` found: how many records the keys given have sealed, and the rest."""

    records: int
    first: int = 0
    """Number of the first one in its seal; above 1 when those before are not here."""
    end_proven: bool = False
    """Whether the end mark proves that nothing was cut off behind the last record."""
    discrepancies: tuple[Discrepancy, ...] = ()


@dataclass
class _Followed:
    """A seal that is followed through the journal: the key for its next record, and its last."""

    key: SealKey
    records: int = 0
    first: int = 0
    hashes: dict[int, str] = field(default_factory=dict)
    """Hashes of the lines that an end mark may name, by their numbers."""
    after_mark: Mapping[str, Any] = field(default_factory=dict)
    """The record after the one that the end mark names."""


def verify_seal(path: Path, keys: Sequence[SealKey], chain: Verified) -> SealFound:
    """Verify that every record is as it was sealed, in a journal found sound as *chain*.

    *keys*: verification keys, each for its own stretch of the journal. Raises InputError that names
    the first record that was changed, left out, or sealed without the key.
    """
    walk = _Walk(keys, _mark_of(path))
    with reading(path):
        for file, number, line in journal_lines(path):
            walk.take(line.rstrip(b"\n"), f"{file}: line {number}")
        free = is_free(path)
    found = [*walk.beside(chain)]
    proven = False
    if walk.last is not None:
        end = walk.end(path, free=free)
        proven = end is None
        if end is not None:
            found.append(end)
    records = sum(followed.records for followed in walk.followed.values())
    first = next((f.first for f in walk.followed.values() if f.records), 0)
    return SealFound(records, first, proven, tuple(found))


def _mark_of(path: Path) -> EndMark | None:
    try:
        return read_end_mark(end_path(path))
    except OSError:
        return None


class _Walk:
    """Follows the seals through the journal's lines."""

    def __init__(self, keys: Sequence[SealKey], mark: EndMark | None) -> None:
        self._first_keys = {key.name: key for key in keys}
        self.followed = {key.name: _Followed(key) for key in keys}
        self.last: _Followed | None = None
        """The seal of the last sealed record."""
        self._mark = mark
        self._before = 0  # records before the first sealed one
        self._unsealed, self._unsealed_at = 0, ""  # records without a seal after that
        self._foreign: dict[str, str] = {}  # seals whose key was not given: where they begin
        self._record: dict[str, Any] = {}

    def take(self, line: bytes, where: str) -> None:
        """Check the next line, which has no line end. Raises InputError."""
        record, said = parse_record(line) or {}, parse_seal(line)
        if said is None and "seal" in record:
            raise InputError(f"{where} must bear its seal as its last field, as it was written")
        if said is None and self.last is None and not self._foreign:
            self._before += 1
        elif said is None:
            self._unsealed += 1
            self._unsealed_at = self._unsealed_at or where
        elif said.name not in self.followed:
            self._foreign.setdefault(said.name, where)
        else:
            self.last = self.followed[said.name]
            self._check(self.last, said.number, where)
            if not hmac.compare_digest(self.last.key.mac(said.line), said.mac):
                raise InputError(
                    f"{where} must be as it was sealed (record {said.number} of seal {said.name}); "
                    "it was changed, or written by somebody without the key"
                )
            self._follow(self.last, line, record)
        self._record = record

    def _check(self, followed: _Followed, number: int, where: str) -> None:
        """Reckon the key for record *number* of a seal. Raises InputError when one is missing."""
        expected = followed.key.number
        if number < expected:
            raise InputError(
                f"{where} must be sealed as record {expected}, not {number}: it was put in, or the "
                "box's key was set back"
            )
        if number > expected and followed.records:
            raise InputError(
                f"{where} must be sealed as record {expected}, not {number}: sealed records "
                f"{expected} to {number - 1} are missing before it"
            )
        if number - expected > MOST_STEPS:
            raise InputError(f"{where} must be sealed as one of {MOST_STEPS} records, not {number}")
        followed.first = followed.first or number
        followed.key = followed.key.onwards(number)

    def _follow(self, followed: _Followed, line: bytes, record: Mapping[str, Any]) -> None:
        number, mark = followed.key.number, self._mark
        if mark is not None and mark.name == followed.key.name:
            if number == mark.number:
                followed.hashes[number] = hashlib.sha256(line).hexdigest()
            elif number == mark.number + 1:
                followed.after_mark = record
        followed.records += 1
        followed.key = followed.key.next()

    def beside(self, chain: Verified) -> list[Discrepancy]:
        """Say which records no key given has sealed."""
        found = []
        if self.last is None:
            found.append(Discrepancy("amiss", "no record is sealed with this verification key"))
        for followed in self.followed.values():
            if followed.first > 1:
                weight: Weight = "open" if chain.first_item > 1 else "amiss"
                said = f"sealed records 1 to {followed.first - 1} are not here"
                found.append(Discrepancy(weight, said))
        if self._unsealed:
            said = f"{self._unsealed} records from {self._unsealed_at} on bear no seal"
            found.append(Discrepancy("amiss", f"{said}, and those before do"))
        for name, where in self._foreign.items():
            said = f"records from {where} on are sealed by {name}"
            found.append(Discrepancy("amiss", f"{said}, of which no verification key was given"))
        if self.last is not None and self._before:
            said = f"the first {self._before} records were written before sealing began"
            found.append(Discrepancy("note", f"{said}: the chain alone holds them"))
        return found

    def end(self, path: Path, *, free: bool) -> Discrepancy | None:
        """Return what the end mark says against the journal's end; None when it proves it.

        *free*: whether nobody writes the journal at this moment.
        """
        followed, mark, where = self.last, self._mark, end_path(path)
        assert followed is not None
        last = followed.key.number - 1
        if mark is None or mark.name != followed.key.name:
            said = "must hold the end mark of this seal, and does not"
            return Discrepancy(
                "open", f"{where}: {said}: nobody can tell what was cut off behind record {last}"
            )
        if not self._is_genuine(followed, mark):
            return Discrepancy("amiss", f"{where}: must be as the box wrote it; it was made up")
        if mark.number > last:
            return Discrepancy(
                "amiss",
                f"sealed records {last + 1} to {mark.number} are missing at the end, by {where}: "
                "they were cut off",
            )
        if mark.number == last:
            return None
        return self._behind(followed, mark, where, free=free)

    def _is_genuine(self, followed: _Followed, mark: EndMark) -> bool:
        """Tell whether the box has written an end mark, and behind that very line."""
        behind = followed.key.number - (mark.number + 1)
        if not -MOST_STEPS < behind < MOST_STEPS:
            return False
        first = self._first_keys[followed.key.name]
        key = first.onwards(mark.number + 1)
        line_sha256 = followed.hashes.get(mark.number, mark.line_sha256)
        return line_sha256 == mark.line_sha256 and hmac.compare_digest(
            key.end(line_sha256), mark.mac
        )

    def _behind(
        self, followed: _Followed, mark: EndMark, where: Path, *, free: bool
    ) -> Discrepancy | None:
        """Say that the end mark is behind the journal: in writing, after a crash, or set back."""
        last = followed.key.number - 1
        after, end = followed.after_mark, self._record
        lag_ns = int(end.get("monotonic_ns", 0)) - int(after.get("monotonic_ns", 0))
        said = f"{where}: is {last - mark.number} records behind the journal"
        if after.get("boot_id") != end.get("boot_id") or lag_ns > LAG_NS:
            return Discrepancy("amiss", f"{said}; it, or the box's key with it, was set back")
        if not free:
            return Discrepancy("note", f"{said}, which is being written")
        return Discrepancy("open", f"{said}: copied while it was written, or the power went")
