"""Every address of the review page without a log-in, with the wrong role, forged, from elsewhere.

Each refusal must change nothing, tell nothing, and stand in the audit log.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from edge.review.people import may
from edge.review.web.application import ROUTES
from edge.review.web.desk import Desk
from edge.review.web.guard import MOST_ADDRESS, MOST_BODY, Door
from edge.sections.review import ReviewSettings
from tests.edge.review.web.review_rig import (
    ORIGIN,
    PASSWORD,
    PEOPLE,
    cheap_passwords,
    client_of,
    csrf_of,
    make_shift,
    opened,
)

FORMS = {
    "/items/3/judge": {"judgement": "bad", "reason": "x", "seen": ""},
    "/items/3/undo": {"id": "0" * 16},
    "/items/3/truth": {"truth": "bad"},
    "/queue/judge": {"item": "3", "judgement": "bad", "seen": ""},
    "/queue/undo": {"id": "0" * 16},
    "/challenge": {"say": "start", "occasion": "scheduled"},
    "/sign": {"since_ms": "1", "until_ms": "2", "password": PASSWORD},
    "/logout": {"a": "b"},
}
"""A form that would do something, for each address that takes one."""
ALL = [(method, path.replace("{item:int}", "3"), right) for method, path, right, _ in ROUTES]
REFUSED = [
    (name, method, path)
    for name, role in PEOPLE.items()
    for method, path, right in ALL
    if not may(role, right)
]
POSTS = [path for method, path, _ in ALL if method == "POST"]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A box of ten items."""
    with (
        cheap_passwords(),
        opened(make_shift(tmp_path_factory.mktemp("box"), 10)) as found,
    ):
        yield found


@pytest.fixture(autouse=True)
def fresh_minute(desk: Desk) -> None:
    """Let each test have its refusals written one by one."""
    desk.store.audit.flush()


def send(client: TestClient, method: str, path: str, fields: dict[str, str] | None = None) -> Any:
    """Ask as a browser would; a POST has the form that would do something, and *fields*."""
    if method == "POST":
        return client.post(path, data={**FORMS[path], **(fields or {})})
    return client.get(path)


def log_of(desk: Desk) -> list[dict[str, Any]]:
    """Return the audit log's records."""
    return list(desk.store.audit.records())


def refusals(desk: Desk, since: int) -> list[str]:
    """Return what was refused since the audit log had so many records; nothing else was written."""
    fresh = log_of(desk)[since:]
    assert {record["kind"] for record in fresh} <= {"refused"}
    return [record["what"] for record in fresh]


def test_every_form_is_tried() -> None:
    """A new address that takes a form must be added here."""
    assert set(FORMS) == set(POSTS)


@pytest.mark.parametrize(("method", "path", "right"), ALL)
def test_nothing_is_given_without_a_log_in(desk: Desk, method: str, path: str, right: str) -> None:
    """A page leads to the log-in; a form, a picture and a part are refused."""
    before = len(log_of(desk))
    response = send(client_of(desk), method, path)
    assert response.status_code in (303, 401)
    if response.status_code == 303:
        assert response.headers["location"] == f"/login?next={path}"
    assert "seal" not in response.text
    assert refusals(desk, before) == ["session"], right


@pytest.mark.parametrize(("method", "path"), [(method, path) for method, path, _ in ALL])
def test_a_forged_cookie_is_no_session(desk: Desk, method: str, path: str) -> None:
    """Only a token that the box gave opens anything."""
    client = client_of(desk)
    client.cookies.set(desk.cookie, "x" * 43)
    before = len(log_of(desk))
    assert send(client, method, path).status_code in (303, 401)
    assert refusals(desk, before) == ["session"]


@pytest.mark.parametrize("cookie", ["", "../../etc/passwd", "sam", "a" * 3000, '"', "=;"])
def test_whatever_a_cookie_holds_is_no_session(desk: Desk, cookie: str) -> None:
    """Neither a name nor a path nor half a cookie."""
    headers = {"Cookie": f"{desk.cookie}={cookie}"}
    assert client_of(desk).get("/items/3/picture", headers=headers).status_code == 401


