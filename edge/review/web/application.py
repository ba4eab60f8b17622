"""Which address leads to which page, and which right each of them asks for."""

from collections.abc import Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from edge.review.web import (
    challenge,
    items,
    one_item,
    queue,
    rendering,
    signing_in,
    today,
    trail,
)
from edge.review.web.desk import Desk
from edge.review.web.guard import ADDRESS, Application, Door, Guard
from edge.review.web.visit import View, with_right

GET, POST = "GET", "POST"
ROUTES: tuple[tuple[str, str, str, View], ...] = (
    (GET, "/today", "view", today.today),
    (GET, "/new", "view", today.count_new),
    (GET, "/items", "view", items.items),
    (GET, "/items/{item:int}", "view", one_item.one_item),
    (GET, "/items/{item:int}/picture", "view", one_item.picture),
    (POST, "/items/{item:int}/judge", "judge", one_item.judge),
    (POST, "/items/{item:int}/undo", "judge", one_item.undo),
    (POST, "/items/{item:int}/truth", "truth", one_item.truth),
    (GET, "/queue", "judge", queue.queue),
    (POST, "/queue/judge", "judge", queue.judge),
    (POST, "/queue/undo", "judge", queue.undo),
    (GET, "/challenge", "challenge", challenge.challenge),
    (GET, "/challenge/part", "challenge", challenge.challenge_part),
    (POST, "/challenge", "challenge", challenge.say),
    (GET, "/audit", "audit", trail.audit),
    (GET, "/sign", "sign", trail.sign_page),
    (POST, "/sign", "sign", trail.sign),
    (POST, "/logout", "view", signing_in.log_out),
)
"""Method, address, right and view of each page that asks for a log-in."""


def make_application(desk: Desk) -> Application:
    """Return the ASGI application of all pages."""
    routes = [
        Route(path, with_right(desk, right, view), methods=[method])
        for method, path, right, view in ROUTES
    ]
    routes += [
        Route("/", _to_today, methods=[GET]),
        Route("/static/{name}", _static, methods=[GET]),
        Route("/login", _bound(desk, signing_in.log_in_page), methods=[GET]),
        Route("/login", _bound(desk, signing_in.log_in), methods=[POST]),
    ]
    pages = Starlette(routes=routes, exception_handlers={HTTPException: _not_found(desk)})
    pages.router.redirect_slashes = False
    return Guard(pages, Door.of(desk.config.review), desk.refuse)


def _bound(desk: Desk, view: Callable[[Desk, Request], Response]) -> Callable[[Request], Response]:
    return lambda request: view(desk, request)


def _to_today(_request: Request) -> Response:
    return RedirectResponse("/today", 303)


def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in rendering.STATIC:
        raise HTTPException(404)
    asked = request.query_params.get("v") == rendering.static_sum(name)
    headers = {"Cache-Control": rendering.FOR_EVER} if asked else {}
    content, kind = rendering.static_file(name), rendering.STATIC[name]
    return Response(content, headers=headers, media_type=kind)


def _not_found(desk: Desk) -> Callable[[Request, Exception], Response]:
    def answer(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 404
        words = "there is no such page" if status == 404 else "this page is not asked so"
        desk.refuse("page", words, address=request.scope[ADDRESS], path=request.url.path)
        return PlainTextResponse(f"{words}\n", status)

    return answer
