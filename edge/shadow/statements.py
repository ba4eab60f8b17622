"""What people say in shadow, in a log of its own: truths about items, overrides, and clearances.

It is a journal (:mod:`edge.record.journal`), chained and written down line by line, because the
box's own is the service's while it runs. Its kinds:

``truth``     what is *said of* items, as ranges of numbers, by whom, and from where
``override``  a named person lets a study run below the plan, and why
``clearance``   what a study had shown when the box was allowed to run

The review page uses :func:`say_truths`, too.
"""

import getpass
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from edge.clock import MonotonicClock
from edge.config import Config
from edge.errors import InputError
from edge.record.journal import Journal
from edge.record.journal_file import journal_records
from edge.record.verify import reading, verify

RANGES_AT_ONCE = 10_000
"""Ranges in one record, of which a line has room for several times as many."""


@dataclass
class Statements:
    """All that was said so far.

    *truths*: good or bad by the item's number, the last word on each. *overrides*, *clearances*:
    the last of each study. *truths_since*: studies whose clearance is older than a truth.
    """

    truths: dict[int, str] = field(default_factory=dict)
    overrides: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    clearances: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    truths_since: set[str] = field(default_factory=set)
    _parts: dict[int, str] = field(default_factory=dict)
    """What was said in the parts so far of one saying; none of it counts before the last."""

    def take(self, record: Mapping[str, Any]) -> None:
        """Take the next record of the log; one of another kind says nothing."""
        kind, study = record["kind"], str(record.get("study", ""))
        if kind == "truth":
            self._take_part(record)
        elif kind == "override":
            self.overrides[study] = record
        elif kind == "clearance":
            self.clearances[study] = record
            self.truths_since.discard(study)

    def _take_part(self, record: Mapping[str, Any]) -> None:
        """Take a part of what was said at once: all of it counts, or nothing."""
        part, parts = record.get("part", 1), record.get("parts", 1)
        if part == 1:
            self._parts = {}
        self._parts |= truths_of(record)
        if part == parts:
            self.truths_since |= set(self.clearances)
            self.truths |= self._parts


def read_statements(config: Config) -> Statements:
    """Read the log, all of which must be whole; empty where there is none yet.

    Raises InputError that names the first line amiss.
    """
    path, said = config.path(config.shadow.log), Statements()
    if not os.path.lexists(path):
        return said
    verify(path)
    with reading(path):
        for record in journal_records(path):
            said.take(record)
    return said


def say_truths(
    config: Config, truths: Mapping[int, str], by: str, source: str, *, corrects: int = 0
) -> None:
    """Append what *by* says of items, by their numbers: ``good`` or ``bad``.

    Where it takes several records, none of it counts before the last is there. *source*: where it
    was read, such as a file's name; *corrects*: how many of them say otherwise
    than before. All of it is in the log when this returns. Raises JournalError.
    """
    about = {"by": by, "user": user(), "source": source, "corrects": corrects}
    parts = list(_in_parts(truths))
    with _log(config) as log:
        for part, statements in enumerate(parts, 1):
            counted = {"part": part, "parts": len(parts)} if len(parts) > 1 else {}
            log.append("truth", {**about, **counted, "statements": statements})


def say_override(config: Config, study: str, by: str, reason: str, shown: Iterable[str]) -> None:
    """Append that *by* lets a study run below its plan. *shown*: the study's figures, in lines."""
    about = {"study": study, "plan": config.shadow.plan, "by": by, "user": user()}
    with _log(config) as log:
        log.append("override", {**about, "reason": reason, "shown": list(shown)})


def say_clearance(config: Config, study: str, last_item: int, shown: Iterable[str]) -> None:
    """Append that a study has shown its plan, up to *last_item*. Raises JournalError."""
    about = {"study": study, "plan": config.shadow.plan, "last_item": last_item}
    with _log(config) as log:
        log.append("clearance", {**about, "shown": list(shown)})


def truths_of(record: Mapping[str, Any]) -> dict[int, str]:
    """Return what a truth record says of each item."""
    return {
        item: str(truth)
        for truth, ranges in record.get("statements", {}).items()
        for first, last in ranges
        for item in range(first, last + 1)
    }


def user() -> str:
    """Return the computer's user at work, also behind sudo."""
    with suppress(OSError, KeyError):
        return os.environ.get("SUDO_USER") or getpass.getuser()
    return str(os.getuid())


@contextmanager
def _log(config: Config) -> Iterator[Journal]:
    """Open the log, to append to it. Raises InputError, JournalError."""
    path: Path = config.path(config.shadow.log)
    with Journal(path, MonotonicClock(), settings=config.journal) as log:
        yield log
        log.flush()
        if log.trouble:
            raise InputError(f"{path}: {log.trouble}; make room there, and say it again")


def _in_parts(truths: Mapping[int, str]) -> Iterator[dict[str, list[list[int]]]]:
    """Yield statements with at most :data:`RANGES_AT_ONCE` ranges each."""
    ranges = list(chain.from_iterable(_ranges(truths, truth) for truth in ("good", "bad")))
    for start in range(0, len(ranges), RANGES_AT_ONCE):
        part: dict[str, list[list[int]]] = {}
        for truth, first, last in ranges[start : start + RANGES_AT_ONCE]:
            part.setdefault(truth, []).append([first, last])
        yield part


def _ranges(truths: Mapping[int, str], wanted: str) -> Iterator[tuple[str, int, int]]:
    """Yield the items of one truth as ranges of numbers.

    >>> list(_ranges({3: "bad", 1: "good", 2: "good"}, "good"))
    [('good', 1, 2)]
    """
    first = last = 0
    for item in sorted(item for item, truth in truths.items() if truth == wanted):
        if last and item == last + 1:
            last = item
            continue
        if last:
            yield wanted, first, last
        first = last = item
    if last:
        yield wanted, first, last
