"""Users, roles, passwords, sessions and how often somebody may try."""

import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.errors import InputError
from edge.review import people
from edge.review.audit import AuditLog
from edge.review.people import RIGHTS, ROLES, Users, may
from edge.review.sessions import (
    LONGEST_WAIT_S,
    MOST_SESSIONS,
    LoginLimits,
    RefusedError,
    Sessions,
    check_csrf,
)
from edge.review.sign_in import SignIn

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let scrypt cost nothing here; the real costs are looked at by a test of their own."""
    monkeypatch.setattr(people, "N", 2)
    monkeypatch.setattr(people, "P", 1)


class Hand:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_password_is_kept_as_what_scrypt_makes_of_it(tmp_path: Path) -> None:
    """Nobody else may read the file, and two of one password are not alike."""
    users = Users(tmp_path / "users.json")
    assert users.check("anna", PASSWORD) is None
    users.add("anna", "supervisor", PASSWORD, "Anna Beispiel")
    users.add("bert", "viewer", PASSWORD)
    text = users.path.read_text()
    assert PASSWORD not in text
    assert stat.S_IMODE(users.path.stat().st_mode) == 0o600
    anna, bert = json.loads(text)["users"]
    assert anna["key"] != bert["key"]
    found = users.check("anna", PASSWORD)
    assert found is not None
    assert found.person("::1").full_name == "Anna Beispiel"
    assert users.check("anna", PASSWORD + "!") is None
    assert users.check("carl", PASSWORD) is None


def test_the_costs_of_scrypt_are_those_that_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """OWASP: N 2^14, r 8, p 5."""
    monkeypatch.undo()
    assert (people.N, people.R, people.P) == (2**14, 8, 5)


@pytest.mark.parametrize(
    ("name", "role", "password", "said"),
    [
        ("Anna", "viewer", PASSWORD, "small letter"),
        ("a b", "viewer", PASSWORD, "small letter"),
        ("../x", "viewer", PASSWORD, "small letter"),
        ("", "viewer", PASSWORD, "small letter"),
        ("x" * 33, "viewer", PASSWORD, "small letter"),
        ("anna", "admin", PASSWORD, "role must be"),
        ("anna", "viewer", "short", "10 to 256"),
        ("anna", "viewer", "x" * 300, "10 to 256"),
        ("anna", "viewer", "aaaaaaaaaaaa", "one letter"),
        ("annamarie9", "viewer", "annamarie9", "must not be the name"),
    ],
)
def test_a_user_that_makes_no_sense_is_refused(
    tmp_path: Path, name: str, role: str, password: str, said: str
) -> None:
    """And nothing is written."""
    users = Users(tmp_path / "users.json")
    with pytest.raises(InputError, match=said):
        users.add(name, role, password)
    assert not users.path.exists()


def test_a_name_is_given_once_and_an_unknown_one_is_named(tmp_path: Path) -> None:
    """In one line each."""
    users = Users(tmp_path / "users.json")
    users.add("anna", "viewer", PASSWORD)
    with pytest.raises(InputError, match="is a user already"):
        users.add("anna", "engineer", PASSWORD)
    changes: list[Callable[[], None]] = [
        lambda: users.remove("bert"),
        lambda: users.set_role("bert", "viewer"),
        lambda: users.set_password("bert", PASSWORD),
    ]
    for change in changes:
        with pytest.raises(InputError, match="is no user; known: anna"):
            change()


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{", b'{"users": [{}]}', b'{"users": [{"name": "a", "role": "root"}]}', b"\xff",
     b'{"users": [{"name": "anna", "role": "viewer", "salt": "", "key": "", "changed": 1}]}'],
)  # fmt: skip
def test_a_damaged_file_lets_nobody_in(tmp_path: Path, content: bytes) -> None:
    """It is said, and not written over."""
    users = Users(tmp_path / "users.json")
    users.path.write_bytes(content)
    with pytest.raises(InputError, match="as 'review user' wrote them"):
        users.check("anna", "")
    with pytest.raises(InputError):
        users.add("anna", "viewer", PASSWORD)
    assert users.path.read_bytes() == content


def test_each_role_has_what_the_one_below_has() -> None:
    """A viewer looks, a supervisor judges, an engineer takes back what others said."""
    rights = [{what for what in RIGHTS if may(role, what)} for role in ROLES]
    assert rights[0] < rights[1] < rights[2] == set(RIGHTS)
    assert rights[0] == {"view"}
    assert not may("root", "view")


def test_a_session_ends_by_time_log_out_or_a_change_of_its_user(tmp_path: Path) -> None:
    """Each of them, and no token is kept as it is."""
    users, now = Users(tmp_path / "users.json"), Hand()
    user = users.add("anna", "supervisor", PASSWORD)
    sessions = Sessions(users, idle_s=100, longest_s=1000, now_s=now)

    def begun() -> str:
        found = users.find("anna")
        assert found is not None
        return sessions.begin(found)

    token = sessions.begin(user, "::1")
    found = sessions.find(token)
    assert found is not None
    assert check_csrf(found, found.csrf)
    assert not check_csrf(found, "")
    assert token not in repr(sessions.__dict__)
    assert sessions.find(token + "x") is None
    now.now += 99
    assert sessions.find(token) is not None
    now.now += 101
    assert sessions.find(token) is None
    token = begun()
    for _ in range(19):
        now.now += 51
        assert sessions.find(token) is not None
    now.now += 51
    assert sessions.find(token) is None
    changes: list[Callable[[], None]] = [
        lambda: users.set_role("anna", "viewer"),
        lambda: users.set_password("anna", PASSWORD + "2"),
        lambda: users.remove("anna"),
    ]
    for change in changes:
        token = begun()
        assert sessions.find(token) is not None
        change()
        assert sessions.find(token) is None
    users.add("anna", "viewer", PASSWORD)
    token = begun()
    sessions.end(token)
    assert sessions.find(token) is None


def test_sessions_do_not_fill_the_memory(tmp_path: Path) -> None:
    """The one that was seen longest ago makes room."""
    users, now = Users(tmp_path / "users.json"), Hand()
    user = users.add("anna", "viewer", PASSWORD)
    sessions = Sessions(users, now_s=now)
    first = sessions.begin(user)
    last = ""
    for _ in range(MOST_SESSIONS):
        now.now += 0.001
        last = sessions.begin(user)
    assert sessions.find(first) is None
    assert sessions.find(last) is not None


def test_who_fails_waits_longer_each_time_and_others_do_not(tmp_path: Path) -> None:
    """A right password after the wait is let in, and all is forgotten."""
    now = Hand()
    limits = LoginLimits(now_s=now)
    for _ in range(5):
        assert limits.wait_s("anna", "10.0.0.1") == 0
        limits.failed("anna", "10.0.0.1")
    waits = []
    for _ in range(12):
        waits.append(limits.wait_s("anna", "10.0.0.1"))
        now.now += waits[-1]
        limits.failed("anna", "10.0.0.1")
    assert waits[:4] == [1, 2, 4, 8]
    assert max(waits) <= LONGEST_WAIT_S
    assert limits.wait_s("bert", "10.0.0.2") == 0
    limits.succeeded("anna", "10.0.0.1")
    now.now += LONGEST_WAIT_S + 1
    assert limits.wait_s("anna", "10.0.0.1") == 0


def test_a_name_tried_from_everywhere_and_an_address_that_tries_all_wait() -> None:
    """Ten thousand of either are bounded in memory, too."""
    now = Hand()
    limits = LoginLimits(now_s=now)
    for number in range(30):
        limits.failed("anna", f"10.0.0.{number}")
        limits.failed(f"u{number}", "10.9.9.9")
    assert limits.wait_s("anna", "10.1.1.1") > 0
    assert limits.wait_s("somebody", "10.9.9.9") > 0
    for number in range(10_100):
        limits.failed(f"u{number}", f"{number}")
        now.now += 0.001
    assert len(limits._failed) <= people.MOST_USERS * 10


def test_a_log_in_and_each_refusal_are_in_the_audit_log(tmp_path: Path) -> None:
    """It is not told whether there is such a user; the password is nowhere."""
    users, now = Users(tmp_path / "users.json"), Hand()
    users.add("anna", "supervisor", PASSWORD)
    log = AuditLog(tmp_path)
    sign_in = SignIn(users, Sessions(users, now_s=now), LoginLimits(now_s=now), log)
    said = set()
    for name in ("anna", "carl"):
        with pytest.raises(RefusedError) as refused:
            sign_in(name, "wrong password", "::1")
        said.add(str(refused.value))
    assert len(said) == 1
    signed = sign_in("anna", PASSWORD, "::1")
    assert signed.session.person.role == "supervisor"
    sign_in.out(signed.token)
    for _ in range(5):
        with pytest.raises(RefusedError):
            sign_in("anna", "wrong password", "::1")
    with pytest.raises(RefusedError, match="try again in 1 s") as waiting:
        sign_in("anna", PASSWORD, "::1")
    assert waiting.value.wait_s == 1
    kinds = [(record["kind"], record["by"]) for record in log.records()]
    assert kinds[:4] == [
        ("refused", "anna"), ("refused", "carl"), ("login", "anna"), ("logout", "anna"),
    ]  # fmt: skip
    assert b"password " not in log.path.read_bytes().replace(b"name or password is not", b"")
    assert log.verify().records == len(kinds)
