"""Read back from the journal what the alarms must know after a restart."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge.alarms.baseline import Baseline, baseline_of
from edge.alarms.facts import ItemFacts, NearBand, facts_in
from edge.record.journal_file import last_records, rotated_files

READ_BYTES, ITEM_BYTES = 2 << 20, 1024
"""How much of the journal's end is read: bytes, and bytes more for each item that is wanted. A
health record, with what was learnt, comes each minute: some 1,200 items at most."""


@dataclass
class Restored:
    """What the journal tells: items in their order, and the baselines before the *fresh* ones.

    *counted*: items that the baselines hold already; *fresh*: those since.
    """

    counted: list[ItemFacts] = field(default_factory=list)
    fresh: list[ItemFacts] = field(default_factory=list)
    rejects: Baseline = field(default_factory=Baseline)
    near: Baseline = field(default_factory=Baseline)


def restore(journal: Path, basis: str, band: NearBand, wanted: int) -> Restored:
    """Return what the last *wanted* items, and the baselines, were when the journal ended.

    Only what was judged on the same *basis*, the model and the rules, counts; a journal that says
    nothing of it, such as an older release's, gives none. A journal that cannot be read is an empty
    one here: opening it for writing says why.
    """
    restored, pending = Restored(), list[ItemFacts]()
    baselines: tuple[Baseline, Baseline] | None = None
    for record in _newest_first(journal, READ_BYTES + ITEM_BYTES * wanted):
        if record["kind"] == "item":
            pending.append(facts_in(record, band))
        elif isinstance(said := _said(record), Mapping):
            if said.get("basis") != basis:
                break
            (restored.fresh if baselines is None else restored.counted).extend(pending)
            pending = []
            both = baseline_of(said.get("rejects")), baseline_of(said.get("near"))
            if baselines is None and both[0] is not None and both[1] is not None:
                baselines = restored.rejects, restored.near = both[0], both[1]
        if baselines is not None and len(restored.fresh) + len(restored.counted) >= wanted:
            break
    restored.fresh.reverse()
    restored.counted.reverse()
    return restored


def _said(record: Mapping[str, Any]) -> Any:
    """Return what a record says of the alarms: basis and baselines; None for nothing."""
    if record["kind"] == "continued":
        return None
    return record.get("alarms")


def _newest_first(journal: Path, most: int) -> Iterator[dict[str, Any]]:
    """Yield the records at the end of a journal's last two files, newest first."""
    for path in (journal, *rotated_files(journal)[-1:]):
        try:
            yield from last_records(path, most)
        except OSError:
            return
