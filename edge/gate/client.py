"""The eye's end of the link: the gate process as a :class:`~edge.gate.Gate`, and its items.

A gate that is damaged or hostile cannot keep the eye waiting, fill its memory or reach its journal
with what is no message: it is a lost gate, as is one of a user that may not be it.
"""

import select
import socket
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self, TypeVar, cast, get_args

from edge.clock import Clock, Stop
from edge.errors import GateError
from edge.gate.messages import (
    LONGEST,
    RUN,
    VERSION,
    Answer,
    Answered,
    Beat,
    Beaten,
    Expect,
    Expected,
    FromEye,
    FromGate,
    Hello,
    Incident,
    ItemSeen,
    Missed,
    Recorded,
    Refused,
    Settle,
    Welcome,
    Withdraw,
    decode,
    encode,
)
from edge.gate.peers import TrustedUsers, peer_of
from edge.gate.rejects import Outcome

REPLY_TIMEOUT_NS = 2 * 10**9
"""Longest wait for the gate's reply, which takes well under a millisecond when all is well."""
AGAIN_NS = 10_000_000
"""Pause before a gate with too many callers is called again, nanoseconds."""
KEPT = 10_000
"""Most messages kept for later; a sound gate has no more items."""
READ_AT_ONCE = 1000
"""Most messages read before something else is looked at."""
T = TypeVar("T", bound=FromGate)


class Written(Protocol):
    """Tells what the journal holds of a gate's items and incidents."""

    def holds_item(self, run: str, tag: int, t_ns: int) -> bool:
        """Tell whether there is a record of that item of the gate *run*; *t_ns*: its trigger."""

    def holds_incident(self, run: str, number: int) -> bool:
        """Tell whether there is a record of that incident of the gate *run*."""


class NothingWritten:
    """A journal that holds nothing."""

    def holds_item(self, run: str, tag: int, t_ns: int) -> bool:  # noqa: ARG002
        """Tell that there is no record."""
        return False

    def holds_incident(self, run: str, number: int) -> bool:  # noqa: ARG002
        """Tell that there is no record."""
        return False


