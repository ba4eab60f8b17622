"""``stampgate-edge gate``: the gate as a process of its own, which outlives the eye.

One thread, one event loop: it waits for an edge, a message of the eye, a moment or a signal, and
lets the :class:`~edge.gate.keeper.Keeper` act. Standard library and, where there are wires,
gpiod: no array, no picture.

A due pulse is never late because somebody talks: after each wait the loop takes at most one new
connection and one message of each, then does what is due, and then waits again. Nothing that others
send makes it wait: not for a line of its log, not for room in a socket.
"""

import fcntl
import os
import selectors
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from edge.clock import MonotonicClock, Stop, boot_id
from edge.config import Config
from edge.errors import ConfigError
from edge.files import NO_ROOM, give_to_owner, raise_if_no_room, remove_socket
from edge.gate.debts import Debts
from edge.gate.keeper import Keeper
from edge.gate.lines import Lines
from edge.gate.lines.gpiochip import GpioLines
from edge.gate.lines.simulated import SimulatedLines
from edge.gate.log import STDERR, Log
from edge.gate.messages import (
    LONGEST,
    FromEye,
    FromGate,
    Hello,
    Refused,
    Welcome,
    decode,
    encode,
    word_of,
)
from edge.gate.peers import Peer, TrustedUsers, peer_of
from edge.process.notify import Notifier
from edge.process.stopping import stop_on_signals
from edge.reload import Reload, changes
from edge.wiring import check_for_gate, gate_warnings

TICK_NS = 500_000_000
"""Longest sleep of the loop, and how often the watchdog is fed, unless it asks for more."""
PENDING_KEPT = 4
"""Most connections that have not sent Hello; of more the oldest is closed."""
BACKLOG = 64
"""Connections that wait to be accepted, one after the other; with more the kernel refuses the eye,
which then calls again."""
NO_ROOM_NS = 250_000_000
"""For so long no connection is accepted after one for which there was no file descriptor."""
TOLD_NS = 5 * 10**9
"""For so long after that it is told as a trouble."""
CROWDED = "there is no file descriptor for another connection"


def serve_gate(config: Config) -> None:
    """Run the gate until SIGTERM or SIGINT.

    Then what is under way arrives, and every output is SAFE. Raises StampgateError; the outputs are
    SAFE then, too.
    """
    check_for_gate(config)
    clock = MonotonicClock()
    path = config.path(config.gate.socket)
    with (
        stop_on_signals() as stop,
        Reload(config) as reload,
        Notifier() as notifier,
        listening(path) as listener,
        make_lines(config, clock) as lines,
    ):
        keeper, users = Keeper(config, lines, clock), TrustedUsers(config.gate.eye_user)
        debts = make_debts(config)
        keeper.take_over(debts, boot_id())
        loop = GateLoop(keeper, lines, listener, clock, notifier, users)
        loop.name = config.service.name
        for warning in gate_warnings(config):
            loop.log.say(f"warning: {warning}")
        try:
            loop.run(stop, reload)
        finally:
            loop.close()
            debts.close()


def make_debts(config: Config) -> Debts:
    """Make the file of what the gate owes: beside its socket, and at its end on the disk.

    The eye may write beside the socket, too: what it has put there is not what a gate owed.
    """
    socket_path = config.path(config.gate.socket)
    rest = config.path(config.gate.debts) if config.gate.debts else None
    beside = socket_path.with_name(f"{socket_path.name}.debts")
    for path in (beside, beside.with_name(f".{beside.name}.new")):
        _clear_of_others(path)
    return Debts(beside, rest)


def make_lines(config: Config, clock: MonotonicClock) -> Lines:
    """Make the lines that ``[lines]`` asks for."""
    if config.lines.driver == "gpiod":
        return GpioLines(config.lines, config.trigger.debounce_ms)
    record = config.path(config.gate.record) if config.gate.record else None
    inputs = config.path(config.lines.inputs) if config.lines.inputs else None
    return SimulatedLines(clock, record, inputs)


