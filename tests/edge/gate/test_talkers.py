"""Whoever talks on the gate's socket, and however: what is due is done, and the gate goes on.

Nothing here is timed: the work between two looks at what is due is counted.
"""

import contextlib
import errno
import os
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from edge.clock import SimulatedClock, Stop
from edge.errors import ConfigError, GateError
from edge.gate import keeper as keeper_module
from edge.gate.client import RemoteGate
from edge.gate.keeper import Keeper
from edge.gate.lines.simulated import SimulatedLines
from edge.gate.messages import (
    VERSION,
    Answer,
    Answered,
    Beat,
    Beaten,
    Expect,
    Expected,
    FromEye,
    Hello,
    Missed,
    Refused,
    Settle,
    Welcome,
    encode,
)
from edge.gate.peers import Peer, TrustedUsers
from edge.gate.process import (
    CROWDED,
    NO_ROOM_NS,
    PENDING_KEPT,
    TOLD_NS,
    GateLoop,
    listening,
    make_debts,
)
from edge.process.notify import Notifier
from tests.gate_rig import DELAY_MS, Caller, Rig, TestClock, pass_photo_eye, pulses_of, rig_settings
from tests.programs import PATIENCE_S, eventually

pytestmark = pytest.mark.slow

AT_ONCE = PENDING_KEPT + 2
"""Messages that may be handled before the gate looks at what is due: one of each connection that is
kept, of one more that takes the place of another, and of the eye."""


class CountingKeeper(Keeper):
    """Counts what it is told between two looks at what is due; waits while a test prepares that."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.told = self.most = self.total = 0
        self.goes_on = threading.Event()
        self.goes_on.set()

    def _tell(self) -> None:
        self.told += 1
        self.total += 1

    def handle(self, message: FromEye) -> None:
        self._tell()
        super().handle(message)

    def accept_eye(self, hello: Hello) -> Welcome | Refused:
        self._tell()
        return super().accept_eye(hello)

    def malformed(self) -> None:
        self._tell()
        super().malformed()

    def act(self) -> None:
        assert self.goes_on.wait(PATIENCE_S)
        self.most = max(self.most, self.told)
        self.told = 0
        super().act()

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Let what is said in the block wait in the sockets, all of it, until the block ends."""
        self.goes_on.clear()
        try:
            yield
        finally:
            self.goes_on.set()


FLOODS: dict[str, list[bytes]] = {
    "beats": [encode(Beat(""))] * 100,
    "beats whose trouble changes": [encode(Beat(f"trouble {n}")) for n in range(100)],
    "answers for items that are none": [encode(Answer(n, True)) for n in range(100)],
    "settles for items that are none": [encode(Settle(n)) for n in range(100)],
    "items announced": [encode(Expect(n)) for n in range(100)],
    "hellos": [encode(Hello(VERSION, "every-frame"))] * 100,
    "half a line": [b'{"say": "beat", '] * 100,
    "one byte at a time": [bytes([byte]) for byte in encode(Beat("x" * 60))],
    "lines without an end": [b"x" * 9000] * 20,
}


@pytest.mark.parametrize("flood", FLOODS)
def test_what_is_due_is_looked_at_after_each_message_of_each_connection(
    tmp_path: Path, flood: str
) -> None:
    """The eye and four strangers talk at once, and nobody reads; another caller is heard after."""
    settings = rig_settings(tmp_path, "every-frame")
    with Rig(settings, CountingKeeper) as rig, contextlib.ExitStack() as stack:
        keeper = cast(CountingKeeper, rig.keeper)
        callers = [stack.enter_context(Caller(rig.socket))]
        assert isinstance(callers[0].greet("every-frame"), Welcome)
        callers += [stack.enter_context(Caller(rig.socket)) for _ in range(PENDING_KEPT)]
        with keeper.paused():
            for caller in callers:
                with contextlib.suppress(OSError):  # its buffer is full: that is flood enough
                    caller.socket.setblocking(False)
                    for message in FLOODS[flood]:
                        caller.socket.send(message)
        eventually(lambda: keeper.total >= AT_ONCE)
        with Caller(rig.socket) as later:
            assert later.greet("every-frame") is not None
        assert 0 < keeper.most <= AT_ONCE


def test_a_pulse_comes_while_an_eye_talks_without_a_pause(tmp_path: Path) -> None:
    """It beats as fast as the gate answers, until the pulse is there."""
    with Rig(rig_settings(tmp_path)) as rig, Caller(rig.socket) as eye:
        rig.sweep()
        eye.greet()
        pass_photo_eye(tmp_path)
        eventually(lambda: rig.keeper.counters.triggers == 1)
        rig.clock.jump(DELAY_MS)
        heard: list[Any] = []
        while not pulses_of(tmp_path):
            heard = [eye.ask(Beat("")) for _ in range(20)]
        assert any(isinstance(message, Beaten) for message in heard)
        assert pulses_of(tmp_path) == [1]


