"""The challenge test by the page: what a person announces and answers; the service judges."""

from typing import Any

from starlette.responses import Response

from edge.challenge.control import OCCASIONS
from edge.challenge.guide import ENDED
from edge.errors import InputError
from edge.review.web.visit import Visit, chosen, text_of

SAYINGS = ("start", "announce", "answer", "abandon", "sign")
KINDS = ("bad", "good")


def challenge(visit: Visit) -> Response:
    """Show how the challenge test stands."""
    return _page(visit, "challenge.html")


def challenge_part(visit: Visit) -> Response:
    """Show it as a part of the page, which asks each second while a test runs."""
    return _page(visit, "challenge_part.html")


def say(visit: Visit) -> Response:
    """Say something to the service, and write down who said it."""
    form = visit.form
    word = chosen(form, "say", SAYINGS)
    view = visit.desk.challenge.ask(visit.token, word, **_fields(visit, word))
    visit.desk.store.audit.note("challenge-asked", visit.who, say=word, why=view["why"])
    if view["why"]:
        return _page(visit, "challenge.html", view=view, refused=view["why"])
    return visit.see_other("/challenge")


def _fields(visit: Visit, word: str) -> dict[str, Any]:
    """Return what goes to the service with a word; names are of whoever is logged in."""
    form = visit.form
    name = visit.session.user.full_name or visit.session.user.name
    if word == "start":
        return {"occasion": chosen(form, "occasion", OCCASIONS), "by": name}
    if word == "announce":
        return {"kind": chosen(form, "kind", KINDS)}
    if word == "answer":
        return {"yes": chosen(form, "yes", ("yes", "no")) == "yes"}
    if word == "sign":
        return {"by": name, "reason": text_of(form, "reason", 200)}
    return {}


def _page(
    visit: Visit, template: str, *, view: dict[str, Any] | None = None, refused: str = ""
) -> Response:
    trouble = ""
    if view is None:
        try:
            view = visit.desk.challenge.view(visit.token)
        except InputError as error:
            trouble = str(error)
    return visit.page(
        template,
        409 if refused else 200,
        view=view or {},
        ended=ENDED,
        refused=refused,
        trouble=trouble,
        occasions=OCCASIONS,
    )
