"""What happened in a shift, gathered from the journal in one reading."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from heapq import heappush, heapreplace
from pathlib import Path
from typing import Any

from edge.alarms.baseline import baseline_of
from edge.record.times import Moment, Now, present
from edge.reports.chain import ChainCheck
from edge.reports.lines import best_score, event_words
from edge.reports.points import Point, Record
from edge.reports.reading import Span, in_force, setup_after, timed
from edge.reports.shift import Shift
from edge.reports.summary import Counts
from edge.reports.zone import HERE, Zone
from edge.sections.alarms import AlarmSettings

MOST_EVENTS = 200
"""Events of one kind that are listed; the others are counted."""
MS_NS = 1_000_000
GROUPS: Mapping[str, tuple[str, ...]] = {
    "Challenge tests": ("challenge",),
    "Starts, stops, settings and model": ("start", "stop", "settings"),
    "Alarms and notes": ("note",),
    "At the gate": ("incident", "truth"),
    "Gaps and repairs of the journal": ("gap", "missing", "disk", "repair", "seal"),
}
"""What a report lists beside the items, by kinds of records; another kind is among the notes."""
OTHER = "Alarms and notes"
SILENT = ("health", "continued")


@dataclass(frozen=True)
class Event:
    """A record that is no item's: its moment, nanoseconds UTC or None, its kind, and its words."""

    time_ns: int | None
    kind: str
    words: str


@dataclass
class ShiftFigures:
    """All that a report of a shift says, but for the pictures.

    *not_passed*: of each item that an eye saw, in order, its moment (nanoseconds UTC, None where it
    is not known) and whether it did not pass. *rejected*: records of items that did not pass, the
    nearest to the threshold first to be kept. *setup*: the fields of the ``start`` record in force.
    """

    shift: Shift
    zone: Zone = HERE
    now_ns: int = 0
    alarms: AlarmSettings = field(default_factory=AlarmSettings)
    counts: Counts = field(default_factory=Counts)
    not_passed: list[tuple[int | None, bool]] = field(default_factory=list)
    rejected: list[tuple[Record, Moment]] = field(default_factory=list)
    more_rejected: int = 0
    events: dict[str, list[Event]] = field(default_factory=dict)
    more_events: Counter[str] = field(default_factory=Counter)
    chain: ChainCheck = field(default_factory=ChainCheck)
    setup: Record = field(default_factory=dict)
    learnt: tuple[int, int] | None = None
    uncertain: int = 0

    @property
    def still_runs(self) -> bool:
        """Whether the shift had not ended when the figures were gathered."""
        return self.now_ns < self.shift.end_ns


def gather(
    path: Path,
    shift: Shift,
    zone: Zone = HERE,
    alarms: AlarmSettings | None = None,
    most_rejected: int = 120,
    now: Now | None = None,
) -> ShiftFigures:
    """Gather what the journal *path* says of a shift. Raises InputError."""
    now = now or present()
    figures = ShiftFigures(shift, zone, now.wall_ns, alarms or AlarmSettings(), Counts(zone))
    span = Span(Point(time_ns=shift.begin_ns), Point(time_ns=shift.end_ns - MS_NS), now=now)
    figures.setup = in_force(path, span)
    nearest = _Nearest(most_rejected)
    for record, times in timed(path, span, figures.chain.take):
        moment = times.of(record)
        figures.uncertain += moment.exact_ns is None
        figures.counts.take(record, moment)
        _note_alarms(figures, record)
        if record["kind"] == "item":
            if record.get("ms") is not None:
                figures.not_passed.append((moment.exact_ns, record["verdict"] != "pass"))
            if record["verdict"] != "pass":
                nearest.take(record, moment)
        elif record["kind"] not in SILENT:
            _note_event(figures, record, moment)
            figures.setup = setup_after(figures.setup, record)
    figures.rejected, figures.more_rejected = nearest.in_order(), nearest.dropped
    return figures


class _Nearest:
    """Keeps the records of so many items, those with the highest scores."""

    def __init__(self, most: int) -> None:
        self._most, self.dropped = most, 0
        self._kept: list[tuple[float, int, Record, Moment]] = []

    def take(self, record: Record, moment: Moment) -> None:
        entry = (best_score(record) or 0.0, -int(record["sequence"]), record, moment)
        if len(self._kept) < self._most:
            heappush(self._kept, entry)
            return
        self.dropped += 1
        if self._kept and entry[:2] > self._kept[0][:2]:
            heapreplace(self._kept, entry)

    def in_order(self) -> list[tuple[Record, Moment]]:
        """Return them by the items' numbers."""
        kept = sorted(self._kept, key=lambda entry: -entry[1])
        return [(record, moment) for _, _, record, moment in kept]


def group_of(kind: str) -> str:
    """Return under which heading records of a kind are listed."""
    return next((group for group, kinds in GROUPS.items() if kind in kinds), OTHER)


def _note_event(figures: ShiftFigures, record: Record, moment: Moment) -> None:
    group = group_of(str(record["kind"]))
    listed = figures.events.setdefault(group, [])
    if len(listed) < MOST_EVENTS:
        listed.append(Event(moment.exact_ns, str(record["kind"]), event_words(record)))
    else:
        figures.more_events[group] += 1


def _note_alarms(figures: ShiftFigures, record: Record) -> None:
    """Take note of the rate that the alarms have learnt, which health and start records hold."""
    said: Any = record.get("alarms")
    if not isinstance(said, Mapping) or (learnt := baseline_of(said.get("rejects"))) is None:
        return
    if figures.alarms.learn_items and learnt.items >= figures.alarms.learn_items:
        figures.learnt = learnt.events, learnt.items
