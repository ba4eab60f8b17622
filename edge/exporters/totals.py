"""Totals of a journal, counted record by record, and kept beside the cursor over restarts.

They are those of the journal, not of a run: a restart of the box begins none anew. What a text of
the journal names (a code, an incident) is counted under that name while it is one of few, so that
no journal can make more counters than memory or Prometheus can hold.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from edge.exporters.journal_follower import Entry, Record
from edge.record.schema import VERDICTS

BOUNDS_S = (0.02, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0, 5.0)
"""Upper bounds of the histogram's buckets, seconds from the trigger to the answer."""
MOST_NAMES = 64
"""Most names that one group of counters tells apart."""
OTHER = "other"
LONGEST_NAME = 80


@dataclass
class Totals:
    """What the records up to a place in the journal add up to."""

    records: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    """Items by verdict, those of ``gap`` records included."""
    codes: Counter[str] = field(default_factory=Counter)
    """Items by verdict and code of the reason, with a blank between."""
    outcomes: Counter[str] = field(default_factory=Counter)
    """Items by what the gate answered."""
    incidents: Counter[str] = field(default_factory=Counter)
    alarms: Counter[str] = field(default_factory=Counter)
    """How often each alarm began."""
    lost: int = 0
    """Items of which only a ``gap`` record tells."""
    missing: int = 0
    """Numbers that no record bears."""
    starts: int = 0
    unclean_ends: int = 0
    """Runs that ended without a ``stop`` record."""
    broken: int = 0
    """Records that do not carry the hash of the record before."""
    late_buckets: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_S) + 1))
    """Items by latency, one bucket for each of :data:`BOUNDS_S` and one for the rest."""
    latency_s: float = 0.0
    """Sum of the latencies, seconds."""
    runs: bool = False
    """Whether the last of starts and stops was a start."""
    sounding: list[str] = field(default_factory=list)
    """Codes of the alarms that sound."""
    last: dict[str, Any] = field(default_factory=dict)
    """Of the last item: sequence, verdict, code, boot_id, monotonic_ns, wall_time, ms."""

    @property
    def items(self) -> int:
        """All items, lost ones included."""
        return sum(self.verdicts.values())

    def take(self, entry: Entry) -> None:
        """Count one record."""
        record = entry.record
        self.records += 1
        self.broken += entry.broken
        count = {
            "item": self._item,
            "gap": self._gap,
            "missing": self._missing,
            "start": self._start,
            "stop": self._stop,
            "incident": self._incident,
            "note": self._note,
        }.get(str(record["kind"]))
        if count is not None:
            count(record)

    def as_object(self) -> dict[str, Any]:
        """Return them as JSON knows them."""
        return {one.name: _plain(getattr(self, one.name)) for one in fields(self)}

    @classmethod
    def from_object(cls, value: Any) -> "Totals":
        """Return what :meth:`as_object` gave. Raises ValueError for anything else."""
        fresh = cls()
        if not isinstance(value, dict) or set(value) != {one.name for one in fields(cls)}:
            raise ValueError("no totals")
        for name, given in value.items():
            default = getattr(fresh, name)
            wanted = dict if isinstance(default, Counter) else type(default)
            if type(given) is not wanted or not _counts(given, default):
                raise ValueError("no totals")
            setattr(fresh, name, Counter(given) if isinstance(default, Counter) else given)
        return fresh

    def _item(self, record: Record) -> None:
        verdict = record["verdict"]
        self.verdicts[verdict] += 1
        _count(self.codes, f"{verdict} {record.get('code') or OTHER}", f"{verdict} {OTHER}")
        _count(self.outcomes, record.get("gate", OTHER))
        if (ms := record.get("ms")) is not None:
            self.late_buckets[bisect_left(BOUNDS_S, ms / 1000)] += 1
            self.latency_s += ms / 1000
        names = ("sequence", "verdict", "code", "boot_id", "monotonic_ns", "wall_time", "ms")
        self.last = {name: record.get(name) for name in names}

    def _gap(self, record: Record) -> None:
        self.lost += record["lost_items"]
        for verdict in VERDICTS:
            self.verdicts[verdict] += record["counted"].get(verdict, 0)

    def _missing(self, record: Record) -> None:
        self.missing += record["items"]

    def _start(self, record: Record) -> None:  # noqa: ARG002 - as all are called
        self.starts += 1
        self.unclean_ends += self.runs
        self.runs, self.sounding = True, []

    def _stop(self, record: Record) -> None:  # noqa: ARG002 - as all are called
        self.runs, self.sounding = False, []

    def _incident(self, record: Record) -> None:
        _count(self.incidents, record.get("what", OTHER))

    def _note(self, record: Record) -> None:
        code, alarm = str(record.get("code", ""))[:LONGEST_NAME], record.get("alarm")
        if alarm == "begun":
            _count(self.alarms, code)
            if code not in self.sounding and len(self.sounding) < MOST_NAMES:
                self.sounding.append(code)
        elif alarm == "ended" and code in self.sounding:
            self.sounding.remove(code)


def _count(counter: Counter[str], name: object, other: str = OTHER) -> None:
    """Count *name*, or *other* where there are too many names already."""
    text = str(name)
    known = text in counter or (len(counter) < MOST_NAMES and len(text) <= LONGEST_NAME)
    counter[text if known else other] += 1


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value


def _counts(given: Any, default: Any) -> bool:
    """Tell whether all that *given* holds is of the kind that *default* would hold."""
    if isinstance(default, Counter):
        return all(type(count) is int and count >= 0 for count in given.values())
    if isinstance(default, list) and default:
        return len(given) == len(default) and all(type(n) is int and n >= 0 for n in given)
    if isinstance(default, list):
        return all(isinstance(text, str) for text in given)
    return not isinstance(given, int | float) or given >= 0
