"""Items that stand in no journal yet: what the eye was told and has not settled, and what no eye
was told.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

KEPT = 1000
"""Items remembered one by one while no eye is there; of those beyond only their number and the last
moment."""


@dataclass(frozen=True)
class Owing:
    """An item that must still be written down.

    *why*: what kept it from being judged, empty while it may be.
    """

    tag: int
    t_ns: int
    why: str = ""


class Owed:
    """What the gate owes the journal, so that every trigger becomes one record.

    Pure, of bounded size.

    An item that the eye was told stays here until the eye says that it is written down. When the
    eye is lost before that, the next one hears of it again: an item may be told twice, never not at
    all.
    """

    def __init__(self) -> None:
        self._told: dict[int, Owing] = {}
        self._waiting: deque[Owing] = deque()
        self._beyond = 0
        self._beyond_ns = 0

    @property
    def told(self) -> int:
        """How many the eye was told and has not settled."""
        return len(self._told)

    @property
    def waiting(self) -> int:
        """How many no eye was told."""
        return len(self._waiting) + self._beyond

    def tell(self, owing: Owing) -> None:
        """Note that the eye is told of an item."""
        self._told[owing.tag] = owing

    def knows(self, tag: int) -> bool:
        """Whether the eye was told of the item and has not settled it."""
        return tag in self._told

    def missed(self, tag: int) -> bool:
        """Whether the eye was told only that the item has passed unjudged."""
        return tag in self._told and bool(self._told[tag].why)

    def miss(self, owing: Owing) -> None:
        """Note an item that no eye can judge."""
        if len(self._waiting) < KEPT:
            self._waiting.append(owing)
        else:
            self._beyond += 1
            self._beyond_ns = owing.t_ns

    def settle(self, tag: int) -> None:
        """Forget an item that is written down."""
        self._told.pop(tag, None)

    def eye_left(self, why: str, others: Mapping[int, str]) -> list[int]:
        """Take back all that the eye did not settle, for the reason *why* or its own in *others*.

        Return the tags.
        """
        back = [Owing(o.tag, o.t_ns, o.why or others.get(o.tag, why)) for o in self._told.values()]
        self._told.clear()
        room = KEPT - len(self._waiting)
        self._waiting.extendleft(reversed(back[:room]))  # they came before those that wait
        for owing in back[room:]:
            self.miss(owing)
        return [owing.tag for owing in back]

    def next_missed(self, new_tag: int) -> Owing | None:
        """Take the next item that no eye was told; one of those beyond the limit gets *new_tag*.

        None for none.
        """
        if self._waiting:
            return self._waiting.popleft()
        if not self._beyond:
            return None
        self._beyond -= 1
        return Owing(
            new_tag,
            self._beyond_ns,
            "nobody judged it; it was one of many, its moment is that of the last",
        )
