"""The real gate loop on real sockets, in a thread of the test or as a process."""

import contextlib
import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from edge.clock import MonotonicClock, Stop
from edge.config import Config, GateSettings, LinesSettings, TriggerSettings
from edge.gate.history import Transition, read_transitions
from edge.gate.keeper import Gatekeeper
from edge.gate.lines.simulated import SimulatedLines
from edge.gate.messages import LONGEST, VERSION, FromEye, FromGate, Hello, decode, encode
from edge.gate.process import GateLoop, listening
from edge.notify import Notifier
from tests.paths import ROOT

PATIENCE_S = 60.0


def rig_settings(folder: Path, kind: str = "photo-eye", **gate: Any) -> Config:
    """700 ms to the gate, pulses of 100: long enough for a machine that has other work, too."""
    defaults = {"reject_delay_ms": 700.0, "pulse_ms": 100.0, "eye_silent_ms": 10_000.0}
    return Config(
        trigger=TriggerSettings(kind=kind),
        gate=GateSettings(
            driver="process", socket="gate.sock", record="edges.jsonl", **{**defaults, **gate}
        ),
        lines=LinesSettings(trigger="EYE", inputs="lines.sock"),
        folder=folder,
    )


def eventually(ask: Callable[[], Any]) -> Any:
    """Ask until the answer is true, and return it; a minute of other answers is an error."""
    deadline = time.monotonic() + PATIENCE_S
    while not (answer := ask()):
        assert time.monotonic() < deadline, "a minute has passed in vain"
        time.sleep(0.005)
    return answer


def pass_photo_eye(folder: Path, *, lost: int = 0) -> None:
    """Let an item pass."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto(
            b'{"line": "trigger", "level": 1, "lost": %d}' % lost, str(folder / "lines.sock")
        )


def edges_of(folder: Path, line: str) -> list[Transition]:
    """The edges of a line so far."""
    return [edge for edge in read_transitions(folder / "edges.jsonl") if edge.line == line]


def swept(folder: Path) -> None:
    """Wait until the gate has swept what was under way before it began.

    After that, pulses of its own items can be told apart.
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
        self.socket.connect(str(path))
        self.socket.settimeout(PATIENCE_S)

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
    """The gate's loop in a thread."""

    def __init__(self, config: Config) -> None:
        self.folder, self.socket = config.folder, config.path(config.gate.socket)
        clock = MonotonicClock()
        record, inputs = config.path(config.gate.record), config.path(config.lines.inputs)
        self.lines = SimulatedLines(clock, record, inputs)
        self.keeper = Gatekeeper(config, self.lines, clock)
        self.stop = Stop()
        self._clock, self._up = clock, threading.Event()
        self.failure: BaseException | None = None
        self.thread = threading.Thread(target=self._run, name="gate")

    def _run(self) -> None:
        try:
            with Notifier() as notifier, listening(self.socket) as listener, self.lines as lines:
                loop = GateLoop(self.keeper, lines, listener, self._clock, notifier)
                self._up.set()
                try:
                    loop.run(self.stop)
                finally:
                    loop.close()
        except BaseException as failure:  # noqa: BLE001 - told to the test
            self.failure = failure
            self._up.set()

    def __enter__(self) -> "Rig":
        self.thread.start()
        assert self._up.wait(PATIENCE_S)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.request("the test is over")
        self.thread.join(PATIENCE_S)
        self.stop.close()
        assert self.failure is None
        assert not self.thread.is_alive()


@contextlib.contextmanager
def edge_process(
    command: str, config: Path, notify: Path | None = None
) -> Iterator["subprocess.Popen[str]"]:
    """``stampgate-edge`` as systemd would start it; killed at the end if it still runs."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("NOTIFY_SOCKET", "WATCHDOG_PID")
    }
    if notify is not None:
        environment |= {"NOTIFY_SOCKET": str(notify), "WATCHDOG_USEC": "10000000"}
    call = [sys.executable, "-m", "edge", command, "--config", str(config)]
    process = subprocess.Popen(call, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()
