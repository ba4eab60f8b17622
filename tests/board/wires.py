"""The board's wires as the test holds them: a photo-eye to pull, outputs as the kernel saw them.

Runs in the guest, as root. The chip is the kernel's gpio-sim. Its outputs are not polled: the
kernel's own trace event ``gpio_value`` tells of each change at the moment at which it was made, to
the microsecond of CLOCK_MONOTONIC, which is also Python's ``time.monotonic_ns``. What happens when
nobody holds a line any more is no event: that is read from the simulator's ``value``, which then
follows the pull resistor, as a wire does.
"""

import os
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

CHIP = "board"
PHOTO_EYE, REJECT, READY, FAULT = "PHOTO_EYE", "REJECT", "READY", "FAULT"
ENCODER, RESET, CONFIRM = "ENCODER", "RESET", "CONFIRM"
OFFSETS = {PHOTO_EYE: 4, ENCODER: 5, RESET: 6, CONFIRM: 7, REJECT: 17, READY: 22, FAULT: 27}
OUTPUTS = (REJECT, READY, FAULT)
PULLED_UP = (FAULT,)
"""Lines with a resistor to 3.3 V, so that a box without a gate shows a fault; the others have one
to ground."""
FLASH_S = 0.06
"""How long an item covers the photo-eye."""

IRQ_PRIORITY = 50
"""Real-time priority of the kernel's threads that handle interrupts."""
CONFIG = Path("/sys/kernel/config/gpio-sim") / CHIP
TRACING = Path("/sys/kernel/tracing")
EVENT = re.compile(r" (\d+)\.(\d{6}): gpio_value: (\d+) set (\d)")


@dataclass(frozen=True)
class Edge:
    """A change of an output, when the kernel made it, monotonic nanoseconds."""

    line: str
    level: int
    t_ns: int


def make_chip() -> None:
    """Let the kernel have the chip, with its resistors; nothing when it has it already."""
    if CONFIG.exists():
        return
    bank = CONFIG / "bank0"
    bank.mkdir(parents=True)
    (bank / "num_lines").write_text("32")
    (bank / "label").write_text(CHIP)
    for name, offset in OFFSETS.items():
        (bank / f"line{offset}").mkdir()
        (bank / f"line{offset}" / "name").write_text(name)
    (CONFIG / "live").write_text("1")
    for name in OFFSETS:
        _pull(name, up=name in PULLED_UP)


def pass_item(seconds: float = FLASH_S) -> int:
    """Let an item cover the photo-eye for a moment, or several that touch for longer.

    Returns when it began to, in monotonic nanoseconds.
    """
    return _flash(PHOTO_EYE, seconds)


def turn(counts: int, pace_s: float = 0.0) -> None:
    """Turn the encoder by *counts*, two edges each, with *pace_s* between two edges."""
    pull = os.open(_line(ENCODER) / "pull", os.O_WRONLY)  # opened once: emulated, that takes long
    try:
        for _ in range(counts):
            for way in (b"pull-up", b"pull-down"):
                os.pwrite(pull, way, 0)
                if pace_s:
                    time.sleep(pace_s)
    finally:
        os.close(pull)


def turn_unseen(counts: int) -> None:
    """Turn the encoder so that the kernel misses edges: its threads that handle them must wait.

    They are kept on one processor, on which this process goes before them meanwhile.
    """
    processors, one = os.sched_getaffinity(0), {0}
    for thread in irq_threads():
        os.sched_setaffinity(thread, one)
    os.sched_setaffinity(0, one)
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(IRQ_PRIORITY + 1))
    try:
        turn(counts)
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        os.sched_setaffinity(0, processors)


def irq_threads() -> list[int]:
    """The kernel's threads that handle the edges of the gate's inputs."""
    return [
        int(comm.parent.name)
        for comm in Path("/proc").glob("[0-9]*/comm")
        if re.match(r"irq/\d+-stampg", comm.read_text())
    ]


def enter_bin() -> int:
    """Let an item fall into the reject bin; returns when, in monotonic nanoseconds."""
    return _flash(CONFIRM)


def press_reset() -> None:
    """Press the reset button for a moment."""
    _flash(RESET)


def levels() -> dict[str, int]:
    """The outputs' levels now."""
    return {name: int((_line(name) / "value").read_text()) for name in OUTPUTS}


def begin_trace() -> None:
    """Let the kernel write down the changes of the outputs from now on, and forget earlier ones."""
    event, base = TRACING / "events" / "gpio" / "gpio_value", _base()
    (TRACING / "tracing_on").write_text("1")
    (TRACING / "trace_clock").write_text("mono")
    (event / "filter").write_text(
        " || ".join(f"gpio == {base + OFFSETS[name]}" for name in OUTPUTS)
    )
    (event / "enable").write_text("1")
    (TRACING / "trace").write_text("")


def traced() -> list[Edge]:
    """The changes of the outputs since :func:`begin_trace`, the oldest first."""
    with (TRACING / "trace").open() as lines:
        return edges_of(lines, _base())


def edges_of(lines: Iterable[str], base: int) -> list[Edge]:
    """Read the edges of the outputs from the kernel's trace.

    What sets a line to the level that it has is no edge. *base*: the chip's first number.

    >>> text = "  gate-1 [000] .....   12.000345: gpio_value: 497 set 1"
    >>> edges_of([text, text], 480)
    [Edge(line='REJECT', level=1, t_ns=12000345000)]
    """
    names = {base + offset: name for name, offset in OFFSETS.items()}
    changes = sorted(
        tuple(map(int, found.groups())) for found in filter(None, map(EVENT.search, lines))
    )
    edges: list[Edge] = []
    now: dict[str, int] = {}
    for seconds, microseconds, number, level in changes:
        line = names[number]
        if now.get(line) != level:
            now[line] = level
            edges.append(Edge(line, level, seconds * 10**9 + microseconds * 1000))
    return edges


def _flash(name: str, seconds: float = FLASH_S) -> int:
    """Pull a line up for a moment; returns when, in monotonic nanoseconds."""
    t_ns = time.monotonic_ns()
    _pull(name, up=True)
    time.sleep(seconds)
    _pull(name, up=False)
    return t_ns


def _pull(name: str, *, up: bool) -> None:
    (_line(name) / "pull").write_text("pull-up" if up else "pull-down")


def _line(name: str) -> Path:
    return _chip() / f"sim_gpio{OFFSETS[name]}"


def _chip() -> Path:
    device, chip = (
        (CONFIG / "dev_name").read_text().strip(),
        (CONFIG / "bank0" / "chip_name").read_text().strip(),
    )
    return Path("/sys/devices/platform") / device / chip


def _base() -> int:
    """The number that the kernel's trace gives the chip's first line."""
    chips = Path("/sys/class/gpio").glob("gpiochip*")
    return next(
        int((chip / "base").read_text())
        for chip in chips
        if (chip / "label").read_text().strip() == CHIP
    )


if __name__ == "__main__":
    make_chip()
