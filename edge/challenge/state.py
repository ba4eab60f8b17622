"""What outlives a challenge test: the last passed one, and what is quarantined since.

Each ``challenge`` record of the journal holds the whole of it, so the last one is enough after a
restart or a power cut. Whatever is in doubt makes a test due: nothing here trusts a wall clock that
nobody has synchronised.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

HOUR_NS = 3600 * 10**9
UNREADABLE = "the last record of a challenge test cannot be read"


@dataclass(frozen=True)
class Moment:
    """A moment as the box knows it.

    *monotonic_ns* counts within the boot *boot_id* alone; *wall_ns*: nanoseconds since 1970, which
    say something only when the clock was *synced*.
    """

    boot_id: str
    monotonic_ns: int
    wall_ns: int
    synced: bool


@dataclass(frozen=True)
class Mark:
    """A test that was passed, or a signature: from then on the next one is awaited.

    *sequence*: the last item then. *setup*: the checksums of settings and model.
    """

    sequence: int
    moment: Moment
    setup: str = ""


@dataclass(frozen=True)
class State:
    """The challenge test as it stands.

    *number*: tests so far. *running*: the occasion of the one that runs, empty for none. *passed*:
    the last passed one; *since*: that, or the last signature, if it is later. *first*: the first
    item in quarantine, None when none is; *why*: the reason for it. *begun*: the last item before
    the test that runs.
    """

    number: int = 0
    running: str = ""
    passed: Mark | None = None
    since: Mark | None = None
    first: int | None = None
    why: str = ""
    begun: int = 0

    @property
    def first_in_doubt(self) -> int:
        """The first item that no passed test vouches for."""
        if self.first is not None:
            return self.first
        return self.passed.sequence + 1 if self.passed is not None else 1

    def quarantined(self, why: str) -> "State":
        """Return the state with everything since the last passed test in quarantine."""
        return dataclasses.replace(self, running="", first=self.first_in_doubt, why=why)

    def as_object(self) -> dict[str, Any]:
        """Return it as the journal holds it."""
        return dataclasses.asdict(self)


def read_state(value: Mapping[str, Any] | None) -> State:
    """Read the state that the journal holds; None: there was no test yet.

    What cannot be read quarantines everything.
    """
    if value is None:
        return State()
    try:
        fields = {field.name: value[field.name] for field in dataclasses.fields(State)}
        passed, since = (_mark(fields[name]) for name in ("passed", "since"))
        state = State(**{**fields, "passed": passed, "since": since})
    except (KeyError, TypeError, ValueError):
        return State(first=1, why=UNREADABLE)
    whole = (state.number, state.begun, 0 if state.first is None else state.first)
    texts = (state.running, state.why)
    if all(type(n) is int and n >= 0 for n in whole) and all(type(t) is str for t in texts):
        return state
    return State(first=1, why=UNREADABLE)


def _mark(value: Any) -> Mark | None:
    """Read a mark. Raises KeyError, TypeError or ValueError for what is none."""
    if value is None:
        return None
    moment = Moment(**value["moment"])
    mark = Mark(value["sequence"], moment, value["setup"])
    numbers = (mark.sequence, moment.monotonic_ns, moment.wall_ns)
    if not all(type(n) is int and n >= 0 for n in numbers) or type(moment.synced) is not bool:
        raise ValueError("no mark")
    if [type(text) for text in (moment.boot_id, mark.setup)] != [str, str]:
        raise TypeError("no mark")
    return mark


def age_ns(then: Moment, now: Moment) -> int | None:
    """Return how long ago *then* was, nanoseconds; None when nobody can tell.

    Within one boot the monotonic clock tells, whatever the wall clock does; where both moments are
    of a synchronised clock, the longer of the two counts. Over a restart of the machine only two
    synchronised moments tell, and not when they contradict the time since that restart.
    """
    wall_ns = now.wall_ns - then.wall_ns
    both = then.synced and now.synced
    if then.boot_id == now.boot_id:
        ran_ns = now.monotonic_ns - then.monotonic_ns
        if ran_ns < 0:
            return None
        return max(ran_ns, wall_ns) if both else ran_ns
    return wall_ns if both and wall_ns >= now.monotonic_ns else None


def hours_left(state: State, every_hours: float, now: Moment) -> float | None:
    """Return in how many hours a test is overdue; None where none is asked for by the time."""
    if every_hours <= 0 or state.since is None:
        return None
    ago_ns = age_ns(state.since.moment, now)
    return 0.0 if ago_ns is None else max(0.0, every_hours - ago_ns / HOUR_NS)


def overdue(state: State, every_hours: float, now: Moment) -> str:
    """Return why a test is overdue by the time; empty when it is not, or 0 hours ask for none."""
    if every_hours <= 0:
        return ""
    if state.since is None:
        return "no challenge test was passed yet"
    ago_ns = age_ns(state.since.moment, now)
    if ago_ns is None:
        return "the clock cannot tell how long ago the last challenge test was passed"
    if ago_ns < round(every_hours * HOUR_NS):
        return ""
    return f"no challenge test was passed for {every_hours:g} hours"