class GateLoop:
    """The event loop of the gate, with its sockets.

    *users*: those whose process may be the eye; *stream*: the descriptor that its lines go to.

    Synchronization: one thread.
    """

    def __init__(
        self,
        keeper: Keeper,
        lines: Lines,
        listener: socket.socket,
        clock: MonotonicClock,
        notifier: Notifier,
        users: TrustedUsers,
        stream: int = STDERR,
    ) -> None:
        self.log = Log(clock, stream)
        self.name = ""
        """Name of line and station, in front of what is wrong; empty for none."""
        self._talk = Log(clock, stream)
        """What others bring about: however much that is, the lines of the gate's own are kept."""
        self._keeper, self._listener, self._users = keeper, listener, users
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
        self._crowded_ns: int | None = None
        self._listens = True

    def run(self, stop: Stop, reload: Reload | None = None) -> None:
        """Run the gate until *stop*, and then until nothing is under way.

        *reload*: None when no signal asks for one.
        """
        self._selector.register(stop, selectors.EVENT_READ)
        self._keeper.begin()
        self._notifier.ready(self._status())
        while not self._keeper.done:
            self._hear(self._timeout_s())
            if stop.reason:
                self._begin_to_stop(stop)
            if reload is not None and reload.take():
                self._take_settings(reload)
            self._keeper.act()
            self._send_outbox()
            self._log_trouble()
            self._feed_watchdog()
        if self._keeper.unsettled:
            said = f"{self._keeper.unsettled} items passed that no eye has written down"
            self.log.say(f"{said}; the next gate reports them", always=True)
        for incident in self._keeper.unrecorded:
            about = f"item {incident.tag} of this gate: " if incident.tag else ""
            what = f"incident in no journal: {incident.what}: {about}{incident.why}"
            self.log.say(what, always=True)

    def _hear(self, timeout_s: float) -> None:
        """Wait at most *timeout_s*, then take one message of each connection that has one."""
        for key, _ in self._selector.select(timeout_s):
            if key.fileobj is self._listener:
                self._accept()
            elif isinstance(key.fileobj, socket.socket):
                self._receive(key.fileobj)
        self._listen_again()

    def close(self) -> None:
        """Close all connections."""
        for connection in [*self._pending, *([self._eye] if self._eye else [])]:
            connection.close()
        self._selector.close()

    def _timeout_s(self) -> float:
        now_ns, next_ns = self._clock.now_ns(), self._keeper.next_ns()
        until_ns = self._fed_ns + self._tick_ns
        if not self._listens and self._crowded_ns is not None:
            until_ns = min(until_ns, self._crowded_ns + NO_ROOM_NS)
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
            self.log.say(f"settings refused, those before go on: {error}")
        else:
            changed = changes(reload.running, fresh) or "nothing has changed"
            self.log.say(f"settings read again: {changed}")
            self._keeper.adopt(fresh)
            reload.running = fresh
        self._notifier.ready(self._status())

    def _feed_watchdog(self) -> None:
        """Feed the watchdog, only here, after everything that was due has been done."""
        if self._clock.now_ns() - self._fed_ns >= self._tick_ns:
            self._fed_ns = self._clock.now_ns()
            self._notifier.alive(self._status())

    def _log_trouble(self) -> None:
        """Log what is wrong whenever that changes; later, when there were too many lines."""
        trouble = self._keeper.trouble
        if trouble != self._trouble and self._talk.say(self._named(trouble or "all well")):
            self._trouble = trouble

    def _status(self) -> str:
        counters, state = self._keeper.counters, self._keeper.trouble or "all well"
        thrown = f"{counters.thrown} rejected"
        if self._keeper.is_shadow:
            thrown = f"{counters.withheld} would be rejected, in shadow"
        return self._named(f"{counters.triggers} items, {thrown}; {state}")

    def _named(self, text: str) -> str:
        return f"{self.name}: {text}" if self.name else text

    def _accept(self) -> None:
        """Take one connection, of a user that may be the eye; of too many the oldest is closed."""
        try:
            connection, _ = self._listener.accept()
        except OSError as error:
            if error.errno in NO_ROOM:
                self._pause_listening()
            return  # else it has left again
        connection.setblocking(False)
        if (peer := peer_of(connection)) not in self._users:
            self._refuse(connection, peer)
            return
        self._selector.register(connection, selectors.EVENT_READ)
        self._pending.append(connection)
        if len(self._pending) > PENDING_KEPT:
            oldest = self._pending[0]
            self._receive(oldest)  # it may have said hello meanwhile
            if oldest in self._pending:
                self._disconnect(oldest, "")

    def _refuse(self, connection: socket.socket, peer: Peer) -> None:
        """Hang up on a user that may not be the eye, and say why."""
        why = (
            f"{peer} may not be the eye; it must run as root, as the gate's own user, or as that "
            "of [gate] eye_user"
        )
        self._keeper.refuse(why)
        with suppress(OSError):
            connection.send(encode(Refused(why)))
        connection.close()
        self._talk.say(f"an eye was refused: {why}")

    def _pause_listening(self) -> None:
        """Accept nothing for a while: to try again at once would keep the processor busy."""
        self._crowded_ns = self._clock.now_ns()
        self._keeper.crowded = CROWDED
        self._selector.unregister(self._listener)
        self._listens = False

    def _listen_again(self) -> None:
        """Accept connections again when the pause is over; the trouble is told for longer."""
        if self._crowded_ns is None:
            return
        since_ns = self._clock.now_ns() - self._crowded_ns
        if not self._listens and since_ns >= NO_ROOM_NS:
            self._selector.register(self._listener, selectors.EVENT_READ)
            self._listens = True
        if since_ns >= TOLD_NS:
            self._crowded_ns, self._keeper.crowded = None, ""

    def _receive(self, connection: socket.socket) -> None:
        """Handle one message of a connection; a malformed one closes it.

        Only one: others must not wait, and nothing that is due.
        """
        if connection.fileno() < 0:
            return  # it was closed for the sake of another
        try:
            datagram = connection.recv(LONGEST + 1)
            if datagram:
                self._handle(connection, decode(datagram))
            else:
                self._disconnect(connection, "has left")
        except (BlockingIOError, ConnectionResetError):
            pass  # reset: it left with messages of ours unread; what it had sent is read next
        except OSError as error:
            self._disconnect(connection, f"is lost ({error.strerror})")
        except ValueError as error:
            self._keeper.malformed()
            self._disconnect(connection, f"is hung up on: {error}")

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
            self._talk.say("an eye is connected")
            self._send_outbox()
        else:
            self._talk.say(f"an eye was refused: {reply.why}")
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
            self._talk.say(f"the eye {why}; what it had not settled is rejected")
        else:
            self._pending.remove(connection)
            if why.startswith("is hung up on"):
                self._talk.say(f"a connection {why}")


