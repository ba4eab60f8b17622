"""``stampgate-edge gate``: the gate as a process of its own, which outlives the eye.

One thread, one event loop: it waits for an edge, a message of the eye, a moment or a signal, and
lets the :class:`~edge.gate.keeper.Keeper` act. Standard library and, where there are wires,
gpiod: no array, no picture.
"""

import fcntl
import os
import selectors
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from edge.clock import MonotonicClock, Stop
from edge.config import Config
from edge.errors import ConfigError
from edge.files import raise_if_no_room
from edge.gate.keeper import Keeper
from edge.gate.lines import Lines
from edge.gate.lines.gpiochip import GpioLines
from edge.gate.lines.simulated import SimulatedLines
from edge.gate.messages import LONGEST, FromEye, FromGate, Hello, Welcome, decode, encode, word_of
from edge.notify import Notifier
from edge.printing import print_line
from edge.reload import Reload, changes
from edge.stopping import stop_on_signals
from edge.wiring import check_gate, gate_warnings

TICK_NS = 500_000_000
"""Longest sleep of the loop, and how often the watchdog is fed, unless it asks for more."""
PENDING_KEPT = 4
"""Most connections that have not sent Hello; of more the oldest is closed."""


def serve_gate(config: Config) -> None:
    """Run the gate until SIGTERM or SIGINT.

    Then what is under way arrives, and every output is SAFE. Raises StampgateError; the outputs are
    SAFE then, too.
    """
    check_gate(config)
    clock = MonotonicClock()
    path = config.path(config.gate.socket)
    with (
        stop_on_signals() as stop,
        Reload(config) as reload,
        Notifier() as notifier,
        listening(path) as listener,
        make_lines(config, clock) as lines,
    ):
        for warning in gate_warnings(config):
            _log(f"warning: {warning}")
        loop = GateLoop(Keeper(config, lines, clock), lines, listener, clock, notifier)
        try:
            loop.run(stop, reload)
        finally:
            loop.close()


def make_lines(config: Config, clock: MonotonicClock) -> Lines:
    """Make the lines that ``[lines]`` asks for."""
    if config.lines.driver == "gpiod":
        return GpioLines(config.lines, config.trigger.debounce_ms)
    record = config.path(config.gate.record) if config.gate.record else None
    inputs = config.path(config.lines.inputs) if config.lines.inputs else None
    return SimulatedLines(clock, record, inputs)


