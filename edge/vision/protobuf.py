"""The wire format of Protocol Buffers, read strictly and by the standard library alone.

The box has no ``onnx``, and must find a file's sum before anything else may read the file. Source:
*Encoding*, in the Protocol Buffers documentation. Where readers may differ there is no leniency:
groups, numbers longer than they need be and fields that reach beyond their message are refused.
"""

from collections.abc import Iterator
from dataclasses import dataclass

VARINT, FIXED_64, BYTES, FIXED_32 = 0, 1, 2, 5
"""Wire types; 3 and 4, the groups, are in no file of today."""
FIXED_BYTES = {FIXED_64: 8, FIXED_32: 4}
MOST_VARINT_BYTES = 10


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message.

    *number*, *wire*: its number and wire type; *begin*, *end*: where its content lies in the file,
    bytes, half-open; *value*: that of a varint, else 0.
    """

    number: int
    wire: int
    begin: int
    end: int
    value: int


def fields(data: bytes, begin: int, end: int) -> Iterator[Field]:
    """Yield the fields of the message in ``data[begin:end]``, in their order.

    Raises ValueError at the first byte that breaks the format.
    """
    at = begin
    while at < end:
        tag, at = _varint(data, at, end)
        number, wire = tag >> 3, tag & 7
        if not 0 < number < 1 << 29:
            raise ValueError(f"byte {at}: no field has the number {number}")
        value = 0
        if wire == VARINT:
            first = at
            value, at = _varint(data, at, end)
        elif wire == BYTES:
            length, first = _varint(data, at, end)
            at = first + length
        elif wire in FIXED_BYTES:
            first, at = at, at + FIXED_BYTES[wire]
        else:
            raise ValueError(f"byte {at}: wire type {wire} is none")
        if at > end:
            raise ValueError(f"byte {first}: field {number} reaches beyond its end: cut off")
        yield Field(number, wire, first, at, value)


def _varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Return the number that begins at *at*, and where it ends."""
    value = 0
    for count in range(MOST_VARINT_BYTES):
        if at + count >= end:
            raise ValueError(f"byte {at}: a number is cut off")
        byte = data[at + count]
        value |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            if count and not byte:
                raise ValueError(f"byte {at}: a number is longer than it need be")
            return value, at + count + 1
    raise ValueError(f"byte {at}: a number has no end")
