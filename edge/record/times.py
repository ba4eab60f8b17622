"""Times of records: what can be known of them when the wall clock was wrong.

A box without a real-time clock starts in the past and learns the time when a time server answers.
Its records are in the right order all the same: the journal's. A record written while the clock was
synchronised has the time that it says. In a boot with such a record the others get theirs by
the monotonic clock, which runs evenly through one boot: they are **repaired**. Of a boot that never
was synchronised only bounds are known: it lies after the records before it and before those after
it, and at least as long ago as the boots since then ran. Nothing that may lie within a span asked
for is left out.

A journal without a single synchronised record has no time but that of its own clock, which is then
taken at its word, boot by boot, unless the order contradicts it.
"""

import time
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from edge.clock import boot_id, clock_synced

Record = Mapping[str, Any]
Bounds = tuple[int | None, int | None, int]
Source = Literal["clock", "repaired", "unsynchronised"]
SLACK_NS = 1_000_000_000
"""A clock that goes back by less than this is no contradiction: it was corrected."""
STEP_NS = 900 * SLACK_NS
"""A clock that gains more than this between two records, beside the monotonic one, was set."""


@dataclass(frozen=True)
class Moment:
    """When a record was written: bounds in nanoseconds UTC, equal when the time is known.

    None: no bound. *source*: ``clock``, synchronised; ``repaired``, by the monotonic clock from a
    synchronised moment of the same boot; ``unsynchronised``, by order alone, or by a clock that
    nothing confirms.
    """

    earliest_ns: int | None
    latest_ns: int | None
    source: Source

    @property
    def exact_ns(self) -> int | None:
        """The time, when it is known."""
        return self.earliest_ns if self.earliest_ns == self.latest_ns else None


@dataclass(frozen=True)
class Now:
    """The present moment of the machine that reads; *synced*: whether its clock is synchronised."""

    boot_id: str
    monotonic_ns: int
    wall_ns: int
    synced: bool


def present() -> Now:
    """Return the present moment of this machine."""
    return Now(boot_id(), time.monotonic_ns(), time.time_ns(), clock_synced() is True)


def wall_ns(record: Record) -> int:
    """Return what the wall clock showed when *record* was written, nanoseconds UTC."""
    try:
        moment = datetime.fromisoformat(str(record.get("wall_time")))
    except ValueError:
        return 0
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000) * 1_000_000


@dataclass
class _Boot:
    """One boot of the box: what its clocks showed from its first record to its last."""

    last_ns: int = 0
    """Monotonic moment of its last record: it ran at least so long."""
    anchors: list[tuple[int, int]] = field(default_factory=list)
    """Monotonic moment and wall clock of the first and last record of each synchronised stretch."""
    walls: tuple[int, int] | None = None
    """The earliest and the latest that its wall clock showed."""
    contradicted: bool = False
    """Its wall clock was set on the way, or is not in the order of the boots around it."""
    _in_stretch: bool = False
    _last_wall_ns: int = 0

    def take(self, monotonic_ns: int, wall: int, synced: bool) -> None:
        """Take note of what both clocks showed at its next record, in nanoseconds."""
        if self.walls is not None:
            ahead_ns = wall - self._last_wall_ns - (monotonic_ns - self.last_ns)
            self.contradicted |= wall < self._last_wall_ns - SLACK_NS or ahead_ns > STEP_NS
        self._last_wall_ns, self.last_ns = wall, max(self.last_ns, monotonic_ns)
        least, most = self.walls or (wall, wall)
        self.walls = min(least, wall), max(most, wall)
        if synced and self._in_stretch:
            self.anchors[-1] = monotonic_ns, wall
        elif synced:
            self.anchors += [(monotonic_ns, wall)] * 2
        self._in_stretch = synced

    def at(self, monotonic_ns: int) -> int:
        """Return the time at a moment of this boot, by the next synchronised one or the last."""
        index = bisect_left(self.anchors, (monotonic_ns, 0))
        monotonic, wall = self.anchors[min(index, len(self.anchors) - 1)]
        return wall + monotonic_ns - monotonic


