"""The queue of a reviewer: unjudged items with a picture, the most telling first.

Four kinds come in turn, so that none of them is never reached:

sample      the next pass of the random sample, in the order of the draw (:mod:`edge.review.bound`)
threshold   the score nearest the threshold, on either side
disagree    an item of whose pictures some passed and some did not
reject      the newest reject or fault

What another reviewer was given in the last two minutes is left out.
"""

import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from edge.errors import InputError
from edge.review.index import ReviewIndex, Row

Kind = Literal["sample", "threshold", "disagree", "reject"]
KINDS: tuple[Kind, ...] = ("sample", "threshold", "disagree", "reject")
WHY = {
    "sample": "drawn by chance among the passes",
    "threshold": "its score is near the threshold",
    "disagree": "its pictures do not agree",
    "reject": "it was rejected",
}
MOST = 100
NEXT = {
    "sample": "draw IS NOT NULL AND judged = 0 AND basis = (SELECT basis FROM items"
    " ORDER BY item DESC LIMIT 1) AND picture >= ? AND item >= ? ORDER BY draw",
    "threshold": "judged = 0 AND picture > 0 AND margin IS NOT NULL AND picture >= ?"
    " AND item >= ? ORDER BY margin",
    "disagree": "disagree > 0 AND judged = 0 AND picture >= ? AND item >= ? ORDER BY item DESC",
    "reject": "judged = 0 AND picture > 0 AND verdict > 0 AND picture >= ? AND item >= ?"
    " ORDER BY item DESC",
}
"""How the next items of each kind are found: pictures from one on, items from one on."""


@dataclass(frozen=True)
class Task:
    """An item to judge, and why it comes now."""

    row: Row
    kind: Kind
    why: str


def queue(
    index: ReviewIndex,
    reviewer: str,
    kinds: Sequence[str] = KINDS,
    *,
    limit: int = 10,
    exclude: Collection[int] = (),
    oldest_picture: int = 0,
    first_item: int = 0,
) -> tuple[Task, ...]:
    """Return the next items for a reviewer, and keep them from others for two minutes.

    *exclude*: items that are not wanted again now. *oldest_picture*: the number of the oldest one
    that is still there; *first_item*: the first item that is asked for. Raises InputError for a
    kind that is none.
    """
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        raise InputError(f"a queue is of {', '.join(KINDS)}, not {unknown[0][:40]}")
    limit = max(1, min(limit, MOST))
    wanted: list[Kind] = [kind for kind in KINDS if kind in kinds]
    with index.asking() as connection:
        taken = {*exclude, *index.claims.of_others(reviewer)}
        found = {
            kind: _next(connection, kind, limit + len(taken), oldest_picture, first_item)
            for kind in wanted
        }
        chosen = _in_turn(found, taken, limit)
        index.claims.claim(reviewer, list(chosen))
        rows = index.rows_of(list(chosen))
    return tuple(Task(row, chosen[row.item], WHY[chosen[row.item]]) for row in rows)


def _next(
    connection: sqlite3.Connection, kind: Kind, most: int, oldest_picture: int, first_item: int
) -> list[int]:
    rows = connection.execute(
        f"SELECT item FROM items WHERE {NEXT[kind]} LIMIT ?",  # noqa: S608
        (max(1, oldest_picture), first_item, most),
    )
    return [row[0] for row in rows]


def _in_turn(found: dict[Kind, list[int]], taken: set[int], limit: int) -> dict[int, Kind]:
    """Return items and their kinds: one of each kind in turn."""
    chosen: dict[int, Kind] = {}
    left = {kind: [item for item in items if item not in taken] for kind, items in found.items()}
    while len(chosen) < limit and any(left.values()):
        for kind, items in left.items():
            while items and items[0] in chosen:
                items.pop(0)
            if items and len(chosen) < limit:
                chosen[items.pop(0)] = kind
    return chosen
