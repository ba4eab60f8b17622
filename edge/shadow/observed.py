"""The items that the box judged in shadow, as the journal has them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from edge.config import Config
from edge.record.journal_file import journal_records
from edge.record.times import wall_ns
from edge.record.verify import Discrepancy, reading, verify

Record = Mapping[str, Any]
Wanted = Callable[[Record], bool]


@dataclass
class Observed:
    """One item that was judged in shadow.

    *study*: the name of the study; *wall_ns*: when it was written down, 0 where the clock was not
    synchronised. *passes*: whether the box would have let it pass. *by_eye*: what the photo-eye
    behind the people told of it; empty for nothing.
    """

    study: str
    verdict: str
    wall_ns: int
    withheld: bool = False
    by_eye: str = ""

    @property
    def passes(self) -> bool:
        """Whether it would have passed: by its verdict, and not thrown with a neighbour."""
        return self.verdict == "pass" and not self.withheld


@dataclass
class Shadow:
    """All items of a journal that were judged in shadow, by their numbers.

    *chosen*: the numbers of those that were asked for. *lost*: items in shadow without a record of
    their own. *discrepancies*: what is wrong with the journal as a whole.
    """

    items: dict[int, Observed] = field(default_factory=dict)
    chosen: set[int] = field(default_factory=set)
    lost: int = 0
    discrepancies: tuple[Discrepancy, ...] = ()

    @property
    def last_item(self) -> int:
        """Number of the last item; 0 for none."""
        return max(self.items, default=0)

    @property
    def amiss(self) -> str:
        """What keeps the journal from being evidence, in words; empty for nothing."""
        return "; ".join(found.text for found in self.discrepancies if found.weight == "amiss")


class _Reader:
    """Follows the records of a journal."""

    def __init__(self, wanted: Wanted | None) -> None:
        self.shadow, self._wanted = Shadow(), wanted
        self._study, self._is_shadow = "", False
        self._numbers: dict[tuple[str, int], int] = {}
        self._early: dict[tuple[str, int], list[Record]] = {}

    def take(self, record: Record) -> None:
        """Take the next record; one of another kind says nothing."""
        kind = record["kind"]
        if kind in ("start", "settings"):
            self._begin(record)
        elif kind == "continued" and isinstance(record.get("start"), dict):
            self._begin(record["start"])
        elif kind == "item" and record.get("mode") == "shadow":
            self._take_item(record)
        elif kind == "truth" or (kind == "incident" and record.get("what") == "withheld"):
            self._take_word(record)
        elif kind in ("gap", "missing") and self._is_shadow:
            self.shadow.lost += int(record.get("lost_items", record.get("items", 0)))

    def _begin(self, record: Record) -> None:
        self._study = str(record.get("study", ""))
        if record.get("kind") != "settings":
            self._is_shadow = record.get("mode") == "shadow"

    def _take_item(self, record: Record) -> None:
        sequence = record["sequence"]
        time_ns = wall_ns(record) if record.get("clock_synced") is True else 0
        self.shadow.items[sequence] = Observed(self._study, record["verdict"], time_ns)
        if self._wanted is not None and self._wanted(record):
            self.shadow.chosen.add(sequence)
        if "tag" in record and "gate_run" in record:
            tag = (record["gate_run"], record["tag"])
            self._numbers[tag] = sequence
            for word in self._early.pop(tag, ()):
                self._take_word(word)

    def _take_word(self, record: Record) -> None:
        """Take what the gate tells of an item, which it may tell before the item is written down.

        An item that no eye was there for is told of to the next one, after what became of it.
        """
        tag = (str(record.get("gate_run", "")), int(record.get("tag", 0)))
        number = self._numbers.get(tag, record.get("item"))
        item = self.shadow.items.get(number) if number is not None else None
        if item is None:
            self._early.setdefault(tag, []).append(record)
        elif record["kind"] == "truth":
            item.by_eye = str(record.get("truth", ""))
        else:
            item.withheld = True


def read_shadow(config: Config, wanted: Wanted | None = None) -> Shadow:
    """Read the journal of the settings, which must be whole.

    *wanted*: tells of a record whether its item is one of those asked for.

    Raises InputError that names the first line amiss, or says that there is none.
    """
    path, reader = config.path(config.journal.file), _Reader(wanted)
    found = verify(path)
    with reading(path):
        for record in journal_records(path):
            reader.take(record)
    reader.shadow.discrepancies = found.discrepancies
    return reader.shadow
