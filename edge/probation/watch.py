"""Probation: what a new release must show in service before the one before it is given up."""

from dataclasses import dataclass

from edge.decision import Kind
from edge.sections.model import ModelSettings

CURE = "its pictures are in the evidence"


@dataclass(frozen=True)
class Result:
    """How a probation ended, in words."""

    passed: bool
    words: str


class Probation:
    """Counts what a release in probation does with the items of the line.

    Only what the model answered counts: a camera that is pulled out proves nothing about it.

    Synchronization: the one thread of the station.
    """

    def __init__(self, settings: ModelSettings, begun_ns: int) -> None:
        """*begun_ns*: when the release judged its first item, or could."""
        self.settings, self._begun_ns = settings, begun_ns
        self.items = self.passes = self.rejects = self.faults = 0
        self._without_pass = self._useless = 0
        self._why = ""

    def item(self, answer: Kind | None, *, late: bool) -> None:
        """Count an item.

        *answer*: what the model said of it, before the gate; None where it was not asked, as the
        picture, the photo-eye or the gate was at fault; *late*: whether it was due at the gate by
        then.
        """
        if answer is None:
            return
        good = answer == "pass" and not late
        useless = answer == "fault" or late
        self.items += 1
        self.passes += good
        self.rejects += not good
        self.faults += useless
        self._without_pass = 0 if good else self._without_pass + 1
        self._useless = self._useless + 1 if useless else 0

    def fail(self, why: str) -> None:
        """End it as failed, for a reason that no item gives, such as a failed challenge test."""
        self._why = self._why or why

    def result(self, now_ns: int) -> Result | None:
        """Return how it ended; None while it lasts."""
        if why := self._why or self._failure():
            return Result(passed=False, words=why)
        if not self._is_over(now_ns):
            return None
        least, most = self.settings.probation_rejects
        share = self.rejects / self.items
        if not least <= share <= most:
            return Result(passed=False, words=self._rate_words())
        words = f"{self.items} items, of which {self.passes} passed and {self.rejects} did not"
        return Result(passed=True, words=words)

    @property
    def words(self) -> str:
        """How it stands."""
        return (
            f"in probation: {self.items} of {self.settings.probation_items} items, "
            f"{self.passes} passed, {self.rejects} did not, {self.faults} were a FAULT or late"
        )

    def _failure(self) -> str:
        """Return why it has failed before its end; empty when it has not."""
        settings = self.settings
        if self._useless >= settings.probation_faults:
            return f"{self._useless} items running were a FAULT of the model, or late; {CURE}"
        if self._without_pass >= settings.probation_row:
            return f"{self._without_pass} items running did not pass; {CURE}"
        most = settings.probation_rejects[1] * settings.probation_items
        return self._rate_words() if self.rejects > most else ""

    def _rate_words(self) -> str:
        least, most = self.settings.probation_rejects
        return (
            f"{self.rejects} of {self.items} items did not pass, must be between {least:.1%} and "
            f"{most:.1%}; {CURE}"
        )

    def _is_over(self, now_ns: int) -> bool:
        """Tell whether enough was seen: all the items, or the time and some of them."""
        settings = self.settings
        if not self.passes:
            return False
        if self.items >= settings.probation_items:
            return True
        some = self.items >= min(settings.probation_row, settings.probation_items)
        return some and now_ns - self._begun_ns >= round(settings.probation_minutes * 60e9)
