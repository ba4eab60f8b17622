"""The eye's end of the link: against the real loop, and against gates that misbehave."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from edge import trigger as trigger_module
from edge.camera import Camera
from edge.clock import MonotonicClock, Stop
from edge.errors import GateError
from edge.gate import client as gate_client
from edge.gate.client import NothingWritten, RemoteGate
from edge.gate.keeper import NO_EYE
from edge.gate.messages import (
    VERSION,
    Answer,
    Answered,
    Beaten,
    Expected,
    FromGate,
    Incident,
    ItemSeen,
    Missed,
    Welcome,
    decode,
    encode,
)
from edge.gate.peers import Peer
from edge.trigger import EveryFrameAndMissed, GateTrigger, Item, make_trigger
from tests.gate_rig import DELAY_MS, Rig, pass_photo_eye, pulses_of, rig_settings
from tests.programs import PATIENCE_S, eventually

CLOCK = MonotonicClock()
SOON_NS = round(PATIENCE_S * 1e9)


class NoCamera:
    """All that a trigger needs of a camera: it has a picture whenever it is told to."""

    ended, picture = False, False

    def wait(self, until_ns: int, stop: Stop) -> bool:
        return self.picture


def soon() -> int:
    """Late enough for a busy machine."""
    return CLOCK.now_ns() + SOON_NS


def test_the_eye_hears_of_an_item_answers_and_settles_it(tmp_path: Path, stop: Stop) -> None:
    """The gate's counters come with the next heartbeat.

    The eye's trouble reaches the gate's FAULT output.
    """
    with Rig(rig_settings(tmp_path)) as rig, RemoteGate(rig.socket, "photo-eye", CLOCK) as gate:
        with rig.clock.held():
            pass_photo_eye(tmp_path)
            seen = gate.next_item(soon(), stop)
            assert isinstance(seen, ItemSeen)
            assert gate.answer(seen.tag, cancel=True) == "cancelled"
            gate.settle(seen.tag, written=True)
            gate.check()  # answered after the gate has heard that
        assert gate.answer(77, cancel=True) == "unknown"
        gate.show_fault("the disk is full")
        facts = gate.facts
        assert (facts["triggers"], facts["unknown"], facts["trouble"]) == (1, 1, "the disk is full")
        gate.show_fault("")
        assert gate.facts["trouble"] == ""
        assert rig.keeper.unsettled == 0


def test_an_item_at_the_photo_eye_comes_before_those_that_passed(
    tmp_path: Path, stop: Stop
) -> None:
    """Two have passed; a third comes while they are told."""
    with Rig(rig_settings(tmp_path)) as rig:
        pass_photo_eye(tmp_path)
        pass_photo_eye(tmp_path)
        eventually(lambda: rig.keeper.counters.missed == 2)
        with RemoteGate(rig.socket, "photo-eye", CLOCK) as gate:
            pass_photo_eye(tmp_path)
            eventually(lambda: rig.keeper.counters.triggers == 3)
            gate.check()
            order = []
            for _ in range(3):
                item = gate.next_item(soon(), stop)
                assert item is not None
                order.append(item.tag)
                gate.settle(item.tag, written=True)
        assert order == [3, 1, 2]


def test_a_cancellation_that_is_withdrawn_rejects(tmp_path: Path, stop: Stop) -> None:
    """For a pass that could not be written down."""
    with Rig(rig_settings(tmp_path)) as rig, RemoteGate(rig.socket, "photo-eye", CLOCK) as gate:
        rig.sweep()
        with rig.clock.held():
            pass_photo_eye(tmp_path)
            seen = gate.next_item(soon(), stop)
            assert seen is not None
            assert gate.answer(seen.tag, cancel=True) == "cancelled"
            gate.settle(seen.tag, written=False)
            gate.check()  # answered after the gate has heard that
        rig.clock.jump(DELAY_MS)
        eventually(lambda: pulses_of(tmp_path) == [1])


def test_no_item_until_the_given_moment_is_none_and_a_stop_ends_the_wait(
    tmp_path: Path, stop: Stop
) -> None:
    """So that the watchdog can be fed, and SIGTERM is heard at once."""
    with Rig(rig_settings(tmp_path)) as rig, RemoteGate(rig.socket, "photo-eye", CLOCK) as gate:
        until = CLOCK.now_ns() + 30_000_000
        assert gate.next_item(until, stop) is None
        assert CLOCK.now_ns() >= until
        threading.Timer(0.1, stop.request, ["SIGTERM"]).start()
        until = soon()
        assert gate.next_item(until, stop) is None
        assert CLOCK.now_ns() < until


def test_a_gate_that_dies_is_noticed_by_whatever_is_asked_of_it(tmp_path: Path, stop: Stop) -> None:
    """Each call says so in one line; nothing waits for ever."""
    with Rig(rig_settings(tmp_path)) as rig:
        gate = RemoteGate(rig.socket, "photo-eye", CLOCK).__enter__()
    for ask in (
        gate.check,
        lambda: gate.answer(1, cancel=True),
        lambda: gate.expect(1, 0),
        lambda: gate.next_item(soon(), stop),
    ):
        with pytest.raises(
            GateError, match=r"the gate is lost: .*; it rejects what it was not told to let pass"
        ):
            ask()
    gate.__exit__(None, None, None)


def test_without_a_gate_the_eye_does_not_start(tmp_path: Path) -> None:
    """No socket, and a socket that a killed gate has left."""
    with (
        pytest.raises(
            GateError, match=r"no gate listens there .*start 'stampgate-edge gate' first"
        ),
        RemoteGate(tmp_path / "gate.sock", "photo-eye", CLOCK),
    ):
        pass
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as left:
        left.bind(str(tmp_path / "gate.sock"))
    with (
        pytest.raises(GateError, match=r"no gate listens there \(Connection refused\)"),
        RemoteGate(tmp_path / "gate.sock", "photo-eye", CLOCK),
    ):
        pass


def test_an_eye_that_is_not_taken_says_why(tmp_path: Path) -> None:
    """Another eye; another trigger."""
    with Rig(rig_settings(tmp_path)) as rig:
        with (
            pytest.raises(
                GateError,
                match=r"does not take this eye: \[trigger\] kind is 'photo-eye' at the gate",
            ),
            RemoteGate(rig.socket, "interval", CLOCK),
        ):
            pass
        with (
            RemoteGate(rig.socket, "photo-eye", CLOCK),
            pytest.raises(GateError, match="does not take this eye: another eye is connected"),
            RemoteGate(rig.socket, "photo-eye", CLOCK),
        ):
            pass


@contextlib.contextmanager
def rude_gate(path: Path, *says: bytes, hangs: bool = False) -> Iterator[None]:
    """A gate that says the same whatever it hears: one message for each it gets.

    Then it says nothing to the next message and hangs up, or *hangs* until the eye has left.
    """

    def run() -> None:
        connection, _ = listener.accept()
        with connection:
            for datagram in says:
                connection.recv(9000)
                connection.send(datagram)
            while connection.recv(9000) and hangs:
                pass

    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=run)
        thread.start()
        yield
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


WELCOME = encode(Welcome(VERSION, "1-1"))


@pytest.mark.parametrize(
    ("says", "complaint"),
    [
        (b"\xff\xff", "a message must be JSON"),
        (b'{"say": "answered", "tag": 1, "outcome": true}', "answered must hold"),
        (encode(Answered(2, "cancelled")), "it answered .*tag=2.* for item 1"),
        (encode(Answered(1, "passed")), "it answered .*'passed'.* for item 1"),
        (encode(Expected(1)), "it said Expected.*, which nobody had asked"),
        (b'{"say": "answer", "tag": 1, "cancel": true}', "which is the eye's to say"),
    ],
)
def test_a_gate_that_answers_nonsense_is_a_lost_gate(
    tmp_path: Path, says: bytes, complaint: str
) -> None:
    """Above all it is no pass."""
    path = tmp_path / "gate.sock"
    with (
        rude_gate(path, WELCOME, says),
        RemoteGate(path, "photo-eye", CLOCK) as gate,
        pytest.raises(GateError, match=complaint),
    ):
        gate.answer(1, cancel=True)


def test_a_gate_that_hangs_is_a_lost_gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The socket is open, nobody is behind it."""
    monkeypatch.setattr(gate_client, "REPLY_TIMEOUT_NS", 100_000_000)
    path = tmp_path / "gate.sock"
    with (
        rude_gate(path, WELCOME, hangs=True),
        RemoteGate(path, "photo-eye", CLOCK) as gate,
        pytest.raises(GateError, match=r"the gate is lost: it gave no reply for 0.1 s"),
    ):
        gate.check()


