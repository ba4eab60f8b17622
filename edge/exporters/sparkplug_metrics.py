"""What the metrics of Sparkplug are called, and how they come from records and state.

The node is the box with its state; its device is the inspection, with items and counts. Every name
is announced in a birth certificate before it is used.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from edge.exporters.box_state import BoxState
from edge.exporters.journal_follower import Entry
from edge.exporters.sparkplug import BOOLEAN, DOUBLE, INT64, REBIRTH, STRING, Metric, Value
from edge.exporters.totals import Totals
from edge.record.times import Now, Times, wall_ns
from edge.sections.alarms import ALARM_CODES

BIRTHS = "bdSeq"
DISK_STEP = 100_000_000
"""Bytes: a change of less is no news."""
NODE: Mapping[str, int] = {
    "Properties/Version": STRING,
    "Properties/Service": STRING,
    "Properties/Mode": STRING,
    "Properties/Settings SHA256": STRING,
    "Properties/Model File": STRING,
    "Properties/Model SHA256": STRING,
    "Status/State": STRING,
    "Status/StateCurrent": INT64,
    "Status/Ready": BOOLEAN,
    "Status/Fault": BOOLEAN,
    "Status/Fault Words": STRING,
    "Status/Held Words": STRING,
    "Box/Temperature": DOUBLE,
    "Box/Disk Free": INT64,
    **{f"Alarms/{code}": BOOLEAN for code in ALARM_CODES},
}
ITEM: Mapping[str, int] = {
    "Item/Number": INT64,
    "Item/Id": STRING,
    "Item/Verdict": STRING,
    "Item/Code": STRING,
    "Item/Reason": STRING,
    "Item/Gate": STRING,
    "Item/Label": STRING,
    "Item/Score": DOUBLE,
    "Item/Latency ms": DOUBLE,
    "Item/Evidence": STRING,
    "Item/Evidence SHA256": STRING,
    "Item/Clock Synchronised": BOOLEAN,
}
INCIDENT: Mapping[str, int] = {
    "Incident/Id": STRING,
    "Incident/What": STRING,
    "Incident/Reason": STRING,
    "Incident/Item": INT64,
}
COUNTS: Mapping[str, int] = {
    "Counts/Processed": INT64,
    "Counts/Defective": INT64,
    "Counts/Pass": INT64,
    "Counts/Reject": INT64,
    "Counts/Fault": INT64,
    "Counts/Lost": INT64,
    "Counts/Missing": INT64,
}
TOLD = {"item": ITEM, "incident": INCIDENT, "gap": {}, "missing": {}}
"""Kinds of records that are told, each with the metrics of its own beside the counts."""
Values = dict[str, Value]


def node_values(state: BoxState, totals: Totals) -> Values:
    """Return the present values of the node's metrics."""
    status, model, free = state.status, state.about("model"), state.free_bytes
    health = state.about("health")
    about = {
        "Version": status.get("version"),
        "Service": status.get("service"),
        "Mode": status.get("mode"),
        "Settings SHA256": status.get("settings_sha256"),
        "Model File": model.get("file"),
        "Model SHA256": model.get("sha256"),
    }
    return {
        **{f"Properties/{name}": _text(value) for name, value in about.items()},
        "Status/State": state.state.title,
        "Status/StateCurrent": int(state.state),
        "Status/Ready": state.ready,
        "Status/Fault": bool(state.fault),
        "Status/Fault Words": state.fault,
        "Status/Held Words": state.held,
        "Box/Temperature": _number(health.get("temperature_c")),
        "Box/Disk Free": None if free is None else free // DISK_STEP * DISK_STEP,
        **{f"Alarms/{code}": code in totals.sounding for code in ALARM_CODES},
    }


def node_birth(values: Values, births: int, time_ms: int) -> list[Metric]:
    """Return all metrics of the node; *births*: the number of this session."""
    own = [Metric(BIRTHS, INT64, births, time_ms), Metric(REBIRTH, BOOLEAN, False, time_ms)]
    return own + [Metric(name, kind, values[name], time_ms) for name, kind in NODE.items()]


def device_birth(totals: Totals, time_ms: int) -> list[Metric]:
    """Return all metrics of the device; of items nothing is known until one comes."""
    unknown = [Metric(name, kind, None, time_ms) for name, kind in {**ITEM, **INCIDENT}.items()]
    return unknown + counts(totals, time_ms)


def counts(totals: Totals, time_ms: int, *, historical: bool = False) -> list[Metric]:
    """Return the counts, as they stood at *time_ms*."""
    verdicts = totals.verdicts
    values = {
        "Processed": totals.items,
        "Defective": totals.items - verdicts["pass"],
        "Pass": verdicts["pass"],
        "Reject": verdicts["reject"],
        "Fault": verdicts["fault"],
        "Lost": totals.lost,
        "Missing": totals.missing,
    }
    return [Metric(f"Counts/{n}", INT64, v, time_ms, historical) for n, v in values.items()]


def record_metrics(
    entry: Entry, totals: Totals, now: Now, *, historical: bool
) -> list[Metric] | None:
    """Return what is told of a record, with the moment at which it was written; None for nothing.

    *totals*: with the record; *now*: the present moment, by which a time is repaired that was
    written before the clock was synchronised.
    """
    record = entry.record
    kinds = TOLD.get(str(record["kind"]))
    if kinds is None:
        return None
    time_ms = moment_ms(record, now)
    values = dict(_values(record, entry.cursor.sha256))
    own = [Metric(name, kind, values[name], time_ms, historical) for name, kind in kinds.items()]
    return own + counts(totals, time_ms, historical=historical)


def moment_ms(record: Mapping[str, Any], now: Now) -> int:
    """Return when a record was written as well as it is known, milliseconds UTC."""
    moment = Times([record], now).of(record)
    known = (moment.exact_ns, moment.latest_ns, moment.earliest_ns, wall_ns(record))
    return max(0, next(ns for ns in known if ns is not None)) // 1_000_000


def _values(record: Mapping[str, Any], sha256: str) -> Iterator[tuple[str, Value]]:
    """Yield the values of an item or an incident; *sha256*: that of its line names it for ever."""
    findings = record.get("findings") or [{}]
    yield "Item/Number", record["sequence"]
    yield "Item/Id", sha256
    for name in ("verdict", "code", "reason", "gate", "evidence"):
        yield f"Item/{name.capitalize()}", _text(record.get(name))
    yield "Item/Evidence SHA256", _text(record.get("evidence_sha256"))
    yield "Item/Label", _text(findings[0].get("label"))
    yield "Item/Score", _number(findings[0].get("score"))
    yield "Item/Latency ms", _number(record.get("ms"))
    yield "Item/Clock Synchronised", record.get("clock_synced") is True
    yield "Incident/Id", sha256
    yield "Incident/What", _text(record.get("what"))
    yield "Incident/Reason", _text(record.get("reason"))
    yield "Incident/Item", _number(record.get("item"))


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _number(value: Any) -> float | int | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
