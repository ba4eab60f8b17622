"""What the index keeps of the audit log: who judged which item, and what was undone."""

import dataclasses
import sqlite3
from collections.abc import Iterator

from edge.review.following import Line
from edge.review.judgements import Judgement, judgement_of
from edge.review.tables import JUDGEMENT_NUMBERS

FIELDS = tuple(field.name for field in dataclasses.fields(Judgement))


class JudgementTaker:
    """Puts each judgement of the audit log into the tables of *connection*.

    An item that is not known yet is marked when it comes (:meth:`save`). Synchronization: the
    caller's lock.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def take_up(self) -> None:
        """Nothing is kept outside of the tables."""

    def take(self, line: Line) -> None:
        """Take the next line of the audit log."""
        record = line.record
        if record is None:
            return
        if record["kind"] == "judgement":
            said = judgement_of(record)
            marks = ", ".join("?" * len(FIELDS))
            self._connection.execute(
                f"INSERT OR IGNORE INTO judgements ({', '.join(FIELDS)}) VALUES ({marks})",  # noqa: S608
                dataclasses.astuple(said),
            )
            self._mark(said.item)
        elif record["kind"] == "undo":
            self._connection.execute(
                "UPDATE judgements SET undone = 1 WHERE id = ?", (record["undoes"],)
            )
            self._mark(record["item"])

    def save(self) -> None:
        """Mark the items that came after what was said of them, as after a rebuild."""
        rows = self._connection.execute(
            "SELECT DISTINCT judgements.item FROM judgements JOIN items USING (item)"
            " WHERE undone = 0 AND judged = 0"
        ).fetchall()
        for (item,) in rows:
            self._mark(item)

    def _mark(self, item: int) -> None:
        row = self._connection.execute(
            "SELECT judgement FROM judgements WHERE item = ? AND undone = 0"
            " ORDER BY number DESC LIMIT 1",
            (item,),
        ).fetchone()
        number = JUDGEMENT_NUMBERS[row[0]] if row else 0
        self._connection.execute("UPDATE items SET judged = ? WHERE item = ?", (number, item))


def judgements_in(
    connection: sqlite3.Connection, where: str, value: object, *, last: bool = False
) -> Iterator[Judgement]:
    """Yield the judgements for which *where* holds of *value*, oldest first, or the *last* one."""
    rows = connection.execute(
        f"SELECT {', '.join(FIELDS)} FROM judgements WHERE {where} ORDER BY number"  # noqa: S608
        f"{' DESC LIMIT 1' if last else ''}",
        (value,),
    ).fetchall()
    for row in rows:
        said = Judgement(*row)
        yield dataclasses.replace(said, undone=bool(said.undone))
