"""The registers that a PLC reads: one table, from which the server and the page are made.

Each register is 16 bits; a number of 32 bits has two, the high word first (big-endian, as Modbus
has bytes). Counts go round at 2**32. Addresses begin at 0: register 0 is 30001 or 40001 to programs
that count from 1.
"""

from collections.abc import Callable
from dataclasses import dataclass

from edge.exporters.box_state import BoxState
from edge.exporters.totals import Totals
from edge.sections.alarms import ALARM_CODES

VERSION = 1
"""Of this table; it changes when a register changes its meaning."""
VERDICTS = {"pass": 1, "reject": 2, "fault": 3}
NONE = 0xFFFF
"""Where a value of 16 bits is not known."""
Value = Callable[[BoxState, Totals], int]


@dataclass(frozen=True)
class Register:
    """One value: its first register, how many it has, its name, its value and what it means."""

    address: int
    words: int
    name: str
    value: Value
    meaning: str


def registers_of(state: BoxState, totals: Totals, heartbeat: int) -> list[int]:
    """Return all registers in their order; *heartbeat*: a count that goes on while we do."""
    words: list[int] = []
    for register in TABLE:
        number = heartbeat if register.name == "heartbeat" else register.value(state, totals)
        number %= 1 << (16 * register.words)
        words += [number >> (16 * n) & 0xFFFF for n in reversed(range(register.words))]
    return words


def _bits(state: BoxState, totals: Totals) -> int:
    flags = (state.running, state.ready, bool(state.fault), bool(state.held), bool(totals.sounding))
    return sum(flag << bit for bit, flag in enumerate(flags))


def _alarms(_state: BoxState, totals: Totals) -> int:
    return sum((code in totals.sounding) << bit for bit, code in enumerate(ALARM_CODES))


def _share(_state: BoxState, totals: Totals) -> int:
    """Return the rejects and faults of all items, in hundredths of a percent."""
    return round(10_000 * (1 - totals.verdicts["pass"] / totals.items)) if totals.items else NONE


def _temperature(state: BoxState, _totals: Totals) -> int:
    degrees = state.about("health").get("temperature_c")
    return max(0, round(10 * degrees)) if isinstance(degrees, int | float) else NONE


def _free_gb(state: BoxState, _totals: Totals) -> int:
    return NONE if state.free_bytes is None else min(NONE - 1, state.free_bytes // 1_000_000_000)


def _table() -> tuple[Register, ...]:
    rows: tuple[tuple[int, str, Value, str], ...] = (
        (1, "version", lambda _s, _t: VERSION, "of this table"),
        (1, "heartbeat", lambda _s, _t: 0, "one more each second; trust none when it stands"),
        (1, "state", lambda s, _t: int(s.state), "number of the PackML state"),
        (1, "flags", _bits, "bit 0 running, 1 ready, 2 FAULT, 3 held, 4 any alarm"),
        (1, "alarms", _alarms, "bit by bit, in the order of `[alarms] fault`: "
         + ", ".join(ALARM_CODES)),
        (1, "last_verdict", lambda _s, t: VERDICTS.get(str(t.last.get("verdict")), 0),
         "of the last item: 0 none, 1 pass, 2 reject, 3 fault"),
        (2, "last_item", lambda _s, t: int(t.last.get("sequence", 0)), "number of the last item"),
        (2, "processed", lambda _s, t: t.items, "all items"),
        (2, "pass", lambda _s, t: t.verdicts["pass"], "items that passed"),
        (2, "reject", lambda _s, t: t.verdicts["reject"], "items that were rejected"),
        (2, "fault", lambda _s, t: t.verdicts["fault"], "items that could not be judged"),
        (2, "lost", lambda _s, t: t.lost, "items of which no record could be kept"),
        (1, "defective_share", _share, "reject and fault of all, 0.01 %; 65535 without items"),
        (1, "temperature", _temperature, "0.1 degrees Celsius; 65535 where not known"),
        (1, "disk_free", _free_gb, "GB for the journal; 65535 where not known"),
    )  # fmt: skip
    table, address = [], 0
    for words, name, value, meaning in rows:
        table.append(Register(address, words, name, value, meaning))
        address += words
    return tuple(table)


TABLE = _table()
WORDS = sum(register.words for register in TABLE)
"""How many registers there are."""
