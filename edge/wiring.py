"""The role of each GPIO line, and the checks that concern more than one section of the settings.

:func:`load_checked` makes those that need the settings alone; what a service will write is looked
at when that service starts, by :func:`check_for_eye` and :func:`check_for_gate`.
"""

import dataclasses
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from edge.config import Config, config_from, load_config
from edge.deciding.rules import check_alone, region_of
from edge.errors import ConfigError, InputError, UsageError
from edge.files import check_ours
from edge.process.running_hours import FORM, hours_of
from edge.production_lines.apart import own_files, refuse_shared
from edge.rates.plan import Plan
from edge.sections.gate import LinesSettings
from edge.sections.model import DEFAULT_NAME
from edge.settings import shown
from edge.settings_file import parse_toml

REJECT_LINE, READY_LINE, FAULT_LINE = "reject", "ready", "fault"
TRIGGER, ENCODER_A, ENCODER_B = "trigger", "encoder_a", "encoder_b"
CONFIRM, BIN_FULL, RESET, TAKEN = "confirm", "bin_full", "reset", "taken"
INPUTS = (TRIGGER, ENCODER_A, ENCODER_B, CONFIRM, BIN_FULL, RESET, TAKEN)
SAFE: Mapping[str, int] = {REJECT_LINE: 0, READY_LINE: 0, FAULT_LINE: 1}
"""The level of each output before, between and after: no pulse, the belt may not run, a fault."""

LONGEST_NAME = 80
"""Most characters of the name of line and station, which each record bears."""
STATUS_HEAD = b'{"process":'
"""How a status file begins, which is replaced each second."""


def load_checked(path: Path) -> Config:
    """Read ``edge.toml`` and check every section, and what the sections demand of each other.

    The one way from a settings file to a Config that a program may run. Raises ConfigError with one
    line for the first thing that is wrong.
    """
    return _checked(load_config(path))


def checked(content: bytes, path: Path) -> Config:
    """Check the bytes of the settings file *path* as :func:`load_checked` does.

    Raises ConfigError with one line for the first thing that is wrong.
    """
    return _checked(config_from(parse_toml(content, str(path)), path))


def _checked(config: Config) -> Config:
    check_gate(config)
    check_decision(config)
    check_alarms(config)
    return config


def wired(settings: LinesSettings) -> dict[str, str]:
    """Map each role to its line's name on the chip; a line that is not wired is left out.

    >>> wired(LinesSettings(trigger="GPIO17", reject="GPIO27"))
    {'trigger': 'GPIO17', 'reject': 'GPIO27'}
    """
    names = {role: getattr(settings, role) for role in (*INPUTS, *SAFE)}
    return {role: name for role, name in names.items() if name}


def is_shadow(config: Config) -> bool:
    """Return whether the box only watches: the reject output is locked off."""
    return config.service.mode == "shadow"


PICTURE_SETTINGS = (
    "driver", "device", "width", "height", "pixel_format", "exposure_us", "gain", "colour_gains",
    "controls", "pipeline", "rotate", "flip",
)  # fmt: skip
"""Of [camera]: what a picture of the same item looks like."""


def judging_settings(config: Config) -> dict[str, Any]:
    """Return the settings, by name, that a verdict on the same item depends on beside the model.

    A change of any begins a new study in shadow: what was shown of others says nothing of them.
    """
    decision, camera = dataclasses.asdict(config.decision), dataclasses.asdict(config.camera)
    rules = {f"[decision] {name}": value for name, value in decision.items()}
    picture = {f"[camera] {name}": camera[name] for name in PICTURE_SETTINGS}
    return {**rules, **picture, "[shadow] plan": config.shadow.plan}


def plan_of(config: Config) -> Plan | None:
    """Return the plan that is agreed in ``[shadow]``, None where there is none."""
    return Plan.parse(config.shadow.plan) if config.shadow.plan else None


def check_gate(config: Config) -> None:
    """Check what ``[trigger]``, ``[gate]``, ``[lines]`` and ``[shadow]`` demand of each other.

    Raises ConfigError with one line for the first demand that is not met.
    """
    found = (
        *_wrong_triggers(config),
        *_wrong_lengths(config),
        *_wrong_gate(config),
        *_wrong_lines(config),
        *_wrong_shadow(config),
    )
    for sentence in found:
        raise ConfigError(f"{sentence}; correct it in {config.folder}")


