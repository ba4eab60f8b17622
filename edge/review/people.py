"""The people of the review page: their roles, and a file with what proves their passwords.

A password is never kept. Of it the file has scrypt's answer (RFC 7914) with a salt of its own; the
costs are those that OWASP's "Password Storage Cheat Sheet" has for 16 MiB. There is no password
before somebody sets one.
"""

import base64
import hashlib
import hmac
import os
import re
import secrets
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from edge.errors import InputError
from edge.files import atomic_replace, open_ours, read_bounded
from edge.printing import json_text, printable
from edge.strict_json import read_object

ROLES = ("viewer", "supervisor", "engineer")
RIGHTS = {
    "view": ROLES,
    "judge": ROLES[1:],
    "sign": ROLES[1:],
    "challenge": ROLES[1:],
    "truth": ROLES[1:],
    "audit": ROLES[1:],
    "undo-others": ROLES[2:],
    "export": ROLES[2:],
}
"""What each role may do."""
NAME = re.compile(r"[a-z][a-z0-9._-]{0,31}")
SHORTEST, LONGEST = 10, 256
"""Characters of a password (NIST SP 800-63B asks for 8 at least, and for 64 to be taken)."""
N, R, P = 2**14, 8, 5
"""Costs of scrypt: 16 MiB, five times over."""
MEMORY = 64 << 20
SALT_BYTES = 16
MOST_BYTES = 1 << 20
MOST_USERS = 1000


@dataclass(frozen=True)
class Person:
    """Who does something: the name logged in by, the role then, and where from."""

    name: str
    role: str
    full_name: str = ""
    address: str = ""


@dataclass(frozen=True)
class User:
    """A user; *changed*: grows with each change of password or role, which ends sessions."""

    name: str
    role: str
    full_name: str = ""
    salt: str = ""
    key: str = ""
    changed: int = 0

    def person(self, address: str = "") -> Person:
        """Return who this is, at an address."""
        return Person(self.name, self.role, self.full_name, address)


def may(role: str, what: str) -> bool:
    """Tell whether a role has a right of :data:`RIGHTS`.

    >>> may("viewer", "judge"), may("supervisor", "judge")
    (False, True)
    """
    return role in RIGHTS[what]