def test_a_gate_that_does_not_welcome_is_none(tmp_path: Path) -> None:
    """It begins with something else."""
    path = tmp_path / "gate.sock"
    with (
        rude_gate(path, encode(Expected(1))),
        pytest.raises(GateError, match=r"it said Expected\(tag=1\) in place of a welcome"),
        RemoteGate(path, "photo-eye", CLOCK),
    ):
        pass


def take_all(trigger: GateTrigger, stop: Stop) -> None:
    """Take items as long as any come."""
    while True:
        trigger.next_ns(wait_once(trigger, stop))


def wait_once(trigger: GateTrigger, stop: Stop) -> Item:
    """The next item."""
    item = trigger.wait(soon(), stop)
    assert item is not None
    return item


def test_an_item_that_waited_too_long_for_the_eye_cannot_be_judged(
    tmp_path: Path, stop: Stop
) -> None:
    """The picture would show the next product: a FAULT with its name, counted as skipped."""
    with Rig(rig_settings(tmp_path)) as rig, RemoteGate(rig.socket, "photo-eye", CLOCK) as gate:
        trigger = GateTrigger(gate, 40 * 10**9, CLOCK)
        pass_photo_eye(tmp_path)
        assert wait_once(trigger, stop).trouble == ""
        hasty = GateTrigger(gate, 20_000_000, CLOCK)
        pass_photo_eye(tmp_path)
        eventually(lambda: rig.keeper.counters.triggers == 2)
        time.sleep(0.03)
        item = wait_once(hasty, stop)
        assert item.tag == 2
        assert item.trouble.startswith("triggered while the eye was busy: it waited ")
        assert (trigger.skipped, hasty.skipped) == (0, 1)


