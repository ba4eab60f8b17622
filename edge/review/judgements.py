"""What reviewers have said of items: judgements, by the records of the audit log."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from edge.record.journal_file import journal_records
from edge.record.verify import reading, verify

Word = Literal["good", "bad", "unsure"]
WORDS: tuple[Word, ...] = ("good", "bad", "unsure")


@dataclass(frozen=True)
class Judgement:
    """What one reviewer said of an item, and of what exactly: its line's and its picture's hash.

    *judgement*: what the item really is: ``good`` bears its stamp, ``bad`` does not. *verdict*:
    that of the box. *wall_time*: ISO 8601 with the zone. *head*: the journal's last item then.
    """

    id: str
    item: int
    judgement: str
    by: str
    role: str = ""
    reason: str = ""
    wall_time: str = ""
    verdict: str = ""
    line_sha256: str = ""
    evidence: str = ""
    evidence_sha256: str = ""
    model_sha256: str = ""
    head: int = 0
    undone: bool = False


def judgement_of(record: Mapping[str, Any]) -> Judgement:
    """Return the judgement that a record of the audit log, of kind ``judgement``, holds."""
    return Judgement(
        id=record["id"],
        item=record["item"],
        judgement=record["judgement"],
        by=record["by"],
        role=record.get("role", ""),
        reason=record.get("reason", ""),
        wall_time=record.get("wall_time", ""),
        verdict=record.get("verdict", ""),
        line_sha256=record.get("line_sha256", ""),
        evidence=record.get("evidence", ""),
        evidence_sha256=record.get("evidence_sha256", ""),
        model_sha256=record.get("model_sha256", ""),
        head=record.get("head", 0),
    )


def read_all(audit: Path) -> dict[str, Judgement]:
    """Return all judgements of an audit log by their ids, oldest first, undone ones marked.

    Raises InputError when the log's chain is broken, or it cannot be read.
    """
    verify(audit)
    said: dict[str, Judgement] = {}
    with reading(audit):
        for record in journal_records(audit):
            if record["kind"] == "judgement":
                found = judgement_of(record)
                said[found.id] = found
            elif record["kind"] == "undo" and record["undoes"] in said:
                said[record["undoes"]] = replace(said[record["undoes"]], undone=True)
    return said


def read_judgements(audit: Path) -> dict[int, Judgement]:
    """Return the last standing word on each item, by its number; what was undone is left out.

    Raises InputError when the log's chain is broken, or it cannot be read.
    """
    return {said.item: said for said in read_all(audit).values() if not said.undone}
