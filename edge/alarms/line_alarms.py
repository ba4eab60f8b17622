"""The alarms of one line: fed by each item and each idle tick, after the gate has its answer.

An alarm begins and ends by itself, each with a point of its own for either (hysteresis): nobody has
to acknowledge it, and nobody can silence one whose cause is there. It is *trouble*: ``status`` says
it, and the FAULT output where ``[alarms] fault`` names it. The journal has a ``note`` when it
begins and when it ends.
"""

import hashlib
import json
import os
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from edge.alarms.baseline import MOST_LEARNT, Baseline
from edge.alarms.chart import Chart
from edge.alarms.conditions import (
    COOLER_C,
    LATENCIES,
    ROOMIER,
    Lateness,
    Level,
    Row,
    Silence,
    is_throttled,
)
from edge.alarms.facts import ItemFacts, NearBand, facts_of
from edge.alarms.restoring import Restored, restore
from edge.clock import Clock
from edge.config import Config
from edge.decision import Verdict
from edge.process.running_hours import hours_of, should_run
from edge.sections.alarms import AlarmSettings

LEARNT_AT_MOST = f"more than {MOST_LEARNT:.0%} is not taken for the line's normal rate"


@dataclass(frozen=True)
class Change:
    """An alarm that began or ended."""

    code: str
    words: str
    begun: bool

    def as_fields(self) -> dict[str, Any]:
        """The fields of its ``note`` record."""
        reason = self.words if self.begun else f"{self.code} has ended: {self.words}"
        return {"reason": reason, "code": self.code, "alarm": "begun" if self.begun else "ended"}