def test_an_eye_that_announces_more_than_it_settles_is_hung_up_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its items are rejected and told to the next one; the gate goes on."""
    monkeypatch.setattr(keeper_module, "REPORTED_AT_MOST", 100)
    with Rig(rig_settings(tmp_path, "every-frame", reject_delay_ms=60_000.0)) as rig:
        with Caller(rig.socket) as eye:
            eye.greet("every-frame")
            for tag in range(1, 101):
                assert eye.ask(Expect(rig.clock.now_ns())) == Expected(tag)
            eye.say(Expect(rig.clock.now_ns()))
            assert eye.hear() is None
        with Caller(rig.socket) as following:
            following.greet("every-frame")
            assert isinstance(following.hear(), Missed)
            assert rig.keeper.unsettled == 100


@pytest.mark.parametrize("t_ns", [0, 2**63 - 1])
def test_an_item_of_an_absurd_moment_reaches_later_eyes_with_a_moment_that_was(
    tmp_path: Path, t_ns: int
) -> None:
    """No later than the gate heard of it."""
    with Rig(rig_settings(tmp_path, "every-frame")) as rig:
        with Caller(rig.socket) as eye:
            eye.greet("every-frame")
            eye.ask(Expect(t_ns))
        with Caller(rig.socket) as following:
            following.greet("every-frame")
            missed = following.hear()
            assert isinstance(missed, Missed)
            assert missed.t_ns == min(t_ns, missed.t_ns) <= rig.clock.now_ns()


BAD = {
    "a surrogate": b'{"say": "beat", "trouble": "\\ud800"}',
    "a zero byte": b'{"say": "beat", "trouble": "\\u0000"}',
    "a forged line": b'{"say": "beat", "trouble": "x\\nstampgate-edge gate: all well"}',
    "an escape sequence": b'{"say": "beat", "trouble": "\\u001b[2J"}',
    "text that runs back": b'{"say": "beat", "trouble": "\\u202egniht"}',
    "4001 digits": b'{"say": "expect", "t_ns": -1' + b"0" * 4000 + b"}",
    "301 digits": b'{"say": "expect", "t_ns": 1' + b"0" * 300 + b"}",
    "a negative number": b'{"say": "expect", "t_ns": -1}',
    "65 bits": b'{"say": "expect", "t_ns": 18446744073709551616}',
    "no number": b'{"say": "expect", "t_ns": NaN}',
    "infinity": b'{"say": "expect", "t_ns": 1e999}',
    "two keys": b'{"say": "answer", "tag": 1, "tag": 2, "cancel": true}',
    "deep JSON": b"[" * 8000,
    "a deep word": b'{"say": ' + b"[" * 800 + b"]" * 800 + b"}",
    "UTF-16": '{"say": "beat", "trouble": ""}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"say": "beat", "trouble": ""}',
    "a long text": b'{"say": "beat", "trouble": "' + b"x" * 401 + b'"}',
    "the gate's own word": encode(Beaten({}, "")),
    "a second hello": encode(Hello(VERSION, "every-frame")),
}


@pytest.mark.parametrize("bad", BAD)
def test_bad_text_is_hung_up_on_and_counted(tmp_path: Path, bad: str) -> None:
    """Whoever says it: the eye, or a caller that has not said hello. It forges no line."""
    with Rig(rig_settings(tmp_path, "every-frame")) as rig:
        for greets in (True, False):
            with Caller(rig.socket) as caller:
                if greets:
                    assert isinstance(caller.greet("every-frame"), Welcome)
                caller.socket.send(BAD[bad])
                refused = caller.hear()
                assert refused is None or (isinstance(refused, Welcome) and not greets)
        with Caller(rig.socket) as eye:
            assert isinstance(eye.greet("every-frame"), Welcome)
            answer = eye.ask(Beat(""))
            while not isinstance(answer, Beaten):
                answer = eye.hear()
            assert answer.counters["malformed"] >= 1
    lines = (tmp_path / "gate.log").read_text().splitlines()
    assert all(line.startswith("stampgate-edge gate: ") for line in lines)
    assert "\x1b" not in "".join(lines)
    named = [line for line in lines if "hung up on" in line]
    assert named
    assert not any(line == "stampgate-edge gate: all well" for line in named)


@pytest.mark.parametrize("version", [0, VERSION + 1, 2**63 - 1])
def test_an_eye_of_another_version_is_refused_by_name(tmp_path: Path, version: int) -> None:
    """It may be a stampgate that was not started again."""
    with Rig(rig_settings(tmp_path)) as rig, Caller(rig.socket) as eye:
        refused = eye.ask(Hello(version, "photo-eye"))
        assert isinstance(refused, Refused)
        assert refused.why.startswith(f"the gate speaks version {VERSION}, not {version}")


def test_an_eye_that_has_said_hello_is_not_pushed_out_by_those_who_come_after(
    tmp_path: Path,
) -> None:
    """A crowd comes before the gate has looked at it."""
    with Rig(rig_settings(tmp_path), CountingKeeper) as rig, contextlib.ExitStack() as stack:
        keeper = cast(CountingKeeper, rig.keeper)
        eye = stack.enter_context(Caller(rig.socket))
        with keeper.paused():
            eye.say(Hello(VERSION, "photo-eye"))
        crowd = [stack.enter_context(Caller(rig.socket)) for _ in range(3 * PENDING_KEPT)]
        assert isinstance(eye.hear(), Welcome)
        assert crowd[0].hear() is None


class Nobody(TrustedUsers):
    """Trusts no user."""

    def __contains__(self, peer: Peer) -> bool:
        return False


def test_a_user_that_may_not_be_the_eye_is_refused_by_name_and_counted(tmp_path: Path) -> None:
    """Before a word of it is read: what it says does not count."""
    with Rig(rig_settings(tmp_path), users=Nobody("")) as rig:
        for _ in range(3):
            with Caller(rig.socket) as stranger:
                with contextlib.suppress(OSError):
                    stranger.say(Hello(VERSION, "photo-eye"))
                heard = []
                for _ in range(3):
                    with contextlib.suppress(ConnectionResetError):  # its word was not read
                        heard.append(stranger.hear())
                refused = heard[0]
                assert isinstance(refused, Refused)
                assert refused.why.startswith(
                    f"process {os.getpid()} of user {os.geteuid()} may not be the eye"
                )
                assert heard[1:] in ([None], [None, None])
        assert (rig.keeper.counters.refused, rig.keeper.counters.malformed) == (3, 0)


@contextlib.contextmanager
def acting_as(uid: int) -> Iterator[None]:
    """Let this process be another user's in the block; only root can."""
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_the_kernel_tells_who_calls() -> None:
    """A caller of another user, though anybody may write to this socket."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        with Rig(rig_settings(folder)) as rig:
            rig.socket.chmod(0o666)
            with (
                pytest.raises(
                    GateError, match=r"does not take this eye: .* of user 65534 may not be the eye"
                ),
                acting_as(65534),
                RemoteGate(rig.socket, "photo-eye", rig.clock),
            ):
                pass
            with Caller(rig.socket) as eye:
                assert isinstance(eye.greet(), Welcome)


class FullTable:
    """A listener for whose connections there is no file descriptor, as often as it is *full*."""

    def __init__(self, listener: socket.socket, clock: TestClock, full: int) -> None:
        self._listener, self._clock, self._full = listener, clock, full
        self.tried_ns: list[int] = []

    def fileno(self) -> int:
        """The listener's own: a connection waits there, so it stays readable."""
        return self._listener.fileno()

    def accept(self) -> tuple[socket.socket, Any]:
        """Take one, or say why that cannot be."""
        self.tried_ns.append(self._clock.now_ns())
        if len(self.tried_ns) <= self._full:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return self._listener.accept()


