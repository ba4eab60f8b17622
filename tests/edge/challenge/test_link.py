"""How persons reach the service: the socket, who may sign, and the command."""

import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from edge.__main__ import main
from edge.challenge.link import CALLERS, LONGEST, Caller, Listener, Request, read_request
from edge.challenge.rights import may_sign
from edge.clock import SimulatedClock
from edge.commands import challenge
from edge.commands.status import described
from edge.errors import InputError
from edge.gate.peers import Peer
from edge.sections.challenge import ChallengeSettings
from edge.service import serve
from tests.edge.challenge.rig import box
from tests.edge.test_station import DOT, edges, items, settings
from tests.programs import PATIENCE_S, eventually
from tests.tiny_model import save


@contextmanager
def answered(listener: Listener, replies: dict[str, dict[str, Any]]) -> Iterator[list[Request]]:
    """Answer what is asked, in a thread, until the block ends."""
    heard: list[Request] = []
    stop = threading.Event()

    def serve_requests() -> None:
        while not stop.wait(0.005):
            for request in listener.requests():
                heard.append(request)
                request.reply(replies[request.say])

    thread = threading.Thread(target=serve_requests)
    thread.start()
    try:
        yield heard
    finally:
        stop.set()
        thread.join(PATIENCE_S)


def test_a_request_and_its_reply_come_whole_with_who_asks(tmp_path: Path) -> None:
    """The kernel names the peer; he is there until he hangs up."""
    path = tmp_path / "c.sock"
    with Listener(path) as listener:
        assert listener.trouble == ""
        assert path.stat().st_mode & 0o777 == 0o660
        with answered(listener, {"start": {"why": "", "n": 1}}) as heard, Caller(path) as caller:
            assert caller.ask("start", occasion="end", by=" Ada ") == {"why": "", "n": 1}
            (request,) = heard
            assert (request.occasion, request.by) == ("end", "Ada")
            assert request.peer is not None
            assert (request.peer.uid, request.peer.pid) == (os.geteuid(), os.getpid())
            assert listener.is_there(request.peer)
            caller.__exit__(None, None, None)
            eventually(lambda: not listener.is_there(request.peer))
    assert not path.exists()
    with pytest.raises(InputError, match="no service listens there"), Caller(path):
        pass


@pytest.mark.parametrize(
    "datagram",
    [
        b"", b"\xff", b"{}", b"[]", b'{"say": "open"}', b'{"say": "state", "x": 1}',
        b'{"say": "sign", "by": 7}', b'{"say": "answer", "yes": 1}',
        b'{"say": "sign", "by": "a\\nb"}', b'{"say": "sign", "by": "%s"}' % (b"x" * 201),
        b'{"say": "sign", "say": "state"}', b"x" * (LONGEST + 1), b"[" * 3000,
    ],
)  # fmt: skip
def test_what_is_no_request_is_refused_in_one_line(datagram: bytes) -> None:
    """Whoever may connect may send anything."""
    with pytest.raises(ValueError, match=r"^[^\n]+$"):
        read_request(datagram)