class LineAlarms:
    """All alarms of a line, and which of them sound.

    *basis*: names the model and the rules that items are judged by: a rate is that of one basis.
    *least*: the score from which a mark counts. *folder*: where the journal is. *wall*: gives the
    local time, for the running hours only.

    Synchronization: the one thread of the station.
    """

    def __init__(
        self,
        config: Config,
        clock: Clock,
        basis: str,
        least: float,
        wall: Callable[[], datetime] = datetime.now,
    ) -> None:
        self._clock, self._wall = clock, wall
        self._active: dict[str, str] = {}
        self._sensors: Mapping[str, Any] | None = None
        self._silence = Silence(clock.now_ns())
        self._levels = {code: Level() for code in ("temperature", "power", "disk")}
        self.of_model: Mapping[str, str] = {}
        """What sounds about the model for as long as it stands here: words, by the alarm's code."""
        self._rejects, self._near = Baseline(), Baseline()
        self._recent: deque[ItemFacts] = deque()
        self._set(config, basis, least)

    def restore(self, journal: Path) -> None:
        """Go on where the journal ends: what the last items were, and what was learnt."""
        band = NearBand(self._least, self._settings.near_band)
        found: Restored = restore(journal, self._basis, band, self._wanted)
        self._rejects, self._near = found.rejects, found.near
        self._recent.extend(found.counted)
        for facts in found.fresh:
            self._learn(facts)
            self._recent.append(facts)
        self._build()

    def adopt(self, config: Config, basis: str, least: float) -> None:
        """Apply changed settings; with another basis what was counted and learnt is forgotten."""
        if basis != self._basis:
            self._recent.clear()
            self._rejects, self._near = Baseline(), Baseline()
        self._set(config, basis, least)

    def item(self, verdict: Verdict, ms: float | None) -> None:
        """Take note of an item; *ms*: its latency, None when no eye saw it."""
        facts = facts_of(verdict, ms, self._band)
        learning = self._learn(facts)
        self._recent.append(facts)
        self._feed(facts)
        if learning:
            self._agree()
        self._silence.item(self._clock.now_ns())

    def look(self, sensors: Mapping[str, Any] | None = None) -> list[Change]:
        """Return which alarms began or ended since the last look.

        *sensors*: the last telemetry, the same object until it is read again.
        """
        settings = self._settings
        if sensors is not None and sensors is not self._sensors:
            self._sensors = sensors
            self._read_levels(sensors)
        limit_ns = round(settings.no_item_min * 60e9)
        runs = bool(limit_ns) and should_run(self._hours, self._wall())
        self._silence.look(self._clock.now_ns(), limit_ns, should_run=runs)
        sounding = self._sounding()
        changes = [Change(c, w, True) for c, w in sounding.items() if c not in self._active]
        ended = [(c, w) for c, w in self._active.items() if c not in sounding]
        changes += [Change(c, w.removeprefix(f"{c}: "), False) for c, w in ended]
        kept = {code: self._active.get(code, words) for code, words in sounding.items()}
        self._active = kept
        return changes

    @property
    def fault(self) -> str:
        """The alarms that raise FAULT, in words; empty for none."""
        return self._words(fault=True)

    @property
    def told(self) -> str:
        """The alarms that raise no FAULT, in words; empty for none."""
        return self._words(fault=False)

    @property
    def state(self) -> dict[str, Any]:
        """What a restart must find in the journal: basis, baselines, and which alarms sound."""
        return {
            "basis": self._basis,
            "rejects": self._rejects.as_list(),
            "near": self._near.as_list(),
            "sounding": list(self._active),
        }

    def _set(self, config: Config, basis: str, least: float) -> None:
        settings: AlarmSettings = config.alarms
        self._settings, self._basis, self._least = settings, basis, least
        self._hours = [hours_of(text) for text in settings.running_hours]
        self._folder = config.path(config.journal.file).absolute().parent
        by_counts = config.gate.reject_delay_counts > 0
        self._delay_ms = 0.0 if by_counts else config.gate.reject_delay_ms
        self._wanted = max(settings.window_items, settings.rejects_in_a_row, LATENCIES)
        self._recent = deque(self._recent, maxlen=self._wanted)
        self._build()

    def _build(self) -> None:
        """Make the conditions anew from the items that are remembered."""
        settings = self._settings
        self._band = NearBand(self._least, settings.near_band)
        self._row = Row(settings.rejects_in_a_row)
        self._late = Lateness(settings.latency_share * self._delay_ms)
        run_length = 3.0 * settings.run_length_items  # three limits share what is asked for
        self._reject_chart = Chart(settings.window_items, run_length)
        self._near_chart = Chart(settings.window_items, run_length)
        for facts in self._recent:
            self._feed(facts)
        self._agree()

    def _feed(self, facts: ItemFacts) -> None:
        self._row.note(facts.passed)
        if facts.ms is not None:
            self._late.note(facts.ms)
            self._reject_chart.note(not facts.passed)
            self._near_chart.note(facts.near)

    def _learn(self, facts: ItemFacts) -> bool:
        """Count an item for the baselines; return whether that changed one."""
        if not facts.seen:
            return False
        before = self._rejects, self._near
        self._rejects = before[0].after(not facts.passed, self._settings.learn_items)
        self._near = before[1].after(facts.near, self._settings.learn_items)
        return before != (self._rejects, self._near)

    def _agree(self) -> None:
        """Set the charts' limits by the rates that are agreed or learnt."""
        settings, wanted = self._settings, self._settings.learn_items
        if rates := self._rejects.rates(settings.reject_rate, wanted):
            self._reject_chart.agree(*rates)
        if rates := self._near.rates(settings.near_rate, wanted):
            self._near_chart.agree(rates[0], rates[1])
            self._near_chart.lower = None  # few near misses are no trouble

    def _read_levels(self, sensors: Mapping[str, Any]) -> None:
        settings, levels = self._settings, self._levels
        if (degrees := sensors.get("temperature_c")) is not None:
            limit = settings.temperature_above
            beyond, within = bool(limit) and degrees > limit, degrees <= limit - COOLER_C
            levels["temperature"].note(degrees, beyond=beyond, within=within or not limit)
        held_back = is_throttled(sensors)
        levels["power"].note(float(held_back), beyond=held_back, within=not held_back)
        if (free_mb := _free_mb(self._folder)) is not None:
            below = settings.disk_below_mb
            levels["disk"].note(free_mb, beyond=free_mb < below, within=free_mb >= ROOMIER * below)

    def _sounding(self) -> dict[str, str]:
        """Return the words of each alarm that sounds now, by its code."""
        of_model = {code: words for code, words in self.of_model.items() if words}
        found = {**self._of_items(), **self._of_rates(), **self._of_box(), **of_model}
        return {code: f"{code}: {words}" for code, words in found.items()}

    def _of_items(self) -> dict[str, str]:
        found, settings = dict[str, str](), self._settings
        if self._row.sounds:
            found["rejects-in-a-row"] = (
                f"{self._row.rejects} items running did not pass; look at their pictures in the "
                "evidence: the mark, the camera, the light, then the product"
            )
        if self._late.sounds:
            found["latency"] = (
                f"{self._late.late} of the last {LATENCIES} answers took "
                f"{settings.latency_share:.0%} of [gate] reject_delay_ms or more; set a longer way "
                "to the gate, or find what slows the box: 'stampgate-edge status'"
            )
        if self._silence.sounds:
            found["no-items"] = (
                f"no item came for {settings.no_item_min:g} min though the line should run; look "
                "at belt and photo-eye"
            )
        return found

    def _of_rates(self) -> dict[str, str]:
        found, rejects, near = dict[str, str](), self._reject_chart, self._near_chart
        share = f"{rejects.count} of the last {rejects.items} items did not pass"
        if rejects.state == "high":
            found["reject-rate-high"] = (
                f"{share}, and {rejects.upper} are too many for {self._rate_words('reject')}; look "
                "at their pictures in the evidence, then at product, camera and light"
            )
        elif rejects.state == "low":
            found["reject-rate-low"] = (
                f"{share}, and {rejects.lower} are too few for {self._rate_words('reject')}; do "
                "the challenge test: is a mark in view that is not the item's?"
            )
        elif self._rejects.refused and not self._settings.reject_rate:
            found["reject-rate-high"] = (
                f"of the first {self._settings.learn_items} items too many did not pass, "
                f"{LEARNT_AT_MOST}; find out why, or agree on one in [alarms] reject_rate"
            )
        if near.state == "high":
            found["near-misses"] = (
                f"{near.count} of the last {near.items} items were near the threshold, and "
                f"{near.upper} are too many for {self._rate_words('near')}; look at focus, light "
                "and print before rejects follow"
            )
        elif self._near.refused and not self._settings.near_rate:
            found["near-misses"] = (
                f"of the first {self._settings.learn_items} items too many were near the "
                f"threshold, {LEARNT_AT_MOST}; look at focus, light and print, or agree on one in "
                "[alarms] near_rate"
            )
        return found

    def _of_box(self) -> dict[str, str]:
        found, levels, settings = dict[str, str](), self._levels, self._settings
        if levels["temperature"].sounds:
            found["temperature"] = (
                f"the box is at {levels['temperature'].value:g} degrees Celsius, above "
                f"{settings.temperature_above:g}; give it air, clean its fan or move it"
            )
        if levels["power"].sounds:
            found["power"] = (
                "the processor is held back or its power is too low; check the power supply and "
                "the cooling"
            )
        if levels["disk"].sounds:
            found["disk"] = (
                f"{levels['disk'].value:.0f} MB are free for the journal, below "
                f"{settings.disk_below_mb}; make room, or give [evidence] limit_mb less"
            )
        return found

    def _rate_words(self, which: str) -> str:
        agreed = getattr(self._settings, f"{which}_rate")
        if agreed:
            return f"the agreed rate of {agreed:.2%}"
        learnt = self._rejects if which == "reject" else self._near
        return f"the rate learnt, {learnt.events} of {learnt.items}"

    def _words(self, *, fault: bool) -> str:
        return "; ".join(
            words for code, words in self._active.items() if (code in self._settings.fault) == fault
        )


def basis_of(config: Config, model_sha256: str) -> str:
    """Return a name of what items are judged by: the model, the rules, what counts as near."""
    rules = {"decision": asdict(config.decision), "near_band": config.alarms.near_band}
    text = json.dumps([model_sha256, rules], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _free_mb(folder: Path) -> float | None:
    """Return the room that is free for the journal, megabytes; None when nobody can tell."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize / 1e6
