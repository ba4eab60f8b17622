"""The aim page's server: one page, its state and picture, and the region it saves; no more.

Everything it needs lies beside this module; nothing is asked of another server, and the content
security policy keeps a browser from doing so. Each answer closes its connection, each request has a
limit of size and time, so a browser that is gone costs nothing.
"""

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from edge.aiming.access import KEY_HEADER, Access
from edge.aiming.aimer import Aimer
from edge.aiming.region_file import corners_of
from edge.aiming.saving import RegionSaver
from edge.errors import InputError, StampgateError
from edge.printing import print_line
from edge.process.small_server import SmallServer
from edge.process.web_origin import is_same_site
from edge.strict_json import read_object
from edge.vision.legend import Meaning, colour_of

ASSETS = Path(__file__).parent
STATIC = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/aim.css": ("aim.css", "text/css; charset=utf-8"),
    "/aim.js": ("aim.js", "text/javascript; charset=utf-8"),
}
"""Files that anybody at the address may have: nothing is told in them."""
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
SHOWN: tuple[Meaning, ...] = ("found", "ignored")
"""Meanings of the legend whose boxes the page draws."""
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - named, not listened on
"""Addresses that stand for all of this computer's; nobody can open them from another one."""
MOST_BODY = 16_384
"""Longest body of a request, bytes; a region of 32 corners has a tenth of that."""
PATIENCE_S = 10.0
"""Longest wait for a browser that says nothing, seconds."""
MOST_CONNECTIONS = 16
"""Most requests at a time; a page has two."""


class AimServer(SmallServer):
    """Serves the page of one aimer.

    Synchronization: a thread for each request; all that they share does its own.
    """

    def __init__(self, host: str, port: int, aimer: Aimer, saver: RegionSaver) -> None:
        """Listen on *host* and *port*, 0 for a free one. Raises InputError."""
        self.aimer, self.saver, self.access = aimer, saver, Access(host)
        try:
            super().__init__(host, port, _Handler, MOST_CONNECTIONS, "aim")
        except (OSError, OverflowError) as error:
            raise InputError(
                f"{host} port {port}: cannot be listened on "
                f"({getattr(error, 'strerror', None) or error}); name another by --host or --port"
            ) from None

    @property
    def link(self) -> str:
        """The address to open, with the one-time token where one is needed."""
        name = f"[{self.server_name}]" if ":" in self.server_name else self.server_name
        if self.server_name in EVERYWHERE:
            name = socket.gethostname()
        token = self.access.token
        return f"http://{name}:{self.server_port}/" + (f"#{token}" if token else "")


