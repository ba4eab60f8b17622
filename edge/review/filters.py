"""What of the journal is asked for: the filter of a list, as a page's address says it.

And how it is found, however rare it is. What is frequent is found among the neighbours, in the
items' own order. For what is rare, the items of each cell that can fit (:mod:`edge.review.tables`)
stand in their order in an index: the nearest of all cells are merged, so the work is by the items
shown and by the cells, not by the journal.
"""

import heapq
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from edge.errors import InputError
from edge.review.tables import JUDGEMENT_NUMBERS, VERDICT_NUMBERS, band_of

LONGEST_TEXT = 200
JUDGEMENTS = ("", "none", "good", "bad", "unsure")
NEWEST = 2**63 - 1
NEAR = 20_000
"""Items beside a page that are looked through one by one before anything else is tried."""
IN_ORDER = "SELECT item FROM items NOT INDEXED WHERE"
OF_JUDGED = "SELECT item FROM items INDEXED BY items_judged WHERE"
OF_CELL = "SELECT item FROM items INDEXED BY items_cell WHERE cell ="
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Filter:
    """Which items are asked for; each field left as it is asks for nothing.

    *since_ms*, *until_ms*: milliseconds UTC, the second exclusive. *score_from*, *score_to*: of the
    mark that decided, inclusive. *model*: its SHA-256 or the beginning of it. *text*: in code,
    reason or class; a number is an item's, too. *judgement*: ``none`` for items without one.
    """

    verdicts: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    since_ms: int | None = None
    until_ms: int | None = None
    label: str = ""
    score_from: float | None = None
    score_to: float | None = None
    model: str = ""
    text: str = ""
    judgement: str = ""
    pictured: bool | None = None

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Filter":
        """Read a filter from the query of an address, as :meth:`as_query` gives it.

        A name that is not known is passed over. Raises InputError in words.
        """
        verdicts = _words(query.get("verdict", ""))
        if unknown := [verdict for verdict in verdicts if verdict not in VERDICT_NUMBERS]:
            raise InputError(f"verdict must be pass, reject or fault, not {unknown[0][:40]}")
        judgement = query.get("judgement", "")
        if judgement not in JUDGEMENTS:
            raise InputError(f"judgement must be none, good, bad or unsure, not {judgement[:40]}")
        return cls(
            verdicts=verdicts,
            codes=_words(query.get("code", "")),
            since_ms=_moment(query, "since"),
            until_ms=_moment(query, "until"),
            label=_text(query, "label"),
            score_from=_score(query, "score_from"),
            score_to=_score(query, "score_to"),
            model=_text(query, "model"),
            text=_text(query, "text"),
            judgement=judgement,
            pictured={"yes": True, "no": False}.get(query.get("picture", "")),
        )

    def as_query(self) -> dict[str, str]:
        """Return the filter as the query of an address; what asks for nothing is left out.

        >>> Filter.of(Filter(verdicts=("reject",), text="seal").as_query()).text
        'seal'
        """
        said = {
            "verdict": ",".join(self.verdicts),
            "code": ",".join(self.codes),
            "since": "" if self.since_ms is None else _iso(self.since_ms),
            "until": "" if self.until_ms is None else _iso(self.until_ms),
            "label": self.label,
            "score_from": "" if self.score_from is None else f"{self.score_from:g}",
            "score_to": "" if self.score_to is None else f"{self.score_to:g}",
            "model": self.model,
            "text": self.text,
            "judgement": self.judgement,
            "picture": "" if self.pictured is None else "yes" if self.pictured else "no",
        }
        return {name: value for name, value in said.items() if value}


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip()[:LONGEST_TEXT] for word in text.split(",")[:50] if word.strip())


def _text(query: Mapping[str, str], name: str) -> str:
    return query.get(name, "").strip()[:LONGEST_TEXT]


def _score(query: Mapping[str, str], name: str) -> float | None:
    text = query.get(name, "").strip().replace(",", ".")
    if not text:
        return None
    try:
        score = float(text)
    except ValueError:
        score = -1.0
    if not 0.0 <= score <= 1.0:
        raise InputError(f"{name} must be a score from 0 to 1, not {text[:40]}")
    return score


def _moment(query: Mapping[str, str], name: str) -> int | None:
    """Read a moment: ISO 8601, of the box's own zone where none is said."""
    text = query.get(name, "").strip()
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InputError(
            f"{name} must be a moment such as 2026-01-31T14:00, not {text[:40]}"
        ) from None
    return (moment - EPOCH) // timedelta(milliseconds=1)


