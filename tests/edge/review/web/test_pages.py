"""What the pages show and do, asked as a browser asks: in-process, over real journals."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from edge.config import Config
from edge.review.web.desk import Desk
from edge.review.web.today import Span, minutes_of, span_of
from tests.edge.review.web.review_rig import (
    NASTY,
    ORIGIN,
    PASSWORD,
    SETTINGS,
    Made,
    cheap_passwords,
    client_of,
    csrf_of,
    make_shift,
    opened,
    painted,
)

ITEMS = 25


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A box whose items nobody judges."""
    with cheap_passwords(), opened(make_shift(tmp_path_factory.mktemp("box"), ITEMS)) as desk:
        yield desk


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Desk]:
    """A box of the test's own."""
    with cheap_passwords(), opened(make_shift(tmp_path, 12)) as desk:
        yield desk


def post(desk: Desk, client: TestClient, path: str, **fields: str) -> Any:
    """Post a form with the session's token."""
    return client.post(path, data={"csrf": csrf_of(desk, client), **fields})


def of_script(client: TestClient) -> TestClient:
    """Ask as the page's script does."""
    client.headers["Stampgate-Part"] = "1"
    return client


def test_logging_in_gives_a_cookie_that_no_script_and_no_other_site_can_use(shared: Desk) -> None:
    """HttpOnly, SameSite=Strict, for this session of the browser; the way on is ours alone."""
    client = client_of(shared)
    form = {"name": "sam", "password": PASSWORD, "next": "/items?verdict=reject"}
    response = client.post("/login", data=form)
    assert (response.status_code, response.headers["location"]) == (303, "/items?verdict=reject")
    cookie = response.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/" in cookie
    assert "secure" not in cookie
    assert "max-age" not in cookie
    assert client.get("/items").status_code == 200
    away = client_of(shared).post("/login", data={**form, "next": "//evil.example/x"})
    assert away.headers["location"] == "/"


def test_behind_tls_the_cookie_goes_by_tls_alone(tmp_path: Path) -> None:
    """And its name says that no other host could have set it."""
    settings = SETTINGS + 'https = true\nnames = ["line3.example"]\n'
    with cheap_passwords(), opened(make_shift(tmp_path, 1, settings=settings)) as desk:
        client = client_of(desk)
        client.headers |= {"Host": "line3.example", "Origin": "https://line3.example"}
        response = client.post("/login", data={"name": "sam", "password": PASSWORD})
        assert response.headers["set-cookie"].startswith("__Host-stampgate=")
        assert "secure" in response.headers["set-cookie"].lower()
        assert "strict-transport-security" in response.headers


@pytest.mark.parametrize(("name", "password"), [("sam", "wrong"), ("nobody", PASSWORD), ("", "")])
def test_a_wrong_log_in_tells_nothing(own: Desk, name: str, password: str) -> None:
    """Neither whether there is such a user nor anything of the box."""
    response = client_of(own).post("/login", data={"name": name, "password": password})
    assert response.status_code == 401
    assert "name or password is not right" in response.text
    assert "set-cookie" not in response.headers


def test_logging_out_ends_the_session(own: Desk) -> None:
    """The cookie is worth nothing afterwards, even where it was copied."""
    client = client_of(own, "sam")
    copied = client.cookies[own.cookie]
    assert post(own, client, "/logout").headers["location"] == "/login"
    client.cookies.set(own.cookie, copied)
    assert client.get("/today").status_code == 303


def test_the_first_page_counts_the_shift(shared: Desk) -> None:
    """Counts, the rate, the chart with its points in words, reasons, the film with boxes."""
    page = client_of(shared, "vera").get("/today?span=24h").text
    assert "20.00 %" in page
    assert page.count('class="found"') + page.count('class="near"') == 12
    assert page.count("<image") == 0
    assert "p-chart of the reject rate, mean 20.00 %" in page
    assert 'href="/items?code=missing"' in page
    assert "Line 3" in page


