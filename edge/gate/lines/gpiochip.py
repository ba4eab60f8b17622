"""The kernel's GPIO lines, by name, through libgpiod 2: the same code on Pi 4, Pi 5 and Jetson.

Wire inputs and outputs through opto-isolators: a pin stands 3.3 V and the line has 24 V. On a
Raspberry Pi use GPIO 9 to 27 (0 to 8 are pulled up at power-on) and put ``dtparam=strict_gpiod``
into config.txt: without it the kernel leaves an output as it was when the process that drove it has
died. ``gpioinfo`` prints the names; the number of a chip may change from boot to boot and is never
used.
"""

import errno
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any, Self

from edge.errors import ConfigError, GateError
from edge.gate.lines import BOTH_EDGES, WireEvent
from edge.sections.gate import LinesSettings
from edge.wiring import ENCODER_A, ENCODER_B, SAFE, wired

if TYPE_CHECKING:
    from gpiod import Chip, LineRequest, LineSettings

CONSUMER = "stampgate-gate"
EVENTS_KEPT = 1024
"""Edges of all inputs together that the kernel buffers while we are busy, then it drops the oldest.

It is what we ask for, and the most that the kernel grants a request (GPIO_V2_LINES_MAX * 16).
"""
REORDER_S = 0.001
"""Wait for an edge whose number is missing: the kernel numbers edges of two lines that come at the
same moment on two cores, and may deliver them the other way round."""
NO_V2 = (errno.EINVAL, errno.ENOTTY)
"""What a kernel without the ioctls of GPIO version 2 says to one of them."""
UNABLE = (*NO_V2, errno.EOPNOTSUPP)
"""What a kernel says to a request for lines that it can never grant."""
PULLS = {"as-is": "AS_IS", "up": "PULL_UP", "down": "PULL_DOWN", "disabled": "DISABLED"}


class GpioLines:
    """Requests all lines of one chip at once; refuses unless each is there, once, and free.

    The outputs are requested before the inputs, in their SAFE levels, so they are driven from the
    first moment. An input's edges are debounced and stamped on CLOCK_MONOTONIC by the kernel, which
    numbers them line by line, and over all lines of the request: a number left out is an edge lost,
    on its line or on any. With debouncing the stamp is the moment at which the line had been steady
    for so long.

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
        self._number = 0

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
        try:
            found = self._delivered()
            if len(found) < EVENTS_KEPT and self._missing(found):
                time.sleep(REORDER_S)
                found += self._delivered()
        except OSError as error:
            raise _lost(error) from None
        return [self._event(event) for event in sorted(found, key=lambda e: e.global_seqno)]

    def _delivered(self) -> list[Any]:
        """Read the kernel's buffer once: a storm of edges must not keep us reading for ever."""
        if self._inputs is None or not self._inputs.wait_edge_events(0):
            return []
        return list(self._inputs.read_edge_events(EVENTS_KEPT))

    def _missing(self, found: Sequence[Any]) -> bool:
        """Return whether numbers are left out among *found*, or before them."""
        return bool(found) and max(e.global_seqno for e in found) - self._number > len(found)

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
        lost = max(0, event.line_seqno - self._numbers.get(line, 0) - 1)
        overflow = max(0, event.global_seqno - self._number - 1)
        self._numbers[line] = event.line_seqno
        self._number = max(self._number, event.global_seqno)
        level = int(event.event_type.name == "RISING_EDGE")
        return WireEvent(line, level, event.timestamp_ns, lost, overflow)

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
            raise _not_given(names, error) from None
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
        """Open the one chip that has every line.

        Raises ConfigError, or GateError when a chip that may have them could not be looked at.
        """
        wanted = set(self._names.values())
        if len(wanted) < len(self._names):
            names = ", ".join(self._names.values())
            raise ConfigError(f"[lines] must name each line once, not {names}; correct it there")
        assert self._gpiod is not None
        chips = open_chips(self._gpiod, stack, self._settings.chip, self._devices)
        fitting = [(chip, found) for chip, found in chips.opened if wanted <= set(found)]
        if not fitting and chips.why is not None:
            raise chips.why
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


@dataclass
class Chips:
    """The GPIO chips of a machine: *opened* ones, each with the offsets of its line names.

    *refused*: why others could not be looked at. A chip whose lines nobody asks for stops nobody.
    """

    opened: "list[tuple[Chip, dict[str, list[int]]]]" = field(default_factory=list)
    refused: list[ConfigError | GateError] = field(default_factory=list)

    @property
    def why(self) -> ConfigError | GateError | None:
        """Why a line may be missing: what no new process heals comes first."""
        lasting = (why for why in self.refused if isinstance(why, ConfigError))
        return next(lasting, self.refused[0] if self.refused else None)


def open_chips(gpiod: ModuleType, stack: ExitStack, label: str, devices: Path) -> Chips:
    """Open each GPIO chip with that *label*, or any for an empty one, until *stack* ends."""
    chips = Chips()
    for path in sorted(devices.glob("gpiochip*")):
        if path.is_symlink() or not gpiod.is_gpiochip_device(str(path)):
            continue
        try:
            chip = stack.enter_context(gpiod.Chip(str(path)))
            info = chip.get_info()
        except OSError as error:
            chips.refused.append(_unopened(path, error))
            continue
        if label not in ("", info.label):
            continue
        try:
            chips.opened.append((chip, _offsets(chip, info.num_lines)))
        except OSError as error:
            chips.refused.append(_without_lines(path, error))
    return chips


def _offsets(chip: "Chip", number: int) -> dict[str, list[int]]:
    """Return the offsets of each line name. Raises OSError."""
    found: dict[str, list[int]] = {}
    for offset in range(number):
        found.setdefault(chip.get_line_info(offset).name or "", []).append(offset)
    return found


def _unopened(path: Path, error: OSError) -> GateError:
    """Return what to say of a chip that cannot be opened."""
    denied = error.errno in (errno.EACCES, errno.EPERM)
    cure = (
        "the gate's user must be in the group that owns it"
        if denied
        else "is it plugged in? A new process tries again"
    )
    return GateError(f"{path}: cannot be opened ({error.strerror}); {cure}")


def _without_lines(path: Path, error: OSError) -> ConfigError | GateError:
    """Return what to say of a chip that does not tell of its lines."""
    if error.errno in NO_V2:
        return ConfigError(
            f"{path}: this kernel has no GPIO interface of version 2; "
            "a kernel from Linux 5.10 on is needed, with CONFIG_GPIO_CDEV"
        )
    return GateError(
        f"{path}: does not tell of its lines ({error.strerror}); "
        "is it plugged in? A new process tries again"
    )


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


def _not_given(names: str, error: OSError) -> ConfigError | GateError:
    """Return what to say of lines that the kernel does not give: no new process heals all of it."""
    if error.errno in UNABLE:
        return ConfigError(
            f"[lines] {names}: the kernel cannot do what is asked of them ({error.strerror}); "
            'set pull = "as-is" there, and see that the kernel is Linux 5.10 or newer'
        )
    return GateError(
        f"[lines] {names}: the kernel does not give them ({error.strerror}); "
        "see with gpioinfo who holds them"
    )


def _lost(error: OSError) -> GateError:
    return GateError(
        f"the GPIO lines are lost ({error.strerror}); check the board, a new process tries again"
    )
