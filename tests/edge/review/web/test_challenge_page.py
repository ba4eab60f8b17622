"""The challenge test by the page: a real socket, and a service that answers by a script."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.challenge.link import Listener, Request
from edge.errors import InputError
from edge.review.web.challenge_desk import GONE_S, ChallengeDesk
from edge.review.web.desk import Desk
from tests.edge.review.web.review_rig import (
    SETTINGS,
    cheap_passwords,
    client_of,
    csrf_of,
    make_shift,
    opened,
)
from tests.programs import eventually

BEGUN = {"number": 4, "running": True, "kind": "bad", "done": 0, "of": 7, "words": "waits"}
IDLE = {"why": "", "hold": "", "quarantined": False, "running": False, "number": 3}


class Service:
    """Answers each word as it was told to; *heard*: what was asked, *there*: who is connected."""

    def __init__(self, path: Path) -> None:
        self.view: dict[str, Any] = dict(IDLE)
        self.why = ""
        self.heard: list[Request] = []
        self.listener = Listener(path)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run)

    @contextlib.contextmanager
    def running(self) -> Iterator["Service"]:
        """Answer while the block runs."""
        with self.listener:
            self._thread.start()
            try:
                yield self
            finally:
                self._ending.set()
                self._thread.join()

    def _run(self) -> None:
        while not self._ending.wait(0.002):
            for request in self.listener.requests():
                self._answer(request)

    def _answer(self, request: Request) -> None:
        if request.say != "state":
            self.heard.append(request)
        if request.say == "start" and not self.why:
            self.view = {**IDLE, **BEGUN, "step": "announce", "question": ""}
        if request.say == "abandon":
            self.view = {**IDLE, **BEGUN, "running": False, "step": "failed", "question": ""}
        request.reply({**self.view, "why": self.why})


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A service that listens."""
    with Service(tmp_path / "challenge.sock").running() as found:
        yield found


@pytest.fixture
def desk(tmp_path: Path, service: Service) -> Iterator[Desk]:
    """The pages beside it."""
    settings = SETTINGS.replace('socket = ""', 'socket = "challenge.sock"')
    with cheap_passwords(), opened(make_shift(tmp_path, 2, settings=settings)) as found:
        assert service.view
        yield found


def test_a_test_is_begun_announced_and_ended_by_whoever_began_it(
    desk: Desk, service: Service
) -> None:
    """Another session sees it run, and can neither announce nor abandon."""
    sam, sue = client_of(desk, "sam"), client_of(desk, "sue")

    def say(client: Any, **fields: str) -> int:
        form = {"csrf": csrf_of(desk, client), **fields}
        return int(client.post("/challenge", data=form).status_code)

    assert "Begin a challenge test" in sam.get("/challenge").text
    assert say(sam, say="start", occasion="changeover") == 303
    assert (service.heard[0].occasion, service.heard[0].by) == ("changeover", "Sam")
    assert "have the BAD one" in " ".join(sam.get("/challenge").text.split())
    assert "begun by another" in sue.get("/challenge").text
    assert say(sam, say="announce", kind="bad") == 303
    assert service.heard[1].kind == "bad"
    service.view |= {"step": "alarm", "question": "Does the alarm sound?"}
    assert "Does the alarm sound?" in sam.get("/challenge/part").text
    assert say(sam, say="answer", yes="yes") == 303
    assert service.heard[2].yes is True
    assert say(sam, say="abandon") == 303
    assert "Begin a challenge test" in sam.get("/challenge").text
    said = [r["say"] for r in desk.store.audit.records() if r["kind"] == "challenge-asked"]
    assert said == ["start", "announce", "answer", "abandon"]


def test_what_the_service_refuses_is_said(desk: Desk, service: Service) -> None:
    """In its own words, with nothing held by the page."""
    service.why = "the journal is in trouble"
    client = client_of(desk, "sam")
    form = {"csrf": csrf_of(desk, client), "say": "start", "occasion": "start"}
    response = client.post("/challenge", data=form)
    assert response.status_code == 409
    assert "the journal is in trouble" in response.text
    assert desk.challenge.view(client.cookies[desk.cookie])["mine"] is False


def test_a_signature_bears_the_name_of_whoever_is_logged_in(desk: Desk, service: Service) -> None:
    """No form can give another."""
    service.view |= {"quarantined": True, "first_in_doubt": 7, "hold": "in quarantine"}
    client = client_of(desk, "sue")
    assert "items from" in client.get("/challenge").text
    form = {"csrf": csrf_of(desk, client), "say": "sign", "reason": "re-inspected", "by": "Boss"}
    assert client.post("/challenge", data=form).status_code == 303
    assert (service.heard[-1].by, service.heard[-1].reason) == ("Sue", "re-inspected")


def test_whoever_shuts_the_browser_is_gone_for_the_service(service: Service) -> None:
    """The connection is held while the page asks, and no longer."""
    now = [0.0]
    with ChallengeDesk(service.listener._path, lambda: now[0]) as desk:
        assert desk.ask("sam", "start", occasion="start", by="Sam")["mine"]
        peer = service.heard[0].peer
        now[0] += GONE_S - 1
        assert desk.view("sam")["mine"]
        now[0] += GONE_S - 1
        desk.tick()
        assert service.listener.is_there(peer)
        now[0] += 2
        desk.tick()
        eventually(lambda: not service.listener.is_there(peer))
        assert desk.view("sam")["mine"] is False


def test_a_test_ends_with_the_page_too(service: Service) -> None:
    """A page that is stopped leaves no test behind."""
    with ChallengeDesk(service.listener._path) as desk:
        desk.ask("sam", "start", occasion="start", by="Sam")
        peer = service.heard[0].peer
    eventually(lambda: not service.listener.is_there(peer))


def test_no_service_is_said_in_words(tmp_path: Path) -> None:
    """With what to do."""
    with cheap_passwords(), opened(make_shift(tmp_path, 1)) as desk:
        page = client_of(desk, "sam").get("/challenge")
        assert page.status_code == 200
        assert "[challenge] socket is empty" in page.text
    with pytest.raises(InputError, match="no service listens there"):
        ChallengeDesk(tmp_path / "nothing.sock").view("sam")