def _iso(ms: int) -> str:
    """Return a moment as :func:`_moment` reads it, in the box's own zone."""
    moment = EPOCH + timedelta(milliseconds=ms)
    return moment.astimezone().isoformat(timespec="seconds" if ms % 1000 == 0 else "milliseconds")


class Conditions:
    """The conditions of a filter as SQL over the table ``items``, with their values.

    Which items can fit by their numbers, *first* to *last*, stands beside them, so that a query
    has one such range and SQLite begins where it should. *ask*: runs a query, to find the numbers
    of codes, classes and models. Nothing of the filter becomes a part of the SQL.
    """

    def __init__(self, wanted: Filter, ask: Any) -> None:
        self._ask = ask
        self.first, self.last = 0, NEWEST
        self.terms: list[str] = []
        self.values: list[Any] = []
        self.cell_terms: list[str] = []
        self.cell_values: list[Any] = []
        self.judged = wanted.judgement not in ("", "none")
        """Whether only items with a standing judgement fit: those have an index of their own."""
        self._numbers(wanted)
        self._reasons(wanted)
        self._span(wanted)
        self._scores(wanted)

    def add(self, term: str, *values: Any) -> None:
        """Add a condition."""
        self.terms.append(term)
        self.values += values

    @property
    def where(self) -> str:
        """What follows WHERE, the range of items apart."""
        return " AND ".join(self.terms) or "1"

    @property
    def cells(self) -> str:
        """What follows WHERE over the table ``cells``: those in which an item can fit."""
        return " AND ".join(self.cell_terms) or "1"

    def narrow(self, first: int, last: int) -> None:
        """Restrict to items from *first* to *last*, both inclusive."""
        self.first, self.last = max(self.first, first), min(self.last, last)

    def _add_to_both(self, term: str, *values: Any) -> None:
        self.add(term, *values)
        self.cell_terms.append(term)
        self.cell_values += values

    def _among(self, column: str, numbers: list[int]) -> None:
        marks = ", ".join("?" * len(numbers))
        self._add_to_both(f"{column} IN ({marks})", *numbers)

    def _numbers(self, wanted: Filter) -> None:
        if wanted.verdicts:
            self._among("verdict", [VERDICT_NUMBERS[verdict] for verdict in wanted.verdicts])
        if wanted.judgement:
            number = JUDGEMENT_NUMBERS.get(wanted.judgement, 0)
            # The words of the partial index, or it is not used.
            self.add("judged > 0 AND judged = ?" if number else "judged = ?", number)
        if wanted.label:
            self._among("label", self._found("SELECT id FROM labels WHERE name = ?", wanted.label))
        if wanted.pictured is not None:
            self.add("picture IS NOT NULL" if wanted.pictured else "picture IS NULL")
        if wanted.model:
            rows = self._ask(
                "SELECT id, first_item, last_item FROM bases WHERE substr(model, 1, ?) = ?",
                (len(wanted.model), wanted.model),
            ).fetchall()
            self.add(f"basis IN ({', '.join('?' * len(rows))})", *(row[0] for row in rows))
            first = min((row[1] for row in rows if row[1]), default=0)
            last = max((row[2] for row in rows if row[2]), default=-1)
            self.narrow(first, last)

    def _reasons(self, wanted: Filter) -> None:
        if wanted.codes:
            numbers = [
                number
                for code in wanted.codes
                for number in self._found("SELECT id FROM reasons WHERE code = ?", code)
            ]
            self._among("reason", numbers)
        if not wanted.text:
            return
        like = "%" + "".join(f"\\{c}" if c in "\\%_" else c for c in wanted.text) + "%"
        reasons = self._found(
            "SELECT id FROM reasons WHERE code || ' ' || words LIKE ? ESCAPE '\\' LIMIT 500", like
        )
        labels = self._found("SELECT id FROM labels WHERE name LIKE ? ESCAPE '\\' LIMIT 500", like)
        item = int(wanted.text) if wanted.text.isascii() and wanted.text.isdigit() else -1
        named = {"reason": reasons, "label": labels, "item": [min(item, 2**63 - 1)]}
        terms = [
            f"{column} IN ({', '.join('?' * len(numbers))})"
            for column, numbers in named.items()
            if numbers and numbers != [-1]
        ]
        found = [number for numbers in named.values() for number in numbers if numbers != [-1]]
        self.add(f"({' OR '.join(terms)})" if terms else "0", *found)
        # A cell has no numbers of items: that of the one whose number it is.
        of_item = "id = (SELECT cell FROM items WHERE item = ?)"
        terms = [of_item if term.startswith("item ") else term for term in terms]
        self.cell_terms.append(f"({' OR '.join(terms)})" if terms else "0")
        self.cell_values += found

    def _span(self, wanted: Filter) -> None:
        """Restrict to a span of time; the items of its minutes are known without looking at all."""
        if wanted.since_ms is None and wanted.until_ms is None:
            return
        since = -(2**62) if wanted.since_ms is None else wanted.since_ms
        until = 2**62 if wanted.until_ms is None else wanted.until_ms
        row = self._ask(
            "SELECT min(first_item), max(last_item) FROM minutes WHERE minute BETWEEN ? AND ?",
            (since // 60_000, until // 60_000),
        ).fetchone()
        self.narrow(row[0] or 0, row[1] or -1)
        self.add("ms >= ? AND ms < ?", since, until)

    def _scores(self, wanted: Filter) -> None:
        if wanted.score_from is not None:
            self.add("score >= ?", wanted.score_from)
            self.cell_terms.append("band >= ?")
            self.cell_values.append(band_of(wanted.score_from))
        if wanted.score_to is not None:
            self.add("score <= ?", wanted.score_to)
            self.cell_terms.append("band BETWEEN 0 AND ?")
            self.cell_values.append(band_of(wanted.score_to))

    def _found(self, query: str, value: str) -> list[int]:
        return [row[0] for row in self._ask(query, (value,))]


def beside(
    connection: sqlite3.Connection, fit: Conditions, item: int, limit: int, *, newer: bool
) -> list[int]:
    """Return at most *limit* items that fit on one side of number *item*, the nearest first."""
    first, last = fit.first, fit.last
    if newer:
        first = max(first, item + 1)
    else:
        last = min(last, item - 1, _newest(connection))
    near = (first, min(last, first + NEAR)) if newer else (max(first, last - NEAR), last)
    order = f"AND item BETWEEN ? AND ? ORDER BY item {'ASC' if newer else 'DESC'} LIMIT ?"
    found = _items(connection, f"{IN_ORDER} {fit.where} {order}", [*fit.values, *near, limit])
    if len(found) == limit or near == (first, last):
        return found
    if fit.judged:
        values = [*fit.values, first, last, limit]
        return _items(connection, f"{OF_JUDGED} {fit.where} {order}", values)
    return _merged(connection, fit, (first, last), limit, newer=newer)


def count(connection: sqlite3.Connection, fit: Conditions, item: int, most: int) -> int:
    """Return how many items that fit are newer than number *item*, counted up to *most*."""
    values = [*fit.values, max(fit.first, item + 1), fit.last, most]
    among = IN_ORDER
    if fit.judged:
        among = OF_JUDGED
    elif fit.cell_terms:
        among = f"{OF_CELL[:-1]}IN (SELECT id FROM cells WHERE {fit.cells}) AND"  # noqa: S608
        values = [*fit.cell_values, *values]
    return len(_items(connection, f"{among} {fit.where} AND item BETWEEN ? AND ? LIMIT ?", values))


def _merged(
    connection: sqlite3.Connection,
    fit: Conditions,
    span: tuple[int, int],
    limit: int,
    *,
    newer: bool,
) -> list[int]:
    """Merge the cells: the nearest item of each that can fit, and each time the next of its cell.

    *span*: the first and the last item that are looked at.
    """
    order = f"AND item BETWEEN ? AND ? ORDER BY item {'ASC' if newer else 'DESC'} LIMIT 1"
    nearest = f"{OF_CELL} cells.id AND {fit.where} {order}"
    heap = [
        (found if newer else -found, cell)
        for cell, found in connection.execute(
            f"SELECT id, ({nearest}) FROM cells WHERE {fit.cells}",  # noqa: S608
            (*fit.values, *span, *fit.cell_values),
        )
        if found is not None
    ]
    heapq.heapify(heap)
    merged: list[int] = []
    following = f"{OF_CELL} ? AND {fit.where} {order}"
    while heap and len(merged) < limit:
        found, cell = heap[0]
        merged.append(abs(found))
        rest = (merged[-1] + 1, span[1]) if newer else (span[0], merged[-1] - 1)
        more = _items(connection, following, [cell, *fit.values, *rest])
        if more:
            heapq.heapreplace(heap, (more[0] if newer else -more[0], cell))
        else:
            heapq.heappop(heap)
    return merged


def _items(connection: sqlite3.Connection, query: str, values: list[object]) -> list[int]:
    return [row[0] for row in connection.execute(query, values)]


def _newest(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT max(item) FROM items").fetchone()[0] or 0)