def test_without_file_descriptors_the_gate_waits_says_so_and_goes_on(tmp_path: Path) -> None:
    """It does not try again at once, which would keep the processor busy, and does not end."""
    config, clock = rig_settings(tmp_path), TestClock()

    class Ending(Keeper):
        """Ends when the connection was taken; remembers the troubles."""

        troubles: tuple[str, ...] = ()

        @property
        def done(self) -> bool:
            self.troubles += (self.crowded,)
            if len(listener.tried_ns) > 2:
                clock.jump(TOLD_NS / 1e6)
            return len(listener.tried_ns) > 2 and not self.crowded

    lines = SimulatedLines(clock)
    with (
        Notifier() as notifier,
        listening(config.path(config.gate.socket)) as real,
        lines,
        Caller(config.path(config.gate.socket)),
    ):
        listener = FullTable(real, clock, full=2)
        keeper = Ending(config, lines, clock)
        loop = GateLoop(
            keeper, lines, cast(socket.socket, listener), clock, notifier, TrustedUsers("")
        )
        loop.run(Stop())
        loop.close()
    first, second, third = listener.tried_ns
    assert min(second - first, third - second) >= NO_ROOM_NS
    assert CROWDED in keeper.troubles
    assert keeper.trouble == "no eye is connected"


PUT: dict[str, Callable[[Path], object]] = {
    "a link": lambda path: path.symlink_to("elsewhere"),
    "a folder": Path.mkdir,
    "a FIFO": os.mkfifo,
    "a file": lambda path: path.write_text("mine"),
}