def test_many_callers_and_garbage_do_not_keep_the_service(tmp_path: Path) -> None:
    """A connection too many is closed, garbage is answered, silence costs nothing."""
    path = tmp_path / "c.sock"
    with Listener(path) as listener:
        callers = []
        for _ in range(CALLERS):
            callers.append(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
            callers[-1].connect(str(path))
            assert list(listener.requests()) == []
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as more:
            more.connect(str(path))
            assert list(listener.requests()) == []
            assert more.recv(10) == b""
        callers[0].send(b"garbage")
        assert list(listener.requests()) == []
        assert json.loads(callers[0].recv(LONGEST))["why"]
        callers[1].send(b'{"say": "state"}')
        assert [request.say for request in listener.requests()] == ["state"]
        for caller in callers:
            caller.close()


def test_a_socket_that_cannot_be_made_is_only_told(tmp_path: Path) -> None:
    """The line must run; a stale socket is replaced, a file is not."""
    with Listener(tmp_path / "missing" / "c.sock") as listener:
        assert "no folder" in listener.trouble
        assert list(listener.requests()) == []
    (tmp_path / "file").write_text("mine")
    with Listener(tmp_path / "file") as listener:
        assert "cannot be listened at" in listener.trouble
    assert (tmp_path / "file").read_text() == "mine"
    stale = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    stale.bind(str(tmp_path / "c.sock"))
    stale.close()
    with Listener(tmp_path / "c.sock") as listener:
        assert listener.trouble == ""


def test_the_right_to_sign_is_roots_the_services_own_users_and_the_groups(tmp_path: Path) -> None:
    """By membership or as the main group; a name of a group that is not there is nobody's."""
    groups, users = tmp_path / "group", tmp_path / "passwd"
    groups.write_text("other:x:9:mallory\nsigners:x:5:eve,\nbroken\n")
    users.write_text(
        "root:x:0:0::/:/bin/sh\neve:x:1001:100::/:/bin/sh\nmain:x:1002:5::/:/bin/sh\n"
        "mallory:x:1003:9::/:/bin/sh\n:x:1004:9::/:/bin/sh\nbroken\n"
    )
    may = [
        uid
        for uid in (0, os.geteuid(), 1001, 1002, 1003, 1004, 1005)
        if may_sign(Peer(1, uid), "signers", groups, users)
    ]
    assert may == [0, os.geteuid(), 1001, 1002]
    assert not may_sign(Peer(1, 1001), "nobodys", groups, users)
    assert not may_sign(Peer(1, 1001), "", groups, users)
    assert not may_sign(Peer(1, 1001), "signers", tmp_path / "none", users)


def edge_toml(folder: Path) -> str:
    """Write a settings file for the command; its path."""
    path = folder / "edge.toml"
    path.write_text('[challenge]\nsocket = "c.sock"\n[journal]\nfile = "journal.jsonl"\n')
    return str(path)


def test_the_command_signs_and_says_what_is_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line each; a refusal is exit 1, a missing name a matter of usage."""
    toml = edge_toml(tmp_path)
    view = {"why": "", "first_in_doubt": 7, "hold": ""}
    refused = {**view, "why": "nothing is in quarantine"}
    sign = ["challenge", "sign", "--config", toml, "--by", "Eve", "--reason", "looked through"]
    with Listener(tmp_path / "c.sock") as listener:
        with answered(listener, {"state": view, "sign": view}) as heard:
            assert main(sign) == 0
            assert (heard[-1].by, heard[-1].reason) == ("Eve", "looked through")
        with answered(listener, {"state": view, "sign": refused}):
            assert main(sign) != 0
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        "signed: items from 7 on are out of quarantine",
        "READY may beat again",
    ]
    assert said.err == "stampgate-edge: not signed: nothing is in quarantine\n"
    assert main(["challenge", "sign", "--config", toml]) != 0
    assert "needs a name and a reason" in capsys.readouterr().err
    assert main(["challenge", "--config", toml]) != 0
    assert "no service listens there" in capsys.readouterr().err


def test_what_was_typed_before_a_question_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """An Enter too many would say that the alarm is on before it is."""
    master, slave = os.openpty()
    with os.fdopen(slave, "r", encoding="utf-8") as terminal:
        monkeypatch.setattr("sys.stdin", terminal)
        os.write(master, b"yes\n")
        monkeypatch.setattr(challenge, "print_line", lambda *_, **__: os.write(master, b"no\n"))
        assert challenge._ask("Is it on?") == "no\n"
    os.close(master)


@pytest.mark.parametrize(("told", "shown"), [
    ({}, None),
    ({"hold": "", "passed_at": None, "running": ""}, None),
    ({"hold": "", "passed_at": 7, "running": ""}, "passed at item 7, and none is due"),
    ({"hold": "", "passed_at": 7, "hours_left": 3.21},
     "passed at item 7, and the next is due in 3.2 hours"),
    ({"hold": "a challenge test is due: so", "link": "no way"},
     "a challenge test is due: so; no way"),
    ({"running": "start", "number": 3, "words": "item 2 of 7"}, "number 3 runs: item 2 of 7"),
])  # fmt: skip
def test_status_says_how_the_challenge_test_stands(told: dict[str, Any], shown: str | None) -> None:
    """Nothing on a box that has none."""
    lines = described({"state": "stopped", "challenge": told})
    assert lines[1:] == ([] if shown is None else [f"challenge test  {shown}"])


def test_the_command_lists_the_quarantine_as_csv(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A row an item on standard output, the summary beside it."""
    with box(tmp_path) as made:
        made.pass_by("good", "bad")
        assert not made.guided(typed=lambda _text, _number: "quit")
    assert main(["challenge", "quarantine", "--config", edge_toml(tmp_path)]) == 0
    said = capsys.readouterr()
    rows = [line.split(",")[:4] for line in said.out.splitlines()]
    assert rows == [
        ["sequence", "verdict", "gate", "code"],
        ["1", "pass", "cancelled", "found"],
        ["2", "reject", "kept", "found"],
    ]
    assert said.err.startswith("stampgate-edge: 2 items, 1 to 2, are in quarantine: challenge test")


def test_the_service_rejects_while_a_test_is_due(tmp_path: Path) -> None:
    """The whole service, with its simulated gate: each item is thrown, and FAULT shows."""
    config = settings(tmp_path, challenge=ChallengeSettings(at_start=True, socket=""))
    for name in ("1.png", "2.png"):
        save(tmp_path / "frames" / name, DOT)
    serve(config, SimulatedClock())
    assert [(r["verdict"], r["code"]) for r in items(tmp_path)] == [("reject", "challenge-due")] * 2
    assert items(tmp_path)[0]["reason"].startswith(
        "a challenge test is due: the service has started ("
    )
    assert {item for level, _, item in edges(tmp_path) if level and item} == {1, 2}