def check_decision(config: Config) -> None:
    """Check what ``[decision]`` demands of itself and of other sections, but for the model's.

    Raises ConfigError with one line for the first demand that is not met.
    """
    try:
        check_alone(config.decision)
        for sentence in (*_wrong_region(config), *_wrong_burst(config)):
            raise UsageError(sentence)
    except UsageError as error:
        raise ConfigError(f"[decision] {error}; correct it in {config.folder}") from None


def _check_hours(key: str, text: str, folder: Path) -> None:
    """Check hours in the settings. Raises ConfigError."""
    try:
        hours_of(text)
    except ValueError:
        raise ConfigError(
            f"{key} must be {FORM}, not {shown(text)}; correct it in {folder}"
        ) from None


def check_alarms(config: Config) -> None:
    """Check what ``[alarms]``, ``[reports]`` and ``[service]`` demand.

    Raises ConfigError for the first demand that is not met.
    """
    for key, texts in (
        ("[alarms] running_hours", config.alarms.running_hours),
        ("[reports] shifts", config.reports.shifts),
    ):
        for text in texts:
            _check_hours(key, text, config.folder)
    if len(config.service.name) > LONGEST_NAME:
        raise ConfigError(
            f"[service] name must be at most {LONGEST_NAME} characters long, not "
            f"{len(config.service.name)}; correct it in {config.folder}"
        )


def _wrong_region(config: Config) -> Iterator[str]:
    """What is wrong with the region for the pictures that a camera is asked for."""
    camera, region = config.camera, region_of(config.decision)
    if region is None or camera.driver == "replay":  # whose pictures have a size of their own
        return
    lying = camera.rotate in (90, 270)
    size = (camera.height, camera.width) if lying else (camera.width, camera.height)
    if beyond := region.beyond(*size):
        yield beyond.removeprefix("the ")


def _wrong_burst(config: Config) -> Iterator[str]:
    """What is wrong with several pictures of one item, for its view and its reject delay."""
    decision, camera, gate = config.decision, config.camera, config.gate
    if decision.burst == 1:
        return
    if config.trigger.kind == "every-frame":
        yield 'burst needs [trigger] kind "photo-eye" or "interval"; now each picture is an item'
    if not camera.in_view_ms:
        yield "burst needs [camera] in_view_ms, for how long an item stays in view"
    replayed = camera.driver == "replay"
    rate = camera.pictures_per_second if replayed else camera.frames_per_second
    least_ms = 1000 * (decision.burst - 1) / rate if rate else 0.0
    if least_ms >= camera.in_view_ms:
        yield (
            f"burst of {decision.burst} takes {least_ms:.0f} ms and more, must be below [camera] "
            f"in_view_ms {camera.in_view_ms:g}"
        )
    if not gate.reject_delay_counts and least_ms >= gate.reject_delay_ms:
        yield (
            f"burst of {decision.burst} takes {least_ms:.0f} ms and more, must be below [gate] "
            f"reject_delay_ms {gate.reject_delay_ms:g}"
        )


def gate_warnings(config: Config) -> list[str]:
    """Return a sentence for each pair of times that overlap: what they cost, and the next step.

    They let no bad item pass, so nothing is refused; a good one may be thrown, or one rejected item
    be confirmed by another.
    """
    return [
        *_overlapping_pulses(config),
        *_overlapping_confirmations(config),
        *_unlimited_lengths(config),
    ]


def is_unsigned(config: Config) -> bool:
    """Return whether a model file that is in no bundle is to drive real outputs.

    The packaged model is in the package, which its maker signs and dpkg verifies.
    """
    bare = not config.model.bundle and config.model.file != DEFAULT_NAME
    return bare and config.gate.driver == "process" and config.lines.driver == "gpiod"


def unsigned_trouble(config: Config) -> str:
    """Return what is told for as long as an unsigned model drives real outputs; else empty."""
    if not is_unsigned(config):
        return ""
    return (
        f"the model {config.model.file} is in no signed bundle, so nobody can say that it is the "
        "one that was proven; make a bundle of it and activate that"
    )


