"""The index of the review page: an SQLite file that follows the journal and the audit log.

It is made from the journal at will and holds nothing that is not there: the journal is the record,
opened for reading only. What is shown of an item is read from the journal at that moment, and its
line's hash and its neighbours in the chain are checked (:mod:`edge.review.places`). Lists go by the
item's number (keyset pagination), so nothing jumps when new items come.
"""

import contextlib
import sqlite3
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from edge.review import statistics
from edge.review.claims import Claims
from edge.review.filters import NEWEST, Conditions, Filter, beside, count
from edge.review.following import BATCH, Follower
from edge.review.judged import JudgementTaker, judgements_in
from edge.review.judgements import Judgement
from edge.review.places import Check, Checker, Place, checking
from edge.review.tables import JUDGEMENT_NAMES, SOURCES, VERDICT_NAMES, connect, remove
from edge.review.taking import Sampling, Taker

COLUMNS = (
    "item, file, offset, length, sha256, ms, source, verdict, reason, label, score, basis, margin,"
    " picture, judged"
)
MOST_ROWS = 500
MOST_TROUBLES = 200


@dataclass(frozen=True)
class Trouble:
    """What does not fit in a log, when it was seen, and the item before it."""

    ms: int
    item: int
    words: str


@dataclass(frozen=True)
class IndexState:
    """How far the index is, and what it has found amiss; *behind_bytes*: not taken yet."""

    items: int
    first_item: int
    last_item: int
    last_ms: int | None
    behind_bytes: int
    troubles: tuple[Trouble, ...] = ()


@dataclass(frozen=True)
class Basis:
    """What items are judged by: a model, the settings, the score from which a mark counts."""

    model_sha256: str
    model_file: str
    settings_sha256: str
    threshold: float
    required: str


@dataclass(frozen=True)
class Row:
    """One item of a list; *ms*: milliseconds UTC, by *time_source*.

    *label*, *score*: of the mark that decided; *margin*: how far its score is from the threshold;
    None where there is none. *evidence*: the picture's file; empty for none.
    """

    item: int
    ms: int
    time_source: str
    verdict: str
    code: str
    reason: str
    label: str
    score: float | None
    threshold: float
    margin: float | None
    evidence: str
    judgement: str
    judged_by: str
    check: Check


@dataclass(frozen=True)
class Page:
    """Rows of a list, the newest first; whether there are newer and older ones that fit."""

    rows: tuple[Row, ...]
    newer: bool
    older: bool


@dataclass(frozen=True)
class Shown:
    """One item whole: *record* as the disk has it now, None when it is not there."""

    row: Row
    record: dict[str, Any] | None
    check: Check
    line_sha256: str
    judgements: tuple[Judgement, ...]
    previous_item: int | None
    next_item: int | None
    basis: Basis
    head: int
    """The journal's last item at this moment."""


@dataclass(frozen=True)
class Event:
    """A record of the journal that is no item's: a start, a note, an incident, a gap, and so on."""

    id: int
    ms: int
    kind: str
    item: int
    words: str


@dataclass(frozen=True)
class Choices:
    """What a filter can choose among; *models*: SHA-256 and file's name, the last one first."""

    codes: tuple[str, ...]
    labels: tuple[str, ...]
    models: tuple[tuple[str, str], ...]


