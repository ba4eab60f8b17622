"""Find the items that fit a filter, nearest to one item first, however rare they are.

What is frequent is found among the neighbours, in the items' own order. For what is rare, the items
of each cell that can fit (:mod:`edge.review.tables`) stand in their order in an index: the nearest
of all cells are merged, so the work is by the items shown and by the cells, not by the journal.
"""

import heapq
import sqlite3

from edge.review.filters import Conditions

NEAR = 20_000
"""Items beside a page that are looked through one by one before anything else is tried."""
IN_ORDER = "SELECT item FROM items NOT INDEXED WHERE"
OF_JUDGED = "SELECT item FROM items INDEXED BY items_judged WHERE"
OF_CELL = "SELECT item FROM items INDEXED BY items_cell WHERE cell ="


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
