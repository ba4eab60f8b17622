"""Checks of the GPIO lines: each line's presence and holder, and a loop-back over a wire."""

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from edge.config import Config
from edge.errors import ConfigError, GateError
from edge.gate.lines.gpiochip import CONSUMER, EVENTS_KEPT, PULLS, Chips, import_gpiod, open_chips
from edge.sections.gate import LinesSettings
from edge.selftest import CheckResult
from edge.wiring import (
    ENCODER_A,
    ENCODER_B,
    REJECT_LINE,
    SAFE,
    gate_warnings,
    is_shadow,
    wired,
)

if TYPE_CHECKING:
    from gpiod import Chip, LineRequest

LEVELS = (0, 1, 0, 1, 0)
"""Levels sent over a wire; it must follow each, so that neither a broken wire nor one that is stuck
passes."""
SETTLED_S = 0.1
"""Settling time of a level over a wire, seconds; opto-isolators need less than a millisecond."""
DEVICES = Path("/dev")


@dataclass(frozen=True)
class Place:
    """A GPIO line's chip, and its number there."""

    chip: "Chip"
    offset: int


def lines(config: Config, devices: Path = DEVICES) -> Iterator[CheckResult]:
    """Find each line of ``[lines]`` by its name, and its holder; no line is driven."""
    if config.lines.driver != "gpiod":
        yield CheckResult("ok", "lines", "simulated: this box has no wires")
        return
    with ExitStack() as stack:
        chips = open_chips(import_gpiod(), stack, config.lines.chip, devices)
        names = wired(config.lines)
        found = {role: _places(chips, name) for role, name in names.items()}
        yield from _refused(chips, missing=any(not places for places in found.values()))
        for role, name in names.items():
            yield _line(role, name, found[role])
        yield _buffer(names)


def _refused(chips: Chips, *, missing: bool) -> Iterator[CheckResult]:
    """Tell of chips that could not be looked at: a failure when lines are *missing*."""
    for why in chips.refused:
        yield CheckResult("FAIL" if missing else "WARN", "chip", str(why))


def _buffer(names: Mapping[str, str]) -> CheckResult:
    """Tell how many edges the kernel keeps while the gate is busy, and for how long."""
    text = f"the kernel keeps {EVENTS_KEPT} edges of all inputs together while the gate is busy"
    if ENCODER_A in names:
        edges = 4 if ENCODER_B in names else 2
        text += f", {EVENTS_KEPT / edges:.0f} counts of the encoder"
    return CheckResult("ok", "edge buffer", f"{text}; beyond that all that passed is rejected")


def _line(role: str, name: str, places: list[Place]) -> CheckResult:
    what = f"line {role}"
    if len(places) != 1:
        text = f"{name}: must be the name of one line, not of {len(places)}; see gpioinfo"
        return CheckResult("FAIL", what, text)
    chip, offset = places[0].chip, places[0].offset
    info = chip.get_line_info(offset)
    where = f"{name} is line {offset} of {chip.get_info().label}"
    if not info.used:
        return CheckResult("ok", what, f"{where}, free")
    if info.consumer == CONSUMER:
        return CheckResult("ok", what, f"{where}, held by the gate")
    held = f"held by {info.consumer or 'the kernel'}; end that, or use another line"
    return CheckResult("FAIL", what, f"{where}, {held}")


def timing(config: Config) -> Iterator[CheckResult]:
    """Compare pulse, merge gap and window of confirmation with the time between two items."""
    warnings = gate_warnings(config)
    for warning in warnings:
        yield CheckResult("WARN", "timing", warning)
    if not warnings:
        yield CheckResult("ok", "timing", "pulses and confirmations of two items do not overlap")


def mode(config: Config) -> Iterator[CheckResult]:
    """Tell of shadow mode, in which nothing is thrown off; nothing in run."""
    if is_shadow(config):
        ready = "READY beats all the same" if config.shadow.ready_beats else "READY rests"
        text = f"shadow: the gate locks reject off, so nothing is thrown off; {ready}"
        yield CheckResult("ok", "mode", text)


def released(config: Config, root: Path = Path("/")) -> Iterator[CheckResult]:
    """Check that the kernel releases an output whose process has died.

    A Raspberry Pi's would keep it as it was. *root*: where ``/sys`` is.
    """
    files = sorted(root.glob("sys/module/pinctrl_*/parameters/persist_gpio_outputs"))
    if config.lines.driver != "gpiod" or not files:
        return
    what = "lines released"
    keeping = [file for file in files if file.read_text(encoding="ascii").strip() in ("Y", "1")]
    if keeping:
        driver, cure = keeping[0].parents[1].name, "put dtparam=strict_gpiod into config.txt"
        text = f"{driver} leaves an output as it was when its process dies; {cure}"
        yield CheckResult("FAIL", what, text)
    else:
        yield CheckResult("ok", what, "an output whose process dies is let go")


