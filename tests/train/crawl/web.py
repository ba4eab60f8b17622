"""Search engines and shops on the loopback interface, for icrawler to crawl over real sockets.

The result pages have the shape of the engines' own, as far as icrawler's parsers look at it; they
were written here.
"""

import contextlib
import html
import json
import string
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from icrawler.builtin.baidu import BaiduParser
from requests.adapters import HTTPAdapter

from tests.programs import PATIENCE_S

Reply = tuple[int, dict[str, str], bytes]
PAGES = {"google": "www.google.com", "bing": "www.bing.com", "baidu": "image.baidu.com"}
DRIP, DRIPS = "drip-s", 40
"""A header that makes the first bytes of the body come one by one, with so many seconds between."""
NOTHING_FOUND = b"<html><body><p>Before you continue, show that you are no robot.</p></body></html>"


def google_page(links: Sequence[str]) -> bytes:
    """Addresses within the data of a script, each with its height and width."""
    results = ",".join(f'[1,[0,"id{n}",["{link}",600,800]]]' for n, link in enumerate(links))
    data = f"AF_initDataCallback({{key: 'ds:1', data:[{results}]}});"
    return (
        "<html><head><script nonce='x'>window.begin=Date.now();</script></head>"
        f"<body><div>results</div><script nonce='x'>{data}</script></body></html>"
    ).encode()


def bing_page(links: Sequence[str]) -> bytes:
    """A tile for each result, its particulars as JSON in an attribute."""
    particulars = [
        html.escape(json.dumps({"murl": link, "t": "x"}, separators=(",", ":"))) for link in links
    ]
    tiles = "".join(
        f'<div class="imgpt"><a class="iusc" m="{told}"></a></div>' for told in particulars
    )
    other = "<div class='imgpt'><a href='/other'>no particulars</a></div>"
    return f"<html><body>{tiles}{other}</body></html>".encode()


def baidu_page(links: Sequence[str]) -> bytes:
    """JSON with the addresses in Baidu's own cipher, and the empty entry at its end."""
    decode = BaiduParser._decode_url
    cipher = {decode(None, sign): sign for sign in string.ascii_lowercase + string.digits}
    cipher |= {":": "_z2C$q", ".": "_z&e3B", "/": "AzdH3F"}
    hidden = ["".join(cipher.get(sign, sign) for sign in link) for link in links]
    return json.dumps({"data": [*({"objURL": link} for link in hidden), {}]}).encode()


WRITERS: dict[str, Callable[[Sequence[str]], bytes]] = {
    "google": google_page,
    "bing": bing_page,
    "baidu": baidu_page,
}


class Web:
    """The responses of each address, and the requests made; unknown addresses give 404.

    *asked*: every address in the order in which it came in. *keywords*: what the result pages were
    asked for.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.keywords: list[str] = []
        self.page_s = 0.0
        """Seconds that every result page but the first takes."""
        self.hold = threading.Event()
        """Set to let go of those who were asked to wait."""
        self._replies: dict[str, Callable[[], Reply]] = {}
        self._pages: dict[str, list[bytes]] = {}

    def put(self, url: str, body: bytes, status: int = 200, **headers: str) -> str:
        """Answer *url* with *body*; returns the address."""
        self._replies[url] = lambda: (
            status,
            {name.replace("_", "-"): value for name, value in headers.items()},
            body,
        )
        return url

    def late(self, url: str, body: bytes, seconds: float) -> str:
        """Answer *url* with *body* after a while."""

        def wait() -> Reply:
            self.hold.wait(seconds)
            return 200, {}, body

        self._replies[url] = wait
        return url

    def never(self, url: str) -> str:
        """Leave whoever asks for *url* waiting."""
        return self.late(url, b"", PATIENCE_S)

    def results(self, engine: str, *pages: Sequence[str] | bytes) -> None:
        """Give *engine* result pages, lists of links or whole pages; empty ones come after them."""
        self._pages[PAGES[engine]] = [
            p if isinstance(p, bytes) else WRITERS[engine](p) for p in pages
        ]

    def pictures_asked(self) -> list[str]:
        """The addresses asked for that are no result pages, sorted."""
        return sorted(url for url in self.asked if urlsplit(url).netloc not in PAGES.values())

    def pages_asked(self) -> int:
        """Return the number of result pages asked for."""
        return len(self.asked) - len(self.pictures_asked())

    def reply(self, url: str) -> Reply:
        """Return the response of *url*."""
        self.asked.append(url)
        host = urlsplit(url).netloc
        if host in self._pages:
            asked = parse_qs(urlsplit(url).query)
            self.keywords += asked.get("q", []) + asked.get("word", [])
            left = self._pages[host]
            self.hold.wait(self.page_s if self.pages_asked() > 1 else 0)
            return 200, {}, left.pop(0) if left else NOTHING_FOUND
        return self._replies[url]() if url in self._replies else (404, {}, b"<html>not here</html>")


class ToLoopback(HTTPAdapter):
    """Carries each request to the server of this test instead of the host it names.

    A page of results may take as long as it likes, so that short timeouts hit pictures alone. All
    else is requests' own.
    """

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port

    def send(
        self, request: requests.PreparedRequest, *args: Any, **kwargs: Any
    ) -> requests.Response:
        asked = str(request.url)
        parts = urlsplit(asked)
        query = f"?{parts.query}" if parts.query else ""
        request.url = (
            f"http://127.0.0.1:{self._port}/{parts.scheme}/{parts.netloc}{parts.path}{query}"
        )
        patient = {"timeout": PATIENCE_S} if parts.hostname in PAGES.values() else {}
        try:
            response = super().send(request, *args, **{**kwargs, "proxies": None, **patient})
        finally:
            request.url = asked
        response.url = asked
        return response


@contextlib.contextmanager
def serving(web: Web) -> Iterator[ToLoopback]:
    """Serve *web* on a free port; gives what carries requests there."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            scheme, host, path = self.path[1:].split("/", 2)
            status, headers, body = web.reply(f"{scheme}://{host}/{path}")
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(OSError):  # whoever asked may not wait
                for place in range(DRIPS if DRIP in headers else 0):
                    self.wfile.write(body[place : place + 1])
                    time.sleep(float(headers[DRIP]))
                self.wfile.write(body[DRIPS:] if DRIP in headers else body)
            self.close_connection = "Content-Length" in headers

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server names it
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Say nothing: a connection that the crawler gave up is what the test is about."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    carrier = ToLoopback(server.server_address[1])
    try:
        yield carrier
    finally:
        web.hold.set()
        carrier.close()
        server.shutdown()
        thread.join()
        server.server_close()
