"""Verify a journal: hash chain, item numbers and counters; and its pictures against their SHA-256.

:mod:`edge.record.journal` says what its records hold.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from edge.errors import InputError
from edge.record.journal_file import (
    FIRST,
    file_number,
    journal_lines,
    parse_record,
    rotated_files,
)


@dataclass(frozen=True)
class Verified:
    """Totals of a journal that :func:`verify` found sound."""

    records: int
    items: int
    files: int = 1
    lost_items: int = 0
    """Items whose records did not fit into memory while the disk could not be written, by the
    journal's own ``gap`` records."""
    first_item: int = 1
    """First item that the files here may hold; above 1 when older files are kept elsewhere."""


def verify(path: Path) -> Verified:
    """Verify a journal from its first line to its last.

    Every line must be a whole record and carry the hash of the line before, items must be numbered
    without a gap, and the counters of ``stop`` records must be right.

    *path*: the file being written, with the full ones beside it, or a single full one. Raises
    InputError that names the file and the first line amiss.
    """
    chain = _Chain()
    try:
        _check_numbers(rotated_files(path))
        for file, number, line in journal_lines(path):
            chain.take(file, number, line)
    except OSError as error:
        text = str(error) if isinstance(error, InputError) else f"{path}: {error.strerror}"
        raise InputError(text) from None
    return chain.verified()


class _Chain:
    """State of the verification up to a line."""

    def __init__(self) -> None:
        self._previous, self._last = FIRST, 0
        self._records = self._items = self._lost = 0
        self._first_item = 1
        self._files: set[Path] = set()
        # Verdicts since the last start; None when its file is not here.
        self._counted: Counter[str] | None = Counter()

    def take(self, file: Path, number: int, line: bytes) -> None:
        """Check the next line. Raises InputError."""
        record, where = parse_record(line.rstrip(b"\n")), f"{file}: line {number}"
        if record is None or not line.endswith(b"\n"):
            raise InputError(
                f"{where} must be a whole record; it was cut or written over (if it is the last "
                "one, by a power cut, the next start of the service takes it off and says so)"
            )
        if self._records == 0 and record["kind"] == "continued":
            self._begin_in_the_middle(record)
        self._check(record, where)
        self._previous = hashlib.sha256(line.rstrip(b"\n")).hexdigest()
        self._last = record["sequence"]
        self._records += 1
        self._files.add(file)
        self._count(record, where)

    def verified(self) -> Verified:
        """Return the totals so far."""
        files = max(1, len(self._files))
        return Verified(self._records, self._items, files, self._lost, self._first_item)

    def _begin_in_the_middle(self, record: Mapping[str, Any]) -> None:
        self._previous, self._last = record["previous"], record["sequence"]
        self._first_item = self._last + 1
        self._counted = None if record.get("counted") is None else Counter(record["counted"])

    def _check(self, record: Mapping[str, Any], where: str) -> None:
        if record["previous"] != self._previous:
            raise InputError(
                f"{where} must carry the hash of the line before; one was changed, "
                "or one between is missing"
            )
        new_items = {"item": 1, "gap": record.get("lost_items")}.get(str(record["kind"]), 0)
        expected = self._last + (new_items or 0)
        if record["sequence"] != expected:
            raise InputError(
                f"{where} must have the sequence {expected}, not {record['sequence']}; "
                "an item is missing"
            )

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
    verdicts = {kind: counted[kind] for kind in ("pass", "reject", "fault")}
    wanted = {"triggers": counted.total(), **verdicts}
    if {name: said.get(name) for name in wanted} != wanted:
        raise InputError(
            f"{where} must count {wanted}, not {dict(said)}; items are missing or were added"
        )


def _check_numbers(rotated: list[Path]) -> None:
    for before, file in pairwise(rotated):
        number = file_number(file)
        if number != file_number(before) + 1:
            raise InputError(
                f"{file}: must follow file number {number - 1}, not {before.name}; one is gone"
            )


@dataclass(frozen=True)
class Pictures:
    """Numbers of evidence pictures that :func:`verify_pictures` compared with their records."""

    right: int = 0
    """There, as they were when they were recorded."""
    gone: int = 0
    """Not there any more: the oldest give way."""
    unsaid: int = 0
    """There, but written too late for their records to carry a SHA-256."""


def verify_pictures(path: Path, folder: Path) -> Pictures:
    """Compare the pictures in *folder* with their SHA-256 in the sound journal *path*.

    Raises InputError that names the first that is another than when it was recorded, or cannot be
    read.
    """
    counts: Counter[str] = Counter()
    for file, number, line in journal_lines(path):
        record = parse_record(line.rstrip(b"\n")) or {}
        if record.get("evidence"):
            picture = folder / Path(str(record["evidence"])).name
            sha256 = str(record.get("evidence_sha256", ""))
            counts[_compare(picture, sha256, f"{file}: line {number}")] += 1
    return Pictures(**counts)


def _compare(picture: Path, sha256: str, where: str) -> str:
    """Return the name of the count of :class:`Pictures` to which a picture belongs.

    Raises InputError.
    """
    try:
        content = picture.read_bytes()
    except FileNotFoundError:
        return "gone"
    except OSError as error:
        raise InputError(
            f"{picture}: cannot be read ({error.strerror}); try again with sudo"
        ) from None
    if sha256 and hashlib.sha256(content).hexdigest() != sha256:
        raise InputError(
            f"{picture}: must be the picture recorded in {where}; it was changed or exchanged since"
        )
    return "right" if sha256 else "unsaid"


def read_records(path: Path) -> list[dict[str, Any]]:
    """Read all records of a sound journal, oldest first."""
    return [json.loads(line) for _, _, line in journal_lines(path)]
