"""The gate's loop on real sockets, and as a process that is killed."""

import errno
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from edge.__main__ import main
from edge.clock import SimulatedClock
from edge.errors import GateError
from edge.gate.debts import GATE_LOST_PASSED
from edge.gate.history import TransitionRecord, read_transitions
from edge.gate.keeper import EYE_LOST, NO_EYE
from edge.gate.lines.simulated import SimulatedLines
from edge.gate.messages import (
    Answer,
    Answered,
    Beat,
    Beaten,
    Expect,
    Expected,
    Hello,
    Incident,
    ItemSeen,
    Missed,
    Refused,
    Settle,
    Welcome,
    Withdraw,
    encode,
)
from edge.gate.process import listening
from edge.wiring import SAFE
from tests.edge.test_replay import Systemd
from tests.gate_rig import (
    DELAY_MS,
    Caller,
    Rig,
    edge_process,
    edges_of,
    pass_photo_eye,
    pulses_of,
    rig_settings,
    swept,
)
from tests.paths import ROOT
from tests.programs import Program, eventually

pytestmark = pytest.mark.slow

T = TypeVar("T")
MS = 1_000_000
SETTINGS = """\
[trigger]
kind = "photo-eye"
[gate]
driver = "process"
reject_delay_ms = 2000.0
pulse_ms = 100.0
eye_silent_ms = 10000.0
# Each pulse is for an item: the belt runs on, and nothing is thrown as READY begins.
ready_stops_belt = false
socket = "gate.sock"
record = "edges.jsonl"
[lines]
trigger = "EYE"
inputs = "lines.sock"
"""


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """A gate with a photo-eye."""
    with Rig(rig_settings(tmp_path)) as rig:
        yield rig


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The same as a settings file."""
    path = tmp_path / "edge.toml"
    path.write_text(SETTINGS)
    return path


def beaten(caller: Caller) -> Beaten:
    """Ask the gate for its heartbeat."""
    return expect(Beaten, caller.ask(Beat("")))


def expect(kind: type[T], message: object) -> T:
    """The message, which must be of that kind."""
    assert isinstance(message, kind)
    return message


def test_an_item_goes_the_whole_way_over_the_socket(rig: Rig) -> None:
    """Seen, answered, settled; the one that passes gives no pulse."""
    rig.sweep()
    seen = ItemSeen(0, 0)
    with Caller(rig.socket) as eye:
        assert isinstance(eye.greet(), Welcome)
        for tag, cancel in ((1, True), (2, False)):
            with rig.clock.held():
                pass_photo_eye(rig.folder)
                seen = expect(ItemSeen, eye.hear())
                assert seen.tag == tag
                answered = Answered(tag, "cancelled" if cancel else "kept")
                assert eye.ask(Answer(tag, cancel)) == answered
                eye.say(Settle(tag))
        rig.clock.jump(DELAY_MS)
        eventually(lambda: pulses_of(rig.folder))
        assert beaten(eye).counters["triggers"] == 2
    rise = next(
        edge for edge in edges_of(rig.folder, "reject") if edge.sequence == 2 and edge.level
    )
    assert rise.t_ns - seen.t_ns >= DELAY_MS * MS
    assert pulses_of(rig.folder) == [2]


def test_a_second_eye_is_refused_and_the_first_goes_on(rig: Rig) -> None:
    """With a reason; when the first has left, the next is welcome."""
    with Caller(rig.socket) as first:
        first.greet()
        with Caller(rig.socket) as second:
            assert second.greet() == Refused("another eye is connected; stop one of them")
            assert second.hear() is None
        assert isinstance(first.ask(Beat("")), Beaten)
    eventually(lambda: not rig.keeper._eye)
    with Caller(rig.socket) as third:
        assert isinstance(third.greet(), Welcome)


@pytest.mark.parametrize(
    "noise",
    [
        b"\xff",
        b"{}",
        b'{"say": "answer", "tag": 1, "cancel": 1}',
        b" " * 20_000,
        encode(ItemSeen(1, 1)),
        encode(Hello(1, "")),
    ],
)
def test_after_a_malformed_message_nothing_of_that_eye_counts(rig: Rig, noise: bytes) -> None:
    """It is hung up on.

    The item it had let pass, but not written down, is rejected and told to the next.
    """
    rig.sweep()
    with Caller(rig.socket) as eye, rig.clock.held():
        eye.greet()
        pass_photo_eye(rig.folder)
        seen = expect(ItemSeen, eye.hear())
        assert eye.ask(Answer(1, True)) == Answered(1, "cancelled")
        eye.socket.send(noise)
        assert eye.hear() is None
    with Caller(rig.socket) as following:
        following.greet()
        assert following.hear() == Missed(1, seen.t_ns, EYE_LOST)
        assert beaten(following).counters["malformed"] == 1
        rig.clock.jump(DELAY_MS)
        eventually(lambda: pulses_of(rig.folder) == [1])


def test_who_has_not_said_hello_may_say_nothing_else(rig: Rig) -> None:
    """An answer from nowhere is no answer."""
    rig.sweep()
    with Caller(rig.socket) as eye, Caller(rig.socket) as stranger:
        eye.greet()
        pass_photo_eye(rig.folder)
        assert isinstance(eye.hear(), ItemSeen)
        stranger.say(Answer(1, True))
        assert stranger.hear() is None
        rig.clock.jump(DELAY_MS)
        eventually(lambda: pulses_of(rig.folder) == [1])


def test_strangers_who_say_nothing_do_not_keep_the_eye_out(rig: Rig) -> None:
    """Twenty connections stand about; of those only the last few are kept."""
    strangers = [Caller(rig.socket) for _ in range(20)]
    with Caller(rig.socket) as eye:
        assert isinstance(eye.greet(), Welcome)
        assert strangers[0].hear() is None
        assert strangers[-1].silent()
    for stranger in strangers:
        stranger.socket.close()


def test_an_eye_that_does_not_listen_is_as_good_as_dead(tmp_path: Path) -> None:
    """Its socket fills with items.

    The gate hangs up, rejects all, and tells the next of each of them: none is lost.
    """
    many = 600
    with Rig(rig_settings(tmp_path, "every-frame", reject_delay_ms=500.0)) as rig:
        with Caller(rig.socket) as deaf:
            deaf.greet("every-frame")
            sent = 0
            try:
                for _ in range(many):
                    deaf.say(Expect(rig.clock.now_ns()))
                    sent += 1
            except OSError:
                pass
            eventually(lambda: not rig.keeper._eye)
        with Caller(rig.socket) as following:
            following.greet("every-frame")
            settled = 0
            while not following.silent() or rig.keeper.unsettled:
                missed = expect(Missed, following.hear())
                following.say(Settle(missed.tag))
                settled += 1
                eventually(lambda: not following.silent() or rig.keeper.unsettled == 0)
            assert settled == rig.keeper.counters.triggers
            assert 0 < settled <= sent


def test_a_withdrawn_pass_and_an_answer_never_given_are_rejected(rig: Rig) -> None:
    """Both pulses come."""
    rig.sweep()
    with Caller(rig.socket) as eye:
        eye.greet()
        with rig.clock.held():
            for _ in range(2):
                pass_photo_eye(rig.folder)
                assert isinstance(eye.hear(), ItemSeen)
            assert eye.ask(Answer(1, True)) == Answered(1, "cancelled")
            eye.say(Withdraw(1))
            assert isinstance(eye.ask(Beat("")), Beaten)  # heard after the withdrawal
        rig.clock.jump(DELAY_MS)
        eventually(lambda: any(e.sequence == 2 for e in edges_of(rig.folder, "reject")))
    first = next(e for e in edges_of(rig.folder, "reject") if e.level and e.sequence is not None)
    assert first.sequence == 1


def test_a_word_out_of_place_is_hung_up_on(rig: Rig) -> None:
    """The eye announces an item though the photo-eye is the trigger."""
    with Caller(rig.socket) as eye:
        eye.greet()
        eye.say(Expect(1))
        assert eye.hear() is None


def test_the_eye_announces_items_when_every_frame_is_one(tmp_path: Path) -> None:
    """And gets a number for each."""
    with Rig(rig_settings(tmp_path, "every-frame")) as rig, Caller(rig.socket) as eye:
        eye.greet("every-frame")
        assert [eye.ask(Expect(rig.clock.now_ns())) for _ in range(3)] == [
            Expected(1),
            Expected(2),
            Expected(3),
        ]


def test_a_message_that_is_no_edge_does_not_stop_the_gate(rig: Rig) -> None:
    """Lost edges over the socket, too: both items are owed."""
    pass_photo_eye(rig.folder, lost=2)
    eventually(lambda: rig.keeper.counters.triggers == 2)
    with Caller(rig.socket) as eye:
        eye.greet()
        assert isinstance(eye.hear(), Missed)


def test_eye_killed_drops_ready_and_its_items_are_rejected(tmp_path: Path, config: Path) -> None:
    """Kill -9 of a process that holds the link: READY rests, FAULT rises, its items are rejected.

    That READY rests at the very moment at which the gate hears of it is proven in simulated time
    (test_keeper.py), and that this takes less than 500 ms on a box, on the board.
    """
    eye = (
        "import sys, time; from pathlib import Path; from edge.clock import MonotonicClock, Stop\n"
        "from edge.gate.client import RemoteGate\n"
        "clock = MonotonicClock()\n"
        "with RemoteGate(Path(sys.argv[1]), 'photo-eye', clock) as gate:\n"
        "    while True:\n"
        "        item = gate.next_item(clock.now_ns() + 10**9, Stop())\n"
        "        if item: gate.answer(item.tag, cancel=True); print(item.tag, flush=True)\n"
    )
    with edge_process("gate", config) as gate:
        swept(tmp_path)
        with Program(sys.executable, "-c", eye, str(tmp_path / "gate.sock")) as process:
            eventually(lambda: len(edges_of(tmp_path, "ready")) > 4)
            pass_photo_eye(tmp_path)
            assert process.out_lines(1) == ["1"]
            process.kill()
        eventually(lambda: edges_of(tmp_path, "fault")[-1].level and pulses_of(tmp_path) == [1])
        pass_photo_eye(tmp_path)
        eventually(lambda: pulses_of(tmp_path) == [1, 2])
        ready, fault = edges_of(tmp_path, "ready")[-1], edges_of(tmp_path, "fault")[-1]
        assert (ready.level, fault.level) == (0, 1)
        assert ready.t_ns <= fault.t_ns
        with Caller(tmp_path / "gate.sock") as following:
            following.greet()
            first = expect(Missed, following.hear())
            assert (first.tag, first.why) == (1, EYE_LOST)
            thrown = expect(Incident, following.hear())
            assert (thrown.what, thrown.tag) == ("thrown", 1)
            second = expect(Missed, following.ask(Settle(1)))
            assert (second.tag, second.why) == (2, NO_EYE)
        assert gate.runs


def test_gate_killed_ends_ready_and_the_next_gate_rejects_what_was_in_transit(
    tmp_path: Path, config: Path
) -> None:
    """Kill -9 in mid-item: the eye sees it at once.

    A new gate takes the socket over, SAFE, and sweeps first.
    """
    with edge_process("gate", config) as gate:
        eventually((tmp_path / "gate.sock").exists)
        with Caller(tmp_path / "gate.sock") as eye:
            eye.greet()
            pass_photo_eye(tmp_path)
            assert isinstance(eye.hear(), ItemSeen)
            assert eye.ask(Answer(1, True)) == Answered(1, "cancelled")
            gate.kill()
            assert eye.hear() is None
    before = len(read_transitions(tmp_path / "edges.jsonl"))
    with edge_process("gate", config):
        edges = eventually(
            lambda: (
                len(found := read_transitions(tmp_path / "edges.jsonl")) >= before + 5
                and found[before:]
            )
        )
        assert [(e.line, e.level, e.sequence) for e in edges[:5]] == [
            *[(line, level, None) for line, level in SAFE.items()],
            ("reject", 1, None),
            ("reject", 0, None),
        ]
        # From when the lines were requested; on a busy machine the rise may be driven late.
        assert edges[4].t_ns - edges[2].t_ns >= 2100 * MS
        with Caller(tmp_path / "gate.sock") as eye:
            assert isinstance(eye.greet(), Welcome)
            owed = eye.hear()
            assert isinstance(owed, Missed)
            assert (owed.seen_as, owed.why, bool(owed.run)) == (1, GATE_LOST_PASSED, True)
            assert eye.ask(Answer(99, True)) == Answered(99, "unknown")


def test_sigterm_lets_items_under_way_arrive_and_leaves_the_outputs_safe(
    tmp_path: Path, config: Path
) -> None:
    """Stopped as by systemd, it sends READY=1, WATCHDOG=1 and STOPPING=1.

    Then the pulse, exit 0, and one line on stderr for each change.
    """
    systemd = Systemd(tmp_path / "notify")
    with edge_process("gate", config, systemd.path) as gate:
        systemd.hear("READY=1")
        swept(tmp_path)
        with Caller(tmp_path / "gate.sock") as eye:
            eye.greet()
            systemd.hear("WATCHDOG=1", times=2)
            pass_photo_eye(tmp_path)
            assert isinstance(eye.hear(), ItemSeen)
            gate.send(signal.SIGTERM)
            systemd.hear("STOPPING=1")
            assert eye.hear() is None
        done = gate.ended()
    assert done.returncode == 0
    assert "an eye is connected" in done.stderr
    assert "1 items passed that no eye has written down" in done.stderr
    assert not (tmp_path / "gate.sock").exists()
    edges = read_transitions(tmp_path / "edges.jsonl")
    assert pulses_of(tmp_path) == [1]
    assert {edge.line: edge.level for edge in edges} == dict(SAFE)
    assert systemd.drain().count("STOPPING=1\nSTATUS=SIGTERM") == 1
    systemd.close()


def test_a_full_run_folder_is_no_wrong_setting_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ENOSPC where the socket, its inputs' or the record should be made: exit 75, not 78."""

    def full(*_: object, **__: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "gate.sock"
    with monkeypatch.context() as patch:
        patch.setattr("edge.gate.process.os.open", full)
        with pytest.raises(GateError, match="no room for the gate's socket") as caught:
            listening(path).__enter__()
    assert caught.value.exit_code == 75
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", full)
        with pytest.raises(GateError, match="no room for the gate's record"):
            TransitionRecord(SimulatedClock(), path).open()
    with monkeypatch.context() as patch:
        patch.setattr("edge.gate.lines.simulated.remove_socket", full)
        with pytest.raises(GateError, match="no room for the inputs' socket"):
            SimulatedLines(SimulatedClock(), None, path).__enter__()


def test_a_second_gate_is_refused_in_one_line(
    rig: Rig, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first goes on; its lines and its socket stay its own."""
    config.write_text(
        SETTINGS.replace("lines.sock", "other.sock").replace("edges.jsonl", "other.jsonl")
    )
    assert main(["gate", "--config", str(config)]) == 78
    assert (
        "(another gate listens there); stop the other, or name another\n" in capsys.readouterr().err
    )
    with Caller(rig.socket) as eye:
        assert isinstance(eye.greet(), Welcome)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('trigger = "EYE"\n', "", '[trigger] kind "photo-eye" needs a name in [lines] trigger'),
        (
            "[gate]\n",
            "[gate]\nreject_delay_counts = 5\n",
            'reject_delay_counts needs driver "process" and a name in',
        ),
        (
            "[gate]\n",
            '[gate]\nmerge_gap_ms = 5\npulse = "accepts"\n',
            "[gate] merge_gap_ms must be 0 when",
        ),
        ("[lines]\n", '[lines]\nencoder_b = "B"\n', "[lines] encoder_b needs encoder_a"),
        (
            "[lines]\n",
            '[lines]\nactive_low = ["trigger", "redject"]\n',
            "lines that have a name, not redject",
        ),
        (
            "[lines]\n",
            '[lines]\nreject = "EYE"\n',
            "[lines] must give each line a name of its own, not EYE, EYE",
        ),
        (
            "[lines]\n",
            '[lines]\ndriver = "gpiod"\n',
            '[lines] driver "gpiod" needs a name in reject',
        ),
        (
            'socket = "gate.sock"',
            'socket = "no/gate.sock"',
            "[gate] socket must be where a socket can be made",
        ),
        (
            'record = "edges.jsonl"',
            'record = "no/edges"',
            "[gate] record must be a file that can be written",
        ),
    ],
)
def test_wrong_settings_are_one_line_and_78(
    config: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, message: str
) -> None:
    """Before any line moves; systemd does not try again."""
    config.write_text(SETTINGS.replace(old, new))
    assert main(["gate", "--config", str(config)]) == 78
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1


def test_ready_beats_on_time_on_the_real_clock(rig: Rig) -> None:
    """Half a second of it: no faster than asked; how much slower is the machine's affair.

    Each edge is due a beat after the one before was decided on, and stamped when it was made: a
    machine that holds the gate up between the two makes the next interval look short. All together
    cannot, but for the first hold-up.
    """
    with Caller(rig.socket) as eye:
        eye.greet()
        eventually(lambda: len(edges_of(rig.folder, "ready")) > 20)
    beat = edges_of(rig.folder, "ready")[1:20]
    assert [edge.level for edge in beat] == [1, 0] * 9 + [1]
    assert beat[-1].t_ns - beat[0].t_ns >= (len(beat) - 2) * 25 * MS


def test_the_gates_process_stays_small(tmp_path: Path, config: Path) -> None:
    """No array, no picture, no runtime is loaded.

    At most 20 MB of memory with an eye and an item.
    """
    with edge_process("gate", config) as gate:
        eventually((tmp_path / "gate.sock").exists)
        with Caller(tmp_path / "gate.sock") as eye:
            eye.greet()
            pass_photo_eye(tmp_path)
            eye.hear()
            status = Path(f"/proc/{gate.pid}/status").read_text()
            maps = Path(f"/proc/{gate.pid}/maps").read_text()
    peak_kb = int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])
    assert peak_kb <= 20_000
    assert not any(name in maps for name in ("numpy", "onnxruntime", "PIL", "libcrypto"))


def test_the_gate_and_its_drivers_import_nothing_that_sees() -> None:
    """In a fresh interpreter, with gpiod: neither numpy nor onnxruntime, Pillow nor a camera."""
    code = (
        "import sys, gpiod, edge.gate.process, edge.gate.lines.gpiochip\n"
        "seeing = {'numpy', 'onnxruntime', 'PIL', "
        "'edge.camera', 'edge.vision.localizer', 'edge.station'}\n"
        "print(sorted(seeing & set(sys.modules)))\n"
        "lines = open('/proc/self/status')\n"
        "print(int(next(l for l in lines if l.startswith('VmHWM')).split()[1]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    seen, peak_kb = done.stdout.splitlines()
    assert seen == "[]"
    assert int(peak_kb) <= 20_000


def test_no_file_is_left_open_by_eyes_that_come_and_go(rig: Rig) -> None:
    """Two hundred of them."""
    folder = Path(f"/proc/{os.getpid()}/fd")
    with Caller(rig.socket) as eye:
        eye.greet()
    before = len(list(folder.iterdir()))
    for _ in range(200):
        with Caller(rig.socket) as eye:
            eye.greet()
    eventually(lambda: len(list(folder.iterdir())) <= before)
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > before
