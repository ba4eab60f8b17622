"""The hash chain of a part of a journal, checked while it is read."""

import hashlib
from dataclasses import dataclass, field

from edge.reports.points import Record

MOST_BREAKS = 20
"""Places that are named; of the others only the number is said."""


@dataclass
class ChainCheck:
    """Whether each line that it is given carries the hash of the line before.

    The first line is taken as it is: what lies before it is for ``verify-log``. *sealed*: records
    that carry a seal, which only the key that lies elsewhere can check.
    """

    records: int = 0
    sealed: int = 0
    breaks: list[str] = field(default_factory=list)
    broken: int = 0
    _previous: str = ""
    _sequence: int = 0

    def take(self, line: bytes, record: Record | None) -> None:
        """Check the next line, without its line end; None: it is no whole record."""
        digest = hashlib.sha256(line).hexdigest()
        if record is None:
            self._break(f"behind item {self._sequence}: a line is no whole record")
        else:
            if self._previous and record["previous"] != self._previous:
                self._break(
                    f"behind item {self._sequence}: a record was changed, put in or taken out"
                )
            self.records += 1
            self.sealed += "seal" in record
            self._sequence = record["sequence"]
        self._previous = digest

    @property
    def words(self) -> str:
        """The state of the chain in words."""
        if self.broken:
            return f"the chain is broken in {self.broken} places: {'; '.join(self.breaks)}"
        sealed = f", {self.sealed} sealed" if self.sealed else ""
        return f"{self.records} records, chain whole{sealed}"

    def _break(self, where: str) -> None:
        self.broken += 1
        if len(self.breaks) < MOST_BREAKS:
            self.breaks.append(where)
