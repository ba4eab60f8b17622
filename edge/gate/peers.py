"""Who is at the other end of the gate's socket: the kernel tells, no message has to be believed."""

import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge.files import read_bounded

_UCRED = struct.Struct("=iII")
"""``struct ucred`` of unix(7): process, user, group."""
PASSWD = Path("/etc/passwd")
LONGEST = 1 << 20
"""Bytes of that file which are read."""


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
    users and a desk with one. It is looked up once, in ``/etc/passwd`` alone, where the package has
    put it: getpwnam(3) would take 0.7 MB of the gate's memory and may ask other computers.
    """

    def __init__(self, name: str) -> None:
        self._uids = {0, os.geteuid(), *_uids_of(name)}

    def __contains__(self, peer: Peer) -> bool:
        return peer.uid in self._uids


def _uids_of(name: str) -> Iterator[int]:
    """Yield the number of the user *name* (passwd(5)); nothing when there is no such user."""
    try:
        lines = read_bounded(PASSWD, LONGEST).decode(errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        fields = line.split(":")
        if name and fields[0] == name and len(fields) > 2 and fields[2].isdecimal():
            yield int(fields[2])
            return