@pytest.mark.parametrize("span", ["today", "yesterday", "8h", "24h", "7d"])
def test_each_span_of_time_has_its_page(shared: Desk, span: str) -> None:
    """Empty ones too; any other word is refused."""
    client = client_of(shared, "sam")
    for path in ("/today", "/sign"):
        assert client.get(f"{path}?span={span}").status_code == 200
        assert client.get(f"{path}?span=for+ever").status_code == 400


def test_yesterday_ends_where_today_begins() -> None:
    """Half-open, and a day is what the box's own zone says it is."""
    assert span_of("yesterday").until_ms == span_of("today").since_ms
    assert minutes_of(Span("", "", 0, 8 * 3_600_000)) == 15
    assert minutes_of(Span("", "", 0, 7 * 86_400_000)) == 120


def test_filters_stand_in_the_address(shared: Desk) -> None:
    """A link that was sent shows the same; what fits nothing says so."""
    client = client_of(shared, "vera")
    page = client.get("/items?verdict=reject&score_to=0.5").text
    assert page.count('<td data-name="item">') == ITEMS // 5
    assert 'value="reject"\n       checked' in page or "checked" in page
    both = client.get("/items?verdict=reject&verdict=pass").text
    assert both.count('<td data-name="item">') == ITEMS
    assert "No item fits" in client.get("/items?label=nothing").text
    assert client.get("/items?score_from=nonsense").status_code == 409


def test_pages_of_the_list_do_not_move_when_items_come(tmp_path: Path) -> None:
    """Older and newer go by an item's number; a line tells of new ones."""
    with cheap_passwords(), opened(make_shift(tmp_path, 60, apart_s=1)) as desk:
        client = client_of(desk, "vera")
        first = client.get("/items").text
        assert 'href="/items?before=11"' in first
        older = client.get("/items?before=11").text
        assert older.count('<td data-name="item">') == 10
        assert 'href="/items?after=10"' in older
        assert client.get("/new?after=55").json() == {"new": 5}
        assert client.get("/new?after=55&verdict=reject").json() == {"new": 1}


def test_one_item_is_shown_whole(shared: Desk) -> None:
    """Its record as it lies on the disk, its checks, its picture, its neighbours."""
    client = client_of(shared, "vera")
    page = client.get("/items/5").text
    assert "record whole" in page
    assert "as recorded" in page
    assert 'href="/items/4"' in page
    assert 'href="/items/6"' in page
    assert "Your judgement" not in page
    picture = client.get("/items/5/picture")
    assert picture.headers["content-type"] == "image/jpeg"
    assert picture.content[:2] == b"\xff\xd8"


def test_what_was_changed_on_the_disk_is_shown_as_such(tmp_path: Path) -> None:
    """A record written over, and a picture put in the place of another."""
    config = changed_shift(tmp_path)
    with cheap_passwords(), opened(config) as desk:
        journal = config.path(config.journal.file)
        text = journal.read_text()
        journal.write_text(text.replace("no seal found", "as seal found", 1))
        evidence = config.path(config.evidence.folder)
        (name,) = [path for path in evidence.iterdir() if "-000000006-" in path.name]
        name.write_bytes(name.read_bytes() + b"\0")
        client = client_of(desk, "vera")
        assert "This record is not as it was written" in client.get("/items/5").text
        assert "This picture is not the recorded one" in client.get("/items/6").text
        assert client.get("/items/6/picture").status_code == 404
        rows = client.get("/items").text
        assert 'class="bad"' in rows


def changed_shift(folder: Path) -> Config:
    """Make a shift for somebody to change."""
    with cheap_passwords():
        return make_shift(folder, 8)