class ReviewIndex:
    """The index at *path* over the *journal*, and over the *audit* log where there is one.

    *sampling*: which passes are drawn; None draws none. Synchronization: any thread may call; one
    connection behind a lock, which is held for some 50 ms at most.
    """

    def __init__(
        self,
        path: Path,
        journal: Path,
        *,
        audit: Path | None = None,
        sampling: Sampling | None = None,
    ) -> None:
        self.path, self.journal, self.audit = path, journal, audit
        self.sampling = sampling
        self.claims = Claims()
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection
        self._followers: list[tuple[Follower, Taker | JudgementTaker]] = []
        self._open()

    @classmethod
    def open(
        cls,
        path: Path,
        journal: Path,
        *,
        audit: Path | None = None,
        sampling: Sampling | None = None,
    ) -> "ReviewIndex":
        """Open the index, or make it. Raises InputError when *path* cannot be used."""
        return cls(path, journal, audit=audit, sampling=sampling)

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
        """Close it."""
        with self._lock:
            self._connection.close()

    def catch_up(self, most: int | None = None) -> int:
        """Take new lines of journal and audit log, at most *most*; return how many were taken.

        Raises OSError when a file is there and cannot be read.
        """
        taken = 0
        while most is None or taken < most:
            step = self._step(BATCH if most is None else min(BATCH, most - taken))
            if not step:
                break
            taken += step
        return taken

    def rebuild(self) -> None:
        """Make the index anew, from the first line on."""
        with self._lock:
            self._connection.close()
            remove(self.path)
            self._open()
        self.catch_up()

    def state(self) -> IndexState:
        """Return how far the index is, and what does not fit."""
        with self._lock:
            first = self._ask("SELECT min(item) FROM items").fetchone()[0]
            last = self._ask("SELECT max(item) FROM items").fetchone()[0]  # together: a scan
            newest = self._ask("SELECT ms FROM items WHERE item = ?", (last or 0,)).fetchone()
            number = self._ask("SELECT SUM(items) FROM cells").fetchone()[0]
            rows = self._ask(
                "SELECT ms, item, words FROM troubles ORDER BY id DESC LIMIT ?", (MOST_TROUBLES,)
            ).fetchall()
            troubles = [*self._gone(), *(Trouble(*row) for row in rows)]
            behind = sum(follower.behind() for follower, _ in self._followers)
        newest_ms = newest[0] if newest else None
        return IndexState(number or 0, first or 0, last or 0, newest_ms, behind, tuple(troubles))

    def page(
        self,
        wanted: Filter,
        *,
        before: int | None = None,
        after: int | None = None,
        limit: int = 50,
    ) -> Page:
        """Return at most *limit* items that fit, the newest first: those *before* or *after* one.

        Without either, the newest.
        """
        with self._lock:
            return self._page(wanted, before, after, max(1, min(limit, MOST_ROWS)))

    def _page(self, wanted: Filter, before: int | None, after: int | None, limit: int) -> Page:
        fit = Conditions(wanted, self._ask)
        start = after if after is not None else NEWEST if before is None else before
        found = beside(self._connection, fit, start, limit + 1, newer=after is not None)
        more, found = len(found) > limit, found[:limit]
        if after is not None:
            found.reverse()
        if not found:
            return Page((), False, False)
        behind = found[-1] if after is not None else found[0]
        other = bool(beside(self._connection, fit, behind, 1, newer=after is None))
        newer, older = (more, other) if after is not None else (other, more)
        return Page(self.rows_of(found), newer, older)

    def count_newer(self, wanted: Filter, item: int, most: int = 999) -> int:
        """Return how many items that fit are newer than number *item*; counted up to *most*."""
        with self._lock:
            return count(self._connection, Conditions(wanted, self._ask), item, most)

    def item(self, number: int) -> Shown | None:
        """Return one item whole, read from the journal and checked now; None for no such one."""
        if not 0 < number <= NEWEST:
            return None
        with self._lock:
            found = self._ask(f"SELECT {COLUMNS} FROM items WHERE item = ?", (number,)).fetchone()  # noqa: S608
            if found is None:
                return None
            with self._checker() as checker:
                record, check = self._look(checker, found)
            row = self._row(found, record, check)
            around = self._ask(
                "SELECT (SELECT max(item) FROM items WHERE item < ?1),"
                " (SELECT min(item) FROM items WHERE item > ?1), (SELECT max(item) FROM items)",
                (number,),
            ).fetchone()
            said = tuple(judgements_in(self._connection, "item = ?", number))
            basis = self._basis(found[11])
        line_sha256 = bytes(found[4]).hex()
        return Shown(row, record, check, line_sha256, said, around[0], around[1], basis, around[2])

    def rows_of(self, numbers: Sequence[int]) -> tuple[Row, ...]:
        """Return the items of these numbers, in their order, as far as they are known."""
        with self._lock:
            marks = ", ".join("?" * len(numbers))
            found = self._ask(
                f"SELECT {COLUMNS} FROM items WHERE item IN ({marks})",  # noqa: S608
                tuple(numbers),
            ).fetchall()
            places = {row[0]: row for row in found}
            return self._rows([places[number] for number in numbers if number in places])

    def last_items(self, number: int = 12) -> tuple[Row, ...]:
        """Return the last items, the newest first."""
        return self.page(Filter(), limit=number).rows

    def counts(self, since_ms: int, until_ms: int) -> statistics.Counts:
        """Return the counts of a span of time, to the minute; *until_ms* is exclusive."""
        with self._lock:
            return statistics.counts_of(
                self._added(since_ms, until_ms), self._judged(since_ms, until_ms)
            )

    def chart(self, since_ms: int, until_ms: int, minutes: int = 15) -> statistics.Chart:
        """Return the p-chart of what did not pass, by spans of *minutes*."""
        with self._lock:
            spans = self._spans(since_ms, until_ms, max(1, minutes))
            return statistics.chart_of(spans, since_ms, max(1, minutes))

    def events(
        self,
        since_ms: int,
        until_ms: int,
        *,
        kinds: Collection[str] = (),
        before: int | None = None,
        limit: int = 100,
    ) -> tuple[Event, ...]:
        """Return the records that are no item's, the newest first; *before*: the id of an event."""
        among = f" AND kind IN ({', '.join('?' * len(kinds))})" if kinds else ""
        with self._lock:
            rows = self._ask(
                "SELECT id, ms, kind, item, words FROM events WHERE ms >= ? AND ms < ? AND id < ?"  # noqa: S608
                f"{among} ORDER BY id DESC LIMIT ?",
                (since_ms, until_ms, NEWEST if before is None else before, *kinds, limit),
            ).fetchall()
        return tuple(Event(*row) for row in rows)

    def choices(self) -> Choices:
        """Return what a filter can choose among."""
        with self._lock:
            codes = self._ask("SELECT DISTINCT code FROM reasons ORDER BY code").fetchall()
            labels = self._ask("SELECT name FROM labels ORDER BY name").fetchall()
            models = self._ask("SELECT model, file FROM bases ORDER BY id DESC").fetchall()
        return Choices(
            tuple(row[0] for row in codes if row[0]),
            tuple(row[0] for row in labels if row[0]),
            tuple(dict.fromkeys((row[0], row[1]) for row in models if row[0])),
        )

    def judgements(self, item: int) -> tuple[Judgement, ...]:
        """Return all that was said of an item, oldest first, what was undone marked so."""
        with self._lock:
            return tuple(judgements_in(self._connection, "item = ?", item))

    def current(self, item: int) -> Judgement | None:
        """Return the last standing word on an item; None without one."""
        standing = [said for said in self.judgements(item) if not said.undone]
        return standing[-1] if standing else None

    def judgement(self, judgement_id: str) -> Judgement | None:
        """Return a judgement by its id; None for no such one."""
        with self._lock:
            return next(judgements_in(self._connection, "id = ?", judgement_id), None)

    def last_judgement(self, by: str) -> Judgement | None:
        """Return the last standing judgement of a reviewer; None without one."""
        with self._lock:
            found = judgements_in(self._connection, "by = ? AND undone = 0", by, last=True)
            return next(found, None)

    @contextlib.contextmanager
    def asking(self) -> Iterator[sqlite3.Connection]:
        """Give the connection under the lock, for what stands beside this module."""
        with self._lock:
            yield self._connection

    def basis(self) -> Basis | None:
        """Return what the last items were judged by; None of an empty journal."""
        with self._lock:
            row = self._ask("SELECT basis FROM items ORDER BY item DESC LIMIT 1").fetchone()
            return None if row is None else self._basis(row[0])

    def _open(self) -> None:
        drawn = self.sampling.name if self.sampling else "none"
        self._connection = connect(self.path, f"{self.journal.absolute()} {drawn}")
        taker = Taker(self._connection, self.sampling, self._complain)
        follower = Follower(self._connection, "journal", self.journal, taker.take, self._complain)
        self._followers = [(follower, taker)]
        if self.audit is not None:
            judged = JudgementTaker(self._connection)
            log = Follower(self._connection, "audit", self.audit, judged.take, self._complain)
            self._followers.append((log, judged))

    def _step(self, most: int) -> int:
        """Take at most *most* lines of each log, in a transaction of their own."""
        taken = 0
        for follower, taker in self._followers:
            with self._lock:
                self._ask("BEGIN IMMEDIATE")
                try:
                    taken += follower.step(most)
                    taker.save()
                    self._ask("COMMIT")
                except BaseException:
                    self._ask("ROLLBACK")
                    taker.take_up()
                    raise
        return taken

    def _complain(self, words: str, item: int) -> None:
        known = self._ask("SELECT 1 FROM troubles WHERE words = ?", (words,)).fetchone()
        number = self._ask("SELECT count(*) FROM troubles").fetchone()[0]
        if known is None and number < 10 * MOST_TROUBLES:
            self._ask(
                "INSERT INTO troubles (ms, item, words) VALUES (?, ?, ?)", (_now_ms(), item, words)
            )

    def _gone(self) -> Iterator[Trouble]:
        """Yield files that were indexed and are not there any more."""
        for follower, _ in self._followers:
            for file in follower.files().values():
                if not file.path.exists():
                    words = (
                        f"{file.path.name} is gone since it was indexed; its records are missing"
                    )
                    yield Trouble(_now_ms(), 0, words)

    def _ask(self, query: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        return self._connection.execute(query, values)

    def _added(self, since_ms: int, until_ms: int) -> Iterator[statistics.Row]:
        """Yield the items of a span by verdict, code and class; SQLite adds the minutes up."""
        yield from self._ask(
            "SELECT verdict, reasons.code, labels.name, number FROM"
            " (SELECT verdict, reason, label, SUM(items) AS number FROM minutes"
            " WHERE minute >= ? AND minute < ? GROUP BY verdict, reason, label)"
            " JOIN reasons ON reasons.id = reason JOIN labels ON labels.id = label",
            (since_ms // statistics.MINUTE_MS, -(-until_ms // statistics.MINUTE_MS)),
        )

    def _spans(self, since_ms: int, until_ms: int, minutes: int) -> Iterator[statistics.Span]:
        """Yield the items of each span of *minutes*, and those of them that did not pass."""
        first = since_ms // statistics.MINUTE_MS
        yield from self._ask(
            "SELECT (minute - ?) / ?, SUM(items), SUM(items * (verdict > 0)) FROM minutes"
            " WHERE minute >= ? AND minute < ? GROUP BY 1",
            (first, minutes, first, -(-until_ms // statistics.MINUTE_MS)),
        )

    def _judged(self, since_ms: int, until_ms: int) -> dict[str, int]:
        conditions = Conditions(Filter(since_ms=since_ms, until_ms=until_ms), self._ask)
        conditions.add("judged > 0")
        rows = self._ask(
            f"SELECT judged, count(*) FROM items WHERE {conditions.where}"  # noqa: S608
            " AND item BETWEEN ? AND ? GROUP BY 1",
            (*conditions.values, conditions.first, conditions.last),
        )
        return {JUDGEMENT_NAMES[number]: count for number, count in rows}

    @contextlib.contextmanager
    def _checker(self) -> Iterator[Checker]:
        with checking(self._followers[0][0].files()) as checker:
            yield checker

    def _rows(self, found: Sequence[Any]) -> tuple[Row, ...]:
        with self._checker() as checker:
            return tuple(self._row(values, *self._look(checker, values)) for values in found)

    def _look(self, checker: Checker, values: Any) -> tuple[dict[str, Any] | None, Check]:
        """Read an item's line again; what is amiss is kept as trouble, too."""
        record, check = checker.read(_place(values))
        if check.state != "whole":
            self._complain(f"item {values[0]}: {check.words}", values[0])
        return record, check

    def _row(self, values: Any, record: dict[str, Any] | None, check: Check) -> Row:
        item, verdict, picture = values[0], VERDICT_NAMES[values[7]], values[13]
        code, words = self._ask(
            "SELECT code, words FROM reasons WHERE id = ?", (values[8],)
        ).fetchone()
        label = self._ask("SELECT name FROM labels WHERE id = ?", (values[9],)).fetchone()[0]
        reason = str((record or {}).get("reason", words)) if check.state != "altered" else words
        by = self.current(item) if values[14] else None
        return Row(
            item=item,
            ms=values[5],
            time_source=SOURCES[values[6]],
            verdict=verdict,
            code=code,
            reason=reason,
            label=label,
            score=values[10],
            threshold=self._basis(values[11]).threshold,
            margin=values[12],
            evidence="" if picture is None else f"{picture:09}-{item:09}-{verdict}.jpg",
            judgement=JUDGEMENT_NAMES[values[14]],
            judged_by=by.by if by else "",
            check=check,
        )

    def _basis(self, number: int) -> Basis:
        row = self._ask(
            "SELECT model, file, settings, threshold, required FROM bases WHERE id = ?", (number,)
        ).fetchone()
        return Basis(*row)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _place(values: Any) -> Place:
    return Place(values[0], values[1], values[2], values[3], bytes(values[4]))
