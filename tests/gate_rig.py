"""A gate to talk to: the real loop on real sockets, in a thread or as a process of its own.

In a thread, its time is the test's: it stands still while an answer is on its way, and jumps where
there is nothing to wait for. So no test depends on how fast the machine is.
"""

import contextlib
import os
import select
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edge.clock import MonotonicClock, Stop
from edge.config import Config
from edge.gate.history import Transition, read_transitions
from edge.gate.keeper import Keeper
from edge.gate.lines.simulated import SimulatedLines
from edge.gate.messages import LONGEST, VERSION, FromEye, FromGate, Hello, decode, encode
from edge.gate.peers import TrustedUsers
from edge.gate.process import GateLoop, listening
from edge.process.notify import Notifier
from edge.sections.gate import GateSettings, LinesSettings
from edge.sections.trigger import TriggerSettings
from tests.programs import PATIENCE_S, Program, eventually

MS = 1_000_000
DELAY_MS, PULSE_MS = 700.0, 100.0


class TestClock(MonotonicClock):
    """The kernel's monotonic clock, but for the moments at which a test holds it or sets it ahead.

    Synchronization: any thread may ask for the time; one test moves it.
    """

    __test__ = False  # no test, though its name begins like one

    def __init__(self) -> None:
        self._ahead_ns = 0
        self._held_ns: int | None = None

    def now_ns(self) -> int:
        """Tell the present moment."""
        held_ns = self._held_ns
        return super().now_ns() + self._ahead_ns if held_ns is None else held_ns

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Let time stand still in the block: whatever is said in it is said in time."""
        held_ns = self._held_ns = self.now_ns()
        try:
            yield
        finally:
            self._ahead_ns = held_ns - super().now_ns()
            self._held_ns = None

    def jump(self, ms: float) -> None:
        """Set running time ahead."""
        self._ahead_ns += round(ms * MS)


def rig_settings(folder: Path, kind: str = "photo-eye", **gate: Any) -> Config:
    """Settings of a gate 700 ms behind its photo-eye, with pulses of 100 ms.

    The belt runs on although READY rests: each pulse after the first is for an item of the test.
    """
    defaults = {"reject_delay_ms": DELAY_MS, "pulse_ms": PULSE_MS, "eye_silent_ms": 10_000.0}
    defaults["ready_stops_belt"] = False
    return Config(
        trigger=TriggerSettings(kind=kind),
        gate=GateSettings(
            driver="process", socket="gate.sock", record="edges.jsonl", **{**defaults, **gate}
        ),
        lines=LinesSettings(trigger="EYE", inputs="lines.sock"),
        folder=folder,
    )


def pass_photo_eye(folder: Path, *, lost: int = 0) -> None:
    """Let an item pass: it covers the photo-eye, and leaves it. *lost*: edges lost before it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        for level, missing in ((1, lost), (0, 0)):
            edge = b'{"line": "trigger", "level": %d, "lost": %d}' % (level, missing)
            sender.sendto(edge, str(folder / "lines.sock"))


def edges_of(folder: Path, line: str) -> list[Transition]:
    """The edges of a line so far."""
    return [edge for edge in read_transitions(folder / "edges.jsonl") if edge.line == line]


def swept(folder: Path) -> None:
    """Wait until a gate has thrown off what was under way before it began.

    Its later pulses are for items of its own.
    """
    eventually(
        lambda: (
            (folder / "edges.jsonl").exists()
            and [e.level for e in edges_of(folder, "reject")] == [0, 1, 0]
        )
    )


def pulses_of(folder: Path) -> list[int]:
    """The tags for which the reject line rose so far; what was swept at the start is left out."""
    return [
        edge.sequence
        for edge in edges_of(folder, "reject")
        if edge.level and edge.sequence is not None
    ]


class Caller:
    """Somebody who speaks on the gate's socket, word by word."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        eventually(lambda: self._connects(path))
        self.socket.settimeout(PATIENCE_S)

    def _connects(self, path: Path) -> bool:
        """Whether the gate listens: its socket has a name a moment before."""
        with contextlib.suppress(ConnectionRefusedError):
            self.socket.connect(str(path))
            return True
        return False

    def __enter__(self) -> "Caller":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def say(self, message: FromEye) -> None:
        """Say a message."""
        self.socket.send(encode(message))

    def hear(self) -> FromEye | FromGate | None:
        """Wait for a message; None when the gate has hung up."""
        datagram = self.socket.recv(LONGEST)
        return decode(datagram) if datagram else None

    def ask(self, message: FromEye) -> FromEye | FromGate | None:
        """Say something and wait for the next message."""
        self.say(message)
        return self.hear()

    def greet(self, kind: str = "photo-eye") -> FromEye | FromGate | None:
        """Say hello as an eye."""
        return self.ask(Hello(VERSION, kind))

    def silent(self) -> bool:
        """Return whether no message waits."""
        return not select.select([self.socket], [], [], 0)[0]


class Rig:
    """The gate's loop in a thread.

    *keeper*: its kind; *users*: who may be the eye.
    """

    def __init__(
        self,
        config: Config,
        keeper: type[Keeper] = Keeper,
        users: TrustedUsers | None = None,
    ) -> None:
        self.folder, self.socket = config.folder, config.path(config.gate.socket)
        self.clock = TestClock()
        record, inputs = config.path(config.gate.record), config.path(config.lines.inputs)
        self.lines = SimulatedLines(self.clock, record, inputs)
        self.keeper = keeper(config, self.lines, self.clock)
        self.users = users or TrustedUsers("")
        self.stop = Stop()
        self._up = threading.Event()
        self.failure: BaseException | None = None
        self.thread = threading.Thread(target=self._run, name="gate")

    def _run(self) -> None:
        try:
            with (
                Notifier() as notifier,
                listening(self.socket) as listener,
                self.lines as lines,
                (self.folder / "gate.log").open("wb") as log,  # between tests nobody captures
            ):
                loop = GateLoop(
                    self.keeper,
                    lines,
                    listener,
                    self.clock,
                    notifier,
                    self.users,
                    log.fileno(),
                )
                self._up.set()
                try:
                    loop.run(self.stop)
                finally:
                    loop.close()
        except BaseException as failure:  # noqa: BLE001 - told to the test
            self.failure = failure
            self._up.set()

    def sweep(self) -> None:
        """Let the time pass in which it throws off what was under way before it began."""
        eventually(lambda: len(edges_of(self.folder, "reject")) == 2)
        self.clock.jump(DELAY_MS + PULSE_MS)
        swept(self.folder)

    def __enter__(self) -> "Rig":
        self.thread.start()
        assert self._up.wait(PATIENCE_S)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.request("the test is over")
        self.clock.jump(60_000.0)  # it ends when the last item has arrived
        self.thread.join(PATIENCE_S)
        self.stop.close()
        assert self.failure is None
        assert not self.thread.is_alive()


def edge_process(command: str, config: Path, notify: Path | None = None) -> Program:
    """``stampgate-edge`` as systemd would start it, to be used as a context manager."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("NOTIFY_SOCKET", "WATCHDOG_PID")
    }
    if notify is not None:
        environment |= {"NOTIFY_SOCKET": str(notify), "WATCHDOG_USEC": "10000000"}
    call = [sys.executable, "-m", "edge", command, "--config", str(config)]
    return Program(*call, environment=environment)