@contextmanager
def listening(path: Path) -> Iterator[socket.socket]:
    """Listen at *path*; a socket that a killed gate left there is replaced.

    What another user has put there, where the folder is the gate's own, is renamed. Raises
    ConfigError when anything else lies there, and GateError when there is no room for the socket:
    that may be over at the next start.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
    lock = -1
    try:
        try:
            lock = _open_lock(path.with_name(f"{path.name}.lock"))
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_planted(path):
                _move_aside(path)
            remove_socket(path)
            listener.bind(str(path))
            path.chmod(0o660)
            listener.listen(BACKLOG)
            listener.setblocking(False)
        except OSError as error:
            raise_if_no_room(error, path, "the gate's socket")
            why, cure = error.strerror or str(error), "move it away, or name another"
            if isinstance(error, BlockingIOError):
                why, cure = "another gate listens there", "stop the other, or name another"
            raise ConfigError(
                f"{path}: [gate] socket must be where a socket can be made ({why}); {cure}"
            ) from None
        yield listener
        with suppress(OSError):
            remove_socket(path)
    finally:
        listener.close()
        if lock >= 0:
            os.close(lock)


def _open_lock(path: Path) -> int:
    """Open the file that only one gate can lock: a regular file of this user, else it is replaced.

    The eye may write in the same folder; a lock that it holds, or a link that it has put there,
    must not keep the gate from its work. Raises OSError.
    """
    _clear_of_others(path)
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    descriptor = os.open(path, flags, 0o600)
    give_to_owner(descriptor, path.absolute().parent)
    return descriptor


def _is_ours(path: Path) -> bool:
    """Return whether a regular file of this process's user lies at *path*. Raises OSError.

    For root, whose files belong to the owner of their folder, also one of his.
    """
    found, ours = os.lstat(path), {os.geteuid()}
    if os.geteuid() == 0:
        ours.add(path.absolute().parent.stat().st_uid)
    return stat.S_ISREG(found.st_mode) and found.st_uid in ours


def _is_planted(path: Path) -> bool:
    """Return whether another user, as the eye, has put something into this user's folder.

    Root's folders are everybody's, as /tmp, so there nothing is.
    """
    user = os.geteuid()
    try:
        found = os.lstat(path)
    except OSError:
        return False
    mine = path.absolute().parent.stat().st_uid == user != 0
    return mine and found.st_uid not in (user, 0) and not stat.S_ISSOCK(found.st_mode)


def _clear_of_others(path: Path) -> None:
    """Make way at *path*, unless there lies a regular file of this user, or nothing."""
    with suppress(OSError):
        if not _is_ours(path):
            _move_aside(path)


def _move_aside(path: Path) -> None:
    """Make way at *path* by another name: it may be anybody's, so nothing is removed.

    Raises OSError.
    """
    path.rename(path.with_name(f".{path.name}.{time.monotonic_ns()}"))
