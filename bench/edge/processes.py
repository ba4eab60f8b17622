"""The box's two processes, started as by systemd, and the kernel's figures of them."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from edge.config import SECTIONS, Config
from edge.errors import InputError
from edge.files import write_atomic
from edge.settings import sample_section

PROGRAM = Path(sys.executable).with_name("stampgate-edge")
"""The box's command in the environment that runs the bench."""
WATCHDOG_S = 10.0
"""WatchdogSec of both units: a process that is silent for so long hangs."""
START_S, STOP_S = 120.0, 90.0
"""TimeoutStartSec and TimeoutStopSec of the eye's unit."""
ENVIRONMENT = {
    "PATH": os.defpath,
    "LANG": "C.UTF-8",
    "PYTHONSAFEPATH": "1",
    "PYTHONUNBUFFERED": "1",
}
"""The environment that the units set, and nothing of ours."""
MB = 1_000_000


def write_settings(config: Config, path: Path) -> Path:
    """Write *config* as the settings file *path*, every key of it."""
    sections = [sample_section(name, getattr(config, name)) for name in SECTIONS]
    write_atomic(path, "\n".join(sections).encode())
    return path


class Service:
    """``stampgate-edge run`` or ``gate`` as a process, with a supervisor's notify socket.

    It has a session of its own, so Ctrl-C reaches the bench alone, which lets it end in good order.
    *program*: the command to start; *run*: a folder for the supervisor's socket, whose path must be
    short (unix(7)), and for what the process says on stderr.

    Synchronization: one thread.
    """

    def __init__(self, program: Path, word: str, settings: Path, run: Path) -> None:
        self._call = [str(program), word, "--config", str(settings)]
        self._word, self._notify, self._said = word, run / f"{word}.notify", run / f"{word}.log"

    def __enter__(self) -> Self:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notify.unlink(missing_ok=True)
        self._socket.bind(str(self._notify))
        told = {"NOTIFY_SOCKET": str(self._notify), "WATCHDOG_USEC": str(round(WATCHDOG_S * 1e6))}
        try:
            with self._said.open("wb") as said:
                self.began_ns = self._heard_ns = time.monotonic_ns()
                self._process = subprocess.Popen(  # noqa: S603 - our own command, no shell
                    self._call, env=ENVIRONMENT | told, stderr=said, start_new_session=True
                )
        except OSError as error:
            self._socket.close()
            raise InputError(
                f"{self._call[0]}: cannot be started ({error.strerror}); "
                "install stampgate there, or name another"
            ) from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
        self._socket.close()

    def ready_s(self) -> float:
        """Wait until it says READY=1; how long after it was started that was, in seconds.

        Raises InputError.
        """
        while not self.hear(START_S).startswith("READY=1"):
            pass
        return (self._heard_ns - self.began_ns) / 1e9

    def hear(self, patience_s: float = WATCHDOG_S) -> str:
        """Wait for what it says next.

        Raises InputError when it has ended, or is silent for *patience_s* seconds.
        """
        while True:
            self._socket.settimeout(0.5)
            try:
                message = self._socket.recv(4096).decode()
            except TimeoutError:
                self._check(patience_s)
            else:
                self._heard_ns = time.monotonic_ns()
                return message

    def listen(self) -> None:
        """Hear all that it has said until now. Raises InputError like :meth:`hear`."""
        self._socket.setblocking(False)
        try:
            while self._socket.recv(4096):
                self._heard_ns = time.monotonic_ns()
        except BlockingIOError:
            self._check(WATCHDOG_S)

    def rss_mb(self, peak: bool = False) -> float:
        """Return the process's memory now, or its peak, in MB of a million bytes (proc(5))."""
        found = re.search(
            rf"^{'VmHWM' if peak else 'VmRSS'}:\s+(\d+) kB",
            self._proc("status").read_text(),
            re.MULTILINE,
        )
        assert found is not None
        return int(found[1]) * 1024 / MB

    def open_files(self) -> int:
        """Return the number of descriptors it has open."""
        return len(list(self._proc("fd").iterdir()))

    def stop(self) -> int:
        """Ask it to end, as systemd does; the status with which it did.

        Raises InputError when it does not.
        """
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            raise InputError(
                f"{self._word}: must end within {STOP_S:g} s of SIGTERM, and does not"
            ) from None

    def _proc(self, name: str) -> Path:
        return Path(f"/proc/{self._process.pid}/{name}")

    def _check(self, patience_s: float) -> None:
        status = self._process.poll()
        if status is not None:
            raise InputError(
                f"'stampgate-edge {self._word}' ended with status {status}: {self._last_words()}"
            )
        silent_s = (time.monotonic_ns() - self._heard_ns) / 1e9
        if silent_s > patience_s:
            said = f"said nothing for {silent_s:.0f} s: {self._last_words()}"
            raise InputError(f"'stampgate-edge {self._word}' {said}")

    def _last_words(self) -> str:
        lines = self._said.read_text(encoding="utf-8", errors="replace").splitlines()
        return lines[-1] if lines else "it did not say why"
