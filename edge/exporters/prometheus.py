"""Metrics in Prometheus's text format, rendered from the totals and the state of the box.

Source: *Exposition formats* and *Metric and label naming*, in the Prometheus documentation.
Counters are those of the journal, so they go on over restarts. No label holds what differs from
item to item: each value would be a time series of its own.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from edge.exporters.box_state import BoxState
from edge.exporters.packml import State
from edge.exporters.totals import BOUNDS_S, Totals
from edge.record.schema import VERDICTS
from edge.record.times import wall_ns
from edge.sections.alarms import ALARM_CODES

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
MB = 1_000_000
Kind = Literal["counter", "gauge", "histogram"]
Labels = Mapping[str, object]


class Sample(NamedTuple):
    """One value, with its labels; *suffix*: of a histogram's series."""

    value: float
    labels: Labels = MappingProxyType({})
    suffix: str = ""


class Metric(NamedTuple):
    """One metric: its name without the prefix, its kind, its sentence and its values."""

    name: str
    kind: Kind
    sentence: str
    samples: Iterable[Sample]


def render(totals: Totals, state: BoxState, damaged: int = 0) -> str:
    """Return all metrics as the text that Prometheus reads.

    *damaged*: lines of the journal that are no record.
    """
    lines: list[str] = []
    for metric in (*_of_journal(totals, damaged), *_of_state(totals, state), *_of_box(state)):
        name = f"stampgate_{metric.name}"
        values = [
            f"{name}{one.suffix}{_labels(one.labels)} {one.value:.17g}" for one in metric.samples
        ]
        if values:
            lines += [f"# HELP {name} {metric.sentence}", f"# TYPE {name} {metric.kind}", *values]
    return "\n".join(lines) + "\n"


def _of_journal(totals: Totals, damaged: int) -> Iterator[Metric]:
    """Yield what is counted in the journal; known names begin with 0, so that rate() sees them."""
    verdicts = [Sample(totals.verdicts[name], {"verdict": name}) for name in VERDICTS]
    yield Metric("items_total", "counter", "Items by verdict.", verdicts)
    yield Metric("reasons_total", "counter", "Items by code of the reason.", _reasons(totals))
    yield Metric(
        "gate_answers_total",
        "counter",
        "Items by what the gate did with the answer.",
        _by_name("outcome", totals.outcomes, ()),
    )
    yield Metric(
        "incidents_total",
        "counter",
        "Incidents at the gate.",
        _by_name("what", totals.incidents, ()),
    )
    alarms = _by_name("code", totals.alarms, ALARM_CODES)
    yield Metric("alarms_total", "counter", "Alarms that began.", alarms)
    for name, sentence, value in (
        ("lost_items_total", "Items whose records did not fit on a full disk.", totals.lost),
        ("missing_items_total", "Item numbers that no record bears.", totals.missing),
        ("starts_total", "Starts of the service.", totals.starts),
        ("unclean_ends_total", "Runs that ended without a stop record.", totals.unclean_ends),
        ("journal_records_total", "Records of the journal.", totals.records),
        ("journal_chain_breaks_total", "Records without the hash before them.", totals.broken),
        ("journal_damaged_lines_total", "Lines that are no record, since the exporter's start.",
         damaged),
    ):  # fmt: skip
        yield Metric(name, "counter", sentence, [Sample(value)])
    sentence = "Time from an item's trigger to its answer."
    yield Metric("decision_seconds", "histogram", sentence, _histogram(totals))


def _of_state(totals: Totals, state: BoxState) -> Iterator[Metric]:
    """Yield the state of the box, and its last item."""
    for name, sentence, value in (
        ("running", "1 while the service runs.", state.running),
        ("ready", "1 while items are judged and nothing keeps the belt from running.", state.ready),
        ("fault", "1 while the FAULT output is on.", bool(state.fault)),
        ("held", "1 while the belt must wait for people.", bool(state.held)),
    ):
        yield Metric(name, "gauge", sentence, [Sample(value)])
    states = [Sample(state.state is one, {"state": one.title}) for one in State]
    yield Metric("state", "gauge", "The state of PackML that the box is in.", states)
    codes = dict.fromkeys((*ALARM_CODES, *totals.sounding))
    sounding = [Sample(code in totals.sounding, {"code": code}) for code in codes]
    yield Metric("alarm_active", "gauge", "1 while an alarm sounds.", sounding)
    if totals.last:
        number = [Sample(totals.last["sequence"])]
        yield Metric("last_item_number", "gauge", "Number of the last item.", number)
        if moment := wall_ns(totals.last):
            name, sentence = "last_item_timestamp_seconds", "When it was written, by the box."
            yield Metric(name, "gauge", sentence, [Sample(moment / 1e9)])


