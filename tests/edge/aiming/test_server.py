"""The aim page's server on a real socket: what it gives, what it saves, whom it refuses."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.aiming.access import Access
from edge.aiming.server import ASSETS, MOST_BODY, STATIC
from edge.clock import MonotonicClock
from edge.config import load_config
from edge.record.journal import Journal
from edge.record.verify import verify
from tests.edge.aiming.aim_rig import SETTINGS, SIDE, Aimed, aimed, box_in
from tests.paths import ROOT
from tests.programs import eventually

REGION = [[40, 60], [240, 60], [240, 260], [40, 260]]


@pytest.fixture(scope="module")
def shared_box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aimed]:
    """A box whose settings no test changes."""
    with aimed(box_in(tmp_path_factory.mktemp("box"))) as box:
        yield box


@pytest.fixture
def own_box(tmp_path: Path) -> Iterator[Aimed]:
    """A box of the test's own."""
    with aimed(box_in(tmp_path)) as box:
        yield box


def saved(box: Aimed, region: object, **more: object) -> tuple[int, str]:
    """Save a region as the page does; return the status, and the error or an empty text."""
    body = {"region": region, "sha256": box.get("/settings")["sha256"], **more}
    status, _, answer = box.ask("/region", body)
    return status, json.loads(answer).get("error", "")


def test_the_page_and_its_files_are_given(shared_box: Aimed) -> None:
    """All that the page needs comes from here, and nothing of it names another server."""
    for path, (name, kind) in STATIC.items():
        status, headers, body = shared_box.ask(path, headers={"Stampgate-Key": None})
        assert (status, headers["Content-Type"]) == (200, kind)
        assert b"http" not in body.replace(b"http://www.w3.org/2000/svg", b"")
        assert len(body) >= (ASSETS / name).stat().st_size
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert "Set-Cookie" not in headers


def test_the_page_has_no_code_or_style_in_it() -> None:
    """The content security policy would refuse it."""
    page = (ASSETS / "page.html").read_text()
    assert "style=" not in page
    assert "<style" not in page
    assert " on" + "click" not in page
    assert page.count("<script") == 1
    assert "innerHTML" not in (ASSETS / "aim.js").read_text()


def test_state_and_picture_are_of_one_view(shared_box: Aimed) -> None:
    """The state's number asks for its picture: a JPEG. What is known already is not sent."""
    shared_box.view()
    state = shared_box.get("/state?after=0")
    assert (state["width"], state["height"], state["name"]) == (SIDE, SIDE, "good.png")
    assert state["verdict"] == {"kind": "pass", "reason": "dot found"}
    (mark,) = (mark for mark in state["marks"] if mark["counts"])
    assert (mark["label"], mark["network_px"], mark["camera_px"]) == ("dot", 24.0, 120.0)
    assert len(state["figures"]["histogram"]) == 32
    assert state["best"] >= state["figures"]["focus"]
    status, headers, picture = shared_box.ask(f"/picture?number={state['number']}")
    assert (status, headers["Content-Type"], picture[:3]) == (200, "image/jpeg", b"\xff\xd8\xff")
    assert shared_box.ask(f"/state?after={10**14}")[0] == 204


def test_a_picture_that_is_gone_is_said_so(shared_box: Aimed) -> None:
    """Only the last few are kept."""
    assert shared_box.ask(f"/picture?number={10**14}")[0] == 404
    assert shared_box.ask("/picture?number=-1")[0] == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Host": "evil.example:8377"}, 421),
        ({"Host": "127.0.0.1.evil.example"}, 421),
        ({"Host": "192.0.2.7"}, 421),
        ({"Host": ""}, 421),
        ({"Host": None}, 421),
        ({"Host": "[::1"}, 421),
        ({"Stampgate-Key": None}, 403),
        ({"Stampgate-Key": "x" * 32}, 403),
        ({"Stampgate-Key": "\u00fc"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
    ],
)
def test_what_is_not_from_the_page_gets_nothing(
    shared_box: Aimed, headers: dict[str, str | None], status: int
) -> None:
    """A wrong host (DNS rebinding), another site's request, no key: for reading and for saving."""
    sha256 = shared_box.get("/settings")["sha256"]
    for path in ("/state", "/settings", "/picture?number=1", "/region", "/best"):
        body = None if path not in ("/region", "/best") else {"region": REGION, "sha256": sha256}
        got, answered, content = shared_box.ask(path, body, headers=headers)
        assert (got, set(json.loads(content))) == (status, {"error"})
        assert "Access-Control-Allow-Origin" not in answered
    assert shared_box.path.read_text() == SETTINGS