@pytest.mark.parametrize(("name", "method", "path"), REFUSED)
def test_a_role_may_do_what_it_may_and_no_more(
    desk: Desk, name: str, method: str, path: str
) -> None:
    """The right token does not help whose role may not."""
    client = client_of(desk, name)
    before = len(log_of(desk))
    response = send(client, method, path, {"csrf": csrf_of(desk, client)})
    assert response.status_code == 403
    assert "may not do this" in response.text
    assert refusals(desk, before) == ["right"]
    assert log_of(desk)[-1]["by"] == name


def test_a_viewer_may_look_and_change_nothing() -> None:
    """The test above must have had something to refuse."""
    refused = {path for name, _, path in REFUSED if name == "vera"}
    assert refused >= {"/items/3/judge", "/queue/judge", "/challenge", "/sign", "/audit"}
    assert all(may("viewer", right) for _, path, right in ALL if path in ("/today", "/items"))


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("token", [None, "", "x" * 43, "another's"])
def test_a_form_without_the_sessions_token_does_nothing(
    desk: Desk, path: str, token: str | None
) -> None:
    """Missing, empty, made up, or of another session."""
    client, other = client_of(desk, "eng"), client_of(desk, "sue")
    given = csrf_of(desk, other) if token == "another's" else token
    before = len(log_of(desk))
    response = send(client, "POST", path, {} if given is None else {"csrf": given})
    assert response.status_code == 403
    assert refusals(desk, before) == ["csrf"]
    assert desk.store.index.current(3) is None


@pytest.mark.parametrize("path", [*POSTS, "/login"])
def test_a_form_of_another_site_is_refused(desk: Desk, path: str) -> None:
    """Even with the cookie and the token, which it cannot have."""
    refuses(desk, path, {"Origin": "http://evil.example"})


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://localhost:8378"},
        {"Origin": "http://localhost:8378.evil.example"},
        {"Origin": "http://localhost"},
        {"Origin": "http://["},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": ""},
    ],
)
def test_what_is_not_beyond_doubt_from_our_page_is_another_sites(
    desk: Desk, headers: dict[str, str]
) -> None:
    """Another name, port, scheme, a page without an origin, a part of the same site."""
    refuses(desk, "/queue/judge", headers)


def refuses(desk: Desk, path: str, headers: dict[str, str]) -> None:
    """Send the form, all of it right, with those headers, and see it refused."""
    client = client_of(desk, "eng")
    fields = {"csrf": csrf_of(desk, client)}
    form = {**FORMS.get(path, {"name": "eng", "password": PASSWORD}), **fields}
    before = len(log_of(desk))
    assert client.post(path, data=form, headers=headers).status_code == 403
    assert refusals(desk, before) == ["origin"]
    assert desk.sessions.find(client.cookies[desk.cookie]) is not None
    assert desk.store.index.current(3) is None


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "192.0.2.1", "[::1"])
def test_a_name_that_is_not_ours_gets_nothing(desk: Desk, host: str) -> None:
    """A foreign name that resolves to this box (DNS rebinding)."""
    client, before = client_of(desk, "eng"), len(log_of(desk))
    asked = ("/today", "/static/review.css", "/login", "/items/3/picture")
    for path in asked:
        assert client.get(path, headers={"Host": host}).status_code == 421
    assert refusals(desk, before) == ["host"] * len(asked)


