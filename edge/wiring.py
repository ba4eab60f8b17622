"""What each wire is for, by name, and what the settings about wires must agree on."""

from collections.abc import Mapping

from edge.config import Config, LinesSettings
from edge.errors import ConfigError

REJECT_LINE, READY_LINE, FAULT_LINE = "reject", "ready", "fault"
TRIGGER, ENCODER_A, ENCODER_B = "trigger", "encoder_a", "encoder_b"
CONFIRM, BIN_FULL, RESET = "confirm", "bin_full", "reset"
INPUTS = (TRIGGER, ENCODER_A, ENCODER_B, CONFIRM, BIN_FULL, RESET)
SAFE: Mapping[str, int] = {REJECT_LINE: 0, READY_LINE: 0, FAULT_LINE: 1}
"""The level of each output before, between and after: no pulse, the line may not run, something is
wrong."""


def wired(settings: LinesSettings) -> dict[str, str]:
    """Map what each line is for to its name on the chip; what is not wired is left out.

    >>> wired(LinesSettings(trigger="GPIO17", reject="GPIO27"))
    {'trigger': 'GPIO17', 'reject': 'GPIO27'}
    """
    names = {role: getattr(settings, role) for role in (*INPUTS, *SAFE)}
    return {role: name for role, name in names.items() if name}


def check_gate(config: Config) -> None:
    """Check what the sections on the gate say together. Raises ConfigError with one line."""
    gate, lines, process = config.gate, config.lines, config.gate.driver == "process"
    by_counts = gate.reject_delay_counts > 0
    names = wired(lines)
    unnamed = [role for role in lines.active_low if role not in names]
    twice = len(set(names.values())) < len(names)
    wrong = {
        '[trigger] kind "photo-eye" needs [gate] driver "process"': config.trigger.kind
        == "photo-eye"
        and not process,
        '[trigger] kind "photo-eye" needs a name in [lines] trigger': (
            config.trigger.kind == "photo-eye" and TRIGGER not in names
        ),
        '[trigger] spacing_ms needs kind "photo-eye"': config.trigger.spacing_ms > 0
        and config.trigger.kind != "photo-eye",
        "[trigger] spacing_ms must be below [gate] reject_delay_ms": (
            not by_counts and config.trigger.spacing_ms >= gate.reject_delay_ms
        ),
        '[gate] reject_delay_counts needs driver "process" and a name in [lines] encoder_a': (
            by_counts and not (process and ENCODER_A in names)
        ),
        "[gate] merge_gap_ms must be 0 when the delay is in counts or the pulse accepts": (
            gate.merge_gap_ms > 0 and (by_counts or gate.pulse == "accepts")
        ),
        "[lines] encoder_b needs encoder_a": ENCODER_B in names and ENCODER_A not in names,
        '[lines] driver "gpiod" needs a name in reject': lines.driver == "gpiod"
        and REJECT_LINE not in names,
        f"[lines] active_low must list lines that have a name, not {', '.join(unnamed)}": bool(
            unnamed
        ),
        f"[lines] must give each line a name of its own, not {', '.join(names.values())}": twice,
    }
    for sentence, amiss in wrong.items():
        if amiss:
            raise ConfigError(f"{sentence}; correct it in {config.folder}")