@pytest.mark.parametrize("put", PUT)
def test_only_a_socket_is_removed_from_the_place_of_the_gate_s_own(
    put: str, tmp_path: Path
) -> None:
    """A name that belongs to something else is refused, and what lies there stays."""
    path = tmp_path / "gate.sock"
    PUT[put](path)
    before = path.lstat()
    with pytest.raises(ConfigError, match=r"gate.sock: .* \(something lies there") as caught:
        listening(path).__enter__()
    assert "\n" not in str(caught.value)
    assert path.lstat() == before
    with pytest.raises(ConfigError, match="something lies there that is no socket"):
        SimulatedLines(SimulatedClock(), None, path).__enter__()
    assert path.lstat() == before


def test_what_takes_the_socket_s_place_while_the_gate_runs_stays(tmp_path: Path) -> None:
    """At its end it removes its socket, and nothing else."""
    path = tmp_path / "gate.sock"
    with listening(path):
        path.unlink()
        path.write_text("mine")
    assert path.read_text() == "mine"


def test_something_in_the_place_of_the_gate_s_lock_keeps_no_gate_out(tmp_path: Path) -> None:
    """It is renamed, whoever put it there."""
    path, lock = tmp_path / "gate.sock", tmp_path / "gate.sock.lock"
    (tmp_path / "elsewhere").write_text("mine")
    for put in ("a link", "a folder", "a FIFO"):
        lock.unlink(missing_ok=True)
        PUT[put](lock)
        with listening(path), Caller(path):
            assert lock.is_file()
    assert (tmp_path / "elsewhere").read_text() == "mine"
    assert len(list(tmp_path.glob(".gate.sock.lock.*"))) == 3


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
@pytest.mark.parametrize("put", PUT)
def test_a_gate_takes_its_socket_back_from_what_the_eye_has_put_there(put: str) -> None:
    """The folder is the gate's, the eye may write in it: what it puts there is renamed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "gate.sock"
        PUT[put](path)
        os.chown(path, 65533, 65533, follow_symlinks=False)
        os.chown(folder, 65534, 65534)
        with acting_as(65534), listening(path), Caller(path):
            pass
        (aside,) = folder.glob(".gate.sock.*")
        assert aside.lstat().st_uid == 65533


def test_what_the_eye_has_put_beside_the_socket_is_no_debt_of_a_gate(tmp_path: Path) -> None:
    """A link to a file of its own, and a folder where the file is written anew."""
    config, planted = rig_settings(tmp_path), tmp_path / "planted"
    planted.write_text('{"debts": 1, "run": "1-1", "boot_id": "x"}\n{"beyond": 9, "t_ns": 1}\n')
    (tmp_path / "gate.sock.debts").symlink_to(planted)
    (tmp_path / ".gate.sock.debts.new").mkdir()
    debts = make_debts(config)
    assert not debts.read().anything
    debts.begin("2-2", "y")
    debts.close()
    assert debts.trouble == ""
    assert planted.read_text().endswith('"t_ns": 1}\n')
    assert make_debts(config).read().run == "2-2"


def test_trusted_users_are_root_this_one_and_the_one_named() -> None:
    """One that this computer lacks is nobody."""
    for name in ("", "no-such-user", "a\0b"):
        assert Peer(1, os.geteuid()) in TrustedUsers(name)
        assert Peer(1, 0) in TrustedUsers(name)
        assert Peer(1, 4_000_000) not in TrustedUsers(name)
    assert Peer(1, 65534) in TrustedUsers("nobody")
    assert Peer(1, 65534) not in TrustedUsers("")


def test_answers_are_as_before(tmp_path: Path) -> None:
    """For an item that is none, one answered twice, one settled."""
    with Rig(rig_settings(tmp_path)) as rig, Caller(rig.socket) as eye:
        rig.sweep()
        eye.greet()
        pass_photo_eye(tmp_path)
        assert eye.hear() is not None
        with rig.clock.held():
            told = [eye.ask(Answer(tag, True)) for tag in (2, 2**63 - 1, 1, 1)]
        assert told == [
            Answered(2, "unknown"),
            Answered(2**63 - 1, "unknown"),
            Answered(1, "cancelled"),
            Answered(1, "unknown"),
        ]