def _of_box(state: BoxState) -> Iterator[Metric]:
    """Yield what the status file says of program, model, disk, sensors and gate."""
    status, model, health = state.status, state.about("model"), state.about("health")
    about = {name: status.get(name, "") for name in ("version", "service", "mode")}
    model_about = {name: model.get(name, "") for name in ("file", "sha256", "run_digest")}
    settings = {"sha256": status.get("settings_sha256", "")}
    for name, labels in (("", about), ("model_", model_about), ("settings_", settings)):
        samples = [Sample(1, labels)] if any(labels.values()) else []
        yield Metric(f"{name}info", "gauge", "What runs, as labels.", samples)
    journal, evidence = _inside(health, "journal"), _inside(health, "evidence")
    counters = state.about("counters")
    for name, sentence, value, unit in (
        ("status_age_seconds", "Age of the status file.", state.age_s, 1.0),
        ("disk_free_bytes", "Room for the journal.", state.free_bytes, 1.0),
        ("queue_depth", "Items between the eye and the gate.", status.get("queue_depth"), 1.0),
        ("decision_worst_seconds", "Slowest of the last answers.", status.get("worst_ms"), 1e-3),
        ("decision_p99_seconds", "99 % of the last answers came within.", status.get("p99_ms"),
         1e-3),
        ("run_items", "Items of this run.", counters.get("triggers"), 1.0),
        ("temperature_celsius", "The hottest sensor.", health.get("temperature_c"), 1.0),
        ("undervoltage", "1 while the power is too low.", health.get("undervoltage"), 1.0),
        ("resident_memory_bytes", "Memory of the eye.", health.get("rss_mb"), MB),
        ("open_files", "Open files of the eye.", health.get("open_files"), 1.0),
        ("journal_waiting_records", "Records that wait for the disk.", journal.get("waiting_lines"),
         1.0),
        ("evidence_pictures", "Pictures kept.", evidence.get("pictures"), 1.0),
        ("evidence_bytes", "Room that they take.", evidence.get("mb"), MB),
    ):  # fmt: skip
        samples = [Sample(value * unit)] if isinstance(value, int | float) else []
        yield Metric(name, "gauge", sentence, samples)
    gate = {n: c for n, c in state.about("gate").items() if n not in ("run", "trouble")}
    events = [Sample(c, {"event": n}) for n, c in gate.items() if type(c) is int]
    yield Metric("gate_events_total", "counter", "Counters of the gate, since it began.", events)


def _reasons(totals: Totals) -> list[Sample]:
    """Return the items by verdict and code, as far as any were counted."""
    pairs = sorted((*key.partition(" "), count) for key, count in totals.codes.items())
    return [Sample(count, {"verdict": verdict, "code": code}) for verdict, _, code, count in pairs]


def _by_name(label: str, counts: Mapping[str, int], known: tuple[str, ...]) -> list[Sample]:
    names = dict.fromkeys((*known, *sorted(counts)))
    return [Sample(counts.get(name, 0), {label: name}) for name in names]


def _histogram(totals: Totals) -> list[Sample]:
    below = list(accumulate(totals.late_buckets))
    bounds = [*(f"{bound:g}" for bound in BOUNDS_S), "+Inf"]
    buckets = [Sample(n, {"le": le}, "_bucket") for le, n in zip(bounds, below, strict=True)]
    return [*buckets, Sample(totals.latency_s, suffix="_sum"), Sample(below[-1], suffix="_count")]


def _inside(health: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = health.get(name)
    return value if isinstance(value, Mapping) else {}


def _labels(labels: Labels) -> str:
    r"""Return labels as the text format has them.

    >>> print(_labels({"code": 'a"b\\c\nd'}))
    {code="a\"b\\c\nd"}
    """
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: object) -> str:
    escapes = {"\\": r"\\", '"': r"\"", "\n": r"\n"}
    return re.sub(r'[\\"\n]', lambda found: escapes[found[0]], str(value))
