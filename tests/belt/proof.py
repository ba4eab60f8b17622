"""Compares what really became of each item with what the gate did and the journal says."""

from collections.abc import Iterator

from edge.gate.keeper import EYE_LOST_PASSED
from edge.gate.loss_handling import EDGE_LOST, EDGE_MISSING
from edge.gate.photo_eye import BLOCKED_AT_START
from tests.belt.history import History
from tests.belt.line import Control, Record
from tests.belt.world import MS, Product

TROUBLE_NS = 1_500 * MS
"""A trouble that excuses a passed item is shown so soon."""
NOT_SEEN = (EDGE_LOST, BLOCKED_AT_START)
"""Reasons of items of which nobody saw the front: their moment is another's."""
BENIGN = (
    "no eye is connected", "the eye says nothing", "the gate is stopping", "the bin is full",
    EDGE_MISSING,
)  # fmt: skip
"""Troubles for which the gate rejects all the same: they excuse nothing."""


def findings(history: History) -> list[str]:
    """Return what is wrong in a history, in words; empty when all is right."""
    return [*_stuck(history), *_passed(history), *_records(history)]


def _stuck(history: History) -> Iterator[str]:
    if history._done():
        return
    yield f"nothing goes on any more; the gate says {history.gate.troubles[-1:]}"


def _passed(history: History) -> Iterator[str]:
    """An unstamped item may pass only with a trouble, or while there is no gate."""
    for product in history.products:
        if product.stamped or product.touched or product.passed_ns is None:
            continue
        if product.thrown_ns is None and product.on_belt and not _excused(history, product):
            yield f"unstamped item {product.number} passed at {product.passed_ns / MS:g} unnoticed"


def _excused(history: History, product: Product) -> bool:
    """Whether there was no gate, or a trouble began that is about this item."""
    begin_ns, end_ns = product.zone[0][0], product.passed_ns
    assert end_ns is not None
    if any(dead_ns <= end_ns and begin_ns <= back_ns for dead_ns, back_ns in history.gate.dead):
        return True
    if history.gate.keeper is None:
        return True
    missing = [r.trigger_ns for r in history.journal.records if r.verdict == "unconfirmed"]
    if any(begin_ns <= t_ns <= end_ns + TROUBLE_NS for t_ns in missing):
        return True
    began = _began(history, begin_ns - 50 * MS, end_ns + TROUBLE_NS)
    # A trouble that lasts is about it, too, when it began while the item was under way, or so
    # shortly before that the belt had not stopped yet.
    under_way_ns = min([*product.seen, end_ns - Control.REST_NS])
    earlier = _began(history, under_way_ns, end_ns)
    return bool(began or earlier & _shown(history, end_ns))


def _shown(history: History, at_ns: int) -> set[str]:
    """Return the troubles that are shown at a moment."""
    texts = [text for t_ns, text in history.gate.troubles if t_ns <= at_ns]
    return set(texts[-1].split("; ")) if texts else set()


def _began(history: History, begin_ns: int, end_ns: int) -> set[str]:
    """Return the troubles that began to be shown between two moments, but for harmless ones."""
    began: set[str] = set()
    before: set[str] = set()
    for t_ns, text in history.gate.troubles:
        now = {words for words in text.split("; ") if words and not words.startswith(BENIGN)}
        if begin_ns <= t_ns <= end_ns:
            began |= now - before
        before = now
    return began


def _told(history: History, product: Product) -> list[Record]:
    """Return the item records of an item, by the edges of the photo-eye that it made."""
    return [
        r
        for r in history.journal.records
        if r.kind == "item" and r.trigger_ns in product.seen and r.reason not in NOT_SEEN
    ]


def _records(history: History) -> Iterator[str]:
    """The last word of the journal on each item is what became of it."""
    for product in history.products:
        if product.touched or not product.zone or (product.passed_ns is None and product.on_belt):
            continue
        for record in _told(history, product):
            yield from _record(history, product, record)


def _record(history: History, product: Product, record: Record) -> Iterator[str]:
    passes = record.verdict == "pass" or record.reason == EYE_LOST_PASSED
    thrown = any(_throws(incident, record) for incident in history.journal.records)
    if passes and not thrown and history.world.surely_thrown(product):
        if not _unwritten(history) and not _swept(history, record):
            yield f"item {product.number} was thrown, and its record says that it passed"
    elif not passes or thrown:
        ever = True in {throws for _, throws in product.zone}
        if not ever and not _excused(history, product):
            yield f"item {product.number} was never thrown, and its record says so"


def _throws(incident: Record, record: Record) -> bool:
    """Whether an incident says that the item of *record* was thrown after all."""
    same = (incident.run, incident.tag) == (record.run, record.tag)
    return incident.verdict == "thrown" and same


def _swept(history: History, record: Record) -> bool:
    """Whether the journal says that all was thrown: by a later gate, after a stop or a loss."""
    return any(
        r.verdict in ("swept", "lost") and (r.run != record.run or r.t_ns > record.t_ns)
        for r in history.journal.records
    )


def _unwritten(history: History) -> bool:
    """Whether the gate still has something that no eye has written down."""
    if history.gate.keeper is None or not history.eye.connected:
        return True
    return bool(history.gate.keeper.unrecorded)
