"""Payloads of Sparkplug B: written for our metrics, read as far as a command to us needs it.

A payload is a protobuf message: timestamp 1, metrics 2, seq 3. A metric: name 1, timestamp 3,
datatype 4, is_historical 5, is_null 7, then its value: long 11, double 13, boolean 14, string 15.
Source: *Sparkplug 3.0.0 specification*, Eclipse Foundation, chapter 6, and the protobuf definition
in its appendix. The wire format is that of :mod:`edge.vision.protobuf`, which reads it here, too.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from edge.vision.protobuf import BYTES, FIXED_64, VARINT, fields

INT64, DOUBLE, BOOLEAN, STRING = 4, 10, 11, 12
"""Data types of Sparkplug that our metrics have."""
NAMESPACE = "spBv1.0"
SEQUENCES = 256
"""Sequence numbers go from 0 to 255 and round."""
MASK = (1 << 64) - 1
Value = int | float | bool | str | None


class Metric(NamedTuple):
    """One metric: its name, data type and value; None for one that is not known.

    *time_ms*: when it was so, milliseconds UTC; *historical*: it is of the past, and not the
    present value.
    """

    name: str
    kind: int
    value: Value
    time_ms: int
    historical: bool = False


@dataclass(frozen=True)
class Topics:
    """Topics of one node and its device."""

    group: str
    node: str
    device: str

    def of(self, message: str) -> str:
        """Return the topic of a message; those that begin with D are of the device.

        >>> Topics("plant", "box", "line").of("DDATA")
        'spBv1.0/plant/DDATA/box/line'
        """
        device = f"/{self.device}" if message.startswith("D") else ""
        return f"{NAMESPACE}/{self.group}/{message}/{self.node}{device}"


def payload(time_ms: int, metrics: Iterable[Metric], sequence: int | None = None) -> bytes:
    """Return a payload; *time_ms*: when it is sent; *sequence*: None for a death certificate."""
    content = _number(1, time_ms) + b"".join(_bytes(2, _metric(one)) for one in metrics)
    return content + (b"" if sequence is None else _number(3, sequence))


def asks_for_rebirth(content: bytes) -> bool:
    """Tell whether a command (NCMD) sets ``Node Control/Rebirth``; of others nothing is done."""
    try:
        return any(
            field.number == 2
            and field.wire == BYTES
            and _is_rebirth(content, field.begin, field.end)
            for field in fields(content, 0, len(content))
        )
    except ValueError:
        return False


REBIRTH = "Node Control/Rebirth"


def _is_rebirth(content: bytes, begin: int, end: int) -> bool:
    name, wanted = b"", False
    for field in fields(content, begin, end):
        if (field.number, field.wire) == (1, BYTES):
            name = content[field.begin : field.end]
        elif (field.number, field.wire) == (14, VARINT):
            wanted = bool(field.value)
    return wanted and name == REBIRTH.encode()


def _metric(metric: Metric) -> bytes:
    content = _bytes(1, metric.name.encode()) + _number(3, metric.time_ms) + _number(4, metric.kind)
    content += _number(5, 1) if metric.historical else b""
    value = metric.value
    if value is None:
        return content + _number(7, 1)
    if metric.kind == STRING:
        # A text with lone surrogates, as a file's name may have, is no UTF-8.
        return content + _bytes(15, str(value).encode("utf-8", "backslashreplace"))
    if metric.kind == BOOLEAN:
        return content + _number(14, int(bool(value)))
    if metric.kind == DOUBLE:
        return content + _varint(13 << 3 | FIXED_64) + struct.pack("<d", float(value))
    return content + _number(11, int(value) & MASK)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3 | VARINT) + _varint(value)


def _bytes(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | BYTES) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    """Return a number of at most 64 bits, seven bits a byte, the lowest first."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
