"""A web server for a few readers: some requests at once, no more, and no name server is asked."""

import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from edge.printing import print_line


class SmallServer(ThreadingHTTPServer):
    """Answers each request in a thread of its own.

    Synchronization: what handlers share does its own.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(
        self, host: str, port: int, handler: type[BaseHTTPRequestHandler], most: int, what: str
    ) -> None:
        """Listen on *host* and *port*, 0 for a free one.

        *most*: requests at a time, of which a further one is closed at once; *what*: how a line
        about an error that nobody foresaw begins. Raises OSError or OverflowError.
        """
        self._free, self._what = threading.BoundedSemaphore(most), what
        self.request_queue_size = most
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), handler)

    def server_bind(self) -> None:
        """Bind, without asking a name server for our name, which may take a minute."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread of its own, or close at once where too many are at it."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer one request, and let the next in."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - as asked
        """Say in one line what nobody foresaw; that a reader is gone is nothing to tell."""
        error = sys.exc_info()[1]
        if not isinstance(error, ConnectionError | TimeoutError):
            line = f"{self._what}: not foreseen in a request: {type(error).__name__}: {error}"
            print_line(line, sys.stderr, flush=True)
