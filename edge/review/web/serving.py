"""``stampgate-edge review``: opens the store, and serves the pages until it is told to stop."""

import argparse
import asyncio
import contextlib
import logging
import socket
import threading
from collections.abc import Iterator

import uvicorn

from edge.clock import Stop
from edge.config import Config
from edge.errors import ConfigError, InputError
from edge.printing import print_error, print_line
from edge.process.notify import Notifier
from edge.process.stopping import stop_on_signals
from edge.process.web_origin import is_loopback
from edge.review.web.application import make_application
from edge.review.web.desk import Desk, open_desk

PROGRAM = "stampgate-edge review"
FOLLOW_S = 1.0
"""Time between two looks for what is new in the journal, seconds."""
MOST_LINES = 5000
"""Lines that are taken in at one look, so that a page waits little while an index is made."""
MOST_CONNECTIONS = 128
CLOSING_S = 3


def serve(config: Config, arguments: argparse.Namespace) -> int:  # noqa: ARG001 - as asked
    """Serve the pages until SIGINT or SIGTERM. Raises ConfigError, InputError."""
    _check(config)
    with stop_on_signals() as stop, open_desk(config) as desk, Notifier() as notifier:
        listener = listen(config)
        with contextlib.closing(listener), _following(desk):
            server = make_server(desk)
            thread = threading.Thread(
                target=run_server, args=(server, listener), name="review page"
            )
            thread.start()
            try:
                _say_where(config, desk, listener.getsockname()[1])
                notifier.ready("the review page is served")
                _wait(stop, thread)
            finally:
                server.should_exit = True
                thread.join()
    return 0


def _check(config: Config) -> None:
    """Refuse settings that would show passwords or believe anybody. Raises ConfigError."""
    review = config.review
    if review.https and not is_loopback(review.host):
        raise ConfigError(
            f"{config.source}: [review] host must be 127.0.0.1 with https, not {review.host!r}: "
            "the proxy that speaks TLS runs on this box; change one of the two"
        )


def listen(config: Config) -> socket.socket:
    """Bind a socket to the address of the settings. Raises InputError."""
    host, port = config.review.host, config.review.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise InputError(
            f"{host} port {port}: cannot be listened on ({error.strerror or error}); "
            "name others in [review] host and port"
        ) from None
    return listener


def make_server(desk: Desk) -> uvicorn.Server:
    """Make the server of the pages."""
    _say_warnings()
    settings = uvicorn.Config(
        make_application(desk),
        http="h11",
        ws="none",
        lifespan="off",
        interface="asgi3",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=10,
        timeout_graceful_shutdown=CLOSING_S,
    )
    return uvicorn.Server(settings)


def run_server(server: uvicorn.Server, listener: socket.socket) -> None:
    """Serve until told to stop, in this thread: the signals stay with the main one."""
    asyncio.run(server.serve([listener]))


@contextlib.contextmanager
def _following(desk: Desk) -> Iterator[None]:
    """Take in what is new in the journal, once a second, while the block runs."""
    ending = threading.Event()

    def follow() -> None:
        said = ""
        while not ending.is_set():
            trouble, taken = "", 0
            try:
                taken = desk.store.index.catch_up(MOST_LINES)
                desk.tick()
            except OSError as error:
                trouble = str(error)
            if trouble and trouble != said:
                print_error(PROGRAM, trouble)
            said = trouble
            ending.wait(0.01 if taken >= MOST_LINES else FOLLOW_S)

    thread = threading.Thread(target=follow, name="follow", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join()


def _wait(stop: Stop, thread: threading.Thread) -> None:
    while thread.is_alive() and not stop.wait(0.5):
        pass


def _say_where(config: Config, desk: Desk, port: int) -> None:
    host = config.review.host
    name = f"[{host}]" if ":" in host else host
    print_line(f"review: http://{name}:{port}/; Ctrl-C ends", flush=True)
    if not desk.store.users.all():
        print_error(PROGRAM, "nobody may log in yet; make one: stampgate-edge review user add NAME")
    if not is_loopback(host):
        print_error(
            PROGRAM,
            f"warning: {host} can be reached from the network, and passwords go there unencrypted; "
            "better a proxy with TLS on this box, with [review] https = true",
        )


class _OneLine(logging.Handler):
    """Prints what uvicorn warns of as one line."""

    def emit(self, record: logging.LogRecord) -> None:
        print_error(PROGRAM, record.getMessage())


def _say_warnings() -> None:
    logger = logging.getLogger("uvicorn")
    logger.setLevel(logging.WARNING)
    logger.propagate = False
    if not logger.handlers:
        logger.addHandler(_OneLine())
