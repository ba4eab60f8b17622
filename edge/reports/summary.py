"""Counts of a span of the journal by hour, verdict, reason and class, and of late answers."""

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from edge.printing import printable
from edge.record.schema import VERDICTS
from edge.record.times import Moment
from edge.reports.lines import COLUMNS_WIDE, SETTLED, ns_text, wrapped
from edge.reports.points import Record
from edge.reports.zone import HERE, Zone, offset_of

MOST_REASONS = 1000
"""Different reasons that are told apart; a picture's name in one may make each another."""
REASONS_SHOWN = 12
MOST_HOURS = 72
"""Hours that are shown as hours; of a longer span days are shown."""
OTHERS = "other reasons"
UNKNOWN = "time not known"


@dataclass
class Counts:
    """What one item after another adds up to.

    *latencies*: milliseconds from the trigger to the answer. *lost*: items that no record describes
    one by one, by the journal's own ``gap`` and ``missing`` records.
    """

    zone: Zone = HERE
    verdicts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    classes: Counter[str] = field(default_factory=Counter)
    near: Counter[str] = field(default_factory=Counter)
    gate: Counter[str] = field(default_factory=Counter)
    hours: dict[str, Counter[str]] = field(default_factory=dict)
    latencies: "array[float]" = field(default_factory=lambda: array("d"))
    events: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    first: int = 0
    last: int = 0
    begin_ns: int | None = None
    end_ns: int | None = None

    @property
    def items(self) -> int:
        """Items that were counted one by one."""
        return sum(self.verdicts.values())

    def take(self, record: Record, moment: Moment) -> None:
        """Count the next record; *moment*: what is known of its time."""
        kind = record["kind"]
        if kind != "item":
            self.events[str(kind)] += 1
            self.lost += record.get("lost_items", 0) if kind == "gap" else 0
            self.lost += record.get("items", 0) if kind == "missing" else 0
            return
        verdict = record["verdict"]
        self.verdicts[verdict] += 1
        self.hours.setdefault(self._hour(moment), Counter())[verdict] += 1
        self._count_reason(verdict, str(record.get("reason", "")))
        self.classes.update({str(f.get("label")) for f in record.get("findings", ())})
        if near := record.get("near_miss"):
            self.near[str(near.get("label"))] += 1
        self.gate[str(record.get("gate", ""))] += 1
        if isinstance(ms := record.get("ms"), int | float):
            self.latencies.append(ms)
        self.first, self.last = self.first or record["sequence"], record["sequence"]
        if (exact_ns := moment.exact_ns) is not None:
            self.begin_ns = exact_ns if self.begin_ns is None else self.begin_ns
            self.end_ns = exact_ns

    def _hour(self, moment: Moment) -> str:
        local = self.zone.local(moment.exact_ns) if moment.exact_ns is not None else None
        return UNKNOWN if local is None else f"{local:%Y-%m-%d %H}:00 {offset_of(local)}"

    def _count_reason(self, verdict: str, reason: str) -> None:
        known = (verdict, reason) in self.reasons or len(self.reasons) < MOST_REASONS
        self.reasons[verdict, reason if known else OTHERS] += 1


def summary_lines(counts: Counts, width: int = COLUMNS_WIDE) -> Iterator[str]:
    """Yield the counts in lines of at most *width* columns."""
    if not counts.items:
        yield "no items"
    else:
        yield from _of_items(counts)
        yield from _by_hour(counts.hours)
        yield from _by_reason(counts, width)
        yield from _by_class(counts, width)
        yield from _lateness(counts)
    if counts.lost:
        yield f"{counts.lost} items more are counted and not described: see 'verify-log'"
    if counts.events:
        yield from _texts(
            "other records: " + ", ".join(f"{k} {n}" for k, n in counts.events.items()), width
        )


def _of_items(counts: Counts) -> Iterator[str]:
    numbers = f"items {counts.first} to {counts.last}"
    if counts.begin_ns is not None and counts.end_ns is not None:
        yield f"{numbers}, {ns_text(counts.begin_ns, counts.zone)} to"
        yield f"  {ns_text(counts.end_ns, counts.zone)}"
    else:
        yield numbers
    yield f"{counts.items} items: " + ", ".join(
        f"{counts.verdicts[verdict]} {verdict} ({counts.verdicts[verdict] / counts.items:.2%})"
        for verdict in VERDICTS
    )


def by_time(hours: Mapping[str, Counter[str]]) -> dict[str, Counter[str]]:
    """Return the counts by hour; by day where there are more than :data:`MOST_HOURS`."""
    if len(hours) <= MOST_HOURS:
        return dict(hours)
    days: dict[str, Counter[str]] = {}
    for hour, counted in hours.items():
        day = hour if hour == UNKNOWN else hour.split(" ")[0]
        days.setdefault(day, Counter()).update(counted)
    return days


def _by_hour(hours: Mapping[str, Counter[str]]) -> Iterator[str]:
    yield f"{'':<26}{'items':>9}{'pass':>9}{'reject':>9}{'fault':>9}{'not passed':>14}"
    for when, counted in by_time(hours).items():
        items = sum(counted.values())
        numbers = "".join(f"{counted[verdict]:>9}" for verdict in VERDICTS)
        share = 1 - counted["pass"] / items
        yield f"{when:<26}{items:>9}{numbers}{share:>14.2%}"


def _by_reason(counts: Counts, width: int) -> Iterator[str]:
    yield "reasons"
    common = counts.reasons.most_common()
    for (verdict, reason), number in common[:REASONS_SHOWN]:
        first, *more = wrapped(printable(reason) or "-", width - 19)
        yield f"  {number:>8} {verdict:<7} {first}"
        yield from (f"{'':<19}{line}" for line in more)
    if rest := common[REASONS_SHOWN:]:
        yield f"  {sum(number for _, number in rest):>8} by {len(rest)} reasons more"


def _by_class(counts: Counts, width: int) -> Iterator[str]:
    if counts.classes:
        found = ", ".join(f"{label} {number}" for label, number in counts.classes.most_common())
        yield from _texts(f"items with a class found: {found}", width)
    if counts.near:
        near = ", ".join(f"{label} {number}" for label, number in counts.near.most_common())
        yield from _texts(f"near misses: {near}", width)


def _lateness(counts: Counts) -> Iterator[str]:
    if counts.latencies:
        p50, p99, worst = percentiles(counts.latencies)
        yield f"trigger to answer: p50 {p50:.1f} ms, p99 {p99:.1f} ms, worst {worst:.1f} ms"
    late = {word: number for word, number in counts.gate.items() if word not in SETTLED}
    told = ", ".join(f"{word} {number}" for word, number in late.items())
    yield f"rejected by the gate all the same: {told}" if told else "no answer came too late"


def percentiles(values: "array[float]") -> tuple[float, float, float]:
    """Return the median, the 99th percentile (nearest rank) and the greatest of some values."""
    ordered = sorted(values)
    ranks = (-(-len(ordered) * percent // 100) for percent in (50, 99, 100))
    p50, p99, worst = (ordered[max(1, rank) - 1] for rank in ranks)
    return p50, p99, worst


def _texts(text: str, width: int) -> Iterator[str]:
    first, *more = wrapped(printable(text), width - 2)
    yield first
    yield from (f"  {line}" for line in more)
