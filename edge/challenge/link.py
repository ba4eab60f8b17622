"""How a person reaches the challenge test of the running service: JSON over a Unix socket.

One datagram each way (SOCK_SEQPACKET, unix(7)), as at the gate. Whoever started a test must stay
connected until it has ended: the kernel tells at once when he is gone, however he went. The service
looks for requests between two items, without waiting.

What comes in may be anything: each message has at most :data:`LONGEST` bytes and holds only known
words, each a printable text within bounds.
"""

import contextlib
import json
import os
import select
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from edge.errors import InputError
from edge.files import remove_socket
from edge.gate.peers import Peer, peer_of
from edge.printing import json_text, printable
from edge.strict_json import read_object

LONGEST = 4096
"""Bytes of one message."""
TEXT_KEPT = 200
"""Characters of a text in a request."""
CALLERS = 8
"""Connections at a time; one more is closed at once."""
REPLY_S = 30.0
"""Longest wait for the service's reply: it may be at work on an item."""
SAYINGS = ("state", "start", "announce", "answer", "abandon", "sign")


@dataclass
class Request:
    """What a person asks for.

    *say*: one of :data:`SAYINGS`. *peer*: who he is, the same object for one connection.
    """

    say: str
    occasion: str = ""
    by: str = ""
    kind: str = ""
    reason: str = ""
    yes: bool = False
    peer: Peer | None = None
    connection: socket.socket | None = None

    def reply(self, fields: dict[str, Any]) -> None:
        """Send the reply; whoever has gone does not hear it."""
        if self.connection is not None:
            with contextlib.suppress(OSError):
                self.connection.send(json_text(fields).encode())


class Link(Protocol):
    """Where the service hears persons; *trouble*: why nobody can reach it, empty if one can."""

    trouble: str

    def requests(self) -> Iterator[Request]:
        """Yield what was asked since the last call, without waiting."""

    def is_there(self, peer: Peer | None) -> bool:
        """Tell whether whoever asked is still connected."""


class Listener:
    """The service's end of the socket at *path*; one that cannot be made is only told.

    Synchronization: one thread.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._socket: socket.socket | None = None
        self._callers: dict[socket.socket, Peer] = {}
        self.trouble = ""
        """Why there is no socket; empty when there is one."""

    def __enter__(self) -> Self:
        if self._path is None or not self._path.parent.is_dir():
            self.trouble = f"{self._path}: there is no folder for the socket"
            return self
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
        try:
            remove_socket(self._path)  # the journal's lock keeps a second service away
            listener.bind(str(self._path))
            self._path.chmod(0o660)
            listener.listen(CALLERS)
            listener.setblocking(False)
        except OSError as error:
            listener.close()
            self.trouble = f"{self._path}: cannot be listened at ({error.strerror or error})"
        else:
            self._socket = listener
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for caller in list(self._callers):
            self._close(caller)
        if self._socket is not None and self._path is not None:
            self._socket.close()
            with contextlib.suppress(OSError):
                remove_socket(self._path)

    def requests(self) -> Iterator[Request]:
        """Yield at most one request of each connection; a malformed one is answered here."""
        self._accept()
        if not self._callers:
            return
        for caller in select.select(list(self._callers), [], [], 0)[0]:
            try:
                datagram = caller.recv(LONGEST + 1)
            except OSError:
                datagram = b""
            if not datagram:
                self._close(caller)
                continue
            try:
                request = read_request(datagram)
            except ValueError as error:
                Request("state", connection=caller).reply({"why": printable(error)})
                continue
            request.peer, request.connection = self._callers[caller], caller
            yield request

    def is_there(self, peer: Peer | None) -> bool:
        """Tell whether whoever asked is still connected."""
        return any(known is peer for known in self._callers.values())

    def _accept(self) -> None:
        while self._socket is not None:
            try:
                caller, _ = self._socket.accept()
            except OSError:  # nobody calls, or has gone
                return
            try:
                peer = peer_of(caller)
            except OSError:
                caller.close()
                continue
            if len(self._callers) >= CALLERS:
                caller.close()
                continue
            caller.setblocking(False)
            self._callers[caller] = peer

    def _close(self, caller: socket.socket) -> None:
        del self._callers[caller]
        caller.close()


def read_request(datagram: bytes) -> Request:
    """Read a request. Raises ValueError that says in one line what is wrong."""
    try:
        said = read_object(datagram.decode(), LONGEST)
    except UnicodeDecodeError:
        raise ValueError("a request must be JSON in UTF-8") from None
    kinds = {"say": str, "occasion": str, "by": str, "kind": str, "reason": str, "yes": bool}
    if said.get("say") not in SAYINGS or not set(said) <= set(kinds):
        raise ValueError(f"a request must say one of {', '.join(SAYINGS)}, and hold known keys")
    for name, value in said.items():
        if type(value) is not kinds[name]:
            raise ValueError(f"{name} must be a {kinds[name].__name__}")
        if isinstance(value, str) and (len(value) > TEXT_KEPT or printable(value) != value):
            raise ValueError(f"{name} must be a printable text of at most {TEXT_KEPT} characters")
    return Request(**{**said, "by": said.get("by", "").strip()})


class Caller:
    """A person's end, for the terminal and for a page.

    Raises InputError when no service listens, or it is gone.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)

    def __enter__(self) -> Self:
        try:
            self._socket.settimeout(REPLY_S)
            self._socket.connect(os.fspath(self._path))
        except OSError as error:
            self._socket.close()
            why = error.strerror or str(error)
            cure = "is the service running, and may you reach it? try again with sudo"
            raise InputError(f"{self._path}: no service listens there ({why}); {cure}") from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()

    def ask(self, say: str, **fields: Any) -> dict[str, Any]:
        """Ask the service, and return its reply: ``why`` is empty when it did as it was asked."""
        try:
            self._socket.send(json.dumps({"say": say, **fields}).encode())
            datagram = self._socket.recv(1 << 16)
        except OSError as error:
            why = error.strerror or str(error)
            raise InputError(f"{self._path}: the service does not answer ({why})") from None
        if not datagram:
            raise InputError(f"{self._path}: the service has hung up; a test that ran has failed")
        return read_object(datagram.decode(), 1 << 16)