def test_html_in_a_class_and_a_reason_is_text(tmp_path: Path) -> None:
    """On every page, and so is what a person types; bidirectional controls are shown as escapes."""

    def nasty(number: int) -> Made:
        return dataclasses.replace(painted(number), label=NASTY)

    with cheap_passwords(), opened(make_shift(tmp_path, 6, made=nasty)) as desk:
        client = client_of(desk, "eng")
        reason = "<img src=x onerror=alert(1)>"
        post(desk, client, "/items/5/judge", judgement="bad", reason=reason, seen="")
        for path in ("/today", "/items", "/items/5", "/queue", "/audit", f"/items?text={NASTY}"):
            page = client.get(path).text
            assert "<script>alert" not in page
            assert "<img src=x" not in page
            assert "\u202e" not in page
        assert "&lt;script&gt;" in client.get("/items/5").text
        assert "&lt;img src=x" in client.get("/items/5").text


def test_a_judgement_is_appended_and_can_be_taken_back(own: Desk) -> None:
    """Who, what, why, with what stood before; the journal stays byte for byte as it was."""
    journal = own.config.path(own.config.journal.file)
    before = journal.read_bytes()
    client = client_of(own, "sam")
    said = post(own, client, "/items/5/judge", judgement="good", reason="worn ink", seen="")
    assert (said.status_code, said.headers["location"]) == (303, "/items/5")
    page = client.get("/items/5").text
    assert "worn ink" in page
    current = own.store.index.current(5)
    assert current is not None
    assert post(own, client, "/items/5/undo", id=current.id).status_code == 303
    assert "taken back" in client.get("/items/5").text
    assert own.store.index.current(5) is None
    assert journal.read_bytes() == before
    kinds = [record["kind"] for record in own.store.audit.records()]
    assert kinds == ["judgement", "undo"]


def test_two_reviewers_at_once_do_not_overwrite_one_another(own: Desk) -> None:
    """Whoever saw an older judgement is told, and both words stand in the log."""
    sam, sue = client_of(own, "sam"), client_of(own, "sue")
    assert post(own, sam, "/items/5/judge", judgement="good", seen="").status_code == 303
    late = post(own, sue, "/items/5/judge", judgement="bad", seen="")
    assert late.status_code == 409
    assert "sam has said good" in late.text
    current = own.store.index.current(5)
    assert current is not None
    again = post(own, sue, "/items/5/judge", judgement="bad", seen=current.id)
    assert again.status_code == 303
    now = own.store.index.current(5)
    assert now is not None
    assert (now.by, now.judgement) == ("sue", "bad")
    assert post(own, sam, "/items/5/undo", id=now.id).status_code == 409
    assert post(own, client_of(own, "eng"), "/items/5/undo", id=now.id).status_code == 303


def test_the_queue_gives_the_next_item_with_each_judgement(own: Desk) -> None:
    """And the bound as it is then; what the page holds does not come again."""
    client = of_script(client_of(own, "sam"))
    first = client_of(own, "sam")
    page = first.get("/queue").text
    held = [part.split('"')[0] for part in page.split('data-item="')[1:]]
    assert len(held) == 3
    part = post(
        own, client, "/queue/judge",
        item=held[0], judgement="good", seen="", held=",".join(held[1:]), kinds="sample,reject",
    )  # fmt: skip
    assert part.status_code == 200
    assert "<html" not in part.text
    fresh = part.text.split('data-item="')[1].split('"')[0]
    assert fresh not in held
    judged = part.text.split('data-judged="')[1].split('"')[0]
    back = post(own, client, "/queue/undo", id=judged)
    assert f'data-item="{held[0]}"' in back.text
    assert own.store.index.current(int(held[0])) is None


def test_without_the_script_the_queue_goes_on_by_pages(own: Desk) -> None:
    """The same forms, one page each."""
    client = client_of(own, "sam")
    item = client.get("/queue?kinds=reject").text.split('name="item" value="')[1].split('"')[0]
    said = post(
        own, client, "/queue/judge", item=item, judgement="bad", seen="", kinds="reject"
    )  # fmt: skip
    assert said.headers["location"] == "/queue?kinds=reject"
    assert f'name="item" value="{item}"' not in client.get("/queue?kinds=reject").text
    assert client.get("/queue?kinds=everything").status_code == 400