def test_what_passed_without_an_eye_is_an_item_with_its_trouble(tmp_path: Path, stop: Stop) -> None:
    """It keeps its moment and its number."""
    with Rig(rig_settings(tmp_path)) as rig:
        pass_photo_eye(tmp_path)
        eventually(lambda: rig.keeper.counters.missed == 1)
        with RemoteGate(rig.socket, "photo-eye", CLOCK) as gate:
            item = wait_once(GateTrigger(gate, 1, CLOCK), stop)
            assert (item.tag, item.trouble) == (1, NO_EYE)


class HasWritten(NothingWritten):
    """A journal that holds one item."""

    def __init__(self, run: str, tag: int) -> None:
        self._item = run, tag

    def holds_item(self, run: str, tag: int, t_ns: int) -> bool:
        """Tell whether it is that one."""
        return (run, tag) == self._item


def test_an_item_that_was_written_down_but_not_settled_is_settled_now(
    tmp_path: Path, stop: Stop
) -> None:
    """The eye before was killed between the two: one record, not two.

    The same tag of another run is another item.
    """
    with Rig(rig_settings(tmp_path)) as rig:
        for _ in range(2):
            pass_photo_eye(tmp_path)
        eventually(lambda: rig.keeper.counters.missed == 2)
        with RemoteGate(rig.socket, "photo-eye", CLOCK, HasWritten(rig.keeper.run, 1)) as gate:
            item = gate.next_item(soon(), stop)
            assert item is not None
            assert (item.tag, rig.keeper.unsettled) == (2, 1)
        with RemoteGate(rig.socket, "photo-eye", CLOCK, HasWritten("another run", 2)) as gate:
            assert gate.next_item(soon(), stop) is not None


