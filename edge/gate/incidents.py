"""Incidents: what happened at the gate beside the items' answers, kept until it is written down."""

from collections import deque

from edge.gate.messages import Incident

KEPT = 1000
"""Incidents kept one by one; those beyond are only counted."""
PASSED_UNWRITTEN = "it had passed before that was taken back, and its record says no PASS"
BEYOND = "more happened than the gate could keep; their number stands in its counters"


def thrown_words(why: str, *, shadow: bool) -> tuple[str, str]:
    """Return the word and the reason of an incident: an item was thrown that was let pass.

    In *shadow* it would have been.

    >>> thrown_words("it came late", shadow=True)
    ('withheld', 'in shadow, and not thrown: it came late')
    """
    return ("withheld", f"in shadow, and not thrown: {why}") if shadow else ("thrown", why)


class IncidentLedger:
    """Takes note of the incidents that are owed; this one forgets them."""

    def owe_incident(self, incident: Incident) -> None:
        """Note that an incident is owed."""

    def settle_incident(self, incident: Incident) -> None:
        """Note that an incident is owed no more."""


class Incidents:
    """Incidents that the gate owes the journal (at-least-once delivery), oldest first.

    One is reported at a time; the next when the eye has written it down. Of bounded size.
    *ledger*: is told of each that is owed or owed no more.
    """

    def __init__(self, ledger: "IncidentLedger | None" = None) -> None:
        self.ledger = ledger or IncidentLedger()
        self._waiting: deque[Incident] = deque()
        self._number = 0
        self._reported: int | None = None
        self._beyond = False

    @property
    def waiting(self) -> list[Incident]:
        """The incidents that stand in no journal yet."""
        return list(self._waiting)

    def add(self, what: str, tag: int, t_ns: int, why: str) -> None:
        """Add an incident; the first for which there is no room becomes one that says so."""
        if len(self._waiting) < KEPT:
            self._beyond = False
        elif self._beyond:
            return
        else:
            self._beyond = True
            what, tag, why = "more", 0, BEYOND
        self._number += 1
        self.owe(Incident(self._number, what, tag, t_ns, why))

    def owe(self, incident: Incident) -> None:
        """Add an incident as it is: one of a gate before this one keeps its number."""
        self._waiting.append(incident)
        self.ledger.owe_incident(incident)

    def next_report(self) -> Incident | None:
        """Return the incident to report now; None when one is reported, or none waits."""
        if self._reported is not None or not self._waiting:
            return None
        self._reported = self._waiting[0].number
        return self._waiting[0]

    def recorded(self, number: int) -> None:
        """Remove the incident that is written down; any other number changes nothing."""
        if number == self._reported:
            self.ledger.settle_incident(self._waiting.popleft())
            self._reported = None

    def take_back(self) -> None:
        """Report the oldest again: the eye that it was reported to is lost."""
        self._reported = None

    def take_all(self) -> list[Incident]:
        """Remove and return all incidents, for a gate in the process that writes them down."""
        waiting, self._waiting = list(self._waiting), deque()
        self._reported = None
        return waiting
