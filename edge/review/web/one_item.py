"""One item whole: its record, checked on the disk now, its picture, and what was said of it."""

from starlette.responses import Response

from edge.printing import json_text
from edge.review.index import Shown
from edge.review.truths import say_truth
from edge.review.web.guard import RefusedRequestError
from edge.review.web.shots import shot_of
from edge.review.web.visit import Visit, chosen, text_of

JUDGEMENTS = ("good", "bad", "unsure")
TRUTHS = ("good", "bad")
KEPT_S = 60
"""Seconds for which a browser keeps a picture, so that the page and its cut-out ask once."""


def shown_of(visit: Visit) -> Shown:
    """Return the item that the address names. Raises RefusedRequestError."""
    number = int(visit.request.path_params["item"])
    shown = visit.desk.store.index.item(number) if number < 2**63 else None
    if shown is None:
        raise RefusedRequestError(404, "item", f"there is no item {number} in the journal")
    return shown


def one_item(visit: Visit) -> Response:
    """Show an item."""
    shown = shown_of(visit)
    record = shown.record or {}
    return visit.page(
        "item.html",
        shown=shown,
        row=shown.row,
        record=record,
        shot=shot_of(visit.desk.store, shown),
        current=current_of(shown),
        raw=json_text(record),
        in_shadow=record.get("mode") == "shadow",
    )


def picture(visit: Visit) -> Response:
    """Give an item's picture, as it lies on the disk; which one it is, the record alone says."""
    found = visit.desk.store.picture(shown_of(visit).row.item)
    if found.content is None:
        raise RefusedRequestError(404, "picture", found.words)
    headers = {"Cache-Control": f"private, max-age={KEPT_S}"}
    return Response(found.content, media_type="image/jpeg", headers=headers)


def judge(visit: Visit) -> Response:
    """Take a judgement on an item, which is appended to the audit log."""
    item, form = shown_of(visit).row.item, visit.form
    visit.desk.store.judge(
        item,
        chosen(form, "judgement", JUDGEMENTS),
        visit.who,
        text_of(form, "reason"),
        seen=form.get("seen"),
    )
    return visit.see_other(f"/items/{item}")


def undo(visit: Visit) -> Response:
    """Take a judgement back, by a further record."""
    form = visit.form
    said = visit.desk.store.undo(form.get("id", ""), visit.who, text_of(form, "reason"))
    return visit.see_other(f"/items/{said.item}")


def truth(visit: Visit) -> Response:
    """Take what an item in shadow mode really is."""
    shown, desk = shown_of(visit), visit.desk
    said = {shown.row.item: chosen(visit.form, "truth", TRUTHS)}
    say_truth(desk.config, said, visit.who, desk.store.audit)
    return visit.see_other(f"/items/{shown.row.item}")


def current_of(shown: Shown) -> str:
    """Return the id of the judgement that stands; empty where there is none."""
    return next((one.id for one in reversed(shown.judgements) if not one.undone), "")
