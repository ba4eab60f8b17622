"""``stampgate-edge aim``: a live picture with its figures, for whoever aims and focuses the camera.

Run while the service is stopped; the page is at 127.0.0.1, and from another computer it is reached
by ``ssh -L``.
"""

import argparse
import sys

from edge.aiming.aimer import Aimer
from edge.aiming.opening import check_camera_free, open_model
from edge.aiming.saving import RegionSaver
from edge.aiming.server import AimServer, serving
from edge.aiming.terminal import TerminalLine
from edge.clock import Clock, MonotonicClock, Stop
from edge.commands import add_config, config_of
from edge.printing import print_line
from edge.process.stopping import stop_on_signals
from edge.process.web_origin import is_loopback

HOST, PORT = "127.0.0.1", 8377


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command and its options."""
    parser.description = (
        "Show the live picture with focus, exposure, shake and marks on a page of this box, and "
        "draw the region there. Refused while the service runs. From another computer: "
        f"ssh -L {PORT}:{HOST}:{PORT} USER@BOX, then open the address that is printed. Ctrl-C ends."
    )
    add_config(parser)
    add = parser.add_argument
    add("--terminal", action="store_true", help="no page: the figures in this terminal")
    add(
        "--host",
        default=HOST,
        help="address to listen on (default: %(default)s, this box alone); any other shows the "
        "picture, not encrypted, to whoever has the link that is printed",
    )
    add("--port", type=_port, default=PORT, help="default: %(default)s; 0 for a free one")


def run(arguments: argparse.Namespace) -> int:
    """Aim until SIGINT or SIGTERM. Raises StampgateError."""
    config = config_of(arguments)
    check_camera_free(config, "aim")
    clock = MonotonicClock()
    with stop_on_signals() as stop:
        aimer = Aimer(config, clock, open_model(config, "aim"))
        aimer.about_model(config)  # refuses rules that do not fit it
        if arguments.terminal:
            _in_terminal(aimer, clock, stop)
            return 0
        assert config.source is not None
        server = AimServer(
            arguments.host, arguments.port, aimer, RegionSaver(config.source, aimer, clock)
        )
        with serving(server):
            _say_where(server, arguments.host)
            aimer.run(stop)
    return 0


def _in_terminal(aimer: Aimer, clock: Clock, stop: Stop) -> None:
    line = TerminalLine(clock)
    try:
        aimer.run(stop, line.show)
    finally:
        line.end()


def _say_where(server: AimServer, host: str) -> None:
    port = server.server_port
    if is_loopback(host):
        print_line(
            f"aim: {server.link} (from another computer: ssh -L {port}:127.0.0.1:{port} USER@BOX "
            "first); Ctrl-C ends",
            flush=True,
        )
        return
    print_line(
        f"aim: warning: {host} can be reached from the network: what the camera sees is sent there "
        "unencrypted, and who has the link may save the region; ssh -L keeps it to yourself",
        sys.stderr,
        flush=True,
    )
    print_line(f"aim: {server.link} opens once, in one browser; Ctrl-C ends", flush=True)


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text[:6]) > 65_535:
        raise argparse.ArgumentTypeError(f"must be a number of 0 to 65535, not {text!r}")
    return int(text)
