"""What stands before every page: host, origin and size of a request, headers of an answer.

An ASGI application around another. It refuses what no browser of ours would send before a page is
asked, puts the same headers on every answer, and lets no error out but as one line and a page. Each
refusal goes to *refuse*, the audit log's. Sources: OWASP, HTTP Security Response Headers and
Cross-Site Request Forgery Prevention; RFC 9110, section 7.2; W3C, Content Security Policy Level 3.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from edge.printing import print_error, print_traceback
from edge.process.web_origin import LOCAL_NAMES, host_name, is_address, is_loopback, origin_host
from edge.sections.review import ReviewSettings

MOST_BODY = 16_384
"""Longest body of a request, bytes: a form has a tenth of that."""
MOST_ADDRESS = 4096
"""Longest path and query of a request, bytes."""
PATIENCE_S = 10.0
"""Longest wait for a request's body, seconds."""
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not no-referrer: with it a browser would say "Origin: null" of our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
"""On every answer; ``Cache-Control: no-store`` too, where a page says nothing else."""
HSTS = "max-age=31536000"
BODY = "stampgate.body"
ADDRESS = "stampgate.address"
"""Keys of an ASGI scope under which the pages find a request's body and who sent it."""

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class Refuse(Protocol):
    """Writes a refusal into the audit log."""

    def __call__(self, what: str, why: str, *, address: str, path: str) -> None:
        """Say in words *what* was refused and *why*, of whom."""


class RefusedRequestError(Exception):
    """A request that is not answered as asked: its status, what it was, and why, in words."""

    def __init__(self, status: int, what: str, why: str) -> None:
        super().__init__(why)
        self.status, self.what = status, what


@dataclass(frozen=True)
class Door:
    """By which names, and how, the page is reached.

    *https*: whether a proxy on this box gives it out by TLS.
    """

    names: frozenset[str]
    any_address: bool = False
    https: bool = False

    @classmethod
    def of(cls, settings: ReviewSettings) -> "Door":
        """Make the door of the settings."""
        local = is_loopback(settings.host)
        named = {name.lower() for name in settings.names}
        here = LOCAL_NAMES | {settings.host.lower()} if local else set()
        return cls(frozenset(named | here), not local, settings.https)

    def knows(self, header: str) -> bool:
        """Tell whether a ``Host`` header names this page; any port will do, as with ``ssh -L``.

        >>> door = Door(frozenset(("localhost", "line3.example")))
        >>> [door.knows(h) for h in ("localhost:8378", "line3.example", "evil.example", "")]
        [True, True, False, False]
        """
        name = host_name(header)
        return name in self.names or (self.any_address and is_address(name))

    def is_ours(self, headers: Mapping[str, str]) -> bool:
        """Tell whether a request that changes something comes from a page of ours.

        The browser must say so: by ``Origin``, or, where it sends none, by ``Sec-Fetch-Site``.
        """
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        if site not in (None, "same-origin"):
            return False
        if origin is None:
            return site == "same-origin"
        scheme = "https://" if self.https else "http://"
        return origin.startswith(scheme) and origin_host(origin) == headers.get("host", "").lower()

    def address_of(self, headers: Mapping[str, str], peer: str) -> str:
        """Return who asks: the proxy's word where there is one, else the *peer* itself.

        The last name in ``X-Forwarded-For`` is the proxy's own; those before may be anybody's word.
        """
        said = headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
        return said if self.https and is_address(said) else peer


class Guard:
    """Stands around the *pages*; *refuse* writes down what it turned away.

    Synchronization: the event loop.
    """

    def __init__(self, pages: Application, door: Door, refuse: Refuse) -> None:
        self._pages, self._door, self._refuse = pages, door, refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":  # neither a lifespan nor a web socket is served
            return
        answer = _Answer(send, self._door)
        headers = _headers(scope)
        scope[ADDRESS] = self._door.address_of(headers, (scope.get("client") or ("",))[0])
        try:
            self._check(scope, headers)
            scope[BODY] = await _body(scope, headers, receive)
            await self._pages(scope, _nothing_more, answer.send)
        except RefusedRequestError as error:
            await asyncio.to_thread(  # it writes to the disk
                self._refuse, error.what, str(error), address=scope[ADDRESS], path=scope["path"]
            )
            await answer.plain(error.status, str(error))
        except Exception as error:  # noqa: BLE001 - one line and a page, whatever it is
            print_error("stampgate-edge review", f"not foreseen in a request to {scope['path']}:")
            print_traceback(type(error), error, error.__traceback__)
            await answer.plain(500, "the page failed; the service's log says where")

    def _check(self, scope: Scope, headers: Mapping[str, str]) -> None:
        """Refuse what no page of ours would send. Raises RefusedRequestError."""
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1 or not self._door.knows(headers["host"]):
            words = "this server is not called so; use its address, or name it in [review] names"
            raise RefusedRequestError(421, "host", words)
        if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > MOST_ADDRESS:
            raise RefusedRequestError(414, "address", "the address is too long")
        if scope["method"] not in ("GET", "HEAD", "POST"):
            raise RefusedRequestError(405, "method", "only GET and POST are answered")
        if scope["method"] == "POST" and not self._door.is_ours(headers):
            raise RefusedRequestError(403, "origin", "the request comes from another site")


def _headers(scope: Scope) -> dict[str, str]:
    """Return the headers by their names in lower case; of two equal ones the last."""
    pairs: Sequence[tuple[bytes, bytes]] = scope["headers"]
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in pairs}


async def _body(scope: Scope, headers: Mapping[str, str], receive: Receive) -> bytes:
    """Read a request's body, at most :data:`MOST_BODY` bytes. Raises RefusedRequestError."""
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit() and len(length) < 12):
        raise RefusedRequestError(400, "body", "the length of the request makes no sense")
    most = MOST_BODY if scope["method"] == "POST" else 0
    too_long = RefusedRequestError(413, "body", f"a request must have at most {most} bytes")
    if int(length) > most:
        raise too_long
    content = bytearray()
    more = True
    try:
        async with asyncio.timeout(PATIENCE_S):
            while more:
                message = await receive()
                content += message.get("body", b"")
                more = message["type"] == "http.request" and message.get("more_body", False)
                if len(content) > most:
                    raise too_long
    except TimeoutError:
        raise RefusedRequestError(408, "body", "the request did not come to its end") from None
    return bytes(content)


async def _nothing_more() -> MutableMapping[str, Any]:
    """Stand in for an ASGI receive: the body was read; nobody waits here for a browser to go."""
    await asyncio.Event().wait()
    raise AssertionError("nothing sets that event")


class _Answer:
    """The way out: puts our headers on, and knows whether an answer has begun."""

    def __init__(self, send: Send, door: Door) -> None:
        self._send, self._door, self._begun = send, door, False

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """Send a part of the answer."""
        if message["type"] == "http.response.start":
            self._begun = True
            theirs = list(message.get("headers", ()))
            named = {name.lower() for name, _ in theirs}
            ours = {**HEADERS, **({"Strict-Transport-Security": HSTS} if self._door.https else {})}
            if b"cache-control" not in named:
                ours["Cache-Control"] = "no-store"
            added = [(name.lower().encode(), value.encode()) for name, value in ours.items()]
            message = {**message, "headers": [*theirs, *added]}
        await self._send(message)

    async def plain(self, status: int, why: str) -> None:
        """Answer with one line of text, unless an answer has begun already."""
        if self._begun:
            return
        content = f"{why}\n".encode()
        headers = [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", str(len(content)).encode()),
        ]
        if status == 413:
            headers.append((b"connection", b"close"))
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": content})
