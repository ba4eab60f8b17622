"""Logging in and out: the session's cookie, and how many may try passwords at a time."""

import re
import threading
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from edge.review.sessions import RefusedError
from edge.review.web.desk import Desk
from edge.review.web.guard import ADDRESS, RefusedRequestError
from edge.review.web.rendering import html
from edge.review.web.visit import Visit, form_of

PATH = re.compile(r"/[A-Za-z0-9_./?=&%:+,~-]*")
AT_ONCE = 8
"""Log-ins that may wait for one another; checking one password takes memory on purpose."""
LONGEST_NAME, LONGEST_PASSWORD = 100, 1000
_free = threading.BoundedSemaphore(AT_ONCE)


def log_in_page(desk: Desk, request: Request) -> Response:
    """Show the form; who is logged in already goes on."""
    target = local_path(request.query_params.get("next", ""))
    if desk.sessions.find(request.cookies.get(desk.cookie, ""), touch=False) is not None:
        return RedirectResponse(target, HTTPStatus.SEE_OTHER)
    return _form(desk, target)


def log_in(desk: Desk, request: Request) -> Response:
    """Check name and password, and begin a session."""
    try:
        form = form_of(request)
    except RefusedRequestError as error:
        desk.refuse(error.what, str(error), address=request.scope[ADDRESS], path=request.url.path)
        return _form(desk, "/", str(error), status=error.status)
    target, name = local_path(form.get("next", "")), form.get("name", "")[:LONGEST_NAME]
    password = form.get("password", "")
    if len(password) > LONGEST_PASSWORD:
        password = ""
    if not _free.acquire(blocking=False):
        address = request.scope[ADDRESS]
        desk.refuse("login", "too many log-ins at once", address=address, path="/login")
        return _form(desk, target, "Too many log-ins at once; try again.", name, status=503)
    try:
        begun = desk.sign_in(name, password, request.scope[ADDRESS])
    except RefusedError as error:
        status = 429 if error.wait_s > 0 else 401
        response = _form(desk, target, str(error), name, status=status)
        if error.wait_s > 0:
            response.headers["Retry-After"] = str(int(error.wait_s) + 1)
        return response
    finally:
        _free.release()
    response = RedirectResponse(target, HTTPStatus.SEE_OTHER)
    response.set_cookie(
        desk.cookie,
        begun.token,
        path="/",
        secure=desk.config.review.https,
        httponly=True,
        samesite="strict",
    )
    return response


def log_out(visit: Visit) -> Response:
    """End the session."""
    visit.desk.sign_in.out(visit.token)
    response = visit.see_other("/login")
    response.delete_cookie(
        visit.desk.cookie,
        path="/",
        secure=visit.desk.config.review.https,
        httponly=True,
        samesite="strict",
    )
    return response


def local_path(target: str) -> str:
    """Return where to go after a log-in: a path of ours, or the beginning.

    >>> [local_path(t) for t in ("/items?verdict=reject", "//evil.example", "https://evil", "")]
    ['/items?verdict=reject', '/', '/', '/']
    """
    ours = PATH.fullmatch(target) and not target.startswith(("//", "/login", "/logout"))
    return target if ours else "/"


def _form(
    desk: Desk, target: str, words: str = "", name: str = "", *, status: int = 200
) -> Response:
    values = {
        "next": target,
        "words": words,
        "name": name,
        "station": desk.config.service.name,
        "has_users": bool(desk.store.users.all()),
    }
    return html("login.html", values, status)