class Users:
    """The users file at *path*, read again when it was changed.

    Synchronization: any thread; changes of several processes by a lock file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._at_work = threading.Lock()  # one scrypt at a time: 16 MiB each
        self._read: tuple[tuple[int, int, int], dict[str, User]] | None = None

    def all(self) -> tuple[User, ...]:
        """Return all users by name. Raises InputError when the file is damaged."""
        return tuple(sorted(self._users().values(), key=lambda user: user.name))

    def find(self, name: str) -> User | None:
        """Return a user; None for no such one."""
        return self._users().get(name)

    def add(self, name: str, role: str, password: str, full_name: str = "") -> User:
        """Add a user. Raises InputError for a name in use, a bad one, or a weak password."""
        if not NAME.fullmatch(name):
            raise InputError(
                f"{printable(name)[:40]}: a user's name must be a small letter, then at most 31 "
                "small letters, digits, dots, dashes and underscores"
            )
        _check_role(role)
        _check_full_name(full_name)
        _check_password(password, name)
        with self._changing() as users:
            if name in users:
                raise InputError(f"{name}: is a user already; set a password with 'passwd'")
            if len(users) >= MOST_USERS:
                raise InputError(f"{self.path}: holds {MOST_USERS} users; remove one first")
            users[name] = self._with_password(User(name, role, full_name), password)
            return users[name]

    def remove(self, name: str) -> None:
        """Remove a user. Raises InputError for no such one."""
        with self._changing() as users:
            _known(users, name)
            del users[name]

    def set_password(self, name: str, password: str) -> None:
        """Give a user a new password, which ends the sessions. Raises InputError."""
        _check_password(password, name)
        with self._changing() as users:
            users[name] = self._with_password(_known(users, name), password)

    def set_role(self, name: str, role: str) -> None:
        """Give a user another role, which ends the sessions. Raises InputError."""
        _check_role(role)
        with self._changing() as users:
            user = _known(users, name)
            users[name] = replace(user, role=role, changed=user.changed + 1)

    def check(self, name: str, password: str) -> User | None:
        """Return the user of that name and password; None otherwise, after the same time."""
        user = self.find(name)
        salt = bytes.fromhex(user.salt) if user else bytes(SALT_BYTES)
        right = bytes.fromhex(user.key) if user else secrets.token_bytes(32)
        with self._at_work:
            given = _derive(password, salt)
        return user if hmac.compare_digest(given, right) and user is not None else None

    def _with_password(self, user: User, password: str) -> User:
        salt = os.urandom(SALT_BYTES)
        with self._at_work:
            key = _derive(password, salt)
        return replace(user, salt=salt.hex(), key=key.hex(), changed=user.changed + 1)

    def _users(self) -> dict[str, User]:
        with self._lock:
            try:
                found = self.path.stat()
            except FileNotFoundError:
                return {}
            stamp = (found.st_mtime_ns, found.st_ino, found.st_size)
            if self._read is None or self._read[0] != stamp:
                self._read = stamp, self._parse()
            return dict(self._read[1])

    def _parse(self) -> dict[str, User]:
        try:
            read = read_object(read_bounded(self.path, MOST_BYTES).decode(), MOST_BYTES)
            users = [User(**user) for user in read["users"]]
            return {user.name: _sound(user) for user in users}
        except (ValueError, KeyError, TypeError):
            raise InputError(
                f"{self.path}: must hold the users as 'review user' wrote them; restore it from a "
                "backup, or remove it and add the users again"
            ) from None

    @contextmanager
    def _changing(self) -> Iterator[dict[str, User]]:
        """Give the users to change, and write them when the block ends well."""
        import fcntl  # noqa: PLC0415

        lock = self.path.with_name(f".{self.path.name}.lock")
        descriptor = open_ours(lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            users = self._users()
            yield users
            content = json_text({"users": [asdict(user) for user in users.values()]})
            with atomic_replace(self.path, mode=0o600) as temporary:
                temporary.write_bytes(content.encode() + b"\n")
            with self._lock:
                self._read = None
        finally:
            os.close(descriptor)


def same_text(given: str, right: str) -> bool:
    """Compare two texts in a time that does not tell where they differ."""
    return hmac.compare_digest(given.encode(errors="replace"), right.encode())


def fresh_token() -> str:
    """Return 256 random bits for an address or a cookie."""
    return base64.urlsafe_b64encode(os.urandom(32)).rstrip(b"=").decode()


def _derive(password: str, salt: bytes) -> bytes:
    text = unicodedata.normalize("NFKC", password).encode(errors="replace")
    return hashlib.scrypt(text, salt=salt, n=N, r=R, p=P, maxmem=MEMORY, dklen=32)


def _sound(user: User) -> User:
    """Return a user of the file. Raises ValueError for what no command has written."""
    fits: list[Any] = [NAME.fullmatch(user.name), user.role in ROLES, type(user.changed) is int]
    fits += [len(bytes.fromhex(user.salt)) == SALT_BYTES, len(bytes.fromhex(user.key)) == 32]
    fits += [isinstance(user.full_name, str)]
    if not all(fits):
        raise ValueError(user.name)
    return user


def _known(users: dict[str, User], name: str) -> User:
    if name not in users:
        known = ", ".join(sorted(users)) or "there is none yet"
        raise InputError(f"{printable(name)[:40]}: is no user; known: {known}")
    return users[name]


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise InputError(f"a role must be one of {', '.join(ROLES)}, not {printable(role)[:40]}")


def _check_full_name(name: str) -> None:
    if len(name) > 100 or printable(name) != name:
        raise InputError("a full name must be a printable text of at most 100 characters")


def _check_password(password: str, name: str) -> None:
    if not SHORTEST <= len(password) <= LONGEST:
        raise InputError(f"a password must have {SHORTEST} to {LONGEST} characters")
    if len(set(password)) < 4 or password.lower() in (name, name * 2):
        raise InputError("a password must not be the name or one letter over and over")
