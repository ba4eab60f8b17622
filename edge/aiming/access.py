"""Who may ask the aim page's server: hosts it is called by, the key of its page, one-time links.

A page of another site that the same browser shows can send requests to this computer too. It cannot
read our page, so it lacks the key that stands in it, without which nothing is answered; and its
name is no host that we are called by (:mod:`edge.process.web_origin`).
"""

import secrets
import socket
import threading

from edge.process.web_origin import LOCAL_NAMES, host_name, is_address, is_loopback

KEY_HEADER = "Stampgate-Key"


class Access:
    """The keys of one server, bound to the address *host*.

    Synchronization: any thread.
    """

    def __init__(self, host: str) -> None:
        self.is_local = is_loopback(host)
        """Whether only this computer can reach it."""
        self.key = secrets.token_urlsafe(24)
        """What a page must send with each request."""
        self._token, self._lock = secrets.token_urlsafe(16), threading.Lock()
        box = socket.gethostname().lower()
        self._names = LOCAL_NAMES | ({host.lower()} if self.is_local else {box, f"{box}.local"})

    @property
    def token(self) -> str:
        """The one-time token of the next link; empty where none is needed."""
        return "" if self.is_local else self._token

    def redeem(self, token: str) -> bool:
        """Take a one-time token; True once for each."""
        with self._lock:
            good = not self.is_local and _equal(token, self._token)
            if good:
                self._token = secrets.token_urlsafe(16)
        return good

    def has_key(self, given: str) -> bool:
        """Tell whether a request has the page's key."""
        return _equal(given, self.key)

    def knows_host(self, header: str) -> bool:
        """Tell whether a ``Host`` header names this server: one of its names, or an address.

        Any port will do, for that at the other end of ``ssh -L`` is another one.

        >>> access = Access("127.0.0.1")
        >>> [access.knows_host(h) for h in ("localhost:8377", "[::1]", "evil.example", "192.0.2.1")]
        [True, True, False, False]
        """
        name = host_name(header)
        return name in self._names or (not self.is_local and is_address(name))


def _equal(given: str, wanted: str) -> bool:
    return secrets.compare_digest(given.encode("utf-8", "replace"), wanted.encode())
