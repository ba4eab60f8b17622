"""sd_notify(3) in a few lines: state and watchdog for systemd, without a library."""

import contextlib
import os
import socket
from types import TracebackType
from typing import Self

from edge.printing import printable

PATIENCE_S = 1.0
"""Longest wait for room in systemd's queue for a state sent once, such as READY; seconds."""


class Notifier:
    """Sends READY, WATCHDOG, RELOADING and STOPPING to the socket that systemd names.

    Does nothing where there is none.

    Never call :meth:`alive` from a side thread: it must prove that an item has gone its whole way.

    Synchronization: one thread.
    """

    def __init__(self) -> None:
        address = os.environ.get("NOTIFY_SOCKET", "")
        # A leading @ stands for the zero byte of Linux's abstract names.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket = (
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            if address
            else None
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._socket is not None:
            self._socket.close()

    @property
    def watchdog_ns(self) -> int | None:
        """The watchdog's period in nanoseconds; None when systemd asks for no notifications."""
        ours = os.environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        usec = os.environ.get("WATCHDOG_USEC", "")
        return int(usec) * 1000 if ours and usec.isdigit() and int(usec) else None

    def ready(self, status: str) -> None:
        """Send READY: the service does its work now."""
        self._send(f"READY=1\nSTATUS={printable(status)}", PATIENCE_S)

    def reloading(self, now_ns: int) -> None:
        """Send RELOADING: settings are being read again; :meth:`ready` ends it.

        *now_ns*: the monotonic clock's moment.
        """
        self._send(f"RELOADING=1\nMONOTONIC_USEC={now_ns // 1000}", PATIENCE_S)

    def alive(self, status: str) -> None:
        """Feed the watchdog: an item, or an idle tick, has reached the end of the way."""
        self._send(f"WATCHDOG=1\nSTATUS={printable(status)}", 0.0)

    def stopping(self, status: str) -> None:
        """Send STOPPING: the service ends in good order."""
        self._send(f"STOPPING=1\nSTATUS={printable(status)}", PATIENCE_S)

    def _send(self, state: str, patience_s: float) -> None:
        """Send, waiting at most *patience_s* seconds for room in the supervisor's queue.

        The kernel lets a sender wait for ever once about ten datagrams lie unread (unix(7),
        max_dgram_qlen). A supervisor that does not listen is no reason to stop the line; its
        watchdog will have the last word.
        """
        if self._socket is not None:
            self._socket.settimeout(patience_s)
            with contextlib.suppress(OSError):
                self._socket.sendto(state.encode("utf-8", "replace"), self._address)
