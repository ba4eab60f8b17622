"""What is under way between photo-eye and gate, as the parts of the gate share it."""

from dataclasses import dataclass

from edge.clock import Clock
from edge.config import Config
from edge.gate.incidents import Incidents
from edge.gate.inputs.encoder import Encoder
from edge.gate.inputs.motion import SeenPlaces
from edge.gate.rejects import make_queue, retime
from edge.sections.gate import GateSettings

PASSED_BY = "an item may have passed the gate before it could be rejected"


@dataclass
class GateCounters:
    """Counts since the gate began; the eye receives them with each heartbeat."""

    triggers: int = 0
    """Items entered, those of lost edges among them."""
    thrown: int = 0
    """Items thrown on arrival; what nobody knew of in a stretch that was swept counts as none."""
    thrown_passes: int = 0
    """Items of these that the eye had let pass: each is an incident in the journal."""
    missed: int = 0
    """Items that came while no eye was connected."""
    busy: int = 0
    """Items that came while the eye had not answered for the one before."""
    close: int = 0
    """Items that came less than ``spacing_ms`` after the one before."""
    late: int = 0
    """Answers that came when the item was already due."""
    unknown: int = 0
    """Answers for an item that the gate does not know, or that had its answer."""
    joined: int = 0
    """Breaks of the beam that went on with the item before, within the off-delay."""
    touching: int = 0
    """Breaks of the beam that were longer than one item."""
    reread: int = 0
    """Items that a belt which ran back brought to the photo-eye again."""
    lost_edges: int = 0
    """Edges of the inputs that were not delivered."""
    confirmed: int = 0
    """Rejected items that came to the bin in time, where its photo-eye is wired."""
    unconfirmed: int = 0
    """Rejected items that did not come to the bin in time."""
    unexpected: int = 0
    """Items at the bin that had not been rejected."""
    seen_again: int = 0
    """Edges at the bin that were the item before once more."""
    withheld: int = 0
    """In shadow: items that would have been thrown on arrival; there ``thrown`` stays 0."""
    taken_unexpected: int = 0
    """In shadow: edges of the photo-eye behind the people that belong to no item."""
    malformed: int = 0
    """Messages that could not be decoded."""
    refused: int = 0
    """Eyes that were refused: a second one, or one of another version."""


class Transit:
    """What is under way between photo-eye and gate, known or not, and what is told of it.

    *latched*: the reasons of FAULT until reset, each with whether it stops the production line.

    Synchronization: one thread.
    """

    def __init__(self, config: Config, clock: Clock) -> None:
        self.settings, self.clock = config.gate, clock
        self.by_counts = config.gate.reject_delay_counts > 0
        self.queue = make_queue(config.gate)
        self.encoder = Encoder(two_tracks=bool(config.lines.encoder_b))
        self.seen = SeenPlaces()
        self.counters, self.incidents = GateCounters(), Incidents()
        self.latched: dict[str, bool] = {}

    def adopt(self, settings: GateSettings) -> None:
        """Apply changed settings; items under way keep their places."""
        self.settings = settings
        retime(self.queue, settings)

    def move(self, moved_ns: int) -> None:
        """Follow the belt to the encoder's position, where it was at *moved_ns*."""
        self.queue.move_to(self.encoder.position, moved_ns)
        self.seen.move_to(self.encoder.position)

    def place(self, t_ns: int) -> int:
        """Return what passes the photo-eye at *t_ns*: that moment, or by counts the position."""
        return self.encoder.position if self.by_counts else t_ns

    def at_gate(self) -> int:
        """Return the place of what is at the gate now: what passed the photo-eye before is gone."""
        if self.by_counts:
            return self.encoder.position - self.settings.reject_delay_counts
        return self.clock.now_ns() - round(self.settings.reject_delay_ms * 1e6)

    def sweep(self, first: int, last: int, why: str) -> None:
        """Reject all from one place to another; what may have passed the gate stops the line."""
        at_gate = self.at_gate()
        pulse_ns = 0 if self.by_counts else round(self.settings.pulse_ms * 1e6)
        if first < at_gate - pulse_ns:
            self.latched[PASSED_BY] = True
        self.queue.sweep(max(first, at_gate), max(last, at_gate), why)
