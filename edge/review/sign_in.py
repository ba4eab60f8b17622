"""Log a user in: limits first, then the password, and each outcome in the audit log."""

from dataclasses import dataclass

from edge.review.audit import AuditLog
from edge.review.people import Person, Users
from edge.review.sessions import LoginLimits, RefusedError, Session, Sessions

REFUSED = "name or password is not right"


@dataclass(frozen=True)
class SignedIn:
    """Who has logged in; *token* goes into the cookie, and nowhere else."""

    token: str
    session: Session


@dataclass(frozen=True)
class SignIn:
    """What a log-in needs. Synchronization: any thread."""

    users: Users
    sessions: Sessions
    limits: LoginLimits
    audit: AuditLog

    def __call__(self, name: str, password: str, address: str) -> SignedIn:
        """Log a user in. Raises RefusedError, which does not tell whether there is such a user."""
        wait_s = self.limits.wait_s(name, address)
        if wait_s > 0:
            why = "too many log-ins that failed"
            self.audit.refuse("login", why, name=name, address=address)
            raise RefusedError(f"{why}; try again in {wait_s:.0f} s", wait_s)
        user = self.users.check(name, password)
        if user is None:
            self.limits.failed(name, address)
            self.audit.refuse("login", REFUSED, name=name, address=address)
            raise RefusedError(f"{REFUSED}; try again")
        self.limits.succeeded(name, address)
        token = self.sessions.begin(user, address)
        session = self.sessions.find(token)
        if session is None:  # removed at this moment
            raise RefusedError(f"{REFUSED}; try again")
        self.audit.note("login", user.person(address))
        return SignedIn(token, session)

    def out(self, token: str) -> None:
        """Log out."""
        session = self.sessions.find(token)
        if session is not None:
            self.sessions.end(token)
            self.audit.note(
                "logout", Person(session.user.name, session.user.role, "", session.address)
            )
