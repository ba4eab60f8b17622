"""The challenge test in the service: when one is due, what runs, what is quarantined, who signs.

It hears of each item after its record was written, so nothing here makes a decision slower; its own
records go into the same journal. READY rests, by :attr:`Challenges.hold`, while a test is due or
items are in quarantine, and every item is rejected meanwhile.
"""

import time
from collections.abc import Callable
from typing import Any

from edge.challenge.course import PLAN, Course, Passing, Way
from edge.challenge.link import Link, Request
from edge.challenge.rights import may_sign
from edge.challenge.state import Mark, Moment, State, hours_left, overdue, read_state
from edge.clock import Clock, boot_id, clock_synced
from edge.config import Config
from edge.deciding.codes import CHALLENGE
from edge.errors import GateError
from edge.gate import Gate
from edge.gate.messages import Incident
from edge.gate.peers import Peer
from edge.record.journal import Journal

LOOK_NS = 10**9
"""Least time between two looks whether a test is overdue."""
OCCASIONS = ("start", "end", "changeover", "scheduled")
INTERRUPTED = "the service ended before it was finished"
LACKING = "records of the journal are missing, and may have told of a failed challenge test"
ALARM = "the alarm is tested by a challenge test"


class Challenges:
    """The challenge test of the service.

    *link*: where persons ask; *setup*: the checksums of settings and model that a passed test
    vouches for. *wall_ns*, *synced*: the wall clock, and whether it is synchronised.

    Synchronization: the one thread of the station.
    """

    def __init__(
        self,
        config: Config,
        journal: Journal,
        clock: Clock,
        gate: Gate,
        link: Link,
        setup: str = "",
        *,
        wall_ns: Callable[[], int] = time.time_ns,
        synced: Callable[[], bool | None] = clock_synced,
    ) -> None:
        self._journal, self._clock, self._gate, self._link = journal, clock, gate, link
        self._wall_ns, self._synced = wall_ns, synced
        self._config, self._setup, self._boot = config, setup, boot_id()
        self._course: Course | None = None
        self._peer: Peer | None = None
        self._due: dict[str, str] = {}
        self._overdue_for: object = self  # the mark whose time is known to be over
        self._looked_ns: int | None = None
        self._hours_left: float | None = None
        self._thrown = 0
        self._told: set[int] = set()
        self._last: Course | None = None
        self._failure = ""
        self.state = read_state(journal.challenge)

    @property
    def hold(self) -> str:
        """Why the production line must not run; empty when it may, and while a test runs."""
        if self._course is not None:
            return ""
        if self.state.running:
            return INTERRUPTED
        if self.state.first is not None:
            return (
                f"items from {self.state.first} on are in quarantine, until somebody signs: "
                f"{self.state.why}"
            )
        return next((f"a challenge test is due: {why}" for why in self._due.values()), "")

    @property
    def trouble(self) -> str:
        """What raises FAULT for the test of the alarm; empty when it is not tested now."""
        return ALARM if self._course is not None and self._course.step == "alarm" else ""

    @property
    def note(self) -> dict[str, Any]:
        """The challenge test as the status file and whoever guides a person see it."""
        course = self._course or self._last
        passed = self.state.passed
        return {
            "hold": self.hold,
            "link": self._link.trouble,
            "passed_at": passed and passed.sequence,
            "hours_left": self._hours_left,
            "first_in_doubt": self.state.first_in_doubt,
            "quarantined": self.state.first is not None,
            "running": self.state.running,
            "number": self.state.number,
            **({} if course is None else _shown(course)),
        }

    def begin(self) -> str:
        """Take up what the journal tells, append what follows from it, and return the hold.

        Raises JournalError.
        """
        used = self._journal.challenge is not None or self._rules.every_hours > 0
        if self.state.running:
            self._append("failed", self.state.quarantined(INTERRUPTED), INTERRUPTED)
        elif self._journal.lacking and used and self.state.first is None:
            self._append("quarantine", self.state.quarantined(LACKING), LACKING)
        if self._rules.at_start:
            self._due["start"] = "the service has started"
        self._look_at_setup()
        self._look_at_time()
        return self.hold

    def adopt(self, config: Config, setup: str) -> None:
        """Apply changed settings. Raises JournalError."""
        self._config, self._setup, self._looked_ns = config, setup, None
        for rule, asked in (("start", self._rules.at_start), ("time", self._rules.every_hours > 0)):
            if not asked:
                self._due.pop(rule, None)
        self._look_at_setup()

    def refusal(self, t_ns: int) -> tuple[str, str]:
        """Return why an item with that trigger may not pass now, and the code; empty if it may."""
        if self._course is not None:
            if self._course.expects(t_ns):
                return "", ""
            code = f"{CHALLENGE}unannounced"
            return "a challenge test runs, and the item was not announced", code
        if self.state.first is not None:
            return self.hold, f"{CHALLENGE}quarantine"
        return (self.hold, f"{CHALLENGE}due") if self._due else ("", "")

    def see(self, passing: Passing) -> None:
        """Take an item whose record was written. Raises JournalError."""
        course = self._course
        if course is None or passing.sequence in self._told:
            return
        self._told.add(passing.sequence)
        announced = course.expects(passing.t_ns)
        if passing.t_ns < course.t_ns:
            return
        course.see(passing)
        fields = {
            "item": passing.sequence,
            "verdict": passing.verdict,
            "test_item": course.kind if announced else "",
        }
        said = course.why or f"{course.kind} item: {passing.verdict}, as it must be"
        self._append("seen", self.state, said, **fields)
        self._end_if_over()

    def note_incident(self, incident: Incident) -> None:
        """Count an incident of a gate that has no counters of its own."""
        self._thrown += incident.what == "thrown"

    def tick(self) -> None:
        """Do what is due by now: hear persons, follow the test, look at the time.

        Called after each item's record and in each idle tick. Raises JournalError.
        """
        for request in self._link.requests():
            request.reply(self._answer(request))
        if self._course is not None:
            self._follow(self._course)
        else:
            self._look_at_time()

    def take_failure(self) -> str:
        """Return why a challenge test has failed since the last call; empty when none has."""
        why, self._failure = self._failure, ""
        return why

    def end(self, why: str) -> None:
        """End the test that runs, as failed, because the service ends. Raises JournalError."""
        if self._course is not None:
            self._course.abandon(why)
            self._end_if_over()

    @property
    def _rules(self) -> Any:
        return self._config.challenge

    def _follow(self, course: Course) -> None:
        if not self._link.is_there(self._peer):
            course.abandon("whoever ran it has gone")
        else:
            before = course.step, course.done
            course.tick(self._clock.now_ns(), self._counters())
            if before[1] < course.done:
                self._tell_result(course, "the wires")
        self._end_if_over()

    def _answer(self, request: Request) -> dict[str, Any]:
        """Do what a person asks for, and return the reply: ``why`` is empty when it was done."""
        why = {
            "state": lambda _: "",
            "start": self._start,
            "announce": self._announce,
            "answer": self._take_answer,
            "abandon": self._abandon,
            "sign": self._sign,
        }[request.say](request)
        return {"why": why, **self.note}

    def _start(self, request: Request) -> str:
        if self._course is not None:
            return "a challenge test runs already, begun by another; let it end first"
        if self._config.service.mode == "shadow":
            return "the reject output is locked off in shadow, so no item can be thrown"
        if request.occasion not in OCCASIONS:
            return f"the occasion must be one of {', '.join(OCCASIONS)}, not {request.occasion!r}"
        if not request.by:
            return "whoever runs the test must give a name: --by NAME"
        if self._journal.trouble:
            return f"the journal is in trouble, and must hold the test: {self._journal.trouble}"
        last = self._journal.next_sequence - 1
        state = State(
            self.state.number + 1,
            request.occasion,
            self.state.passed,
            self.state.since,
            self.state.first,
            self.state.why,
            last,
        )
        now_ns = self._clock.now_ns()
        self._course = Course(
            state.number, request.occasion, request.by, way_of(self._config), now_ns
        )
        self._peer, self._last, self._told = request.peer, None, set()
        plan = ", ".join(PLAN)
        self._append(
            "started", state, f"{request.occasion}: {plan}, then the alarm", **_who(request)
        )
        return ""

    def _mine(self, request: Request) -> Course | None:
        """Return the course of whoever asks; None when another runs it, or none runs."""
        return self._course if self._course is not None and request.peer is self._peer else None

    def _announce(self, request: Request) -> str:
        if (course := self._mine(request)) is None:
            return "no challenge test of yours runs"
        why = course.announce(request.kind, self._clock.now_ns(), self._counters())
        if not why:
            number = f"{course.done + 1} of {len(PLAN)}"
            self._append(
                "expected", self.state, f"{course.kind} item, {number}", test_item=course.kind
            )
        return why

    def _take_answer(self, request: Request) -> str:
        if (course := self._mine(request)) is None:
            return "no challenge test of yours runs"
        asked, done = course.question, course.done
        if not asked:
            return f"nothing is asked now: {course.words}"
        said = "yes" if request.yes else "no"
        self._append("said", self.state, f"{asked} {said}", said_by=course.by)
        why = course.answer(request.yes, self._clock.now_ns(), self._counters())
        if course.done > done:
            self._tell_result(course, "a person")
        self._end_if_over()
        return why

    def _abandon(self, request: Request) -> str:
        if (course := self._mine(request)) is None:
            return "no challenge test of yours runs"
        course.abandon("it was abandoned")
        self._end_if_over()
        return ""

    def _sign(self, request: Request) -> str:
        """Release what is in quarantine, if whoever asks may."""
        group = self._rules.sign_group
        if self._course is not None:
            return "a challenge test runs; sign when it has ended"
        if self.state.first is None:
            return "nothing is in quarantine"
        if request.peer is None or not may_sign(request.peer, group):
            return f"only root and members of the group {group} may sign; try again with sudo"
        if not request.by or not request.reason:
            return "a signature needs a name and a reason: --by NAME --reason TEXT"
        if self._journal.trouble:
            return (
                f"the journal is in trouble, and must hold the signature: {self._journal.trouble}"
            )
        first, last = self.state.first, self._journal.next_sequence - 1
        state = State(self.state.number, "", self.state.passed, self._mark())
        why = f"{request.by}: {request.reason}"
        self._append("signed", state, why, first=first, last=last, **_who(request))
        self._looked_ns = None
        self._look_at_time()
        return ""

    def _tell_result(self, course: Course, proven_by: str) -> None:
        words = f"item {course.done} of {len(PLAN)} was got right"
        self._append("right", self.state, words, proven_by=proven_by)

    def _end_if_over(self) -> None:
        course = self._course
        if course is None or not course.over:
            return
        self._course, self._peer, self._last = None, None, course
        if course.step == "failed":
            self._failure = f"challenge test {course.number} failed: {course.why}"
            state = self.state.quarantined(self._failure)
            self._append("failed", state, course.why, occasion=course.occasion)
            return
        mark, old = self._mark(), self.state
        state = State(old.number, "", mark, mark, old.first, old.why)
        self._due.clear()
        self._append("passed", state, f"all {len(PLAN)} test items and the alarm were right")
        self._looked_ns = None

    def _append(self, what: str, state: State, reason: str, **fields: Any) -> None:
        """Append a record that holds the whole state."""
        opened = state.first is not None and (what == "failed" or self.state.first is None)
        quarantine = {}
        if opened:
            quarantine = {"first": state.first, "last": self._journal.next_sequence - 1}
        self.state = state
        number = {"number": state.number} if state.number else {}
        about = {"what": what, "reason": reason, **number, **quarantine, **fields}
        self._journal.append("challenge", {**about, "state": state.as_object()})

    def _counters(self) -> dict[str, int]:
        """Return the gate's counters as they are now; a gate that is gone has none."""
        try:
            self._gate.check()
        except GateError:
            return {}
        facts = {name: n for name, n in self._gate.facts.items() if isinstance(n, int)}
        return facts or {"thrown_passes": self._thrown}

    def _look_at_setup(self) -> None:
        passed = self.state.passed
        if self._rules.at_changeover and (passed is None or passed.setup != self._setup):
            self._due["setup"] = "settings or model are not those of the last passed one"
        else:
            self._due.pop("setup", None)

    def _look_at_time(self) -> None:
        """See whether a test is overdue; what came since the last passed one is in doubt then."""
        now_ns = self._clock.now_ns()
        recent = self._looked_ns is not None and now_ns - self._looked_ns < LOOK_NS
        every_hours = self._rules.every_hours
        if every_hours <= 0:
            self._hours_left = None
        if recent or self.state.first is not None or every_hours <= 0:
            return
        self._looked_ns, now = now_ns, self._now()
        self._hours_left = hours_left(self.state, every_hours, now)
        why, since = overdue(self.state, every_hours, now), self.state.since
        if not why or self._overdue_for is since:
            return
        self._overdue_for = since
        if since is not None and self._journal.next_sequence - 1 > since.sequence:
            self._append("quarantine", self.state.quarantined(why), why)
        else:
            self._due["time"] = why

    def _mark(self) -> Mark:
        return Mark(self._journal.next_sequence - 1, self._now(), self._setup)

    def _now(self) -> Moment:
        synced = self._synced() is True
        return Moment(self._boot, self._clock.now_ns(), max(0, self._wall_ns()), synced)


def way_of(config: Config) -> Way:
    """Return how the line of these settings proves what became of an item."""
    gate = config.gate
    remote = gate.driver == "process"
    confirm = remote and bool(config.lines.confirm)
    by_counts = gate.reject_delay_counts > 0 or (confirm and gate.confirm_counts > 0)
    over_ms = gate.reject_delay_ms + gate.pulse_ms + (gate.confirm_ms if confirm else 0)
    stops = remote and gate.ready_stops_belt
    clear_ms = gate.reject_delay_ms + gate.pulse_ms + (gate.belt_start_ms if stops else 0)
    return Way(
        confirm,
        None if by_counts else round(over_ms * 1e6),
        0 if by_counts else round(clear_ms * 1e6),
        round(config.challenge.item_s * 1e9),
    )


def _shown(course: Course) -> dict[str, Any]:
    return {
        "step": course.step,
        "words": course.words,
        "question": course.question,
        "kind": course.kind,
        "done": course.done,
        "of": len(PLAN),
    }


def _who(request: Request) -> dict[str, Any]:
    uid = {} if request.peer is None else {"user": request.peer.uid}
    return {"by": request.by, **uid}
