"""The kernel's GPIO lines, by name, through libgpiod 2: the same code on Pi 4, Pi 5 and Jetson.

Wire inputs and outputs through opto-isolators: a pin stands 3.3 V and the line has 24 V. On a
Raspberry Pi use GPIO 9 to 27 (0 to 8 are pulled up at power-on) and put ``dtparam=strict_gpiod``
into config.txt: without it the kernel leaves an output as it was when the process that drove it has
died. ``gpioinfo`` prints the names; the number of a chip may change from boot to boot and is never
used.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any, Self

from edge.config import LinesSettings
from edge.errors import ConfigError, GateError
from edge.gate.lines import BOTH_EDGES, WireEvent
from edge.wiring import ENCODER_A, ENCODER_B, SAFE, wired

if TYPE_CHECKING:
    from gpiod import Chip, LineRequest, LineSettings

CONSUMER = "stampgate-gate"
EVENTS_KEPT = 1024
"""Edges that the kernel buffers while we are busy; the most it grants (GPIO_V2_LINES_MAX * 16)."""
PULLS = {"as-is": "AS_IS", "up": "PULL_UP", "down": "PULL_DOWN", "disabled": "DISABLED"}


class GpioLines:
    """Requests all lines of one chip at once; refuses unless each is there, once, and free.

    The outputs are requested before the inputs, in their SAFE levels, so they are driven from the
    first moment. An input's edges are debounced and stamped on CLOCK_MONOTONIC by the kernel, which
    numbers them line by line: a number left out is an edge lost. With debouncing the stamp is the
    moment at which the line had been steady for so long.

    *devices*: the folder of the chips' device files.

    Synchronization: one thread; a line that another process holds is refused by the kernel.
    """

    def __init__(
        self, settings: LinesSettings, debounce_ms: float, devices: Path = Path("/dev")
    ) -> None:
        self._settings, self._names, self._devices = settings, wired(settings), devices
        self._debounce = timedelta(milliseconds=debounce_ms)
        self._stack = ExitStack()
        self._gpiod: ModuleType | None = None
        self._outputs: LineRequest | None = None
        self._inputs: LineRequest | None = None
        self._roles: dict[int, str] = {}
        self._numbers: dict[str, int] = {}

    def __enter__(self) -> Self:
        self._gpiod = import_gpiod()
        with ExitStack() as stack:
            chip, offsets = self._find_chip(stack)
            self._roles = {offset: role for role, offset in offsets.items()}
            self._outputs = self._request(
                stack, chip, {r: o for r, o in offsets.items() if r in SAFE}
            )
            if self._outputs is not None:
                stack.callback(self._rest)
            self._inputs = self._request(
                stack, chip, {r: o for r, o in offsets.items() if r not in SAFE}
            )
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()
        self._inputs = self._outputs = None

    def filenos(self) -> Sequence[int]:
        """The descriptor on which the kernel reports edges."""
        return () if self._inputs is None else (self._inputs.fd,)

    def next_ns(self) -> int | None:
        """None: the kernel reports every edge."""
        return None

    def read(self) -> list[WireEvent]:
        """Return the edges that the kernel has."""
        events: list[WireEvent] = []
        try:
            while self._inputs is not None and self._inputs.wait_edge_events(0):
                events += [
                    self._event(event) for event in self._inputs.read_edge_events(EVENTS_KEPT)
                ]
        except OSError as error:
            raise _lost(error) from None
        return events

    def level(self, line: str) -> int:
        """Read the level of an input from the kernel."""
        if self._inputs is None or line not in self._names:
            return 0
        try:
            return int(bool(self._inputs.get_value(self._offset(line))))
        except OSError as error:
            raise _lost(error) from None

    def set(self, line: str, level: int, tag: int | None = None) -> None:  # noqa: ARG002
        """Drive an output."""
        if self._outputs is None or line not in self._names:
            return
        try:
            self._outputs.set_value(self._offset(line), self._value(level))
        except OSError as error:
            raise _lost(error) from None

    def _rest(self) -> None:
        for line, level in SAFE.items():
            self.set(line, level)

    def _offset(self, line: str) -> int:
        return next(offset for offset, role in self._roles.items() if role == line)

    def _value(self, level: int) -> Any:
        assert self._gpiod is not None
        return self._gpiod.line.Value.ACTIVE if level else self._gpiod.line.Value.INACTIVE

    def _event(self, event: Any) -> WireEvent:
        line = self._roles[event.line_offset]
        lost = event.line_seqno - self._numbers.get(line, 0) - 1
        self._numbers[line] = event.line_seqno
        level = int(event.event_type.name == "RISING_EDGE")
        return WireEvent(line, level, event.timestamp_ns, max(0, lost))

    def _request(
        self, stack: ExitStack, chip: "Chip", offsets: dict[str, int]
    ) -> "LineRequest | None":
        """Ask the kernel for *offsets* of *chip*, to be given back when *stack* ends."""
        if not offsets:
            return None
        config: Any = {offset: self._line_settings(role) for role, offset in offsets.items()}
        events = EVENTS_KEPT if set(offsets) - set(SAFE) else None
        try:
            request = chip.request_lines(config, consumer=CONSUMER, event_buffer_size=events)
        except OSError as error:
            names = ", ".join(self._names[role] for role in offsets)
            raise GateError(
                f"[lines] {names}: the kernel does not give them ({error.strerror}); "
                "see with gpioinfo who holds them"
            ) from None
        stack.callback(request.release)
        return request

    def _line_settings(self, role: str) -> "LineSettings":
        assert self._gpiod is not None
        line, low = self._gpiod.line, role in self._settings.active_low
        made: LineSettings
        if role in SAFE:
            made = self._gpiod.LineSettings(
                direction=line.Direction.OUTPUT,
                active_low=low,
                output_value=self._value(SAFE[role]),
            )
        else:
            made = self._gpiod.LineSettings(
                direction=line.Direction.INPUT,
                active_low=low,
                edge_detection=line.Edge.BOTH if role in BOTH_EDGES else line.Edge.RISING,
                bias=line.Bias[PULLS[self._settings.pull]],
                # An encoder's edges are as close as its counts: debouncing them would lose some.
                debounce_period=timedelta() if role in (ENCODER_A, ENCODER_B) else self._debounce,
                event_clock=line.Clock.MONOTONIC,
            )
        return made

    def _find_chip(self, stack: ExitStack) -> "tuple[Chip, dict[str, int]]":
        """Open the one chip that has every line. Raises ConfigError."""
        wanted = set(self._names.values())
        if len(wanted) < len(self._names):
            names = ", ".join(self._names.values())
            raise ConfigError(f"[lines] must name each line once, not {names}; correct it there")
        assert self._gpiod is not None
        chips = open_chips(self._gpiod, stack, self._settings.chip, self._devices)
        fitting = [(chip, found) for chip, found in chips if wanted <= set(found)]
        if len(fitting) != 1:
            raise ConfigError(
                f"[lines] {', '.join(sorted(wanted))}: must be lines of one GPIO chip, "
                f"not of {len(fitting)}; see their names with gpioinfo, "
                "and correct the names or chip there"
            )
        chip, found = fitting[0]
        for name in sorted(wanted):
            if len(found[name]) != 1:
                raise ConfigError(
                    f"[lines] {name}: must be the name of one line, not of {len(found[name])}; "
                    "name another"
                )
        return chip, {role: found[name][0] for role, name in self._names.items()}


def open_chips(
    gpiod: ModuleType, stack: ExitStack, label: str, devices: Path
) -> "Iterator[tuple[Chip, dict[str, list[int]]]]":
    """Open each GPIO chip with that *label*, or any for an empty one, until *stack* ends.

    Yields it with the offsets of each line name. Raises GateError when one may not be opened.
    """
    for path in sorted(devices.glob("gpiochip*")):
        if path.is_symlink() or not gpiod.is_gpiochip_device(str(path)):
            continue
        try:
            chip = stack.enter_context(gpiod.Chip(str(path)))
        except OSError as error:
            raise GateError(
                f"{path}: cannot be opened ({error.strerror}); "
                "the service's user must be in the group that owns it"
            ) from None
        if label in ("", chip.get_info().label):
            found: dict[str, list[int]] = {}
            for offset in range(chip.get_info().num_lines):
                found.setdefault(chip.get_line_info(offset).name or "", []).append(offset)
            yield chip, found


def import_gpiod() -> ModuleType:
    """Return the gpiod library, version 2. Raises ConfigError that says how to install it."""
    try:
        import gpiod  # noqa: PLC0415 - a desk without wires need not have it
    except ImportError:
        raise ConfigError(
            '[lines] driver "gpiod" needs libgpiod 2 for Python: pip install "gpiod>=2.1"'
        ) from None
    if not hasattr(gpiod, "LineSettings"):
        raise ConfigError(
            '[lines] driver "gpiod" needs version 2 of gpiod, not 1: pip install "gpiod>=2.1"'
        )
    return gpiod


def _lost(error: OSError) -> GateError:
    return GateError(
        f"the GPIO lines are lost ({error.strerror}); check the board, a new process tries again"
    )