@pytest.mark.parametrize(
    "path",
    [
        "/items/../../etc/passwd",
        "/items/%2e%2e%2fedge.toml/picture",
        "/items/000000003-000000003-pass.jpg/picture",
        "/items/3/picture/../../../journal.jsonl",
        "/items/-3/picture",
        "/items/3%00/picture",
        "/items/3.0",
        "/static/../guard.py",
        "/static/%2e%2e%2fguard.py",
        "/static/review.css/../../guard.py",
        "/static/",
        "/review/users.json",
        "/journal.jsonl",
        "//etc/passwd",
        "/today/",
    ],
)
def test_no_address_leads_to_a_file(desk: Desk, path: str) -> None:
    """Evidence is asked for by an item's number alone, and static files by a list."""
    before = len(log_of(desk))
    response = client_of(desk, "eng").get(path)
    assert response.status_code == 404
    assert "root:" not in response.text
    assert refusals(desk, before) in (["page"], ["item"])


@pytest.mark.parametrize("number", [0, 11, 10**12, 2**63 - 1, 2**63, 10**30])
def test_an_item_that_is_not_there_is_said_so(desk: Desk, number: int) -> None:
    """However large the number is."""
    for path in (f"/items/{number}", f"/items/{number}/picture"):
        assert client_of(desk, "eng").get(path).status_code == 404


def test_a_record_that_names_another_file_gives_no_picture(tmp_path: Path) -> None:
    """A journal that was forged cannot make the page give a file out."""
    with cheap_passwords():
        config = make_shift(tmp_path, 3)
    journal = config.path(config.journal.file)
    lines = journal.read_text().splitlines(keepends=True)
    (tmp_path / "secret.jpg").write_bytes(b"\xff\xd8secret\xff\xd9")
    forged = json.loads(lines[3])
    assert forged["sequence"] == 3
    for name in ("../secret.jpg", "../edge.toml", "000000001-000000001-pass.jpg", "/etc/passwd"):
        forged["evidence"] = name
        journal.write_text("".join([*lines[:3], json.dumps(forged) + "\n"]))
        with opened(config) as desk:
            response = client_of(desk, "eng").get("/items/3/picture")
            assert response.status_code == 404
            assert b"secret" not in response.content
            shown = client_of(desk, "eng").get("/items/3")
            assert "a picture that is not its own" in shown.text
        for made in (tmp_path / "review").glob("index*"):
            made.unlink()


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(desk: Desk, method: str) -> None:
    """Only GET, HEAD and POST are asked by the pages."""
    before = len(log_of(desk))
    assert client_of(desk, "eng").request(method, "/today").status_code == 405
    assert refusals(desk, before) == ["method"]


def test_an_oversized_body_is_refused(desk: Desk) -> None:
    """By its length, and by what comes where none is said; a GET has no body at all."""
    client = client_of(desk, "eng")
    csrf = {"csrf": csrf_of(desk, client), "judgement": "bad", "seen": ""}
    before = len(log_of(desk))
    large = client.post("/items/3/judge", data={**csrf, "reason": "x" * MOST_BODY})
    assert large.status_code == 413

    def pieces() -> Iterator[bytes]:
        yield b"csrf="
        for _ in range(40):
            yield b"x" * 1000

    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert client.post("/items/3/judge", content=pieces(), headers=kind).status_code == 413
    assert client.request("GET", "/today", content=b"x").status_code == 413
    lying = client.post("/items/3/judge", content=b"a=b", headers={"Content-Length": "-1", **kind})
    assert lying.status_code == 400
    assert refusals(desk, before) == ["body"] * 4
    assert desk.store.index.current(3) is None


