"""The list of items with its filters, which stand in the address and so can be sent on."""

from urllib.parse import urlencode

from starlette.responses import Response

from edge.record.schema import VERDICTS
from edge.review.filters import Filter
from edge.review.web.visit import Visit

ROWS = 50
POSITION = ("before", "after")


def items(visit: Visit) -> Response:
    """Show a page of the items that fit the filter, the newest first."""
    fields = {name: text for name, text in visit.query.items() if name not in POSITION}
    wanted = Filter.of(fields)
    page = visit.desk.store.index.page(
        wanted, before=visit.number("before"), after=visit.number("after"), limit=ROWS
    )
    kept = wanted.as_query()
    rows = page.rows
    return visit.page(
        "items.html",
        filter=wanted,
        fields=kept,
        query=urlencode(kept),
        choices=visit.desk.store.index.choices(),
        verdicts=VERDICTS,
        rows=rows,
        newest=rows[0].item if rows else visit.desk.store.index.state().last_item,
        newer=_link(kept, after=rows[0].item) if rows and page.newer else "",
        older=_link(kept, before=rows[-1].item) if rows and page.older else "",
        is_top=visit.number("before") is None and not page.newer,
    )


def _link(fields: dict[str, str], **position: int) -> str:
    more = {name: str(value) for name, value in position.items()}
    return "/items?" + urlencode({**fields, **more})