def check_model(config: Config) -> None:
    """Check what ``[model]`` demands of itself and of the outputs that it drives.

    Raises ConfigError with one line for the first demand that is not met.
    """
    model = config.model
    if model.bundle not in ("", "current"):
        raise ConfigError(
            f'[model] bundle must be "current" or empty, not {shown(model.bundle)}; correct it in '
            f"{config.folder}"
        )
    if model.bundle and (model.file != DEFAULT_NAME or model.sha256):
        raise ConfigError(
            '[model] file and sha256 must be left out where bundle is "current", whose release '
            f"names both; correct it in {config.folder}"
        )
    if model.probation_rejects[0] > model.probation_rejects[1]:
        raise ConfigError(
            "[model] probation_rejects must be the least and then the greatest share, not "
            f"{model.probation_rejects}; correct it in {config.folder}"
        )
    if is_unsigned(config) and not model.allow_unsigned:
        raise ConfigError(
            f"[model] file {model.file} is in no signed bundle, and must not drive real outputs; "
            "make a bundle of it ('stampgate bundle'), activate it ('stampgate-edge activate') and "
            'set bundle = "current", or set allow_unsigned = true until then'
        )


def longest_item(config: Config) -> float:
    """Return the greatest length of one item at the photo-eye, in ms or whole encoder counts.

    Without a setting it is half the reject delay, whose unit it has.

    >>> longest_item(Config())
    250.0
    """
    trigger, gate = config.trigger, config.gate
    if gate.reject_delay_counts > 0:
        return trigger.blocked_counts or max(1, gate.reject_delay_counts // 2)
    return trigger.blocked_ms or gate.reject_delay_ms / 2


def _unlimited_lengths(config: Config) -> Iterator[str]:
    """Warn when nobody has said how long one item covers the photo-eye."""
    trigger, gate = config.trigger, config.gate
    if trigger.kind != "photo-eye":
        return
    if gate.reject_delay_counts > 0 and trigger.blocked_counts == 0:
        name, limit = "blocked_counts", f"{longest_item(config)} counts"
    elif gate.reject_delay_counts == 0 and trigger.blocked_ms == 0:
        name, limit = "blocked_ms", f"{longest_item(config):g} ms"
    else:
        return
    yield (
        f"[trigger] {name} is 0: items that touch are found only when they cover the photo-eye for "
        f"more than {limit}; set it to the longest that one item does"
    )


def _spacing_ms(config: Config) -> float:
    """Return the closest that two items may follow one another; 0 when nobody said."""
    trigger = config.trigger
    return {"photo-eye": trigger.spacing_ms, "interval": trigger.interval_ms}.get(trigger.kind, 0.0)


def _overlapping_pulses(config: Config) -> Iterator[str]:
    gate, spacing_ms = config.gate, _spacing_ms(config)
    if gate.pulse == "accepts":  # there a rejected item ends the pulse of its neighbour
        return
    if config.trigger.kind == "photo-eye" and spacing_ms == 0:
        yield (
            f"[trigger] spacing_ms is 0: an item less than pulse_ms ({gate.pulse_ms:g}) behind a "
            "rejected one is thrown with it; set it to the closest that two items may follow"
        )
    elif 0 < spacing_ms < gate.pulse_ms:
        yield (
            f"[gate] pulse_ms {gate.pulse_ms:g} must be at most the time between two items, "
            f"{spacing_ms:g}: it throws the good neighbour of a rejected item too; shorten it"
        )
    elif spacing_ms and gate.merge_gap_ms and gate.pulse_ms + gate.merge_gap_ms >= 2 * spacing_ms:
        yield (
            f"[gate] pulse_ms + merge_gap_ms {gate.pulse_ms + gate.merge_gap_ms:g} must be below "
            f"twice the time between two items, {2 * spacing_ms:g}: the good item between two "
            "rejected ones is thrown too; shorten merge_gap_ms"
        )


def _overlapping_confirmations(config: Config) -> Iterator[str]:
    gate, spacing_ms = config.gate, _spacing_ms(config)
    window_ms = gate.confirm_ms - gate.confirm_earliest_ms
    if CONFIRM in wired(config.lines) and not gate.confirm_counts and 0 < spacing_ms < window_ms:
        yield (
            f"[gate] confirm_ms - confirm_earliest_ms {window_ms:g} must be at most the time "
            f"between two items, {spacing_ms:g}: one that shows twice at the bin would confirm its "
            "neighbour; measure when rejected items come there, and bring them closer"
        )


def _wrong_triggers(config: Config) -> Iterator[str]:
    trigger, gate = config.trigger, config.gate
    photo_eye = trigger.kind == "photo-eye"
    if photo_eye and gate.driver != "process":
        yield '[trigger] kind "photo-eye" needs [gate] driver "process"'
    if photo_eye and TRIGGER not in wired(config.lines):
        yield '[trigger] kind "photo-eye" needs a name in [lines] trigger'
    if trigger.spacing_ms > 0 and not photo_eye:
        yield '[trigger] spacing_ms needs kind "photo-eye"'
    if gate.reject_delay_counts == 0 and trigger.spacing_ms >= gate.reject_delay_ms:
        yield "[trigger] spacing_ms must be below [gate] reject_delay_ms"


def _wrong_lengths(config: Config) -> Iterator[str]:
    """What is wrong with the greatest length of an item at the photo-eye, and the off-delay."""
    trigger, gate = config.trigger, config.gate
    names = [
        name
        for name in ("blocked_ms", "blocked_counts", "off_delay_ms", "off_delay_counts")
        if getattr(trigger, name)
    ]
    if names and trigger.kind != "photo-eye":
        yield f'[trigger] {names[0]} needs kind "photo-eye"'
    if gate.reject_delay_counts > 0:
        if trigger.blocked_ms > 0:
            yield "[trigger] blocked_ms must be 0 when the delay is in counts; see blocked_counts"
        if trigger.blocked_counts >= gate.reject_delay_counts:
            yield "[trigger] blocked_counts must be below [gate] reject_delay_counts"
        if longest_item(config) <= trigger.off_delay_counts:
            yield "[trigger] off_delay_counts must be below blocked_counts, or half of the delay"
        return
    if trigger.off_delay_counts > 0:
        yield "[trigger] off_delay_counts needs [gate] reject_delay_counts"
    if trigger.blocked_counts > 0:
        yield "[trigger] blocked_counts needs [gate] reject_delay_counts"
    if trigger.blocked_ms >= gate.reject_delay_ms:
        yield "[trigger] blocked_ms must be below [gate] reject_delay_ms"
    if 0 < longest_item(config) <= trigger.off_delay_ms:
        yield "[trigger] off_delay_ms must be below blocked_ms, or half of [gate] reject_delay_ms"


def _wrong_gate(config: Config) -> Iterator[str]:
    gate, by_counts = config.gate, config.gate.reject_delay_counts > 0
    counts_nothing = gate.driver != "process" or ENCODER_A not in wired(config.lines)
    if by_counts and counts_nothing:
        yield '[gate] reject_delay_counts needs driver "process" and a name in [lines] encoder_a'
    if gate.confirm_counts > 0 and counts_nothing:
        yield '[gate] confirm_counts needs driver "process" and a name in [lines] encoder_a'
    if gate.confirm_earliest_counts > 0 and gate.confirm_earliest_counts >= gate.confirm_counts:
        yield "[gate] confirm_earliest_counts must be below confirm_counts"
    if CONFIRM in wired(config.lines) and gate.confirm_earliest_ms >= gate.confirm_ms:
        yield "[gate] confirm_earliest_ms must be below confirm_ms"
    if gate.merge_gap_ms > 0 and (by_counts or gate.pulse == "accepts"):
        yield "[gate] merge_gap_ms must be 0 when the delay is in counts or the pulse accepts"


def _wrong_lines(config: Config) -> Iterator[str]:
    lines, names = config.lines, wired(config.lines)
    if ENCODER_B in names and ENCODER_A not in names:
        yield "[lines] encoder_b needs encoder_a"
    if lines.driver == "gpiod" and REJECT_LINE not in names:
        yield '[lines] driver "gpiod" needs a name in reject'
    if unnamed := [role for role in lines.active_low if role not in names]:
        yield f"[lines] active_low must list lines that have a name, not {', '.join(unnamed)}"
    if len(set(names.values())) < len(names):
        yield f"[lines] must give each line a name of its own, not {', '.join(names.values())}"


def _wrong_shadow(config: Config) -> Iterator[str]:
    """What is wrong with shadow mode, its plan, and the photo-eye behind the people."""
    shadow = config.shadow
    try:
        plan_of(config)
    except UsageError as error:
        yield f"[shadow] {error}"
    if not shadow.log and (shadow.plan or is_shadow(config)):
        yield "[shadow] log must name a file, for what people say of the items"
    if is_shadow(config) and config.gate.pulse == "accepts":
        yield (
            '[service] mode "shadow" needs [gate] pulse "rejects": where a pulse lets an item '
            "pass, an output that never moves throws everything off"
        )
    taken = TAKEN in wired(config.lines)
    if taken and config.gate.driver != "process":
        yield '[lines] taken needs [gate] driver "process"'
    if taken and shadow.taken_counts == 0 and shadow.taken_earliest_ms >= shadow.taken_ms:
        yield "[shadow] taken_earliest_ms must be below taken_ms"
    if shadow.taken_counts > 0 and ENCODER_A not in wired(config.lines):
        yield "[shadow] taken_counts needs a name in [lines] encoder_a"
    if shadow.taken_earliest_counts > 0 and shadow.taken_earliest_counts >= shadow.taken_counts:
        yield "[shadow] taken_earliest_counts must be below taken_counts"


def check_for_eye(config: Config) -> None:
    """Check the settings, and what ``stampgate-edge run`` would write by them.

    Raises ConfigError with one line for the first thing that is wrong.
    """
    check_gate(config)
    check_decision(config)
    check_model(config)
    refuse_shared(config, load_checked, wired)
    _refuse_shared_files(config)
    record = "" if config.gate.driver == "process" else config.gate.record
    for setting, text in (
        ("[journal] file", config.journal.file),
        ("[journal] status", config.journal.status),
        ("[journal] mark", config.journal.mark),
        ("[gate] record", record),
    ):
        _refuse_others(setting, config, text)
    status, folder = config.path(config.journal.status), config.path(config.evidence.folder)
    if config.journal.status and not _is_status(status):
        raise ConfigError(
            f"[journal] status {status}: must be a status file, or none yet; name another"
        )
    if config.evidence.folder and os.path.lexists(folder) and not folder.is_dir():
        raise ConfigError(
            f"[evidence] folder {folder}: must be a folder, or none yet; name another"
        )


def check_for_gate(config: Config) -> None:
    """Check the settings, and what ``stampgate-edge gate`` would write by them.

    Raises ConfigError with one line for the first thing that is wrong.
    """
    check_gate(config)
    refuse_shared(config, load_checked, wired)
    _refuse_shared_files(config)
    _refuse_others("[gate] record", config, config.gate.record)
    _refuse_others("[gate] debts", config, config.gate.debts)


def _refuse_others(setting: str, config: Config, text: str) -> None:
    """Check that the file *text* of a *setting* is ours to write. Raises ConfigError."""
    try:
        if text:
            check_ours(config.path(text))
    except InputError as error:
        raise ConfigError(f"{setting} {error}") from None


def _refuse_shared_files(config: Config) -> None:
    """Check that no two settings name one file: one would write into the other's."""
    named: dict[Path, str] = {}
    for setting, path in (
        ("the settings file", config.source),
        ("[model] file", None if config.model.bundle else config.model_file()),
        *own_files(config),
    ):
        if path is None or path == config.folder:  # an empty text is none
            continue
        other = named.setdefault(_without_links(path), setting)
        if other != setting:
            raise ConfigError(f"{setting} {path}: must be a file of its own, not {other} too")


def _without_links(path: Path) -> Path:
    """Return the path without links in its folders."""
    try:
        return path.parent.resolve() / path.name
    except (OSError, RuntimeError):  # a circle of links: opening it says so
        return path


def _is_status(path: Path) -> bool:
    """Tell whether a file is one that the eye wrote, empty, or not there."""
    try:
        with path.open("rb") as file:
            begin = file.read(len(STATUS_HEAD))
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return begin in (b"", STATUS_HEAD)