class GateLoop:
    """The event loop of the gate, with its sockets.

    Synchronization: one thread.
    """

    def __init__(
        self,
        keeper: Keeper,
        lines: Lines,
        listener: socket.socket,
        clock: MonotonicClock,
        notifier: Notifier,
    ) -> None:
        self._keeper, self._listener = keeper, listener
        self._clock, self._notifier = clock, notifier
        # select(2) waits to the microsecond; epoll_wait(2) would round up to the next millisecond.
        self._selector = selectors.SelectSelector()
        self._selector.register(listener, selectors.EVENT_READ)
        for fileno in lines.filenos():
            self._selector.register(fileno, selectors.EVENT_READ)
        self._eye: socket.socket | None = None
        self._pending: list[socket.socket] = []
        self._tick_ns = min(TICK_NS, (notifier.watchdog_ns or 4 * TICK_NS) // 4)
        self._fed_ns = clock.now_ns()
        self._trouble = ""

    def run(self, stop: Stop, reload: Reload | None = None) -> None:
        """Run the gate until *stop*, and then until nothing is under way.

        *reload*: None when no signal asks for one.
        """
        self._selector.register(stop, selectors.EVENT_READ)
        self._keeper.begin()
        self._notifier.ready(self._status())
        while not self._keeper.done:
            for key, _ in self._selector.select(self._timeout_s()):
                if key.fileobj is self._listener:
                    self._accept()
                elif isinstance(key.fileobj, socket.socket):
                    self._receive(key.fileobj)
            if stop.reason:
                self._begin_to_stop(stop)
            if reload is not None and reload.take():
                self._take_settings(reload)
            self._keeper.act()
            self._send_outbox()
            self._log_trouble()
            self._feed_watchdog()
        if self._keeper.unsettled:
            _log(f"{self._keeper.unsettled} items passed that no eye has written down")
        for incident in self._keeper.unrecorded:
            about = f"item {incident.tag} of this gate: " if incident.tag else ""
            _log(f"incident in no journal: {incident.what}: {about}{incident.why}")

    def close(self) -> None:
        """Close all connections."""
        for connection in [*self._pending, *([self._eye] if self._eye else [])]:
            connection.close()
        self._selector.close()

    def _timeout_s(self) -> float:
        now_ns, next_ns = self._clock.now_ns(), self._keeper.next_ns()
        until_ns = self._fed_ns + self._tick_ns
        return max(0, min(until_ns, until_ns if next_ns is None else next_ns) - now_ns) / 1e9

    def _begin_to_stop(self, stop: Stop) -> None:
        if stop.fileno() in self._selector.get_map():
            self._selector.unregister(stop)
            self._keeper.stop()
            self._notifier.stopping(stop.reason)

    def _take_settings(self, reload: Reload) -> None:
        """Read the settings again; the settings before still count when the new ones are wrong."""
        self._notifier.reloading(self._clock.now_ns())
        try:
            fresh = reload.read()
        except ConfigError as error:
            _log(f"settings refused, those before go on: {error}")
        else:
            _log(f"settings read again: {changes(reload.running, fresh) or 'nothing has changed'}")
            self._keeper.adopt(fresh)
            reload.running = fresh
        self._notifier.ready(self._status())

    def _feed_watchdog(self) -> None:
        """Feed the watchdog, only here, after everything that was due has been done."""
        if self._clock.now_ns() - self._fed_ns >= self._tick_ns:
            self._fed_ns = self._clock.now_ns()
            self._notifier.alive(self._status())

    def _log_trouble(self) -> None:
        """Log what is wrong whenever that changes."""
        if self._keeper.trouble != self._trouble:
            self._trouble = self._keeper.trouble
            _log(self._trouble or "all well")

    def _status(self) -> str:
        counters, state = self._keeper.counters, self._keeper.trouble or "all well"
        return f"{counters.triggers} items, {counters.thrown} rejected; {state}"

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return  # it has left again
        connection.setblocking(False)
        self._selector.register(connection, selectors.EVENT_READ)
        self._pending.append(connection)
        if len(self._pending) > PENDING_KEPT:
            self._disconnect(self._pending[0], "")

    def _receive(self, connection: socket.socket) -> None:
        """Handle all messages of one connection; a malformed one closes it."""
        try:
            while connection.fileno() >= 0:
                datagram = connection.recv(LONGEST + 1)
                if not datagram:
                    return self._disconnect(connection, "has left")
                self._handle(connection, decode(datagram))
        except ConnectionResetError:
            # It left with messages of ours unread. What it had sent before can still be read.
            return self._receive(connection)
        except BlockingIOError:
            return None
        except OSError as error:
            return self._disconnect(connection, f"is lost ({error.strerror})")
        except ValueError as error:
            self._keeper.malformed()
            return self._disconnect(connection, f"is hung up on: {error}")
        return None

    def _handle(self, connection: socket.socket, message: FromEye | FromGate) -> None:
        if connection is self._eye and isinstance(message, FromEye):
            self._keeper.handle(message)
            self._send_outbox()
        elif connection is not self._eye and isinstance(message, Hello):
            self._handle_hello(connection, message)
        else:
            raise ValueError(f"{word_of(message)} is out of place here")

    def _handle_hello(self, connection: socket.socket, hello: Hello) -> None:
        reply = self._keeper.accept_eye(hello)
        with suppress(OSError):  # one that has gone already is noticed on the next read
            connection.send(encode(reply))
        if isinstance(reply, Welcome):
            self._pending.remove(connection)
            self._eye = connection
            _log("an eye is connected")
            self._send_outbox()
        else:
            _log(f"an eye was refused: {reply.why}")
            self._disconnect(connection, "")

    def _send_outbox(self) -> None:
        """Send the outbox; an eye that takes no more messages is disconnected."""
        while self._eye is not None and self._keeper.outbox:
            try:
                self._eye.send(encode(self._keeper.outbox[0]))
            except OSError as error:
                self._disconnect(self._eye, f"takes no more messages ({error.strerror})")
            else:
                self._keeper.outbox.popleft()

    def _disconnect(self, connection: socket.socket, why: str) -> None:
        self._selector.unregister(connection)
        connection.close()
        if connection is self._eye:
            self._eye = None
            self._keeper.eye_lost()
            _log(f"the eye {why}; what it had not settled is rejected")
        else:
            self._pending.remove(connection)


@contextmanager
def listening(path: Path) -> Iterator[socket.socket]:
    """Listen at *path*; a socket that a killed gate left there is replaced.

    Raises ConfigError, and GateError when there is no room for it: that may be over at the next
    start.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
    lock = -1
    try:
        try:
            lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink(missing_ok=True)
            listener.bind(str(path))
            path.chmod(0o660)
            listener.listen(PENDING_KEPT)
            listener.setblocking(False)
        except OSError as error:
            raise_if_no_room(error, path, "the gate's socket")
            why = "another gate listens there" if isinstance(error, BlockingIOError) else str(error)
            raise ConfigError(
                f"{path}: [gate] socket must be where a socket can be made ({why}); "
                "stop the other, or name another"
            ) from None
        yield listener
        path.unlink(missing_ok=True)
    finally:
        listener.close()
        if lock >= 0:
            os.close(lock)


def _log(line: str) -> None:
    """Log a line on stderr."""
    print_line(f"stampgate-edge gate: {line}", file=sys.stderr, flush=True)
