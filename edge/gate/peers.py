"""Who is at the other end of the gate's socket: the kernel tells, no message has to be believed."""

import contextlib
import os
import pwd
import socket
import struct
from dataclasses import dataclass

_UCRED = struct.Struct("=iII")
"""``struct ucred`` of unix(7): process, user, group."""


@dataclass(frozen=True)
class Peer:
    """The process and user at the other end of a connection, as they were when it was made."""

    pid: int
    uid: int

    def __str__(self) -> str:
        """Name them by their numbers: a look-up of the name might wait for another computer.

        >>> print(Peer(7, 1000))
        process 7 of user 1000
        """
        return f"process {self.pid} of user {self.uid}"


def peer_of(connection: socket.socket) -> Peer:
    """Return who connected, or listens, at the other end (SO_PEERCRED, unix(7)). Raises OSError."""
    packed = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    pid, uid, _ = _UCRED.unpack(packed)
    return Peer(pid, uid)


class TrustedUsers:
    """The users that may be at the other end: root, this process's own, and the one *name*.

    A name that this computer does not have is nobody's: so one settings file serves a box with two
    users and a desk with one. It is looked up once.
    """

    def __init__(self, name: str) -> None:
        self._uids = {0, os.geteuid()}
        with contextlib.suppress(KeyError, ValueError):  # ValueError: a zero byte in the name
            self._uids.add(pwd.getpwnam(name).pw_uid)

    def __contains__(self, peer: Peer) -> bool:
        return peer.uid in self._uids