class Times:
    """The times of a journal's records, which :meth:`take` is given first, in their order.

    *now*: a moment after all of them; by default the present one.
    """

    def __init__(self, records: Iterable[Record], now: Now | None = None) -> None:
        self._boots: dict[str, _Boot] = {}
        self._bounds: dict[str, Bounds] | None = None  # made when they are asked for
        self._contradicted: set[str] | None = None
        self._complete = False  # whether all records that were there have been taken
        for record in records:
            self.take(record)
        self._complete = True
        self._now = now or present()
        boot = self._boots.get(self._now.boot_id)
        if boot is not None and self._now.synced and self._now.monotonic_ns >= boot.last_ns:
            boot.take(self._now.monotonic_ns, self._now.wall_ns, True)

    def take(self, record: Record) -> None:
        """Take note of the next record; one that was taken changes nothing."""
        name, monotonic_ns = str(record.get("boot_id")), int(record.get("monotonic_ns", 0))
        boot = self._boots.get(name)
        if boot is not None and monotonic_ns <= boot.last_ns and self._complete:
            return
        synced = record.get("clock_synced") is True
        self._boots.setdefault(name, _Boot()).take(monotonic_ns, wall_ns(record), synced)
        self._bounds = self._contradicted = None

    def of(self, record: Record) -> Moment:
        """Return the time of a record that was taken."""
        wall, monotonic_ns = wall_ns(record), int(record.get("monotonic_ns", 0))
        if record.get("clock_synced") is True:
            return Moment(wall, wall, "clock")
        boot = self._boots[str(record.get("boot_id"))]
        if boot.anchors:
            repaired = boot.at(monotonic_ns)
            return Moment(repaired, repaired, "repaired")
        if not self.ever_synced:
            known = None if self._is_contradicted(str(record.get("boot_id"))) else wall
            return Moment(known, known, "unsynchronised")
        after, before, _ = self._bounds_of(str(record.get("boot_id")))
        earliest = None if after is None else after + monotonic_ns
        latest = None if before is None else before - (boot.last_ns - monotonic_ns)
        if earliest is not None and latest is not None and earliest > latest:
            earliest, latest = latest, earliest
        return Moment(earliest, latest, "unsynchronised")

    def _is_contradicted(self, name: str) -> bool:
        if self._contradicted is None:
            self._contradicted = self._all_contradicted()
        return name in self._contradicted

    @property
    def ever_synced(self) -> bool:
        """Whether any record was written while the clock was synchronised."""
        return any(boot.anchors for boot in self._boots.values())

    def age_ns(self, record: Record) -> tuple[int, int | None]:
        """Return how long ago a record was written: at least, and at most (None: no bound)."""
        now, name = self._now, str(record.get("boot_id"))
        monotonic_ns = int(record.get("monotonic_ns", 0))
        if name == now.boot_id:
            age = now.monotonic_ns - monotonic_ns
            return age, age
        since = self._bounds_of(name)[2] + self._boots[name].last_ns - monotonic_ns
        moment, present_ns = self.of(record), self._present()
        most = None
        if present_ns.earliest_ns is not None and moment.latest_ns is not None:
            since = max(since, present_ns.earliest_ns - moment.latest_ns)
        if present_ns.latest_ns is not None and moment.earliest_ns is not None:
            most = max(since, present_ns.latest_ns - moment.earliest_ns)
        return since, most

    def _present(self) -> Moment:
        """Return the present moment, as well as this machine knows it."""
        now, boot = self._now, self._boots.get(self._now.boot_id)
        if now.synced or not self.ever_synced:
            return Moment(now.wall_ns, now.wall_ns, "clock")
        if boot is not None and boot.anchors:
            repaired = boot.at(now.monotonic_ns)
            return Moment(repaired, repaired, "repaired")
        name, boot = next(reversed(self._boots.items()))
        after = boot.at(0) if boot.anchors else self._bounds_of(name)[0]
        ran = now.monotonic_ns if name == now.boot_id else boot.last_ns
        return Moment(None if after is None else after + ran, None, "unsynchronised")

    def _bounds_of(self, name: str) -> Bounds:
        """Return bounds of a boot: its start at the earliest, its last record at the latest.

        The third is how long the boots after it ran, at least. In nanoseconds.
        """
        if self._bounds is None:
            self._bounds = self._all_bounds()
        return self._bounds[name]

    def _all_bounds(self) -> dict[str, Bounds]:
        after: dict[str, int | None] = {}
        known: int | None = None
        for name, boot in self._boots.items():
            after[name] = known
            if boot.anchors:
                known = boot.at(boot.last_ns)
            elif known is not None:
                known += boot.last_ns
        bounds: dict[str, Bounds] = {}
        now, ran = self._now, 0
        known = now.wall_ns if now.synced else None
        for name, boot in reversed(self._boots.items()):
            bounds[name] = after[name], known, ran
            if boot.anchors:
                known = boot.at(0)
            elif known is not None:
                known -= boot.last_ns
            ran += max(boot.last_ns, now.monotonic_ns if name == now.boot_id else 0)
        return bounds

    def _all_contradicted(self) -> set[str]:
        """Return the boots whose wall clock is not in the order of those around them."""
        walls = {name: boot.walls or (0, 0) for name, boot in self._boots.items()}
        found = {name for name, boot in self._boots.items() if boot.contradicted}
        latest: int | None = None
        for name, (least, most) in walls.items():
            if latest is not None and least < latest - SLACK_NS:
                found.add(name)
            latest = most if latest is None else max(latest, most)
        earliest: int | None = None
        for name, (least, most) in reversed(walls.items()):
            if earliest is not None and most > earliest + SLACK_NS:
                found.add(name)
            earliest = least if earliest is None else min(earliest, least)
        return found