def loop_back(
    config: Config, wire: tuple[str, str], devices: Path = DEVICES
) -> Iterator[CheckResult]:
    """Loop-back test: send low and high over a *wire* from an output to an input.

    *wire*: output and input, each by its role in ``[lines]`` or its name. The output moves, and is
    left at rest. Raises ConfigError for names that are none, GateError when a line is held.
    """
    names = wired(config.lines)
    if config.lines.driver != "gpiod":
        raise ConfigError('a loop-back needs [lines] driver "gpiod"; set it there')
    reject = names.get(REJECT_LINE)
    if is_shadow(config) and reject in (wire[0], names.get(wire[0])):
        raise ConfigError(
            "a loop-back must not move reject in shadow, where it is locked off; set [service] "
            'mode "run" for it, with the air off'
        )
    gpiod = import_gpiod()
    with ExitStack() as stack:
        found = open_chips(gpiod, stack, config.lines.chip, devices)
        if found.why and any(not _places(found, names.get(end, end)) for end in wire):
            raise found.why
        places = [_only(_places(found, names.get(end, end)), end) for end in wire]
        output = _request(stack, places[0], _output(gpiod, config.lines, wire[0]), wire[0])
        given = _request(stack, places[1], _input(gpiod, config.lines, wire[1]), wire[1])
        levels = gpiod.line.Value.INACTIVE, gpiod.line.Value.ACTIVE
        rest = levels[SAFE.get(wire[0], 0)]
        stack.callback(output.set_value, places[0].offset, rest)
        answers = []
        for level in LEVELS:
            output.set_value(places[0].offset, levels[level])
            answers.append(_follow(given, places[1].offset, levels[level]))
    yield _judged(wire, answers)


def _judged(wire: tuple[str, str], answers: list[float | None]) -> CheckResult:
    """Judge how a wire followed :data:`LEVELS`.

    *answers*: the milliseconds after which it followed each, None for not at all.
    """
    what, text = "loop-back", f"{wire[0]} to {wire[1]}"
    times = [answer for answer in answers if answer is not None]
    lost = {level for level, answer in zip(LEVELS, answers, strict=True) if answer is None}
    if not lost:
        slowest = f"the slowest after {max(times):.1f} ms"
        return CheckResult("ok", what, f"{text}: low and high arrive, {slowest}")
    if len(lost) > 1:
        cure = "list one of them in [lines] active_low if the wire turns it over"
        cure += ", and check the wire and its supply"
        return CheckResult("FAIL", what, f"{text}: neither low nor high arrives; {cure}")
    word, cure = ("low", "high")[lost.pop()], "check the wire, its supply and the pull resistor"
    return CheckResult("FAIL", what, f"{text}: {word} does not arrive; {cure}")


def _follow(given: "LineRequest", offset: int, level: Any) -> float | None:
    """Wait until an input takes *level*; return the milliseconds it took, None if it does not."""
    began_s = time.monotonic()
    while (took_s := time.monotonic() - began_s) < SETTLED_S:
        if given.get_value(offset) == level:
            return took_s * 1000
    return None


def _places(chips: Chips, name: str) -> list[Place]:
    """Return every line of that *name*."""
    return [Place(chip, offset) for chip, names in chips.opened for offset in names.get(name, ())]


def _only(places: list[Place], end: str) -> Place:
    """Return the only place of an *end* of the wire. Raises ConfigError for none or several."""
    if len(places) != 1:
        raise ConfigError(
            f"loop-back {end}: must be the name of one line, not of {len(places)}; see gpioinfo"
        )
    return places[0]


def _request(stack: ExitStack, place: Place, settings: Any, role: str) -> "LineRequest":
    try:
        request = place.chip.request_lines({place.offset: settings}, consumer="stampgate-check")
    except OSError as error:
        raise GateError(
            f"loop-back {role}: the kernel does not give the line ({error.strerror}); see gpioinfo"
        ) from None
    stack.callback(request.release)
    return request


def _output(gpiod: ModuleType, settings: LinesSettings, role: str) -> Any:
    """Make the settings of an output at rest."""
    line = gpiod.line
    rest = (line.Value.INACTIVE, line.Value.ACTIVE)[SAFE.get(role, 0)]
    low = role in settings.active_low
    return gpiod.LineSettings(direction=line.Direction.OUTPUT, active_low=low, output_value=rest)


def _input(gpiod: ModuleType, settings: LinesSettings, role: str) -> Any:
    line = gpiod.line
    bias, low = line.Bias[PULLS[settings.pull]], role in settings.active_low
    return gpiod.LineSettings(direction=line.Direction.INPUT, active_low=low, bias=bias)