def test_a_long_address_is_refused(desk: Desk) -> None:
    """Before it is looked at."""
    response = client_of(desk, "eng").get("/items?text=" + "x" * MOST_ADDRESS)
    assert response.status_code == 414


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"judgement=bad", "text/plain", 415),
        (b'{"judgement": "bad"}', "application/json", 415),
        (b"judgement=bad&judgement=good&csrf={csrf}", "application/x-www-form-urlencoded", 400),
        (b"\xff\xfe=1", "application/x-www-form-urlencoded", 400),
        (b"a=%ff", "application/x-www-form-urlencoded", 400),
        (b"&".join(b"a%d=1" % n for n in range(60)), "application/x-www-form-urlencoded", 400),
        (b"csrf={csrf}&judgement=maybe&seen=", "application/x-www-form-urlencoded", 400),
        (b"csrf={csrf}&seen=", "application/x-www-form-urlencoded", 400),
    ],
)
def test_a_form_that_is_none_is_refused(desk: Desk, content: bytes, kind: str, status: int) -> None:
    """It says what is wrong, and does nothing."""
    client = client_of(desk, "eng")
    sent = content.replace(b"{csrf}", csrf_of(desk, client).encode())
    response = client.post("/items/3/judge", content=sent, headers={"Content-Type": kind})
    assert response.status_code == status
    assert desk.store.index.current(3) is None


def test_ten_thousand_log_ins_fill_no_disk_and_open_nothing(desk: Desk) -> None:
    """Most are refused before a password is looked at; a minute of them is a few records.

    The eleventh part of them stands for all: the next nine thousand are like the last.
    """
    client = client_of(desk)
    before = len(log_of(desk))
    statuses = set()
    for number in range(1000):
        form = {"name": ("eng", "sam", "root")[number % 3], "password": f"guess {number}"}
        statuses.add(client.post("/login", data=form).status_code)
    assert statuses <= {401, 429}
    assert 429 in statuses
    assert desk.cookie not in client.cookies
    desk.store.audit.flush()
    written = log_of(desk)[before:]
    assert len(written) <= 60
    counted = sum(record.get("number", 1) for record in written)
    assert counted == 1000
    assert not any("guess" in json.dumps(record) for record in written)


def test_every_answer_has_the_headers(desk: Desk) -> None:
    """Pages, parts, pictures, files, refusals: none may be framed, sniffed, kept or led outside."""
    client = client_of(desk, "eng")
    asked = ["/", "/login", "/static/review.css", "/nothing", *(path for _, path, _ in ALL)]
    for path in asked:
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] in ("no-store", "private, max-age=60")
        assert "server" not in headers


def test_pages_have_no_code_no_style_and_no_address_of_others(desk: Desk) -> None:
    """What the policy would refuse is not there, and nothing is asked of another server."""
    client = client_of(desk, "eng")
    for path in [path for method, path, _ in ALL if method == "GET" and "picture" not in path]:
        page = client.get(path).text
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", page), path
        assert not re.search(r"(?:https?:)?//[a-z]", page.replace(ORIGIN, "")), path
        for script in re.findall(r"<script[^>]*>", page):
            assert 'src="/static/' in script


@pytest.mark.parametrize(
    ("settings", "headers", "address"),
    [
        ({}, {}, "192.0.2.9"),
        ({}, {"x-forwarded-for": "203.0.113.5"}, "192.0.2.9"),
        ({"https": True}, {"x-forwarded-for": "1.2.3.4, 203.0.113.5"}, "203.0.113.5"),
        ({"https": True}, {"x-forwarded-for": "nonsense"}, "192.0.2.9"),
        ({"https": True}, {}, "192.0.2.9"),
    ],
)
def test_who_asks_is_the_proxys_word_only_where_there_is_one(
    settings: dict[str, Any], headers: dict[str, str], address: str
) -> None:
    """Otherwise anybody could log in from a new address each time."""
    assert Door.of(ReviewSettings(**settings)).address_of(headers, "192.0.2.9") == address


def test_a_proxys_name_and_scheme_are_asked_for() -> None:
    """With https the page is of the names in the settings, and its forms come by https."""
    door = Door.of(ReviewSettings(https=True, names=("Line3.plant.example",)))
    assert door.knows("line3.plant.example")
    assert not door.knows("plant.example")
    ours = {"host": "line3.plant.example", "origin": "https://line3.plant.example"}
    assert door.is_ours(ours)
    assert not door.is_ours({**ours, "origin": "http://line3.plant.example"})