@contextlib.contextmanager
def serving(server: AimServer) -> Iterator[AimServer]:
    """Serve in a thread while the block runs, then close."""
    thread = threading.Thread(
        target=partial(server.serve_forever, 0.1), name="aim page", daemon=True
    )
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _RefusedError(Exception):
    """A request that is not answered as asked: its status, and why, in words."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    """One request."""

    server: AimServer
    timeout = PATIENCE_S
    server_version, sys_version = "stampgate", ""

    def do_GET(self) -> None:
        """Give the page, its files, the state or the picture."""
        answers = {"/settings": self._settings, "/state": self._state, "/picture": self._picture}
        self._answer(answers, is_post=False)

    def do_POST(self) -> None:
        """Save a region, forget the best focus, or take a one-time token."""
        answers = {"/region": self._region, "/best": self._best, "/open": self._open}
        self._answer(answers, is_post=True)

    def _answer(self, answers: dict[str, Callable[[], None]], *, is_post: bool) -> None:
        path = urlsplit(self.path).path
        try:
            self._check(path, is_post=is_post)
            if not is_post and path in STATIC:
                self._static(*STATIC[path])
            elif path in answers:
                answers[path]()
            else:
                raise _RefusedError(HTTPStatus.NOT_FOUND, "there is no such page")
        except _RefusedError as error:
            self._give_object({"error": str(error)}, error.status)
        except StampgateError as error:
            self._give_object({"error": str(error)}, HTTPStatus.CONFLICT)

    def _check(self, path: str, *, is_post: bool) -> None:
        """Refuse what does not come from our page. Raises _RefusedError."""
        access, headers = self.server.access, self.headers
        hosts = headers.get_all("Host", [])
        if len(hosts) != 1 or not access.knows_host(hosts[0]):
            raise _RefusedError(
                HTTPStatus.MISDIRECTED_REQUEST, "this server is not called so; use its address"
            )
        if path in STATIC and not is_post:
            return
        if not is_same_site(dict(headers.items())):
            raise _RefusedError(HTTPStatus.FORBIDDEN, "the request comes from another site")
        if path != "/open" and not access.has_key(headers.get(KEY_HEADER, "")):
            raise _RefusedError(
                HTTPStatus.FORBIDDEN, "the page is an old one; open the link of the terminal again"
            )

    def _static(self, name: str, kind: str) -> None:
        content = (ASSETS / name).read_bytes()
        if name.endswith(".html") and self.server.access.is_local:
            content = content.replace(b"{key}", self.server.access.key.encode())
        self._give(content, kind)

    def _settings(self) -> None:
        colours = {kind: "#{:02x}{:02x}{:02x}".format(*colour_of(kind)) for kind in SHOWN}
        self._give_object({**self.server.saver.load(), "colours": colours})

    def _state(self) -> None:
        view = self.server.aimer.views[-1] if self.server.aimer.views else None
        if view is None or view.number <= self._asked("after"):
            self._give(b"", "", HTTPStatus.NO_CONTENT)
        else:
            self._give_object(view.as_object())

    def _picture(self) -> None:
        asked = self._asked("number")
        for view in tuple(self.server.aimer.views):
            if view.number == asked and view.jpeg:
                self._give(view.jpeg, "image/jpeg")
                return
        raise _RefusedError(HTTPStatus.NOT_FOUND, "this picture is gone; ask for the newest")

    def _region(self) -> None:
        asked = self._body()
        if set(asked) != {"region", "sha256"} or not isinstance(asked["sha256"], str):
            raise _RefusedError(HTTPStatus.BAD_REQUEST, "must have region and sha256, nothing else")
        self._give_object(self.server.saver.save(corners_of(asked["region"]), asked["sha256"]))

    def _best(self) -> None:
        self._body()
        self.server.aimer.reset_best()
        self._give_object({})

    def _open(self) -> None:
        access, token = self.server.access, self._body().get("token")
        if not isinstance(token, str) or not access.redeem(token):
            raise _RefusedError(
                HTTPStatus.FORBIDDEN, "the link was used already; open the newest of the terminal"
            )
        where = self.client_address[0]
        print_line(f"aim: opened from {where}; the next link is {self.server.link}", flush=True)
        self._give_object({"key": access.key})

    def _asked(self, name: str) -> int:
        """Return a whole number of the query, 0 where it is none."""
        text = parse_qs(urlsplit(self.path).query).get(name, [""])[0]
        return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0

    def _body(self) -> dict[str, Any]:
        """Read the JSON object that was posted. Raises _RefusedError."""
        if self.headers.get_content_type() != "application/json":
            raise _RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "must be application/json")
        length = self.headers.get("Content-Length", "")
        if "Transfer-Encoding" in self.headers or not (length.isascii() and length.isdigit()):
            raise _RefusedError(HTTPStatus.LENGTH_REQUIRED, "must say its length")
        if len(length) > 9 or int(length) > MOST_BODY:
            raise _RefusedError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"must be at most {MOST_BODY} bytes"
            )
        try:
            return read_object(self.rfile.read(int(length)).decode(), MOST_BODY)
        except ValueError as error:
            raise _RefusedError(HTTPStatus.BAD_REQUEST, f"must be JSON: {error}") from None

    def _give_object(self, answer: object, status: HTTPStatus = HTTPStatus.OK) -> None:
        self._give(json.dumps(answer).encode(), "application/json", status)

    def _give(self, content: bytes, kind: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.send_response(status)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        if kind:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as http.server names it
        """Say nothing of a request: the terminal is the technician's."""
