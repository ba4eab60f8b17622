"""Sparkplug B read by Google's protobuf, independently of the code that writes it.

The descriptor is built here from the field numbers of the specification.
"""

from dataclasses import dataclass
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

UINT64, UINT32, BOOL, DOUBLE, FLOAT, STRING, BYTES, MESSAGE = 4, 13, 8, 1, 2, 9, 12, 11
METRIC = (
    ("name", 1, STRING), ("alias", 2, UINT64), ("timestamp", 3, UINT64), ("datatype", 4, UINT32),
    ("is_historical", 5, BOOL), ("is_transient", 6, BOOL), ("is_null", 7, BOOL),
    ("int_value", 10, UINT32), ("long_value", 11, UINT64), ("float_value", 12, FLOAT),
    ("double_value", 13, DOUBLE), ("boolean_value", 14, BOOL), ("string_value", 15, STRING),
    ("bytes_value", 16, BYTES),
)  # fmt: skip


def _payload_class() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="sparkplug.proto", package="sparkplug")
    metric = file.message_type.add(name="Metric")
    for name, number, kind in METRIC:
        metric.field.add(name=name, number=number, type=kind, label=1)
    payload = file.message_type.add(name="Payload")
    for name, number in (("timestamp", 1), ("seq", 3)):
        payload.field.add(name=name, number=number, type=UINT64, label=1)
    payload.field.add(
        name="metrics", number=2, type=MESSAGE, label=3, type_name=".sparkplug.Metric"
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("sparkplug.Payload"))


PAYLOAD: Any = _payload_class()
VALUES = {4: "long_value", 10: "double_value", 11: "boolean_value", 12: "string_value"}


@dataclass(frozen=True)
class Read:
    """A payload as it was read: its values by name, and what else a host looks at."""

    kind: str
    seq: int | None
    timestamp: int
    values: dict[str, Any]
    times: dict[str, int]
    historical: bool


def read(topic: str, content: bytes) -> Read:
    """Read a message; each metric must have the one value that its data type says, or be null."""
    payload = PAYLOAD.FromString(content)
    assert payload.SerializeToString() is not None
    values: dict[str, Any] = {}
    for metric in payload.metrics:
        name = VALUES[metric.datatype]
        given = [one for one in VALUES.values() if metric.HasField(one)]
        assert given == ([] if metric.is_null else [name])
        values[metric.name] = None if metric.is_null else getattr(metric, name)
    marked = {metric.is_historical for metric in payload.metrics}
    assert len(marked) <= 1
    return Read(
        topic.split("/")[2],
        payload.seq if payload.HasField("seq") else None,
        payload.timestamp,
        values,
        {metric.name: metric.timestamp for metric in payload.metrics},
        marked == {True},
    )


def command(name: str, value: bool) -> bytes:
    """Return a command that sets a metric, as a host writes it."""
    payload = PAYLOAD(timestamp=1)
    payload.metrics.add(name=name, datatype=11, boolean_value=value, timestamp=1)
    return bytes(payload.SerializeToString())
