"""The queue: one item at a time, the most informative first, judged by one key.

A page holds a few items ahead, so that the next picture is there when a key is pressed; the script
asks for one more with each judgement. Without it the buttons do the same, one page each.
"""

from collections.abc import Collection
from dataclasses import dataclass

from starlette.responses import Response

from edge.review.index import Shown
from edge.review.web.guard import RefusedRequestError
from edge.review.web.one_item import JUDGEMENTS, current_of
from edge.review.web.shots import Shot, shot_of
from edge.review.web.visit import Visit, chosen, text_of

KINDS = {
    "sample": "random sample of passes",
    "threshold": "near the threshold",
    "disagree": "the two looks disagree",
    "reject": "rejects",
}
AHEAD = 3
"""Items that a page holds."""
MOST_HELD = 40


@dataclass(frozen=True)
class Card:
    """One item of the queue, as the page shows it; *kind* is empty for one that was taken back."""

    shown: Shown
    shot: Shot
    kind: str
    why: str
    current: str


def queue(visit: Visit) -> Response:
    """Show the next items."""
    kinds = kinds_of(visit.query.get("kinds", ""))
    cards = _next_cards(visit, kinds, AHEAD)
    return visit.page(
        "queue.html",
        cards=cards,
        kinds=KINDS,
        chosen=kinds,
        bound=visit.desk.store.bound(),
        judged="",
    )


def judge(visit: Visit) -> Response:
    """Take a judgement; the script gets the bound as it is now, and one more item."""
    form = visit.form
    item = _number(form.get("item", "")) or 0
    judgement = chosen(form, "judgement", JUDGEMENTS)
    said = visit.desk.store.judge(
        item, judgement, visit.who, text_of(form, "reason"), seen=form.get("seen")
    )
    kinds = kinds_of(form.get("kinds", ""))
    if not visit.wants_part:
        return visit.see_other(f"/queue?kinds={','.join(kinds)}")
    cards = _next_cards(visit, kinds, 1, _held(form.get("held", "")))
    return _part(visit, cards, said.id)


def undo(visit: Visit) -> Response:
    """Take the last judgement back, and show its item again."""
    taken = visit.desk.store.undo(visit.form.get("id", ""), visit.who)
    if not visit.wants_part:
        return visit.see_other("/queue")
    shown = visit.desk.store.shown(taken.item)
    return _part(visit, [_card(visit, shown, "", "taken back")], "")


def kinds_of(text: str) -> tuple[str, ...]:
    """Return the kinds of items that the address asks for, all where it names none.

    Raises RefusedRequestError.

    >>> kinds_of("reject,sample"), kinds_of("")[:2]
    (('reject', 'sample'), ('sample', 'threshold'))
    """
    kinds = tuple(part for part in text.split(",") if part)
    if not set(kinds) <= set(KINDS):
        raise RefusedRequestError(400, "form", f"kinds must be some of {', '.join(KINDS)}")
    return kinds or tuple(KINDS)


def _next_cards(
    visit: Visit, kinds: tuple[str, ...], number: int, held: Collection[int] = ()
) -> list[Card]:
    store = visit.desk.store
    cards = []
    for task in store.queue(visit.who, kinds, limit=number, exclude=held):
        shown = store.index.item(task.row.item)
        if shown is not None:
            cards.append(_card(visit, shown, KINDS[task.kind], task.why))
    return cards


def _card(visit: Visit, shown: Shown, kind: str, why: str) -> Card:
    shot = shot_of(visit.desk.store, shown)
    return Card(shown, shot, kind, why, current_of(shown))


def _part(visit: Visit, cards: list[Card], said: str) -> Response:
    bound = visit.desk.store.bound()
    return visit.page("queue_part.html", cards=cards, bound=bound, judged=said)


def _held(text: str) -> list[int]:
    """Return the numbers of the items that the page holds."""
    found = [_number(part) for part in text.split(",")[:MOST_HELD]]
    return [number for number in found if number is not None]


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