def test_another_port_is_taken_for_the_same_place(shared_box: Aimed) -> None:
    """The near end of ``ssh -L`` may be any port, and the browser then says that one."""
    for host in ("localhost:9000", "127.0.0.1:1", "[::1]:8377", "LOCALHOST"):
        headers = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
        assert shared_box.ask("/settings", headers=headers)[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/../edge.toml",
        "/%2e%2e/edge.toml",
        "/aim.css/../server.py",
        "/server.py",
        "//server.py",
        "/etc/passwd",
        "/region",
        "http://127.0.0.1/aim.css/..",
    ],
)
def test_only_what_is_listed_is_given(shared_box: Aimed, path: str) -> None:
    """No path leads out of the list."""
    assert shared_box.ask(path)[0] == 404


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{" + b" " * MOST_BODY + b"}", {}, 413),
        (b"", {"Content-Length": "9" * 40}, 413),
        (b"", {"Content-Length": "-1"}, 411),
        (b"", {"Content-Length": None}, 411),
        (b"{}", {"Transfer-Encoding": "chunked"}, 411),
        (b"{}", {"Content-Type": "text/plain"}, 415),
        (b"{}", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
        (b"{}", {}, 400),
        (b"[]", {}, 400),
        (b"nonsense", {}, 400),
        (b"\xff\xfe", {}, 400),
        (b'{"region": [], "region": [], "sha256": ""}', {}, 400),
        (b'{"region": [[NaN, 1]], "sha256": ""}', {}, 400),
        (b'{"region": [], "sha256": 1}', {}, 400),
        (b'{"region": ' + b"[" * 5000 + b"]" * 5000 + b"}", {}, 400),
    ],
)
def test_a_body_that_is_none_is_refused(
    shared_box: Aimed, body: bytes, headers: dict[str, str | None], status: int
) -> None:
    """Too long, of another kind, no JSON, a key twice, or not what is asked for."""
    assert shared_box.ask("/region", body, headers=headers)[0] == status
    assert shared_box.path.read_text() == SETTINGS


