"""One challenge test that runs: which test item is awaited, and what became of the one before.

Pure: no clock, file or wire. :mod:`edge.challenge.control` tells it of items, of the gate's
counters and of the time, and writes down what it says. The first thing that is wrong ends it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["bad", "good"]
Step = Literal["start-up", "announce", "item", "way", "person", "alarm", "passed", "failed"]
PLAN: tuple[Kind, ...] = ("bad", "bad", "bad", "bad", "good", "bad", "good")
"""Bad, bad, bad: successive bad items; then bad, good, bad, good: a memory test with a good one in
between (BRC 4.10 and the retailers' codes that follow it)."""
WATCHED = ("confirmed", "unconfirmed", "unexpected", "thrown_passes", "unknown", "late")
"""Counters of the gate that tell what became of an item."""
UNANNOUNCED = "an item came that was not announced"


@dataclass(frozen=True)
class Way:
    """How the line proves what became of an item.

    *confirm*: whether the reject-confirm input is wired. *over_ns*: after so long from its trigger
    an item has left the gate and its confirmation must have come; None where the belt's own counts
    tell, and so nobody knows beforehand. *clear_ns*: after so long from the start the belt carries
    nothing of before. *item_ns*: the longest wait for an item that was announced, and for a person.
    """

    confirm: bool
    over_ns: int | None
    clear_ns: int
    item_ns: int

    @property
    def asks(self) -> bool:
        """Whether a person must say what became of each item."""
        return not self.confirm or self.over_ns is None


@dataclass(frozen=True)
class Passing:
    """An item as the service wrote it down."""

    sequence: int
    t_ns: int
    verdict: str
    gate: str
    reason: str


@dataclass
class Course:
    """A challenge test under way.

    *number*: its own. *occasion*: start, end, changeover or scheduled. *t_ns*: when it began.

    Synchronization: one thread.
    """

    number: int
    occasion: str
    by: str
    way: Way
    t_ns: int
    step: Step = "start-up"
    done: int = 0
    """Test items that were got right."""
    why: str = ""
    """Why it has failed."""
    item: Passing | None = None
    """The test item that is on its way."""
    _since_ns: int = field(default=0)
    _before: Mapping[str, int] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.step in ("passed", "failed")

    @property
    def kind(self) -> Kind | None:
        """The test item that is awaited or on its way; None when all have gone."""
        return PLAN[self.done] if self.done < len(PLAN) else None

    @property
    def question(self) -> str:
        """What a person must answer now; empty for nothing."""
        if self.step == "alarm":
            return "Is the alarm of the line on now (lamp, horn, FAULT at the PLC)?"
        if self.step != "person":
            return ""
        if self.kind == "bad":
            return "Did the BAD test item go into the reject bin?"
        return "Did the GOOD test item go on with the belt, and not into the reject bin?"

    def announce(self, kind: str, now_ns: int, counters: Mapping[str, int]) -> str:
        """Take a person's word that this test item comes next; return why not, empty if taken.

        *counters*: those of the gate, from which on its counts are this item's.
        """
        if self.step != "announce":
            return f"no item can be announced now: {self.words}"
        if kind != self.kind:
            return f"item {self.done + 1} of {len(PLAN)} is a {self.kind} one, not {kind!r}"
        self.step, self._since_ns, self._before = "item", now_ns, _watched(counters)
        return ""

    def expects(self, t_ns: int) -> bool:
        """Tell whether an item with this trigger is the one that was announced."""
        return self.step == "item" and t_ns >= self._since_ns

    def see(self, passing: Passing) -> None:
        """Take an item that the service has judged."""
        if self.over or passing.t_ns < self.t_ns:  # one of before, which is told late
            return
        if not self.expects(passing.t_ns):
            self._fail(f"{UNANNOUNCED}: {passing.sequence}")
            return
        self.item = passing
        if wrong := _wrong(self.kind, passing):
            self._fail(wrong)
        else:
            self.step = "way"

    def tick(self, now_ns: int, counters: Mapping[str, int]) -> None:
        """Look what has become of the item by now; *counters*: the gate's, read just now."""
        if self.step == "start-up" and now_ns >= self.t_ns + self.way.clear_ns:
            self.step, self._since_ns = "announce", now_ns
        elif self.step == "way":
            self._follow(now_ns, counters)
        elif self.step in ("announce", "item", "person", "alarm"):
            self._check_strays(counters)
            if now_ns - self._since_ns >= self.way.item_ns and not self.over:
                self._fail(f"nothing came for {self.way.item_ns / 1e9:g} s: {self.words}")

    def answer(self, yes: bool, now_ns: int, counters: Mapping[str, int]) -> str:
        """Take a person's answer to :attr:`question`; return why not, empty if taken."""
        if not self.question:
            return f"nothing is asked now: {self.words}"
        self._check_strays(counters)
        if self.over:
            return ""
        if self.step == "alarm":
            self._end_alarm(yes)
        elif yes:
            self._next(now_ns, counters)
        else:
            went = "did not go into the bin" if self.kind == "bad" else "did not go on"
            self._fail(f"a {self.kind} item {went}, says a person")
        return ""

    def abandon(self, why: str) -> None:
        """End it unfinished, which is a failure."""
        if not self.over:
            self._fail(f"it was not finished: {why}")

    @property
    def words(self) -> str:
        """Where it stands, in words."""
        place = f"item {min(self.done + 1, len(PLAN))} of {len(PLAN)}, {self.kind}"
        return {
            "start-up": "the belt must first carry off what is on it",
            "announce": f"{place}: to be announced",
            "item": f"{place}: awaited at the photo-eye",
            "way": f"{place}: on its way",
            "person": f"{place}: a person must say where it went",
            "alarm": "a person must say whether the alarm is on",
            "passed": "passed",
            "failed": f"failed: {self.why}",
        }[self.step]

    def _follow(self, now_ns: int, counters: Mapping[str, int]) -> None:
        """Follow the item to the gate and into the bin."""
        assert self.item is not None
        self._check_strays(counters)
        told = self._since(counters, "confirmed") > 0
        ahead_ns = None if self.way.over_ns is None else self.item.t_ns + self.way.over_ns - now_ns
        if self.over or (ahead_ns is not None and ahead_ns > 0):
            return
        if self.kind == "bad" and self.way.confirm and not told:
            if ahead_ns is not None:
                self._fail("a bad item was rejected, and the confirm did not come")
            elif now_ns - self._since_ns >= self.way.item_ns:
                self._fail("a bad item was rejected, and the belt never brought it to the bin")
            return
        if self.way.asks:
            self.step, self._since_ns = "person", now_ns
        else:
            self._next(now_ns, counters)

    def _check_strays(self, counters: Mapping[str, int]) -> None:
        """Fail by what the gate has counted since the item was announced, and should not have."""
        most = int(self.kind == "bad" and self.step in ("way", "person"))
        for name, limit, words in (
            ("unconfirmed", 0, "a rejected item did not come to the bin"),
            ("unexpected", 0, "an item came to the bin that was not rejected"),
            ("confirmed", most, "more came to the bin than the one test item"),
            ("thrown_passes", 0, "a good item was let pass, and thrown by the gate all the same"),
            ("unknown", 0, "the gate did not know the item that was answered for"),
            ("late", 0, "the answer was late"),
        ):
            if not self.over and self._since(counters, name) > limit:
                self._fail(words)

    def _next(self, now_ns: int, counters: Mapping[str, int]) -> None:
        self.done, self.item = self.done + 1, None
        self.step, self._since_ns = "announce" if self.kind else "alarm", now_ns
        self._before = _watched(counters)

    def _end_alarm(self, yes: bool) -> None:
        if yes:
            self.step = "passed"
        else:
            self._fail("the alarm was raised, and a person says that it was not on")

    def _fail(self, why: str) -> None:
        self.step, self.why = "failed", why

    def _since(self, counters: Mapping[str, int], name: str) -> int:
        """Return how much a counter has grown since the item was announced."""
        if not self._before:
            return 0
        return counters.get(name, 0) - self._before.get(name, 0)


def _watched(counters: Mapping[str, int]) -> dict[str, int]:
    return {name: counters.get(name, 0) for name in WATCHED}


def _wrong(kind: str | None, passing: Passing) -> str:
    """Return what is wrong with the verdict on a test item; empty when it is as it must be."""
    item = f"item {passing.sequence}"
    if passing.gate in ("late", "unknown", "gone"):
        words = {"late": "the answer was late", "gone": "the gate was gone"}
        told = words.get(passing.gate, "the gate did not know the item")
        return f"{told} ({item}, {kind})"
    if passing.verdict == "fault":
        return f"a {kind} item could not be judged ({item}): {passing.reason}"
    if kind == "bad" and passing.verdict == "pass":
        return f"a bad item was let pass ({item})"
    if kind == "good" and passing.verdict != "pass":
        return f"a good item was rejected ({item}): {passing.reason}"
    return ""