def test_an_error_of_a_part_is_one_line(own: Desk) -> None:
    """The script shows it as it is."""
    client = of_script(client_of(own, "sam"))
    response = post(own, client, "/queue/judge", item="999", judgement="bad", seen="")
    assert response.status_code == 409
    assert "999" in response.text
    assert response.text.count("\n") == 1


def test_a_review_is_signed_by_name_with_the_password(own: Desk) -> None:
    """The wrong one signs nothing, and many wrong ones have to wait."""
    client = client_of(own, "sam")
    span = {"since_ms": "1", "until_ms": str(2**45)}
    wrong = [post(own, client, "/sign", **span, password="wrong").status_code for _ in range(7)]
    assert wrong[:4] == [403] * 4
    assert wrong[-1] == 429
    other = client_of(own, "sue")
    done = post(own, other, "/sign", **span, password=PASSWORD, remark="night shift")
    assert done.status_code == 303
    assert "night shift" in other.get("/sign").text
    (signed,) = [record for record in own.store.audit.records() if record["kind"] == "signed"]
    assert signed["by"] == "sue"
    assert signed["journal"]["item"] == 12


def test_the_audit_log_is_shown_newest_first_and_verified(own: Desk) -> None:
    """Older ones come by the hash of the line before, so nothing jumps."""
    client = client_of(own, "sam")
    for number in range(105):
        own.store.audit.note("export", own.store.users.find("eng").person(), file=f"f{number}")  # type: ignore[union-attr]
    page = client.get("/audit").text
    assert page.count('<td data-name="kind">') == 100
    assert page.index("f104") < page.index("f103")
    link = page.split('href="/audit?before=')[1].split('"')[0]
    older = client.get(f"/audit?before={link}").text
    assert older.count('<td data-name="kind">') == 5
    assert "f4" in older
    assert "all of them whole and chained" in client.get("/audit?verify=1").text
    path = own.store.audit.path
    path.write_text(path.read_text().replace("f50", "f99", 1))
    assert 'role="alert"' in client.get("/audit?verify=1").text


def test_a_page_that_fails_is_one_line_and_no_more(
    own: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where and why stands in the service's log, nothing of it in the answer."""

    def fails() -> None:
        raise RuntimeError("secret of the inside")

    monkeypatch.setattr(own.store.index, "state", fails)
    response = client_of(own, "vera").get("/today")
    assert response.status_code == 500
    assert "secret" not in response.text
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "secret of the inside" in capsys.readouterr().err


def test_the_present_trouble_is_shown(own: Desk) -> None:
    """As the service's status file says it, with HTML in it as text."""
    status = own.config.path(own.config.journal.status)
    status.write_text(json.dumps({"process": [1, 1], "trouble": "camera lost <b>"}))
    page = client_of(own, "vera").get("/today").text
    assert "the service does not run; camera lost &lt;b&gt;" in page


def test_static_files_are_kept_by_their_sum(shared: Desk) -> None:
    """A page asks for them by it, so a new release is seen at once."""
    client = client_of(shared)
    page = client.get("/login").text
    asked = page.split('href="')[2].split('"')[0]
    assert asked.startswith("/static/review.css?v=")
    assert "immutable" in client.get(asked).headers["cache-control"]
    assert client.get("/static/review.css?v=old").headers["cache-control"] == "no-store"


def test_the_pages_are_called_by_what_the_browser_says(shared: Desk) -> None:
    """The rig's own address is one of ours."""
    assert ORIGIN == "http://localhost:8378"
    assert client_of(shared).get("/", headers={"Host": "127.0.0.1:1"}).status_code == 303