def test_a_saved_region_counts_and_is_in_the_journal(
    own_box: Aimed, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file has the region and all else; the journal who changed what; marks follow it."""
    own_box.view()
    assert saved(own_box, REGION) == (200, "")
    line = "region = [[40, 60], [240, 60], [240, 260], [40, 260]]\n"
    assert own_box.path.read_text() == SETTINGS.replace("[decision]\n", f"[decision]\n{line}")
    (note,) = own_box.records()
    assert note["kind"] == "note"
    assert "aim saves another region" in note["reason"]
    assert note["changed"] == {"[decision] region": [[], REGION]}
    assert note["by"]
    assert note["settings_sha256"] == load_config(own_box.path).checksum()
    assert verify(own_box.path.parent / "journal.jsonl").records == 1
    assert "region saved" in capsys.readouterr().out
    eventually(lambda: own_box.aimer.views[-1].marks[0].network_px == pytest.approx(24, abs=1))
    assert saved(own_box, REGION) == (200, "")
    assert len(own_box.records()) == 1, "the same region once more is no change"
    assert saved(own_box, []) == (200, "")
    assert own_box.get("/settings")["region"] == []


@pytest.mark.parametrize(
    ("region", "said"),
    [
        ([[0, 0], [100, 0]], "3 to 32 corners"),
        ([[0, 0], [100, 100], [100, 0], [0, 100]], "do not cross"),
        ([[0, 0], [1, 0], [0, 1]], "at least 16 pixels"),
        ([[0, 0], [SIDE + 1, 0], [0, 100]], f"must lie in the picture of {SIDE} x {SIDE}"),
        ([[-5, 0], [100, 0], [0, 100]], "at least 0"),
        ([["a", 0], [100, 0], [0, 100]], "list of corners"),
        ("everything", "list of corners"),
    ],
)
def test_a_region_that_is_none_is_not_saved(shared_box: Aimed, region: object, said: str) -> None:
    """The page may be wrong; the service would end on it."""
    shared_box.view()
    status, error = saved(shared_box, region)
    assert status == 409
    assert said in error
    assert shared_box.path.read_text() == SETTINGS
    assert not (shared_box.path.parent / "journal.jsonl").exists()


def test_a_page_that_was_loaded_before_a_change_does_not_undo_it(own_box: Aimed) -> None:
    """Somebody edited the file in the meantime."""
    old = own_box.get("/settings")["sha256"]
    own_box.path.write_text(SETTINGS.replace("count = 1", "count = 2"))
    status, _, answer = own_box.ask("/region", {"region": REGION, "sha256": old})
    assert status == 409
    assert b"changed by somebody else" in answer
    assert "count = 2" in own_box.path.read_text()
    assert "region" not in own_box.path.read_text()


def test_settings_that_cannot_be_written_stay_and_are_said(own_box: Aimed) -> None:
    """A link is nobody's to replace; nothing is left beside it."""
    own_box.path.rename(own_box.path.with_name("real.toml"))
    own_box.path.symlink_to("real.toml")
    before = sorted(own_box.path.parent.iterdir())
    status, error = saved(own_box, REGION)
    assert status == 409
    assert "cannot be written (a link, not a file)" in error
    assert own_box.path.read_text() == SETTINGS
    assert sorted(own_box.path.parent.iterdir()) == before


def test_a_region_is_not_saved_beside_a_service(own_box: Aimed) -> None:
    """A service that was started meanwhile writes the journal: the change could not be recorded."""
    with Journal(own_box.path.parent / "journal.jsonl", MonotonicClock()):
        status, error = saved(own_box, REGION)
    assert status == 409
    assert "being written by another" in error
    assert own_box.path.read_text() == SETTINGS


def test_the_best_focus_begins_again(own_box: Aimed) -> None:
    """After another lens or another scene."""
    own_box.view()
    own_box.aimer._best = 1e6
    assert own_box.ask("/best", {})[0] == 200
    eventually(lambda: 0 < own_box.aimer.views[-1].best < 1e6)


def test_a_browser_that_is_gone_costs_nothing(
    own_box: Aimed, capsys: pytest.CaptureFixture[str]
) -> None:
    """Half a request, or none, then a closed connection: the next one is answered, no word said."""
    address = (own_box.server.server_name, own_box.server.server_port)
    for half in (b"", b"GET /sta", b"POST /region HTTP/1.1\r\nContent-Length: 900\r\n\r\n{"):
        gone = socket.create_connection(address)
        gone.sendall(half)
        gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # a reset
        gone.close()
    assert own_box.get("/settings")["region"] == []
    assert capsys.readouterr().err == ""


def test_an_address_of_the_network_wants_the_link_of_the_terminal(tmp_path: Path) -> None:
    """The page alone has no key there; the printed token gives it, once."""
    with aimed(box_in(tmp_path), host="0.0.0.0") as box:
        address, _, first = box.server.link.partition("#")
        assert address == f"http://{socket.gethostname()}:{box.server.server_port}/"
        assert first
        assert box.server.access.key.encode() not in box.ask("/")[2]
        without: dict[str, str | None] = {"Stampgate-Key": None}
        assert box.ask("/open", {"token": "x"}, headers=without)[0] == 403
        assert box.ask("/open", {"token": 1}, headers=without)[0] == 403
        status, _, answer = box.ask("/open", {"token": first}, headers=without)
        assert (status, json.loads(answer)) == (200, {"key": box.server.access.key})
        assert box.ask("/open", {"token": first}, headers=without)[0] == 403
        assert box.server.link.partition("#")[2] not in ("", first)
        assert box.ask("/settings", headers={"Host": "192.0.2.7:8377"})[0] == 200
        assert box.ask("/settings", headers={"Host": "evil.example"})[0] == 421


def test_a_local_address_has_no_token() -> None:
    """The key stands in the page, which no other site can read."""
    access = Access("127.0.0.1")
    assert access.is_local
    assert not access.token
    assert not access.redeem("")


def test_the_page_is_shipped() -> None:
    """Everything that lies beside the server goes into the wheel, and the package is made of it."""
    smoke = (ROOT / "tests" / "smoke_wheel.py").read_text()
    for name, _ in STATIC.values():
        assert (ROOT / "edge" / "aiming" / name).is_file()
        assert f'"{Path(name).suffix}"' in smoke
