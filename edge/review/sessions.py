"""Sessions of the review page, and how often somebody may try to log in.

A session is known by a random token, of which only the hash is kept, and in memory alone: a page
that is started again asks everybody to log in again.
"""

import hashlib
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from edge.errors import InputError
from edge.review.people import Person, User, Users, fresh_token, same_text

MOST_SESSIONS = 1000
WINDOW_S = 300.0
"""Failed log-ins count for so long."""
FREE_TRIES = 5
"""Failed log-ins of one name from one address before the next one has to wait."""
FREE_BY_NAME, FREE_BY_ADDRESS = 20, 20
"""The same of one name from anywhere, and from one address by any name."""
LONGEST_WAIT_S = 300.0
MOST_KEYS = 10_000


class RefusedError(InputError):
    """A log-in that was refused; *wait_s*: how long until the next one is looked at."""

    def __init__(self, message: str, wait_s: float = 0.0) -> None:
        super().__init__(message)
        self.wait_s = wait_s


@dataclass
class Session:
    """Somebody who is logged in; *csrf*: what each form must bring back. Seconds, monotonic."""

    user: User
    csrf: str
    begun_s: float
    seen_s: float
    address: str = ""

    @property
    def person(self) -> Person:
        """Who it is."""
        return self.user.person(self.address)


class Sessions:
    """All sessions; they end after *idle_s* without a request, after *longest_s*, or by a log-out.

    Synchronization: any thread.
    """

    def __init__(
        self,
        users: Users,
        idle_s: float = 1800.0,
        longest_s: float = 43_200.0,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._users, self._idle_s, self._longest_s, self._now_s = users, idle_s, longest_s, now_s
        self._sessions: dict[bytes, Session] = {}
        self._lock = threading.Lock()

    def begin(self, user: User, address: str = "") -> str:
        """Begin a session and return its token, which is known to nobody else."""
        token, now_s = fresh_token(), self._now_s()
        with self._lock:
            if len(self._sessions) >= MOST_SESSIONS:
                oldest = min(self._sessions, key=lambda key: self._sessions[key].seen_s)
                del self._sessions[oldest]
            self._sessions[_hash(token)] = Session(user, fresh_token(), now_s, now_s, address)
        return token

    def find(self, token: str, *, touch: bool = True) -> Session | None:
        """Return the session of a token; None when there is none any more.

        *touch*: whether this is a request of its user's, which puts the idle end off.

        It ends when its user is removed, or has got another password or role. Raises InputError
        when the users file is damaged.
        """
        key, now_s = _hash(token), self._now_s()
        with self._lock:
            session = self._sessions.get(key)
            if session is None:
                return None
            user = self._users.find(session.user.name)
            over = now_s - session.seen_s > self._idle_s
            over |= now_s - session.begun_s > self._longest_s
            if (
                over
                or user is None
                or user.changed != session.user.changed
                or user.key != session.user.key
            ):
                del self._sessions[key]
                return None
            if touch:
                session.seen_s = now_s
            return session

    def end(self, token: str) -> None:
        """End a session."""
        with self._lock:
            self._sessions.pop(_hash(token), None)


class LoginLimits:
    """How long the next log-in must wait: nothing at first, then twice as long each time.

    Who fails from one address under one name waits; so do, later, a name that is tried from many
    addresses and an address that tries many names. Synchronization: any thread.
    """

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._failed: dict[tuple[str, str], deque[float]] = {}
        self._lock = threading.Lock()

    def wait_s(self, name: str, address: str) -> float:
        """Return how long until a log-in of that name from that address is looked at, seconds."""
        now_s = self._now_s()
        with self._lock:
            return max(self._wait_s(key, free, now_s) for key, free in _keys(name, address))

    def failed(self, name: str, address: str) -> None:
        """Take note of a failed log-in."""
        now_s = self._now_s()
        with self._lock:
            for key, _ in _keys(name, address):
                if key not in self._failed and len(self._failed) >= MOST_KEYS:
                    oldest = min(self._failed, key=lambda known: self._failed[known][-1])
                    del self._failed[oldest]
                self._failed.setdefault(key, deque(maxlen=64)).append(now_s)

    def succeeded(self, name: str, address: str) -> None:
        """Forget the failed log-ins of that name from that address."""
        with self._lock:
            self._failed.pop((name, address), None)

    def _wait_s(self, key: tuple[str, str], free: int, now_s: float) -> float:
        tries = self._failed.get(key)
        while tries and now_s - tries[0] > WINDOW_S:
            tries.popleft()
        if not tries:
            self._failed.pop(key, None)
            return 0.0
        if len(tries) < free:
            return 0.0
        pause = min(LONGEST_WAIT_S, 2.0 ** min(len(tries) - free, 16))
        return max(0.0, tries[-1] + pause - now_s)


def check_csrf(session: Session, given: str) -> bool:
    """Tell whether a form brought back the session's own token."""
    return same_text(given, session.csrf)


def _keys(name: str, address: str) -> tuple[tuple[tuple[str, str], int], ...]:
    name = name[:64]
    return (
        ((name, address), FREE_TRIES),
        ((name, ""), FREE_BY_NAME),
        (("", address), FREE_BY_ADDRESS),
    )


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()
