"""``[alarms]``: when people are called."""

from dataclasses import dataclass

from edge.settings import setting

ALARM_CODES = (
    "rejects-in-a-row",
    "reject-rate-high",
    "reject-rate-low",
    "near-misses",
    "latency",
    "no-items",
    "temperature",
    "power",
    "disk",
    "release",
    "unsigned",
)
"""The codes of the alarms, as ``[alarms] fault``, ``status`` and the journal have them."""


@dataclass(frozen=True)
class AlarmSettings:
    """When the line or the box is in trouble that no single item shows."""

    rejects_in_a_row: int = setting(
        10,
        "It is trouble when so many items running do not pass, until three running do; 0 never",
        at_least=0,
        at_most=5000,
        live=True,
    )
    window_items: int = setting(
        200,
        "How many of the last items the rates of rejects and of near misses are counted over",
        at_least=20,
        at_most=5000,
        live=True,
    )
    reject_rate: float = setting(
        0.0,
        "The agreed share of items that do not pass; 0 learns it from the first learn_items",
        at_least=0,
        at_most=0.5,
        live=True,
    )
    near_rate: float = setting(
        0.0,
        "The agreed share of items near the threshold; 0 learns it from the first learn_items",
        at_least=0,
        at_most=0.5,
        live=True,
    )
    near_band: float = setting(
        0.1,
        "How close to the least score that counts the deciding score is near it, on either side",
        at_least=0,
        at_most=0.5,
        live=True,
    )
    learn_items: int = setting(
        1000,
        "First items, after a change of model or [decision], from which a rate that is not agreed "
        "is learnt; 0 learns none",
        at_least=0,
        at_most=1_000_000,
        live=True,
    )
    run_length_items: int = setting(
        10_000_000,
        "Items between two false alarms of these rates, on average and at least, at the normal "
        "rate",
        at_least=1000,
        at_most=10**12,
        live=True,
    )
    no_item_min: float = setting(
        0.0,
        "It is trouble when no item comes for so many minutes while the line should run; 0 never",
        at_least=0,
        at_most=10_000,
        live=True,
    )
    running_hours: tuple[str, ...] = setting(
        (),
        'When the line should run, by the local clock, such as "Mon-Fri 06:00-22:00"; empty for '
        "always",
        live=True,
    )
    latency_share: float = setting(
        0.9,
        "It is trouble when 5 of 100 answers take this share of [gate] reject_delay_ms or more; 0 "
        "never",
        at_least=0,
        at_most=1,
        live=True,
    )
    temperature_above: float = setting(
        80.0,
        "It is trouble when the box is hotter, in degrees Celsius, until 5 below; 0 never",
        at_least=0,
        at_most=120,
        live=True,
    )
    disk_below_mb: int = setting(
        200,
        "It is trouble when less room is free on the journal's disk; 0 never",
        at_least=0,
        at_most=10_000_000,
        live=True,
    )
    fault: tuple[str, ...] = setting(
        (),
        "Which alarms raise the FAULT output too; others are told by status alone",
        choices=ALARM_CODES,
        live=True,
    )