def test_every_frame_is_an_item_and_missed_ones_come_between(tmp_path: Path, stop: Stop) -> None:
    """A picture that is there comes first; then what passed; then the wait for the next picture."""
    config, camera = rig_settings(tmp_path, "every-frame"), NoCamera()
    with Rig(config) as rig, RemoteGate(rig.socket, "every-frame", CLOCK) as gate:
        trigger = make_trigger(config.trigger, cast(Camera, camera), CLOCK, gate)
        assert isinstance(trigger, EveryFrameAndMissed)
        camera.picture = True
        gate._missed.append(Missed(5, 7, "nobody was there"))
        item = trigger.wait(soon(), stop)
        assert item is not None
        assert (item.tag, item.trouble) == (None, "")
        camera.picture = False
        assert trigger.wait(soon(), stop) == Item(7, 5, "nobody was there")
        assert trigger.wait(soon(), stop) is None


def test_the_settings_choose_what_the_gate_tells(tmp_path: Path) -> None:
    """Its photo-eye, or its own interval."""
    gate = RemoteGate(tmp_path / "gate.sock", "interval", CLOCK)
    for kind in ("photo-eye", "interval"):
        settings = rig_settings(tmp_path, kind).trigger
        trigger = make_trigger(settings, cast(Camera, NoCamera()), CLOCK, gate)
        assert isinstance(trigger, GateTrigger)


def test_the_trigger_knows_when_the_next_item_came_by(tmp_path: Path, stop: Stop) -> None:
    """Also of one that nobody may judge; what it has heard comes out, the photo-eye's first."""
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    gate = RemoteGate(tmp_path, "photo-eye", CLOCK)
    gate._socket = near
    trigger = GateTrigger(gate, 10**18, CLOCK)
    with near, far:
        far.send(encode(ItemSeen(1, 10)))
        first = trigger.wait(soon(), stop)
        assert first == Item(10, 1)
        assert trigger.next_ns(first) is None
        for message in (Missed(2, 5, "no eye"), Missed(3, 40, "too close"), ItemSeen(4, 90)):
            far.send(encode(message))
        assert trigger.next_ns(first) == 40
        told = [trigger.wait(soon(), stop) for _ in range(3)]
        assert told == [Item(90, 4), Item(5, 2, "no eye"), Item(40, 3, "too close")]
        assert trigger.wait(0, stop) is None


def test_nothing_is_settled_with_a_gate_that_is_lost(tmp_path: Path) -> None:
    """It may have let the item pass whose answer was not heard; the record says FAULT.

    Were it settled, it would pass all the same: once we have hung up, the gate rejects it.
    """
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    gate = RemoteGate(tmp_path, "photo-eye", CLOCK)
    gate._socket = near
    with near, far:
        far.send(encode(Answered(8, "cancelled")))
        with pytest.raises(GateError, match="for item 9"):
            gate.answer(9, cancel=True)
        with pytest.raises(GateError):
            gate.settle(9, written=True)
        assert decode(far.recv(4096)) == Answer(9, True)
        assert far.recv(4096) == b""


def test_messages_that_come_with_a_reply_are_kept(tmp_path: Path, stop: Stop) -> None:
    """Two items are told before the answer that was asked for: both come out, in order."""
    told: list[FromGate] = [ItemSeen(1, 10), ItemSeen(2, 20), Answered(9, "late")]
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    gate = RemoteGate(tmp_path, "photo-eye", CLOCK)
    gate._socket = near
    with near, far:
        for message in told:
            far.send(encode(message))
        assert gate.answer(9, cancel=True) == "late"
        assert [gate.next_item(soon(), stop) for _ in range(2)] == told[:2]


