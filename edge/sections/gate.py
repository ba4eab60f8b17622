"""``[gate]`` and ``[lines]``: what throws an item off, and the wires for it."""

from dataclasses import dataclass

from edge.settings import setting


@dataclass(frozen=True)
class GateSettings:
    """The reject output: it throws an item off the belt unless an answer in time cancels that."""

    driver: str = setting(
        "simulated",
        "simulated: inside the eye, only records transitions; process: 'stampgate-edge gate', "
        "which outlives the eye",
        choices=("simulated", "process"),
    )
    reject_delay_ms: float = setting(
        500.0,
        "Time from the trigger until the item is at the gate; a later answer rejects",
        above=0,
        at_most=60_000,
    )
    reject_delay_counts: int = setting(
        0,
        "Encoder counts from the trigger to the gate; above 0 they stand in for the time",
        at_least=0,
        at_most=10**7,
    )
    ready_stops_belt: bool = setting(
        True,
        "Whether the belt stops when READY rests: when it beats again, with a delay in time, all "
        "between photo-eye and gate is rejected, as it comes later than reckoned",
        live=True,
    )
    belt_start_ms: float = setting(
        1000.0,
        "Longest from READY's first beat until a belt that it had stopped runs at its speed: what "
        "comes to the photo-eye meanwhile is rejected, too",
        at_least=0,
        at_most=60_000,
        live=True,
    )
    standstill_ms: float = setting(
        1000.0,
        "From how long on a belt stands still, by an encoder: with one track it may have run back, "
        "and everything under way is rejected; with a delay in time that stops the production "
        "line; 0 never",
        at_least=0,
        at_most=60_000,
        live=True,
    )
    pulse_ms: float = setting(
        50.0,
        "How long the reject line is high; pulses that overlap or touch become one",
        above=0,
        at_most=10_000,
        live=True,
    )
    merge_gap_ms: float = setting(
        0.0,
        "Pulses less than this apart become one; for a valve that needs time; not by counts",
        at_least=0,
        at_most=1000,
        live=True,
    )
    pulse: str = setting(
        "rejects",
        "rejects: a pulse throws an item off; accepts: a pulse lets it pass, and silence throws it "
        "off",
        choices=("rejects", "accepts"),
    )
    confirm_ms: float = setting(
        1000.0,
        "Longest that a rejected item may take to the confirm input, where there is one; best "
        "below the time between two items",
        above=0,
        at_most=60_000,
        live=True,
    )
    confirm_earliest_ms: float = setting(
        20.0,
        "Shortest that it can take: what shows there sooner is not this item",
        at_least=0,
        at_most=60_000,
        live=True,
    )
    confirm_counts: int = setting(
        0,
        "Most encoder counts that it may take; above 0 they stand in for confirm_ms",
        at_least=0,
        at_most=10**7,
    )
    confirm_earliest_counts: int = setting(
        0,
        "Fewest encoder counts that it can take, where they stand in for the time",
        at_least=0,
        at_most=10**7,
    )
    confirm_apart_ms: float = setting(
        0.0,
        "Edges of the confirm input that follow one another faster are one item seen again; 0 "
        "counts each",
        at_least=0,
        at_most=10_000,
        live=True,
    )
    ready_ms: float = setting(
        25.0,
        "READY changes its level this often while all is well, and rests low else",
        at_least=1,
        at_most=200,
    )
    eye_silent_ms: float = setting(
        1000.0,
        "READY rests when the eye has said nothing for so long",
        at_least=100,
        at_most=10_000,
    )
    socket: str = setting(
        "/run/stampgate/gate.sock",
        "Socket on which the gate's process listens for the eye",
        form="path",
    )
    eye_user: str = setting(
        "stampgate",
        "User whose process may be the eye, beside the gate's own and root; one that this computer "
        "lacks is nobody",
    )
    gate_user: str = setting(
        "stampgate-gate",
        "User whose process the eye takes for the gate, beside its own and root",
    )
    debts: str = setting(
        "/var/lib/stampgate-gate/gate.debts",
        "Where a gate that ends leaves what stands in no journal yet, for a new boot; until then, "
        "and where that folder is missing, it is beside the socket; empty for nowhere",
        form="path",
    )
    record: str = setting(
        "",
        "File to which simulated lines add every transition as a JSON line; empty for none",
        form="path",
    )


@dataclass(frozen=True)
class LinesSettings:
    """The wires of the gate's process: names of the chip's lines; empty for one that is missing."""

    driver: str = setting(
        "simulated",
        "simulated: no wires, outputs go to [gate] record, inputs come by socket; gpiod: the "
        "kernel's GPIO lines",
        choices=("simulated", "gpiod"),
    )
    chip: str = setting("", "Label of the GPIO chip; empty for whichever has these line names")
    trigger: str = setting("", "Input: the photo-eye")
    encoder_a: str = setting("", "Input: the belt's encoder")
    encoder_b: str = setting("", "Input: its second track, which tells forward from back")
    confirm: str = setting("", "Input: a photo-eye at the bin that sees each rejected item")
    bin_full: str = setting("", "Input: high while the bin is full")
    reset: str = setting("", "Input: the button that ends a fault")
    taken: str = setting(
        "", "Input: in shadow, a photo-eye behind the people, which tells what they took out"
    )
    reject: str = setting("", "Output: moves the flap or the valve")
    ready: str = setting("", "Output: a square wave while the production line may run")
    fault: str = setting("", "Output: high while something is wrong")
    active_low: tuple[str, ...] = setting(
        (), 'Which of the above work upside down, e.g. ["trigger", "fault"]'
    )
    pull: str = setting(
        "as-is",
        "Pull resistors of the inputs, in the chip",
        choices=("as-is", "up", "down", "disabled"),
    )
    inputs: str = setting(
        "",
        "Socket on which simulated lines take edges of their inputs; empty for none",
        form="path",
    )
