"""One request of somebody who is logged in: who, with which rights, and what the form says."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, quote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from edge.errors import InputError
from edge.review.people import Person, may
from edge.review.sessions import Session, check_csrf
from edge.review.web.desk import Desk
from edge.review.web.guard import ADDRESS, BODY, RefusedRequestError
from edge.review.web.rendering import html

MOST_FIELDS = 40
PART = "stampgate-part"
"""Header by which our script asks for a part of a page, or for an error as a line of text."""
TOUCH = "stampgate-poll"
"""Header by which our script says that nobody pressed anything, so a session may end."""


@dataclass(frozen=True)
class Visit:
    """A request, with the session that it belongs to."""

    request: Request
    desk: Desk
    session: Session
    token: str

    @property
    def who(self) -> Person:
        """Whoever asks, as the audit log names him."""
        return self.session.user.person(self.request.scope[ADDRESS])

    @property
    def form(self) -> dict[str, str]:
        """The fields that were posted. Raises RefusedRequestError."""
        return form_of(self.request)

    @property
    def query(self) -> dict[str, str]:
        """The fields of the address; empty ones are left out, those of one name are joined."""
        joined: dict[str, str] = {}
        for name, text in parse_qsl(self.request.scope["query_string"].decode("latin-1")):
            joined[name] = f"{joined[name]},{text}" if name in joined else text
        return joined

    @property
    def wants_part(self) -> bool:
        """Whether our script asks."""
        return PART in self.request.headers

    def number(self, name: str) -> int | None:
        """Return a whole number of the address's fields; None where it is none."""
        text = self.query.get(name, "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None

    def may(self, what: str) -> bool:
        """Tell whether the role has a right."""
        return may(self.session.user.role, what)

    def page(self, name: str, status: int = 200, **values: Any) -> Response:
        """Return a page of the template *name*."""
        common = {
            "user": self.session.user,
            "csrf": self.session.csrf,
            "may": self.may,
            "here": self.request.url.path,
            "state": self.desk.store.index.state(),
            "station": self.desk.config.service.name,
        }
        return html(name, {**common, **values}, status)

    def see_other(self, path: str) -> Response:
        """Send the browser on after a POST."""
        return RedirectResponse(path, HTTPStatus.SEE_OTHER)


View = Callable[[Visit], Response]


def form_of(request: Request) -> dict[str, str]:
    """Return the fields of a posted form, each once. Raises RefusedRequestError."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise RefusedRequestError(415, "form", "a form must be application/x-www-form-urlencoded")
    try:
        text = request.scope[BODY].decode()
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except (UnicodeDecodeError, ValueError):
        raise RefusedRequestError(400, "form", "the form cannot be read") from None
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise RefusedRequestError(400, "form", "a field of the form stands twice")
    return fields


def with_right(desk: Desk, right: str, view: View) -> Callable[[Request], Response]:
    """Return the endpoint of a view that asks for a log-in and for *right*.

    A request that changes something must bear the session's CSRF token, too. Each refusal is
    written into the audit log.
    """

    def endpoint(request: Request) -> Response:
        token = request.cookies.get(desk.cookie, "")
        session = desk.sessions.find(token, touch=TOUCH not in request.headers)
        if session is None:
            return _log_in_first(desk, request)
        visit = Visit(request, desk, session, token)
        try:
            _check(visit, right)
            return view(visit)
        except RefusedRequestError as error:
            desk.refuse(
                error.what,
                str(error),
                user=session.user.name,
                address=request.scope[ADDRESS],
                path=request.url.path,
            )
            return _failed(visit, error.status, str(error))
        except InputError as error:
            return _failed(visit, 409, str(error))

    return endpoint


def _check(visit: Visit, right: str) -> None:
    if not visit.may(right):
        role = visit.session.user.role
        raise RefusedRequestError(403, "right", f"the role {role} may not do this")
    is_post = visit.request.method == "POST"
    if is_post and not check_csrf(visit.session, visit.form.get("csrf", "")):
        raise RefusedRequestError(403, "csrf", "the form is an old one; load the page again")


def _log_in_first(desk: Desk, request: Request) -> Response:
    """Refuse whoever is not logged in; a page leads to the log-in and back."""
    path = request.url.path
    had = "a session that has ended or was forged" if request.cookies.get(desk.cookie) else "none"
    desk.refuse("session", f"not logged in ({had})", address=request.scope[ADDRESS], path=path)
    if request.method == "POST" or PART in request.headers or path.endswith("/picture"):
        return PlainTextResponse("not logged in, or for too long; log in again\n", 401)
    query = request.url.query
    back = quote(f"{path}?{query}" if query else path, safe="/")
    return RedirectResponse(f"/login?next={back}", HTTPStatus.SEE_OTHER)


def _failed(visit: Visit, status: int, words: str) -> Response:
    if visit.wants_part:
        return PlainTextResponse(f"{words}\n", status)
    title = HTTPStatus(status).phrase
    return visit.page("error.html", status, title=title, words=words)


def chosen(fields: Mapping[str, str], name: str, among: tuple[str, ...]) -> str:
    """Return a field that must be one of some words. Raises RefusedRequestError."""
    value = fields.get(name, "")
    if value not in among:
        raise RefusedRequestError(400, "form", f"{name} must be one of {', '.join(among)}")
    return value


def text_of(fields: Mapping[str, str], name: str, most: int = 500) -> str:
    """Return a text that a person typed, bounded. Raises RefusedRequestError."""
    value = " ".join(fields.get(name, "").split())
    if len(value) > most:
        raise RefusedRequestError(400, "form", f"{name} must have at most {most} characters")
    return value