class RemoteGate:
    """Client of ``stampgate-edge gate`` on the socket *path*.

    *trigger*: the ``[trigger] kind`` of the settings; the gate must have been started with the
    same. When the gate is gone every call raises GateError: what it was not told to let pass is
    rejected, and this process should end.

    *written*: tells what the journal holds already. An eye may be killed between writing an item
    down and settling it; the gate reports it to the next eye, which only settles it.

    *user*: whose process may be the gate, beside root's and this one's own user's. *mode*: the
    ``[service] mode``, which must be the gate's, too.

    Synchronization: one thread.
    """

    def __init__(
        self,
        path: Path,
        trigger: str,
        clock: Clock,
        written: "Written | None" = None,
        user: str = "",
        mode: str = "run",
    ) -> None:
        self._path, self._trigger, self._clock, self._written = (
            path,
            trigger,
            clock,
            written or NothingWritten(),
        )
        self._users, self._mode = TrustedUsers(user), mode
        self._socket: socket.socket | None = None
        self._seen: deque[ItemSeen] = deque()
        self._missed: deque[Missed] = deque()
        self._incidents: list[Incident] = []
        self._trouble = self._hold = ""
        self._run = ""
        self._beaten = Beaten({}, "")

    def __enter__(self) -> Self:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
        try:
            self._connect()
        except BaseException:
            self._socket.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._socket is not None
        with suppress(GateError):  # its last counters go into the stop record
            self.check()
        self._socket.close()
        self._incidents = []  # the gate keeps them for the next eye

    def expect(self, sequence: int, t_trigger_ns: int) -> int:  # noqa: ARG002 - the gate counts
        """Announce an item that the eye saw come, and return the gate's tag for it."""
        self._send(Expect(t_trigger_ns))
        return self._reply(Expected).tag

    def answer(self, tag: int, *, cancel: bool) -> Outcome:
        """Answer for an item and return what that did."""
        self._send(Answer(tag, cancel))
        answered = self._reply(Answered)
        if answered.tag != tag or answered.outcome not in get_args(Outcome):
            raise self.lost(f"it answered {answered} for item {tag}")
        return cast(Outcome, answered.outcome)

    def settle(self, tag: int, *, written: bool) -> None:
        """Tell the gate that the item's record is *written*, or else take its cancellation back."""
        self._send(Settle(tag) if written else Withdraw(tag))

    def incidents(self) -> list[Incident]:
        """Return the incidents that the gate has reported since the last call."""
        incidents, self._incidents = self._incidents, []
        return incidents

    def recorded(self, incident: Incident) -> None:
        """Tell the gate that the incident is written down; it reports the next."""
        self._send(Recorded(incident.number))

    def show_fault(self, trouble: str) -> None:
        """Show *trouble* on the FAULT output; a changed text is sent at once, with a heartbeat."""
        if trouble != self._trouble:
            self._trouble = trouble
            self.check()

    def hold(self, why: str) -> None:
        """Let READY rest as long as *why* is not empty; a changed text is sent at once.

        Before the gate is connected it is kept for the first word to it.
        """
        if why != self._hold:
            self._hold = why
            if self._socket is not None:
                self.check()

    def check(self) -> None:
        """Exchange heartbeats with the gate."""
        self._send(Beat(self._trouble, self._hold))
        self._beaten = self._reply(Beaten)

    @property
    def facts(self) -> Mapping[str, object]:
        """The gate's counters and trouble as last heard, and its *run*, whose tags begin at 1."""
        ours = {"run": self._run, "trouble": self._beaten.trouble}
        return ours | {k: n for k, n in self._beaten.counters.items() if k not in ours}

    def next_item(self, until_ns: int, stop: Stop) -> ItemSeen | Missed | None:
        """Wait until *until_ns* for an item, and return it; None when none came.

        One at the photo-eye comes before any that has passed.
        """
        assert self._socket is not None
        while True:
            for _ in range(READ_AT_ONCE):
                if not self._readable(0, None):
                    break
                self._keep(self._receive())
            if self._seen:
                return self._seen.popleft()
            if self._missed:
                return self._missed.popleft()
            left_ns = until_ns - self._clock.now_ns()
            if stop.reason or left_ns <= 0:
                return None
            self._readable(left_ns, stop)

    def _connect(self) -> None:
        assert self._socket is not None
        try:
            self._socket.settimeout(REPLY_TIMEOUT_NS / 1e9)
            self._call(self._socket)
            peer = peer_of(self._socket)
        except OSError as error:
            raise GateError(
                f"{self._path}: no gate listens there ({error.strerror or error}); "
                "start 'stampgate-edge gate' first"
            ) from None
        if peer not in self._users:
            raise GateError(
                f"{self._path}: {peer} may not be the gate; it must run as root, as this user, or "
                "as that of [gate] gate_user"
            )
        with suppress(GateError):  # one that hangs up at once has said why
            self._send(Hello(VERSION, self._trigger, self._mode, self._hold))
        reply = self._next_message(self._reply_by())
        if isinstance(reply, Refused):
            raise GateError(f"{self._path}: the gate does not take this eye: {reply.why}")
        if not isinstance(reply, Welcome):
            raise self.lost(f"it said {reply} in place of a welcome")
        if reply.version != VERSION or not RUN.fullmatch(reply.run):
            raise self.lost(f"it said {reply}, which no gate of version {VERSION} says")
        if reply.mode != self._mode:
            raise self.lost(f"its [service] mode is {reply.mode!r}, not {self._mode!r}")
        self._run = reply.run

    def _call(self, caller: socket.socket) -> None:
        """Connect; again while too many others call the gate. Raises OSError."""
        until_ns = self._reply_by()
        while True:
            try:
                return caller.connect(str(self._path))
            except BlockingIOError:
                if self._clock.now_ns() >= until_ns:
                    raise
                self._clock.sleep_until(self._clock.now_ns() + AGAIN_NS)

    def _reply_by(self) -> int:
        """Return until when the gate must have replied."""
        return self._clock.now_ns() + REPLY_TIMEOUT_NS

    def _reply(self, kind: type[T]) -> T:
        """Wait for the reply to a request; items that come before it are kept."""
        until_ns = self._reply_by()
        while not isinstance(message := self._next_message(until_ns), kind):
            self._keep(message)
        return message

    def _next_message(self, until_ns: int) -> FromGate:
        """Wait for a message; however much the gate says, the wait ends at *until_ns*."""
        left_ns = until_ns - self._clock.now_ns()
        if left_ns <= 0 or not self._readable(left_ns, None):
            raise self.lost(f"it gave no reply for {REPLY_TIMEOUT_NS / 1e9:g} s")
        return self._receive()

    def _keep(self, message: FromGate) -> None:
        if len(self._seen) + len(self._missed) + len(self._incidents) >= KEPT:
            raise self.lost(f"it has reported {KEPT} items and incidents that nobody took yet")
        run = message.run if isinstance(message, Missed | Incident) else ""
        if run and not RUN.fullmatch(run):
            raise self.lost(f"it said {message}, of a gate that cannot be")
        match message:
            case ItemSeen():
                self._seen.append(message)
            case Missed() if self._written.holds_item(
                message.run or self._run, message.seen_as or message.tag, message.t_ns
            ):
                self.settle(message.tag, written=True)
            case Missed():
                self._missed.append(message)
            case Incident() if self._written.holds_incident(
                message.run or self._run, message.number
            ):
                self.recorded(message)
            case Incident():
                self._incidents.append(message)
            case _:
                raise self.lost(f"it said {message}, which nobody had asked")

    def _readable(self, timeout_ns: int, stop: Stop | None) -> bool:
        """Wait for a message, or *stop*; return True for a message."""
        assert self._socket is not None
        waited: list[socket.socket | Stop] = [self._socket, *([stop] if stop is not None else [])]
        return self._socket in select.select(waited, [], [], max(0, timeout_ns) / 1e9)[0]

    def _receive(self) -> FromGate:
        assert self._socket is not None
        try:
            try:
                datagram = self._socket.recv(LONGEST + 1)
            except ConnectionResetError:  # it left with ours unread; what it had said comes next
                datagram = self._socket.recv(LONGEST + 1)
            message = decode(datagram) if datagram else None
        except OSError as error:
            raise self.lost(error.strerror or str(error)) from None
        except ValueError as error:
            raise self.lost(str(error)) from None
        if message is None:
            raise self.lost("it has hung up")
        if isinstance(message, FromEye):
            raise self.lost(f"it said {message}, which is the eye's to say")
        return message

    def _send(self, message: FromEye) -> None:
        assert self._socket is not None
        try:
            self._socket.send(encode(message))
        except OSError as error:
            raise self.lost(error.strerror or str(error)) from None

    def lost(self, why: str) -> GateError:
        """Hang up, and make the error that says why this gate cannot be trusted any more.

        It may have let an item pass of whose answer nothing was heard: once we are gone it rejects
        what is not settled, and nothing can be settled any more.
        """
        assert self._socket is not None
        with suppress(OSError):  # it was never connected, or has gone
            self._socket.shutdown(socket.SHUT_RDWR)
        return GateError(
            f"{self._path}: the gate is lost: {why}; it rejects what it was not told to let pass"
        )
