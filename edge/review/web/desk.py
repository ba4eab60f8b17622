"""What all pages of one box share: the store beneath, who is logged in, the challenge test."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from edge.config import Config
from edge.review.sessions import LoginLimits, Sessions
from edge.review.sign_in import SignIn
from edge.review.store import ReviewStore
from edge.review.web.challenge_desk import ChallengeDesk


@dataclass(frozen=True)
class Desk:
    """The store of the box whose settings are *config*, opened for the pages.

    Synchronization: any thread; each of its parts has a lock of its own.
    """

    config: Config
    store: ReviewStore
    sign_in: SignIn
    challenge: ChallengeDesk

    @property
    def sessions(self) -> Sessions:
        """Who is logged in."""
        return self.sign_in.sessions

    @property
    def cookie(self) -> str:
        """The name of the session's cookie; with TLS one that no other host or path can set."""
        return "__Host-stampgate" if self.config.review.https else "stampgate"

    def refuse(self, what: str, why: str, *, address: str, path: str, user: str = "") -> None:
        """Write down what was refused, to whom, and why."""
        self.store.audit.refuse(what, why, name=user, address=address, path=path)

    def tick(self) -> None:
        """Do what is due once a second beside the pages."""
        self.store.audit.tick()
        self.challenge.tick()


@contextmanager
def open_desk(config: Config) -> Iterator[Desk]:
    """Open the store of the settings. Raises InputError."""
    review, socket = config.review, config.challenge.socket
    with ExitStack() as opened:
        store = opened.enter_context(ReviewStore(config))
        sessions = Sessions(store.users, review.idle_min * 60, review.session_h * 3600)
        sign_in = SignIn(store.users, sessions, LoginLimits(), store.audit)
        challenge = opened.enter_context(ChallengeDesk(config.path(socket) if socket else None))
        yield Desk(config, store, sign_in, challenge)