@contextlib.contextmanager
def chattering_gate(path: Path, *says: bytes) -> Iterator[None]:
    """A gate that welcomes, and then says the same again and again until the eye has left."""

    def run() -> None:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            connection.recv(9000)
            connection.send(WELCOME)
            connection.recv(9000)
            while True:
                for datagram in says:
                    connection.send(datagram)

    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=run)
        thread.start()
        yield
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


@pytest.mark.parametrize(
    "message", [ItemSeen(1, 1), Missed(1, 1, "x"), Incident(1, "thrown", 1, 1, "x")]
)
def test_a_gate_that_talks_without_a_pause_is_a_lost_gate(
    tmp_path: Path, stop: Stop, monkeypatch: pytest.MonkeyPatch, message: FromGate
) -> None:
    """Whether the eye asks it something or waits for an item: it keeps some, and no more."""
    path = tmp_path / "gate.sock"
    monkeypatch.setattr(gate_client, "REPLY_TIMEOUT_NS", SOON_NS)
    for kept in (gate_client, trigger_module):
        monkeypatch.setattr(kept, "KEPT", 200)
    with (
        chattering_gate(path, encode(message)),
        RemoteGate(path, "photo-eye", CLOCK) as gate,
        pytest.raises(GateError, match="it has reported 200 items"),
    ):
        gate.check()
    path.unlink()
    with chattering_gate(path, encode(message)), RemoteGate(path, "photo-eye", CLOCK) as gate:
        gate.recorded(Incident(1, "thrown", 1, 1, "x"))
        trigger = GateTrigger(gate, 1, CLOCK)
        with pytest.raises(GateError, match="it has reported 200 items"):
            take_all(trigger, stop)


def test_a_gate_that_never_comes_to_its_reply_is_a_lost_gate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An item that the journal holds already is settled and not kept: however often it is told."""
    monkeypatch.setattr(gate_client, "REPLY_TIMEOUT_NS", 100_000_000)
    path = tmp_path / "gate.sock"
    with (
        chattering_gate(path, encode(Missed(1, 1, "x"))),
        RemoteGate(path, "photo-eye", CLOCK, HasWritten("1-1", 1)) as gate,
        pytest.raises(GateError, match="the gate is lost: "),
    ):
        gate.check()


@pytest.mark.parametrize(
    "welcome",
    [Welcome(VERSION + 1, "1-1"), Welcome(VERSION, ""), Welcome(VERSION, "one"), Welcome(0, "1-1")],
)
def test_a_gate_of_another_version_or_without_a_run_is_none(
    tmp_path: Path, welcome: Welcome
) -> None:
    """Its run goes into the journal, which reads a moment from it."""
    path = tmp_path / "gate.sock"
    with (
        rude_gate(path, encode(welcome)),
        pytest.raises(GateError, match=f"which no gate of version {VERSION} says"),
        RemoteGate(path, "photo-eye", CLOCK),
    ):
        pass


def test_a_gate_of_another_user_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told nothing; the one of the settings is taken."""
    with Rig(rig_settings(tmp_path)) as rig:
        monkeypatch.setattr(gate_client, "peer_of", lambda _: Peer(7, 4_000_000))
        with (
            pytest.raises(GateError, match="process 7 of user 4000000 may not be the gate"),
            RemoteGate(rig.socket, "photo-eye", CLOCK),
        ):
            pass
        monkeypatch.setattr(gate_client, "peer_of", lambda _: Peer(7, 65534))
        with RemoteGate(rig.socket, "photo-eye", CLOCK, user="nobody") as gate:
            assert gate.facts["run"] == rig.keeper.run


def test_counters_of_the_gate_cannot_stand_for_its_run(tmp_path: Path) -> None:
    """Whatever it calls them."""
    path = tmp_path / "gate.sock"
    beaten = encode(Beaten({"run": 7, "trouble": 8, "triggers": 9}, "hot"))
    with rude_gate(path, WELCOME, beaten), RemoteGate(path, "photo-eye", CLOCK) as gate:
        gate.check()
        assert gate.facts == {"run": "1-1", "trouble": "hot", "triggers": 9}
