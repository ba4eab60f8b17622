"""The page ``/metrics``: it sends what was rendered last, and reads nothing itself."""

import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Any, Self

from edge.errors import InputError
from edge.exporters.prometheus import CONTENT_TYPE
from edge.process.small_server import SmallServer

PATIENCE_S = 10.0
"""Longest wait for a reader that says nothing, seconds."""
MOST_CONNECTIONS = 8
"""Most requests at a time; a further one is closed at once."""
NOT_YET = "the journal is being read; try again later\n"


class MetricsServer(SmallServer):
    """Serves one page from memory.

    *host*, *port*: 0 for a free port. Raises InputError when it cannot be listened on.

    Synchronization: :attr:`text` is replaced as a whole by one thread and read by those of the
    requests.
    """

    def __init__(self, host: str, port: int) -> None:
        self.text = ""
        """The page; empty while there is none to send."""
        try:
            super().__init__(host, port, _Handler, MOST_CONNECTIONS, "stampgate-edge: exporter")
        except OSError as error:
            raise InputError(
                f"[prometheus] listen {host} port {port}: cannot be listened on "
                f"({error.strerror or error}); name another, or stop the program that has it"
            ) from None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self.serve_forever, args=(0.1,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    """Answers GET /metrics, and nothing else."""

    server: MetricsServer
    timeout = PATIENCE_S
    server_version, sys_version = "stampgate", ""

    def do_GET(self) -> None:
        """Send the page."""
        if self.path.partition("?")[0] != "/metrics":
            self._send(HTTPStatus.NOT_FOUND, "only /metrics is here\n", "text/plain")
        elif text := self.server.text:
            self._send(HTTPStatus.OK, text, CONTENT_TYPE)
        else:
            self._send(HTTPStatus.SERVICE_UNAVAILABLE, NOT_YET, "text/plain")

    def _send(self, status: HTTPStatus, text: str, kind: str) -> None:
        content = text.encode()
        self.send_response(status)
        for name, value in (("Content-Type", kind), ("Content-Length", str(len(content)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as the library has it
        """Say nothing: a scrape each few seconds is no news."""
