"""What is in quarantine: every item since the last passed challenge test, by the journal."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.challenge.state import State, read_state
from edge.record.journal_file import journal_records

COLUMNS = (
    "sequence", "verdict", "gate", "code", "wall_time", "clock_synced", "test_item", "reason",
)  # fmt: skip
"""Heading of the CSV."""
NO_RECORD = "it has no record: it was lost or taken away"


@dataclass(frozen=True)
class Quarantine:
    """Items from *first* to *last*, both in it.

    *why*: the reason; empty when nothing is in quarantine, and then they are those that no passed
    test vouches for yet. *rows*: one for each number, by the names of :data:`COLUMNS`.
    """

    first: int
    last: int
    why: str
    rows: list[dict[str, Any]]


def read_quarantine(journal: Path) -> Quarantine:
    """Read which items no passed challenge test vouches for. Raises OSError.

    What was a test item by a person's word is in it, too, and says so: he may have been wrong. A
    number without a record is in it as well.
    """
    state, rows, last = State(), dict[int, dict[str, Any]](), 0
    for record in journal_records(journal):
        last = max(last, record["sequence"])
        if record["kind"] == "item":
            rows[record["sequence"]] = {name: record.get(name) for name in COLUMNS}
        elif record["kind"] == "challenge":
            state = read_state(record["state"])
            _forget(rows, state)
            rows.get(record.get("item", 0), {})["test_item"] = record.get("test_item", "")
    first = state.first_in_doubt
    whole = [rows.get(n) or {"sequence": n, "reason": NO_RECORD} for n in range(first, last + 1)]
    return Quarantine(first, last, state.why if state.first is not None else "", whole)


def _forget(rows: dict[int, dict[str, Any]], state: State) -> None:
    """Forget the items before the first in doubt: a journal may hold millions of them."""
    for number in [n for n in rows if n < state.first_in_doubt]:
        del rows[number]
