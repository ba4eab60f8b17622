"""Items that stand in no journal yet, kept until the eye has settled them (at-least-once delivery).

They are of two kinds: reported to the eye, or missed, because no eye was there to judge them.
"""

import dataclasses
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

REPORTED_AT_MOST = 10_000
"""Items reported to the eye and not settled; it keeps records in memory while a disk is full."""
KEPT = REPORTED_AT_MOST
"""Missed items kept one by one; of those beyond only their number and the last moment are kept."""


@dataclass(frozen=True)
class UnsettledItem:
    """An item to be written down; *why*: what kept it from being judged, else empty.

    *run*, *seen_as*: the life of the gate that saw it, and its tag there; empty and 0 for this one.
    """

    tag: int
    t_ns: int
    why: str = ""
    run: str = ""
    seen_as: int = 0


class Ledger:
    """Takes note of what is owed; this one forgets it."""

    def owe(self, item: UnsettledItem) -> None:
        """Note that an item is owed."""

    def note_passed(self, tag: int) -> None:
        """Note that an item which is owed was let pass."""

    def note_beyond(self, number: int, t_ns: int) -> None:
        """Note how many are owed that are too many to keep, and the moment of the last."""

    def settle(self, tag: int) -> None:
        """Note that an item is owed no more."""


class Unsettled:
    """The items that the gate still owes the journal, so that every trigger becomes one record.

    An item that was reported to the eye stays here until the eye settles it. When the eye is lost
    before that, the item is reported to the next one: an item may be reported twice, never not at
    all. Of bounded size.

    *ledger*: is told of each item that is owed or owed no more, so that the debts outlive the gate.
    """

    def __init__(self, ledger: "Ledger | None" = None) -> None:
        self.ledger = ledger or Ledger()
        self._reported: dict[int, UnsettledItem] = {}
        self._waiting: deque[UnsettledItem] = deque()
        self._beyond = 0
        self._beyond_ns = 0

    @property
    def reported(self) -> int:
        """Number of items reported to the eye and not settled."""
        return len(self._reported)

    @property
    def waiting(self) -> int:
        """Number of missed items not reported to an eye yet."""
        return len(self._waiting) + self._beyond

    def report(self, item: UnsettledItem) -> None:
        """Note that an item is reported to the eye."""
        self._reported[item.tag] = item
        self.ledger.owe(item)

    def owed(self) -> list[UnsettledItem]:
        """Return the items that are kept one by one, those reported first."""
        return [*self._reported.values(), *self._waiting]

    @property
    def beyond(self) -> tuple[int, int]:
        """The number of items that are too many to keep, and the moment of the last."""
        return self._beyond, self._beyond_ns

    def add_beyond(self, number: int, t_ns: int) -> None:
        """Add items of which only the number is known, and the moment of the last."""
        if number:
            self._beyond, self._beyond_ns = self._beyond + number, t_ns
            self.ledger.note_beyond(self._beyond, self._beyond_ns)

    def knows(self, tag: int) -> bool:
        """Return whether the item was reported to the eye and is not settled."""
        return tag in self._reported

    def is_missed(self, tag: int) -> bool:
        """Return whether the item was reported to the eye as one that has passed unjudged."""
        return tag in self._reported and bool(self._reported[tag].why)

    def add_missed(self, item: UnsettledItem) -> None:
        """Add an item that no eye can judge."""
        if len(self._waiting) < KEPT:
            self._waiting.append(item)
            self.ledger.owe(item)
        else:
            self.add_beyond(1, item.t_ns)

    def settle(self, tag: int) -> None:
        """Remove an item that is written down."""
        self._reported.pop(tag, None)
        self.ledger.settle(tag)

    def take_back(self, why: str, others: Mapping[int, str]) -> list[int]:
        """Take back the reported items of an eye that is lost, and return their tags.

        They become missed items, for the reason *why* or their own in *others*.
        """
        back = [
            dataclasses.replace(item, why=item.why or others.get(item.tag, why))
            for item in self._reported.values()
        ]
        self._reported.clear()
        room = KEPT - len(self._waiting)
        self._waiting.extendleft(reversed(back[:room]))  # they came before those that wait
        for item in back[room:]:
            self.ledger.settle(item.tag)  # from here on only their number is kept
            self.add_missed(item)
        return [item.tag for item in back]

    def next_missed(self, new_tag: int) -> UnsettledItem | None:
        """Remove and return the next missed item, None when there is none.

        One of those beyond the limit gets the tag *new_tag*.
        """
        if self._waiting:
            return self._waiting.popleft()
        if not self._beyond:
            return None
        self._beyond -= 1
        self.ledger.note_beyond(self._beyond, self._beyond_ns)
        why = "nobody judged it; it was one of many, its moment is that of the last"
        return UnsettledItem(new_tag, self._beyond_ns, why)
